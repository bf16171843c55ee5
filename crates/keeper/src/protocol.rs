//! What the object of an upstream account can be told and asked, and what it answers.
//!
//! Each command is a type with a reply of its own; [`send`] puts it into its [`Envelope`].
//! `task` has what can be ordered, `shown` what is told of an account.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

mod shown;
mod task;

pub use shown::{Fault, Issued, Status};
pub use task::{Adopt, CheckNow, Exchange, NewToken, Operation, Orderable, RequestApproval, Task};

use super::history::Entry;
use super::state::is_false;
pub use base::call::{Actor, Refusal};
use base::ids::AccountName;
use base::rpc::{self, Address, Class, Method, Object, Peers, Unreachable};
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
    /// A token whose SHA-256 begins with this, in hexadecimal, was refused to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<String>,
    /// The one that lives longer than the day and does not trade, which is never given without being asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub extended: bool,
    pub by: Actor,
}

/// Does something upstream now. What comes back depends on what it is: a token, or what the account is like then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order<T> {
    pub task: T,
    pub by: Actor,
}

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
#[allow(clippy::large_enum_variant)] // It is sent, and not kept in numbers.
pub enum OrderReply {
    /// The task is done; what the account is like now.
    Done(Status),
    Refused(Refusal),
    NoAccount,
}

/// To [`RequestApproval`]: an approval that was asked for is pending, which is said as a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalReply {
    Refused(Refusal),
    NoAccount,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // It is sent, and not kept in numbers.
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
