//! Work that is interrupted: what was begun is found out, by whoever comes next.

use super::play::{Play, credentials, get_of, secs};
use super::queue::until_called;
use base::rpc::Class;
use portal::{CloseReply, Code, RunReply, Work};
use serde_json::json;
use sim::fakes::portal::Down;

/// A login that ends with the call whose path this is in, which is done, but nobody lives to hear of it.
fn cut_off(at: &'static str) -> Play {
    let play = Play::new(&[]);
    play.site.state().crash = Some(at);
    let get = get_of(credentials("driver", "ck"), true);
    assert_eq!(play.wait(&play.start_once(get)), None, "the caller is told nothing");
    play
}

const BEFORE_THE_PASSWORD: [&str; 4] = ["portal/login", "in.php", "res.php", "identity/login"];

#[test]
fn a_login_that_ends_before_the_portal_has_answered_is_made_anew_for_the_next_who_asks() {
    for at in BEFORE_THE_PASSWORD {
        let play = cut_off(at);
        assert_eq!(play.login().task.unwrap().work, Work::LogIn);
        let session = play.get(true);
        assert!(session.is_new && session.previous.is_none(), "{at}");
        assert_eq!((play.site.logins(), play.site.live_sessions().len()), (2, 1));
    }
}

#[test]
fn if_nobody_asks_nothing_is_done_and_the_credentials_are_not_kept() {
    for at in BEFORE_THE_PASSWORD {
        let play = cut_off(at);
        assert!(play.row_names().contains(&"credentials".to_owned()));
        let calls = play.site.calls();
        play.run_for(secs(120));
        assert_eq!(
            (play.row_names(), play.login().task),
            (vec!["login".to_owned(), "name".to_owned()], None)
        );
        play.run_for(secs(3600));
        assert_eq!(play.site.calls(), calls, "{at}");
    }
}

#[test]
fn once_the_portal_has_taken_the_credentials_it_is_taken_over() {
    for at in ["callback", "signin-oidc", "GET /portal/containers"] {
        let play = cut_off(at.trim_start_matches("GET /"));
        assert!(play.login().signed_in, "{at}");
        let session = play.get(true);
        assert!(session.is_new);
        // Without another captcha.
        assert_eq!((play.site.logins(), play.site.count("POST /in.php")), (1, 1), "{at}");
        assert!(!play.login().signed_in);
        assert!(matches!(play.run(&session.live.session_id), RunReply::Done(done) if done.result.is_ok()));
    }
}

#[test]
fn cookies_of_a_login_that_was_broken_off_that_are_of_no_use_mean_a_new_one() {
    let play = cut_off("signin-oidc");
    play.site.kick();
    assert!(play.get(true).is_new);
    assert_eq!((play.site.logins(), play.site.live_sessions().len()), (2, 1));
}

#[test]
fn if_nobody_comes_back_within_two_minutes_it_is_logged_out_and_nothing_of_it_is_kept() {
    let play = cut_off("signin-oidc");
    play.run_for(secs(61));
    let login = play.login();
    assert!(login.task.is_none() && login.logout.unwrap().broken_off && login.signed_in);
    let until = login.logout.unwrap().try_at;
    play.run_until(until.minus(secs(1)));
    assert_eq!(play.site.state().logouts, 0);
    play.run_for(secs(10));
    assert_eq!((play.site.count("GET /portal/logout"), play.site.live_sessions().len()), (1, 0));
    assert_eq!(play.row_names(), ["login", "name"]);
    play.run_for(secs(1800));
    assert_eq!((play.site.count("GET /portal/logout"), play.site.logins()), (1, 1));
}

#[test]
fn a_login_that_has_ended_is_known_and_so_is_a_refusal() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    for _ in 0..3 {
        play.world.restart();
        assert_eq!(play.get(true).live.session_id, id);
        play.world.evict(Class::Portal, &play.name);
        assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    }
    assert_eq!(play.site.logins(), 1);
    let play = Play::new(&[]);
    play.site.state().passwords.clear();
    for _ in 0..5 {
        assert_eq!(play.get_refused(true).code, Code::CredentialsRefused);
        play.world.restart();
    }
    assert_eq!(play.site.logins(), 1);
}

