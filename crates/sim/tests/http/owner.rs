//! Sessions belong to their users: who sees them, who ends them, and what a login makes of them.

use super::support::tokens::{claims_of, forge, session_of};
use super::support::{Answer, PASSWORD, Server, Tokens, User};
use base::rpc::{Class, Peers as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

    fn again(&self) -> Tokens {
        self.server.log_in(&self.user.username)
    }

    /// A login that comes with a token.
    fn login_with(&self, password: &str, token: &str) -> Answer {
        let body = json!({ "username": self.user.username, "password": password });
        self.server.post("/auth/login").token(token).json(&body).send()
    }

    fn close(&self, id: &str, token: &str) -> Answer {
        self.server.request("DELETE", &format!("/auth/sessions/{id}")).token(token).send()
    }

    fn logout(&self, token: &str) -> Answer {
        self.server.post("/auth/logout").token(token).send()
    }

    fn logout_naming(&self, token: &str, named: &str) -> Answer {
        self.server.post("/auth/logout").token(token).json(&json!({ "access_token": named })).send()
    }

    #[track_caller]
    fn is_alive(&self, tokens: &Tokens) {
        assert_eq!(self.server.protected(&tokens.access).status, 200);
    }

    #[track_caller]
    fn is_revoked(&self, tokens: &Tokens) {
        logged_out(&self.server.protected(&tokens.access), "access_token_blacklisted");
    }

    fn logout_with(&self, bearer: Option<&str>, body: &Value) -> Answer {
        let call = self.server.post("/auth/logout").json(body);
        match bearer {
            Some(token) => call.token(token).send(),
            None => call.send(),
        }
    }

    /// The token, expired a second ago.
    fn expired(&self, token: &str) -> String {
        let past = self.server.now() - 1;
        forge(token, &json!({}), &json!({ "iat": past - 60, "nbf": past - 60, "exp": past }))
    }
}

#[track_caller]
fn logged_out(answer: &Answer, code: &str) {
    let told = (answer.status, answer.code(), answer.json["reason"].as_str());
    assert_eq!(told, (401, code, Some("logout")), "{}", answer.text);
}

