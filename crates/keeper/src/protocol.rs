//! What the Worker says to an account's object and what it answers.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::history::Entry;
use super::state::{Check, Health, Source};
use base::call::Code;
pub use base::call::{By, Refusal};
use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

/// Something to do upstream. The names stand in histories and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A good token, by whatever the provider has for it.
    Renew,
    /// A token from scratch.
    Obtain,
    /// A new token, although the held one may be good.
    Refresh,
    /// Asks whether the held token is accepted.
    Check,
    /// Takes over a token that was given, if it is accepted.
    Adopt,
    /// Changes an authorization code for a token.
    Exchange,
    /// Asks the account's owner to approve a new token.
    Request,
}

impl Operation {
    pub const fn action(self) -> &'static str {
        match self {
            Self::Renew => "renew_token",
            Self::Obtain => "obtain_token",
            Self::Refresh => "refresh_token",
            Self::Check => "check_token",
            Self::Adopt => "update_token",
            Self::Exchange => "exchange_code",
            Self::Request => "request_token",
        }
    }

    /// Whether it ends in a token that everybody may have: then whoever asks meanwhile waits for it.
    pub const fn gets(self) -> bool {
        matches!(self, Self::Renew | Self::Obtain | Self::Refresh)
    }
}

/// An operation with its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Renew,
    Obtain,
    Refresh,
    Check,
    Adopt {
        #[serde(with = "secret::wire")]
        token: Secret,
        expires_at: Option<Timestamp>,
        source: Source,
        /// The user that it has to belong to, if that is known.
        user_id: Option<String>,
    },
    Exchange {
        #[serde(with = "secret::wire")]
        code: Secret,
        redirect_uri: Option<String>,
    },
    Request,
}

impl Task {
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Renew => Operation::Renew,
            Self::Obtain => Operation::Obtain,
            Self::Refresh => Operation::Refresh,
            Self::Check => Operation::Check,
            Self::Adopt { .. } => Operation::Adopt,
            Self::Exchange { .. } => Operation::Exchange,
            Self::Request => Operation::Request,
        }
    }
}

/// A command, for the account that the object is named by: an object is not told its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub provider: String,
    pub account: String,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A token that is valid now and, if a renewal can bring that about, for `min_ttl_seconds`.
    Token {
        min_ttl_seconds: u64,
        /// KV's copy could not be read: it is to be written anew.
        #[serde(default)]
        rewrite: bool,
        by: By,
    },
    /// Does something upstream now.
    Order {
        task: Task,
        by: By,
    },
    Status,
    History,
    /// The Cron Trigger looks after the account: sets a lost alarm again, seals anew what an old key sealed. With
    /// `daily`, a renewal is due within `spread_millis`.
    Look {
        #[serde(default)]
        daily: bool,
        #[serde(default)]
        spread_millis: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Token(Issued),
    /// The task is done; what the account is like now.
    Done(Status),
    Status(Status),
    History(Vec<Entry>),
    Refused(Refusal),
    /// This deployment has no such account.
    NoAccount,
}

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
}
