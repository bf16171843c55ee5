//! The Facturify token, in the shapes of the system before this one.

use super::edge::Edge;
use super::tokens::{ask_status, by, find, order_token, read as read_token, seconds_left, status_json};
use ::directory::service_key::Scope;
use ::keeper::protocol::Issued;
use ::keeper::{AccountKey, Task, providers};
use base::clock::{Timestamp, seconds_up};
use http::error::Reason;
use http::reply::Reply;
use serde_json::json;

pub fn key(edge: &Edge) -> Result<AccountKey, Reason> {
    find(edge, providers::FACTURIFY, providers::DEFAULT)
}

/// Callers know Facturify's 401 and 422 as such.
fn passed_on(reason: Reason) -> Reason {
    match reason {
        Reason::Upstream { refusal, .. } => Reason::Upstream { refusal, passes_on: true },
        reason => reason,
    }
}

/// `POST /api/v1/facturify/auth/token`: a token from scratch.
pub async fn obtain(edge: &Edge) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let issued = order_token(edge, &key(edge)?, Task::Obtain, by).await.map_err(passed_on)?;
    Ok(jwt("Token obtained successfully", &issued))
}

/// `POST /api/v1/facturify/auth/token/refresh`: a long one for the held one; where that is refused, from scratch.
pub async fn refresh(edge: &Edge) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let issued = order_token(edge, &key(edge)?, Task::Refresh, by).await.map_err(passed_on)?;
    Ok(jwt("Token refreshed successfully", &issued))
}

fn jwt(message: &str, issued: &Issued) -> Reply {
    let lifetime = seconds_up(issued.expires_at.since(issued.obtained_at));
    let jwt = json!({ "token": issued.token.expose(), "expires_in": issued.expires_in.unwrap_or(lifetime) });
    Reply::json(200, &json!({ "message": message, "jwt": jwt }))
}

/// `GET /api/v1/facturify/auth/token`: one that is valid now.
pub async fn read(edge: &Edge) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensRead).await?;
    let issued = read_token(edge, &key(edge)?, by).await.map_err(passed_on)?;
    let ttl = seconds_left(Some(issued.expires_at));
    Ok(Reply::json(200, &json!({ "token": issued.token.expose(), "ttl": ttl })))
}

/// `GET /api/v1/facturify/auth/token/status`: never the token.
pub async fn status(edge: &Edge) -> Result<Reply, Reason> {
    edge.service(Scope::TokensRead).await?;
    let status = ask_status(edge, &key(edge)?).await?;
    let mut body = status_json(&status, Timestamp::rfc3339);
    if let Some(map) = body.as_object_mut() {
        let live = seconds_left(status.expires_at) > 0;
        let expires_in = status.expires_in.filter(|_| live).unwrap_or(0);
        map.insert("expires_in".to_owned(), expires_in.into());
        // Facturify has no way to ask about a token, and nobody approves one.
        map.remove("last_check");
        map.remove("approval_until");
    }
    Ok(Reply::json(200, &body))
}
