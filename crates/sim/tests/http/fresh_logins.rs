//! What asks for a recent login: `/auth/verify?max_age=`, changes of users and keys, ending one's other sessions (RFC 9470).

use super::support::tokens::{claims_of, session_of, without};
use super::support::{Answer, PASSWORD, Server, Tokens};
use base::clock::Timestamp;
use http::route::{Methods, ROUTES, Route};
use serde_json::json;
use std::time::Duration;

/// As `RECENT_LOGIN_MINUTES` is, if nothing is said.
const RECENT: Duration = Duration::from_mins(15);

fn challenge(max_age: u64) -> String {
    format!(
        "Bearer realm=\"sallyport\", error=\"insufficient_user_authentication\", \
         error_description=\"A more recent login is required\", max_age=\"{max_age}\""
    )
}

#[track_caller]
fn is_challenged(answer: &Answer, max_age: u64) {
    answer.refused(401, "insufficient_user_authentication");
    assert_eq!(answer.header("www-authenticate"), Some(&*challenge(max_age)));
}

/// A session that is in use, whose login is longer ago than asked for.
fn grown_old(server: &Server, tokens: &Tokens) -> Tokens {
    server.world.advance(RECENT - Duration::from_mins(5));
    let next = server.refresh(&tokens.refresh).tokens();
    server.world.advance(Duration::from_mins(5) + Duration::from_secs(1));
    next
}

fn again(server: &Server, access: &str) -> Tokens {
    let body = json!({ "password": PASSWORD });
    server.post("/auth/reauthenticate").token(access).json(&body).send().tokens()
}

fn verify(server: &Server, query: &str, access: &str) -> Answer {
    server.get(&format!("/auth/verify{query}")).token(access).send()
}

#[test]
fn a_proxy_lets_in_whom_the_login_is_recent_enough_of() {
    for check in ["strict", "edge", "local"] {
        let server = Server::with(&[("SESSION_CHECK", check)]);
        let tokens = server.someone().1;
        let login = server.now();
        server.world.advance(Duration::from_mins(5));
        let status = |query: &str, access: &str| {
            let answer = verify(&server, query, access);
            let told = answer.header("www-authenticate").map(str::to_owned);
            assert_eq!(answer.text, "");
            (answer.status, told)
        };
        let wanted = |max_age| (401, Some(challenge(max_age)));
        let access = tokens.access.as_str();
        assert_eq!(status("?max_age=300", access), (200, None), "{check}");
        assert_eq!(status("?max_age=299", access), wanted(299), "{check}");
        assert_eq!(status("?max_age=0", access), wanted(0), "{check}");
        // Whatever a client puts behind it, and whatever stands around it.
        assert_eq!(status("?max_age=60&path=/x&max_age=9000", access), wanted(60), "{check}");
        assert_eq!(status("?max_age=9000&max_age=60", access), wanted(60), "{check}");
        assert_eq!(status("?max%5fage=60", access), wanted(60), "{check}");
        // A role that is missing no login brings.
        assert_eq!(status("?role=admin&max_age=0", access).0, 403, "{check}");
        for odd in ["", "x", "-1", "1.5", "1e9", "%205", "99999999999999999999"] {
            assert_eq!(status(&format!("?max_age={odd}"), access).0, 422, "{check} {odd}");
        }
        let time = |answer: &Answer| answer.header("x-auth-time").and_then(Timestamp::parse_rfc3339);
        let asked = verify(&server, "?max_age=300", access);
        assert_eq!(time(&asked), Some(Timestamp::from_seconds(login)), "{check}");
        assert_eq!(time(&verify(&server, "", access)), None, "only where it is asked for");
        // The password once more.
        let next = again(&server, access);
        assert_eq!(status("?max_age=0", &next.access), (200, None), "{check}");
        assert_eq!(
            status("?max_age=60", access),
            wanted(60),
            "{check}: the token of before says what it said"
        );
    }
}

/// Tokens that were issued before they said so.
#[test]
fn of_a_token_without_the_time_the_session_s_beginning_counts_where_its_object_is_asked() {
    for (check, status) in [("strict", 200), ("edge", 401), ("local", 401)] {
        let server = Server::with(&[("SESSION_CHECK", check)]);
        let tokens = server.someone().1;
        let old = without(&tokens.access, "auth_time");
        server.world.advance(Duration::from_mins(5));
        assert_eq!(verify(&server, "", &old).status, 200, "{check}");
        assert_eq!(verify(&server, "?max_age=300", &old).status, status, "{check}");
        assert_eq!(verify(&server, "?max_age=299", &old).status, 401, "{check}");
        // The next one has it.
        let next = server.refresh(&tokens.refresh).tokens();
        assert_eq!(verify(&server, "?max_age=300", &next.access).status, 200, "{check}");
    }
}

