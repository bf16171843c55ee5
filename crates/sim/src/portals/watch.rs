//! What must hold around a portal login: the portal's sessions are ours to the last, nothing is forgotten, nobody is asked
//! too often. To be looked at after every turn of the world.

use crate::fakes::portal::{Down, Site};
use crate::sequence::Invariant;
use crate::weather::Kind;
use crate::world::World;
use base::clock::Timestamp;
use base::rpc::Class;
use config::{App, Settings as _};
use portal::{End, Login};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
/// An hour as whoever counts logins from their first call sees it.
const HOUR_OF_LOGINS: Duration = Duration::from_secs(3600 - 2);
/// A session that nobody has used for so long is abandoned.
const ABANDONED: Duration = Duration::from_hours(25);
/// More calls in vain than the ladder and its `Retry-After` allow in an hour are hammering.
const IN_VAIN_MAX: usize = 20;

pub type Checked = Result<(), (Invariant, String)>;

/// What is known of the watched object.
pub struct Watch {
    /// What it is called.
    pub name: String,
    text: String,
    before: Login,
    attempts: usize,
    paid: BTreeSet<usize>,
    /// Portal sessions that nobody can know of, or whose logout was tried often enough.
    pub excused: BTreeSet<u32>,
    pub calm_since: Timestamp,
    pub logins_per_hour: usize,
    /// The platform has lost the alarm, and nobody has noticed yet.
    pub alarm_lost: bool,
    /// Whether a session that nobody uses is to be let go.
    pub lets_go: bool,
    /// When a caller last was served, and when one last came.
    pub used_ok: Rc<Cell<Timestamp>>,
    pub used: Rc<Cell<Timestamp>>,
    /// Faults after which the object may not know of a session.
    unheard: usize,
    /// A write has failed, and what belongs to it may be left over for a while.
    broken_write: bool,
    /// What the portal said until then, it may not have heard.
    deaf_until: Timestamp,
}

fn app(world: &World) -> Rc<App> {
    world.host().app().expect("the settings are good")
}

impl Watch {
    pub fn new(name: String, now: Timestamp) -> Self {
        Self {
            name,
            text: String::new(),
            before: Login::default(),
            attempts: 0,
            paid: BTreeSet::new(),
            excused: BTreeSet::new(),
            calm_since: now,
            logins_per_hour: 6,
            alarm_lost: false,
            lets_go: false,
            used_ok: Rc::new(Cell::new(now)),
            used: Rc::new(Cell::new(now)),
            unheard: 0,
            broken_write: false,
            deaf_until: now,
        }
    }

    /// How many logins it has seen.
    pub fn attempts(&self) -> usize {
        self.attempts
    }

    fn row(&self, world: &World, row: &str) -> Option<String> {
        world.row(Class::Portal, &self.name, row)
    }

