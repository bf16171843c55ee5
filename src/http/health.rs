//! `GET /health`. Asks no store: it says that this instance has its settings and answers.

use super::reply::Reply;
use crate::platform;
use serde_json::json;

pub fn health() -> Reply {
    let body = json!({
        "status": "healthy",
        "service": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": platform::now().rfc3339(),
    });
    Reply::json(200, &body)
}
