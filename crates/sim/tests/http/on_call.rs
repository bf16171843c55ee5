//! What whoever is on call sees and does: one's own session, any session by its id, and upstream accounts, as an admin.

use super::support::browser::{Browser, OWN_PAGE};
use super::support::tokens::session_of;
use super::support::{Answer, PASSWORD, Server};
use base::clock::Timestamp;
use base::rpc::Class;
use serde_json::{Value, json};
use sim::fakes::accounts::{Fake as _, FakeFacturify};
use std::cell::RefCell;
use std::time::Duration;

const SETTINGS: &[(&str, &str)] = &[
    ("UPSTOX_ACCOUNT_IDS", "agnidata001,agnidata002"),
    ("INTERNAL_API_ACCOUNT_ID", "agnidata001"),
    ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
    ("FACTURIFY_BASE_URL", "https://facturify.test"),
    ("FACTURIFY_API_KEY", "fy-key"),
    ("FACTURIFY_API_SECRET", "fy-secret"),
];
const MINUTE: Duration = Duration::from_mins(1);

/// A deployment with accounts, and a Facturify that gives tokens.
fn with_accounts() -> Server {
    let server = Server::with(SETTINGS);
    let (fake, began) = (RefCell::new(FakeFacturify::default()), server.world.now());
    let answer = move |call: &base::call::Call| {
        let (status, body) = fake.borrow_mut().serve(call, began);
        sim::net::text(status, &body)
    };
    server.world.upstream("facturify.test", sim::net::Answers(answer));
    server
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse_rfc3339(value.as_str().unwrap()).unwrap()
}

#[test]
fn a_user_sees_the_own_session_and_may_do_so_without_using_it() {
    let server = Server::new();
    let user = server.make_user();
    let body = json!({ "username": user.username, "password": PASSWORD, "device_name": "Phone" });
    let login = server.post("/auth/login").header("user-agent", "curl/8").json(&body).send().tokens();
    let began = server.world.now();
    server.world.advance(10 * MINUTE);
    for path in ["/auth/session", "/api/v1/auth/session"] {
        let passive = server.get(path).token(&login.access).header("x-session-passive", "1").send();
        let seen = &passive.json;
        assert_eq!((passive.status, &seen["session_id"]), (200, &json!(session_of(&login.access))));
        assert_eq!((&seen["user_id"], &seen["username"]), (&json!(user.id), &json!(user.username)));
        assert_eq!((&seen["roles"], &seen["device_name"]), (&json!(["user"]), &json!("Phone")));
        assert_eq!((&seen["user_agent"], &seen["inactivity_timeout"]), (&json!("curl/8"), &json!(1800)));
        assert_eq!(time(&seen["last_activity"]), time(&seen["created_at"]), "{path}");
        assert_eq!(time(&seen["idle_expires_at"]).since(time(&seen["created_at"])), 30 * MINUTE);
        assert_eq!(time(&seen["expires_at"]), time(&seen["idle_expires_at"]));
        assert_eq!(time(&seen["auth_time"]), Timestamp::from_seconds(began.seconds()));
        assert_eq!(time(&seen["server_time"]), server.world.now());
    }
    let active = server.get("/auth/session").token(&login.access).send().json;
    assert_eq!(time(&active["last_activity"]), server.world.now());
    assert_eq!(time(&active["idle_expires_at"]), server.world.now().plus(30 * MINUTE));

    server.post("/auth/logout").token(&login.access).send();
    let ended = server.get("/auth/session").token(&login.access).send();
    assert_eq!((ended.status, ended.code()), (401, "access_token_blacklisted"));
    assert_eq!(ended.json["reason"], "logout");
    server.get("/auth/session").send().refused(401, "not_authenticated");
}

