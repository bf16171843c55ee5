//! Measured: the calls of an hour of outage, how soon it is over, and the day of an Upstox account by the clock in India.

use crate::account::{AccountWorld, at, secs};
use crate::line::{Down, Outage};
use crate::lives::{facturify, oauth2, upstox};
use base::clock::Timestamp;
use keeper::Source;
use keeper::backoff::{CALLS_PER_HOUR, SLOW_PER_HOUR};
use keeper::protocol::NewToken;
use keeper::state::Health;
use sim::fakes::accounts::Rotation;
use std::time::Duration;

fn world(provider: &str, seed: u64) -> AccountWorld {
    match provider {
        "facturify" => facturify(seed | 1),
        "upstox" => upstox(seed | 7),
        _ => oauth2(Rotation::Off, seed | 4),
    }
}

/// What comes every half minute of an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Busy {
    /// Nothing: the account is left alone.
    Alone,
    Asks,
    Orders(NewToken),
    /// Somebody who wants more life, and an order of either kind.
    Both,
}

/// The most calls that any hour has.
fn most_in_an_hour(calls: &[Timestamp]) -> usize {
    let hour =
        |(n, at): (usize, &Timestamp)| calls[n..].iter().take_while(|t| t.since(*at) < secs(3600)).count();
    calls.iter().enumerate().map(hour).max().unwrap()
}

/// An outage of three hours from the first moment; what each of its hours sees at most, and how long after its end there
/// is a token again.
fn outage(provider: &str, how: Down, busy: Busy, seed: u64) -> (usize, Duration) {
    let mut world = world(provider, seed);
    let until = world.now().plus(secs(3 * 3600));
    world.line.outage.replace(Some(Outage { how, of: "", until, calls: Vec::new() }));
    world.disturbed(until);
    while world.now() < until {
        match busy {
            Busy::Alone => {}
            Busy::Asks => world.ask(0),
            Busy::Orders(task) => world.order(task),
            Busy::Both => {
                world.ask(600);
                let task = if world.rng.below(2) == 0 { NewToken::Obtain } else { NewToken::Refresh };
                world.order(task);
            }
        }
        world.run(secs(30));
    }
    let calls = world.line.calls.borrow().clone();
    assert!(calls.len() >= 6, "it is not given up: {provider} {busy:?} {how:?}");
    let most = most_in_an_hour(&calls);
    while !world.live() {
        world.run(secs(1));
    }
    (most, world.now().since(until))
}

#[test]
fn an_hour_of_outage_by_provider() {
    let downs = [Down::Unreachable, Down::Silent, Down::Error, Down::Limited(Some(60))];
    let orders = [Busy::Orders(NewToken::Obtain), Busy::Orders(NewToken::Refresh)];
    for provider in ["facturify", "upstox", "oauth2"] {
        for busy in [Busy::Alone, Busy::Asks, Busy::Both].into_iter().chain(orders) {
            let seeds = if matches!(busy, Busy::Alone | Busy::Both) { 0..4 } else { 4..5 };
            let runs =
                downs.iter().flat_map(|how| seeds.clone().map(|seed| outage(provider, *how, busy, seed)));
            let (most, slowest) = runs.fold((0, Duration::ZERO), |a, b| (a.0.max(b.0), a.1.max(b.1)));
            eprintln!("{provider}, {busy:?}: {most} calls in an hour at most, {slowest:?} until a token");
            // Alone: the quick tries and the slow ones. Busy: as many as leave room for what one task may call.
            let most_of = match (busy, provider) {
                (Busy::Alone, _) => 10,
                (_, "facturify") => 13,
                (_, "upstox") => 11,
                _ => CALLS_PER_HOUR,
            };
            assert!(most <= most_of, "{provider} {busy:?}: {most} calls in an hour");
            // Left alone it comes back with the slowest try and what a call takes; orders may have used up the hour's calls.
            let bound = if matches!(busy, Busy::Alone | Busy::Asks) { 1800 + 60 } else { 3600 + 60 };
            assert!(slowest <= secs(bound), "{provider} {busy:?}: {slowest:?} after the end");
        }
    }
}

