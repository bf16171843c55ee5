//! The object that counts upstream accounts, and the objects that look after them by turns.

use super::{fault, promise, rpc, to_entry};
use crate::platform;
use ::keeper::{AccountKey, Command as Ask, Reply as Told, protocol::Status};
use base::clock::Timestamp;
use futures_util::future::{join, join_all};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

/// Accounts that one object looks after in one call. With the report that is under the 50 subrequests of a free plan.
pub const SWEEP_MAX: usize = 45;
/// A deployment that has just been looked after does not need it again for its first request.
const START_AGAIN: Duration = Duration::from_mins(1);

/// What the roster is asked. Add variants and defaulted fields, never change one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// What accounts are like now.
    Seen { rows: Vec<Row> },
    /// Counts by provider, of the accounts that are not over.
    Counts { now: Timestamp },
    /// How many accounts are sealed under which key.
    Kids,
    /// Forgets all accounts but these.
    Keep { names: Vec<String> },
    /// Whether this deployment is to be looked after: not if it just was.
    Start { now: Timestamp },
    /// It is being looked after.
    Sweeping { now: Timestamp },
}

/// Looks after accounts and portal logins, each in its own object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sweep {
    /// Provider and account.
    pub accounts: Vec<(String, String)>,
    /// Names of portal logins.
    #[serde(default)]
    pub portals: Vec<String>,
    pub daily: bool,
    pub spread_millis: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    Counts(BTreeMap<String, Counts>),
    Kids(BTreeMap<String, u64>),
    Start(bool),
    /// How many were looked at, and how many could not be.
    Swept {
        looked: usize,
        unreachable: usize,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// With a token that is valid by all that is known, and no failing renewal.
    pub healthy: u64,
    pub failed: u64,
}

/// One account in the roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub expires_at: Timestamp,
    pub failed: bool,
    pub kid: Option<String>,
}

impl Row {
    pub fn new(key: &AccountKey, status: &Status) -> Self {
        let expires_at = status.expires_at.unwrap_or_default();
        Self { name: key.to_string(), expires_at, failed: status.failed, kid: status.kid.clone() }
    }
}

/// Two uses of one class. The one named `roster` holds a row for each account, so that `/health` is one call however many
/// there are; accounts report their changes, and each sweep corrects what was lost. Those named `sweep/{n}` hold nothing:
/// each looks after some accounts, so that no invocation makes more calls than the platform allows.
#[durable_object(fetch)]
pub struct Roster {
    state: State,
    env: Env,
}

impl DurableObject for Roster {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }
}

#[wasm_bindgen]
impl Roster {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        to_entry(&self.run(command).map_err(fault)?, None)
    }

    /// Looks after accounts.
    pub fn ask(&self, json: String) -> Promise {
        let env = self.env.clone();
        promise(async move {
            let sweep: Sweep = serde_json::from_str(&json).map_err(fault)?;
            serde_json::to_string(&look(&env, sweep).await).map_err(fault)
        })
    }
}

async fn look(env: &Env, sweep: Sweep) -> Reply {
    let looks = sweep.accounts.iter().map(|(provider, account)| async move {
        let look = Ask::Look { daily: sweep.daily, spread_millis: sweep.spread_millis };
        let name = format!("{provider}/{account}");
        match rpc::upstream(env, provider, account, look).await {
            Ok(Told::Status(status)) => {
                let expires_at = status.expires_at.unwrap_or_default();
                Some(Row { name, expires_at, failed: status.failed, kid: status.kid })
            }
            _ => None,
        }
    });
    let as_of = platform::now();
    let portals = sweep.portals.iter().map(|name| async move {
        let found = rpc::portal(env, name, ::portal::Command::Look).await;
        if found == Ok(::portal::Reply::Unknown) {
            // The object has nothing, so it will never take this row back itself.
            let none = super::portal_registry::Command::None { name: name.clone(), ended: None, as_of };
            let _ = rpc::portal_registry(env, &none).await;
        }
        found.is_ok()
    });
    let (rows, portals) = join(join_all(looks), join_all(portals)).await;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let looked = rows.len() + portals.into_iter().filter(|reached| *reached).count();
    if !rows.is_empty() {
        // What cannot be reported now is by the next sweep; the call has logged it.
        let _ = rpc::roster(env, &Command::Seen { rows }).await;
    }
    Reply::Swept { looked, unreachable: sweep.accounts.len() + sweep.portals.len() - looked }
}

#[derive(Deserialize)]
struct Counted {
    provider: String,
    healthy: u32,
    failed: u32,
}

