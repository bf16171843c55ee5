//! The moments of the life cycle, to the millisecond.

use super::login_support::*;
use super::*;
use base::clock::Timestamp;
use base::ids::PortalId;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn refused_credentials_cool_down() {
    for code in [Code::CredentialsRefused, Code::AccountLocked] {
        let mut p = Play::new();
        assert_eq!(refused(&p.fail(code)), (code, Some(900)));
        p.advance(secs(900).saturating_sub(MILLI));
        assert_eq!(refused(&p.want(true)), (code, Some(1)));
        p.advance(MILLI);
        assert_eq!(p.want(true), Verdict::LogIn);
        p.log_in(true);
        assert_eq!(p.login.refused, None);
    }
}

#[test]
fn whoever_asks_again_and_again_waits_longer_each_time() {
    let waits = |fail: &dyn Fn(&mut Play) -> Verdict, n: usize| {
        let mut p = Play::new();
        let waits: Vec<_> = (0..n)
            .map(|_| {
                let wait = refused(&fail(&mut p)).1.unwrap();
                p.advance(secs(wait).saturating_sub(MILLI));
                assert!(matches!(p.want(true), Verdict::Refuse(_)));
                p.advance(MILLI);
                // What is known of it does not keep the next caller away.
                assert_eq!(p.want(true), Verdict::LogIn);
                wait
            })
            .collect();
        (p, waits)
    };
    let (_, said) = waits(&|p| p.fail(Code::CredentialsRefused), 7);
    assert_eq!(said, [900, 1800, 3600, 7200, 14_400, 14_400, 14_400]);
    // It may be another page, that somebody corrects.
    for code in [Code::UnexpectedResponse, Code::Redirected] {
        let (mut p, unsaid) = waits(&|p| p.fail_after_the_password(code), 4);
        assert_eq!(unsaid, [900, 1800, 3600, 3600]);
        // A good login forgets it, and so does a day.
        p.log_in(true);
        assert_eq!(p.login.refused, None);
        p.close(End::Closed);
        assert_eq!(refused(&p.fail_after_the_password(code)), (code, Some(900)));
        p.advance(secs(900 + 86_400));
        assert_eq!(refused(&p.fail_after_the_password(code)), (code, Some(900)));
    }
}

#[test]
fn what_the_portal_says_before_the_password_is_no_refusal() {
    for code in [Code::UnexpectedResponse, Code::Redirected] {
        let mut p = Play::new();
        assert_eq!(refused(&p.fail(code)), (code, Some(15)));
        assert_eq!(p.login.refused, None);
        // Nor what it says once it has taken them.
        let mut p = Play::new();
        p.start_task(Work::LogIn);
        p.event(Event::Reaching(Reached::Password));
        p.event(Event::SignedIn);
        assert_eq!(refused(&p.event(Event::LoginFailed(Failure::new(code)))), (code, Some(15)));
        assert_eq!(p.login.refused, None);
    }
}

#[test]
fn a_page_that_is_not_as_it_should_be_keeps_no_operation_away() {
    for (code, down) in [(Code::UnexpectedResponse, false), (Code::OutOfTime, false), (Code::Timeout, true)] {
        let mut p = living(true);
        assert_eq!(p.wake(), Verdict::KeepAlive);
        p.fail_keep_alive(code);
        assert_eq!(p.resume() == Verdict::Serve, !down, "{code:?}");
        let until = p.login.trouble.unwrap().until;
        assert_eq!(p.next_alarm(), Some(until), "the keep-alive waits all the same");
        p.run();
        p.event(Event::Confirmed { used: true });
        assert_eq!(p.login.trouble, None);
    }
    // A long list that took all the time there is says nothing of the portal.
    let mut p = living(true);
    p.run();
    p.event(Event::Failed(Failure::new(Code::OutOfTime)));
    assert_eq!((p.login.trouble, p.resume()), (None, Verdict::Serve));
}

