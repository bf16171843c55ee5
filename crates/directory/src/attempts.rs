//! Logins that one client address tries, whoever they are for. They are kept in an object of the address, so that nothing has to be
//! kept for names that nobody has, and a name that somebody has looks the same from outside.
//!
//! An attempt counts as a failure until it is said to have been none, at its name and among all failures of the address: of
//! many at once, no more are looked at than one after the other. Many who log in at once from one office are not held to have
//! failed: who finds that so many are under way waits a moment for one of them to be decided.

use super::guess_protocol::{Attempt, AttemptDone, AttemptReply, ForNobody, Throttled};
use super::protocol::Done;
use super::state::User;
use super::throttle::{FORGET, Failures, delay};
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
    /// When one was last counted that may be given back.
    #[serde(default, skip_serializing_if = "is_never")]
    reserved_at: Timestamp,
}

/// How long a login is under way, mostly.
const UNDECIDED: Duration = Duration::from_secs(2);

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
        self.names.retain(|(_, failures)| !failures.quiet(now));
    }

    /// How long the address has to wait, whoever it means; if it does not, what the attempt would come to if nobody has the
    /// name.
    fn attempt(&mut self, attempt: &Attempt, policy: &UserPolicy, now: Timestamp) -> AttemptReply {
        let Attempt { name, limit, reserves } = attempt;
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
        self.names.push((name.clone(), failures));
        // No name is forgotten that the address can still have failures for.
        if self.names.len() > 2 * usize::try_from(limit).unwrap_or(usize::MAX / 2) {
            self.names.remove(0);
        }
        AttemptReply::Allowed(ForNobody { wait_ms: wait.map(millis), delay_ms: millis(delay) })
    }

    fn failed(&mut self, limit: u32, now: Timestamp) {
        self.forgive(limit, now);
        if self.count == 0 {
            self.since = now;
        }
        self.count = self.count.saturating_add(1);
    }

    fn take(&mut self, name: &str) -> Failures {
        let at = self.names.iter().position(|(other, _)| other == name);
        at.map(|at| self.names.remove(at).1).unwrap_or_default()
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
        user.attempts.get_or_insert_default().attempt(&self, policy, now)
    }
}

impl Step for AttemptDone {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> Done {
        let attempts = user.attempts.get_or_insert_default();
        if self.failed {
            attempts.failed(self.limit, now);
        } else {
            attempts.take(&self.name);
            attempts.count = attempts.count.saturating_sub(self.gives_back.into());
        }
        Done::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LimitPolicy, ThrottlePolicy, decide, next_alarm};

