//! Log lines of what objects do: one JSON object each, so that nothing a caller sends can forge one. Never a secret.

use crate::host::Host;
use base::account::EndReason;
use base::audit::Action;
use base::call::Actor;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::trail::{self, Keep};
use keeper::alert::{Alert, Kind};
use keeper::history::Entry;
use keeper::{AccountKey, Code};
use portal::{Ended, Place, Work};
use serde_json::json;

/// Writes the line of an audit record or an alert; and has a copy kept in the trail, if there is one. Nobody waits for that.
pub fn keep<H: Host>(host: &H, line: &str) {
    host.info(line);
    if !host.app().is_ok_and(|app| app.config.audit_trail != Keep::Nothing) {
        return;
    }
    if let Some(record) = trail::record_of(line) {
        let ports = host.clone();
        host.wait_until(async move {
            // What is lost here is in the log.
            let _ = trail::send(&ports, vec![record], 0).await;
        });
    }
}

/// The audit record of an operation on an upstream token.
pub fn operation(key: &AccountKey, entry: &Entry) -> String {
    json!({
        "level": if entry.outcome == "ok" { "info" } else { "warn" },
        "event": "audit",
        "at": entry.at.rfc3339(),
        "request_id": entry.request_id,
        "action": entry.operation.action().as_str(),
        "outcome": entry.outcome,
        "service": entry.who,
        "account": key.to_string(),
        "calls": entry.calls,
        "expires_at": entry.expires_at.map(Timestamp::rfc3339),
    })
    .to_string()
}

/// An alert, whether or not somebody else is told of it; with what is wrong with the account's settings, if that is.
pub fn alert(key: &AccountKey, alert: &Alert, fault: Option<&str>) -> String {
    let mut line = json!({
        "level": if alert.kind == Kind::Recovered { "info" } else { "warn" },
        "event": "alert",
        "at": alert.at.rfc3339(),
        "alert": alert.kind.as_str(),
        "account": key.to_string(),
        "code": alert.code.map(Code::as_str),
        "expires_at": alert.expires_at.map(Timestamp::rfc3339),
    });
    if let (Some(line), Some(fault)) = (line.as_object_mut(), fault) {
        line.insert("error".to_owned(), fault.into());
    }
    line.to_string()
}

/// The audit record of a session that its own alarm has ended: nobody asked for it.
pub fn expired(session_id: &SessionId, reason: EndReason, user: Option<UserId>, now: Timestamp) -> String {
    json!({
        "level": "info",
        "event": "audit",
        "at": now.rfc3339(),
        "action": Action::Expire.as_str(),
        "outcome": "ok",
        "reason": reason.as_str(),
        "user_id": user,
        "session_id": session_id,
    })
    .to_string()
}

/// The audit record of work at a portal; `place`: where it failed. The login is named by its keyed hash: a username is
/// nobody's business.
pub fn portal(
    name: &str,
    work: &Work,
    outcome: &str,
    place: Option<&Place>,
    by: &Actor,
    now: Timestamp,
) -> String {
    let (action, operation) = match work {
        Work::LogIn => (Action::PortalLogin, None),
        Work::KeepAlive => (Action::PortalKeepAlive, None),
        Work::Run(operation) => (Action::PortalOperation, Some(operation)),
        Work::LogOut => (Action::PortalLogout, None),
    };
    let mut line = json!({
        "level": if outcome == "ok" { "info" } else { "warn" },
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": by.request_id,
        "action": action.as_str(),
        "operation": operation,
        "outcome": outcome,
        "service": by.who,
        "portal_login": name,
    });
    if let (Some(line), Some(place)) = (line.as_object_mut(), place) {
        line.insert("step".to_owned(), place.step.as_str().into());
        line.insert("address".to_owned(), place.address.as_deref().into());
    }
    line.to_string()
}

/// The audit record of the end of a portal session. Without `by`, nobody asked for it.
pub fn portal_closed(name: &str, ended: &Ended, by: Option<&Actor>, now: Timestamp) -> String {
    json!({
        "level": "info",
        "event": "audit",
        "at": now.rfc3339(),
        "request_id": by.map(|by| by.request_id.as_str()),
        "action": Action::PortalClose.as_str(),
        "outcome": "ok",
        "reason": ended.reason.as_str(),
        "session_id": ended.session_id,
        "service": by.map(|by| by.who.as_str()),
        "portal_login": name,
    })
    .to_string()
}
