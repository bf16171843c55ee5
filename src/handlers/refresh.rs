//! `POST /auth/refresh`.

use super::edge::Edge;
use crate::platform;
use ::session::{self, Account, Command, Pair};
use base::clock::seconds_up;
use http::access::refresh_refused;
use http::error::Reason;
use http::log::Audit;
use http::reply::Reply;
use serde_json::json;
use worker::Request;

const TOKEN_BYTES_MAX: usize = 4096;

/// Rotates the tokens.
///
/// 1. Read the field: 400, 413, 415, 422.
/// 2. Check the token's signature, type and times: 401.
/// 3. The session's object rotates, repeats, or finds reuse: 401.
pub async fn refresh(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    let mut fields = edge.fields(request).await?;
    let token = fields.text("refresh_token", TOKEN_BYTES_MAX);
    fields.finish()?;
    let refused = |reason: Reason, session_id: Option<&str>| {
        edge.audit(&Audit {
            action: "refresh",
            outcome: reason.code(),
            actor: None,
            user: None,
            session_id,
            ..Audit::default()
        });
        reason
    };
    let token =
        edge.app.keys.verify_refresh(&token, platform::now()).map_err(|error| refused(error.into(), None))?;
    let id = &token.session_id;
    let user_id = token.subject.parse().map_err(|_| refused(Reason::TokenInvalid, Some(id)))?;
    let reply = edge.session(id, &Command::Rotate { generation: token.generation, user_id }).await?;
    let record = |action: &str, outcome: &str, user: Option<u64>| {
        edge.audit(&Audit { action, outcome, actor: user, user, session_id: Some(id), ..Audit::default() });
    };
    match reply {
        session::Reply::Tokens { pair, account } => {
            record("refresh", "ok", account.user());
            Ok(token_reply(&pair))
        }
        session::Reply::Reused(ended) => {
            edge.settle(id, &ended).await;
            record(
                "reuse",
                Reason::RefreshTokenReused.code(),
                ended.account.as_ref().and_then(Account::user),
            );
            Err(Reason::RefreshTokenReused)
        }
        session::Reply::Ended(ended) => {
            edge.settle(id, &ended).await;
            let reason = refresh_refused(ended.reason);
            record("refresh", reason.code(), ended.account.as_ref().and_then(Account::user));
            Err(reason)
        }
        _ => Err(refused(Reason::SessionRevoked(None), Some(id))),
    }
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
