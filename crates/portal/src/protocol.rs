//! What the Worker says to the object of a portal login and what it answers.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::code::{Code, Failure};
use super::driver::{Credentials, Request, Waiting};
use super::state::{End, Live};
use base::call::By;
use base::clock::{Timestamp, seconds_up};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A command, for the login that the object is named by: an object is not told its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub name: String,
    pub command: Command,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The live session of these credentials; a new one if there is none.
    Get { credentials: Credentials, keep_alive: bool, by: By },
    /// An operation on the session of that id; else, with credentials, on theirs.
    Run {
        session_id: Option<String>,
        credentials: Option<Credentials>,
        keep_alive: bool,
        operation: Request,
        /// The id of a wizard to be gone on with.
        wizard_id: Option<String>,
        by: By,
    },
    Close {
        session_id: String,
        reason: End,
        by: By,
        /// Whether the answer waits until the portal knows, or could not be told.
        wait: bool,
    },
    /// The Cron Trigger looks after the session: sets a lost alarm again, tells the registry what it may have missed.
    Look,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Session(Session),
    Done(Done),
    Closed,
    /// Nothing is known of such a session here.
    Unknown,
    /// These credentials have a live session, in the object of this name: it was begun under another sealing key.
    Moved(String),
    /// It has ended, and how.
    Ended(End),
    Refused(Refusal),
    Looked,
}

/// A session for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub live: Live,
    pub is_new: bool,
    pub username: String,
    /// When it ends if it is not used; never, if it is kept alive.
    pub expires_at: Option<Timestamp>,
    /// How the session before this one ended, if it is new and that was not long ago.
    #[serde(default)]
    pub previous: Option<End>,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub session_id: String,
    pub is_new: bool,
    pub result: Result<Told, Refusal>,
    #[serde(default)]
    pub wizard_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub answer: Map<String, Value>,
    #[serde(default)]
    pub waiting: Option<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: Code,
    /// What the portal answered with, if it did.
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
    /// The portal's own words.
    #[serde(default)]
    pub message: Option<String>,
}

impl Refusal {
    pub const fn new(code: Code) -> Self {
        Self { code, status: None, retry_after_seconds: None, message: None }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let retry_after_seconds = failure.retry_after.map(|wait| seconds_up(wait).max(1));
        let Failure { code, status, message, .. } = failure;
        Self { code, status, retry_after_seconds, message }
    }
}
