//! What a portal login tells a receiver: everything that has happened, in order, however unreliable either is.

use super::play::{Play, credentials, secs};
use base::event::EventTypes;
use base::outbox::EVENTS_MAX;
use base::rpc::Class;
use portal::{Code, End};
use serde_json::{Value, json};
use sim::fakes::receiver::{HOST, Mishap, Receiver, SETTINGS};
use sim::rng::Rng;
use sim::weather::Odds;
use std::cell::RefCell;

fn told_with(settings: &[(&str, &str)], mishap: impl Fn() -> Option<Mishap> + 'static) -> (Play, Receiver) {
    let play = Play::of_many(&[SETTINGS, &[("EVENT_TYPES", "portal")], settings].concat());
    let receiver = Receiver::new(play.world.host(), mishap);
    play.world.upstream(HOST, receiver.clone());
    (play, receiver)
}

/// A deployment that tells of everything, and whom.
fn told() -> (Play, Receiver) {
    told_with(&[], || None)
}

fn types(receiver: &Receiver, name: &str) -> Vec<String> {
    receiver.told().remove(name).unwrap_or_default()
}

fn waiting(play: &Play) -> usize {
    play.login().events.map_or(0, |outbox| outbox.webhook.events.len())
}

#[test]
fn a_life_is_told_at_once_in_order_and_once_without_a_name() {
    let (play, receiver) = told();
    let began_at = play.now();
    let id = play.get(true).live.session_id;
    play.run_for(secs(1));
    assert_eq!(types(&receiver, &play.name), ["portal.opened"]);
    // To be used, listed and kept alive is no event.
    play.run(&id);
    play.run_for(secs(400));
    assert_eq!(receiver.calls(), 1);
    play.close(&id);
    play.close(&id);
    play.run_for(secs(1));
    assert_eq!(types(&receiver, &play.name), ["portal.opened", "portal.ended.closed"]);
    let messages = receiver.messages();
    let first = messages[0].body["data"]["sequence"].as_u64().unwrap();
    let opened = json!({ "portal_login": play.name, "session_id": id, "sequence": first });
    assert_eq!(messages[0].body["data"], opened);
    let closed =
        json!({ "portal_login": play.name, "session_id": id, "sequence": first + 1, "reason": "closed" });
    assert_eq!(messages[1].body["data"], closed);
    assert!(first >= began_at.millis() && messages[0].id.ends_with(&format!("-{first}")));
    for message in &messages {
        assert!(!message.body.to_string().contains("driver"), "{}", message.body);
    }
    // Nothing is left of it when nobody wants to know any more, and the next login goes on counting.
    play.run_for(secs(25 * 3600));
    assert!(play.row_names().is_empty());
    play.get(true);
    play.run_for(secs(1));
    assert_eq!((types(&receiver, &play.name).len(), receiver.calls(), receiver.wrong()), (3, 3, None));
}

#[test]
fn every_end_has_its_type() {
    for (reason, name) in End::ALL.iter().map(|end| (*end, base::event::EventType::from(*end))) {
        assert_eq!(name.as_str(), format!("portal.ended.{}", reason.as_str()));
    }
    let (play, receiver) = told();
    play.get(false);
    play.run_for(secs(2000));
    assert_eq!(types(&receiver, &play.name), ["portal.opened", "portal.ended.idle"]);
    // The portal ends it, and does not take the credentials any more.
    play.get(true);
    play.site.state().passwords.insert("driver".to_owned(), "another".to_owned());
    play.site.state().sessions.clear();
    play.run_for(secs(600));
    let types = types(&receiver, &play.name);
    assert_eq!(types[2..], ["portal.opened", "portal.login.failed", "portal.ended.credentials_refused"]);
    let failed = &receiver.messages()[3].body["data"];
    assert_eq!(
        (&failed["code"], &failed["step"]),
        (&json!("portal_credentials_refused"), &json!("password"))
    );
    assert_eq!(failed["session_id"], receiver.messages()[2].body["data"]["session_id"]);
}