#[derive(Deserialize)]
struct Kid {
    kid: String,
    n: u32,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

impl Roster {
    fn sql(&self) -> Result<SqlStorage> {
        let sql = self.state.storage().sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, provider TEXT NOT NULL, \
             expires_at INTEGER NOT NULL, failed INTEGER NOT NULL, kid TEXT)",
            None,
        )?;
        Ok(sql)
    }

    fn run(&self, command: Command) -> Result<Reply> {
        let sql = self.sql()?;
        match command {
            Command::Seen { rows } => {
                for row in rows {
                    see(&sql, &row)?;
                }
                Ok(Reply::Done)
            }
            Command::Counts { now } => {
                let query = "SELECT provider, sum(failed = 0 AND expires_at > ?) AS healthy, \
                             sum(failed) AS failed FROM accounts GROUP BY provider";
                let counted = sql.exec(query, vec![number(now)?])?.to_array::<Counted>()?;
                let counts =
                    |c: Counted| (c.provider, Counts { healthy: c.healthy.into(), failed: c.failed.into() });
                Ok(Reply::Counts(counted.into_iter().map(counts).collect()))
            }
            Command::Kids => {
                let query = "SELECT kid, count(*) AS n FROM accounts WHERE kid IS NOT NULL GROUP BY kid";
                let kids = sql.exec(query, None)?.to_array::<Kid>()?;
                Ok(Reply::Kids(kids.into_iter().map(|k| (k.kid, k.n.into())).collect()))
            }
            Command::Keep { names } => {
                let known = sql.exec("SELECT name FROM accounts", None)?.to_array::<Name>()?;
                for Name { name } in known.into_iter().filter(|n| !names.contains(&n.name)) {
                    sql.exec("DELETE FROM accounts WHERE name = ?", vec![name.as_str().into()])?;
                }
                Ok(Reply::Done)
            }
            Command::Start { now } => {
                let last = last_sweep(&sql)?;
                let due = last.plus(START_AGAIN) <= now || last > now;
                if due {
                    swept(&sql, now)?;
                }
                Ok(Reply::Start(due))
            }
            Command::Sweeping { now } => {
                swept(&sql, now)?;
                Ok(Reply::Done)
            }
        }
    }
}

/// Writes a row if it is news.
fn see(sql: &SqlStorage, row: &Row) -> Result<()> {
    let provider = row.name.split('/').next().unwrap_or_default();
    let kid: SqlStorageValue = row.kid.as_deref().map_or(SqlStorageValue::Null, Into::into);
    let values = vec![
        row.name.as_str().into(),
        provider.into(),
        number(row.expires_at)?,
        i32::from(row.failed).into(),
        kid,
    ];
    sql.exec(
        "INSERT INTO accounts (name, provider, expires_at, failed, kid) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at, failed = excluded.failed, \
         kid = excluded.kid WHERE expires_at <> excluded.expires_at OR failed <> excluded.failed \
         OR kid IS NOT excluded.kid",
        values,
    )?;
    Ok(())
}

#[derive(Deserialize)]
struct At {
    at: f64,
}

/// When accounts were last looked after; the epoch if never.
fn last_sweep(sql: &SqlStorage) -> Result<Timestamp> {
    sql.exec("CREATE TABLE IF NOT EXISTS sweep (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)", None)?;
    let at = sql.exec("SELECT at FROM sweep WHERE id = 1", None)?.to_array::<At>()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // What `swept` wrote.
    Ok(Timestamp::from_millis(at.first().map_or(0, |a| a.at as u64)))
}

fn swept(sql: &SqlStorage, now: Timestamp) -> Result<()> {
    last_sweep(sql)?;
    sql.exec("INSERT OR REPLACE INTO sweep (id, at) VALUES (1, ?)", vec![number(now)?])?;
    Ok(())
}

/// A moment as `SQLite` binds it: milliseconds since 1970 fit what JavaScript holds exactly.
pub(super) fn number(at: Timestamp) -> Result<SqlStorageValue> {
    let millis = i64::try_from(at.millis()).map_err(|_| "a moment out of range")?;
    SqlStorageValue::try_from_i64(millis)
}

/// Asks the roster for its counts.
pub async fn counts(env: &Env) -> std::result::Result<BTreeMap<String, Counts>, rpc::Unreachable> {
    match rpc::roster(env, &Command::Counts { now: platform::now() }).await? {
        Reply::Counts(counts) => Ok(counts),
        _ => Err(rpc::Unreachable),
    }
}
