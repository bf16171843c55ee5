//! What a session's object is told and asked, and what it answers to each.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use super::{Account, Device, EndReason, ExternalToken};
use base::call::Refusal;
use base::clock::Timestamp;
use base::commands;
use base::ids::{SessionId, UserId};
use base::json::{self, Invalid};
use base::rpc::{self, Address, Class, Method};
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

/// The class of the objects of sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionObject;

impl rpc::Object for SessionObject {
    const CLASS: Class = Class::Session;
}

/// The object of a session. An id that its namespace could not have given ([`base::rpc::Peers::is_id`]) has none: it is a
/// session that nobody knows.
pub fn address(session_id: &SessionId) -> Address<SessionObject> {
    Address::id(session_id.as_str())
}

commands! {
    SessionObject:
    Open = "open" => OpenReply;
    Touch = "touch" => Presence;
    Rotate = "rotate" => RotateReply;
    Reauthenticate = "reauthenticate" => RotateReply;
    Revoke = "revoke" => Revoked;
    SetAccount = "set_account" => Acknowledgement;
    unit Peek = "peek" => Presence;
    unit Expire = "expire" => Presence;
    unit EndPropagated = "settled" => Acknowledgement;
    unit Unnoted = "unnoted" => Acknowledgement;
}

/// A command as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Open(Open),
    Touch(Touch),
    Rotate(Rotate),
    Reauthenticate(Reauthenticate),
    Revoke(Revoke),
    SetAccount(SetAccount),
    Peek,
    Expire,
    #[serde(rename = "settled")]
    EndPropagated,
    Unnoted,
}

impl Envelope {
    /// Reads a command. Each check of an access token is one [`Touch`], so that is read without a parsed value in between.
    pub fn read(json: &str) -> Result<Self, Invalid> {
        #[derive(Deserialize)]
        struct Check {
            touch: Touch,
        }
        if json.starts_with(r#"{"touch":"#)
            && let Ok(Check { touch }) = serde_json::from_str(json)
        {
            return Ok(Self::Touch(touch));
        }
        json::read(json)
    }
}

/// Begins the session and mints generation 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    pub account: Account,
    pub device: Device,
    /// Of somebody who is externally authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalToken>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_version: u64,
    /// Until when its place is reserved: a message that comes later opens nothing. A Worker of the release before does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde asks.
pub(super) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An access token of this generation was presented. A passive request does not move the activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    pub generation: u64,
    pub passive: bool,
}

/// A refresh token of this generation was presented, with this subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotate {
    pub generation: u64,
    pub user_id: UserId,
    /// A name for it, so that its message is no reuse when it comes once more, late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
}

/// The user has given the password again, in this session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reauthenticate {
    /// That of the access token: an older one is no reuse. A Worker of the release before says the session's when it was asked.
    pub generation: u64,
    pub user_id: UserId,
    /// When the password was found right. A message that comes late says no more than that.
    pub at: Timestamp,
    /// As of a [`Rotate`].
    pub change_id: String,
}

/// Ends the session. Also where it was never opened, so that it cannot be opened afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    pub reason: EndReason,
    /// The token of it that was presented. It was open once, then: where nobody knows it any more, nothing is to be kept of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Presented>,
}

/// A genuine token. Of another user's session, or of a generation that is still to come, there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    pub subject: String,
    pub generation: u64,
}

/// The user's roles have changed. What is older than the session knows changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAccount {
    pub account: Account,
    /// Only grows; 0 of an account that has not changed since the first release.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account_version: u64,
}

/// Asks without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek;

/// Ends the session if its time is over; asked by the alarm and by the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expire;

/// The user's list and KV have been told of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndPropagated;

/// KV has not taken the note of the end: its alarm tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unnoted;

/// A refresh token of a post-login session was presented: what an object does in more than one step. May be repeated:
/// what was done the first time is found done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    pub generation: u64,
    pub subject: String,
    /// Of the request that it came with, for the verification.
    pub request_id: String,
    /// As of a [`Rotate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
}

