//! Service keys that may use only those logins that they opened themselves.
//!
//! Whoever shows the credentials of a live session has proven as much as the one who opened it: to know the password is what counts.
//! What the portal has not taken proves nothing: else one could leave guesses here, and see later which of them was right.

use crate::state::Login;
use crate::steps::Gone;
use base::clock::Timestamp;
use base::ids::{PortalId, ServiceKeyId};

/// Most that are remembered. One that is not has to show the credentials again.
const OPENERS_MAX: usize = 50;

impl Login {
    /// Whether this login is nothing to a key. Without one, it is somebody who may use all.
    pub(crate) fn is_anothers(&self, opener: Option<&ServiceKeyId>) -> bool {
        opener.is_some_and(|opener| !self.openers.contains(opener))
    }

    /// A key has shown the credentials, and a session lives with them.
    pub(crate) fn opened(&mut self, opener: ServiceKeyId, now: Timestamp) {
        if self.session.is_none() || self.openers.contains(&opener) {
            return;
        }
        self.openers.push(opener);
        let surplus = self.openers.len().saturating_sub(OPENERS_MAX);
        self.openers.drain(..surplus);
        // The registry lists by it.
        self.changed(now);
    }

    /// What is to be said of a session that is not there; to a key that it is nothing to, nothing.
    pub(crate) fn gone(&self, session_id: &PortalId, opener: Option<&ServiceKeyId>) -> Gone {
        match &self.ended {
            Some(ended) if ended.session_id == *session_id && !self.is_anothers(opener) => {
                Gone::Ended(ended.reason)
            }
            _ => Gone::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login_support::{Play, living};
    use crate::state::End;
    use crate::steps::{Closed, LoggedIn, Opened, Resumed, Resumption, Usable};
    use crate::{Code, Context, Step};
    use std::time::Duration;

    fn key(n: u32) -> ServiceKeyId {
        ServiceKeyId::issued(format!("{n:012x}"))
    }

    fn step<S: Step>(p: &mut Play, step: S) -> S::Outcome {
        let context = Context { policy: &p.policy, now: p.now, jitter: p.jitter };
        p.login.step(step, &context)
    }

    fn resumed(p: &mut Play, opener: Option<u32>) -> Resumption {
        let (session_id, opener) = (p.id(), opener.map(key));
        step(p, Resumed { session_id, saves: false, opener })
    }

    fn closed(p: &mut Play, opener: Option<u32>) -> Result<(), Gone> {
        let (session_id, opener) = (p.id(), opener.map(key));
        step(p, Closed { session_id, reason: End::Closed, opener })
    }

    /// A session that was opened by the first key.
    fn opened() -> Play {
        let mut p = Play::new();
        p.want(true);
        p.start_task(crate::Work::LogIn);
        p.ids = 1;
        let session_id = p.id();
        let opener = Some(key(1));
        assert!(step(&mut p, LoggedIn { session_id, keep_alive: true, opener, due: None }).is_ok());
        p
    }

    #[test]
    fn a_login_is_nothing_to_a_key_that_has_not_shown_its_credentials() {
        let mut p = opened();
        assert_eq!(p.login.openers, [key(1)]);
        for (opener, may) in [(None, true), (Some(1), true), (Some(2), false)] {
            let expected =
                if may { Resumption::Usable(Usable::Now) } else { Resumption::Gone(Gone::Unknown) };
            assert_eq!(resumed(&mut p, opener), expected, "{opener:?}");
        }
        let before = p.login.clone();
        assert_eq!(closed(&mut p, Some(2)), Err(Gone::Unknown));
        assert_eq!(p.login, before, "it is neither closed nor used");
        step(&mut p, Opened(key(2)));
        assert_eq!(resumed(&mut p, Some(2)), Resumption::Usable(Usable::Now));
        assert_eq!(closed(&mut p, Some(2)), Ok(()));
        // How it ended is told to those whose it was.
        for (opener, gone) in
            [(None, Gone::Ended(End::Closed)), (Some(1), Gone::Ended(End::Closed)), (Some(3), Gone::Unknown)]
        {
            assert_eq!(closed(&mut p, opener), Err(gone), "{opener:?}");
            assert_eq!(resumed(&mut p, opener), Resumption::Gone(gone), "{opener:?}");
        }
    }

    #[test]
    fn what_the_portal_has_not_taken_opens_nothing() {
        let mut p = Play::new();
        p.want(true);
        step(&mut p, Opened(key(1)));
        assert!(p.login.openers.is_empty(), "there is no session");
        p.fail_after_the_password(Code::CredentialsRefused);
        step(&mut p, Opened(key(1)));
        assert!(p.login.openers.is_empty());
        // Nor does a login whose session nobody wants any more.
        let mut p = living(true);
        p.login.session.as_mut().unwrap().lost_since = Some(p.now);
        p.start_task(crate::Work::LogIn);
        p.close(End::Closed);
        let session_id = p.id();
        let end = step(&mut p, LoggedIn { session_id, keep_alive: true, opener: Some(key(1)), due: None });
        assert!(end.is_err() && p.login.openers.is_empty());
    }

    #[test]
    fn the_next_session_of_the_login_is_theirs_too_until_nothing_is_known_of_it() {
        let mut p = opened();
        p.close(End::Closed);
        p.advance(Duration::from_mins(1));
        p.want(true);
        p.log_in(true);
        assert_eq!(resumed(&mut p, Some(1)), Resumption::Usable(Usable::Now));
        // A login again of the same session changes nobody's right.
        p.start_task(crate::Work::LogIn);
        p.land(true);
        assert_eq!(p.login.openers, [key(1)]);
    }

    #[test]
    fn the_registry_hears_of_a_new_one_once_and_the_oldest_of_too_many_is_forgotten() {
        let mut p = opened();
        p.tell();
        step(&mut p, Opened(key(1)));
        assert!(p.login.pending_sync.is_none());
        step(&mut p, Opened(key(2)));
        assert!(p.login.pending_sync.is_some());
        for n in 3..=51 {
            step(&mut p, Opened(key(n)));
        }
        assert_eq!(p.login.openers.len(), OPENERS_MAX);
        assert_eq!(
            resumed(&mut p, Some(1)),
            Resumption::Gone(Gone::Unknown),
            "it shows the credentials again"
        );
        assert_eq!(resumed(&mut p, Some(51)), Resumption::Usable(Usable::Now));
    }

    #[test]
    fn of_a_state_of_the_release_before_nobody_is_an_opener() {
        let mut p = living(true);
        let stored = serde_json::to_string(&p.login).unwrap();
        assert!(!stored.contains("openers"));
        p.login = serde_json::from_str(&stored).unwrap();
        assert_eq!(resumed(&mut p, Some(1)), Resumption::Gone(Gone::Unknown));
        assert_eq!(resumed(&mut p, None), Resumption::Usable(Usable::Now));
    }
}
