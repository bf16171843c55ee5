//! What every beginning of a session shares, whoever says that its user may have one.

use crate::access::bearer;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use base::ids::{SessionId, UserId};
use directory::{Activity, Close, Found};
use futures_util::future::{join, join_all};
use session::{Account, Device, EndReason, ExternalToken, Open, OpenReply, Pair, Peek, Presence};
use std::net::IpAddr;
use store::SessionRecord;

/// The period in which attempts are counted per client address, in seconds.
const RATE_PERIOD_SECONDS: u64 = 60;

/// Sessions that lost their places to a new one.
pub struct Displaced {
    pub evicted: Vec<SessionId>,
    pub replaced: Option<SessionId>,
}

impl Displaced {
    fn with_reasons(&self) -> impl Iterator<Item = (&SessionId, EndReason)> {
        let evicted = self.evicted.iter().map(|id| (id, EndReason::Evicted));
        evicted.chain(self.replaced.iter().map(|id| (id, EndReason::Logout)))
    }
}

/// Opens a session whose place is taken, and ends those that lost theirs. KV gets the record for listings.
pub async fn open<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    account: &Account,
    device: Device,
    external: Option<ExternalToken>,
    displaced: &Displaced,
) -> Result<Pair, Reason> {
    let name = device.name.clone();
    let open = Open { account: account.clone(), device, external };
    let opened = ctx.send(&session::address(session_id), &open).await;
    let Ok(OpenReply::Tokens(tokens)) = opened else {
        // The place is given back; if even that fails, it frees itself.
        let close = Close { session_id: session_id.clone() };
        let _ = ctx.owner(account.owner(), &close).await;
        return Err(opened.err().unwrap_or(Reason::Unavailable));
    };
    let ((), ()) =
        join(end_displaced(ctx, account.user(), displaced), write_record(ctx, session_id, account, name))
            .await;
    Ok(tokens.pair)
}

/// Ends the sessions that lost their places. One that cannot be reached is ended by its owner's alarm; the login stands.
async fn end_displaced<B: Backend>(ctx: &RequestContext<B>, user: Option<UserId>, displaced: &Displaced) {
    let ends = displaced.with_reasons().map(|(id, reason)| async move {
        // The call has logged its failure.
        let ended = ctx.end_session(id, reason).await.is_ok();
        let action = if reason == EndReason::Evicted { "evict" } else { "replace" };
        let outcome = if ended { "ok" } else { Reason::Unavailable.code() };
        ctx.audit(&Audit {
            action,
            outcome,
            actor: user,
            user,
            session_id: Some(id.as_str()),
            ..Audit::default()
        });
    });
    join_all(ends).await;
}

/// KV's record is for listing; without it the session works all the same, so a failure is only logged.
async fn write_record<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    account: &Account,
    device_name: Option<String>,
) {
    let now = ctx.now();
    let record = SessionRecord {
        user_id: account.user_id,
        username: account.username.clone(),
        created_at: now,
        absolute_expires_at: now.plus(ctx.app.config.session.absolute),
        device_name,
    };
    if let Err(error) = ctx.store().put_session(session_id, &record, now).await {
        ctx.fault("kv session record", &error);
    }
}

/// How active each of these sessions is.
pub async fn activities<B: Backend>(
    ctx: &RequestContext<B>,
    sessions: Vec<SessionId>,
) -> Result<Vec<Activity>, Reason> {
    join_all(sessions.into_iter().map(|id| activity(ctx, id))).await.into_iter().collect()
}

async fn activity<B: Backend>(ctx: &RequestContext<B>, session_id: SessionId) -> Result<Activity, Reason> {
    let found = match ctx.session(&session_id, &Peek).await? {
        Some(Presence::Live(live)) => Found::Live(live.last_activity),
        Some(Presence::Ended(_)) => Found::Ended,
        Some(Presence::Unknown) | None => Found::Unknown,
    };
    Ok(Activity { session_id, found })
}

/// A beginning that comes with the access token of an older session of the same user takes its place (ASVS 5.0, 7.2.4).
/// Whether it is the same user's is seen in the object with the list. The token may have expired.
pub fn previous<B: Backend>(ctx: &RequestContext<B>) -> Option<SessionId> {
    let token = bearer(ctx.head.authorization.as_deref()).ok()?;
    ctx.app.keys.read_access(token, ctx.now()).ok().map(|token| token.session_id)
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
pub async fn limit_rate<B: Backend>(ctx: &RequestContext<B>, key: &str) -> Result<(), Reason> {
    if ctx.backend.allow_attempt(key).await.map_err(|e| ctx.fault("rate limiter", &e))? {
        Ok(())
    } else {
        Err(Reason::TooManyAttempts { retry_after_seconds: RATE_PERIOD_SECONDS })
    }
}
