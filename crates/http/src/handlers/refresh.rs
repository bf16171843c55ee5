//! `POST /auth/refresh`.

use crate::access::refresh_refused;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::clock::seconds_up;
use base::ids::{SessionId, UserId};
use serde_json::json;
use session::{Account, Ended, Pair, Rotate, RotateReply, Tokens};

const TOKEN_BYTES_MAX: usize = 4096;

/// Rotates the tokens.
///
/// 1. Read the field: 400, 413, 415, 422.
/// 2. Check the token's signature, type and times: 401.
/// 3. The session's object rotates, repeats, or finds reuse: 401.
pub async fn refresh<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let token = fields.text("refresh_token", TOKEN_BYTES_MAX);
    fields.finish()?;
    let record = |action: &str, outcome: &str, user: Option<UserId>, session_id: Option<&SessionId>| {
        ctx.audit(&Audit {
            action,
            outcome,
            actor: user,
            user,
            session_id: session_id.map(SessionId::as_str),
            ..Audit::default()
        });
    };
    let refused = |reason: Reason, session_id: Option<&SessionId>| {
        record("refresh", reason.code(), None, session_id);
        reason
    };
    let token =
        ctx.app.keys.verify_refresh(&token, ctx.now()).map_err(|error| refused(error.into(), None))?;
    let id = &token.session_id;
    let user_id = token.subject.parse().map_err(|_| refused(Reason::TokenInvalid, Some(id)))?;
    let rotate = Rotate { generation: token.generation, user_id, change_id: Some(ctx.change_id()?) };
    match ctx.session(id, &rotate).await? {
        Some(RotateReply::Tokens(Tokens { pair, account })) => {
            record("refresh", "ok", account.user(), Some(id));
            Ok(token_reply(&pair))
        }
        Some(RotateReply::Reused(ended)) => {
            ctx.propagate_end(id, &ended).await;
            record("reuse", Reason::RefreshTokenReused.code(), user_of(&ended), Some(id));
            Err(Reason::RefreshTokenReused)
        }
        Some(RotateReply::Ended(ended)) => {
            ctx.propagate_end(id, &ended).await;
            let reason = refresh_refused(ended.reason);
            record("refresh", reason.code(), user_of(&ended), Some(id));
            Err(reason)
        }
        Some(RotateReply::Unknown) | None => Err(refused(Reason::SessionRevoked(None), Some(id))),
    }
}

fn user_of(ended: &Ended) -> Option<UserId> {
    ended.account.as_ref().and_then(Account::user)
}

/// The answer to a login or a refresh (RFC 6749 §5.1).
pub fn token_reply(pair: &Pair) -> Reply {
    let body = json!({
        "access_token": pair.access.expose(),
        "refresh_token": pair.refresh.expose(),
        "token_type": "bearer",
        "expires_in": seconds_up(pair.access_expires_at.since(pair.counted_from)),
    });
    Reply::json(200, &body).with("pragma", "no-cache")
}
