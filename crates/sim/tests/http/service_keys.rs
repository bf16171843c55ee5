//! Service keys as admins make and revoke them, and as nobody gets past with one where a user is wanted.

use super::support::{Answer, Server};
use base::clock::Timestamp;
use base::ids::ServiceKeyId;
use base::rpc::Class;
use directory::index::{AddKey, AddKeyReply, RevokeKey};
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/admin/service-keys";
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const MILLI: Duration = Duration::from_millis(1);

/// A key as it is shown once.
struct Key {
    id: String,
    secret: String,
    json: Value,
}

impl Server {
    fn create_key(&self, body: &Value) -> Answer {
        self.post(KEYS).token(&self.fresh_admin()).json(body).send()
    }

    /// A new key; it has all scopes unless some are named.
    fn key(&self, more: &Value) -> Key {
        let scopes = ["tokens:read", "tokens:write", "portal", "introspect"];
        let all = json!({ "name": "a service", "scopes": scopes });
        let made = self.create_key(&super::support::tokens::merged(all, more));
        assert_eq!(made.status, 201, "{}", made.text);
        let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
        Key { id: text("id"), secret: text("key"), json: made.json.clone() }
    }

    fn keys(&self) -> Vec<Value> {
        let answer = self.get(KEYS).token(&self.fresh_admin()).send();
        answer.json["service_keys"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone()
    }

    fn listed(&self, id: &str) -> Option<Value> {
        self.keys().into_iter().find(|key| key["id"] == id)
    }

    fn revoke(&self, id: &str) -> Answer {
        self.request("DELETE", &format!("{KEYS}/{id}")).token(&self.fresh_admin()).send()
    }

    /// An admin route with a key in place of a user's token: 403 if it is good, else 401.
    fn knock(&self, key: &str) -> Answer {
        self.get("/admin/users").token(key).send()
    }

    #[track_caller]
    fn is_good(&self, key: &str) {
        self.knock(key).refused(403, "forbidden");
    }

    #[track_caller]
    fn is_bad(&self, key: &str) {
        self.knock(key).refused(401, "token_invalid");
    }
}

/// The last character of a key's secret changed to another that is as well-formed.
fn other_secret(key: &str) -> String {
    let last = if key.ends_with('A') { "E" } else { "A" };
    format!("{}{last}", &key[..key.len() - 1])
}

/// A moment, as answers write it.
fn written(at: Timestamp) -> Value {
    json!(at.rfc3339())
}

#[test]
fn a_key_is_shown_when_it_is_made_and_never_again() {
    let server = Server::new();
    let made = server.key(&json!({ "name": "nightly job", "scopes": ["portal", "tokens:read", "portal"] }));
    let (mut shown, now) = (made.json.clone(), written(server.world.now()));
    assert!(made.id.len() == 12 && made.id.bytes().all(|b| b.is_ascii_hexdigit()), "{}", made.id);
    let secret = made.secret.strip_prefix(&format!("sp_{}_", made.id)).unwrap();
    assert_eq!(secret.len(), 43);
    shown.as_object_mut().unwrap().remove("key");
    let scopes = json!(["tokens:read", "portal"]);
    let expected = json!({
        "id": made.id, "name": "nightly job", "scopes": scopes, "created_at": now, "expires_at": null,
    });
    assert_eq!(shown, expected);
    let more =
        json!({ "status": "active", "revoked_at": null, "last4": &secret[39..], "last_used_at": null });
    assert_eq!(server.listed(&made.id), Some(super::support::tokens::merged(expected, &more)));
    let text = server.get(KEYS).token(&server.fresh_admin()).send().text;
    assert!(!text.contains("hash") && !text.contains("sp_") && !text.contains(secret), "{text}");
    // D06: the directory keeps no key.
    let rows = server.world.sql(Class::Directory, "directory", "SELECT * FROM service_keys");
    let rows = serde_json::to_string(&rows).unwrap();
    assert!(rows.contains(&made.id) && !rows.contains(secret), "{rows}");
}

#[test]
fn the_fields_of_a_key_that_cannot_be_are_named() {
    let server = Server::new();
    let days = |days: Value| json!({ "name": "a", "scopes": ["portal"], "expires_in_days": days });
    let named = |name: Value| json!({ "name": name, "scopes": ["portal"] });
    let scoped = |scopes: Value| json!({ "name": "a", "scopes": scopes });
    let rows: [(Value, &[&str]); 16] = [
        (json!({}), &["name", "scopes"]),
        (named(json!("")), &["name"]),
        (named(json!("x".repeat(65))), &["name"]),
        (named(json!("x".repeat(5000))), &["name"]),
        (named(json!("a\nb")), &["name"]),
        (named(json!("  ")), &["name"]),
        (named(json!(1)), &["name"]),
        (scoped(json!([])), &["scopes"]),
        (scoped(json!(["portal", "admin"])), &["scopes"]),
        (scoped(json!(["portal introspect"])), &["scopes"]),
        (scoped(json!("portal")), &["scopes"]),
        (scoped(json!([1])), &["scopes"]),
        (days(json!(0)), &["expires_in_days"]),
        (days(json!(3651)), &["expires_in_days"]),
        (days(json!(0.5)), &["expires_in_days"]),
        (days(json!("7")), &["expires_in_days"]),
    ];
    for (body, fields) in rows {
        assert_eq!(server.create_key(&body).wrong_fields(), fields, "{body}");
    }
    assert_eq!(server.keys(), Vec::<Value>::new());
}

/// I04
#[test]
fn a_name_comes_back_as_it_was_given() {
    let server = Server::new();
    let names =
        ["x".repeat(64), "é".repeat(64), "'; DROP TABLE service_keys; --".to_owned(), "\"\\".to_owned()];
    for name in names.into_iter().chain(["key:a".to_owned(), "🔑".to_owned()]) {
        let key = server.key(&json!({ "name": name }));
        assert_eq!(server.listed(&key.id).unwrap()["name"], json!(name));
    }
}

#[test]
fn several_keys_of_one_name_are_good_at_once_and_one_is_revoked_without_the_other() {
    let server = Server::new();
    let [one, other] = [(); 2].map(|()| server.key(&json!({ "name": "twice" })));
    server.is_good(&one.secret);
    server.is_good(&other.secret);
    assert_eq!(server.revoke(&one.id).status, 204);
    server.is_bad(&one.secret);
    server.is_good(&other.secret);
}

#[test]
fn revoking_is_for_ever_may_be_done_twice_and_knows_its_keys() {
    let server = Server::new();
    let key = server.key(&json!({}));
    let now = server.world.now();
    assert_eq!(server.revoke(&key.id).status, 204);
    server.world.advance(SECOND);
    assert_eq!(server.revoke(&key.id).status, 204);
    let listed = server.listed(&key.id).unwrap();
    assert_eq!((&listed["status"], &listed["revoked_at"]), (&json!("revoked"), &written(now)));
    server.is_bad(&key.secret);
    let letters = key.id.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A");
    for unknown in ["000000000000", &letters, "x", "%00", "*", "a:b"] {
        server.revoke(unknown).refused(404, "service_key_not_found");
    }
}

/// D04
#[test]
fn a_key_expires_at_once_at_its_time_also_where_it_is_known() {
    let server = Server::new();
    let made_at = server.world.now();
    let key = server.key(&json!({ "expires_in_days": 1 }));
    assert_eq!(key.json["expires_at"], written(made_at.plus(DAY)));
    server.world.advance(DAY - SECOND * 5);
    server.is_good(&key.secret);
    server.world.at(made_at.plus(DAY - MILLI));
    server.is_good(&key.secret);
    server.world.at(made_at.plus(DAY));
    server.is_bad(&key.secret);
    assert_eq!(server.listed(&key.id).unwrap()["status"], "expired");
}

/// D04
#[test]
fn a_key_that_was_revoked_elsewhere_is_let_in_for_less_than_ten_seconds_more() {
    let server = Server::new();
    let key = server.key(&json!({}));
    server.is_good(&key.secret);
    let looked_up_at = server.world.now();
    // The directory itself is asked, as another instance of the Worker would: this one does not hear of it.
    let revoked = server
        .world
        .send(&directory::directory_address(), &RevokeKey(ServiceKeyId::issued(key.id.clone())))
        .unwrap();
    assert_eq!(revoked.keys.len(), 1);
    server.world.at(looked_up_at.plus(SECOND * 10 - MILLI));
    server.is_good(&key.secret);
    server.world.at(looked_up_at.plus(SECOND * 10));
    server.is_bad(&key.secret);
}

#[test]
fn revoked_and_expired_keys_are_listed_for_thirty_days_and_the_oldest_is_first() {
    let server = Server::new();
    let made_at = server.world.now();
    let expiring = server.key(&json!({ "expires_in_days": 1 }));
    server.world.at(made_at.plus(SECOND));
    let revoked = server.key(&json!({ "expires_in_days": 3650 }));
    server.world.at(made_at.plus(SECOND * 2));
    let kept = server.key(&json!({}));
    let revoked_at = server.world.now();
    assert_eq!(server.revoke(&revoked.id).status, 204);
    let there = |at: Timestamp| {
        server.world.at(at);
        let ids: Vec<_> = server.keys().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect();
        ids
    };
    let [expiring, revoked, kept] = [&expiring, &revoked, &kept].map(|key| key.id.clone());
    let (e, r, k) = (&expiring, &revoked, &kept);
    assert_eq!(there(revoked_at.plus(DAY * 30)), [e.clone(), r.clone(), k.clone()]);
    assert_eq!(there(revoked_at.plus(DAY * 30 + MILLI)), [e.clone(), k.clone()]);
    assert_eq!(there(made_at.plus(DAY * 31)), [e.clone(), k.clone()]);
    assert_eq!(there(made_at.plus(DAY * 31 + MILLI)), std::slice::from_ref(k));
}

/// D01
#[test]
fn a_good_key_where_a_user_is_wanted_is_403_by_any_header_and_anything_else_stays_401() {
    let server = Server::with(&[("DEBUG_ROUTES", "on"), ("ENVIRONMENT", "development")]);
    let key = server.key(&json!({})).secret;
    let bad = other_secret(&key);
    let (_, tokens) = server.someone();
    for (method, path) in [
        ("GET", "/admin/users"),
        ("GET", KEYS),
        ("POST", KEYS),
        ("POST", "/admin/users"),
        ("POST", "/admin/sessions/cleanup"),
        ("GET", "/debug/session-info"),
    ] {
        let call = || server.request(method, path);
        for good in [call().token(&key), call().header("x-api-key", &key), call().header("apikey", &key)] {
            let answer = good.send();
            answer.refused(403, "forbidden");
            let challenge = r#"Bearer realm="sallyport", error="insufficient_scope""#;
            assert_eq!(answer.header("www-authenticate"), Some(challenge));
        }
        call().token(&bad).send().refused(401, "token_invalid");
        call().header("apikey", &bad).send().refused(401, "not_authenticated");
    }
    server.get(KEYS).token(&tokens.access).send().refused(403, "forbidden");
    // A key beside a user's token changes nothing for the user.
    let both = server.get("/auth/sessions").token(&tokens.access).header("x-api-key", &key).send();
    assert_eq!(both.status, 200);
    // The fast path knows no service keys.
    for path in ["/auth/profile", "/api/v1/protected"] {
        server.get(path).token(&key).send().refused(401, "token_invalid");
    }
    assert_eq!(server.get("/auth/verify").token(&key).send().status, 401);
    // D05: a key in the query is not looked at.
    for name in ["key", "api_key", "apikey", "x-api-key", "access_token"] {
        let answer = server.get(&format!("/admin/users?{name}={key}")).send();
        answer.refused(401, "not_authenticated");
    }
}

/// D01
#[test]
fn what_is_no_key_of_ours_is_401() {
    let server = Server::new();
    let key = server.key(&json!({})).secret;
    let (head, secret) = (&key[..16], &key[16..]);
    let other = server.key(&json!({})).secret;
    let texts = [
        "x".to_owned(),
        "sp_".to_owned(),
        "sp__".to_owned(),
        key[..key.len() - 1].to_owned(),
        format!("{key}A"),
        format!("{key}="),
        key.to_uppercase(),
        key.replace("sp_", "SP_"),
        key.replace("sp_", ""),
        secret.to_owned(),
        format!("sp_{secret}"),
        format!("sp_../../x_{secret}"),
        format!("sp_*_{secret}"),
        format!("sp_{}_{secret}", "0".repeat(513)),
        format!("{head}{}", "A".repeat(4000)),
        format!("{head}{}", "+".repeat(43)),
        format!("sp_0123456789ab_{secret}"),
        format!("{head}{}", &other[16..]),
    ];
    for text in texts {
        let answer = server.knock(&text);
        assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{text}");
    }
    server.is_good(&key);
}

#[test]
fn at_most_a_thousand_keys_are_good_at_once_and_revoking_one_makes_room() {
    let server = Server::new();
    let id = |n: u32| format!("e{n:011x}");
    let add = |n: u32| {
        let text = json!({
            "id": id(n), "name": format!("n{n}"), "hash": "x", "last4": "xxxx", "scopes": "portal",
            "created_at": 1, "expires_at": null, "revoked_at": null,
        });
        let key = AddKey(serde_json::from_value(text).unwrap());
        server.world.send(&directory::directory_address(), &key).unwrap()
    };
    for n in 0..1000 {
        assert_eq!(add(n), AddKeyReply::Done);
    }
    let one_more = json!({ "name": "one too many", "scopes": ["portal"] });
    server.create_key(&one_more).refused(409, "too_many_service_keys");
    assert_eq!(server.keys().len(), 1000);
    assert_eq!(add(999), AddKeyReply::Done, "the same again is no new one");
    assert_eq!(server.revoke(&id(999)).status, 204);
    server.key(&json!({}));
}

#[test]
fn a_rotated_key_stays_good_for_a_while_beside_the_new_one() {
    let server = Server::new();
    let rotate = |id: &str, body: &Value| {
        server.post(&format!("{KEYS}/{id}/rotate")).token(&server.fresh_admin()).json(body).send()
    };
    let old = server.key(&json!({ "scopes": ["portal", "tokens:read"], "expires_in_days": 10 }));
    server.world.advance(DAY);
    let made = rotate(&old.id, &json!({ "overlap_hours": 2 }));
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    let (id, new) = (text("id"), text("key"));
    assert_eq!((&made.json["name"], &made.json["scopes"]), (&old.json["name"], &old.json["scopes"]));
    // As long a life as the old one had, from now.
    let life = |key: &Value| at(&key["expires_at"]).since(at(&key["created_at"]));
    assert_eq!(life(&made.json), 10 * DAY);
    let ends = at(&made.json["replaces"]["expires_at"]);
    assert_eq!(
        (&made.json["replaces"]["id"], ends.since(at(&made.json["created_at"]))),
        (&json!(old.id), 7200 * SECOND)
    );

    for key in [&old.secret, &new] {
        server.is_good(key);
    }
    server.world.advance(ends.since(server.world.now()));
    server.knock(&old.secret).refused(401, "token_invalid");
    server.is_good(&new);
    let listed = server.listed(&old.id).unwrap();
    assert_eq!(
        (&listed["status"], &listed["expires_at"]),
        (&json!("expired"), &made.json["replaces"]["expires_at"])
    );

    // One that has ended cannot be rotated, nor one that is not there; the new one can, with a day if nothing is said, and at once.
    for id in [&old.id, "000000000000", "x"] {
        rotate(id, &json!({})).refused(404, "service_key_not_found");
    }
    let day = rotate(&id, &json!({})).json;
    assert_eq!(at(&day["replaces"]["expires_at"]).since(at(&day["created_at"])), DAY);
    let at_once = rotate(day["id"].as_str().unwrap(), &json!({ "overlap_hours": 0 }));
    assert_eq!(at_once.status, 201);
    server.knock(day["key"].as_str().unwrap()).refused(401, "token_invalid");
    assert_eq!(rotate(&id, &json!({ "overlap_hours": 721 })).wrong_fields(), ["overlap_hours"]);
    // It never lives longer for being rotated.
    let short = server.key(&json!({ "expires_in_days": 1 }));
    let made = rotate(&short.id, &json!({ "overlap_hours": 48 })).json;
    assert_eq!(made["replaces"]["expires_at"], short.json["expires_at"]);
    // One without an end has a successor without one.
    let endless = server.key(&json!({}));
    assert_eq!(rotate(&endless.id, &json!({})).json["expires_at"], Value::Null);
}

fn at(time: &Value) -> Timestamp {
    Timestamp::parse_rfc3339(time.as_str().unwrap()).unwrap()
}
