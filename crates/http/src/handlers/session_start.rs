//! What every beginning of a session shares, whoever says that its user may have one.

use crate::access::bearer;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::cookies;
use crate::error::Reason;
use crate::log::Audit;
use base::audit::Action;
use base::clock::Timestamp;
use base::fault::FaultKind;
use base::ids::{SessionId, UserId};
use base::together::together;
use directory::{Activity, Close, Displaced, Found, Opened, OpenedReply, Reserved};
use session::{Account, Device, EndReason, ExternalToken, Open, OpenReply, Pair, Peek, Presence, SetAccount};
use std::net::IpAddr;
use std::time::Duration;
use store::SessionRecord;

/// The period in which attempts are counted per client address, in seconds.
const RATE_PERIOD_SECONDS: u64 = 60;

/// How many sessions are asked at a time how active they are, and how many at most.
const ASKED_AT_ONCE: usize = 5;
const ASKED_MAX: usize = 20;
/// Who was active within so much of somebody else is idle as long: activity is written once a minute.
const ABOUT: Duration = Duration::from_mins(1);

/// How often a session is opened whose account changes meanwhile, or whose place cannot be asked for.
const OPEN_TRIES: u32 = 3;

/// Opens a session whose place is reserved.
///
/// 1. The session's object opens it, and makes the tokens. Then KV gets the record for listings: what breaks off before leaves none of a
///    session that never was, with its user's name, for as long as a session may live.
/// 2. Its owner's object keeps the place, says who has to make room, and whether the account has changed meanwhile: then the
///    session is told, and opened again with tokens that say so. It hears whether KV has the record, and writes it later if not.
/// 3. Those who make room are ended.
///
/// If it fails on the way, the session is revoked and nobody else has lost anything.
pub async fn open<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    reserved: Reserved,
    device: Device,
    external: Option<ExternalToken>,
) -> Result<(Account, Pair), Reason> {
    let (account, pair, displaced) = match opened(ctx, session_id, reserved, device, external).await {
        Ok(opened) => opened,
        Err((owner, reason)) => {
            // An opening may still be on its way; once it is revoked it opens nothing, and the place can be given back. If
            // that fails, the owner's alarm does the same.
            if ctx.end_session(session_id, EndReason::Logout).await.is_ok() {
                let close = Close { session_id: session_id.clone() };
                let _ = ctx.owner(owner.owner(), &close).await;
            }
            return Err(reason);
        }
    };
    end_displaced(ctx, account.user(), &displaced).await;
    Ok((account, pair))
}

/// The tokens, for whom, and who has to make room. An error comes with the account whose place it was.
async fn opened<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    reserved: Reserved,
    device: Device,
    external: Option<ExternalToken>,
) -> Result<(Account, Pair, Vec<Displaced>), (Account, Reason)> {
    let Reserved { mut account, mut account_version, evicted, replaced, confirm, until } = reserved;
    let address = session::address(session_id);
    let mut failed = Reason::Unavailable;
    let mut recorded = None;
    for _ in 0..OPEN_TRIES {
        let (name, device, external) = (device.name.clone(), device.clone(), external.clone());
        let open = Open { account: account.clone(), device, external, account_version, until };
        let pair = match ctx.send(&address, &open).await {
            Ok(OpenReply::Tokens(tokens)) => tokens.pair,
            Ok(OpenReply::Ended(_) | OpenReply::Unknown) => return Err((account, Reason::Unavailable)),
            Err(reason) => return Err((account, reason)),
        };
        let written = match recorded {
            Some(written) => written,
            None => write_record(ctx, session_id, &account, name).await,
        };
        recorded = Some(written);
        if !confirm {
            let evicted = evicted.into_iter().map(|id| (id, EndReason::Evicted));
            let all = evicted.chain(replaced.map(|id| (id, EndReason::Logout)));
            let displaced = all.map(|(session_id, reason)| Displaced { session_id, reason });
            return Ok((account, pair, displaced.collect()));
        }
        let opened = Opened { session_id: session_id.clone(), account_version, unrecorded: !written };
        match ctx.owner(account.owner(), &opened).await {
            Ok(OpenedReply::Kept { displaced }) => return Ok((account, pair, displaced)),
            Ok(OpenedReply::Gone) => return Err((account, Reason::Unavailable)),
            // Perhaps it was done, and others have to leave for a session that then is not there: better asked again.
            Err(reason) => failed = reason,
            Ok(OpenedReply::Changed { account: newer, account_version: version }) => {
                (account, account_version) = (newer, version);
                let newest = SetAccount { account: account.clone(), account_version };
                if let Err(reason) = ctx.send(&address, &newest).await {
                    return Err((account, reason));
                }
            }
        }
    }
    Err((account, failed))
}

