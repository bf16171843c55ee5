//! Sessions, their users and the directory: the real engines on the simulation's platform, with memory that is lost, alarms
//! that are lost, and steps that break before and after their write.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unchecked_time_subtraction)] // Of constants.
// A command that is told is gone.
#![allow(clippy::needless_pass_by_value)]

mod alarms;
mod directory;
mod events;
mod limit;
mod limit_cases;
mod lives;
mod model;
mod reads;
mod renewal;
mod support;
mod users;
