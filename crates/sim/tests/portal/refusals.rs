//! Refusals are counted for the username, whatever the password.

use super::play::{Play, secs};
use base::ids::PortalId;
use base::rpc::Class;
use base::secret::Secret;
use portal::{Code, Credentials, GetReply, Refusal, RunReply};
use sim::weather::Odds;

const COOLDOWN: u64 = 900;

fn of(username: &str, password: &str) -> Credentials {
    Credentials {
        username: username.to_owned(),
        password: Secret::new(password),
        captcha_api_key: Secret::new("ck"),
        totp_secret: None,
    }
}

fn driver(password: &str) -> Credentials {
    of("driver", password)
}

fn get(play: &Play, credentials: Credentials) -> Result<PortalId, Refusal> {
    match play.wait(&play.start_get(credentials, true)).unwrap() {
        GetReply::Session(session) => Ok(session.live.session_id),
        GetReply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(play: &Play, credentials: Credentials, code: Code) -> u64 {
    let refusal = get(play, credentials).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal:?}");
    refusal.retry_after_seconds.unwrap()
}

#[test]
fn f34_after_locked_nobody_sends_another_password() {
    let play = Play::of_many(&[]);
    play.site.state().locked = true;
    assert_eq!(refused(&play, driver("first"), Code::AccountLocked), COOLDOWN);
    let calls = play.site.calls();
    for password in ["second", "driver-pass", "third"] {
        let wait = refused(&play, driver(password), Code::AccountLocked);
        assert!((COOLDOWN - 5..=COOLDOWN).contains(&wait), "{wait}");
    }
    // However it is spelt.
    refused(&play, of(" DRIVER ", "driver-pass"), Code::AccountLocked);
    assert_eq!(play.site.calls(), calls, "the portal hears of none of them");
    // Others are not held back.
    play.site.state().locked = false;
    get(&play, of("driver1", "driver1-pass")).unwrap();
    play.run_for(secs(COOLDOWN - 30));
    refused(&play, driver("driver-pass"), Code::AccountLocked);
    play.run_for(secs(31));
    get(&play, driver("driver-pass")).unwrap();
}

#[test]
fn f34_three_refused_passwords_then_one_in_a_quarter_of_an_hour_then_more_seldom() {
    let play = Play::of_many(&[]);
    for password in ["a", "b", "c"] {
        refused(&play, driver(password), Code::CredentialsRefused);
    }
    let sent = || play.site.count("POST /identity/login");
    assert_eq!(sent(), 3);
    let mut waits = Vec::new();
    for n in 0..6 {
        let wait = refused(&play, driver(&format!("d{n}")), Code::CredentialsRefused);
        assert_eq!(sent(), 3 + n, "not sent");
        waits.push(wait);
        play.run_for(secs(wait));
        refused(&play, driver(&format!("d{n}")), Code::CredentialsRefused);
        assert_eq!(sent(), 4 + n, "sent");
    }
    let expected = [900, 1800, 3600, 3600, 3600, 3600];
    assert!(waits.iter().zip(expected).all(|(wait, most)| (most - 5..=most).contains(wait)), "{waits:?}");
    // The right one waits as well, an hour at most; then all is forgotten.
    let wait = refused(&play, driver("driver-pass"), Code::CredentialsRefused);
    play.run_for(secs(wait));
    get(&play, driver("driver-pass")).unwrap();
    for password in ["e", "f", "g"] {
        refused(&play, driver(password), Code::CredentialsRefused);
    }
    assert_eq!(sent(), 3 + 6 + 1 + 3);
}

#[test]
fn f34_a_session_is_logged_in_again_unless_the_account_is_locked_and_then_it_waits() {
    let play = Play::of_many(&[]);
    let id = get(&play, driver("driver-pass")).unwrap();
    for password in ["a", "b", "c", "d"] {
        get(&play, driver(password)).unwrap_err();
    }
    // Its password was taken before.
    play.site.kick();
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    play.run_for(secs(COOLDOWN));
    play.site.state().locked = true;
    refused(&play, driver("e"), Code::AccountLocked);
    play.site.state().locked = false;
    play.site.kick();
    let sent = play.site.count("POST /identity/login");
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    let refusal = done.result.unwrap_err();
    assert_eq!(refusal.code, Code::AccountLocked);
    assert_eq!((play.site.count("POST /identity/login"), play.session_id()), (sent, Some(id.clone())));
    play.run_for(secs(refusal.retry_after_seconds.unwrap() - 2));
    assert_eq!(play.site.count("POST /identity/login"), sent);
    play.run_for(secs(60));
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
}

/// What was real: a login that had asked before "locked" came sent its password after it.
#[test]
fn f34_a_login_that_is_past_its_check_when_locked_arrives_sends_no_password_after_it() {
    for (began_later, locked) in [(2, true), (4, true), (3, false)] {
        let play = Play::of_many(&[]);
        play.site.state().locked = locked;
        let others: Vec<_> = if locked { vec!["first"] } else { vec!["a", "b", "c"] };
        let first: Vec<_> = others.iter().map(|password| play.start_get(driver(password), true)).collect();
        play.run_for(secs(began_later));
        assert!(!first.iter().any(super::play::Pending::is_there));
        // It has not been held back: it opens the page, and pays for a captcha.
        let late = [driver("second"), driver("driver-pass")].map(|of| play.start_get(of, true));
        let code = if locked { Code::AccountLocked } else { Code::CredentialsRefused };
        for waiting in &first {
            assert!(matches!(play.wait(waiting), Some(GetReply::Refused(r)) if r.code == code));
        }
        for waiting in &late {
            let Some(GetReply::Refused(refusal)) = play.wait(waiting) else { panic!("it got in") };
            assert_eq!(refusal.code, code, "{refusal:?}");
            let wait = refusal.retry_after_seconds.unwrap();
            assert!((COOLDOWN - 20..=COOLDOWN).contains(&wait), "{wait}");
            assert!(refusal.place.is_some(), "it says how far it came: {refusal:?}");
        }
        assert_eq!(play.site.count("POST /identity/login"), others.len(), "{began_later}");
        assert!(play.site.count("POST /in.php") > others.len(), "{began_later}: they were past their check");
        // Nothing is held against these passwords themselves, and nothing of them is kept.
        for password in ["second", "driver-pass"] {
            let name = play.name_of(&driver(password));
            let login = play.login_of(&name);
            assert_eq!((login.refused, login.task, login.logins.len()), (None, None, 1), "{password}");
            assert!(!play.world.rows(Class::Portal, &name).contains_key("credentials"), "{password}");
        }
        play.site.state().locked = false;
        play.run_for(secs(COOLDOWN + 1));
        get(&play, driver("driver-pass")).unwrap();
    }
}

/// A session that is logged in again, and learns of "locked" on the way, waits and is not lost.
#[test]
fn f34_a_session_that_is_held_back_at_the_last_moment_waits() {
    let play = Play::of_many(&[]);
    let id = get(&play, driver("driver-pass")).unwrap();
    play.site.state().locked = true;
    let other = play.start_get(driver("wrong"), true);
    play.run_for(secs(2));
    play.site.kick();
    let sent = play.site.count("POST /identity/login");
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::AccountLocked);
    assert!(matches!(play.wait(&other), Some(GetReply::Refused(_))));
    assert_eq!(play.site.count("POST /identity/login"), sent + 1, "the other one's alone");
    assert_eq!(play.session_id(), Some(id.clone()));
    play.site.state().locked = false;
    play.run_for(secs(COOLDOWN + 60));
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
}

