//! What the object of an upstream account can be told and asked, and what it answers.
//!
//! Each command is a type with a reply of its own; [`send`] puts it into its [`Envelope`].
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::history::Entry;
use super::state::{Check, Health, Source};
/// The name from before, until all of its uses are renamed.
use base::call::Code;
pub use base::call::{Actor, Refusal};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::rpc::{self, Address, Class, Method, Object, Peers, Unreachable};
use base::secret::{self, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// The object of one account of an upstream.
#[derive(Clone, Copy, Debug)]
pub struct Upstream;

impl Object for Upstream {
    const CLASS: Class = Class::Upstream;
}

/// The object of an account.
pub fn address(provider: &str, account: &AccountName) -> Address<Upstream> {
    Address::name(format!("{provider}/{account}"))
}

/// Tells or asks the object of an account something.
pub async fn send<C: AccountCommand>(
    peers: &impl Peers,
    provider: &str,
    account: &AccountName,
    command: C,
) -> Result<C::Reply, Unreachable> {
    peers.send(&address(provider, account), &Sent::new(provider, account, command)).await
}

/// Something to do upstream. The names stand in histories and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A good token, by whatever the provider has for it.
    Renew,
    /// A token from scratch.
    Obtain,
    /// A new token, although the held one may be good.
    Refresh,
    /// Asks whether the held token is accepted.
    Check,
    /// Takes over a token that was given, if it is accepted.
    Adopt,
    /// Changes an authorization code for a token.
    Exchange,
    /// Asks the account's owner to approve a new token.
    Request,
}

impl Operation {
    pub const fn action(self) -> &'static str {
        match self {
            Self::Renew => "renew_token",
            Self::Obtain => "obtain_token",
            Self::Refresh => "refresh_token",
            Self::Check => "check_token",
            Self::Adopt => "update_token",
            Self::Exchange => "exchange_code",
            Self::Request => "request_token",
        }
    }

    /// Whether it ends in a token that everybody may have: then whoever asks meanwhile waits for it.
    pub const fn gets(self) -> bool {
        matches!(self, Self::Renew | Self::Obtain | Self::Refresh)
    }
}

/// An operation with its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Renew,
    Obtain,
    Refresh,
    Check,
    Adopt(Adopt),
    Exchange(Exchange),
    Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopt {
    #[serde(with = "secret::wire")]
    pub token: Secret,
    pub expires_at: Option<Timestamp>,
    pub source: Source,
    /// The user that it has to belong to, if that is known.
    pub user_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    #[serde(with = "secret::wire")]
    pub code: Secret,
    pub redirect_uri: Option<String>,
}

impl Task {
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Renew => Operation::Renew,
            Self::Obtain => Operation::Obtain,
            Self::Refresh => Operation::Refresh,
            Self::Check => Operation::Check,
            Self::Adopt(_) => Operation::Adopt,
            Self::Exchange(_) => Operation::Exchange,
            Self::Request => Operation::Request,
        }
    }
}

/// What is sent: a command for the account that the object is named by, because an object is not told its own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub provider: String,
    pub account: AccountName,
    pub command: AnyCommand,
}

/// All commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyCommand {
    Token(GetToken),
    Order(Order<Task>),
    Status,
    History,
    Look(Reconcile),
}

/// One of them.
pub trait AccountCommand: Into<AnyCommand> {
    type Reply: DeserializeOwned;
    /// An order that may have been carried out is not given again: an authorization code, for one, works once.
    const REPEATABLE: bool = true;
}

/// A token that is valid now and, if a renewal can bring that about, for `min_ttl_seconds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetToken {
    pub min_ttl_seconds: u64,
    /// KV's copy could not be read: it is to be written anew.
    #[serde(default)]
    pub rewrite: bool,
    pub by: Actor,
}

/// Does something upstream now. What comes back depends on what it is: a token, or what the account is like then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order<T> {
    pub task: T,
    pub by: Actor,
}

/// A task that a caller may order.
pub trait Orderable: Into<Task> {
    type Reply: DeserializeOwned;
}

/// Orders a token: one from scratch, or a new one although the held one may be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewToken {
    Obtain,
    Refresh,
}

/// Orders a check of the held token.
#[derive(Clone, Copy, Debug)]
pub struct CheckNow;

/// Asks the account's owner to approve a new token.
#[derive(Clone, Copy, Debug)]
pub struct RequestApproval;

/// What an account is like.
#[derive(Clone, Copy, Debug)]
pub struct GetStatus;

/// Its last operations.
#[derive(Clone, Copy, Debug)]
pub struct GetHistory;

