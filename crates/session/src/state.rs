//! What a session's object keeps. The stored form is JSON; fields are only ever added, with a default.

use super::decide::propagate_again;
use super::events::Outbox;
use super::{Account, EndReason, Policy, TOMBSTONE};
use base::clock::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::time::Duration;

/// What the client said of itself at login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub name: Option<String>,
    pub user_agent: Option<String>,
    /// Whether the login came without a token of an earlier one, where somebody is told of that.
    #[serde(default, rename = "new", skip_serializing_if = "Option::is_none")]
    pub is_new: Option<bool>,
}

/// What one generation of tokens stands for: everything that is in them and can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub generation: u64,
    pub issued_at: Timestamp,
    pub access_expires_at: Timestamp,
    pub refresh_expires_at: Timestamp,
    /// When the user last proved who they are, as the access token says it. A grant of the release before has no such time, nor has its
    /// token: the session's beginning stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<Timestamp>,
}

/// The last rotation, for as long as the refresh token before it may come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    pub at: Timestamp,
    /// Whether a token of the new generation has been seen in use.
    pub confirmed: bool,
    /// Where the release before keeps the pair, sealed. It follows from the grant, and is made again from that; to the release
    /// before, an empty one is a fault that goes with the next rotation.
    #[serde(default)]
    pub pair: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub account: Account,
    /// How recent the account is.
    #[serde(default, skip_serializing_if = "super::protocol::is_zero")]
    pub account_version: u64,
    pub device: Device,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
    pub last_activity: Timestamp,
    pub grant: Grant,
    pub rotation: Option<Rotation>,
    /// What the last refreshes were named: of a message that comes once more, late, it is known that it is no reuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refreshes: Vec<String>,
    /// The channel that its user came by, if another system logged them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What is still to be told, where somebody wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Box<Outbox>>,
    /// The activity that storage holds, so that writing it can be throttled.
    #[serde(skip)]
    pub stored_activity: Timestamp,
    /// How much later the last activity may have been than we know, after an eviction.
    #[serde(skip)]
    pub unknown_activity: Duration,
}

/// What is left of an ended session: enough to say why, and to finish cleaning up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    pub reason: EndReason,
    pub ended_at: Timestamp,
    /// Nobody, if it ended before it was opened. Without name and roles once nobody is to be told of the end any more.
    pub account: Option<Account>,
    pub generation: u64,
    pub access_expires_at: Timestamp,
    /// Whether the user's list and KV have been told.
    #[serde(rename = "settled")]
    pub end_propagated: bool,
    /// If the session had just begun: until then what its beginning has sent, to here or to KV, may come late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// When none of its tokens is good any more, access or refresh. Not known of what the release before has ended, which KV does
    /// not say the reason of either: that is kept for [`TOMBSTONE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_expire_at: Option<Timestamp>,
    /// KV has not taken the note of the end, and its owner's list need not wait for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnoted: bool,
    /// What is still to be told, where somebody wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Box<Outbox>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    Live(Box<Session>),
    Ended(Tombstone),
}

/// By hand: the derived one reads all that is in them in a second way, 20 KiB of wasm.
impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value.get("state").and_then(Value::as_str) {
            Some("live") => base::json::of(value).map(Self::Live),
            Some("ended") => base::json::of(value).map(Self::Ended),
            _ => return Err(D::Error::custom("state: neither live nor ended")),
        }
        .map_err(D::Error::custom)
    }
}

impl State {
    /// A state that has just been read from storage, by an object that lost its memory.
    #[must_use]
    pub fn recovered(mut self, policy: &Policy) -> Self {
        if let Self::Live(session) = &mut self {
            session.stored_activity = session.last_activity;
            session.unknown_activity = policy.activity_write();
        }
        self
    }

    /// When the alarm of a recovered object is due at the latest.
    pub fn alarm(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        match self {
            Self::Live(session) => session.over_at(policy),
            Self::Ended(tombstone) => tombstone.alarm(policy, now),
        }
    }
}

impl Tombstone {
    /// How long it is needed once its end has been told: until no opening can come late. From then on KV says why it ended.
    pub fn needed_until(&self) -> Timestamp {
        let forgotten_at = self.ended_at.plus(TOMBSTONE);
        self.again_at.unwrap_or(if self.tokens_expire_at.is_some() { self.ended_at } else { forgotten_at })
    }

    /// When its alarm is due at the latest. Whoever has ended it tells of it: that is soon enough to see whether they have.
    pub fn alarm(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let is_of_before = self.tokens_expire_at.is_none();
        if is_of_before && self.end_propagated {
            return self.needed_until();
        }
        let named = self.account.is_some() && !self.end_propagated;
        let told_at = self.ended_at.plus(policy.told_within);
        let at = if named { told_at } else { self.again_at.unwrap_or(told_at) };
        if is_of_before || self.unnoted || at <= now { propagate_again(self.ended_at, now) } else { at }
    }

    /// When an end that could not be told is told again.
    pub fn again(&self, now: Timestamp) -> Timestamp {
        propagate_again(self.ended_at, now)
    }

    /// Says from now on why the session ended, and not whose it was: its owner may be erased, and has no list of it.
    pub(super) fn forget_name(&mut self) {
        if let Some(account) = &mut self.account {
            account.username.clear();
            account.roles.clear();
        }
    }
}

impl Session {
    /// The last moment at which the inactivity clock still lets a request in.
    pub fn idle_expires_at(&self, policy: &Policy) -> Timestamp {
        self.last_activity.plus(self.unknown_activity).plus(policy.idle)
    }

    /// When its user last proved who they are: at its beginning, or when they gave the password again.
    pub fn authenticated_at(&self) -> Timestamp {
        self.grant.authenticated_at.unwrap_or(self.created_at)
    }

    /// Its absolute lifetime, by the setting of its beginning or, if that is shorter, of the moment.
    pub fn absolute_ends_at(&self, policy: &Policy) -> Timestamp {
        self.absolute_expires_at.min(self.created_at.plus(policy.absolute))
    }

    /// When nothing can use the session any more, however active it is: its birth date and its last tokens decide.
    pub fn lifetime_ends_at(&self, policy: &Policy) -> Timestamp {
        self.absolute_ends_at(policy).min(self.grant.refresh_expires_at.max(self.grant.access_expires_at))
    }

    /// Why the session is over at `now`, if it is.
    pub fn over(&self, policy: &Policy, now: Timestamp) -> Option<EndReason> {
        let (idle, lifetime) = (self.idle_expires_at(policy), self.lifetime_ends_at(policy));
        if now >= lifetime && lifetime <= idle {
            Some(EndReason::Lifetime)
        } else if now > idle {
            Some(EndReason::Inactivity)
        } else {
            None
        }
    }

    /// The first moment at which [`Session::over`] can say so.
    pub fn over_at(&self, policy: &Policy) -> Timestamp {
        self.lifetime_ends_at(policy).min(self.idle_expires_at(policy).plus(Duration::from_millis(1)))
    }
}
