//! The objects of a deployment: made on demand, killed, woken by their alarms.
//!
//! Over 400 lines: one life of an object, from its making to its end, whose order is what the platform promises.

use crate::executor::{Executor, Owner, Receiver, channel};
use crate::host::SimHost;
use crate::kv::KvStore;
use crate::net::Upstream;
use crate::rng::Rng;
use crate::storage::Storage;
use crate::weather::{Kind, Weather};
use base::clock::Timestamp;
use base::current;
use base::fault::Fault;
use base::rpc::{CallError, Class, Method, Name};
use config::App;
use directory::HashParams;
use engine::host::{Alarm as _, Answer, DurableObject};
use sha2::{Digest as _, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// Passwords are hashed at next to no cost, unless a setting says more: what is mostly tested is not how long it takes.
const HASHING: HashParams = HashParams { memory_kib: 8, iterations: 1 };

/// A failing alarm is tried this often again, then dropped.
const ALARM_RETRIES: u32 = 6;
/// An alarm that rings so often without time going by will not stop.
const RINGS_AT_ONCE: u32 = 20;

/// An engine, whatever its class.
trait Engine {
    fn command(&self, json: &str) -> Result<Answer, Fault>;
    fn ask(self: Rc<Self>, json: String) -> Pin<Box<dyn Future<Output = Result<String, Fault>>>>;
    fn alarm(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>>;
}

struct Erased<O>(O);

impl<O: DurableObject<SimHost>> Engine for Erased<O> {
    fn command(&self, json: &str) -> Result<Answer, Fault> {
        self.0.command(json)
    }

    fn ask(self: Rc<Self>, json: String) -> Pin<Box<dyn Future<Output = Result<String, Fault>>>> {
        Box::pin(async move { self.0.ask(&json).await })
    }

    fn alarm(self: Rc<Self>) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>> {
        Box::pin(async move { self.0.alarm().await })
    }
}

type Factory = Rc<dyn Fn(SimHost) -> Rc<dyn Engine>>;

/// One object, with what is kept of it, and its instance if there is one.
pub struct Object {
    pub class: Class,
    pub id: String,
    pub storage: RefCell<Storage>,
    instance: RefCell<Option<Instance>>,
    flushing: Cell<bool>,
    gate: RefCell<Vec<Waker>>,
    /// When its alarm comes, in the platform's own time.
    alarm_due: Cell<Option<u64>>,
    alarm_tries: Cell<u32>,
    pub alarm_runs: Cell<bool>,
    /// How often its alarm has come.
    pub rings: Cell<u32>,
    /// How often it has rung at this time.
    rings_at_once: Cell<(Timestamp, u32)>,
}

/// What has happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What it has written became durable.
    Stored,
    /// Its instance was killed.
    Killed,
}

#[derive(Clone)]
struct Instance {
    number: u64,
    engine: Rc<dyn Engine>,
}

/// A log line.
#[derive(Clone, Debug)]
pub struct Line {
    pub at: Timestamp,
    pub error: bool,
    pub text: String,
}

type Settings = Result<Rc<App>, Rc<Vec<String>>>;

/// So many different settings are kept with what was made of them.
const APPS_MAX: usize = 64;

thread_local! {
    /// What was made of settings, for the next deployment with the same: it is plain data.
    static APPS: RefCell<Vec<(BTreeMap<String, String>, Settings)>> = RefCell::default();
}

pub struct Deployment {
    pub executor: Rc<Executor>,
    pub weather: Weather,
    /// Whether databases of worlds before this one are used again: much faster, and not as sure.
    pub reuses_databases: Cell<bool>,
    /// What the clock showed when the world began, with what it has jumped since.
    pub clock: Cell<u64>,
    pub settings: RefCell<BTreeMap<String, String>>,
    pub app: RefCell<Option<Settings>>,
    pub kv: RefCell<KvStore>,
    pub upstreams: RefCell<BTreeMap<String, Rc<dyn Upstream>>>,
    pub logs: RefCell<Vec<Line>>,
    pub entropy: RefCell<Rng>,
    /// What the stateless Worker has in memory.
    pub worker: RefCell<Rc<http::Instance>>,
    /// What the rate limiter has counted, by minute and client.
    pub attempts: RefCell<BTreeMap<(u64, String), u32>>,
    factories: RefCell<BTreeMap<Class, Factory>>,
    objects: RefCell<BTreeMap<(Class, String), Rc<Object>>>,
    ids: RefCell<BTreeMap<(Class, String), String>>,
    instances: RefCell<BTreeMap<u64, Rc<Object>>>,
    made: Cell<u64>,
    /// What has happened to objects since the last look, if somebody looks.
    pub changes: RefCell<Vec<(Rc<Object>, Change)>>,
    pub watched: Cell<bool>,
    alarms: RefCell<BTreeSet<(u64, Class, String)>>,
}

impl Deployment {
    pub fn new(seed: u64, at: Timestamp) -> Self {
        Self {
            executor: Rc::new(Executor::new(seed)),
            weather: Weather::new(seed),
            reuses_databases: Cell::new(false),
            clock: Cell::new(at.millis()),
            settings: RefCell::default(),
            app: RefCell::default(),
            kv: RefCell::default(),
            upstreams: RefCell::default(),
            logs: RefCell::default(),
            entropy: RefCell::new(Rng::new(seed ^ 0x656e_7472_6f70_7900)),
            worker: RefCell::default(),
            attempts: RefCell::default(),
            factories: RefCell::default(),
            objects: RefCell::default(),
            ids: RefCell::default(),
            instances: RefCell::default(),
            made: Cell::new(0),
            changes: RefCell::default(),
            watched: Cell::new(false),
            alarms: RefCell::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.get() + self.executor.now())
    }

    pub fn register<O: DurableObject<SimHost>>(&self, class: Class) {
        let factory: Factory = Rc::new(|host| Rc::new(Erased(O::new(host))));
        self.factories.borrow_mut().insert(class, factory);
    }

    /// 64 hexadecimal digits, of which the first two say the class.
    pub fn fresh_id(&self, class: Class) -> String {
        let mut bytes = [0; 31];
        self.entropy.borrow_mut().fill(&mut bytes);
        id_of(class, &bytes)
    }

    pub fn is_id(class: Class, id: &str) -> bool {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        id.len() == 64 && id.bytes().all(hex) && id.starts_with(&tag(class))
    }

    /// An object by its name or its id.
    pub fn name_of(class: Class, name: &str) -> Name {
        if Self::is_id(class, name) { Name::Id(name.to_owned()) } else { Name::Name(name.to_owned()) }
    }

    /// The object of a name. `None`: the id is none of this class.
    pub fn object(&self, class: Class, name: &Name) -> Option<Rc<Object>> {
        let id = match name {
            Name::Id(id) if Self::is_id(class, id) => id.clone(),
            Name::Id(_) => return None,
            Name::Name(name) => {
                let mut ids = self.ids.borrow_mut();
                let id = ids
                    .entry((class, name.clone()))
                    .or_insert_with(|| id_of(class, &Sha256::digest(name.as_bytes())[..31]));
                id.clone()
            }
        };
        let mut objects = self.objects.borrow_mut();
        let object = objects.entry((class, id.clone())).or_insert_with(|| {
            let storage =
                if self.reuses_databases.get() { Storage::reusing(class) } else { Storage::default() };
            Rc::new(Object {
                class,
                id,
                storage: RefCell::new(storage),
                instance: RefCell::default(),
                flushing: Cell::new(false),
                gate: RefCell::default(),
                alarm_due: Cell::new(None),
                alarm_tries: Cell::new(0),
                alarm_runs: Cell::new(false),
                rings: Cell::new(0),
                rings_at_once: Cell::new((Timestamp::from_millis(0), 0)),
            })
        });
        Some(object.clone())
    }

    pub fn objects(&self) -> Vec<Rc<Object>> {
        self.objects.borrow().values().cloned().collect()
    }

    fn instance(self: &Rc<Self>, object: &Rc<Object>) -> Option<Instance> {
        if let Some(instance) = &*object.instance.borrow() {
            return Some(instance.clone());
        }
        let factory = self.factories.borrow().get(&object.class).cloned()?;
        let number = self.made.get() + 1;
        self.made.set(number);
        let host = SimHost::of_object(self.clone(), object.clone(), number);
        let instance = Instance { number, engine: factory(host) };
        *object.instance.borrow_mut() = Some(instance.clone());
        self.instances.borrow_mut().insert(number, object.clone());
        Some(instance)
    }

    /// Hands a message to its object. Nobody answers if the instance is killed.
    pub fn deliver(
        self: &Rc<Self>,
        object: &Rc<Object>,
        method: Method,
        json: String,
        request_id: Option<Rc<str>>,
    ) -> Receiver<Result<String, CallError>> {
        let (sender, receiver) = channel();
        let Some(instance) = self.instance(object) else {
            sender.send(Err(final_error(format!("no engine for {:?}", object.class))));
            return receiver;
        };
        let host = SimHost::of_object(self.clone(), object.clone(), instance.number);
        let engine = instance.engine;
        let work = async move {
            let result = match method {
                Method::Command => engine.command(&json).and_then(|answer| {
                    if let Some(at) = answer.alarm {
                        host.set_alarm(at)?;
                    }
                    Ok(answer.reply)
                }),
                Method::Ask => engine.ask(json).await,
            };
            host.gate().await;
            sender.send(result.map_err(|fault| final_error(fault.0)));
        };
        self.executor.spawn(Owner::Instance(instance.number), current::within(request_id, work));
        receiver
    }

    /// What follows a turn: its writes become durable, now or a little later, or its instance is killed.
    pub fn after_turn(self: &Rc<Self>, owner: Owner) {
        let Owner::Instance(number) = owner else { return };
        let Some(object) = self.instances.borrow().get(&number).cloned() else { return };
        if object.storage.borrow().is_dirty() && !object.flushing.get() {
            match self.weather.strikes(Kind::Flush, 200) {
                None => self.commit(&object),
                Some(time) => self.commit_later(&object, number, time),
            }
        }
        if self.weather.strikes(Kind::Kill, 1).is_some() {
            self.kill(&object);
        }
    }

    fn commit_later(self: &Rc<Self>, object: &Rc<Object>, number: u64, time: u64) {
        object.flushing.set(true);
        let (world, object) = (self.clone(), object.clone());
        self.executor.spawn(Owner::World, async move {
            world.executor.sleep(Duration::from_millis(time)).await;
            if object.instance.borrow().as_ref().is_some_and(|i| i.number == number) {
                world.commit(&object);
            }
        });
    }

    fn changed(&self, object: &Rc<Object>, change: Change) {
        if self.watched.get() {
            self.changes.borrow_mut().push((object.clone(), change));
        }
    }

    pub fn commit(&self, object: &Rc<Object>) {
        object.flushing.set(false);
        self.changed(object, Change::Stored);
        let alarm = object.storage.borrow_mut().commit();
        if alarm {
            self.arm(object);
        }
        for waker in object.gate.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// Waits until everything that the object has written is durable.
    pub async fn gate(self: &Rc<Self>, object: &Rc<Object>) {
        if self.weather.is_clear() && !object.flushing.get() && object.storage.borrow().is_dirty() {
            self.commit(object);
        }
        std::future::poll_fn(|context| {
            if !object.storage.borrow().is_dirty() {
                return Poll::Ready(());
            }
            object.gate.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes an instance away with its memory, its tasks and what is not durable.
    pub fn kill(&self, object: &Rc<Object>) {
        let instance = object.instance.borrow_mut().take();
        let Some(instance) = instance else { return };
        self.changed(object, Change::Killed);
        self.instances.borrow_mut().remove(&instance.number);
        self.executor.stop(Owner::Instance(instance.number));
        object.flushing.set(false);
        object.storage.borrow_mut().roll_back();
        object.gate.borrow_mut().clear();
        drop(instance);
    }

    /// Kills every instance and every request: a restart of the whole deployment.
    pub fn kill_all(&self) {
        self.executor.stop(Owner::Worker);
        *self.worker.borrow_mut() = Rc::default();
        for object in self.objects() {
            self.kill(&object);
        }
    }

    /// Sets the platform's clock for an object to what is stored.
    fn arm(&self, object: &Object) {
        let mut alarms = self.alarms.borrow_mut();
        if let Some(due) = object.alarm_due.take() {
            alarms.remove(&(due, object.class, object.id.clone()));
        }
        if let Some(at) = object.storage.borrow().alarm()
            && !object.alarm_runs.get()
        {
            let late = self.weather.strikes(Kind::AlarmLate, 60_000).unwrap_or(0);
            let due = at.millis().saturating_add(late);
            object.alarm_due.set(Some(due));
            alarms.insert((due, object.class, object.id.clone()));
        }
    }

    /// When the next alarm is due, in the executor's time.
    pub fn next_alarm(&self) -> Option<u64> {
        let alarms = self.alarms.borrow();
        let (due, ..) = alarms.first()?;
        Some(due.saturating_sub(self.clock.get()))
    }

    /// Rings the alarms that are due.
    pub fn ring(self: &Rc<Self>) {
        loop {
            let due = {
                let alarms = self.alarms.borrow();
                let Some(first) = alarms.first().filter(|(due, ..)| *due <= self.now().millis()) else {
                    return;
                };
                first.clone()
            };
            self.alarms.borrow_mut().remove(&due);
            let object = self.objects.borrow().get(&(due.1, due.2)).cloned();
            if let Some(object) = object {
                object.alarm_due.set(None);
                self.ring_one(&object);
            }
        }
    }

    fn ring_one(self: &Rc<Self>, object: &Rc<Object>) {
        let Some(instance) = self.instance(object) else { return };
        object.storage.borrow_mut().take_alarm();
        object.alarm_runs.set(true);
        object.rings.set(object.rings.get() + 1);
        // Nobody else gets a turn any more, and on the platform it is billed.
        let (at, times) = object.rings_at_once.get();
        let times = if at == self.now() { times + 1 } else { 1 };
        assert!(times < RINGS_AT_ONCE, "the alarm of {:?} {} rings on and on", object.class, object.id);
        object.rings_at_once.set((self.now(), times));
        let (sender, receiver) = channel();
        let host = SimHost::of_object(self.clone(), object.clone(), instance.number);
        self.executor.spawn(Owner::Instance(instance.number), async move {
            let result = instance.engine.alarm().await;
            host.gate().await;
            sender.send(result);
        });
        let (world, object) = (self.clone(), object.clone());
        self.executor.spawn(Owner::World, async move {
            let result = receiver.await;
            object.alarm_runs.set(false);
            let tries = object.alarm_tries.get();
            if let Some(Ok(())) = result {
                object.alarm_tries.set(0);
                // At least once: it may come again although it was handled.
                if object.storage.borrow().alarm().is_none()
                    && let Some(time) = world.weather.strikes(Kind::AlarmAgain, 5_000)
                {
                    let again = world.now().plus(Duration::from_millis(time));
                    object.storage.borrow_mut().retry_alarm(again);
                }
            } else if object.storage.borrow().alarm().is_none() && tries < ALARM_RETRIES {
                object.alarm_tries.set(tries + 1);
                let again = world.now().plus(Duration::from_secs(2 << tries));
                object.storage.borrow_mut().retry_alarm(again);
            }
            world.arm(&object);
        });
    }

    pub fn log(&self, error: bool, text: &str) {
        self.logs.borrow_mut().push(Line { at: self.now(), error, text: text.to_owned() });
    }

    /// What is made of the settings, once.
    pub fn app(&self) -> Settings {
        self.app.borrow_mut().get_or_insert_with(|| made_of(&self.settings.borrow())).clone()
    }

    /// Drops everything that points back to the world.
    pub fn end(&self) {
        self.executor.stop_all();
        self.instances.borrow_mut().clear();
        self.changes.borrow_mut().clear();
        let objects = std::mem::take(&mut *self.objects.borrow_mut());
        for object in objects.values() {
            let instance = object.instance.borrow_mut().take();
            drop(instance);
        }
        let upstreams = std::mem::take(&mut *self.upstreams.borrow_mut());
        drop(upstreams);
    }
}

fn made_of(settings: &BTreeMap<String, String>) -> Settings {
    let known =
        APPS.with_borrow(|apps| apps.iter().find(|(of, _)| of == settings).map(|(_, app)| app.clone()));
    if let Some(app) = known {
        return app;
    }
    let app = App::new(&|name| settings.get(name).cloned())
        .map(|mut app| {
            if !settings.contains_key(base::settings::ARGON2_MEMORY_KIB.name) {
                app.config.hashing = HASHING;
            }
            Rc::new(app)
        })
        .map_err(Rc::new);
    APPS.with_borrow_mut(|apps| {
        if apps.len() == APPS_MAX {
            drop(apps.remove(0));
        }
        apps.push((settings.clone(), app.clone()));
    });
    app
}

fn final_error(text: String) -> CallError {
    CallError { text, retryable: false, overloaded: false }
}

fn tag(class: Class) -> String {
    format!("c{}", class as u8)
}

fn id_of(class: Class, bytes: &[u8]) -> String {
    bytes.iter().fold(tag(class), |mut id, byte| {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    })
}
