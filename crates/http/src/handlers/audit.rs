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
use base::trail::{self, Filter, Found, KEPT, Keep, Page, Place, Query, SHARDS};
use serde_json::Value;
use std::cmp::Reverse;
use std::str::FromStr;

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
    records: Vec<Found>,
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
        self.records.sort_by_cached_key(|found| Reverse(found.place()));
        let more = self.records.len() > limit;
        self.records.truncate(limit);
        let next = self.records.last().filter(|_| more);
        let next_cursor = next.map(|found| format!("{}.{}", found.at.millis(), found.id));
        let complete_since =
            self.began.map(|began| began.max(now.minus(KEPT)).max(self.dropped.unwrap_or_default()));
        AuditTrail {
            records: self.records.iter().filter_map(record).collect(),
            next_cursor,
            complete_since: complete_since.map(Time::utc),
            left_out: self.left_out,
            unreachable,
        }
    }
}

/// A record as it is given out: as it was kept, and with its id.
fn record(found: &Found) -> Option<Value> {
    let mut record: Value = serde_json::from_str(&found.json).ok()?;
    record.as_object_mut()?.insert("id".to_owned(), found.id.as_str().into());
    Some(record)
}

/// What is asked for, and how many.
fn asked(query: &str) -> Result<(Query, usize), Reason> {
    let mut read = Parameters { query, faults: Vec::new() };
    let filter = Filter {
        action: read.value("action", |text| is_action(text).then(|| text.to_owned())),
        outcome: read.value("outcome", |text| is_word(text).then(|| text.to_owned())),
        user_id: read.value("user_id", |text| u64::from_str(text).ok()),
        session_id: read.value("session_id", text),
        account: read.value("account", text),
        service: read.value("service", text),
    };
    let asked = Query {
        since: read.value("since", Timestamp::parse_rfc3339),
        until: read.value("until", Timestamp::parse_rfc3339),
        before: read.value("cursor", place),
        limit: 0,
        filter,
    };
    let within = |limit: &usize| (1..=LIMIT_MAX).contains(limit);
    let limit = read.value("limit", |text| text.parse().ok().filter(within)).unwrap_or(LIMIT);
    if asked.until.is_some_and(|until| asked.since.is_some_and(|since| until < since)) {
        read.fault("until");
    }
    if read.faults.is_empty() { Ok((asked, limit)) } else { Err(Reason::InvalidFields(read.faults)) }
}

/// The parameters of a query. An empty one counts as left out; all that are wrong are named together.
struct Parameters<'a> {
    query: &'a str,
    faults: Vec<FieldError>,
}

impl Parameters<'_> {
    fn value<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = query_values(self.query, name).next().filter(|text| !text.is_empty())?;
        let value = read(&text);
        if value.is_none() {
            self.fault(name);
        }
        value
    }

    fn fault(&mut self, field: &'static str) {
        self.faults.push(FieldError { field, fault: FieldFault::NotAllowed });
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

fn text(text: &str) -> Option<String> {
    let fits = text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// That of a cursor.
fn place(cursor: &str) -> Option<Place> {
    let (at, id) = cursor.split_once('.')?;
    let is_id = id.len() <= 32 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let at = Timestamp::from_millis(at.parse().ok()?);
    is_id.then(|| Place { at, id: id.to_owned() })
}
