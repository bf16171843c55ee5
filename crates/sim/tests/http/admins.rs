//! Somebody is always an admin, and what admins do is on record when it is true.

use super::support::tokens::session_of;
use super::support::{Answer, PASSWORD, Server, Tokens};
use base::rpc::Class;
use serde_json::{Value, json};
use std::time::Duration;

const NEW_PASSWORD: &str = "an entirely new one";
const RESET_KEY: &str = "reset-key-of-the-simulation-0123456789abcdef";
const OTHER_RESET_KEY: &str = "other-reset-key-of-the-simulation-0123456789";

fn patch(server: &Server, token: &str, name: &str, body: &Value) -> Answer {
    server.request("PATCH", &format!("/admin/users/{name}")).token(token).json(body).send()
}

/// The access tokens of the first admin, and of a second one.
fn two_admins(server: &Server) -> (String, String) {
    let root = server.fresh_admin();
    let ann = server.make_user_with("ann", &["admin"]);
    (root, server.log_in(&ann.username).access)
}

fn roles(server: &Server, name: &str) -> Value {
    let row = server.world.row(Class::User, &format!("user/{name}"), "user").unwrap();
    serde_json::from_str::<Value>(&row).unwrap()["profile"]["account"]["roles"].clone()
}

/// Whom the directory counts.
fn counted(server: &Server) -> Vec<String> {
    let query = "SELECT username FROM users WHERE admin = 1 ORDER BY username";
    let rows = server.world.sql(Class::Directory, "directory", query);
    rows.iter().map(|row| row["username"].as_str().unwrap().to_owned()).collect()
}

