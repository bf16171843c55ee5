//! Users: canonical names, password hashes, throttling of guesses, the list of live sessions and its limit; service keys.
//! Nothing here does I/O or reads a clock.

pub mod key_cache;
mod limit;
pub mod password;
pub mod protocol;
pub mod service_key;
mod state;
mod throttle;
mod user;
pub mod username;

#[cfg(test)]
mod admit_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod user_tests;

pub use limit::{Activity, Found};
pub use password::HashParams;
pub use protocol::{Command, NewPassword, Profile, Reply};
pub use state::{Slot, Task, User};
pub use throttle::{Throttle, ThrottlePolicy};
pub use user::{Decision, Place, Step, UserPolicy, Work, begin_due, decide, next_alarm, wait};

/// How many live sessions a user may have, and what happens at the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitPolicy {
    pub max: usize,
    /// End the session idle longest; else refuse the login.
    pub evict: bool,
}

/// The role that admin routes want.
pub const ADMIN: &str = "admin";
