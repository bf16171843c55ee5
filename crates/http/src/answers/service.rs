//! The service itself, and the mock of another one.

use super::Time;
use serde::Serialize;

/// How the accounts of a provider are.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Counts {
    /// How many are configured.
    pub total: usize,
    pub healthy: u64,
    /// How many are `failing`, `failed` or `needs_attention`.
    pub failed: u64,
    /// How many have a token that can be given out, however their renewals do. Not in `accounts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// How many have faulty settings; a list of accounts that cannot be read is one more. Not in `accounts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misconfigured: Option<usize>,
}

/// The accounts of each provider; null if nobody can say.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Upstreams {
    pub facturify: Option<Counts>,
    pub upstox: Option<Counts>,
    pub oauth2: Option<Counts>,
}

/// That this instance answers, and how its accounts are.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ServiceHealth {
    /// `healthy`; or `degraded` if an account counts as failed, if no account of a provider has a token that can be given out, if
    /// settings of accounts are faulty, or if nobody can say.
    pub status: &'static str,
    pub service: &'static str,
    pub version: &'static str,
    pub timestamp: Time,
    pub current_time_ist: Time,
    /// Live portal sessions. Null if nobody can say.
    pub active_sessions: Option<u64>,
    /// Those of them that are kept alive.
    pub persistent_sessions: Option<u64>,
    /// Of Upstox.
    pub accounts: Option<Counts>,
    pub upstreams: Upstreams,
}

/// That these routes are served.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Served {
    pub status: &'static str,
    pub service: &'static str,
}

/// A greeting.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Greeting {
    pub message: String,
}

/// What the mock says of a token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Validated<'a> {
    pub is_expire: bool,
    pub user_id: &'a str,
    pub session_token: &'a str,
    pub validated_at: Time,
}

/// The answer of the mock.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct MockAnswer<'a> {
    pub status: &'static str,
    pub data: Validated<'a>,
    pub message: &'static str,
}

/// A refusal of the mock.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct MockRefusal {
    pub status: &'static str,
    pub code: &'static str,
    pub detail: &'static str,
}
