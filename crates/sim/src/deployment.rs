//! The objects of a deployment: made on demand, killed, woken by their alarms.
//!
//! - here: what there is, and a message to an object
//! - `durable`: what follows a turn; an instance that is killed
//! - `alarms`: when they come
//! - `settings`: what is made of settings, kept for the next world

mod alarms;
mod durable;
mod settings;

use crate::bucket::BucketStore;
use crate::executor::{Executor, Owner, Receiver, channel};
use crate::host::SimHost;
use crate::kv::KvStore;
use crate::net::Upstream;
use crate::rng::Rng;
use crate::storage::Storage;
use crate::usage::Usage;
use crate::weather::Weather;
use base::clock::Timestamp;
use base::current;
use base::fault::Fault;
use base::rpc::{CallError, Class, Method, Name};
use engine::host::{Alarm as _, Answer, DurableObject};
use settings::{Settings, made_of};
use sha2::{Digest as _, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Waker;

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
    /// Nothing: the deployment has no bucket.
    pub bucket: RefCell<Option<BucketStore>>,
    pub upstreams: RefCell<BTreeMap<String, Rc<dyn Upstream>>>,
    pub logs: RefCell<Vec<Line>>,
    /// Answers by route, status and code.
    pub answered: RefCell<BTreeMap<(String, u16, String), u64>>,
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
    /// What has been used of what is billed.
    pub usage: Cell<Usage>,
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
            bucket: RefCell::default(),
            upstreams: RefCell::default(),
            logs: RefCell::default(),
            answered: RefCell::default(),
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
            usage: Cell::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.get() + self.executor.now())
    }

    /// Counts what is billed.
    pub fn used(&self, count: impl FnOnce(&mut Usage)) {
        let mut usage = self.usage.get();
        count(&mut usage);
        self.usage.set(usage);
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
                Method::Command => {
                    let answer = engine.command(&json);
                    answer.and_then(|answer| set_alarm(&host, &answer).map(|()| answer.reply))
                }
                Method::Ask => engine.ask(json).await,
            };
            host.gate().await;
            sender.send(result.map_err(|fault| final_error(fault.0)));
        };
        self.executor.spawn(Owner::Instance(instance.number), current::within(request_id, work));
        receiver
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

/// Sets the alarm that an answer names, as the entry does.
fn set_alarm(host: &SimHost, answer: &Answer) -> Result<(), Fault> {
    match answer.alarm {
        Some(at) if !answer.unless_set || !host.alarm_comes_by(at)? => host.set_alarm(at),
        Some(_) | None => Ok(()),
    }
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
