//! Logins that one client address tries, whoever they are for. They are kept in an object of the address, so that nothing has to be
//! kept for names that nobody has, and a name that somebody has looks the same from outside.
//!
//! An attempt counts as a failure until it is said to have been none, at its name and among all failures of the address: of
//! many at once, no more are looked at than one after the other. Many who log in at once from one office are not held to have
//! failed: who finds that so many are under way waits a moment for one of them to be decided.
//!
//! What is under way is counted in memory, and a failure is written when it is one: a login that succeeds writes nothing here. If
//! the instance goes while logins are under way, these are not counted, as many as may fail at the most.

use super::guess_protocol::{Attempt, AttemptDone, AttemptReply, ForNobody, Outcome, Throttled};
use super::protocol::Done;
use super::state::User;
use super::throttle::{FORGET, Failures, delay};
use super::under_way::Try;
use super::user::{Step, UserPolicy};
use base::clock::{Timestamp, millis};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one address has failed at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// By name, as a keyed hash. The ones longest quiet first.
    names: Vec<(String, Failures)>,
    /// All of them; one is forgiven each time that its share of [`FORGET`] is over.
    count: u32,
    /// Since when the next one is forgiven.
    since: Timestamp,
    /// When one was last counted that may be given back: of a Worker of the release before, which does not say what has failed.
    #[serde(default, skip_serializing_if = "is_never")]
    reserved_at: Timestamp,
}

/// How long a login is under way, mostly.
const UNDECIDED: Duration = Duration::from_secs(2);
/// What is under way for longer has failed: whoever would say what became of it is gone.
const UNDECIDED_MAX: Duration = Duration::from_secs(30);
/// The least that somebody waits who comes while as many are under way as may fail.
const WAIT_MIN: Duration = Duration::from_secs(1);

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde asks.
fn is_never(time: &Timestamp) -> bool {
    *time == Timestamp::default()
}

/// How long it takes until one failure of an address is forgiven that may have so many.
fn share(limit: u32) -> Duration {
    FORGET / limit.max(1)
}

impl Attempts {
    fn forgive(&mut self, limit: u32, now: Timestamp) {
        let share = share(limit);
        while self.count > 0 && self.since.plus(share) <= now {
            self.count -= 1;
            self.since = self.since.plus(share);
        }
    }

    /// Of a Worker of the release before. `name` is tried. Only for a name that somebody has will it be known at once what it
    /// means; if it does not, what the attempt would come to if nobody has the name.
    fn attempt(&mut self, attempt: &Attempt, policy: &UserPolicy, now: Timestamp) -> AttemptReply {
        let Attempt { name, limit, reserves, .. } = attempt;
        let limit = *limit;
        self.forgive(limit, now);
        if self.count >= limit {
            let retry_after_ms = millis(self.since.plus(share(limit)).since(now));
            let busy = *reserves && now < self.reserved_at.plus(UNDECIDED);
            return AttemptReply::Throttled(Throttled { retry_after_ms, user_id: None, busy });
        }
        if *reserves {
            self.failed(limit, now);
            self.reserved_at = now;
        }
        let mut failures = self.take(name);
        let wait = failures.wait(now);
        if wait.is_none() {
            failures.fail(policy.throttle.max_failures, policy.throttle.block_max, now);
        }
        let delay = delay(&failures);
        self.put(name.clone(), failures, limit);
        let (wait_ms, delay_ms) = (wait.map(millis), millis(delay));
        AttemptReply::Allowed(ForNobody { wait_ms, delay_ms, in_memory: false })
    }

    fn failed(&mut self, limit: u32, now: Timestamp) {
        self.forgive(limit, now);
        if self.count == 0 {
            self.since = now;
        }
        self.count = self.count.saturating_add(1);
    }

    /// What was under way has failed.
    fn note_failure(&mut self, tried: Try, limit: u32, policy: &UserPolicy) {
        self.failed(limit, tried.at);
        if tried.counts {
            let mut failures = self.take(&tried.name);
            failures.fail(policy.throttle.max_failures, policy.throttle.block_max, tried.at);
            self.put(tried.name, failures, limit);
        }
    }

    fn take(&mut self, name: &str) -> Failures {
        let at = self.names.iter().position(|(other, _)| other == name);
        at.map(|at| self.names.remove(at).1).unwrap_or_default()
    }

