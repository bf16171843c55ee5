//! What the service says that verifies external tokens.

use crate::net::json;
use base::call::Answer;
use serde_json::json;

pub fn valid() -> Answer {
    json(200, &json!({ "status": "success", "data": { "isExpire": false } }))
}

pub fn expired() -> Answer {
    json(200, &json!({ "status": "success", "data": { "isExpire": true } }))
}

pub fn refused() -> Answer {
    json(401, &json!({}))
}

pub fn outage() -> Answer {
    json(503, &json!({}))
}