/// Nobody can say whether it may be sent: then it is not.
#[test]
fn f34_without_the_registry_no_password_is_sent() {
    let play = Play::of_many(&[]);
    let waiting = play.start_get(driver("driver-pass"), true);
    play.run_for(secs(2));
    assert!(!waiting.is_there());
    play.world.sql(
        Class::PortalRegistry,
        "registry",
        "ALTER TABLE refused RENAME TO kept; CREATE VIEW refused AS SELECT * FROM missing",
    );
    let Some(GetReply::Refused(refusal)) = play.wait(&waiting) else { panic!() };
    assert_eq!((refusal.code, play.site.count("POST /identity/login")), (Code::Interrupted, 0));
    let restored = "DROP VIEW refused; ALTER TABLE kept RENAME TO refused";
    play.world.sql(Class::PortalRegistry, "registry", restored);
    play.run_for(secs(31));
    get(&play, driver("driver-pass")).unwrap();
}

/// The report of a refusal is not lost with a message.
#[test]
fn f34_a_refusal_that_could_not_be_told_is_told_later() {
    let play = Play::of_many(&[]);
    play.site.state().locked = true;
    let waiting = play.start_get(driver("first"), true);
    while play.site.state().refused_at.is_none() {
        play.turn(play.now().plus(secs(60)));
    }
    play.world.weather().rough(Odds { lost: 1000, ..Odds::default() });
    play.run_for(secs(20));
    play.world.weather().clear();
    assert!(waiting.is_there());
    let name = play.name_of(&driver("first"));
    assert!(play.login_of(&name).pending_sync.is_some());
    play.run_for(secs(40));
    assert!(play.login_of(&name).pending_sync.is_none());
    let rows = play.world.sql(Class::PortalRegistry, "registry", "SELECT name FROM refused");
    assert_eq!(rows.len(), 1);
    refused(&play, driver("driver-pass"), Code::AccountLocked);
    assert_eq!(play.site.count("POST /identity/login"), 1);
}
