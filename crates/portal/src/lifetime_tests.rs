//! How long a portal session lives, and when it is kept alive.

use super::login_support::*;
use super::*;

#[test]
fn a_regular_session_lives_at_exactly_idle_and_not_after() {
    for (after, verdict) in [(secs(1800), Verdict::Serve), (secs(1800) + MILLI, Verdict::Ended(End::Idle))] {
        let mut p = living(false);
        let used = p.now;
        assert_eq!(p.login.expires_at(&p.policy), Some(used.plus(secs(1800))));
        p.now = used.plus(after);
        assert_eq!(p.resume(), verdict, "{after:?}");
    }
    let mut p = living(false);
    assert_eq!(p.next_alarm(), Some(p.now.plus(secs(1800) + MILLI)));
    assert_eq!(p.wake(), Verdict::LogOut, "it ends without anybody, and the portal hears of it");
    assert_eq!((p.ended(), p.resume()), (Some(End::Idle), Verdict::Ended(End::Idle)));
    assert_eq!(p.want(false), Verdict::LogIn);
    // Neither a use nor work under way lets it end.
    let mut p = living(false);
    p.advance(secs(1800));
    assert_eq!(p.want(false), Verdict::Serve);
    p.advance(secs(1799));
    p.run();
    p.advance(secs(600));
    assert_eq!(p.event(Event::Woke), Verdict::Nothing);
    p.event(Event::Confirmed { used: true });
    assert_eq!(p.login.expires_at(&p.policy), Some(p.now.plus(secs(1800))));
    p.advance(secs(1800));
    assert_eq!(p.resume(), Verdict::Serve);
}

#[test]
fn keep_alive_is_no_use_and_never_ends_idle() {
    let mut p = living(true);
    let used = p.now;
    for _ in 0..50 {
        assert_eq!(p.wake(), Verdict::KeepAlive);
        p.start_task(Work::KeepAlive);
        p.event(Event::Confirmed { used: false });
    }
    assert_eq!((p.live().last_used, p.live().confirmed_at), (used, p.now));
    assert_eq!((p.login.expires_at(&p.policy), p.resume()), (None, Verdict::Serve));
}

#[test]
fn keep_alive_comes_within_its_jitter() {
    let after = |jitter, percent| {
        let mut p = Play::new();
        (p.jitter, p.policy.jitter_percent) = (jitter, percent);
        p.log_in(true);
        p.tell();
        let at = p.next_alarm().unwrap();
        p.now = at.minus(MILLI);
        assert_eq!(p.event(Event::Woke), Verdict::Nothing);
        p.now = at;
        assert_eq!(p.event(Event::Woke), Verdict::KeepAlive);
        at.since(p.live().created_at)
    };
    assert_eq!((after(LEAST, 10), after(MOST, 10)), (secs(270), secs(330)));
    assert_eq!((after(LEAST, 0), after(MOST, 0)), (secs(300), secs(300)));
    assert_eq!((after(LEAST, 50), after(MOST, 50)), (secs(150), secs(450)));
}

#[test]
fn a_regular_session_becomes_one_that_is_kept_alive() {
    for (age, refresh_after) in [(secs(0), secs(270)), (secs(100), secs(170)), (secs(1700), secs(0))] {
        let mut p = living(false);
        p.advance(age);
        assert_eq!(p.want(true), Verdict::Serve);
        assert!(p.live().keep_alive && p.login.pending_sync.is_some(), "the registry is to know");
        assert_eq!(p.live().refresh_at, p.now.plus(refresh_after));
        assert_eq!(p.login.expires_at(&p.policy), None);
        p.tell();
        assert_eq!(p.want(false), Verdict::Serve);
        assert!(p.live().keep_alive && p.login.pending_sync.is_none(), "and stays one");
    }
}
