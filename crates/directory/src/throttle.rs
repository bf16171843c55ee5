//! Slows down guessing at one user's password, without letting anybody lock that user out.
//!
//! Failures are counted for each client address and for the user as a whole. An address that fails too often is refused
//! for a while that doubles. If many addresses fail, all new ones are slowed down, for a short while at a time; an
//! address from which the user has logged in before is not held by that, only by its own failures.

use base::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottlePolicy {
    pub max_failures: u32,
    pub block_max: Duration,
}

/// Failures are forgotten after this long without one.
pub(super) const FORGET: Duration = Duration::from_mins(15);
/// The user as a whole bears more failures than one address, by this factor.
const OVERALL_FACTOR: u32 = 5;
/// Longest refusal for an address that has not failed itself: nobody is locked out by others for longer at a time.
const OVERALL_BLOCK_MAX: Duration = Duration::from_secs(30);
/// Answers to failures are delayed by this much, doubled for each from the second on.
const DELAY: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(2);
/// How many addresses are remembered, of each kind. The ones longest quiet are forgotten first.
const ADDRESSES_MAX: usize = 32;
const KNOWN: Duration = Duration::from_hours(720);
/// Where a user has logged in from so short a while ago need not be noted anew.
const LATELY: Duration = Duration::from_hours(24);
/// What stands in the place of an address for a device that shows a token of ours. No keyed hash begins like this.
const DEVICE: &str = "device/";

