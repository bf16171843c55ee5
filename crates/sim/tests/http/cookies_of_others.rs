//! What other sites, sibling hosts and confused clients cannot do with a browser's cookies.

use super::support::browser::{Browser, OWN, OWN_PAGE};
use super::support::tokens::session_of;
use super::support::{Answer, PASSWORD, Server};
use http::cookies::{ACCESS, REFRESH};
use http::route::{Access, ForCaller, Methods, ROUTES, Route};
use serde_json::{Value, json};
use std::time::Duration;

const NAMED: &str = "https://app.example.com";
const ORIGINS: (&str, &str) = ("ALLOWED_ORIGINS", "https://app.example.com");
const EVIL: &str = "https://evil.test";

/// What a request says of its page: `Origin`, `Sec-Fetch-Site`, and whether it may change something then.
const PAGES: &[(Option<&str>, Option<&str>, bool)] = &[
    (Some(OWN), Some("same-origin"), true),
    // Browsers that know no `Sec-Fetch-Site`, or see no secure context.
    (Some(OWN), None, true),
    (None, Some("same-origin"), true),
    (Some(NAMED), None, true),
    (Some(NAMED), Some("same-site"), true),
    (Some(NAMED), Some("cross-site"), true),
    (None, None, false),
    (None, Some("none"), false),
    (None, Some("same-site"), false),
    (None, Some("cross-site"), false),
    (None, Some("same-origin, cross-site"), false),
    (None, Some("SAME-ORIGIN"), false),
    (None, Some(""), false),
    // What does not fit together is not believed.
    (Some(OWN), Some("same-site"), false),
    (Some(OWN), Some("cross-site"), false),
    (Some(OWN), Some("none"), false),
    (Some(EVIL), Some("same-origin"), false),
    (Some(EVIL), Some("cross-site"), false),
    (Some(EVIL), None, false),
    (Some("null"), Some("cross-site"), false),
    (Some("null"), None, false),
    (Some(""), None, false),
    // Nearly.
    (Some("https://localhost:8787"), None, false),
    (Some("http://localhost"), None, false),
    (Some("http://localhost:87870"), None, false),
    (Some("http://localhost:8787/"), None, false),
    (Some("http:"), None, false),
    (Some("http://localhost:8787.evil.test"), None, false),
    (Some("http://127.0.0.1:8787"), None, false),
    (Some("http://app.example.com"), None, false),
    (Some("https://app.example.com.evil.test"), None, false),
    (Some("https://evilapp.example.com"), None, false),
    (Some("https://app.example.com, https://evil.test"), None, false),
];

fn of_page(origin: Option<&'static str>, site: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
    let headers = [origin.map(|origin| ("origin", origin)), site.map(|site| ("sec-fetch-site", site))];
    headers.into_iter().flatten().collect()
}

fn refused_as_cross_site(answer: &Answer) -> bool {
    assert!(answer.status != 403 || answer.code() == "cross_site_request" || answer.text.is_empty());
    answer.status == 403
}

/// C03, C04, C05: each page with each kind of request that changes something, and with one that does not.
#[test]
fn c03_c04_c05_only_pages_of_ours_may_change_something_by_cookie() {
    let server = Server::with(&[ORIGINS]);
    let user = server.make_user();
    for (origin, site, ours) in PAGES.iter().copied() {
        let page = of_page(origin, site);
        let mut browser = server.browser(&user.username);
        let cookies = |path: &str| browser.header(path);
        let send = |method: &str, path: &str, body: Option<Value>| {
            let call = server.request(method, path).header("cookie", &cookies(path)).headers(&page);
            let call = if let Some(body) = &body { call.json(body) } else { call };
            call.send()
        };
        for (method, path) in [
            ("GET", "/auth/profile"),
            ("HEAD", "/api/v1/protected"),
            ("GET", "/auth/sessions"),
            ("GET", "/api/v1/data"),
        ] {
            assert_eq!(send(method, path, None).status, 200, "{method} {path} {page:?}");
        }
        let login = json!({ "username": user.username, "password": PASSWORD, "cookie": true });
        for (method, path, body, status) in [
            ("POST", "/api/v1/data", Some(json!({ "a": 1 })), 200),
            ("DELETE", "/auth/sessions/nobody", None, 404),
            ("PATCH", "/admin/users/nobody", Some(json!({})), 403),
            ("POST", "/auth/password", Some(json!({ "old_password": "x", "new_password": "y" })), 422),
            ("POST", "/auth/logout-all", Some(json!({ "keep_current": true })), 200),
            ("POST", "/auth/login", Some(login), 200),
        ] {
            let answer = send(method, path, body);
            if ours {
                assert_eq!(answer.status, status, "{method} {path} {page:?}: {}", answer.text);
            } else {
                answer.refused(403, "cross_site_request");
                assert!(answer.cookies.is_empty(), "{method} {path} {page:?}");
            }
        }
        // The login has taken the place of the session before.
        if ours {
            browser = server.browser(&user.username);
        }
        for path in ["/auth/refresh", "/auth/logout"] {
            let call = server.post(path).header("cookie", &browser.header(path)).headers(&page);
            let answer = call.send();
            assert_eq!(refused_as_cross_site(&answer), !ours, "{path} {page:?}");
            browser.take(&answer);
        }
        let after = server.get("/auth/profile").header("cookie", &browser.header("/auth/profile")).send();
        assert_eq!(after.status, if ours { 401 } else { 200 }, "{page:?}");
    }
}

