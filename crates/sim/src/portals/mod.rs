//! Portal clients: sessions got, used, kept alive and closed, at a portal that is slow, wrong, down, and ends sessions as it
//! likes.

mod callers;
mod plan;
mod quiet;
mod watch;

use crate::deployment::{Change, Object};
use crate::fakes::portal::{Door, HOSTS, Site};
use crate::rng::Rng;
use crate::sequence::{Case, Outcome, odds};
use crate::world::World;
use base::clock::Timestamp;
use base::rpc::Class;
use callers::{Callers, Truth};
use plan::{Action, DRIVERS, plan};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

pub use watch::{Checked, Watch};

/// How long after the weather has cleared and the portal is well everything is as it should be: the longest wait is five
/// minutes, and a quarter of that.
const CALM: Duration = Duration::from_mins(8);
const DAY: Duration = Duration::from_hours(26);

struct Run {
    world: World,
    site: Rc<Site>,
    callers: Callers,
    /// Of the only login, if there is one only.
    watch: Option<RefCell<Watch>>,
    objects: Vec<Rc<Object>>,
}

pub fn run(case: &Case, trace: bool) -> Outcome {
    let mut rng = Rng::new(case.seed);
    let plan = plan(&mut rng);
    let odds = odds(&mut rng);
    let shuffle = rng.chance(800);
    let world = World::complete(case.seed, &plan.settings);
    world.reuse_databases();
    world.watch();
    let site = Site::new(world.host());
    for host in HOSTS {
        world.upstream(host, Door(site.clone()));
    }
    let callers = Callers::new(world.host(), trace);
    let names: Vec<String> = (0..DRIVERS).map(|driver| callers.name_of(driver)).collect();
    let objects = names.iter().map(|name| world.object(Class::Portal, name)).collect();
    let watch = plan.alone.then(|| {
        let mut watch = Watch::new(names[0].clone(), world.now());
        watch.logins_per_hour = plan.logins_per_hour;
        RefCell::new(watch)
    });
    let run = Run { world, site, callers, watch, objects };
    run.well();
    if plan.abandons {
        // The portal keeps a session longer than until it is kept alive.
        run.site.state().idle = DAY;
    }
    run.world.weather().only(case.faults.clone());
    run.world.weather().rough(odds);
    run.world.shuffle(shuffle);
    for (at, step) in plan.steps.iter().enumerate() {
        run.pass(Duration::from_millis(step.after));
        if case.has(at) {
            run.act(step.action);
        }
    }
    run.pass(Duration::from_secs(rng.between(1, 100)));
    run.world.weather().clear();
    run.well();
    if plan.abandons {
        run.abandon();
    }
    for _ in 0..2 {
        run.pass(CALM);
        run.act(Action::Cron);
    }
    run.pass(Duration::from_mins(1));
    if !run.is_broken() {
        run.judge(quiet::check(&run));
    }
    run.outcome(plan.steps.len())
}

impl Run {
    fn truth(&self) -> &RefCell<Truth> {
        &self.callers.truth
    }

    fn is_broken(&self) -> bool {
        self.truth().borrow().violation.is_some()
    }

    fn judge(&self, checked: Checked) {
        if let Err((invariant, detail)) = checked {
            self.truth().borrow_mut().broken(invariant, detail);
        }
    }

    /// Lets time go by, and looks at everything that changes.
    fn pass(&self, time: Duration) {
        if self.is_broken() {
            return;
        }
        self.world.pass(time, || {
            self.look();
            !self.is_broken()
        });
    }

    fn look(&self) {
        if std::mem::take(&mut self.site.state().crashed) {
            (0..DRIVERS).for_each(|driver| self.kill(driver));
        }
        let Some(watch) = &self.watch else { return };
        let mut watch = watch.borrow_mut();
        let mut changed = false;
        self.world.changes(|object, change| {
            if !Rc::ptr_eq(object, &self.objects[0]) {
                return;
            }
            changed = true;
            if change == Change::Killed {
                watch.died(&self.world, &self.site);
            }
        });
        if changed || self.site.logins() > watch.attempts() {
            self.judge(watch.look(&self.world, &self.site));
        }
    }