/// A device in the place of an address. It has an allowance of its own: what others fail at does not hold it, and what it fails
/// at holds nobody else.
pub fn device(id: &str) -> String {
    [DEVICE, id].concat()
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    #[serde(default)]
    overall: Failures,
    #[serde(default)]
    addresses: Vec<(String, Failures)>,
    /// Where the user has logged in from, and when.
    #[serde(default)]
    known: Vec<(String, Timestamp)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failures {
    count: u32,
    last: Timestamp,
    blocked_until: Timestamp,
}

impl Failures {
    pub(super) fn fail(&mut self, allowed: u32, block_max: Duration, now: Timestamp) {
        self.forget(now);
        self.count = self.count.saturating_add(1);
        self.last = now;
        if let Some(over) = self.count.checked_sub(allowed) {
            let block = Duration::from_secs(1_u64 << over.min(20)).min(block_max);
            self.blocked_until = now.plus(block);
        }
    }

    fn forget(&mut self, now: Timestamp) {
        if self.quiet(now) {
            *self = Self::default();
        }
    }

    pub(super) fn quiet(&self, now: Timestamp) -> bool {
        now >= self.last.plus(FORGET) && now >= self.blocked_until
    }

    /// When it is quiet.
    pub(super) fn forgotten_at(&self) -> Timestamp {
        self.last.plus(FORGET).max(self.blocked_until)
    }

    pub(super) fn wait(&self, now: Timestamp) -> Option<Duration> {
        Some(self.blocked_until.since(now)).filter(|d| !d.is_zero())
    }
}

/// How long the answer to the last of these is to be held back.
pub(super) fn delay(failures: &Failures) -> Duration {
    let doublings = failures.count.saturating_sub(2).min(16);
    if failures.count < 2 { Duration::ZERO } else { (DELAY * (1 << doublings)).min(DELAY_MAX) }
}

impl Throttle {
    /// How long an attempt from `address` has to wait, if it may not be made now. Asked before the password is looked at. If it
    /// waits for what others have failed at, that is the longest that it can be: who keeps a user out by it, a guess at the end
    /// of each block, is not told when that is.
    pub fn wait(&self, address: &str, now: Timestamp) -> Option<Duration> {
        let own = self.of(address).and_then(|f| f.wait(now));
        let known = address.starts_with(DEVICE)
            || self.known.iter().any(|(a, at)| a == address && now < at.plus(KNOWN));
        own.or_else(|| self.overall.wait(now).filter(|_| !known).map(|_| OVERALL_BLOCK_MAX))
    }

    /// Whether there are failures from there that a success forgives.
    pub fn has_failed(&self, address: &str) -> bool {
        self.of(address).is_some()
    }

    /// Whether a success from there is no news: it has not failed, and is known since a short while ago.
    pub fn is_usual(&self, address: &str, now: Timestamp) -> bool {
        let lately = |(known, at): &(String, Timestamp)| known == address && now < at.plus(LATELY);
        !self.has_failed(address) && (address.starts_with(DEVICE) || self.known.iter().any(lately))
    }

    fn of(&self, address: &str) -> Option<&Failures> {
        self.addresses.iter().find(|(a, _)| a == address).map(|(_, f)| f)
    }

    /// Counts a failure and says how long its answer is to be held back.
    pub fn failed(&mut self, address: &str, policy: &ThrottlePolicy, now: Timestamp) -> Duration {
        let overall_max = policy.block_max.min(OVERALL_BLOCK_MAX);
        if !address.starts_with(DEVICE) {
            self.overall.fail(policy.max_failures.saturating_mul(OVERALL_FACTOR), overall_max, now);
        }
        let mut failures = self.of(address).copied().unwrap_or_default();
        failures.fail(policy.max_failures, policy.block_max, now);
        self.addresses.retain(|(a, f)| a != address && !f.quiet(now));
        self.addresses.push((address.to_owned(), failures));
        if self.addresses.len() > ADDRESSES_MAX {
            self.addresses.remove(0);
        }
        delay(&failures)
    }

    /// A right password: this address starts afresh, and is known from now on.
    pub fn succeeded(&mut self, address: &str, now: Timestamp) {
        self.addresses.retain(|(a, _)| a != address);
        // Its token says so.
        if address.starts_with(DEVICE) {
            return;
        }
        self.known.retain(|(a, at)| a != address && now < at.plus(KNOWN));
        self.known.push((address.to_owned(), now));
        if self.known.len() > ADDRESSES_MAX {
            self.known.remove(0);
        }
    }

    /// An admin has set a new password: failures with the old one say nothing any more.
    pub fn clear_failures(&mut self) {
        self.overall = Failures::default();
        self.addresses.clear();
    }

    /// When nothing is left worth keeping for somebody who is not a user.
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        let all = self.addresses.iter().map(|(_, f)| f).chain([&self.overall]);
        all.filter(|f| f.count > 0).map(Failures::forgotten_at).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: ThrottlePolicy = ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    #[test]
    fn an_address_is_slowed_down_then_refused_for_longer_and_longer() {
        let mut t = Throttle::default();
        assert_eq!(t.failed("a", &POLICY, at(0)), Duration::ZERO);
        assert_eq!(t.failed("a", &POLICY, at(0)), Duration::from_millis(100));
        assert_eq!(t.wait("a", at(0)), None);
        assert_eq!(t.failed("a", &POLICY, at(0)), Duration::from_millis(200));
        assert_eq!(t.wait("a", at(0)), Some(Duration::from_secs(1)));
        assert_eq!(t.wait("a", at(1)), None);
        t.failed("a", &POLICY, at(1));
        assert_eq!(t.wait("a", at(1)), Some(Duration::from_secs(2)));
        for _ in 0..40 {
            t.failed("a", &POLICY, at(3));
        }
        assert_eq!(t.wait("a", at(3)), Some(POLICY.block_max));
        assert_eq!(t.wait("a", at(3 + 900)), None);
    }

    #[test]
    fn others_are_not_refused_for_it() {
        let mut t = Throttle::default();
        for _ in 0..10 {
            t.failed("a", &POLICY, at(0));
        }
        assert_eq!(t.wait("b", at(0)), None);
    }

    #[test]
    fn many_addresses_slow_down_new_ones_shortly_but_no_known_one() {
        let mut t = Throttle::default();
        t.succeeded("home", at(0));
        for n in 0..100 {
            t.failed(&format!("bot-{n}"), &POLICY, at(1));
        }
        for now in [1, 2, 30] {
            assert_eq!(t.wait("new", at(now)), Some(OVERALL_BLOCK_MAX), "it does not say when");
        }
        assert_eq!(t.wait("new", at(31)), None);
        assert_eq!(t.wait("home", at(1)), None);
        assert!(t.addresses.len() <= ADDRESSES_MAX);
    }

    /// What was real: ten sources that go on failing keep a user at a new address out for ever.
    #[test]
    fn f06_a_device_that_the_user_has_logged_in_from_has_its_own_allowance() {
        let mut t = Throttle::default();
        let (mine, other) = (device("mine"), device("other"));
        for n in 0..100 {
            t.failed(&format!("bot-{}", n % 10), &POLICY, at(0));
        }
        assert!(t.wait("new", at(0)).is_some());
        assert_eq!(t.wait(&mine, at(0)), None);
        // Its own failures count, for it alone.
        for _ in 0..3 {
            t.failed(&mine, &POLICY, at(60));
        }
        assert_eq!((t.wait(&mine, at(60)), t.wait(&other, at(60))), (Some(Duration::from_secs(1)), None));
        assert_eq!(t.wait("new", at(60)), None);
        t.succeeded(&mine, at(61));
        assert_eq!((t.wait(&mine, at(61)), t.known.len()), (None, 0));
    }

    #[test]
    fn a_known_address_still_answers_for_its_own_failures() {
        let mut t = Throttle::default();
        t.succeeded("home", at(0));
        for _ in 0..3 {
            t.failed("home", &POLICY, at(1));
        }
        assert!(t.wait("home", at(1)).is_some());
        t.succeeded("home", at(10));
        assert_eq!(t.wait("home", at(10)), None);
    }

    #[test]
    fn failures_are_forgotten() {
        let mut t = Throttle::default();
        for _ in 0..2 {
            t.failed("a", &POLICY, at(0));
        }
        assert_eq!(t.forgotten_at(), Some(at(900)));
        assert_eq!(t.failed("a", &POLICY, at(900)), Duration::ZERO);
        t.clear_failures();
        assert_eq!(t.forgotten_at(), None);
    }

    #[test]
    fn an_address_is_known_for_thirty_days() {
        let mut t = Throttle::default();
        t.succeeded("home", at(0));
        t.succeeded("office", at(1));
        let end = at(0).plus(KNOWN);
        for now in [end.minus(Duration::from_millis(1)), end] {
            for n in 0..100 {
                t.failed(&format!("bot-{n}"), &POLICY, now);
            }
        }
        assert_eq!(t.wait("home", end.minus(Duration::from_millis(1))), None);
        assert_eq!(t.wait("home", end), Some(OVERALL_BLOCK_MAX));
        assert_eq!(t.wait("office", end), None);
        // Then it is not kept, either; the others are.
        t.succeeded("new", end);
        let known: Vec<_> = t.known.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!(known, ["office", "new"]);
    }

    #[test]
    fn of_too_many_addresses_the_first_are_forgotten() {
        let mut t = Throttle::default();
        for n in 0..ADDRESSES_MAX {
            t.failed(&n.to_string(), &POLICY, at(0));
            t.succeeded(&format!("k{n}"), at(0));
        }
        assert_eq!((t.addresses.len(), t.known.len()), (ADDRESSES_MAX, ADDRESSES_MAX));
        t.failed("more", &POLICY, at(0));
        t.succeeded("k-more", at(0));
        assert_eq!((t.addresses.len(), t.known.len()), (ADDRESSES_MAX, ADDRESSES_MAX));
        assert!(t.of("0").is_none() && t.of("1").is_some() && t.of("more").is_some());
        assert_eq!((t.known[0].0.as_str(), t.known[ADDRESSES_MAX - 1].0.as_str()), ("k1", "k-more"));
    }

    #[test]
    fn a_success_forgives_its_own_address_only() {
        let mut t = Throttle::default();
        for address in ["a", "b"] {
            for _ in 0..4 {
                t.failed(address, &POLICY, at(0));
            }
        }
        t.succeeded("a", at(0));
        assert_eq!((t.wait("a", at(0)), t.wait("b", at(0))), (None, Some(Duration::from_secs(2))));
        // What is long past is not kept beside a new failure.
        t.failed("c", &POLICY, at(900));
        assert!(t.of("b").is_none() && t.of("c").is_some());
    }
}
