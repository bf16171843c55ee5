//! The life of a portal login: what an event makes of it, and what is to be done next. No I/O, no clock.
//!
//! Over 400 lines: all transitions of one state machine, which can be judged beside each other only.

use super::code::{Code, Failure};
use super::protocol::Refusal;
use super::refusals::Held;
use super::state::{
    End, Ended, Live, Login, PendingLogout, PendingSync, Policy, Reached, Refused, RefusedKey, RetryState,
    TROUBLE_KNOWN, Task, Work,
};
use super::steps::{Due, Gone, Lost, Usable};
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
        self.forget_old(context.policy, context.now);
        let outcome = step.apply(self, context);
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
        let pending_sync = self.pending_sync.map(|u| u.try_at);
        [session, watch, logout, pending_sync].into_iter().flatten().min().or_else(|| self.forget_at())
    }

    /// When nothing of this matters any more; nothing while something is still to be done, or was never begun.
    pub(super) fn forget_at(&self) -> Option<Timestamp> {
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

    pub(super) fn refuse_key(&mut self, print: String, code: Code, now: Timestamp) {
        // The portal has seen no login, and a key without credit pays for none: the minute's wait is bound enough.
        if self.task.as_ref().is_none_or(|task| task.reached < Reached::Password) {
            self.logins.pop();
        }
        self.refused_keys.retain(|key| key.print != print);
        self.refused_keys.push(RefusedKey { print, code, until: now.plus(KEY_AGAIN) });
        let surplus = self.refused_keys.len().saturating_sub(KEYS_MAX);
        self.refused_keys.drain(..surplus);
    }

    fn forget_old(&mut self, policy: &Policy, now: Timestamp) {
        self.refused_keys.retain(|key| key.until > now);
        self.refused.take_if(|refused| refused.forgotten_at() <= now);
        self.held.take_if(|held| held.until <= now);
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

    pub(super) fn wanted(
        &mut self,
        keep_alive: bool,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Result<Usable, Refusal> {
        let Some(live) = &mut self.session else {
            return self.may_log_in(policy, now).map(|()| Usable::AfterLogin);
        };
        if keep_alive && !live.keep_alive {
            live.keep_alive = true;
            live.refresh_at = refresh_at(policy, live.confirmed_at, jitter).max(now);
            self.changed(now);
        }
        // Whoever wants a session gets it also while the portal cannot be asked.
        self.used(policy, now)
    }

    /// The session is used.
    pub(super) fn serve(&mut self, policy: &Policy, now: Timestamp) -> Result<Usable, Refusal> {
        if let Some(trouble) = self.trouble.filter(|t| t.down && t.until > now) {
            return Err(trouble.refusal(now));
        }
        self.used(policy, now)
    }

    /// A lost session that is to be logged in again is used as well: it must not end idle meanwhile.
    fn used(&mut self, policy: &Policy, now: Timestamp) -> Result<Usable, Refusal> {
        let lives = self.session.as_ref().is_some_and(|live| live.lost_since.is_none());
        let usable = if lives {
            Usable::Now
        } else {
            self.may_log_in(policy, now)?;
            Usable::AfterLogin
        };
        if let Some(live) = &mut self.session {
            live.last_used = live.last_used.max(now);
        }
        Ok(usable)
    }

    pub(super) fn gone(&self, session_id: &PortalId) -> Gone {
        match &self.ended {
            Some(ended) if ended.session_id == *session_id => Gone::Ended(ended.reason),
            _ => Gone::Unknown,
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
        let held = self.held.map(|h| h.until).unwrap_or_default();
        let budget = if self.signed_in { now } else { self.budget_at(policy) };
        refused.max(held).max(self.trouble_until()).max(budget).max(now)
    }

    /// Whether a login may be made now. One that was broken off, and may only have to be taken over, is none.
    fn may_log_in(&self, policy: &Policy, now: Timestamp) -> MayLogIn {
        match self.may_log_in_anew(policy, now) {
            Err(refusal) if refusal.code == Code::LoginBudgetExhausted && self.signed_in => Ok(()),
            may => may,
        }
    }

    /// Whether a login may be made from the beginning.
    pub fn may_log_in_anew(&self, policy: &Policy, now: Timestamp) -> MayLogIn {
        let refusal = |code, until: Timestamp| {
            let retry_after_seconds = Some(seconds_up(until.since(now)).max(1));
            Err(Refusal { retry_after_seconds, ..Refusal::new(code) })
        };
        if let Some(refused) = self.refused.filter(|r| r.until > now) {
            return refusal(refused.code, refused.until);
        }
        if let Some(held) = self.held.filter(|h| h.until > now) {
            return Err(held.refusal(now));
        }
        if let Some(trouble) = self.trouble.filter(|t| t.until > now) {
            return Err(trouble.refusal(now));
        }
        match self.budget_at(policy) {
            at if at > now => refusal(Code::LoginBudgetExhausted, at),
            _ => Ok(()),
        }
    }

    pub(super) fn logged_in(
        &mut self,
        session_id: PortalId,
        keep_alive: bool,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Result<(), Refusal> {
        self.refused = None;
        if self.task.take().is_some_and(|task| task.abandoned) {
            // Its session was closed meanwhile. Nobody would know the id of another one.
            self.trouble = None;
            self.signed_in = true;
            return Err(Refusal::new(Code::Closed));
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
        Ok(())
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

    pub(super) fn login_failed(
        &mut self,
        mut failure: Failure,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Refusal {
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
            // The registry counts it for the username.
            self.changed(now);
            failure.retry_after = Some(refused.until.since(now));
            return failure.into();
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
        failure.into()
    }

    /// Nothing is known of these credentials that was not known before. A session that is there waits. It counts among the
    /// hour's logins: a captcha was paid for.
    pub(super) fn not_sent(&mut self, held: Held, now: Timestamp) -> Refusal {
        if self.task.take().is_some_and(|task| task.abandoned) {
            return Refusal::new(Code::Closed);
        }
        self.held = self.session.as_ref().map(|_| held);
        held.refusal(now)
    }

    pub(super) fn logged_out(&mut self, again: bool, policy: &Policy, now: Timestamp) -> Lost {
        let running = self.task.take().is_some_and(|task| matches!(task.work, Work::Run(_)));
        self.trouble = None;
        let Some(live) = &mut self.session else { return Lost::Unknown };
        if running {
            live.last_used = live.last_used.max(now);
        }
        live.lost_since = live.lost_since.or(Some(now));
        let unused = is_unused(live, policy, now);
        if !again && policy.relogin && !unused && self.may_log_in(policy, now).is_ok() {
            return Lost::LogIn;
        }
        let reason = if policy.relogin && unused { End::Unused } else { End::LoggedOut };
        self.end(reason, now);
        Lost::Ended(reason)
    }

    pub(super) fn failed(
        &mut self,
        mut failure: Failure,
        policy: &Policy,
        now: Timestamp,
        jitter: Jitter,
    ) -> Refusal {
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
        failure.into()
    }

    /// The session is over here. If it still lives at the portal, it is to be logged out there.
    pub(super) fn end(&mut self, reason: End, now: Timestamp) {
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

    pub(super) fn woke(&mut self, policy: &Policy, now: Timestamp) -> Due {
        if self.task.is_some() {
            return Due::Nothing;
        }
        if self.logout.is_some_and(|f| f.try_at <= now) {
            return Due::LogOut;
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

    pub(super) fn interrupted(&mut self, now: Timestamp) {
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

    pub(super) fn logout_finished(&mut self, done: bool, now: Timestamp) {
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

/// Whether nobody has used a session for so long that its captcha is not paid for any more: whoever wants it uses it first.
fn is_unused(live: &Live, policy: &Policy, now: Timestamp) -> bool {
    now > live.last_used.plus(policy.relogin_unused)
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
