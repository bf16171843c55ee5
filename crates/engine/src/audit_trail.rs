//! An object of the audit trail. It keeps records in chunks, a row each, so that a batch costs one row written and a chunk one more
//! when it goes; a question reads chunks from the newest on, until no older one can have a newer record.

use crate::host::{Answer, Due, DurableObject, Host, SqlValue};
use base::clock::Timestamp;
use base::fault::Fault;
use base::trail::{self, Append, Appended, Envelope, KEPT, Page, Query, stamp};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::time::Duration;

/// What one object keeps, in bytes: the oldest chunks go first. To look through all of it takes a fraction of a second.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// A chunk is added to until it is as long as this, or as old.
const CHUNK_BYTES_MAX: u64 = 32 * 1024;
const CHUNK_TIME_MAX: Duration = Duration::from_mins(10);
/// Old chunks are deleted so often.
const SWEPT_EVERY: Duration = Duration::from_hours(1);

const TABLES: &str = "CREATE TABLE IF NOT EXISTS chunks (seq INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, \
     newest INTEGER NOT NULL, bytes INTEGER NOT NULL, total INTEGER NOT NULL, left_out INTEGER NOT NULL, \
     records TEXT NOT NULL)";
/// When it got its first record; and the newest one that it has dropped for want of room.
const BEGAN: &str = "began";
const DROPPED: &str = "dropped";

#[derive(Clone)]
pub struct AuditTrail<H> {
    host: H,
}

/// A chunk without its records.
struct Chunk {
    seq: u64,
    /// The times of its records.
    oldest: Timestamp,
    newest: Timestamp,
    bytes: u64,
    /// The bytes of all chunks up to this one, also of those that are gone.
    total: u64,
    left_out: u64,
}

impl Chunk {
    fn of(row: &Value) -> Self {
        let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
        let time = |name: &str| Timestamp::from_millis(number(name));
        Self {
            seq: number("seq"),
            oldest: time("oldest"),
            newest: time("newest"),
            bytes: number("bytes"),
            total: number("total"),
            left_out: number("left_out"),
        }
    }
}

const CHUNK: &str = "seq, oldest, newest, bytes, total, left_out";

impl<H: Host> DurableObject<H> for AuditTrail<H> {
    fn new(host: H) -> Self {
        Self { host }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let command = base::json::read(json)?;
        self.run(TABLES, Vec::new())?;
        match command {
            Envelope::Append(append) => {
                self.append(&append)?;
                let at = self.first()?.map(|chunk| chunk.oldest.plus(KEPT + SWEPT_EVERY));
                Answer::due(&Appended::Done, at.map(|at| Due { at, unless_set: true }))
            }
            Envelope::Query(query) => Answer::new(&self.query(&query)?, None),
        }
    }

    /// Deletes what is older than a day.
    async fn alarm(&self) -> Result<(), Fault> {
        let now = self.host.now();
        self.run(TABLES, Vec::new())?;
        self.run("DELETE FROM chunks WHERE newest < ?", vec![now.minus(KEPT).try_into()?])?;
        match self.first()? {
            Some(chunk) => {
                let due = chunk.oldest.plus(KEPT + SWEPT_EVERY);
                self.host.set_alarm(due.max(now.plus(SWEPT_EVERY)))
            }
            None => Ok(()),
        }
    }
}

impl<H: Host> AuditTrail<H> {
    fn run(&self, statements: &str, values: Vec<SqlValue>) -> Result<(), Fault> {
        self.host.sql::<IgnoredAny>(statements, values).map(drop)
    }

    fn chunk(&self, order: &str) -> Result<Option<Chunk>, Fault> {
        let query = format!("SELECT {CHUNK} FROM chunks ORDER BY seq {order} LIMIT 1");
        Ok(self.host.sql::<Value>(&query, Vec::new())?.first().map(Chunk::of))
    }

    fn first(&self) -> Result<Option<Chunk>, Fault> {
        self.chunk("ASC")
    }

