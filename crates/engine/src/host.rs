//! What the platform does for a Durable Object, beside the ports that handlers have too.

#![allow(async_fn_in_trait)] // Everything here runs on one thread; nothing has to be `Send`.

use base::clock::Timestamp;
use base::fault::Fault;
use base::ports::{Background, Bucket, Clock, Kv, Log, Net, Random, Timer};
use base::rpc::Peers;
use config::Settings;
use serde::de::DeserializeOwned;

/// The rows of one object: named texts. All calls are synchronous. What is written in one turn, without an `await` in
/// between, is one atomic batch with the SQL statements and the alarm of that turn, and replies and calls to others are
/// held back until it is durable (the output gate). A write before an error stays.
pub trait Rows {
    /// A row's text as the platform holds it. To see that it is still the same is cheaper there than here.
    type Text: PartialEq;

    fn read(&self, row: &str) -> Result<Option<Self::Text>, Fault>;
    /// What a text says here.
    fn text(&self, text: &Self::Text) -> Result<String, Fault>;
    /// Writes a row, and gives its text as it is read from then on.
    fn write(&self, row: &str, value: &str) -> Result<Self::Text, Fault>;
    fn delete(&self, row: &str) -> Result<(), Fault>;

    fn get(&self, row: &str) -> Result<Option<String>, Fault> {
        self.read(row)?.map(|text| self.text(&text)).transpose()
    }

    fn put(&self, row: &str, value: &str) -> Result<(), Fault> {
        self.write(row, value).map(drop)
    }
}

/// A value that is bound to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    Null,
    /// Of at most 53 bits, which JavaScript holds exactly.
    Integer(i64),
    Text(String),
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for SqlValue {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Milliseconds since 1970.
impl TryFrom<Timestamp> for SqlValue {
    type Error = Fault;

    fn try_from(at: Timestamp) -> Result<Self, Fault> {
        Self::number(at.millis())
    }
}

impl SqlValue {
    pub fn number(value: u64) -> Result<Self, Fault> {
        match i64::try_from(value) {
            Ok(value) if value < 1 << 53 => Ok(Self::Integer(value)),
            _ => Err("a number that JavaScript does not hold exactly".into()),
        }
    }
}

/// The `SQLite` database of one object.
pub trait Sql {
    /// Runs statements, and gives the rows of the last one.
    fn sql<T: DeserializeOwned>(&self, statements: &str, values: Vec<SqlValue>) -> Result<Vec<T>, Fault>;
}

/// The one alarm of an object. It comes at least once, late, and after six failures in a row no more.
pub trait Alarm {
    /// Part of the batch of this turn.
    fn set_alarm(&self, at: Timestamp) -> Result<(), Fault>;
    /// When the one comes that is set. The one that is being handled is not.
    async fn alarm_at(&self) -> Result<Option<Timestamp>, Fault>;
    /// Forgets everything that the platform keeps of the object.
    async fn delete_all(&self) -> Result<(), Fault>;
}

/// Work that several calls of one object await. It is in memory: with the instance it is gone.
pub trait Flights {
    /// Work that has been started, to be awaited by any number of calls.
    type Flight: Clone;

    /// Starts it; it goes on when nobody awaits it, for as long as a call of the object lasts.
    fn start(&self, work: impl Future<Output = Result<String, Fault>> + 'static) -> Self::Flight;
    /// Awaits its end. An error is the work's own, or says that it panicked.
    async fn join(&self, flight: &Self::Flight) -> Result<String, Fault>;
    fn same(&self, one: &Self::Flight, other: &Self::Flight) -> bool;
}

/// Everything that an object needs.
pub trait Host:
    Clock
    + Random
    + Log
    + Kv
    + Bucket
    + Net
    + Timer
    + Background
    + Peers
    + Settings
    + Rows
    + Sql
    + Alarm
    + Flights
    + Clone
    + 'static
{
    /// The id of this object, as its namespace prints it.
    fn object_id(&self) -> String;
}

/// What a call of an object gives back: when its alarm is due, if that changes, and the reply in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub alarm: Option<Timestamp>,
    /// An alarm that is set and comes no later stays as it is: to look costs a thousandth of what it costs to set one.
    pub unless_set: bool,
    pub reply: String,
}

/// When an alarm is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub at: Timestamp,
    /// One that is set already is good if it comes no later.
    pub unless_set: bool,
}

impl Answer {
    pub fn due(reply: &impl serde::Serialize, due: Option<Due>) -> Result<Self, Fault> {
        let unless_set = due.is_some_and(|due| due.unless_set);
        Ok(Self { unless_set, ..Self::new(reply, due.map(|due| due.at))? })
    }

    pub fn new(reply: &impl serde::Serialize, alarm: Option<Timestamp>) -> Result<Self, Fault> {
        Ok(Self { alarm, unless_set: false, reply: serde_json::to_string(reply)? })
    }
}

/// The engine of one class of Durable Objects. One is made for each instance of an object; what it keeps in memory is gone
/// with that.
pub trait DurableObject<H: Host>: Clone + 'static {
    fn new(host: H) -> Self;

    /// One synchronous step: load, decide, store. Nothing can come in between.
    fn command(&self, _json: &str) -> Result<Answer, Fault> {
        Err("the object takes no commands".into())
    }

    /// What takes calls to others, and so more than a step. The reply, in JSON.
    async fn ask(&self, _json: &str) -> Result<String, Fault> {
        Err("the object is not asked anything".into())
    }

    /// Does what is due. Never fails: the next alarm is set in any case, and what went wrong is logged.
    async fn alarm(&self) -> Result<(), Fault> {
        Ok(())
    }
}
