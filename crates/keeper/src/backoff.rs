//! When to try again: exponential with jitter, then slower. Whoever orders has so many failed calls an hour; the account's
//! own tries have one each step, whatever was called before.

use base::clock::Timestamp;
use base::jitter::Jitter;
use std::time::Duration;

/// Failed upstream calls in any hour after which orders are refused; and checks, which are counted by themselves. The account's
/// own quick tries become slow ones then.
pub const CALLS_PER_HOUR: usize = 15;
/// Most slow tries in any hour: at least after 2:30, 5, 10, 15 minutes.
pub const SLOW_PER_HOUR: usize = 5;
const HOUR: Duration = Duration::from_hours(1);
/// After the quick tries: the first slow one after about this, each later one after twice as long, up to the longest.
const SLOW_FIRST: Duration = Duration::from_mins(5);
const SLOW_MAX: Duration = Duration::from_mins(30);
pub use base::call::RETRY_AFTER_MAX;

/// Quick tries, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How many tries follow the first one quickly.
    pub retries: u32,
    /// The n-th of them comes after at most `base` to the power of n, in seconds. In thousandths, so 2.0 is 2000.
    pub base_thousandths: u32,
}

impl Backoff {
    /// How long to wait after the n-th failure in a row (from 1).
    pub fn wait(self, failures: u32, retry_after: Option<Duration>, jitter: Jitter) -> Duration {
        if failures > self.retries {
            return self.slow(failures, retry_after, jitter);
        }
        let base = f64::from(self.base_thousandths) / 1000.0;
        let exponent = i32::try_from(failures).unwrap_or(i32::MAX);
        let most = Duration::try_from_secs_f64(base.powi(exponent)).unwrap_or(SLOW_MAX).min(SLOW_MAX);
        // A tenth of it for certain: whoever asks right after a failure does not get the next try at once.
        let wait = most / 10 + jitter.up_to(most / 10 * 9);
        wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }

    /// How long to wait for a slow try, also if there were fewer failures than quick ones.
    pub fn slow(self, failures: u32, retry_after: Option<Duration>, jitter: Jitter) -> Duration {
        let doublings = failures.saturating_sub(self.retries + 1).min(8);
        let most = (SLOW_FIRST * (1 << doublings)).min(SLOW_MAX);
        // Half of it for certain: all accounts of an upstream that was down do not come back at once.
        let wait = most / 2 + jitter.up_to(most / 2);
        wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
    }
}

/// Forgets the calls that are more than an hour old.
pub fn forget_old(calls: &mut Vec<Timestamp>, now: Timestamp) {
    let from = now.minus(HOUR);
    // A clock that was set back leaves calls in the future; they count until it has caught up.
    calls.retain(|at| *at > from);
}

/// When `more` calls may be made without exceeding the hour's number: now, or later.
pub fn allowed_at(calls: &[Timestamp], more: usize, now: Timestamp) -> Timestamp {
    let from = now.minus(HOUR);
    let mut recent: Vec<Timestamp> = calls.iter().copied().filter(|at| *at > from).collect();
    recent.sort_unstable();
    let surplus = (recent.len() + more).saturating_sub(CALLS_PER_HOUR);
    match surplus.checked_sub(1).map(|last| recent.get(last).or(recent.last())) {
        None => now,
        Some(last) => last.map_or(now, |at| at.plus(HOUR)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { retries: 3, base_thousandths: 2000 };
    const MOST: Jitter = Jitter(u32::MAX);

    #[test]
    fn quick_tries_are_exponential_with_jitter_and_never_come_at_once() {
        for (failures, seconds) in [(1, 2), (2, 4), (3, 8)] {
            assert_eq!(BACKOFF.wait(failures, None, MOST), Duration::from_secs(seconds));
            assert_eq!(BACKOFF.wait(failures, None, Jitter(0)), Duration::from_millis(seconds * 100));
        }
    }

    #[test]
    fn then_it_gets_slower_up_to_half_an_hour() {
        for (failures, seconds) in [(4, 300), (5, 600), (6, 1200), (7, 1800), (100, 1800), (u32::MAX, 1800)] {
            assert_eq!(BACKOFF.wait(failures, None, MOST), Duration::from_secs(seconds), "{failures}");
            assert_eq!(BACKOFF.wait(failures, None, Jitter(0)), Duration::from_secs(seconds / 2));
        }
    }

    #[test]
    fn retry_after_is_honoured_where_it_is_longer() {
        let hour = Some(HOUR);
        assert_eq!(BACKOFF.wait(1, hour, MOST), HOUR);
        assert_eq!(BACKOFF.wait(7, Some(Duration::from_secs(1)), MOST), Duration::from_mins(30));
        assert_eq!(BACKOFF.wait(1, Some(Duration::MAX), MOST), RETRY_AFTER_MAX);
    }

    #[test]
    fn calls_are_counted_by_the_hour() {
        let start = Timestamp::from_seconds(100_000);
        let calls: Vec<Timestamp> = (0..14).map(|n| start.plus(Duration::from_secs(n * 60))).collect();
        let now = start.plus(Duration::from_secs(1000));
        assert_eq!(allowed_at(&calls, 1, now), now);
        assert_eq!(allowed_at(&calls, 2, now), start.plus(HOUR));
        assert_eq!(allowed_at(&calls, 3, now), start.plus(HOUR + Duration::from_mins(1)));
        assert_eq!(allowed_at(&[], 3, now), now);
        let mut calls = calls;
        forget_old(&mut calls, start.plus(HOUR + Duration::from_secs(30)));
        assert_eq!(calls.len(), 13);
        forget_old(&mut calls, start.plus(HOUR + Duration::from_mins(1)));
        assert_eq!(calls.len(), 12, "one that is an hour old counts no more");
    }
}
