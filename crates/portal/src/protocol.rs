//! What the Worker says to the object of a portal login and what it answers.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use super::code::{Code, Failure};
use super::driver::{Credentials, Request, Waiting};
use super::place::{KeptPage, Place};
use super::state::{End, Live};
use base::call::Actor;
use base::clock::{Timestamp, seconds_up};
use base::ids::{PortalId, ServiceKeyId};
use base::rpc::{self, Address, Class, Enveloped, Method, Object};
use base::secret::{self, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The object of one portal login.
#[derive(Clone, Copy, Debug)]
pub struct PortalObject;

impl Object for PortalObject {
    const CLASS: Class = Class::Portal;
}

/// The object of the login of this name: [`super::identity::names`].
pub fn address(name: &str) -> Address<PortalObject> {
    Address::name(name)
}

/// A command as it is sent, for the login that the object is named by: an object is not told its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked<C> {
    pub name: String,
    pub command: C,
}

/// What a login can be told or asked.
pub trait LoginCommand {
    type Reply: DeserializeOwned;
    const REPEATABLE: bool = true;

    /// What is sent, within [`Asked`].
    fn sent(&self) -> impl Serialize;
}

impl<C: LoginCommand> rpc::Command for Asked<C> {
    type Object = PortalObject;
    type Reply = C::Reply;
    const METHOD: Method = Method::Ask;
    const REPEATABLE: bool = C::REPEATABLE;

    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Asked { name: self.name.clone(), command: self.command.sent() })
    }
}

/// The live session of these credentials; a new one if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    pub credentials: Credentials,
    pub keep_alive: bool,
    pub by: Actor,
    /// Whether the calls of a login are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug: bool,
    /// What to try before a login is made: [`super::browser::Jar::save`].
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub storage_state: Option<Secret>,
}

impl LoginCommand for Get {
    type Reply = GetReply;

    fn sent(&self) -> impl Serialize {
        Enveloped { name: "get", command: self }
    }
}

/// An operation on the session of that id; else, with credentials, on theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub session_id: Option<PortalId>,
    pub credentials: Option<Credentials>,
    pub keep_alive: bool,
    pub operation: Request,
    /// The id of a wizard to be gone on with.
    pub wizard_id: Option<String>,
    pub by: Actor,
}

impl LoginCommand for Run {
    type Reply = RunReply;
    // Some operations cannot be undone, so none is given twice.
    const REPEATABLE: bool = false;

    fn sent(&self) -> impl Serialize {
        Enveloped { name: "run", command: self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    pub session_id: PortalId,
    pub reason: End,
    pub by: Actor,
    /// Whether the answer waits until the portal knows, or could not be told.
    pub wait: bool,
}

impl LoginCommand for Close {
    type Reply = CloseReply;

    fn sent(&self) -> impl Serialize {
        Enveloped { name: "close", command: self }
    }
}

/// The state of the session of that id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadState {
    pub session_id: PortalId,
    pub by: Actor,
}

impl LoginCommand for ReadState {
    type Reply = StateReply;

    fn sent(&self) -> impl Serialize {
        Enveloped { name: "read_state", command: self }
    }
}

/// The Cron Trigger reconciles the session: sets a lost alarm again, tells the registry what it may have missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look;

impl LoginCommand for Look {
    type Reply = LookReply;

    fn sent(&self) -> impl Serialize {
        "look"
    }
}

/// The page of the last failure, if that was not long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPage;

impl LoginCommand for ReadPage {
    type Reply = PageReply;

    fn sent(&self) -> impl Serialize {
        "page"
    }
}

/// A command of a service. If it may use only those logins that it opened itself, it is sent as a command of its own, [`ByOpener`]: an
/// object of the release before must not take it for that of somebody who may use all.
#[derive(Clone, Debug)]
pub struct OfService<C> {
    /// The first key of its line, if it may use its own logins only.
    pub opener: Option<ServiceKeyId>,
    pub command: C,
}

impl<C: LoginCommand> LoginCommand for OfService<C> {
    type Reply = C::Reply;
    const REPEATABLE: bool = C::REPEATABLE;

    fn sent(&self) -> impl Serialize {
        match &self.opener {
            None => Sent::Any(self.command.sent()),
            Some(opener) => Sent::Own(Own::ByOpener { opener, command: self.command.sent() }),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Sent<'a, C> {
    Any(C),
    Own(Own<'a, C>),
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Own<'a, C> {
    ByOpener { opener: &'a ServiceKeyId, command: C },
}

/// A command of a service key that may use only those logins that it opened itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByOpener {
    /// The first key of its line.
    pub opener: ServiceKeyId,
    pub command: Box<Envelope>,
}

/// Any of them, as the object reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Get(Get),
    Run(Run),
    Close(Close),
    Look,
    #[serde(rename = "page")]
    ReadPage,
    ReadState(ReadState),
    ByOpener(ByOpener),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetReply {
    Session(Session),
    /// Nothing is known of such a login here.
    Unknown,
    /// These credentials have a live session, in the object of this name: it was begun under another sealing key.
    Moved(String),
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunReply {
    Done(Done),
    /// Nothing is known of such a session here.
    Unknown,
    /// As in [`GetReply::Moved`].
    Moved(String),
    /// It has ended, and how.
    Ended(End),
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReply {
    Closed,
    /// Nothing is known of such a session here.
    Unknown,
    /// It has ended before, and how.
    Ended(End),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookReply {
    Looked,
    /// Nothing is known of such a login here.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageReply {
    Kept(KeptPage),
    /// There is none, or nothing is known of such a login here.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateReply {
    State(SessionState),
    /// Nothing is known of such a session here.
    Unknown,
    /// It has ended, and how.
    Ended(End),
    Refused(Refusal),
}

/// The state of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// [`super::browser::Jar::save`].
    #[serde(with = "secret::wire")]
    pub jar: Secret,
    /// When the portal last showed a page of a logged-in user.
    pub as_of: Timestamp,
}

base::words! {
    /// What has become of a state that was given.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum StateUse {
        /// the session was begun with it, without a login
        Used = "used",
        /// there was a session, or somebody else's login was waited for
        NotUsed = "not_used",
        /// the portal did not show a page of a logged-in user with it, and a login was made
        Refused = "refused",
    }
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
    /// The calls of the login that was made for it, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<Value>>,
    /// What has become of the state that was given, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_state: Option<StateUse>,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub session_id: PortalId,
    pub is_new: bool,
    pub result: Result<Answered, Refusal>,
    #[serde(default)]
    pub wizard_id: Option<String>,
}

/// What the portal answered to an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
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
    /// Where at the portal it was, if it was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
    /// Where a person can do what the portal asks for. Whoever has it is in the browser, so it is for those who know the credentials.
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub live_view_url: Option<Secret>,
}

impl Refusal {
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            status: None,
            retry_after_seconds: None,
            message: None,
            place: None,
            live_view_url: None,
        }
    }

    /// The same, with where it was.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        let place = Some(place).filter(|place| !place.step.is_empty()).map(Box::new);
        Self { place, ..self }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let retry_after_seconds = failure.retry_after.map(|wait| seconds_up(wait).max(1));
        let Failure { code, status, message, .. } = failure;
        Self { status, retry_after_seconds, message, ..Self::new(code) }
    }
}
