//! One task at a time: whoever wants the same shares it, and nobody waits longer than it takes.

use super::{BATCH, DAILY, FACTURIFY, FIRST, Fault, Keeper, MINUTELY, SECOND, members, refused};
use crate::account::secs;
use base::ports::Clock as _;
use base::rpc::Class;
use serde_json::{Value, json};
use sim::Request;
use std::collections::BTreeSet;
use std::time::Duration;

const TOKEN: &str = "/api/v1/facturify/auth/token";

fn tokens(keeper: &Keeper, n: usize) -> Vec<sim::Answered> {
    keeper.at_once(n, || Request::new("GET", TOKEN))
}

#[test]
fn a_thousand_requests_at_the_expiry_are_one_task() {
    let expected: [(&str, &[&str]); 3] =
        [(FACTURIFY, &["auth"]), (FIRST, &["token", "refresh", "token", "profile"]), (BATCH, &["token"])];
    for (account, calls) in expected {
        let keeper = Keeper::new();
        let before = keeper.read(account).json();
        keeper.pass(Duration::from_millis(100));
        // Its alarm is late.
        keeper.world.lose_alarm(Class::Upstream, account);
        keeper.world.at(keeper.now().plus(secs(before["expires_in"].as_u64().unwrap() + 1)));
        keeper.clear_calls();
        keeper.net.peak.set(0);
        let answers = keeper.at_once(1000, || Request::new("GET", format!("/api/v1/tokens/{account}")));
        let told: BTreeSet<_> =
            answers.iter().map(|a| (a.status, a.json()["access_token"].to_string())).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        let (status, token) = told.first().unwrap();
        assert_eq!((*status, token == &before["access_token"].to_string()), (200, false));
        assert_eq!(keeper.calls(account), calls);
        assert_eq!(keeper.net.peak.get(), 1);
    }
}

#[test]
fn whoever_comes_while_it_is_under_way_waits_for_the_same_and_no_longer() {
    let keeper = Keeper::new();
    keeper.net.latency.set(secs(5));
    let first = keeper.start("GET", TOKEN);
    keeper.pass(secs(1));
    assert_eq!(keeper.count(FACTURIFY), 1);
    let others: Vec<_> = (0..20).map(|_| keeper.start("GET", TOKEN)).collect();
    let orders =
        [keeper.start("POST", TOKEN), keeper.start("POST", "/api/v1/tokens/facturify/default/refresh")];
    keeper.pass(secs(3));
    assert!(first.borrow().is_none(), "it is under way");
    keeper.pass(secs(1) + Duration::from_millis(100));
    for answer in [first].iter().chain(&others).chain(&orders) {
        assert_eq!(answer.borrow().as_ref().map(|a| a.status), Some(200));
    }
    assert_eq!(keeper.count(FACTURIFY), 1);
}

#[test]
fn one_that_fails_is_one_failure_for_all_who_wait_and_nobody_calls_again_for_it() {
    let keeper = Keeper::new();
    keeper.down(FACTURIFY, Fault::Status(503, ""));
    for answer in tokens(&keeper, 200) {
        assert!(refused(&answer, 502, "upstream_error").unwrap() > 0);
    }
    assert_eq!(keeper.count(FACTURIFY), 1);
}

