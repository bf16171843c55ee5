//! Tokens and sessions.

use super::Time;
use base::ids::{SessionId, UserId};
use serde::Serialize;
use session::EndReason;

/// A pair of tokens (RFC 6749 §5.1).
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Tokens<'a> {
    pub access_token: &'a str,
    pub refresh_token: &'a str,
    /// `bearer`.
    pub token_type: &'static str,
    /// Life of the access token, in seconds.
    pub expires_in: u64,
}

/// A session whose tokens are in cookies: the answer to a login with `cookie`, and to a refresh by cookie.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct CookieSession<'a> {
    pub session_id: &'a SessionId,
    /// Life of the access token, in seconds.
    pub expires_in: u64,
    /// Life of the refresh token and of the cookies, in seconds.
    pub refresh_expires_in: u64,
}

/// A pair of tokens of a post-login session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PostLoginTokens<'a> {
    /// The access token.
    pub token: &'a str,
    pub refresh_token: &'a str,
    pub message: &'a str,
}

/// The caller's own session.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct CurrentSession<'a> {
    pub session_id: &'a SessionId,
    /// Null of a post-login session.
    pub user_id: Option<UserId>,
    /// Of a post-login session the subject.
    pub username: &'a str,
    pub roles: &'a [String],
    pub device_name: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub created_at: Time,
    pub last_activity: Time,
    /// When the user last proved who they are.
    pub auth_time: Option<Time>,
    pub idle_expires_at: Time,
    pub absolute_expires_at: Time,
    /// The earliest of these two and the expiry of its last tokens.
    pub expires_at: Time,
    /// How long it lives without activity, in seconds.
    pub inactivity_timeout: u64,
    /// When this was said. A client whose clock is wrong counts from it.
    pub server_time: Time,
}

/// Whether a session is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum State {
    Live,
    Ended,
}

/// A session that has ended.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct EndedSession<'a> {
    pub id: &'a SessionId,
    /// `ended`.
    pub state: State,
    pub reason: EndReason,
    /// Null where only KV still knows of it.
    pub ended_at: Option<Time>,
    /// Null of somebody externally authenticated, and where only KV still knows of it.
    pub user_id: Option<UserId>,
    /// Null where nobody knows it any more.
    pub username: Option<&'a str>,
}

/// A live session: who and when, never a token.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Session<'a> {
    pub id: &'a SessionId,
    /// Of its newest access token.
    pub jti: String,
    pub device_name: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub created_at: Time,
    pub last_activity: Time,
    pub idle_expires_at: Time,
    pub absolute_expires_at: Time,
    /// The earliest of these two and the expiry of its last tokens.
    pub expires_at: Time,
    /// In the list of one's own: whether it is the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// In lists of admins; null of somebody externally authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Option<UserId>>,
    /// In lists of admins; of somebody externally authenticated the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    /// Of a session that was asked for by its id: `live`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// The caller's live sessions.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct OwnSessions<'a> {
    pub sessions: Vec<Session<'a>>,
    /// There where something could not be asked: the ids of those sessions.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub unreachable: &'a [SessionId],
}

/// A page of live sessions. One of all users may hold fewer than were asked for, or none, and still have a next one.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ActiveSessions<'a> {
    /// The user that was asked for by id.
    pub user_id: Option<UserId>,
    /// How many this page has.
    pub active_sessions: usize,
    pub sessions: Vec<Session<'a>>,
    /// For the next page; null on the last one.
    pub next_cursor: Option<&'a str>,
    /// There where something could not be asked: ids of sessions, names of users, `KV`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<String>,
}

/// What a sweep came to.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Cleanup {
    /// How many sessions were over and are off all lists now.
    pub cleaned_sessions: u32,
    /// To go on with; null where there is no more.
    pub next_cursor: Option<String>,
    /// There where something could not be asked: ids of sessions, names of users, `KV`, `Directory`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<String>,
}

/// How many sessions have ended.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ClosedSessions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
    pub closed_sessions: usize,
}

/// What the service knows of the caller's session.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct SessionInfo<'a> {
    /// Null of a post-login session.
    pub user_id: Option<UserId>,
    /// Of the newest access token of the session.
    pub jti: String,
    pub session_valid: bool,
    /// How many the caller has.
    pub active_sessions: usize,
    pub session_id: &'a SessionId,
    pub created_at: Time,
    pub last_activity: Time,
    pub idle_expires_at: Time,
    pub absolute_expires_at: Time,
}
