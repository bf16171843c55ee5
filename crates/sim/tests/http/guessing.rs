//! Guessing at passwords: what it tells, how it is slowed down, and whom it does not lock out.

use super::support::guesses::{LOGIN_MAX_FAILURES, WRONG, by_status};
use super::support::{PASSWORD, Server};
use base::rpc::Class;
use serde_json::json;
use sim::weather::Odds;
use std::time::Duration;

/// U01
#[test]
fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let server = Server::new();
    let user = server.make_user();
    let (known, unknown) = (server.address(), server.address());
    // Three times, as failures are counted for both alike.
    for _ in 0..3 {
        let began = server.world.now();
        let mut wrong = server.login_from(&user.username, WRONG, &known).send();
        wrong.refused(401, "invalid_credentials");
        let took = server.world.now().since(began);
        let began = server.world.now();
        let mut nobody = server.login_from("nobody-of-that-name", WRONG, &unknown).send();
        assert_eq!(server.world.now().since(began), took);
        for answer in [&mut wrong, &mut nobody] {
            answer.headers.remove("x-request-id");
        }
        assert_eq!((nobody.status, nobody.text, nobody.headers), (wrong.status, wrong.text, wrong.headers));
    }
}

/// What was real: a name that exists was answered from where it lives, some hundred milliseconds later.
#[test]
fn f10_a_refusal_takes_the_same_time_however_far_the_user_s_object_is() {
    let server = Server::new();
    let user = server.make_user();
    let disabled = server.make_user();
    let path = format!("/admin/users/{}", disabled.username);
    let off = server.request("PATCH", &path).token(&server.admin()).json(&json!({ "is_active": false }));
    assert_eq!(off.send().status, 200);
    let took = |name: &str, password: &str, odds: Odds| {
        let from = server.address();
        let began = server.world.now();
        server.world.weather().rough(odds);
        let answer = server.login_from(name, password, &from).send();
        server.world.weather().clear();
        assert!(answer.status >= 400, "{name}: {}", answer.text);
        u64::try_from(server.world.now().since(began).as_millis()).unwrap()
    };
    let names = [("nobody-of-that-name", WRONG), (&*user.username, WRONG), (&*disabled.username, PASSWORD)];
    for _ in 0..5 {
        for (name, password) in names {
            assert_eq!(took(name, password, Odds::default()), 500, "{name}");
            // The object is up to a hundred milliseconds away.
            assert_eq!(took(name, password, Odds { slow: 1000, ..Odds::default() }), 500, "{name}");
            // Or much further.
            let far = took(name, password, Odds { very_slow: 1000, ..Odds::default() });
            assert_eq!((far % 500, far > 500), (0, true), "{name}: {far}");
        }
    }
}

/// How long this thread has worked: by the kernel's count, else by the clock.
#[allow(clippy::disallowed_methods)] // The work is real here, and the simulation's clock does not see it.
fn worked(since: std::time::Instant) -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let counted = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    counted.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// The work of the cheapest of some refusals.
#[allow(clippy::disallowed_methods)]
fn work(server: &Server, name: &str) -> Duration {
    let took = (0..3).map(|_| {
        let from = server.address();
        let began = std::time::Instant::now();
        let before = worked(began);
        server.guess(name, WRONG, &from).refused(401, "invalid_credentials");
        worked(began).saturating_sub(before)
    });
    took.min().unwrap()
}

/// What was real: after the settings were lowered, a name that exists was told from one that does not by the work of its hash.
#[test]
fn f10_an_unknown_name_costs_what_the_dearest_hash_in_use_costs_also_after_the_settings_are_changed() {
    let argon2 = |memory: &'static str, iterations: &'static str| {
        [("ARGON2_MEMORY_KIB", memory), ("ARGON2_ITERATIONS", iterations)]
    };
    let (dear, cheap) = (argon2("16384", "10"), argon2("7168", "5"));
    let server = Server::with(&dear);
    let (old, new) = (server.make_user().username, server.fresh_name("nobody"));
    let as_dear = |when: &str| {
        let (known, unknown) = (work(&server, &old), work(&server, &new));
        assert!(unknown * 2 > known && known * 2 > unknown, "{when}: {known:?} against {unknown:?}");
    };
    as_dear("before");
    server.deploy(&cheap);
    as_dear("after");
    // Whoever is made now costs as much to refuse.
    let made = server.make_user().username;
    assert!(work(&server, &made) * 2 > work(&server, &old));
    // A directory that has not seen those settings, as of the release before, learns of the hash by the first refusal.
    let with = |statements: &str| {
        server.world.sql(Class::Directory, "directory", statements);
        server.world.evict(Class::Directory, "directory");
        server.deploy(&cheap);
    };
    with("DELETE FROM hash_costs");
    assert!(work(&server, &new) * 2 < work(&server, &old));
    as_dear("once seen");
    server.deploy(&cheap);
    as_dear("in another instance");
    // When it has been in use by nobody for thirty days, it counts no more.
    with("UPDATE hash_costs SET seen_at = seen_at - 2592000001 WHERE memory_kib = 16384");
    assert!(work(&server, &new) * 2 < work(&server, &old));
    // Without the directory nobody waits, and the settings hold.
    with("DROP TABLE hash_costs; CREATE VIEW hash_costs AS SELECT * FROM missing");
    assert!(work(&server, &new) * 2 < work(&server, &old));
}

