//! Refresh tokens that are not ours, not the caller's, or not refresh tokens. None of them ends anything.

use super::support::tokens::{
    claims_of, encode, forge, forge_with, header_of, kid, merged, part, session_of, without,
};
use super::support::{PASSWORD, Server, Tokens, User};
use base::ids::SessionId;
use base::rpc::{Class, Peers as _};
use serde_json::{Value, json};
use session::{Peek, Presence};

/// Two users with a session each.
struct Two {
    server: Server,
    user: User,
    own: Tokens,
    other: Tokens,
}

impl Two {
    fn new() -> Self {
        let server = Server::new();
        let (user, own) = server.someone();
        let other = server.someone().1;
        Self { server, user, own, other }
    }

    /// Neither session has lost anything: both refresh tokens still work, and as the next of their kind.
    fn are_unharmed(&mut self, what: &str) {
        self.own = goes_on(&self.server, &self.own, what);
        self.other = goes_on(&self.server, &self.other, what);
    }
}

fn goes_on(server: &Server, tokens: &Tokens, what: &str) -> Tokens {
    assert_eq!(server.protected(&tokens.access).status, 200, "{what}");
    let next = server.refresh(&tokens.refresh);
    assert_eq!(next.status, 200, "{what}: {}", next.text);
    let next = next.tokens();
    let generation = |token: &str| claims_of(token)["gen"].as_u64().unwrap();
    assert_eq!(generation(&next.refresh), generation(&tokens.refresh) + 1, "{what}");
    next
}

/// Token `a` with one part of `b`.
fn splice(a: &str, b: &str, part: usize) -> String {
    let parts: Vec<&str> =
        a.split('.').zip(b.split('.')).enumerate().map(|(n, (a, b))| if n == part { b } else { a }).collect();
    parts.join(".")
}

/// The token with another type, under the old signature.
fn retyped(token: &str, kind: &str) -> String {
    let header = merged(header_of(token), &json!({ "typ": kind })).to_string();
    format!("{}.{}.{}", encode(header.as_bytes()), part(token, 1), part(token, 2))
}

type Forgery = fn(&Two) -> String;

const INVALID: &[(&str, &str, Forgery)] = &[
    ("J57", "an access token", |two| two.own.access.clone()),
    ("J59", "an access token typed as a refresh token by hand", |two| retyped(&two.own.access, "rt+jwt")),
    ("J59", "a refresh token typed as an access token, rightly signed", |two| {
        forge(&two.own.refresh, &json!({ "typ": "at+jwt" }), &json!({}))
    }),
    ("J59", "a refresh token typed JWT, rightly signed", |two| {
        forge(&two.own.refresh, &json!({ "typ": "JWT" }), &json!({}))
    }),
    ("R06", "the claims of another's under its own signature", |two| {
        splice(&two.own.refresh, &two.other.refresh, 1)
    }),
    ("R06", "its own claims under another's signature", |two| {
        splice(&two.own.refresh, &two.other.refresh, 2)
    }),
    ("R06", "another's session, signed with a guessed key", |two| {
        let claims = json!({ "sid": session_of(&two.other.refresh) });
        forge_with(&two.own.refresh, &json!({}), &claims, "sallyport sallyport sallyport sally")
    }),
    ("R07", "random text", |_| "k3Jx9Qw7Zr5Tn2Vb8Lm4Pc6Hd1Fg0Sy".to_owned()),
    ("R07", "a well-formed token of random bytes", |two| {
        format!("{}.e30.{}", part(&two.own.refresh, 0), "A".repeat(43))
    }),
    ("R07", "a session id", |two| session_of(&two.own.refresh)),
    ("R08", "another signature", |two| {
        let token = &two.own.refresh;
        format!("{}{}A", &token[..token.len() - 43], "B".repeat(42))
    }),
    ("R08", "a line break inside", |two| two.own.refresh.replacen('.', ".\n", 1)),
    ("R08", "a line break behind", |two| format!("{}\n", two.own.refresh)),
    ("R08", "the word Bearer before it", |two| format!("Bearer {}", two.own.refresh)),
    ("J07", "alg none", |two| {
        let header = json!({ "alg": "none", "kid": kid(), "typ": "rt+jwt" }).to_string();
        format!("{}.{}.", encode(header.as_bytes()), part(&two.own.refresh, 1))
    }),
    ("J29", "no exp", |two| without(&two.own.refresh, "exp")),
    ("J39", "a life longer than any setting allows", |two| {
        forge(&two.own.refresh, &json!({}), &json!({ "exp": 253_402_300_799_u64 }))
    }),
    ("J43", "nbf an hour ahead", |two| {
        forge(&two.own.refresh, &json!({}), &json!({ "nbf": two.server.now() + 3600 }))
    }),
    ("J47", "another issuer", |two| forge(&two.own.refresh, &json!({}), &json!({ "iss": "other" }))),
    ("J49", "another audience", |two| forge(&two.own.refresh, &json!({}), &json!({ "aud": "other" }))),
    ("J55", "no session", |two| without(&two.own.refresh, "sid")),
];

