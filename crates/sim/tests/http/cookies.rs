//! Cookie mode: a browser's session from login to logout, and that what comes at once or late logs nobody out.

use super::support::browser::{Browser, OWN_PAGE};
use super::support::tokens::{claims_of, session_of};
use super::support::{Answer, PASSWORD, Server};
use base::rpc::Class;
use http::cookies::{ACCESS, REFRESH};
use serde_json::{Value, json};
use std::time::Duration;

const WEEK: u64 = 7 * 86_400;

/// A name, its value, and the rest.
fn parts(cookie: &str) -> (&str, &str, &str) {
    let (name, rest) = cookie.split_once('=').unwrap();
    let (value, rest) = rest.split_once("; ").unwrap();
    (name, value, rest)
}

fn attributes(answer: &Answer) -> Vec<(&str, bool, &str)> {
    let parts = answer.cookies.iter().map(|cookie| parts(cookie));
    parts.map(|(name, value, rest)| (name, value.is_empty(), rest)).collect()
}

fn login(server: &Server, path: &str, username: &str) -> Answer {
    let body = json!({ "username": username, "password": PASSWORD, "cookie": true });
    server.post(path).json(&body).by(&Browser::default()).send()
}

/// C01, C02
#[test]
fn c01_c02_a_login_puts_the_tokens_into_cookies_and_nowhere_else() {
    for (setting, same_site) in [("", "Strict"), ("strict", "Strict"), ("lax", "Lax")] {
        let server = Server::with(&[("COOKIE_SAME_SITE", setting)]);
        let user = server.make_user();
        for (prefix, other) in [("/auth", "/api/v1/auth"), ("/api/v1/auth", "/auth")] {
            let answer = login(&server, &format!("{prefix}/login"), &user.username);
            assert_eq!(answer.status, 200, "{}", answer.text);
            let rest = |path: &str, age: u64| {
                format!("Path={path}; Max-Age={age}; Secure; HttpOnly; SameSite={same_site}")
            };
            assert_eq!(
                attributes(&answer),
                [
                    (ACCESS, false, rest("/", WEEK).as_str()),
                    (REFRESH, false, rest(&format!("{prefix}/refresh"), WEEK).as_str()),
                    (REFRESH, true, rest(&format!("{other}/refresh"), 0).as_str()),
                ]
            );
            let (access, refresh) = (parts(&answer.cookies[0]).1, parts(&answer.cookies[1]).1);
            let session_id = session_of(access);
            assert_eq!(session_of(refresh), session_id);
            assert_eq!(
                answer.json,
                json!({ "session_id": session_id, "expires_in": 900, "refresh_expires_in": WEEK })
            );
            for token in [access, refresh] {
                assert!(!answer.text.contains(token) && !answer.text.contains(&token[token.len() - 43..]));
            }
            assert!(
                answer.headers.iter().all(|(name, value)| name == "set-cookie" || !value.contains("eyJ"))
            );
        }
    }
}

