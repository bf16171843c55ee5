//! Typed KV. Every key is made here, with its prefix and its time to live; `docs/storage.md` lists them.

use crate::clock::{Timestamp, seconds_up};
use crate::session::tokens::{LEEWAY_SECONDS, access_jti};
use crate::session::{EndReason, Ended};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use worker::{Env, KvStore, Result};

const BINDING: &str = "KV";
const SESSION: &str = "session:";
const BLACKLIST: &str = "access_token_blacklist:";
/// Cloudflare KV refuses a shorter `expirationTtl`.
const TTL_SECONDS_MIN: u64 = 60;
/// Cloudflare KV lists at most this many keys at once.
pub const LIST_MAX: u64 = 1000;

/// What KV keeps of a live session. The session's object is the truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionRecord {
    pub user_id: u64,
    pub username: String,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
    pub device_name: Option<String>,
}

/// What a listing shows without a read of each record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionMetadata {
    pub user_id: u64,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
}

pub struct Kv(KvStore);

/// A page of session ids, and where the next one begins.
pub struct Page {
    pub session_ids: Vec<String>,
    pub cursor: Option<String>,
}

impl Kv {
    pub fn open(env: &Env) -> Result<Self> {
        env.kv(BINDING).map(Self)
    }

    pub async fn put_session(&self, id: &str, record: &SessionRecord, now: Timestamp) -> Result<()> {
        let metadata = SessionMetadata {
            user_id: record.user_id,
            created_at: record.created_at,
            absolute_expires_at: record.absolute_expires_at,
        };
        let ttl = ttl(record.absolute_expires_at.since(now));
        let value = serde_json::to_string(record)?;
        let put = self.0.put(&format!("{SESSION}{id}"), value)?.expiration_ttl(ttl).metadata(metadata)?;
        Ok(put.execute().await?)
    }

    pub async fn delete_session(&self, id: &str) -> Result<()> {
        Ok(self.0.delete(&format!("{SESSION}{id}")).await?)
    }

    pub async fn list_sessions(&self, limit: u64, cursor: Option<String>) -> Result<Page> {
        let mut list = self.0.list().prefix(SESSION.to_owned()).limit(limit.min(LIST_MAX));
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await?;
        let id = |name: &str| name.strip_prefix(SESSION).map(str::to_owned);
        Ok(Page {
            session_ids: page.keys.iter().filter_map(|k| id(&k.name)).collect(),
            cursor: page.cursor.filter(|_| !page.list_complete),
        })
    }

    /// Notes that a session has ended, for checks that ask only KV. Two keys: the id of its newest access token, as the
    /// old readers of KV expect, and the session's own, which covers every token of it that is still out.
    pub async fn blacklist(&self, session_id: &str, ended: &Ended, now: Timestamp) -> Result<()> {
        let left = ended.access_expires_at.since(now);
        if left.is_zero() {
            return Ok(());
        }
        let ttl = ttl(left + Duration::from_secs(LEEWAY_SECONDS));
        for id in [access_jti(session_id, ended.generation), session_id.to_owned()] {
            let put = self.0.put(&format!("{BLACKLIST}{id}"), ended.reason.as_str())?;
            put.expiration_ttl(ttl).execute().await?;
        }
        Ok(())
    }

    /// Why a session was ended, if KV has heard of it.
    pub async fn blacklisted(&self, session_id: &str) -> Result<Option<EndReason>> {
        let value = self.0.get(&format!("{BLACKLIST}{session_id}")).text().await?;
        // A reason that a newer release wrote is an end all the same.
        Ok(value.map(|v| serde_json::from_value(v.into()).unwrap_or(EndReason::Admin)))
    }
}

fn ttl(left: Duration) -> u64 {
    seconds_up(left).max(TTL_SECONDS_MIN)
}
