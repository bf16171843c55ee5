//! What a session's object tells a receiver: everything that has happened, in order, however unreliable either is.
//! Over 400 lines: all of it drives one receiver, by the helpers that are here.

use super::support::*;
use base::account::EndReason;
use base::clock::Timestamp;
use base::event::EventType;
use base::ids::{SessionId, UserId};
use base::rpc::Class;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use session::{OpenReply, Rotate, RotateReply, State, Touch};
use sim::World;
use sim::fakes::receiver::{HOST, LOGOUT_HOST, LOGOUT_SETTINGS, Mishap, Receiver, SETTINGS};
use sim::rng::Rng;
use sim::weather::Odds;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// A deployment that tells of everything, and whom.
fn told(mishap: impl Fn() -> Option<Mishap> + 'static) -> (World, Receiver) {
    told_with(&[], mishap)
}

fn told_with(settings: &[(&str, &str)], mishap: impl Fn() -> Option<Mishap> + 'static) -> (World, Receiver) {
    let world = world(&[SETTINGS, settings].concat());
    let receiver = Receiver::new(world.host(), mishap);
    world.upstream(HOST, receiver.clone());
    (world, receiver)
}

fn types(receiver: &Receiver, id: &SessionId) -> Vec<String> {
    receiver.told().remove(id.as_str()).unwrap_or_default()
}

fn rotate(world: &World, id: &SessionId, generation: u64) {
    let rotate = Rotate { generation, user_id: UserId::issued(7), change_id: None };
    assert!(matches!(tell(world, id, rotate), RotateReply::Tokens(_)));
}

fn outbox(world: &World, id: &SessionId) -> Value {
    let rows = world.rows(Class::Session, id.as_str());
    rows.get("session")
        .map(|text| serde_json::from_str::<Value>(text).unwrap()["events"].clone())
        .unwrap_or_default()
}

#[test]
fn a_life_is_told_at_once_in_order_and_once() {
    let (world, receiver) = told(|| None);
    create_asha(&world);
    let id = fresh_id(&world);
    let mut open = open_command(asha());
    open.device = session::Device { name: Some("Phone".into()), is_new: Some(true), ..Default::default() };
    assert!(matches!(tell(&world, &id, open), OpenReply::Tokens(_)));
    let opened_at = world.now();
    world.settle();
    assert_eq!(types(&receiver, &id), ["session.created"]);
    world.advance(MINUTE / 2);
    rotate(&world, &id, 0);
    // The same again, of whoever lost the answer, is no second refresh.
    rotate(&world, &id, 0);
    tell(&world, &id, Touch { generation: 1, passive: false });
    world.advance(MINUTE / 2);
    revoke(&world, &id, EndReason::Admin);
    world.settle();
    assert_eq!(types(&receiver, &id), ["session.created", "session.refreshed", "session.revoked.admin"]);
    let messages = receiver.messages();
    let about =
        |sequence: u64| json!({ "session_id": id.as_str(), "sequence": sequence, "sub": "7", "user_id": 7 });
    for (at, (message, more)) in messages
        .iter()
        .zip([
            json!({ "new_device": true, "device_name": "Phone" }),
            json!({ "generation": 1 }),
            json!({ "reason": "admin" }),
        ])
        .enumerate()
    {
        let mut data = about(at as u64 + 1);
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(message.body["data"], data);
        assert_eq!(message.id, format!("{id}-{}", at + 1));
        assert_eq!(message.times, 1);
    }
    assert_eq!(messages[0].body["timestamp"], opened_at.rfc3339());
    // Nothing is left of it when its time is over, and nobody is told of that once more.
    world.advance(MINUTE * 10);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
    assert_eq!((receiver.calls(), receiver.wrong()), (3, None));
}

#[test]
fn every_reason_has_its_type_and_what_was_never_open_has_no_end() {
    let (world, receiver) = told(|| None);
    create_asha(&world);
    for reason in EndReason::ALL.iter().copied() {
        let id = fresh_id(&world);
        open(&world, &id, asha());
        revoke(&world, &id, reason);
        world.settle();
        assert_eq!(types(&receiver, &id), ["session.created", EventType::from(reason).as_str()]);
        // The second one who ends it changes nothing.
        revoke(&world, &id, EndReason::Admin);
        world.settle();
        assert_eq!(types(&receiver, &id).len(), 2);
    }
    let never = fresh_id(&world);
    revoke(&world, &never, EndReason::Logout);
    assert!(matches!(tell(&world, &never, open_command(asha())), OpenReply::Ended(_)));
    world.advance(MINUTE * 10);
    assert_eq!(types(&receiver, &never), [""; 0]);
    // By its alarm.
    let id = fresh_id(&world);
    open(&world, &id, customer());
    world.advance(POLICY.idle + MS);
    assert_eq!(types(&receiver, &id), ["session.created", "session.expired.lifetime"], "after 50 s");
    let last = receiver.messages().pop().unwrap();
    let data = &last.body["data"];
    assert_eq!((&data["sub"], &data["user_id"]), (&json!(SUBJECT), &Value::Null));
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.advance(POLICY.idle + MS);
    assert_eq!(types(&receiver, &id), ["session.created", "session.expired.inactivity"]);
    assert_eq!(receiver.wrong(), None);
}

