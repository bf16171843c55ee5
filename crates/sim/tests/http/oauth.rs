//! Introspection (RFC 7662) and revocation (RFC 7009) by services.

use super::support::tokens::{claims_of, forge, session_of};
use super::support::{Answer, PASSWORD, Server, Tokens, User};
use base::rpc::Class;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use std::time::Duration;

/// Fields of a form, or headers.
type Pairs<'a> = &'a [(&'a str, &'a str)];

const FORM: &str = "application/x-www-form-urlencoded";

struct Play {
    server: Server,
    key: String,
    user: User,
    tokens: Tokens,
}

impl Play {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let server = Server::with(settings);
        let key = key(&server, "introspect");
        let (user, tokens) = server.someone();
        Self { server, key, user, tokens }
    }

    fn form(&self, path: &str, fields: Pairs<'_>, headers: Pairs<'_>) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let call = self.server.post(path).header("content-type", FORM).headers(headers);
        call.body(form.finish()).send()
    }

    fn introspect(&self, token: &str) -> Value {
        let answer = self.form("/oauth/introspect", &[("token", token)], &[("x-api-key", &self.key)]);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    fn revoke(&self, token: &str) -> Answer {
        self.form("/oauth/revoke", &[("token", token)], &[("x-api-key", &self.key)])
    }

    fn id(&self) -> &str {
        self.key.split('_').nth(1).unwrap()
    }
}

