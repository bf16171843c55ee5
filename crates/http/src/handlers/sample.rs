//! The sample protected resource: a small JSON document of the user's own.

use super::body;
use crate::access::Caller;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::json;
use crate::reply::Reply;
use base::fault::FaultKind;
use directory::{GetDataReply, PutData, PutDataReply, ReadData};
use session::EndReason;

/// `GET /api/v1/data`: the document; an empty one before anything was stored.
pub async fn read<B: Backend>(ctx: &RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let read = ReadData { user_id: caller.account.user_id };
    let document = match ctx.owner(caller.account.owner(), &read).await? {
        GetDataReply::Data { json } => json.unwrap_or_else(|| "{}".to_owned()),
        GetDataReply::NoUser => return Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
    };
    json::value(document.as_bytes())
        .map_err(|reason| ctx.fault(FaultKind::StoredDocument, &reason.code()))?;
    Ok(data(&document))
}

/// `POST /api/v1/data`: any JSON up to the body's limit takes the document's place. It is kept as it was written, so that no
/// number in it becomes another one.
pub async fn write<B: Backend>(ctx: &mut RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let body = body::bytes(&mut ctx.request).await?;
    json::value(&body)?;
    let text = String::from_utf8(body).map_err(|_| Reason::MalformedJson)?;
    let put = PutData { json: text.trim().to_owned(), user_id: Some(caller.account.user_id) };
    match ctx.owner(caller.account.owner(), &put).await? {
        PutDataReply::Done => Ok(data(&put.json)),
        PutDataReply::NoUser => Err(Reason::AccessTokenRevoked(EndReason::Disabled)),
    }
}

/// The document's text in the answer.
fn data(document: &str) -> Reply {
    Reply { body: Some(["{\"data\":", document, "}"].concat()), ..Reply::empty(200) }
}
