//! Persistent portal sessions: one login for the same credentials, kept alive, shared by every caller.
//!
//! A portal has no interface but its pages, so a [`Driver`] does what a browser would. It is plain logic: the network, the
//! clock and the storage are a [`Net`] that somebody else brings.

pub mod browser;
#[cfg(test)]
mod browser_tests;
mod call;
pub mod captcha;
#[cfg(test)]
mod captcha_tests;
pub mod code;
pub mod driver;
pub mod emodal;
pub mod html;
mod jar;
pub mod net;
pub mod operation;
#[cfg(test)]
mod test_support;

pub use code::{Code, Failure};
pub use driver::{Credentials, Driver, Outcome, Request, Standing, Visit, Waiting, Wizard};
pub use net::{Answer, Fetch, Net, Page, Pending, Progress};
