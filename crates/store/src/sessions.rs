//! KV's records of sessions: one key for each, which says first that it is live, and then that and why it has ended.

use crate::{Store, ttl};
use base::account::EndReason;
use base::clock::Timestamp;
use base::fault::Fault;
use base::ids::{SessionId, UserId};
use base::ports::{Key, Kv};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session::tokens::{LEEWAY_SECONDS, access_jti};
use session::{BEGINNING, Ended};
use std::time::Duration;

const SESSION: &str = "session:";
/// What says that a record is of an ended session, in it and in its metadata.
const ENDED: &str = "ended";
/// Cloudflare KV lists at most this many keys at once.
const LIST_MAX: u64 = 1000;
/// How often a list goes on for one page, where most of what it finds has ended.
const LISTS_MAX: u32 = 10;

/// What KV keeps of a live session. The session's object is the truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionRecord {
    pub user_id: UserId,
    pub username: String,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
    pub device_name: Option<String>,
    /// Not said by the release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Timestamp>,
}

impl SessionRecord {
    /// Whether it proves that the session has not ended some time ago. A new one may have been written late, over the note of the
    /// end: whoever has written it looks after it until then.
    pub fn is_proof(&self, now: Timestamp) -> bool {
        self.written_at.unwrap_or(self.created_at).plus(BEGINNING) <= now
    }
}

/// What KV says of a session.
#[derive(Clone, Debug)]
pub enum Record {
    Live(SessionRecord),
    Ended(EndReason),
    /// Nothing that can be read.
    None,
}

/// A page of session ids, and where the next one begins.
pub struct Page {
    pub session_ids: Vec<SessionId>,
    pub cursor: Option<String>,
}

fn key(id: &SessionId) -> String {
    [SESSION, id.as_str()].concat()
}

/// When none of its tokens is good any more, on any clock.
fn tokens_over_at(ended: &Ended) -> Timestamp {
    ended.tokens_expire_at.unwrap_or(ended.access_expires_at).plus(Duration::from_secs(LEEWAY_SECONDS))
}

impl<K: Kv> Store<'_, K> {
    pub async fn put_session(
        &self,
        id: &SessionId,
        record: &SessionRecord,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let metadata = json!({
            "user_id": record.user_id,
            "created_at": record.created_at,
            "absolute_expires_at": record.absolute_expires_at,
        });
        let ttl = ttl(record.absolute_expires_at.since(now));
        self.0.kv_put(&key(id), &serde_json::to_string(record)?, ttl, Some(&metadata)).await
    }

    pub async fn session(&self, id: &SessionId) -> Result<Record, Fault> {
        let Some(text) = self.0.kv_get(&key(id)).await? else { return Ok(Record::None) };
        let Ok(value) = base::json::read::<Value>(&text) else { return Ok(Record::None) };
        Ok(match value.get(ENDED) {
            // A reason that a newer release wrote is an end all the same.
            Some(reason) => Record::Ended(base::json::of(reason.clone()).unwrap_or(EndReason::Admin)),
            None => base::json::of(value).map_or(Record::None, Record::Live),
        })
    }

    /// Takes away the record of a session that nobody knows. What says why one has ended is left.
    pub async fn forget_session(&self, id: &SessionId) -> Result<(), Fault> {
        match self.session(id).await? {
            Record::Ended(_) => Ok(()),
            Record::Live(_) | Record::None => self.0.kv_delete(&key(id)).await,
        }
    }

    /// The sessions that KV does not say of that they have ended.
    pub async fn list_sessions(&self, limit: u64, mut cursor: Option<String>) -> Result<Page, Fault> {
        let is_live = |key: &Key| key.metadata.as_ref().is_none_or(|metadata| metadata.get(ENDED).is_none());
        let id = |key: &Key| key.name.strip_prefix(SESSION).map(SessionId::issued);
        let mut session_ids = Vec::new();
        for list in 0..LISTS_MAX {
            let missing = limit.saturating_sub(session_ids.len() as u64).min(LIST_MAX);
            if missing == 0 || (list > 0 && cursor.is_none()) {
                break;
            }
            match self.0.kv_list(SESSION, missing, cursor.as_deref()).await {
                Ok(page) => {
                    session_ids.extend(page.keys.iter().filter(|key| is_live(key)).filter_map(id));
                    cursor = page.cursor;
                }
                Err(error) if list == 0 => return Err(error),
                // The page ends here.
                Err(_) => break,
            }
        }
        Ok(Page { session_ids, cursor })
    }

    /// Writes that and why a session has ended in place of its record, until none of its tokens is good any more: without any
    /// name, and with the ids of the tokens that are void. Where there are no such tokens the record goes.
    pub async fn note_end(&self, id: &SessionId, ended: &Ended, now: Timestamp) -> Result<(), Fault> {
        if ended.account.is_none() {
            return self.forget_session(id).await;
        }
        let left = tokens_over_at(ended).since(now);
        if left.is_zero() {
            return self.0.kv_delete(&key(id)).await;
        }
        let record = json!({
            ENDED: ended.reason,
            "ended_at": ended.ended_at.unwrap_or(now),
            "blacklisted": [access_jti(id, ended.generation)],
        });
        self.0.kv_put(&key(id), &record.to_string(), ttl(left), Some(&json!({ ENDED: true }))).await
    }

    /// Whether KV has what [`Store::note_end`] writes.
    pub async fn is_end_noted(&self, id: &SessionId, ended: &Ended, now: Timestamp) -> Result<bool, Fault> {
        Ok(match self.session(id).await? {
            Record::Ended(_) => true,
            Record::Live(_) => false,
            Record::None => ended.account.is_none() || tokens_over_at(ended) <= now,
        })
    }
}
