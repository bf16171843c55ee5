//! Portal sessions.

use super::Time;
use base::ids::PortalId;
use portal::{End, StateUse};
use serde::Serialize;
use serde_json::Value;

/// The calls that were made at the portal.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Calls<'a> {
    pub calls: &'a [Value],
}

/// A session at the portal, by its credentials.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct GotSession<'a> {
    pub success: bool,
    pub session_id: &'a PortalId,
    /// Whether this call has begun it.
    pub is_new: bool,
    pub username: &'a str,
    pub created_at: Time,
    /// When it ends if nobody uses it; null if it is kept alive.
    pub expires_at: Option<Time>,
    pub keep_alive: bool,
    /// For how long browsers were held for it, its logins included; 0 at a portal that needs none.
    pub browser_seconds: f64,
    /// How the session before it ended, if this one is new and that was within 24 hours.
    pub previous_ended: Option<End>,
    pub message: &'static str,
    /// With `storage_state` only: what has become of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_state: Option<StateUse>,
    /// With `debug` only: the calls of the login that was made for this call; none if there was a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug: Option<Calls<'a>>,
}

/// The state of a session at a portal.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct GotState<'a> {
    pub success: bool,
    pub session_id: &'a PortalId,
    /// When the portal last showed a page of a logged-in user.
    pub as_of: Time,
    pub storage_state: StorageState,
}

/// Cookies and what pages have stored, as Playwright's `storageState` has it.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct StorageState {
    /// Each with `name`, `value`, `domain`, `path`, `expires` (in seconds since 1970; -1: with the browser's session), `httpOnly`, `secure`
    /// and `sameSite` (`Strict`, `Lax` or `None`).
    pub cookies: Value,
    /// Each with `origin` and `localStorage`, and with `sessionStorage` if there is any: lists of `name` and `value`.
    pub origins: Value,
}

impl StorageState {
    pub fn of(mut state: Value) -> Self {
        let mut member = |name: &str| state.get_mut(name).map(Value::take).unwrap_or_default();
        Self { cookies: member("cookies"), origins: member("origins") }
    }
}

/// A session as lists show it: never a credential but the username.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PortalSession<'a> {
    pub session_id: &'a PortalId,
    /// Null if it cannot be opened.
    pub username: Option<String>,
    pub created_at: Time,
    /// By a caller.
    pub last_used: Time,
    pub keep_alive: bool,
    /// The login's name in the log, and in `GET /admin/portal-pages/{portal}/{login}`.
    pub portal_login: &'a str,
    /// Calls that found it alive, as of its last report.
    pub logins_saved: u64,
    /// Those among them whose login would have cost a captcha.
    pub captchas_saved: u64,
    /// For how long browsers were held for it, its logins included; 0 at a portal that needs none.
    pub browser_seconds: f64,
    /// The last work of the login that failed at the portal; null if none has.
    pub last_failure: Option<PortalFailure<'a>>,
}

/// Work that failed at a portal.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PortalFailure<'a> {
    pub at: Time,
    pub code: &'static str,
    /// What was being done; null if nothing was begun.
    pub step: Option<&'a str>,
}

/// All sessions at portals.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PortalSessions<'a> {
    pub success: bool,
    pub sessions: Vec<PortalSession<'a>>,
}

/// The last page of a failed step at a portal.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct PortalPage<'a> {
    /// As the log has it.
    pub portal_login: &'a str,
    pub at: Time,
    /// When it is forgotten.
    pub expires_at: Time,
    /// Of the failure.
    pub code: &'static str,
    /// What was being done.
    pub step: &'a str,
    /// What was looked for.
    pub looked_for: &'a str,
    /// Without query.
    pub address: &'a str,
    pub status: Option<u16>,
    pub title: Option<&'a str>,
    /// Its HTML, without secrets; the beginning of a long one.
    pub page: &'a str,
}
