//! What a provider asks of the network, and what comes of it. A [`Script`] is the calls of one task, one after the other:
//! it is given each answer and says what is next, so that it is plain logic and the network is somebody else's.

use super::life::Life;
pub use base::call::{Actor, Answer, Call, Code, Failure, Refusal, bearer, form_body, json, json_body};
use base::clock::Timestamp;
use base::secret::Secret;
use std::time::Duration;

/// A token that was got.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a property of its own, and none excludes another.
pub struct Grant {
    pub access: Secret,
    /// A refresh token that replaces the one before it.
    pub refresh: Option<Secret>,
    pub expires_at: Timestamp,
    /// The lifetime as the upstream gave it, in seconds, if it did.
    pub expires_in: Option<u64>,
    /// A short-lived token that is meant to be changed for a long one at once.
    pub provisional: bool,
    /// Its life is a guess, because nobody has said how long it is.
    pub guessed: bool,
    /// Whether the upstream has confirmed it. `false`: it could not be asked.
    pub verified: bool,
    pub user_id: Option<String>,
    /// The account is that user's from now on.
    pub new_owner: bool,
    /// It lives longer than the day, and is kept beside the token of the day.
    pub extended: bool,
    /// One that lives longer than the day and came with this one, and its end.
    pub with_extended: Option<(Secret, Timestamp)>,
    /// Who the source says renewed it.
    pub updated_by: Option<String>,
    /// How soon whoever could not confirm it, or change it, wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Grant {
    /// A token that its upstream has just given, with a life of its own.
    pub fn given(access: Secret, life: Life) -> Self {
        Self {
            access,
            refresh: None,
            expires_at: life.expires_at,
            expires_in: life.said.map(|said| said.as_secs()),
            provisional: false,
            guessed: life.guessed,
            verified: true,
            user_id: None,
            new_owner: false,
            extended: false,
            with_extended: None,
            updated_by: None,
            retry_after: None,
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Granted(Grant),
    /// The held token is accepted.
    Valid {
        user_id: Option<String>,
    },
    /// Approval was asked for; the token comes on another way, or not, until then.
    Requested {
        until: Timestamp,
    },
    Failed(Failure),
    /// No token that can be used, but a refresh token that replaces the one before it.
    Rotated {
        refresh: Secret,
        failure: Failure,
    },
}

impl Outcome {
    /// The same, with how soon the last answer said to come again: most refusals say it with one status, some with others.
    #[must_use]
    pub fn with_retry_after(mut self, last: Option<Duration>) -> Self {
        if let Self::Failed(Failure { retry_after, .. })
        | Self::Rotated { failure: Failure { retry_after, .. }, .. }
        | Self::Granted(Grant { retry_after, .. }) = &mut self
        {
            *retry_after = retry_after.or(last);
        }
        self
    }
}

pub enum Step {
    Call(Call),
    Done(Outcome),
}

/// The calls of one task.
pub trait Script {
    /// First without an answer, then with the answer to each call, until it is done.
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step;
}

/// A script that has nothing to call.
pub struct Settled(pub Option<Outcome>);

impl Script for Settled {
    fn next(&mut self, _answer: Option<Answer>, _now: Timestamp) -> Step {
        Step::Done(self.0.take().unwrap_or(Outcome::Failed(Failure::new(Code::NoTokenSource))))
    }
}