#[test]
fn a_good_token_is_served_at_once_while_its_renewal_takes_its_time_or_fails() {
    let keeper = Keeper::new();
    let before = keeper.send("GET", TOKEN).json()["token"].clone();
    keeper.net.latency.set(secs(20));
    while keeper.count(FACTURIFY) < 2 {
        keeper.pass(secs(1));
    }
    let now = keeper.now();
    for answer in tokens(&keeper, 50) {
        assert_eq!(answer.json()["token"], before);
    }
    assert_eq!((keeper.now(), keeper.count(FACTURIFY)), (now, 2));
    keeper.pass(secs(20));
    let told = keeper.send("GET", TOKEN).json();
    assert!(told["token"] != before && told["ttl"].as_u64() > Some(43_100), "{told}");
    assert_eq!(keeper.calls(FACTURIFY), ["auth", "refresh"]);

    let keeper = Keeper::new();
    let before = keeper.send("GET", TOKEN).json()["token"].clone();
    keeper.down(FACTURIFY, Fault::Status(500, ""));
    while keeper.count(FACTURIFY) < 2 {
        keeper.pass(Duration::from_millis(100));
    }
    keeper.pass(Duration::from_millis(100));
    for answer in tokens(&keeper, 50) {
        assert_eq!(answer.json()["token"], before);
    }
    assert_eq!(keeper.count(FACTURIFY), 2, "and nobody sets off another");
    let told = keeper.send("GET", &format!("{TOKEN}/status")).json();
    let error = members(&told["last_error"], &["code", "status"]);
    assert_eq!(
        (&told["has_token"], error),
        (&json!(true), json!({ "code": "upstream_error", "status": 500 }))
    );
}

#[test]
fn nobody_waits_longer_than_the_call() {
    let keeper = Keeper::new();
    keeper.world.deploy(&[("FACTURIFY_TIMEOUT", "7")]);
    keeper.down(FACTURIFY, Fault::Hangs);
    let begin = keeper.now();
    for answer in tokens(&keeper, 50) {
        refused(&answer, 504, "upstream_timeout");
    }
    let took = keeper.now().since(begin);
    assert!(took >= secs(7) && took < secs(8), "{took:?}");
    assert_eq!(keeper.count(FACTURIFY), 1);
}

#[test]
fn a_longer_life_that_many_want_is_one_renewal() {
    let keeper = Keeper::new();
    keeper.send("GET", TOKEN);
    let answers = keeper.at_once(100, || Request::new("GET", format!("{TOKEN}?min_ttl=1000")));
    let lives: BTreeSet<_> = answers.iter().map(|a| a.json()["ttl"].as_u64()).collect();
    assert_eq!((lives.len(), keeper.calls(FACTURIFY)), (1, vec!["auth".to_owned(), "refresh".to_owned()]));
    assert!(lives.first() > Some(&Some(43_000)), "{lives:?}");
}

#[test]
fn five_crons_at_once_and_during_an_alarm_make_one_task() {
    let keeper = Keeper::new();
    let accounts = [FIRST, SECOND];
    for account in accounts {
        keeper.read(account);
    }
    keeper.pass(secs(3600));
    keeper.clear_calls();
    let crons = |n: usize, expression: &'static str| {
        for _ in 0..n {
            let worker = keeper.world.worker();
            keeper.world.spawn(async move {
                engine::cron::triggered(&worker, expression, worker.now()).await.unwrap();
            });
        }
    };
    keeper.net.latency.set(secs(5));
    crons(5, DAILY);
    while accounts.iter().any(|account| keeper.count(account) == 0) {
        keeper.pass(Duration::from_millis(100));
    }
    crons(5, DAILY);
    crons(5, MINUTELY);
    keeper.pass(secs(60));
    crons(5, DAILY);
    keeper.pass(secs(60));
    for account in accounts {
        assert_eq!(keeper.calls(account), ["refresh", "token", "profile"]);
    }
    assert_eq!(keeper.net.peak.get(), 1);
}

#[test]
fn the_minutes_cron_the_alarm_and_a_caller_together_obtain_once() {
    let keeper = Keeper::new();
    keeper.net.latency.set(secs(5));
    for _ in 0..5 {
        let worker = keeper.world.worker();
        keeper
            .world
            .spawn(async move { engine::cron::triggered(&worker, MINUTELY, worker.now()).await.unwrap() });
    }
    let read = keeper.start("GET", "/api/v1/tokens/oauth2/batch");
    keeper.world.cron(MINUTELY).unwrap();
    keeper.pass(secs(20));
    assert_eq!(read.borrow().as_ref().map(|a| a.status), Some(200));
    assert_eq!(keeper.count(BATCH), 1);
    assert_ne!(keeper.status(BATCH)["has_token"], Value::Bool(false));
}