fn key(server: &Server, scope: &str) -> String {
    let body = json!({ "name": "a resource server", "scopes": [scope] });
    let made = server.post("/admin/service-keys").token(&server.fresh_admin()).json(&body).send();
    made.json["key"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[test]
fn a_live_token_is_active_and_says_whose_it_is() {
    let play = Play::new();
    let claims = claims_of(&play.tokens.access);
    let expected = json!({
        "active": true,
        "token_type": "bearer",
        "sub": play.user.id.to_string(),
        "username": play.user.username,
        "roles": ["user"],
        "sid": claims["sid"],
        "jti": claims["jti"],
        "exp": claims["exp"],
        "auth_time": claims["iat"],
    });
    assert_eq!(play.introspect(&play.tokens.access), expected);
    let refresh = play.introspect(&play.tokens.refresh);
    assert_eq!((&refresh["active"], &refresh["sid"]), (&json!(true), &claims["sid"]));
    assert_eq!(refresh["exp"], claims_of(&play.tokens.refresh)["exp"]);
    assert!(refresh.get("token_type").is_none() && refresh.get("auth_time").is_none());
}

#[test]
fn what_is_not_live_is_inactive_and_nothing_else_is_said() {
    let play = Play::new();
    let server = &play.server;
    let forged = forge(&play.tokens.access, &json!({}), &json!({ "sid": "0".repeat(64) }));
    for token in ["x", "a.b.c", &forged, &play.key] {
        assert_eq!(play.introspect(token), inactive(), "{token}");
    }
    // A refresh: the access token of before is good until it expires, the refresh token of before is for its client only.
    let next = server.refresh(&play.tokens.refresh).tokens();
    assert_eq!(play.introspect(&play.tokens.access)["active"], true);
    assert_eq!(play.introspect(&play.tokens.refresh), inactive());
    assert_eq!(play.introspect(&next.refresh)["active"], true);
    // An account that is disabled.
    let path = format!("/admin/users/{}", play.user.username);
    let off =
        server.request("PATCH", &path).token(&server.fresh_admin()).json(&json!({ "is_active": false }));
    assert_eq!(off.send().status, 200);
    for token in [&play.tokens.access, &next.access, &next.refresh] {
        assert_eq!(play.introspect(token), inactive());
    }
}

#[test]
fn every_end_of_a_session_makes_its_tokens_inactive() {
    let play = Play::with(&[("MAX_CONCURRENT_SESSIONS_PER_USER", "1")]);
    let server = &play.server;
    let live = |tokens: &Tokens| {
        [&tokens.access, &tokens.refresh].map(|token| play.introspect(token)["active"] == json!(true))
    };
    // A login that makes room for itself.
    let second = server.log_in(&play.user.username);
    assert_eq!((live(&play.tokens), live(&second)), ([false; 2], [true; 2]));
    // A logout.
    assert_eq!(server.post("/auth/logout").token(&second.access).send().status, 200);
    assert_eq!(live(&second), [false; 2]);
    // A new password.
    let third = server.log_in(&play.user.username);
    let body = json!({ "username": play.user.username, "old_password": PASSWORD, "new_password": "another long one" });
    assert_eq!(server.post("/auth/password").json(&body).send().status, 200);
    assert_eq!(live(&third), [false; 2]);
    // Time: an access token, then the inactivity timeout, to which being asked about is no activity.
    let other = server.someone().1;
    server.world.advance(Duration::from_mins(16));
    assert_eq!(live(&other), [false, true]);
    server.world.advance(Duration::from_mins(15));
    assert_eq!(live(&other), [false; 2]);
}

#[test]
fn several_tokens_in_one_call_are_answered_in_their_order() {
    let play = Play::new();
    let (access, refresh) = (play.tokens.access.as_str(), play.tokens.refresh.as_str());
    let ask = |tokens: &[&str]| {
        let fields: Vec<_> = tokens.iter().map(|token| ("token", *token)).collect();
        play.form("/oauth/introspect", &fields, &[("x-api-key", &play.key)])
    };
    let both = ask(&[access, refresh]).json;
    assert_eq!(both["active"], true);
    assert_eq!(both["tokens"], json!([play.introspect(access), play.introspect(refresh)]));
    let mixed = ask(&["x", access]).json;
    assert_eq!(mixed, json!({ "active": false, "tokens": [inactive(), play.introspect(access)] }));
    assert_eq!(ask(&[access; 20]).json["tokens"].as_array().unwrap().len(), 20);
    let long = "x".repeat(4097);
    for wrong in [&[access; 21][..], &[], &[""], &[&long]] {
        let answer = ask(wrong);
        answer.refused(400, "invalid_request");
        assert_eq!(answer.json["error"], "invalid_request");
    }
}

#[test]
fn a_client_shows_its_key_in_any_one_of_the_ways() {
    let play = Play::new();
    let (id, key) = (play.id(), play.key.as_str());
    let token = ("token", play.tokens.access.as_str());
    let bearer = format!("Bearer {key}");
    let ask = |fields: Pairs<'_>, headers: Pairs<'_>| {
        play.form("/oauth/introspect", &[&[token], fields].concat(), headers)
    };
    let encoded = basic(id, &key.replace('_', "%5F").replace('-', "%2D"));
    let good: [(Pairs<'_>, Pairs<'_>); 7] = [
        (&[], &[("authorization", &encoded)]),
        (&[], &[("authorization", &bearer)]),
        (&[], &[("apikey", key)]),
        (&[], &[("authorization", &basic(id, key))]),
        (&[("client_id", id), ("client_secret", key)], &[]),
        (&[("client_secret", key), ("token_type_hint", "refresh_token")], &[]),
        // The same twice.
        (&[("client_id", id), ("client_secret", key)], &[("x-api-key", key)]),
    ];
    for (fields, headers) in good {
        let answer = ask(fields, headers);
        assert_eq!((answer.status, &answer.json["active"]), (200, &json!(true)), "{fields:?} {headers:?}");
    }
    let other = self::key(&play.server, "portal");
    let other_id = other.split('_').nth(1).unwrap();
    let refused: [(Pairs<'_>, Pairs<'_>, (u16, &str, &str)); 9] = [
        (&[], &[], (401, "invalid_client", "not_authenticated")),
        (&[("client_id", id)], &[], (401, "invalid_client", "not_authenticated")),
        (&[], &[("authorization", &basic(other_id, key))], (401, "invalid_client", "service_key_invalid")),
        (&[], &[("authorization", "Basic x")], (401, "invalid_client", "service_key_invalid")),
        (&[("client_id", id), ("client_secret", "x")], &[], (401, "invalid_client", "service_key_invalid")),
        (
            &[],
            &[("authorization", &format!("Bearer {}", play.tokens.access))],
            (401, "invalid_client", "service_key_invalid"),
        ),
        (
            &[("client_secret", key)],
            &[("authorization", &basic(id, key))],
            (400, "invalid_request", "invalid_request"),
        ),
        (&[("client_secret", key)], &[("x-api-key", &other)], (400, "invalid_request", "invalid_request")),
        (&[], &[("x-api-key", &other)], (403, "unauthorized_client", "forbidden")),
    ];
    for (fields, headers, (status, error, code)) in refused {
        let answer = ask(fields, headers);
        answer.refused(status, code);
        assert_eq!(answer.json["error"], error, "{fields:?} {headers:?}");
        let is_basic = headers.iter().any(|(_, value)| value.starts_with("Basic"));
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge.starts_with("Basic"), is_basic && status == 401, "{challenge}");
    }
    // No form, whoever calls.
    let json = json!({ "token": token.1 });
    let answer = play.server.post("/oauth/introspect").header("x-api-key", key).json(&json).send();
    answer.refused(400, "invalid_request");
    play.server.get("/oauth/introspect").header("x-api-key", key).send().refused(405, "method_not_allowed");
}

#[test]
fn where_a_session_cannot_be_asked_nobody_is_told_that_it_is_active_or_over() {
    let play = Play::new();
    let world = &play.server.world;
    let id = session_of(&play.tokens.access);
    let row = world.row(Class::Session, &id, "session").unwrap();
    world.put_row(Class::Session, &id, "session", "broken");
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let call = play.server.post(path).headers(&[("content-type", FORM), ("x-api-key", &play.key)]);
        let answer = call.body(format!("token={}", play.tokens.access)).unchecked();
        let said = (answer.status, answer.code(), &answer.json["error"]);
        assert_eq!(said, (503, "service_unavailable", &json!("temporarily_unavailable")), "{path}");
    }
    world.put_row(Class::Session, &id, "session", &row);
    assert_eq!(play.introspect(&play.tokens.access)["active"], true);
}

