//! Web pages of other origins: which are let in, what they may send and read, and that nothing is said to others.

use super::support::guesses::{LOGIN_MAX_FAILURES, WRONG};
use super::support::tokens::session_of;
use super::support::{Answer, Call, PASSWORD, Server};
use base::rpc::Class;
use http::route::{Access, ForCaller, ROUTES, Route};
use serde_json::json;

const PAGE: &str = "https://app.example.com";
const LOCAL_PAGE: &str = "http://localhost:5173";
const ORIGINS: (&str, &str) = ("ALLOWED_ORIGINS", "https://app.example.com, http://localhost:5173");

const EXPOSED: &str = "x-request-id, retry-after, www-authenticate, x-device-token";
const ACCEPTED: &str =
    "authorization, content-type, accept-language, x-request-id, x-session-passive, x-device-token";

/// What pages of others are told: that the answer might have been another one.
const NOTHING: [(&str, &str); 1] = [("vary", "Origin")];

const fn readable(origin: &str) -> [(&str, &str); 4] {
    [
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", EXPOSED),
        ("vary", "Origin"),
    ]
}

const fn preflight_answer<'a>(origin: &'a str, methods: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", ACCEPTED),
        ("access-control-allow-methods", methods),
        ("access-control-allow-origin", origin),
        ("access-control-max-age", "7200"),
        ("vary", "Origin"),
    ]
}

/// Sorted by name: an answer's are.
fn cors(answer: &Answer) -> Vec<(&str, &str)> {
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    headers.filter(|(name, _)| name.starts_with("access-control-") || *name == "vary").collect()
}

/// As a browser asks before it sends what a form could not.
fn preflight<'a>(server: &'a Server, path: &str, origin: &str) -> Call<'a> {
    server.request("OPTIONS", path).headers(&[
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ])
}

/// By both ways, well and not so well.
fn calls<'a>(server: &'a Server, access: &str) -> Vec<Call<'a>> {
    let body = json!({ "refresh_token": access });
    let length = body.to_string().len().to_string();
    let refresh = || server.post("/auth/refresh").json(&body);
    vec![
        server.get("/auth/profile").token(access),
        server.request("HEAD", "/api/v1/protected").token(access),
        server.get("/auth/profile"),
        server.get("/api/v1/auth/sessions").token(access),
        server.get("/admin/users").token(access),
        server.get("/health"),
        server.get("/nowhere"),
        server.post("/auth/profile").token(access),
        server.post("/auth/login").json(&json!({})),
        server.post("/upstox/notifier/guessed"),
        refresh(),
        refresh().header("content-length", &length),
    ]
}

#[test]
fn c07_only_pages_of_allowed_origins_may_read_an_answer() {
    let server = Server::with(&[ORIGINS]);
    let access = server.someone().1.access;
    for origin in [PAGE, LOCAL_PAGE] {
        for call in calls(&server, &access) {
            let answer = call.header("origin", origin).send();
            assert_eq!(cors(&answer), readable(origin), "{answer:?}");
        }
    }
    for origin in [
        "null",
        "",
        "*",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://APP.example.com",
        "https://app.example.com.evil.test",
        "https://evilapp.example.com",
        "https://app.example.com, http://localhost:5173",
        "http://localhost",
        "http://localhost:5174",
        "https://sallyport.test",
    ] {
        for call in calls(&server, &access) {
            let answer = call.header("origin", origin).send();
            assert_eq!(cors(&answer), NOTHING, "{origin}: {answer:?}");
        }
    }
    for call in calls(&server, &access) {
        assert_eq!(cors(&call.send()), NOTHING);
    }
}

#[test]
fn without_the_setting_nothing_is_said() {
    let server = Server::new();
    let access = server.someone().1.access;
    for call in calls(&server, &access) {
        let answer = call.header("origin", PAGE).send();
        assert!(cors(&answer).is_empty(), "{answer:?}");
    }
    let asked = preflight(&server, "/auth/login", PAGE).send();
    assert_eq!((asked.status, asked.header("allow"), cors(&asked)), (204, Some("POST, OPTIONS"), vec![]));
}

