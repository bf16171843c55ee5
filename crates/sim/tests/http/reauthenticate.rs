//! The password once more, in a session that goes on: `POST /auth/reauthenticate`.

use super::support::guesses::{LOGIN_MAX_FAILURES, WRONG};
use super::support::tokens::{claims_of, session_of};
use super::support::{Answer, Call, PASSWORD, Server, Tokens, User};
use base::rpc::Class;
use serde_json::{Value, json};
use std::time::Duration;

struct Play {
    server: Server,
    user: User,
    tokens: Tokens,
}

impl Play {
    fn new() -> Self {
        let server = Server::new();
        let (user, tokens) = server.someone();
        Self { server, user, tokens }
    }

    fn asked(&self, access: &str, password: &str) -> Call<'_> {
        self.server.post("/auth/reauthenticate").token(access).json(&json!({ "password": password }))
    }

    fn again(&self, access: &str) -> Tokens {
        let answer = self.asked(access, PASSWORD).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.tokens()
    }

    fn records(&self) -> Vec<Value> {
        let lines = self.server.world.take_logs().into_iter();
        let records = lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
        records.filter(|record| record["action"] == "reauthenticate").collect()
    }

    fn patch(&self, body: &Value) -> Answer {
        let path = format!("/admin/users/{}", self.user.username);
        self.server.request("PATCH", &path).token(&self.server.fresh_admin()).json(body).send()
    }
}

fn auth_time(access: &str) -> u64 {
    claims_of(access)["auth_time"].as_u64().unwrap()
}

#[test]
fn access_tokens_say_when_the_user_logged_in_and_a_refresh_moves_nothing() {
    let play = Play::new();
    let (server, login) = (&play.server, play.server.now());
    assert_eq!(auth_time(&play.tokens.access), login);
    assert!(claims_of(&play.tokens.refresh).get("auth_time").is_none());
    server.world.advance(Duration::from_mins(10));
    let next = server.refresh(&play.tokens.refresh).tokens();
    assert_eq!(
        (auth_time(&next.access), claims_of(&next.access)["iat"].as_u64()),
        (login, Some(server.now()))
    );
    // The answer was lost: the same again, to the byte.
    let again = server.refresh(&play.tokens.refresh).tokens();
    assert_eq!((again.access, again.refresh), (next.access, next.refresh));
}

#[test]
fn the_password_once_more_gives_the_same_session_new_tokens() {
    let play = Play::new();
    let server = &play.server;
    let login = server.now();
    server.world.advance(Duration::from_mins(10));
    server.world.take_logs();
    let next = play.again(&play.tokens.access);
    let claims = claims_of(&next.access);
    assert_eq!((claims["auth_time"].as_u64(), claims["gen"].as_u64()), (Some(server.now()), Some(1)));
    assert_eq!(session_of(&next.access), session_of(&play.tokens.access));
    let record = play.records().remove(0);
    assert_eq!((&record["outcome"], &record["actor"]), (&json!("ok"), &json!(play.user.id)));
    assert_eq!(record["session_id"], claims["sid"]);
    // The token of before is good until it expires, and says what was true of it: whoever has stolen it has not gained.
    assert_eq!(server.protected(&play.tokens.access).status, 200);
    assert_eq!(auth_time(&play.tokens.access), login);
    // It is a rotation like any other: a lost answer, and then reuse.
    let lost = server.refresh(&play.tokens.refresh).tokens();
    assert_eq!((&lost.access, &lost.refresh), (&next.access, &next.refresh));
    let third = server.refresh(&next.refresh).tokens();
    assert_eq!(auth_time(&third.access), server.now(), "a refresh keeps it");
    assert_eq!(server.protected(&third.access).status, 200);
    server.world.advance(Duration::from_secs(11));
    let reused = server.refresh(&play.tokens.refresh);
    assert_eq!((reused.status, reused.code()), (401, "refresh_token_reused"));
}

#[test]
fn a_wrong_password_is_refused_as_at_a_login_and_the_session_goes_on() {
    let play = Play::new();
    let server = &play.server;
    server.world.take_logs();
    let began = server.world.now();
    let answer = play.asked(&play.tokens.access, WRONG).send();
    answer.refused(401, "invalid_credentials");
    assert_eq!(server.world.now().since(began).as_millis() % 500, 0);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"sallyport\""));
    assert_eq!(play.records()[0]["outcome"], "invalid_credentials");
    assert_eq!(server.protected(&play.tokens.access).status, 200);
    assert_eq!(server.refresh(&play.tokens.refresh).status, 200);
    for body in [json!({}), json!({ "password": "" }), json!({ "password": null }), json!({ "password": 1 })]
    {
        let answer = server.post("/auth/reauthenticate").token(&play.tokens.access).json(&body).send();
        assert_eq!(answer.wrong_fields(), ["password"], "{body}");
    }
    server
        .post("/auth/reauthenticate")
        .json(&json!({ "password": PASSWORD }))
        .send()
        .refused(401, "not_authenticated");
    let refresh = &play.tokens.refresh;
    play.asked(refresh, PASSWORD).send().refused(401, "token_invalid");
}

