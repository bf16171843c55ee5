//! Faults that the other tests found, or that reading found, each as it showed.

use super::login_support::*;
use super::*;

#[test]
fn a_lost_session_that_is_wanted_does_not_end_idle_in_its_own_login() {
    let mut p = lost(false);
    p.now = p.login.expires_at(&p.policy).unwrap().minus(secs(5));
    assert_eq!(p.want(false), Verdict::LogIn);
    p.start_task(Work::LogIn);
    p.advance(secs(20));
    p.land(false);
    assert_eq!(p.want(false), Verdict::Serve, "and not a second login");
    assert_eq!(p.live().session_id, ID);
}

#[test]
fn a_login_that_takes_longer_than_idle_serves_those_who_waited() {
    let mut p = living(false);
    p.policy.idle = secs(10);
    p.run();
    p.advance(secs(30));
    assert_eq!(p.event(Event::LoggedOut { again: false }), Verdict::LogIn);
    p.advance(secs(1));
    p.start_task(Work::LogIn);
    p.advance(secs(30));
    p.land(false);
    p.advance(secs(1));
    assert_eq!((p.resume(), p.id().as_str()), (Verdict::Serve, ID));
}

#[test]
fn what_is_closed_while_it_is_logged_in_again_stays_closed() {
    for keep_alive in [false, true] {
        for signed_in in [false, true] {
            let mut p = living(keep_alive);
            p.start_task(Work::KeepAlive);
            assert_eq!(p.event(Event::LoggedOut { again: false }), Verdict::LogIn);
            p.start_task(Work::LogIn);
            if signed_in {
                p.event(Event::SignedIn);
            }
            assert_eq!(p.close(End::Closed), Verdict::Serve);
            assert_eq!(refused(&p.land(keep_alive)), (Code::Closed, None));
            assert_eq!(p.ended(), Some(End::Closed), "nobody has the id of another one");
            // It is logged out, unless somebody comes back for it.
            assert!(p.login.signed_in && p.login.logout.unwrap().broken_off);
            p.tell();
            assert_eq!(p.wake(), Verdict::LogOut);
            p.start_task(Work::LogOut);
            p.event(Event::LogoutFinished { done: true });
            assert_eq!((p.login.signed_in, p.login.logout), (false, None));
            assert_eq!(p.wake(), Verdict::Forget);
        }
    }
}

#[test]
fn a_take_over_that_nobody_wants_any_more_leaves_nothing_behind() {
    for failure in [None, Some(Code::Unreachable)] {
        let mut p = lost(true);
        p.advance(secs(60));
        p.start_task(Work::LogIn);
        p.event(Event::SignedIn);
        p.event(Event::Interrupted);
        assert_eq!(p.wake(), Verdict::LogIn);
        p.start_task(Work::KeepAlive);
        p.close(End::Evicted);
        match failure {
            Some(code) => p.event(Event::Failed(Failure::new(code))),
            None => p.land(true),
        };
        assert_eq!(p.ended(), Some(End::Evicted));
        assert!(p.login.signed_in && p.login.logout.is_some(), "{:?}", p.login);
    }
}

#[test]
fn a_broken_off_login_of_a_lost_session_is_logged_out_with_it() {
    // Its credentials are kept for as long as it counts as signed in.
    let broken_off = |keep_alive| {
        let mut p = lost(keep_alive);
        p.advance(secs(60));
        p.start_task(Work::LogIn);
        p.event(Event::SignedIn);
        p.event(Event::Interrupted);
        p
    };
    let mut closed = broken_off(true);
    closed.close(End::Closed);
    let mut idle = broken_off(false);
    idle.now = idle.login.expires_at(&idle.policy).unwrap().plus(MILLI);
    idle.event(Event::Woke);
    for p in [closed, idle] {
        assert!(p.login.session.is_none() && !p.login.signed_in);
        assert!(!p.login.logout.unwrap().broken_off, "{:?}", p.login);
    }
}

