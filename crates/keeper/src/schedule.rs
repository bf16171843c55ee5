//! When tokens end and when they are renewed. India has one time zone without summer time, so its hours are UTC's.

use base::clock::Timestamp;
use base::jitter::Jitter;
use std::time::Duration;

/// Upstox tokens end at 03:30 IST, 22:00 UTC, in seconds since midnight UTC.
const UPSTOX_END_UTC_SECONDS: u64 = 22 * 3600;
/// All Upstox accounts are renewed at 08:00 IST, 02:30 UTC.
const UPSTOX_DAILY_UTC_SECONDS: u64 = 2 * 3600 + 30 * 60;
/// The Cron Trigger renews at 08:00; an account's own alarm goes by this much later, for a trigger that did not come.
const AFTER_CRON: Duration = Duration::from_mins(2);

/// The end of an Upstox token: the next 03:30 IST strictly after it was issued.
pub fn upstox_end(issued_at: Timestamp) -> Timestamp {
    issued_at.next_daily(UPSTOX_END_UTC_SECONDS)
}

/// When an Upstox account's alarm renews it, if the Cron Trigger has not: as spread as that has them, and a minute at least.
pub fn upstox_renewal(now: Timestamp, spread: Duration, jitter: Jitter) -> Timestamp {
    let spread = spread.max(Duration::from_mins(1));
    now.next_daily(UPSTOX_DAILY_UTC_SECONDS).plus(AFTER_CRON + jitter.up_to(spread))
}

/// The buffer before the expiry, and up to as much as a tenth of it before that. Of a short life, the last quarter: a
/// buffer that is as long as the life would renew for ever.
pub fn before_expiry(
    obtained_at: Timestamp,
    expires_at: Timestamp,
    buffer: Duration,
    jitter: Jitter,
) -> Timestamp {
    let buffer = buffer.min(expires_at.since(obtained_at) / 4);
    expires_at.minus(buffer + jitter.up_to(buffer / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn upstox_tokens_end_at_the_next_half_past_three() {
        for (issued, end) in [
            ("2025-11-18T20:00:00+05:30", "2025-11-19T03:30:00+05:30"),
            ("2025-11-19T02:30:00+05:30", "2025-11-19T03:30:00+05:30"),
            ("2025-11-19T03:29:59+05:30", "2025-11-19T03:30:00+05:30"),
            ("2025-11-19T03:30:00+05:30", "2025-11-20T03:30:00+05:30"),
            ("2025-11-19T03:31:00+05:30", "2025-11-20T03:30:00+05:30"),
            ("2025-11-19T08:00:00+05:30", "2025-11-20T03:30:00+05:30"),
        ] {
            assert_eq!(upstox_end(at(issued)), at(end), "{issued}");
        }
    }

    #[test]
    fn upstox_accounts_are_renewed_in_the_morning_after_the_cron_trigger() {
        let renewal = upstox_renewal(at("2025-11-19T03:31:00+05:30"), Duration::ZERO, Jitter(0));
        assert_eq!(renewal, at("2025-11-19T08:02:00+05:30"));
        for (minutes, renewed) in [(0, "2025-11-20T08:03:00+05:30"), (10, "2025-11-20T08:12:00+05:30")] {
            let spread = Duration::from_mins(minutes);
            let renewal = upstox_renewal(at("2025-11-19T08:00:00+05:30"), spread, Jitter(u32::MAX));
            assert_eq!(renewal, at(renewed));
        }
    }

    #[test]
    fn a_buffer_is_kept_before_the_expiry() {
        let start = Timestamp::from_seconds(1_000_000);
        let after = |seconds| start.plus(Duration::from_secs(seconds));
        let buffer = Duration::from_mins(1);
        assert_eq!(before_expiry(start, after(43_200), buffer, Jitter(0)), after(43_140));
        assert_eq!(before_expiry(start, after(43_200), buffer, Jitter(u32::MAX)), after(43_134));
        assert_eq!(before_expiry(start, after(40), buffer, Jitter(0)), after(30));
    }
}
