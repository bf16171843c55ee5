//! What callers give. The handlers read fields one by one, so that all that are wrong are named together; these are the same
//! fields, and the simulation holds what is accepted to them. Null counts as left out. Lengths are in bytes of UTF-8, so that
//! the number of characters here is an upper bound.

#![allow(clippy::struct_field_names)] // They are the names of members.
#![allow(dead_code)] // Read by the derivation of their schemas only.

use directory::service_key::Scope;
use http::answers::sessions::{CookieSession, EndedSession, Session, Tokens};
use http::answers::upstreams::{AccountStatus, UpstreamToken};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

#[derive(JsonSchema)]
pub struct Login {
    #[schemars(length(min = 1, max = 512))]
    username: String,
    #[schemars(length(min = 1, max = 1024))]
    password: String,
    /// Shown in lists of sessions, without control characters.
    #[schemars(length(max = 200))]
    device_name: Option<String>,
    /// The tokens come in cookies and not in the body.
    cookie: Option<bool>,
    language: Option<Language>,
}

/// The language of `detail`: `en`, `es` or `vi`, or a tag that begins so. Any other is ignored.
#[derive(JsonSchema)]
pub struct Language(#[schemars(length(max = 35))] String);

#[derive(JsonSchema)]
pub struct RefreshToken {
    /// Left out where it comes in a cookie.
    #[schemars(length(min = 1, max = 4096))]
    refresh_token: Option<String>,
    language: Option<Language>,
}

/// The tokens; or what a page may know of them, where they are in cookies.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum TokensOrCookies {
    Tokens(Tokens<'static>),
    Cookies(CookieSession<'static>),
}

/// What a renewal brought: to a service the token, to an admin what it is like.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum Renewed {
    Token(UpstreamToken<'static>),
    Status(Box<AccountStatus<'static>>),
}

/// A session that was asked for by its id: how it is, or why it ended.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum AnySession {
    Live(Session<'static>),
    Ended(EndedSession<'static>),
}

/// What tokens are asked for. A parameter without a value counts as left out, and none is given twice, but `audience` and `resource`.
#[derive(JsonSchema)]
pub struct TokenRequest {
    /// `refresh_token`, or `urn:ietf:params:oauth:grant-type:token-exchange`.
    grant_type: String,
    /// For its grant, of at most 4,096 bytes. What is for the other grant is not read.
    refresh_token: Option<String>,
    /// For the token exchange, as the next three: the other system's token, of at most 8,192 bytes.
    subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token` or `urn:ietf:params:oauth:token-type:jwt`.
    subject_token_type: Option<String>,
    /// The customer's number: 1 to 64 letters, digits, `-` and `_`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    cif: Option<String>,
    /// As in `CHANNELS`.
    channel_id: Option<String>,
    /// `urn:ietf:params:oauth:token-type:access_token`, if it is there.
    requested_token_type: Option<String>,
    /// `TOKEN_AUDIENCE`, if it is there.
    audience: Option<String>,
    /// The same.
    resource: Option<String>,
    /// The id of a service key, where no header has the key.
    client_id: Option<String>,
    /// The whole key.
    client_secret: Option<String>,
}

/// About a token.
#[derive(JsonSchema)]
pub struct TokenForm {
    /// An access or a refresh token.
    #[schemars(length(min = 1, max = 4096))]
    token: String,
    /// Not needed, and not looked at.
    token_type_hint: Option<String>,
    /// The id of a service key, where no header has the key.
    client_id: Option<String>,
    /// The whole key.
    client_secret: Option<String>,
}

#[derive(JsonSchema)]
pub struct ChangePassword {
    /// Where there is no bearer. With it, a cookie is not looked at.
    #[schemars(length(max = 512))]
    username: Option<String>,
    #[schemars(length(min = 1, max = 1024))]
    old_password: String,
    #[schemars(length(min = 8, max = 1024))]
    new_password: String,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct Password {
    #[schemars(length(min = 1, max = 1024))]
    password: String,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct Logout {
    /// Of another session of the same user, which ends too. It may have expired.
    #[schemars(length(max = 4096))]
    access_token: Option<String>,
    /// Of the session, or of another one of the same user, which ends too. It may have expired.
    #[schemars(length(max = 4096))]
    refresh_token: Option<String>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct LogoutAll {
    /// Leaves the caller's own.
    keep_current: Option<bool>,
    language: Option<Language>,
}

/// The stored document in `data`: any JSON.
#[derive(JsonSchema)]
pub struct Document {
    data: Value,
}

#[derive(JsonSchema)]
pub struct InitSession {
    data: InitData,
    language: Option<Language>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitData {
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    cif: String,
    /// The external token. Visible ASCII.
    #[schemars(length(min = 1, max = 8192))]
    token_key: String,
    /// Not kept.
    basic_customer_info: Option<CustomerInfo>,
    payload: Payload,
}

#[derive(JsonSchema)]
pub struct CustomerInfo {
    #[schemars(length(max = 500))]
    customer_id: Option<String>,
    #[schemars(length(max = 500))]
    customer_name: Option<String>,
    #[schemars(length(max = 500))]
    customer_type: Option<String>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    channel_id: TextOrNumber,
}

/// Text, or a number that stands for its text.
#[derive(JsonSchema)]
#[serde(untagged)]
pub enum TextOrNumber {
    Text(String),
    Number(f64),
}

#[derive(JsonSchema)]
pub struct RenewSession {
    data: RenewData,
    language: Option<Language>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenewData {
    #[schemars(length(min = 1, max = 4096))]
    refresh_token: String,
}

/// Of letters, digits and any of `-_.:`.
#[derive(JsonSchema)]
pub struct Role(#[schemars(regex(pattern = "^[A-Za-z0-9_.:-]{1,64}$"))] String);

#[derive(JsonSchema)]
pub struct NewUser {
    #[schemars(length(min = 1, max = 512))]
    username: String,
    #[schemars(length(min = 8, max = 1024))]
    password: String,
    /// `user` if nothing is said.
    #[schemars(length(max = 20))]
    roles: Option<Vec<Role>>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct UserChange {
    #[schemars(length(max = 20))]
    roles: Option<Vec<Role>>,
    is_active: Option<bool>,
    #[schemars(length(min = 8, max = 1024))]
    password: Option<String>,
    must_change_password: Option<bool>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct Reset {
    #[schemars(length(min = 8, max = 1024))]
    password: String,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct NewKey {
    /// Without control characters, and without white space at its ends.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    #[schemars(length(min = 1))]
    scopes: Vec<ScopeName>,
    /// The upstream accounts that its scopes for tokens are restricted to; all, if it is left out. `provider/account_id`, or the
    /// beginning of ids: `upstox/agnidata*`.
    #[schemars(length(min = 1, max = 50))]
    accounts: Option<Vec<String>>,
    /// Without, it does not expire.
    #[schemars(range(min = 1, max = 3650))]
    expires_in_days: Option<u64>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct Rotation {
    /// How long the other key stays good, unless it expires before; 24 if nothing is said.
    #[schemars(range(min = 0, max = 720))]
    overlap_hours: Option<u64>,
    language: Option<Language>,
}

/// What a service key may be used for.
pub struct ScopeName;

impl JsonSchema for ScopeName {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = Scope::ALL.map(Scope::as_str);
        json_schema!({ "type": "string", "enum": words, "description": "What a service key may be used for." })
    }
}

#[derive(JsonSchema)]
pub struct TokenUpdate {
    /// Visible ASCII.
    #[schemars(length(min = 1, max = 8192))]
    access_token: String,
    /// As in the path, where it is there.
    #[schemars(length(max = 100))]
    account_id: Option<String>,
    /// Whose the account is from now on.
    #[schemars(length(max = 200))]
    user_id: Option<String>,
    /// By RFC 3339, in the future.
    #[schemars(length(max = 64))]
    expires_at: Option<String>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct AuthorizationCode {
    #[schemars(length(min = 1, max = 1024))]
    code: String,
    #[schemars(length(max = 1024))]
    redirect_uri: Option<String>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct Notification {
    #[schemars(length(min = 1, max = 200))]
    client_id: String,
    #[schemars(length(min = 1, max = 200))]
    user_id: String,
    #[schemars(length(min = 1, max = 8192))]
    access_token: String,
    /// In milliseconds.
    expires_at: Option<TextOrNumber>,
    language: Option<Language>,
}

#[derive(JsonSchema)]
pub struct PortalCredentials {
    /// `emodal`, which it is if nothing is said, or a name in `PORTALS`.
    #[schemars(length(max = 32))]
    portal: Option<String>,
    #[schemars(length(min = 1, max = 320))]
    username: String,
    #[schemars(length(min = 1, max = 1024))]
    password: String,
    /// The caller's key of the captcha service. Required where the portal's login has a captcha, as E-Modal's has.
    #[schemars(length(max = 256))]
    captcha_api_key: Option<String>,
    /// The key of one-time passwords in Base32 (RFC 6238), for a login that asks for them.
    #[schemars(length(max = 256))]
    totp_secret: Option<String>,
    /// What is tried in place of a login, as `GET /sessions/{session_id}/state` gives it: `cookies` and `origins`.
    storage_state: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether the session is kept alive, which it is if nothing is said.
    keep_alive: Option<bool>,
    /// The answer gets `debug.calls`.
    debug: Option<bool>,
    language: Option<Language>,
}
