//! What clients write in more than one way, and what has to come back as it went in.

use super::support::{PASSWORD, Server};
use base::rpc::Class;
use serde_json::{Value, json};
use session::Owner;

/// What was real: 18446744073709551617 came back as 18446744073709552000, and -0 as -0.0.
#[test]
fn f16_a_document_comes_back_as_it_went_in_to_the_letter() {
    let server = Server::new();
    let token = server.someone().1.access;
    for document in [
        "18446744073709551617",
        "-0",
        "1.0",
        "1.10",
        "1e2",
        "123456789012345678901234567890.000000000000000000001",
        r#"{"z":18446744073709551617,"a":[-0,1.0,1E+2,0.1e-7],"\u00e9":"\u00e9\/"}"#,
        "{ \"a\" :\n [ 1.0 ] }",
        "[]",
        "null",
        "\"text\"",
    ] {
        let expected = format!("{{\"data\":{document}}}");
        for body in [document.to_owned(), format!("\u{feff} {document}\r\n")] {
            let headers = [("content-type", "application/json; charset=utf8")];
            let call = server.post("/api/v1/data").token(&token).headers(&headers);
            let put = call.body(body).send();
            assert_eq!((put.status, &put.text), (200, &expected));
            let read = server.get("/api/v1/data").token(&token).send();
            assert_eq!((read.status, &read.text), (200, &expected));
        }
    }
    // What cannot come back is refused, and leaves what is there.
    for document in ["1e400", "{\"a\":1,\"a\":2}", "01", "[1.]", "\"\\ud800\"", "\u{feff}"] {
        let call = server.post("/api/v1/data").token(&token).headers(&[("content-type", "application/json")]);
        call.body(document).send().refused(400, "malformed_json");
    }
    let read = server.get("/api/v1/data").token(&token).send();
    assert_eq!(read.text, "{\"data\":\"text\"}");
}

/// An object of a release before kept what it had made of the document.
#[test]
fn f16_a_document_of_a_release_before_is_read_as_it_stands() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    let call = server.post("/api/v1/data").token(&tokens.access).json(&json!({ "b": 1, "a": [1.5, null] }));
    assert_eq!(call.send().status, 200);
    let read = server.get("/api/v1/data").token(&tokens.access).send();
    assert_eq!(read.json, json!({ "data": { "a": [1.5, null], "b": 1 } }));
}

#[test]
fn f16_json_in_utf_8_has_more_than_one_name_and_may_begin_with_a_mark() {
    let server = Server::new();
    let user = server.make_user();
    let body = json!({ "username": user.username, "password": PASSWORD }).to_string();
    for (content_type, mark, status) in [
        ("application/json", "", 200),
        ("application/json; charset=utf8", "", 200),
        ("application/json;charset=\"UTF8\"", "\u{feff}", 200),
        ("application/json; charset=UTF-8; x=y", "\u{feff}", 200),
        ("application/json; charset=utf-16", "", 415),
        ("application/json; charset=latin1", "", 415),
        ("application/json", "\u{feff}\u{feff}", 400),
    ] {
        let call = server.post("/auth/login").headers(&[("content-type", content_type)]);
        let answer = call.body(format!("{mark}{body}")).send();
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
    }
}

#[test]
fn f16_two_spaces_after_bearer_are_as_good_as_one_and_none_is_nothing() {
    let server = Server::new();
    let token = server.someone().1.access;
    for path in ["/api/v1/protected", "/auth/verify", "/auth/sessions", "/api/v1/data"] {
        for (header, status) in [
            (format!("Bearer  {token}"), 200),
            (format!("bearer    {token}"), 200),
            (format!("Bearer{token}"), 401),
            ("Bearer".to_owned(), 401),
            ("Bearer  ".to_owned(), 401),
        ] {
            let answer = server.get(path).header("authorization", &header).send();
            assert_eq!(answer.status, status, "{path}: {header}");
            let code = if status == 200 || path == "/auth/verify" { "" } else { "not_authenticated" };
            assert_eq!(answer.code(), code, "{path}: {header}");
        }
    }
}

/// The fields of the legacy clients that came as numbers.
#[test]
fn f16_a_channel_may_come_as_a_number_and_so_may_the_time_of_a_webhook() {
    let channels = r#"{"7":{"business_unit":"SME","verifier":"sme"}}"#;
    let server = Server::with(&[("CHANNELS", channels), ("UPSTOX_NOTIFIER_SECRET", NOTIFIER)]);
    for (channel, code) in [(json!(7), "upstream"), (json!(7.0), "upstream"), (json!(8), "channel_not_found")]
    {
        let data = json!({ "cif": "1234567890", "tokenKey": "t", "payload": { "channelId": channel } });
        let call = server.post("/api/v1/postlogin/init-session").json(&json!({ "data": data }));
        let answer = call.unchecked();
        let found = if answer.code() == "channel_not_found" { "channel_not_found" } else { "upstream" };
        assert_eq!(found, code, "{channel}: {}", answer.text);
    }
    let wrong = json!({ "data": { "cif": "1", "tokenKey": "t", "payload": { "channelId": true } } });
    let answer = server.post("/api/v1/postlogin/init-session").json(&wrong).send();
    assert_eq!(answer.wrong_fields(), ["data.payload.channelId"]);
    for at in [json!(1_763_589_600_000_u64), json!("1763589600000"), json!("soon"), Value::Null] {
        let body = json!({ "client_id": "c", "user_id": "U1", "access_token": "t", "expires_at": at });
        let answer = server.post(&format!("/upstox/notifier/{NOTIFIER}")).json(&body).send();
        // The fields are right; no account is this one's.
        answer.refused(404, "account_not_found");
    }
}

