//! New passwords: a user's own, one that has to be changed at the next login, and those that cannot be set.

use super::support::tokens::session_of;
use super::support::{Answer, PASSWORD, Server, Tokens, User};
use serde_json::{Value, json};

const NEW: &str = "an entirely new one";

struct Play {
    server: Server,
    user: User,
}

impl Play {
    fn new() -> Self {
        let server = Server::new();
        let user = server.make_user();
        Self { server, user }
    }

    fn log_in(&self) -> Tokens {
        self.server.log_in(&self.user.username)
    }

    fn change(&self, token: Option<&str>, body: &Value) -> Answer {
        let call = self.server.post("/auth/password").json(body);
        let call = call.header("cf-connecting-ip", &self.server.address());
        match token {
            Some(token) => call.token(token).send(),
            None => call.send(),
        }
    }

    fn patch(&self, body: &Value) -> Answer {
        let path = format!("/admin/users/{}", self.user.username);
        self.server.request("PATCH", &path).token(&self.server.admin()).json(body).send()
    }

    fn is_alive(&self, tokens: &Tokens) -> bool {
        self.server.protected(&tokens.access).status == 200
    }
}

#[test]
fn f12_an_own_new_password_holds_at_once_and_ends_the_other_sessions() {
    let play = Play::new();
    let [mine, other, third] = [(); 3].map(|()| play.log_in());
    let body = json!({ "old_password": PASSWORD, "new_password": NEW });
    for path in ["/auth/password", "/api/v1/auth/password"] {
        play.server.get(path).token(&mine.access).send().refused(405, "method_not_allowed");
    }
    let answer = play.change(Some(&mine.access), &body);
    assert_eq!((answer.status, &answer.json["closed_sessions"]), (200, &json!(2)), "{}", answer.text);
    assert!(play.is_alive(&mine));
    for tokens in [&other, &third] {
        let told = play.server.protected(&tokens.access);
        assert_eq!((told.status, told.json["reason"].as_str()), (401, Some("password")));
        let told = play.server.refresh(&tokens.refresh);
        assert_eq!((told.status, told.json["reason"].as_str()), (401, Some("password")));
    }
    assert_eq!(play.server.refresh(&mine.refresh).status, 200);
    play.server.try_log_in(&play.user.username, PASSWORD).refused(401, "invalid_credentials");
    assert_eq!(play.server.try_log_in(&play.user.username, NEW).status, 200);
    // Asked for once more, the old one is wrong by now.
    play.change(Some(&mine.access), &body).refused(401, "invalid_credentials");
}

#[test]
fn f12_what_is_wrong_with_a_change_is_named_and_nothing_changes() {
    let play = Play::new();
    let tokens = play.log_in();
    let token = Some(&*tokens.access);
    let rows: [(Value, &[&str]); 6] = [
        (json!({}), &["old_password", "new_password"]),
        (json!({ "old_password": PASSWORD, "new_password": "short" }), &["new_password"]),
        (json!({ "old_password": PASSWORD, "new_password": "Password123" }), &["new_password"]),
        (json!({ "old_password": PASSWORD, "new_password": PASSWORD }), &["new_password"]),
        (json!({ "old_password": 7, "new_password": NEW }), &["old_password"]),
        (json!({ "old_password": PASSWORD, "new_password": "x".repeat(1025) }), &["new_password"]),
    ];
    for (body, fields) in &rows {
        let answer = play.change(token, body);
        assert_eq!(answer.wrong_fields(), *fields, "{body}");
    }
    let body = json!({ "old_password": "wrong password", "new_password": NEW });
    play.change(token, &body).refused(401, "invalid_credentials");
    let good = json!({ "old_password": PASSWORD, "new_password": NEW });
    play.change(Some("x.y.z"), &good).refused(401, "token_invalid");
    assert_eq!(play.change(None, &good).wrong_fields(), ["username"]);
    let nobody = json!({ "username": "nobody", "old_password": PASSWORD, "new_password": NEW });
    play.change(None, &nobody).refused(401, "invalid_credentials");
    assert!(play.is_alive(&tokens));
    play.log_in();
}

/// A change is a guess at the old password, and is slowed down as one.
#[test]
fn f12_guesses_at_the_old_password_are_counted_with_those_at_login() {
    let play = Play::new();
    let from = play.server.address();
    let name = &play.user.username;
    let wrong = json!({ "username": name, "old_password": "wrong password", "new_password": NEW });
    let guess = || play.server.post("/auth/password").header("cf-connecting-ip", &from).json(&wrong);
    let now = play.server.world.now();
    let answers = play.server.at_once((0..10).map(|_| guess()).collect());
    assert!(answers.iter().all(|answer| answer.status == 401));
    let held = play.server.login_from(name, PASSWORD, &from).send();
    held.refused(429, "too_many_attempts");
    assert_eq!(play.server.at_once(vec![guess()])[0].status, 429);
    play.server.world.at(now);
    assert_eq!(play.server.guess(name, PASSWORD, &play.server.address()).status, 200);
}

