//! What a portal can be asked to do, whichever it is.

use super::browser::Jar;
use super::code::{Code, Failure};
use super::net::{Net, Pending};
use super::pictures::Pictures;
use super::place::{Seen, Stage};
use super::seat::Seat;
use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// What somebody logs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub username: String,
    #[serde(with = "secret::wire")]
    pub password: Secret,
    /// The caller's key of the captcha service.
    #[serde(with = "secret::wire")]
    pub captcha_api_key: Secret,
    /// The key of one-time passwords (RFC 6238), in Base32, if the login asks for them.
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<Secret>,
}

/// Some work at a portal, with the cookies that it is done with.
pub struct Visit<'a> {
    pub net: &'a dyn Net,
    pub jar: Jar,
    /// When it has to be over.
    pub deadline: Timestamp,
    /// The calls so far, for a caller who asked for them: method, path, status, milliseconds. Never a query or a body.
    pub trace: Vec<Value>,
    /// What is done now, for whoever is told of a failure.
    pub stage: Stage,
    /// The page that was asked for last.
    pub seen: Option<Seen>,
    /// When the API was called last.
    pub called_at: Option<Timestamp>,
    /// For how long a browser was held.
    pub browser_time: Duration,
    /// Where pictures of its pages are wanted.
    pub pictures: Option<Pictures>,
    /// Where it was left open for a person.
    pub seat: Option<Seat>,
}

impl<'a> Visit<'a> {
    pub fn new(net: &'a dyn Net, jar: Jar, deadline: Timestamp) -> Self {
        Self {
            net,
            jar,
            deadline,
            trace: Vec::new(),
            stage: Stage::default(),
            seen: None,
            called_at: None,
            browser_time: Duration::ZERO,
            pictures: None,
            seat: None,
        }
    }
}

/// Whether a page is one of a logged-in user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    LoggedIn,
    /// It says that it is not: also with status 200.
    LoggedOut,
    /// Neither can be told.
    Unclear,
}

/// An operation with what the caller gave for it, checked against the operation's declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The name of a declared operation.
    pub operation: String,
    pub fields: Map<String, Value>,
    /// Where the wizard was left, if it is resumed.
    #[serde(default)]
    pub wizard: Option<Wizard>,
}

/// Where a wizard was left. Holds what the caller gave, so it is kept sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wizard {
    /// All that the caller has given so far.
    pub fields: Map<String, Value>,
    /// The phase that is to be filled in next, from 1.
    pub phase: u8,
    /// The portal's form of that phase as it came, for going on from there: where that fails, it is begun anew.
    #[serde(default)]
    pub form: Option<Value>,
}

/// A wizard that wants something of its caller before it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub phase: u8,
    /// What is wrong, in the portal's words or ours.
    pub message: String,
    /// The fields that are missing, if that is it.
    pub missing: Vec<String>,
}

/// What came of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The operation's own members of the answer.
    pub answer: Map<String, Value>,
    /// Where the wizard is now, if it can be gone on with.
    pub wizard: Option<Wizard>,
    pub waiting: Option<Waiting>,
}

/// A portal. Every failure with [`super::Code::LoggedOut`] means that the session is over there.
pub trait Driver {
    /// Logs in, from an empty jar. Succeeds only on a page of a logged-in user.
    fn log_in<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        credentials: &'a Credentials,
    ) -> Pending<'a, Result<(), Failure>>;

    /// Loads a page of a logged-in user, and looks whether it is one.
    fn keep_alive<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>>;

    /// Whether a page, by its status and HTML, is one of a logged-in user.
    fn is_logged_in(&self, status: u16, html: &str) -> Standing;

    fn run<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        request: &'a Request,
    ) -> Pending<'a, Result<Outcome, Failure>>;

    fn log_out<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>>;

    /// When a login with these cookies and tokens has to be kept alive, if that says it. Else it is done at the interval of the settings.
    fn due(&self, _: &Jar) -> Option<Timestamp> {
        None
    }

    /// Goes on with a login that was left in an open browser for a person: awaits for a while that they are done. Says whether there
    /// is a page of a logged-in user. If not, the browser is left open, and it is to be asked again; else it is closed.
    fn go_on<'a>(&'a self, _: &'a mut Visit<'_>, _: &'a Seat) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(async { Err(Failure::new(Code::BrowserLost)) })
    }

    /// Closes what was left open. Says whether it is closed.
    fn let_go<'a>(&'a self, _: &'a mut Visit<'_>, _: &'a Seat) -> Pending<'a, bool> {
        Box::pin(async { true })
    }
}
