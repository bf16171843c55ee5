//! What the Worker says to a session's object and what it answers.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::{Account, Device, EndReason, Verdict, Vouched};
use base::call::Refusal;
use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begins the session and mints generation 0.
    Open {
        account: Account,
        device: Device,
        /// Of somebody whom another system has logged in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external: Option<Vouched>,
    },
    /// An access token of this generation was presented. A passive request does not move the activity.
    Touch { generation: u64, passive: bool },
    /// A refresh token of this generation was presented, with this subject.
    Rotate { generation: u64, user_id: u64 },
    /// Ends the session. Also where it was never opened, so that it cannot be opened afterwards.
    Revoke { reason: EndReason },
    /// The user's roles have changed.
    SetAccount { account: Account },
    /// Asks without changing anything.
    Peek,
    /// Ends the session if its time is over; asked by the alarm and by the sweep.
    Expire,
    /// The user's list and KV have been told of the end.
    Settled,
    /// A refresh token of a post-login session was presented. The object's own, as is the next: they come as a [`Renewal`].
    #[serde(skip)]
    Renew { generation: u64, subject: String },
    /// What the other system said, for the renewal of this generation.
    #[serde(skip)]
    Verified { generation: u64, verdict: Verdict },
}

/// A refresh token of a post-login session was presented: what an object does in more than one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    pub generation: u64,
    pub subject: String,
    /// Of the request that it came with, for the verification.
    pub request_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Tokens of the current generation.
    Tokens {
        pair: Pair,
        account: Account,
    },
    Live(Live),
    /// The session ended, now or earlier.
    Ended(Ended),
    /// An old refresh token came again; the session has been ended for it.
    Reused(Ended),
    /// No such session, or no such generation of it.
    Unknown,
    Done,
    /// The other system does not vouch for the user any more; the session has been ended for it.
    Disowned {
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
    /// The external token is to be verified before anything else. For the object itself.
    #[serde(skip)]
    Verify {
        channel: String,
        subject: String,
    },
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
    /// When it ends however active it is, if nobody renews it. Not sent with the answer to a touch, which is the hot path.
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
    pub settled: bool,
}
