//! Users, admins and externally authenticated customers: logins, refreshes, ends, roles, removal, in any order and at once.

mod admins;
mod bank;
mod callers;
mod events;
mod plan;
mod quiet;
mod told;
mod truth;

use crate::fakes::receiver::{self, Receiver};
use crate::rng::Rng;
use crate::sequence::{Case, Invariant, Outcome, Scenario, odds};
use crate::world::World;
use bank::Bank;
use base::clock::Timestamp;
use base::rpc::Class;
use callers::Callers;
use events::Events;
use plan::{Action, plan};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long after the weather has cleared everything is as it should be. What has failed for ten minutes is tried again after
/// as long at the latest, and the follow-ups of an end a minute later.
const CALM: Duration = Duration::from_mins(14);
const AFTER_OUTAGE: Duration = Duration::from_mins(65);
/// By then the alarm of each session that has ended has come, whoever has died in between, and has emptied its object. A session
/// whose login broke off has ended by then: no request is activity in it.
const UNTIL_TOLD: Duration = Duration::from_mins(40);
/// What cannot be finished for an hour is tried less and less often: so often in the next hour at the most.
const TRIES_MAX: u32 = 30;

struct Run {
    world: World,
    callers: Callers,
    events: RefCell<Events>,
    /// Whoever is told of what happens to sessions.
    receiver: Option<Receiver>,
}

pub fn run(case: &Case, trace: bool) -> Outcome {
    let mut rng = Rng::new(case.seed);
    let plan = plan(&mut rng);
    let mut odds = odds(&mut rng);
    let shuffle = rng.chance(800);
    let mut settings = vec![
        ("MAX_CONCURRENT_SESSIONS_PER_USER", "3"),
        // The admins of a plan never log in again.
        ("RECENT_LOGIN_MINUTES", "0"),
        ("REQUEST_LOG", "off"),
        ("SESSION_CHECK", plan.check),
        ("SESSION_LIMIT_POLICY", plan.limit),
        ("SME_VERIFY_BASE_URL", "https://bank.example.com"),
        ("SME_VERIFY_TOKEN_KEY", "key"),
    ];
    let are_told = case.scenario == Scenario::Events;
    if are_told {
        settings.extend(receiver::SETTINGS);
        odds.upstream = 300;
    }
    let world = World::complete(case.seed, &settings);
    world.reuse_databases();
    world.watch();
    let callers = Callers::new(world.host(), plan.check == "strict", trace);
    world.upstream(bank::HOST, Bank { host: world.host(), state: callers.bank.clone() });
    let receiver = are_told.then(|| told::receiver(&world));
    let events = RefCell::new(Events::new(&world));
    let run = Run { world, callers, events, receiver };
    // Users whom nothing is about are not there.
    let mut users: BTreeSet<usize> = plan.steps.iter().filter_map(|step| step.action.user()).collect();
    users.remove(&0);
    if plan.admins {
        users.insert(1);
    }
    run.world.run_until(run.callers.clone().begin(users, plan.admins));
    run.world.weather().only(case.faults.clone());
    run.world.weather().rough(odds);
    run.world.shuffle(shuffle);
    for (at, step) in plan.steps.iter().enumerate() {
        run.pass(Duration::from_millis(step.after));
        if case.has(at) {
            run.act(step.action);
        }
    }
    // What is under way meets the same weather to its end.
    run.pass(Duration::from_secs(rng.between(1, 100)));
    run.world.weather().clear();
    if plan.outage {
        run.outage();
    }
    run.world.weather().kv_is_down(false);
    // Longer after hours of it: what is tried less and less often has its turn.
    run.pass(if plan.outage { AFTER_OUTAGE } else { CALM });
    if !run.is_broken() {
        let unknown = quiet::check(&run.world, &run.callers, run.events.borrow().listed());
        run.world.run_until(run.callers.clone().probe());
        run.pass(UNTIL_TOLD);
        if !run.is_broken() {
            quiet::check(&run.world, &run.callers, run.events.borrow().listed());
            quiet::check_ended(&run.world, &run.callers, &unknown);
            quiet::check_emptied(&run.world, &run.callers);
            run.check_told();
        }
    }
    run.outcome(plan.steps.len())
}

impl Run {
    fn is_broken(&self) -> bool {
        self.callers.truth.borrow().violation.is_some()
    }

    /// Lets time go by, and looks at everything that changes.
    fn pass(&self, time: Duration) {
        if self.is_broken() {
            return;
        }
        self.world.pass(time, || {
            self.events.borrow_mut().look(&self.world, &self.callers);
            !self.is_broken()
        });
    }

    /// KV is down for hours, and nothing else is wrong: what is still to be done is not tried without end.
    fn outage(&self) {
        self.world.weather().kv_is_down(true);
        self.pass(Duration::from_hours(1));
        let before = self.world.rings(Class::Session);
        self.pass(Duration::from_hours(1));
        let most = self.world.rings(Class::Session).into_iter().map(|(id, rings)| {
            let earlier = before.iter().find(|(other, _)| *other == id).map_or(0, |(_, rings)| *rings);
            (rings - earlier, id)
        });
        if let Some((times, id)) = most.max().filter(|(times, _)| *times > TRIES_MAX) {
            let detail = format!("the alarm of {id} came {times} times in the second hour");
            self.callers.truth.borrow_mut().broken(Invariant::EndRetriedForEver, detail);
        }
    }

    fn act(&self, action: Action) {
        if self.is_broken() {
            return;
        }
        let (world, callers) = (&self.world, &self.callers);
        callers.truth.borrow_mut().note(world.now(), || format!("{action:?}"));
        callers.truth.borrow_mut().disturbed += u32::from(action.disturbs());
        match action {
            Action::Restart => world.restart(),
            Action::KillSession { client } => {
                if let Some(id) = callers.session_id(client) {
                    world.kill(Class::Session, id.as_str());
                }
            }
            Action::KillUser { user } => world.kill(Class::User, &quiet::object(user)),
            Action::KillDirectory => world.kill(Class::Directory, "directory"),
            Action::Jump { seconds, back } => {
                let (now, by) = (world.now(), Duration::from_secs(seconds));
                world.at(if back { now.minus(by).max(Timestamp::default()) } else { now.plus(by) });
            }
            Action::Bank(mood) => callers.bank.mood.set(mood),
            Action::Kv { up } => world.weather().kv_is_down(!up),
            other => {
                let callers = callers.clone();
                world.spawn(async move { callers.act(other).await });
            }
        }
    }

    /// What was told is what has happened.
    fn check_told(&self) {
        let Some(receiver) = &self.receiver else { return };
        let opened: BTreeSet<String> = self.events.borrow().opened().map(str::to_owned).collect();
        if let Err((invariant, detail)) = told::check(&self.world, receiver, &opened) {
            self.callers.truth.borrow_mut().broken(invariant, detail);
        }
    }

    fn outcome(&self, steps: usize) -> Outcome {
        let mut truth = self.callers.truth.borrow_mut();
        let mut trace = truth.trace.take().unwrap_or_default();
        if !trace.is_empty() {
            trace.extend(self.world.logs().into_iter().map(|line| line.text));
        }
        Outcome { violation: truth.violation.take(), steps, faults: self.world.weather().happened(), trace }
    }
}
