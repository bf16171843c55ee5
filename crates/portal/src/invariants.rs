//! What must hold in the world around a portal login: the portal's sessions are ours to the last, nothing is forgotten.

use super::login_support::*;
use super::world::World;
use super::*;

impl World {
    /// As the rows do.
    pub fn tidy(&mut self, before: &Login) {
        let after = &self.login;
        if before.session.is_some() && after.session.is_none() {
            if self.jar.is_some() && after.farewell.is_some_and(|f| !f.broken_off) {
                // One logout is remembered; that before it was tried at least once.
                self.excused.extend(self.farewell_jar);
                self.farewell_jar = self.jar;
            } else if let (Some(flight), true) = (&after.flight, after.signed_in) {
                assert!(flight.abandoned, "{after:?}");
                self.excused.extend(self.jar);
            }
            self.jar = None;
        }
        if before.farewell.is_some() && after.farewell.is_none() {
            self.excused.extend(self.farewell_jar.take());
        }
        let logging_in = after.flight.as_ref().is_some_and(|flight| flight.work == Work::LogIn);
        if after.session.is_none() && !logging_in && !after.signed_in {
            self.credentials = false;
            if before.farewell.is_some_and(|f| f.broken_off) {
                self.excused.extend(self.jar);
            }
            self.jar = None;
        }
    }

    /// What holds after each step.
    pub fn check(&mut self, before: &Login) {
        let login = &self.login;
        let outstanding = login.session.is_some()
            || login.flight.is_some()
            || login.farewell.is_some()
            || login.untold.is_some()
            || login.signed_in;
        assert!(!outstanding || self.next_alarm().is_some(), "nothing comes of it: {login:?}");
        assert!(login.session.is_none() || self.credentials, "no credentials: {login:?}");
        if let (Some(live), None) = (&before.session, &login.session) {
            let reason = login.ended.as_ref().unwrap().reason;
            if reason == End::Idle {
                assert!(!live.keep_alive && self.now > self.last_used.plus(self.policy.idle), "{login:?}");
            }
        }
        // A portal session of ours is the one that lives here, or is said farewell to, or nobody can know of it.
        let (now, idle) = (self.now, self.site.idle);
        self.site.sessions.retain(|_, seen| now <= seen.plus(idle));
        if self.doing.is_none() {
            for id in self.site.sessions.keys().filter(|id| !self.excused.contains(id)) {
                assert!(
                    self.jar == Some(*id) || self.farewell_jar == Some(*id),
                    "{id} is forgotten: {login:?}"
                );
            }
        }
    }

    /// What holds after some time.
    pub fn check_time(&mut self) {
        if self.site.down.is_some() {
            self.calm_since = self.now;
        }
        let (now, policy) = (self.now, &self.policy);
        let Some(live) = self.login.session.as_ref().filter(|_| self.doing.is_none()) else { return };
        if live.keep_alive {
            // A lost alarm, and work in the way.
            let slack = secs(60) + self.site.step_time * 3;
            let most = policy.keep_alive * (100 + policy.jitter_percent) / 100 + slack;
            let waits = self.login.trouble.map_or(now.minus(secs(86_400)), |trouble| trouble.until);
            let since = self.last_contact.max(self.calm_since).max(waits);
            assert!(
                now <= since.plus(most) || live.lost_since.is_some(),
                "not looked after: {:?}",
                self.login
            );
        } else {
            let most = policy.idle + secs(61);
            assert!(now <= self.last_used.plus(most), "not ended: {:?}", self.login);
        }
    }

    pub fn check_login(&self) {
        let (now, policy) = (self.now, &self.policy);
        let hour = self.logins.iter().filter(|at| now.since(**at) < secs(3600)).count();
        assert!(hour < policy.logins_per_hour, "{hour} logins before this one: {:?}", self.login);
        assert!(self.refused_at.is_none_or(|at| now >= at.plus(policy.cooldown)), "{:?}", self.login);
        let lives = self.jar.is_some_and(|id| self.site.sessions.contains_key(&id));
        assert!(!lives, "a second login: {:?}", self.login);
    }
}
