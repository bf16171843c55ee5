//! A login that needs a person: it waits for them in an open browser, goes on by itself, and leaves nothing open, whatever happens meanwhile.

use super::live_browser::{ASKS, Browser, Chromium};
use super::play::{MILLI, Play, secs};
use base::rpc::Class;
use portal::{Code, Refusal};
use serde_json::{Value, json};
use sim::fakes::receiver::{HOST, Receiver, SETTINGS as TOLD};
use std::rc::Rc;

const SETTINGS: [(&str, &str); 4] = [
    ("EMODAL_DRIVER", "browser"),
    ("PORTAL_BROWSER_URL", "https://chromium.example.com"),
    ("PORTAL_BROWSERS_MAX", "1"),
    ("PORTAL_HUMAN_SECONDS", "120"),
];

fn play(settings: &[(&str, &str)]) -> (Play, Rc<Browser>) {
    let play = Play::of_many(&[&SETTINGS, settings].concat());
    let browser = Browser::new(play.world.host());
    play.world.upstream("chromium.example.com", Chromium(browser.clone()));
    (play, browser)
}

/// Where somebody asks for the session, and is told that a person is needed.
fn asked(play: &Play) -> Refusal {
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::NeedsHuman, Some(5)), "{refusal:?}");
    let link = refusal.live_view_url.as_ref().unwrap().expose();
    assert_eq!(
        link,
        "https://chromium.example.com/devtools/inspector.html?wss=chromium.example.com/devtools/page/T1"
    );
    refusal
}

fn places(play: &Play) -> usize {
    play.world.sql(Class::PortalRegistry, "registry", "SELECT place FROM browsers").len()
}

/// Nothing is open, and nobody waits.
fn is_over(play: &Play, browser: &Browser) {
    let login = play.login();
    assert_eq!((login.person, login.browser, browser.is_open()), (None, None, false));
    assert!(!play.row_names().iter().any(|row| row == "seat"));
    assert_eq!(places(play), 0);
}

fn captchas(play: &Play) -> usize {
    play.site.count("POST /in.php")
}

#[test]
fn it_waits_goes_on_by_itself_and_keeps_what_came_of_it() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(70));
    // One flight: whoever asks meanwhile hears the same, and the portal sees nothing of it.
    asked(&play);
    assert_eq!((browser.opened.get(), captchas(&play), places(&play), browser.is_open()), (1, 1, 1, true));
    browser.done();
    play.run_for(secs(1));
    let id = play.session_id().expect("nobody had to ask");
    is_over(&play, &browser);
    let session = play.get(true);
    assert_eq!((session.live.session_id, session.live.keep_alive, session.is_new), (id, true, false));
    assert_eq!((browser.opened.get(), captchas(&play)), (1, 1));
    assert!(play.row_names().contains(&"jar".to_owned()));
}

#[test]
fn an_evicted_object_goes_on_at_the_same_page() {
    for (when, seed) in [(0, 1), (3, 2), (26, 3), (60, 4)] {
        let (play, browser) = play(&[]);
        asked(&play);
        play.run_for(secs(when) + MILLI * 7 * seed);
        play.world.kill(Class::Portal, &play.name);
        play.run_for(secs(5));
        asked(&play);
        play.world.kill(Class::Portal, &play.name);
        browser.done();
        play.run_for(secs(2));
        assert!(play.session_id().is_some(), "{when}");
        assert_eq!((browser.opened.get(), captchas(&play)), (1, 1));
        is_over(&play, &browser);
    }
}

#[test]
fn what_a_login_has_open_when_its_object_dies_is_closed_and_its_next_login_begins_anew() {
    // At whatever moment of it.
    for after in 0..40 {
        let (play, browser) = play(&[]);
        let login = play.start_get(super::play::credentials("driver", "ck"), true);
        play.run_for(MILLI * 50 * after);
        play.world.kill(Class::Portal, &play.name);
        play.run_for(secs(20));
        let waits = play.login().person.is_some();
        assert_eq!(browser.is_open(), waits, "{after}");
        drop(login);
        if !waits {
            asked(&play);
        }
        browser.done();
        play.run_for(secs(2));
        assert!(play.session_id().is_some(), "{after}");
        is_over(&play, &browser);
    }
}