#[test]
fn admins_change_users_and_keys_with_a_recent_login_only() {
    let server = Server::new();
    let admin = server.make_user_with("an-admin", &["admin"]);
    let tokens = grown_old(&server, &server.log_in(&admin.username));
    let mut asked = 0;
    for row in
        ROUTES.iter().filter(|row| matches!(row.route, Route::Admin(_)) || row.route.asks_for_recent_login())
    {
        let path = row.pattern.replace(['{', '}'], "");
        let methods = ["GET", "POST", "PATCH", "DELETE"];
        for method in methods.into_iter().filter(|method| row.methods.intersects(Methods::named(method))) {
            let answer = server.request(method, &path).token(&tokens.access).json(&json!({})).send();
            if row.route.asks_for_recent_login() {
                is_challenged(&answer, RECENT.as_secs());
                asked += 1;
            } else {
                assert_ne!(answer.status, 401, "{}: {}", row.name, answer.text);
            }
        }
    }
    assert_eq!(asked, 10);
    // Nothing has come of it, and with the password it is made.
    let user = server.make_user();
    let path = format!("/admin/users/{}", user.username);
    let promote = |access: &str| {
        server.request("PATCH", &path).token(access).json(&json!({ "roles": ["user", "auditor"] })).send()
    };
    is_challenged(&promote(&tokens.access), RECENT.as_secs());
    let read = || server.get(&path).token(&tokens.access).send().json["roles"].clone();
    assert_eq!(read(), json!(["user"]));
    assert_eq!(promote(&again(&server, &tokens.access).access).status, 200);
    assert_eq!(read(), json!(["auditor", "user"]));
}

#[test]
fn how_recent_is_a_setting_and_zero_asks_for_nothing() {
    for (setting, status) in [
        ([("RECENT_LOGIN_SECONDS", "901")], 201),
        ([("RECENT_LOGIN_SECONDS", "900")], 401),
        ([("RECENT_LOGIN_MINUTES", "16")], 201),
        ([("RECENT_LOGIN_MINUTES", "0")], 201),
        ([("RECENT_LOGIN_SECONDS", "0")], 201),
    ] {
        let server = Server::with(&setting);
        let tokens = server.log_in(&server.make_user_with("an-admin", &["admin"]).username);
        let old = grown_old(&server, &tokens);
        let body = json!({ "name": "k", "scopes": ["portal"] });
        let made = server.post("/admin/service-keys").token(&old.access).json(&body).send();
        assert_eq!(made.status, status, "{setting:?}: {}", made.text);
    }
    // A login's own token is recent as long as it is good, so that a script that logs in and does its work is never asked.
    let server = Server::new();
    let admin = server.make_user_with("an-admin", &["admin"]);
    let first = server.log_in(&admin.username);
    server
        .world
        .advance(Duration::from_secs(claims_of(&first.access)["exp"].as_u64().unwrap() - server.now() - 1));
    let body = json!({ "username": "somebody", "password": PASSWORD });
    assert_eq!(server.post("/admin/users").token(&first.access).json(&body).send().status, 201);
}

#[test]
fn ending_others_and_staying_asks_for_a_recent_login_and_leaving_does_not() {
    let server = Server::new();
    let (user, mine) = server.someone();
    let old = grown_old(&server, &mine);
    let other = server.log_in(&user.username);
    let close = |id: &str, access: &str| {
        server.request("DELETE", &format!("/auth/sessions/{id}")).token(access).send()
    };
    let all = |keep: bool, access: &str| {
        server.post("/auth/logout-all").token(access).json(&json!({ "keep_current": keep })).send()
    };
    is_challenged(&close(&session_of(&other.access), &old.access), RECENT.as_secs());
    is_challenged(&all(true, &old.access), RECENT.as_secs());
    assert_eq!(server.protected(&other.access).status, 200);
    // What is not there is not there, whoever asks.
    close(&"ab".repeat(32), &old.access).refused(404, "session_not_found");
    // With the password it is done.
    let fresh = again(&server, &old.access);
    assert_eq!(close(&session_of(&other.access), &fresh.access).status, 204);
    let other = server.log_in(&user.username);
    assert_eq!(all(true, &fresh.access).json["closed_sessions"], 1);
    assert_eq!(server.protected(&other.access).status, 401);
    // One's own, and all with one's own.
    let old = grown_old(&server, &fresh);
    assert_eq!(close(&session_of(&old.access), &old.access).status, 204);
    let old = grown_old(&server, &server.log_in(&user.username));
    assert_eq!(all(false, &old.access).status, 200);
}

/// They have nothing here to prove it with.
#[test]
fn somebody_externally_authenticated_is_not_asked_for_a_password() {
    let server = Server::new();
    let begin = || {
        let data = json!({ "cif": "7", "tokenKey": "t", "payload": { "channelId": "retail" } });
        let begun = server.post("/api/v1/postlogin/init-session").json(&json!({ "data": data })).send();
        begun.json["token"].as_str().unwrap().to_owned()
    };
    let (first, second) = (begin(), begin());
    server.world.advance(Duration::from_mins(14));
    assert_eq!(verify(&server, "?max_age=600", &first).header("www-authenticate"), Some(&*challenge(600)));
    let path = format!("/auth/sessions/{}", session_of(&second));
    assert_eq!(server.request("DELETE", &path).token(&first).send().status, 204);
}

#[test]
fn the_challenge_is_in_the_language_of_the_request_and_pages_may_read_it() {
    let page = "https://app.example.com";
    let server = Server::with(&[("ALLOWED_ORIGINS", page)]);
    let admin = server.make_user_with("an-admin", &["admin"]);
    let old = grown_old(&server, &server.log_in(&admin.username));
    let call = server.request("DELETE", "/admin/users/nobody").token(&old.access);
    let answer = call.header("origin", page).header("accept-language", "es").send();
    is_challenged(&answer, RECENT.as_secs());
    assert!(answer.json["detail"].as_str().unwrap().contains("contraseña"), "{}", answer.text);
    assert!(answer.header("access-control-expose-headers").unwrap().contains("www-authenticate"));
}
