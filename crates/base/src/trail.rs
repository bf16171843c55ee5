//! The audit trail: copies of audit records and alerts, kept for a day in some objects, so that they can be asked for. The log
//! lines are the records; the trail may lack some, where its objects cannot be reached, or where there are too many.
//! `docs/decisions/0022-audit-trail.md` has the reasons and the figures.
//!
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use crate::audit::Action;
use crate::clock::Timestamp;
use crate::ports::Random;
use crate::rpc::{Address, Class, Object, Peers, Unreachable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::time::Duration;

/// The objects that keep it; a batch of records goes to one of them, by its id. More of them need no other form, but records in those
/// that are not asked any more are lost.
pub const SHARDS: u8 = 4;
/// How long records are kept.
pub const KEPT: Duration = Duration::from_hours(24);
/// How long an instance of the Worker collects records before it sends them.
pub const COLLECTED: Duration = Duration::from_secs(1);
/// What is not sent by then is not going to be: its request is gone.
const GIVEN_UP: Duration = Duration::from_secs(10);
/// Records that are sent at once; more in the same second are left out, and counted.
pub const BATCH_MAX: usize = 100;
/// Longest text in a record, in characters; and the longest list.
const CHARS_MAX: usize = 200;
const ITEMS_MAX: usize = 20;

/// An object of the trail.
#[derive(Clone, Copy, Debug)]
pub struct TrailObject;

impl Object for TrailObject {
    const CLASS: Class = Class::AuditTrail;
}

/// What an object of the trail is called.
pub fn name(shard: u8) -> String {
    format!("trail/{shard}")
}

pub fn address(shard: u8) -> Address<TrailObject> {
    Address::name(name(shard))
}

/// Which records are copied: `AUDIT_TRAIL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    /// All but refreshes, renewals of post-login sessions and reads of upstream tokens that go well, as they do all the time, or that are
    /// about nobody, as anybody can have refused without end.
    Most,
    Everything,
}

impl Keep {
    /// `of_somebody`: the record names a session or an account.
    pub fn takes(self, action: Action, outcome: &str, of_somebody: bool) -> bool {
        let is_usual = matches!(action, Action::Refresh | Action::RenewSession | Action::ReadToken);
        match self {
            Self::Nothing => false,
            Self::Most => !is_usual || (outcome != "ok" && of_somebody),
            Self::Everything => true,
        }
    }
}

/// A time as records have it in front: those of later records are greater, as texts.
pub fn stamp(at: Timestamp) -> String {
    format!("{:015}", at.millis())
}

/// The time of a record, by what stands in front of it.
pub fn time_of(record: &str) -> Option<Timestamp> {
    Some(Timestamp::from_millis(record.get(..15)?.parse().ok()?))
}

/// The copy of a log line, of an audit record or an alert: its [`stamp`], a space, and JSON without a line break. The members are the line's, without `level`, `event`, and what is null; an
/// alert's action is the type of its event. Callers have put in some of the texts, so long ones are cut.
pub fn record_of(line: &str) -> Option<String> {
    let Ok(Value::Object(mut members)) = serde_json::from_str(line) else { return None };
    let at = Timestamp::parse_rfc3339(members.get("at")?.as_str()?)?;
    members.remove("level");
    members.remove("event");
    if let Some(Value::String(kind)) = members.remove("alert") {
        let outcome = match members.remove("code") {
            Some(code @ Value::String(_)) => code,
            _ if kind == "recovered" => "ok".into(),
            _ => kind.as_str().into(),
        };
        members.insert("action".to_owned(), ["token.", &kind].concat().into());
        members.insert("outcome".to_owned(), outcome);
    }
    let mut kept = Map::new();
    for (name, mut value) in members {
        if !value.is_null() {
            cut(&mut value);
            kept.insert(name, value);
        }
    }
    Some(format!("{} {}", stamp(at), Value::Object(kept)))
}

fn cut(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(CHARS_MAX) {
                text.truncate(end);
            }
        }
        Value::Array(items) => {
            items.truncate(ITEMS_MAX);
            items.iter_mut().for_each(cut);
        }
        Value::Object(members) => members.values_mut().for_each(cut),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Keep these. It may come twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// Random hexadecimal digits; with its number in the batch, of three digits, it is a record's id.
    pub id: String,
    /// As [`record_of`] makes them.
    pub records: Vec<String>,
    /// Those that their sender had before, and has not kept.
    #[serde(default)]
    pub left_out: u64,
}

