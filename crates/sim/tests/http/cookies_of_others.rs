//! What other sites, sibling hosts and confused clients cannot do with a browser's cookies.

use super::support::browser::OWN;
use super::support::{Answer, PASSWORD, Server};
use http::cookies::{ACCESS, REFRESH};
use http::route::{Access, Methods, ROUTES, Route};
use serde_json::{Value, json};

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
            Access::Bearer | Access::Admin | Access::AdminOrBootstrapKey | Access::ServiceOrAdmin(_) => {
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
                    let ours = PAGES.contains(&(origin, site, true));
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
