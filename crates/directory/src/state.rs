//! What a user's object keeps. The stored form is JSON; fields are only ever added, with a default.

use super::attempts::Attempts;
use super::throttle::Throttle;
use super::under_way::UnderWay;
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Nobody, where a name was only tried.
    #[serde(default)]
    pub profile: Option<Stored>,
    #[serde(default)]
    pub slots: Vec<Slot>,
    /// What has been decided for sessions and is not known to be done.
    #[serde(default)]
    pub pending: Vec<Pending>,
    #[serde(default)]
    pub throttle: Throttle,
    /// Who had the name last, for as long as what was meant for them may still come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// Whether the user gets no session before the password is another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_change_password: bool,
    /// Of an address, and not of a user: the logins that it tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Attempts>,
    /// Set while the directory is to be told whether the user is an active admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_sync: Option<AdminSync>,
    /// Sessions whose record KV may not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrecorded: Vec<Unrecorded>,
    /// What was changed a short while ago.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// In memory only: that it changes is no reason to write.
    #[serde(skip)]
    pub under_way: UnderWay,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminSync {
    /// When the object's alarm does it, if nobody has.
    pub due: Timestamp,
    /// Whether the directory may have agreed that the user is none from the account's version on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    #[serde(default, skip_serializing_if = "is_untried")]
    pub tries: u32,
}

impl AdminSync {
    pub const fn new(due: Timestamp) -> Self {
        Self { due, asked: false, tries: 0 }
    }
}

/// A session whose record is to be written to KV; or deleted there, if it has ended by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unrecorded {
    pub session_id: SessionId,
    pub due: Timestamp,
    #[serde(default, skip_serializing_if = "is_untried")]
    pub tries: u32,
}

/// A change that was made, by the name that its message has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub change_id: String,
    pub task: Option<Task>,
    pub forgotten_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub user_id: UserId,
    pub forgotten_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub account: Account,
    pub is_active: bool,
    /// An Argon2id PHC string.
    pub password: String,
    /// Counts changes of password and of `is_active`: a login that began before one does not outlive it.
    pub version: u64,
    /// Counts changes of what is here. It begins with the time, so that it does not fall when a name is given again, and only
    /// grows: of two that a session is told, the higher one is true.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_version: u64,
    /// Whether the directory has been told by this release or a later one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
    /// The secret by which the user was last made an admin again, as a hash: it works once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// The removal has begun. It is only finished, and not undone: the name may be off the directory's list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removing: bool,
}

impl Stored {
    /// An active account, as it begins.
    pub const fn new(account: Account, password: String, version: u64) -> Self {
        Self {
            account,
            is_active: true,
            password,
            version,
            account_version: version,
            noted: false,
            reset: None,
            removing: false,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde asks.
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde asks.
fn is_untried(tries: &u32) -> bool {
    *tries == 0
}

/// A place among the user's live sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub session_id: SessionId,
    pub created_at: Timestamp,
    /// The session cannot live longer than this, whatever happens.
    pub expires_at: Timestamp,
    /// A place is first reserved. If its session is not there at this time, the login failed and the place is free. It is stored
    /// only for a Worker that may not say that the session is open.
    pub reserved_until: Option<Timestamp>,
    /// Who makes room for it once its session is open: those idle longest, the first ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evicts: Vec<SessionId>,
    /// The session that it then replaces in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SessionId>,
    /// When it was active last, as it said when it was asked: it may have been since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
}

impl Slot {
    /// When the session was active last, as far as that is known.
    pub fn known_activity(&self) -> Timestamp {
        self.active_at.unwrap_or_default().max(self.created_at)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub session_id: SessionId,
    pub task: Task,
    /// When the object's alarm does it, if whoever asked for it has not.
    pub due: Timestamp,
    /// How often the alarm has tried.
    #[serde(default, skip_serializing_if = "is_untried")]
    pub tries: u32,
    /// The place that it has lost to a new session. If that one is not there after all, its login has failed, and nobody may
    /// be logged out by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Box<LostPlace>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostPlace {
    /// The new session.
    pub to: SessionId,
    pub slot: Slot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    End(EndReason),
    /// Tell the session of the account as it is now.
    Sync,
}
