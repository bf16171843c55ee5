//! The object that knows who there is: it gives out user ids, lists users, and keeps the service keys.

mod hash_costs;
mod service_keys;

use crate::host::{Answer, DurableObject, Host, SqlValue};
use ::directory::index::{
    AddKey, AddKeyReply, AdminReply, ClaimReply, ClaimReset, Entry, Envelope, Find, Key, List, Name,
    Register, RegisterReply, Remove, RevokeKey, ServiceKeyIds, ServiceKeys, SetAdmin, Users,
};
use base::fault::Fault;
use base::ids::UserId;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Who there is: ids and names of all users, who is an admin, the service keys, and what password hashes cost. There is one.
/// Admin routes ask it, and each instance of the Worker does so for each service key at most once in ten seconds, for the keys
/// that are good as often, and for the cost of hashes once in ten minutes.
///
/// Each command is one synchronous run of SQL statements, which the platform writes as one batch; `AUTOINCREMENT` keeps
/// the id of a removed user from coming back.
///
/// Who is an admin is what the users' objects have said, by the version of their accounts. Nobody is counted who is none, so
/// whoever may stop being one while another is counted leaves one behind; `directory::change` has the other half.
#[derive(Clone)]
pub struct Directory<H: Host> {
    host: H,
}

#[derive(Deserialize)]
struct Count {
    n: u32,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
struct Whose {
    user_id: UserId,
}

impl<H: Host> DurableObject<H> for Directory<H> {
    fn new(host: H) -> Self {
        Self { host }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let envelope = base::json::read(json)?;
        // `admin_versions`: as of which version of the account `admin` is so; none for what the release before has noted.
        self.run(
            "CREATE TABLE IF NOT EXISTS users \
             (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, admin INTEGER NOT NULL); \
             CREATE TABLE IF NOT EXISTS admin_versions (user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL); \
             CREATE TABLE IF NOT EXISTS admin_resets (secret TEXT PRIMARY KEY, user_id INTEGER NOT NULL)",
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
            Envelope::KeyIds => Answer::new(&ServiceKeyIds { ids: self.good_keys()? }, None),
            Envelope::HashCost(cost) => Answer::new(&self.hash_cost(cost.seen)?, None),
            Envelope::RevokeKey(RevokeKey(id)) => {
                Answer::new(&ServiceKeys { keys: self.revoke_key(&id)? }, None)
            }
            Envelope::ReplaceKey(replace) => Answer::new(&self.replace_key(replace)?, None),
            Envelope::KeyUsed(used) => Answer::new(&self.key_used(&used)?, None),
            Envelope::ClaimReset(claim) => Answer::new(&self.claim_reset(claim)?, None),
        }
    }
}

impl<H: Host> Directory<H> {
    fn register(&self, register: &Register) -> Result<RegisterReply, Fault> {
        let username = register.username.as_str();
        // Whoever is registered gets a hash next.
        self.hash_cost(None)?;
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

    fn set_admin(&self, set: &SetAdmin) -> Result<AdminReply, Fault> {
        let SetAdmin { username, admin, user_id, account_version, asks } = set;
        let Some(version) = *account_version else { return self.set_admin_unversioned(username, *admin) };
        let entry = self.find(username)?.filter(|entry| Some(entry.id) == *user_id);
        let known = entry.as_ref().map(|entry| self.admin_version(entry.id)).transpose()?.flatten();
        if *asks {
            if known.is_some_and(|known| version < known) {
                return Ok(AdminReply::Changed);
            }
            if !self.other_admins(username)? {
                return Ok(AdminReply::LastAdmin);
            }
        } else if known.is_some_and(|known| version <= known) {
            return Ok(AdminReply::Done);
        }
        // Somebody who has been taken off the list is counted by nobody.
        let Some(Entry { id, .. }) = entry else { return Ok(AdminReply::Done) };
        let id = SqlValue::number(id.get())?;
        self.run("UPDATE users SET admin = ? WHERE id = ?", vec![(*admin).into(), id.clone()])?;
        let statement = "INSERT INTO admin_versions (user_id, version) VALUES (?, ?) \
                         ON CONFLICT (user_id) DO UPDATE SET version = excluded.version";
        self.run(statement, vec![id, SqlValue::number(version)?])?;
        Ok(AdminReply::Done)
    }

    /// From a Worker of the release before.
    fn set_admin_unversioned(&self, username: &str, admin: bool) -> Result<AdminReply, Fault> {
        if !admin && self.is_last_admin(username)? {
            return Ok(AdminReply::LastAdmin);
        }
        let values = vec![admin.into(), username.into()];
        self.run("UPDATE users SET admin = ? WHERE username = ?", values)?;
        Ok(AdminReply::Done)
    }

    fn admin_version(&self, user_id: UserId) -> Result<Option<u64>, Fault> {
        let query = "SELECT version FROM admin_versions WHERE user_id = ?";
        let rows = self.host.sql::<Version>(query, vec![SqlValue::number(user_id.get())?])?;
        Ok(rows.first().map(|row| row.version))
    }

    /// A secret is for the user whom it was first claimed for. That user's object uses it once.
    fn claim_reset(&self, ClaimReset { secret, user_id }: ClaimReset) -> Result<ClaimReply, Fault> {
        let statement = "INSERT OR IGNORE INTO admin_resets (secret, user_id) VALUES (?, ?)";
        self.run(statement, vec![secret.as_str().into(), SqlValue::number(user_id.get())?])?;
        let query = "SELECT user_id FROM admin_resets WHERE secret = ?";
        let rows = self.host.sql::<Whose>(query, vec![SqlValue::Text(secret)])?;
        let same = rows.first().is_some_and(|row| row.user_id == user_id);
        Ok(if same { ClaimReply::Claimed } else { ClaimReply::Used })
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
        let statement =
            "DELETE FROM admin_versions WHERE user_id IN (SELECT id FROM users WHERE username = ?)";
        self.run(statement, vec![username.as_str().into()])?;
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