    const POLICY: UserPolicy = UserPolicy {
        limit: LimitPolicy { max: 5, evict: true },
        throttle: ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) },
        session_lifetime: Duration::from_hours(720),
    };
    /// One is forgiven in 15 seconds.
    const LIMIT: u32 = 60;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn attempt(user: &mut User, name: &str, seconds: u64) -> AttemptReply {
        let attempt = Attempt { name: name.into(), limit: LIMIT, reserves: true };
        decide(user, attempt, &POLICY, at(seconds)).reply
    }

    /// A failure needs not be said.
    fn done(user: &mut User, name: &str, failed: bool, seconds: u64) {
        let done = AttemptDone { name: name.into(), failed, limit: LIMIT, gives_back: true };
        if !failed {
            decide(user, done, &POLICY, at(seconds));
        }
    }

    fn allowed(wait_ms: Option<u64>, delay_ms: u64) -> AttemptReply {
        AttemptReply::Allowed(ForNobody { wait_ms, delay_ms })
    }

    /// What was real: sixty names from one address met no limit but that of all logins.
    #[test]
    fn f06_an_address_that_tries_many_names_is_held_off_and_then_let_on_slowly() {
        let mut user = User::default();
        for n in 0..60 {
            assert_eq!(attempt(&mut user, &n.to_string(), 0), allowed(None, 0), "{n}");
            done(&mut user, &n.to_string(), true, 0);
        }
        for (seconds, wait, busy) in [(0, 15_000, true), (2, 13_000, false), (14, 1_000, false)] {
            let throttled = Throttled { retry_after_ms: wait, user_id: None, busy };
            assert_eq!(attempt(&mut user, "another", seconds), AttemptReply::Throttled(throttled));
        }
        assert_eq!(attempt(&mut user, "another", 15), allowed(None, 0));
        done(&mut user, "another", true, 15);
        assert!(matches!(attempt(&mut user, "one more", 15), AttemptReply::Throttled(_)));
        // After a quarter of an hour all is forgiven, and nothing is kept.
        assert_eq!(next_alarm(&user), Some(at(15 + 900)));
        assert!(!user.is_disposable(at(15 + 899)) && user.is_disposable(at(15 + 900)));
        for n in 0..60 {
            assert_eq!(attempt(&mut user, &n.to_string(), 15 + 900), allowed(None, 0), "{n}");
        }
    }

    #[test]
    fn f06_who_gets_in_is_not_held_against_the_address() {
        let mut user = User::default();
        for n in 0..1_000 {
            let name = n.to_string();
            assert_eq!(attempt(&mut user, &name, 0), allowed(None, 0), "{n}");
            done(&mut user, &name, false, 0);
        }
        done(&mut user, "said twice", false, 0);
        let attempts = user.attempts.as_ref().unwrap();
        assert_eq!((attempts.count, attempts.names.len()), (0, 0));
    }

    /// What was real: of six hundred at once each was looked at, since none had failed yet.
    #[test]
    fn f06_of_many_at_once_no_more_are_looked_at_than_may_fail() {
        let mut user = User::default();
        let looked_at = |user: &mut User, seconds: u64| {
            (0..600)
                .filter(|n| matches!(attempt(user, &n.to_string(), seconds), AttemptReply::Allowed(_)))
                .count()
        };
        assert_eq!(looked_at(&mut user, 0), 60);
        // Some were right, and one was not looked at: so many more may be.
        for name in ["1", "2", ""] {
            done(&mut user, name, false, 1);
        }
        let names = user.attempts.as_ref().unwrap().names.len();
        assert_eq!((names, looked_at(&mut user, 1)), (58, 3));
        assert_eq!(looked_at(&mut user, 16), 1);
        assert_eq!(looked_at(&mut user, 16 + 900), 60);
    }

    /// From a Worker of the release before, that reserves nothing and says what failed.
    #[test]
    fn what_the_release_before_sends_is_counted_as_it_was() {
        let mut user = User::default();
        let decided = |user: &mut User, text: &str| match serde_json::from_str(text).unwrap() {
            crate::Envelope::Attempt(attempt) => Some(decide(user, attempt, &POLICY, at(0)).reply),
            crate::Envelope::AttemptDone(done) => {
                decide(user, done, &POLICY, at(0));
                None
            }
            other => panic!("{other:?}"),
        };
        for n in 0..70 {
            let reply = decided(&mut user, &format!(r#"{{"attempt":{{"name":"{n}","limit":60}}}}"#));
            assert_eq!(reply == Some(allowed(None, 0)), n < 65, "{n}");
            let failed = n >= 5;
            decided(
                &mut user,
                &format!(r#"{{"attempt_done":{{"name":"{n}","failed":{failed},"limit":60}}}}"#),
            );
        }
    }

    /// As the throttle of a user does it.
    #[test]
    fn f06_a_name_that_nobody_has_is_slowed_down_and_refused_as_one_that_somebody_has() {
        let mut user = User::default();
        let mut throttle = crate::Throttle::default();
        for (seconds, blocks) in [(0, false), (0, false), (0, true), (1, true), (3, true), (7, true)] {
            let delay = millis(throttle.failed("a", &POLICY.throttle, at(seconds)));
            assert_eq!(attempt(&mut user, "x", seconds), allowed(None, delay), "{seconds}");
            let wait = throttle.wait("a", at(seconds)).map(millis);
            assert_eq!(wait.is_some(), blocks, "{seconds}");
            // What is refused is no failure.
            for _ in 0..if blocks { 3 } else { 0 } {
                assert_eq!(attempt(&mut user, "x", seconds), allowed(wait, delay), "{seconds}");
            }
        }
        done(&mut user, "x", false, 7);
        assert_eq!(attempt(&mut user, "x", 7), allowed(None, 0));
    }
}
