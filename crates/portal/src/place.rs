//! Where some work at a portal has come to, for whoever has to find out what has changed there.

use super::code::{Code, Failure};
use super::driver::{Credentials, Visit};
use super::pictures::Pictures;
use super::scrub;
use base::clock::{Timestamp, millis};
use base::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// What is being done at the portal, and what is looked for there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub step: &'static str,
    pub looked_for: String,
}

/// The page that was asked for last. What came of it, if anything came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Without query: there may be codes in it.
    pub address: String,
    pub status: Option<u16>,
    pub title: Option<String>,
    /// Its beginning: `KEPT_BYTES_MAX`.
    pub html: Secret,
}

/// Where a failure was. No secret is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub step: String,
    pub looked_for: String,
    /// Of the page that was asked for last.
    #[serde(default)]
    pub address: Option<String>,
    #[serde(default)]
    pub title: Option<String>,
    /// All calls of the work.
    #[serde(default)]
    pub calls: Vec<Value>,
    /// For how long a browser was held for it.
    #[serde(default, skip_serializing_if = "base::clock::is_zero")]
    pub browser_milliseconds: u64,
    /// Those of its pages, for a caller who asked for them; and which of them there are not, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screenshots: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screenshots_missing: Vec<Value>,
}

/// So much of a page is kept, in bytes: what is looked for is rarely behind that, and it lies in memory while work goes on.
const KEPT_BYTES_MAX: usize = 64 * 1024;

impl Visit<'_> {
    /// Says what is done from here on.
    pub(super) fn goes_to(&mut self, step: &'static str, looked_for: impl Into<String>) {
        self.stage = Stage { step, looked_for: looked_for.into() };
    }

    /// Says what is looked for now.
    pub(super) fn looks_for(&mut self, looked_for: impl Into<String>) {
        self.stage.looked_for = looked_for.into();
    }

    pub(super) fn asks(&mut self, url: &Url) {
        let address = format!("{}{}", url.origin().ascii_serialization(), url.path());
        self.seen = Some(Seen { address, status: None, title: None, html: Secret::new("") });
    }

    pub(super) fn sees(&mut self, status: u16, title: Option<&str>, html: &Secret) {
        let whole = html.expose();
        let end = (0..=KEPT_BYTES_MAX.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at));
        if let Some(seen) = &mut self.seen {
            seen.status = Some(status);
            seen.title = title.map(str::to_owned);
            seen.html = Secret::new(whole.get(..end.unwrap_or_default()).unwrap_or_default());
        }
    }

    /// A failure, with what was being done.
    pub fn failed(&self, failure: Failure) -> Failure {
        Failure { step: self.stage.step, ..failure }
    }

    /// Where it is now.
    pub fn place(&self) -> Place {
        let pictures = self.pictures.as_ref().map(Pictures::told);
        let (screenshots, screenshots_missing) = pictures.unwrap_or_default();
        Place {
            step: self.stage.step.to_owned(),
            looked_for: self.stage.looked_for.clone(),
            address: self.seen.as_ref().map(|seen| seen.address.clone()),
            title: self.seen.as_ref().and_then(|seen| seen.title.clone()),
            calls: self.trace.clone(),
            browser_milliseconds: millis(self.browser_time),
            screenshots,
            screenshots_missing,
        }
    }
}

/// The page of a failure, for an admin. [`super::scrub::page`] has been over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPage {
    pub at: Timestamp,
    pub code: Code,
    pub step: String,
    pub looked_for: String,
    pub address: String,
    pub status: Option<u16>,
    pub title: Option<String>,
    pub html: String,
}

/// How long it is kept.
pub const PAGE_KEPT: Duration = Duration::from_hours(1);

impl KeptPage {
    /// Of a visit that failed. Nothing, if no page came, or none that may be shown to anybody.
    pub fn of(visit: &Visit<'_>, code: Code, credentials: &Credentials, at: Timestamp) -> Option<Self> {
        let seen = visit.seen.as_ref().filter(|seen| seen.status.is_some())?;
        let html = scrub::page(seen.html.expose(), credentials)?;
        // A title is part of the page, and looked at with it.
        Some(Self {
            at,
            code,
            step: visit.stage.step.to_owned(),
            looked_for: visit.stage.looked_for.clone(),
            address: seen.address.clone(),
            status: seen.status,
            title: seen.title.clone(),
            html,
        })
    }
}
