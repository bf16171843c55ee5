//! Guessing at passwords with many requests at once, or as many clients: it gets nobody further.

use super::support::guesses::{LOGIN_MAX_FAILURES, WRONG, by_status};
use super::support::{PASSWORD, Server};
use serde_json::json;

/// U04
#[test]
fn of_many_guesses_at_once_no_more_are_looked_at_than_one_after_the_other() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    let guesses = (0..60).map(|n| server.login_from(&name, &format!("{WRONG} {n}"), &from)).collect();
    let answers = server.at_once(guesses);
    let counts: Vec<_> = by_status(&answers).into_iter().collect();
    assert_eq!(counts, [(401, LOGIN_MAX_FAILURES), (429, 60 - LOGIN_MAX_FAILURES)]);
    for answer in answers.iter().filter(|answer| answer.status == 429) {
        assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    }
}

/// U04
#[test]
fn a_right_password_gives_its_address_as_many_guesses_as_any_other_has_and_no_more() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    let looked_at = |n: usize| by_status(&server.wrong_guesses(n, &name, &from))[&401];
    assert_eq!(looked_at(4), 4);
    assert_eq!(server.guess(&name, PASSWORD, &from).status, 200);
    assert_eq!(looked_at(30), LOGIN_MAX_FAILURES);
}

/// U03
#[test]
fn spellings_of_a_name_share_their_failures() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    let spellings = [name.clone(), name.to_uppercase(), name.replacen('u', "\u{ff55}", 1)];
    let guesses = (0..20).map(|n| server.login_from(&spellings[n % 3], WRONG, &from)).collect();
    assert_eq!(by_status(&server.at_once(guesses))[&401], LOGIN_MAX_FAILURES);
    server.guess(&name, PASSWORD, &from).refused(429, "too_many_attempts");
}

/// I14
#[test]
fn no_header_of_its_own_and_no_other_address_of_its_network_makes_a_client_another_client() {
    const SAME: &str = "198.51.100.200";
    type Headers = fn(usize) -> (String, Vec<(&'static str, String)>);
    let ways: [Headers; 4] = [
        |n| (format!("2001:db8:f00:1::{}", n + 1), vec![]),
        |n| (SAME.to_owned(), vec![("x-forwarded-for", format!("198.51.100.{n}"))]),
        |n| (SAME.to_owned(), vec![("forwarded", format!("for=198.51.100.{n}"))]),
        |n| {
            let address = format!("198.51.100.{n}");
            (SAME.to_owned(), vec![("x-real-ip", address.clone()), ("true-client-ip", address)])
        },
    ];
    let server = Server::new();
    for way in ways {
        let name = server.make_user().username;
        let guesses = (0..15).map(|n| {
            let (from, headers) = way(n);
            let call = server.login_from(&name, WRONG, &from);
            headers.iter().fold(call, |call, (name, value)| call.header(name, value))
        });
        assert_eq!(by_status(&server.at_once(guesses.collect()))[&401], LOGIN_MAX_FAILURES);
    }
}

#[test]
fn a_limit_of_sessions_that_is_reached_is_not_a_failed_login() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    for _ in 0..LOGIN_MAX_FAILURES + 2 {
        assert_eq!(server.guess(&name, PASSWORD, &from).status, 200);
    }
    server.guess(&name, WRONG, &from).refused(401, "invalid_credentials");
}

#[test]
fn a_new_password_set_by_an_admin_ends_the_block() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    server.wrong_guesses(LOGIN_MAX_FAILURES, &name, &from);
    server.guess(&name, PASSWORD, &from).refused(429, "too_many_attempts");
    let new = "another fine password";
    let call = server.request("PATCH", &format!("/admin/users/{name}")).token(&server.admin());
    assert_eq!(call.json(&json!({ "password": new })).send().status, 200);
    assert_eq!(server.guess(&name, new, &from).status, 200);
}

#[test]
fn one_address_makes_so_many_attempts_a_minute_at_whomever() {
    let server = Server::new();
    let name = server.make_user().username;
    let from = server.address();
    let blocked = server.fresh_name("nobody");
    server.wrong_guesses(LOGIN_MAX_FAILURES, &blocked, &from);
    // 600 a minute.
    let answers = server.wrong_guesses(600 - LOGIN_MAX_FAILURES, &blocked, &from);
    assert!(answers.iter().all(|answer| answer.header("retry-after") != Some("60")));
    let limited = server.guess(&name, PASSWORD, &from);
    limited.refused(429, "too_many_attempts");
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert_eq!(server.guess(&name, PASSWORD, &server.address()).status, 200);
}
