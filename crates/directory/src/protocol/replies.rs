//! What a user's object answers.

use crate::guess_protocol::{Refused, Throttled};
use crate::state::{Slot, Task, is_zero};
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginReply {
    Reserved(Reserved),
    /// The password is right and no place is free: say how active these are, and ask again with [`Reserve`](super::Reserve).
    AtLimit(AtLimit),
    Refused(Refused),
    /// Too many failures; the password was not looked at.
    Throttled(Throttled),
    Inactive {
        user_id: UserId,
    },
    /// The password is right, and has to be changed first.
    MustChangePassword {
        user_id: UserId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReserveReply {
    Reserved(Reserved),
    LimitExceeded {
        user_id: UserId,
    },
    /// The user has changed since the login began.
    Refused(Refused),
    Inactive {
        user_id: UserId,
    },
}

/// Of [`AdmitReply`] what comes of asking first, for somebody who is no user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmitIfFreeReply {
    Reserved(Reserved),
    AtLimit(AtLimit),
}

/// And of asking again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmitKnowingReply {
    Reserved(Reserved),
    LimitExceeded { user_id: UserId },
}

/// All that the object can answer to an [`Admit`](super::Admit), whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdmitReply {
    Reserved(Reserved),
    /// No place is free: say how active these are, and ask again.
    AtLimit(AtLimit),
    LimitExceeded {
        user_id: UserId,
    },
    /// The account is a user's, who needs a password.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReply {
    Sessions(AffectedSessions),
    NoUser,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateReply {
    User(Profile),
    Exists,
    /// The password could not be hashed; nothing was changed.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateReply {
    Sessions(AffectedSessions),
    NoUser,
    /// The password could not be hashed; nothing was changed.
    Failed,
    /// The account is not of the expected version any more; nothing was changed.
    Changed,
    /// It takes an active admin away: ask the directory whether it may be as of the expected version, and come again with
    /// its agreement. Nothing was changed.
    AskDirectory,
    /// The secret has done its work; nothing was changed.
    ResetUsed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetReply {
    User(Profile),
    NoUser,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetDataReply {
    Data { json: Option<String> },
    NoUser,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutDataReply {
    Done,
    NoUser,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedReply {
    /// The place is the session's. These are to be ended.
    Kept { displaced: Vec<Displaced> },
    /// The account has changed since the place was reserved: tell the session, and say [`Opened`](super::Opened) again.
    Changed { account: Account, account_version: u64 },
    /// The place was taken away meanwhile. The session is to be ended.
    Gone,
}

/// A session that lost its place to a new one, and why: at the limit, or because the new one was to replace it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displaced {
    pub session_id: SessionId,
    pub reason: EndReason,
}

/// What can only be answered in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Done,
}

/// A place is reserved. Nobody has lost theirs yet: that is for [`Opened`](super::Opened) to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    pub account: Account,
    /// Those whom an object of the first release has taken off its list: evicted, and logged out by this login.
    #[serde(default)]
    pub evicted: Vec<SessionId>,
    #[serde(default)]
    pub replaced: Option<SessionId>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_version: u64,
    /// Whether the object is to hear [`Opened`](super::Opened). One of the first release does not know it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
    /// Until when the session may open. An object of the release before does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// No place is free; these have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtLimit {
    pub version: u64,
    /// Those first that are known to have been active least lately.
    pub sessions: Vec<SessionId>,
    /// When each was active last, as far as that is known: by now it may be later. Not said by an object of the release before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingReply {
    /// All that was to be done for the end is done.
    Told,
    Untold,
}

/// These sessions are to be ended, or told of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedSessions {
    pub profile: Profile,
    pub sessions: Vec<SessionId>,
    pub task: Option<Task>,
}

/// A user as admins and the user see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub account: Account,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_version: u64,
    pub is_active: bool,
    /// Whether the next login asks for a new password.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_change_password: bool,
    pub slots: Vec<Slot>,
}