    fn kill(&self, driver: usize) {
        self.world.kill(Class::Portal, &self.objects[driver].id);
    }

    /// The portal is well.
    fn well(&self) {
        let mut state = self.site.state();
        state.down = None;
        (state.mumbles, state.captcha_fails, state.crash) = (false, false, None);
        state.call_time = Duration::from_millis(200);
        for driver in 0..DRIVERS {
            state.passwords.insert(callers::username(driver), callers::password(driver));
        }
    }

    /// For more than a day nobody comes, and the portal ends the session.
    fn abandon(&self) {
        if let Some(watch) = &self.watch {
            watch.borrow_mut().lets_go = true;
        }
        self.pass(DAY);
        self.site.kick();
        self.pass(Duration::from_hours(3));
    }

    fn act(&self, action: Action) {
        if self.is_broken() {
            return;
        }
        let now = self.world.now();
        self.truth().borrow_mut().note(now, || format!("{action:?}"));
        if let Some(watch) = self.watch.as_ref().filter(|_| action.is_use()) {
            watch.borrow().used.set(now);
        }
        match action {
            Action::Portal(down) => self.site.state().down = down,
            Action::Kick => self.site.kick(),
            Action::Refuse(on) => {
                let password = if on { "another".to_owned() } else { callers::password(0) };
                self.site.state().passwords.insert(callers::username(0), password);
            }
            Action::Mumble(on) => self.site.state().mumbles = on,
            Action::Captcha(on) => self.site.state().captcha_fails = on,
            Action::Slow(seconds) => self.site.state().call_time = Duration::from_secs(seconds),
            Action::Crash(path) => self.site.state().crash = Some(path),
            Action::Cron => {
                let host = self.world.worker();
                self.world.spawn_worker(async move {
                    // One of those that look at portal sessions. A failure is logged where it happens.
                    let _ = engine::cron::triggered(&host, "* * * * *", Timestamp::default()).await;
                });
            }
            Action::Restart => self.world.restart(),
            Action::Kill { driver, alarm } => {
                self.kill(driver);
                // The Cron Trigger finds what the registry knows of; else it is lost until somebody comes.
                if alarm && quiet::is_listed(&self.objects[driver]) {
                    self.world.lose_alarm(Class::Portal, &self.objects[driver].id);
                    if let Some(watch) = &self.watch {
                        watch.borrow_mut().alarm_lost = true;
                    }
                }
            }
            Action::KillRegistry => self.world.kill(Class::PortalRegistry, "registry"),
            Action::Jump { seconds } => self.world.at(now.plus(Duration::from_secs(seconds))),
            other => {
                let callers = self.callers.clone();
                let used_ok = self.watch.as_ref().map(|watch| watch.borrow().used_ok.clone());
                self.world.spawn(async move {
                    if let Some(at) = callers.act(other).await
                        && let Some(used_ok) = used_ok
                    {
                        used_ok.set(at);
                    }
                });
            }
        }
        self.look();
    }

    fn outcome(&self, steps: usize) -> Outcome {
        let mut truth = self.truth().borrow_mut();
        let mut trace = truth.trace.take().unwrap_or_default();
        if !trace.is_empty() {
            trace.extend(self.world.logs().into_iter().map(|line| line.text));
        }
        let violation = truth.violation.take();
        Outcome { violation, steps, faults: self.world.weather().happened(), trace }
    }
}

impl Action {
    /// Whether it uses a session.
    fn is_use(self) -> bool {
        matches!(self, Self::Get { .. } | Self::Run { .. })
    }
}

impl Truth {
    fn note(&mut self, now: Timestamp, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", now.rfc3339(), text()));
        }
    }
}