#[test]
fn a_revoked_token_takes_its_session_with_it() {
    let play = Play::new();
    let server = &play.server;
    for which in ["access", "refresh"] {
        let tokens = server.log_in(&play.user.username);
        server.world.take_logs();
        let answer = play.revoke(if which == "access" { &tokens.access } else { &tokens.refresh });
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        server.refused_with_reason(&tokens.access);
        assert_ne!(server.refresh(&tokens.refresh).status, 200);
        let audit: Vec<Value> = server.records("revoke_session");
        assert_eq!(audit.len(), 1, "{which}");
        assert_eq!(
            (&audit[0]["service"], &audit[0]["user_id"]),
            (&json!("key:a resource server"), &json!(play.user.id))
        );
        // Once more, and what never was a token.
        assert_eq!(play.revoke(&tokens.access).status, 200);
    }
    for token in ["x", "a.b.c"] {
        assert_eq!(play.revoke(token).status, 200);
    }
    // Nobody else's session.
    assert_eq!(server.protected(&play.tokens.access).status, 200);
}

impl Server {
    /// The audit records of an action, since the last look.
    fn records(&self, action: &str) -> Vec<Value> {
        let lines = self.world.take_logs().into_iter();
        let records = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
        records.filter(|record| record["action"] == action).collect()
    }

    #[track_caller]
    fn refused_with_reason(&self, access: &str) {
        let answer = self.protected(access);
        assert_eq!((answer.status, answer.code()), (401, "access_token_blacklisted"));
        assert_eq!(answer.json["reason"], "logout");
    }
}
