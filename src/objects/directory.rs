//! The object that knows who there is: it gives out user ids, lists users, and keeps the service keys.

use super::{fault, service_keys, to_entry};
use crate::platform;
use ::directory::service_key::ServiceKey;
use serde::{Deserialize, Serialize};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{
    DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

/// What the directory is asked. Add variants and defaulted fields, never change one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Gives a name its id, the same one each time. With `bootstrap`, only while there is no other admin.
    Register { username: String, admin: bool, bootstrap: bool },
    /// Notes whether a user is an active admin. Refused if nobody would be one any more.
    SetAdmin { username: String, admin: bool },
    /// Takes a name off the list. Its id is never given again.
    Remove { username: String },
    /// The name of an id.
    Name { user_id: u64 },
    /// Names in the order of their ids, after one.
    List { after: u64, limit: u32 },
    /// Keeps a new service key.
    AddKey(ServiceKey),
    /// The service key of an id.
    Key(String),
    /// All service keys.
    Keys,
    /// Revokes a service key.
    RevokeKey(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Id(u64),
    Users(Vec<Entry>),
    /// The bootstrap key has done its work.
    AdminExists,
    LastAdmin,
    NoUser,
    Done,
    /// Those that were asked for; none if there is no such key.
    Keys(Vec<ServiceKey>),
    TooManyKeys,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: u64,
    pub username: String,
}

/// Who there is: ids and names of all users, who is an admin, and the service keys. There is one. Admin routes ask it,
/// and each instance of the Worker does so for each service key at most once in ten seconds.
///
/// Each command is one synchronous run of SQL statements, which the platform writes as one batch; `AUTOINCREMENT` keeps
/// the id of a removed user from coming back.
#[durable_object(fetch)]
pub struct Directory {
    state: State,
}

impl DurableObject for Directory {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }
}

#[wasm_bindgen]
impl Directory {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        to_entry(&self.run(command).map_err(fault)?, None)
    }
}

impl Directory {
    fn sql(&self) -> Result<SqlStorage> {
        let sql = self.state.storage().sql();
        sql.exec(
            "CREATE TABLE IF NOT EXISTS users \
             (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, admin INTEGER NOT NULL)",
            None,
        )?;
        service_keys::open(&sql)?;
        Ok(sql)
    }

    fn run(&self, command: Command) -> Result<Reply> {
        let sql = self.sql()?;
        match command {
            Command::Register { username, admin, bootstrap } => {
                if bootstrap && other_admins(&sql, &username)? {
                    return Ok(Reply::AdminExists);
                }
                if let Some(entry) = find(&sql, &username)? {
                    return Ok(Reply::Id(entry.id));
                }
                let values = vec![username.as_str().into(), i32::from(admin).into()];
                sql.exec("INSERT INTO users (username, admin) VALUES (?, ?)", values)?;
                Ok(find(&sql, &username)?.map_or(Reply::NoUser, |entry| Reply::Id(entry.id)))
            }
            Command::SetAdmin { username, admin } => {
                if !admin && is_admin(&sql, &username)? && !other_admins(&sql, &username)? {
                    return Ok(Reply::LastAdmin);
                }
                let values = vec![i32::from(admin).into(), username.as_str().into()];
                sql.exec("UPDATE users SET admin = ? WHERE username = ?", values)?;
                Ok(Reply::Done)
            }
            Command::Remove { username } => {
                if is_admin(&sql, &username)? && !other_admins(&sql, &username)? {
                    return Ok(Reply::LastAdmin);
                }
                sql.exec("DELETE FROM users WHERE username = ?", vec![username.as_str().into()])?;
                Ok(Reply::Done)
            }
            Command::Name { user_id } => {
                let Some(user_id) = number(user_id) else { return Ok(Reply::Users(Vec::new())) };
                let query = "SELECT id, username FROM users WHERE id = ?";
                Ok(Reply::Users(entries(&sql, query, vec![user_id])?))
            }
            Command::List { after, limit } => {
                let (Some(after), Some(limit)) = (number(after), number(limit.into())) else {
                    return Ok(Reply::Users(Vec::new()));
                };
                let query = "SELECT id, username FROM users WHERE id > ? ORDER BY id LIMIT ?";
                Ok(Reply::Users(entries(&sql, query, vec![after, limit])?))
            }
            Command::AddKey(key) => {
                let added = service_keys::add(&sql, key, platform::now())?;
                Ok(if added { Reply::Done } else { Reply::TooManyKeys })
            }
            Command::Key(id) => Ok(Reply::Keys(service_keys::find(&sql, &id)?)),
            Command::Keys => Ok(Reply::Keys(service_keys::list(&sql, platform::now())?)),
            Command::RevokeKey(id) => Ok(Reply::Keys(service_keys::revoke(&sql, &id, platform::now())?)),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Count {
    pub n: u32,
}

fn entries(sql: &SqlStorage, query: &str, values: Vec<SqlStorageValue>) -> Result<Vec<Entry>> {
    sql.exec(query, values)?.to_array::<Entry>()
}

fn find(sql: &SqlStorage, username: &str) -> Result<Option<Entry>> {
    let found = entries(sql, "SELECT id, username FROM users WHERE username = ?", vec![username.into()])?;
    Ok(found.into_iter().next())
}

fn is_admin(sql: &SqlStorage, username: &str) -> Result<bool> {
    let query = "SELECT count(*) AS n FROM users WHERE admin = 1 AND username = ?";
    Ok(sql.exec(query, vec![username.into()])?.one::<Count>()?.n > 0)
}

fn other_admins(sql: &SqlStorage, username: &str) -> Result<bool> {
    let query = "SELECT count(*) AS n FROM users WHERE admin = 1 AND username <> ?";
    Ok(sql.exec(query, vec![username.into()])?.one::<Count>()?.n > 0)
}

/// A number as `SQLite` binds it. No id is one that JavaScript could not hold exactly.
pub(super) fn number(value: u64) -> Option<SqlStorageValue> {
    SqlStorageValue::try_from_i64(i64::try_from(value).ok()?).ok()
}