#[test]
fn only_the_chosen_types_are_told_and_by_default_no_refreshes() {
    let default = base::settings::EVENT_TYPES.default;
    for (chosen, expected) in [
        (default, vec!["session.created", "session.revoked.logout"]),
        ("session.revoked", vec!["session.revoked.logout"]),
        ("session.created, session.refreshed", vec!["session.created", "session.refreshed"]),
        ("session.expired", vec![]),
    ] {
        let (world, receiver) = told_with(&[("EVENT_TYPES", chosen)], || None);
        create_asha(&world);
        let id = fresh_id(&world);
        open(&world, &id, asha());
        rotate(&world, &id, 0);
        revoke(&world, &id, EndReason::Logout);
        world.advance(MINUTE * 10);
        assert_eq!(types(&receiver, &id), expected, "{chosen}");
        assert!(world.rows(Class::Session, id.as_str()).is_empty(), "{chosen}");
    }
}

/// Nothing is written, nothing is set, nobody is called.
#[test]
fn without_a_receiver_nothing_is_kept() {
    let world = world(&[]);
    create_asha(&world);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    rotate(&world, &id, 0);
    assert_eq!(outbox(&world, &id), Value::Null);
    assert_eq!(world.alarm(Class::Session, id.as_str()), Some(world.now().plus(POLICY.idle + MS)));
    revoke(&world, &id, EndReason::Logout);
    assert_eq!(outbox(&world, &id), Value::Null);
}

#[test]
fn what_is_killed_before_it_has_told_tells_afterwards() {
    let (world, receiver) = told(|| None);
    create_asha(&world);
    receiver.is_down(true);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.settle();
    world.kill(Class::Session, id.as_str());
    revoke(&world, &id, EndReason::Logout);
    world.settle();
    world.restart();
    assert_eq!(types(&receiver, &id), [""; 0]);
    receiver.is_down(false);
    world.advance(MINUTE);
    assert_eq!(types(&receiver, &id), ["session.created", "session.revoked.logout"]);
    world.advance(MINUTE * 10);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
}

/// What is not durable has not happened: nobody may hear of it.
#[test]
fn what_is_lost_before_it_is_written_is_told_to_nobody() {
    let (world, receiver) = told(|| None);
    create_asha(&world);
    let id = fresh_id(&world);
    broken_before_write(&world, &id, || {
        begin(&world, &id, &open_command(asha()));
    });
    world.advance(MINUTE * 10);
    assert_eq!((types(&receiver, &id), receiver.calls()), (vec![], 0));
    open(&world, &id, asha());
    world.advance(MINUTE * 10);
    assert_eq!(types(&receiver, &id), ["session.created", "session.expired.inactivity"]);
}