/// The waits of the ladder, with the least or the most of jitter.
fn ladder(mut p: Play, fail: impl Fn(&mut Play)) -> Vec<u64> {
    (0..8)
        .map(|_| {
            fail(&mut p);
            let until = p.login.trouble.unwrap().until;
            let wait = until.since(p.now);
            p.now = until.minus(MILLI);
            assert!(matches!(p.resume(), Verdict::Refuse(_) | Verdict::Unknown));
            assert_eq!(p.event(Event::Woke), Verdict::Nothing, "also if it is woken for something else");
            p.now = until;
            wait.as_secs()
        })
        .collect()
}

#[test]
fn the_ladder_doubles_and_is_never_less() {
    let least = [15, 30, 60, 120, 240, 300, 300, 300];
    assert_eq!(ladder(living(true), |p| drop(p.fail_keep_alive(Code::ServerError))), least);
    assert_eq!(ladder(Play::new(), |p| drop(p.fail(Code::Unreachable))), least);
    let most = Play { jitter: MOST, ..living(true) };
    let most = ladder(most, |p| drop(p.fail_keep_alive(Code::Timeout)));
    assert_eq!(most, [18, 37, 75, 150, 300, 375, 375, 375], "a quarter more");
    for (says, waits) in [(5, 15), (200, 200), (3600, 3600), (86_400, 3600)] {
        let mut p = living(true);
        p.start_task(Work::KeepAlive);
        let failure = Failure { retry_after: Some(secs(says)), ..Failure::new(Code::RateLimited) };
        assert_eq!(refused(&p.event(Event::Failed(failure))), (Code::RateLimited, Some(waits)));
        assert_eq!(p.next_alarm().unwrap(), p.now.plus(secs(waits)).max(p.live().refresh_at));
    }
    // One answer, and it begins anew.
    let mut p = living(true);
    for _ in 0..5 {
        p.fail_keep_alive(Code::Timeout);
    }
    p.event(Event::Confirmed { used: false });
    p.fail_keep_alive(Code::Timeout);
    assert_eq!(p.login.trouble.unwrap().failures, 1);
    // No doubling runs over.
    for _ in 0..100 {
        p.fail_keep_alive(Code::Timeout);
    }
    assert_eq!(p.login.trouble.unwrap().until, p.now.plus(secs(300)));
}

#[test]
fn only_a_portal_that_is_down_makes_an_operation_trouble() {
    let fail = |failure: Failure| {
        let mut p = living(true);
        p.run();
        p.event(Event::Failed(failure));
        p.login.trouble.is_some()
    };
    for code in [Code::Timeout, Code::Unreachable, Code::RateLimited, Code::ServerError] {
        assert!(fail(Failure::new(code)), "{code:?}");
    }
    assert!(fail(Failure::with_status(Code::ServerError, 503)));
    assert!(!fail(Failure::with_status(Code::ServerError, 500)), "may be that operation's");
    for code in
        [Code::UnexpectedResponse, Code::Redirected, Code::NotFound, Code::OutcomeUnknown, Code::Closed]
    {
        assert!(!fail(Failure::new(code)), "{code:?}");
    }
}

#[test]
fn the_hour_has_six_logins_whatever_comes_of_them() {
    let mut p = Play::new();
    let first = p.now;
    for n in 0..6 {
        assert_eq!(p.want(true), Verdict::LogIn, "{n}");
        match n {
            0 => drop(p.fail(Code::CaptchaKeyRefused)),
            1 => {
                p.start_task(Work::LogIn);
                p.event(Event::Interrupted);
            }
            _ => {
                p.log_in(true);
                p.close(End::Closed);
            }
        }
        p.advance(secs(60));
    }
    assert_eq!(refused(&p.want(true)), (Code::LoginBudgetExhausted, Some(3600 - 360)));
    p.now = first.plus(HOUR).minus(MILLI);
    assert_eq!(refused(&p.want(true)), (Code::LoginBudgetExhausted, Some(1)));
    p.now = first.plus(HOUR);
    assert_eq!(p.want(true), Verdict::LogIn);
    p.log_in(true);
    assert_eq!(p.login.logins.len(), 6);
    // The portal ends it when there is no login left: it is gone, and nobody waits for the next hour.
    p.advance(secs(1));
    p.run();
    assert_eq!(p.event(Event::LoggedOut { again: false }), Verdict::Ended(End::LoggedOut));
    assert_eq!(refused(&p.want(true)), (Code::LoginBudgetExhausted, Some(59)));
}

