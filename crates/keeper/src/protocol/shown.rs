//! What is told of an account: its token, to whoever may have it, and what it is like.

use crate::state::{Check, Health, Source};
use base::call::Code;
use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

/// A token for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    #[serde(with = "secret::wire")]
    pub token: Secret,
    pub obtained_at: Timestamp,
    pub expires_at: Timestamp,
    /// The lifetime as the upstream gave it, in seconds, if it did.
    #[serde(default)]
    pub expires_in: Option<u64>,
    pub source: Source,
    #[serde(default)]
    pub updated_by: Option<String>,
    /// Until when a copy of it may be given out without asking the object: before it is renewed, and before it expires.
    #[serde(default)]
    pub copy_until: Timestamp,
    /// A keyed hash of the identity that it is of, as a copy is not given out for another one. Empty in copies of a release that
    /// did not write it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
}

/// What an account is like; never the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub health: Health,
    pub failed: bool,
    pub obtained_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub expires_in: Option<u64>,
    pub source: Option<Source>,
    pub check: Option<Check>,
    pub user_id: Option<String>,
    pub error: Option<Fault>,
    pub next_renewal_at: Option<Timestamp>,
    pub approval_until: Option<Timestamp>,
    /// The end of a token that lives longer than the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// The key that the stored token is sealed under.
    pub kid: Option<String>,
}

/// The last error, while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub code: Code,
    pub status: Option<u16>,
    pub at: Timestamp,
    pub failures: u32,
    /// The first of them. Not said by an object of the release before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What is wrong with the settings of the account, by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
