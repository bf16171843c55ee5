//! `GET /debug/session-info`: what the service knows of the caller's own session.

use crate::access::LiveCaller;
use crate::answers::Time;
use crate::answers::sessions::SessionInfo;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use session::tokens::access_jti;

pub async fn session_info<B: Backend>(
    ctx: &RequestContext<B>,
    LiveCaller { caller, live, .. }: &LiveCaller,
) -> Result<Reply, Reason> {
    let active = ctx.sessions_of(caller.account.owner()).await?.live.len();
    let body = SessionInfo {
        user_id: caller.account.user(),
        jti: access_jti(&caller.session_id, live.generation),
        session_valid: true,
        active_sessions: active,
        session_id: &caller.session_id,
        created_at: Time::utc(live.created_at),
        last_activity: Time::utc(live.last_activity),
        idle_expires_at: Time::utc(live.idle_expires_at),
        absolute_expires_at: Time::utc(live.absolute_expires_at),
    };
    Ok(Reply::json(200, &body))
}
