//! The sample protected resource: a small JSON document of the user's own.

use super::body;
use crate::access::Caller;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::json;
use crate::reply::Reply;
use directory::{GetDataReply, PutData, PutDataReply, ReadData};
use serde_json::{Value, json};
use session::EndReason;

/// `GET /api/v1/data`: the document; an empty one before anything was stored.
pub async fn read<B: Backend>(ctx: &RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let read = ReadData { user_id: caller.account.user_id };
    let document: Value = match ctx.owner(caller.account.owner(), &read).await? {
        GetDataReply::Data { json: Some(text) } => {
            serde_json::from_str(&text).map_err(|e| ctx.fault("stored document", &e))?
        }
        GetDataReply::Data { json: None } => json!({}),
        GetDataReply::NoUser => return Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
    };
    Ok(Reply::json(200, &json!({ "data": document })))
}

/// `POST /api/v1/data`: any JSON up to the body's limit takes the document's place.
pub async fn write<B: Backend>(ctx: &mut RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let document = json::value(&body::bytes(&mut ctx.request).await?)?;
    let put = PutData { json: document.to_string(), user_id: Some(caller.account.user_id) };
    match ctx.owner(caller.account.owner(), &put).await? {
        PutDataReply::Done => Ok(Reply::json(200, &json!({ "data": document }))),
        PutDataReply::NoUser => Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
    }
}
