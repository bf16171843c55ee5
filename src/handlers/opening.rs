//! What every beginning of a session shares, whoever says that its user may have one.

use super::edge::Edge;
use crate::platform;
use crate::store::SessionRecord;
use ::directory::{self, Activity, Found};
use ::session::{self, Account, Command, Device, EndReason, Pair, Vouched};
use futures_util::future::{join, join_all};
use http::access::bearer;
use http::error::Reason;
use http::log::Audit;
use std::net::IpAddr;

/// The binding that counts attempts per client address, and the period that it counts in, in seconds.
const RATE_LIMITER: &str = "LOGIN_RATE_LIMITER";
const RATE_PERIOD_SECONDS: u64 = 60;

/// Sessions that lost their places to a new one, and why.
pub type Lost = Vec<(String, EndReason)>;

/// Opens a session whose place is taken, and ends those that lost theirs. KV gets the record for listings.
pub async fn open(
    edge: &Edge,
    session_id: &str,
    account: &Account,
    device: Device,
    external: Option<Vouched>,
    lost: &Lost,
) -> Result<Pair, Reason> {
    let name = device.name.clone();
    let open = Command::Open { account: account.clone(), device, external };
    let opened = edge.session(session_id, &open).await;
    let Ok(session::Reply::Tokens { pair, .. }) = opened else {
        // The place is given back; if even that fails, it frees itself.
        let close = directory::Command::Close { session_id: session_id.to_owned() };
        let _ = edge.owner(account.owner(), &close).await;
        return Err(opened.err().unwrap_or(Reason::Unavailable));
    };
    let ((), ()) =
        join(end_lost(edge, account.user(), lost), write_record(edge, session_id, account, name)).await;
    Ok(pair)
}

/// Ends the sessions that lost their places. One that cannot be reached is ended by its owner's alarm; the login stands.
async fn end_lost(edge: &Edge, user: Option<u64>, lost: &Lost) {
    let ends = lost.iter().map(|(id, reason)| async move {
        // The call has logged its failure.
        let ended = edge.end_session(id, *reason).await.is_ok();
        let action = if *reason == EndReason::Evicted { "evict" } else { "replace" };
        let outcome = if ended { "ok" } else { Reason::Unavailable.code() };
        edge.audit(&Audit { action, outcome, actor: user, user, session_id: Some(id), ..Audit::default() });
    });
    join_all(ends).await;
}

/// KV's record is for listing; without it the session works all the same, so a failure is only logged.
async fn write_record(edge: &Edge, session_id: &str, account: &Account, device_name: Option<String>) {
    let now = platform::now();
    let record = SessionRecord {
        user_id: account.user_id,
        username: account.username.clone(),
        created_at: now,
        absolute_expires_at: now.plus(edge.app.config.session.absolute),
        device_name,
    };
    let Ok(kv) = edge.kv() else { return };
    if let Err(error) = kv.put_session(session_id, &record, now).await {
        edge.fault("kv session record", &error);
    }
}

/// Who lost a place to this session.
pub fn lost(evicted: Vec<String>, replaced: Option<String>) -> Lost {
    let evicted = evicted.into_iter().map(|id| (id, EndReason::Evicted));
    evicted.chain(replaced.map(|id| (id, EndReason::Logout))).collect()
}

/// How active each of these sessions is.
pub async fn activities(edge: &Edge, sessions: Vec<String>) -> Result<Vec<Activity>, Reason> {
    join_all(sessions.into_iter().map(|id| activity(edge, id))).await.into_iter().collect()
}

async fn activity(edge: &Edge, session_id: String) -> Result<Activity, Reason> {
    let found = match edge.session(&session_id, &Command::Peek).await? {
        session::Reply::Live(live) => Found::Live(live.last_activity),
        session::Reply::Ended(_) => Found::Ended,
        _ => Found::Unknown,
    };
    Ok(Activity { session_id, found })
}

/// A beginning that comes with the access token of an older session of the same user takes its place (ASVS 5.0, 7.2.4).
/// Whether it is the same user's is seen in the object with the list. The token may have expired.
pub fn previous(edge: &Edge) -> Option<String> {
    let token = bearer(edge.context.authorization.as_deref()).ok()?;
    edge.app.keys.read_access(token, platform::now()).ok().map(|token| token.session_id)
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 client is usually given whole.
pub fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// Counts an attempt.
pub async fn limit_rate(edge: &Edge, key: String) -> Result<(), Reason> {
    let limiter = edge.env.rate_limiter(RATE_LIMITER).map_err(|e| edge.fault("rate limiter", &e))?;
    let outcome = limiter.limit(key).await.map_err(|e| edge.fault("rate limiter", &e))?;
    if outcome.success {
        Ok(())
    } else {
        Err(Reason::TooManyAttempts { retry_after_seconds: RATE_PERIOD_SECONDS })
    }
}
