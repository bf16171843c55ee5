//! Log lines: one JSON object each, so that nothing a caller sends can forge one. Never a secret.

use crate::request::RequestHead;
use base::audit::Action;
use base::clock::{Timestamp, millis};
use base::ids::{ServiceKeyId, UserId};
use serde::Serialize;
use serde_json::json;

/// The line of a request.
pub fn request(head: &RequestHead, route: &str, status: u16, code: Option<&str>, now: Timestamp) -> String {
    let level = if status >= 500 { "error" } else { "info" };
    let mut line = json!({
        "level": level,
        "event": "request",
        "at": now.rfc3339(),
        "request_id": head.request_id,
        "method": known_method(&head.method),
        "route": route,
        "status": status,
        "duration_ms": millis(now.since(head.started)),
    });
    if let (Some(map), Some(code)) = (line.as_object_mut(), code) {
        map.insert("reason".to_owned(), code.into());
    }
    line.to_string()
}

/// A record of who did what, and how it went.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    pub action: Action,
    /// `ok`, or the code of the refusal.
    pub outcome: &'a str,
    /// Who did it, where that is known.
    pub actor: Option<UserId>,
    /// The user it was done to, where that is somebody else or all that is known.
    pub user: Option<UserId>,
    pub session_id: Option<&'a str>,
    /// The service that did it; of actions on a service key, the key that it was done to.
    pub service: Option<&'a str>,
    /// The id of that key.
    pub key_id: Option<&'a ServiceKeyId>,
    /// The account whose tokens it was about.
    pub account: Option<&'a str>,
    /// Somebody whom another system has logged in, as a keyed hash: the number is nobody's business.
    pub customer: Option<&'a str>,
    /// What was changed about the user.
    pub changed: Option<&'a Changed>,
    /// How many sessions it was about.
    pub sessions: Option<usize>,
}

impl<'a> Audit<'a> {
    /// With nothing else to say.
    pub const fn of(action: Action, outcome: &'a str) -> Self {
        Self {
            action,
            outcome,
            actor: None,
            user: None,
            session_id: None,
            service: None,
            key_id: None,
            account: None,
            customer: None,
            changed: None,
            sessions: None,
        }
    }
}

/// What a change has changed. Of a password no more than that there is a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Changed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub must_change_password: Option<bool>,
}

/// The line of an audit record.
pub fn audit(head: &RequestHead, record: &Audit, now: Timestamp) -> String {
    let level = if record.outcome == "ok" { "info" } else { "warn" };
    let mut line = json!({
        "level": level,
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": head.request_id,
        "action": record.action.as_str(),
        "outcome": record.outcome,
        "actor": record.actor,
        "user_id": record.user,
        "session_id": record.session_id,
        "address": head.address,
    });
    // Only where there is something to say.
    let more = [
        ("service", record.service),
        ("key_id", record.key_id.map(ServiceKeyId::as_str)),
        ("account", record.account),
        ("customer", record.customer),
    ];
    if let Some(map) = line.as_object_mut() {
        for (name, value) in more {
            if let Some(value) = value {
                map.insert(name.to_owned(), value.into());
            }
        }
        if let Some(changed) = record.changed {
            map.insert("changed".to_owned(), json!(changed));
        }
        if let Some(sessions) = record.sessions {
            map.insert("sessions".to_owned(), sessions.into());
        }
    }
    line.to_string()
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
        let header = |name: &str| (name == "authorization").then(|| "Bearer hunter2".to_owned());
        let fresh = || "fresh".to_owned();
        let head = RequestHead::new("GET", "http://h/", &header, &fresh, Timestamp::from_millis(1000));
        let line = request(&head, "GET /x", 503, Some("service_unavailable"), Timestamp::from_millis(1012));
        assert!(!line.contains("hunter2"));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["duration_ms"], &value["level"]), (&json!(12), &json!("error")));
    }

    #[test]
    fn an_audit_line_says_more_where_there_is_more() {
        let head = RequestHead::from_lines("GET\nhttp://h/", &String::new, Timestamp::default());
        let line = |record: Audit| -> Value {
            serde_json::from_str(&audit(&head, &record, Timestamp::default())).unwrap()
        };
        let short = line(Audit::of(Action::Login, "ok"));
        for name in ["service", "key_id", "account"] {
            assert_eq!(short.get(name), None);
        }
        assert_eq!(short["actor"], Value::Null);
        let long = line(Audit {
            service: Some("key:a"),
            key_id: Some(&ServiceKeyId::issued("1")),
            account: Some("b"),
            ..Audit::of(Action::Login, "ok")
        });
        assert_eq!(
            (&long["service"], &long["key_id"], &long["account"]),
            (&json!("key:a"), &json!("1"), &json!("b"))
        );
    }
}