/// S10
#[test]
fn another_s_session_and_none_at_all_get_the_same_answer_and_the_other_s_goes_on() {
    let play = Play::new();
    let (_, other) = play.server.someone();
    let own = session_of(&play.tokens.access);
    let ids = [
        session_of(&other.access),
        play.server.world.host().unique_id(Class::Session).unwrap(),
        "ab".repeat(32),
        own.to_uppercase(),
        "x".to_owned(),
        format!("..%2f{own}"),
        claims_of(&play.tokens.access)["jti"].as_str().unwrap().to_owned(),
    ];
    let mut answers = BTreeSet::new();
    for id in ids {
        let mut answer = play.close(&id, &play.tokens.access);
        assert_eq!(answer.status, 404, "{id}");
        answer.headers.remove("x-request-id");
        answers.insert((answer.text, answer.headers));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    play.is_alive(&other);
    play.is_alive(&play.tokens);
}

/// S10
#[test]
fn a_user_ends_one_of_the_own_sessions_by_its_id_the_current_one_too() {
    let play = Play::new();
    let second = play.again();
    let first = session_of(&play.tokens.access);
    assert_eq!(play.close(&first, &second.access).status, 204);
    play.is_revoked(&play.tokens);
    play.close(&first, &second.access).refused(404, "session_not_found");
    assert_eq!(play.close(&session_of(&second.access), &second.access).status, 204);
    play.is_revoked(&second);
}

/// S10
#[test]
fn the_list_has_the_own_sessions_only_and_no_tokens() {
    let play = Play::new();
    play.server.someone();
    let body = json!({ "username": play.user.username, "password": PASSWORD, "device_name": "phone" });
    let second = play.server.post("/auth/login").json(&body).send().tokens();
    let list = play.server.get("/auth/sessions").token(&second.access).send();
    let sessions = list.json["sessions"].as_array().unwrap();
    let ids: BTreeSet<_> = sessions.iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [&play.tokens, &second].map(|t| session_of(&t.access)).into());
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let mut names: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "absolute_expires_at",
                "created_at",
                "current",
                "device_name",
                "expires_at",
                "id",
                "idle_expires_at",
                "jti",
                "last_activity",
                "user_agent",
            ]
        );
        assert_eq!(session["current"], session["id"] == json!(session_of(&second.access)));
    }
    let debug = play.server.get("/debug/session-info").token(&second.access).send();
    for text in [&list.text, &debug.text] {
        for secret in ["eyJ", "password", "argon2", "address"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let told = ["user_id", "active_sessions", "session_valid"].map(|name| debug.json[name].clone());
    assert_eq!(told, [json!(play.user.id), json!(2), json!(true)]);
}

/// S01
#[test]
fn each_login_makes_a_new_session_whatever_ids_the_client_sends_along() {
    let play = Play::new();
    let fixed = session_of(&play.tokens.access);
    let body = json!({
        "username": play.user.username,
        "password": PASSWORD,
        "session_id": fixed,
        "sid": fixed,
        "jti": format!("{fixed}.0"),
    });
    let second = play
        .server
        .post(&format!("/auth/login?session_id={fixed}"))
        .header("cookie", &format!("session={fixed}; sid={fixed}"))
        .header("x-session-id", &fixed)
        .json(&body)
        .send()
        .tokens();
    assert_ne!(session_of(&second.access), fixed);
    let all = [&play.tokens.access, &play.tokens.refresh, &second.access, &second.refresh];
    assert_eq!(BTreeSet::from(all).len(), 4);
    let ids: BTreeSet<_> = all.iter().map(|token| claims_of(token)["jti"].to_string()).collect();
    assert_eq!(ids.len(), 4);
    play.is_alive(&play.tokens);
}

/// S02
#[test]
fn a_login_with_the_token_of_an_older_session_of_the_same_user_takes_its_place() {
    let play = Play::new();
    let second = play.login_with(PASSWORD, &play.tokens.access).tokens();
    play.is_revoked(&play.tokens);
    logged_out(&play.server.refresh(&play.tokens.refresh), "session_revoked_or_invalid");
    play.is_alive(&second);
}

/// S02
#[test]
fn a_login_with_another_user_s_token_or_a_bad_one_ends_nothing_nor_does_one_that_fails() {
    let play = Play::new();
    let (_, other) = play.server.someone();
    let forged = forge(&play.tokens.access, &json!({ "kid": "k9" }), &json!({}));
    for token in [&*other.access, &*forged, "x.y.z", "", "a b", &*play.tokens.refresh] {
        assert_eq!(play.login_with(PASSWORD, token).status, 200, "{token}");
    }
    play.is_alive(&other);
    let (play, wrong) = (Play::new(), "wrong password");
    play.login_with(wrong, &play.tokens.access).refused(401, "invalid_credentials");
    play.is_alive(&play.tokens);
}

/// S02
#[test]
fn a_login_in_place_of_an_older_session_takes_no_other_session_s_place_not_even_at_the_limit() {
    let play = Play::new();
    let others: Vec<_> = (0..4).map(|_| play.again()).collect();
    for other in &others {
        play.is_alive(other);
    }
    let next = play.login_with(PASSWORD, &others[3].access).tokens();
    play.is_alive(&next);
    play.is_alive(&play.tokens);
    others[..3].iter().for_each(|other| play.is_alive(other));
    play.is_revoked(&others[3]);
}

/// S04. What was real: the answer of a logout was lost, and the second one was refused.
#[test]
fn f14_a_second_logout_is_answered_as_the_first() {
    let play = Play::new();
    let message = json!({ "message": "Logged out successfully" });
    for _ in 0..3 {
        let answer = play.logout(&play.tokens.access);
        assert_eq!((answer.status, &answer.json), (200, &message));
        let answer = play.logout_with(None, &json!({ "refresh_token": play.tokens.refresh }));
        assert_eq!((answer.status, &answer.json), (200, &message));
        play.is_revoked(&play.tokens);
    }
    // Whoever else ended it: it has ended.
    let play = Play::new();
    let path = format!("/admin/users/{}/sessions", play.user.username);
    assert_eq!(play.server.request("DELETE", &path).token(&play.server.admin()).send().status, 200);
    assert_eq!(play.logout(&play.tokens.access).status, 200);
    let told = play.server.protected(&play.tokens.access);
    assert_eq!((told.status, told.json["reason"].as_str()), (401, Some("admin")));
}

/// S05. What was real: 401 `token_expired`, and the place stayed taken.
#[test]
fn f14_an_expired_access_token_or_the_refresh_token_alone_logs_out_and_frees_the_place() {
    let settings = [("MAX_CONCURRENT_SESSIONS_PER_USER", "1"), ("SESSION_LIMIT_POLICY", "reject")];
    let server = Server::with(&settings);
    let (user, tokens) = server.someone();
    let play = Play { server, user, tokens };
    let mut tokens = play.tokens.clone();
    let full = || play.server.try_log_in(&play.user.username, PASSWORD);
    full().refused(403, "session_limit_exceeded");
    let expired = play.expired(&tokens.access);
    let ways = [
        (Some(expired.clone()), false),
        (None, true),
        // Beside one that is no good, and one of another scheme.
        (Some("x.y.z".to_owned()), true),
        (Some(expired), true),
    ];
    for (n, (bearer, in_body)) in ways.into_iter().enumerate() {
        let bearer = bearer.map(|token| if token == "x.y.z" { token } else { play.expired(&tokens.access) });
        let body = if in_body { json!({ "refresh_token": tokens.refresh }) } else { json!({}) };
        assert_eq!(play.logout_with(bearer.as_deref(), &body).status, 200, "{n}");
        play.is_revoked(&tokens);
        logged_out(&play.server.refresh(&tokens.refresh), "session_revoked_or_invalid");
        tokens = full().tokens();
    }
    // A refresh token that has been rotated is still one of that session.
    let next = play.server.refresh(&tokens.refresh).tokens();
    assert_eq!(play.logout_with(None, &json!({ "refresh_token": tokens.refresh })).status, 200);
    play.is_revoked(&next);
}

#[test]
fn f14_what_is_no_token_of_ours_logs_nobody_out() {
    let play = Play::new();
    let tokens = &play.tokens;
    let refused: [(Option<&str>, Value, u16, &str); 8] = [
        (None, json!({}), 401, "not_authenticated"),
        (None, json!({ "access_token": tokens.access }), 401, "not_authenticated"),
        (None, json!({ "refresh_token": "" }), 401, "not_authenticated"),
        (None, json!({ "refresh_token": "x.y.z" }), 401, "token_invalid"),
        (None, json!({ "refresh_token": tokens.access }), 401, "token_invalid"),
        (Some("x.y.z"), json!({}), 401, "token_invalid"),
        (Some(&tokens.refresh), json!({}), 401, "token_invalid"),
        (Some("a.b.c, Bearer d.e.f"), json!({ "refresh_token": tokens.refresh }), 400, "invalid_request"),
    ];
    for (bearer, body, status, code) in refused {
        play.logout_with(bearer, &body).refused(status, code);
    }
    let wrong = play.logout_with(Some(&tokens.access), &json!({ "refresh_token": 7 }));
    assert_eq!(wrong.wrong_fields(), ["refresh_token"]);
    // A generation that is still to come, and another's session.
    let (_, other) = play.server.someone();
    for claims in [json!({ "gen": 7 }), json!({ "sid": session_of(&other.access) })] {
        let forged = forge(&tokens.access, &json!({}), &claims);
        play.logout(&forged).refused(401, "session_revoked_or_invalid");
    }
    play.is_alive(tokens);
    play.is_alive(&other);
}

/// S05
#[test]
fn a_logout_may_name_an_expired_token_of_another_of_the_user_s_sessions_in_its_body() {
    let play = Play::new();
    let second = play.again();
    let named = play.expired(&second.access);
    assert_eq!(play.logout_naming(&play.tokens.access, &named).status, 200);
    play.is_revoked(&play.tokens);
    play.is_revoked(&second);
}

#[test]
fn a_logout_that_names_another_user_s_token_ends_neither_session() {
    let play = Play::new();
    let (_, other) = play.server.someone();
    for named in [&*other.access, &*other.refresh, "x.y.z"] {
        let answer = play.logout_naming(&play.tokens.access, named);
        assert_eq!(answer.wrong_fields(), ["access_token"]);
    }
    for named in [&*other.refresh, &*play.tokens.access, "x.y.z"] {
        let body = json!({ "refresh_token": named, "access_token": other.access });
        let answer = play.logout_with(Some(&play.tokens.access), &body);
        assert_eq!(answer.wrong_fields(), ["access_token"]);
    }
    play.is_alive(&other);
    play.is_alive(&play.tokens);
    // A refresh token that is no good, or somebody else's, keeps nobody from logging out, and ends nothing.
    for named in [&*other.refresh, "x.y.z"] {
        let mine = play.again();
        let body = json!({ "refresh_token": named });
        assert_eq!(play.logout_with(Some(&mine.access), &body).status, 200);
        play.is_revoked(&mine);
    }
    play.is_alive(&other);
}

/// S06
#[test]
fn logout_all_ends_the_sessions_of_the_user_and_nobody_else_s() {
    let rows: [(Value, u64); 4] = [
        (json!({}), 3),
        (json!({ "keep_current": false }), 3),
        (json!({ "keep_current": null }), 3),
        (json!({ "keep_current": true }), 2),
    ];
    for (body, count) in rows {
        let play = Play::new();
        let (_, other) = play.server.someone();
        let more = [play.again(), play.again()];
        let answer = play.server.post("/auth/logout-all").token(&play.tokens.access).json(&body).send();
        assert_eq!((answer.status, &answer.json["closed_sessions"]), (200, &json!(count)), "{body}");
        for tokens in &more {
            play.is_revoked(tokens);
            logged_out(&play.server.refresh(&tokens.refresh), "session_revoked_or_invalid");
        }
        if count == 2 {
            play.is_alive(&play.tokens);
        } else {
            play.is_revoked(&play.tokens);
        }
        play.is_alive(&other);
    }
}
