//! Log lines: one JSON object each, so that nothing a caller sends can forge one. Never a secret.

use super::context::Context;
use base::clock::{Timestamp, millis};
use keeper::alert::Alert;
use keeper::history::Entry;
use keeper::protocol::By;
use keeper::{AccountKey, Code};
use portal::{Ended, Work};
use serde_json::json;
use session::EndReason;

/// The line of a request.
pub fn request(context: &Context, route: &str, status: u16, code: Option<&str>, now: Timestamp) -> String {
    let level = if status >= 500 { "error" } else { "info" };
    let mut line = json!({
        "level": level,
        "event": "request",
        "at": now.rfc3339(),
        "request_id": context.request_id,
        "method": known_method(&context.method),
        "route": route,
        "status": status,
        "duration_ms": millis(now.since(context.started)),
    });
    if let (Some(map), Some(code)) = (line.as_object_mut(), code) {
        map.insert("reason".to_owned(), code.into());
    }
    line.to_string()
}

/// A record of who did what, and how it went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audit<'a> {
    pub action: &'a str,
    /// `ok`, or the code of the refusal.
    pub outcome: &'a str,
    /// Who did it, where that is known.
    pub actor: Option<u64>,
    /// The user it was done to, where that is somebody else or all that is known.
    pub user: Option<u64>,
    pub session_id: Option<&'a str>,
    /// The service that did it; of actions on a service key, the key that it was done to.
    pub service: Option<&'a str>,
    /// The id of that key.
    pub key_id: Option<&'a str>,
    /// The account whose tokens it was about.
    pub account: Option<&'a str>,
    /// Somebody whom another system has logged in, as a keyed hash: the number is nobody's business.
    pub customer: Option<&'a str>,
}

/// The line of an audit record.
pub fn audit(context: &Context, record: &Audit, now: Timestamp) -> String {
    let level = if record.outcome == "ok" { "info" } else { "warn" };
    let mut line = json!({
        "level": level,
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": context.request_id,
        "action": record.action,
        "outcome": record.outcome,
        "actor": record.actor,
        "user_id": record.user,
        "session_id": record.session_id,
        "address": context.address,
    });
    // Only where there is something to say.
    let more = [
        ("service", record.service),
        ("key_id", record.key_id),
        ("account", record.account),
        ("customer", record.customer),
    ];
    if let Some(map) = line.as_object_mut() {
        for (name, value) in more {
            if let Some(value) = value {
                map.insert(name.to_owned(), value.into());
            }
        }
    }
    line.to_string()
}

/// The audit record of a session that its own alarm has ended: nobody asked for it.
pub fn expired(session_id: &str, reason: EndReason, user: Option<u64>, now: Timestamp) -> String {
    json!({
        "level": "info",
        "event": "audit",
        "at": now.rfc3339(),
        "action": "expire",
        "outcome": "ok",
        "reason": reason.as_str(),
        "user_id": user,
        "session_id": session_id,
    })
    .to_string()
}

/// The audit record of an operation on an upstream token.
pub fn operation(key: &AccountKey, entry: &Entry) -> String {
    json!({
        "level": if entry.outcome == "ok" { "info" } else { "warn" },
        "event": "audit",
        "at": entry.at.rfc3339(),
        "request_id": entry.request_id,
        "action": entry.operation.action(),
        "outcome": entry.outcome,
        "service": entry.who,
        "account": key.to_string(),
        "calls": entry.calls,
        "expires_at": entry.expires_at.map(Timestamp::rfc3339),
    })
    .to_string()
}

/// An alert, whether or not somebody else is told of it.
pub fn alert(key: &AccountKey, alert: &Alert) -> String {
    json!({
        "level": if alert.kind == keeper::alert::Kind::Recovered { "info" } else { "warn" },
        "event": "alert",
        "at": alert.at.rfc3339(),
        "alert": alert.kind.as_str(),
        "account": key.to_string(),
        "code": alert.code.map(Code::as_str),
        "expires_at": alert.expires_at.map(Timestamp::rfc3339),
    })
    .to_string()
}

/// The audit record of work at a portal. The login is named by its keyed hash: a username is nobody's business.
pub fn portal(name: &str, work: &Work, outcome: &str, by: &By, now: Timestamp) -> String {
    let (action, operation) = match work {
        Work::LogIn => ("portal_login", None),
        Work::KeepAlive => ("portal_keep_alive", None),
        Work::Run(operation) => ("portal_operation", Some(operation)),
        Work::LogOut => ("portal_logout", None),
    };
    json!({
        "level": if outcome == "ok" { "info" } else { "warn" },
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": by.request_id,
        "action": action,
        "operation": operation,
        "outcome": outcome,
        "service": by.who,
        "portal_login": name,
    })
    .to_string()
}

/// The audit record of the end of a portal session. Without `by`, nobody asked for it.
pub fn portal_closed(name: &str, ended: &Ended, by: Option<&By>, now: Timestamp) -> String {
    json!({
        "level": "info",
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": by.map(|by| by.request_id.as_str()),
        "action": "portal_close",
        "outcome": "ok",
        "reason": ended.reason.as_str(),
        "session_id": ended.session_id,
        "service": by.map(|by| by.who.as_str()),
        "portal_login": name,
    })
    .to_string()
}

/// The method, if it is one that HTTP knows: another could be anything.
fn known_method(method: &str) -> &str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    if KNOWN.contains(&method) { method } else { "other" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_line_is_one_line_whatever_is_in_it() {
        let context = Context::from_lines(
            "GET\nhttp://h/\nBearer hunter2\nid",
            &|| "fresh".to_owned(),
            Timestamp::from_millis(1000),
        );
        let line =
            request(&context, "GET /x", 503, Some("service_unavailable"), Timestamp::from_millis(1012));
        assert!(!line.contains("hunter2"));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["duration_ms"], &value["level"]), (&json!(12), &json!("error")));
    }

    #[test]
    fn an_audit_line_says_more_where_there_is_more() {
        let context = Context::from_lines("GET\nhttp://h/", &String::new, Timestamp::default());
        let line = |record: Audit| -> Value {
            serde_json::from_str(&audit(&context, &record, Timestamp::default())).unwrap()
        };
        let short = line(Audit { action: "login", outcome: "ok", ..Audit::default() });
        for name in ["service", "key_id", "account"] {
            assert_eq!(short.get(name), None);
        }
        assert_eq!(short["actor"], Value::Null);
        let long =
            line(Audit { service: Some("key:a"), key_id: Some("1"), account: Some("b"), ..Audit::default() });
        assert_eq!(
            (&long["service"], &long["key_id"], &long["account"]),
            (&json!("key:a"), &json!("1"), &json!("b"))
        );
    }
}
