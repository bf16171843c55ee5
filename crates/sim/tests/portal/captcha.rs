//! Captcha keys: everybody's own. One that is refused is nobody else's trouble.

use super::play::{Pending, Play, credentials, get_of, secs};
use base::ids::PortalId;
use portal::{CloseReply, Code, End, GetReply, RunReply};

const NO_BALANCE: &str = "ERROR_ZERO_BALANCE";
const NO_KEY: &str = "ERROR_WRONG_USER_KEY";

fn play() -> Play {
    let play = Play::new(&[]);
    play.site.state().keys.insert("poor".to_owned(), NO_BALANCE);
    play.site.state().keys.insert("wrong".to_owned(), NO_KEY);
    play
}

fn get_with(play: &Play, key: &str) -> GetReply {
    let get = get_of(credentials("driver", key), true);
    play.tell(&play.name, get)
}

fn refused(reply: &GetReply) -> (Code, Option<u64>) {
    match reply {
        GetReply::Refused(refusal) => (refusal.code, refusal.retry_after_seconds),
        other => panic!("{other:?}"),
    }
}

fn paid_by(play: &Play) -> Vec<Option<String>> {
    play.site.state().attempts.iter().map(|attempt| attempt.paid_by.clone()).collect()
}

fn id_of(reply: &GetReply) -> PortalId {
    match reply {
        GetReply::Session(session) => session.live.session_id.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_is_refused_costs_nothing_and_is_left_alone_for_a_minute() {
    for (key, code) in [("poor", Code::CaptchaNoBalance), ("wrong", Code::CaptchaKeyRefused)] {
        let play = play();
        assert_eq!(refused(&get_with(&play, key)).0, code);
        assert_eq!(play.site.count("POST /identity/login"), 0, "the portal has seen no login");
        assert_eq!(play.login().logins.len(), 0);
        let calls = play.site.calls();
        let (again, wait) = refused(&get_with(&play, key));
        assert_eq!((again, wait.unwrap() > 50, play.site.calls()), (code, true, calls), "asked at once");
        play.run_for(secs(61));
        assert_eq!(refused(&get_with(&play, key)).0, code);
        assert!(play.site.calls() > calls, "and again after a minute");
        // Another key is tried at once.
        assert!(matches!(get_with(&play, "ck"), GetReply::Session(session) if session.is_new));
    }
}

#[test]
fn a_session_that_is_there_needs_no_key_that_is_good() {
    let play = play();
    assert_eq!(refused(&get_with(&play, "poor")).0, Code::CaptchaNoBalance);
    let id = play.get(true).live.session_id;
    let logins = play.site.logins();
    // One that is known to be refused, and one of which nothing is known yet.
    for key in ["poor", "wrong"] {
        assert_eq!(id_of(&get_with(&play, key)), id);
    }
    assert_eq!(play.site.logins(), logins);
}

#[test]
fn the_key_that_came_last_pays_for_the_new_login() {
    let play = play();
    let id = play.get(true).live.session_id;
    assert_eq!(id_of(&get_with(&play, "ck-last")), id);
    play.site.kick();
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!(paid_by(&play), [Some("ck".to_owned()), Some("ck-last".to_owned())]);
}

#[test]
fn where_the_key_that_came_last_is_refused_the_one_that_has_paid_pays_again() {
    for key in ["poor", "wrong"] {
        let play = play();
        let id = play.get(true).live.session_id;
        for round in 1..=2 {
            assert_eq!(id_of(&get_with(&play, key)), id);
            play.site.kick();
            let RunReply::Done(done) = play.run(&id) else { panic!() };
            assert_eq!((&done.session_id, done.is_new, done.result.is_ok()), (&id, false, true));
            let paid = paid_by(&play).into_iter().flatten().filter(|key| key == "ck").count();
            assert_eq!(
                (paid, play.site.count("POST /in.php")),
                (1 + round, 2 + round),
                "{key} is tried once"
            );
        }
    }
}

#[test]
fn a_lost_session_is_not_lost_for_a_caller_whose_key_is_refused() {
    let play = play();
    let id = play.get(false).live.session_id;
    play.site.kick();
    play.site.state().slow = Some(("portal/login", secs(120)));
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::Timeout);
    play.site.state().slow = None;
    play.run_for(secs(20));
    assert_eq!(id_of(&get_with(&play, "poor")), id);
    assert_eq!(paid_by(&play).last().unwrap().as_deref(), Some("ck"));
}

#[test]
fn a_key_of_somebody_else_is_nobodys_trouble() {
    let play = play();
    let poor = play.start_get(credentials("driver", "poor"), true);
    let good: Vec<Pending<_>> = (0..20).map(|_| play.start_get(credentials("driver", "ck"), true)).collect();
    assert_eq!(refused(&play.wait(&poor).unwrap()).0, Code::CaptchaNoBalance);
    for get in &good {
        assert!(matches!(play.wait(get).unwrap(), GetReply::Session(_)));
    }
    assert_eq!(paid_by(&play).into_iter().flatten().count(), 1);
}

#[test]
fn closed_between_the_attempt_with_one_key_and_that_with_the_other_it_stays_closed() {
    let play = play();
    let id = play.get(true).live.session_id;
    assert_eq!(id_of(&get_with(&play, "wrong")), id);
    play.site.kick();
    let running = play.start_run(&id);
    while play.site.count("POST /in.php") < 2 {
        assert!(play.turn(play.now().plus(secs(60))));
    }
    assert_eq!(play.close(&id), CloseReply::Closed);
    let Some(RunReply::Done(done)) = play.wait(&running) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::Closed);
    play.run_for(secs(600));
    assert_eq!((paid_by(&play).into_iter().flatten().count(), play.is_quiet()), (1, true));
}

#[test]
fn with_no_key_that_is_taken_a_session_that_the_portal_ends_is_over() {
    let play = play();
    let id = play.get(true).live.session_id;
    get_with(&play, "wrong");
    play.site.kick();
    play.site.state().keys.insert("ck".to_owned(), NO_BALANCE);
    play.run_for(secs(600));
    assert_eq!(play.site.count("POST /in.php"), 1 + 2, "each of the two keys once");
    assert_eq!(play.run(&id), RunReply::Ended(End::Captcha));
    play.site.state().keys.remove("ck");
    assert_eq!(play.get(true).previous, Some(End::Captcha));
}

#[test]
fn within_the_minute_in_which_its_only_key_is_left_alone_it_is_over() {
    let play = play();
    let id = play.get(false).live.session_id;
    play.site.state().keys.insert("ck".to_owned(), NO_BALANCE);
    play.site.kick();
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::CaptchaNoBalance);
    let calls = play.site.calls();
    assert_eq!(refused(&get_with(&play, "ck")).0, Code::CaptchaNoBalance);
    assert_eq!((play.site.calls(), play.listed().len()), (calls, 0));
}

#[test]
fn the_key_that_has_paid_is_not_forgotten_where_the_attempt_with_another_is_cut_off() {
    let play = play();
    let id = play.get(true).live.session_id;
    assert_eq!(id_of(&get_with(&play, "poor")), id);
    play.site.kick();
    play.site.state().crash = Some("in.php");
    assert_eq!(play.wait(&play.start_run(&id)), None);
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!(paid_by(&play).pop().unwrap().as_deref(), Some("ck"));
}
