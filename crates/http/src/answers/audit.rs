//! The audit trail.

use super::Time;
#[cfg(not(target_arch = "wasm32"))]
use crate::log::Changed;
#[cfg(not(target_arch = "wasm32"))]
use base::ids::UserId;
use serde::Serialize;
use serde_json::Value;

/// A page of the trail.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct AuditTrail {
    /// The newest first.
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "Vec<AuditRecord>"))]
    pub records: Vec<Value>,
    /// For the next page, of older records; null on the last one.
    pub next_cursor: Option<String>,
    /// Since when the trail has all records that have reached it: 24 hours ago, or since it began, or since the last records were
    /// dropped for want of room. Null where it has none yet.
    pub complete_since: Option<Time>,
    /// How many records of the time that is asked for are known to be missing: too many at once, or their object could not be reached.
    pub left_out: u64,
    /// There where parts of the trail could not be asked: those parts. Their records are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<String>,
}

/// A record, with the members that its log line has. Texts are cut after 200 characters. It is passed on as it is stored; this is what
/// the docs say of it.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Serialize, schemars::JsonSchema)]
pub struct AuditRecord {
    /// Of this copy. A record that was stored twice is there once.
    pub id: String,
    pub at: Time,
    /// What was done; of an alert about an upstream token, the type of its event.
    pub action: String,
    /// `ok`, or a code.
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The user who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// The user to whom it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The client's, of a request; the page's, of a failed step at a portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The service that did it, or the service key to which it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The upstream account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Somebody externally authenticated, as a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What was changed about a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// How many sessions it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u64>,
    /// How a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Calls to an upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// When the upstream's token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// What is wrong with the settings of an upstream account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The login at a portal, as a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portal_login: Option<String>,
    /// What was run at a portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Where that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}
