//! What is done, and counted.

use crate::Row;
use crate::world::{Deployment, minutes, session_id};
use base::rpc::Class;
use serde_json::json;
use sim::fakes::receiver::{self, Receiver};
use sim::{Usage, World};
use std::time::Duration;

pub fn all() -> Vec<Row> {
    let mut rows = vec![busy(), hourly(), refresh(), alarm()];
    rows.extend([login(), known_device(), at_limit(10), at_limit(100)]);
    rows.extend([logout(), early_logout(), logout_under_edge(), idle_end(), refused_long_after()]);
    rows.extend([told_login(), told_logout()]);
    rows.extend(crate::audit::all());
    rows.extend(crate::upstreams::all());
    rows.extend(crate::portals::all());
    rows
}

pub fn row(what: &'static str, usage: Usage, cpu_micros: u64, goal: Option<u64>) -> Row {
    Row { what, times: 1, usage, cpu_micros, goal }
}

fn busy() -> Row {
    let d = Deployment::new(&[]);
    let tokens = d.log_in("asha");
    d.world.advance(minutes(2));
    let usage = d.uses(|| {
        for _ in 0..600 {
            d.validate(&tokens.access);
            d.world.advance(Duration::from_millis(100));
        }
    });
    Row { times: 600, ..row("validate, a busy session (10 a second)", usage, 150, Some(500)) }
}

/// A session that lives for a day without activity, and whose object is out of memory by the next request.
fn hourly() -> Row {
    let d = Deployment::new(&[
        ("ACCESS_TOKEN_EXPIRE_SECONDS", "21600"),
        ("SESSION_INACTIVITY_TIMEOUT_SECONDS", "86400"),
    ]);
    let tokens = d.log_in("asha");
    let id = session_id(&tokens.access);
    let mut usage = Usage::default();
    for _ in 0..5 {
        d.world.advance(minutes(60));
        d.world.evict(Class::Session, &id);
        usage += d.uses(|| d.validate(&tokens.access));
    }
    Row { times: 5, ..row("validate, a session seen once an hour", usage, 150, Some(1_500)) }
}

fn refresh() -> Row {
    let d = Deployment::new(&[]);
    let mut tokens = d.log_in("asha");
    let id = session_id(&tokens.access);
    let mut usage = Usage::default();
    for _ in 0..3 {
        d.world.advance(minutes(8));
        d.world.evict(Class::Session, &id);
        usage += d.uses(|| {
            let answer = d.refresh(&tokens.refresh);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()["refresh_token"].as_str().unwrap().clone_into(&mut tokens.refresh);
        });
    }
    Row { times: 3, ..row("refresh", usage, 350, Some(1_500)) }
}

fn alarm() -> Row {
    let d = Deployment::new(&[]);
    let tokens = d.log_in("asha");
    d.world.advance(minutes(10));
    d.validate(&tokens.access);
    d.world.advance(minutes(18));
    let usage = d.uses(|| d.world.advance(minutes(5)));
    row("the alarm of a live session, once in its inactivity timeout", usage, 150, None)
}

/// An instance of the Worker that has had a login a while ago, so that it knows what a refusal costs.
pub fn warm(settings: &[(&str, &str)]) -> Deployment {
    let d = Deployment::new(settings);
    let root = d.log_in("root").access;
    log_out(&d, &root);
    d.world.advance(minutes(9));
    d
}

/// With all that follows in twenty minutes: the places, the attempts of the address.
fn login() -> Row {
    let d = warm(&[]);
    let usage = d.uses(|| {
        d.log_in("asha");
        d.world.advance(minutes(20));
    });
    row("login", usage, 30_000, Some(10_000))
}

/// Whoever is told of events.
fn heard(d: &Deployment) -> Receiver {
    let receiver = Receiver::new(d.world.host(), || None);
    d.world.upstream(receiver::HOST, receiver.clone());
    // What has waited for it so far.
    d.world.advance(minutes(40));
    receiver
}

/// As [`login`]: what is more is what the event costs.
fn told_login() -> Row {
    let d = Deployment::new(receiver::SETTINGS);
    let receiver = heard(&d);
    let root = d.log_in("root").access;
    log_out(&d, &root);
    d.world.advance(minutes(9));
    let before = receiver.messages().len();
    let usage = d.uses(|| {
        d.log_in("asha");
        d.world.advance(minutes(20));
    });
    assert_eq!(receiver.messages().len(), before + 1);
    row("login, with `EVENT_WEBHOOK_URL`", usage, 30_500, None)
}

