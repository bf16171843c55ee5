//! Failures that pass: what each is called, what callers are told, and when it is tried again.

use super::{BATCH, FACTURIFY, FIRST, Fault, Keeper, members, refused};
use crate::account::secs;
use serde_json::{Value, json};
use std::time::Duration;

const HTML: &str = "<html><body>Bad gateway</body></html>";

const FAULTS: [(&str, Fault, u16, &str, Option<u16>); 13] = [
    ("429", Fault::Status(429, "{}"), 502, "upstream_rate_limited", Some(429)),
    ("500", Fault::Status(500, "{}"), 502, "upstream_error", Some(500)),
    ("503 and HTML", Fault::Status(503, HTML), 502, "upstream_error", Some(503)),
    ("504 and nothing", Fault::Status(504, ""), 502, "upstream_error", Some(504)),
    ("200 and HTML", Fault::Status(200, HTML), 502, "upstream_unintelligible", Some(200)),
    ("half of its JSON", Fault::Half, 502, "upstream_unintelligible", Some(200)),
    ("JSON of another shape", Fault::Status(200, "{}"), 502, "upstream_unintelligible", Some(200)),
    ("JSON that is a list", Fault::Status(200, "[1]"), 502, "upstream_unintelligible", Some(200)),
    ("a status that means nothing", Fault::Status(418, "{}"), 502, "upstream_unintelligible", Some(418)),
    ("a redirect", Fault::Status(302, ""), 502, "upstream_redirected", Some(302)),
    ("a broken connection", Fault::Unreachable, 502, "upstream_unreachable", None),
    ("a lost answer", Fault::Lost, 502, "upstream_unreachable", None),
    ("an answer that comes too late", Fault::Hangs, 504, "upstream_timeout", None),
];

#[test]
fn each_failure_has_a_name_is_told_to_everybody_and_tried_again_soon() {
    for account in [FACTURIFY, BATCH, FIRST] {
        for (what, fault, status, code, its) in FAULTS {
            // Of the token service a JSON without a token means that it has none: it is asked for one.
            if account == FIRST && what == "JSON of another shape" {
                continue;
            }
            let keeper = Keeper::new();
            keeper.fail(account, fault, 1);
            let wait = refused(&keeper.read(account), status, code).unwrap();
            assert!((1..=2).contains(&wait), "{account} {what}: {wait}");
            // The next who comes is told the same without a call.
            refused(&keeper.read(account), status, code);
            assert_eq!(keeper.count(account), 1, "{account} {what}");
            let told = keeper.status(account);
            assert_eq!(
                members(&told, &["has_token", "status"]),
                json!({ "has_token": false, "status": "missing" })
            );
            let error = members(&told["last_error"], &["code", "status", "failures"]);
            assert_eq!(error, json!({ "code": code, "status": its, "failures": 1 }), "{account} {what}");
            let operation = members(&keeper.last_operation(account), &["outcome", "calls", "status"]);
            assert_eq!(operation, json!({ "outcome": code, "calls": 1, "status": its }));
            keeper.pass(secs(3));
            assert_eq!(keeper.read(account).status, 200, "{account} {what}");
            keeper.pass(secs(10));
            let told = members(&keeper.status(account), &["has_token", "status", "last_error"]);
            assert_eq!(told, json!({ "has_token": true, "status": "valid", "last_error": null }));
        }
    }
}

#[test]
fn the_time_that_an_upstream_asks_for_is_kept_to_up_to_a_day() {
    for (asked, kept) in [(120, 120), (7200, 7200), (999_999_999, 86_400)] {
        let keeper = Keeper::new();
        keeper.down(FACTURIFY, Fault::Later(429, asked));
        assert_eq!(refused(&keeper.read(FACTURIFY), 502, "upstream_rate_limited"), Some(kept));
        keeper.pass(secs(kept) - Duration::from_millis(100));
        refused(&keeper.read(FACTURIFY), 502, "upstream_rate_limited");
        assert_eq!(keeper.count(FACTURIFY), 1, "{asked}");
        keeper.heal();
        keeper.pass(secs(1));
        assert_eq!(keeper.read(FACTURIFY).status, 200);
    }
}

#[test]
fn the_waits_grow_to_seconds_then_to_minutes() {
    let keeper = Keeper::new();
    keeper.down(FACTURIFY, Fault::Status(503, ""));
    let mut waits = Vec::new();
    keeper.read(FACTURIFY);
    for failures in 1..=6 {
        let told = keeper.status(FACTURIFY);
        assert_eq!(told["last_error"]["failures"], failures);
        waits.push(refused(&keeper.read(FACTURIFY), 502, "upstream_error").unwrap());
        let calls = keeper.count(FACTURIFY);
        while keeper.count(FACTURIFY) == calls {
            keeper.pass(Duration::from_millis(100));
        }
        keeper.pass(Duration::from_millis(100));
    }
    for (n, (wait, most)) in waits.iter().zip([2, 4, 8, 300, 600, 1200]).enumerate() {
        let least = if n < 3 { 0 } else { most / 2 - 1 };
        assert!((least..=most).contains(wait), "{waits:?}");
    }
}

#[test]
fn orders_do_not_exceed_the_hours_calls_either() {
    let keeper = Keeper::new();
    let begin = keeper.now();
    // Those that are refused for good do not open the circuit: each is a call.
    keeper.down(BATCH, Fault::Status(400, r#"{"error":"invalid_client"}"#));
    for _ in 0..15 {
        refused(&keeper.order(BATCH), 502, "upstream_credentials_refused");
    }
    let wait = refused(&keeper.order(BATCH), 429, "upstream_calls_spent").unwrap();
    assert!((3590..=3600).contains(&wait), "{wait}");
    assert_eq!(keeper.count(BATCH), 15);
    keeper.heal();
    keeper.pass(begin.plus(secs(3601)).since(keeper.now()));
    assert_eq!(keeper.order(BATCH).status, 200);
}

#[test]
fn a_token_that_cannot_be_used_is_none() {
    let keeper = Keeper::new();
    keeper.fail(BATCH, Fault::TooLong, 1);
    refused(&keeper.read(BATCH), 502, "upstream_unintelligible");
    let wrong = [(r#""a b""#, "3600"), ("7", "3600")];
    for (token, life) in wrong {
        let batch = format!(r#"{{"access_token":{token},"expires_in":{life}}}"#);
        let facturify = format!(r#"{{"jwt":{{"token":{token},"expires_in":{life}}}}}"#);
        for (account, body) in [(BATCH, batch), (FACTURIFY, facturify)] {
            serde_json::from_str::<Value>(&body).unwrap();
            let keeper = Keeper::new();
            keeper.fail(account, Fault::Status(200, body.leak()), 1);
            refused(&keeper.read(account), 502, "upstream_unintelligible");
        }
    }
}
