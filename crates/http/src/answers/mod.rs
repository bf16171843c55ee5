//! What goes out: the body of an answer is one of these types, and docs/openapi.json is made from them. Only a native build has
//! the schemas.

pub mod audit;
pub mod oauth;
pub mod portals;
pub mod service;
pub mod sessions;
pub mod upstreams;
pub mod users;
pub mod well_known;

use base::clock::Timestamp;
use serde::Serialize;

/// How times are printed: in UTC, or in Indian Standard Time.
pub type Print = fn(Timestamp) -> String;

/// A time by RFC 3339: in UTC with milliseconds; on the routes of Upstox accounts in IST (`+05:30`) with seconds.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[cfg_attr(not(target_arch = "wasm32"), schemars(extend("format" = "date-time")))]
pub struct Time(pub String);

impl Time {
    pub fn utc(at: Timestamp) -> Self {
        Self(at.rfc3339())
    }

    pub fn ist(at: Timestamp) -> Self {
        Self(at.rfc3339_ist())
    }
}

/// What was done, in words.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Message {
    pub message: &'static str,
}

/// That it was done.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Success {
    pub success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
}
