//! A token that somebody has given, and how long it may live.

use crate::call::Grant;
use crate::jwt;
use crate::schedule::upstox_end;
use base::clock::Timestamp;
use base::secret::Secret;
use std::time::Duration;

/// What an end of the day may be wrong by, as some say it.
const A_DAY: Duration = Duration::from_hours(24);

/// A token that Upstox has not confirmed yet.
#[derive(Clone)]
pub(super) struct Candidate {
    pub token: Secret,
    /// When it expires, by whoever gave it.
    pub said: Option<Timestamp>,
    pub updated_by: Option<String>,
    /// The user that it has to belong to.
    pub user_id: Option<String>,
    pub new_owner: bool,
}

impl Candidate {
    /// One of which nobody says more than it does itself.
    pub const fn of(token: Secret) -> Self {
        Self { token, said: None, updated_by: None, user_id: None, new_owner: false }
    }

    /// When the trading day of the token ends.
    fn day_ends(&self, now: Timestamp) -> Timestamp {
        // A clock that is ahead of ours must not lengthen the life.
        let issued_at = jwt::hints(&self.token).issued_at.map_or(now, |at| at.min(now));
        upstox_end(issued_at)
    }

    /// Extended and analytics tokens say themselves that they live longer than the day, by more than a slip of a day.
    pub fn is_extended(&self, now: Timestamp) -> bool {
        let longest = self.day_ends(now).plus(A_DAY);
        jwt::hints(&self.token).expires_at.is_some_and(|at| at > longest)
    }

    /// The least of what was said, what the JWT says, and the end of the trading day if it is a token of that.
    pub fn expires_at(&self, now: Timestamp) -> Timestamp {
        let hints = jwt::hints(&self.token);
        let day = if self.is_extended(now) { None } else { Some(self.day_ends(now)) };
        let end = day.or(hints.expires_at).unwrap_or(now);
        [self.said, hints.expires_at].into_iter().flatten().fold(end, Timestamp::min)
    }

    pub fn grant(&self, now: Timestamp, user_id: Option<String>, verified: bool) -> Grant {
        Grant {
            access: self.token.clone(),
            refresh: None,
            expires_at: self.expires_at(now),
            expires_in: None,
            provisional: false,
            extended: self.is_extended(now),
            with_extended: None,
            guessed: false,
            verified,
            user_id,
            new_owner: self.new_owner,
            updated_by: self.updated_by.clone(),
            retry_after: None,
        }
    }
}
