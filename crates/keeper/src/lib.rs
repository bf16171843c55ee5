//! Upstream API tokens that are always fresh: the life of one account's token, the same for all providers.
//!
//! [`mod@decide`] holds the states and transitions and does no I/O. A provider is one file here and one row in
//! [`providers`]: it says which calls get a token, how their answers read, and when a token is to be renewed.

pub mod alert;
pub mod backoff;
pub mod call;
pub mod decide;
mod facturify;
pub mod history;
mod jwt;
mod life;
mod misconfigured;
mod oauth2;
pub mod protocol;
pub mod providers;
pub mod schedule;
mod service;
pub mod settings;
pub mod state;
mod upstox;
pub mod upstream_index;

#[cfg(test)]
mod approval_tests;
#[cfg(test)]
mod edges_tests;
#[cfg(test)]
mod faulty_tests;
#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod named_times_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod play_support;
#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod short_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod trouble_tests;
#[cfg(test)]
mod upstox_app_tests;
#[cfg(test)]
mod upstox_tests;

pub use base::call::{Actor, Answer, Call, Code, Failure};
pub use call::{Grant, Outcome, Script, Step};
pub use decide::{Context, Decision, Event, Verdict, decide};
pub use protocol::{Task, address, send};
pub use providers::{Provider, Providers};
pub use state::{Account, Held, Source, Tokens};
pub use upstream_index::{index_address, sweeper_address};

use base::ids::AccountName;
use std::fmt;

/// Which token: a provider's name and an account there. Names an object as `provider/account`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    pub provider: &'static str,
    pub account: AccountName,
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.account)
    }
}
