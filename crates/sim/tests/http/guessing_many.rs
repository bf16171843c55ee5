//! Guessing at many names, from many places, and with what only the user or a backend has.

use super::support::guesses::{WRONG, by_status};
use super::support::{Answer, PASSWORD, Server};
use base::rpc::Class;
use directory::index::AddKey;
use directory::service_key::{Scope, ServiceKey};
use serde_json::json;
use sim::weather::Odds;

const LIMIT: (&str, &str) = ("LOGIN_MAX_FAILURES_PER_ADDRESS", "30");

fn server() -> Server {
    Server::with(&[LIMIT])
}

/// What was real: spraying sixty names from one address met no limit but 600 logins a minute.
#[test]
fn f06_an_address_that_sprays_names_is_refused_long_before_the_limit_of_logins() {
    let server = server();
    let (user, attacker) = (server.make_user(), server.address());
    let mut statuses = Vec::new();
    for n in 0..60 {
        // Those that exist among those that do not.
        let name = if n % 7 == 0 { user.username.clone() } else { format!("sprayed-{n}") };
        statuses.push(server.guess(&name, WRONG, &attacker).status);
    }
    assert!(statuses[..30].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[30..].iter().all(|status| *status == 429), "{statuses:?}");
    // Nor does a right guess get in; from elsewhere it does.
    let held = server.guess(&user.username, PASSWORD, &attacker);
    held.refused(429, "too_many_attempts");
    // All of them are decided, so that nobody waits for that.
    assert_eq!(held.header("retry-after"), Some("30"));
    assert_eq!(server.guess(&user.username, PASSWORD, &server.address()).status, 200);
    // One is forgiven each half minute.
    let now = server.world.now();
    server.set_time(now, 30_000);
    assert_eq!(server.guess(&user.username, PASSWORD, &attacker).status, 200);
}

/// An office behind one address logs in all at once, and is not held to have failed.
#[test]
fn f06_logins_that_succeed_are_no_failures_of_their_address() {
    let server = server();
    let office = server.address();
    let users: Vec<_> = (0..20).map(|_| server.make_user()).collect();
    for _ in 0..4 {
        let calls = users.iter().map(|user| server.login_from(&user.username, PASSWORD, &office)).collect();
        assert!(server.at_once(calls).iter().all(|answer| answer.status == 200));
    }
}

/// What was real: a row and an alarm for each name that was tried.
#[test]
fn f06_nothing_is_stored_for_a_name_that_nobody_has() {
    let server = server();
    server.someone();
    let attacker = server.address();
    for n in 0..12 {
        server.guess("nobody-of-that-name", WRONG, &attacker);
        server.guess(&format!("nobody-{n}"), WRONG, &attacker);
    }
    for name in ["nobody-of-that-name", "nobody-0", "nobody-11"] {
        let object = session::Owner::User(name).object();
        assert_eq!(server.world.rows(Class::User, &object).len(), 0, "{name}");
        assert_eq!(server.world.alarm(Class::User, &object), None, "{name}");
    }
}

/// And yet such a name is refused as one that somebody has, also when its object has lost its memory.
#[test]
fn f06_a_name_that_nobody_has_cannot_be_told_by_how_it_is_refused() {
    let server = server();
    let user = server.make_user();
    let told = |name: &str| {
        let from = server.address();
        let mut told = Vec::new();
        for n in 0..16 {
            let began = server.world.now();
            let answer = server.login_from(name, WRONG, &from).send();
            let took = server.world.now().since(began);
            told.push((answer.status, answer.header("retry-after").map(str::to_owned), took));
            server.world.at(began);
            if n % 3 == 0 {
                server.world.evict(Class::User, &session::Owner::User(name).object());
            }
            if n > 11 {
                server.set_time(began, 3_000);
            }
        }
        told
    };
    let start = server.world.now();
    let known = told(&user.username);
    server.world.at(start);
    assert_eq!(told("nobody-of-that-name"), known);
    assert!(known.iter().any(|(status, ..)| *status == 429));
}

