//! The last operations of an account: what, who, how it went. Nothing secret.

use super::protocol::Operation;
use base::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// How many are kept.
pub const ENTRIES_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub operation: Operation,
    /// `ok`, or a code.
    pub outcome: String,
    /// `key:` and the name of a service key, `alarm`, `cron`, `notifier`, or `local`.
    pub who: String,
    pub request_id: String,
    /// Calls to the upstream.
    pub calls: u32,
    /// What the upstream answered last, where that was a refusal.
    #[serde(default)]
    pub status: Option<u16>,
    /// When the token that was got expires.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Adds an entry, oldest first, and drops what is too much.
pub fn push(entries: &mut Vec<Entry>, entry: Entry) {
    entries.push(entry);
    let surplus = entries.len().saturating_sub(ENTRIES_MAX);
    entries.drain(..surplus);
}