#[test]
fn what_is_no_refresh_token_is_refused_and_ends_nothing() {
    let mut two = Two::new();
    for (id, what, make) in INVALID {
        let answer = two.server.refresh(&make(&two));
        assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{id} {what}");
        two.are_unharmed(what);
    }
}

/// J40
#[test]
fn an_expired_refresh_token_is_refused_and_ends_nothing() {
    let mut two = Two::new();
    let past = two.server.now() - 1;
    let claims = json!({ "iat": past - 60, "nbf": past - 60, "exp": past });
    two.server.refresh(&forge(&two.own.refresh, &json!({}), &claims)).refused(401, "token_expired");
    two.are_unharmed("expired");
}

/// R07
#[test]
fn a_refresh_token_of_a_session_that_nobody_knows_is_refused_and_no_session_comes_of_it() {
    let mut two = Two::new();
    let host = two.server.world.host();
    let unopened = host.unique_id(Class::Session).unwrap();
    for sid in [unopened.clone(), "ab".repeat(32), host.unique_id(Class::User).unwrap()] {
        let claims = json!({ "sid": sid, "jti": format!("{sid}.0.r") });
        let foreign = forge(&two.own.refresh, &json!({}), &claims);
        two.server.refresh(&foreign).refused(401, "session_revoked_or_invalid");
    }
    let known = two.server.world.send(&session::address(&SessionId::issued(unopened)), &Peek).unwrap();
    assert_eq!(known, Presence::Unknown);
    two.are_unharmed("foreign");
}

/// R06
#[test]
fn a_refresh_token_for_another_s_session_or_a_later_generation_is_refused_and_ends_nothing() {
    let mut two = Two::new();
    let mixed = forge(&two.own.refresh, &json!({}), &json!({ "sid": session_of(&two.other.refresh) }));
    assert_eq!(two.server.refresh(&mixed).status, 401);
    two.are_unharmed("mixed");
    let next = claims_of(&two.own.refresh)["gen"].as_u64().unwrap() + 1;
    let later = forge(&two.own.refresh, &json!({}), &json!({ "gen": next }));
    two.server.refresh(&later).refused(401, "session_revoked_or_invalid");
    two.are_unharmed("later");
}

/// J56
#[test]
fn a_refresh_token_opens_no_route_not_even_an_admin_s() {
    let mut two = Two::new();
    let root = two.server.log_in("root");
    for path in ["/auth/verify", "/auth/profile", "/auth/sessions", "/api/v1/data", "/admin/users"] {
        assert_eq!(two.server.get(path).token(&root.refresh).send().status, 401, "{path}");
    }
    let body = json!({ "username": two.user.username, "password": PASSWORD });
    let login = two.server.post("/auth/login").token(&two.own.refresh).json(&body).send();
    assert_eq!(login.status, 200);
    two.are_unharmed("a login with it");
}

#[test]
fn a_refresh_token_in_the_header_and_none_in_the_body_is_none() {
    let two = Two::new();
    let answer = two.server.post("/auth/refresh").token(&two.own.refresh).json(&json!({})).send();
    answer.refused(422, "validation_error");
    assert_eq!(answer.json["errors"], json!([{ "field": "refresh_token", "message": "Required" }]));
}

/// R01
#[test]
fn a_refresh_gives_other_tokens_with_other_ids_for_the_same_session() {
    let server = Server::new();
    let first = server.someone().1;
    let next = server.refresh(&first.refresh).tokens();
    let ids: Vec<Value> = [&first.access, &first.refresh, &next.access, &next.refresh]
        .map(|token| claims_of(token)["jti"].clone())
        .into();
    for (n, id) in ids.iter().enumerate() {
        assert!(!ids[..n].contains(id), "{ids:?}");
    }
    assert_eq!(session_of(&next.access), session_of(&first.access));
}
