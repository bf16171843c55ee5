//! A deployment in one process, and the hand that moves its time.

use crate::bucket::BucketStore;
use crate::deployment::{Change, Deployment, Line, Object};
use crate::executor::{Owner, channel};
use crate::host::SimHost;
use crate::kv::Entry;
use crate::net::Upstream;
use crate::requests::{self, Answered, Request};
use crate::usage::Usage;
use crate::weather::Weather;
use base::clock::Timestamp;
use base::fault::Fault;
use base::rpc::{Address, Class, Command, Name, Peers as _, Unreachable};
use engine::host::DurableObject;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// When a world begins, unless it is told otherwise.
pub const BEGINNING: &str = "2026-06-01T06:00:00Z";

/// One deployment: its settings, objects, KV, the upstreams that it calls, and the time. See the crate's documentation.
pub struct World(Rc<Deployment>);

impl World {
    /// A world in fair weather with these settings beside [`crate::SETTINGS`].
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::seeded(0, settings)
    }

    pub fn seeded(seed: u64, settings: &[(&str, &str)]) -> Self {
        let beginning = Timestamp::parse_rfc3339(BEGINNING).unwrap_or_default();
        let world = Self(Rc::new(Deployment::new(seed, beginning)));
        for (name, value) in crate::SETTINGS.iter().chain(settings) {
            world.0.settings.borrow_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        world
    }

    /// A world with the engines of all classes.
    pub fn complete(seed: u64, settings: &[(&str, &str)]) -> Self {
        let world = Self::seeded(seed, settings);
        world.register::<engine::session::Session<SimHost>>(Class::Session);
        world.register::<engine::user::User<SimHost>>(Class::User);
        world.register::<engine::directory::Directory<SimHost>>(Class::Directory);
        world.register::<engine::upstream::UpstreamAccount<SimHost>>(Class::Upstream);
        world.register::<engine::roster::Roster<SimHost>>(Class::Roster);
        world.register::<engine::portal::Portal<SimHost>>(Class::Portal);
        world.register::<engine::portal_registry::PortalRegistry<SimHost>>(Class::PortalRegistry);
        world.register::<engine::audit_trail::AuditTrail<SimHost>>(Class::AuditTrail);
        world
    }

    /// From here on new objects use the databases of worlds before, emptied: for sequences by the thousand.
    pub fn reuse_databases(&self) {
        self.0.reuses_databases.set(true);
    }

    /// From here on what happens to objects is noted, for [`World::changes`].
    pub(crate) fn watch(&self) {
        self.0.watched.set(true);
    }

    /// What has happened to objects since the last look.
    pub(crate) fn changes(&self, mut look: impl FnMut(&Rc<Object>, Change)) {
        if self.0.changes.borrow().is_empty() {
            return;
        }
        let mut changes = std::mem::take(&mut *self.0.changes.borrow_mut());
        for (object, change) in &changes {
            look(object, *change);
        }
        changes.clear();
        *self.0.changes.borrow_mut() = changes;
    }

    /// The engine of a class. A call of an object of a class without one fails.
    pub fn register<O: DurableObject<SimHost>>(&self, class: Class) {
        self.0.register::<O>(class);
    }

    /// Whoever answers under a host name.
    pub fn upstream(&self, host: &str, upstream: impl Upstream + 'static) {
        self.0.upstreams.borrow_mut().insert(host.to_owned(), Rc::new(upstream));
    }

    /// Whoever is behind a binding of the Worker's.
    pub fn bind(&self, binding: &str, upstream: impl Upstream + 'static) {
        self.upstream(&crate::host::binding(binding), upstream);
    }

    /// The bucket for screenshots; there is none before.
    pub fn bucket<T>(&self, look: impl FnOnce(&mut BucketStore) -> T) -> T {
        look(self.0.bucket.borrow_mut().get_or_insert_default())
    }

    /// A deploy: other settings, and every instance and request is gone. An empty value takes a setting away.
    pub fn deploy(&self, settings: &[(&str, &str)]) {
        self.0.kill_all();
        self.set(settings);
    }

    /// Other settings for what begins from now on; what is under way goes on with those that it has. There and back again, this is
    /// what a client sees of a deployment of which some instances have new settings already.
    pub fn set(&self, settings: &[(&str, &str)]) {
        self.0.app.borrow_mut().take();
        for (name, value) in settings {
            let mut settings = self.0.settings.borrow_mut();
            match *value {
                "" => settings.remove(*name),
                value => settings.insert((*name).to_owned(), value.to_owned()),
            };
        }
    }

    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Sets the clock, forward or back. What is due by it comes at the next turn.
    pub fn at(&self, time: Timestamp) {
        self.0.clock.set(time.millis().saturating_sub(self.0.executor.now()));
    }

    pub fn weather(&self) -> &Weather {
        &self.0.weather
    }

    /// The order in which tasks run that are ready at once is drawn by lot.
    pub fn shuffle(&self, on: bool) {
        self.0.executor.shuffle.set(on);
    }

    /// The ports as a caller, a handler or an upstream has them.
    pub fn host(&self) -> SimHost {
        SimHost::of_world(self.0.clone())
    }

    /// The ports of the stateless Worker: what it does ends with a restart.
    pub fn worker(&self) -> SimHost {
        SimHost::of_worker(self.0.clone())
    }

    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.0.executor.spawn(Owner::World, work);
    }

    /// Work of the stateless Worker: it ends with a restart.
    pub fn spawn_worker(&self, work: impl Future<Output = ()> + 'static) {
        self.0.executor.spawn(Owner::Worker, work);
    }

    /// One turn, or one step of time to the next timer or alarm, not beyond `until`. False: nothing is left to do.
    pub fn step(&self, until: Timestamp) -> bool {
        if let Some(owner) = self.0.executor.turn() {
            self.0.after_turn(owner);
            return true;
        }
        let until = until.millis().saturating_sub(self.0.clock.get());
        let next = [self.0.executor.next_timer(), self.0.next_alarm()].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= until) else { return false };
        self.0.executor.advance_to(at);
        self.0.ring();
        true
    }

    /// Does all that can be done without time going by.
    pub fn settle(&self) {
        while self.step(self.now()) {}
    }

    /// Lets time go by, with the timers and alarms in it, in their order.
    pub fn advance(&self, time: Duration) {
        let until = self.now().plus(time);
        while self.step(until) {}
        self.0.executor.advance_to(until.millis().saturating_sub(self.0.clock.get()));
    }

    /// As [`World::advance`], and after each turn `look` says whether to go on.
    pub fn pass(&self, time: Duration, mut look: impl FnMut() -> bool) {
        let until = self.now().plus(time);
        while self.step(until) {
            if !look() {
                return;
            }
        }
        self.advance(until.since(self.now()));
    }

    /// Runs until a future is done; time goes by only as far as it must.
    ///
    /// # Panics
    /// If it never will be.
    pub fn run_until<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let (sender, receiver) = channel();
        self.spawn(async move { sender.send(work.await) });
        let end = Timestamp::from_millis(u64::MAX);
        loop {
            if let Some(value) = receiver.take() {
                return value;
            }
            assert!(self.step(end), "it waits for what will never come");
        }
    }

    /// Sends a command to an object and runs until its reply is there.
    pub fn send<C>(&self, to: &Address<C::Object>, command: &C) -> Result<C::Reply, Unreachable>
    where
        C: Command + Clone + 'static,
        C::Object: 'static,
        C::Reply: 'static,
    {
        let (host, name, command) = (self.host(), to.name.clone(), command.clone());
        self.run_until(async move {
            let to = match name {
                Name::Id(id) => Address::id(id),
                Name::Name(name) => Address::name(name),
            };
            host.send(&to, &command).await
        })
    }

    /// Sends a request and runs until its answer is there. The path may have a query; `body` is JSON.
    ///
    /// # Panics
    /// If the deployment is restarted meanwhile.
    pub fn request(
        &self,
        method: &'static str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Option<&Value>,
    ) -> Answered {
        let mut request = Request::new(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let host = self.host();
        let answered = self.run_until(async move { requests::request(&host, request).await });
        answered.expect("nobody restarts it")
    }

    /// A Cron Trigger, as `wrangler.toml` has it, at a full hour: all that it looks after is looked at.
    pub fn cron(&self, expression: &'static str) -> Result<(), Fault> {
        let host = self.worker();
        self.run_until(async move { engine::cron::triggered(&host, expression, Timestamp::default()).await })
    }

    pub(crate) fn object(&self, class: Class, name: &str) -> Rc<Object> {
        let name = Deployment::name_of(class, name);
        self.0.object(class, &name).unwrap_or_else(|| unreachable!("both kinds of names have an object"))
    }

    /// Takes an instance away in good order: what it has written is kept, its memory is not.
    pub fn evict(&self, class: Class, name: &str) {
        let object = self.object(class, name);
        self.0.commit(&object);
        self.0.kill(&object);
    }

    /// Kills an instance: its memory, its tasks and what is not durable are gone.
    pub fn kill(&self, class: Class, name: &str) {
        self.0.kill(&self.object(class, name));
    }

    /// Kills every instance and every request under way.
    pub fn restart(&self) {
        self.0.kill_all();
    }

    /// The rows of an object, as stored.
    pub fn rows(&self, class: Class, name: &str) -> BTreeMap<String, String> {
        self.object(class, name).storage.borrow().rows().clone()
    }

    /// One row of an object, as stored.
    pub fn row(&self, class: Class, name: &str, row: &str) -> Option<String> {
        self.object(class, name).storage.borrow().get(row).cloned()
    }

    /// Takes an object's alarm away: one that the platform has dropped after its last try, or lost.
    pub fn lose_alarm(&self, class: Class, name: &str) {
        let object = self.object(class, name);
        object.storage.borrow_mut().set_alarm(None);
        self.0.commit(&object);
    }

    /// Writes a row: what an older release, or damage, has left. The object is gone from memory, which knows what it wrote itself.
    pub fn put_row(&self, class: Class, name: &str, row: &str, value: &str) {
        self.evict(class, name);
        let object = self.object(class, name);
        object.storage.borrow_mut().put(row, value);
        self.0.commit(&object);
    }

    /// As [`World::put_row`], by another instance, while this one does not know that it is replaced.
    pub fn put_row_by_another(&self, class: Class, name: &str, row: &str, value: &str) {
        let object = self.object(class, name);
        object.storage.borrow_mut().put(row, value);
        self.0.commit(&object);
    }

    /// Asks an object's database.
    pub fn sql(&self, class: Class, name: &str, query: &str) -> Vec<Map<String, Value>> {
        let object = self.object(class, name);
        let rows = object.storage.borrow_mut().sql(query, &[]);
        rows.unwrap_or_default()
    }

    /// When an object's alarm is set for.
    pub fn alarm(&self, class: Class, name: &str) -> Option<Timestamp> {
        self.object(class, name).storage.borrow().alarm()
    }

    /// Whether the alarm of an object has come, and what it does is not over. The platform rings again where it breaks off.
    pub(crate) fn alarm_runs(&self, class: Class, name: &str) -> bool {
        self.object(class, name).alarm_runs.get()
    }

    /// How often the alarm of each object of a class has come.
    pub(crate) fn rings(&self, class: Class) -> Vec<(String, u32)> {
        let objects = self.0.objects();
        objects.iter().filter(|o| o.class == class).map(|o| (o.id.clone(), o.rings.get())).collect()
    }

    /// The ids of the objects of a class that have ever been called.
    pub fn ids(&self, class: Class) -> Vec<String> {
        let objects = self.0.objects();
        objects.iter().filter(|o| o.class == class).map(|o| o.id.clone()).collect()
    }

    /// What KV holds, whoever sees it yet.
    pub fn kv(&self) -> BTreeMap<String, Entry> {
        let (kv, now) = (self.0.kv.borrow(), self.now());
        kv.entries(now).map(|(key, entry)| (key.clone(), entry.clone())).collect()
    }

    /// What has been used of what is billed.
    pub fn usage(&self) -> Usage {
        self.0.usage.get()
    }

    pub fn logs(&self) -> Vec<Line> {
        self.0.logs.borrow().clone()
    }

    /// How often what was answered where: route, status, code.
    pub fn answered(&self) -> BTreeMap<(String, u16, String), u64> {
        self.0.answered.borrow().clone()
    }

    /// The log lines since the last look.
    pub fn take_logs(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.logs.borrow_mut())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.0.end();
    }
}
