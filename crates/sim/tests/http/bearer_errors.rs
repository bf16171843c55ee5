//! What a refusal says in `WWW-Authenticate` (RFC 6750 §3).

use super::support::tokens::forge;
use super::support::{PASSWORD, Server};
use serde_json::json;

const REALM: &str = "Bearer realm=\"sallyport\"";
const INVALID: &str = "Bearer realm=\"sallyport\", error=\"invalid_token\"";
const MALFORMED: &str = "Bearer realm=\"sallyport\", error=\"invalid_request\"";

/// On the fast path and beside it, and a route that reads a body. A logout is for tokens that are over, too.
const ROUTES: [(&str, &str); 8] = [
    ("GET", "/auth/profile"),
    ("GET", "/auth/verify"),
    ("HEAD", "/auth/verify"),
    ("GET", "/auth/sessions"),
    ("GET", "/api/v1/data"),
    ("POST", "/api/v1/auth/logout-all"),
    ("GET", "/admin/users"),
    ("GET", "/debug/session-info"),
];

fn deployment() -> Server {
    Server::with(&[("DEBUG_ROUTES", "on")])
}

fn everywhere(server: &Server, what: &str, headers: &[(&str, &str)], status: u16, challenge: &str) {
    for (method, path) in ROUTES {
        let answer = server.request(method, path).headers(headers).send();
        let got = (answer.status, answer.header("www-authenticate"));
        assert_eq!(got, (status, Some(challenge)), "{what}: {method} {path}");
    }
}

/// B01, B06
#[test]
fn without_a_bearer_token_there_is_a_challenge_and_no_error_in_it() {
    let server = deployment();
    everywhere(&server, "no credentials", &[], 401, REALM);
    for (id, what, header) in [
        ("B06", "Basic credentials", "Basic dXNlcjpwYXNz"),
        ("B06", "Digest credentials", "Digest username=\"a\""),
        ("B06", "a bare token", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        ("B01", "an empty header", ""),
        ("B01", "no token after the scheme", "Bearer"),
        ("B01", "only spaces after the scheme", "Bearer   "),
        ("B01", "a scheme that only begins like Bearer", "Bearerx abc"),
    ] {
        everywhere(&server, &format!("{id} {what}"), &[("authorization", header)], 401, REALM);
    }
}

/// B02
#[test]
fn a_token_that_is_refused_is_invalid() {
    let server = deployment();
    let tokens = server.someone().1;
    let expired = forge(&tokens.access, &json!({}), &json!({ "iat": 1_000, "nbf": 1_000, "exp": 2_000 }));
    let unknown = forge(&tokens.access, &json!({}), &json!({ "sid": "ab".repeat(32) }));
    let revoked = server.someone().1.access;
    assert_eq!(server.post("/auth/logout").token(&revoked).send().status, 200);
    for (what, token) in [
        ("a bad token", "x.y.z"),
        ("an expired token", &expired),
        ("a token of an unknown session", &unknown),
        ("a refresh token", &tokens.refresh),
        ("a revoked token", &revoked),
    ] {
        everywhere(&server, what, &[("authorization", &format!("Bearer {token}"))], 401, INVALID);
    }
}

/// B03
#[test]
fn what_is_not_one_token_is_a_malformed_request() {
    let server = deployment();
    for (what, header) in [
        ("two tokens", "Bearer a.b.c, Bearer d.e.f"),
        ("a token with a space", "Bearer a.b c"),
        ("a token with parameters", "Bearer a.b.c, realm=\"x\""),
    ] {
        everywhere(&server, what, &[("authorization", header)], 400, MALFORMED);
    }
}

/// B04
#[test]
fn a_role_that_is_missing_is_an_insufficient_scope() {
    let server = deployment();
    let token = server.someone().1.access;
    for path in ["/admin/users", "/admin/sessions/active", "/auth/verify?role=admin"] {
        let answer = server.get(path).token(&token).send();
        let scope = format!("{REALM}, error=\"insufficient_scope\"");
        assert_eq!((answer.status, answer.header("www-authenticate")), (403, Some(scope.as_str())), "{path}");
    }
}

/// B05
#[test]
fn nothing_of_a_token_comes_back_in_the_challenge() {
    let evil = "x\", error=\"none\", realm=\"evil";
    let server = deployment();
    let token = server.someone().1.access;
    for token in [
        forge(&token, &json!({ "kid": evil }), &json!({})),
        forge(&token, &json!({ "kid": "k1\r\nset-cookie: a=b" }), &json!({})),
        forge(&token, &json!({}), &json!({ "iss": evil, "sub": evil, "sid": evil })),
    ] {
        let header = format!("Bearer {token}");
        everywhere(&server, "evil", &[("authorization", &header)], 401, INVALID);
        assert_eq!(server.get("/auth/profile").token(&token).send().header("set-cookie"), None);
    }
    let raw = server.get("/auth/profile").token(&evil.replace(' ', "")).send();
    assert_eq!((raw.status, raw.header("www-authenticate")), (400, Some(MALFORMED)));
}

#[test]
fn a_wrong_password_is_challenged_without_an_error_as_no_token_was_given() {
    let server = deployment();
    let (user, tokens) = server.someone();
    assert_eq!(server.try_log_in(&user.username, PASSWORD).status, 200);
    let wrong = server.try_log_in(&user.username, "wrong password");
    assert_eq!((wrong.status, wrong.header("www-authenticate")), (401, Some(REALM)));
    // A refused refresh token is an invalid one.
    let refused = server.refresh("x.y.z");
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some(INVALID)));
    assert_eq!(server.refresh(&tokens.refresh).status, 200);
}
