//! Days of an account's life with random faults, for each provider. What must hold is asserted by the world around it.

use super::fake_upstreams::{FakeFacturify, FakeOAuth, FakeUpstox, Rotation, Upstream};
use super::protocol::Operation::{self, Check, Obtain, Refresh, Renew};
use super::test_support::*;
use super::weather::{Crash, Down, Outage};
use super::world::World;
use super::*;
use proptest::prelude::*;

/// Random lives for each of the three providers.
const LIVES: u32 = 3_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// So many at the same instant.
    Asks(u8, u64),
    Order(Operation),
    /// How, of what part, and for how many minutes.
    Outage(Down, u8, u64),
    Crash(Crash),
    Die,
    LoseAlarm,
    NoCron(u64),
    /// For so many minutes it refuses the credentials.
    Refuse(u64),
    NewSettings,
    Revoke,
    Daily,
}

fn down() -> impl Strategy<Value = Down> {
    prop_oneof![
        Just(Down::Unreachable),
        Just(Down::Silent),
        Just(Down::Mute),
        Just(Down::Half),
        Just(Down::Error),
        Just(Down::Html),
        prop_oneof![Just(None), (0_u64..600).prop_map(Some)].prop_map(Down::Limited),
        Just(Down::Redirects),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let operation = prop_oneof![Just(Renew), Just(Obtain), Just(Refresh), Just(Check)];
    let crash = prop_oneof![Just(Crash::BeforeCall), Just(Crash::BeforeWrite), Just(Crash::AfterWrite)];
    prop_oneof![
        4 => (1_u8..20, prop_oneof![Just(0), 0_u64..50_000]).prop_map(|(n, ttl)| Action::Asks(n, ttl)),
        2 => operation.prop_map(Action::Order),
        5 => (down(), 0_u8..3, 1_u64..200).prop_map(|(how, of, minutes)| Action::Outage(how, of, minutes)),
        3 => crash.prop_map(Action::Crash),
        1 => Just(Action::Die),
        2 => Just(Action::LoseAlarm),
        1 => (1_u64..60).prop_map(Action::NoCron),
        1 => (1_u64..300).prop_map(Action::Refuse),
        1 => Just(Action::NewSettings),
        1 => Just(Action::Revoke),
        1 => Just(Action::Daily),
    ]
}

/// What there is, and the seconds until it.
fn life() -> impl Strategy<Value = (u64, bool, Vec<(u64, Action)>)> {
    let gap = prop_oneof![3 => 0_u64..20, 3 => 0_u64..600, 2 => 0_u64..8_000, 1 => 0_u64..40_000];
    (any::<u64>(), any::<bool>(), proptest::collection::vec((gap, action()), 1..25))
}

fn act(world: &mut World, action: Action, parts: &[&'static str; 3]) {
    let now = world.now();
    match action {
        Action::Asks(n, min_ttl) => {
            let (before, deaths) = (world.tasks, world.deaths);
            (0..n).for_each(|_| world.ask(min_ttl));
            assert!(
                world.tasks <= before + 1 + (world.deaths - deaths),
                "{n} asks made {} tasks",
                world.tasks - before
            );
        }
        Action::Order(operation) => world.order(operation),
        Action::Outage(how, of, minutes) => {
            let until = now.plus(secs(minutes * 60));
            world.outage = Some(Outage { how, of: parts[usize::from(of)], until, calls: Vec::new() });
            world.disturbed(until);
        }
        Action::Crash(at) => world.crash = Some(at),
        Action::Die => {
            world.disturbed(now);
            world.die();
        }
        Action::LoseAlarm => world.lose_alarm(),
        Action::NoCron(minutes) => {
            world.no_cron_until = now.plus(secs(minutes * 60));
            world.disturbed(world.no_cron_until);
        }
        Action::Refuse(minutes) => {
            world.upstream.refuse(true);
            world.note_revoked();
            world.refused_until = Some(now.plus(secs(minutes * 60)));
            world.disturbed(now.plus(secs(minutes * 60)));
        }
        Action::NewSettings => new_settings(world),
        Action::Revoke => {
            world.upstream.revoke();
            world.note_revoked();
        }
        Action::Daily => (0..5).for_each(|_| world.look(true)),
    }
}

/// A deployment restarts all objects.
fn new_settings(world: &mut World) {
    world.die();
    match world.upstream.reseed() {
        // Somebody logged in anew, and gave the grant to the settings.
        Some(seed) => world.k.deploy(oauth2_rotating(&seed)),
        None => world.k.settings.push('x'),
    }
    let now = world.now();
    world.disturbed(now);
}

/// A life, and then peace: it ends with a token.
fn live(world: &mut World, actions: Vec<(u64, Action)>, parts: &[&'static str; 3], asks: bool) {
    world.next_ask = asks.then(|| world.now());
    world.run(secs(60));
    for (gap, action) in actions {
        world.run(secs(gap));
        act(world, action, parts);
    }
    (world.outage, world.crash) = (None, None);
    world.no_cron_until = world.now();
    world.upstream.refuse(false);
    world.refused_until = None;
    let now = world.now();
    world.disturbed(now);
    world.run(world.bound + secs(60));
    if world.is_final() {
        new_settings(world);
        world.run(secs(300));
    }
    let now = world.now();
    if world.upstream.is_night(now) || world.upstream.is_night(now.minus(world.bound)) {
        world.run_until(now.next_daily(3 * 3600 + 2400));
    }
    assert!(world.live() && !world.k.account.has_failed(), "{:?}", world.k.account);
}

fn facturify_world(seed: u64) -> World {
    let fake = FakeFacturify { kills_old: seed & 1 == 0, ..FakeFacturify::default() };
    World::new(facturify(), Box::new(fake), seed)
}

fn upstox_world(seed: u64) -> World {
    let fake = FakeUpstox {
        opens_at_eight: seed & 1 == 0,
        kills_old: seed & 2 == 0,
        lies: seed & 4 == 0,
        ..FakeUpstox::default()
    };
    World::new(upstox(), Box::new(fake), seed)
}

fn oauth_world(seed: u64) -> (World, Rotation) {
    let rotation = [Rotation::Off, Rotation::Plain, Rotation::Lenient, Rotation::Detecting]
        [usize::try_from(seed & 3).unwrap()];
    let mut fake = FakeOAuth { rotation, says_life: seed & 4 == 0, ..FakeOAuth::default() };
    let first = fake.reseed().unwrap();
    (World::new(oauth2_rotating(&first), Box::new(fake), seed), rotation)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LIVES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn facturify_lives((seed, asks, actions) in life()) {
        live(&mut facturify_world(seed), actions, &["", "", "/token/refresh"], asks);
    }

    #[test]
    fn upstox_lives((seed, asks, actions) in life()) {
        live(&mut upstox_world(seed), actions, &["", "https://service", "https://api.upstox.com"], asks);
    }

    #[test]
    fn oauth2_lives((seed, asks, actions) in life()) {
        let (mut world, rotation) = oauth_world(seed);
        let refuses = actions.iter().any(|(_, a)| matches!(a, Action::Refuse(_)));
        live(&mut world, actions, &[""; 3], asks);
        // A refresh token is lost only where an answer was, and where the server does not forgive that.
        let forgives = matches!(rotation, Rotation::Off | Rotation::Lenient);
        if (forgives || world.lost == 0) && !refuses {
            prop_assert!(!world.told.contains(&alert::Kind::NeedsAttention), "{:?} {}", rotation, world.lost);
        }
    }
}

#[test]
fn facturify_turns_240_seconds_into_43200_after_five() {
    let mut world = facturify_world(0);
    let started = world.now();
    world.run(secs(4));
    let held = world.k.account.held.clone().unwrap();
    assert_eq!((held.expires_in, held.provisional), (Some(240), true));
    world.run_until(held.obtained_at.plus(secs(10)));
    let long = world.k.account.held.clone().unwrap();
    assert_eq!((long.expires_in, long.provisional), (Some(43_200), false));
    let changed_after = long.obtained_at.since(held.obtained_at);
    assert!(changed_after >= secs(5) && changed_after < secs(9), "{changed_after:?}");
    assert!(long.obtained_at < started.plus(secs(14)));
    // Then one call a life, the buffer before its end.
    world.run(secs(7 * 86_400));
    let lives = 7 * 86_400 / 43_140 + 1;
    assert!((2 + lives - 1..=2 + lives + 1).contains(&world.calls.len()), "{} calls", world.calls.len());
    assert_eq!(world.told, []);
}
