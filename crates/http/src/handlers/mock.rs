//! The mock of the service that verifies external tokens, for a machine that has none. Off unless `MOCK_ROUTES` is on.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::reply::Reply;
use crate::request::Incoming as _;
use serde_json::json;

/// `POST /api/v1/corporate/…/validate-session`: goes by how the token begins.
pub fn validate_session<B: Backend>(ctx: &RequestContext<B>) -> Reply {
    let header = |name: &str| ctx.request.header(name).unwrap_or_default();
    let token = header("x-session-token");
    if token.is_empty() || token.starts_with("invalid") {
        let body = json!({ "status": "error", "code": "invalid_session", "detail": "Invalid session token" });
        return Reply::json(401, &body);
    }
    let data = json!({
        "isExpire": token.starts_with("expired"),
        "userId": header("x-user-id"),
        "sessionToken": token,
        "validatedAt": ctx.now().rfc3339(),
    });
    let message = "Session validation completed";
    Reply::json(200, &json!({ "status": "success", "data": data, "message": message }))
}