/// The attributes are `Browser`'s to hold.
#[test]
fn a_browsers_session_from_login_to_logout() {
    let server = Server::new();
    let user = server.make_user();
    let mut browser = server.browser(&user.username);
    let (first, first_refresh) = (browser.access(), browser.refresh());
    // The refresh token goes nowhere but where it is used.
    for path in ["/", "/auth/profile", "/auth/logout", "/auth/refreshed", "/api/v1/auth/refresh"] {
        assert_eq!(browser.header(path), format!("{ACCESS}={first}"), "{path}");
    }
    assert_eq!(browser.header("/auth/refresh"), format!("{REFRESH}={first_refresh}; {ACCESS}={first}"));

    let profile = |browser: &Browser| server.get("/auth/profile").by(browser).send();
    assert_eq!(profile(&browser).json["username"], user.username.as_str());
    server.world.advance(Duration::from_mins(16));
    profile(&browser).refused(401, "token_expired");
    for body in [None, Some(json!({})), Some(json!({ "refresh_token": null, "language": "es" }))] {
        let before = browser.clone();
        let call = server.post("/auth/refresh").by(&browser);
        let answer = match &body {
            None => call.send(),
            Some(body) => call.json(body).send(),
        };
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut names: Vec<&String> = answer.json.as_object().unwrap().keys().collect();
        names.sort_unstable();
        assert_eq!(names, ["expires_in", "refresh_expires_in", "session_id"]);
        browser.take(&answer);
        assert_ne!((browser.access(), browser.refresh()), (before.access(), before.refresh()));
        assert_eq!(profile(&browser).status, 200);
        server.world.advance(Duration::from_mins(1));
    }
    let left = server.post("/auth/logout").by(&browser).send();
    assert_eq!((left.status, left.json["message"].as_str()), (200, Some("Logged out successfully")));
    assert_eq!(left.header("clear-site-data"), Some("\"cache\", \"storage\""));
    let stale = browser.clone();
    browser.take(&left);
    assert!(browser.is_empty());
    profile(&browser).refused(401, "not_authenticated");
    let refused = profile(&stale);
    assert_eq!(
        (refused.code(), refused.json["reason"].as_str()),
        ("access_token_blacklisted", Some("logout"))
    );
    let refused = server.post("/auth/refresh").by(&stale).send();
    assert_eq!((refused.status, refused.code()), (401, "session_revoked_or_invalid"));
    // Once more, as whoever lost the answer does.
    assert_eq!(server.post("/auth/logout").by(&stale).send().status, 200);
}

#[test]
fn a_cookie_lasts_as_long_as_the_refresh_token_and_no_longer_than_the_session() {
    let server = Server::with(&[
        ("REFRESH_TOKEN_EXPIRE_SECONDS", "1000"),
        ("SESSION_ABSOLUTE_LIFETIME_SECONDS", "1500"),
    ]);
    let mut browser = server.some_browser();
    server.world.advance(Duration::from_mins(15));
    let answer = server.post("/auth/refresh").by(&browser).send();
    browser.take(&answer);
    let left = claims_of(&browser.refresh())["exp"].as_u64().unwrap() - server.now();
    assert_eq!(answer.json["refresh_expires_in"], left);
    assert_eq!(left, 600);
    for cookie in &answer.cookies {
        assert!(cookie.contains("; Max-Age=600; "), "{cookie}");
    }
}

/// Whatever is wrong, the browser keeps what it has: another tab may have got something better meanwhile.
#[test]
fn a_refusal_takes_no_cookie_away() {
    let server = Server::new();
    let browser = server.some_browser();
    let refused = |answer: Answer| {
        assert!(answer.status >= 400, "{answer:?}");
        assert!(answer.cookies.is_empty() && answer.header("clear-site-data").is_none(), "{answer:?}");
    };
    refused(server.post("/auth/refresh").by(&browser).json(&json!({ "refresh_token": "x.y.z" })).send());
    refused(server.post("/auth/refresh").by(&browser).body("{").send());
    refused(server.post("/auth/logout").by(&browser).header("origin", "https://evil.test").send());
    refused(server.post("/auth/logout").by(&browser).json(&json!({ "access_token": "x.y.z" })).send());
    server.world.put_row(Class::Session, &session_of(&browser.access()), "session", "broken");
    for path in ["/auth/logout", "/auth/refresh", "/auth/logout-all"] {
        let answer = server.post(path).by(&browser).unchecked();
        assert_eq!(answer.status, 503, "{path}");
        refused(answer);
    }
}

