//! `GET /health`. Asks no store: it says that this instance has its settings and answers.

use super::edge::Edge;
use super::reply::Reply;
use serde_json::json;

pub fn health(edge: &Edge) -> Reply {
    let body = json!({
        "status": "healthy",
        "service": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": edge.now().rfc3339(),
    });
    Reply::json(200, &body)
}