/// A stolen token tries no more passwords than anybody may, and a login is held to what it has failed at.
#[test]
fn guesses_with_a_token_are_those_of_logins() {
    let play = Play::new();
    let (server, from) = (&play.server, play.server.address());
    let guess = |password: &str| {
        let call = play.asked(&play.tokens.access, password).header("cf-connecting-ip", &from);
        server.at_once(vec![call]).remove(0)
    };
    for _ in 0..LOGIN_MAX_FAILURES {
        guess(WRONG).refused(401, "invalid_credentials");
    }
    let held = guess(PASSWORD);
    held.refused(429, "too_many_attempts");
    assert!(held.header("retry-after").is_some());
    server.guess(&play.user.username, PASSWORD, &from).refused(429, "too_many_attempts");
    // From elsewhere they get in, and the session was never touched.
    assert_eq!(server.guess(&play.user.username, PASSWORD, &server.address()).status, 200);
    assert_eq!(server.protected(&play.tokens.access).status, 200);
    // Also of an address's allowance for all names.
    let server = Server::with(&[("LOGIN_MAX_FAILURES_PER_ADDRESS", "10")]);
    let somebody: Vec<Tokens> = (0..2).map(|_| server.someone().1).collect();
    let failed = (0..12).map(|n| {
        let call = server.post("/auth/reauthenticate").token(&somebody[n % 2].access);
        call.header("cf-connecting-ip", &from).json(&json!({ "password": WRONG }))
    });
    let answers: Vec<u16> = failed.map(|call| server.at_once(vec![call]).remove(0).status).collect();
    assert_eq!((&answers[..10], &answers[10..]), (&[401; 10][..], &[429; 2][..]));
}

#[test]
fn who_may_not_log_in_may_not_do_this_either() {
    let play = Play::new();
    assert_eq!(play.patch(&json!({ "must_change_password": true })).status, 200);
    play.asked(&play.tokens.access, PASSWORD).send().refused(403, "password_change_required");
    play.asked(&play.tokens.access, WRONG).send().refused(401, "invalid_credentials");
    assert_eq!(play.server.protected(&play.tokens.access).status, 200);
    assert_eq!(play.patch(&json!({ "is_active": false })).status, 200);
    let ended = play.asked(&play.tokens.access, PASSWORD).send();
    assert_eq!((ended.status, &ended.json["reason"]), (401, &json!("disabled")));
    // Somebody whom another system has logged in has no password.
    let data = json!({ "cif": "1", "tokenKey": "t", "payload": { "channelId": "retail" } });
    let begun = play.server.post("/api/v1/postlogin/init-session").json(&json!({ "data": data })).send();
    let token = begun.json["token"].as_str().unwrap();
    assert_eq!(auth_time(token), play.server.now());
    play.asked(token, PASSWORD).send().refused(403, "no_password");
}

/// Two tabs: one refreshes while the other gives the password. Whoever comes first, both have good tokens.
#[test]
fn a_refresh_and_the_password_at_once_log_nobody_out() {
    for first in [true, false] {
        let play = Play::new();
        let server = &play.server;
        server.world.advance(Duration::from_mins(1));
        let refresh = || server.post("/auth/refresh").json(&json!({ "refresh_token": play.tokens.refresh }));
        let again = || play.asked(&play.tokens.access, PASSWORD);
        let calls = if first { vec![refresh(), again()] } else { vec![again(), refresh()] };
        let answers = server.all(calls);
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
            let tokens = answer.tokens();
            assert_eq!(server.protected(&tokens.access).status, 200);
        }
        let stepped = &answers[usize::from(first)].tokens();
        assert!(auth_time(&stepped.access) > auth_time(&play.tokens.access));
        for answer in &answers {
            let next = server.refresh(&answer.tokens().refresh);
            assert_eq!(next.status, 200, "{}", next.text);
        }
    }
}

/// What was real: each answer to the same access token was of another generation, so that two lost ones were reuse.
#[test]
fn however_often_the_answer_is_lost_the_tokens_of_before_go_on() {
    let play = Play::new();
    let server = &play.server;
    for lost in 0..4 {
        server.world.advance(Duration::from_mins(1));
        let claims = claims_of(&play.again(&play.tokens.access).access);
        assert_eq!(
            (claims["gen"].as_u64(), claims["auth_time"].as_u64()),
            (Some(1), Some(server.now())),
            "{lost}"
        );
    }
    let next = server.refresh(&play.tokens.refresh).tokens();
    assert_eq!(auth_time(&next.access), server.now());
    assert_eq!(server.protected(&next.access).status, 200);
    // Once one of the next has been seen, the tokens of before are old.
    server.world.advance(Duration::from_secs(11));
    let reused = server.refresh(&play.tokens.refresh);
    assert_eq!((reused.status, reused.code()), (401, "refresh_token_reused"));
}

#[test]
fn where_an_object_cannot_be_asked_nobody_is_authenticated_or_logged_out() {
    let play = Play::new();
    let world = &play.server.world;
    world.advance(Duration::from_mins(1));
    let owner = format!("user/{}", play.user.username);
    let row = world.row(Class::User, &owner, "user").unwrap();
    world.put_row(Class::User, &owner, "user", "broken");
    let answer = play.asked(&play.tokens.access, PASSWORD).unchecked();
    assert_eq!((answer.status, answer.code()), (503, "service_unavailable"));
    world.put_row(Class::User, &owner, "user", &row);
    let next = play.server.refresh(&play.tokens.refresh).tokens();
    assert_eq!(auth_time(&next.access), auth_time(&play.tokens.access));
    assert!(auth_time(&play.again(&next.access).access) > auth_time(&next.access));
}
