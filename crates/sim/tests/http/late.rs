//! Messages that are said to be lost and come all the same, up to a minute later: whoever was told 503 and has logged in again
//! stays logged in. And nobody keeps a change from being made by logging in all the while.

use super::support::{Call, PASSWORD, Server, Tokens, User};
use serde_json::{Value, json};
use sim::weather::Odds;
use std::time::Duration;

const NEW: &str = "an entirely new one";
const RESET_KEY: &str = "reset-key-of-the-simulation-0123456789abcdef";

/// More messages than any of these requests has.
const MESSAGES_MAX: u32 = 30;

type Ask = for<'a> fn(&'a Server, &User, &Tokens) -> Call<'a>;

fn by_admin<'a>(server: &'a Server, method: &str, path: &str) -> Call<'a> {
    server.request(method, path).token(&server.admin())
}

fn patch<'a>(server: &'a Server, user: &User, body: &Value) -> Call<'a> {
    by_admin(server, "PATCH", &format!("/admin/users/{}", user.username)).json(body)
}

/// What ends all sessions of a user.
const ENDS: &[(&str, Ask)] = &[
    ("disable", |server, user, _| patch(server, user, &json!({ "is_active": false }))),
    ("password", |server, user, _| patch(server, user, &json!({ "password": NEW }))),
    ("remove", |server, user, _| by_admin(server, "DELETE", &format!("/admin/users/{}", user.username))),
    ("end all", |server, user, _| {
        by_admin(server, "DELETE", &format!("/admin/users/{}/sessions", user.username))
    }),
    ("reset", |server, user, _| {
        let call = server.post(&format!("/admin/users/{}/reset", user.username));
        call.header("x-admin-reset-key", RESET_KEY).json(&json!({ "password": NEW }))
    }),
    ("log out everywhere", |server, _, mine| {
        server.post("/auth/logout-all").token(&mine.access).json(&json!({}))
    }),
    ("own password", |server, _, mine| {
        let body = json!({ "old_password": PASSWORD, "new_password": NEW });
        server.post("/auth/password").token(&mine.access).json(&body)
    }),
];

#[test]
fn whoever_was_told_503_and_logs_in_again_stays_logged_in() {
    for (what, ask) in ENDS {
        let mut again_in = 0;
        for first in 0..MESSAGES_MAX {
            let server = Server::with(&[("ADMIN_RESET_KEY", RESET_KEY)]);
            let (user, mine) = server.someone();
            let call = ask(&server, &user, &mine);
            let weather = server.world.weather();
            // A message, and the one that is sent in its place.
            weather.only(Some([first, first + 1].into()));
            weather.rough(Odds { stray: 1000, ..Odds::default() });
            let answer = call.unchecked();
            weather.clear();
            if !weather.has_happened() {
                break;
            }
            let again = server.try_log_in(&user.username, PASSWORD);
            // Otherwise the change is made already, or its message was not the one.
            if answer.status != 503 || again.status != 200 {
                continue;
            }
            again_in += 1;
            server.world.advance(Duration::from_mins(2));
            let after = server.protected(&again.tokens().access);
            assert_eq!(after.status, 200, "{what}, message {first}: {}", after.text);
            assert_eq!(server.try_log_in(&user.username, PASSWORD).status, 200, "{what}, message {first}");
        }
        assert!(again_in > 0, "{what}");
    }
}

/// Each of its tries but the last finds that somebody has logged in since it has looked.
#[test]
fn who_logs_in_all_the_while_is_disabled_all_the_same() {
    let server = Server::new();
    let user = server.make_user();
    let call = patch(&server, &user, &json!({ "is_active": false }));
    server.world.weather().rough(Odds { slow: 1000, ..Odds::default() });
    let logins = (0..100).map(|_| server.login_from(&user.username, PASSWORD, &server.address()));
    let answers = server.unread(std::iter::once(call).chain(logins).collect());
    server.world.weather().clear();
    assert_eq!(answers[0].status, 200, "{:?}", answers[0]);
    let in_time = answers.iter().skip(1).filter(|answer| answer.status == 200).count();
    assert!(in_time > 0, "all came too late");
    server.try_log_in(&user.username, PASSWORD).refused(403, "user_inactive");
    for answer in answers.iter().skip(1).filter(|answer| answer.status == 200) {
        let access = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(server.protected(&access).status, 401);
    }
}