#[test]
fn a_failed_one_holds_up_those_behind_it_and_comes_again_ever_more_slowly() {
    let (world, receiver) = told_with(&[("SESSION_INACTIVITY_TIMEOUT_SECONDS", "300")], || None);
    create_asha(&world);
    receiver.is_down(true);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    let mut at: Vec<Timestamp> = Vec::new();
    world.pass(MINUTE * 3, || {
        if receiver.calls() as usize > at.len() {
            at.push(world.now());
        }
        true
    });
    rotate(&world, &id, 0);
    let calls = receiver.calls();
    world.settle();
    assert_eq!(receiver.calls(), calls, "the one behind it does not hurry it");
    for (number, pair) in at.windows(2).enumerate() {
        let (wait, most) = (pair[1].since(pair[0]), Duration::from_secs(5 << number));
        assert!(wait >= most / 2 && wait <= most, "{number}: {wait:?}");
    }
    assert!(at.len() >= 5, "{at:?}");
    let faults = world.take_logs().into_iter().filter(|line| line.text.contains(r#""what":"event""#)).count();
    assert_eq!(faults, at.len());
    receiver.is_down(false);
    world.advance(MINUTE * 5);
    assert_eq!(types(&receiver, &id)[..2], ["session.created", "session.refreshed"]);
}

#[test]
fn the_receiver_says_when_to_come_again_and_when_never() {
    let busy = RefCell::new(true);
    let (world, receiver) = told(move || busy.replace(false).then_some(Mishap::Busy));
    create_asha(&world);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.advance(Duration::from_secs(39));
    assert_eq!((receiver.calls(), types(&receiver, &id)), (1, vec![]));
    world.advance(Duration::from_secs(2));
    assert_eq!((receiver.calls(), types(&receiver, &id).len()), (2, 1));
    // Gone: what it does not want is not sent again.
    world.upstream(HOST, sim::net::Answers(|_: &base::call::Call| sim::net::text(410, "")));
    let other = fresh_id(&world);
    open(&world, &other, asha());
    world.settle();
    assert_eq!(outbox(&world, &other), json!({ "next": 2, "sub": "7", "user_id": 7 }));
    let lines = world.take_logs();
    assert!(lines.iter().any(|line| line.text.contains("answered 410, and the event is dropped")));
}

#[test]
fn refreshes_make_room_and_an_end_waits_for_three_days() {
    let (world, receiver) = told_with(
        &[("REFRESH_TOKEN_EXPIRE_SECONDS", "3600"), ("SESSION_ABSOLUTE_LIFETIME_SECONDS", "3600")],
        || None,
    );
    create_asha(&world);
    receiver.is_down(true);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    for generation in 0..30 {
        world.advance(Duration::from_secs(11));
        rotate(&world, &id, generation);
    }
    revoke(&world, &id, EndReason::Password);
    let kept = outbox(&world, &id)["webhook"]["events"].clone();
    let kept: Vec<(u64, &str)> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["sequence"].as_u64().unwrap(), event["type"].as_str().unwrap()))
        .collect();
    assert_eq!(kept.len(), session::events::EVENTS_MAX);
    assert_eq!(
        (kept[0], kept[1].0, kept[19]),
        ((1, "session.created"), 14, (32, "session.revoked.password"))
    );
    // All else is done, and nothing is kept of its user's name.
    world.advance(Duration::from_hours(2));
    assert_eq!(noted(&world, &id), None, "its last token has expired");
    assert!(profile(&world).slots.is_empty());
    let Some(State::Ended(tombstone)) = stored(&world, &id) else { panic!("it waits") };
    assert!(tombstone.account.unwrap().username.is_empty());
    let requests = world.usage().object_requests;
    world.advance(Duration::from_hours(10));
    let rings = world.usage().object_requests - requests;
    assert!((20..=45).contains(&rings), "only its own alarm: {rings}");
    world.advance(Duration::from_hours(59));
    assert!(stored(&world, &id).is_some(), "not yet three days");
    world.advance(Duration::from_hours(4));
    assert!(world.rows(Class::Session, id.as_str()).is_empty(), "{:?}", outbox(&world, &id));
    let lines = world.take_logs();
    let given_up = lines.iter().filter(|line| line.text.contains("the event is given up")).count();
    assert_eq!(given_up, session::events::EVENTS_MAX);
    assert_eq!((types(&receiver, &id), receiver.wrong()), (vec![], None));
}

