//! Ends: of a session here, and at the portal.

use crate::state::{End, Ended, Live, Login, PendingLogout, PendingSync, Policy, Task, Work};
use crate::steps::Lost;
use base::clock::Timestamp;
use std::time::Duration;

/// How long the caller of a login that was broken off may take to come back, before what is known of it is given up.
const COME_BACK: Duration = Duration::from_mins(2);
/// How often a logout at the portal is tried, and the wait between.
const LOGOUTS_MAX: u32 = 3;
const LOGOUT_AGAIN: Duration = Duration::from_mins(1);

impl Login {
    pub(crate) fn logged_out(&mut self, again: bool, policy: &Policy, now: Timestamp) -> Lost {
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

    /// The session is over here. If it still lives at the portal, it is to be logged out there.
    pub(crate) fn end(&mut self, reason: End, now: Timestamp) {
        let Some(live) = self.session.take() else { return };
        self.person_left(now);
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

    pub(super) fn changed(&mut self, now: Timestamp) {
        let change =
            self.pending_sync.map_or(now.millis(), |pending_sync| pending_sync.change.saturating_add(1));
        self.pending_sync = Some(PendingSync { change, try_at: now });
    }

    /// Whose cookies those of a login that was broken off are is found out when somebody wants them; else they are logged
    /// out.
    pub(super) fn wait_for_its_caller(&mut self, now: Timestamp) {
        let idle =
            self.session.is_none() && self.task.is_none() && self.person.is_none() && self.logout.is_none();
        if self.signed_in && idle {
            let try_at = self.trouble_until().max(now).plus(COME_BACK);
            self.logout = Some(PendingLogout { attempts: 0, try_at, broken_off: true });
        }
    }

    pub(crate) fn logout_finished(&mut self, done: bool, now: Timestamp) {
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

/// Whether nobody has used a session for so long that its captcha is not paid for any more: whoever wants it uses it first.
pub(super) fn is_unused(live: &Live, policy: &Policy, now: Timestamp) -> bool {
    now > live.last_used.plus(policy.relogin_unused)
}