#[test]
fn c07_a_preflight_is_told_the_methods_of_its_path_and_costs_no_call() {
    let server = Server::with(&[ORIGINS]);
    assert_eq!(server.get("/health").send().status, 200);
    server.world.settle();
    let before = server.world.usage();
    for (path, methods) in [
        ("/auth/login", "POST, OPTIONS"),
        ("/api/v1/auth/refresh", "POST, OPTIONS"),
        ("/auth/profile", "GET, HEAD, OPTIONS"),
        ("/api/v1/data", "GET, HEAD, POST, OPTIONS"),
        ("/auth/sessions/x", "DELETE, OPTIONS"),
        ("/admin/users/x", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ] {
        let asked = preflight(&server, path, PAGE).send();
        assert_eq!((asked.status, asked.header("allow")), (204, Some(methods)), "{path}");
        assert_eq!(cors(&asked), preflight_answer(PAGE, methods), "{path}");
        for origin in ["https://evil.test", "null"] {
            let asked = preflight(&server, path, origin).send();
            assert_eq!((asked.status, cors(&asked)), (204, NOTHING.to_vec()), "{path}");
        }
    }
    server.world.settle();
    let used = server.world.usage() - before;
    assert_eq!((used.object_requests, used.kv_reads, used.kv_writes, used.kv_lists), (0, 0, 0, 0));
    assert_eq!(used.requests, 18);
}

#[test]
fn every_path_is_for_pages_but_those_of_services_and_proxies() {
    let development = [("DEBUG_ROUTES", "on"), ("MOCK_ROUTES", "on"), ("ENVIRONMENT", "development")];
    let server = Server::with(&[&[ORIGINS][..], &development].concat());
    for row in ROUTES {
        let path = row.pattern.replace(['{', '}'], "");
        let asked = preflight(&server, &path, PAGE).send();
        let told = cors(&asked);
        match (row.access, row.route) {
            // An answer would let it through to who stands behind the proxy.
            (_, Route::Caller(ForCaller::Verify)) => assert_eq!((asked.status, told), (401, vec![])),
            (Access::Service(_) | Access::ServiceOrAdmin(_), _) => {
                assert_eq!((asked.status, told), (204, vec![]), "{path}");
            }
            // For any page, without asking before.
            (_, route) if route.is_public_document() => assert_eq!((asked.status, told), (204, vec![])),
            (Access::SecretPath, _) => {
                let nowhere = preflight(&server, "/nowhere", PAGE).send();
                assert_eq!((asked.status, &asked.text), (404, &nowhere.text));
                assert_eq!(told, cors(&nowhere));
            }
            _ => {
                let methods = asked.header("allow").unwrap();
                assert_eq!((asked.status, told), (204, preflight_answer(PAGE, methods).to_vec()), "{path}");
            }
        }
    }
}

#[test]
fn services_and_proxies_get_the_answer_without_cors() {
    let server = Server::with(&[ORIGINS]);
    let access = server.someone().1.access;
    for (call, status) in [
        (server.get("/auth/verify").token(&access), 200),
        (server.get("/auth/verify"), 401),
        (server.get("/accounts").token(&access), 403),
        (server.get("/accounts/a/token").token(&access), 401),
        (server.post("/accounts"), 405),
        (server.get("/sessions").token(&access), 403),
        (server.post("/get_session").token(&access), 401),
    ] {
        let answer = call.header("origin", PAGE).send();
        assert_eq!((answer.status, cors(&answer)), (status, vec![]), "{answer:?}");
    }
}

#[test]
fn a_page_reads_why_it_was_refused() {
    let server = Server::with(&[ORIGINS]);
    let (user, tokens) = server.someone();
    let page = |call: Call<'_>| {
        let answer = call.header("origin", PAGE).unchecked();
        assert_eq!(cors(&answer), readable(PAGE), "{answer:?}");
        (answer.status, answer.code().to_owned())
    };
    let said = |status: u16, code: &str| (status, code.to_owned());
    for path in ["/auth/profile", "/auth/sessions"] {
        assert_eq!(page(server.get(path).token("x.y.z")), said(401, "token_invalid"));
    }
    assert_eq!(page(server.get("/admin/users").token(&tokens.access)), said(403, "forbidden"));
    assert_eq!(page(server.post("/auth/login").body("{")), said(415, "unsupported_media_type"));
    let from = server.address();
    let login = |password: &str| page(server.login_from(&user.username, password, &from));
    assert_eq!(login(WRONG), said(401, "invalid_credentials"));
    server.wrong_guesses(LOGIN_MAX_FAILURES, &user.username, &from);
    assert_eq!(login(PASSWORD), said(429, "too_many_attempts"));
    server.world.put_row(Class::Session, &session_of(&tokens.access), "session", "broken");
    for path in ["/auth/profile", "/auth/sessions"] {
        assert_eq!(page(server.get(path).token(&tokens.access)), said(503, "service_unavailable"));
    }
}