#[test]
fn a_lost_session_is_given_up_after_six_hours() {
    let mut p = lost(true);
    let since = p.live().lost_since.unwrap();
    let mut logins = 0;
    while p.wake() == Verdict::LogIn {
        assert!(p.now <= since.plus(HOUR * 6));
        p.fail(Code::Unreachable);
        logins += 1;
    }
    assert_eq!(p.ended(), Some(End::LoggedOut));
    assert!(p.now <= since.plus(HOUR * 6 + secs(400)), "the wait for the next login");
    assert!((60..=80).contains(&logins), "{logins}: one in five minutes");
    for (after, live) in [(HOUR * 6, true), (HOUR * 6 + MILLI, false)] {
        let mut p = lost(true);
        p.now = p.live().lost_since.unwrap().plus(after);
        p.event(Event::SyncStarted);
        assert_eq!(p.login.session.is_some(), live);
    }
}

#[test]
fn a_farewell_is_tried_three_times() {
    let mut p = living(true);
    p.close(End::Closed);
    p.tell();
    let mut tries = Vec::new();
    while p.login.logout.is_some() {
        assert_eq!(p.wake(), Verdict::LogOut);
        tries.push(p.now.since(Timestamp::default()));
        p.start_task(Work::LogOut);
        p.event(Event::LogoutFinished { done: false });
    }
    assert_eq!(tries.windows(2).map(|w| w[1].abs_diff(w[0]).as_secs()).collect::<Vec<_>>(), [60, 60]);
    // Nobody is at it: that was a try as well.
    let mut p = living(true);
    p.close(End::Evicted);
    for _ in 0..3 {
        p.tell();
        assert_eq!(p.wake(), Verdict::LogOut);
        p.start_task(Work::LogOut);
        p.event(Event::Interrupted);
    }
    assert_eq!((p.login.logout, p.wake()), (None, Verdict::Forget));
    for reason in [End::LoggedOut, End::CredentialsRefused, End::Captcha, End::Unreadable] {
        let mut p = living(true);
        p.event(match reason {
            End::LoggedOut => Event::LoggedOut { again: true },
            End::CredentialsRefused => Event::LoginFailed(Failure::new(Code::CredentialsRefused)),
            End::Captcha => Event::LoginFailed(Failure::new(Code::CaptchaTimeout)),
            _ => Event::Unreadable,
        });
        assert_eq!((p.ended(), p.login.logout), (Some(reason), None), "nothing is left to be logged out");
    }
}

#[test]
fn a_broken_off_login_waits_two_minutes_for_its_caller() {
    let broken_off = || {
        let mut p = Play::new();
        p.start_task(Work::LogIn);
        p.event(Event::SignedIn);
        assert_eq!(p.next_alarm(), Some(p.now.plus(secs(60))), "somebody looks whether it goes on");
        p.advance(secs(60));
        p.event(Event::Interrupted);
        p
    };
    let mut p = broken_off();
    assert_eq!(p.next_alarm(), Some(p.now.plus(secs(120))));
    p.advance(secs(119));
    assert_eq!((p.event(Event::Woke), p.want(true)), (Verdict::Nothing, Verdict::LogIn));
    p.start_task(Work::KeepAlive);
    p.land(true);
    assert_eq!((p.login.logout, p.login.signed_in, p.login.logins.len()), (None, false, 1));
    let mut p = broken_off();
    assert_eq!(p.wake(), Verdict::LogOut);
    p.start_task(Work::LogOut);
    p.event(Event::LogoutFinished { done: true });
    let (username, logins) = (p.login.username.clone(), p.login.logins.clone());
    assert_eq!(p.login, Login { username, logins, ..Login::default() });
}

