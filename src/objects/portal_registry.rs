//! The object that knows which portal sessions live, and which of them is too many.

use super::roster::number;
use super::{fault, rpc, to_entry};
use crate::platform;
use ::portal::End;
use base::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

/// How long it is known how a session ended.
const ENDED_KEPT: Duration = Duration::from_hours(24);

/// What the registry is asked. Add variants and defaulted fields, never change one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A session lives, and was last used so; `ended` is the one before. Answers with those that are too many then.
    Lives {
        row: Row,
        max: usize,
        #[serde(default)]
        ended: Option<Over>,
    },
    /// The login of this name has no session; `ended` is the last one that it had.
    None {
        name: String,
        ended: Option<Over>,
        /// When that was so. A session that was begun later is not meant: reports may overtake each other.
        as_of: Timestamp,
    },
    /// Whose session this is. It is used now.
    Find {
        session_id: String,
        now: Timestamp,
    },
    /// Whose session these names of a login's mean, if it is another's than that of `but`.
    Called {
        names: Vec<String>,
        but: String,
    },
    List,
    Counts,
    /// How many sessions are sealed under which key.
    Kids,
    /// The names of all logins with a live session.
    Names,
    /// The sessions that are too many.
    Excess {
        max: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    /// The least recently used ones.
    TooMany(Vec<Place>),
    Found(Place),
    Ended(End),
    Unknown,
    Rows(Vec<Row>),
    Counts(Counts),
    Kids(BTreeMap<String, u64>),
    Names(Vec<String>),
}

/// A session, and the login that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    pub session_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    pub session_id: String,
    pub reason: End,
    pub at: Timestamp,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    /// What its object would be called if it were new: its name by the first sealing key. Nothing, if its credentials
    /// cannot be opened.
    #[serde(default)]
    pub alias: Option<String>,
    /// The sealing key that it lies sealed under.
    #[serde(default)]
    pub kid: Option<String>,
    pub session_id: String,
    /// Sealed. Nothing, if its credentials cannot be opened.
    pub username: Option<String>,
    pub created_at: Timestamp,
    pub last_used: Timestamp,
    pub keep_alive: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub active: u64,
    /// Those that are kept alive.
    pub persistent: u64,
}

/// One object, named `registry`, with a row for each live session. The sessions' own objects are the truth: they report
/// each change, and the Cron Trigger has them correct what was lost.
#[durable_object(fetch)]
pub struct PortalRegistry {
    state: State,
}

impl DurableObject for PortalRegistry {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }
}

#[wasm_bindgen]
impl PortalRegistry {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        to_entry(&self.run(command).map_err(fault)?, None)
    }
}

#[derive(Deserialize)]
struct Stored {
    name: String,
    alias: Option<String>,
    kid: Option<String>,
    session_id: String,
    username: Option<String>,
    created_at: f64,
    last_used: f64,
    keep_alive: u8,
}

#[derive(Deserialize)]
struct Counted {
    active: u32,
    persistent: u32,
}

#[derive(Deserialize)]
struct Live {
    live: u32,
}

#[derive(Deserialize)]
struct Kid {
    kid: String,
    live: u32,
}

#[derive(Deserialize)]
struct EndedRow {
    reason: String,
}

impl PortalRegistry {
    fn sql(&self) -> Result<SqlStorage> {
        let sql = self.state.storage().sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS live (name TEXT PRIMARY KEY, alias TEXT, kid TEXT, \
             session_id TEXT NOT NULL UNIQUE, username TEXT, created_at INTEGER NOT NULL, \
             last_used INTEGER NOT NULL, keep_alive INTEGER NOT NULL); \
             CREATE TABLE IF NOT EXISTS ended (session_id TEXT PRIMARY KEY, reason TEXT NOT NULL, \
             at INTEGER NOT NULL)",
            None,
        )?;
        Ok(sql)
    }

    fn run(&self, command: Command) -> Result<Reply> {
        let sql = self.sql()?;
        match command {
            Command::Lives { row, max, ended } => {
                put(&sql, &row)?;
                if let Some(over) = ended {
                    end(&sql, &over)?;
                }
                Ok(Reply::TooMany(excess(&sql, max, Some(&row.name))?))
            }
            Command::None { name, ended, as_of } => {
                let values = vec![name.as_str().into(), number(as_of)?];
                sql.exec("DELETE FROM live WHERE name = ? AND created_at <= ?", values)?;
                if let Some(over) = ended {
                    end(&sql, &over)?;
                }
                Ok(Reply::Done)
            }
            Command::Find { session_id, now } => find(&sql, &session_id, now),
            Command::Called { names, but } => called(&sql, &names, &but),
            Command::Kids => {
                let query = "SELECT kid, count(*) AS live FROM live WHERE kid IS NOT NULL GROUP BY kid";
                let kids = sql.exec(query, None)?.to_array::<Kid>()?;
                Ok(Reply::Kids(kids.into_iter().map(|k| (k.kid, k.live.into())).collect()))
            }
            Command::List => Ok(Reply::Rows(rows(&sql, "ORDER BY created_at, session_id")?)),
            Command::Counts => {
                let query = "SELECT count(*) AS active, ifnull(sum(keep_alive), 0) AS persistent FROM live";
                let counted = sql.exec(query, None)?.one::<Counted>()?;
                let (active, persistent) = (counted.active.into(), counted.persistent.into());
                Ok(Reply::Counts(Counts { active, persistent }))
            }
            Command::Names => {
                Ok(Reply::Names(rows(&sql, "ORDER BY name")?.into_iter().map(|r| r.name).collect()))
            }
            Command::Excess { max } => Ok(Reply::TooMany(excess(&sql, max, None)?)),
        }
    }
}

