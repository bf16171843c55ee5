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
mod oauth2;
pub mod protocol;
pub mod providers;
pub mod schedule;
pub mod state;
mod upstox;

#[cfg(test)]
mod fake_upstreams;
#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod outage_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod play_support;
#[cfg(test)]
mod provider_tests;
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
#[cfg(test)]
mod weather;
#[cfg(test)]
mod world;

pub use call::{Answer, Call, Code, Failure, Grant, Outcome, Script, Step};
pub use decide::{Context, Decision, Event, Verdict, decide};
pub use protocol::{By, Command, Reply, Task};
pub use providers::{Provider, Providers};
pub use state::{Account, Held, Source, Tokens};

use std::fmt;

/// Which token: a provider's name and an account there. Names an object as `provider/account`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    pub provider: &'static str,
    pub account: String,
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.account)
    }
}

/// Longest account id, in bytes. With its prefix it stays far under the 512 bytes of a KV key.
pub const ACCOUNT_BYTES_MAX: usize = 64;

/// Letters, digits, `-`, `_` and `.`, and not a dot first: nothing that could leave a path or a key.
pub fn is_account_id(id: &str) -> bool {
    (1..=ACCOUNT_BYTES_MAX).contains(&id.len())
        && !id.starts_with('.')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_plain() {
        for id in ["a", "agnidata001", "A-b_c.d", &"x".repeat(64)] {
            assert!(is_account_id(id), "{id}");
        }
        for id in ["", ".", "..", ".a", "a:b", "a/b", "*", "a b", "a\n", "\u{e9}", "%3A", &"x".repeat(65)] {
            assert!(!is_account_id(id), "{id}");
        }
    }
}
