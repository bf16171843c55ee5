//! Random spreading of what would otherwise happen at once.

use std::time::Duration;

/// A random number for one decision.
#[derive(Clone, Copy, Debug)]
pub struct Jitter(pub u32);

impl Jitter {
    /// A duration of at most `max`, all alike likely.
    pub fn up_to(self, max: Duration) -> Duration {
        max.mul_f64(f64::from(self.0) / f64::from(u32::MAX))
    }
}
