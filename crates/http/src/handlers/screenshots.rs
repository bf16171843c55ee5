//! Screenshots of what operations at a portal have seen.

use super::portal::find;
use super::service_auth::ServiceCaller;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use base::fault::FaultKind;
use base::ids::PortalId;
use portal::pictures;
use portal::registry::{self, ListOwn, Listed};

/// `GET /sessions/{session_id}/screenshots/{name}`.
///
/// 1. The session: 404 if it is unknown to this caller. One that has ended is known for a day.
/// 2. The picture: 404 if there is none of that name with this session, or it has expired; it is deleted then. 503 if the bucket
///    cannot be asked.
pub async fn read<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    id: &str,
    name: &str,
) -> Result<Reply, Reason> {
    let id = PortalId::parse(id).ok_or(Reason::SessionNotFound)?;
    check_known(ctx, service, &id).await?;
    if !pictures::is_name(name) || !ctx.backend.has_bucket() {
        return Err(Reason::NotFound);
    }
    // By each sealing key: it may have been stored before a rotation.
    for session in ctx.app.vault.fingerprints(pictures::KEY_PURPOSE, id.as_str()) {
        let key = pictures::key(&session, name);
        let found = ctx.backend.bucket_get(&key).await;
        let Some(stored) = found.map_err(|error| ctx.fault(FaultKind::Screenshot, &error))? else { continue };
        if pictures::is_current(&stored, ctx.now()) {
            let reply = Reply { bytes: Some(stored.bytes), ..Reply::empty(200) };
            return Ok(reply.with("content-type", pictures::CONTENT_TYPE));
        }
        let backend = ctx.backend.clone();
        ctx.backend.wait_until(async move {
            if let Err(error) = backend.bucket_delete(&key).await {
                backend.fault(FaultKind::Screenshot, &error, None);
            }
        });
        break;
    }
    Err(Reason::NotFound)
}

/// Whether there is such a session to this caller, or was one.
async fn check_known<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    id: &PortalId,
) -> Result<(), Reason> {
    match find(ctx, id.clone(), service.opener()).await? {
        Ok(_) => {}
        Err(Reason::PortalSessionEnded(_)) => return Ok(()),
        Err(reason) => return Err(reason),
    }
    let Some(opener) = service.opener().cloned() else { return Ok(()) };
    // The registry finds any live session: whose it is, its object says where that is asked. Here it is not.
    let Listed::Rows(own) = ctx.send(&registry::address(), &ListOwn { opener }).await?;
    if own.iter().any(|row| row.session_id == *id) { Ok(()) } else { Err(Reason::SessionNotFound) }
}
