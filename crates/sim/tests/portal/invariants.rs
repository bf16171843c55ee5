//! What must hold around a portal login: the portal's sessions are ours to the last, nothing is forgotten, nobody is asked
//! too often. Looked at after every turn of the world.

use super::play::{Play, secs};
use base::clock::Timestamp;
use base::rpc::Class;
use portal::{End, Login};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the watched object.
pub struct Watch {
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
}

/// The number of the portal's session that sealed cookies are of.
fn session_in(play: &Play, rows: &BTreeMap<String, String>, row: &str) -> Option<u32> {
    let plain = play.app().vault.open("portal-jar", &play.name, rows.get(row)?).ok()?;
    let text = String::from_utf8(plain).unwrap();
    let number = |cookie: &str| {
        let rest = text.split(cookie).nth(1)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    number("sid=").or_else(|| number("idsrv="))
}

impl Watch {
    pub fn new(now: Timestamp) -> Self {
        Self {
            text: String::new(),
            before: Login::default(),
            attempts: 0,
            paid: BTreeSet::new(),
            excused: BTreeSet::new(),
            calm_since: now,
            logins_per_hour: 6,
            alarm_lost: false,
        }
    }

    /// What it was doing, nobody knows any more.
    pub fn died(&mut self, play: &Play) {
        let rows = play.world.rows(Class::Portal, &play.name);
        let known = ["jar", "farewell"].map(|row| session_in(play, &rows, row));
        let live = play.site.live_sessions();
        self.excused.extend(live.iter().filter(|id| !known.contains(&Some(**id))));
        self.calm_since = play.now().plus(secs(60));
        // It may not have heard that it was refused.
        play.site.state().refused_at = None;
    }
}

impl Play {
    pub fn look_at(&self) {
        let mut watch = self.watch.borrow_mut();
        let rows = self.world.rows(Class::Portal, &self.name);
        let attempts = self.site.logins();
        if attempts > watch.attempts {
            watch.attempts = attempts;
            self.check_attempt(&rows);
        }
        self.check_payment(&mut watch);
        let text = rows.get("login").cloned().unwrap_or_default();
        if text == watch.text {
            return;
        }
        let login: Login = serde_json::from_str(&text).unwrap_or_default();
        self.check_step(&mut watch, &login, &rows);
        (watch.text, watch.before) = (text, login);
    }

    /// What holds after each step.
    fn check_step(&self, watch: &mut Watch, login: &Login, rows: &BTreeMap<String, String>) {
        let outstanding = login.session.is_some()
            || login.task.is_some()
            || login.logout.is_some()
            || login.pending_sync.is_some()
            || login.signed_in;
        watch.alarm_lost &= self.alarm().is_none();
        let comes = self.alarm().is_some() || watch.alarm_lost;
        assert!(!outstanding || comes, "nothing comes of it: {login:?}");
        let stored = rows.contains_key("credentials");
        assert!(login.session.is_none() || stored, "no credentials: {login:?}");
        let wanted = login.session.is_some() || login.task.is_some() || login.signed_in;
        assert!(!stored || wanted, "credentials for nothing: {login:?}");
        assert!(wanted || !rows.contains_key("jar"), "cookies for nothing: {login:?}");
        if let (Some(live), None) = (&watch.before.session, &login.session) {
            let reason = login.ended.as_ref().unwrap().reason;
            if reason == End::Idle {
                let used = self.used_ok.get().max(live.last_used);
                assert!(!live.keep_alive && self.now() > used.plus(secs(1800)), "{login:?}");
            }
        }
        self.excuse(watch, login, rows);
        // A portal session of ours is the one that lives here, or is to be logged out, or nobody can know of it.
        if login.task.is_none() {
            let known = ["jar", "farewell"].map(|row| session_in(self, rows, row));
            for id in self.site.live_sessions() {
                assert!(
                    known.contains(&Some(id)) || watch.excused.contains(&id),
                    "{id} is forgotten: {login:?}"
                );
            }
        }
    }

    /// Portal sessions that are given up.
    fn excuse(&self, watch: &mut Watch, login: &Login, rows: &BTreeMap<String, String>) {
        let (before, gone) = (&watch.before, watch.before.session.is_some() && login.session.is_none());
        let given_up = before.logout.is_some() && login.logout.is_none();
        // One logout is remembered; that before it was tried at least once.
        let again = gone && before.logout.is_some() && login.logout.is_some();
        let abandoned = login.task.as_ref().is_some_and(|task| task.abandoned);
        if given_up || again || abandoned {
            let known = ["jar", "farewell"].map(|row| session_in(self, rows, row));
            let live = self.site.live_sessions();
            watch.excused.extend(live.iter().filter(|id| !known.contains(&Some(**id))));
        }
    }

    /// A login begins at the portal.
    fn check_attempt(&self, rows: &BTreeMap<String, String>) {
        let now = self.now();
        let lives = session_in(self, rows, "jar").is_some_and(|id| self.site.live_sessions().contains(&id));
        assert!(!lives, "a second login: {:?}", self.login());
        let refused_at = self.site.state().refused_at;
        assert!(refused_at.is_none_or(|at| now >= at.plus(secs(900))), "not left alone: {:?}", self.login());
    }

    /// A login is paid for.
    fn check_payment(&self, watch: &mut Watch) {
        let attempts = &self.site.state().attempts;
        for (number, attempt) in attempts.iter().enumerate() {
            if attempt.paid_by.is_none() || !watch.paid.insert(number) {
                continue;
            }
            let same_hour = |n: &&usize| attempt.began_at.since(attempts[**n].began_at) < secs(3600 - 2);
            let hour = watch.paid.iter().filter(|n| **n < number).filter(same_hour).count();
            assert!(hour < watch.logins_per_hour, "{hour} logins before this one");
        }
    }

    /// What holds after some time.
    pub fn check_time(&self) {
        let mut watch = self.watch.borrow_mut();
        let (now, login) = (self.now(), self.login());
        let (down, call_time, last_contact) = {
            let state = self.site.state();
            (state.down, state.call_time, state.last_contact)
        };
        if down.is_some() || !self.world.weather().is_clear() {
            watch.calm_since = now;
        }
        let hour = self.site.state().in_vain.iter().filter(|at| now.since(**at) < secs(3600)).count();
        // More than the ladder and its `Retry-After` allow is hammering.
        assert!(down.is_none_or(|d| !d.is_surely_down()) || hour <= 20, "{hour} calls in vain in an hour");
        let Some(live) = login.session.as_ref().filter(|_| login.task.is_none()) else { return };
        if live.keep_alive {
            let most = secs(330 + 60) + call_time * 3;
            let waits = login.trouble.map_or(now.minus(secs(86_400)), |trouble| trouble.until);
            let since = last_contact.max(watch.calm_since).max(waits);
            assert!(now <= since.plus(most) || live.lost_since.is_some(), "not reconciled: {login:?}");
        } else {
            let used = self.used.get().max(live.last_used).plus(secs(1800)).max(watch.calm_since);
            assert!(now <= used.plus(secs(61)), "not ended: {login:?}");
        }
    }

    /// Nothing is left of what was, but the memory of it.
    pub fn is_quiet(&self) -> bool {
        let login = self.login();
        let work = login.task.is_some() || login.logout.is_some() || login.pending_sync.is_some();
        let sealed = ["credentials", "jar", "farewell", "wizards"];
        let rows = self.row_names().iter().any(|row| sealed.contains(&row.as_str()));
        !rows && !work && login.session.is_none() && !login.signed_in
    }
}
