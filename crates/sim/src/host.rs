//! The ports of the platform, as the simulation has them, each with the faults that it can have. The same type serves handlers,
//! which have no object, and objects.
//!
//! - here: whose host it is; clock, random numbers, log, settings, background work
//! - `object`: what is kept of an object, its alarm, and work that its calls share
//! - `peers`: messages to other objects
//! - `kv`, `bucket`, `net`: KV, R2, upstreams

mod bucket;
mod kv;
mod net;
mod object;
mod peers;

pub(crate) use net::binding;

use crate::deployment::{Deployment, Object};
use crate::executor::Owner;
use crate::weather::Kind;
use base::clock::Timestamp;
use base::fault::Fault;
use base::ports::{Answered, Background, Clock, Log, Random, Timer};
use base::rpc::Class;
use config::{App, Faults, Settings};
use std::rc::Rc;
use std::time::Duration;

#[derive(Clone)]
pub struct SimHost {
    world: Rc<Deployment>,
    /// None for the stateless Worker.
    object: Option<Rc<Object>>,
    owner: Owner,
    request_id: Option<Rc<str>>,
}

impl SimHost {
    pub(crate) fn of_object(world: Rc<Deployment>, object: Rc<Object>, instance: u64) -> Self {
        Self { world, object: Some(object), owner: Owner::Instance(instance), request_id: None }
    }

    pub(crate) fn of_worker(world: Rc<Deployment>) -> Self {
        Self { world, object: None, owner: Owner::Worker, request_id: None }
    }

    /// For callers and upstreams: what they do is stopped by nobody.
    pub(crate) fn of_world(world: Rc<Deployment>) -> Self {
        Self { world, object: None, owner: Owner::World, request_id: None }
    }

    pub(crate) fn serving(&self, id: &str) -> Self {
        Self { request_id: Some(id.into()), ..self.clone() }
    }

    /// The output gate: nothing leaves an object before what it has written is durable.
    pub(crate) async fn gate(&self) {
        if let Some(object) = &self.object {
            self.world.gate(object).await;
        }
    }

    pub(crate) fn as_worker(&self) -> Self {
        Self::of_worker(self.world.clone())
    }

    pub(crate) fn worker_memory(&self) -> Rc<http::Instance> {
        self.world.worker.borrow().clone()
    }

    /// How many attempts a client has made in this minute, with this one.
    pub(crate) fn count_attempt(&self, client: &str) -> u32 {
        let minute = self.world.now().millis() / 60_000;
        let mut attempts = self.world.attempts.borrow_mut();
        let count = attempts.entry((minute, client.to_owned())).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn count_request(&self) {
        self.world.used(|u| u.requests += 1);
    }

    pub(crate) fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + 'static) {
        self.world.executor.spawn(owner, work);
    }

    /// A row of an object, as stored.
    pub(crate) fn stored(&self, class: Class, name: &str, row: &str) -> Option<String> {
        let object = self.world.object(class, &Deployment::name_of(class, name))?;
        object.storage.borrow().get(row).cloned()
    }

    /// What was written to KV last under a key, whoever sees it yet.
    pub(crate) fn newest_in_kv(&self, key: &str) -> Option<String> {
        self.world.kv.borrow().newest(key, self.now()).map(|entry| entry.value.clone())
    }

    /// Whether a fault of one of these kinds has happened.
    pub(crate) fn has_happened(&self, kinds: &[Kind]) -> bool {
        self.world.weather.count(kinds) > 0
    }

    /// How many faults have happened.
    pub(crate) fn faults(&self) -> u32 {
        u32::try_from(self.world.weather.happened().len()).unwrap_or(u32::MAX)
    }

    /// Whether a fault that has no size happens.
    pub(crate) fn strikes(&self, kind: Kind) -> bool {
        self.world.weather.strikes(kind, 1).is_some()
    }

    /// Whether a fault happens, and which of `most`.
    pub(crate) fn struck(&self, kind: Kind, most: u64) -> Option<u64> {
        self.world.weather.strikes(kind, most)
    }

    fn object(&self) -> Result<&Rc<Object>, Fault> {
        self.object.as_ref().ok_or_else(|| "there is no object".into())
    }

    async fn pause(&self, millis: u64) {
        self.world.executor.sleep(Duration::from_millis(millis)).await;
    }
}

impl Clock for SimHost {
    fn now(&self) -> Timestamp {
        self.world.now()
    }
}

impl Random for SimHost {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.world.entropy.borrow_mut().fill(bytes);
        Ok(())
    }
}

impl Log for SimHost {
    fn info(&self, line: &str) {
        self.world.log(false, line);
    }

    fn error(&self, line: &str) {
        self.world.log(true, line);
    }

    fn answered(&self, answered: &Answered) {
        let key = (answered.route.to_owned(), answered.status, answered.code.unwrap_or_default().to_owned());
        *self.world.answered.borrow_mut().entry(key).or_default() += 1;
    }

    fn request_in_hand(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl Timer for SimHost {
    async fn sleep(&self, time: Duration) {
        self.world.executor.sleep(time).await;
    }
}

impl Background for SimHost {
    fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.world.executor.spawn(self.owner, work);
    }
}

impl Settings for SimHost {
    fn settings(&self) -> Result<Rc<App>, Rc<Faults>> {
        self.world.app()
    }
}
