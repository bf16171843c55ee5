//! The life of a portal login: what an event makes of it, and what is to be done next. No I/O, no clock.
//!
//! Over 400 lines: all transitions of one state machine, which can be judged beside each other only.

use super::code::{Code, Failure};
use super::protocol::Refusal;
use super::state::{
    End, Ended, Live, Login, PendingLogout, PendingSync, Policy, Reached, Refused, RefusedKey, RetryState,
    TROUBLE_KNOWN, Task, Work,
};
use base::clock::{Timestamp, seconds_up};
use base::ids::PortalId;
use base::jitter::Jitter;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
/// A session that the portal has ended, while the portal cannot be asked for another login, is given up after this.
const LOST_MAX: Duration = Duration::from_hours(6);
/// While something is done at the portal the alarm comes this often, to see whether somebody still is at it.
const WATCH: Duration = Duration::from_mins(1);
/// How long the caller of a login that was broken off may take to come back, before what is known of it is given up.
const COME_BACK: Duration = Duration::from_mins(2);
/// How often a logout at the portal is tried, and the wait between.
const LOGOUTS_MAX: u32 = 3;
const LOGOUT_AGAIN: Duration = Duration::from_mins(1);
/// A captcha key that was refused is left alone for this long; so many of them are remembered.
const KEY_AGAIN: Duration = Duration::from_mins(1);
const KEYS_MAX: usize = 10;
/// The registry is told again after this, if it could not be told.
const SYNC_AGAIN: Duration = Duration::from_secs(30);
/// A session that ended longer ago than this is of no interest to the next.
const ENDED_SHOWN: Duration = Duration::from_hours(24);

#[derive(Clone, Debug)]
pub enum Event {
    /// Somebody wants the session of these credentials.
    Wanted {
        keep_alive: bool,
    },
    /// Somebody wants the session of this id.
    Resumed {
        session_id: PortalId,
    },
    /// Work at the portal begins.
    TaskStarted(Work),
    /// The login is about to go that far.
    Reaching(Reached),
    /// The portal has taken the credentials; what it will do with them is not known yet.
    SignedIn,
    /// What comes next cannot be undone.
    Committing,
    /// With the id for the session, if it is a new one. Refused with [`Code::Closed`] if the session that it was for was
    /// closed meanwhile: then it is logged out again, unless somebody wants it soon.
    LoggedIn {
        session_id: PortalId,
        keep_alive: bool,
    },
    LoginFailed(Failure),
    /// The login that has just failed did so because of this captcha key.
    KeyRefused {
        print: String,
        code: Code,
    },
    /// The cookies of a login that was broken off are of no use.
    NotSignedIn,
    /// The portal has shown a page of a logged-in user; `used`: to a caller.
    Confirmed {
        used: bool,
    },
    /// Work that a caller wanted ended well without the portal.
    Unasked,
    /// The portal says that the session is over. `again`: right after a new login.
    LoggedOut {
        again: bool,
    },
    /// Work other than a login failed, and the session may be fine.
    Failed(Failure),
    Closed {
        session_id: PortalId,
        reason: End,
    },
    /// What is stored of the session cannot be opened.
    Unreadable,
    Woke,
    /// Work was under way, and nobody is at it.
    Interrupted,
    LogoutFinished {
        done: bool,
    },
    /// The registry is about to be told.
    SyncStarted,
    Synced {
        change: u64,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is a live session.
    Serve,
    LogIn,
    KeepAlive,
    LogOut,
    Refuse(Refusal),
    /// The session that was meant has ended.
    Ended(End),
    /// No such session is known.
    Unknown,
    /// There is nothing here that anybody could still want to know.
    Forget,
    Nothing,
}

impl Login {
    pub fn step(&mut self, event: Event, policy: &Policy, now: Timestamp, jitter: Jitter) -> Verdict {
        if matches!(event, Event::Woke) && self.forget_at().is_some_and(|at| at <= now) {
            return Verdict::Forget;
        }
        self.forget_old(policy, now);
        let verdict = self.decide(event, policy, now, jitter);
        self.wait_for_its_caller(now);
        verdict
    }

