//! The object that knows which portal sessions live, and which of them is too many. One, named `registry`, with a row for
//! each live session. The sessions' own objects are the truth: they report each change, and the Cron Trigger has them
//! correct what was lost.

mod browsers;

use crate::host::{Answer, DurableObject, Host, SqlValue};
use base::clock::Timestamp;
use base::fault::Fault;
use base::ids::{PortalId, ServiceKeyId};
use portal::places::Queue;
use portal::refusals::{self, Held, Reported};
use portal::registry::{
    BrowserTime, Counted, Counts, Envelope, Find, FindByAlias, FindByAliasReply, FindOwn, FindReply,
    KeyUsageReply, ListOwn, Listed, NamesReply, Place, Remove, Removed, Row, Surplus, Upsert,
    UsernameRefused,
};
use portal::state::{REFUSED_KNOWN, Refused};
use portal::{End, Ended};
use serde::Deserialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How long it is known how a session ended.
const ENDED_KEPT: Duration = Duration::from_hours(24);

const TABLES: &str = "CREATE TABLE IF NOT EXISTS live (name TEXT PRIMARY KEY, alias TEXT, kid TEXT, \
     session_id TEXT NOT NULL UNIQUE, username TEXT, created_at INTEGER NOT NULL, \
     last_used INTEGER NOT NULL, keep_alive INTEGER NOT NULL); \
     CREATE TABLE IF NOT EXISTS ended (session_id TEXT PRIMARY KEY, reason TEXT NOT NULL, \
     at INTEGER NOT NULL); \
     CREATE TABLE IF NOT EXISTS refused (username TEXT NOT NULL, name TEXT NOT NULL, code TEXT NOT NULL, \
     until INTEGER NOT NULL, times INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (username, name)); \
     CREATE TABLE IF NOT EXISTS openers (opener TEXT NOT NULL, session_id TEXT NOT NULL, \
     PRIMARY KEY (opener, session_id)) WITHOUT ROWID; \
     CREATE TABLE IF NOT EXISTS browsers (place TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID; \
     CREATE TABLE IF NOT EXISTS browser_time (portal TEXT NOT NULL, work TEXT NOT NULL, \
     milliseconds INTEGER NOT NULL, PRIMARY KEY (portal, work)) WITHOUT ROWID";

/// What of a session is for the keys only that opened its login themselves.
const IS_OWN: &str = "session_id IN (SELECT session_id FROM openers WHERE opener = ?)";

/// A column that tables of the release before have not.
const MORE: &str = "ALTER TABLE live ADD COLUMN more TEXT";

#[derive(Clone)]
pub struct PortalRegistry<H> {
    host: H,
    /// Whether the tables are as they should be.
    is_open: Rc<Cell<bool>>,
    /// Who waits for a browser.
    queue: Rc<RefCell<Queue>>,
}

#[derive(Deserialize)]
struct StoredRow {
    name: String,
    alias: Option<String>,
    kid: Option<String>,
    session_id: PortalId,
    username: Option<String>,
    created_at: Timestamp,
    last_used: Timestamp,
    keep_alive: u8,
    more: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    #[allow(dead_code)] // That it is there says it all.
    name: String,
}

#[derive(Deserialize)]
struct StoredCounts {
    active: u64,
    persistent: u64,
}

#[derive(Deserialize)]
struct Live {
    live: u64,
}

#[derive(Deserialize)]
struct LiveByKey {
    kid: String,
    live: u64,
}

#[derive(Deserialize)]
struct StoredEnd {
    reason: String,
}

#[derive(Deserialize)]
struct StoredRefusal {
    code: String,
    until: Timestamp,
    times: u32,
    at: Timestamp,
}

/// The columns of a statement that gives no rows.
#[derive(Deserialize)]
struct Nothing {}

