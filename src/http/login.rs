//! `POST /auth/login` and the two ways out.

use super::access::bearer;
use super::edge::Edge;
use super::log::Audit;
use super::refresh::token_reply;
use super::reply::Reply;
use crate::clock::seconds_up;
use crate::directory::{self, Activity, Found, password::PASSWORD_BYTES_MAX, username};
use crate::error::{FieldFault, Reason};
use crate::objects::rpc;
use crate::platform;
use crate::secret::Secret;
use crate::session::{self, Account, Command, Device, EndReason, Pair};
use crate::store::SessionRecord;
use futures_util::future::{join, join_all};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;
use worker::Request;

const USERNAME_BYTES_MAX: usize = 512;
const DEVICE_NAME_BYTES_MAX: usize = 200;
/// The binding that counts attempts per client address, and the period that it counts in, in seconds.
const RATE_LIMITER: &str = "LOGIN_RATE_LIMITER";
const RATE_PERIOD_SECONDS: u64 = 60;

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
    let network = network(&edge.context.address);
    limit_rate(edge, &network).await?;
    let session_id = rpc::fresh_session_id(&edge.env)?;
    let address = edge.app.vault.fingerprint("address", &network);
    let (account, lost) = reserve(edge, username, password, address, &session_id).await?;

    let open = Command::Open { account: account.clone(), device: device.clone() };
    let opened = edge.session(&session_id, &open).await;
    let Ok(session::Reply::Tokens { pair, .. }) = opened else {
        // The place is given back; if even that fails, it frees itself.
        let close = directory::Command::Close { session_id };
        let _ = edge.user(username, &close).await;
        return Err(opened.err().unwrap_or(Reason::Unavailable).into());
    };
    let ((), ()) =
        join(end_lost(edge, account.user_id, &lost), write_record(edge, &session_id, &account, &device))
            .await;
    Ok((session_id, account, pair))
}

/// Ends the sessions that lost their places. One that cannot be reached is ended by the user's alarm; the login stands.
async fn end_lost(edge: &Edge, user_id: u64, lost: &[(String, EndReason)]) {
    let ends = lost.iter().map(|(id, reason)| async move {
        // The call has logged its failure.
        let ended = edge.end_session(id, *reason).await.is_ok();
        let action = if *reason == EndReason::Evicted { "evict" } else { "replace" };
        let outcome = if ended { "ok" } else { Reason::Unavailable.code() };
        edge.audit(&Audit {
            action,
            outcome,
            actor: Some(user_id),
            user: Some(user_id),
            session_id: Some(id),
            ..Audit::default()
        });
    });
    join_all(ends).await;
}

async fn limit_rate(edge: &Edge, network: &str) -> Result<(), Reason> {
    let limiter = edge.env.rate_limiter(RATE_LIMITER).map_err(|e| edge.fault("rate limiter", &e))?;
    let outcome = limiter.limit(network.to_owned()).await.map_err(|e| edge.fault("rate limiter", &e))?;
    if outcome.success {
        Ok(())
    } else {
        Err(Reason::TooManyAttempts { retry_after_seconds: RATE_PERIOD_SECONDS })
    }
}

/// Takes a place for the session. At the limit, first asks each session how active it is.
async fn reserve(
    edge: &Edge,
    username: &str,
    password: Secret,
    address: String,
    session_id: &str,
) -> Result<(Account, Vec<(String, EndReason)>), Failed> {
    let session_id = session_id.to_owned();
    let replaces = previous(edge);
    let login = directory::Command::Login {
        password,
        address,
        session_id: session_id.clone(),
        replaces: replaces.clone(),
    };
    let mut reply = edge.user(username, &login).await?;
    if let directory::Reply::AtLimit { version, sessions } = reply {
        let activity = join_all(sessions.into_iter().map(|id| activity(edge, id))).await;
        let activity: Vec<Activity> = activity.into_iter().collect::<Result<_, _>>()?;
        let reserve = directory::Command::Reserve { session_id, version, activity, replaces };
        reply = edge.user(username, &reserve).await?;
    }
    match reply {
        directory::Reply::Reserved { account, evicted, replaced } => {
            let evicted = evicted.into_iter().map(|id| (id, EndReason::Evicted));
            Ok((account, evicted.chain(replaced.map(|id| (id, EndReason::Logout))).collect()))
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

async fn activity(edge: &Edge, session_id: String) -> Result<Activity, Reason> {
    let found = match edge.session(&session_id, &Command::Peek).await? {
        session::Reply::Live(live) => Found::Live(live.last_activity),
        session::Reply::Ended(_) => Found::Ended,
        _ => Found::Unknown,
    };
    Ok(Activity { session_id, found })
}

/// KV's record is for listing; without it the session works all the same, so a failure is only logged.
async fn write_record(edge: &Edge, session_id: &str, account: &Account, device: &Device) {
    let now = platform::now();
    let record = SessionRecord {
        user_id: account.user_id,
        username: account.username.clone(),
        created_at: now,
        absolute_expires_at: now.plus(edge.app.config.session.absolute),
        device_name: device.name.clone(),
    };
    let Ok(kv) = edge.kv() else { return };
    if let Err(error) = kv.put_session(session_id, &record, now).await {
        edge.fault("kv session record", &error);
    }
}

/// A login that comes with the access token of an older session of the same user takes its place (ASVS 5.0, 7.2.4).
/// Whether it is the same user's is seen in the user's object. The token may have expired.
fn previous(edge: &Edge) -> Option<String> {
    let token = bearer(edge.context.authorization.as_deref()).ok()?;
    edge.app.keys.read_access(token, platform::now()).ok().map(|token| token.session_id)
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 client is usually given whole.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
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
            Ok(t) if t.subject == caller.account.user_id.to_string() => {
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
        let user = Some(caller.account.user_id);
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
