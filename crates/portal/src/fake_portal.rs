//! A portal that has sessions of its own, which expire, and that is up or down.

use super::login_support::*;
use super::*;
use base::clock::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a portal that is down shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Down {
    Unreachable,
    Silent,
    Limited(u64),
    Error(u16),
}

impl Down {
    fn failure(self) -> Failure {
        match self {
            Self::Unreachable => Failure::new(Code::Unreachable),
            Self::Silent => Failure::new(Code::Timeout),
            Self::Limited(n) => {
                Failure { retry_after: Some(secs(n)), ..Failure::with_status(Code::RateLimited, 429) }
            }
            Self::Error(status) => Failure::with_status(Code::ServerError, status),
        }
    }

    /// What a single operation answers with 500 may be the operation's fault.
    pub fn is_surely_down(self) -> bool {
        self != Self::Error(500)
    }
}

pub(super) struct Site {
    /// When each was last seen.
    pub sessions: BTreeMap<u32, Timestamp>,
    pub idle: Duration,
    pub down: Option<Down>,
    pub refuses: bool,
    /// It refuses credentials in words that nobody knows.
    pub mumbles: bool,
    pub captcha_fails: bool,
    /// How long each step takes.
    pub step_time: Duration,
    pub pages: u32,
    /// Calls other than logouts that found it down since it last answered.
    pub in_vain: Vec<Timestamp>,
    ids: u32,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            sessions: BTreeMap::new(),
            idle: secs(600),
            down: None,
            refuses: false,
            mumbles: false,
            captcha_fails: false,
            step_time: secs(8),
            pages: 0,
            in_vain: Vec::new(),
            ids: 0,
        }
    }
}

impl Site {
    /// A page of the session's.
    pub fn page(&mut self, session: Option<u32>, now: Timestamp, counts: bool) -> Result<(), Failure> {
        self.pages += 1;
        if let Some(down) = self.down {
            self.in_vain.extend(counts.then_some(now));
            return Err(down.failure());
        }
        self.in_vain.clear();
        let seen = session.and_then(|id| self.sessions.get_mut(&id));
        let seen = seen.filter(|seen| now <= seen.plus(self.idle));
        *seen.ok_or(Failure::new(Code::LoggedOut))? = now;
        Ok(())
    }

    /// A new session of its own.
    pub fn sign_in(&mut self, now: Timestamp) -> Result<u32, Failure> {
        self.page(None, now, true).or_else(|failure| match failure.code {
            Code::LoggedOut => Ok(()),
            _ => Err(failure),
        })?;
        if self.captcha_fails {
            return Err(Failure::new(Code::CaptchaUnsolved));
        }
        if self.refuses {
            return Err(Failure::new(Code::CredentialsRefused));
        }
        if self.mumbles {
            return Err(Failure::new(Code::Unintelligible));
        }
        self.ids += 1;
        self.sessions.insert(self.ids, now);
        Ok(self.ids)
    }

    /// It ends all sessions.
    pub fn kick(&mut self) {
        self.sessions.clear();
    }
}
