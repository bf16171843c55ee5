//! `GET /health`: that this instance answers, how the upstream accounts are, and how many portal sessions there are. However
//! many there are, it asks two objects, and each instance at most once a second.

use super::edge::Edge;
use crate::objects::portal_registry;
use crate::objects::roster::{self, Counts};
use crate::platform;
use ::keeper::providers;
use base::clock::Timestamp;
use futures_util::future::join;
use http::reply::Reply;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Anybody may ask, so the objects are spared; one that cannot be asked more than any.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
struct Known {
    accounts: BTreeMap<String, Counts>,
    portals: portal_registry::Counts,
}

thread_local! {
    /// The last answer and when it came; nothing in it if one of the objects could not be asked.
    static KNOWN: RefCell<Option<(Timestamp, Option<Known>)>> = const { RefCell::new(None) };
}

pub async fn health(edge: &Edge) -> Reply {
    let now = platform::now();
    let counts = counts(edge, now).await;
    let mut by_provider = Map::new();
    let mut failed = 0;
    for provider in [providers::FACTURIFY, providers::UPSTOX, providers::OAUTH2] {
        let total = edge.app.config.providers.count(provider);
        let line = counts.as_ref().map_or(Value::Null, |counts| {
            let c = counts.accounts.get(provider).copied().unwrap_or_default();
            failed += c.failed;
            json!({ "total": total, "healthy": c.healthy, "failed": c.failed })
        });
        by_provider.insert(provider.to_owned(), line);
    }
    let healthy = counts.is_some() && failed == 0;
    let body = json!({
        "status": if healthy { "healthy" } else { "degraded" },
        "service": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": now.rfc3339(),
        "current_time_ist": now.rfc3339_ist(),
        "active_sessions": counts.as_ref().map(|c| c.portals.active),
        "persistent_sessions": counts.as_ref().map(|c| c.portals.persistent),
        "accounts": by_provider.get(providers::UPSTOX),
        "upstreams": by_provider,
    });
    Reply::json(200, &body)
}

/// What the roster and the registry of portal sessions say; nothing if one of them cannot be asked.
async fn counts(edge: &Edge, now: Timestamp) -> Option<Known> {
    let known = KNOWN.with_borrow(Clone::clone);
    if let Some((at, known)) = known
        && at <= now
        && now.since(at) < ASK_AGAIN
    {
        return known;
    }
    let accounts = async {
        if edge.app.config.providers.is_empty() {
            return Some(BTreeMap::new());
        }
        roster::counts(&edge.env).await.ok()
    };
    let portals = async {
        if edge.app.config.portals.is_empty() {
            return Some(portal_registry::Counts::default());
        }
        portal_registry::counts(&edge.env).await.ok()
    };
    let (accounts, portals) = join(accounts, portals).await;
    let counts = accounts.zip(portals).map(|(accounts, portals)| Known { accounts, portals });
    // Counted from here: an object that is down may take its time to say so.
    KNOWN.with_borrow_mut(|k| *k = Some((platform::now(), counts.clone())));
    counts
}
