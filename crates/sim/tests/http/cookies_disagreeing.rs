//! Cookies that come twice, of different sessions, or beside a bearer.

use super::support::Server;
use super::support::browser::{Browser, OWN_PAGE};
use super::support::tokens::session_of;
use http::cookies::{ACCESS, REFRESH};
use serde_json::json;
use std::time::Duration;

/// C06
#[test]
fn c06_a_second_cookie_of_a_name_is_not_believed_and_neither_is_the_first() {
    let server = Server::new();
    let (browser, other) = (server.some_browser(), server.some_browser());
    let (mine, theirs) = (browser.access(), other.access());
    for (cookies, status) in [
        (format!("{ACCESS}={mine}"), 200),
        (format!("{ACCESS}={mine}; {ACCESS}={mine}"), 200),
        (format!("theme=dark; {ACCESS}={mine}; lang=es"), 200),
        (format!("theme=dark;{ACCESS}={mine};"), 200),
        (format!("{ACCESS}={theirs}; {ACCESS}={mine}"), 400),
        (format!("{ACCESS}={mine}; {ACCESS}={theirs}"), 400),
        (format!("{ACCESS}={mine}; {ACCESS}=x"), 400),
        (format!("{ACCESS}={mine}; {ACCESS}="), 400),
        (format!("{ACCESS}="), 401),
        (ACCESS.to_owned(), 401),
        (format!("x{ACCESS}={mine}"), 401),
        (format!("{ACCESS}x={mine}"), 401),
        (format!("__host-sallyport-access={mine}"), 401),
        (format!("\"{ACCESS}\"={mine}"), 401),
        // As some servers read cookies of old, and as white space of other scripts is trimmed.
        (format!("$Version=1, {ACCESS}={mine}"), 401),
        (format!("theme=dark, {ACCESS}={mine}"), 401),
        (format!("\u{2000}{ACCESS}={mine}"), 401),
        (format!("{ACCESS} ={mine}"), 401),
        (format!("{ACCESS}=\"{mine}\""), 401),
        (format!("{ACCESS}={mine}, {ACCESS}={theirs}"), 401),
        (format!("{REFRESH}={mine}"), 401),
        (format!("{ACCESS}={}", browser.refresh()), 401),
    ] {
        for path in ["/auth/profile", "/auth/sessions"] {
            let answer = server.get(path).header("cookie", &cookies).send();
            assert_eq!(answer.status, status, "{path} {cookies}");
            assert!(status != 400 || answer.code() == "invalid_request");
        }
    }
    // Two headers arrive as one.
    let two =
        server.get("/auth/profile").header("cookie", "a=b").header("cookie", &format!("{ACCESS}={mine}"));
    assert_eq!(two.send().status, 401);
}

/// Any host of the domain can set a cookie of the refresh token's name, but none of the access token's.
#[test]
fn c06_a_refresh_token_counts_only_beside_an_access_token_of_its_session() {
    let server = Server::new();
    let (victim, attacker) = (server.some_browser(), server.some_browser());
    let (access, refresh, theirs) = (victim.access(), victim.refresh(), attacker.refresh());
    let send = |cookies: &str| {
        let answer = server.post("/auth/refresh").header("cookie", cookies).headers(&OWN_PAGE).send();
        assert!(answer.status == 200 || answer.cookies.is_empty());
        answer
    };
    for (cookies, status, code) in [
        (format!("{REFRESH}={theirs}; {ACCESS}={access}"), 400, "invalid_request"),
        (format!("{REFRESH}={theirs}; {REFRESH}={refresh}; {ACCESS}={access}"), 400, "invalid_request"),
        (format!("{REFRESH}={refresh}; {REFRESH}={theirs}; {ACCESS}={access}"), 400, "invalid_request"),
        (format!("{REFRESH}={refresh}; {ACCESS}={access}; {ACCESS}=x"), 400, "invalid_request"),
        (format!("{REFRESH}={theirs}"), 401, "not_authenticated"),
        (format!("{ACCESS}={access}"), 401, "not_authenticated"),
        (format!("{REFRESH}={refresh}; {ACCESS}=x.y.z"), 401, "token_invalid"),
        (format!("{REFRESH}=x.y.z; {ACCESS}={access}"), 401, "token_invalid"),
        (format!("{REFRESH}={access}; {ACCESS}={access}"), 401, "token_invalid"),
    ] {
        send(&cookies).refused(status, code);
    }
    let other = server.post("/auth/refresh").token(&attacker.access()).by(&victim).send();
    other.refused(400, "invalid_request");
    // Without any cookie of ours it is a request without a token, as ever.
    assert_eq!(send("theme=dark").wrong_fields(), ["refresh_token"]);
    // A token in the body is what is meant, whatever a browser adds.
    let given = server.post("/auth/refresh").json(&json!({ "refresh_token": theirs })).by(&victim).send();
    assert_eq!((given.status, given.cookies.len()), (200, 0));
    assert_eq!(session_of(&given.tokens().access), session_of(&attacker.access()));
    assert_eq!(send(&format!("{REFRESH}={refresh}; {ACCESS}={access}")).status, 200);
}

