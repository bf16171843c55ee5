//! `GET /admin/audit`: the audit records of the last day.

use super::service_auth::ServiceCaller;
use crate::answers::Time;
use crate::answers::audit::AuditTrail;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldError, FieldFault, Reason};
use crate::reply::Reply;
use crate::route::query_values;
use base::audit::Action;
use base::clock::Timestamp;
use base::event::EventType;
use base::together::together;
use base::trail::{self, FAILED, KEPT, Keep, Page, Query, SHARDS};
use serde_json::Value;

/// Records on one page.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;
/// Longest text that is asked for, in bytes: longer ones are in no record whole.
const TEXT_BYTES_MAX: usize = 200;

/// Asks all objects of the trail, and puts together what they have. If one cannot be asked, the answer says so; if none can, it is 503.
pub async fn read<B: Backend>(ctx: &RequestContext<B>, _: &ServiceCaller) -> Result<Reply, Reason> {
    let (mut query, limit) = asked(&ctx.head.query)?;
    if ctx.app.config.audit_trail == Keep::Nothing {
        return Err(Reason::AuditTrailOff);
    }
    // One more says whether there is a next page.
    query.limit = limit + 1;
    let pages = together((0..SHARDS).map(|shard| {
        let (address, query) = (trail::address(shard), &query);
        async move { ctx.send(&address, query).await }
    }))
    .await;
    let (mut found, mut unreachable) = (Merged::default(), Vec::new());
    for (shard, page) in (0..SHARDS).zip(pages) {
        match page {
            Ok(page) => found.add(page),
            Err(_) => unreachable.push(trail::name(shard)),
        }
    }
    if unreachable.len() == usize::from(SHARDS) {
        return Err(Reason::Unavailable);
    }
    Ok(Reply::json(200, &found.answer(limit, ctx.now(), unreachable)))
}

#[derive(Default)]
struct Merged {
    records: Vec<String>,
    began: Option<Timestamp>,
    dropped: Option<Timestamp>,
    left_out: u64,
}

impl Merged {
    fn add(&mut self, page: Page) {
        self.records.extend(page.records);
        self.began = [self.began, page.began].into_iter().flatten().min();
        self.dropped = self.dropped.max(page.dropped);
        self.left_out += page.left_out;
    }

    fn answer(mut self, limit: usize, now: Timestamp, unreachable: Vec<String>) -> AuditTrail {
        trail::newest(&mut self.records, limit + 1);
        let more = self.records.len() > limit;
        self.records.truncate(limit);
        let next_cursor = self.records.last().filter(|_| more).and_then(|record| {
            let (at, id, _) = parts(record)?;
            Some([at, ".", id].concat())
        });
        let complete_since =
            self.began.map(|began| began.max(now.minus(KEPT)).max(self.dropped.unwrap_or_default()));
        AuditTrail {
            records: self.records.iter().filter_map(|record| given_out(record)).collect(),
            next_cursor,
            complete_since: complete_since.map(Time::utc),
            left_out: self.left_out,
            unreachable,
        }
    }
}

/// The stamp, the id and the JSON of a record.
fn parts(record: &str) -> Option<(&str, &str, &str)> {
    let (at, rest) = record.split_once(' ')?;
    let (id, json) = rest.split_once(' ')?;
    Some((at, id, json))
}

/// A record as it was kept, and with its id.
fn given_out(record: &str) -> Option<Value> {
    let (_, id, json) = parts(record)?;
    let mut record: Value = serde_json::from_str(json).ok()?;
    record.as_object_mut()?.insert("id".to_owned(), id.into());
    Some(record)
}

/// What is asked for, and how many.
fn asked(query: &str) -> Result<(Query, usize), Reason> {
    let mut read = Parameters { query, faults: Vec::new() };
    let mut asked = Query::default();
    asked.require("action", read.text("action", is_action));
    match read.text("outcome", is_word) {
        Some(outcome) if outcome == FAILED => asked.exclude("outcome", "ok"),
        outcome => asked.require("outcome", outcome),
    }
    if let Some(id) = read.text("user_id", |text| text.parse::<u64>().is_ok()) {
        asked.require_user(id.parse().unwrap_or_default());
    }
    for name in ["session_id", "account", "service"] {
        asked.require(name, read.text(name, is_text));
    }
    asked.since = read.time("since");
    asked.until = read.time("until");
    asked.before = read.text("cursor", is_cursor).map(|cursor| cursor.replace('.', " "));
    let limit = read.text("limit", |text| limit(text).is_some());
    if asked.until.is_some_and(|until| asked.since.is_some_and(|since| until < since)) {
        read.fault("until");
    }
    let limit = limit.and_then(|text| self::limit(&text)).unwrap_or(LIMIT);
    if read.faults.is_empty() { Ok((asked, limit)) } else { Err(Reason::InvalidFields(read.faults)) }
}

fn limit(text: &str) -> Option<usize> {
    text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
}

/// The parameters of a query. An empty one counts as left out; all that are wrong are named together.
struct Parameters<'a> {
    query: &'a str,
    faults: Vec<FieldError>,
}

impl Parameters<'_> {
    fn text(&mut self, name: &'static str, fits: fn(&str) -> bool) -> Option<String> {
        let text = query_values(self.query, name).next().filter(|text| !text.is_empty())?;
        if fits(&text) {
            return Some(text);
        }
        self.fault(name);
        None
    }

    fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.text(name, |text| Timestamp::parse_rfc3339(text).is_some())?;
        Timestamp::parse_rfc3339(&text)
    }

    fn fault(&mut self, field: &'static str) {
        self.faults.push(FieldError::new(field, FieldFault::NotAllowed));
    }
}

/// Whether there are records of it: a name that is mistyped must not look as if nothing had happened.
fn is_action(text: &str) -> bool {
    let is_alert = |event: &EventType| event.as_str() == text && text.starts_with("token.");
    Action::ALL.iter().any(|action| action.as_str() == text) || EventType::ALL.iter().any(is_alert)
}

fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_text(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// A stamp and an id.
fn is_cursor(text: &str) -> bool {
    let is_id = |id: &str| id.len() <= 32 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    text.split_once('.')
        .is_some_and(|(at, id)| at.len() == 15 && at.bytes().all(|b| b.is_ascii_digit()) && is_id(id))
}
