//! `POST /oauth/token`: refreshes as a client of OAuth 2.0 makes them, and the token exchange of RFC 8693.

use super::support::tokens::{claims_of, forge, session_of};
use super::support::{Answer, Server, Tokens};
use base::call::Call;
use base::rpc::Class;
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sim::fakes::bank;
use std::time::Duration;

/// Fields of a form, or headers.
type Pairs<'a> = &'a [(&'a str, &'a str)];

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Server {
    fn grant(&self, fields: Pairs<'_>, headers: Pairs<'_>) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let call = self.post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
        call.headers(headers).body(form.finish()).send()
    }

    fn refresh_grant(&self, token: &str) -> Answer {
        self.grant(&[("grant_type", "refresh_token"), ("refresh_token", token)], &[])
    }

    pub fn service_key(&self, scope: &str) -> String {
        let body = json!({ "name": "a gateway", "scopes": [scope] });
        let made = self.post("/admin/service-keys").token(&self.fresh_admin()).json(&body).send();
        made.json["key"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
    }

    /// With some fields more, or others; an empty one counts as left out.
    fn exchange(&self, key: &str, more: Pairs<'_>) -> Answer {
        let usual = [
            ("grant_type", EXCHANGE),
            ("subject_token", "good"),
            ("subject_token_type", ACCESS_TOKEN),
            ("cif", "1234567890"),
            ("channel_id", "sme"),
        ];
        let is_usual = |(name, _): &&(&str, &str)| !more.iter().any(|(other, _)| other == name);
        let fields: Vec<_> = usual.iter().filter(is_usual).chain(more).copied().collect();
        self.grant(&fields, &[("x-api-key", key)])
    }
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str, code: &str) {
    let said = (answer.status, answer.json["error"].as_str(), answer.code());
    assert_eq!(said, (status, Some(error), code), "{}", answer.text);
    let text = answer.json["error_description"].as_str().unwrap();
    assert!(
        !text.is_empty() && text.chars().all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\'),
        "{text}"
    );
    assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
}

#[test]
fn a_refresh_token_is_changed_for_a_pair_as_at_auth_refresh() {
    let server = Server::new();
    let (_, first) = server.someone();
    let answer = server.refresh_grant(&first.refresh);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((&answer.json["token_type"], &answer.json["expires_in"]), (&json!("bearer"), &json!(900)));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    // The two ways are one: a lost answer is given again, by either.
    let next = answer.tokens();
    assert_eq!(server.refresh(&first.refresh).text, answer.text);
    assert_eq!(server.refresh_grant(&first.refresh).text, answer.text);
    assert_eq!(server.protected(&next.access).status, 200);
    server.world.advance(Duration::from_secs(11));
    // Reuse ends the session, and says so.
    let reused = server.refresh_grant(&first.refresh);
    refused(&reused, 400, "invalid_grant", "refresh_token_reused");
    assert_eq!(reused.json["reason"], "reuse");
    assert_eq!(server.protected(&next.access).status, 401);
    refused(&server.refresh_grant(&next.refresh), 400, "invalid_grant", "session_revoked_or_invalid");
}

#[test]
fn every_refresh_token_that_is_no_good_is_an_invalid_grant_that_says_why() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    let past = server.now() - 1;
    let expired =
        forge(&tokens.refresh, &json!({}), &json!({ "iat": past - 60, "nbf": past - 60, "exp": past }));
    let unknown = forge(&tokens.refresh, &json!({}), &json!({ "sid": "0".repeat(64) }));
    let ended = server.someone().1;
    assert_eq!(server.post("/auth/logout").token(&ended.access).send().status, 200);
    for (token, code) in [
        ("x.y.z", "token_invalid"),
        (&*tokens.access, "token_invalid"),
        (&*expired, "token_expired"),
        (&*unknown, "session_revoked_or_invalid"),
        (&*ended.refresh, "session_revoked_or_invalid"),
    ] {
        refused(&server.refresh_grant(token), 400, "invalid_grant", code);
    }
    server.world.advance(Duration::from_mins(31));
    refused(&server.refresh_grant(&tokens.refresh), 400, "invalid_grant", "session_inactivity_timeout");
}

#[test]
fn two_that_refresh_at_once_get_the_same_pair() {
    let server = Server::new();
    let (_, first) = server.someone();
    let body = format!("grant_type=refresh_token&refresh_token={}", first.refresh);
    let call = || {
        let call = server.post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
        call.body(body.clone())
    };
    let other = server.post("/auth/refresh").json(&json!({ "refresh_token": first.refresh }));
    let answers = server.all(vec![call(), other, call()]);
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
}

