//! A login that waits for a person, and the browser that is left open for them.

use super::Context;
use crate::code::{Code, Failure};
use crate::protocol::Refusal;
use crate::state::{Login, OpenBrowser, Person};
use base::clock::Timestamp;
use base::ids::ServiceKeyId;
use std::time::Duration;

/// Callers may ask again after this.
const ASK_AGAIN_SECONDS: u64 = 5;
/// How often it is tried to close a browser, and the wait between.
const CLOSES_MAX: u32 = 3;
const CLOSE_AGAIN: Duration = Duration::from_mins(1);

impl Login {
    /// The answer while it waits for a person.
    pub(super) fn waits_for_person(&self) -> Option<Refusal> {
        let retry_after_seconds = Some(ASK_AGAIN_SECONDS);
        self.person.as_ref().map(|_| Refusal { retry_after_seconds, ..Refusal::new(Code::NeedsHuman) })
    }

    pub(crate) fn person_asked(
        &mut self,
        failure: &Failure,
        until: Timestamp,
        keep_alive: bool,
        opener: Option<ServiceKeyId>,
        c: &Context<'_>,
    ) -> Refusal {
        let Some(task) = self.task.take().filter(|task| !task.abandoned) else {
            // Its session was closed meanwhile. Nobody is to be called for it.
            self.leave_browser(c.now);
            return Refusal::new(Code::Closed);
        };
        self.note_failure(failure, c.now);
        self.signed_in = false;
        let (asked_at, paid) = (c.now, task.paid);
        self.person = Some(Box::new(Person { asked_at, until, keep_alive, opener, paid }));
        self.tell_needs_human(c);
        self.waits_for_person().unwrap_or(Refusal::new(Code::NeedsHuman))
    }

    /// It does not wait any more, whatever came of it.
    pub(super) fn person_left(&mut self, now: Timestamp) -> Option<Box<Person>> {
        let person = self.person.take();
        if person.is_some() {
            self.leave_browser(now);
        }
        person
    }

    /// A browser that is still open has nobody who would close it.
    fn leave_browser(&mut self, now: Timestamp) {
        if let Some(browser) = &mut self.browser {
            browser.try_at = now;
        }
    }

    pub(crate) fn browser_closed(&mut self, done: bool, now: Timestamp) {
        let Some(browser) = self.browser.take() else { return };
        let attempts = browser.attempts + 1;
        if !done && attempts < CLOSES_MAX {
            self.browser = Some(OpenBrowser { attempts, try_at: now.plus(CLOSE_AGAIN) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login_support::{Play, Verdict, living, lost, refused, secs};
    use crate::state::End;
    use crate::steps::{BrowserClosed, BrowserOpened, PersonAsked};
    use crate::{Step, Work};

    fn step<S: Step>(p: &mut Play, step: S) -> S::Outcome {
        let context = Context { policy: &p.policy, now: p.now, jitter: p.jitter };
        p.login.step(step, &context)
    }

    /// Its login has come to where a person is needed.
    fn ask(p: &mut Play) -> Refusal {
        p.start_task(Work::LogIn);
        step(p, BrowserOpened);
        let failure = Failure::new(Code::NeedsHuman);
        step(p, PersonAsked { failure, until: p.now.plus(secs(600)), keep_alive: false, opener: None })
    }

    #[test]
    fn while_it_waits_there_is_no_other_login_and_the_alarm_is_always_due() {
        let mut p = Play::new();
        p.want(false);
        assert_eq!(ask(&mut p).code, Code::NeedsHuman);
        for _ in 0..3 {
            assert_eq!(refused(&p.want(true)), (Code::NeedsHuman, Some(ASK_AGAIN_SECONDS)));
            assert_eq!(p.next_alarm(), Some(p.now));
            assert_eq!(p.wake(), Verdict::GoOn);
            p.advance(secs(100));
        }
        // Whoever asked meanwhile wants it kept alive.
        assert!(p.login.person.as_ref().unwrap().keep_alive && p.login.logins.len() == 1);
        p.land(true);
        step(&mut p, BrowserClosed { done: true });
        assert_eq!((p.want(false), p.login.person.is_none()), (Verdict::Serve, true));
    }

    #[test]
    fn a_lost_session_waits_with_it_and_takes_it_along_when_it_is_closed() {
        let mut p = lost(true);
        p.advance(secs(60));
        ask(&mut p);
        assert_eq!(refused(&p.resume()).0, Code::NeedsHuman);
        // It neither ends idle meanwhile nor is it logged in again by itself.
        p.advance(secs(3_000));
        assert_eq!(p.wake(), Verdict::GoOn);
        p.close(End::Closed);
        assert_eq!((p.login.person.is_none(), p.login.logout), (true, None));
        p.tell();
        assert_eq!(p.wake(), Verdict::LetGo);
        assert_eq!(ask_of_a_closed_one().code, Code::Closed);
    }

    /// Its session was closed while it logged in again.
    fn ask_of_a_closed_one() -> Refusal {
        let mut p = lost(true);
        p.start_task(Work::LogIn);
        step(&mut p, BrowserOpened);
        p.close(End::Closed);
        let failure = Failure::new(Code::NeedsHuman);
        let until = p.now.plus(secs(600));
        let refusal = step(&mut p, PersonAsked { failure, until, keep_alive: true, opener: None });
        assert!(p.login.person.is_none() && p.login.browser.is_some());
        refusal
    }

    #[test]
    fn what_it_may_come_to_is_no_refusal_of_the_credentials() {
        for (code, wait) in [
            (Code::NeedsHuman, 900),
            (Code::BrowserLost, 15),
            (Code::UnexpectedResponse, 15),
            (Code::StepFailed, 15),
        ] {
            let mut p = Play::new();
            p.want(true);
            ask(&mut p);
            let failed = Failure::new(code);
            let refusal = step(&mut p, crate::steps::LoginFailed(failed));
            assert_eq!((refusal.code, refusal.retry_after_seconds), (code, Some(wait)));
            assert!(p.login.refused.is_none() && p.login.logins.len() == 1);
            assert_eq!(refused(&p.want(true)), (code, Some(wait)));
        }
        let mut p = Play::new();
        ask(&mut p);
        step(&mut p, crate::steps::LoginFailed(Failure::new(Code::AccountLocked)));
        assert!(p.login.refused.is_some(), "the portal has said so");
    }

    #[test]
    fn a_browser_that_nobody_is_at_is_closed_and_given_up_in_the_end() {
        let mut p = living(true);
        step(&mut p, BrowserOpened);
        for _ in 0..CLOSES_MAX {
            assert_eq!(p.wake(), Verdict::LetGo);
            step(&mut p, BrowserClosed { done: false });
        }
        assert!(p.login.browser.is_none());
        step(&mut p, BrowserClosed { done: true });
        // An instance died while it logged in.
        let mut p = Play::new();
        p.start_task(Work::LogIn);
        step(&mut p, BrowserOpened);
        p.event(crate::login_support::Event::Interrupted);
        assert_eq!((p.next_alarm(), p.wake()), (Some(p.now), Verdict::LetGo));
    }
}