/// J78
#[test]
fn j78_a_bearer_and_a_cookie_of_one_session_are_fine_and_of_two_are_refused() {
    for check in ["strict", "edge", "local"] {
        let server = Server::with(&[("SESSION_CHECK", check)]);
        let mut browser = server.some_browser();
        let other = server.some_browser();
        let old = browser.access();
        server.world.advance(Duration::from_mins(14));
        browser.take(&server.post("/auth/refresh").by(&browser).send());
        let new = browser.access();
        let cases = |bearer: &str, cookie: &str, status: u16| {
            let code = match status {
                400 => "invalid_request",
                401 => "token_expired",
                _ => "",
            };
            for (method, path) in [
                ("GET", "/auth/profile"),
                ("GET", "/api/v1/protected"),
                ("GET", "/auth/sessions"),
                ("POST", "/api/v1/data"),
            ] {
                let call = server.request(method, path).token(bearer);
                let answer = call.header("cookie", &format!("{ACCESS}={cookie}")).json(&json!({})).send();
                assert_eq!((answer.status, answer.code()), (status, code), "{method} {path}");
            }
            let call = server.get("/auth/verify").token(bearer);
            assert_eq!(call.header("cookie", &format!("{ACCESS}={cookie}")).send().status, status);
        };
        cases(&new, &new, 200);
        cases(&new, &old, 200);
        cases(&old, &new, 200);
        cases(&new, &other.access(), 400);
        cases(&other.access(), &new, 400);
        cases(&new, "x.y.z", 400);
        cases("x.y.z", &new, 400);
        cases(&new, &browser.refresh(), 400);
        // One that has expired still says whose it is; which of both counts is the bearer.
        server.world.advance(Duration::from_mins(2));
        cases(&new, &old, 200);
        cases(&old, &new, 401);
        // Another scheme is somebody else's.
        let basic = server.get("/auth/profile").by(&browser).header("authorization", "Basic dTpw").send();
        assert_eq!(basic.status, 200);
        let two = server.get("/auth/profile").by(&browser).header("authorization", "Bearer a b").send();
        two.refused(400, "invalid_request");
        for path in ["/auth/logout", "/auth/logout-all", "/auth/password"] {
            let answer = server.post(path).token(&other.access()).by(&browser).send();
            answer.refused(400, "invalid_request");
        }
        // Nobody was logged out by any of it.
        for browser in [&browser, &other] {
            assert_eq!(server.post("/auth/refresh").by(browser).send().status, 200);
        }
    }
}

/// One that has no cookie of ours shows nothing of itself on the fast path.
#[test]
fn c06_a_browser_without_our_cookies_is_like_any_client() {
    let server = Server::new();
    let access = server.someone().1.access;
    let call = || server.get("/auth/profile").header("cookie", "theme=dark; other=-sally");
    assert_eq!(call().token(&access).send().status, 200);
    call().send().refused(401, "not_authenticated");
    let empty = server.get("/auth/profile").by(&Browser::default()).send();
    empty.refused(401, "not_authenticated");
}