#[test]
fn short_tokens_that_cannot_be_changed_for_long_ones_are_an_outage() {
    for (seed, how) in (0..).zip([Down::Error, Down::Refused, Down::Silent, Down::Unreachable]) {
        for asks in [false, true] {
            let mut world = world("facturify", seed);
            let until = world.now().plus(secs(3 * 3600));
            world.line.outage.replace(Some(Outage { how, of: "/token/refresh", until, calls: Vec::new() }));
            world.disturbed(until);
            let mut without = 0;
            while world.now() < until {
                if asks {
                    world.ask(0);
                }
                world.run(secs(5));
                without += if world.live() { 0 } else { 5 };
            }
            let most = most_in_an_hour(&world.line.calls.borrow());
            assert!(
                most <= CALLS_PER_HOUR + 2 * SLOW_PER_HOUR,
                "{how:?}, asks {asks}: {most} calls in an hour"
            );
            // There is a token for much of the time all the same.
            assert!(without < 3 * 3600 * 7 / 10, "{how:?}, asks {asks}: {without} s without one");
            world.run(secs(3600));
            assert!(world.live(), "{how:?}, asks {asks}");
            assert_eq!(world.alerts(), ["failing", "recovered"], "{how:?}, asks {asks}");
            world.check_peace();
        }
    }
}

#[test]
fn an_upstox_account_by_the_clock_in_india() {
    let mut world = upstox(3);
    world.start_at(at("2025-11-19T07:50:00+05:30"));
    world.run_until(at("2025-11-19T08:05:00+05:30"));
    let morning = world.status();
    assert_eq!((morning.health, morning.expires_at), (Health::Valid, Some(at("2025-11-20T03:30:00+05:30"))));
    assert_eq!(morning.source, Some(Source::Cron));
    let life = morning.expires_at.unwrap().since(morning.obtained_at.unwrap());
    assert!(life <= secs(19 * 3600 + 1800) && life > secs(19 * 3600 + 1680), "19.5 hours: {life:?}");
    for (now, health, expires_at) in [
        ("2025-11-19T20:00:00+05:30", Health::Valid, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T02:30:00+05:30", Health::Valid, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T03:29:00+05:30", Health::Valid, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T03:29:59+05:30", Health::Valid, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T03:30:00+05:30", Health::Expired, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T03:31:00+05:30", Health::Expired, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T07:59:00+05:30", Health::Expired, "2025-11-20T03:30:00+05:30"),
        ("2025-11-20T08:01:00+05:30", Health::Valid, "2025-11-21T03:30:00+05:30"),
    ] {
        world.run_until(at(now));
        let status = world.status();
        assert_eq!((status.health, status.expires_at), (health, Some(at(expires_at))), "{now}");
        assert!(!status.failed);
    }
    // One that is got on demand in the night or in the evening lives as long as the day.
    for (now, expires_at) in [
        ("2025-11-22T02:30:00+05:30", "2025-11-22T03:30:00+05:30"),
        ("2025-11-22T03:29:00+05:30", "2025-11-22T03:30:00+05:30"),
        ("2025-11-22T03:31:00+05:30", "2025-11-23T03:30:00+05:30"),
        ("2025-11-22T20:00:00+05:30", "2025-11-23T03:30:00+05:30"),
    ] {
        world.run_until(at(now));
        world.order(NewToken::Refresh);
        world.run(secs(20));
        let status = world.status();
        assert_eq!((status.health, status.expires_at), (Health::Valid, Some(at(expires_at))), "{now}");
    }
    assert_eq!(world.alerts(), Vec::<String>::new());
}

#[test]
fn a_lost_cron_trigger_costs_three_minutes() {
    let mut world = upstox(2);
    world.run_until(at("2025-11-20T07:50:00+05:30"));
    world.no_cron_until = at("2025-11-20T12:00:00+05:30");
    world.run_until(at("2025-11-20T08:01:59+05:30"));
    assert!(!world.live());
    world.run_until(at("2025-11-20T08:03:20+05:30"));
    assert!(world.live());
}

#[test]
fn a_thousand_at_expiry_make_one_task() {
    for provider in ["facturify", "upstox", "oauth2"] {
        let mut world = world(provider, 2);
        for _ in 0..1000 {
            world.ask(0);
        }
        world.run(secs(20));
        assert_eq!(
            (world.tasks(), world.served(), world.live()),
            (if provider == "facturify" { 2 } else { 1 }, 1000, true)
        );
    }
}
