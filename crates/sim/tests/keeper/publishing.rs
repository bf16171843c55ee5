//! Whom an account tells of what has changed: KV, the index, the receiver of alerts; and who is said to have wanted it.

use crate::account::{AccountWorld, secs};
use crate::lives::{facturify, upstox};
use crate::object::{by, copied, got, history, tell, token};
use base::call::{Answer, Call};
use base::ports::Clock as _;
use base::webhook::{self, Key};
use keeper::protocol::{NewToken, Order};
use sim::fakes::accounts::header;
use sim::fakes::receiver::SECRET;
use sim::net::{Answers, text};
use sim::weather::Odds;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

fn refresh(who: &str) -> Order<NewToken> {
    Order { task: NewToken::Refresh, by: by(who) }
}

fn records(w: &AccountWorld) -> Vec<String> {
    w.world.kv().into_keys().collect()
}

#[test]
fn kv_is_told_before_whoever_gave_the_order_is() {
    let w = facturify(1);
    assert!(records(&w).is_empty());
    tell(&w, refresh("order"));
    assert!(!records(&w).is_empty(), "no time has gone by since the reply");
}

#[test]
fn the_default_account_s_token_is_also_the_one_without_a_name() {
    for (ids, both) in [("a1,a2", true), ("a0,a1", false)] {
        let mut w = upstox(7);
        w.deploy(&[("UPSTOX_ACCOUNT_IDS", ids)]);
        got(&tell(&w, token()));
        w.world.advance(secs(5));
        assert!(records(&w).contains(&"upstox_access_token:a1".to_owned()), "{ids}");
        assert_eq!(records(&w).contains(&"upstox_access_token".to_owned()), both, "{ids}");
    }
}

#[test]
fn what_kv_could_not_be_told_it_is_told_when_it_is_back() {
    let mut w = upstox(7);
    w.world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    let token = got(&tell(&w, token()));
    w.world.advance(secs(20));
    assert!(records(&w).is_empty() && w.stored().pending_sync.is_some());
    w.world.weather().clear();
    w.world.advance(secs(40));
    assert_eq!(w.stored().pending_sync, None);
    assert_eq!(copied(&w), token);
    w.run(secs(60));
    w.check_peace();
}

/// KV takes one write of a key a second, so that of two tokens in one moment the second is refused. It is told two seconds later, and
/// not half a minute, because it is not told in the same moment again.
#[test]
fn f22_what_kv_has_refused_for_a_second_it_is_told_two_seconds_later() {
    let w = facturify(1);
    got(&tell(&w, refresh("first")));
    w.world.advance(secs(60));
    w.world.weather().kv_is_down(true);
    let newest = got(&tell(&w, refresh("second")));
    w.world.advance(secs(1));
    w.world.weather().kv_is_down(false);
    assert_ne!(copied(&w), newest);
    w.world.advance(secs(2));
    assert_eq!(copied(&w), newest);
    assert_eq!(w.stored().pending_sync, None);
}

/// The index is one object for all accounts. What was real: KV gave a token out for a minute and a half after the next one had come,
/// because the index had not answered to the one before.
#[test]
fn f22_kv_does_not_wait_for_a_slow_index() {
    for seed in 1..8 {
        let mut w = facturify(seed);
        got(&tell(&w, refresh("first")));
        w.world.advance(secs(60));
        let generation = w.stored().generation;
        w.order(NewToken::Refresh);
        while w.stored().generation == generation {
            assert!(w.world.step(w.now().plus(secs(10))));
        }
        // Up to two minutes, there and back.
        w.world.weather().rough(Odds { very_slow: 1000, ..Odds::default() });
        w.world.advance(secs(2));
        w.world.weather().clear();
        w.order(NewToken::Refresh);
        w.world.advance(secs(6));
        let newest = got(&tell(&w, token()));
        assert_eq!(w.stored().generation, generation + 2);
        assert_eq!(copied(&w), newest, "{seed}");
        w.world.advance(secs(180));
        assert_eq!(w.stored().pending_sync, None);
    }
}

