//! The object that knows who there is: it gives out user ids, lists users, and keeps the service keys.

mod service_keys;

use crate::host::{Answer, DurableObject, Host, SqlValue};
use ::directory::index::{
    AddKey, AddKeyReply, AdminReply, Entry, Envelope, Find, Key, List, Name, Register, RegisterReply, Remove,
    RevokeKey, ServiceKeys, SetAdmin, Users,
};
use base::fault::Fault;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Who there is: ids and names of all users, who is an admin, and the service keys. There is one. Admin routes ask it,
/// and each instance of the Worker does so for each service key at most once in ten seconds.
///
/// Each command is one synchronous run of SQL statements, which the platform writes as one batch; `AUTOINCREMENT` keeps
/// the id of a removed user from coming back.
#[derive(Clone)]
pub struct Directory<H: Host> {
    host: H,
}

#[derive(Deserialize)]
struct Count {
    n: u32,
}

impl<H: Host> DurableObject<H> for Directory<H> {
    fn new(host: H) -> Self {
        Self { host }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let envelope = serde_json::from_str(json)?;
        self.run(
            "CREATE TABLE IF NOT EXISTS users \
             (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, admin INTEGER NOT NULL)",
            Vec::new(),
        )?;
        self.open_keys()?;
        match envelope {
            Envelope::Register(register) => Answer::new(&self.register(&register)?, None),
            Envelope::SetAdmin(set_admin) => Answer::new(&self.set_admin(&set_admin)?, None),
            Envelope::Remove(remove) => Answer::new(&self.remove(&remove)?, None),
            Envelope::Name(name) => Answer::new(&self.name(name)?, None),
            Envelope::Find(Find { username }) => {
                Answer::new(&Users { users: self.find(&username)?.into_iter().collect() }, None)
            }
            Envelope::List(list) => Answer::new(&self.list(list)?, None),
            Envelope::AddKey(AddKey(key)) => {
                let added = self.add_key(key)?;
                Answer::new(if added { &AddKeyReply::Done } else { &AddKeyReply::TooManyKeys }, None)
            }
            Envelope::Key(Key(id)) => Answer::new(&ServiceKeys { keys: self.find_key(&id)? }, None),
            Envelope::Keys => Answer::new(&ServiceKeys { keys: self.all_keys()? }, None),
            Envelope::RevokeKey(RevokeKey(id)) => {
                Answer::new(&ServiceKeys { keys: self.revoke_key(&id)? }, None)
            }
        }
    }
}

impl<H: Host> Directory<H> {
    fn register(&self, register: &Register) -> Result<RegisterReply, Fault> {
        let username = register.username.as_str();
        if register.bootstrap && self.other_admins(username)? {
            return Ok(RegisterReply::AdminExists);
        }
        if let Some(entry) = self.find(username)? {
            return Ok(RegisterReply::Id(entry.id));
        }
        let values = vec![username.into(), register.admin.into()];
        self.run("INSERT INTO users (username, admin) VALUES (?, ?)", values)?;
        let entry = self.find(username)?.ok_or("a user that was just registered is not there")?;
        Ok(RegisterReply::Id(entry.id))
    }

    fn set_admin(&self, SetAdmin { username, admin }: &SetAdmin) -> Result<AdminReply, Fault> {
        if !admin && self.is_last_admin(username)? {
            return Ok(AdminReply::LastAdmin);
        }
        let values = vec![(*admin).into(), username.as_str().into()];
        self.run("UPDATE users SET admin = ? WHERE username = ?", values)?;
        Ok(AdminReply::Done)
    }

    fn remove(&self, Remove { username, user_id }: &Remove) -> Result<AdminReply, Fault> {
        if let Some(meant) = user_id
            && self.find(username)?.is_none_or(|entry| entry.id != *meant)
        {
            return Ok(AdminReply::Done);
        }
        if self.is_last_admin(username)? {
            return Ok(AdminReply::LastAdmin);
        }
        self.run("DELETE FROM users WHERE username = ?", vec![username.as_str().into()])?;
        Ok(AdminReply::Done)
    }

    fn name(&self, name: Name) -> Result<Users, Fault> {
        // No id is one that JavaScript could not hold exactly.
        let Ok(user_id) = SqlValue::number(name.user_id.get()) else {
            return Ok(Users { users: Vec::new() });
        };
        let users = self.host.sql("SELECT id, username FROM users WHERE id = ?", vec![user_id])?;
        Ok(Users { users })
    }

    fn list(&self, list: List) -> Result<Users, Fault> {
        let Ok(after) = SqlValue::number(list.after.get()) else { return Ok(Users { users: Vec::new() }) };
        let query = "SELECT id, username FROM users WHERE id > ? ORDER BY id LIMIT ?";
        let users = self.host.sql(query, vec![after, SqlValue::Integer(list.limit.into())])?;
        Ok(Users { users })
    }

    fn find(&self, username: &str) -> Result<Option<Entry>, Fault> {
        let query = "SELECT id, username FROM users WHERE username = ?";
        Ok(self.host.sql::<Entry>(query, vec![username.into()])?.into_iter().next())
    }

    fn is_last_admin(&self, username: &str) -> Result<bool, Fault> {
        let query = "SELECT count(*) AS n FROM users WHERE admin = 1 AND username = ?";
        Ok(self.count(query, vec![username.into()])? > 0 && !self.other_admins(username)?)
    }

    fn other_admins(&self, username: &str) -> Result<bool, Fault> {
        let query = "SELECT count(*) AS n FROM users WHERE admin = 1 AND username <> ?";
        Ok(self.count(query, vec![username.into()])? > 0)
    }

    fn count(&self, query: &str, values: Vec<SqlValue>) -> Result<u32, Fault> {
        let rows = self.host.sql::<Count>(query, values)?;
        Ok(rows.first().ok_or("a count that has no row")?.n)
    }

    /// A statement that gives nothing.
    fn run(&self, statement: &str, values: Vec<SqlValue>) -> Result<(), Fault> {
        self.host.sql::<IgnoredAny>(statement, values).map(drop)
    }
}
