//! A page that stays open without a connection to it, and how it is found again.

use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a login sits in a browser. Whoever knows it has what is open there, so it is kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The path of the browser's `DevTools`, another one after each start; or its session at Browser Run.
    pub browser: String,
    pub context: String,
    /// Nothing, before there is a page.
    #[serde(default)]
    pub target: String,
    /// Its place among the browsers of the deployment.
    pub place: String,
    /// Since when the browser is held.
    pub since: Timestamp,
    /// Where a person can see and use the page.
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub live_view: Option<Secret>,
}

impl Seat {
    /// Of a browser with nothing open yet.
    pub const fn new(browser: String, place: String, since: Timestamp) -> Self {
        Self { browser, context: String::new(), target: String::new(), place, since, live_view: None }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("place", &self.place).finish_non_exhaustive()
    }
}