#[test]
fn an_alert_is_sent_at_once_and_again_at_its_own_pace() {
    let w = facturify(1);
    let sent = Rc::new(RefCell::new(Vec::new()));
    let (heard, host) = (sent.clone(), w.world.host());
    w.world.upstream(
        "alerts",
        Answers(move |call: &Call| -> Answer {
            let mut heard = heard.borrow_mut();
            heard.push((host.now(), header(call, "webhook-id").to_owned()));
            text(if heard.len() < 3 { 503 } else { 204 }, "")
        }),
    );
    w.line.fake.borrow_mut().refuse(true);
    tell(&w, refresh("order"));
    w.world.advance(secs(1));
    assert_eq!(sent.borrow().len(), 1, "at once");
    // What is published meanwhile does not bring it sooner.
    tell(&w, refresh("order"));
    w.world.advance(secs(120));
    let sent = sent.borrow();
    let waits: Vec<u64> = sent.windows(2).map(|two| two[1].0.since(two[0].0).as_secs()).collect();
    assert_eq!(sent.len(), 3, "until it is taken: {waits:?}");
    assert!((5..10).contains(&waits[0]) && (10..15).contains(&waits[1]), "{waits:?}");
    assert!(sent.iter().all(|(_, id)| *id == sent[0].1), "the same alert");
    assert!(w.stored().outbox.is_empty());
}

/// Where alerts have no receiver of their own.
#[test]
fn an_alert_goes_to_the_receiver_of_events_if_its_type_is_asked_for() {
    for (types, expected) in
        [("session", 0), ("token.recovered", 0), ("token.needs_attention", 1), ("token", 1)]
    {
        let w = facturify(1);
        let sent = Rc::new(RefCell::new(Vec::new()));
        let (heard, host) = (sent.clone(), w.world.host());
        w.world.upstream(
            "events",
            Answers(move |call: &Call| -> Answer {
                let (id, body) = (header(call, "webhook-id"), call.body.as_ref().unwrap().expose());
                let key = Key::parse(SECRET).unwrap();
                let ours = webhook::headers(id, body, &[key.bytes()], host.now()).unwrap();
                let ours = ours.into_iter().find(|(name, _)| *name == "webhook-signature").unwrap().1;
                assert_eq!(ours.expose(), header(call, "webhook-signature"));
                heard.borrow_mut().push(serde_json::from_str::<serde_json::Value>(body).unwrap());
                text(204, "")
            }),
        );
        w.world.deploy(&[
            ("ALERT_WEBHOOK_URL", ""),
            ("EVENT_WEBHOOK_URL", "https://events/in"),
            ("EVENT_WEBHOOK_SECRET", SECRET),
            ("EVENT_TYPES", types),
        ]);
        w.line.fake.borrow_mut().refuse(true);
        tell(&w, refresh("order"));
        w.world.advance(secs(60));
        assert_eq!(sent.borrow().len(), expected, "{types}");
        assert!(sent.borrow().iter().all(|body| body["type"] == "token.needs_attention"));
        assert!(w.stored().outbox.is_empty());
    }
}

#[test]
fn the_history_says_whether_the_trigger_or_the_alarm_wanted_it() {
    let mut w = upstox(7);
    got(&tell(&w, token()));
    w.run(Duration::from_hours(24));
    let mut renewals = history(&w).into_iter().filter(|entry| entry.operation.gets());
    assert_eq!(renewals.next_back().unwrap().who, "cron");
    let mut w = facturify(1);
    w.run(Duration::from_hours(13));
    assert_eq!(history(&w).last().unwrap().who, "alarm");
}

/// Of two publications at once the older must not land last; and where an instance that is gone had one under way, the sweep sees
/// to it: not for twelve hours.
#[test]
fn f22_kv_follows_in_order() {
    let mut w = facturify(1);
    got(&tell(&w, refresh("first")));
    w.world.advance(secs(5));
    w.world.weather().rough(Odds { kv_slow: 1000, ..Odds::default() });
    // Many at once, each with a write that takes its time.
    for _ in 0..5 {
        w.order(NewToken::Refresh);
        w.world.advance(secs(3));
    }
    w.world.advance(secs(120));
    w.world.weather().clear();
    let newest = got(&tell(&w, token()));
    assert_eq!(copied(&w), newest);
    // One whose instance is killed while it is under way.
    w.world.weather().rough(Odds { kv_slow: 1000, ..Odds::default() });
    let generation = w.stored().generation;
    w.order(NewToken::Refresh);
    while w.stored().generation == generation {
        assert!(w.world.step(w.now().plus(secs(10))));
    }
    w.world.advance(Duration::from_millis(5));
    w.die();
    w.world.weather().clear();
    let newest = got(&tell(&w, refresh("second")));
    assert_eq!(copied(&w), newest);
    w.world.advance(secs(25));
    assert_ne!(copied(&w), newest, "the slow write has landed, or this shows nothing");
    w.run(secs(4 * 60));
    assert_eq!(copied(&w), newest);
    w.check_peace();
}
