//! What is under way in a user's object, or in that of an address, and not decided yet. It is in memory only and costs no write;
//! with the instance it is gone. Nothing follows from it that somebody was told: a place that was forgotten is refused when its
//! session is open, before anybody has the tokens, and of an attempt that was forgotten nobody knows the answer yet.

use super::limit::Activity;
use super::state::{Slot, User};
use base::account::Account;
use base::clock::Timestamp;
use base::ids::SessionId;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Places of logins whose sessions are not known to be open.
    pub openings: Vec<Opening>,
    /// Of an address: the passwords that are being compared.
    pub tries: Vec<Try>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The place as it is reserved.
    pub slot: Slot,
    /// What the sessions that have places said of themselves, to be noted with it.
    pub activity: Vec<Activity>,
    /// Where its login came from with the right password, if that is still to be noted.
    pub address: Option<String>,
    /// Of somebody externally authenticated: whose it is, if that is not known otherwise.
    pub account: Option<Account>,
}

/// A login that tries a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// As a keyed hash.
    pub name: String,
    pub at: Timestamp,
    /// Whether it is one of the failures of its name, if it fails. What has to wait there is none.
    pub counts: bool,
}

impl UnderWay {
    pub(super) fn opening(&mut self, session_id: &SessionId) -> Option<&mut Opening> {
        self.openings.iter_mut().find(|opening| opening.slot.session_id == *session_id)
    }

    pub(super) fn take_opening(&mut self, session_id: &SessionId) -> Option<Opening> {
        let at = self.openings.iter().position(|opening| opening.slot.session_id == *session_id)?;
        Some(self.openings.remove(at))
    }
}

impl User {
    /// All that count: those on the list, and those that logins under way have reserved.
    pub(super) fn places(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().chain(self.under_way.openings.iter().map(|opening| &opening.slot))
    }

    pub(super) fn has_place(&self, session_id: &SessionId) -> bool {
        self.places().any(|slot| slot.session_id == *session_id)
    }
}