#[test]
fn interrupted_again_and_again_it_stays_within_the_hours_logins() {
    let play = Play::new(&[]);
    let mut tries = 0;
    for _ in 0..12 {
        play.site.state().crash = Some("in.php");
        let get = get_of(credentials("driver", "ck"), true);
        match play.wait(&play.start_once(get)) {
            None => tries += 1,
            Some(reply) => assert!(reply.contains("logins_spent"), "{reply}"),
        }
        play.run_for(secs(60));
    }
    assert_eq!((tries, play.site.logins()), (6, 6));
}

#[test]
fn an_operation_that_is_interrupted_ends_nothing() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().crash = Some("containers");
    assert_eq!(play.wait(&play.start_run(&id)), None);
    assert!(matches!(play.login().task.unwrap().work, Work::Run(_)));
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!((play.site.logins(), play.login().task), (1, None));
}

#[test]
fn a_keep_alive_that_is_interrupted_is_done_again() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let loads = play.site.count("GET /portal/containers");
    play.site.state().crash = Some("containers");
    play.run_for(secs(600));
    assert!(play.site.count("GET /portal/containers") > loads + 1);
    assert_eq!((play.session_id(), play.site.logins(), play.site.live_sessions().len()), (Some(id), 1, 1));
}

#[test]
fn a_logout_that_is_interrupted_is_done_again_and_given_up_after_three_tries() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().crash = Some("identity/logout");
    assert_eq!(play.wait(&play.start_once(Play::close_command(&id, portal::End::Closed))), None);
    assert_eq!(play.close(&id), CloseReply::Ended(portal::End::Closed), "closed it is all the same");
    play.run_for(secs(150));
    assert_eq!((play.site.count("GET /identity/logout"), play.is_quiet()), (2, true));

    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().down = Some(Down::Error(503));
    play.close(&id);
    let first = play.site.state().calls.last().unwrap().at;
    play.run_for(secs(1800));
    let tries: Vec<_> =
        play.site.state().calls.iter().filter(|c| c.what.ends_with("logout")).map(|c| c.at).collect();
    assert_eq!((tries.len(), tries[0]), (3, first));
    assert!(tries.windows(2).all(|pair| (60..=65).contains(&pair[1].since(pair[0]).as_secs())), "{tries:?}");
    assert!(play.is_quiet());
}

#[test]
fn what_became_of_an_order_that_was_interrupted_nobody_knows_and_that_is_recorded() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().crash = Some("book");
    let fields = json!({
        "trucking_company": "Harbor Freight", "terminal": "TraPac", "move_type": "PICK FULL",
        "container_id": "MSCU1000001", "truck_plate": "ABC123", "appointment_time": "Slot 2",
    });
    let order = play.start(play.name.clone(), Play::run_command(&id, "make_appointment", &fields));
    assert_eq!(play.wait(&order), None);
    assert!(play.login().task.unwrap().committing);
    play.run_for(secs(120));
    assert_eq!((play.site.state().bookings, play.login().task), (1, None), "nobody orders it again");
    let logs = play.world.logs();
    let recorded: Vec<_> = logs.iter().filter(|line| line.text.contains("portal_outcome_unknown")).collect();
    assert_eq!(recorded.len(), 1);
    assert!(recorded[0].text.contains(r#""service":"recovery""#), "{}", recorded[0].text);
}

/// Whoever comes while the portal is down is told so, and the login is still to be taken over.
#[test]
fn while_the_portal_is_down_a_login_that_was_broken_off_is_not_given_up() {
    for (down, code) in [(Down::Unreachable, Code::Unreachable), (Down::Error(500), Code::ServerError)] {
        let play = cut_off("signin-oidc");
        play.site.state().down = Some(down);
        let refusal = play.get_refused(true);
        assert_eq!((refusal.code, play.login().signed_in), (code, true));
        play.site.state().down = None;
        play.run_for(secs(refusal.retry_after_seconds.unwrap_or(1)));
        assert!(play.get(true).is_new);
        assert_eq!((play.site.logins(), play.site.live_sessions().len()), (1, 1), "{down:?}");
    }
}

/// Its old cookies are of no use; those of the login that is under way are.
#[test]
fn closed_while_it_is_logged_in_again_then_killed_its_new_session_is_logged_out() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    play.start_run(&id);
    until_called(&play, "GET /identity/callback");
    until_called(&play, "GET /portal/containers");
    assert_eq!(play.close(&id), CloseReply::Closed);
    play.die();
    assert_eq!(play.site.live_sessions().len(), 1);
    play.run_for(secs(300));
    assert_eq!((play.site.live_sessions(), play.site.logins(), play.is_quiet()), (vec![], 2, true));
}