#[test]
fn a_login_that_fails_is_told_where_somebody_has_to_do_something() {
    let (play, receiver) = told();
    play.site.state().mumbles = true;
    assert_eq!(play.get_refused(true).code, Code::UnexpectedResponse);
    play.run_for(secs(1));
    let message = receiver.messages().pop().unwrap().body;
    assert_eq!(message["type"], "portal.login.failed");
    let data = &message["data"];
    assert_eq!(
        (&data["code"], &data["step"], &data["session_id"]),
        (&json!("portal_unintelligible"), &json!("password"), &Value::Null)
    );
    // Who asks again while the credentials are left alone is no new attempt.
    play.get_refused(true);
    play.run_for(secs(1));
    assert_eq!(receiver.calls(), 1);
    // A portal that is down wakes nobody.
    let (play, receiver) = told();
    play.site.state().down = Some(sim::fakes::portal::Down::Unreachable);
    play.get_refused(true);
    play.run_for(secs(60));
    assert_eq!((receiver.calls(), play.login().events), (0, None));
}

#[test]
fn only_the_chosen_types_are_told_and_none_by_default() {
    let default = base::settings::EVENT_TYPES.default;
    for (chosen, expected) in [
        (default, vec![]),
        ("session", vec![]),
        ("portal.ended", vec!["portal.ended.closed"]),
        ("session, portal.opened", vec!["portal.opened"]),
    ] {
        let (play, receiver) = told_with(&[("EVENT_TYPES", chosen)], || None);
        assert_eq!(play.app().config.portals.policy.events.is_none(), expected.is_empty());
        let id = play.get(true).live.session_id;
        play.close(&id);
        play.run_for(secs(60));
        assert_eq!(types(&receiver, &play.name), expected, "{chosen}");
        assert_eq!(play.login().events.is_none(), expected.is_empty(), "nothing is kept for nobody");
    }
    // Without an address, whatever is chosen.
    let play = Play::of_many(&[("EVENT_TYPES", "portal")]);
    assert_eq!(play.app().config.portals.policy.events, EventTypes::NONE);
}

#[test]
fn what_is_killed_before_it_has_told_tells_afterwards() {
    let (play, receiver) = told();
    receiver.is_down(true);
    let id = play.get(true).live.session_id;
    play.run_for(secs(2));
    play.die();
    play.close(&id);
    play.run_for(secs(2));
    play.die();
    assert_eq!((types(&receiver, &play.name).len(), waiting(&play)), (0, 2));
    receiver.is_down(false);
    play.run_for(secs(60));
    assert_eq!(types(&receiver, &play.name), ["portal.opened", "portal.ended.closed"]);
    assert_eq!(waiting(&play), 0);
}

/// Its object is not forgotten before, and what is too much goes: logins that failed first.
#[test]
fn what_waits_is_bounded_and_keeps_its_object() {
    let (play, receiver) = told_with(&[("PORTAL_LOGINS_PER_HOUR", "60")], || None);
    receiver.is_down(true);
    play.site.state().mumbles = true;
    for _ in 0..3 {
        play.get_refused(true);
        play.run_for(secs(3601));
    }
    play.site.state().mumbles = false;
    play.run_for(secs(7200));
    for _ in 0..EVENTS_MAX / 2 {
        let id = play.get(true).live.session_id;
        play.close(&id);
    }
    assert_eq!(waiting(&play), EVENTS_MAX);
    play.run_for(secs(30 * 3600));
    assert_eq!(waiting(&play), EVENTS_MAX);
    receiver.is_down(false);
    play.run_for(secs(3600));
    let types = types(&receiver, &play.name);
    let told: Vec<&str> = types.iter().map(String::as_str).collect();
    assert_eq!(told, ["portal.opened", "portal.ended.closed"].repeat(EVENTS_MAX / 2));
    play.run_for(secs(3600));
    assert!(play.row_names().is_empty());
}

/// The receiver's address was taken away: what waits for it keeps nothing.
#[test]
fn nobody_waits_for_a_receiver_that_is_not_asked_for_any_more() {
    let (play, receiver) = told();
    receiver.is_down(true);
    let id = play.get(true).live.session_id;
    play.close(&id);
    play.run_for(secs(60));
    play.world.deploy(&[("EVENT_WEBHOOK_URL", "")]);
    play.run_for(secs(26 * 3600));
    assert!(play.row_names().is_empty());
    assert_eq!(receiver.messages().len(), 0);
}

