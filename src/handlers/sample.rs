//! The sample protected resource: a small JSON document of the user's own.

use super::body;
use super::edge::Edge;
use ::directory::{Command, Reply as UserReply};
use ::session::EndReason;
use http::error::Reason;
use http::json;
use http::reply::Reply;
use serde_json::{Value, json};
use worker::Request;

/// `GET /api/v1/data`: the document; an empty one before anything was stored.
pub async fn read(edge: &Edge) -> Result<Reply, Reason> {
    let caller = edge.caller().await?;
    let document: Value = match edge.owner(caller.account.owner(), &Command::GetData).await? {
        UserReply::Data { json: Some(text) } => {
            serde_json::from_str(&text).map_err(|e| edge.fault("stored document", &e))?
        }
        UserReply::Data { json: None } => json!({}),
        UserReply::NoUser => return Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
        _ => return Err(Reason::Internal),
    };
    Ok(Reply::json(200, &json!({ "data": document })))
}

/// `POST /api/v1/data`: any JSON up to the body's limit takes the document's place.
pub async fn write(edge: &Edge, request: &mut Request) -> Result<Reply, Reason> {
    let caller = edge.caller().await?;
    let document = json::value(&body::bytes(request).await?)?;
    let put = Command::PutData { json: document.to_string() };
    match edge.owner(caller.account.owner(), &put).await? {
        UserReply::Done => Ok(Reply::json(200, &json!({ "data": document }))),
        UserReply::NoUser => Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
        _ => Err(Reason::Internal),
    }
}