/// As [`logout`].
fn told_logout() -> Row {
    let d = Deployment::new(receiver::SETTINGS);
    let receiver = heard(&d);
    let tokens = d.log_in("asha");
    d.world.advance(minutes(14));
    let access = d.refresh(&tokens.refresh).json()["access_token"].as_str().unwrap().to_owned();
    d.world.advance(minutes(3));
    let before = receiver.messages().len();
    let usage = d.uses(|| {
        log_out(&d, &access);
        d.world.advance(minutes(40));
    });
    assert_little_is_left(&d.world, &access);
    assert_eq!(receiver.messages().len(), before + 1);
    row("logout, with `EVENT_WEBHOOK_URL`", usage, 1_500, None)
}

fn known_device() -> Row {
    let d = Deployment::new(&[]);
    let first = d.log_in("asha");
    assert!(!first.device.is_empty());
    log_out(&d, &first.access);
    d.world.advance(minutes(9));
    let usage = d.uses(|| {
        d.log_in_with("asha", &[("x-device-token", &first.device)]);
        d.world.advance(minutes(5));
    });
    row("login from a known device", usage, 30_000, Some(10_000))
}

fn at_limit(limit: usize) -> Row {
    let max = limit.to_string();
    let d = Deployment::new(&[("MAX_CONCURRENT_SESSIONS_PER_USER", &max)]);
    for _ in 0..limit {
        d.log_in("asha");
        d.world.advance(Duration::from_secs(1));
    }
    d.world.advance(minutes(5));
    let usage = d.uses(|| {
        d.log_in("asha");
        d.world.advance(minutes(5));
    });
    let what = if limit == 10 {
        "login at a limit of 10, and the eviction"
    } else {
        "login at a limit of 100, and the eviction"
    };
    row(what, usage, 31_000, None)
}

pub fn log_out(d: &Deployment, access: &str) {
    let answer = d.post("/auth/logout", &[("authorization", &format!("Bearer {access}"))], &json!({}));
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What is stored of a session that has ended, once its alarm has come: the bytes of KV, and nothing of its object.
fn assert_little_is_left(world: &World, access: &str) {
    let id = session_id(access);
    assert!(world.rows(Class::Session, &id).is_empty(), "{:?}", world.rows(Class::Session, &id));
    assert_eq!(world.alarm(Class::Session, &id), None);
    let kv = world.kv();
    let entries = kv.iter().filter(|(key, _)| key.contains(&id));
    let bytes = |(key, entry): (&String, &sim::kv::Entry)| {
        key.len() + entry.value.len() + entry.metadata.as_ref().map_or(0, |m| m.to_string().len())
    };
    let left: usize = entries.map(bytes).sum();
    assert!((1..=1_024).contains(&left), "{left} bytes");
}

/// A session that is refreshed after `begun` minutes, and logged out three later.
fn ended_after(settings: &[(&str, &str)], begun: u64) -> Usage {
    let d = Deployment::new(settings);
    let tokens = d.log_in("asha");
    d.world.advance(minutes(begun));
    let access = d.refresh(&tokens.refresh).json()["access_token"].as_str().unwrap().to_owned();
    d.world.advance(minutes(3));
    let usage = d.uses(|| {
        log_out(&d, &access);
        d.world.advance(minutes(40));
    });
    assert_little_is_left(&d.world, &access);
    usage
}

fn logout() -> Row {
    row("logout, with its follow-up work", ended_after(&[], 14), 1_000, Some(8_000))
}

/// From a known device, so that nothing of the attempt is still to be done.
fn early_logout() -> Row {
    let d = Deployment::new(&[]);
    let first = d.log_in("asha");
    log_out(&d, &first.access);
    d.world.advance(minutes(60));
    let access = d.log_in_with("asha", &[("x-device-token", &first.device)]).access;
    d.world.advance(minutes(3));
    let usage = d.uses(|| {
        log_out(&d, &access);
        d.world.advance(minutes(40));
    });
    assert_little_is_left(&d.world, &access);
    row("the same within five minutes of the login", usage, 1_000, None)
}

fn logout_under_edge() -> Row {
    row("logout under `edge`", ended_after(&[("SESSION_CHECK", "edge")], 14), 1_000, None)
}

fn idle_end() -> Row {
    let d = Deployment::new(&[]);
    let access = d.log_in("asha").access;
    d.world.advance(minutes(29));
    let usage = d.uses(|| d.world.advance(minutes(10)));
    assert_little_is_left(&d.world, &access);
    row("an end by inactivity, with its follow-up work", usage, 1_000, Some(8_000))
}

fn refused_long_after() -> Row {
    let d = Deployment::new(&[]);
    let refresh = d.log_in("asha").refresh;
    d.world.advance(minutes(600));
    let usage = d.uses(|| {
        let answer = d.refresh(&refresh);
        assert_eq!((answer.status, answer.code().as_str()), (401, "session_inactivity_timeout"));
    });
    row("a refresh that is refused, long after the end", usage, 300, None)
}
