//! Logins: whether one may be made now, and what came of one.

use super::{Context, HOUR, MayLogIn};
use crate::code::{Code, Failure};
use crate::protocol::Refusal;
use crate::refusals::Held;
use crate::state::{End, Live, Login, Policy, Reached, Refused, RefusedKey, RetryState, Saved, Task, Work};
use base::clock::{Timestamp, seconds_up};
use base::ids::{PortalId, ServiceKeyId};
use std::time::Duration;

/// A captcha key that was refused is left alone for this long; so many of them are remembered.
const KEY_AGAIN: Duration = Duration::from_mins(1);
const KEYS_MAX: usize = 10;

impl Login {
    /// What there is against a login with this captcha key.
    pub fn key_refused(&self, print: &str, now: Timestamp) -> Option<Refusal> {
        let key = self.refused_keys.iter().find(|key| key.print == print && key.until > now)?;
        let retry_after_seconds = Some(seconds_up(key.until.since(now)).max(1));
        Some(Refusal { retry_after_seconds, ..Refusal::new(key.code) })
    }

    pub(crate) fn refuse_key(&mut self, print: String, code: Code, now: Timestamp) {
        // The portal has seen no login, and a key without credit pays for none: the minute's wait is bound enough.
        if self.task.as_ref().is_none_or(|task| task.reached < Reached::Password) {
            self.logins.pop();
        }
        self.refused_keys.retain(|key| key.print != print);
        self.refused_keys.push(RefusedKey { print, code, until: now.plus(KEY_AGAIN) });
        let surplus = self.refused_keys.len().saturating_sub(KEYS_MAX);
        self.refused_keys.drain(..surplus);
    }

    pub(super) fn trouble_until(&self) -> Timestamp {
        self.trouble.map(|t| t.until).unwrap_or_default()
    }

    /// When the hour's logins allow another one.
    fn budget_at(&self, policy: &Policy) -> Timestamp {
        let from = self.logins.len().checked_sub(policy.logins_per_hour);
        from.and_then(|oldest| self.logins.get(oldest)).map(|at| at.plus(HOUR)).unwrap_or_default()
    }

    pub(super) fn login_at(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let refused = self.refused.map(|r| r.until).unwrap_or_default();
        let held = self.held.map(|h| h.until).unwrap_or_default();
        let budget = if self.signed_in { now } else { self.budget_at(policy) };
        let person = self.person.as_ref().map(|person| person.until).unwrap_or_default();
        refused.max(held).max(person).max(self.trouble_until()).max(budget).max(now)
    }

    /// Whether a login may be made now. One that was broken off, and may only have to be taken over, is none.
    pub(super) fn may_log_in(&self, policy: &Policy, now: Timestamp) -> MayLogIn {
        match self.may_log_in_anew(policy, now) {
            Err(refusal) if refusal.code == Code::LoginBudgetExhausted && self.signed_in => Ok(()),
            may => may,
        }
    }

    /// Whether a login may be made from the beginning.
    pub fn may_log_in_anew(&self, policy: &Policy, now: Timestamp) -> MayLogIn {
        if let Some(refusal) = self.waits_for_person() {
            return Err(refusal);
        }
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

    pub(crate) fn logged_in(
        &mut self,
        session_id: PortalId,
        keep_alive: bool,
        opener: Option<ServiceKeyId>,
        c: &Context<'_>,
    ) -> Result<(), Refusal> {
        let Context { policy, now, jitter } = *c;
        let task = self.task.take();
        // A state that was given says nothing of the credentials.
        let by_state =
            |task: &Task| task.work == Work::LogIn && task.reached < Reached::Password && !self.signed_in;
        let unproven = task.as_ref().is_some_and(by_state);
        if !unproven {
            self.refused = None;
        }
        let person = self.person_left(now);
        let paid = task.as_ref().map_or(person.is_some_and(|person| person.paid), |task| task.paid);
        if task.is_some_and(|task| task.abandoned) {
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
                saved: Saved::default(),
                unproven,
                browser_milliseconds: 0,
            });
            self.changed(now);
        }
        if let Some(live) = &mut self.session {
            live.saved.paid = paid;
            if live.unproven && !unproven {
                live.unproven = false;
                // The registry has refusals to forget.
                self.changed(now);
            }
        }
        if let Some(opener) = opener {
            self.opened(opener, now);
        }
        self.confirmed(used, policy, now, jitter);
        Ok(())
    }

    pub(crate) fn login_failed(&mut self, mut failure: Failure, c: &Context<'_>) -> Refusal {
        let Context { policy, now, jitter } = *c;
        self.note_failure(&failure, now);
        self.tell_failure(failure.code, failure.step, c);
        let waited = self.person_left(now).is_some();
        let reached = self.task.take().map(|task| task.reached).unwrap_or_default();
        // What a person has done there is no answer to the password.
        let unanswered = reached == Reached::Password && !self.signed_in && !waited;
        let code = failure.code;
        let no_attempt = failure.is_down() || code.is_of_browsers() || code == Code::OutOfTime;
        // A portal that is down, or that nobody has got to, has seen no login, and the waits see to it that it is not asked too often.
        if no_attempt && reached == Reached::Pages && !self.signed_in && !waited {
            self.logins.pop();
        }
        // What the portal made of the credentials that it took is not known then.
        self.signed_in &= code.is_trouble() || code == Code::Interrupted;
        // What came back for the password is neither a user's page nor understood: it may be a refusal in other words.
        let unsaid =
            unanswered && matches!(code, Code::UnexpectedResponse | Code::Redirected | Code::StepFailed);
        if code.refuses_credentials() || unsaid {
            let refused = Refused::after(self.refused, code, policy.cooldown, now);
            self.refused = Some(refused);
            self.end(if unsaid { End::LoggedOut } else { End::CredentialsRefused }, now);
            // The registry counts it for the username.
            self.changed(now);
            failure.retry_after = Some(refused.until.since(now));
            return failure.into();
        }
        if waited && code == Code::NeedsHuman {
            // Nobody came. Nobody is called again at once.
            failure.retry_after = Some(policy.cooldown);
        }
        if waits(code) || (waited && code == Code::NeedsHuman) {
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
    pub(crate) fn not_sent(&mut self, held: Held, now: Timestamp) -> Refusal {
        if self.task.take().is_some_and(|task| task.abandoned) {
            return Refusal::new(Code::Closed);
        }
        self.held = self.session.as_ref().map(|_| held);
        held.refusal(now)
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