/// What a form of another site can send: no header of its own, and no JSON.
#[test]
fn c04_a_form_of_another_site_changes_nothing() {
    let server = Server::new();
    let browser = server.some_browser();
    for (path, body) in [
        ("/api/v1/data", r#"{"a":1,"x="}"#),
        ("/auth/logout", ""),
        ("/auth/logout-all", ""),
        ("/auth/refresh", ""),
        ("/auth/login", r#"{"username":"a","password":"b","cookie":true}"#),
    ] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            for page in
                [&[("origin", EVIL), ("sec-fetch-site", "cross-site")][..], &[("origin", "null")], &[]]
            {
                let call = server.post(path).header("cookie", &browser.header(path)).headers(page);
                let answer = call.header("content-type", kind).body(body).send();
                assert!([403, 415].contains(&answer.status), "{path} {kind}: {answer:?}");
            }
        }
    }
    assert_eq!(server.get("/auth/profile").by(&browser).send().status, 200);
}

/// Every route: by cookie as by bearer where a user is asked for, and as with nothing where a service is.
#[test]
fn a_cookie_lets_in_where_a_bearer_does_and_nowhere_else() {
    let development = [("DEBUG_ROUTES", "on"), ("MOCK_ROUTES", "on"), ("ENVIRONMENT", "development")];
    let server = Server::with(&development);
    let admin = server.make_user_with("chief", &["admin", "user"]);
    let browser = server.browser(&admin.username);
    for row in ROUTES {
        let path = row.pattern.replace(['{', '}'], "");
        let method = ["GET", "POST", "DELETE", "PATCH"]
            .into_iter()
            .find(|name| row.methods.intersects(Methods::named(name)));
        let method = method.unwrap();
        let call = || server.request(method, &path);
        let comparable = |answer: Answer| (answer.status, answer.code().to_owned());
        let with_cookie = || call().by(&browser).header("x-forwarded-method", method);
        match row.access {
            Access::Bearer | Access::Admin | Access::AdminOrBootstrapKey => {
                // Those that end the session are elsewhere.
                if matches!(row.route, Route::Leave(_)) || method == "DELETE" {
                    continue;
                }
                let (cookie, bearer) = (with_cookie().send(), call().token(&browser.access()).send());
                assert_eq!(comparable(cookie), comparable(bearer), "{method} {path}");
                assert_ne!(comparable(with_cookie().send()).0, 401, "{method} {path}");
                let evil = call().by(&browser).header("origin", EVIL).send();
                assert_eq!(
                    refused_as_cross_site(&evil),
                    method != "GET" || path == "/auth/verify",
                    "{method} {path}"
                );
            }
            Access::Service(_) => {
                let (cookie, nothing) = (with_cookie().send(), call().send());
                assert_eq!(comparable(cookie), comparable(nothing), "{method} {path}");
                assert!(matches!(call().by(&browser).send().status, 400 | 401 | 422), "{method} {path}");
            }
            Access::Anybody | Access::ResetKey | Access::SecretPath => {}
        }
    }
}

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

