//! Bodies that no decent client sends: each gets a clear refusal, and none disturbs the service.

use super::support::bodies::{JSON, ROUTES, Sender};
use super::support::{PASSWORD, Server};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;

/// The largest body, in bytes.
const LIMIT: usize = 16 * 1024;

fn sized(bytes: usize) -> String {
    format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8))
}

/// I01
#[test]
fn a_body_of_another_type_is_415() {
    let server = Server::new();
    let sender = Sender::new(&server);
    for kind in [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/jsonp",
        "application/problem+json",
        "application/json, text/plain",
        "json",
    ] {
        for route in ROUTES {
            let answer = sender.send_with(route, "{}", &[("content-type", kind)]);
            assert_eq!((answer.status, answer.code()), (415, "unsupported_media_type"), "{kind}: {route}");
        }
    }
    for route in ROUTES {
        sender.send_with(route, "{}", &[]).refused(415, "unsupported_media_type");
    }
    sender.is_unharmed();
}

/// I01
#[test]
fn a_body_of_the_right_type_is_read_however_that_is_written() {
    let server = Server::new();
    let sender = Sender::new(&server);
    for kind in [
        "application/json;charset=UTF-8",
        r#"Application/JSON ; charset="utf-8""#,
        "application/json; profile=x",
    ] {
        let body = json!({ "username": sender.user.username, "password": PASSWORD }).to_string();
        let answer = sender.send_with("/auth/login", body, &[("content-type", kind)]);
        assert_eq!(answer.status, 200, "{kind}");
    }
}

/// I02
#[test]
fn a_body_over_the_limit_is_413_and_one_of_just_the_limit_is_read() {
    let server = Server::new();
    let sender = Sender::new(&server);
    for route in ROUTES {
        for bytes in [LIMIT + 1, 1_000_000] {
            sender.send(route, sized(bytes)).refused(413, "body_too_large");
        }
        assert_eq!(sender.send("/api/v1/data", sized(LIMIT)).status, 200);
    }
    sender.send("/auth/login", sized(10_000_000)).refused(413, "body_too_large");
    sender.is_unharmed();
}

/// I02
#[test]
fn an_endless_body_without_a_length_is_413_and_is_not_read_on() {
    let server = Server::new();
    let sender = Sender::new(&server);
    for route in ROUTES {
        let sent = Rc::new(Cell::new(0));
        let count = sent.clone();
        let pieces = std::iter::repeat_with(move || {
            count.set(count.get() + 4096);
            vec![b' '; 4096]
        });
        sender.send_pieces(route, pieces).refused(413, "body_too_large");
        assert!(sent.get() < LIMIT * 4, "{route}: {}", sent.get());
    }
}

/// I02
#[test]
fn a_length_over_the_limit_is_413_before_anything_is_read() {
    let server = Server::new();
    let read = Rc::new(Cell::new(false));
    let seen = read.clone();
    let pieces = std::iter::once_with(move || {
        seen.set(true);
        b"{}".to_vec()
    });
    let call = server.post("/auth/login").headers(&[JSON, ("content-length", "104857600")]);
    call.pieces(pieces).send().refused(413, "body_too_large");
    assert!(!read.get());
}

/// I03
#[test]
fn a_body_that_is_no_object_is_422() {
    let server = Server::new();
    let sender = Sender::new(&server);
    for body in ["[]", "\"x\"", "1", "true", "null", "-0", "9007199254740993", r#"["username","password"]"#] {
        for route in ROUTES.iter().filter(|route| **route != "/api/v1/data") {
            assert_eq!(sender.send(route, body).wrong_fields(), ["body"], "{body}: {route}");
        }
    }
}

/// I03
#[test]
fn an_empty_body_lacks_its_fields() {
    let server = Server::new();
    let sender = Sender::new(&server);
    assert_eq!(sender.send("/auth/login", "").wrong_fields(), ["username", "password"]);
    assert_eq!(server.post("/auth/refresh").send().wrong_fields(), ["refresh_token"]);
    sender.send("/api/v1/data", "").refused(400, "malformed_json");
}

/// I07
#[test]
fn a_field_of_the_wrong_type_is_named() {
    let wrong = json!([0, -0.0, 1, 9_007_199_254_740_993_u64, 1.5, true, false, [], ["a"], {}, { "$ne": "" }, { "length": 1 }]);
    let server = Server::new();
    let sender = Sender::new(&server);
    for (path, field, kind) in [
        ("/auth/login", "username", "text"),
        ("/auth/login", "password", "text"),
        ("/auth/login", "device_name", "text"),
        ("/auth/login", "language", "text"),
        ("/auth/refresh", "refresh_token", "text"),
        ("/auth/refresh", "language", "text"),
        ("/auth/logout", "access_token", "text"),
        ("/auth/logout", "refresh_token", "text"),
        ("/auth/logout-all", "keep_current", "bool"),
        ("/admin/users", "username", "text"),
        ("/admin/users", "password", "text"),
        ("/admin/users", "roles", "list"),
        ("/admin/users", "language", "text"),
    ] {
        for value in wrong.as_array().unwrap() {
            // What is of the right type after all. A list of roles is one whatever roles are in it.
            if kind == "bool" && value.is_boolean() || kind == "list" && value.is_array() {
                continue;
            }
            let mut body =
                json!({ "username": sender.user.username, "password": PASSWORD, "refresh_token": "x" });
            body[field] = value.clone();
            let answer = sender.send(path, body.to_string());
            assert_eq!(answer.wrong_fields(), [field], "{path} {value}");
        }
    }
    // A number that is nearly a text or a truth is neither.
    for value in ["1", "0", "yes", "true"] {
        let answer = sender.send("/auth/logout-all", json!({ "keep_current": value }).to_string());
        assert_eq!(answer.wrong_fields(), ["keep_current"]);
    }
}

/// I08
#[test]
fn fields_that_are_not_ours_are_ignored_whatever_is_in_them() {
    let server = Server::new();
    let sender = Sender::new(&server);
    let body = json!({
        "username": sender.user.username,
        "password": PASSWORD,
        "id": 1,
        "roles": ["admin"],
        "is_admin": true,
        "__proto__": { "x": 1 },
        "constructor": {},
        "$where": "1",
        "": Value::Null,
    });
    let login = sender.send("/auth/login", body.to_string());
    assert_eq!(login.status, 200);
    let verify = server.get("/auth/verify").token(&login.tokens().access).send();
    assert_eq!(verify.header("x-auth-roles"), Some("user"));
    let name = server.make_user().username;
    let patch = server.request("PATCH", &format!("/admin/users/{name}")).token(&server.admin());
    let patch = patch.json(&json!({ "id": 1, "username": "root" })).send();
    assert_eq!((patch.status, patch.json["username"].as_str()), (200, Some(name.as_str())));
}