#[test]
fn f12_after_a_reset_that_says_so_the_next_login_asks_for_a_new_password() {
    let play = Play::new();
    let before = play.log_in();
    let reset = "set by an administrator";
    let patched = play.patch(&json!({ "password": reset, "must_change_password": true }));
    assert_eq!((patched.status, &patched.json["must_change_password"]), (200, &json!(true)));
    assert!(!play.is_alive(&before));
    let name = &play.user.username;
    // Only with the right password; no session begins.
    play.server.try_log_in(name, PASSWORD).refused(401, "invalid_credentials");
    for _ in 0..2 {
        play.server.try_log_in(name, reset).refused(403, "password_change_required");
    }
    let change = |old: &str, new: &str| {
        play.change(None, &json!({ "username": name, "old_password": old, "new_password": new }))
    };
    assert_eq!(change(reset, reset).wrong_fields(), ["new_password"]);
    change(PASSWORD, NEW).refused(401, "invalid_credentials");
    assert_eq!(change(reset, NEW).status, 200);
    play.server.try_log_in(name, reset).refused(401, "invalid_credentials");
    let tokens = play.server.try_log_in(name, NEW).tokens();
    let sessions = play.server.get("/auth/sessions").token(&tokens.access).send();
    assert_eq!(sessions.json["sessions"].as_array().unwrap().len(), 1);
    let path = format!("/admin/users/{name}");
    let read = play.server.get(&path).token(&play.server.admin()).send();
    assert_eq!(read.json["must_change_password"], Value::Null);
    // A reset that does not say so asks for nothing, and it can be asked for without a reset, or taken back.
    assert_eq!(play.patch(&json!({ "password": reset })).status, 200);
    assert_eq!(play.server.try_log_in(name, reset).status, 200);
    assert_eq!(play.patch(&json!({ "must_change_password": true })).status, 200);
    play.server.try_log_in(name, reset).refused(403, "password_change_required");
    assert_eq!(play.patch(&json!({ "must_change_password": false })).status, 200);
    assert_eq!(play.server.try_log_in(name, reset).status, 200);
}

#[test]
fn f12_an_admin_cannot_set_what_is_tried_first_either() {
    let play = Play::new();
    let admin = play.server.admin();
    for (username, password) in
        [("carol", "password"), ("carol", "1q2w3e4r"), ("carol", "Sallyport"), ("Carolina", "CAROLINA")]
    {
        let body = json!({ "username": username, "password": password });
        let made = play.server.post("/admin/users").token(&admin).json(&body).send();
        assert_eq!(made.wrong_fields(), ["password"], "{password}");
        assert_eq!(made.json["errors"][0]["message"], json!("Too easy to guess"));
    }
    assert_eq!(play.patch(&json!({ "password": "12345678" })).wrong_fields(), ["password"]);
    assert_eq!(
        play.patch(&json!({ "must_change_password": "yes" })).wrong_fields(),
        ["must_change_password"]
    );
}

/// What a removed user was asked for, the next one of the name is not.
#[test]
fn f12_a_new_user_of_the_name_is_not_asked_for_what_the_one_before_was() {
    let play = Play::new();
    let name = &play.user.username;
    assert_eq!(play.patch(&json!({ "must_change_password": true })).status, 200);
    let path = format!("/admin/users/{name}");
    assert_eq!(play.server.request("DELETE", &path).token(&play.server.admin()).send().status, 204);
    play.server.make_user_with(name, &["user"]);
    let tokens = play.log_in();
    assert_eq!(session_of(&tokens.access).len(), 64);
}

/// Whom another system has logged in has no password here.
#[test]
fn f12_somebody_externally_authenticated_has_none_to_change() {
    let play = Play::new();
    let data = json!({ "cif": "1234567890", "tokenKey": "t", "payload": { "channelId": "retail" } });
    let call = play.server.post("/api/v1/postlogin/init-session").json(&json!({ "data": data }));
    let answer = call.send();
    let token = answer.json["token"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
    let body = json!({ "old_password": PASSWORD, "new_password": NEW });
    play.change(Some(token), &body).refused(403, "forbidden");
}
