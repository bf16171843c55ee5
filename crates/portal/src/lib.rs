//! Persistent portal sessions: one login for the same credentials, kept alive, shared by every caller.
//!
//! A portal has no interface but its pages, so a [`Driver`] does what a browser would. It is plain logic: the network, the
//! clock and the storage are a [`Net`] that somebody else brings. The life of a login is in [`mod@decide`].

pub mod api;
pub mod browser;
#[cfg(test)]
mod browser_pages_tests;
#[cfg(test)]
mod browser_tests;
mod call;
pub mod captcha;
#[cfg(test)]
mod captcha_tests;
pub mod cdp;
pub mod code;
pub mod decide;
pub mod document;
pub mod driver;
pub mod events;
pub mod html;
pub mod identity;
pub mod in_browser;
mod jar;
pub mod net;
pub mod operation;
pub mod pages;
pub mod pictures;
pub mod place;
pub mod places;
pub mod protocol;
pub mod refusals;
pub mod registry;
mod script;
pub mod scrub;
mod seat;
pub mod settings;
pub mod state;
pub mod steps;
pub mod storage_state;
#[cfg(test)]
mod test_support;
pub mod totp;

#[cfg(test)]
mod login_support;

#[cfg(test)]
mod found_tests;
#[cfg(test)]
mod lifetime_tests;
#[cfg(test)]
mod pins_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod timing_tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use api::ApiDriver;
pub use base::page::{Answer, Fetch, Page};
pub use captcha::Captcha;
pub use code::{Code, Failure};
pub use decide::{Context, MayLogIn, Step};
pub use document::Document;
pub use driver::{Credentials, Driver, Outcome, Request, Standing, Visit, Waiting, Wizard};
pub use in_browser::BrowserDriver;
pub use net::{Net, Pending, Progress};
pub use operation::Operation;
pub use pages::PageDriver;
pub use place::{KeptPage, Place, Seen, Stage};
pub use protocol::{
    Answered, Asked, Close, CloseReply, Done, Get, GetReply, Look, LookReply, OfService, PageReply, ReadPage,
    ReadState, Refusal, Run, RunReply, Session, SessionState, StateReply, StateUse, address,
};
pub use registry::address as registry_address;
pub use seat::Seat;
pub use state::{End, Ended, Live, Login, Policy, Reached, Task, Work};

/// The portals of a deployment, and how their sessions are kept.
#[derive(Clone, Debug)]
pub struct Portals {
    /// By name. E-Modal is always there, without an address if it is not set up.
    pub portals: BTreeMap<String, AnyDriver>,
    pub policy: Policy,
    pub browsers: Browsers,
    /// How long screenshots can be read.
    pub screenshots: Duration,
}

/// How a portal is driven, as its document says.
#[derive(Clone, Debug)]
pub enum AnyDriver {
    Pages(PageDriver),
    InBrowser(BrowserDriver),
    Api(ApiDriver),
}

impl AnyDriver {
    pub const fn document(&self) -> &Document {
        match self {
            Self::Pages(driver) => &driver.portal,
            Self::InBrowser(driver) => &driver.portal,
            Self::Api(driver) => &driver.portal,
        }
    }

    /// Whether its address is known.
    pub const fn is_set_up(&self) -> bool {
        !self.document().base_url.is_empty()
    }

    pub fn driver(&self) -> &dyn Driver {
        match self {
            Self::Pages(driver) => driver,
            Self::InBrowser(driver) => driver,
            Self::Api(driver) => driver,
        }
    }
}

/// The browsers of portals that need one.
#[derive(Clone, Debug)]
pub struct Browsers {
    /// Nothing, if there are none.
    pub at: Option<BrowserAt>,
    /// Most of the deployment at once.
    pub max: usize,
    /// The longest that somebody waits for one.
    pub wait: Duration,
    /// How long one stays open for a person.
    pub human: Duration,
}

/// Where browsers are had from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrowserAt {
    /// The `DevTools` endpoint of a Chromium.
    Url(String),
    /// The name of a Browser Run binding.
    Binding(String),
}

/// The name of the E-Modal portal: part of the names of objects.
pub const EMODAL: &str = "emodal";

impl Portals {
    /// The document of a portal, also if it is not set up.
    pub fn document(&self, portal: &str) -> Option<&Document> {
        self.portals.get(portal).map(AnyDriver::document)
    }

    pub fn driver(&self, portal: &str) -> Option<&dyn Driver> {
        let driver = self.portals.get(portal).filter(|driver| driver.is_set_up())?;
        Some(driver.driver())
    }

    pub fn is_empty(&self) -> bool {
        !self.portals.values().any(AnyDriver::is_set_up)
    }
}
