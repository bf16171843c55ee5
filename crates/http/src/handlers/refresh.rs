//! `POST /auth/refresh`.

use crate::access::refresh_refused;
use crate::answers::sessions;
use crate::backend::Backend;
use crate::context::{RequestContext, ended_before};
use crate::cookies;
use crate::error::Reason;
use crate::json::Fields;
use crate::log::Audit;
use crate::reply::Reply;
use crate::request::RequestHead;
use crate::trail;
use base::audit::Action;
use base::clock::seconds_up;
use base::fault::FaultKind;
use base::ids::{SessionId, UserId};
use base::ports::{Kv, Log};
use config::App;
use session::{Account, Ended, Pair, Rotate, RotateReply, Tokens};

pub const TOKEN_BYTES_MAX: usize = 4096;
const FIELD: &str = "refresh_token";

/// Rotates the tokens.
///
/// 1. Read the field: 400, 413, 415, 422. Without it the cookies are read, if there are some of ours: then a page of ours has to
///    have sent the request: 403; and they have to be of one session: 400.
/// 2. Check the token's signature, type and times: 401.
/// 3. The session's object rotates, repeats, or finds reuse: 401.
///
/// The entry does the same without promises where it can: [`crate::fast_path::refresh`].
pub async fn refresh<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let fields = ctx.fields().await?;
    let by_cookie = ctx.head.cookie.is_some() && !fields.has(FIELD);
    let token = if by_cookie { of_cookie(ctx)? } else { token_of(fields)? };
    let (id, pair) = rotated(ctx, &token).await?;
    if by_cookie { cookie_reply(ctx, &id, &pair) } else { Ok(token_reply(&pair)) }
}

/// The pair that a refresh token is changed for, in whatever way it has come, and of which session.
pub async fn rotated<B: Backend>(ctx: &RequestContext<B>, token: &str) -> Result<(SessionId, Pair), Reason> {
    let (id, rotate) = asked(&ctx.backend, &ctx.app, &ctx.head, token)?;
    let reply = remembered(&ctx.backend, &id, ctx.session(&id, &rotate).await?).await;
    let (outcome, ended) = answer(&ctx.backend, &ctx.app, &ctx.head, &id, reply);
    if let Some(ended) = ended {
        ctx.propagate_end(&id, &ended).await;
    }
    outcome.map(|pair| (id, pair))
}

/// The refresh token of a body.
pub fn token_of(mut fields: Fields) -> Result<String, Reason> {
    let token = fields.text(FIELD, TOKEN_BYTES_MAX);
    fields.finish().map(|()| token)
}

/// That of the cookies.
fn of_cookie<B: Backend>(ctx: &RequestContext<B>) -> Result<String, Reason> {
    ctx.check_page()?;
    // A bearer is not asked for, but must not be another session's.
    ctx.shown(true)?;
    cookies::refresh_token(&ctx.app.keys, ctx.head.cookie.as_deref(), ctx.now()).map(str::to_owned)
}

/// What KV says of a session whose object is empty by now.
pub async fn remembered<P: Kv + Log>(
    ports: &P,
    id: &SessionId,
    reply: Option<RotateReply>,
) -> Option<RotateReply> {
    let (Some(RotateReply::Unknown) | None) = reply else { return reply };
    ended_before(ports, id).await.map(RotateReply::Ended).or(reply)
}

/// The session to ask, and what.
pub fn asked<B: Backend>(
    ports: &B,
    app: &App,
    head: &RequestHead,
    token: &str,
) -> Result<(SessionId, Rotate), Reason> {
    let refused = |reason: Reason, id: Option<&SessionId>| {
        record(ports, app, head, Action::Refresh, reason.code(), None, id);
        reason
    };
    let token = app.keys.verify_refresh(token, ports.now()).map_err(|error| refused(error.into(), None))?;
    let id = token.session_id;
    let user_id = token.subject.parse().map_err(|_| refused(Reason::TokenInvalid, Some(&id)))?;
    let change_id = ports.random_id().map_err(|error| {
        ports.fault(FaultKind::RandomBytes, &error, Some(&head.request_id));
        Reason::Unavailable
    })?;
    Ok((id, Rotate { generation: token.generation, user_id, change_id: Some(change_id) }))
}

/// What the session's object has said, and the end that is to be told everywhere before it is answered.
pub fn answer<B: Backend>(
    ports: &B,
    app: &App,
    head: &RequestHead,
    id: &SessionId,
    reply: Option<RotateReply>,
) -> (Result<Pair, Reason>, Option<Ended>) {
    let action = if matches!(reply, Some(RotateReply::Reused(_))) { Action::Reuse } else { Action::Refresh };
    let (reason, ended) = match reply {
        Some(RotateReply::Tokens(Tokens { pair, account })) => {
            record(ports, app, head, action, "ok", account.user(), Some(id));
            return (Ok(pair), None);
        }
        Some(RotateReply::Reused(ended)) => (Reason::RefreshTokenReused, Some(ended)),
        Some(RotateReply::Ended(ended)) => (refresh_refused(ended.reason), Some(ended)),
        Some(RotateReply::Unknown) | None => (Reason::SessionRevoked(None), None),
    };
    record(ports, app, head, action, reason.code(), ended.as_ref().and_then(user_of), Some(id));
    // Who has ended it before tells of it, or its alarm.
    (Err(reason), ended.filter(|ended| ended.now))
}

fn record<B: Backend>(
    ports: &B,
    app: &App,
    head: &RequestHead,
    action: Action,
    outcome: &str,
    user: Option<UserId>,
    id: Option<&SessionId>,
) {
    let session_id = id.map(SessionId::as_str);
    let audit = Audit { actor: user, user, session_id, ..Audit::of(action, outcome) };
    trail::audit(ports, app, head, &audit);
}

fn user_of(ended: &Ended) -> Option<UserId> {
    ended.account.as_ref().and_then(Account::user)
}

/// The answer to a login or a refresh (RFC 6749 §5.1).
pub fn token_reply(pair: &Pair) -> Reply {
    let body = sessions::Tokens {
        access_token: pair.access.expose(),
        refresh_token: pair.refresh.expose(),
        token_type: "bearer",
        expires_in: seconds_up(pair.access_expires_at.since(pair.counted_from)),
    };
    Reply::json(200, &body).with("pragma", "no-cache")
}

/// The same in cookies: the body says what a page may know.
pub fn cookie_reply<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: &SessionId,
    pair: &Pair,
) -> Result<Reply, Reason> {
    let (access, refresh) = (pair.access.expose(), pair.refresh.expose());
    let now = ctx.now();
    // The pair has just been made.
    let refresh_expires_at =
        ctx.app.keys.read_refresh(refresh, now).map_err(|_| Reason::Internal)?.expires_at;
    let refresh_expires_in = seconds_up(refresh_expires_at.since(now));
    let body = sessions::CookieSession {
        session_id,
        expires_in: seconds_up(pair.access_expires_at.since(pair.counted_from)),
        refresh_expires_in,
    };
    let reply = Reply::json(200, &body).with("pragma", "no-cache");
    Ok(cookies::set(&ctx.app, reply, &ctx.head.path, access, refresh, refresh_expires_in))
}