/// Two tabs, twenty-five requests each, at the moment at which the access token expires: all are refused, all refresh by the cookies
/// that they were sent with, and take what comes in whatever order it comes.
#[test]
fn two_tabs_and_fifty_requests_at_an_expiry_log_nobody_out() {
    let server = Server::with(&[("ACCESS_TOKEN_EXPIRE_SECONDS", "60")]);
    let mut browser = server.some_browser();
    for round in 0..5 {
        server.world.advance(Duration::from_mins(1));
        let fifty = |path: &str| -> Vec<Answer> {
            let method = if path == "/auth/refresh" { "POST" } else { "GET" };
            server.all((0..50).map(|_| server.request(method, path).by(&browser)).collect())
        };
        for answer in fifty("/auth/profile") {
            answer.refused(401, "token_expired");
        }
        let mut answers = fifty("/auth/refresh");
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.cookies, answers[0].cookies, "round {round}");
        }
        // One tab had gone to sleep with its request, and comes within the grace.
        let late = server.post("/auth/refresh").by(&browser);
        server.world.advance(Duration::from_secs(5));
        answers.push(late.send());
        for answer in &answers {
            browser.take(answer);
            assert_eq!(server.get("/auth/profile").by(&browser).send().status, 200, "round {round}");
        }
    }
    let own = server.get("/auth/sessions").by(&browser).send();
    assert_eq!(own.json["sessions"].as_array().unwrap().len(), 1);
}

/// S02
#[test]
fn s02_a_login_takes_the_place_of_the_session_in_the_cookies() {
    let server = Server::new();
    let (user, other) = (server.make_user(), server.make_user());
    let again = |browser: &Browser, username: &str, cookie: Value| {
        let body = json!({ "username": username, "password": PASSWORD, "cookie": cookie });
        let answer = server.post("/auth/login").json(&body).by(browser).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    };
    let profile = |browser: &Browser| server.get("/auth/profile").by(browser).send();
    let first = server.browser(&user.username);
    let mut second = first.clone();
    second.take(&again(&first, &user.username, json!(true)));
    assert_ne!(session_of(&first.access()), session_of(&second.access()));
    assert_eq!(profile(&first).json["reason"], "logout");
    assert_eq!(profile(&second).status, 200);
    // Of another user it is nobody's to end, and without `cookie` the cookies are not looked at.
    let mut third = second.clone();
    third.take(&again(&second, &other.username, json!(true)));
    assert_eq!((profile(&second).status, profile(&third).status), (200, 200));
    for cookie in [json!(false), Value::Null] {
        let answer = again(&third, &other.username, cookie);
        assert!(answer.cookies.is_empty());
        assert_eq!((server.protected(&answer.tokens().access).status, profile(&third).status), (200, 200));
    }
    // What stands there may be anything.
    let body = json!({ "username": user.username, "password": PASSWORD, "cookie": true });
    let odd = format!("{ACCESS}=x.y.z; {ACCESS}=other");
    let answer = server.post("/auth/login").json(&body).headers(&OWN_PAGE).header("cookie", &odd).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer =
        server.post("/auth/login").json(&json!({ "username": "a", "password": "b", "cookie": "yes" }));
    assert_eq!(answer.headers(&OWN_PAGE).send().wrong_fields(), ["cookie"]);
}