#[test]
fn a_login_that_times_out_after_the_credentials_were_taken_is_taken_over() {
    for code in [Code::Timeout, Code::Unreachable, Code::UnexpectedResponse] {
        let mut p = Play::new();
        p.want(true);
        p.start_task(Work::LogIn);
        p.event(Event::SignedIn);
        p.event(Event::LoginFailed(Failure::new(code)));
        assert!(p.login.signed_in, "the portal has a session of ours, maybe");
        let logout = p.login.logout.unwrap();
        assert!(logout.broken_off && logout.try_at >= p.now.plus(secs(120)));
        assert!(logout.try_at > p.login.trouble.unwrap().until, "not before somebody could come back");
    }
    let mut p = lost(true);
    p.advance(secs(60));
    p.start_task(Work::LogIn);
    p.event(Event::SignedIn);
    p.event(Event::LoginFailed(Failure::new(Code::Timeout)));
    assert!(p.login.signed_in && p.login.session.is_some() && p.login.logout.is_none());
    for code in [Code::CredentialsRefused, Code::AccountLocked, Code::LoggedOut] {
        let mut p = Play::new();
        p.start_task(Work::LogIn);
        p.event(Event::SignedIn);
        p.event(Event::LoginFailed(Failure::new(code)));
        assert!(!p.login.signed_in && p.login.logout.is_none(), "{code:?} says that there is none");
    }
}

#[test]
fn a_keep_alive_that_fails_oddly_waits_too() {
    for code in [Code::Interrupted, Code::CredentialsRefused, Code::CaptchaFailed, Code::OutcomeUnknown] {
        let mut p = living(true);
        assert_eq!(p.wake(), Verdict::KeepAlive);
        p.fail_keep_alive(code);
        assert!(p.next_alarm().unwrap() >= p.now.plus(secs(15)), "{code:?} again and again");
    }
}

#[test]
fn a_keep_alive_page_that_is_not_found_is_no_use() {
    for code in [Code::NotFound, Code::InputRefused] {
        let mut p = living(true);
        let used = p.live().last_used;
        assert_eq!(p.wake(), Verdict::KeepAlive);
        p.fail_keep_alive(code);
        assert_eq!(p.live().last_used, used, "{code:?}");
        assert!(p.next_alarm().unwrap() >= p.now.plus(secs(15)));
    }
}

#[test]
fn a_logout_is_not_taken_for_that_of_the_next_session() {
    for landing in [Event::LogoutFinished { done: true }, Event::Interrupted] {
        let mut p = living(true);
        p.close(End::Closed);
        p.start_task(Work::LogOut);
        p.event(Event::LogoutFinished { done: false });
        p.log_in(true);
        p.tell();
        assert_eq!(p.wake(), Verdict::LogOut);
        p.start_task(Work::LogOut);
        p.advance(MILLI);
        p.close(End::Closed);
        p.event(landing);
        let logout = p.login.logout.unwrap();
        assert_eq!((logout.attempts, logout.try_at), (0, p.now), "the second is still to be logged out");
    }
}

#[test]
fn what_needed_no_call_is_use_and_confirms_nothing() {
    let mut p = living(true);
    p.start_task(Work::KeepAlive);
    p.event(Event::Failed(Failure::new(Code::Unreachable)));
    let (refresh_at, trouble) = (p.live().refresh_at, p.login.trouble);
    p.now = p.now.plus(secs(3600));
    p.start_task(Work::Run("check_appointments".to_owned()));
    p.event(Event::Unasked);
    assert_eq!((p.live().refresh_at, p.login.trouble), (refresh_at, trouble));
    assert_eq!((p.live().last_used, p.login.task.clone()), (p.now, None));
}

#[test]
fn where_there_is_no_browser_nobody_is_logged_out_and_no_login_is_spent() {
    for code in [Code::NoBrowser, Code::BrowsersBusy, Code::BrowserLost] {
        let mut p = lost(true);
        p.advance(secs(60));
        let spent = p.login.logins.len();
        for _ in 0..4 {
            assert_eq!(p.wake(), Verdict::LogIn);
            p.fail(code);
            assert!(p.login.session.is_some() && p.login.logins.len() == spent, "{code:?}");
            p.advance(secs(600));
        }
        // An operation that finds none says nothing of the next one.
        let mut p = living(true);
        p.run();
        p.event(Event::Failed(Failure::new(code)));
        assert!(p.login.trouble.is_none() && p.login.session.is_some());
    }
}