    /// The number of the portal's session that sealed cookies are of.
    fn session_in(&self, world: &World, row: &str) -> Option<u32> {
        let plain = app(world).vault.open("portal-jar", &self.name, &self.row(world, row)?).ok()?;
        let text = String::from_utf8(plain).expect("cookies are JSON");
        let number = |cookie: &str| {
            let rest = text.split(cookie).nth(1)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        number("sid=").or_else(|| number("idsrv="))
    }

    fn known(&self, world: &World) -> [Option<u32>; 2] {
        ["jar", "farewell"].map(|row| self.session_in(world, row))
    }

    fn excuse_unknown(&mut self, world: &World, site: &Site) {
        let live = site.live_sessions();
        if live.is_empty() {
            return;
        }
        let known = self.known(world);
        self.excused.extend(live.iter().filter(|id| !known.contains(&Some(**id))));
    }

    /// What it was doing, nobody knows any more.
    pub fn died(&mut self, world: &World, site: &Site) {
        self.excuse_unknown(world, site);
        self.calm_since = world.now().plus(Duration::from_mins(1));
        // It may not have heard that it was refused, or does not hear it any more.
        let mut state = site.state();
        state.refused_at = None;
        self.deaf_until = world.now().plus(state.call_time + Duration::from_secs(1));
    }

    /// After a turn.
    pub fn look(&mut self, world: &World, site: &Site) -> Checked {
        let lost = [Kind::AnswerLost, Kind::WriteBefore, Kind::WriteAfter];
        let unheard = if world.weather().has_happened() { world.weather().count(&lost) } else { 0 };
        if std::mem::replace(&mut self.unheard, unheard) < unheard {
            self.died(world, site);
            self.broken_write = world.weather().count(&[Kind::WriteBefore, Kind::WriteAfter]) > 0;
        }
        let attempts = site.logins();
        if attempts > self.attempts {
            self.attempts = attempts;
            self.check_attempt(world, site)?;
        }
        self.check_payment(site)?;
        let text = self.row(world, "login").unwrap_or_default();
        if text == self.text {
            return Ok(());
        }
        let login: Login = serde_json::from_str(&text).unwrap_or_default();
        let checked = self.check_step(world, site, &login);
        (self.text, self.before) = (text, login);
        checked
    }

    /// What holds after each step.
    fn check_step(&mut self, world: &World, site: &Site, login: &Login) -> Checked {
        let must = |holds: bool, invariant, what: &str| {
            if holds { Ok(()) } else { Err((invariant, format!("{what}: {login:?}"))) }
        };
        let outstanding = login.session.is_some()
            || login.task.is_some()
            || login.logout.is_some()
            || login.pending_sync.is_some()
            || login.signed_in;
        let alarm = world.alarm(Class::Portal, &self.name);
        self.alarm_lost &= alarm.is_none();
        // One that waits for its turn in the queue sets the next when it has had it.
        let comes = alarm.is_some() || world.alarm_runs(Class::Portal, &self.name);
        must(
            !outstanding || comes || self.alarm_lost,
            Invariant::PortalNotReconciled,
            "nothing comes of it",
        )?;
        if !self.broken_write {
            self.check_secrets(world, login)?;
        }
        if let (Some(live), None) = (&self.before.session, &login.session) {
            let idle = login.ended.as_ref().is_some_and(|ended| ended.reason == End::Idle);
            let used = self.used_ok.get().max(live.last_used);
            let late = world.now() > used.plus(app(world).config.portals.policy.idle);
            must(!idle || (!live.keep_alive && late), Invariant::PortalNotReconciled, "ended early")?;
        }
        self.excuse(world, site, login);
        // A portal session of ours is the one that lives here, or is to be logged out, or nobody can know of it.
        if login.task.is_none() {
            let live = site.live_sessions();
            let known = if live.is_empty() { [None; 2] } else { self.known(world) };
            for id in live {
                let holds = known.contains(&Some(id)) || self.excused.contains(&id);
                must(holds, Invariant::PortalSessionForgotten, &format!("{id} is forgotten"))?;
            }
        }
        Ok(())
    }

    /// Credentials and cookies are stored as long as they are needed.
    fn check_secrets(&self, world: &World, login: &Login) -> Checked {
        let [credentials, jar] = ["credentials", "jar"].map(|row| self.row(world, row).is_some());
        let wanted =
            login.session.is_some() || login.task.is_some() || login.person.is_some() || login.signed_in;
        let what = match () {
            () if login.session.is_some() && !credentials => "no credentials",
            () if credentials && !wanted => "credentials for nothing",
            () if jar && !wanted => "cookies for nothing",
            () => return Ok(()),
        };
        let invariant =
            if self.broken_write { Invariant::PortalSecretsLeft } else { Invariant::PortalSecretsWrong };
        Err((invariant, format!("{what}: {login:?}")))
    }

    /// Portal sessions that are given up.
    fn excuse(&mut self, world: &World, site: &Site, login: &Login) {
        let (before, gone) = (&self.before, self.before.session.is_some() && login.session.is_none());
        let given_up = before.logout.is_some() && login.logout.is_none();
        // One logout is remembered; that before it was tried at least once.
        let again = gone && before.logout.is_some() && login.logout.is_some();
        let abandoned = login.task.as_ref().is_some_and(|task| task.abandoned);
        if given_up || again || abandoned {
            self.excuse_unknown(world, site);
        }
    }

    /// A login begins at the portal.
    fn check_attempt(&self, world: &World, site: &Site) -> Checked {
        let now = world.now();
        let lives = self.session_in(world, "jar").is_some_and(|id| site.live_sessions().contains(&id));
        let login = || self.row(world, "login").unwrap_or_default();
        if lives {
            // Where a write has failed, its cookies may be left over, and it is forgotten.
            let invariant =
                if self.broken_write { Invariant::PortalSecretsLeft } else { Invariant::SecondPortalLogin };
            return Err((invariant, login()));
        }
        let cooldown = app(world).config.portals.policy.cooldown;
        let heard = site.state().refused_at.filter(|at| *at > self.deaf_until);
        if heard.is_some_and(|at| now < at.plus(cooldown)) {
            return Err((Invariant::PortalNotLeftAlone, login()));
        }
        if self.lets_go && self.used.get().plus(ABANDONED) < now {
            return Err((Invariant::AbandonedLoggedIn, login()));
        }
        Ok(())
    }

    /// A login is paid for.
    fn check_payment(&mut self, site: &Site) -> Checked {
        let attempts = &site.state().attempts;
        for (number, attempt) in attempts.iter().enumerate() {
            if attempt.paid_by.is_none() || !self.paid.insert(number) {
                continue;
            }
            let same_hour = |n: &&usize| attempt.began_at.since(attempts[**n].began_at) < HOUR_OF_LOGINS;
            let hour = self.paid.iter().filter(|n| **n < number).filter(same_hour).count();
            if hour >= self.logins_per_hour {
                return Err((Invariant::OverBudget, format!("{hour} logins in the hour before this one")));
            }
        }
        Ok(())
    }

    /// What holds after some time.
    pub fn over_time(&mut self, world: &World, site: &Site) -> Checked {
        let (now, login) = (world.now(), self.login(world));
        self.check_secrets(world, &login)?;
        let (down, call_time, last_contact) = {
            let state = site.state();
            (state.down, state.call_time, state.last_contact)
        };
        if down.is_some() || !world.weather().is_clear() {
            self.calm_since = now;
        }
        let hour = site.state().in_vain.iter().filter(|at| now.since(**at) < HOUR).count();
        if down.is_some_and(Down::is_surely_down) && hour > IN_VAIN_MAX {
            return Err((Invariant::OverBudget, format!("{hour} calls in vain in an hour")));
        }
        let Some(live) = login.session.as_ref().filter(|_| login.task.is_none()) else { return Ok(()) };
        let policy = &app(world).config.portals.policy;
        let minute = Duration::from_mins(1);
        let holds = if live.keep_alive {
            let most = policy.keep_alive * (100 + policy.jitter_percent) / 100 + minute + call_time * 3;
            let waits = login.trouble.map_or(Timestamp::default(), |trouble| trouble.until);
            let since = last_contact.max(self.calm_since).max(waits);
            now <= since.plus(most) || live.lost_since.is_some()
        } else {
            let used = self.used.get().max(live.last_used).plus(policy.idle).max(self.calm_since);
            now <= used.plus(minute + Duration::from_secs(1))
        };
        if holds { Ok(()) } else { Err((Invariant::PortalNotReconciled, format!("{login:?}"))) }
    }

    pub fn login(&self, world: &World) -> Login {
        let text = self.row(world, "login");
        text.map(|text| serde_json::from_str(&text).expect("a login as it is stored")).unwrap_or_default()
    }
}
