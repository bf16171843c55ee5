//! `Retry-After` of upstreams and of the verifier of post-login sessions: nobody is called before it.

use super::{BATCH, CRM, FACTURIFY, FIRST, Fault, Keeper, refused};
use crate::account::secs;
use base::call::{Answer, Call};
use base::secret::Secret;
use serde_json::{Value, json};
use sim::{Answered, World};
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn f28_every_upstream_is_left_alone_as_long_as_it_says_with_whatever_status() {
    for account in [FACTURIFY, FIRST, CRM, BATCH] {
        for status in [429, 503, 403] {
            let keeper = Keeper::new();
            keeper.fail(account, Fault::Later(status, 900), 1);
            let wait = refused(
                &keeper.read(account),
                502,
                &keeper.last_operation(account)["outcome"].to_string().replace('"', ""),
            );
            assert!(wait.is_some_and(|wait| (890..=900).contains(&wait)), "{account}, {status}: {wait:?}");
            keeper.pass(secs(880));
            assert_eq!(keeper.count(account), 1, "{account}, {status}");
            assert_eq!(keeper.order(account).status, 502, "{account}, {status}");
            assert_eq!(keeper.count(account), 1, "{account}, {status}: no order calls it either");
            keeper.pass(secs(25));
            assert!(keeper.count(account) > 1, "{account}, {status}");
            assert_eq!(keeper.read(account).status, 200, "{account}, {status}");
        }
    }
}

/// A post-login session by the handlers, and a verifier with its answers.
fn bank(answers: &'static [(u16, Option<u64>)]) -> (World, Rc<Cell<usize>>) {
    let world = World::complete(
        0,
        &[("SME_VERIFY_BASE_URL", "https://bank.example.com"), ("SME_VERIFY_TOKEN_KEY", "key")],
    );
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    world.upstream(
        "bank.example.com",
        sim::net::Answers(move |_: &Call| {
            let (status, wait) = answers.get(counted.get()).copied().unwrap_or((200, None));
            counted.set(counted.get() + 1);
            let body = r#"{"status":"success","data":{"isExpire":false}}"#;
            Answer::Response { status, retry_after: wait.map(secs), body: Secret::new(body) }
        }),
    );
    (world, calls)
}

fn init(world: &World, cif: &str) -> Answered {
    let body = json!({ "data": {
        "cif": cif,
        "basicCustomerInfo": { "customer_id": "1", "customer_name": "A", "customer_type": "B" },
        "tokenKey": "token",
        "payload": { "channelId": "sme" },
    } });
    world.request("POST", "/api/v1/postlogin/init-session", &[], Some(&body))
}

fn renew(world: &World, session: &Value) -> Answered {
    let body = json!({ "data": { "refreshToken": session["refreshToken"] } });
    world.request("POST", "/api/v1/postlogin/renew-token", &[], Some(&body))
}

#[test]
fn f28_the_verifier_of_post_login_sessions_is_left_alone_as_long_as_it_says() {
    let (world, calls) = bank(&[(503, Some(30)), (200, None), (503, None), (403, Some(40)), (200, None)]);
    // Whoever begins a session.
    assert_eq!(refused(&init(&world, "1234567890"), 502, "upstream_error"), Some(30));
    world.advance(secs(20));
    assert_eq!(refused(&init(&world, "1234567891"), 502, "upstream_error"), Some(10));
    assert_eq!(calls.get(), 1);
    world.advance(secs(10));
    let answer = init(&world, "1234567890");
    assert_eq!((answer.status, calls.get()), (200, 2), "{answer:?}");
    let session = answer.json();
    // And whoever renews one. Where no time is named, the next attempt asks.
    assert_eq!(refused(&renew(&world, &session), 502, "upstream_error"), Some(5));
    assert_eq!(refused(&renew(&world, &session), 502, "upstream_unintelligible"), Some(40));
    assert_eq!(refused(&renew(&world, &session), 502, "upstream_unintelligible"), Some(40));
    world.advance(secs(39));
    assert_eq!(refused(&renew(&world, &session), 502, "upstream_unintelligible"), Some(1));
    assert_eq!(calls.get(), 4);
    world.advance(secs(1));
    assert_eq!((renew(&world, &session).status, calls.get()), (200, 5));
}
