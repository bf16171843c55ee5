//! The mock of the service that verifies external tokens, for a machine that has none. Off unless `MOCK_ROUTES` is on.

use crate::answers::Time;
use crate::answers::service::{MockAnswer, MockRefusal, Validated};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::reply::Reply;
use crate::request::Incoming as _;

/// `POST /api/v1/corporate/…/validate-session`: goes by how the token begins.
pub fn validate_session<B: Backend>(ctx: &RequestContext<B>) -> Reply {
    let header = |name: &str| ctx.request.header(name).unwrap_or_default();
    let token = header("x-session-token");
    if token.is_empty() || token.starts_with("invalid") {
        let detail = "Invalid session token";
        return Reply::json(401, &MockRefusal { status: "error", code: "invalid_session", detail });
    }
    let data = Validated {
        is_expire: token.starts_with("expired"),
        user_id: &header("x-user-id"),
        session_token: &token,
        validated_at: Time::utc(ctx.now()),
    };
    let message = "Session validation completed";
    Reply::json(200, &MockAnswer { status: "success", data, message })
}