fn put(sql: &SqlStorage, row: &Row) -> Result<()> {
    let text = |text: &Option<String>| text.as_deref().map_or(SqlStorageValue::Null, Into::into);
    let values = vec![
        row.name.as_str().into(),
        text(&row.alias),
        text(&row.kid),
        row.session_id.as_str().into(),
        text(&row.username),
        number(row.created_at)?,
        number(row.last_used)?,
        i32::from(row.keep_alive).into(),
    ];
    // A report that was overtaken by that of a later use, or of a later session, does not take it back.
    sql.exec(
        "INSERT INTO live (name, alias, kid, session_id, username, created_at, last_used, keep_alive) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
         alias = ifnull(excluded.alias, alias), kid = excluded.kid, session_id = excluded.session_id, \
         username = ifnull(excluded.username, username), created_at = excluded.created_at, \
         last_used = max(last_used, excluded.last_used), keep_alive = excluded.keep_alive \
         WHERE excluded.created_at >= created_at",
        values,
    )?;
    Ok(())
}

fn end(sql: &SqlStorage, over: &Over) -> Result<()> {
    let reason = serde_json::to_string(&over.reason)?;
    let values = vec![over.session_id.as_str().into(), reason.as_str().into(), number(over.at)?];
    sql.exec("INSERT OR IGNORE INTO ended (session_id, reason, at) VALUES (?, ?, ?)", values)?;
    let old = platform::now().minus(ENDED_KEPT);
    sql.exec("DELETE FROM ended WHERE at < ?", vec![number(old)?])?;
    Ok(())
}

fn called(sql: &SqlStorage, names: &[String], but: &str) -> Result<Reply> {
    for name in names {
        let query = "SELECT name, session_id FROM live WHERE (name = ? OR alias = ?) AND name <> ?";
        let values = vec![name.as_str().into(), name.as_str().into(), but.into()];
        if let Some(place) = sql.exec(query, values)?.to_array::<Place>()?.into_iter().next() {
            return Ok(Reply::Found(place));
        }
    }
    Ok(Reply::Unknown)
}

fn find(sql: &SqlStorage, session_id: &str, now: Timestamp) -> Result<Reply> {
    let used = "UPDATE live SET last_used = max(last_used, ?) WHERE session_id = ? RETURNING *";
    let found = sql.exec(used, vec![number(now)?, session_id.into()])?.to_array::<Stored>()?;
    if let Some(row) = found.into_iter().next() {
        return Ok(Reply::Found(Place { name: row.name, session_id: row.session_id }));
    }
    let query = "SELECT reason FROM ended WHERE session_id = ?";
    let ended = sql.exec(query, vec![session_id.into()])?.to_array::<EndedRow>()?;
    Ok(match ended.first() {
        Some(row) => Reply::Ended(serde_json::from_str(&row.reason)?),
        None => Reply::Unknown,
    })
}

/// The least recently used sessions over `max`, never that of `but`.
fn excess(sql: &SqlStorage, max: usize, but: Option<&str>) -> Result<Vec<Place>> {
    let counted = sql.exec("SELECT count(*) AS live FROM live", None)?.one::<Live>()?;
    let surplus = counted.live.saturating_sub(u32::try_from(max).unwrap_or(u32::MAX));
    if surplus == 0 {
        return Ok(Vec::new());
    }
    let query = "SELECT name, session_id FROM live WHERE name IS NOT ? \
                 ORDER BY last_used, created_at, session_id LIMIT ?";
    let but = but.map_or(SqlStorageValue::Null, Into::into);
    let limit = SqlStorageValue::try_from_i64(surplus.into())?;
    sql.exec(query, vec![but, limit])?.to_array::<Place>()
}

fn rows(sql: &SqlStorage, order: &str) -> Result<Vec<Row>> {
    let stored = sql.exec(&format!("SELECT * FROM live {order}"), None)?.to_array::<Stored>()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // What `put` wrote.
    let at = |millis: f64| Timestamp::from_millis(millis as u64);
    let row = |s: Stored| Row {
        name: s.name,
        alias: s.alias,
        kid: s.kid,
        session_id: s.session_id,
        username: s.username,
        created_at: at(s.created_at),
        last_used: at(s.last_used),
        keep_alive: s.keep_alive != 0,
    };
    Ok(stored.into_iter().map(row).collect())
}

/// How many sessions there are.
pub async fn counts(env: &Env) -> std::result::Result<Counts, rpc::Unreachable> {
    match rpc::portal_registry(env, &Command::Counts).await? {
        Reply::Counts(counts) => Ok(counts),
        _ => Err(rpc::Unreachable),
    }
}