fn device_token(answer: &Answer) -> String {
    answer.header("x-device-token").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// What was real: ten sources at five requests a second keep a user at a new address out for ever.
#[test]
fn f06_a_device_that_has_logged_in_before_gets_in_while_others_guess() {
    let server = server();
    let user = server.make_user();
    let name = &user.username;
    let first = server.login_from(name, PASSWORD, &server.address()).send();
    let token = device_token(&first);
    let members = first.json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    let sources: Vec<_> = (0..10).map(|_| server.address()).collect();
    let start = server.world.now();
    for second in 0..60 {
        server.set_time(start, second * 1_000);
        let calls = (0..50).map(|n| server.login_from(name, WRONG, &sources[n % 10])).collect();
        server.at_once(calls);
    }
    let from = server.address();
    server.guess(name, PASSWORD, &from).refused(429, "too_many_attempts");
    let with = |password: &str, token: &str, from: &str| {
        let call = server.login_from(name, password, from).header("x-device-token", token);
        server.at_once(vec![call]).remove(0)
    };
    // Also from an address that has itself failed too often.
    for from in [&from, &sources[0]] {
        let again = with(PASSWORD, &token, from);
        assert_eq!((again.status, device_token(&again)), (200, token.clone()), "{}", again.text);
    }
    // Its own guesses count.
    let statuses: Vec<_> = (0..12).map(|_| with(WRONG, &token, &from).status).collect();
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 2]].concat());
    with(PASSWORD, &token, &from).refused(429, "too_many_attempts");
    // One that is not ours, or another user's, is none.
    let other = server.make_user();
    let others = device_token(&server.login_from(&other.username, PASSWORD, &server.address()).send());
    let forged = format!("{}.{}", "0".repeat(32), token.split_once('.').unwrap().1);
    for token in [&*others, &*forged, "", ".", "x.y", &token[..token.len() - 1]] {
        with(PASSWORD, token, &server.address()).refused(429, "too_many_attempts");
    }
}

#[test]
fn f06_an_admin_unlocks_a_user_without_a_new_password() {
    let server = server();
    let (user, tokens) = server.someone();
    let name = &user.username;
    let from = server.address();
    server.wrong_guesses(10, name, &from);
    server.guess(name, PASSWORD, &from).refused(429, "too_many_attempts");
    let path = format!("/admin/users/{name}/unlock");
    assert_eq!(server.post(&path).token(&server.admin()).send().status, 204);
    assert_eq!(server.guess(name, PASSWORD, &from).status, 200);
    assert_eq!(server.protected(&tokens.access).status, 200);
    server.post("/admin/users/nobody/unlock").token(&server.admin()).send().refused(404, "user_not_found");
    server.post(&path).token(&tokens.access).send().refused(403, "forbidden");
}