    fn decide(&mut self, event: Event, policy: &Policy, now: Timestamp, jitter: Jitter) -> Verdict {
        match event {
            Event::Wanted { keep_alive } => self.wanted(keep_alive, policy, now, jitter),
            Event::Resumed { session_id } => match &self.session {
                Some(live) if live.session_id == session_id => self.serve(policy, now),
                _ => self.gone(&session_id),
            },
            Event::TaskStarted(work) => {
                match (&work, &mut self.logout) {
                    (Work::LogIn, _) => self.logins.push(now),
                    (Work::LogOut, Some(logout)) => logout.try_at = logout.try_at.min(now),
                    _ => {}
                }
                self.task = Some(Task::new(work, now));
                Verdict::Nothing
            }
            Event::Reaching(reached) => {
                if let Some(task) = &mut self.task {
                    task.reached = task.reached.max(reached);
                }
                Verdict::Nothing
            }
            Event::SignedIn => {
                self.signed_in = true;
                Verdict::Nothing
            }
            Event::Committing => {
                if let Some(task) = &mut self.task {
                    task.committing = true;
                }
                Verdict::Nothing
            }
            Event::LoggedIn { session_id, keep_alive } => {
                self.logged_in(session_id, keep_alive, policy, now, jitter)
            }
            Event::LoginFailed(failure) => self.login_failed(failure, policy, now, jitter),
            Event::KeyRefused { print, code } => {
                // The portal has seen no login, and a key without credit pays for none: the minute's wait is bound enough.
                if self.task.as_ref().is_none_or(|task| task.reached < Reached::Password) {
                    self.logins.pop();
                }
                self.refused_keys.retain(|key| key.print != print);
                self.refused_keys.push(RefusedKey { print, code, until: now.plus(KEY_AGAIN) });
                let surplus = self.refused_keys.len().saturating_sub(KEYS_MAX);
                self.refused_keys.drain(..surplus);
                Verdict::Nothing
            }
            Event::NotSignedIn => {
                self.signed_in = false;
                self.task = None;
                self.logout.take_if(|logout| logout.broken_off);
                Verdict::Nothing
            }
            Event::Confirmed { used } => {
                self.task = None;
                self.confirmed(used, policy, now, jitter);
                Verdict::Nothing
            }
            Event::Unasked => {
                self.task = None;
                if let Some(live) = &mut self.session {
                    live.last_used = live.last_used.max(now);
                }
                Verdict::Nothing
            }
            Event::LoggedOut { again } => self.logged_out(again, policy, now),
            Event::Failed(failure) => self.failed(failure, policy, now, jitter),
            Event::Closed { session_id, reason } => match &self.session {
                Some(live) if live.session_id == session_id => {
                    self.end(reason, now);
                    Verdict::Serve
                }
                _ => self.gone(&session_id),
            },
            Event::Unreadable => {
                self.task = None;
                self.signed_in = false;
                self.logout = None;
                self.end(End::Unreadable, now);
                Verdict::Nothing
            }
            Event::Woke => self.woke(policy, now),
            Event::Interrupted => {
                self.interrupted(now);
                Verdict::Nothing
            }
            Event::LogoutFinished { done } => {
                self.logout_finished(done, now);
                Verdict::Nothing
            }
            Event::SyncStarted => {
                if let Some(pending_sync) = &mut self.pending_sync {
                    pending_sync.try_at = now.plus(SYNC_AGAIN);
                }
                Verdict::Nothing
            }
            Event::Synced { change } => {
                self.pending_sync.take_if(|pending_sync| pending_sync.change == change);
                Verdict::Nothing
            }
        }
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
        let pending_sync = self.pending_sync.map(|u| u.try_at);
        [session, watch, logout, pending_sync].into_iter().flatten().min().or_else(|| self.forget_at())
    }

