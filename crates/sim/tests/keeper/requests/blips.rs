//! Upstreams that are away for some seconds: it costs seconds, whatever callers do meanwhile.

use super::{BATCH, CRM, FACTURIFY, FIRST, Fault, Keeper, refused};
use crate::account::secs;
use sim::Request;
use sim::weather::Odds;
use std::time::Duration;

/// A client orders once a second through 13 seconds of 503, more often than 15 calls. A moment later the upstream is well, and
/// the account is as soon as its own next step comes: not after 3,584 seconds.
#[test]
fn f17_a_blip_does_not_become_an_hour() {
    for account in [BATCH, CRM, FACTURIFY, FIRST] {
        let keeper = Keeper::new();
        keeper.down(account, Fault::Status(503, ""));
        for _ in 0..13 {
            let wait = refused(&keeper.order(account), 502, "upstream_error").unwrap();
            assert!(wait <= 300, "{account}: {wait}");
            keeper.pass(secs(1));
        }
        // The order that opened the circuit, and the steps of the back-off; the others cost nothing.
        assert!((2..=4).contains(&keeper.count(account)), "{account}: {:?}", keeper.calls(account));
        keeper.heal();
        keeper.pass(secs(301));
        assert_eq!(keeper.read(account).status, 200, "{account}");
        assert_eq!(keeper.order(account).status, 200, "{account}: orders are themselves again");
    }
}

/// Orders and checks that have used up their own hour leave the account's tries and what is brought by hand alone.
#[test]
fn f17_each_budget_is_its_own() {
    let keeper = Keeper::new();
    let held = keeper.read(FIRST).json()["access_token"].clone();
    keeper.fail_at(
        FIRST,
        "/refresh",
        Fault::Status(401, r#"{"success":false,"error":"not yours"}"#),
        u32::MAX,
    );
    keeper.fail_at(FIRST, "/profile", Fault::Status(503, ""), 15);
    let validate = || keeper.send("GET", "/token/validate");
    for _ in 0..15 {
        refused(&validate(), 502, "upstream_error");
    }
    refused(&validate(), 429, "upstream_calls_spent");
    while keeper.order(FIRST).status != 429 {
        assert!(keeper.count(FIRST) < 60, "orders come to an end");
    }
    let update = || Request::new("POST", "/token/update").json(&serde_json::json!({ "access_token": held }));
    assert_eq!(keeper.at_once(1, update).remove(0).status, 200, "by hand it always works");
    assert_eq!(keeper.read(FIRST).json()["access_token"], held);
    keeper.heal();
    // It is well, and that counts for all.
    assert_eq!(keeper.order(FIRST).status, 200);
    assert_eq!(validate().status, 200);
}

/// The account's alarm asks whether it is its turn, and hears so a while later. Meanwhile callers have made the quick retries in
/// vain: the alarm does not begin what is due in minutes only by now, behind the backs of those who were told of the failure.
#[test]
fn f21_an_alarm_that_had_to_ask_for_its_turn_decides_anew() {
    let keeper = Keeper::new();
    assert_eq!(keeper.read(FIRST).status, 200);
    keeper.pass(secs(60));
    keeper.down(FIRST, Fault::Status(503, ""));
    keeper.clear_calls();
    refused(&keeper.order(FIRST), 502, "upstream_error");
    keeper.world.weather().rough(Odds { very_slow: 1000, ..Odds::default() });
    keeper.pass(secs(5));
    keeper.world.weather().clear();
    assert_eq!(keeper.count(FIRST), 1, "the alarm has asked, and has not heard yet");
    let mut tries = 1;
    while refused(&keeper.order(FIRST), 502, "upstream_error").unwrap() < 60 {
        keeper.pass(secs(1));
        tries += 1;
    }
    assert!((2..=10).contains(&tries));
    keeper.heal();
    keeper.clear_calls();
    keeper.pass(secs(90));
    assert_eq!(keeper.calls(FIRST), Vec::<String>::new(), "the answer has come by now");
    keeper.pass(secs(300));
    assert_eq!(keeper.order(FIRST).status, 200);
}

/// One 503, and the retry succeeds within two seconds: the caller gets the token, and not 502.
#[test]
fn f21_who_waits_gets_the_retries() {
    for account in [BATCH, CRM, FACTURIFY, FIRST] {
        let keeper = Keeper::patient();
        keeper.fail(account, Fault::Status(503, ""), 1);
        let begin = keeper.now();
        assert_eq!(keeper.read(account).status, 200, "{account}");
        assert!(keeper.now().since(begin) <= secs(3), "{account}");
        // An order: two failures are waited for as well.
        keeper.pass(secs(60));
        keeper.clear_calls();
        keeper.fail(account, Fault::Unreachable, 2);
        assert_eq!(keeper.order(account).status, 200, "{account}");
    }
    // A token that is brought by hand.
    let keeper = Keeper::patient();
    let held = keeper.read(FIRST).json()["access_token"].clone();
    keeper.fail_at(FIRST, "/profile", Fault::Status(503, ""), 2);
    let update = || Request::new("POST", "/token/update").json(&serde_json::json!({ "access_token": held }));
    assert_eq!(keeper.at_once(1, update).remove(0).status, 200);
}

/// An order fails while KV is slow: KV is told beside the quick tries, which come when they are due.
#[test]
fn f21_kv_does_not_keep_a_retry_waiting() {
    let keeper = Keeper::patient();
    assert_eq!(keeper.read(BATCH).status, 200);
    keeper.clear_calls();
    keeper.world.weather().rough(Odds { kv_slow: 1000, ..Odds::default() });
    keeper.fail(BATCH, Fault::Status(503, ""), 2);
    let answer = keeper.start("POST", &format!("/api/v1/tokens/{BATCH}/refresh"));
    // At most 2 and 4 seconds after the failures before them.
    keeper.pass(Duration::from_millis(6_200));
    assert_eq!(keeper.count(BATCH), 3, "the failures and the retry that succeeds");
    keeper.pass(secs(60));
    assert_eq!(answer.borrow().as_ref().map(|answer| answer.status), Some(200));
}

/// Nobody is kept longer than 15 seconds for tries that do not help, and all who wait share them.
#[test]
fn f21_waiting_has_an_end_and_is_shared() {
    let keeper = Keeper::patient();
    keeper.down(FACTURIFY, Fault::Status(503, ""));
    let begin = keeper.now();
    let answers = keeper.at_once(100, || Request::new("GET", format!("/api/v1/tokens/{FACTURIFY}")));
    let took = keeper.now().since(begin);
    for answer in answers {
        refused(&answer, 502, "upstream_error");
    }
    assert!(took > secs(1) && took <= secs(15), "{took:?}");
    assert_eq!(keeper.count(FACTURIFY), 4, "one and three quick ones");
    // From then on the tries are slow, and nobody waits.
    let begin = keeper.now();
    refused(&keeper.read(FACTURIFY), 502, "upstream_error");
    refused(&keeper.order(FACTURIFY), 502, "upstream_error");
    assert!(keeper.now().since(begin) < Duration::from_millis(10));
    // An upstream that names a time is not waited for, and a final refusal neither.
    for fault in [Fault::Later(429, 60), Fault::Status(400, r#"{"error":"invalid_client"}"#)] {
        let keeper = Keeper::patient();
        keeper.fail(BATCH, fault, 1);
        let begin = keeper.now();
        assert_eq!(keeper.read(BATCH).status, 502);
        assert!(keeper.now().since(begin) < secs(1), "{fault:?}");
    }
}
