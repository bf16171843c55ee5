//! An object of the audit trail. It keeps records in chunks, a row each, so that a batch costs one row written and a chunk one more
//! when it goes; a question reads chunks from the newest on, until no older one can have a newer record.

use crate::host::{Answer, Due, DurableObject, Host, SqlValue};
use base::clock::Timestamp;
use base::fault::Fault;
use base::trail::{Append, Appended, Envelope, Found, KEPT, Page, Query, Record};
use serde::Deserialize;
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
     records TEXT NOT NULL); \
     CREATE TABLE IF NOT EXISTS trail (began INTEGER NOT NULL, dropped INTEGER)";

#[derive(Clone)]
pub struct AuditTrail<H> {
    host: H,
}

/// A chunk without its records.
#[derive(Deserialize)]
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

const CHUNK: &str = "seq, oldest, newest, bytes, total, left_out";

#[derive(Deserialize)]
struct Records {
    records: String,
}

#[derive(Deserialize)]
struct Trail {
    began: Timestamp,
    dropped: Option<Timestamp>,
}

/// The columns of a statement that gives no rows.
#[derive(Deserialize)]
struct Nothing {}

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
        self.host.sql::<Nothing>(statements, values).map(|_| ())
    }

    fn chunk(&self, order: &str) -> Result<Option<Chunk>, Fault> {
        let query = format!("SELECT {CHUNK} FROM chunks ORDER BY seq {order} LIMIT 1");
        Ok(self.host.sql(&query, Vec::new())?.pop())
    }

    fn first(&self) -> Result<Option<Chunk>, Fault> {
        self.chunk("ASC")
    }

    fn append(&self, append: &Append) -> Result<(), Fault> {
        let times = append.records.iter().map(|record| record.at);
        let (Some(oldest), Some(newest)) = (times.clone().min(), times.max()) else { return Ok(()) };
        let now = self.host.now();
        if self.trail()?.is_none() {
            self.run("INSERT INTO trail (began) VALUES (?)", vec![oldest.min(now).try_into()?])?;
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
            let dropped = first.newest.try_into()?;
            self.run("UPDATE trail SET dropped = max(ifnull(dropped, 0), ?)", vec![dropped])?;
        }
        Ok(())
    }

    fn trail(&self) -> Result<Option<Trail>, Fault> {
        Ok(self.host.sql("SELECT began, dropped FROM trail", Vec::new())?.pop())
    }

    fn query(&self, query: &Query) -> Result<Page, Fault> {
        let kept = self.host.now().minus(KEPT);
        let since = query.since.map_or(kept, |since| since.max(kept));
        let is_asked_for = |at: Timestamp| at >= since && query.until.is_none_or(|until| at < until);
        // The newest first, not the last: what comes late is among older ones.
        let all = format!("SELECT {CHUNK} FROM chunks WHERE newest >= ? ORDER BY newest DESC");
        let chunks: Vec<Chunk> = self.host.sql(&all, vec![since.try_into()?])?;
        let (mut records, mut left_out): (Vec<Found>, u64) = (Vec::new(), 0);
        for chunk in chunks {
            if query.until.is_none_or(|until| chunk.oldest < until) {
                left_out += chunk.left_out;
            }
            let last = records.get(query.limit.saturating_sub(1)).map(|found| found.at);
            let is_over = last.is_some_and(|last| chunk.newest < last);
            let is_newer = query.before.as_ref().is_some_and(|before| chunk.oldest > before.at);
            if is_over || is_newer || query.until.is_some_and(|until| chunk.oldest >= until) {
                continue;
            }
            let text = "SELECT records FROM chunks WHERE seq = ?";
            let stored: Option<Records> = self.host.sql(text, vec![SqlValue::number(chunk.seq)?])?.pop();
            let text = stored.map(|stored| stored.records).unwrap_or_default();
            let found = text.lines().filter_map(found).filter(|(at, id, json)| {
                is_asked_for(*at)
                    && query.before.as_ref().is_none_or(|before| (*at, *id) < (before.at, before.id.as_str()))
                    && query.filter.fits(json)
            });
            let found = found.map(|(at, id, json)| Found { at, id: id.to_owned(), json: json.to_owned() });
            records.extend(found);
            records.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
            // A batch may have come twice.
            records.dedup_by(|a, b| a.id == b.id);
            records.truncate(query.limit);
        }
        let trail = self.trail()?;
        let (began, dropped) = trail.map_or((None, None), |trail| (Some(trail.began), trail.dropped));
        Ok(Page { records, began, dropped, left_out })
    }
}

/// A batch as it is stored: a line for each record, of its time, its id and itself.
fn lines(append: &Append) -> String {
    let mut text = String::new();
    for (number, Record { at, json }) in append.records.iter().enumerate() {
        let (at, number) = (at.millis().to_string(), format!("{number:03}"));
        for part in [&at, " ", &append.id, "-", &number, " ", json, "\n"] {
            text.push_str(part);
        }
    }
    text
}

fn found(line: &str) -> Option<(Timestamp, &str, &str)> {
    let mut parts = line.splitn(3, ' ');
    let (at, id, json) = (parts.next()?, parts.next()?, parts.next()?);
    Some((Timestamp::from_millis(at.parse().ok()?), id, json))
}
