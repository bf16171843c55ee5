//! The bodies of refusals.

#![allow(dead_code)] // Read by the derivation of their schemas only.

use crate::tables;
use base::account::EndReason;
use portal::End;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Stable: what clients go by.
pub struct AnyCode;

impl JsonSchema for AnyCode {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes = tables::codes().into_iter();
        let codes: Vec<Value> =
            codes.map(|(code, about)| json!({ "const": code, "description": about })).collect();
        json_schema!({ "description": "Stable: what clients go by.", "oneOf": codes })
    }
}

/// A field of the body or the query that is wrong.
#[derive(JsonSchema)]
pub struct WrongField {
    field: String,
    /// For a person.
    message: String,
}

/// A refusal.
#[derive(JsonSchema)]
pub struct Error {
    code: AnyCode,
    /// For a person, in the language of the request.
    detail: String,
    /// How the session ended, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
    /// With `validation_error` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<WrongField>>,
}

/// A refusal on the routes of OAuth 2.0.
#[derive(JsonSchema)]
pub struct OAuthError {
    /// By RFC 6749 §5.2: `invalid_client`, `unauthorized_client`, `invalid_request`, `temporarily_unavailable` or `server_error`; of
    /// `/oauth/token` also `invalid_grant`, `unsupported_grant_type`, `invalid_scope` and `invalid_target`.
    error: String,
    /// Of `/oauth/token`: in English, for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
    /// Of `/oauth/token`: how the session ended, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
    /// With `validation_error` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<WrongField>>,
    code: AnyCode,
    /// For a person, in the language of the request.
    detail: String,
}

/// A refusal on the routes of portal sessions.
#[derive(JsonSchema)]
pub struct PortalError {
    success: bool,
    /// The same text as `detail`.
    error: String,
    code: AnyCode,
    /// For a person, in the language of the request.
    detail: String,
    /// How the portal session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<End>,
    /// The portal's own words, where there are some; of an appointment, what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What was being done at the portal. This and the next three where it was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// What was looked for there.
    #[serde(skip_serializing_if = "Option::is_none")]
    looked_for: Option<String>,
    /// Of the page that was asked for last, without query.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Of that page.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// With `needs_human`, while a person is waited for, for callers who have given the credentials: where they can do it. A secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    live_view_url: Option<String>,
    /// With `debug` only, as with a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<Value>,
    /// Of an operation on a session. This and the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_new_session: Option<bool>,
    /// Of an appointment that can be gone on with. With `appointment_incomplete` there are all of the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3))]
    current_phase: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_fields: Option<Vec<String>>,
    /// In phase 3: what can be chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_times: Option<Vec<String>>,
    /// Of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// Where a value is none of what a form offers: what it offers, by the field's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<BTreeMap<String, Vec<String>>>,
    /// With `missing_fields` and `validation_error` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<WrongField>>,
}
