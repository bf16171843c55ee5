//! The session engine: what a session is, what may happen to it, and the tokens that stand for it.
//! Nothing here does I/O or reads a clock.

mod decide;
pub mod events;
pub mod external;
pub mod protocol;
mod rotation;
mod state;
mod steps;
mod token_keys;
pub mod tokens;

#[cfg(test)]
mod events_tests;
#[cfg(test)]
mod external_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod steps_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod token_keys_tests;

pub use base::account::{Account, EndReason, Owner};
pub use decide::{Decision, Fault, Mint, Step, decide};
pub use events::Receivers;
pub use external::{ExternalToken, Subject, Verdict};
pub use protocol::{
    Acknowledgement, EndPropagated, Ended, Envelope, Expire, Live, Open, OpenReply, Pair, Peek, Presence,
    Presented, Reauthenticate, RenewReply, Renewal, Revoke, Revoked, Rotate, RotateReply, SessionObject,
    SetAccount, Tokens, Touch, Unnoted, address,
};
pub use rotation::{Renew, RenewStart, Verified};
pub use state::{Device, Grant, Session, State, Tombstone};

use std::time::Duration;

/// The settings that a session follows. They are those of the moment: shortening one takes effect at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    /// A session is live at exactly this long after its last activity, and not a millisecond later.
    pub idle: Duration,
    pub absolute: Duration,
    pub grace: Duration,
    /// How long a post-login session lives after its beginning and after each renewal.
    pub external_ttl: Duration,
    /// How long after an end its alarm tells of it at the latest, where whoever ended it has died before.
    pub told_within: Duration,
    /// Who is told of what happens to it.
    pub receivers: Receivers,
}

/// At most one write a minute for activity.
const ACTIVITY_WRITE: Duration = Duration::from_mins(1);
/// A short inactivity timeout wants finer writes: an eviction may lengthen a session by at most a thirtieth of it.
const ACTIVITY_WRITE_SHARE: u32 = 30;
/// How long whoever has ended a session has to tell of it before its alarm may.
pub const PROPAGATE_AFTER: Duration = Duration::from_mins(1);
/// How often at least they are tried after that: until the session is forgotten, which is then some 720 times.
pub const PROPAGATE_EVERY_MAX: Duration = Duration::from_hours(1);
/// How long after the beginning of a session what was then written to KV may still come: longer than a request lasts.
pub const BEGINNING: Duration = Duration::from_mins(5);
/// How long an ended session can still say why it ended.
pub const TOMBSTONE: Duration = Duration::from_hours(720);

impl Policy {
    /// How far the stored activity may lag behind the true one, and so the most that an eviction can lengthen a session.
    pub fn activity_write(&self) -> Duration {
        ACTIVITY_WRITE.min(self.idle / ACTIVITY_WRITE_SHARE)
    }
}