#[test]
fn how_the_last_one_ended_is_said_for_a_day() {
    let mut p = living(true);
    p.close(End::Evicted);
    let at = p.now;
    let day = HOUR * 24;
    assert_eq!(p.login.previous(at.plus(day).minus(MILLI)), Some(End::Evicted));
    assert_eq!(p.login.previous(at.plus(day)), None);
    p.log_in(true);
    assert_eq!(p.login.previous(p.now), Some(End::Evicted), "the next caller is told");
    let old = Event::Resumed { session_id: PortalId::issued(ID) };
    assert_eq!(p.event(old.clone()), Verdict::Ended(End::Evicted), "the id that it had is known still");
    p.close(End::Closed);
    assert_eq!(p.event(old), Verdict::Unknown, "here: the registry knows more");
}

#[test]
fn the_registry_is_told_until_it_knows() {
    let mut p = Play::new();
    p.log_in(true);
    assert_eq!(p.next_alarm(), Some(p.now));
    p.event(Event::SyncStarted);
    assert_eq!(p.next_alarm(), Some(p.now.plus(secs(30))));
    let change = p.login.pending_sync.unwrap().change;
    p.close(End::Closed);
    p.event(Event::Synced { change });
    assert!(p.login.pending_sync.is_some(), "it was told of less");
    p.tell();
    assert_eq!(p.login.pending_sync, None);
}

#[test]
fn what_older_code_stored_can_be_read() {
    let read = |text: &str| serde_json::from_str::<Login>(text).unwrap();
    assert_eq!(read("{}"), Login::default());
    assert_eq!(read(r#"{"session":null}"#), Login::default());
    let session = r#"{"session_id":"session_1","created_at":1,"last_used":2,"keep_alive":true,"confirmed_at":3,
        "refresh_at":4}"#;
    let text = format!(
        r#"{{"session":{session},"ended":{{"session_id":"a","reason":"logged_out","at":1}},
        "flight":{{"work":{{"run":"get_containers"}},"began_at":5}},"farewell":{{"attempts":1,"try_at":6}},
        "refused":{{"code":"credentials_refused","until":7}},"untold":{{"change":8,"try_at":9}},
        "trouble":{{"code":"server_error","status":502,"failures":2,"until":10}},"logins":[1,2]}}"#
    );
    let login = read(&text);
    assert_eq!(login.session.as_ref().unwrap().lost_since, None);
    assert_eq!(login.task.as_ref().map(|f| (f.committing, f.abandoned)), Some((false, false)));
    assert!(!login.logout.unwrap().broken_off && !login.signed_in);
    stored(&login);
}

#[test]
fn a_captcha_key_that_was_refused_is_left_alone_and_others_are_not() {
    let mut p = Play::new();
    for print in ["a", "b", "a"] {
        p.start_task(Work::LogIn);
        p.event(Event::LoginFailed(Failure::new(Code::CaptchaNoBalance)));
        p.event(Event::KeyRefused { print: print.to_owned(), code: Code::CaptchaNoBalance });
    }
    assert_eq!((p.login.logins.len(), p.login.refused_keys.len()), (0, 2), "nothing was paid");
    let refused =
        |p: &Play, print| p.login.key_refused(print, p.now).map(|r| (r.code, r.retry_after_seconds));
    assert_eq!(refused(&p, "a"), Some((Code::CaptchaNoBalance, Some(60))));
    assert_eq!(refused(&p, "c"), None);
    assert_eq!(p.want(true), Verdict::LogIn, "with another key");
    p.now = p.now.plus(secs(60));
    assert_eq!(refused(&p, "a"), None);
}
