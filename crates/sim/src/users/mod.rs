//! Users and admins: logins, refreshes, ends, roles, removal, in any order and at once.

mod callers;
mod plan;
mod quiet;
mod truth;

use crate::rng::Rng;
use crate::sequence::{Case, Outcome, odds};
use crate::world::World;
use base::clock::Timestamp;
use base::rpc::Class;
use callers::Callers;
use plan::{Action, plan};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long after the weather has cleared everything is as it should be. The longest chain is an alarm that failed five
/// times, and the follow-ups of an end a minute later.
const CALM: Duration = Duration::from_mins(4);

pub fn run(case: &Case, trace: bool) -> Outcome {
    let mut rng = Rng::new(case.seed);
    let steps = plan(&mut rng);
    let odds = odds(&mut rng);
    let shuffle = rng.chance(800);
    let world =
        World::complete(case.seed, &[("MAX_CONCURRENT_SESSIONS_PER_USER", "3"), ("REQUEST_LOG", "off")]);
    let callers = Callers::new(world.host(), trace);
    // Users whom nothing is about are not there.
    let users: BTreeSet<usize> = steps.iter().filter_map(|step| step.action.user()).collect();
    world.run_until(callers.clone().begin(users));
    world.weather().only(case.faults.clone());
    world.weather().rough(odds);
    world.shuffle(shuffle);
    for (at, step) in steps.iter().enumerate() {
        if let Some(outcome) = stopped(&world, &callers, steps.len()) {
            return outcome;
        }
        world.advance(Duration::from_millis(step.after));
        if case.has(at) {
            act(&world, &callers, step.action);
        }
    }
    // What is under way meets the same weather to its end.
    let rough_until = world.now().plus(Duration::from_secs(rng.between(1, 100)));
    while stopped(&world, &callers, steps.len()).is_none() && world.step(rough_until) {}
    world.weather().clear();
    world.advance(CALM);
    if stopped(&world, &callers, steps.len()).is_none() {
        quiet::check(&world, &callers);
        world.run_until(callers.clone().probe());
    }
    outcome(&world, &callers, steps.len())
}

fn stopped(world: &World, callers: &Callers, steps: usize) -> Option<Outcome> {
    let broken = callers.truth.borrow().violation.is_some();
    broken.then(|| outcome(world, callers, steps))
}

fn outcome(world: &World, callers: &Callers, steps: usize) -> Outcome {
    let mut truth = callers.truth.borrow_mut();
    let mut trace = truth.trace.take().unwrap_or_default();
    if !trace.is_empty() {
        trace.extend(world.logs().into_iter().map(|line| line.text));
    }
    Outcome { violation: truth.violation.take(), steps, faults: world.weather().happened(), trace }
}

fn act(world: &World, callers: &Callers, action: Action) {
    callers.truth.borrow_mut().note(world.now(), || format!("{action:?}"));
    match action {
        Action::Restart => world.restart(),
        Action::KillSession { client } => {
            if let Some(id) = callers.session_id(client) {
                world.kill(Class::Session, id.as_str());
            }
        }
        Action::KillUser { user } => world.kill(Class::User, &quiet::object(callers::NAMES[user])),
        Action::KillDirectory => world.kill(Class::Directory, "directory"),
        Action::Jump { seconds, back } => {
            let (now, by) = (world.now(), Duration::from_secs(seconds));
            world.at(if back { now.minus(by).max(Timestamp::default()) } else { now.plus(by) });
        }
        other => {
            let callers = callers.clone();
            world.spawn(async move { callers.act(other).await });
        }
    }
}
