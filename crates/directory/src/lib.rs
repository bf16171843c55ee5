//! Users: canonical names, password hashes, throttling of guesses, the list of live sessions and its limit; service keys.
//! Nothing here does I/O or reads a clock.

pub mod account_pattern;
mod attempts;
mod change;
mod guess_protocol;
pub mod index;
pub mod key_cache;
mod limit;
mod own_password;
pub mod password;
mod places;
pub mod protocol;
pub mod service_key;
mod state;
mod throttle;
mod under_way;
mod user;
pub mod username;

#[cfg(test)]
mod admit_tests;
#[cfg(test)]
mod attempts_tests;
#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod openings_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod service_key_tests;
#[cfg(test)]
mod user_tests;

pub use attempts::Attempts;
pub use change::{CheckChange, NewUser, UserChange, is_admin};
pub use guess_protocol::{
    Attempt, AttemptDone, AttemptReply, ChangePassword, ChangePasswordReply, CheckPassword,
    CheckPasswordReply, ForNobody, Outcome, Refused, RequireNewPassword, Throttled, Unlock, client_address,
};
pub use index::{DirectoryObject, directory_address};
pub use limit::{Activity, Found};
pub use own_password::{ConfirmedPassword, OwnPassword};
pub use password::HashParams;
pub use places::{CheckedPassword, Place, throttled};
pub use protocol::{
    Admit, AdmitIfFree, AdmitIfFreeReply, AdmitKnowing, AdmitKnowingReply, AdmitReply, AffectedSessions,
    AtLimit, Close, Create, CreateReply, Displaced, Done, End, EndReply, Ending, EndingReply, Envelope, Get,
    GetDataReply, GetReply, Login, LoginReply, NewPassword, NotedAdmin, Opened, OpenedReply, Profile,
    PutData, PutDataReply, ReadData, RemoveUser, Reserve, ReserveReply, Reserved, Synced, Update,
    UpdateReply, UserObject, owner_address,
};
pub use state::{AdminSync, Change, Pending, Removed, Slot, Stored, Task, Unrecorded, User};
pub use throttle::{Throttle, ThrottlePolicy, device};
pub use under_way::{Opening, Try, UnderWay};
pub use user::{
    Checked, Decision, Recorded, Spared, Step, UserPolicy, Work, begin_due, decide, is_another, next_alarm,
};

/// How many live sessions a user may have, and what happens at the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitPolicy {
    pub max: usize,
    /// End the session idle longest; else refuse the login.
    pub evict: bool,
}

/// The role that admin routes want.
pub const ADMIN: &str = "admin";