#[test]
fn what_is_no_request_for_tokens_is_told_what_is_wrong() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    let refresh = ("grant_type", "refresh_token");
    let token = ("refresh_token", tokens.refresh.as_str());
    let rows: &[(Pairs<'_>, &str, &str)] = &[
        (&[], "invalid_request", "validation_error"),
        (&[("grant_type", "")], "invalid_request", "validation_error"),
        (&[refresh], "invalid_request", "validation_error"),
        (&[refresh, ("refresh_token", "")], "invalid_request", "validation_error"),
        (&[refresh, token, token], "invalid_request", "invalid_request"),
        (&[refresh, refresh, token], "invalid_request", "invalid_request"),
        (&[("grant_type", "password"), token], "unsupported_grant_type", "unsupported_grant_type"),
        (&[("grant_type", "client_credentials")], "unsupported_grant_type", "unsupported_grant_type"),
        (&[refresh, token, ("scope", "admin")], "invalid_scope", "invalid_scope"),
    ];
    for (fields, error, code) in rows {
        refused(&server.grant(fields, &[]), 400, error, code);
    }
    let json = json!({ "grant_type": "refresh_token", "refresh_token": tokens.refresh });
    refused(&server.post("/oauth/token").json(&json).send(), 400, "invalid_request", "invalid_request");
    let long = "x".repeat(17 * 1024);
    refused(&server.grant(&[("grant_type", &long)], &[]), 413, "invalid_request", "body_too_large");
    // None of it has used the token up. What is empty or unknown counts for nothing.
    let fields =
        &[refresh, token, ("scope", ""), ("client_id", "a-page"), ("resource", "https://x.example.com")];
    assert_eq!(server.grant(fields, &[]).status, 200);
}

#[test]
fn a_client_that_authenticates_does_so_rightly_whatever_its_key_is_for() {
    let server = Server::new();
    let key = server.service_key("portal");
    let id = key.split('_').nth(1).unwrap();
    let wrong = format!("{}A", &key[..key.len() - 1]);
    let wrong = if wrong == key { format!("{}B", &key[..key.len() - 1]) } else { wrong };
    let tokens = server.someone().1;
    let token = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    let ask = |fields: Pairs<'_>, headers: Pairs<'_>| server.grant(&[&token, fields].concat(), headers);
    let bad = [basic(id, &wrong), basic("other", &key), "Basic x".to_owned(), format!("Bearer {wrong}")];
    for header in &bad {
        let answer = ask(&[], &[("authorization", header)]);
        refused(&answer, 401, "invalid_client", "service_key_invalid");
        let scheme = header.split(' ').next();
        assert_eq!(answer.header("www-authenticate").unwrap().split(' ').next(), scheme);
    }
    refused(&ask(&[("client_secret", &wrong)], &[]), 401, "invalid_client", "service_key_invalid");
    refused(&ask(&[], &[("x-api-key", &wrong)]), 401, "invalid_client", "service_key_invalid");
    let both = ask(&[("client_secret", &key)], &[("authorization", &basic(id, &key))]);
    refused(&both, 400, "invalid_request", "invalid_request");
    // The token is as good as before, and a bearer that is no key is somebody else's business.
    let good = ask(&[], &[("authorization", &basic(id, &key))]);
    assert_eq!(good.status, 200, "{}", good.text);
    assert_eq!(ask(&[("client_id", id), ("client_secret", &key)], &[]).text, good.text);
    assert_eq!(ask(&[], &[("authorization", &format!("Bearer {}", tokens.access))]).text, good.text);
}

#[test]
fn where_a_store_cannot_be_asked_nobody_is_logged_out() {
    let server = Server::new();
    let tokens = server.someone().1;
    let id = session_of(&tokens.access);
    let row = server.world.row(Class::Session, &id, "session").unwrap();
    server.world.put_row(Class::Session, &id, "session", "broken");
    let call = server.post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
    let body = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    let answer = call.body(body).unchecked();
    let said = (answer.status, answer.code(), &answer.json["error"]);
    assert_eq!(said, (503, "service_unavailable", &json!("temporarily_unavailable")));
    assert_eq!(answer.header("retry-after"), Some("5"));
    server.world.put_row(Class::Session, &id, "session", &row);
    assert_eq!(server.refresh_grant(&tokens.refresh).status, 200);
}

/// By how the token begins.
fn bank(call: &Call) -> base::call::Answer {
    let header = call.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-session-token"));
    match header.map(|(_, value)| value.expose()) {
        Some(token) if token.starts_with("expired") => bank::expired(),
        Some(token) if token.starts_with("good") => bank::valid(),
        _ => bank::refused(),
    }
}

/// A deployment with a bank that vouches for everybody, by its own rules.
fn with_bank() -> (Server, String) {
    let server = Server::new();
    server.world.upstream("upstreams.test", sim::net::Answers(bank));
    let key = server.service_key("sessions:exchange");
    (server, key)
}

fn granted(answer: &Answer) -> Tokens {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.tokens()
}

