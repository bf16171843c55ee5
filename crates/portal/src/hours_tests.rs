//! Measured: hours at a portal, in page loads and logins.

use super::fake_portal::Down;
use super::login_support::*;
use super::world::World;
use super::*;

const SEEDS: u64 = 8;

/// With a session, and when it was made.
fn world(keep_alive: bool, seed: u64) -> World {
    let mut world = World::new(seed);
    assert!(!world.get(keep_alive));
    world.run_for(secs(20));
    assert!(world.get(keep_alive));
    world
}

fn id(world: &World) -> Option<&str> {
    world.login.session.as_ref().map(|live| live.session_id.as_str())
}

#[test]
fn a_day_of_keep_alive_is_one_login() {
    for seed in 0..SEEDS {
        let mut world = world(true, seed);
        let before = world.site.pages;
        world.run_for(secs(86_400));
        let loads = world.site.pages - before;
        assert!((270..=288).contains(&loads), "{loads} page loads");
        assert_eq!((world.logins.len(), id(&world)), (1, Some(ID)));
    }
}

/// An hour of outage. The calls in it, and whether the session lives in the end.
fn outage(mut world: World, down: Down, callers: bool) -> (usize, World) {
    world.site.down = Some(down);
    let (begin, pages) = (world.now, world.site.pages);
    while world.now < begin.plus(secs(3600)) {
        if callers {
            world.get(true);
            world.run();
        }
        world.run_for(secs(2));
    }
    let calls = usize::try_from(world.site.pages - pages).unwrap();
    world.site.down = None;
    world.calm_since = world.now;
    (calls, world)
}

/// Most calls of all seeds and kinds of outage, with the worlds as they are after it.
fn outages(callers: bool, begin: impl Fn(u64) -> World) -> (usize, Vec<World>) {
    let downs = [Down::Unreachable, Down::Silent, Down::Error(503), Down::Limited(60)];
    let runs = downs.iter().flat_map(|down| (0..SEEDS).map(|seed| (*down, begin(seed))));
    let (calls, worlds): (Vec<_>, _) = runs.map(|(down, world)| outage(world, down, callers)).unzip();
    (calls.into_iter().max().unwrap(), worlds)
}

#[test]
fn an_hour_of_outage_with_a_session() {
    for (callers, most_calls) in [(false, 16), (true, 16)] {
        let (calls, worlds) = outages(callers, |seed| world(true, seed));
        eprintln!("kept alive, callers {callers}: {calls} calls");
        assert!(calls <= most_calls, "{calls} calls");
        for mut world in worlds {
            assert_eq!(id(&world), Some(ID), "an outage ends nothing");
            // The portal has forgotten it meanwhile: one login more, within the longest wait.
            world.run_for(secs(375 + 60));
            assert_eq!((id(&world), world.logins.len()), (Some(ID), 2));
        }
    }
}

#[test]
fn an_hour_of_outage_without_a_session() {
    let (calls, worlds) = outages(true, World::new);
    eprintln!("no session, callers: {calls} calls");
    assert!(calls <= 16, "{calls} calls: each is a login that came to nothing");
    for mut world in worlds {
        world.run_for(secs(375));
        world.get(true);
        world.run_for(secs(20));
        assert!(world.get(true));
    }
    let (calls, _) = outages(false, World::new);
    assert_eq!(calls, 0);
}

#[test]
fn an_hour_of_outage_right_after_a_forced_logout() {
    for (callers, most_calls) in [(false, 17), (true, 17)] {
        let begin = |seed| {
            let mut world = world(true, seed);
            world.site.kick();
            world.run();
            world.run_for(secs(8));
            assert!(world.login.session.as_ref().unwrap().lost_since.is_some());
            world
        };
        let (calls, worlds) = outages(callers, begin);
        eprintln!("lost, callers {callers}: {calls} calls");
        assert!(calls <= most_calls, "{calls} calls");
        for mut world in worlds {
            assert_eq!(id(&world), Some(ID));
            world.run_for(secs(375 + 60));
            assert!(world.login.session.as_ref().unwrap().lost_since.is_none(), "{:?}", world.login);
        }
    }
}

