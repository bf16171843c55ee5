//! The directory's table of service keys.

use super::directory::{Count, number};
use ::directory::service_key::ServiceKey;
use base::clock::Timestamp;
use serde::Deserialize;
use std::time::Duration;
use worker::{Result, SqlStorage, SqlStorageValue};

/// How many keys may be good at once: far more than there are services, and few enough to list in one answer.
const LIVE_MAX: u32 = 1000;
/// How many keys that are not good any more are kept besides, so that the list is bounded: the latest.
const ENDED_MAX: u32 = 1000;
/// How long such a key is still listed.
const ENDED_KEPT: Duration = Duration::from_hours(30 * 24);

/// Makes the table. `ends_at` is when a key was revoked or expires, whichever is first.
pub fn open(sql: &SqlStorage) -> Result<()> {
    sql.exec(
        "CREATE TABLE IF NOT EXISTS service_keys \
         (id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, last4 TEXT NOT NULL, scopes TEXT NOT NULL, \
         created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, \
         ends_at INTEGER AS (coalesce(min(revoked_at, expires_at), revoked_at, expires_at)))",
        None,
    )?;
    Ok(())
}

/// Keeps a new key; says whether there was room. Done twice, it is there once.
pub fn add(sql: &SqlStorage, key: ServiceKey, now: Timestamp) -> Result<bool> {
    prune(sql, now)?;
    let query = "SELECT count(*) AS n FROM service_keys WHERE id <> ? AND ifnull(ends_at > ?, 1)";
    let live = sql.exec(query, vec![key.id.as_str().into(), time(now)])?.one::<Count>()?.n;
    if live >= LIVE_MAX {
        return Ok(false);
    }
    // Two ids of 48 random bits are not the same; if they were, the new key would not be admitted, and the old one stays.
    let query = "INSERT OR IGNORE INTO service_keys (id, name, hash, last4, scopes, created_at, expires_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)";
    let mut values: Vec<SqlStorageValue> =
        [key.id, key.name, key.hash, key.last4, key.scopes].map(SqlStorageValue::String).into();
    values.extend([time(key.created_at), key.expires_at.map_or(SqlStorageValue::Null, time)]);
    sql.exec(query, values)?;
    Ok(true)
}

/// The key of an id, if there is one.
pub fn find(sql: &SqlStorage, id: &str) -> Result<Vec<ServiceKey>> {
    read(sql, "WHERE id = ?", vec![id.into()])
}

/// All of them, the oldest first.
pub fn list(sql: &SqlStorage, now: Timestamp) -> Result<Vec<ServiceKey>> {
    prune(sql, now)?;
    read(sql, "", Vec::new())
}

#[derive(Deserialize)]
struct Rows {
    json: String,
}

/// Rows as `SQLite` writes them in JSON: one call of the runtime's, and one way to read a key instead of two.
fn read(sql: &SqlStorage, which: &str, values: Vec<SqlStorageValue>) -> Result<Vec<ServiceKey>> {
    let query = [
        "SELECT json_group_array(json_object('id', id, 'name', name, 'hash', hash, 'last4', last4, 'scopes', scopes, \
         'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at) ORDER BY created_at, id) \
         AS json FROM service_keys ",
        which,
    ]
    .concat();
    let rows: Rows = sql.exec(&query, values)?.one()?;
    Ok(serde_json::from_str(&rows.json)?)
}

/// Revokes a key, and gives it back. What was revoked before stays as it is.
pub fn revoke(sql: &SqlStorage, id: &str, now: Timestamp) -> Result<Vec<ServiceKey>> {
    let query = "UPDATE service_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
    sql.exec(query, vec![time(now), id.into()])?;
    find(sql, id)
}

fn prune(sql: &SqlStorage, now: Timestamp) -> Result<()> {
    sql.exec("DELETE FROM service_keys WHERE ends_at < ?", vec![time(now.minus(ENDED_KEPT))])?;
    let query = "DELETE FROM service_keys WHERE id IN \
                 (SELECT id FROM service_keys WHERE ends_at <= ? ORDER BY ends_at DESC LIMIT -1 OFFSET ?)";
    sql.exec(query, vec![time(now), number(ENDED_MAX.into()).unwrap_or(SqlStorageValue::Null)])?;
    Ok(())
}

fn time(at: Timestamp) -> SqlStorageValue {
    // No time that is made here is beyond what JavaScript holds exactly.
    number(at.millis()).unwrap_or(SqlStorageValue::Null)
}
