//! Upstream accounts: the real engine of an account, of the index and of the sweepers, with upstreams that are down, lose
//! answers or refuse, and with alarms and Cron Triggers that do not come.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unchecked_time_subtraction)] // Of constants.

mod account;
mod line;
mod lives;
mod measured;
mod object;
mod publishing;
mod requests;
mod sweeps;
