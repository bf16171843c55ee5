//! `GET /sessions/{session_id}/state`: the cookies of a portal session and what its pages have stored, for services whose keys have the
//! scope `portal:state` beside the one that says whose sessions they may use. Every reading is recorded.

use super::portal::{find, send};
use super::service_auth::ServiceCaller;
use crate::answers::Time;
use crate::answers::portals::{GotState, StorageState};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::ids::PortalId;
use portal::browser::Jar;
use portal::registry::Place;
use portal::storage_state::{self, Hosts};
use portal::{ReadState, SessionState, StateReply, identity};

pub async fn read<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    id: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let id = PortalId::parse(id).ok_or(Reason::SessionNotFound)?;
    let who = by.who.clone();
    let told = async {
        let Place { name, session_id } = find(ctx, id.clone(), service.opener()).await??;
        let state = match send(ctx, &name, ReadState { session_id, by }, service.opener()).await? {
            StateReply::State(state) => state,
            StateReply::Ended(reason) => return Err(Reason::PortalSessionEnded(reason)),
            StateReply::Unknown => return Err(Reason::SessionNotFound),
            StateReply::Refused(refusal) => return Err(Reason::Portal(refusal)),
        };
        Ok((name, state))
    };
    let told = told.await;
    let code = told.as_ref().err().map_or("ok", Reason::code);
    let session_id = Some(id.as_str());
    let key_id = service.key_id();
    let audit = Audit::of(Action::ReadPortalState, code);
    ctx.audit(&Audit { session_id, service: Some(&who), key_id, ..audit });
    let (name, SessionState { jar, as_of }) = told?;
    let document = ctx.app.config.portals.document(identity::portal(&name));
    let hosts = document.and_then(Hosts::of).ok_or(Reason::PortalNotConfigured)?;
    let jar = Jar::load(&jar).ok_or(Reason::Internal)?;
    let state = storage_state::write(&jar, &hosts);
    let body = GotState {
        success: true,
        session_id: &id,
        as_of: Time::utc(as_of),
        storage_state: StorageState::of(state),
    };
    Ok(Reply::json(200, &body))
}
