//! A verifier that has said when to come again is not asked before that.

use base::call::Failure;
use base::clock::Timestamp;
use std::time::Duration;

/// However long it says, somebody asks after this: it may be well again, and users wait.
const HELD_OFF_MAX: Duration = Duration::from_mins(5);

/// What it has said last. In memory only: whoever does not know of it asks once.
#[derive(Clone, Copy, Debug)]
pub struct HeldOff {
    until: Timestamp,
    failure: Failure,
}

impl HeldOff {
    /// Nothing, if it has named no time.
    pub fn after(failure: Failure, now: Timestamp) -> Option<Self> {
        let wait = failure.retry_after.filter(|wait| !wait.is_zero())?;
        Some(Self { until: now.plus(wait.min(HELD_OFF_MAX)), failure })
    }

    /// The same answer, while the time lasts.
    pub fn failure(self, now: Timestamp) -> Option<Failure> {
        let left = Some(self.until.since(now)).filter(|left| !left.is_zero())?;
        Some(Failure { retry_after: Some(left), ..self.failure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::call::Code;

    #[test]
    fn lasts_as_long_as_was_said_and_not_for_ever() {
        let now = Timestamp::from_seconds(1_000);
        let after = |seconds: Option<u64>| {
            let retry_after = seconds.map(Duration::from_secs);
            HeldOff::after(Failure { retry_after, ..Failure::new(Code::ServerError) }, now)
        };
        assert!(after(None).is_none() && after(Some(0)).is_none());
        for (said, held) in [(7, 7), (300, 300), (86_400, 300)] {
            let off = after(Some(said)).unwrap();
            let left = |at: u64| {
                off.failure(now.plus(Duration::from_secs(at))).map(|f| f.retry_after.unwrap().as_secs())
            };
            assert_eq!((left(0), left(held - 1), left(held)), (Some(held), Some(1), None), "{said}");
        }
    }
}