#[test]
fn an_outage_in_the_middle_of_a_login_is_no_second_one() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.get(true);
        world.run_for(secs(10));
        assert!(world.login.signed_in);
        world.site.down = Some(Down::Unreachable);
        world.run_for(secs(30));
        world.site.down = None;
        world.get(true);
        world.run_for(secs(30));
        assert!(world.get(true));
        assert_eq!((world.logins.len(), world.site.sessions.len()), (1, 1));
    }
}

#[test]
fn a_regular_session_ends_in_an_outage_like_at_any_time() {
    let (calls, worlds) = outages(false, |seed| world(false, seed));
    assert!(calls <= 3, "{calls} calls: only the farewell");
    assert!(worlds.iter().all(|world| id(world).is_none()));
}

#[test]
fn a_forced_logout_is_one_login_more() {
    for (seed, by_callers) in (0..SEEDS).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut world = world(true, seed);
        world.site.kick();
        if by_callers {
            (0..20).for_each(|_| world.run());
        }
        world.run_for(secs(3600));
        assert_eq!((world.logins.len(), id(&world), world.site.sessions.len()), (2, Some(ID), 1));
    }
}

#[test]
fn a_forced_logout_of_a_session_that_nobody_keeps_is_found_by_its_next_caller() {
    let mut world = world(false, 0);
    world.site.kick();
    world.run_for(secs(600));
    assert_eq!(world.logins.len(), 1);
    world.run();
    world.run_for(secs(60));
    assert_eq!((world.logins.len(), id(&world)), (2, Some(ID)));
}

#[test]
fn a_forced_logout_with_refused_credentials_is_the_end() {
    for seed in 0..SEEDS {
        let mut world = world(true, seed);
        (world.site.refuses, world.answers) = (true, std::collections::BTreeSet::new());
        world.site.kick();
        world.run_for(secs(400));
        assert_eq!((world.logins.len(), id(&world)), (2, None));
        world.run();
        world.get(true);
        assert!(world.answers.contains("credentials_refused"), "{:?}", world.answers);
        assert!(world.answers.contains("portal_credentials_refused"), "{:?}", world.answers);
        // Nobody tries again by itself, and callers not before the cool-down is over.
        let end = world.login.refused.unwrap().until;
        while world.now < end.minus(secs(1)) {
            world.get(true);
            world.run_for(secs(1));
        }
        assert_eq!(world.logins.len(), 2);
        world.run_for(secs(7200));
        assert_eq!(world.logins.len(), 2);
        world.site.refuses = false;
        world.get(true);
        world.run_for(secs(20));
        assert!(world.get(true));
        assert_eq!(world.login.previous(world.now), Some(End::CredentialsRefused));
    }
}

#[test]
fn without_relogin_a_forced_logout_is_the_end() {
    let mut world = world(true, 0);
    world.policy.relogin = false;
    world.site.kick();
    world.run_for(secs(400));
    assert_eq!((world.logins.len(), id(&world)), (1, None));
    world.run();
    assert!(world.answers.contains("logged_out"));
    world.get(true);
    world.run_for(secs(20));
    assert!(world.get(true), "a caller's own login is another thing");
    assert_eq!(world.login.previous(world.now), Some(End::LoggedOut));
}

#[test]
fn a_portal_that_ends_each_session_at_once_sees_six_logins_an_hour() {
    let mut world = world(true, 0);
    while world.now < world.logins[0].plus(secs(4 * 3600)) {
        world.site.kick();
        world.run();
        world.get(true);
        world.run_for(secs(5));
    }
    assert!((24..=25).contains(&world.logins.len()), "{} logins in four hours", world.logins.len());
}

#[test]
fn a_thousand_callers_are_one_login() {
    let mut world = World::new(1);
    (0..1000).for_each(|_| assert!(!world.get(true)));
    world.run_for(secs(60));
    assert_eq!((world.logins.len(), world.site.sessions.len()), (1, 1));
    assert!(world.get(false));
}
