//! OAuth 2.0's own routes.

use base::ids::SessionId;
use serde::Serialize;

/// What is known of a token (RFC 7662 §2.2). Of one that is not active no other member is there.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Introspection {
    /// Whether it would be accepted now. Where several were asked about: whether all would.
    pub active: bool,
    /// `bearer` of an access token; not there of a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// The user's id; of somebody externally authenticated the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When it expires at the latest, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When the user last proved who they are, by the word of an access token (RFC 9470 §6.2), in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// Where several were asked about: each, in the order of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<Self>>,
}

/// Tokens for a grant (RFC 6749 §5.1, RFC 8693 §2.2.1).
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct GrantedTokens<'a> {
    pub access_token: &'a str,
    /// Of a token exchange: `urn:ietf:params:oauth:token-type:access_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// `bearer`.
    pub token_type: &'static str,
    /// Life of the access token, in seconds.
    pub expires_in: u64,
    pub refresh_token: &'a str,
}
