//! What admins may do, that nobody else may, and that it holds from the very next request.

use super::support::tokens::session_of;
use super::support::{Answer, PASSWORD, Server, Tokens, User};
use base::rpc::Class;
use serde_json::{Value, json};
use session::Owner;

const NEW_PASSWORD: &str = "an entirely new one";

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

    fn admin(&self, method: &str, path: &str) -> Answer {
        self.server.request(method, path).token(&self.server.admin()).send()
    }

    fn patch_of(&self, username: &str, body: &Value) -> Answer {
        let call = self.server.request("PATCH", &format!("/admin/users/{username}"));
        call.token(&self.server.admin()).json(body).send()
    }

    fn patch(&self, body: &Value) -> Answer {
        self.patch_of(&self.user.username, body)
    }

    fn patched(&self, body: &Value) -> Answer {
        let answer = self.patch(body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    fn verify(&self, query: &str, token: &str) -> Answer {
        self.server.get(&format!("/auth/verify{query}")).token(token).send()
    }

    fn roles(&self, token: &str) -> Option<String> {
        self.verify("", token).header("x-auth-roles").map(str::to_owned)
    }

    fn is_alive(&self, tokens: &Tokens) {
        assert_eq!(self.server.protected(&tokens.access).status, 200);
    }

    /// Both tokens are dead, and say why.
    #[track_caller]
    fn is_ended(&self, tokens: &Tokens, reason: &str) {
        for path in ["/api/v1/protected", "/auth/sessions"] {
            let answer = self.server.get(path).token(&tokens.access).send();
            assert_eq!(told(&answer), (401, "access_token_blacklisted", Some(reason)));
        }
        let answer = self.server.refresh(&tokens.refresh);
        assert_eq!(told(&answer), (401, "session_revoked_or_invalid", Some(reason)));
    }
}

/// Status, code and reason.
fn told(answer: &Answer) -> (u16, &str, Option<&str>) {
    (answer.status, answer.code(), answer.json["reason"].as_str())
}

/// D01
#[test]
fn admins_routes_are_for_admins_whatever_else_is_wrong() {
    let play = Play::new();
    let (name, id) = (&play.user.username, session_of(&play.tokens.access));
    let routes = [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", "/admin/users/{name}"),
        ("PATCH", "/admin/users/{name}"),
        ("DELETE", "/admin/users/{name}"),
        ("DELETE", "/admin/users/{name}/sessions"),
        ("GET", "/admin/users/nobody-of-that-name"),
        ("GET", "/admin/sessions/active"),
        ("GET", "/admin/sessions/active?user_id=1"),
        ("DELETE", "/admin/sessions/{id}"),
        ("DELETE", "/admin/sessions/unknown"),
        ("POST", "/admin/sessions/cleanup"),
        ("GET", "/admin/service-keys"),
        ("POST", "/admin/service-keys"),
        ("DELETE", "/admin/service-keys/000000000000"),
        ("DELETE", "/admin/service-keys/unknown"),
    ];
    for (method, path) in routes {
        let path = path.replace("{name}", name).replace("{id}", &id);
        let bodies = match method {
            "GET" | "DELETE" => vec![None],
            _ => vec![Some(json!({})), Some(json!({ "roles": ["admin"] })), Some(json!({ "roles": 1 }))],
        };
        for body in bodies {
            let call = || {
                let call = play.server.request(method, &path);
                match &body {
                    Some(body) => call.json(body),
                    None => call,
                }
            };
            call().send().refused(401, "not_authenticated");
            call().token("x.y.z").send().refused(401, "token_invalid");
            call().token(&play.tokens.access).send().refused(403, "forbidden");
        }
    }
    assert_eq!(play.roles(&play.tokens.access).as_deref(), Some("user"));
}

#[test]
fn roles_that_only_look_like_admin_are_not() {
    let play = Play::new();
    for role in ["Admin", "ADMIN", "admin2", "administrator", "user:admin"] {
        play.patched(&json!({ "roles": [role] }));
        play.server.get("/admin/users").token(&play.tokens.access).send().refused(403, "forbidden");
    }
}

#[test]
fn new_roles_hold_in_live_sessions_from_the_next_request_and_after_a_refresh() {
    let play = Play::new();
    let access = &play.tokens.access;
    assert_eq!(play.verify("?role=auditor", access).status, 403);
    let patched = play.patched(&json!({ "roles": ["user", "auditor", "user"] }));
    assert_eq!(patched.json["roles"], json!(["auditor", "user"]));
    let after = play.verify("?role=auditor", access);
    assert_eq!((after.status, after.header("x-auth-roles")), (200, Some("auditor,user")));
    let next = play.server.refresh(&play.tokens.refresh).tokens().access;
    assert_eq!(play.roles(&next).as_deref(), Some("auditor,user"));
    assert_eq!(play.patched(&json!({ "roles": [] })).json["roles"], json!([]));
    assert_eq!(play.verify("?role=user", &next).status, 403);
    assert_eq!(play.roles(&next).as_deref(), Some(""));
}

#[test]
fn an_admin_who_is_one_no_more_may_do_nothing_of_it_from_the_next_request() {
    let play = Play::new();
    let former = play.server.make_user_with("former", &["admin", "user"]);
    let token = play.server.log_in(&former.username).access;
    let users = || play.server.get("/admin/users").token(&token).send();
    assert_eq!(users().status, 200);
    assert_eq!(play.patch_of("former", &json!({ "roles": ["user"] })).status, 200);
    users().refused(403, "forbidden");
    let call = play.server.request("PATCH", "/admin/users/former").token(&token);
    call.json(&json!({ "roles": ["admin"] })).send().refused(403, "forbidden");
}

/// S07
#[test]
fn a_disabled_user_is_out_at_once_and_gets_in_no_more_until_enabled_again() {
    let play = Play::new();
    let second = play.server.log_in(&play.user.username);
    assert_eq!(play.patched(&json!({ "is_active": false })).json["is_active"], false);
    play.is_ended(&play.tokens, "disabled");
    play.is_ended(&second, "disabled");
    play.server.try_log_in(&play.user.username, PASSWORD).refused(403, "user_inactive");
    assert_eq!(play.patched(&json!({ "is_active": true })).json["is_active"], true);
    play.is_ended(&play.tokens, "disabled");
    play.server.log_in(&play.user.username);
}

/// S08
#[test]
fn a_new_password_ends_the_sessions_and_the_old_one_is_wrong_from_then_on() {
    let play = Play::new();
    let name = &play.user.username;
    play.patched(&json!({ "password": NEW_PASSWORD }));
    play.is_ended(&play.tokens, "password");
    play.server.try_log_in(name, PASSWORD).refused(401, "invalid_credentials");
    let again = play.server.try_log_in(name, NEW_PASSWORD).tokens();
    // Roles beside it hold at the next login.
    play.patched(&json!({ "password": "yet another new one", "roles": ["auditor"] }));
    play.is_ended(&again, "password");
    let login = play.server.try_log_in(name, "yet another new one").tokens();
    assert_eq!(play.roles(&login.access).as_deref(), Some("auditor"));
}

#[test]
fn what_changes_nothing_ends_nothing() {
    let play = Play::new();
    let same = [
        json!({}),
        json!({ "is_active": true }),
        json!({ "roles": ["user"] }),
        json!({ "password": null, "roles": null, "is_active": null }),
    ];
    for body in &same {
        play.patched(body);
    }
    for password in ["short", ""] {
        play.patch(&json!({ "password": password })).refused(422, "validation_error");
    }
    play.is_alive(&play.tokens);
}

/// S07
#[test]
fn a_deleted_user_is_out_at_once_and_who_gets_the_name_next_has_nothing_of_the_old_one() {
    let play = Play::new();
    let data = json!({ "secret": 1 });
    assert_eq!(play.server.post("/api/v1/data").token(&play.tokens.access).json(&data).send().status, 200);
    let path = format!("/admin/users/{}", play.user.username);
    assert_eq!(play.admin("DELETE", &path).status, 204);
    play.is_ended(&play.tokens, "disabled");
    play.server.try_log_in(&play.user.username, PASSWORD).refused(401, "invalid_credentials");
    for method in ["GET", "DELETE"] {
        play.admin(method, &path).refused(404, "user_not_found");
    }
    let next = play.server.make_user_with(&play.user.username, &["user"]);
    assert!(next.id > play.user.id);
    play.is_ended(&play.tokens, "disabled");
    let token = play.server.log_in(&next.username).access;
    assert_eq!(play.server.get("/api/v1/data").token(&token).send().json, json!({ "data": {} }));
    let sessions = play.server.get("/auth/sessions").token(&token).send();
    assert_eq!(sessions.json["sessions"].as_array().unwrap().len(), 1);
}

impl Play {
    fn owner(&self) -> String {
        Owner::User(&self.user.username).object()
    }

    /// The user's object, as if it had stored this.
    fn stored(&self, change: impl FnOnce(&mut Value)) {
        let row = self.server.world.row(Class::User, &self.owner(), "user").unwrap();
        let mut row = serde_json::from_str(&row).unwrap();
        change(&mut row);
        self.server.world.put_row(Class::User, &self.owner(), "user", &row.to_string());
    }
}

/// What was real: a session on no list, which nothing ended, not even closing it by its id.
#[test]
fn f02_a_session_ends_by_its_id_whatever_the_list_says() {
    let play = Play::new();
    let another = play.server.log_in(&play.user.username);
    play.stored(|user| user["slots"] = json!([]));
    let path = format!("/auth/sessions/{}", session_of(&another.access));
    assert_eq!(play.server.request("DELETE", &path).token(&play.tokens.access).send().status, 204);
    play.is_ended(&another, "logout");
    let path = format!("/admin/sessions/{}", session_of(&play.tokens.access));
    assert_eq!(play.admin("DELETE", &path).status, 204);
    play.is_ended(&play.tokens, "admin");
    // Somebody else's is as unknown as one that is not there.
    let (_, theirs) = play.server.someone();
    let mine = play.server.log_in(&play.user.username);
    let path = format!("/auth/sessions/{}", session_of(&theirs.access));
    let answer = play.server.request("DELETE", &path).token(&mine.access).send();
    answer.refused(404, "session_not_found");
    play.is_alive(&theirs);
}

/// What was real: removed by half, the user was 404 from then on, and who got the name next got the old id.
#[test]
fn f03_a_removal_that_was_cut_off_can_be_asked_for_again() {
    // The account is gone, the name is listed.
    let play = Play::new();
    let path = format!("/admin/users/{}", play.user.username);
    play.stored(|user| user["profile"] = Value::Null);
    play.admin("GET", &path).refused(404, "user_not_found");
    assert_eq!(play.admin("DELETE", &path).status, 204);
    play.admin("DELETE", &path).refused(404, "user_not_found");
    assert!(play.server.make_user_with(&play.user.username, &["user"]).id > play.user.id);
    // The name is not listed, the account is there.
    let play = Play::new();
    let path = format!("/admin/users/{}", play.user.username);
    let delete = format!("DELETE FROM users WHERE username = '{}'", play.user.username);
    play.server.world.sql(Class::Directory, "directory", &delete);
    assert_eq!(play.admin("GET", &path).status, 200);
    assert_eq!(play.admin("DELETE", &path).status, 204);
    play.is_ended(&play.tokens, "disabled");
    play.admin("DELETE", &path).refused(404, "user_not_found");
    assert!(play.server.make_user_with(&play.user.username, &["user"]).id > play.user.id);
}

/// What was real: under `edge` and `local` the token of a removed user reads the document of whoever has the name next.
#[test]
fn f03_a_token_that_outlives_its_user_reads_nobodys_document() {
    for check in ["edge", "local"] {
        let server = Server::with(&[("SESSION_CHECK", check)]);
        let (user, tokens) = server.someone();
        let admin = server.admin();
        let path = format!("/admin/users/{}", user.username);
        assert_eq!(server.request("DELETE", &path).token(&admin).send().status, 204);
        let next = server.make_user_with(&user.username, &["user"]);
        let theirs = server.log_in(&next.username);
        let body = json!({ "mine": 1 });
        assert_eq!(server.post("/api/v1/data").token(&theirs.access).json(&body).send().status, 200);
        for call in [server.get("/api/v1/data"), server.post("/api/v1/data").json(&json!({ "stolen": 1 }))] {
            let answer = call.token(&tokens.access).send();
            assert_eq!((answer.status, answer.json.get("data")), (401, None), "{check}");
        }
        let read = server.get("/api/v1/data").token(&theirs.access).send();
        assert_eq!(read.json, json!({ "data": { "mine": 1 } }));
    }
}

/// S09
#[test]
fn an_admin_ends_one_session_of_a_user_or_all_of_them() {
    let play = Play::new();
    let [second, third] = [(); 2].map(|()| play.server.log_in(&play.user.username));
    let one = format!("/admin/sessions/{}", session_of(&second.access));
    assert_eq!(play.admin("DELETE", &one).status, 204);
    play.is_ended(&second, "admin");
    play.admin("DELETE", &one).refused(404, "session_not_found");
    play.is_alive(&play.tokens);
    let all = play.admin("DELETE", &format!("/admin/users/{}/sessions", play.user.username));
    assert_eq!((all.status, all.json), (200, json!({ "closed_sessions": 2 })));
    play.is_ended(&play.tokens, "admin");
    play.is_ended(&third, "admin");
    let list = play.admin("GET", &format!("/admin/sessions/active?user_id={}", play.user.id));
    assert_eq!((&list.json["active_sessions"], &list.json["sessions"]), (&json!(0), &json!([])));
}

/// S10
#[test]
fn what_an_admin_sees_of_users_and_sessions_has_no_secrets_in_it() {
    let play = Play::new();
    for path in [
        "/admin/users?limit=500".to_owned(),
        format!("/admin/users/{}", play.user.username),
        format!("/admin/sessions/active?user_id={}", play.user.id),
    ] {
        let answer = play.admin("GET", &path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        for secret in ["eyJ", "\"password\"", "hash", "argon2", "address"] {
            assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
        }
    }
}