#[test]
fn where_nobody_comes_in_time_it_fails_and_nobody_is_called_again_at_once() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(123));
    is_over(&play, &browser);
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.live_view_url), (Code::NeedsHuman, None));
    assert!(refusal.retry_after_seconds.is_some_and(|wait| wait > 800), "a cool-down");
    assert!(play.login().refused.is_none(), "nobody has refused anything");
    // Too late is late.
    browser.done();
    play.run_for(secs(60));
    assert!(play.session_id().is_none());
    play.run_for(secs(1_200));
    asked(&play);
    assert_eq!(captchas(&play), 2);
}

#[test]
fn a_page_that_says_no_after_all_ends_it_as_ever() {
    let (play, browser) = play(&[]);
    asked(&play);
    // What was typed in was wrong, and the page asks again: that is for the person.
    browser.shows.replace(format!("Invalid username or password. {ASKS}"));
    play.run_for(secs(10));
    asked(&play);
    browser.shows.replace("Your account has been locked".to_owned());
    play.run_for(secs(2));
    assert_eq!(play.get_refused(true).code, Code::AccountLocked);
    is_over(&play, &browser);
}

#[test]
fn a_browser_that_is_gone_is_lost_and_one_that_is_not_reached_for_a_moment_is_not() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(24));
    browser.reachable.set(false);
    play.run_for(secs(3));
    browser.reachable.set(true);
    play.run_for(secs(1));
    let lost_at_once = play.login().person.is_none();
    if !lost_at_once {
        browser.is_crashed();
        play.run_for(secs(10));
    }
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.live_view_url), (Code::BrowserLost, None));
    assert!(refusal.retry_after_seconds.is_some());
    play.run_for(secs(61));
    is_over(&play, &browser);
}

#[test]
fn closing_the_session_that_it_is_for_closes_the_browser() {
    for pause in [0, 9, 25] {
        let (play, browser) = play(&[]);
        browser.comes_to.replace("");
        let login = play.start_get(super::play::credentials("driver", "ck"), true);
        while !browser.solved.get() {
            play.run_for(MILLI * 20);
        }
        browser.done();
        play.wait(&login);
        let id = play.session_id().unwrap();
        // The portal ends it, and asks for a person at the new login.
        browser.comes_to.replace(ASKS);
        browser.expired.set(true);
        let reply = play.run(&id);
        assert!(format!("{reply:?}").contains("NeedsHuman"), "{reply:?}");
        assert!(
            format!("{reply:?}").contains("live_view_url: None"),
            "an id is not the credentials: {reply:?}"
        );
        asked(&play);
        play.run_for(secs(pause));
        play.close(&id);
        play.run_for(secs(4));
        is_over(&play, &browser);
        // Whoever is done then is too late.
        browser.done();
        play.run_for(secs(60));
        assert!(play.session_id().is_none());
    }
}

#[test]
fn others_are_told_once_and_without_the_link() {
    let (play, browser) = play(&[TOLD, &[("EVENT_TYPES", "portal")]].concat());
    let receiver = Receiver::new(play.world.host(), || None);
    play.world.upstream(HOST, receiver.clone());
    asked(&play);
    play.run_for(secs(1));
    let messages = receiver.messages();
    assert_eq!((messages.len(), &messages[0].body["type"]), (1, &json!("portal.needs_human")));
    let data = &messages[0].body["data"];
    assert_eq!((&data["portal_login"], &data["session_id"]), (&json!(play.name), &Value::Null));
    assert!(!messages[0].body.to_string().contains("devtools"));
    play.run_for(secs(60));
    asked(&play);
    browser.done();
    play.run_for(secs(1));
    let types = receiver.told().remove(&play.name).unwrap();
    assert_eq!(types, ["portal.needs_human", "portal.opened"]);
    assert!(!play.world.logs().iter().any(|line| format!("{line:?}").contains("devtools/page")));
}
