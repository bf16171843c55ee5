//! Upstream tokens.

use super::Time;
use base::ids::AccountName;
use keeper::protocol::Operation;
use keeper::state::{Health, Source};
use serde::Serialize;

/// What an upstream said of the held token when it was last asked.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct LastCheck {
    pub at: Time,
    /// `ok`, or a code.
    pub outcome: &'static str,
}

/// Why renewals fail, while they do.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct LastError<'a> {
    pub code: &'static str,
    /// What the upstream answered with.
    pub status: Option<u16>,
    pub at: Time,
    /// In a row.
    pub failures: u32,
    /// When they began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// With `account_misconfigured`: the setting, the member, and what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// How an account is. Never the token.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct AccountStatus<'a> {
    /// In the list of all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'a str>,
    /// Whether there is a token that is valid.
    pub has_token: bool,
    pub status: Health,
    pub expires_at: Option<Time>,
    /// In seconds.
    pub ttl: u64,
    pub source: Option<Source>,
    /// Not of Facturify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_check: Option<Option<LastCheck>>,
    pub last_error: Option<LastError<'a>>,
    pub next_renewal_at: Option<Time>,
    /// Until when the owner can approve a token. Not of Facturify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_until: Option<Option<Time>>,
    /// The end of a token that lives longer than the day, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Time>,
    /// In the list of all accounts: when the token was obtained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Option<Time>>,
    /// In the list of all accounts, and of Upstox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<&'a AccountName>,
    /// Of Upstox: whose token it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Option<&'a str>>,
    /// Of Facturify: the life that it gave the token, in seconds. 0 without a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// A page of accounts of all providers.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct AnyAccounts<'a> {
    pub accounts: Vec<AccountStatus<'a>>,
    /// How many are configured.
    pub total: usize,
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// There where something could not be asked: `provider/account_id`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub unreachable: &'a [String],
}

/// A page of accounts.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Accounts<'a> {
    pub accounts: Vec<AccountStatus<'a>>,
    /// How many are configured.
    pub total: usize,
    /// For the next page; null on the last one.
    pub next_cursor: Option<&'a AccountName>,
}

/// A token in the words of RFC 6749 §5.1.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UpstreamToken<'a> {
    pub access_token: &'a str,
    /// `bearer`.
    pub token_type: &'static str,
    /// What is left of its life, in seconds.
    pub expires_in: u64,
    pub expires_at: Time,
}

/// A token in the shape of the internal token service.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct UpstoxToken<'a> {
    pub success: bool,
    pub account_id: &'a AccountName,
    pub access_token: &'a str,
    pub expires_at: Time,
    pub source: Source,
    /// By the internal token service.
    pub updated_by: Option<&'a str>,
}

/// What Upstox says of the held token.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Validation<'a> {
    pub account_id: &'a AccountName,
    pub valid: bool,
    /// Why it is not valid: `expired`, `missing`, `refused`. Only the last is by Upstox; for the others it is not asked.
    pub reason: Option<&'static str>,
    pub checked_at: Time,
    pub expires_at: Option<Time>,
    pub user_id: Option<&'a str>,
}

/// A token was taken over.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct TokenUpdated<'a> {
    pub success: bool,
    pub message: &'static str,
    pub account_id: &'a AccountName,
    pub expires_at: Option<Time>,
    pub source: Option<Source>,
    /// Whose token it is, by Upstox.
    pub user_id: Option<&'a str>,
    /// The end of a token that lives longer than the day, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Time>,
}

/// The owner has been asked to approve a token. The webhook brings it.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ApprovalRequested<'a> {
    pub success: bool,
    pub message: &'static str,
    pub account_id: &'a AccountName,
    pub approval_until: Option<Time>,
}

/// A token in the shape of the legacy system.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct FacturifyJwt<'a> {
    pub message: &'static str,
    pub jwt: Jwt<'a>,
}

/// The token itself.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Jwt<'a> {
    pub token: &'a str,
    /// As Facturify gave it, in seconds.
    pub expires_in: u64,
}

/// A token that is valid now.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct FacturifyToken<'a> {
    pub token: &'a str,
    /// In seconds.
    pub ttl: u64,
}

/// One operation on an account.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PastOperation<'a> {
    pub at: Time,
    pub operation: Operation,
    /// `ok`, or a code.
    pub outcome: &'a str,
    /// `key:` and the name of a service key, `user:` and the id of an admin, `alarm`, `cron`, `notifier`, or `local`.
    pub who: &'a str,
    pub request_id: &'a str,
    /// To the upstream.
    pub calls: u32,
    /// What the upstream refused with.
    pub status: Option<u16>,
    pub expires_at: Option<Time>,
}

/// The last operations on an account, the newest first.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct History<'a> {
    pub provider: &'a str,
    pub account_id: &'a AccountName,
    pub operations: Vec<PastOperation<'a>>,
}
