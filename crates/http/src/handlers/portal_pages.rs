//! The last page of a failed step at a portal, for whoever has to find out what has changed there.

use crate::access::Admin;
use crate::answers::Time;
use crate::answers::portals::PortalPage;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use portal::place::PAGE_KEPT;
use portal::{Asked, KeptPage, PageReply, ReadPage};

/// A keyed hash of 32 bytes in base64url.
const LOGIN_CHARS: usize = 43;

/// `GET /admin/portal-pages/{portal}/{login}`: by the name that the log has, `emodal/…`. 404 for a login that has none.
pub async fn read<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &Admin,
    portal: &str,
    login: &str,
) -> Result<Reply, Reason> {
    let is_hash = login.len() == LOGIN_CHARS
        && login.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if ctx.app.config.portals.document(portal).is_none() || !is_hash {
        return Err(Reason::NotFound);
    }
    let name = format!("{portal}/{login}");
    let asked = Asked { name: name.clone(), command: ReadPage };
    let PageReply::Kept(page) = ctx.backend.send(&portal::address(&name), &asked).await? else {
        return Err(Reason::NotFound);
    };
    let actor = Some(admin.user_id());
    ctx.audit(&Audit { actor, ..Audit::of(Action::ReadPortalPage, "ok") });
    let KeptPage { at, code, step, looked_for, address, status, title, html } = page;
    let body = PortalPage {
        portal_login: &name,
        at: Time::utc(at),
        expires_at: Time::utc(at.plus(PAGE_KEPT)),
        code: code.as_str(),
        step: &step,
        looked_for: &looked_for,
        address: &address,
        status,
        title: title.as_deref(),
        page: &html,
    };
    Ok(Reply::json(200, &body))
}