    fn append(&self, append: &Append) -> Result<(), Fault> {
        let times = append.records.iter().filter_map(|record| trail::time_of(record));
        let (Some(oldest), Some(newest)) = (times.clone().min(), times.max()) else { return Ok(()) };
        let now = self.host.now();
        if self.time(BEGAN)?.is_none() {
            self.host.put(BEGAN, &stamp(oldest.min(now)))?;
        }
        let text = lines(append);
        let added = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let last = self.chunk("DESC")?;
        let total = last.as_ref().map_or(0, |last| last.total) + added;
        let open = last
            .as_ref()
            .filter(|last| last.bytes + added <= CHUNK_BYTES_MAX && now.since(last.oldest) < CHUNK_TIME_MAX);
        let (statement, bytes, seq) = match open {
            Some(last) => (
                "UPDATE chunks SET records = records || ?, oldest = min(oldest, ?), newest = max(newest, ?), \
                 left_out = left_out + ?, bytes = ?, total = ? WHERE seq = ?",
                last.bytes + added,
                last.seq,
            ),
            None => (
                "INSERT INTO chunks (records, oldest, newest, left_out, bytes, total, seq) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                added,
                last.as_ref().map_or(1, |last| last.seq + 1),
            ),
        };
        let values = vec![
            text.as_str().into(),
            oldest.try_into()?,
            newest.try_into()?,
            SqlValue::number(append.left_out)?,
            SqlValue::number(bytes)?,
            SqlValue::number(total)?,
            SqlValue::number(seq)?,
        ];
        self.run(statement, values)?;
        self.make_room(total)
    }

    /// Drops the oldest chunks that are too much, and notes until when something is missing.
    fn make_room(&self, total: u64) -> Result<(), Fault> {
        while let Some(first) = self.first()?
            && total.saturating_sub(first.total - first.bytes) > BYTES_MAX
        {
            self.run("DELETE FROM chunks WHERE seq = ?", vec![SqlValue::number(first.seq)?])?;
            if self.time(DROPPED)?.is_none_or(|dropped| dropped < first.newest) {
                self.host.put(DROPPED, &stamp(first.newest))?;
            }
        }
        Ok(())
    }

    fn time(&self, row: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.host.get(row)?.and_then(|text| trail::time_of(&text)))
    }

    fn query(&self, query: &Query) -> Result<Page, Fault> {
        let kept = self.host.now().minus(KEPT);
        let since = query.since.map_or(kept, |since| since.max(kept));
        let (from, to) = (stamp(since), query.until.map(stamp));
        let is_asked_for = |record: &str| {
            record >= from.as_str() && to.as_ref().is_none_or(|to| record < to.as_str()) && query.fits(record)
        };
        // The newest first, not the last: what comes late is among older ones.
        let all = format!("SELECT {CHUNK} FROM chunks WHERE newest >= ? ORDER BY newest DESC");
        let chunks: Vec<Value> = self.host.sql(&all, vec![since.try_into()?])?;
        let mut page = Page { began: self.time(BEGAN)?, dropped: self.time(DROPPED)?, ..Page::default() };
        for chunk in chunks.iter().map(Chunk::of) {
            if query.until.is_some_and(|until| chunk.oldest >= until) {
                continue;
            }
            page.left_out += chunk.left_out;
            let last = page.records.get(query.limit.saturating_sub(1));
            let is_over = last.and_then(|last| trail::time_of(last)).is_some_and(|last| chunk.newest < last);
            let is_newer = query.before.as_ref().is_some_and(|before| stamp(chunk.oldest) > *before);
            if is_over || is_newer {
                continue;
            }
            let text = "SELECT records FROM chunks WHERE seq = ?";
            let stored: Vec<Value> = self.host.sql(text, vec![SqlValue::number(chunk.seq)?])?;
            let text = stored.first().and_then(|row| row.get("records")?.as_str()).unwrap_or_default();
            for record in text.lines().filter(|record| is_asked_for(record)) {
                page.records.push(record.to_owned());
            }
            trail::newest(&mut page.records, query.limit);
        }
        Ok(page)
    }
}

/// A batch as it is stored: a line for each record, of its stamp, its id and itself.
fn lines(append: &Append) -> String {
    let mut text = String::new();
    for (number, record) in append.records.iter().enumerate() {
        let (at, json) = record.split_once(' ').unwrap_or_default();
        let number = format!("{number:03}");
        for part in [at, " ", &append.id, "-", &number, " ", json, "\n"] {
            text.push_str(part);
        }
    }
    text
}