impl<H: Host> DurableObject<H> for PortalRegistry<H> {
    fn new(host: H) -> Self {
        Self { host, is_open: Rc::default(), queue: Rc::default() }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let command = base::json::read(json)?;
        self.open()?;
        match command {
            Envelope::Upsert(upsert) => Answer::new(&self.upsert(upsert)?, None),
            Envelope::Remove(remove) => Answer::new(&self.remove(remove)?, None),
            Envelope::Find(find) => Answer::new(&self.find(&find, None)?, None),
            Envelope::FindOwn(FindOwn { session_id, now, opener }) => {
                Answer::new(&self.find(&Find { session_id, now }, Some(&opener))?, None)
            }
            Envelope::ListOwn(list) => Answer::new(&self.list_own(&list)?, None),
            Envelope::FindByAlias(find) => Answer::new(&self.find_by_alias(&find)?, None),
            Envelope::List => Answer::new(&self.list()?, None),
            Envelope::Count => Answer::new(&self.count()?, None),
            Envelope::KeyUsage => Answer::new(&self.key_usage()?, None),
            Envelope::Names => Answer::new(&self.names()?, None),
            Envelope::Excess(excess) => Answer::new(&self.surplus(excess.max, None)?, None),
            Envelope::TakeBrowser(take) => Answer::new(&self.take_browser(&take)?, None),
            Envelope::GiveBrowser(give) => Answer::new(&self.give_browser(&give)?, None),
        }
    }
}

impl<H: Host> PortalRegistry<H> {
    fn open(&self) -> Result<(), Fault> {
        self.run(TABLES, Vec::new())?;
        if !self.is_open.get() {
            let query = "SELECT name FROM pragma_table_info('live') WHERE name = 'more'";
            if self.host.sql::<Name>(query, Vec::new())?.is_empty() {
                self.run(MORE, Vec::new())?;
            }
            self.is_open.set(true);
        }
        Ok(())
    }

    fn run(&self, statements: &str, values: Vec<SqlValue>) -> Result<(), Fault> {
        self.host.sql::<Nothing>(statements, values).map(|_| ())
    }

    fn upsert(&self, Upsert { row, max, ended, usernames, openers }: Upsert) -> Result<Surplus, Fault> {
        let more = Some(&row.more).filter(|more| !more.is_nothing());
        let more = more.map(serde_json::to_string).transpose()?;
        let values = vec![
            row.name.as_str().into(),
            row.alias.as_deref().into(),
            row.kid.as_deref().into(),
            row.session_id.as_str().into(),
            row.username.as_deref().into(),
            row.created_at.try_into()?,
            row.last_used.try_into()?,
            row.keep_alive.into(),
            more.as_deref().into(),
        ];
        // A report that was overtaken by that of a later use, or of a later session, does not take it back. A session that is
        // kept alive stays one.
        self.run(
            "INSERT INTO live (name, alias, kid, session_id, username, created_at, last_used, \
             keep_alive, more) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
             alias = ifnull(excluded.alias, alias), kid = excluded.kid, session_id = excluded.session_id, \
             username = ifnull(excluded.username, username), created_at = excluded.created_at, \
             last_used = max(last_used, excluded.last_used), \
             keep_alive = max(excluded.keep_alive, keep_alive AND session_id = excluded.session_id), \
             more = excluded.more \
             WHERE excluded.created_at >= created_at",
            values,
        )?;
        if let Some(ended) = ended {
            self.end(&ended)?;
        }
        for username in usernames {
            let values = vec![username.as_str().into(), row.created_at.try_into()?];
            self.run("DELETE FROM refused WHERE username = ? AND at <= ?", values)?;
        }
        // A report that was overtaken knows fewer of them, and there are never less. Those of another session are nobody's.
        for opener in openers {
            let values = vec![opener.as_str().into(), row.session_id.as_str().into()];
            self.run("INSERT OR IGNORE INTO openers (opener, session_id) VALUES (?, ?)", values)?;
        }
        self.surplus(max, Some(&row.name))
    }

    fn remove(&self, Remove { name, ended, as_of, refused }: Remove) -> Result<Removed, Fault> {
        let values = vec![name.as_str().into(), as_of.try_into()?];
        self.run("DELETE FROM live WHERE name = ? AND created_at <= ?", values)?;
        if let Some(ended) = ended {
            self.end(&ended)?;
        }
        if let Some(refused) = refused {
            self.refused(&name, &refused, as_of)?;
        }
        Ok(Removed::Done)
    }

