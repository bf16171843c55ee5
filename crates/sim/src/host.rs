//! The ports of the platform, as the simulation has them. The same type serves handlers, which have no object, and objects.
//!
//! Over 400 lines: all ports of one type, each with the faults that it can have.

use crate::deployment::{Deployment, Object};
use crate::executor::Owner;
use crate::kv::Entry;
use crate::net::host_of;
use crate::weather::Kind;
use base::call::{self, Call};
use base::clock::Timestamp;
use base::current;
use base::fault::Fault;
use base::page::{self, Fetch};
use base::ports::{Background, Clock, KV_TTL_MIN, KeyPage, Kv, Log, Net, Random, Timer};
use base::rpc::{CallError, Class, Method, Name, Peers, Unreachable};
use config::{App, Settings};
use engine::host::{Alarm, Flights, Host, Rows, Sql, SqlValue};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};
use serde::de::DeserializeOwned;
use serde_json::Value;
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

    /// Whether a fault that has no size happens.
    pub(crate) fn strikes(&self, kind: Kind) -> bool {
        self.world.weather.strikes(kind, 1).is_some()
    }

    fn object(&self) -> Result<&Rc<Object>, Fault> {
        self.object.as_ref().ok_or_else(|| "there is no object".into())
    }

    async fn pause(&self, millis: u64) {
        self.world.executor.sleep(Duration::from_millis(millis)).await;
    }

    /// What a message meets on its way. Says whether it arrives.
    async fn way(&self, lost: Kind) -> bool {
        if let Some(time) = self.world.weather.strikes(Kind::Slow, 50) {
            self.pause(time).await;
        }
        if let Some(time) = self.world.weather.strikes(Kind::VerySlow, 60_000) {
            self.pause(time).await;
        }
        self.world.weather.strikes(lost, 1).is_none()
    }

    async fn kv_call(&self, what: &str) -> Result<(), Fault> {
        self.gate().await;
        if self.world.weather.is_kv_down() || self.world.weather.strikes(Kind::KvDown, 1).is_some() {
            return Err(Fault(format!("KV {what} failed: 503")));
        }
        Ok(())
    }

    async fn kv_write(&self, key: &str, what: &str, entry: Option<Entry>) -> Result<(), Fault> {
        if key.is_empty() || key == "." || key == ".." || key.len() > 512 {
            return Err(Fault(format!("KV {what} failed: 414 the key is not allowed")));
        }
        self.kv_call(what).await?;
        // A write that is on its way arrives, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (host, key, what) = (self.clone(), key.to_owned(), what.to_owned());
        let world = self.world.clone();
        let write = async move {
            if let Some(time) = host.world.weather.strikes(Kind::KvSlow, 20_000) {
                host.pause(time).await;
            }
            let time = host.world.executor.now();
            let mut kv = host.world.kv.borrow_mut();
            if !host.world.weather.is_clear() && kv.too_soon(&key, time) {
                drop(kv);
                sender.send(Err(Fault(format!("KV {what} failed: 429 Too Many Requests"))));
                return;
            }
            let stale = host.world.weather.strikes(Kind::KvStale, 60_000).unwrap_or(0);
            kv.write(&key, entry, time, time + stale);
            drop(kv);
            sender.send(Ok(()));
        };
        world.executor.spawn(Owner::World, write);
        receiver.await.unwrap_or_else(|| Err("KV is gone".into()))
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

    fn request_in_hand(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl Kv for SimHost {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, Fault> {
        self.kv_call("GET").await?;
        Ok(self.world.kv.borrow().get(key, self.now(), self.world.executor.now()))
    }

    async fn kv_put(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
        metadata: Option<&Value>,
    ) -> Result<(), Fault> {
        if ttl < KV_TTL_MIN {
            return Err("KV PUT failed: 400 Invalid expiration_ttl".into());
        }
        if metadata.is_some_and(|m| m.to_string().len() > 1024) {
            return Err("KV PUT failed: 413 the metadata is too long".into());
        }
        let expires_at = self.now().plus(ttl);
        let entry = Entry { value: value.to_owned(), expires_at, metadata: metadata.cloned() };
        self.kv_write(key, "PUT", Some(entry)).await
    }

    async fn kv_delete(&self, key: &str) -> Result<(), Fault> {
        self.kv_write(key, "DELETE", None).await
    }

    async fn kv_list(&self, prefix: &str, limit: u64, cursor: Option<&str>) -> Result<KeyPage, Fault> {
        self.kv_call("LIST").await?;
        Ok(self.world.kv.borrow().list(prefix, limit, cursor, self.now()))
    }
}

impl Net for SimHost {
    async fn call(&self, call: &Call) -> call::Answer {
        self.gate().await;
        let bound = call.binding.as_ref().map(|name| binding(name));
        let at = bound.as_deref().unwrap_or(host_of(&call.url));
        let upstream = self.world.upstreams.borrow().get(at).cloned();
        let Some(upstream) = upstream else { return call::Answer::Unreachable };
        // What an upstream has begun it ends, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (world, sent) = (self.world.clone(), call.clone());
        self.world.executor.spawn(Owner::World, async move {
            let answer = upstream.call(&sent).await;
            let lost = world.weather.strikes(Kind::AnswerLost, 1).is_some();
            sender.send(if lost { call::Answer::Unreachable } else { answer });
        });
        match within(self, call.timeout, receiver).await {
            Some(answer) => answer.unwrap_or(call::Answer::Unreachable),
            None => call::Answer::TimedOut,
        }
    }

    async fn fetch(&self, fetch: &Fetch) -> page::Answer {
        self.gate().await;
        let upstream = self.world.upstreams.borrow().get(host_of(&fetch.url)).cloned();
        let Some(upstream) = upstream else { return page::Answer::Unreachable };
        let (sender, receiver) = crate::executor::channel();
        let (world, sent) = (self.world.clone(), fetch.clone());
        self.world.executor.spawn(Owner::World, async move {
            let answer = upstream.fetch(&sent).await;
            let lost = world.weather.strikes(Kind::AnswerLost, 1).is_some();
            sender.send(if lost { page::Answer::Unreachable } else { answer });
        });
        match within(self, fetch.timeout, receiver).await {
            Some(answer) => answer.unwrap_or(page::Answer::Unreachable),
            None => page::Answer::TimedOut,
        }
    }
}

/// Where whoever is behind a binding stands beside those with host names.
pub(crate) fn binding(name: &str) -> String {
    format!("binding {name}")
}

/// What comes within a time. `None`: nothing did.
async fn within<F: Future + Unpin>(host: &SimHost, time: Duration, work: F) -> Option<F::Output> {
    use futures_util::future::{Either, select};
    let sleep = Box::pin(host.world.executor.sleep(time));
    match select(work, sleep).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
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

impl Peers for SimHost {
    async fn attempt(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        json: &str,
    ) -> Result<String, CallError> {
        self.gate().await;
        let Some(object) = self.world.object(class, name) else {
            let text = "the id is none of this namespace".to_owned();
            return Err(CallError { text, retryable: false, overloaded: false });
        };
        let broken = |text: &str| CallError { text: text.to_owned(), retryable: true, overloaded: false };
        let id = current::request_id();
        if self.world.weather.is_clear() {
            let reply = self.world.deliver(&object, method, json.to_owned(), id).await;
            return reply.unwrap_or_else(|| Err(broken("the object was reset")));
        }
        // A message that is on its way arrives, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (host, json) = (self.clone(), json.to_owned());
        let way = async move {
            if let Some(time) = host.world.weather.strikes(Kind::Stray, 60_000) {
                sender.send(Err(broken("Network connection lost.")));
                host.pause(time).await;
                // Nobody waits for its reply.
                drop(host.world.deliver(&object, method, json, id).await);
                return;
            }
            if !host.way(Kind::RequestLost).await {
                sender.send(Err(broken("Network connection lost.")));
                return;
            }
            let reply = host.world.deliver(&object, method, json, id).await;
            let arrives = host.way(Kind::ReplyLost).await;
            sender.send(match reply {
                None => Err(broken("the object was reset")),
                Some(_) if !arrives => Err(broken("Network connection lost.")),
                Some(reply) => reply,
            });
        };
        self.world.executor.spawn(Owner::World, way);
        let gone = CallError { text: "the world has ended".to_owned(), retryable: false, overloaded: false };
        receiver.await.unwrap_or(Err(gone))
    }

    fn unique_id(&self, class: Class) -> Result<String, Unreachable> {
        Ok(self.world.fresh_id(class))
    }

    fn is_id(&self, class: Class, id: &str) -> bool {
        Deployment::is_id(class, id)
    }
}

impl Settings for SimHost {
    fn settings(&self) -> Result<Rc<App>, Rc<Vec<String>>> {
        self.world.app()
    }
}

impl Rows for SimHost {
    type Text = String;

    fn read(&self, row: &str) -> Result<Option<String>, Fault> {
        Ok(self.object()?.storage.borrow().get(row).cloned())
    }

    fn text(&self, text: &String) -> Result<String, Fault> {
        Ok(text.clone())
    }

    fn write(&self, row: &str, value: &str) -> Result<String, Fault> {
        let object = self.object()?;
        if self.world.weather.strikes(Kind::WriteBefore, 1).is_some() {
            return Err("the write failed".into());
        }
        object.storage.borrow_mut().put(row, value);
        if self.world.weather.strikes(Kind::WriteAfter, 1).is_some() {
            return Err("the write failed, though it was done".into());
        }
        Ok(value.to_owned())
    }

    fn delete(&self, row: &str) -> Result<(), Fault> {
        let object = self.object()?;
        if self.world.weather.strikes(Kind::WriteBefore, 1).is_some() {
            return Err("the write failed".into());
        }
        object.storage.borrow_mut().delete(row);
        Ok(())
    }
}

impl Sql for SimHost {
    fn sql<T: DeserializeOwned>(&self, statements: &str, values: Vec<SqlValue>) -> Result<Vec<T>, Fault> {
        let mut storage = self.object()?.storage.borrow_mut();
        let rows = storage.sql_in(&|kind| self.strikes(kind), statements, &values)?;
        drop(storage);
        rows.into_iter().map(|row| Ok(serde_json::from_value(Value::Object(row))?)).collect()
    }
}

impl Alarm for SimHost {
    fn set_alarm(&self, at: Timestamp) -> Result<(), Fault> {
        self.object()?.storage.borrow_mut().set_alarm(Some(at));
        Ok(())
    }

    async fn alarm_is_set(&self) -> Result<bool, Fault> {
        Ok(self.object()?.storage.borrow().alarm().is_some())
    }

    async fn delete_all(&self) -> Result<(), Fault> {
        self.object()?.storage.borrow_mut().delete_all()
    }
}

/// Work that several calls of one object await.
#[derive(Clone)]
pub struct Flight(Shared<LocalBoxFuture<'static, Result<String, Fault>>>);

impl Flights for SimHost {
    type Flight = Flight;

    fn start(&self, work: impl Future<Output = Result<String, Fault>> + 'static) -> Flight {
        let flight = current::within(current::request_id(), work).boxed_local().shared();
        let driven = flight.clone();
        self.world.executor.spawn(self.owner, async move {
            let _ = driven.await;
        });
        Flight(flight)
    }

    async fn join(&self, flight: &Flight) -> Result<String, Fault> {
        flight.0.clone().await
    }

    fn same(&self, one: &Flight, other: &Flight) -> bool {
        one.0.ptr_eq(&other.0)
    }
}

impl Host for SimHost {
    fn object_id(&self) -> String {
        self.object.as_ref().map(|object| object.id.clone()).unwrap_or_default()
    }
}