#[test]
fn another_system_s_token_is_exchanged_for_a_session() {
    let (server, key) = with_bank();
    server.world.take_logs();
    let answer = server.exchange(&key, &[]);
    let tokens = granted(&answer);
    assert_eq!(answer.json["issued_token_type"], ACCESS_TOKEN);
    assert_eq!((&answer.json["token_type"], &answer.json["expires_in"]), (&json!("bearer"), &json!(900)));
    let claims = claims_of(&tokens.access);
    assert_eq!(
        (&claims["sub"], claims["auth_time"].as_u64()),
        (&json!("VPB-SME-1234567890"), Some(server.now()))
    );
    assert_eq!(server.protected(&tokens.access).json["message"], "Hello VPB-SME-1234567890!");
    let lines = server.world.take_logs().into_iter();
    let records = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let record = records.into_iter().find(|record| record["action"] == "init_session").unwrap();
    assert_eq!((&record["service"], &record["outcome"]), (&json!("key:a gateway"), &json!("ok")));
    // It is renewed by the other grant, or by the route that it had, and ends as any other.
    let next = granted(&server.refresh_grant(&tokens.refresh));
    assert_eq!(session_of(&next.access), session_of(&tokens.access));
    let data = json!({ "refreshToken": next.refresh });
    let renewed = server.post("/api/v1/postlogin/renew-token").json(&json!({ "data": data })).send();
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    assert_eq!(claims_of(renewed.json["token"].as_str().unwrap())["auth_time"], claims["auth_time"]);
    let last = renewed.json["token"].as_str().unwrap();
    assert_eq!(server.post("/auth/logout").token(last).send().status, 200);
    let over = server.refresh_grant(renewed.json["refreshToken"].as_str().unwrap());
    refused(&over, 400, "invalid_grant", "session_revoked_or_invalid");
    assert_eq!(over.json["reason"], "logout");
}

#[test]
fn an_exchange_takes_what_the_rfc_has_and_refuses_what_it_cannot_do() {
    let (server, key) = with_bank();
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    for more in [
        &[("subject_token_type", jwt)][..],
        &[("requested_token_type", ACCESS_TOKEN)],
        &[("audience", "sallyport")],
        &[("audience", "sallyport"), ("audience", "sallyport"), ("resource", "")],
        &[("actor_token", ""), ("scope", "")],
    ] {
        granted(&server.exchange(&key, more));
    }
    let rows: &[(Pairs<'_>, &str, &str)] = &[
        (&[("subject_token", "")], "invalid_request", "validation_error"),
        (&[("subject_token_type", "")], "invalid_request", "validation_error"),
        (&[("subject_token_type", "access_token")], "invalid_request", "validation_error"),
        (&[("requested_token_type", jwt)], "invalid_request", "validation_error"),
        (&[("actor_token", "x")], "invalid_request", "validation_error"),
        (&[("actor_token_type", ACCESS_TOKEN)], "invalid_request", "validation_error"),
        (&[("cif", "")], "invalid_request", "validation_error"),
        (&[("cif", "1/2")], "invalid_request", "validation_error"),
        (&[("channel_id", "")], "invalid_request", "invalid_channel_id"),
        (&[("channel_id", "\u{fc}ber\"x\\")], "invalid_request", "channel_not_found"),
        (&[("scope", "all")], "invalid_scope", "invalid_scope"),
        (&[("audience", "somebody")], "invalid_target", "invalid_target"),
        (&[("audience", "sallyport"), ("audience", "somebody")], "invalid_target", "invalid_target"),
        (&[("resource", "https://api.example.com")], "invalid_target", "invalid_target"),
        (&[("subject_token", "expired-1")], "invalid_request", "external_token_expired"),
        (&[("subject_token", "invalid-1")], "invalid_request", "external_token_invalid"),
        (&[("cif", "1"), ("cif", "2")], "invalid_request", "invalid_request"),
    ];
    for (more, error, code) in rows {
        refused(&server.exchange(&key, more), 400, error, code);
    }
    // All wrong fields together, by their names.
    let answer = server.exchange(&key, &[("subject_token", ""), ("cif", "?"), ("actor_token", "x")]);
    let named: Vec<_> =
        answer.json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(named, ["actor_token", "cif", "subject_token"]);
}

#[test]
fn only_a_service_that_may_exchanges_tokens() {
    let (server, key) = with_bank();
    for scope in ["introspect", "portal", "login:proxy", "tokens:write"] {
        refused(&server.exchange(&server.service_key(scope), &[]), 400, "unauthorized_client", "forbidden");
    }
    let fields = [("grant_type", EXCHANGE), ("subject_token", "good")];
    refused(&server.grant(&fields, &[]), 401, "invalid_client", "not_authenticated");
    let user = server.someone().1.access;
    let bearer = format!("Bearer {user}");
    refused(
        &server.grant(&fields, &[("authorization", &bearer)]),
        401,
        "invalid_client",
        "service_key_invalid",
    );
    // By Basic, as clients of OAuth 2.0 do.
    let id = key.split('_').nth(1).unwrap();
    let header = basic(id, &key);
    let all =
        [&fields[..], &[("subject_token_type", ACCESS_TOKEN), ("cif", "7"), ("channel_id", "sme")]].concat();
    granted(&server.grant(&all, &[("authorization", &header)]));
}
