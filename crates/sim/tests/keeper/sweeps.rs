//! The index and the sweepers: a hundred accounts, one of which nobody can reach.

use base::call::{Answer, Call};
use base::ids::AccountName;
use base::ports::Clock as _;
use base::rpc::{Class, Unreachable};
use keeper::upstream_index::{
    Counts, GetCounts, GetKeyUsage, Row, SWEEP_MAX, Seen, StartSweep, Sweep, SweepReply, Swept,
};
use sim::{SimHost, World};
use std::time::Duration;

const ACCOUNTS: usize = 100;

/// Accounts whose service has a token for each.
fn world() -> World {
    let ids: Vec<_> = (0..ACCOUNTS).map(|n| format!("a{n}")).collect();
    let world = World::new(&[
        ("UPSTOX_ACCOUNT_IDS", &ids.join(",")),
        ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
    ]);
    world.register::<engine::upstream::UpstreamAccount<SimHost>>(Class::Upstream);
    world.register::<engine::roster::Roster<SimHost>>(Class::Roster);
    world.upstream("service", sim::net::Answers(|call: &Call| -> Answer {
        let account = call.url.split('/').nth(4).unwrap_or_default();
        let body = format!(
            r#"{{"success":true,"access_token":"token-of-{account}","expires_at":"2026-06-01T22:00:00Z"}}"#
        );
        sim::net::text(200, &body)
    }));
    world.upstream(
        "api.upstox.com",
        sim::net::Answers(|call: &Call| -> Answer {
            let token = call.headers.iter().find(|(name, _)| *name == "authorization").unwrap().1.expose();
            let account = token.rsplit('-').next().unwrap_or_default();
            sim::net::text(200, &format!(r#"{{"status":"success","data":{{"user_id":"U{account}"}}}}"#))
        }),
    );
    world
}

fn trigger(world: &World, expression: &'static str) -> bool {
    let worker = world.worker();
    world.run_until(async move { engine::cron::triggered(&worker, expression, worker.now()).await.is_ok() })
}

fn counts(world: &World) -> Vec<(String, Counts)> {
    let reply = world.send(&keeper::index_address(), &GetCounts { now: world.now() });
    reply.unwrap().counts.into_iter().collect()
}

fn upstox(healthy: u64, failed: u64) -> Vec<(String, Counts)> {
    vec![("upstox".to_owned(), Counts { healthy, failed, available: healthy })]
}

#[test]
fn a_trigger_reaches_every_account_and_the_index_counts_them() {
    let world = world();
    assert!(trigger(&world, "* * * * *"));
    world.advance(Duration::from_secs(30));
    assert_eq!(counts(&world), upstox(100, 0));
    let usage = world.send(&keeper::index_address(), &GetKeyUsage).unwrap();
    assert_eq!(usage.kids.into_iter().collect::<Vec<_>>(), [("k1".to_owned(), 100)]);
    let sweepers = ACCOUNTS.div_ceil(SWEEP_MAX);
    // The index, and as many sweepers as it takes.
    assert_eq!(world.ids(Class::Roster).len(), 1 + sweepers);
    assert!(world.logs().iter().all(|line| !line.error));
    // What an account reported, and was lost, is reported by the next sweep.
    world.sql(Class::Roster, "roster", "DELETE FROM accounts WHERE name <> 'upstox/a7'");
    assert_eq!(counts(&world), upstox(1, 0));
    assert!(trigger(&world, "* * * * *"));
    assert_eq!(counts(&world), upstox(100, 0));
    // In the evening they run out, and nobody has failed.
    world.advance(Duration::from_hours(17));
    assert_eq!(counts(&world), upstox(0, 0));
    // Accounts that are not configured any more are forgotten.
    world.deploy(&[("UPSTOX_ACCOUNT_IDS", "a1,a2")]);
    assert!(trigger(&world, "* * * * *"));
    let rows = world.sql(Class::Roster, "roster", "SELECT name FROM accounts ORDER BY name");
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["upstox/a1", "upstox/a2"]);
}

#[test]
fn the_daily_trigger_renews_all_of_them_within_the_time_that_is_set() {
    let world = world();
    assert!(trigger(&world, "* * * * *"));
    world.advance(Duration::from_mins(5));
    let at = world.now();
    assert!(trigger(&world, "30 2 * * *"));
    world.advance(Duration::from_secs(70));
    for n in 0..ACCOUNTS {
        let account = world.row(Class::Upstream, &format!("upstox/a{n}"), "account").unwrap();
        let account: keeper::Account = serde_json::from_str(&account).unwrap();
        let held = account.held.unwrap();
        assert_eq!((held.generation, held.source), (2, keeper::Source::Cron));
        assert!(held.obtained_at.since(at) <= Duration::from_mins(1), "a second for each, a minute at most");
    }
}

#[test]
fn an_unknown_trigger_does_nothing_and_says_so() {
    let world = world();
    assert!(!trigger(&world, "*/5 * * * *"));
    assert!(world.ids(Class::Roster).is_empty());
    assert!(world.logs().iter().any(|line| line.error && line.text.contains("\"what\":\"cron\"")));
}

#[test]
fn the_first_request_sweeps_unless_that_has_just_been_done() {
    let world = world();
    let start = |world: &World| {
        let reply = world.send(&keeper::index_address(), &StartSweep { now: world.now() });
        reply.unwrap().start
    };
    let worker = world.worker();
    world.run_until(async move { engine::cron::start(&worker).await });
    world.advance(Duration::from_secs(10));
    assert_eq!(counts(&world), upstox(100, 0));
    assert!(!start(&world), "it just was");
    world.advance(Duration::from_secs(50));
    assert!(start(&world) && !start(&world), "once a minute");
    // A clock that was set back is not waited for.
    world.at(base::clock::Timestamp::from_seconds(1));
    assert!(start(&world));
}

#[test]
fn an_account_that_cannot_be_reached_is_counted_and_leaves_its_row() {
    let world = world();
    let now = world.now();
    let row = |name: &str| Row {
        name: name.to_owned(),
        expires_at: now.plus(Duration::from_hours(1)),
        failed: false,
        kid: None,
    };
    world
        .send(&keeper::index_address(), &Seen { rows: vec![row("upstox/a1"), row("upstox/x")], idle: false })
        .unwrap();
    let accounts = ["a1", "x", "a2"].map(|id| ("upstox".to_owned(), AccountName::issued(id))).to_vec();
    let sweep = Sweep { accounts, ..Sweep::default() };
    let reply = world.send(&keeper::sweeper_address(0), &sweep);
    assert_eq!(reply, Ok(SweepReply { swept: Swept { looked: 2, unreachable: 1 } }));
    // What is stored of an account cannot be read.
    world.put_row(Class::Upstream, "upstox/a1", "account", "{");
    let reply = world.send(&keeper::sweeper_address(0), &sweep);
    assert_eq!(reply, Ok(SweepReply { swept: Swept { looked: 1, unreachable: 2 } }));
    world.take_logs();
    assert!(trigger(&world, "* * * * *"), "the others were reached");
    let said =
        world.take_logs().into_iter().any(|line| line.text.contains("1 objects could not be reconciled"));
    assert!(said);
    let none: Result<SweepReply, Unreachable> = world.send(&keeper::sweeper_address(1), &Sweep::default());
    assert_eq!(none, Ok(SweepReply { swept: Swept { looked: 0, unreachable: 0 } }));
}

#[test]
fn a_sweep_looks_at_accounts_and_portals_and_tells_the_index_what_it_found() {
    let world = world();
    world.register::<engine::portal::Portal<SimHost>>(Class::Portal);
    world.register::<engine::portal_registry::PortalRegistry<SimHost>>(Class::PortalRegistry);
    assert!(trigger(&world, "* * * * *"));
    world.advance(Duration::from_secs(30));
    world.sql(Class::Roster, "roster", "DELETE FROM accounts");
    assert!(counts(&world).is_empty());
    let accounts = ["a1", "x", "a2"].map(|id| ("upstox".to_owned(), AccountName::issued(id))).to_vec();
    let sweep = Sweep { accounts, portals: vec!["emodal/p".to_owned()], ..Sweep::default() };
    let reply = world.send(&keeper::sweeper_address(0), &sweep);
    assert_eq!(reply, Ok(SweepReply { swept: Swept { looked: 3, unreachable: 1 } }));
    world.advance(Duration::from_secs(1));
    assert_eq!(counts(&world), upstox(2, 0));
}
