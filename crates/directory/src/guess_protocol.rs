//! What the objects of users and of clients' addresses are told about passwords that are tried and changed, and what they
//! answer. New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use super::password::HashParams;
use super::protocol::{AffectedSessions, Done, GetReply, NewPassword, UserObject};
use base::commands;
use base::ids::{SessionId, UserId};
use base::rpc::{self, Address};
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

commands! {
    UserObject:
    RequireNewPassword = "require_new_password" => GetReply;
    Unlock = "unlock" => Done;
}

/// The object of a client's address, as a keyed hash.
pub fn client_address(address: &str) -> Address<UserObject> {
    Address::name(format!("address/{address}"))
}

/// To the object of a client's address: it is about to try a password for this name. What became of it is said by
/// [`AttemptDone`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// As a keyed hash.
    pub name: String,
    /// How many failures an address may have.
    pub limit: u32,
    /// It counts as a failure of the address until it is given back. A Worker of the release before says afterwards what has
    /// failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reserves: bool,
    /// What becomes of it is said in any case, so that it is counted in memory until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reports: bool,
}

impl rpc::Command for Attempt {
    type Object = UserObject;
    type Reply = AttemptReply;
    /// It would count twice.
    const REPEATABLE: bool = false;

    fn to_json(&self) -> serde_json::Result<String> {
        rpc::enveloped("attempt", self)
    }
}

/// To the same object: the password was wrong, or it was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptDone {
    /// Empty if the password was not looked at: then no name's failures are forgotten.
    pub name: String,
    pub failed: bool,
    pub limit: u32,
    /// What the attempt has reserved was no failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_back: bool,
    /// What became of an attempt that is counted in memory. Then the name is always there, and the two above say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The password was wrong.
    Failed,
    Right,
    /// It was not looked at, or nobody knows.
    Open,
}

impl rpc::Command for AttemptDone {
    type Object = UserObject;
    type Reply = Done;
    /// It would count twice.
    const REPEATABLE: bool = false;

    fn to_json(&self) -> serde_json::Result<String> {
        rpc::enveloped("attempt_done", self)
    }
}

/// Forgets the failures of a user's logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    pub user_id: UserId,
}

/// Puts a new password in place of the old one, for whoever knows that, and ends the sessions but the one that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    #[serde(with = "secret::wire")]
    pub old: Secret,
    pub new: NewPassword,
    /// The client's address, as a keyed hash.
    pub address: String,
    /// Whose, if a session says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<SessionId>,
    /// What it comes to if nobody has the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nobody: Option<ForNobody>,
    /// What a refusal costs at least, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<HashParams>,
    /// The sessions that had a place when it was asked for. If another one is open by now, nothing changes: its user may have been
    /// told long ago that it failed, and have logged in with the old password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Vec<SessionId>>,
}

impl rpc::Command for ChangePassword {
    type Object = UserObject;
    type Reply = ChangePasswordReply;
    /// What was done the first time makes the old password a wrong one.
    const REPEATABLE: bool = false;

    fn to_json(&self) -> serde_json::Result<String> {
        rpc::enveloped("change_password", self)
    }
}

/// Whether this is the password of a user who has a session already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPassword {
    #[serde(with = "secret::wire")]
    pub password: Secret,
    pub user_id: UserId,
    /// The client's address, as a keyed hash.
    pub address: String,
    /// As of a login.
    pub device: Option<String>,
    /// What a refusal costs at least, if that is known.
    pub refusal: Option<HashParams>,
}

impl rpc::Command for CheckPassword {
    type Object = UserObject;
    type Reply = CheckPasswordReply;
    /// A failure would count twice.
    const REPEATABLE: bool = false;

    fn to_json(&self) -> serde_json::Result<String> {
        rpc::enveloped("check_password", self)
    }
}

/// Whether the user gets no session before the password is another one. The answer says whether it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequireNewPassword {
    pub user_id: UserId,
    pub required: bool,
    /// The version of the account that this was decided for. If it is another one by now, nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptReply {
    Allowed(ForNobody),
    /// The address has failed too often, whoever it was at.
    Throttled(Throttled),
}

/// What is answered where nobody has a name: as long after as many failures, and as late, as somebody's object would have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForNobody {
    /// How long the address has to wait with this name, if it does.
    pub wait_ms: Option<u64>,
    /// How long a refusal is held back.
    pub delay_ms: u64,
    /// The attempt is counted in memory: what becomes of it is to be said in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_memory: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangePasswordReply {
    /// These are to be ended.
    Changed(AffectedSessions),
    Refused(Refused),
    /// Too many failures; the password was not looked at.
    Throttled(Throttled),
    Inactive {
        user_id: UserId,
    },
    /// Not the user whose session said so, any more.
    NoUser,
    /// The password could not be hashed; nothing was changed.
    Failed,
    /// A session has been opened since it was asked for; nothing was changed.
    Overtaken,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckPasswordReply {
    Right,
    Refused(Refused),
    /// Too many failures; the password was not looked at.
    Throttled(Throttled),
    Inactive,
    /// It is right, and has to be another one first.
    MustChangePassword,
    /// Not the user whose session said so, any more.
    NoUser,
}

/// Wrong password or no such user; the answer is to be held back this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub delay_ms: u64,
    /// For the audit record only.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// What the stored hash was made with, if that costs more than a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dearer: Option<HashParams>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttled {
    pub retry_after_ms: u64,
    /// For the audit record only.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Some that are counted are not decided yet: they may be given back in a moment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
}