#[test]
fn an_admin_sees_how_any_session_is_or_why_it_ended() {
    let server = Server::new();
    let (user, tokens) = server.someone();
    let admin = server.admin();
    let path = format!("/admin/sessions/{}", session_of(&tokens.access));
    let live = server.get(&path).token(&admin).send().json;
    assert_eq!((&live["state"], &live["username"]), (&json!("live"), &json!(user.username)));
    assert_eq!((&live["id"], &live["user_id"]), (&json!(session_of(&tokens.access)), &json!(user.id)));
    server.world.advance(MINUTE);
    server.post("/auth/logout").token(&tokens.access).send();
    let at = server.world.now();
    let ended = server.get(&path).token(&admin).send().json;
    assert_eq!((&ended["state"], &ended["reason"]), (&json!("ended"), &json!("logout")));
    assert_eq!((time(&ended["ended_at"]), &ended["username"]), (at, &json!(user.username)));
    assert_eq!((&ended["user_id"], &ended["id"]), (&json!(user.id), &live["id"]));

    // What its object cannot say, nobody says.
    server.world.put_row(Class::Session, &session_of(&tokens.access), "session", "broken");
    assert_eq!(server.get(&path).token(&admin).unchecked().status, 503);
    for unknown in ["x".to_owned(), "0".repeat(64)] {
        let answer = server.get(&format!("/admin/sessions/{unknown}")).token(&admin).send();
        answer.refused(404, "session_not_found");
    }
    let other = server.someone().1;
    server.get(&path).token(&other.access).send().refused(403, "forbidden");
}

fn list(server: &Server, admin: &str, query: &str) -> Answer {
    server.get(&format!("/api/v1/tokens{query}")).token(admin).send()
}

fn names(answer: &Answer) -> Vec<String> {
    let accounts = answer.json["accounts"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    let name = |one: &Value| {
        format!("{}/{}", one["provider"].as_str().unwrap(), one["account_id"].as_str().unwrap())
    };
    accounts.iter().map(name).collect()
}

#[test]
fn an_admin_sees_every_account_and_is_given_no_token() {
    let server = with_accounts();
    let admin = server.admin();
    let all = list(&server, &admin, "");
    assert_eq!(names(&all), ["facturify/default", "upstox/agnidata001", "upstox/agnidata002"]);
    assert_eq!((&all.json["total"], &all.json["next_cursor"]), (&json!(3), &Value::Null));
    assert_eq!(all.json.get("unreachable"), None);
    let facturify = "/api/v1/tokens/facturify/default";
    let renewed = server.post(&format!("{facturify}/refresh")).token(&admin).send();
    assert_eq!((renewed.status, &renewed.json["has_token"]), (200, &json!(true)), "{}", renewed.text);
    assert_eq!(renewed.json.get("access_token"), None);
    let key = server.service_key("tokens:read");
    let token = server.get(facturify).token(&key).send().json["access_token"].as_str().unwrap().to_owned();
    for path in ["/api/v1/tokens", &format!("{facturify}/status"), &format!("{facturify}/history")] {
        for who in [&admin, &key] {
            let answer = server.get(path).token(who).send();
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert!(!answer.text.contains(&token), "{path}: {}", answer.text);
        }
    }
    let first = &list(&server, &admin, "?limit=1").json["accounts"][0];
    assert_eq!((&first["status"], &first["account_id"]), (&json!("valid"), &json!("default")));
    assert_eq!(time(&first["issued_at"]), server.world.now());
    // Who had it renewed is in its history.
    let history = server.get(&format!("{facturify}/history")).token(&admin).send().json;
    assert_eq!(history["operations"][0]["who"], format!("user:{}", root_of(&server, &admin)));
    // The tokens themselves are for services.
    for (method, path) in [
        ("GET", facturify),
        ("GET", "/accounts/agnidata001/token"),
        ("GET", "/api/v1/facturify/auth/token"),
        ("POST", "/api/v1/facturify/auth/token"),
        ("POST", "/api/v1/facturify/auth/token/refresh"),
        ("POST", "/accounts/agnidata001/refresh"),
        ("GET", "/metrics"),
    ] {
        server.request(method, path).token(&admin).send().refused(401, "service_key_invalid");
    }
}

fn root_of(server: &Server, access: &str) -> Value {
    server.get("/auth/session").token(access).send().json["user_id"].clone()
}

#[test]
fn the_list_of_accounts_has_pages_and_hides_none_behind_one_that_fails() {
    let server = with_accounts();
    let admin = server.admin();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&server, &admin, &format!("?limit=1{cursor}"));
        seen.extend(names(&page));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["facturify/default", "upstox/agnidata001", "upstox/agnidata002"]);
    for (query, field) in [("?limit=0", "limit"), ("?limit=46", "limit"), ("?cursor=upstox/x", "cursor")] {
        assert_eq!(list(&server, &admin, query).wrong_fields(), [field]);
    }
    server.world.put_row(Class::Upstream, "upstox/agnidata001", "account", "broken");
    let rest = list(&server, &admin, "");
    assert_eq!(names(&rest), ["facturify/default", "upstox/agnidata002"]);
    assert_eq!((&rest.json["unreachable"], &rest.json["total"]), (&json!(["upstox/agnidata001"]), &json!(3)));
    // A key sees what it is for.
    let made = server
        .post("/admin/service-keys")
        .token(&server.fresh_admin())
        .json(&json!({ "name": "a", "scopes": ["tokens:read"], "accounts": ["upstox/agnidata002"] }))
        .send();
    let some = list(&server, made.json["key"].as_str().unwrap(), "");
    assert_eq!((names(&some), &some.json["total"]), (vec!["upstox/agnidata002".to_owned()], &json!(1)));
}

