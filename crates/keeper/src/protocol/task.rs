//! What can be done upstream for an account, and what callers may order of it.

use super::{ApprovalReply, OrderReply, TokenReply};
use crate::state::{Source, is_false};
use base::audit::Action;
use base::clock::Timestamp;
use base::secret::{self, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

base::words! {
    /// Something to do upstream. The names stand in histories.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Operation {
        /// A good token, by whatever the provider has for it.
        Renew = "renew",
        /// A token from scratch.
        Obtain = "obtain",
        /// A new token, although the held one may be good.
        Refresh = "refresh",
        /// Asks whether the held token is accepted.
        Check = "check",
        /// Takes over a token that was given, if it is accepted.
        Adopt = "adopt",
        /// Changes an authorization code for a token.
        Exchange = "exchange",
        /// Asks the account's owner to approve a new token.
        Request = "request",
    }
}

impl Operation {
    /// What it is called in the log.
    pub const fn action(self) -> Action {
        match self {
            Self::Renew => Action::RenewToken,
            Self::Obtain => Action::ObtainToken,
            Self::Refresh => Action::RefreshToken,
            Self::Check => Action::CheckToken,
            Self::Adopt => Action::UpdateToken,
            Self::Exchange => Action::ExchangeCode,
            Self::Request => Action::RequestToken,
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
    /// The account is that user's from now on, whoever had it before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub new_owner: bool,
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
    type Reply = ApprovalReply;
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
