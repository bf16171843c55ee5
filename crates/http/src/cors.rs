//! What a browser wants to see before it lets a web page of another origin read an answer: CORS (Fetch §3.2), by `ALLOWED_ORIGINS`.
//!
//! A page proves who calls with a token that it sets itself, or has the browser add our cookies: `Access-Control-Allow-Credentials`.
//! That is for origins that somebody has named, port and all.

use crate::reply::Reply;
use crate::request::RequestHead;
use crate::route::{Row, at};
use config::Origins;

/// What a page may read of an answer beside its body and the few headers that every page may.
const EXPOSED: &str = "x-request-id, retry-after, www-authenticate, x-device-token";
/// What a page may send: what the routes for users and admins read. The secrets of an operator and the keys of services are not for pages.
const ACCEPTED: &str =
    "authorization, content-type, accept-language, x-request-id, x-session-passive, x-device-token";
/// How long a browser may remember what a preflight was told, in seconds. Chromium remembers nothing longer.
const MAX_AGE_SECONDS: &str = "7200";

/// Adds the headers, in every answer that could have them. A public document has no secrets and takes no credentials: any page
/// may read it, whatever the setting. Without `row`: the path or the method is not served.
pub fn add(reply: &mut Reply, origins: &Origins, head: &RequestHead, row: Option<&Row>) {
    if row.is_some_and(|row| row.route.is_public_document()) {
        reply.headers.push(("access-control-allow-origin", "*".to_owned()));
        return;
    }
    if origins.is_empty() {
        return;
    }
    // A path that is not served is one for pages, too: what is hidden answers as if it were not there.
    let route = row.map(|row| row.route).or_else(|| at(&head.path));
    if route.is_some_and(|route| !route.is_for_pages()) {
        return;
    }
    // Whatever is kept of it is kept for this origin only.
    reply.headers.push(("vary", "Origin".to_owned()));
    let Some(origin) = origins.allowed(head.origin.as_deref()) else { return };
    reply.headers.push(("access-control-allow-origin", origin.to_owned()));
    if origins.names(origin) {
        reply.headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    if head.method != "OPTIONS" {
        reply.headers.push(("access-control-expose-headers", EXPOSED.to_owned()));
    } else if let Some(methods) = reply.header("allow").map(str::to_owned) {
        reply.headers.push(("access-control-allow-methods", methods));
        reply.headers.push(("access-control-allow-headers", ACCEPTED.to_owned()));
        reply.headers.push(("access-control-max-age", MAX_AGE_SECONDS.to_owned()));
    }
}