/// A proxy asks with the browser's cookies; what it asks about is in a header.
#[test]
fn c03_a_proxy_is_told_of_a_request_by_cookie_what_its_page_may_do() {
    const METHOD: [&str; 2] = ["x-forwarded-method", "x-original-method"];
    for check in ["strict", "local"] {
        let server = Server::with(&[ORIGINS, ("SESSION_CHECK", check)]);
        let browser = server.some_browser();
        let cookies = browser.header("/auth/verify");
        let asked = |method: &str, headers: &[(&str, &str)]| {
            let answer =
                server.request(method, "/auth/verify").header("cookie", &cookies).headers(headers).send();
            assert!(answer.text.is_empty() && answer.cookies.is_empty());
            assert_eq!(answer.status == 200, answer.header("x-auth-user").is_some());
            answer.status
        };
        for name in METHOD {
            for method in ["GET", "HEAD", "OPTIONS"] {
                for asks_with in ["GET", "POST"] {
                    assert_eq!(asked(asks_with, &[(name, method)]), 200, "{name} {method}");
                    let from_a_link = [(name, method), ("sec-fetch-site", "cross-site")];
                    assert_eq!(asked(asks_with, &from_a_link), 200, "{name} {method}");
                }
            }
            for method in ["POST", "DELETE", "get", "", "GET, POST", "PROPFIND"] {
                for (origin, site, _) in PAGES.iter().copied() {
                    // Behind a proxy a page is not of the origin that Sallyport is asked at, unless it is named.
                    let ours = PAGES.iter().any(|page| *page == (origin, site, true));
                    let headers = [vec![(name, method)], of_page(origin, site)].concat();
                    assert_eq!(asked("GET", &headers), if ours { 200 } else { 403 }, "{headers:?}");
                }
            }
        }
        // Where the two differ, or the proxy says nothing, it may be anything.
        assert_eq!(asked("GET", &[(METHOD[0], "GET"), (METHOD[1], "POST")]), 403);
        assert_eq!(asked("GET", &[(METHOD[0], "GET"), (METHOD[1], "GET")]), 200);
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            assert_eq!(asked(method, &[]), 403);
            assert_eq!(asked(method, &[("sec-fetch-site", "cross-site")]), 403);
            assert_eq!(asked(method, &[("origin", NAMED)]), 200);
        }
        // A bearer needs nothing of all this.
        let bearer = server.post("/auth/verify").token(&browser.access()).header("origin", EVIL).send();
        assert_eq!(bearer.status, 200);
    }
}

/// In development a page of any port of this machine may read what it may read with a token; cookies are for those that are named.
#[test]
fn c07_an_open_port_is_not_an_origin_that_is_named() {
    let server = Server::with(&[("ENVIRONMENT", "development"), ("ALLOWED_ORIGINS", "http://localhost:*")]);
    let browser = server.some_browser();
    let write = |origin: &str| {
        let call = server.post("/api/v1/data").json(&json!({})).header("origin", origin);
        call.header("cookie", &browser.header("/api/v1/data")).send()
    };
    write("http://localhost:5173").refused(403, "cross_site_request");
    assert_eq!(write(OWN).status, 200);
    server.deploy(&[("ENVIRONMENT", "development"), ("ALLOWED_ORIGINS", "http://localhost:5173")]);
    assert_eq!(write("http://localhost:5173").status, 200);
}

/// Under `local` all goes the handlers' way.
#[test]
fn with_and_without_the_fast_path_cookies_are_read_alike() {
    let answers = |check: &str| -> Vec<String> {
        let server = Server::with(&[ORIGINS, ("SESSION_CHECK", check)]);
        let (browser, other) = (server.some_browser(), server.some_browser());
        let mut out = Vec::new();
        for path in ["/auth/profile", "/api/v1/protected", "/auth/verify"] {
            for cookies in [
                format!("{ACCESS}={}", browser.access()),
                format!("{ACCESS}={}; {ACCESS}={}", browser.access(), other.access()),
                format!("{ACCESS}=x.y.z"),
                format!("{REFRESH}={}", browser.refresh()),
            ] {
                for bearer in [None, Some(browser.access()), Some(other.access()), Some("x y".to_owned())] {
                    for origin in [None, Some(OWN), Some(NAMED), Some(EVIL)] {
                        let call = server.get(path).header("cookie", &cookies).header("x-request-id", "one");
                        let call = if let Some(bearer) = &bearer { call.token(bearer) } else { call };
                        let call =
                            if let Some(origin) = origin { call.header("origin", origin) } else { call };
                        let answer = server.unread(vec![call]).remove(0);
                        let headers = answer.headers.iter().filter(|(name, _)| !name.starts_with("x-auth"));
                        let headers: Vec<_> = headers.collect();
                        let body = if answer.status == 200 { None } else { answer.body.as_ref() };
                        out.push(format!("{path} {origin:?} {} {headers:?} {body:?}", answer.status));
                    }
                }
            }
        }
        out
    };
    let (fast, slow) = (answers("strict"), answers("local"));
    assert_eq!(fast, slow);
    assert!(fast.iter().any(|line| line.contains(" 200 ")) && fast.iter().any(|line| line.contains(" 403 ")));
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
    let verify = ROUTES.iter().find(|row| row.route == Route::Caller(ForCaller::Verify)).unwrap();
    assert_eq!(verify.methods, Methods::ALL);
}