/// 30 % of all calls to the receiver fail in one way or another, for an hour none succeeds, and in between objects lose their memory, their
/// tasks, what they have just written, and their alarms.
#[test]
fn all_is_told_in_order_through_failures_and_an_hours_outage() {
    for seed in 0..10 {
        let rng = RefCell::new(Rng::new(seed));
        let settings = [("PORTAL_LOGINS_PER_HOUR", "60"), ("PORTAL_SESSIONS_MAX", "50")];
        let (play, receiver) = told_with(&settings, move || {
            let mut rng = rng.borrow_mut();
            rng.chance(300).then(|| *rng.pick(&Mishap::ALL))
        });
        play.without_cron();
        let mut rng = Rng::new(seed ^ 0xe7e9);
        play.world.weather().rough(Odds { flush: 300, alarm: 200, ..Odds::default() });
        play.world.shuffle(true);
        let names: Vec<String> =
            (0..8).map(|n| play.name_of(&credentials(&format!("driver{n}"), "ck"))).collect();
        // What each login has begun and ended, by what it has stored.
        let mut known: Vec<Vec<(String, String)>> = vec![Vec::new(); names.len()];
        let mut live: Vec<Option<base::ids::PortalId>> = vec![None; names.len()];
        let mut observe = |play: &Play, known: &mut Vec<Vec<(String, String)>>| {
            for (driver, name) in names.iter().enumerate() {
                let login = play.login_of(name);
                let now = login.session.map(|live| live.session_id);
                if now == live[driver] {
                    continue;
                }
                if let (Some(before), Some(ended)) = (&live[driver], &login.ended) {
                    let ended = format!("portal.ended.{}", ended.reason.as_str());
                    known[driver].push((before.clone().into(), ended));
                }
                if let Some(id) = &now {
                    known[driver].push((id.clone().into(), "portal.opened".to_owned()));
                }
                live[driver] = now;
            }
        };
        for step in 0..90 {
            play.world.advance(secs(rng.below(120)));
            observe(&play, &mut known);
            receiver.is_down((30..60).contains(&step));
            let driver = rng.index(names.len());
            let id = play.login_of(&names[driver]).session.map(|live| live.session_id);
            match (rng.below(5), id) {
                (0..=2, None) => {
                    play.wait(&play.start_get(credentials(&format!("driver{driver}"), "ck"), true));
                }
                (0..=2, Some(id)) => {
                    let close = Play::close_command(&id, End::Closed);
                    play.wait(&play.start(names[driver].clone(), close));
                }
                (3, _) => play.world.kill(Class::Portal, &names[driver]),
                _ => play.world.evict(Class::Portal, &names[driver]),
            }
            observe(&play, &mut known);
        }
        play.world.weather().clear();
        for _ in 0..4 {
            play.world.advance(secs(3600));
            observe(&play, &mut known);
            for name in &names {
                play.tell(name, portal::Look);
            }
        }
        play.world.advance(secs(60));
        assert_eq!(receiver.wrong(), None, "seed {seed}");
        let messages = receiver.messages();
        for (name, known) in names.iter().zip(&known) {
            let told: Vec<(String, String)> = messages
                .iter()
                .map(|message| &message.body)
                .filter(|body| {
                    body["data"]["portal_login"] == **name && body["type"] != "portal.login.failed"
                })
                .map(|body| {
                    let text = |value: &Value| value.as_str().unwrap().to_owned();
                    (text(&body["data"]["session_id"]), text(&body["type"]))
                })
                .collect();
            assert_eq!(told, *known, "seed {seed} {name}");
            let waits = play.login_of(name).events.map_or(0, |outbox| outbox.webhook.events.len());
            assert_eq!(waits, 0, "seed {seed} {name}");
        }
        assert!(known.iter().map(Vec::len).sum::<usize>() > 20, "seed {seed}");
        assert!(messages.iter().any(|message| message.times > 1), "some came more than once");
    }
}
