//! What callers were told, and so what has to be true.

use crate::sequence::{Invariant, Violation};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::collections::BTreeMap;

/// How sure a caller may be that a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Live,
    /// Something may have ended it, and nobody was told.
    Doubtful,
    /// Somebody was told that it has ended.
    Ended,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub user: usize,
    pub id: SessionId,
    pub access: String,
    pub refresh: String,
    /// The refresh token before that.
    pub before: Option<String>,
    /// Of an externally authenticated session: the token that vouches for it, and how often it was found good before.
    pub external: Option<(String, usize)>,
    pub life: Life,
    /// When its login began, counted in logins of its user.
    pub login: usize,
    /// Logins of its user that were under way when its own began.
    pub beside: Vec<usize>,
    /// The refresh token that was given for each.
    pub successors: BTreeMap<String, String>,
    /// Whether its client waits for new tokens.
    pub refreshing: bool,
}

impl Session {
    /// Something may end it from now on.
    pub fn doubt(&mut self) {
        if self.life == Life::Live {
            self.life = Life::Doubtful;
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct User {
    pub password: String,
    /// What an admin was told, if that is sure.
    pub roles: Option<Vec<String>>,
    pub active: Option<bool>,
    pub exists: Option<bool>,
    /// Changes of the account that have begun, and those under way.
    pub changes: u32,
    pub changing: u32,
    /// A change of the account has had no good answer: it may take effect at any time.
    pub hazy: bool,
    /// What ends all sessions: begun, and under way.
    pub ends: u32,
    pub ending: u32,
    /// One of them had no answer.
    pub end_on_its_way: bool,
    /// How often somebody wanted to remove it.
    pub removals: u32,
    /// Logins, in the order in which they began, and how each ended.
    pub logins: Vec<Login>,
    /// The clients of this user that were told of a login.
    pub generation: u32,
}

/// A login: the session that it was to replace, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    pub replaces: Option<usize>,
    pub came: Came,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    UnderWay,
    Refused,
    /// An error: as far as the user was told, nothing came of it.
    Failed,
    Ok,
    /// There was no answer.
    Unknown,
}

#[derive(Default)]
pub struct Truth {
    pub users: Vec<User>,
    pub sessions: Vec<Session>,
    /// Whether every request asks the session's object (`SESSION_CHECK`).
    pub strict: bool,
    /// Which session a client has.
    pub clients: Vec<Option<usize>>,
    /// Ids of users and how often each was given to a new one.
    pub ids: BTreeMap<UserId, u32>,
    /// How often something was done to the deployment that no weather does.
    pub disturbed: u32,
    pub violation: Option<Violation>,
    pub trace: Option<Vec<String>>,
}

impl Truth {
    pub fn broken(&mut self, invariant: Invariant, detail: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some(Violation { invariant, detail: detail.into() });
        }
    }

    pub fn note(&mut self, now: Timestamp, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", now.rfc3339(), text()));
        }
    }

    /// Something may end sessions of a user from now on. Gives those that it means for sure.
    pub fn doubt(&mut self, user: usize, but: Option<usize>) -> Vec<usize> {
        let mut meant = Vec::new();
        for (at, session) in self.sessions.iter_mut().enumerate() {
            if session.user == user && Some(at) != but && session.life != Life::Ended {
                session.life = Life::Doubtful;
                meant.push(at);
            }
        }
        meant
    }

    pub fn ended(&mut self, sessions: &[usize]) {
        for at in sessions {
            self.sessions[*at].life = Life::Ended;
        }
    }

    /// Whether a session can have lost its place to a login that was not said to have failed.
    pub fn displaceable(&self, at: usize, evicted: bool) -> bool {
        let session = &self.sessions[at];
        let logins = self.users[session.user].logins.iter().enumerate();
        let mut may = logins.filter(|(number, login)| {
            let later = *number > session.login || session.beside.contains(number);
            later && (evicted || login.replaces == Some(at))
        });
        may.any(|(_, login)| matches!(login.came, Came::Ok | Came::Unknown | Came::UnderWay))
    }
}
