//! What the Worker says to a user's object and what it answers.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::limit::Activity;
use super::state::{Slot, Task};
use base::account::{Account, EndReason};
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Checks the password and takes a place for a new session, or says that there is none.
    Login {
        #[serde(with = "secret::wire")]
        password: Secret,
        /// The client's address, as a keyed hash.
        address: String,
        session_id: String,
        /// A session of the same user whose place the new one takes.
        #[serde(default)]
        replaces: Option<String>,
    },
    /// Takes a place at the limit, now that it is known how active each session is.
    Reserve {
        session_id: String,
        version: u64,
        activity: Vec<Activity>,
        #[serde(default)]
        replaces: Option<String>,
    },
    /// Takes a place for somebody whom another system has logged in. At the limit without `activity`: says who is to be
    /// asked for it first.
    Admit {
        account: Account,
        session_id: String,
        #[serde(default)]
        activity: Vec<Activity>,
        #[serde(default)]
        replaces: Option<String>,
    },
    /// The session has ended, or was never opened: its place is free and nothing is left to do for it.
    Close {
        session_id: String,
    },
    /// The session knows the account as of this moment.
    Synced {
        session_id: String,
    },
    /// Ends sessions: the one named, or all but the one kept.
    End {
        only: Option<String>,
        keep: Option<String>,
        reason: EndReason,
    },
    Create {
        user_id: u64,
        username: String,
        roles: Vec<String>,
        #[serde(with = "secret::wire")]
        password: Secret,
    },
    Update {
        roles: Option<Vec<String>>,
        is_active: Option<bool>,
        password: Option<NewPassword>,
    },
    Remove,
    Get,
    GetData,
    PutData {
        json: String,
    },
}

/// A password on its way to the object that hashes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewPassword(#[serde(with = "secret::wire")] pub Secret);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A place is taken. Those who lost theirs are to be ended: evicted, and logged out by this login.
    Reserved {
        account: Account,
        evicted: Vec<String>,
        replaced: Option<String>,
    },
    /// The password is right and no place is free: say how active these are, and ask again with `Reserve`.
    AtLimit {
        version: u64,
        sessions: Vec<String>,
    },
    LimitExceeded {
        user_id: u64,
    },
    /// Wrong password or no such user; the answer is to be held back this long.
    Refused {
        delay_ms: u64,
        /// For the audit record only.
        #[serde(default)]
        user_id: Option<u64>,
    },
    /// Too many failures; the password was not looked at.
    Throttled {
        retry_after_ms: u64,
        /// For the audit record only.
        #[serde(default)]
        user_id: Option<u64>,
    },
    Inactive {
        user_id: u64,
    },
    /// These sessions are to be ended, or told of the account.
    Sessions {
        profile: Profile,
        sessions: Vec<String>,
        task: Option<Task>,
    },
    User(Profile),
    Data {
        json: Option<String>,
    },
    NoUser,
    Exists,
    Done,
    /// The password could not be hashed; nothing was changed.
    Failed,
}

/// A user as admins and the user see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub account: Account,
    pub is_active: bool,
    pub slots: Vec<Slot>,
}
