//! A refresh takes the fast path where its body says how long it is, and the handler's way where it does not: both answer the
//! same, to the byte, and leave the same behind.

use super::support::{Server, Tokens};
use http::fast_path::refresh;
use serde_json::json;
use sim::Request;
use std::time::Duration;

/// A body, from the tokens of a session that has been refreshed once, and the content type.
type Case = (&'static str, fn(&Tokens, &Tokens) -> Vec<u8>, &'static str);

fn body(token: &str) -> Vec<u8> {
    json!({ "refresh_token": token }).to_string().into_bytes()
}

const JSON: &str = "application/json";

const CASES: &[Case] = &[
    ("good", |_, last| body(&last.refresh), JSON),
    ("the one before, within the grace", |first, _| body(&first.refresh), JSON),
    ("an access token", |_, last| body(&last.access), JSON),
    ("no token", |_, _| b"{}".to_vec(), JSON),
    ("nothing", |_, _| Vec::new(), JSON),
    ("a list", |_, _| b"[]".to_vec(), JSON),
    ("a number", |_, _| br#"{"refresh_token":1}"#.to_vec(), JSON),
    ("no JSON", |_, _| b"{".to_vec(), JSON),
    ("no UTF-8", |_, _| b"{\"refresh_token\":\"\xff\"}".to_vec(), JSON),
    ("a byte order mark", |_, last| ["\u{feff}".as_bytes(), &body(&last.refresh)].concat(), JSON),
    ("another type", |_, last| body(&last.refresh), "text/plain"),
    ("another charset", |_, last| body(&last.refresh), "application/json; charset=latin1"),
    ("too long", |_, _| body(&"x".repeat(17 * 1024)), JSON),
    ("a long token", |_, _| body(&"x".repeat(5000)), JSON),
    (
        "in Spanish",
        |_, last| json!({ "refresh_token": last.access, "language": "es" }).to_string().into_bytes(),
        JSON,
    ),
];

/// What comes of a request: the answer, what was logged, and what is stored.
fn outcome(case: &Case, length: bool, before: impl Fn(&Server, &Tokens)) -> String {
    let page = "https://app.example.com";
    let server = Server::with(&[("ALLOWED_ORIGINS", page)]);
    let (_, first) = server.someone();
    let again = server.refresh(&first.refresh).json;
    let text = |name: &str| again[name].as_str().unwrap().to_owned();
    let last = Tokens { access: text("access_token"), refresh: text("refresh_token") };
    before(&server, &last);
    server.world.take_logs();
    let bytes = case.1(&first, &last);
    let mut request = Request::new("POST", "/auth/refresh").header("content-type", case.2);
    request = request
        .header("cf-connecting-ip", "192.0.2.7")
        .header("accept-language", "vi")
        .header("origin", page);
    if length {
        request = request.header("content-length", bytes.len().to_string());
    }
    request.body = Some(bytes);
    let host = server.world.host();
    let answered = server.world.run_until(async move { sim::request(&host, request).await });
    server.world.settle();
    let logs: Vec<String> = server.world.logs().into_iter().map(|line| line.text).collect();
    format!("{answered:#?}\n{}\n{:#?}", logs.join("\n"), server.world.kv())
}

fn same(case: &Case, before: impl Fn(&Server, &Tokens) + Copy) {
    let (fast, other) = (outcome(case, true, before), outcome(case, false, before));
    assert_eq!(fast, other, "{}", case.0);
    assert!(fast.contains("status: "), "{fast}");
}

/// Which way it is.
#[test]
fn a_body_that_says_how_long_it_is_takes_the_fast_path() {
    let url = "http://localhost:8787/auth/refresh";
    let server = Server::new();
    let host = server.world.host();
    let app = config::Settings::settings(&host).unwrap();
    let begun = http::fast_path::begin(&host, &app, &format!("\n\nPOST\n{url}\n\n\n\n"));
    assert_eq!(begun.as_deref(), Some(refresh::BODY));
    let takes = |length: &str| refresh::takes(&format!("POST\n{url}\n\n\n\n\n{length}\n{JSON}\n"));
    assert!(takes("10") && takes("16384") && !takes("16385") && !takes("") && !takes("-1"));
}

#[test]
fn both_ways_of_a_refresh_answer_the_same() {
    for case in CASES {
        same(case, |_, _| {});
    }
}

/// What takes more than a step: the end is told everywhere before the answer.
#[test]
fn both_ways_of_a_refresh_find_reuse_and_ends_alike() {
    let reuse: Case = ("reuse", |first, _| body(&first.refresh), JSON);
    same(&reuse, |server, last| {
        assert_eq!(server.protected(&last.access).status, 200);
        server.world.at(server.world.now().plus(Duration::from_mins(2)));
    });
    let over: Case = ("over", |_, last| body(&last.refresh), JSON);
    same(&over, |server, _| server.world.advance(Duration::from_mins(31)));
    // Nobody has noticed yet.
    same(&over, |server, _| server.world.at(server.world.now().plus(Duration::from_mins(31))));
}