/// U01
#[test]
fn an_unknown_user_is_blocked_as_a_known_one_is() {
    let server = Server::new();
    let user = server.make_user();
    for name in [user.username, server.fresh_name("nobody")] {
        let answers = server.wrong_guesses(LOGIN_MAX_FAILURES + 2, &name, &server.address());
        let counts: Vec<_> = by_status(&answers).into_iter().collect();
        assert_eq!(counts, [(401, LOGIN_MAX_FAILURES), (429, 2)]);
    }
}

/// U02
#[test]
fn a_disabled_user_is_told_so_only_with_the_right_password() {
    let server = Server::new();
    let name = server.make_user().username;
    let call = server.request("PATCH", &format!("/admin/users/{name}")).token(&server.admin());
    assert_eq!(call.json(&json!({ "is_active": false })).send().status, 200);
    server.try_log_in(&name, WRONG).refused(401, "invalid_credentials");
    server.try_log_in(&name, PASSWORD).refused(403, "user_inactive");
}

/// U03
#[test]
fn an_address_that_fails_too_often_is_refused_for_a_while_and_others_are_not() {
    let server = Server::new();
    let name = server.make_user().username;
    let (attacker, home) = (server.address(), server.address());
    let start = server.world.now();
    server.wrong_guesses(LOGIN_MAX_FAILURES, &name, &attacker);

    let blocked = server.guess(&name, PASSWORD, &attacker);
    blocked.refused(429, "too_many_attempts");
    assert_eq!(blocked.header("retry-after"), Some("1"));
    assert_eq!(server.guess(&name, PASSWORD, &home).status, 200);

    server.set_time(start, 1_000);
    assert_eq!(server.guess(&name, PASSWORD, &attacker).status, 200);
    // A right password begins afresh.
    server.guess(&name, WRONG, &attacker).refused(401, "invalid_credentials");
    assert_eq!(server.guess(&name, PASSWORD, &attacker).status, 200);
}

/// U03
#[test]
fn each_further_failure_doubles_the_wait_and_a_failure_in_it_costs_nothing() {
    let server = Server::new();
    let name = server.make_user().username;
    let attacker = server.address();
    let start = server.world.now();
    server.wrong_guesses(LOGIN_MAX_FAILURES, &name, &attacker);
    let mut now = 0;
    for wait in [1_u64, 2, 4] {
        for blocked in server.wrong_guesses(5, &name, &attacker) {
            assert_eq!((blocked.status, blocked.header("retry-after")), (429, Some(&*wait.to_string())));
        }
        now += wait * 1_000;
        server.set_time(start, now - 1);
        assert_eq!(server.guess(&name, PASSWORD, &attacker).status, 429);
        server.set_time(start, now);
        let (password, status) = if wait == 4 { (PASSWORD, 200) } else { (WRONG, 401) };
        assert_eq!(server.guess(&name, password, &attacker).status, status);
    }
}

/// U03
#[test]
fn failures_are_slowed_down_before_they_are_refused() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    let began = server.world.now();
    // The delays of the third and fourth: 200 and 400 ms.
    for _ in 0..4 {
        server.login_from(&name, WRONG, &from).send().refused(401, "invalid_credentials");
    }
    assert!(server.world.now().since(began).as_millis() >= 600);
}

/// U03
#[test]
fn many_addresses_that_fail_slow_down_new_ones_and_not_where_the_user_comes_from() {
    let server = Server::new();
    let name = server.make_user().username;
    let home = server.address();
    let start = server.world.now();
    assert_eq!(server.guess(&name, PASSWORD, &home).status, 200);
    let guesses = (0..60).map(|_| server.login_from(&name, WRONG, &server.address())).collect();
    assert_eq!(by_status(&server.at_once(guesses))[&401], LOGIN_MAX_FAILURES * 5);

    server.guess(&name, PASSWORD, &server.address()).refused(429, "too_many_attempts");
    assert_eq!(server.guess(&name, PASSWORD, &home).status, 200);
    server.set_time(start, 30_000);
    assert_eq!(server.guess(&name, PASSWORD, &server.address()).status, 200);
}

/// U03
#[test]
fn a_session_that_is_there_goes_on_while_its_user_s_password_is_guessed_at() {
    let server = Server::new();
    let (user, tokens) = server.someone();
    let attacker = server.address();
    server.wrong_guesses(LOGIN_MAX_FAILURES + 1, &user.username, &attacker);
    let from = ("cf-connecting-ip", attacker.as_str());
    let profile = server.get("/auth/profile").token(&tokens.access).headers(&[from]).send();
    assert_eq!(profile.status, 200);
    let body = json!({ "refresh_token": tokens.refresh });
    assert_eq!(server.post("/auth/refresh").headers(&[from]).json(&body).send().status, 200);
}
