//! Texts that are right as JSON and mean something to some other system: none means anything here.

use super::support::{PASSWORD, Server};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

fn strings() -> Vec<(&'static str, String)> {
    let fixed = [
        ("an empty text", ""),
        ("a space", " "),
        ("undefined", "undefined"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("minus zero", "-0"),
        ("SQL", "' OR 1=1--"),
        ("SQL that deletes", "x'); DROP TABLE users;--"),
        ("SQL's wild cards", "%_%"),
        ("a quote", "\""),
        ("a backslash", "\\"),
        ("a path upwards", "../../etc/passwd"),
        ("a path upwards, encoded", "..%2f..%2fetc%2fpasswd"),
        ("a Windows path", "C:\\con\\aux"),
        ("a dot", "."),
        ("two dots", ".."),
        ("a star", "*"),
        ("a key of KV's", "session:x"),
        ("an object's name", "user/root"),
        ("a script", "<script>alert(1)</script>"),
        ("an image that fails", "\"><img src=x onerror=alert(1)>"),
        ("a template", "{{7*7}}${7*7}<%= 7*7 %>#{7*7}"),
        ("a lookup", "${jndi:ldap://192.0.2.1/a}"),
        ("a format", "%s%n%x%p"),
        ("a shell's command", "$(id);`id`|id&&id"),
        ("LDAP", "*)(uid=*))(|(uid=*"),
        ("a header", "x\r\nset-cookie: a=b"),
        ("a log line", "x\n{\"level\":\"info\",\"event\":\"audit\"}"),
        ("NUL", "root\0"),
        ("a bell and an escape", "\u{7}\u{1b}[31m"),
        ("DEL", "\u{7f}"),
        ("C1 controls", "\u{85}\u{9b}"),
        ("zero width", "ro\u{200b}ot"),
        ("a zero width joiner", "ro\u{200d}ot"),
        ("a byte order mark", "\u{feff}root"),
        ("a soft hyphen", "ro\u{ad}ot"),
        ("right to left", "\u{202e}toor"),
        ("isolates", "\u{2066}root\u{2069}"),
        ("Arabic", "\u{645}\u{62b}\u{627}\u{644}"),
        ("mixed directions", "a\u{5d0}b"),
        ("emoji", "\u{1f600}"),
        ("an emoji of many parts", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"),
        ("flags", "\u{1f1fa}\u{1f1f8}"),
        ("a mark on nothing", "\u{301}"),
        ("a letter outside the first plane", "\u{1d41a}\u{1d41d}"),
        ("private use", "\u{e000}"),
        ("not a character", "\u{ffff}"),
        ("the last character", "\u{10ffff}"),
        ("tags", "\u{e0001}\u{e0061}"),
        ("a line separator", "a\u{2028}b"),
        ("Turkish dots", "\u{130}\u{131}"),
        ("a sharp s", "stra\u{df}e"),
        ("a ligature", "\u{fb01}"),
        ("Hangul filler", "\u{3164}"),
        ("a name of JavaScript's", "__proto__"),
        ("another", "constructor"),
        ("a token", "a.b.c"),
    ];
    let long = [
        ("a huge number", "9".repeat(400)),
        ("many marks on a letter", format!("a{}", "\u{300}".repeat(100))),
        ("400 letters", "a".repeat(400)),
        ("5,000 letters", "a".repeat(5_000)),
    ];
    fixed.into_iter().map(|(what, text)| (what, text.to_owned())).chain(long).collect()
}

/// After all that the admin gets in, and the list of users can be read.
fn is_unharmed(server: &Server) {
    server.log_in("root");
    let list = server.get("/admin/users?limit=500").token(&server.admin()).send();
    assert_eq!(list.status, 200, "{}", list.text);
}

/// I04
#[test]
fn none_logs_anybody_in() {
    let server = Server::new();
    server.admin();
    for (what, text) in strings() {
        // Each from its own client, so that failures do not add up.
        let answer = server.login_from(&text, &text, &server.address()).send();
        assert!([401, 422].contains(&answer.status), "{what}: {}", answer.text);
        assert_eq!(answer.header("set-cookie"), None, "{what}");
    }
    is_unharmed(&server);
}

/// I04
#[test]
fn none_is_a_token_or_a_language() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    for (what, text) in strings() {
        let answer = server.refresh(&text);
        assert!([401, 422].contains(&answer.status), "{what}: {}", answer.text);
        let body = json!({ "refresh_token": "x", "language": text });
        let language = server.post("/auth/refresh").json(&body).send();
        assert!([401, 422].contains(&language.status), "{what}: {}", language.text);
        let english = if language.status == 401 { "Token is invalid" } else { "Some fields are wrong" };
        assert_eq!(language.json["detail"], json!(english), "{what}");
        let other = if text.is_empty() { "x" } else { &text };
        let logout =
            server.post("/auth/logout").token(&tokens.access).json(&json!({ "access_token": other }));
        logout.send().refused(422, "validation_error");
    }
    assert_eq!(server.protected(&tokens.access).status, 200);
}

/// I04
#[test]
fn each_is_a_device_s_name_without_what_changes_how_it_is_shown_or_too_long() {
    let server = Server::new();
    let own = server.make_user();
    for (what, text) in strings() {
        let body = json!({ "username": own.username, "password": PASSWORD, "device_name": text });
        let login = server.post("/auth/login").json(&body).send();
        if text.len() > 200 {
            login.refused(422, "validation_error");
            continue;
        }
        let list = server.get("/auth/sessions").token(&login.tokens().access).send();
        let sessions = list.json["sessions"].as_array().unwrap();
        let current = sessions.iter().find(|session| session["current"] == true).unwrap();
        let shown: String = text.chars().filter(|c| base::fields::is_presentable(*c)).collect();
        assert_eq!(current["device_name"], json!(shown), "{what}");
    }
}

/// I04
#[test]
fn each_is_refused_as_a_new_user_s_name_or_is_that_user_s_name_from_then_on() {
    let server = Server::new();
    let admin = server.admin();
    let mut made_count = 0;
    for (what, text) in strings() {
        let body = json!({ "username": text, "password": PASSWORD });
        let made = server.post("/admin/users").token(&admin).json(&body).send();
        if made.status == 422 {
            assert_eq!(made.wrong_fields()[0], "username", "{what}");
            continue;
        }
        made_count += 1;
        assert_eq!(made.status, 201, "{what}: {}", made.text);
        assert_eq!(made.header("set-cookie"), None, "{what}");
        // The URL itself gives these another meaning.
        assert!(![".", ".."].contains(&text.as_str()));
        let name = made.json["username"].as_str().unwrap();
        let path = format!("/admin/users/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        assert_eq!(server.get(&path).token(&admin).send().json, made.json, "{what}");
        let login = server.post("/auth/login").json(&body).send();
        assert_eq!(login.status, 200, "{what}: {}", login.text);
        let token = login.tokens().access;
        let verify = server.get("/auth/verify").token(&token).send();
        let shown = percent_decode_str(verify.header("x-auth-username").unwrap()).decode_utf8().unwrap();
        assert_eq!(shown, name, "{what}");
        assert_eq!(server.get("/auth/profile").token(&token).send().json, made.json, "{what}");
        assert_eq!(server.request("DELETE", &path).token(&admin).send().status, 204, "{what}");
    }
    assert!(made_count > 5, "{made_count}");
    is_unharmed(&server);
}

/// I04
#[test]
fn each_comes_back_as_it_is_in_the_user_s_own_document() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    for (what, text) in strings() {
        let mut document = json!({ "list": [text] });
        document[&text] = json!(text);
        let put = server.post("/api/v1/data").token(&tokens.access).json(&document).send();
        assert_eq!((put.status, &put.json), (200, &json!({ "data": document })), "{what}");
        let got = server.get("/api/v1/data").token(&tokens.access).send();
        assert_eq!(got.json, json!({ "data": document }), "{what}");
    }
}

/// I13
#[test]
fn each_is_refused_as_a_role_or_travels_in_the_header_unharmed() {
    let server = Server::new();
    let admin = server.admin();
    let mut travelled = 0;
    for (what, text) in strings() {
        let username = server.fresh_name("role");
        let body = json!({ "username": username, "password": PASSWORD, "roles": [text] });
        let made = server.post("/admin/users").token(&admin).json(&body).send();
        if made.status == 422 {
            assert_eq!(made.wrong_fields()[0], "roles", "{what}");
            continue;
        }
        travelled += 1;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        assert!(text.chars().all(plain) && (1..=64).contains(&text.len()), "{what}");
        let token = server.log_in(&username).access;
        let verify = server.get("/auth/verify").token(&token).send();
        assert_eq!(verify.header("x-auth-roles"), Some(text.as_str()), "{what}");
    }
    assert!(travelled > 3, "{travelled}");
}
