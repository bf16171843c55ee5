//! `GET /debug/session-info`: what the service knows of the caller's own session.

use crate::access::LiveCaller;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use serde_json::json;
use session::tokens::access_jti;

pub async fn session_info<B: Backend>(
    ctx: &RequestContext<B>,
    LiveCaller { caller, live }: &LiveCaller,
) -> Result<Reply, Reason> {
    let active = ctx.sessions_of(caller.account.owner()).await?.live.len();
    let body = json!({
        "user_id": caller.account.user(),
        "jti": access_jti(&caller.session_id, live.generation),
        "session_valid": true,
        "active_sessions": active,
        "session_id": caller.session_id,
        "created_at": live.created_at.rfc3339(),
        "last_activity": live.last_activity.rfc3339(),
        "idle_expires_at": live.idle_expires_at.rfc3339(),
        "absolute_expires_at": live.absolute_expires_at.rfc3339(),
    });
    Ok(Reply::json(200, &body))
}