    /// One row a password: a report that comes twice counts once, and one that was overtaken does not count.
    fn refused(&self, name: &str, refused: &UsernameRefused, at: Timestamp) -> Result<(), Fault> {
        let UsernameRefused { username, refused } = refused;
        let code = serde_json::to_string(&refused.code)?;
        let values = vec![
            username.as_str().into(),
            name.into(),
            code.as_str().into(),
            refused.until.try_into()?,
            SqlValue::number(refused.times.into())?,
            at.try_into()?,
        ];
        // Said again, it is as old as when it was said first.
        self.run(
            "INSERT INTO refused (username, name, code, until, times, at) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (username, name) DO UPDATE SET code = excluded.code, until = excluded.until, \
             times = excluded.times, at = excluded.at \
             WHERE excluded.at > at AND (excluded.until, excluded.times) <> (until, times)",
            values,
        )?;
        let old = self.host.now().minus(REFUSED_KNOWN);
        self.run("DELETE FROM refused WHERE until < ?", vec![old.try_into()?])
    }

    /// What there is against a login with this username.
    fn held(&self, usernames: &[String]) -> Result<Option<Held>, Fault> {
        let mut all = Vec::new();
        let query = "SELECT code, until, times, at FROM refused WHERE username = ?";
        for username in usernames {
            for row in self.host.sql::<StoredRefusal>(query, vec![username.as_str().into()])? {
                let code = base::json::read(&row.code)?;
                let refused = Refused { code, until: row.until, times: row.times };
                all.push(Reported { refused, at: row.at });
            }
        }
        if all.is_empty() {
            return Ok(None);
        }
        let cooldown = self.host.app()?.config.portals.policy.cooldown;
        Ok(refusals::held(&all, cooldown, self.host.now()))
    }

    fn end(&self, ended: &Ended) -> Result<(), Fault> {
        let reason = serde_json::to_string(&ended.reason)?;
        let values = vec![ended.session_id.as_str().into(), reason.as_str().into(), ended.at.try_into()?];
        self.run("INSERT OR IGNORE INTO ended (session_id, reason, at) VALUES (?, ?, ?)", values)?;
        let old = self.host.now().minus(ENDED_KEPT);
        self.run("DELETE FROM ended WHERE at < ?", vec![old.try_into()?])?;
        let nobodys = "DELETE FROM openers WHERE session_id NOT IN (SELECT session_id FROM live) \
                       AND session_id NOT IN (SELECT session_id FROM ended)";
        self.run(nobodys, Vec::new())
    }

    fn find_by_alias(&self, find: &FindByAlias) -> Result<FindByAliasReply, Fault> {
        let query = "SELECT name, session_id FROM live WHERE (name = ? OR alias = ?) AND name <> ?";
        for name in &find.names {
            let values = [name, name, &find.excluding].map(|text| text.as_str().into()).to_vec();
            if let Some(place) = self.host.sql::<Place>(query, values)?.into_iter().next() {
                return Ok(FindByAliasReply::Found(place));
            }
        }
        Ok(self.held(&find.usernames)?.map_or(FindByAliasReply::Unknown, FindByAliasReply::Held))
    }

