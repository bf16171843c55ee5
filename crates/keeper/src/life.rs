//! How long a token lives: the least of what its upstream says, what the token itself says, and a bound from the settings. What
//! makes no sense says nothing, and costs no token.

use super::jwt;
use base::clock::Timestamp;
use base::secret::Secret;
use serde_json::Value;
use std::time::Duration;

/// Ten years. A longer life is none that anybody has meant.
const SAID_MAX: f64 = 315_360_000.0;

/// The life of a token that was just given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub expires_at: Timestamp,
    /// As the upstream gave it, if it did.
    pub said: Option<Duration>,
    /// Nobody has said anything, so it is a guess.
    pub guessed: bool,
}

/// A number of seconds, also as text. Zero, less, and what cannot be are nothing.
pub fn seconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (1.0..=SAID_MAX).contains(&number).then(|| Duration::from_secs_f64(number))
}

/// `most` is a bound from the settings, `otherwise` what holds if nobody says anything. A life counts from when the token was
/// made, which was after it was asked for.
pub fn of(
    expires_in: &Value,
    access: &Secret,
    most: Option<Duration>,
    otherwise: Duration,
    (asked_at, now): (Timestamp, Timestamp),
) -> Life {
    let said = seconds(expires_in);
    // One that says that it is over cannot be right, when it was just given.
    let by_jwt = jwt::hints(access).expires_at.filter(|at| *at > now);
    let guessed = said.is_none() && by_jwt.is_none();
    let lives = [said, most, guessed.then_some(otherwise)];
    let ends = lives.into_iter().flatten().map(|life| asked_at.plus(life)).chain(by_jwt);
    Life { expires_at: ends.min().unwrap_or(asked_at), said, guessed }
}
