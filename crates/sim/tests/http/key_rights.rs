//! What a service key is restricted to, and when it was last used.

use super::support::{Answer, Server};
use base::clock::Timestamp;
use base::ids::ServiceKeyId;
use base::rpc::Class;
use directory::directory_address;
use directory::index::KeyUsed;
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/admin/service-keys";
const SETTINGS: &[(&str, &str)] = &[
    ("SERVICE_AUTH", "on"),
    ("UPSTOX_ACCOUNT_IDS", "agnidata001,agnidata002,other"),
    ("INTERNAL_API_ACCOUNT_ID", "other"),
    ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
    ("FACTURIFY_API_KEY", "fy-key"),
    ("FACTURIFY_API_SECRET", "fy-secret"),
];
const MINUTE: Duration = Duration::from_mins(1);

fn make(server: &Server, body: &Value) -> Answer {
    server.post(KEYS).token(&server.fresh_admin()).json(body).send()
}

fn key(server: &Server, accounts: &[&str]) -> (String, String) {
    let scopes = ["tokens:read", "tokens:write", "portal"];
    let made = make(server, &json!({ "name": "a", "scopes": scopes, "accounts": accounts }));
    assert_eq!((made.status, &made.json["accounts"]), (201, &json!(accounts)), "{}", made.text);
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn listed(server: &Server, id: &str) -> Value {
    let answer = server.get(KEYS).token(&server.fresh_admin()).send();
    let keys = answer.json["service_keys"].as_array().unwrap().clone();
    keys.into_iter().find(|key| key["id"] == id).unwrap()
}

/// The statuses of the accounts, by the general routes and those of each provider.
fn statuses(server: &Server, key: &str) -> Vec<u16> {
    let paths = [
        "/accounts/agnidata001/token/status",
        "/api/v1/tokens/upstox/agnidata002/status",
        "/accounts/other/token/status",
        "/token/status",
        "/api/v1/tokens/facturify/default/status",
        "/api/v1/facturify/auth/token/status",
    ];
    paths.iter().map(|path| server.get(path).token(key).send().status).collect()
}

fn accounts(server: &Server, key: &str, query: &str) -> Value {
    let answer = server.get(&format!("/accounts{query}")).token(key).send();
    let ids: Vec<_> =
        answer.json["accounts"].as_array().unwrap().iter().map(|one| one["account_id"].clone()).collect();
    json!([ids, answer.json["total"], answer.json["next_cursor"]])
}

#[test]
fn a_key_for_some_accounts_is_let_in_to_these_alone() {
    let server = Server::with(SETTINGS);
    let (id, some) = key(&server, &["upstox/agnidata*"]);
    assert_eq!(statuses(&server, &some), [200, 200, 403, 403, 403, 403]);
    assert_eq!(accounts(&server, &some, ""), json!([["agnidata001", "agnidata002"], 2, null]));
    assert_eq!(accounts(&server, &some, "?limit=1"), json!([["agnidata001"], 2, "agnidata001"]));
    // One of the others is no place in its list.
    let beyond = server.get("/accounts?cursor=other").token(&some).send();
    assert_eq!(beyond.wrong_fields(), ["cursor"]);
    let listed = listed(&server, &id);
    assert_eq!(listed["scopes"], json!(["tokens:read", "tokens:write", "portal"]));
    assert_eq!(listed["accounts"], json!(["upstox/agnidata*"]));
    // What it is not for, it does not learn whether there is.
    for (method, path) in [
        ("GET", "/accounts/other/token"),
        ("GET", "/accounts/nobody/token"),
        ("GET", "/accounts/nobody/history"),
        ("POST", "/accounts/other/refresh"),
        ("POST", "/accounts/nobody/refresh"),
        ("GET", "/token/validate"),
        ("POST", "/api/v1/tokens/facturify/default/refresh"),
        ("GET", "/api/v1/tokens/nobody/x/history"),
        ("POST", "/api/v1/facturify/auth/token"),
    ] {
        server.request(method, path).token(&some).send().refused(403, "forbidden");
    }
    let update = json!({ "access_token": "t" });
    for path in ["/token/update", "/accounts/other/token/update"] {
        server.post(path).token(&some).json(&update).send().refused(403, "forbidden");
    }
    // What is among its own and not there, it does.
    server.get("/accounts/agnidata009/token/status").token(&some).send().refused(404, "account_not_found");
    // Its other scopes are as wide as ever.
    assert_eq!(server.get("/sessions").token(&some).send().status, 200);

    let (_, facturify) = key(&server, &["facturify/default", "upstox/other"]);
    assert_eq!(statuses(&server, &facturify), [403, 403, 200, 200, 200, 200]);
    let (_, all) = key(&server, &["upstox/*", "facturify/*"]);
    assert_eq!(statuses(&server, &all), [200; 6]);
}

#[test]
fn a_rotated_key_is_for_the_same_accounts() {
    let server = Server::with(SETTINGS);
    let (id, _) = key(&server, &["upstox/other"]);
    let made =
        server.post(&format!("{KEYS}/{id}/rotate")).token(&server.fresh_admin()).json(&json!({})).send();
    assert_eq!((made.status, &made.json["accounts"]), (201, &json!(["upstox/other"])));
    assert_eq!(statuses(&server, made.json["key"].as_str().unwrap()), [403, 403, 200, 200, 403, 403]);
}

#[test]
fn accounts_that_cannot_be_are_named() {
    let server = Server::with(SETTINGS);
    let named = |accounts: Value| json!({ "name": "a", "scopes": ["tokens:read"], "accounts": accounts });
    for wrong in [
        json!([]),
        json!("upstox/a"),
        json!([1]),
        json!(["upstox"]),
        json!(["*"]),
        json!(["nobody/a"]),
        json!(["upstox/a*b"]),
        json!(["upstox/a b"]),
        json!(["upstox/a,b"]),
        json!(["upstox/a", ""]),
        json!(vec!["upstox/a"; 51]),
    ] {
        assert_eq!(make(&server, &named(wrong.clone())).wrong_fields(), ["accounts"], "{wrong}");
    }
    // A key that is for no tokens is not less for being restricted to some.
    let portal = json!({ "name": "a", "scopes": ["portal"], "accounts": ["upstox/a"] });
    assert_eq!(make(&server, &portal).wrong_fields(), ["accounts"]);
    // An account may come later.
    assert_eq!(make(&server, &named(json!(["oauth2/to-come"]))).status, 201);
}

#[test]
fn the_last_use_of_a_key_is_known_within_ten_minutes() {
    let server = Server::with(SETTINGS);
    let (id, text) = key(&server, &["upstox/*"]);
    let used = || listed(&server, &id)["last_used_at"].clone();
    let at = |time: Timestamp| json!(time.rfc3339());
    assert_eq!(used(), Value::Null);
    // Somebody who knows its id has not used it, nor has one who may not.
    let wrong = format!("{}{}", &text[..text.len() - 1], if text.ends_with('A') { "E" } else { "A" });
    server.get("/accounts").token(&wrong).send().refused(401, "service_key_invalid");
    assert_eq!(used(), Value::Null);

    let first = server.world.now();
    assert_eq!(server.get("/accounts").token(&text).send().status, 200);
    server.world.advance(Duration::from_secs(1));
    assert_eq!(used(), at(first));
    for minutes in [1, 8] {
        server.world.advance(MINUTE * minutes);
        assert_eq!(server.get("/accounts").token(&text).send().status, 200);
        assert_eq!(used(), at(first), "each note is a row written");
    }
    server.world.at(first.plus(MINUTE * 10));
    // To be refused for want of a scope is a use, too.
    server.post("/oauth/introspect").token(&text).send();
    server.world.advance(Duration::from_secs(1));
    assert_eq!(used(), at(first.plus(MINUTE * 10)));
    // What was told earlier and comes late changes nothing, nor does what is told of nobody.
    for (id, at) in [(id.as_str(), first), ("000000000000", server.world.now())] {
        let late = KeyUsed { id: ServiceKeyId::issued(id.to_owned()), at };
        server.world.send(&directory_address(), &late).unwrap();
    }
    assert_eq!(used(), at(first.plus(MINUTE * 10)));
    let rows = server.world.sql(Class::Directory, "directory", "SELECT id FROM service_key_uses");
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_use_that_cannot_be_noted_is_let_in_and_noted_later() {
    let server = Server::with(SETTINGS);
    let (id, text) = key(&server, &["upstox/*"]);
    let broken = "ALTER TABLE service_key_uses RENAME TO kept; CREATE VIEW service_key_uses AS SELECT '' AS id, 0 AS at";
    server.world.sql(Class::Directory, "directory", broken);
    assert_eq!(server.get("/accounts").token(&text).send().status, 200);
    server.world.advance(Duration::from_secs(11));
    let mended = "DROP VIEW service_key_uses; ALTER TABLE kept RENAME TO service_key_uses";
    server.world.sql(Class::Directory, "directory", mended);
    assert_eq!(listed(&server, &id)["last_used_at"], Value::Null);
    let second = server.world.now();
    assert_eq!(server.get("/accounts").token(&text).send().status, 200);
    server.world.advance(Duration::from_secs(1));
    assert_eq!(listed(&server, &id)["last_used_at"], json!(second.rfc3339()));
}