    /// For `opener`, that of a login which it did not open, by what is known here, is not used by it, and its end is none of its
    /// business. Whether it opened it knows the login's object.
    fn find(&self, find: &Find, opener: Option<&ServiceKeyId>) -> Result<FindReply, Fault> {
        let (and_own, own) = (opener.map(|_| [" AND ", IS_OWN].concat()).unwrap_or_default(), opener);
        let values = |mut values: Vec<SqlValue>| {
            values.push(find.session_id.as_str().into());
            values.extend(own.map(|opener| opener.as_str().into()));
            values
        };
        let used = "UPDATE live SET last_used = max(last_used, ?) WHERE session_id = ?";
        let used = [used, &and_own, " RETURNING name, session_id"].concat();
        let mut found = self.host.sql::<Place>(&used, values(vec![find.now.try_into()?]))?;
        if found.is_empty() && own.is_some() {
            let query = "SELECT name, session_id FROM live WHERE session_id = ?";
            found = self.host.sql(query, vec![find.session_id.as_str().into()])?;
        }
        if let Some(place) = found.into_iter().next() {
            return Ok(FindReply::Found(place));
        }
        let query = ["SELECT reason FROM ended WHERE session_id = ?", &and_own].concat();
        let ended = self.host.sql::<StoredEnd>(&query, values(Vec::new()))?;
        Ok(match ended.first() {
            Some(row) => FindReply::Ended(base::json::read::<End>(&row.reason)?),
            None => FindReply::Unknown,
        })
    }

    /// The least recently used sessions over `max`, never that of `excluding`.
    fn surplus(&self, max: usize, excluding: Option<&str>) -> Result<Surplus, Fault> {
        let counted = self.host.sql::<Live>("SELECT count(*) AS live FROM live", Vec::new())?;
        let live = counted.first().map_or(0, |counted| counted.live);
        let surplus = live.saturating_sub(u64::try_from(max).unwrap_or(u64::MAX));
        if surplus == 0 {
            return Ok(Surplus::TooMany(Vec::new()));
        }
        let query = "SELECT name, session_id FROM live WHERE name IS NOT ? \
                     ORDER BY last_used, created_at, session_id LIMIT ?";
        let values = vec![excluding.into(), SqlValue::number(surplus)?];
        Ok(Surplus::TooMany(self.host.sql(query, values)?))
    }

    fn rows(&self, which: &str, values: Vec<SqlValue>) -> Result<Vec<Row>, Fault> {
        let stored = self.host.sql::<StoredRow>(&["SELECT * FROM live ", which].concat(), values)?;
        let row = |row: StoredRow| Row {
            name: row.name,
            alias: row.alias,
            kid: row.kid,
            session_id: row.session_id,
            username: row.username,
            created_at: row.created_at,
            last_used: row.last_used,
            keep_alive: row.keep_alive != 0,
            // Nobody is refused a list for it.
            more: row.more.and_then(|more| base::json::read(&more).ok()).unwrap_or_default(),
        };
        Ok(stored.into_iter().map(row).collect())
    }

    fn list(&self) -> Result<Listed, Fault> {
        Ok(Listed::Rows(self.rows("ORDER BY created_at, session_id", Vec::new())?))
    }

    fn list_own(&self, ListOwn { opener }: &ListOwn) -> Result<Listed, Fault> {
        let own = ["WHERE ", IS_OWN, " ORDER BY created_at, session_id"].concat();
        Ok(Listed::Rows(self.rows(&own, vec![opener.as_str().into()])?))
    }

    fn names(&self) -> Result<NamesReply, Fault> {
        Ok(NamesReply::Names(
            self.rows("ORDER BY name", Vec::new())?.into_iter().map(|row| row.name).collect(),
        ))
    }

    fn count(&self) -> Result<Counted, Fault> {
        let query = "SELECT count(*) AS active, ifnull(sum(keep_alive), 0) AS persistent FROM live";
        let counted = self.host.sql::<StoredCounts>(query, Vec::new())?;
        let (active, persistent) = counted.first().map_or((0, 0), |c| (c.active, c.persistent));
        let query = "SELECT portal, work, milliseconds FROM browser_time ORDER BY portal, work";
        let browsers = self.host.sql::<BrowserTime>(query, Vec::new())?;
        Ok(Counted::Counts(Counts { active, persistent, browsers }))
    }

    fn key_usage(&self) -> Result<KeyUsageReply, Fault> {
        let query = "SELECT kid, count(*) AS live FROM live WHERE kid IS NOT NULL GROUP BY kid";
        let kids = self.host.sql::<LiveByKey>(query, Vec::new())?;
        Ok(KeyUsageReply::Kids(kids.into_iter().map(|k| (k.kid, k.live)).collect()))
    }
}