/// Everybody else gets what they got before, and nothing is done for them.
#[test]
fn who_is_no_admin_or_not_any_more_does_nothing_with_accounts() {
    let server = with_accounts();
    let refresh = |token: &str| server.post("/api/v1/tokens/facturify/default/refresh").token(token).send();
    refresh(&server.someone().1.access).refused(403, "forbidden");
    refresh("nonsense").refused(401, "service_key_invalid");
    server.post("/api/v1/tokens/facturify/default/refresh").send().refused(401, "not_authenticated");
    let admin = server.make_user_with("late", &["admin"]);
    let tokens = server.log_in(&admin.username);
    // A key that is shown beside it is what counts.
    let key = server.service_key("tokens:read");
    let both = server.post("/api/v1/tokens/facturify/default/refresh").token(&tokens.access);
    both.header("x-api-key", &key).send().refused(403, "forbidden");
    // What another page sends in the admin's browser changes nothing.
    let browser: Browser = server.browser(&admin.username);
    let by = |origin: &str| {
        let call = server.post("/api/v1/tokens/facturify/default/refresh");
        call.header("cookie", &browser.header("/")).header("origin", origin).send()
    };
    by("https://evil.example").refused(403, "cross_site_request");
    assert_eq!(by(OWN_PAGE[0].1).status, 200);
    // The session has ended.
    server.post("/auth/logout").token(&tokens.access).send();
    let ended = refresh(&tokens.access);
    assert_eq!((ended.status, ended.code()), (401, "access_token_blacklisted"));
    let tokens = server.log_in(&admin.username);
    server.world.advance(16 * MINUTE);
    refresh(&tokens.access).refused(401, "token_expired");
}

#[test]
fn to_bring_a_token_asks_for_a_recent_login() {
    let server = with_accounts();
    let admin = server.make_user_with("chief", &["admin"]);
    let mut tokens = server.log_in(&admin.username);
    server.world.advance(10 * MINUTE);
    tokens = server.refresh(&tokens.refresh).tokens();
    server.world.advance(6 * MINUTE);
    for path in
        ["/token/update", "/accounts/agnidata002/token/update", "/accounts/agnidata001/token/exchange"]
    {
        let answer = server.post(path).token(&tokens.access).json(&json!({ "access_token": "t" })).send();
        answer.refused(401, "insufficient_user_authentication");
    }
    assert_eq!(server.get("/accounts").token(&tokens.access).send().json["total"], 2);
    let body = json!({ "password": PASSWORD });
    let again = server.post("/auth/reauthenticate").token(&tokens.access).json(&body).send().tokens();
    let update = server.post("/token/update").token(&again.access).json(&json!({})).send();
    assert_eq!(update.wrong_fields(), ["access_token"]);
}
