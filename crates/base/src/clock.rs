//! Moments and their printing. Nothing here reads a clock: `now` is always an argument.

use chrono::{DateTime, FixedOffset, SecondsFormat};
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

    /// RFC 3339 in Indian Standard Time, with seconds and `+05:30`.
    pub fn rfc3339_ist(self) -> String {
        let zone = FixedOffset::east_opt(IST_OFFSET_SECONDS);
        i64::try_from(self.0)
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .zip(zone)
            .map_or_else(String::new, |(t, zone)| {
                t.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
            })
    }

    /// Reads RFC 3339, with any offset. `None` if it is not that, or before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let millis = DateTime::parse_from_rfc3339(text.trim()).ok()?.timestamp_millis();
        u64::try_from(millis).ok().map(Self)
    }

    /// Reads a date of HTTP in any of the three forms that RFC 9110 §5.6.7 has recipients take.
    pub fn parse_http_date(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let text = match words.as_slice() {
            // Sun Nov  6 08:49:37 1994
            [_, month, day, time, year] => format!("{day} {month} {year} {time} GMT"),
            // Sunday, 06-Nov-94 08:49:37 GMT
            [_, date, time, zone] => format!("{} {time} {zone}", date.replace('-', " ")),
            // Sun, 06 Nov 1994 08:49:37 GMT
            _ => text.trim().to_owned(),
        };
        let millis = DateTime::parse_from_rfc2822(&text).ok()?.timestamp_millis();
        u64::try_from(millis).ok().map(Self)
    }

    /// The next moment strictly after this one at which a clock in UTC shows `seconds` since midnight.
    #[must_use]
    pub fn next_daily(self, seconds: u64) -> Self {
        let at = self.last_daily(seconds);
        Self(at.0.saturating_add(DAY_SECONDS * 1000))
    }

    /// The last moment, this one included, at which a clock in UTC showed `seconds` since midnight.
    #[must_use]
    pub fn last_daily(self, seconds: u64) -> Self {
        let day = DAY_SECONDS * 1000;
        let offset = (seconds % DAY_SECONDS) * 1000;
        // The epoch is a midnight. Before the first such moment the answer is the epoch, which nobody asks for.
        Self(self.0.saturating_sub(offset) / day * day + offset)
    }
}

const DAY_SECONDS: u64 = 86_400;
/// India has one zone, half an hour off the hour, and no summer time.
const IST_OFFSET_SECONDS: i32 = 19_800;

/// As people and metrics read it.
#[allow(clippy::cast_precision_loss)] // Not within 285,000 years.
pub fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Whether there is nothing to be stored of so many milliseconds.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so.
pub const fn is_zero(milliseconds: &u64) -> bool {
    *milliseconds == 0
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
    fn prints_and_reads_indian_time() {
        let at = Timestamp::from_millis(1_763_719_200_123);
        assert_eq!(at.rfc3339_ist(), "2025-11-21T15:30:00+05:30");
        assert_eq!(Timestamp::parse_rfc3339("2025-11-21T15:30:00.123+05:30"), Some(at));
        for wrong in ["", "2025-11-21", "2025-11-21T10:00:00", "1969-01-01T00:00:00Z", "x"] {
            assert_eq!(Timestamp::parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn finds_daily_moments() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let seconds = 22 * 3600;
        for (now, last, next) in [
            ("2025-11-21T21:59:59Z", "2025-11-20T22:00:00Z", "2025-11-21T22:00:00Z"),
            ("2025-11-21T22:00:00Z", "2025-11-21T22:00:00Z", "2025-11-22T22:00:00Z"),
            ("2025-12-31T23:00:00Z", "2025-12-31T22:00:00Z", "2026-01-01T22:00:00Z"),
        ] {
            assert_eq!(
                (at(now).last_daily(seconds), at(now).next_daily(seconds)),
                (at(last), at(next)),
                "{now}"
            );
        }
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