/// S22
#[test]
fn s22_whatever_logs_a_browser_out_takes_its_cookies_away() {
    let server = Server::new();
    let user = server.make_user();
    let gone = |browser: &Browser, answer: &Answer| {
        let mut browser = browser.clone();
        browser.take(answer);
        assert_eq!(browser.is_empty(), answer.header("clear-site-data").is_some());
        (answer.status, browser.is_empty())
    };
    let browser = server.browser(&user.username);
    let kept = server.post("/auth/logout-all").json(&json!({ "keep_current": true })).by(&browser).send();
    assert_eq!(gone(&browser, &kept), (200, false));
    assert_eq!(server.get("/auth/profile").by(&browser).send().status, 200);
    // An access token that has expired says who it is, as long as its cookie is there.
    server.world.advance(Duration::from_mins(16));
    let left = server.post("/api/v1/auth/logout").by(&browser).send();
    assert_eq!(gone(&browser, &left), (200, true));
    let refused = server.post("/auth/refresh").by(&browser).send();
    assert_eq!(refused.json["reason"], "logout");
    let browser = server.browser(&user.username);
    let left = server.post("/auth/logout-all").by(&browser).send();
    assert_eq!(gone(&browser, &left), (200, true));
    // With a bearer of the same session beside it, too; without a cookie there is nothing to take.
    let browser = server.browser(&user.username);
    let access = browser.access();
    let left = server.post("/auth/logout").token(&access).by(&browser).send();
    assert_eq!(gone(&browser, &left), (200, true));
    let left = server.post("/auth/logout").token(&access).send();
    assert!(left.cookies.is_empty() && left.header("clear-site-data").is_none());
    // C05
    for path in ["/auth/logout", "/auth/logout-all", "/auth/refresh", "/auth/login"] {
        for method in ["GET", "HEAD"] {
            assert_eq!(server.request(method, path).by(&browser).send().status, 405, "{method} {path}");
        }
    }
}

/// C02
#[test]
fn c02_a_password_given_again_by_cookie_is_answered_with_cookies() {
    let server = Server::new();
    let mut browser = server.some_browser();
    let (access, refresh) = (browser.access(), browser.refresh());
    server.world.advance(Duration::from_mins(1));
    let again = || server.post("/auth/reauthenticate").json(&json!({ "password": PASSWORD })).by(&browser);
    again().header("origin", "https://evil.test").send().refused(403, "cross_site_request");
    let answer = again().send();
    assert_eq!((answer.status, answer.cookies.len()), (200, 2), "{}", answer.text);
    assert_eq!(answer.json["session_id"], session_of(&access).as_str());
    assert!(answer.json.get("access_token").is_none() && answer.json.get("refresh_token").is_none());
    browser.take(&answer);
    assert_eq!(claims_of(&browser.access())["auth_time"], server.now());
    assert_ne!((browser.access(), browser.refresh()), (access.clone(), refresh));
    assert_eq!(server.post("/auth/refresh").by(&browser).send().status, 200);
    // By bearer, as ever.
    let body = json!({ "password": PASSWORD });
    let answer = server.post("/auth/reauthenticate").json(&body).token(&access).send();
    assert_eq!((answer.status, answer.cookies.len()), (200, 0), "{}", answer.text);
    assert!(answer.json["access_token"].is_string());
}

#[test]
fn a_user_changes_the_password_by_cookie_and_a_stale_one_is_in_nobodys_way() {
    let server = Server::new();
    let user = server.make_user();
    let (browser, elsewhere) = (server.browser(&user.username), server.browser(&user.username));
    let change = |old: &str, new: &str| json!({ "old_password": old, "new_password": new });
    let new = "staple horse correct";
    let by = |body: &Value| server.post("/auth/password").json(body).by(&browser);
    by(&change(PASSWORD, new))
        .header("sec-fetch-site", "cross-site")
        .send()
        .refused(403, "cross_site_request");
    let answer = by(&change(PASSWORD, new)).send();
    assert_eq!((answer.status, &answer.json["closed_sessions"]), (200, &json!(1)), "{}", answer.text);
    assert_eq!(server.get("/auth/profile").by(&browser).send().status, 200);
    assert_eq!(server.get("/auth/profile").by(&elsewhere).send().json["reason"], "password");
    // Whoever says a name is somebody without a session, whatever the browser still has.
    let mut body = change(new, PASSWORD);
    body["username"] = user.username.as_str().into();
    let stale = server.post("/auth/password").json(&body).by(&elsewhere).send();
    assert_eq!((stale.status, &stale.json["closed_sessions"]), (200, &json!(1)), "{}", stale.text);
    server.post("/auth/password").json(&change(PASSWORD, new)).by(&elsewhere).send();
    assert_eq!(server.try_log_in(&user.username, PASSWORD).status, 200);
}