impl rpc::Command for Renewal {
    type Object = SessionObject;
    type Reply = RenewReply;
    const METHOD: Method = Method::Ask;

    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenReply {
    Tokens(Tokens),
    Ended(Ended),
    /// It is open, and not by this very command.
    Unknown,
}

/// Whether a session is live, to whoever touches it, asks, or looks whether its time is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Live(Live),
    /// It ended, now or earlier.
    Ended(Ended),
    /// No such session, or no such generation of it.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotateReply {
    Tokens(Tokens),
    Ended(Ended),
    /// An old refresh token came again; the session has been ended for it.
    Reused(Ended),
    /// No such session, or no such generation of it.
    Unknown,
}

/// It has ended, now or earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    pub ended: Ended,
    /// It goes on: the token is not one of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_foreign: bool,
}

/// What is said to what changes nothing but what the object knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledgement {
    Done,
    Ended(Ended),
    /// No such session, or not one that this could be said of.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewReply {
    Tokens(Tokens),
    Ended(Ended),
    /// An old refresh token came again; the session has been ended for it.
    Reused(Ended),
    /// No such session, or no such generation of it.
    Unknown,
    /// The other system does not vouch for the user any more; the session has been ended for it.
    #[serde(rename = "disowned")]
    ExternalTokenRejected {
        ended: Ended,
        expired: bool,
    },
    /// The other system could not be asked. Nothing has changed.
    Unverified(Refusal),
    /// The session's channel is not configured, or not any more.
    NoChannel(String),
    /// Nobody can verify for the session's channel.
    NoVerifier,
    /// The settings of the channel's verifier are missing.
    NotSetUp,
}

/// Tokens of the current generation, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    pub pair: Pair,
    pub account: Account,
}

/// The two tokens of one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    #[serde(with = "secret::wire")]
    pub access: Secret,
    #[serde(with = "secret::wire")]
    pub refresh: Secret,
    pub access_expires_at: Timestamp,
    /// What `expires_in` counts from: the moment of the answer, or of the first answer while the grace lasts,
    /// so that racing callers get the same answer to the byte.
    #[serde(default)]
    pub counted_from: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub account: Account,
    pub generation: u64,
    pub last_activity: Timestamp,
    pub idle_expires_at: Timestamp,
    pub absolute_expires_at: Timestamp,
    pub created_at: Timestamp,
    /// When it ends however active it is, if nobody renews it. Not sent with the answer to a touch, which is the fast path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_ends_at: Option<Timestamp>,
    /// Not sent with the answer to a touch either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
}

impl Live {
    /// When it ends if nothing more comes of its user.
    pub fn expires_at(&self) -> Timestamp {
        self.idle_expires_at.min(self.lifetime_ends_at.unwrap_or(self.absolute_expires_at))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub reason: EndReason,
    pub account: Option<Account>,
    pub generation: u64,
    pub access_expires_at: Timestamp,
    /// Whether this very command ended it.
    pub now: bool,
    /// Whether the user's list and KV have been told.
    #[serde(rename = "settled")]
    pub end_propagated: bool,
    /// Not said by an object of the release before, as the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When none of its tokens is good any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_expire_at: Option<Timestamp>,
}

impl Ended {
    /// Of a session that nobody knows any more.
    pub fn long_ago(reason: EndReason) -> Self {
        Self {
            reason,
            account: None,
            generation: 0,
            access_expires_at: Timestamp::default(),
            now: false,
            end_propagated: true,
            ended_at: None,
            tokens_expire_at: None,
        }
    }
}

impl From<Ended> for OpenReply {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Ended> for Presence {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Ended> for RotateReply {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Ended> for Revoked {
    fn from(ended: Ended) -> Self {
        Self { ended, is_foreign: false }
    }
}

impl From<Ended> for Acknowledgement {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<RotateReply> for RenewReply {
    fn from(reply: RotateReply) -> Self {
        match reply {
            RotateReply::Tokens(tokens) => Self::Tokens(tokens),
            RotateReply::Ended(ended) => Self::Ended(ended),
            RotateReply::Reused(ended) => Self::Reused(ended),
            RotateReply::Unknown => Self::Unknown,
        }
    }
}

impl From<Ended> for RenewReply {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}
