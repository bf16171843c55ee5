//! `POST /auth/login` and the two ways out.

use super::edge::Edge;
use super::opening::{self, Lost};
use super::refresh::token_reply;
use crate::objects::rpc;
use crate::platform;
use ::directory::{self, password::PASSWORD_BYTES_MAX, username};
use ::session::{Account, Device, EndReason, Pair};
use base::clock::seconds_up;
use base::secret::Secret;
use http::access::bearer;
use http::error::{FieldFault, Reason};
use http::log::Audit;
use http::reply::Reply;
use serde_json::json;
use std::time::Duration;
use worker::Request;

const USERNAME_BYTES_MAX: usize = 512;
const DEVICE_NAME_BYTES_MAX: usize = 200;

/// Logs a user in.
///
/// 1. Read the fields: 400, 413, 415, 422.
/// 2. Count the attempt for the client's address: 429.
/// 3. The user's object checks the password and takes a place: 401, 403, 429.
/// 4. The session's object opens the session and makes the tokens.
/// 5. Whoever lost a place is logged out: evicted at the limit, or replaced by this login. KV gets the record.
pub async fn login(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    let mut fields = edge.fields(request).await?;
    let name = fields.text("username", USERNAME_BYTES_MAX);
    let password = Secret::new(fields.text("password", PASSWORD_BYTES_MAX));
    let name_of_device = fields.optional_text("device_name", DEVICE_NAME_BYTES_MAX);
    let canonical = username::canonical(&name);
    if canonical.is_none() && !name.is_empty() {
        fields.fault("username", FieldFault::NotAllowed);
    }
    fields.finish()?;
    let username = canonical.unwrap_or_default();
    let device = Device { name: name_of_device, user_agent: edge.context.user_agent.clone() };

    let outcome = attempt(edge, &username, password, device).await;
    let record = |outcome: &str, actor: Option<u64>, user: Option<u64>, session_id: Option<&str>| {
        edge.audit(&Audit { action: "login", outcome, actor, user, session_id, ..Audit::default() });
    };
    match outcome {
        Ok((session_id, account, pair)) => {
            let user = Some(account.user_id);
            record("ok", user, user, Some(&session_id));
            Ok(token_reply(&pair))
        }
        Err(Failed { reason, user }) => {
            // Who tried is not known; only whose account it was.
            record(reason.code(), None, user, None);
            Err(reason)
        }
    }
}

/// Why a login failed, and for the record at whose account, if there is such an account.
struct Failed {
    reason: Reason,
    user: Option<u64>,
}

impl<R: Into<Reason>> From<R> for Failed {
    fn from(reason: R) -> Self {
        Self { reason: reason.into(), user: None }
    }
}

async fn attempt(
    edge: &Edge,
    username: &str,
    password: Secret,
    device: Device,
) -> Result<(String, Account, Pair), Failed> {
    let network = opening::network(&edge.context.address);
    opening::limit_rate(edge, network.clone()).await?;
    let session_id = rpc::fresh_session_id(&edge.env)?;
    let address = edge.app.vault.fingerprint("address", &network);
    let (account, lost) = reserve(edge, username, password, address, &session_id).await?;

    let pair = opening::open(edge, &session_id, &account, device, None, &lost).await?;
    Ok((session_id, account, pair))
}

/// Takes a place for the session. At the limit, first asks each session how active it is.
async fn reserve(
    edge: &Edge,
    username: &str,
    password: Secret,
    address: String,
    session_id: &str,
) -> Result<(Account, Lost), Failed> {
    let session_id = session_id.to_owned();
    let replaces = opening::previous(edge);
    let login = directory::Command::Login {
        password,
        address,
        session_id: session_id.clone(),
        replaces: replaces.clone(),
    };
    let mut reply = edge.user(username, &login).await?;
    if let directory::Reply::AtLimit { version, sessions } = reply {
        let activity = opening::activities(edge, sessions).await?;
        let reserve = directory::Command::Reserve { session_id, version, activity, replaces };
        reply = edge.user(username, &reserve).await?;
    }
    match reply {
        directory::Reply::Reserved { account, evicted, replaced } => {
            Ok((account, opening::lost(evicted, replaced)))
        }
        directory::Reply::LimitExceeded { user_id } => {
            Err(Failed { reason: Reason::SessionLimitExceeded, user: Some(user_id) })
        }
        directory::Reply::Inactive { user_id } => {
            Err(Failed { reason: Reason::UserInactive, user: Some(user_id) })
        }
        directory::Reply::Throttled { retry_after_ms, user_id } => {
            let retry_after_seconds = seconds_up(Duration::from_millis(retry_after_ms));
            Err(Failed { reason: Reason::TooManyAttempts { retry_after_seconds }, user: user_id })
        }
        directory::Reply::Refused { delay_ms, user_id } => {
            worker::Delay::from(Duration::from_millis(delay_ms)).await;
            Err(Failed { reason: Reason::InvalidCredentials, user: user_id })
        }
        _ => Err(Reason::Internal.into()),
    }
}

/// `POST /auth/logout`: ends the caller's session, and the one that `access_token` names if that is another of theirs.
///
/// 1. Check the caller: 401.
/// 2. Read the other token: 422 if it is not one of the caller's. It may have expired.
/// 3. End the session in its object, then everywhere else.
pub async fn logout(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    // The header is looked at first, so that a stranger's body is not.
    bearer(edge.context.authorization.as_deref())?;
    let mut fields = edge.fields(request).await?;
    let caller = edge.caller_strict().await?;
    let mut sessions = vec![caller.session_id.clone()];
    if let Some(token) = fields.optional_text("access_token", 4096).filter(|t| !t.is_empty()) {
        match edge.app.keys.read_access(&token, platform::now()) {
            Ok(t) if caller.account.subject() == t.subject => {
                if t.session_id != caller.session_id {
                    sessions.push(t.session_id);
                }
            }
            _ => fields.fault("access_token", FieldFault::NotAllowed),
        }
    }
    fields.finish()?;
    for id in &sessions {
        edge.end_session(id, EndReason::Logout).await?;
        let user = caller.account.user();
        edge.audit(&Audit {
            action: "logout",
            outcome: "ok",
            actor: user,
            user,
            session_id: Some(id),
            ..Audit::default()
        });
    }
    Ok(Reply::json(200, &json!({ "message": "Logged out successfully" })))
}