/// What was real: two changes of one admin overlapped, the directory kept "admin" for a plain user, and then the real last one
/// could take it from themselves.
#[test]
fn f04_the_directory_counts_whom_the_users_objects_say_whatever_overlaps() {
    for seed in 0..30 {
        let server = Server::with(&[]);
        let (root, _) = two_admins(&server);
        server.world.shuffle(seed > 0);
        let calls =
            [json!({ "roles": ["admin", "x"] }), json!({ "roles": ["user"] }), json!({ "roles": ["admin"] })];
        let path = "/admin/users/ann";
        let calls = calls.iter().map(|body| server.request("PATCH", path).token(&root).json(body)).collect();
        for answer in server.all(calls) {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        let is_admin = roles(&server, "ann").as_array().unwrap().contains(&json!("admin"));
        let expected: &[&str] = if is_admin { &["ann", "root"] } else { &["root"] };
        assert_eq!(counted(&server), expected);
        let last = patch(&server, &root, "root", &json!({ "roles": [] }));
        if is_admin {
            assert_eq!(last.status, 200);
        } else {
            last.refused(409, "last_admin");
        }
    }
}

#[test]
fn f04_of_two_admins_who_take_it_from_each_other_one_is_left() {
    let ways = [json!({ "roles": ["user"] }), json!({ "is_active": false }), Value::Null];
    for (one, another) in [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (0, 2)] {
        let server = Server::with(&[]);
        let (root, ann) = two_admins(&server);
        let call = |name: &str, token: &str, body: &Value| {
            let path = format!("/admin/users/{name}");
            if body.is_null() {
                server.request("DELETE", &path).token(token)
            } else {
                server.request("PATCH", &path).token(token).json(body)
            }
        };
        let answers = server.all(vec![call("ann", &root, &ways[one]), call("root", &ann, &ways[another])]);
        let done = answers.iter().filter(|answer| answer.status < 300).count();
        assert_eq!(done, 1, "{answers:?}");
        assert_eq!(counted(&server).len(), 1);
    }
}

fn reset(server: &Server, name: &str, key: Option<&str>, password: &str) -> Answer {
    let call = server.post(&format!("/admin/users/{name}/reset"));
    let call = if let Some(key) = key { call.header("x-admin-reset-key", key) } else { call };
    call.json(&json!({ "password": password })).send()
}

#[test]
fn f04_a_secret_set_at_deploy_time_makes_one_user_an_admin_again_and_once() {
    let server = Server::with(&[("ADMIN_RESET_KEY", RESET_KEY)]);
    server.fresh_admin();
    let (user, tokens) = server.someone();
    let (other, _) = server.someone();
    let name = user.username.as_str();
    let token = server.admin();
    assert_eq!(patch(&server, &token, name, &json!({ "is_active": false })).status, 200);
    server.world.take_logs();
    reset(&server, name, None, NEW_PASSWORD).refused(403, "forbidden");
    reset(&server, name, Some(OTHER_RESET_KEY), NEW_PASSWORD).refused(403, "forbidden");
    assert_eq!(reset(&server, name, Some(RESET_KEY), "short").wrong_fields(), ["password"]);
    reset(&server, "nobody-of-that-name", Some(RESET_KEY), NEW_PASSWORD).refused(404, "user_not_found");
    let done = reset(&server, name, Some(RESET_KEY), NEW_PASSWORD);
    assert_eq!(
        (done.status, &done.json["roles"], &done.json["is_active"]),
        (200, &json!(["admin", "user"]), &json!(true))
    );
    assert_eq!(server.protected(&tokens.access).status, 401);
    server.try_log_in(name, PASSWORD).refused(401, "invalid_credentials");
    let admin = server.try_log_in(name, NEW_PASSWORD).tokens().access;
    assert_eq!(server.get("/admin/users").token(&admin).send().status, 200);
    assert!(counted(&server).contains(&name.to_owned()));
    // It has done its work: for the same user, and for any other.
    for name in [name, &other.username] {
        reset(&server, name, Some(RESET_KEY), "yet another one").refused(403, "forbidden");
    }
    server.try_log_in(name, NEW_PASSWORD).tokens();
    let audit = audit(&server);
    let outcomes: Vec<&str> = audit
        .iter()
        .filter(|record| record["action"] == "reset_admin")
        .map(|record| record["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["forbidden", "forbidden", "ok", "forbidden", "forbidden"]);
    let record = audit.iter().find(|r| r["action"] == "reset_admin" && r["outcome"] == "ok").unwrap();
    assert_eq!(record["user_id"], user.id);
    let changed = json!({ "roles": ["admin", "user"], "is_active": true, "password": true });
    assert_eq!(record["changed"], changed);
    // Another secret is another time, after a restart as well.
    server.world.deploy(&[("ADMIN_RESET_KEY", OTHER_RESET_KEY)]);
    assert_eq!(reset(&server, &other.username, Some(OTHER_RESET_KEY), NEW_PASSWORD).status, 200);
    server.world.deploy(&[("ADMIN_RESET_KEY", RESET_KEY)]);
    reset(&server, &other.username, Some(RESET_KEY), NEW_PASSWORD).refused(403, "forbidden");
    server.world.deploy(&[("ADMIN_RESET_KEY", "")]);
    reset(&server, &other.username, Some(""), NEW_PASSWORD).refused(403, "forbidden");
}

/// What was real: a lost answer used up the secret.
#[test]
fn f04_a_reset_whose_answer_was_lost_is_asked_for_once_more() {
    let server = Server::with(&[("ADMIN_RESET_KEY", RESET_KEY)]);
    server.fresh_admin();
    let (user, tokens) = server.someone();
    let (other, _) = server.someone();
    let name = user.username.as_str();
    let again = |password: &str| reset(&server, name, Some(RESET_KEY), password);
    let first = again(NEW_PASSWORD);
    let began = server.world.now();
    assert_eq!(first.status, 200);
    assert_eq!(server.protected(&tokens.access).status, 401);
    // Somebody has got in meanwhile: nothing more ends.
    let since = server.try_log_in(name, NEW_PASSWORD).tokens();
    for _ in 0..2 {
        let repeated = again(NEW_PASSWORD);
        assert_eq!((repeated.status, repeated.json), (200, first.json.clone()));
    }
    assert_eq!(server.protected(&since.access).status, 200);
    // It is the same reset, and no other one.
    again("yet another one").refused(403, "forbidden");
    reset(&server, &other.username, Some(RESET_KEY), NEW_PASSWORD).refused(403, "forbidden");
    server.world.at(began.plus(Duration::from_secs(599)));
    assert_eq!(again(NEW_PASSWORD).status, 200);
    server.world.at(began.plus(Duration::from_mins(10)));
    again(NEW_PASSWORD).refused(403, "forbidden");
    // A session that could not be reached the first time is ended by the second call.
    let server = Server::with(&[("ADMIN_RESET_KEY", RESET_KEY)]);
    let (user, tokens) = server.someone();
    let id = session_of(&tokens.access);
    let row = server.world.row(Class::Session, &id, "session").unwrap();
    server.world.put_row(Class::Session, &id, "session", "broken");
    let call = || {
        let call = server.post(&format!("/admin/users/{}/reset", user.username));
        call.header("x-admin-reset-key", RESET_KEY).json(&json!({ "password": NEW_PASSWORD }))
    };
    assert_eq!(call().unchecked().status, 503);
    server.world.put_row(Class::Session, &id, "session", &row);
    assert_eq!(call().send().status, 200);
    assert_eq!(server.protected(&tokens.access).json["reason"], "password");
}

/// The audit records since the last look.
fn audit(server: &Server) -> Vec<Value> {
    let lines = server.world.take_logs();
    let records = lines.iter().filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    records.filter(|record| record["event"] == "audit").collect()
}

/// A session whose object fails at everything.
fn unreachable(server: &Server, tokens: &Tokens) {
    server.world.put_row(Class::Session, &session_of(&tokens.access), "session", "broken");
}

fn told(records: &[Value]) -> Vec<(&str, &str)> {
    records.iter().map(|r| (r["action"].as_str().unwrap(), r["outcome"].as_str().unwrap())).collect()
}

/// What was real: a change that is stored, and whose follow-up fails, left no record; and none said what was changed.
#[test]
fn f07_a_change_is_on_record_when_it_is_made_and_so_is_what_came_of_it() {
    let server = Server::new();
    let token = server.fresh_admin();
    let (user, tokens) = server.someone();
    unreachable(&server, &tokens);
    let path = format!("/admin/users/{}", user.username);
    let bearer = format!("Bearer {token}");
    let send = |method: &'static str, path: &str, body: Option<&Value>| {
        server.world.request(method, path, &[("authorization", &bearer)], body).status
    };
    server.world.take_logs();
    let body = json!({ "password": NEW_PASSWORD, "is_active": true, "roles": ["auditor"] });
    assert_eq!(send("PATCH", &path, Some(&body)), 503);
    let records = audit(&server);
    assert_eq!(told(&records), [("update_user", "ok"), ("end_sessions", "service_unavailable")]);
    assert_eq!(records[0]["changed"], json!({ "roles": ["auditor"], "password": true }));
    assert_eq!((&records[0]["user_id"], &records[1]["sessions"]), (&json!(user.id), &json!(1)));
    assert!(records.iter().all(|record| !record.to_string().contains(NEW_PASSWORD)));
    assert_eq!(records[0]["actor"], json!(1));

    assert_eq!(send("DELETE", &format!("{path}/sessions"), None), 503);
    let records = audit(&server);
    assert_eq!(told(&records), [("admin_close_sessions", "ok"), ("end_sessions", "service_unavailable")]);

    assert_eq!(send("DELETE", &path, None), 503);
    let records = audit(&server);
    assert_eq!(told(&records), [("update_user", "ok"), ("end_sessions", "service_unavailable")]);
    assert_eq!(records[0]["changed"], json!({ "is_active": false }));

    // And one that goes well.
    let (user, _) = server.someone();
    server.world.take_logs();
    let path = format!("/admin/users/{}", user.username);
    assert_eq!(send("PATCH", &path, Some(&json!({ "roles": ["auditor"] }))), 200);
    let records = audit(&server);
    assert_eq!(told(&records), [("update_user", "ok"), ("update_sessions", "ok")]);
    assert_eq!(send("DELETE", &path, None), 204);
    let records = audit(&server);
    assert_eq!(told(&records), [("update_user", "ok"), ("end_sessions", "ok"), ("delete_user", "ok")]);
}

#[test]
fn f07_logging_out_everywhere_is_on_record_when_it_is_decided() {
    let server = Server::new();
    let (user, tokens) = server.someone();
    let other = server.log_in(&user.username);
    unreachable(&server, &other);
    server.world.take_logs();
    let bearer = format!("Bearer {}", tokens.access);
    let headers = [("authorization", bearer.as_str())];
    let answered = server.world.request("POST", "/auth/logout-all", &headers, Some(&json!({})));
    assert_eq!(answered.status, 503);
    let records = audit(&server);
    assert_eq!(told(&records), [("logout_all", "ok"), ("end_sessions", "service_unavailable")]);
    assert_eq!((&records[0]["sessions"], &records[0]["actor"]), (&json!(2), &json!(user.id)));
}
