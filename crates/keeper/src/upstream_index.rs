//! The index of upstream accounts, and the sweepers that look after accounts and portal logins by turns: what they are told
//! and asked, and what they answer. Both are objects of one class.
//! New code meets old objects for a while after each deploy: add variants and defaulted fields, never change one.

use super::alert::Alert;
use super::protocol::Status;
use super::state::is_false;
use base::call::Code;
use base::clock::Timestamp;
use base::commands;
use base::ids::AccountName;
use base::rpc::{self, Address, Class, Method, Object};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accounts that one sweeper looks after in one call. With the report that is under the 50 subrequests of a free plan.
pub const SWEEP_MAX: usize = 45;

/// Has a row for each account, so that `/health` is one call however many there are.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamIndex;

impl Object for UpstreamIndex {
    const CLASS: Class = Class::Roster;
}

/// Looks after accounts, and keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sweeper;

impl Object for Sweeper {
    const CLASS: Class = Class::Roster;
}

pub fn index_address() -> Address<UpstreamIndex> {
    Address::name("roster")
}

/// The n-th sweeper.
pub fn sweeper_address(n: usize) -> Address<Sweeper> {
    Address::name(format!("sweep/{n}"))
}

commands! {
    UpstreamIndex:
    Seen = "seen" => Done;
    GetCounts = "counts" => CountsReply;
    unit GetKeyUsage = "kids" => KeyUsageReply;
    Keep = "keep" => Done;
    StartSweep = "start" => StartSweepReply;
    Sweeping = "sweeping" => Done;
    Begin = "begin" => BeginReply;
    Raise = "raise" => Done;
}

/// All commands of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Seen(Seen),
    Counts(GetCounts),
    Kids,
    Keep(Keep),
    Start(StartSweep),
    Sweeping(Sweeping),
    Begin(Begin),
    Raise(Raise),
}

/// What accounts are like now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub rows: Vec<Row>,
    /// By the accounts themselves, which have nothing under way any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub idle: bool,
}

/// An account's alarm wants to renew its token, and has done so by then. Too many at once are too much for their upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub name: String,
    pub now: Timestamp,
    pub until: Timestamp,
    pub at_most: u32,
}

/// Whether it may, or how long it is to wait before it asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginReply {
    pub wait_millis: Option<u64>,
}

/// An alert of an account, to be sent with others of its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    pub provider: String,
    pub account: AccountName,
    pub alert: Alert,
    /// What is wrong with the account's settings, if that is the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub now: Timestamp,
}

/// Counts by provider, of the accounts that are not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCounts {
    pub now: Timestamp,
}

/// How many accounts are sealed under which key.
#[derive(Clone, Copy, Debug)]
pub struct GetKeyUsage;

/// Forgets all accounts but these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub names: Vec<String>,
}

/// Whether this deployment is to be reconciled: not if it just was. If so, it is taken for being reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartSweep {
    pub now: Timestamp,
}

/// It is being reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweeping {
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsReply {
    pub counts: BTreeMap<String, Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// With a token that is valid by all that is known, and no failing renewal.
    pub healthy: u64,
    pub failed: u64,
    /// With a token that can be given out, however its renewals do.
    #[serde(default)]
    pub available: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUsageReply {
    pub kids: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartSweepReply {
    pub start: bool,
}

/// One account in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    /// Of the token that can be given out; long ago if there is none.
    pub expires_at: Timestamp,
    pub failed: bool,
    pub kid: Option<String>,
}

impl Row {
    pub fn new(name: String, status: &Status) -> Self {
        // What cannot be opened cannot be given out.
        let is_unreadable = status.error.as_ref().is_some_and(|error| error.code == Code::Unreadable);
        let expires_at = status.expires_at.filter(|_| !is_unreadable).unwrap_or_default();
        Self { name, expires_at, failed: status.failed, kid: status.kid.clone() }
    }
}

/// Looks after accounts and portal logins, each in its own object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// Provider and account.
    pub accounts: Vec<(String, AccountName)>,
    /// Names of portal logins.
    #[serde(default)]
    pub portals: Vec<String>,
    pub daily: bool,
    pub spread_millis: u64,
}

/// A sweeper is told nothing else, so it has no envelope.
impl rpc::Command for Sweep {
    type Object = Sweeper;
    type Reply = SweepReply;
    const METHOD: Method = Method::Ask;

    fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReply {
    pub swept: Swept,
}

/// How many were looked at, and how many could not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    pub looked: usize,
    pub unreachable: usize,
}