/// What was real: a backend's users shared its one bucket.
#[test]
fn f06_a_backend_with_a_key_for_it_passes_its_users_addresses_on() {
    let server = server();
    let key = |scope: &str| {
        let body = json!({ "name": "backend", "scopes": [scope] });
        let made = server.post("/admin/service-keys").token(&server.admin()).json(&body).send();
        made.json["key"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
    };
    let (proxy, other) = (key("login:proxy"), key("portal"));
    let backend = server.address();
    let user = server.make_user();
    let log_in = |key: Option<&str>, passed: &str, password: &str| {
        let call = server.login_from(&user.username, password, &backend).header("x-client-address", passed);
        let call = if let Some(key) = key { call.header("x-api-key", key) } else { call };
        server.at_once(vec![call]).remove(0)
    };
    // Each of its users fails for themselves.
    for n in 0..40 {
        let answer = log_in(Some(&proxy), &format!("198.51.100.{n}"), WRONG);
        assert_eq!(answer.status, 401, "{n}");
    }
    for _ in 0..9 {
        log_in(Some(&proxy), "203.0.113.1", WRONG);
    }
    server.post(&format!("/admin/users/{}/unlock", user.username)).token(&server.admin()).send();
    assert_eq!(log_in(Some(&proxy), "203.0.113.1", PASSWORD).status, 200);
    // Without such a key it is not believed.
    log_in(Some(&other), "203.0.113.2", PASSWORD).refused(403, "forbidden");
    log_in(Some("sp_no"), "203.0.113.2", PASSWORD).refused(401, "service_key_invalid");
    log_in(Some(&proxy), "not an address", PASSWORD).refused(400, "invalid_request");
    let statuses: Vec<_> = (0..12).map(|n| log_in(None, &format!("203.0.113.{n}"), WRONG).status).collect();
    assert_eq!(statuses, [[401; 10].as_slice(), &[429; 2]].concat());
}

/// What was real: made-up keys all reached the one object of the directory; then so many as 600 in a minute from each address.
#[test]
fn f06_made_up_keys_are_refused_at_the_edge_and_good_ones_go_on() {
    let server = server();
    let body = json!({ "name": "good", "scopes": ["portal"] });
    let made = server.post("/admin/service-keys").token(&server.admin()).json(&body).send();
    let good = made.json["key"].as_str().unwrap();
    // As the first release made them: without a mark.
    let now = server.world.now();
    let old = |n: u8| {
        let (key, text) =
            ServiceKey::new(n.into(), &[n; 32], format!("old {n}"), &[Scope::Portal], None, now);
        server.world.send(&directory::directory_address(), &AddKey(key)).unwrap();
        text.expose().to_owned()
    };
    let (old, another) = (old(1), old(2));
    let from = server.address();
    let get =
        |key: &str| server.get("/sessions").header("x-api-key", key).header("cf-connecting-ip", &from).send();
    let made_up = |n: u32| format!("sp_f{n:011x}_{}", "A".repeat(43));
    assert_eq!(get(&old).status, 200);
    // From here on the directory has no keys to tell of: whoever asks it would be answered 503.
    server.world.sql(
        Class::Directory,
        "directory",
        "ALTER TABLE service_keys RENAME TO kept; CREATE VIEW service_keys AS SELECT * FROM missing",
    );
    let start = server.world.now();
    for n in 0..1_300 {
        get(&made_up(n)).refused(401, "service_key_invalid");
        server.world.at(start);
    }
    assert_eq!(get(&old).status, 200, "it is known for ten seconds");
    assert_eq!(server.get("/sessions").header("x-api-key", &another).unchecked().status, 503);
    server.world.sql(
        Class::Directory,
        "directory",
        "DROP VIEW service_keys; ALTER TABLE kept RENAME TO service_keys",
    );
    for key in [good, &old, &another] {
        assert_eq!(get(key).status, 200);
    }
    // One that is revoked is not let in much longer.
    let id = another.split('_').nth(1).unwrap();
    let gone = server.request("DELETE", &format!("/admin/service-keys/{id}")).token(&server.admin()).send();
    assert_eq!(gone.status, 204, "{}", gone.text);
    server.world.advance(std::time::Duration::from_secs(10));
    get(&another).refused(401, "service_key_invalid");
}

/// What was real: of six hundred at once each was looked at, since none had failed yet.
#[test]
fn f06_a_burst_from_one_address_is_bounded_as_one_guess_after_the_other_is() {
    let server = server();
    let attacker = server.address();
    let users: Vec<_> = (0..3).map(|_| server.make_user()).collect();
    let guesses = (0..300).map(|n| match users.get(n % 60) {
        Some(user) => server.login_from(&user.username, WRONG, &attacker),
        None => server.login_from(&format!("sprayed-{}", n % 60), WRONG, &attacker),
    });
    let counts = by_status(&server.at_once(guesses.collect()));
    assert_eq!((counts[&401], counts[&429], counts.len()), (30, 270, 2));
    // What is only throttled, or could not be asked, is no failure of the address.
    let office = server.address();
    let name = &users[0].username;
    server.wrong_guesses(10, name, &office);
    for _ in 0..40 {
        server.guess(name, WRONG, &office).refused(429, "too_many_attempts");
    }
    assert_eq!(server.guess(&users[1].username, PASSWORD, &office).status, 200);
    server.world.put_row(Class::User, &session::Owner::User(name).object(), "user", "broken");
    for _ in 0..40 {
        assert_eq!(server.login_from(name, PASSWORD, &office).unchecked().status, 503);
    }
    assert_eq!(server.guess(&users[2].username, PASSWORD, &office).status, 200);
}

/// What has failed is stored when it has; what is under way when an instance goes is forgotten, and no more.
#[test]
fn f06_an_address_gets_no_guesses_back_when_its_object_is_replaced() {
    let server = server();
    let attacker = server.address();
    let sprayed = |from: usize| {
        let guesses = (from..from + 20).map(|n| server.login_from(&format!("sprayed-{n}"), WRONG, &attacker));
        by_status(&server.at_once(guesses.collect()))
    };
    assert_eq!(sprayed(0)[&401], 20);
    server.world.restart();
    let counts = sprayed(20);
    assert_eq!((counts[&401], counts[&429]), (10, 10));
    server.world.restart();
    assert_eq!(sprayed(40)[&429], 20);
}

/// Who gets in leaves nothing to be written or to be forgotten, where nobody has failed.
#[test]
fn f06_an_address_where_nobody_fails_stores_nothing() {
    let server = server();
    let (user, office) = (server.make_user(), "198.51.100.7");
    let app = config::Settings::settings(&server.world.host()).unwrap();
    let object = format!("address/{}", app.vault.fingerprint("address", office));
    let stored = || server.world.rows(Class::User, &object).len();
    for _ in 0..3 {
        assert_eq!(server.guess(&user.username, PASSWORD, office).status, 200);
        assert_eq!((stored(), server.world.alarm(Class::User, &object)), (0, None));
    }
    server.guess(&user.username, WRONG, office);
    assert_eq!(stored(), 1);
    assert!(server.world.alarm(Class::User, &object).is_some());
}

/// And an office that logs in all at once gets in, though there are more of them than may fail.
#[test]
fn f06_a_hundred_who_log_in_at_once_from_one_office_get_in() {
    let server = server();
    let office = server.address();
    let users: Vec<_> = (0..100).map(|_| server.make_user()).collect();
    server.world.weather().rough(Odds { slow: 1000, ..Odds::default() });
    let calls = users.iter().map(|user| server.login_from(&user.username, PASSWORD, &office)).collect();
    let counts = by_status(&server.at_once(calls));
    assert_eq!((counts.get(&200), counts.len()), (Some(&100), 1), "{counts:?}");
}

/// What was real: `Retry-After` told those who keep a user out when to guess again.
#[test]
fn f06_who_is_held_by_what_others_failed_at_is_not_told_until_when() {
    let server = server();
    let name = server.make_user().username;
    let start = server.world.now();
    let mut told = Vec::new();
    for second in 0..40 {
        server.set_time(start, second * 1_000);
        let calls = (0..50).map(|_| server.login_from(&name, WRONG, &server.address())).collect();
        server.at_once(calls);
        let held = server.guess(&name, PASSWORD, &server.address());
        if held.status == 429 {
            told.push(held.header("retry-after").unwrap().to_owned());
        }
    }
    assert!(told.len() > 20 && told.iter().all(|seconds| seconds == "30"), "{told:?}");
    // It is enough to wait so long.
    server.set_time(start, 39_000 + 30_000);
    assert_eq!(server.guess(&name, PASSWORD, &server.address()).status, 200);
    // What an address has failed at itself it is told.
    let own = server.address();
    let other = server.make_user().username;
    server.wrong_guesses(10, &other, &own);
    assert_eq!(server.guess(&other, PASSWORD, &own).header("retry-after"), Some("1"));
}