/// The Cron Trigger reconciles the account: sets a lost alarm again, seals anew what an old key sealed. With `daily`, a
/// renewal is due within `spread_millis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    #[serde(default)]
    pub daily: bool,
    #[serde(default)]
    pub spread_millis: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenReply {
    Token(Issued),
    Refused(Refusal),
    /// This deployment has no such account.
    NoAccount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderReply {
    /// The task is done; what the account is like now.
    Done(Status),
    Refused(Refusal),
    NoAccount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusReply {
    Status(Status),
    NoAccount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryReply {
    History(Vec<Entry>),
    NoAccount,
}

impl AccountCommand for GetToken {
    type Reply = TokenReply;
}

impl<T: Orderable> AccountCommand for Order<T>
where
    AnyCommand: From<Self>,
{
    type Reply = T::Reply;
    const REPEATABLE: bool = false;
}

impl AccountCommand for GetStatus {
    type Reply = StatusReply;
}

impl AccountCommand for GetHistory {
    type Reply = HistoryReply;
}

impl AccountCommand for Reconcile {
    type Reply = StatusReply;
}

impl From<GetToken> for AnyCommand {
    fn from(command: GetToken) -> Self {
        Self::Token(command)
    }
}

impl<T: Orderable> From<Order<T>> for AnyCommand {
    fn from(Order { task, by }: Order<T>) -> Self {
        Self::Order(Order { task: task.into(), by })
    }
}

impl From<GetStatus> for AnyCommand {
    fn from(_: GetStatus) -> Self {
        Self::Status
    }
}

impl From<GetHistory> for AnyCommand {
    fn from(_: GetHistory) -> Self {
        Self::History
    }
}

impl From<Reconcile> for AnyCommand {
    fn from(command: Reconcile) -> Self {
        Self::Look(command)
    }
}

impl Orderable for NewToken {
    type Reply = TokenReply;
}

impl Orderable for CheckNow {
    type Reply = OrderReply;
}

impl Orderable for Adopt {
    type Reply = OrderReply;
}

impl Orderable for Exchange {
    type Reply = OrderReply;
}

impl Orderable for RequestApproval {
    type Reply = OrderReply;
}

impl From<NewToken> for Task {
    fn from(task: NewToken) -> Self {
        match task {
            NewToken::Obtain => Self::Obtain,
            NewToken::Refresh => Self::Refresh,
        }
    }
}

impl From<CheckNow> for Task {
    fn from(_: CheckNow) -> Self {
        Self::Check
    }
}

impl From<Adopt> for Task {
    fn from(task: Adopt) -> Self {
        Self::Adopt(task)
    }
}

impl From<Exchange> for Task {
    fn from(task: Exchange) -> Self {
        Self::Exchange(task)
    }
}

impl From<RequestApproval> for Task {
    fn from(_: RequestApproval) -> Self {
        Self::Request
    }
}

/// A command in its envelope, with the type of its reply.
#[derive(Clone, Debug)]
pub struct Sent<C> {
    envelope: Envelope,
    command: PhantomData<C>,
}

impl<C: AccountCommand> Sent<C> {
    pub fn new(provider: &str, account: &AccountName, command: C) -> Self {
        let (provider, account) = (provider.to_owned(), account.to_owned());
        Self { envelope: Envelope { provider, account, command: command.into() }, command: PhantomData }
    }
}

impl<C: AccountCommand> rpc::Command for Sent<C> {
    type Object = Upstream;
    type Reply = C::Reply;
    const METHOD: Method = Method::Ask;
    const REPEATABLE: bool = C::REPEATABLE;

    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.envelope)
    }
}

/// A token for a caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    #[serde(with = "secret::wire")]
    pub token: Secret,
    pub obtained_at: Timestamp,
    pub expires_at: Timestamp,
    /// The lifetime as the upstream gave it, in seconds, if it did.
    #[serde(default)]
    pub expires_in: Option<u64>,
    pub source: Source,
    #[serde(default)]
    pub updated_by: Option<String>,
    /// Until when a copy of it may be given out without asking the object: before it is renewed, and before it expires.
    #[serde(default)]
    pub copy_until: Timestamp,
}

/// What an account is like; never the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub health: Health,
    pub failed: bool,
    pub obtained_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub expires_in: Option<u64>,
    pub source: Option<Source>,
    pub check: Option<Check>,
    pub user_id: Option<String>,
    pub error: Option<Fault>,
    pub next_renewal_at: Option<Timestamp>,
    pub approval_until: Option<Timestamp>,
    /// The key that the stored token is sealed under.
    pub kid: Option<String>,
}

/// The last error, while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub code: Code,
    pub status: Option<u16>,
    pub at: Timestamp,
    pub failures: u32,
}