/// The newest records that fit. What is not set fits all.
///
/// A record is looked at as text, which is many times faster than to parse it: no text in it can look like a member, since its quotes are
/// escaped, and no two members have one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Not this moment itself.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Only older ones than that with this stamp and id, a space between them.
    #[serde(default)]
    pub before: Option<String>,
    pub limit: usize,
    /// Members that records have.
    #[serde(default)]
    pub all: Vec<String>,
    /// Members of which they have one.
    #[serde(default)]
    pub any: Vec<String>,
    /// Members that they do not have.
    #[serde(default)]
    pub none: Vec<String>,
}

/// As an outcome that is asked for: every one but `ok`.
pub const FAILED: &str = "failed";

impl Query {
    /// This member has this value.
    pub fn require(&mut self, name: &str, value: Option<String>) {
        self.all.extend(value.map(|value| member(name, &value)));
    }

    /// It has another one.
    pub fn exclude(&mut self, name: &str, value: &str) {
        self.none.push(member(name, value));
    }

    /// The user did it, or it was done to the user.
    pub fn require_user(&mut self, id: u64) {
        for name in ["actor", "user_id"] {
            for end in [',', '}'] {
                self.any.push(format!("\"{name}\":{id}{end}"));
            }
        }
    }

    /// Whether a record of the trail fits; its time is not looked at.
    pub fn fits(&self, record: &str) -> bool {
        self.before.as_ref().is_none_or(|before| record < before.as_str())
            && self.all.iter().all(|member| record.contains(member))
            && (self.any.is_empty() || self.any.iter().any(|member| record.contains(member)))
            && !self.none.iter().any(|member| record.contains(member))
    }
}

fn member(name: &str, value: &str) -> String {
    format!("\"{name}\":{}", Value::from(value))
}

crate::commands! { TrailObject:
    Append = "append" => Appended;
    Query = "query" => Page;
}

/// Any of them, as the object reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Append(Append),
    Query(Query),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Appended {
    Done,
}

/// What an object has, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Each is its stamp, its id and its JSON, with spaces between them.
    pub records: Vec<String>,
    /// When it got its first record.
    #[serde(default)]
    pub began: Option<Timestamp>,
    /// The newest record that it has dropped for want of room.
    #[serde(default)]
    pub dropped: Option<Timestamp>,
    /// How many records it does not have of the time that is asked for, as far as their senders know.
    #[serde(default)]
    pub left_out: u64,
}

/// Puts records into the order of pages, the newest first, and leaves out what is there twice or too much.
pub fn newest(records: &mut Vec<String>, limit: usize) {
    records.sort_unstable();
    records.reverse();
    records.dedup();
    records.truncate(limit);
}

/// Records of an instance of the Worker that are to be sent. They are in memory: with the instance they are gone.
#[derive(Debug, Default)]
pub struct Outgoing(RefCell<Batch>);

#[derive(Debug, Default)]
pub struct Batch {
    pub records: Vec<String>,
    pub left_out: u64,
    /// Since when somebody is about to send them.
    since: Option<Timestamp>,
}

impl Outgoing {
    pub const fn new() -> Self {
        Self(RefCell::new(Batch { records: Vec::new(), left_out: 0, since: None }))
    }

    /// Says whether the caller has to see to it that they are sent.
    pub fn add(&self, record: String, now: Timestamp) -> bool {
        let mut batch = self.0.borrow_mut();
        if batch.records.len() < BATCH_MAX {
            batch.records.push(record);
        } else {
            batch.left_out += 1;
        }
        // A clock that was set back is no reason to wait.
        let is_seen_to = batch.since.is_some_and(|since| since <= now && now.since(since) < GIVEN_UP);
        if !is_seen_to {
            batch.since = Some(now);
        }
        !is_seen_to
    }

    pub fn take(&self) -> Batch {
        std::mem::take(&mut self.0.borrow_mut())
    }

    /// A batch that was not kept: the next one says so.
    pub fn lose(&self, records: usize, left_out: u64) {
        self.0.borrow_mut().left_out += left_out + u64::try_from(records).unwrap_or(u64::MAX);
    }
}

/// Has one of the objects keep records.
pub async fn send<P: Peers + Random>(
    ports: &P,
    records: Vec<String>,
    left_out: u64,
) -> Result<(), Unreachable> {
    let id = ports.random::<8>().map_err(|_| Unreachable)?;
    let shard = id[0] % SHARDS;
    let append = Append { id: crate::ports::hex(&id), records, left_out };
    ports.send(&address(shard), &append).await.map(|Appended::Done| ())
}

#[cfg(test)]
#[path = "trail_tests.rs"]
mod tests;
