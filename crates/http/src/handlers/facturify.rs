//! The Facturify token, in the shapes of the legacy system.

use super::service_auth::ServiceCaller;
use super::tokens::{self, ask_status, find, order_token, read as read_token, seconds_left};
use crate::answers::upstreams::{AccountStatus, FacturifyJwt, FacturifyToken, Jwt};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use base::clock::{Timestamp, seconds_up};
use keeper::protocol::{Issued, NewToken};
use keeper::{AccountKey, providers};

fn key<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<AccountKey, Reason> {
    find(ctx, service, providers::FACTURIFY, providers::DEFAULT)
}

/// Callers know Facturify's 401 and 422 as such.
fn passed_on(reason: Reason) -> Reason {
    match reason {
        Reason::Upstream { refusal, .. } => Reason::Upstream { refusal, passes_on: true },
        reason => reason,
    }
}

/// `POST /api/v1/facturify/auth/token`: a token from scratch.
pub async fn obtain<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let issued = order_token(ctx, &key(ctx, service)?, NewToken::Obtain, by).await.map_err(passed_on)?;
    Ok(jwt("Token obtained successfully", &issued))
}

/// `POST /api/v1/facturify/auth/token/refresh`: a long one for the held one; where that is refused, from scratch.
pub async fn refresh<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let issued = order_token(ctx, &key(ctx, service)?, NewToken::Refresh, by).await.map_err(passed_on)?;
    Ok(jwt("Token refreshed successfully", &issued))
}

fn jwt(message: &'static str, issued: &Issued) -> Reply {
    let lifetime = seconds_up(issued.expires_at.since(issued.obtained_at));
    let jwt = Jwt { token: issued.token.expose(), expires_in: issued.expires_in.unwrap_or(lifetime) };
    Reply::json(200, &FacturifyJwt { message, jwt })
}

/// `GET /api/v1/facturify/auth/token`: one that is valid now.
pub async fn read<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let issued = read_token(ctx, &key(ctx, service)?, by).await.map_err(passed_on)?;
    let ttl = seconds_left(Some(issued.expires_at), ctx.now());
    Ok(Reply::json(200, &FacturifyToken { token: issued.token.expose(), ttl }))
}

/// `GET /api/v1/facturify/auth/token/status`: never the token.
pub async fn status<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let status = ask_status(ctx, &key(ctx, service)?).await?;
    let now = ctx.now();
    let live = seconds_left(status.expires_at, now) > 0;
    // Facturify has no way to ask about a token, and nobody approves one.
    let body = AccountStatus {
        expires_in: Some(status.expires_in.filter(|_| live).unwrap_or(0)),
        last_check: None,
        approval_until: None,
        ..tokens::shown(&status, Timestamp::rfc3339, now)
    };
    Ok(Reply::json(200, &body))
}

/// `GET /api/v1/facturify/auth/token/history`.
pub async fn history<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    tokens::history(ctx, &key(ctx, service)?).await
}