    /// When nothing of this matters any more; nothing while something is still to be done, or was never begun.
    fn forget_at(&self) -> Option<Timestamp> {
        let busy = self.session.is_some()
            || self.task.is_some()
            || self.logout.is_some()
            || self.pending_sync.is_some();
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

    /// What there is against a login with this captcha key.
    pub fn key_refused(&self, print: &str, now: Timestamp) -> Option<Refusal> {
        let key = self.refused_keys.iter().find(|key| key.print == print && key.until > now)?;
        let retry_after_seconds = Some(seconds_up(key.until.since(now)).max(1));
        Some(Refusal { retry_after_seconds, ..Refusal::new(key.code) })
    }

    fn forget_old(&mut self, policy: &Policy, now: Timestamp) {
        self.refused_keys.retain(|key| key.until > now);
        self.refused.take_if(|refused| refused.forgotten_at() <= now);
        self.logins.retain(|at| *at > now.minus(HOUR));
        let over = |live: &Live| !live.keep_alive && now > live.last_used.plus(policy.idle);
        if self.task.is_none() && self.session.as_ref().is_some_and(over) {
            self.end(End::Idle, now);
        }
        let given_up = |live: &Live| live.lost_since.is_some_and(|since| now > since.plus(LOST_MAX));
        if self.task.is_none() && self.session.as_ref().is_some_and(given_up) {
            self.end(End::LoggedOut, now);
        }
    }

    fn wanted(&mut self, keep_alive: bool, policy: &Policy, now: Timestamp, jitter: Jitter) -> Verdict {
        let Some(live) = &mut self.session else { return self.may_log_in(policy, now) };
        if keep_alive && !live.keep_alive {
            live.keep_alive = true;
            live.refresh_at = refresh_at(policy, live.confirmed_at, jitter).max(now);
            self.changed(now);
        }
        // Whoever wants a session gets it also while the portal cannot be asked.
        self.used(policy, now)
    }

    /// The session is used.
    fn serve(&mut self, policy: &Policy, now: Timestamp) -> Verdict {
        if let Some(trouble) = self.trouble.filter(|t| t.down && t.until > now) {
            return Verdict::Refuse(trouble.refusal(now));
        }
        self.used(policy, now)
    }

    /// A lost session that is to be logged in again is used as well: it must not end idle meanwhile.
    fn used(&mut self, policy: &Policy, now: Timestamp) -> Verdict {
        let lives = self.session.as_ref().is_some_and(|live| live.lost_since.is_none());
        let verdict = if lives { Verdict::Serve } else { self.may_log_in(policy, now) };
        if let (Some(live), Verdict::Serve | Verdict::LogIn) = (&mut self.session, &verdict) {
            live.last_used = live.last_used.max(now);
        }
        verdict
    }

    fn gone(&self, session_id: &PortalId) -> Verdict {
        match &self.ended {
            Some(ended) if ended.session_id == *session_id => Verdict::Ended(ended.reason),
            _ => Verdict::Unknown,
        }
    }

    fn trouble_until(&self) -> Timestamp {
        self.trouble.map(|t| t.until).unwrap_or_default()
    }

    /// When the hour's logins allow another one.
    fn budget_at(&self, policy: &Policy) -> Timestamp {
        let from = self.logins.len().checked_sub(policy.logins_per_hour);
        from.and_then(|oldest| self.logins.get(oldest)).map(|at| at.plus(HOUR)).unwrap_or_default()
    }

    fn login_at(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let refused = self.refused.map(|r| r.until).unwrap_or_default();
        let budget = if self.signed_in { now } else { self.budget_at(policy) };
        refused.max(self.trouble_until()).max(budget).max(now)
    }

    /// Whether a login may be made now. One that was broken off, and may only have to be taken over, is none.
    fn may_log_in(&self, policy: &Policy, now: Timestamp) -> Verdict {
        match self.may_log_in_anew(policy, now) {
            Verdict::Refuse(refusal) if refusal.code == Code::LoginBudgetExhausted && self.signed_in => {
                Verdict::LogIn
            }
            verdict => verdict,
        }
    }

    /// Whether a login may be made from the beginning.
    pub fn may_log_in_anew(&self, policy: &Policy, now: Timestamp) -> Verdict {
        let refusal = |code, until: Timestamp| {
            let retry_after_seconds = Some(seconds_up(until.since(now)).max(1));
            Verdict::Refuse(Refusal { retry_after_seconds, ..Refusal::new(code) })
        };
        if let Some(refused) = self.refused.filter(|r| r.until > now) {
            return refusal(refused.code, refused.until);
        }
        if let Some(trouble) = self.trouble.filter(|t| t.until > now) {
            return Verdict::Refuse(trouble.refusal(now));
        }
        match self.budget_at(policy) {
            at if at > now => refusal(Code::LoginBudgetExhausted, at),
            _ => Verdict::LogIn,
        }
    }

    fn logged_in(
        &mut self,
        session_id: PortalId,
        keep_alive: bool,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Verdict {
        self.refused = None;
        if self.task.take().is_some_and(|task| task.abandoned) {
            // Its session was closed meanwhile. Nobody would know the id of another one.
            self.trouble = None;
            self.signed_in = true;
            return Verdict::Refuse(Refusal::new(Code::Closed));
        }
        self.signed_in = false;
        // The cookies that were to be logged out have been taken over.
        self.logout.take_if(|logout| logout.broken_off);
        // Only one that is kept alive is logged in again without anybody who wants it.
        let used = self.session.as_ref().is_some_and(|live| !live.keep_alive);
        if self.session.is_none() {
            self.session = Some(Live {
                session_id,
                created_at: now,
                last_used: now,
                keep_alive,
                confirmed_at: now,
                refresh_at: now,
                lost_since: None,
            });
            self.changed(now);
        }
        self.confirmed(used, policy, now, jitter);
        Verdict::Serve
    }

    fn confirmed(&mut self, used: bool, policy: &Policy, now: Timestamp, jitter: Jitter) {
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

    fn login_failed(
        &mut self,
        mut failure: Failure,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Verdict {
        let reached = self.task.take().map(|task| task.reached).unwrap_or_default();
        let unanswered = reached == Reached::Password && !self.signed_in;
        let code = failure.code;
        let no_attempt = failure.is_down() || code == Code::OutOfTime;
        // A portal that is down has seen no login, and the waits see to it that it is not asked too often.
        if no_attempt && reached == Reached::Pages && !self.signed_in {
            self.logins.pop();
        }
        // What the portal made of the credentials that it took is not known then.
        self.signed_in &= code.is_trouble() || code == Code::Interrupted;
        // What came back for the password is neither a user's page nor understood: it may be a refusal in other words.
        let unsaid = unanswered && matches!(code, Code::UnexpectedResponse | Code::Redirected);
        if code.refuses_credentials() || unsaid {
            let refused = Refused::after(self.refused, code, policy.cooldown, now);
            self.refused = Some(refused);
            self.end(if unsaid { End::LoggedOut } else { End::CredentialsRefused }, now);
            failure.retry_after = Some(refused.until.since(now));
            return Verdict::Refuse(failure.into());
        }
        if waits(code) {
            let trouble = RetryState::after(self.trouble, &failure, now, jitter);
            self.trouble = Some(trouble);
            failure.retry_after = Some(trouble.until.since(now));
        }
        // One new login for one that was lost; only a portal that is down is no attempt.
        if !no_attempt {
            self.end(if is_captcha(code) { End::Captcha } else { End::LoggedOut }, now);
        }
        Verdict::Refuse(failure.into())
    }

    fn logged_out(&mut self, again: bool, policy: &Policy, now: Timestamp) -> Verdict {
        let running = self.task.take().is_some_and(|task| matches!(task.work, Work::Run(_)));
        self.trouble = None;
        let Some(live) = &mut self.session else { return Verdict::Unknown };
        if running {
            live.last_used = live.last_used.max(now);
        }
        live.lost_since = live.lost_since.or(Some(now));
        if !again && policy.relogin && self.may_log_in(policy, now) == Verdict::LogIn {
            return Verdict::LogIn;
        }
        self.end(End::LoggedOut, now);
        Verdict::Ended(End::LoggedOut)
    }

    fn failed(&mut self, mut failure: Failure, policy: &Policy, now: Timestamp, jitter: Jitter) -> Verdict {
        let work = self.task.take().map(|task| task.work);
        let keeping = work == Some(Work::KeepAlive);
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
        Verdict::Refuse(failure.into())
    }

    /// The session is over here. If it still lives at the portal, it is to be logged out there.
    fn end(&mut self, reason: End, now: Timestamp) {
        let Some(live) = self.session.take() else { return };
        let lost = live.lost_since.is_some();
        let logs_in = |task: &&mut Task| lost && matches!(task.work, Work::LogIn | Work::KeepAlive);
        let lives_there = matches!(reason, End::Closed | End::Evicted | End::Idle);
        if let Some(task) = self.task.as_mut().filter(logs_in) {
            task.abandoned = true;
        } else if (lives_there && !lost) || self.signed_in {
            self.signed_in = false;
            self.logout = Some(PendingLogout { attempts: 0, try_at: now, broken_off: false });
        }
        self.ended = Some(Ended { session_id: live.session_id, reason, at: now });
        self.changed(now);
    }

    fn changed(&mut self, now: Timestamp) {
        let change =
            self.pending_sync.map_or(now.millis(), |pending_sync| pending_sync.change.saturating_add(1));
        self.pending_sync = Some(PendingSync { change, try_at: now });
    }

    fn woke(&mut self, policy: &Policy, now: Timestamp) -> Verdict {
        if self.task.is_some() {
            return Verdict::Nothing;
        }
        if self.logout.is_some_and(|f| f.try_at <= now) {
            return Verdict::LogOut;
        }
        match &self.session {
            Some(live) if live.keep_alive && live.lost_since.is_some() => {
                if self.may_log_in(policy, now) == Verdict::LogIn {
                    return Verdict::LogIn;
                }
                Verdict::Nothing
            }
            Some(live) if live.keep_alive && live.refresh_at.max(self.trouble_until()) <= now => {
                Verdict::KeepAlive
            }
            _ => Verdict::Nothing,
        }
    }

    fn interrupted(&mut self, now: Timestamp) {
        if self.task.as_ref().is_some_and(|task| task.work == Work::LogOut) {
            self.logout_finished(false, now);
        }
        self.task = None;
    }

    /// Whose cookies those of a login that was broken off are is found out when somebody wants them; else they are logged
    /// out.
    fn wait_for_its_caller(&mut self, now: Timestamp) {
        let idle = self.session.is_none() && self.task.is_none() && self.logout.is_none();
        if self.signed_in && idle {
            let try_at = self.trouble_until().max(now).plus(COME_BACK);
            self.logout = Some(PendingLogout { attempts: 0, try_at, broken_off: true });
        }
    }

    fn logout_finished(&mut self, done: bool, now: Timestamp) {
        let began_at = self.task.take_if(|task| task.work == Work::LogOut).map(|f| f.began_at);
        if began_at.is_some_and(|at| self.logout.is_some_and(|f| f.try_at > at)) {
            // The next session was closed meanwhile, and its own is still to come.
            return;
        }
        let Some(logout) = self.logout.take() else { return };
        let attempts = logout.attempts + 1;
        if !done && attempts < LOGOUTS_MAX {
            self.logout = Some(PendingLogout { attempts, try_at: now.plus(LOGOUT_AGAIN), ..logout });
        } else if logout.broken_off {
            self.signed_in = false;
        }
    }
}

const fn is_captcha(code: Code) -> bool {
    matches!(
        code,
        Code::CaptchaKeyRefused
            | Code::CaptchaNoBalance
            | Code::CaptchaBusy
            | Code::CaptchaUnsolved
            | Code::CaptchaTimeout
            | Code::CaptchaFailed
    )
}

/// Whether a login that failed so is not tried again at once.
const fn waits(code: Code) -> bool {
    code.is_trouble()
        || matches!(
            code,
            Code::CaptchaBusy | Code::CaptchaUnsolved | Code::CaptchaTimeout | Code::CaptchaFailed
        )
}

/// The next keep-alive: all sessions of a portal do not come at once.
fn refresh_at(policy: &Policy, now: Timestamp, jitter: Jitter) -> Timestamp {
    let spread = policy.keep_alive * policy.jitter_percent / 100;
    now.plus(policy.keep_alive.saturating_sub(spread) + jitter.up_to(spread * 2))
}
