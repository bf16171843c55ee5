//! Measured: hours at a portal, in calls and logins.

use super::play::{Play, credentials, secs};
use base::ids::PortalId;
use portal::{Code, End, RunReply};
use sim::fakes::portal::Down;

const SEEDS: u64 = 3;

/// With a session, and its id.
fn with_session(keep_alive: bool, seed: u64) -> (Play, PortalId) {
    let play = Play::seeded(seed, &[]);
    let id = play.get(keep_alive).live.session_id;
    (play, id)
}

fn calm(play: &Play) {
    play.site.state().down = None;
    play.watch.borrow_mut().calm_since = play.now();
}

#[test]
fn a_day_of_keep_alive_is_one_login() {
    for seed in 0..SEEDS {
        let (play, id) = with_session(true, seed);
        let before = play.site.calls();
        play.run_for(secs(86_400));
        let loads = play.site.calls() - before;
        assert!((270..=288).contains(&loads), "{loads} page loads");
        assert_eq!((play.site.logins(), play.session_id()), (1, Some(id)));
    }
}

/// An hour of outage: the calls in it.
fn outage(play: &Play, down: Down, caller_of: Option<&PortalId>) -> usize {
    play.site.state().down = Some(down);
    let (begin, calls) = (play.now(), play.site.calls());
    while play.now() < begin.plus(secs(3600)) {
        if let Some(id) = caller_of {
            play.start_get(credentials("driver", "ck"), true);
            play.start_run(id);
        }
        play.run_for(secs(2));
    }
    let calls = play.site.calls() - calls;
    calm(play);
    calls
}

const DOWNS: [Down; 4] = [Down::Unreachable, Down::Silent, Down::Error(503), Down::Limited(60)];

#[test]
fn an_hour_of_outage_with_a_session() {
    for (down, callers) in DOWNS.into_iter().flat_map(|down| [(down, false), (down, true)]) {
        let (play, id) = with_session(true, 1);
        let calls = outage(&play, down, callers.then_some(&id));
        assert!(calls <= 16, "{down:?}, callers {callers}: {calls} calls");
        assert_eq!(play.session_id().as_ref(), Some(&id), "an outage ends nothing");
        // The portal has forgotten it meanwhile: one login more, within the longest wait.
        play.run_for(secs(375 + 60));
        assert_eq!((play.session_id(), play.site.logins()), (Some(id), 2), "{down:?}");
    }
}

#[test]
fn an_hour_of_outage_without_a_session() {
    for down in DOWNS {
        let play = Play::new(&[]);
        let calls = outage(&play, down, Some(&PortalId::issued("session_none")));
        assert!(calls <= 16, "{down:?}: {calls} calls: each is a login that came to nothing");
        play.run_for(secs(375));
        assert!(play.get(true).is_new);
        assert_eq!(outage(&Play::new(&[]), down, None), 0);
    }
}

#[test]
fn an_hour_of_outage_right_after_a_forced_logout() {
    for (down, callers) in DOWNS.into_iter().flat_map(|down| [(down, false), (down, true)]) {
        let (play, id) = with_session(true, 2);
        play.site.kick();
        play.start_run(&id);
        play.run_for(secs(2));
        assert!(play.login().session.unwrap().lost_since.is_some());
        let calls = outage(&play, down, callers.then_some(&id));
        assert!(calls <= 17, "{down:?}, callers {callers}: {calls} calls");
        assert_eq!(play.session_id(), Some(id));
        play.run_for(secs(375 + 60));
        assert!(play.login().session.unwrap().lost_since.is_none(), "{:?}", play.login());
    }
}

#[test]
fn an_outage_in_the_middle_of_a_login_is_no_second_one() {
    let play = Play::new(&[]);
    play.start_get(credentials("driver", "ck"), true);
    while !play.login().signed_in {
        assert!(play.turn(play.now().plus(secs(60))));
    }
    play.site.state().down = Some(Down::Unreachable);
    play.run_for(secs(30));
    assert!(play.login().signed_in && play.session_id().is_none());
    calm(&play);
    play.get(true);
    assert_eq!((play.site.logins(), play.site.live_sessions().len()), (1, 1));
}

#[test]
fn a_regular_session_ends_in_an_outage_like_at_any_time() {
    for down in DOWNS {
        let (play, _) = with_session(false, 0);
        let calls = outage(&play, down, None);
        assert!(calls <= 3, "{down:?}: {calls} calls: only the logout");
        assert_eq!(play.session_id(), None);
    }
}

#[test]
fn a_forced_logout_is_one_login_more() {
    for (seed, by_callers) in (0..SEEDS).flat_map(|seed| [(seed, false), (seed, true)]) {
        let (play, id) = with_session(true, seed);
        play.site.kick();
        if by_callers {
            let waiting: Vec<_> = (0..20).map(|_| play.start_run(&id)).collect();
            for run in waiting {
                let Some(RunReply::Done(done)) = play.wait(&run) else { panic!() };
                assert!(done.result.is_ok());
            }
        }
        play.run_for(secs(3600));
        assert_eq!(
            (play.site.logins(), play.session_id(), play.site.live_sessions().len()),
            (2, Some(id), 1)
        );
    }
}

#[test]
fn a_forced_logout_of_a_session_that_nobody_keeps_is_found_by_its_next_caller() {
    let (play, id) = with_session(false, 0);
    play.site.kick();
    play.run_for(secs(600));
    assert_eq!(play.site.logins(), 1);
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!((play.site.logins(), play.session_id()), (2, Some(id)));
}

#[test]
fn a_forced_logout_with_refused_credentials_is_the_end() {
    let (play, id) = with_session(true, 0);
    play.site.state().passwords.clear();
    play.site.kick();
    play.run_for(secs(400));
    assert_eq!((play.site.logins(), play.session_id()), (2, None));
    assert_eq!(play.run(&id), RunReply::Ended(End::CredentialsRefused));
    assert_eq!(play.get_refused(true).code, Code::CredentialsRefused);
    // Nobody tries again by itself, and callers not before the cool-down is over.
    let end = play.login().refused.unwrap().until;
    while play.now() < end.minus(secs(2)) {
        play.get_refused(true);
        play.run_for(secs(1));
    }
    assert_eq!(play.site.logins(), 2);
    play.run_for(secs(7200));
    assert_eq!(play.site.logins(), 2);
    play.site.state().passwords.insert("driver".to_owned(), "driver-pass".to_owned());
    assert_eq!(play.get(true).previous, Some(End::CredentialsRefused));
}

#[test]
fn without_relogin_a_forced_logout_is_the_end() {
    let play = Play::new(&[("PORTAL_RELOGIN", "off")]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    play.run_for(secs(400));
    assert_eq!((play.site.logins(), play.session_id()), (1, None));
    assert_eq!(play.run(&id), RunReply::Ended(End::LoggedOut));
    // A caller's own login is another thing.
    assert_eq!(play.get(true).previous, Some(End::LoggedOut));
}

#[test]
fn a_portal_that_ends_each_session_at_once_sees_six_logins_an_hour() {
    let (play, _) = with_session(true, 0);
    let begin = play.now();
    while play.now() < begin.plus(secs(4 * 3600)) {
        play.site.kick();
        let id = play.session_id().unwrap_or(PortalId::issued("none"));
        play.start_run(&id);
        play.start_get(credentials("driver", "ck"), true);
        play.run_for(secs(5));
    }
    let logins = play.site.logins();
    assert!((24..=25).contains(&logins), "{logins} logins in four hours");
}