/// Each has what waits for it by itself: one that is down keeps nothing from the other.
#[test]
fn an_end_is_told_by_a_logout_token_too_and_one_receiver_does_not_wait_for_the_other() {
    let (world, receiver) = told_with(LOGOUT_SETTINGS, || None);
    create_asha(&world);
    let tokens: Rc<RefCell<Vec<String>>> = Rc::default();
    let (taken, down) = (tokens.clone(), Rc::new(Cell::new(true)));
    let is_down = down.clone();
    world.upstream(
        LOGOUT_HOST,
        sim::net::Answers(move |call: &base::call::Call| {
            assert_eq!((call.method, call.url.as_str()), ("POST", "https://logout.example.com/bc"));
            let content_type = &call.headers.iter().find(|(name, _)| *name == "content-type").unwrap().1;
            assert_eq!(content_type.expose(), "application/x-www-form-urlencoded");
            let body = call.body.as_ref().unwrap().expose();
            taken.borrow_mut().push(body.strip_prefix("logout_token=").unwrap().to_owned());
            sim::net::text(if is_down.get() { 400 } else { 200 }, "")
        }),
    );
    let ids: Vec<SessionId> = (0..2).map(|_| fresh_id(&world)).collect();
    for id in &ids {
        open(&world, id, asha());
        world.settle();
    }
    assert!(tokens.borrow().is_empty(), "only ends");
    revoke(&world, &ids[0], EndReason::Logout);
    world.settle();
    assert_eq!(types(&receiver, &ids[0]), ["session.created", "session.revoked.logout"]);
    assert_eq!(tokens.borrow().len(), 1);
    // The other way round.
    receiver.is_down(true);
    down.set(false);
    revoke(&world, &ids[1], EndReason::Reuse);
    world.settle();
    assert_eq!((tokens.borrow().len(), types(&receiver, &ids[1]).len()), (2, 1));
    receiver.is_down(false);
    world.advance(MINUTE * 10);
    assert_eq!(types(&receiver, &ids[1]), ["session.created", "session.revoked.reuse"]);
    let claims = |token: &String| {
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice::<Value>(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
    };
    let claims: Vec<Value> = tokens.borrow().iter().map(claims).collect();
    let of =
        |at: usize| (claims[at]["sid"].as_str().unwrap(), claims[at]["jti"].as_str().unwrap().to_owned());
    assert_eq!(of(0), (ids[0].as_str(), format!("{}-2-1", ids[0])));
    assert_eq!(of(1), (ids[1].as_str(), format!("{}-2-1", ids[1])));
    assert_eq!(of(2), (ids[0].as_str(), format!("{}-2-2", ids[0])), "sent again, by another name");
    assert_eq!((claims.len(), &claims[0]["sub"]), (3, &json!("7")));
    assert!(world.rows(Class::Session, ids[0].as_str()).is_empty());
}

#[test]
fn logout_tokens_need_no_webhook() {
    let world = world(LOGOUT_SETTINGS);
    create_asha(&world);
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    world.upstream(
        LOGOUT_HOST,
        sim::net::Answers(move |_: &base::call::Call| {
            counted.set(counted.get() + 1);
            sim::net::text(204, "")
        }),
    );
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.settle();
    assert_eq!((calls.get(), outbox(&world, &id)), (0, Value::Null));
    world.advance(POLICY.idle + MS);
    world.advance(MINUTE * 10);
    assert_eq!(calls.get(), 1);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
}

/// The receiver's address was taken away: what waits for it keeps nothing.
#[test]
fn nobody_waits_for_a_receiver_that_is_not_asked_for_any_more() {
    let (world, receiver) = told(|| None);
    create_asha(&world);
    receiver.is_down(true);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.settle();
    world.deploy(&[("EVENT_WEBHOOK_URL", "")]);
    world.advance(MINUTE * 10);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
    assert_eq!(receiver.messages().len(), 0);
}

/// 30 % of all calls fail in one way or another, for an hour none succeeds, and in between objects lose their memory, their
/// tasks, what they have just written, and their alarms.
#[test]
fn all_is_told_in_order_through_failures_and_an_hours_outage() {
    for seed in 0..20 {
        let rng = RefCell::new(Rng::new(seed));
        let (world, receiver) = told_with(&[("SESSION_INACTIVITY_TIMEOUT_SECONDS", "280")], move || {
            let mut rng = rng.borrow_mut();
            rng.chance(300).then(|| *rng.pick(&Mishap::ALL))
        });
        create_asha(&world);
        let mut rng = Rng::new(seed ^ 0xe7e9);
        world.weather().rough(Odds { flush: 300, alarm: 200, answer_lost: 30, ..Odds::default() });
        world.shuffle(true);
        let mut sessions: Vec<(SessionId, u64)> = Vec::new();
        for step in 0..120 {
            world.advance(Duration::from_secs(rng.below(60)));
            receiver.is_down((40..100).contains(&step));
            let id = fresh_id(&world);
            open(&world, &id, asha());
            sessions.push((id, 0));
            for _ in 0..2 {
                let at = rng.index(sessions.len());
                let (id, generation) = sessions[at].clone();
                match rng.below(6) {
                    0..=1 => {
                        let rotate = Rotate { generation, user_id: UserId::issued(7), change_id: None };
                        if let RotateReply::Tokens(_) = tell(&world, &id, rotate) {
                            sessions[at].1 += 1;
                        }
                    }
                    2 => drop(revoke(&world, &id, *rng.pick(EndReason::ALL))),
                    3 => world.kill(Class::Session, id.as_str()),
                    4 => world.evict(Class::Session, id.as_str()),
                    _ => {
                        world.evict(Class::Session, id.as_str());
                        world.lose_alarm(Class::Session, id.as_str());
                        // Whoever comes next finds that it is lost.
                        tell(&world, &id, Touch { generation, passive: true });
                    }
                }
            }
        }
        world.weather().clear();
        world.advance(Duration::from_hours(4));
        let (told, messages) = (receiver.told(), receiver.messages());
        assert_eq!(receiver.wrong(), None, "seed {seed}");
        assert_eq!(told.len(), sessions.len(), "seed {seed}");
        for (id, generation) in &sessions {
            let types = &told[id.as_str()];
            let is_end = |name: &String| name.contains(".revoked.") || name.contains(".expired.");
            let refreshes = types.iter().filter(|name| *name == "session.refreshed").count();
            assert_eq!((types[0].as_str(), refreshes as u64), ("session.created", *generation), "{types:?}");
            assert_eq!(types.iter().position(is_end), Some(types.len() - 1), "{types:?}");
            assert!(world.rows(Class::Session, id.as_str()).is_empty(), "{:?}", outbox(&world, id));
        }
        assert!(messages.iter().any(|message| message.times > 1), "some came more than once");
    }
}