const NOTIFIER: &str = "k3Jw8Qz1Xv7Lm2Rt9Yp4Hs6Nd0Gb5Cf-notifier";

#[test]
fn f15_a_hidden_route_is_hidden_for_every_method() {
    let server = Server::with(&[("UPSTOX_NOTIFIER_SECRET", NOTIFIER), ("DEBUG_ROUTES", "off")]);
    let mock = ["/api/v1", session::external::MOCK_PATH].concat();
    let admin = server.admin();
    for path in [&*mock, "/debug/session-info", "/upstox/notifier/wrong", "/upstox/notifier/"] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let answer = server.request(method, path).token(&admin).send();
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(answer.header("allow"), None, "{method} {path}");
        }
    }
    let secret = format!("/upstox/notifier/{NOTIFIER}");
    assert_eq!(server.request("OPTIONS", &secret).send().status, 404);
    assert_eq!(server.post(&secret).json(&json!({})).send().status, 422);
    // Those that are on say what they take.
    let server =
        Server::with(&[("DEBUG_ROUTES", "on"), ("MOCK_ROUTES", "on"), ("ENVIRONMENT", "development")]);
    for path in [&*mock, "/debug/session-info"] {
        assert_eq!(server.request("OPTIONS", path).send().status, 204, "{path}");
        assert_eq!(server.request("PUT", path).send().status, 405, "{path}");
    }
}

#[test]
fn f15_a_cursor_that_is_none_of_ours_is_named_and_one_of_ours_goes_on() {
    let server = Server::new();
    let admin = server.admin();
    for _ in 0..3 {
        server.someone();
    }
    let get = |path: &str| server.get(path).token(&admin).send();
    let first = get("/admin/sessions/active?limit=1");
    let cursor = first.json["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("/admin/sessions/active?limit=1&cursor={cursor}")).status, 200);
    let (cut, longer) = (&cursor[..cursor.len() - 1], format!("{cursor}x"));
    let flipped = format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
    for broken in ["x", "%00", "1.2.3", "-1", "18446744073709551617", cut, &longer, &flipped] {
        for path in ["/admin/sessions/active", "/admin/users"] {
            let answer = get(&format!("{path}?cursor={broken}"));
            assert_eq!(answer.wrong_fields(), ["cursor"], "{path} {broken}");
        }
        for broken in [broken.to_owned(), format!("1.{broken}"), format!("x.{cursor}")] {
            let path = format!("/admin/sessions/cleanup?cursor={broken}");
            let answer = server.post(&path).token(&admin).send();
            assert_eq!(answer.wrong_fields(), ["cursor"], "cleanup {broken}");
        }
    }
    let path = format!("/admin/sessions/cleanup?cursor=1.{cursor}");
    assert_eq!(server.post(&path).token(&admin).send().status, 200);
}

#[test]
fn f15_a_device_s_name_is_kept_without_what_changes_how_it_is_shown() {
    let server = Server::new();
    let user = server.make_user();
    let name = "My\u{202e}\u{2066} phone\r\n\u{200f}\u{0}\u{9b}!";
    let body = json!({ "username": user.username, "password": PASSWORD, "device_name": name });
    let token = server.post("/auth/login").json(&body).send().tokens().access;
    let list = server.get("/auth/sessions").token(&token).send();
    assert_eq!(list.json["sessions"][0]["device_name"], json!("My phone!"));
    let key = json!({ "name": "a\u{202e}b", "scopes": ["portal"] });
    let made = server.post("/admin/service-keys").token(&server.admin()).json(&key).send();
    assert_eq!(made.wrong_fields(), ["name"]);
}

/// What was real: a gateway's own bearer made 400 of a good key.
#[test]
fn f15_a_foreign_bearer_beside_a_good_key_does_not_spoil_it() {
    let server = Server::new();
    let user = server.someone().1.access;
    let body = json!({ "name": "a", "scopes": ["portal"] });
    let key = server.post("/admin/service-keys").token(&server.admin()).json(&body).send();
    let key = key.json["key"].as_str().unwrap();
    for header in
        [format!("Bearer {user}"), "Bearer x y".to_owned(), "Bearer".to_owned(), "Basic x".to_owned()]
    {
        let call = server.get("/sessions").header("authorization", &header).header("x-api-key", key);
        assert_eq!(call.send().status, 200, "{header}");
        let call = server.get("/sessions").header("authorization", &header).header("x-api-key", "no-key");
        call.send().refused(401, "service_key_invalid");
    }
    let other = format!("{}A", &key[..key.len() - 1]);
    let other = if other == key { format!("{}E", &key[..key.len() - 1]) } else { other };
    let call = server.get("/sessions").token(&other).header("x-api-key", key);
    call.send().refused(400, "invalid_request");
}

/// What was real: the line of a call that failed said nothing of the request that it was made for.
#[test]
fn f16_a_fault_inside_a_request_carries_its_id() {
    let server = Server::new();
    let (user, _) = server.someone();
    server.world.put_row(Class::User, &Owner::User(&user.username).object(), "user", "not a user");
    server.world.take_logs();
    let call = server.post("/auth/login").header("x-request-id", "req-f16");
    let answer = call.json(&json!({ "username": user.username, "password": PASSWORD })).unchecked();
    assert_eq!((answer.status, answer.code()), (503, "service_unavailable"));
    let faults: Vec<Value> = (server.world.take_logs().iter())
        .map(|line| serde_json::from_str(&line.text).unwrap())
        .filter(|line: &Value| line["event"] == "fault" && line["what"] == "object")
        .collect();
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|line| line["request_id"] == "req-f16"), "{faults:?}");
}