/// Ends the sessions that lost their places. One that cannot be reached is ended by its owner's alarm; the login stands.
async fn end_displaced<B: Backend>(ctx: &RequestContext<B>, user: Option<UserId>, displaced: &[Displaced]) {
    let ends = displaced.iter().map(|Displaced { session_id: id, reason }| async move {
        // The call has logged its failure.
        let ended = ctx.end_session(id, *reason).await.is_ok();
        let action = if *reason == EndReason::Evicted { Action::Evict } else { Action::Replace };
        let outcome = if ended { "ok" } else { Reason::Unavailable.code() };
        ctx.audit(&Audit { actor: user, user, session_id: Some(id.as_str()), ..Audit::of(action, outcome) });
    });
    together(ends).await;
}

/// KV's record is for listing; without it the session works all the same. Says whether KV has taken it.
async fn write_record<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    account: &Account,
    device_name: Option<String>,
) -> bool {
    let now = ctx.now();
    let record = SessionRecord {
        user_id: account.user_id,
        username: account.username.clone(),
        created_at: now,
        absolute_expires_at: now.plus(ctx.app.config.session.absolute),
        device_name,
        written_at: Some(now),
    };
    let written = ctx.store().put_session(session_id, &record, now).await;
    written.map_err(|error| ctx.fault(FaultKind::KvSessionRecord, &error)).is_ok()
}

/// How active these sessions are: as many of them as it takes to find the one idle longest. They come in the order of when each is
/// known to have been active last, and none was active before that: so once one is found to be idle since then, those behind it
/// need not be asked. After a number of them the one idle longest so far is good enough, and the next login begins with others. An
/// object of the release before does not say what it knows, and all are asked.
pub async fn activities<B: Backend>(
    ctx: &RequestContext<B>,
    mut sessions: Vec<SessionId>,
    known: &[Timestamp],
) -> Result<Vec<Activity>, Reason> {
    let at_once = if known.is_empty() { sessions.len() } else { ASKED_AT_ONCE };
    let mut found: Vec<Activity> = Vec::new();
    while !sessions.is_empty() && (found.len() < ASKED_MAX || known.is_empty()) {
        let behind = sessions.split_off(at_once.min(sessions.len()));
        let asked = together(sessions.into_iter().map(|id| activity(ctx, id))).await;
        found.extend(asked.into_iter().collect::<Result<Vec<_>, _>>()?);
        sessions = behind;
        // A place that is free needs nobody to go.
        let is_enough = |activity: &Activity| match (activity.found, known.get(found.len())) {
            (Found::Live(at), Some(next)) => at <= next.plus(ABOUT),
            (Found::Live(_), None) | (Found::Ended, _) => true,
            (Found::Unknown, _) => false,
        };
        if found.iter().any(is_enough) {
            break;
        }
    }
    Ok(found)
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
/// Whether it is the same user's is seen in the object with the list. The token may have expired. A cookie counts where the new
/// session's are put in its place.
pub fn previous<B: Backend>(ctx: &RequestContext<B>, by_cookie: bool) -> Option<SessionId> {
    let cookie = ctx.head.cookie.as_deref().filter(|_| by_cookie);
    let cookie = || cookies::value(cookie, cookies::ACCESS).ok().flatten();
    let token = bearer(ctx.head.authorization.as_deref()).ok().or_else(cookie)?;
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
    if ctx.backend.allow_attempt(key).await.map_err(|e| ctx.fault(FaultKind::RateLimiter, &e))? {
        Ok(())
    } else {
        Err(Reason::TooManyAttempts { retry_after_seconds: RATE_PERIOD_SECONDS })
    }
}
