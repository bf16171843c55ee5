//! The life of a portal login: what an event makes of it, and what is to be done next. No I/O, no clock.
//!
//! Here: a session that is wanted, used, kept alive, and what time does to it. `logins`: whether one may be made, and what came of it.
//! `ends`: how a session ends, and what is logged out at the portal. `openers`: whose it is. `people`: a login that waits for a person.

mod ends;
mod logins;
mod openers;
mod people;

use super::code::{Code, Failure};
use super::protocol::Refusal;
use super::state::{End, LastFailure, Live, Login, Policy, Refused, RetryState, TROUBLE_KNOWN, Work};
use super::steps::{Due, Usable};
use crate::events::Before;
use base::clock::Timestamp;
use base::jitter::Jitter;
use ends::is_unused;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
/// A session that the portal has ended, while the portal cannot be asked for another login, is given up after this.
const LOST_MAX: Duration = Duration::from_hours(6);
/// While something is done at the portal the alarm comes this often, to see whether somebody still is at it.
const WATCH: Duration = Duration::from_mins(1);
/// The registry is told again after this, if it could not be told.
/// A token that is over as soon as it comes is not renewed without end.
const DUE_LEAST: Duration = Duration::from_secs(5);
pub(super) const SYNC_AGAIN: Duration = Duration::from_secs(30);
/// A session that ended longer ago than this is of no interest to the next.
const ENDED_SHOWN: Duration = Duration::from_hours(24);

/// What a login may be made for, if it may be made.
pub type MayLogIn = Result<(), Refusal>;

/// Something that happens to a login, and what comes of it.
pub trait Step {
    type Outcome;
    /// Whether a session that it ends ends because somebody said so.
    const ORDERED: bool = false;
    /// Whether the alarm is set also where the step changes nothing.
    const ARMS: bool = true;

    fn apply(self, login: &mut Login, context: &Context<'_>) -> Self::Outcome;

    /// What comes of it without anything being done.
    fn instead(&self, _: &Login, _: &Context<'_>) -> Option<Self::Outcome> {
        None
    }
}

/// What every step goes by.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub policy: &'a Policy,
    pub now: Timestamp,
    pub jitter: Jitter,
}

impl Login {
    pub fn step<S: Step>(&mut self, step: S, context: &Context<'_>) -> S::Outcome {
        if let Some(outcome) = step.instead(self, context) {
            return outcome;
        }
        let before = Before::of(self, context);
        self.forget_old(context.policy, context.now);
        let outcome = step.apply(self, context);
        before.tell(self, context);
        self.wait_for_its_caller(context.now);
        outcome
    }

    /// When something is to be done without anybody asking.
    pub fn next_alarm(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let session = self.session.as_ref().and_then(|live| match live.lost_since {
            _ if self.task.is_some() => None,
            Some(_) if live.keep_alive => Some(self.login_at(policy, now)),
            None if live.keep_alive => Some(live.refresh_at.max(self.trouble_until())),
            _ => Some(live.last_used.plus(policy.idle).plus(Duration::from_millis(1))),
        });
        let watch = self.task.as_ref().map(|task| task.began_at.plus(WATCH));
        let logout = self.logout.filter(|_| self.task.is_none()).map(|f| f.try_at);
        let person = self.person.as_ref().filter(|_| self.task.is_none()).map(|_| now);
        let browser = self.browser.filter(|_| self.task.is_none() && person.is_none()).map(|b| b.try_at);
        let pending_sync = self.pending_sync.map(|u| u.try_at);
        let events = self.events_due(policy.events).map(|at| at.max(now));
        let due = [session, watch, logout, person, browser, pending_sync, events];
        due.into_iter().flatten().min().or_else(|| self.forget_at(policy))
    }

    /// When nothing of this matters any more; nothing while something is still to be done, or was never begun.
    pub(super) fn forget_at(&self, policy: &Policy) -> Option<Timestamp> {
        let busy = self.session.is_some()
            || self.task.is_some()
            || self.logout.is_some()
            || self.person.is_some()
            || self.browser.is_some()
            || self.pending_sync.is_some()
            || self.events_due(policy.events).is_some();
        let refused = self.refused.map(Refused::forgotten_at);
        let trouble = self.trouble.map(|t| t.until.plus(TROUBLE_KNOWN));
        let ended = self.ended.as_ref().map(|e| e.at.plus(ENDED_SHOWN));
        let login = self.logins.iter().max().map(|at| at.plus(HOUR));
        let keys = self.refused_keys.iter().map(|key| key.until).max();
        [refused, trouble, ended, login, keys].into_iter().flatten().max().filter(|_| !busy)
    }

    /// When the live session ends if it is not used.
    pub fn expires_at(&self, policy: &Policy) -> Option<Timestamp> {
        self.session.as_ref().filter(|live| !live.keep_alive).map(|live| live.last_used.plus(policy.idle))
    }

    /// How the session before ended, if that is worth saying.
    pub fn previous(&self, now: Timestamp) -> Option<End> {
        self.ended.as_ref().filter(|ended| now.since(ended.at) < ENDED_SHOWN).map(|ended| ended.reason)
    }

