//! Moments and their printing. Nothing here reads a clock: `now` is always an argument.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment, in whole milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down: a `NumericDate` of RFC 7519.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this is; nothing if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC, with milliseconds and `Z`.
    pub fn rfc3339(self) -> String {
        i64::try_from(self.0)
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .map_or_else(String::new, |t| t.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// A duration in milliseconds; the longest that fits if it is longer.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A duration in whole seconds, rounded up: for `Retry-After` and time-to-live values.
pub fn seconds_up(duration: Duration) -> u64 {
    millis(duration).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_utc_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(1_763_719_200_123).rfc3339(), "2025-11-21T10:00:00.123Z");
        assert_eq!(Timestamp::from_seconds(0).rfc3339(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn never_overflows() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(Timestamp::default().minus(Duration::from_secs(1)), Timestamp::default());
        assert_eq!(Timestamp::default().since(end), Duration::ZERO);
        assert_eq!(end.rfc3339(), "");
    }

    #[test]
    fn rounds_seconds_up() {
        assert_eq!(seconds_up(Duration::from_millis(1)), 1);
        assert_eq!(seconds_up(Duration::from_secs(2)), 2);
    }
}