#[test]
fn a_login_hands_its_device_token_to_the_page() {
    let server = Server::with(&[ORIGINS]);
    let user = server.make_user();
    let body = json!({ "username": user.username, "password": PASSWORD });
    let login = server.post("/auth/login").json(&body).header("origin", PAGE).send();
    assert_eq!((login.status, cors(&login)), (200, readable(PAGE).to_vec()));
    // What else an answer has is known to every page, or no page's business.
    let known = ["cache-control", "content-type", "pragma", "vary", "x-content-type-options"];
    for name in login.headers.keys().filter(|name| !name.starts_with("access-control-")) {
        assert!(
            known.contains(&name.as_str()) || EXPOSED.split(", ").any(|exposed| exposed == name),
            "{name}"
        );
    }
    assert!(login.header("x-device-token").is_some());
}

#[test]
fn a_page_hears_that_the_settings_are_wrong_unless_they_are_wrong_about_it() {
    let server = Server::new();
    server.deploy(&[ORIGINS, ("SESSION_CHECK", "lax")]);
    let misconfigured =
        |answer: &Answer| (answer.status, answer.code() == "configuration_error") == (503, true);
    for path in ["/health", "/auth/profile"] {
        let answer = server.get(path).header("origin", PAGE).unchecked();
        assert!(misconfigured(&answer) && cors(&answer) == readable(PAGE), "{answer:?}");
        let answer = server.get(path).header("origin", "https://evil.test").unchecked();
        assert!(misconfigured(&answer) && cors(&answer) == NOTHING, "{answer:?}");
    }
    let answer = server.get("/auth/verify").header("origin", PAGE).unchecked();
    assert!(answer.status == 503 && cors(&answer).is_empty(), "{answer:?}");
    let asked = preflight(&server, "/auth/login", PAGE).unchecked();
    assert_eq!(cors(&asked), preflight_answer(PAGE, "POST, OPTIONS"));
    let asked = preflight(&server, "/auth/login", "null").unchecked();
    assert!(misconfigured(&asked) && cors(&asked) == NOTHING, "{asked:?}");
    for wrong in ["https://app.example.com/", "https://app.example.com, *", "http://localhost:*"] {
        server.deploy(&[("ALLOWED_ORIGINS", wrong)]);
        let answer = server.get("/health").header("origin", PAGE).unchecked();
        assert!(misconfigured(&answer) && cors(&answer).is_empty(), "{wrong}: {answer:?}");
    }
}

/// Under `local` all goes the handlers' way.
#[test]
fn with_and_without_the_fast_path_the_headers_are_the_same() {
    for origin in [None, Some(PAGE), Some("https://evil.test"), Some("null")] {
        let headers = |check: &str| -> Vec<_> {
            let server = Server::with(&[ORIGINS, ("SESSION_CHECK", check)]);
            let access = server.someone().1.access;
            let calls = ["/auth/profile", "/api/v1/protected", "/auth/verify"].into_iter().flat_map(|path| {
                let call = || server.get(path).header("x-request-id", "the-same");
                [
                    call(),
                    call().token(&access),
                    call().token("x.y.z"),
                    call().header("authorization", "Bearer a b"),
                ]
            });
            let from: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
            let mut answers = server.unread(calls.map(|call| call.headers(&from)).collect());
            // The session's own.
            for answer in &mut answers {
                answer.headers.retain(|(name, _)| !name.starts_with("x-auth-"));
            }
            answers.into_iter().map(|answer| (answer.status, answer.headers)).collect()
        };
        assert_eq!(headers("strict"), headers("local"), "{origin:?}");
    }
}

#[test]
fn in_development_pages_of_this_machine_may_have_any_port() {
    let server = Server::with(&[("ENVIRONMENT", "development"), ("ALLOWED_ORIGINS", "http://localhost:*")]);
    for origin in ["http://localhost:5173", "http://localhost"] {
        // Cookies are for pages that are named, port and all.
        let [_, without_credentials @ ..] = readable(origin);
        assert_eq!(cors(&server.get("/health").header("origin", origin).send()), without_credentials);
    }
    for origin in ["http://localhost:5173.evil.test", "http://127.0.0.1:5173", "null"] {
        assert_eq!(cors(&server.get("/health").header("origin", origin).send()), NOTHING);
    }
}
