//! What a user's object is told and asked, and what it answers to each.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

mod replies;

pub use replies::*;

use super::guess_protocol::{
    Attempt, AttemptDone, ChangePassword, CheckPassword, ForNobody, RequireNewPassword, Unlock,
};
use super::limit::Activity;
use super::password::HashParams;
use base::account::{Account, EndReason, Owner};
use base::commands;
use base::ids::{SessionId, UserId};
use base::rpc::{self, Address, Class};
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

/// The class of the objects of those who have sessions.
#[derive(Clone, Copy, Debug)]
pub struct UserObject;

impl rpc::Object for UserObject {
    const CLASS: Class = Class::User;
}

/// The object of whoever has sessions: of a user, by the canonical name, or of somebody externally authenticated.
pub fn owner_address(owner: Owner<'_>) -> Address<UserObject> {
    Address::name(owner.object())
}

commands! {
    UserObject:
    Login = "login" => LoginReply;
    Reserve = "reserve" => ReserveReply;
    Opened = "opened" => OpenedReply;
    Close = "close" => Done;
    Ending = "ending" => EndingReply;
    Synced = "synced" => Done;
    End = "end" => EndReply;
    Create = "create" => CreateReply;
    Update = "update" => UpdateReply;
    RemoveUser = "remove_user" => EndReply;
    unit Get = "get" => GetReply;
    ReadData = "read_data" => GetDataReply;
    PutData = "put_data" => PutDataReply;
    NotedAdmin = "noted_admin" => Done;
}

/// A command as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Login(Login),
    Reserve(Reserve),
    Admit(Admit),
    Opened(Opened),
    Close(Close),
    Ending(Ending),
    Synced(Synced),
    End(End),
    Create(Create),
    Update(Update),
    RemoveUser(RemoveUser),
    Get,
    ReadData(ReadData),
    PutData(PutData),
    ChangePassword(ChangePassword),
    CheckPassword(CheckPassword),
    RequireNewPassword(RequireNewPassword),
    Unlock(Unlock),
    Attempt(Attempt),
    AttemptDone(AttemptDone),
    NotedAdmin(NotedAdmin),
    /// As [`Envelope::RemoveUser`] and [`Envelope::ReadData`], without saying whose: from a Worker of the first release.
    Remove,
    GetData,
}

/// Checks the password and takes a place for a new session, or says that there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    #[serde(with = "secret::wire")]
    pub password: Secret,
    /// The client's address, as a keyed hash.
    pub address: String,
    pub session_id: SessionId,
    /// A session of the same user whose place the new one takes.
    #[serde(default)]
    pub replaces: Option<SessionId>,
    /// A device that the user has logged in from before, by a token of ours; in the place of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What it comes to if nobody has the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nobody: Option<ForNobody>,
    /// What a refusal costs at least, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<HashParams>,
    /// See [`Place::confirms`](super::Place::confirms).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirms: bool,
}

/// Takes a place at the limit, now that it is known how active each session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    pub session_id: SessionId,
    pub version: u64,
    pub activity: Vec<Activity>,
    #[serde(default)]
    pub replaces: Option<SessionId>,
    /// See [`Place::confirms`](super::Place::confirms).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirms: bool,
}

/// Takes a place for somebody externally authenticated. At the limit without `activity`: says who is to be asked for it
/// first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    pub account: Account,
    pub session_id: SessionId,
    #[serde(default)]
    pub activity: Vec<Activity>,
    #[serde(default)]
    pub replaces: Option<SessionId>,
    /// See [`Place::confirms`](super::Place::confirms).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirms: bool,
}

/// The first [`Admit`], before it is known who is how active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmitIfFree {
    pub account: Account,
    pub session_id: SessionId,
    pub replaces: Option<SessionId>,
}

impl rpc::Command for AdmitIfFree {
    type Object = UserObject;
    type Reply = AdmitIfFreeReply;

    fn to_json(&self) -> serde_json::Result<String> {
        let Self { account, session_id, replaces } = self.clone();
        let activity = Vec::new();
        rpc::enveloped("admit", &Admit { account, session_id, activity, replaces, confirms: true })
    }
}

/// The second, with what the sessions said that have a place: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmitKnowing(pub Admit);

impl rpc::Command for AdmitKnowing {
    type Object = UserObject;
    type Reply = AdmitKnowingReply;

    fn to_json(&self) -> serde_json::Result<String> {
        rpc::enveloped("admit", &self.0)
    }
}

/// The session is open, and knows the account as of this version. Its place is its own from now on, and whoever has to make
/// room for it is ended. May be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub session_id: SessionId,
    pub account_version: u64,
    /// KV has not taken the session's record, which then is to be written later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unrecorded: bool,
}

/// The session has ended, or was never opened: its place is free and nothing is left to do for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    pub session_id: SessionId,
}

/// Asks whether something is still to be done for a session that has ended: whether it has a place, or its end is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    pub session_id: SessionId,
}

/// The session knows the account as of this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    pub session_id: SessionId,
    /// Not said by a Worker of the first release; then the alarm tells the session once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_version: Option<u64>,
}

/// Ends sessions: the one named, or all but the one kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub only: Option<SessionId>,
    pub keep: Option<SessionId>,
    pub reason: EndReason,
    /// Whose. A name may be another user's by the time this arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// A name for it, so that its message ends nothing more when it comes once more, late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// The sessions that had a place when it was asked for. What is opened later is not meant, also where this message comes
    /// for the first time after that. A Worker of the release before does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Vec<SessionId>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    pub user_id: UserId,
    pub username: String,
    pub roles: Vec<String>,
    #[serde(with = "secret::wire")]
    pub password: Secret,
}

/// Changes what is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub roles: Option<Vec<String>>,
    pub is_active: Option<bool>,
    pub password: Option<NewPassword>,
    /// Whose. A name may be another user's by the time this arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The version of the account that this was decided for. If it is another one by now, nothing changes. A Worker of the
    /// release before does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// A name for the change, so that its message does nothing more when it comes once more, late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// The directory has agreed that the user is no admin from that version on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agreed: bool,
    /// The secret that this is done by, as a hash. It works once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// The removal of the user begins with it: nothing else changes the account from then on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removing: bool,
    /// Of what ends all sessions: those that had a place when it was asked for. If another one is open by now, nothing changes:
    /// whoever asked may have been told long ago that it failed. A Worker of the release before does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Vec<SessionId>>,
}

/// A password on its way to the object that hashes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewPassword(#[serde(with = "secret::wire")] pub Secret);

/// Takes the account of this user away and ends the sessions that are left. May be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveUser {
    pub user_id: UserId,
}

/// The directory knows whether the user is an active admin as of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedAdmin {
    pub account_version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Get;

/// Asks for the own document of this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadData {
    pub user_id: UserId,
}

/// Keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutData {
    pub json: String,
    /// Whose. Where the session is not asked, a token may outlive its user, and the name be another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}
