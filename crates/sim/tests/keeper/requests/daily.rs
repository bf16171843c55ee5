//! The run of 08:00 and what many accounts have in common: how many renew at once, and that one cause is one alert.

use super::DAILY;
use crate::account::{at, secs};
use base::call::{Answer, Call};
use base::ports::{Clock as _, Timer as _};
use base::rpc::Class;
use base::secret::Secret;
use serde_json::Value;
use sim::net::{Answering, Upstream, text};
use sim::{SimHost, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// A service that takes its time, or is down.
struct Slow {
    host: SimHost,
    takes: Cell<Duration>,
    down: Cell<bool>,
    now: Cell<u32>,
    peak: Cell<u32>,
    first: Cell<Option<u64>>,
    last: Cell<u64>,
}

struct Door(Rc<Slow>);

impl Upstream for Door {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async move {
            let slow = &self.0;
            let at = slow.host.now().millis();
            slow.first.set(slow.first.get().or(Some(at)));
            slow.last.set(at);
            slow.now.set(slow.now.get() + 1);
            slow.peak.set(slow.peak.get().max(slow.now.get()));
            slow.host.sleep(slow.takes.get()).await;
            slow.now.set(slow.now.get() - 1);
            if slow.down.get() {
                return text(503, "");
            }
            if call.url.contains("profile") {
                return text(200, r#"{"status":"success","data":{"user_id":"U1"}}"#);
            }
            let id = call.url.split('/').nth(4).unwrap_or_default();
            // Each one is another one.
            text(200, &format!(r#"{{"success":true,"access_token":"{id}-{at}"}}"#))
        })
    }
}

fn world(accounts: usize, settings: &[(&str, &str)]) -> (World, Rc<Slow>) {
    let ids: Vec<_> = (0..accounts).map(|n| format!("a{n}")).collect();
    let ids = ids.join(",");
    let mut all = vec![
        ("UPSTOX_ACCOUNT_IDS", ids.as_str()),
        ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
        ("TOKEN_CHECK_MINUTES", "0"),
        ("REQUEST_LOG", "off"),
    ];
    all.extend(settings);
    let world = World::complete(0, &all);
    world.at(at("2026-06-01T06:00:00Z"));
    let slow = Rc::new(Slow {
        host: world.host(),
        takes: Cell::new(Duration::from_millis(100)),
        down: Cell::new(false),
        now: Cell::default(),
        peak: Cell::default(),
        first: Cell::default(),
        last: Cell::default(),
    });
    for host in ["service", "api.upstox.com"] {
        world.upstream(host, Door(slow.clone()));
    }
    world.cron("* * * * *").unwrap();
    world.advance(secs(120));
    (world, slow)
}

fn healthy(world: &World) -> u64 {
    world.advance(secs(2));
    world.request("GET", "/health", &[], None).json()["accounts"]["healthy"].as_u64().unwrap()
}

/// Of each account's newest token.
fn generations(world: &World, accounts: usize) -> Vec<u64> {
    let generation = |n: usize| {
        let row = world.row(Class::Upstream, &format!("upstox/a{n}"), "account").unwrap();
        serde_json::from_str::<keeper::Account>(&row).unwrap().generation
    };
    (0..accounts).map(generation).collect()
}

#[test]
fn f28_the_daily_run_is_spread_over_the_time_that_is_set() {
    for (accounts, setting, least, most) in [(100, "300", 80, 101), (100, "50", 40, 51), (5, "300", 1, 6)] {
        let (world, slow) = world(accounts, &[("UPSTREAM_DAILY_SPREAD_SECONDS", setting)]);
        assert_eq!(healthy(&world), accounts as u64);
        world.at(at("2026-06-02T02:30:00Z"));
        slow.first.set(None);
        world.cron(DAILY).unwrap();
        world.advance(secs(310));
        let took = (slow.last.get() - slow.first.get().unwrap()) / 1000;
        assert!((least..=most).contains(&took), "{accounts} accounts, {setting} s: {took} s");
        assert_eq!(healthy(&world), accounts as u64);
    }
}

/// However slow the service is: those that are too many wait, and all have their token in the end.
#[test]
fn f28_no_more_than_so_many_accounts_renew_at_once() {
    const ACCOUNTS: usize = 200;
    let (world, slow) =
        world(ACCOUNTS, &[("UPSTREAM_RENEWALS_AT_ONCE", "10"), ("UPSTREAM_DAILY_SPREAD_SECONDS", "5")]);
    world.at(at("2026-06-02T02:30:00Z"));
    slow.takes.set(secs(2));
    slow.peak.set(0);
    let before = generations(&world, ACCOUNTS);
    world.cron(DAILY).unwrap();
    world.advance(secs(900));
    assert_eq!(slow.peak.get(), 10);
    let after = generations(&world, ACCOUNTS);
    assert!(before.iter().zip(&after).all(|(before, after)| *after == before + 1), "each once: {after:?}");
    assert_eq!(healthy(&world), ACCOUNTS as u64);
    // Nobody who reads waits for that: a token that is needed is fetched.
    world.at(at("2026-06-02T22:30:00Z"));
    assert_eq!(world.request("GET", "/accounts/a0/token", &[], None).status, 200);
}

/// What was sent, and how often each message came.
fn receiver(world: &World, statuses: &[(u16, Option<u64>)]) -> Rc<RefCell<Vec<(u64, String, Value)>>> {
    let (got, clock) = (Rc::new(RefCell::new(Vec::new())), world.host());
    let (kept, statuses, n) = (got.clone(), statuses.to_vec(), Cell::new(0));
    world.upstream(
        "alerts.example.com",
        sim::net::Answers(move |call: &Call| {
            let id = sim::fakes::accounts::header(call, "webhook-id").to_owned();
            let body: Value = serde_json::from_str(call.body.as_ref().unwrap().expose()).unwrap();
            kept.borrow_mut().push((clock.now().millis(), id, body));
            let (status, seconds) = statuses.get(n.get()).copied().unwrap_or((204, None));
            n.set(n.get() + 1);
            Answer::Response { status, retry_after: seconds.map(secs), body: Secret::new("") }
        }),
    );
    got
}

const ALERTS: [(&str, &str); 2] = [
    ("ALERT_WEBHOOK_URL", "https://alerts.example.com/in"),
    ("ALERT_WEBHOOK_SECRET", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
];

#[test]
fn f28_alerts_of_many_accounts_with_one_cause_are_one_with_a_count() {
    const ACCOUNTS: usize = 60;
    let settings =
        [&ALERTS[..], &[("ALERT_COLLECT_SECONDS", "1800"), ("UPSTREAM_MAX_RETRIES", "0")]].concat();
    let (world, slow) = world(ACCOUNTS, &settings);
    let got = receiver(&world, &[(503, Some(3600)), (500, None)]);
    world.at(at("2026-06-02T02:30:00Z"));
    slow.down.set(true);
    world.cron(DAILY).unwrap();
    world.advance(secs(1700));
    assert!(got.borrow().is_empty(), "they are collected");
    world.advance(secs(200));
    assert_eq!(got.borrow().len(), 1);
    {
        let got = got.borrow();
        let (_, id, body) = &got[0];
        let data = &body["data"];
        assert_eq!(
            (body["type"].as_str(), data["code"].as_str()),
            (Some("token.failing"), Some("upstream_error"))
        );
        assert_eq!((data["provider"].as_str(), data["count"].as_u64()), (Some("upstox"), Some(60)));
        assert_eq!(data["account_ids"].as_array().unwrap().len(), 50, "named are so many");
        let first = data["account_id"].as_str().unwrap();
        assert!(id.starts_with(&format!("upstox-{first}-")), "{id}");
    }
    // The receiver says when: not before. It is the same message, until it is taken.
    world.advance(secs(3500));
    assert_eq!(got.borrow().len(), 1);
    world.advance(secs(200));
    let times: Vec<u64> = got.borrow().iter().map(|(at, ..)| *at).collect();
    assert_eq!(times.len(), 3, "{times:?}");
    assert!(times[1] - times[0] >= 3_600_000, "{times:?}");
    assert!(got.borrow().iter().all(|(_, id, body)| (id, body) == (&got.borrow()[0].1, &got.borrow()[0].2)));
    // Another cause is another alert.
    slow.down.set(false);
    world.cron(DAILY).unwrap();
    world.advance(secs(2 * 3600));
    let got = got.borrow();
    assert_eq!(got.len(), 4, "{got:?}");
    assert_eq!(
        (got[3].2["type"].as_str(), got[3].2["data"]["count"].as_u64()),
        (Some("token.recovered"), Some(60))
    );
    for table in ["alerts", "batches"] {
        assert!(world.sql(Class::Roster, "roster", &format!("SELECT * FROM {table}")).is_empty());
    }
}

#[test]
fn f28_alerts_are_sent_by_themselves_where_nothing_is_collected() {
    let settings = [&ALERTS[..], &[("ALERT_COLLECT_SECONDS", "0"), ("UPSTREAM_MAX_RETRIES", "0")]].concat();
    let (world, slow) = world(3, &settings);
    let got = receiver(&world, &[]);
    world.at(at("2026-06-02T02:30:00Z"));
    slow.down.set(true);
    world.cron(DAILY).unwrap();
    world.advance(secs(60));
    let got = got.borrow();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|(_, _, body)| body["data"]["count"] == 1));
}
