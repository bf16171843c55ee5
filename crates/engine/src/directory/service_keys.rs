//! The directory's table of service keys.

use super::Directory;
use crate::host::{Host, SqlValue};
use base::fault::Fault;
use base::ids::ServiceKeyId;
use directory::index::{AddKeyReply, KeyNoted, KeyUsed, ReplaceKey};
use directory::service_key::ServiceKey;
use serde::Deserialize;
use std::time::Duration;

/// How many keys may be good at once: far more than there are services, and few enough to list in one answer.
const LIVE_MAX: u32 = 1000;
/// How many keys that are not good any more are kept besides, so that the list is bounded: the latest.
const ENDED_MAX: u32 = 1000;
/// How long such a key is still listed.
const ENDED_KEPT: Duration = Duration::from_hours(30 * 24);

#[derive(Deserialize)]
struct Rows {
    json: String,
}

#[derive(Deserialize)]
struct Row {
    id: ServiceKeyId,
}

impl<H: Host> Directory<H> {
    /// Makes the table. `ends_at` is when a key was revoked or expires, whichever is first.
    pub(super) fn open_keys(&self) -> Result<(), Fault> {
        self.run(
            "CREATE TABLE IF NOT EXISTS service_keys \
             (id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, last4 TEXT NOT NULL, scopes TEXT NOT NULL, \
             created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, \
             ends_at INTEGER AS (coalesce(min(revoked_at, expires_at), revoked_at, expires_at))); \
             CREATE TABLE IF NOT EXISTS service_key_uses (id TEXT PRIMARY KEY, at INTEGER NOT NULL); \
             CREATE TABLE IF NOT EXISTS service_key_origins (id TEXT PRIMARY KEY, origin TEXT NOT NULL)",
            Vec::new(),
        )
    }

    /// Keeps a new key; says whether there was room. Done twice, it is there once.
    pub(super) fn add_key(&self, key: ServiceKey) -> Result<bool, Fault> {
        self.prune_keys()?;
        let query = "SELECT count(*) AS n FROM service_keys WHERE id <> ? AND ifnull(ends_at > ?, 1)";
        let live = self.count(query, vec![key.id.as_str().into(), self.host.now().try_into()?])?;
        if live >= LIVE_MAX {
            return Ok(false);
        }
        // Two ids of 48 random bits are not the same; if they were, the new key would not be admitted, and the old one
        // stays.
        if let Some(origin) = &key.origin {
            let values = vec![key.id.as_str().into(), origin.as_str().into()];
            self.run("INSERT OR IGNORE INTO service_key_origins (id, origin) VALUES (?, ?)", values)?;
        }
        let query = "INSERT OR IGNORE INTO service_keys (id, name, hash, last4, scopes, created_at, expires_at) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)";
        let mut values: Vec<SqlValue> =
            [key.id.into(), key.name, key.hash, key.last4, key.scopes].map(SqlValue::Text).into();
        let expires_at = key.expires_at.map(SqlValue::try_from).transpose()?;
        values.extend([key.created_at.try_into()?, expires_at.unwrap_or(SqlValue::Null)]);
        self.run(query, values)?;
        Ok(true)
    }

    /// The key of an id, if there is one.
    pub(super) fn find_key(&self, id: &ServiceKeyId) -> Result<Vec<ServiceKey>, Fault> {
        self.read_keys("WHERE id = ?", vec![id.as_str().into()])
    }

    /// All of them, the oldest first.
    pub(super) fn all_keys(&self) -> Result<Vec<ServiceKey>, Fault> {
        self.prune_keys()?;
        self.read_keys("", Vec::new())
    }

    /// The ids of those that are good.
    pub(super) fn good_keys(&self) -> Result<Vec<ServiceKeyId>, Fault> {
        let query = "SELECT id FROM service_keys WHERE ifnull(ends_at > ?, 1)";
        let rows = self.host.sql::<Row>(query, vec![self.host.now().try_into()?])?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Keeps a key that takes another's place. Done twice, it is as done once.
    pub(super) fn replace_key(&self, replace: ReplaceKey) -> Result<AddKeyReply, Fault> {
        let ReplaceKey { id, until, by } = replace;
        let now = self.host.now();
        let Some(old) = self.find_key(&id)?.into_iter().find(|key| key.status(now) == "active") else {
            return Ok(AddKeyReply::NoSuchKey);
        };
        if !self.add_key(ServiceKey { origin: Some(old.origin().clone()), ..by })? {
            return Ok(AddKeyReply::TooManyKeys);
        }
        let query = "UPDATE service_keys SET expires_at = ?1 WHERE id = ?2 AND ifnull(expires_at > ?1, 1)";
        self.run(query, vec![until.try_into()?, id.as_str().into()])?;
        Ok(AddKeyReply::Done)
    }

    /// Revokes a key, and gives it back. What was revoked before stays as it is.
    pub(super) fn revoke_key(&self, id: &ServiceKeyId) -> Result<Vec<ServiceKey>, Fault> {
        let query = "UPDATE service_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
        self.run(query, vec![self.host.now().try_into()?, id.as_str().into()])?;
        self.find_key(id)
    }

    /// Notes a use of a key, if there is one of that id.
    pub(super) fn key_used(&self, used: &KeyUsed) -> Result<KeyNoted, Fault> {
        let query = "INSERT INTO service_key_uses (id, at) SELECT id, ?2 FROM service_keys WHERE id = ?1 \
                     ON CONFLICT (id) DO UPDATE SET at = excluded.at WHERE excluded.at > at";
        self.run(query, vec![used.id.as_str().into(), used.at.try_into()?])?;
        Ok(KeyNoted::Done)
    }

    /// Rows as `SQLite` writes them in JSON: one call of the runtime's, and one way to read a key instead of two.
    fn read_keys(&self, which: &str, values: Vec<SqlValue>) -> Result<Vec<ServiceKey>, Fault> {
        let query = [
            "SELECT json_group_array(json_object('id', id, 'name', name, 'hash', hash, 'last4', last4, \
             'scopes', scopes, 'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at, \
             'last_used_at', (SELECT at FROM service_key_uses AS uses WHERE uses.id = service_keys.id), \
             'origin', (SELECT origin FROM service_key_origins AS lines WHERE lines.id = service_keys.id)) \
             ORDER BY created_at, id) AS json FROM service_keys ",
            which,
        ]
        .concat();
        let rows = self.host.sql::<Rows>(&query, values)?;
        Ok(base::json::read(&rows.first().ok_or("an aggregate that has no row")?.json)?)
    }

    fn prune_keys(&self) -> Result<(), Fault> {
        let now = self.host.now();
        let forgotten = now.minus(ENDED_KEPT).try_into()?;
        self.run("DELETE FROM service_keys WHERE ends_at < ?", vec![forgotten])?;
        let query = "DELETE FROM service_keys WHERE id IN \
                     (SELECT id FROM service_keys WHERE ends_at <= ? ORDER BY ends_at DESC LIMIT -1 OFFSET ?)";
        self.run(query, vec![now.try_into()?, SqlValue::Integer(ENDED_MAX.into())])?;
        for table in ["service_key_uses", "service_key_origins"] {
            let query = ["DELETE FROM ", table, " WHERE id NOT IN (SELECT id FROM service_keys)"].concat();
            self.run(&query, Vec::new())?;
        }
        Ok(())
    }
}
