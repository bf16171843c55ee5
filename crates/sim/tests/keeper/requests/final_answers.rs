//! Refusals that are final: passed on as they are, and not tried again by anything but an order.

use super::{BATCH, CRM, FACTURIFY, FIRST, Fault, Keeper, MINUTELY, SECOND, members, refused};
use crate::account::secs;
use base::call::Answer;
use serde_json::json;

/// Facturify's own way to refuse.
const REFUSED: &str = r#"{"code":33,"message":"no","errors":[]}"#;
const TOKEN: &str = "/api/v1/facturify/auth/token";

/// Whatever comes by itself for some hours, and callers who keep asking.
fn hours(keeper: &Keeper, account: &str, code: &str) {
    for n in 0..6 {
        keeper.pass(secs(if n < 3 { 60 } else { 3600 }));
        keeper.world.cron(MINUTELY).unwrap();
        keeper.pass(secs(2));
        assert_eq!(refused(&keeper.read(account), 502, code), None);
    }
}

#[test]
fn facturify_refuses_the_key_and_secret() {
    for (its, code) in [(401, "upstream_credentials_refused"), (422, "upstream_input_refused")] {
        let keeper = Keeper::new();
        let is = if its == 422 { 422 } else { 401 };
        keeper.down(FACTURIFY, Fault::Status(its, REFUSED));
        let first = keeper.send("GET", TOKEN);
        assert_eq!(refused(&first, is, code), None);
        let challenge = (is == 401).then_some(r#"Bearer realm="sallyport""#);
        assert_eq!(first.header("www-authenticate"), challenge);
        for _ in 0..5 {
            refused(&keeper.send("GET", TOKEN), is, code);
        }
        hours(&keeper, FACTURIFY, code);
        refused(&keeper.send("GET", TOKEN), is, code);
        assert_eq!(keeper.count(FACTURIFY), 1);
        let told = keeper.send("GET", &format!("{TOKEN}/status")).json();
        let said = json!({ "has_token": false, "status": "needs_attention", "next_renewal_at": null });
        assert_eq!(members(&told, &["has_token", "status", "next_renewal_at"]), said);
        let error = members(&told["last_error"], &["code", "status", "failures"]);
        assert_eq!(error, json!({ "code": code, "status": its, "failures": 1 }));
        // An order is a change: somebody wants it tried.
        refused(&keeper.send("POST", TOKEN), is, code);
        refused(&keeper.send("POST", &format!("{TOKEN}/refresh")), is, code);
        assert_eq!(keeper.count(FACTURIFY), 3);
        keeper.heal();
        refused(&keeper.send("GET", TOKEN), is, code);
        assert_eq!(keeper.send("POST", TOKEN).status, 200);
        assert_eq!(keeper.send("GET", TOKEN).status, 200);
        let told = keeper.send("GET", &format!("{TOKEN}/status")).json();
        assert_eq!(
            members(&told, &["status", "last_error"]),
            json!({ "status": "valid", "last_error": null })
        );
    }
}

#[test]
fn a_refused_refresh_is_not_final_as_the_credentials_are_asked_about_next() {
    let keeper = Keeper::new();
    keeper.send("GET", TOKEN);
    keeper.fail_at(FACTURIFY, "/token/refresh", Fault::Status(401, "{}"), 1);
    while keeper.count(FACTURIFY) < 2 {
        keeper.pass(secs(1));
    }
    keeper.pass(secs(1));
    assert_eq!(keeper.send("GET", TOKEN).status, 200);
    keeper.pass(secs(30));
    let told = keeper.send("GET", &format!("{TOKEN}/status")).json();
    let said = json!({ "status": "valid", "expires_in": 43_200, "last_error": null });
    assert_eq!(members(&told, &["status", "expires_in", "last_error"]), said);
}

#[test]
fn a_good_token_is_served_although_its_renewal_was_refused_for_good() {
    let keeper = Keeper::new();
    let token = keeper.send("GET", TOKEN).json()["token"].clone();
    keeper.down(FACTURIFY, Fault::Status(422, REFUSED));
    keeper.pass(secs(10));
    assert_eq!(keeper.send("GET", TOKEN).json()["token"], token);
    let told = members(&keeper.status(FACTURIFY), &["has_token", "status"]);
    assert_eq!(told, json!({ "has_token": true, "status": "needs_attention" }));
    keeper.pass(secs(240));
    refused(&keeper.send("GET", TOKEN), 422, "upstream_input_refused");
    assert_eq!(keeper.count(FACTURIFY), 2);
}

#[test]
fn what_oauth_2_0_calls_final_is() {
    for (body, is, code) in [
        (r#"{"error":"invalid_client"}"#, 401, "upstream_credentials_refused"),
        (r#"{"error":"unauthorized_client"}"#, 400, "upstream_credentials_refused"),
        (r#"{"error":"invalid_grant"}"#, 400, "upstream_grant_refused"),
        (r#"{"error":"invalid_scope"}"#, 400, "upstream_input_refused"),
    ] {
        let keeper = Keeper::new();
        keeper.down(CRM, Fault::Status(is, body));
        refused(&keeper.read(CRM), 502, code);
        hours(&keeper, CRM, code);
        assert_eq!(keeper.count(CRM), 1, "{body}");
        assert_eq!(keeper.status(CRM)["status"], "needs_attention");
        // The other account carries on.
        assert_eq!(keeper.read(BATCH).status, 200);
        keeper.heal();
        assert_eq!(keeper.order(CRM).status, 200);
    }
}

#[test]
fn an_error_that_oauth_2_0_does_not_know_is_not_final() {
    let keeper = Keeper::new();
    keeper.fail(CRM, Fault::Status(400, r#"{"error":"temporarily_unavailable"}"#), 1);
    refused(&keeper.read(CRM), 502, "upstream_unintelligible");
    let told = keeper.status(CRM);
    assert_eq!((&told["status"], &told["last_error"]["failures"]), (&json!("missing"), &json!(1)));
    keeper.pass(secs(3));
    assert_eq!(keeper.read(CRM).status, 200);
}

#[test]
fn the_token_service_refuses_one_account() {
    let keeper = Keeper::new();
    keeper.down(FIRST, Fault::Status(401, r#"{"success":false}"#));
    refused(&keeper.read(FIRST), 502, "upstream_credentials_refused");
    hours(&keeper, FIRST, "upstream_credentials_refused");
    assert_eq!(keeper.count(FIRST), 1);
    assert_eq!(keeper.send("GET", "/token/status").json()["status"], "needs_attention");
    assert_eq!(keeper.read(SECOND).status, 200);
    keeper.heal();
    // A token that somebody brings mends it.
    let mut access = String::new();
    keeper.fake(FIRST, |fake| access = brought(fake));
    let request = || sim::Request::new("POST", "/token/update").json(&json!({ "access_token": access }));
    assert_eq!(keeper.at_once(1, request).remove(0).status, 200);
    let told = keeper.send("GET", "/token/status").json();
    assert_eq!(members(&told, &["status", "last_error"]), json!({ "status": "valid", "last_error": null }));
}

/// A new token that an upstream has given to somebody else.
fn brought(fake: &mut dyn sim::fakes::accounts::Fake) -> String {
    let call = |leaf: &str| base::call::Call {
        method: "GET",
        url: format!("https://service/accounts/agnidata001/{leaf}"),
        headers: Vec::new(),
        body: None,
        binding: None,
        timeout: secs(1),
    };
    let now = base::clock::Timestamp::parse_rfc3339("2026-06-02T06:00:00Z").unwrap();
    fake.serve(&call("refresh"), now);
    let (status, body) = fake.serve(&call("token"), now);
    assert!(matches!(sim::net::text(status, &body), Answer::Response { status: 200, .. }));
    serde_json::from_str::<serde_json::Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned()
}
