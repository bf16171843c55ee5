//! Whose token an account has.

use super::{FIRST, Keeper, refused};
use serde_json::{Value, json};
use sim::fakes::accounts::STRANGER;
use sim::{Answered, Request};

fn update(keeper: &Keeper, body: &Value) -> Answered {
    keeper.at_once(1, || Request::new("POST", "/token/update").json(body)).remove(0)
}

/// A good token of another person is brought: the account does not change its owner in silence.
#[test]
fn f25_another_person_s_token_is_refused_and_told_of() {
    let keeper = Keeper::new();
    let own = keeper.read(FIRST).json()["access_token"].clone();
    // No token of the other account's is alike.
    keeper.pass(crate::account::secs(60));
    let (now, mut token) = (keeper.now(), None);
    keeper.fake(FIRST, |fake| token = fake.of_a_stranger(now));
    let strangers = json!({ "access_token": token.unwrap() });
    for _ in 0..2 {
        refused(&update(&keeper, &strangers), 422, "upstream_user_changed");
    }
    assert_eq!(keeper.read(FIRST).json()["access_token"], own);
    assert_eq!(keeper.last_operation(FIRST)["outcome"], "upstream_user_changed");
    let alerts = keeper.world.logs().iter().filter(|l| l.text.contains("\"other_user\"")).count();
    assert!(alerts > 0, "it is told of");
    // To change the owner is an act of its own: it names the user, who has to be that one.
    let mut explicit = strangers.clone();
    explicit["user_id"] = json!("U3");
    refused(&update(&keeper, &explicit), 422, "upstream_token_refused");
    explicit["user_id"] = json!(STRANGER);
    let answer = update(&keeper, &explicit);
    assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!(STRANGER)));
    assert_eq!(keeper.read(FIRST).json()["access_token"], strangers["access_token"]);
    // From then on it is theirs, and the owner before is the stranger.
    refused(&update(&keeper, &json!({ "access_token": own })), 422, "upstream_user_changed");
}

/// Upstox could not say whose the first token was. Another person's is brought: the account asks again, and is the first one's. Had
/// the first one ended meanwhile, nobody could know whose it was: then the next one that is confirmed is the owner's.
#[test]
fn f25_whose_a_token_is_that_nobody_has_confirmed_is_asked_before_another_is_taken_over() {
    for has_ended in [false, true] {
        let keeper = Keeper::new();
        keeper.fail_at(FIRST, "/profile", super::Fault::Status(502, "<html>Bad Gateway</html>"), 1);
        let own = keeper.read(FIRST).json()["access_token"].clone();
        assert_eq!(keeper.status(FIRST)["user_id"], Value::Null);
        keeper.pass(crate::account::secs(1));
        let (now, mut token) = (keeper.now(), None);
        keeper.fake(FIRST, |fake| {
            token = fake.of_a_stranger(now);
            if has_ended {
                fake.revoke();
            }
        });
        let strangers = json!({ "access_token": token.unwrap() });
        keeper.clear_calls();
        let answer = update(&keeper, &strangers);
        assert_eq!(keeper.calls(FIRST), ["profile", "profile"], "the held one is asked about first");
        if has_ended {
            assert_eq!((answer.status, &answer.json()["user_id"]), (200, &json!(STRANGER)));
            assert_eq!(keeper.read(FIRST).json()["access_token"], strangers["access_token"]);
        } else {
            refused(&answer, 422, "upstream_user_changed");
            assert_eq!(keeper.read(FIRST).json()["access_token"], own);
        }
    }
}

/// A token that was issued ten days ago and lives a year: it is not refused unasked; it is marked as what it is, and whoever wants a
/// token that trades does not get it.
#[test]
fn f25_a_token_that_outlives_the_day_is_marked_as_that() {
    let keeper = Keeper::new();
    let (now, mut token) = (keeper.now(), None);
    keeper.fake(FIRST, |fake| token = fake.extended(now));
    let brought = json!({ "access_token": token.clone().unwrap() });
    let path = |kind: &str| format!("/api/v1/tokens/{FIRST}?kind={kind}");
    refused(&keeper.send("GET", &path("extended")), 503, "token_unavailable");
    keeper.clear_calls();
    let answer = update(&keeper, &brought);
    assert_eq!((answer.status, keeper.calls(FIRST)), (200, vec!["profile".to_owned()]), "Upstox is asked");
    assert!(answer.json()["extended_until"].is_string(), "{answer:?}");
    let told = keeper.status(FIRST);
    assert_eq!(
        (&told["has_token"], &told["extended_until"]),
        (&json!(false), &json!("2027-05-21T10:00:00.000Z"))
    );
    let trading = keeper.read(FIRST).json()["access_token"].clone();
    assert!(trading.is_string() && trading != brought["access_token"]);
    for (kind, expected) in [("extended", &brought["access_token"]), ("trading", &trading)] {
        let answer = keeper.send("GET", &path(kind));
        assert_eq!((answer.status, &answer.json()["access_token"]), (200, expected), "{kind}");
    }
    assert_eq!(
        keeper.send("GET", "/accounts/agnidata001/token?kind=extended").json()["access_token"],
        brought["access_token"]
    );
    refused(&keeper.send("GET", &path("any")), 422, "validation_error");
    // A renewal leaves it there; one that Upstox refuses is not taken.
    assert_eq!(keeper.order(FIRST).status, 200);
    assert_eq!(keeper.send("GET", &path("extended")).json()["access_token"], brought["access_token"]);
    keeper.fail_at(FIRST, "/profile", super::Fault::Status(401, r#"{"status":"error","errors":[{}]}"#), 1);
    refused(&update(&keeper, &brought), 422, "upstream_token_refused");
}

/// A code brings two tokens: the one of the day, and one that lives a year and reads.
#[test]
fn f25_a_code_brings_the_extended_token_too() {
    let keeper = Keeper::new();
    let app = r#"{"agnidata001":{"client_id":"c1","client_secret":"s1","redirect_uri":"https://me/cb"}}"#;
    keeper.world.deploy(&[("UPSTOX_APPS", app)]);
    let exchange =
        || Request::new("POST", "/accounts/agnidata001/token/exchange").json(&json!({ "code": "c" }));
    let answer = keeper.at_once(1, exchange).remove(0);
    assert_eq!(answer.status, 200, "{answer:?}");
    let kind = |kind: &str| {
        let answer = keeper.send("GET", &format!("/accounts/agnidata001/token?kind={kind}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let (trading, extended) = (kind("trading"), kind("extended"));
    assert_ne!(trading["access_token"], extended["access_token"]);
    assert_eq!(answer.json()["extended_until"], extended["expires_at"]);
    assert!(extended["expires_at"].as_str() > Some("2027"), "{extended}");
    assert!(trading["expires_at"].as_str() < Some("2026-12"), "{trading}");
}
