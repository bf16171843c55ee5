//! What anybody may know: the public keys, and where what is.

use serde::Serialize;

/// The public keys that tokens may be verified with (RFC 7517): those that sign, those that will, and those that have. None
/// where tokens are signed with HS256.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Jwks<'a> {
    pub keys: Vec<Jwk<'a>>,
}

/// A public key.
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Jwk<'a> {
    /// `OKP` with `Ed25519`, or `EC` with `P-256`.
    pub kty: &'a str,
    pub crv: &'a str,
    pub x: &'a str,
    /// Of `EC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<&'a str>,
    /// `EdDSA` or `ES256`.
    pub alg: &'a str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'a str,
    /// Its thumbprint (RFC 7638), which stands in the tokens that it has signed.
    pub kid: &'a str,
}

/// What software asks for that is told no more than the issuer (RFC 8414).
#[derive(Debug, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Metadata<'a> {
    /// `TOKEN_ISSUER`, as in the tokens.
    pub issuer: &'a str,
    /// Where there are public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    pub token_endpoint: String,
    pub token_endpoint_auth_methods_supported: &'static [&'static str],
    pub introspection_endpoint: String,
    pub introspection_endpoint_auth_methods_supported: &'static [&'static str],
    pub revocation_endpoint: String,
    pub revocation_endpoint_auth_methods_supported: &'static [&'static str],
    /// None: there is no authorization endpoint.
    pub response_types_supported: &'static [&'static str],
    pub grant_types_supported: &'static [&'static str],
}
