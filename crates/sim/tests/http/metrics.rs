//! What is told of the deployment as a whole, and what is counted of requests.

use super::support::Server;
use base::rpc::Class;
use http::route::ROUTES;
use std::collections::BTreeSet;

const SETTINGS: &[(&str, &str)] = &[
    ("SERVICE_AUTH", "on"),
    ("UPSTOX_ACCOUNT_IDS", "agnidata001,agnidata002"),
    ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
];

fn gauges(server: &Server, key: &str) -> String {
    let answer = server.get("/metrics").token(key).send();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.text
}

/// The samples, without what is said of them.
fn samples(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn the_gauges_are_those_of_the_accounts_and_portal_sessions() {
    let server = Server::with(SETTINGS);
    let key = server.service_key("metrics");
    let text = gauges(&server, &key);
    let version = format!("sallyport_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        samples(&text),
        [
            version.as_str(),
            "sallyport_known 1",
            "sallyport_upstream_accounts{provider=\"facturify\"} 0",
            "sallyport_upstream_accounts{provider=\"upstox\"} 2",
            "sallyport_upstream_accounts{provider=\"oauth2\"} 0",
            "sallyport_upstream_accounts_misconfigured{provider=\"facturify\"} 0",
            "sallyport_upstream_accounts_misconfigured{provider=\"upstox\"} 0",
            "sallyport_upstream_accounts_misconfigured{provider=\"oauth2\"} 0",
            "sallyport_upstream_accounts_available{provider=\"facturify\"} 0",
            "sallyport_upstream_accounts_available{provider=\"upstox\"} 0",
            "sallyport_upstream_accounts_available{provider=\"oauth2\"} 0",
            "sallyport_upstream_accounts_healthy{provider=\"facturify\"} 0",
            "sallyport_upstream_accounts_healthy{provider=\"upstox\"} 0",
            "sallyport_upstream_accounts_healthy{provider=\"oauth2\"} 0",
            "sallyport_upstream_accounts_failed{provider=\"facturify\"} 0",
            "sallyport_upstream_accounts_failed{provider=\"upstox\"} 0",
            "sallyport_upstream_accounts_failed{provider=\"oauth2\"} 0",
            "sallyport_portal_sessions{kind=\"active\"} 0",
            "sallyport_portal_sessions{kind=\"persistent\"} 0",
        ]
    );
    // Each sample has its type and help above it, as the format asks for.
    for sample in samples(&text) {
        let name = sample.split(['{', ' ']).next().unwrap();
        assert!(
            text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} gauge\n"))
        );
    }
}

#[test]
fn what_cannot_be_asked_is_left_out_and_is_no_zero() {
    let server = Server::with(SETTINGS);
    let key = server.service_key("metrics");
    assert_eq!(server.get("/metrics").token(&key).send().status, 200);
    server.world.advance(std::time::Duration::from_secs(2));
    let broken = "ALTER TABLE accounts RENAME TO kept; CREATE VIEW accounts AS SELECT * FROM missing";
    server.world.sql(Class::Roster, "roster", broken);
    let text = gauges(&server, &key);
    assert!(samples(&text).contains(&"sallyport_known 0"), "{text}");
    assert!(samples(&text).contains(&"sallyport_upstream_accounts{provider=\"upstox\"} 2"), "{text}");
    for missing in ["_available", "_healthy", "_failed", "sallyport_portal_sessions"] {
        assert!(!text.contains(missing), "{missing}: {text}");
    }
}

#[test]
fn it_is_for_services_with_the_scope() {
    let server = Server::with(SETTINGS);
    server.get("/metrics").send().refused(401, "not_authenticated");
    server.get("/metrics").token(&server.service_key("tokens:read")).send().refused(403, "forbidden");
    let (_, tokens) = server.someone();
    server.get("/metrics").token(&tokens.access).send().refused(401, "service_key_invalid");
    server.post("/metrics").token(&server.service_key("metrics")).send().refused(405, "method_not_allowed");
}

#[test]
fn nothing_that_a_caller_sends_makes_a_series() {
    let server = Server::with(SETTINGS);
    let (_, tokens) = server.someone();
    let key = server.service_key("tokens:read");
    for n in 0..20 {
        for path in
            [format!("/made-up-{n}"), format!("/accounts/made-up-{n}/token"), format!("/admin/users/u{n}")]
        {
            server.get(&path).token(&key).send();
        }
        server.request(&format!("M{n}"), "/auth/profile").send();
        server.try_log_in(&format!("nobody-{n}"), "wrong");
        assert_eq!(server.protected(&tokens.access).status, 200);
        server.refresh(&format!("token-{n}"));
    }
    let answered = server.world.answered();
    let names: BTreeSet<&str> = ROUTES.iter().map(|row| row.name).chain(["none"]).collect();
    for (route, status, code) in answered.keys() {
        assert!(names.contains(route.as_str()), "{route}");
        assert!(
            (200..600).contains(status) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{code}"
        );
    }
    let count = |route: &str, status, code: &str| {
        answered.get(&(route.to_owned(), status, code.to_owned())).copied().unwrap_or_default()
    };
    // The fast path counts, too.
    assert_eq!(count("GET /api/v1/protected", 200, ""), 20);
    assert_eq!(count("POST /auth/refresh", 401, "token_invalid"), 20);
    assert_eq!(count("none", 404, "not_found"), 20);
    assert_eq!(count("none", 405, "method_not_allowed"), 20);
    assert_eq!(count("GET /accounts/{account_id}/token", 404, "account_not_found"), 20);
}
