//! What a proxy may ask `/auth/verify`, and what nobody gets out of it by a path.

use super::support::tokens::claims_of;
use super::support::{Answer, Server};
use base::clock::Timestamp;
use std::time::Duration;

/// Paths of requests that a proxy asks about, as a client forges them.
const FORGED: [&str; 5] = [
    "/../../health",
    "/%2e%2e/%2e%2e/health",
    "/..\\..\\health",
    "/../../api/v1/postlogin/health",
    "/x?role=user#/../../health",
];
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn lets_in(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// What was real: `/auth/verify/../../health` is 200 without a token, and `OPTIONS /auth/verify` is 204. A client of ours cannot
/// resolve a path as the platform does, so this holds what is left: nothing is below `/auth/verify`, and what stands in the
/// query, as the recipe for Envoy has it, changes nothing.
#[test]
fn f13_no_path_and_no_method_lets_anybody_in_without_a_token() {
    let server = Server::new();
    let token = server.someone().1.access;
    for method in METHODS {
        for prefix in ["/auth/verify", "/api/v1/auth/verify"] {
            let asked = server.request(method, prefix).send();
            assert_eq!((asked.status, asked.text.as_str()), (401, ""), "{method} {prefix}");
            let asked = server.request(method, prefix).token(&token).send();
            assert_eq!(
                (asked.status, asked.header("x-auth-roles")),
                (200, Some("user")),
                "{method} {prefix}"
            );
            for path in FORGED {
                let below = format!("{prefix}{path}");
                assert!(!lets_in(&server.request(method, &below).send()), "{method} {below}");
                assert!(!lets_in(&server.request(method, &below).token(&token).send()), "{method} {below}");
                let asked = format!("{prefix}?path={path}");
                assert_eq!(server.request(method, &asked).send().status, 401, "{method} {asked}");
                assert_eq!(server.request(method, &asked).token(&token).send().status, 200, "{asked}");
                // What the proxy asks for is asked for, whatever the client puts behind it.
                let asked = format!("{prefix}?role=editor&path={path}&role=user");
                assert_eq!(server.request(method, &asked).token(&token).send().status, 403, "{asked}");
            }
        }
    }
    for method in ["TRACE", "PROPFIND"] {
        assert!(!lets_in(&server.request(method, "/auth/verify").token(&token).send()), "{method}");
    }
}

/// On the fast path (`strict`), and on the whole way.
#[test]
fn x_auth_expires_is_when_the_token_ends_however_strictly_it_is_checked() {
    for check in ["strict", "edge", "local"] {
        let server = Server::with(&[("SESSION_CHECK", check)]);
        let tokens = server.someone().1;
        let verified = |token: &str| {
            let answer = server.get("/auth/verify").token(token).send();
            assert_eq!(answer.status, 200, "{check}");
            answer.header("x-auth-expires").and_then(Timestamp::parse_rfc3339).unwrap()
        };
        let expires = |token: &str| Timestamp::from_seconds(claims_of(token)["exp"].as_u64().unwrap());
        assert_eq!(verified(&tokens.access), expires(&tokens.access), "{check}");
        // It is the token's, not the session's: to be active moves nothing, and the next token has its own.
        server.world.advance(Duration::from_mins(1));
        assert_eq!(verified(&tokens.access), expires(&tokens.access), "{check}");
        let next = server.refresh(&tokens.refresh).tokens().access;
        assert!(expires(&next) > expires(&tokens.access), "{check}");
        assert_eq!(verified(&next), expires(&next), "{check}");
        let refused = server.get("/auth/verify?role=editor").token(&next).send();
        assert_eq!((refused.status, refused.header("x-auth-expires")), (403, None), "{check}");
    }
}
