//! Hours of a login's life at a portal with random faults. What must hold is asserted by the world around it.

use super::fake_portal::Down;
use super::login_support::*;
use super::world::World;
use super::*;
use proptest::prelude::*;

const LIVES: u32 = 4_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// So many at the same instant.
    Get(u8, bool),
    Run(u8),
    Close(End),
    /// How, and for how many minutes.
    Outage(Down, u64),
    Kick,
    /// Credentials are refused from now on, or not.
    Refuse(bool),
    /// The same, in words that nobody knows.
    Mumble(bool),
    Captcha(bool),
    /// How long a step takes, in seconds.
    Slow(u64),
    Die,
    /// The answer to the next call is lost.
    Crash,
    LoseAlarm,
}

fn down() -> impl Strategy<Value = Down> {
    prop_oneof![
        Just(Down::Unreachable),
        Just(Down::Silent),
        (1_u64..600).prop_map(Down::Limited),
        prop_oneof![Just(500), Just(502), Just(503)].prop_map(Down::Error),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (1_u8..5, any::<bool>()).prop_map(|(n, keep_alive)| Action::Get(n, keep_alive)),
        5 => (1_u8..4).prop_map(Action::Run),
        2 => prop_oneof![Just(End::Closed), Just(End::Evicted)].prop_map(Action::Close),
        3 => (down(), 1_u64..90).prop_map(|(how, minutes)| Action::Outage(how, minutes)),
        4 => Just(Action::Kick),
        1 => any::<bool>().prop_map(Action::Refuse),
        1 => any::<bool>().prop_map(Action::Mumble),
        1 => any::<bool>().prop_map(Action::Captcha),
        1 => (1_u64..40).prop_map(Action::Slow),
        3 => Just(Action::Die),
        3 => Just(Action::Crash),
        2 => Just(Action::LoseAlarm),
    ]
}

fn life() -> impl Strategy<Value = (u64, u32, bool, Vec<(u64, Action)>)> {
    let gap = prop_oneof![3 => Just(0), 4 => 0_u64..30, 3 => 0_u64..600, 1 => 0_u64..8_000];
    (any::<u64>(), 1_u32..8, any::<bool>(), proptest::collection::vec((gap, action()), 1..30))
}

fn act(world: &mut World, action: Action) {
    match action {
        Action::Get(n, keep_alive) => {
            let before = world.logins.len();
            (0..n).for_each(|_| {
                world.get(keep_alive);
            });
            assert!(world.logins.len() <= before + 1);
        }
        Action::Run(n) => (0..n).for_each(|_| world.run()),
        Action::Close(reason) => world.close(reason),
        Action::Outage(how, minutes) => {
            world.site.down = Some(how);
            world.run_for(secs(minutes * 60));
            world.site.down = None;
            world.calm_since = world.now;
        }
        Action::Kick => world.site.kick(),
        Action::Refuse(refuses) => world.site.refuses = refuses,
        Action::Mumble(mumbles) => world.site.mumbles = mumbles,
        Action::Captcha(fails) => world.site.captcha_fails = fails,
        Action::Slow(seconds) => world.site.step_time = secs(seconds),
        Action::Die => world.die(),
        Action::Crash => world.crash = true,
        Action::LoseAlarm => {
            world.alarm = None;
            world.calm_since = world.now.plus(secs(60));
        }
    }
}

/// More than the ladder and its `Retry-After` allow is hammering. A login has two pages.
fn check_vain(world: &World) {
    let now = world.now;
    let hour = world.site.in_vain.iter().filter(|at| now.since(**at) < secs(3600)).count();
    let sure = world.site.down.is_none_or(Down::is_surely_down);
    assert!(!sure || hour <= 20, "{hour} calls in vain in an hour");
}

fn live(world: &mut World, actions: Vec<(u64, Action)>) {
    for (gap, action) in actions {
        world.run_for(secs(gap));
        act(world, action);
        check_vain(world);
    }
    // Then peace. A wanted session lives after the longest cool-down, and is the only one at the portal.
    (world.site.down, world.site.refuses, world.site.mumbles) = (None, false, false);
    (world.site.captcha_fails, world.crash) = (false, false);
    world.calm_since = world.now;
    world.site.step_time = secs(8);
    world.run_for(secs(4 * 3600 + 100));
    world.get(true);
    world.run_for(secs(60));
    assert!(world.get(true), "{:?}", world.login);
    world.run_for(secs(700));
    assert_eq!(world.site.sessions.len(), 1, "{:?}", world.login);
    // And an end that leaves nothing behind.
    world.close(End::Closed);
    world.run_for(secs(120));
    assert!(world.is_quiet() && !world.busy() && world.site.sessions.is_empty(), "{:?}", world.login);
    // Not even that it was there, once nobody can want to know.
    world.run_for(secs(25 * 3600));
    assert_eq!(world.login, Login::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LIVES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_login_lives((seed, logins_per_hour, relogin, actions) in life()) {
        let mut world = World::new(seed);
        world.policy.logins_per_hour = usize::try_from(logins_per_hour).unwrap();
        world.policy.relogin = relogin;
        live(&mut world, actions);
    }
}
