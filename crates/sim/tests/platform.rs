//! The simulation keeps the platform's promises: a small object of its own shows each of them.

use base::clock::Timestamp;
use base::fault::Fault;
use base::ports::{Clock as _, Kv as _, Log as _, Timer as _};
use base::rpc::{Address, Class, Object, Peers as _};
use engine::host::{Answer, DurableObject, Flights as _, Rows as _, Sql as _, SqlValue};
use serde::{Deserialize, Serialize};
use sim::{SimHost, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

struct Tally;

impl Object for Tally {
    const CLASS: Class = Class::User;
}

#[derive(Clone, Serialize)]
struct Add {
    amount: u32,
}

#[derive(Clone, Serialize)]
struct AlarmIn {
    seconds: u64,
}

#[derive(Clone, Serialize)]
struct Shared {}

#[derive(Clone, Serialize)]
struct WriteThenFail {}

#[derive(Clone, Serialize)]
struct Insert {
    text: String,
}

base::commands! {
    Tally:
    Add = "add" => u32;
    AlarmIn = "alarm_in" => ();
    WriteThenFail = "write_then_fail" => ();
    Insert = "insert" => Vec<Row>;
}

/// Asked, not commanded.
impl base::rpc::Command for Shared {
    type Object = Tally;
    type Reply = String;
    const METHOD: base::rpc::Method = base::rpc::Method::Ask;

    fn to_json(&self) -> serde_json::Result<String> {
        base::rpc::enveloped("shared", self)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Envelope {
    Add { amount: u32 },
    AlarmIn { seconds: u64 },
    WriteThenFail {},
    Insert { text: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    id: u64,
    text: String,
}

#[derive(Clone)]
struct Engine {
    host: SimHost,
    flight: Rc<RefCell<Option<<SimHost as engine::host::Flights>::Flight>>>,
}

impl Engine {
    fn count(&self) -> Result<u32, Fault> {
        Ok(self.host.get("count")?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

impl DurableObject<SimHost> for Engine {
    fn new(host: SimHost) -> Self {
        Self { host, flight: Rc::default() }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        match serde_json::from_str(json)? {
            Envelope::Add { amount } => {
                let count = self.count()? + amount;
                self.host.put("count", &count.to_string())?;
                Answer::new(&count, None)
            }
            Envelope::AlarmIn { seconds } => {
                let at = self.host.now().plus(Duration::from_secs(seconds));
                Answer::new(&(), Some(at))
            }
            Envelope::WriteThenFail {} => {
                self.host.put("count", "77")?;
                Err("no".into())
            }
            Envelope::Insert { text } => {
                let table = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT)";
                self.host.sql::<Row>(table, vec![])?;
                self.host.sql::<Row>("INSERT INTO t (text) VALUES (?)", vec![text.as_str().into()])?;
                Answer::new(&self.host.sql::<Row>("SELECT id, text FROM t ORDER BY id", vec![])?, None)
            }
        }
    }

    async fn ask(&self, _json: &str) -> Result<String, Fault> {
        let running = self.flight.borrow().clone();
        let flight = running.unwrap_or_else(|| {
            let host = self.host.clone();
            let flight = self.host.start(async move {
                host.info("begun");
                host.sleep(Duration::from_secs(3)).await;
                Ok("\"done\"".to_owned())
            });
            *self.flight.borrow_mut() = Some(flight.clone());
            flight
        });
        self.host.join(&flight).await
    }

    async fn alarm(&self) -> Result<(), Fault> {
        self.host.info("alarm");
        if self.host.get("fail")?.is_some() {
            return Err("it fails".into());
        }
        self.host.put("alarmed", &self.host.now().millis().to_string())?;
        self.host.kv_put("alarmed", "yes", Duration::from_mins(1), None).await
    }
}

fn world() -> World {
    let world = World::new(&[]);
    world.register::<Engine>(Class::User);
    world
}

fn tally() -> Address<Tally> {
    Address::name("a")
}

#[test]
fn what_is_written_stays_and_what_is_in_memory_goes() {
    let world = world();
    assert_eq!(world.send(&tally(), &Add { amount: 2 }), Ok(2));
    world.evict(Class::User, "a");
    assert_eq!(world.send(&tally(), &Add { amount: 3 }), Ok(5));
    world.restart();
    assert_eq!(world.rows(Class::User, "a")["count"], "5");
    assert!(world.send(&tally(), &WriteThenFail {}).is_err());
    assert_eq!(world.rows(Class::User, "a")["count"], "77", "a write before an error stays");
    assert!(world.logs().iter().any(|line| line.error && line.text.contains("\"no\"")));
}

#[test]
fn sql_is_real_and_ids_do_not_come_back() {
    let world = world();
    let insert = |text: &str| world.send(&tally(), &Insert { text: text.to_owned() }).unwrap();
    insert("one");
    assert_eq!(insert("two")[1], Row { id: 2, text: "two".to_owned() });
    world.sql(Class::User, "a", "DELETE FROM t");
    assert_eq!(insert("three"), [Row { id: 3, text: "three".to_owned() }]);
}

#[test]
fn alarms_come_late_but_come() {
    let world = world();
    world.send(&tally(), &AlarmIn { seconds: 30 }).unwrap();
    let due = world.now().plus(Duration::from_secs(30));
    assert_eq!(world.alarm(Class::User, "a"), Some(due));
    world.advance(Duration::from_secs(29));
    assert!(world.kv().is_empty());
    world.kill(Class::User, "a");
    world.advance(Duration::from_secs(2));
    assert_eq!(world.rows(Class::User, "a")["alarmed"], due.millis().to_string());
    assert_eq!(world.alarm(Class::User, "a"), None);
    assert_eq!(world.kv()["alarmed"].value, "yes");
    world.advance(Duration::from_secs(61));
    assert!(world.kv().is_empty(), "its time to live is over");
}

#[test]
fn a_failing_alarm_is_tried_seven_times() {
    let world = world();
    world.put_row(Class::User, "a", "fail", "1");
    world.send(&tally(), &AlarmIn { seconds: 1 }).unwrap();
    world.advance(Duration::from_hours(1));
    assert_eq!(world.logs().iter().filter(|line| line.text == "alarm").count(), 7);
    assert_eq!(world.alarm(Class::User, "a"), None);
}

#[test]
fn a_clock_that_jumps_brings_alarms() {
    let world = world();
    world.send(&tally(), &AlarmIn { seconds: 3600 }).unwrap();
    world.at(world.now().plus(Duration::from_secs(4000)));
    world.settle();
    assert!(world.rows(Class::User, "a").contains_key("alarmed"));
    world.at(Timestamp::from_millis(0));
    assert!(world.now().millis() < 1000);
}

#[test]
fn work_under_way_is_shared_and_goes_with_its_instance() {
    let world = world();
    let asked = || {
        let host = world.host();
        async move { host.send(&tally(), &Shared {}).await }
    };
    let before = world.now();
    let both = futures_util::future::join(asked(), asked());
    assert_eq!(world.run_until(both), (Ok("done".to_owned()), Ok("done".to_owned())));
    assert_eq!(world.now().since(before), Duration::from_secs(3));
    assert_eq!(world.logs().iter().filter(|line| line.text == "begun").count(), 1);
    world.evict(Class::User, "a");
    let answer = Rc::new(RefCell::new(None));
    let (slot, asked) = (answer.clone(), asked());
    world.spawn(async move { *slot.borrow_mut() = Some(asked.await) });
    world.advance(Duration::from_secs(1));
    world.kill(Class::User, "a");
    world.advance(Duration::from_secs(5));
    // A call that broke is tried once more, and that one has its time.
    assert_eq!(*answer.borrow(), Some(Ok("done".to_owned())));
    assert_eq!(world.now().since(before), Duration::from_secs(9));
}

#[test]
fn ids_are_of_their_class() {
    let world = world();
    let host = world.host();
    let id = host.unique_id(Class::Session).unwrap();
    assert_eq!(id.len(), 64);
    assert!(host.is_id(Class::Session, &id) && !host.is_id(Class::User, &id));
    assert!(!host.is_id(Class::Session, &id.to_uppercase()) && !host.is_id(Class::Session, "x"));
    assert!(host.unique_id(Class::Session).unwrap() != id);
}

#[test]
fn a_number_that_javascript_would_round_is_not_stored() {
    assert!(SqlValue::number((1 << 53) - 1).is_ok());
    assert!(SqlValue::number(1 << 53).is_err() && SqlValue::number(u64::MAX).is_err());
}