    fn forget_old(&mut self, policy: &Policy, now: Timestamp) {
        self.refused_keys.retain(|key| key.until > now);
        self.refused.take_if(|refused| refused.forgotten_at() <= now);
        self.held.take_if(|held| held.until <= now);
        self.logins.retain(|at| *at > now.minus(HOUR));
        let idle = self.task.is_none() && self.person.is_none();
        let over = |live: &Live| !live.keep_alive && now > live.last_used.plus(policy.idle);
        if idle && self.session.as_ref().is_some_and(over) {
            self.end(End::Idle, now);
        }
        let given_up = |live: &Live| live.lost_since.is_some_and(|since| now > since.plus(LOST_MAX));
        if idle && self.session.as_ref().is_some_and(given_up) {
            self.end(End::LoggedOut, now);
        }
    }

    pub(super) fn wanted(
        &mut self,
        keep_alive: bool,
        saves: bool,
        c: &Context<'_>,
    ) -> Result<Usable, Refusal> {
        let Context { policy, now, jitter } = *c;
        if let Some(person) = &mut self.person {
            person.keep_alive |= keep_alive;
        }
        let Some(live) = &mut self.session else {
            return self.may_log_in(policy, now).map(|()| Usable::AfterLogin);
        };
        if keep_alive && !live.keep_alive {
            live.keep_alive = true;
            live.refresh_at = refresh_at(policy, live.confirmed_at, jitter).max(now);
            self.changed(now);
        }
        // Whoever wants a session gets it also while the portal cannot be asked.
        self.used(saves, policy, now)
    }

    /// The session is used.
    pub(super) fn serve(&mut self, saves: bool, policy: &Policy, now: Timestamp) -> Result<Usable, Refusal> {
        if let Some(trouble) = self.trouble.filter(|t| t.down && t.until > now) {
            return Err(trouble.refusal(now));
        }
        self.used(saves, policy, now)
    }

    /// A lost session that is to be logged in again is used as well: it must not end idle meanwhile.
    pub(super) fn used(&mut self, saves: bool, policy: &Policy, now: Timestamp) -> Result<Usable, Refusal> {
        let lives = self.session.as_ref().is_some_and(|live| live.lost_since.is_none());
        let usable = if lives {
            Usable::Now
        } else {
            self.may_log_in(policy, now)?;
            Usable::AfterLogin
        };
        if let Some(live) = &mut self.session {
            live.last_used = live.last_used.max(now);
            if saves && lives {
                live.saved.logins += 1;
                live.saved.captchas += u64::from(live.saved.paid);
            }
        }
        Ok(usable)
    }

    pub(super) fn confirmed(&mut self, used: bool, policy: &Policy, now: Timestamp, jitter: Jitter) {
        self.trouble = None;
        if let Some(live) = &mut self.session {
            live.confirmed_at = now;
            live.refresh_at = refresh_at(policy, now, jitter);
            live.lost_since = None;
            if used {
                live.last_used = live.last_used.max(now);
            }
        }
    }

    /// When it is to be kept alive, where its tokens say that: nobody is asked before.
    pub(super) fn due_at(&mut self, due: Option<Timestamp>, now: Timestamp) {
        if let (Some(due), Some(live)) = (due, &mut self.session) {
            live.refresh_at = due.max(now.plus(DUE_LEAST));
        }
    }

    pub(super) fn failed(
        &mut self,
        mut failure: Failure,
        keep_alive: bool,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Refusal {
        if !matches!(failure.code, Code::NotFound | Code::InputRefused | Code::Closed) {
            self.note_failure(&failure, now);
        }
        let work = self.task.take().map(|task| task.work);
        let keeping = keep_alive || work == Some(Work::KeepAlive);
        if matches!(failure.code, Code::NotFound | Code::InputRefused) {
            self.confirmed(!keeping, policy, now, jitter);
        } else if keeping || failure.is_down() {
            let trouble = RetryState::after(self.trouble, &failure, now, jitter);
            self.trouble = Some(trouble);
            failure.retry_after = Some(trouble.until.since(now));
        }
        if let Some(live) = self.session.as_mut().filter(|_| !keeping) {
            live.last_used = live.last_used.max(now);
        }
        failure.into()
    }

    pub(super) fn woke(&mut self, policy: &Policy, now: Timestamp) -> Due {
        if self.task.is_some() {
            return Due::Nothing;
        }
        if self.logout.is_some_and(|f| f.try_at <= now) {
            return Due::LogOut;
        }
        if self.person.is_some() {
            return Due::GoOn;
        }
        if self.browser.is_some_and(|browser| browser.try_at <= now) {
            return Due::LetGo;
        }
        match &self.session {
            Some(live) if live.keep_alive && live.lost_since.is_some() => {
                if is_unused(live, policy, now) {
                    self.end(End::Unused, now);
                } else if self.may_log_in(policy, now).is_ok() {
                    return Due::LogIn;
                }
                Due::Nothing
            }
            Some(live) if live.keep_alive && live.refresh_at.max(self.trouble_until()) <= now => {
                Due::KeepAlive
            }
            _ => Due::Nothing,
        }
    }

    /// Keeps it for people.
    fn note_failure(&mut self, failure: &Failure, now: Timestamp) {
        self.last_failure = Some(LastFailure { at: now, code: failure.code, step: failure.step.to_owned() });
    }

    pub(super) fn interrupted(&mut self, now: Timestamp) {
        if self.task.as_ref().is_some_and(|task| task.work == Work::LogOut) {
            self.logout_finished(false, now);
        }
        self.task = None;
    }
}

/// The next keep-alive: all sessions of a portal do not come at once.
fn refresh_at(policy: &Policy, now: Timestamp, jitter: Jitter) -> Timestamp {
    let spread = policy.keep_alive * policy.jitter_percent / 100;
    now.plus(policy.keep_alive.saturating_sub(spread) + jitter.up_to(spread * 2))
}