    /// No name is forgotten that the address can still have failures for.
    fn put(&mut self, name: String, failures: Failures, limit: u32) {
        self.names.push((name, failures));
        if self.names.len() > 2 * usize::try_from(limit).unwrap_or(usize::MAX / 2) {
            self.names.remove(0);
        }
    }

    /// When nothing of it is worth keeping.
    pub fn forgotten_at(&self) -> Timestamp {
        let names = self.names.iter().map(|(_, failures)| failures.forgotten_at());
        names.max().unwrap_or_default().max(self.since.plus(FORGET))
    }
}

impl Step for Attempt {
    type Reply = AttemptReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> AttemptReply {
        if !self.reports {
            return user.attempts.get_or_insert_default().attempt(&self, policy, now);
        }
        let Self { name, limit, .. } = self;
        give_up(user, limit, policy, now);
        // What is stored changes only with a failure.
        let mut attempts = user.attempts.clone().unwrap_or_default();
        attempts.forgive(limit, now);
        let under_way = &mut user.under_way.tries;
        let left = usize::try_from(limit.saturating_sub(attempts.count)).unwrap_or(usize::MAX);
        if under_way.len() >= left {
            let first = under_way.first().filter(|_| attempts.count == 0);
            let since = first.map_or(attempts.since, |tried| tried.at);
            let wait = since.plus(share(limit)).since(now).max(WAIT_MIN);
            let last =
                under_way.last().map_or(attempts.reserved_at, |tried| tried.at.max(attempts.reserved_at));
            let (retry_after_ms, busy) = (millis(wait), now < last.plus(UNDECIDED));
            return AttemptReply::Throttled(Throttled { retry_after_ms, user_id: None, busy });
        }
        let mut failures = attempts.take(&name);
        let (allowed, block_max) = (policy.throttle.max_failures, policy.throttle.block_max);
        for before in under_way.iter().filter(|tried| tried.name == name && tried.counts) {
            failures.fail(allowed, block_max, before.at);
        }
        let wait = failures.wait(now);
        if wait.is_none() {
            failures.fail(allowed, block_max, now);
        }
        under_way.push(Try { name, at: now, counts: wait.is_none() });
        let (wait_ms, delay_ms) = (wait.map(millis), millis(delay(&failures)));
        AttemptReply::Allowed(ForNobody { wait_ms, delay_ms, in_memory: true })
    }
}

/// Counts those as failures of which nobody has said in time what became of them.
fn give_up(user: &mut User, limit: u32, policy: &UserPolicy, now: Timestamp) {
    let is_over = |tried: &Try| tried.at.plus(UNDECIDED_MAX) <= now;
    while let Some(at) = user.under_way.tries.iter().position(is_over) {
        let tried = user.under_way.tries.remove(at);
        user.attempts.get_or_insert_default().note_failure(tried, limit, policy);
    }
}

impl Step for AttemptDone {
    type Reply = Done;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> Done {
        let Self { name, failed, limit, gives_back, outcome } = self;
        if let Some(outcome) = outcome {
            decided(user, name, outcome, limit, policy, now);
            return Done::Done;
        }
        let attempts = user.attempts.get_or_insert_default();
        if failed {
            attempts.failed(limit, now);
        } else {
            attempts.take(&name);
            attempts.count = attempts.count.saturating_sub(gives_back.into());
        }
        Done::Done
    }
}

fn decided(user: &mut User, name: String, outcome: Outcome, limit: u32, policy: &UserPolicy, now: Timestamp) {
    // Those of one name are alike, but for whether they had to wait there.
    let under_way = &mut user.under_way.tries;
    let looked_at = outcome != Outcome::Open;
    let at = under_way.iter().position(|tried| tried.name == name && tried.counts == looked_at);
    let at = at.or_else(|| under_way.iter().position(|tried| tried.name == name));
    let tried = at.map(|at| under_way.remove(at));
    match outcome {
        // Also one that is not known any more.
        Outcome::Failed => {
            let tried = tried.unwrap_or(Try { name, at: now, counts: true });
            user.attempts.get_or_insert_default().note_failure(tried, limit, policy);
        }
        Outcome::Right => {
            if let Some(attempts) = &mut user.attempts {
                attempts.take(&name);
            }
        }
        Outcome::Open => {}
    }
}
