//! `GET /health`: that this instance answers, how the upstream accounts are, and how many portal sessions there are. However
//! many there are, it asks two objects, and each instance at most once a second.

use crate::answers::{Time, service};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::reply::Reply;
use base::clock::Timestamp;
use futures_util::future::join;
use keeper::providers;
use keeper::upstream_index::{self, Counts, GetCounts};
use portal::registry;
use std::collections::BTreeMap;
use std::time::Duration;

/// Anybody may ask, so the objects are spared; one that cannot be asked more than any.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub accounts: BTreeMap<String, Counts>,
    pub portals: registry::Counts,
}

/// The last answer and when it came; nothing in it if one of the objects could not be asked.
#[derive(Clone, Debug)]
pub struct Answered {
    at: Timestamp,
    known: Option<Known>,
}

pub async fn health<B: Backend>(ctx: &RequestContext<B>) -> Reply {
    let now = ctx.now();
    let counts = counts(ctx, now).await;
    let configured = &ctx.app.config.providers;
    let mut healthy = counts.is_some();
    let mut of = |provider| {
        let (total, misconfigured) = (configured.count(provider), configured.count_faulty(provider));
        let c = counts.as_ref()?.accounts.get(provider).copied().unwrap_or_default();
        // An index of the release before counts only these.
        let available = c.available.max(c.healthy);
        healthy &= c.failed == 0 && misconfigured == 0 && (total == 0 || available > 0);
        let (available, misconfigured) = (Some(available), Some(misconfigured));
        Some(service::Counts { total, healthy: c.healthy, failed: c.failed, available, misconfigured })
    };
    let upstreams = service::Upstreams {
        facturify: of(providers::FACTURIFY),
        upstox: of(providers::UPSTOX),
        oauth2: of(providers::OAUTH2),
    };
    let of_upstox = upstreams.upstox.as_ref();
    let body = service::ServiceHealth {
        status: if healthy { "healthy" } else { "degraded" },
        service: "sallyport",
        version: env!("CARGO_PKG_VERSION"),
        timestamp: Time::utc(now),
        current_time_ist: Time::ist(now),
        active_sessions: counts.as_ref().map(|c| c.portals.active),
        persistent_sessions: counts.as_ref().map(|c| c.portals.persistent),
        accounts: of_upstox.map(|c| service::Counts { available: None, misconfigured: None, ..*c }),
        upstreams,
    };
    Reply::json(200, &body)
}

/// What the index of accounts and the registry of portal sessions say; nothing if one of them cannot be asked.
pub(super) async fn counts<B: Backend>(ctx: &RequestContext<B>, now: Timestamp) -> Option<Known> {
    let instance = ctx.backend.instance();
    let last = instance.health.borrow().clone();
    if let Some(Answered { at, known }) = last
        && at <= now
        && now.since(at) < ASK_AGAIN
    {
        return known;
    }
    let accounts = async {
        if ctx.app.config.providers.is_empty() {
            return Some(BTreeMap::new());
        }
        let reply = ctx.send(&upstream_index::index_address(), &GetCounts { now: ctx.now() }).await;
        reply.ok().map(|reply| reply.counts)
    };
    let portals = async {
        if ctx.app.config.portals.is_empty() {
            return Some(registry::Counts::default());
        }
        let registry::Counted::Counts(counts) =
            ctx.send(&registry::address(), &registry::Count).await.ok()?;
        Some(counts)
    };
    let (accounts, portals) = join(accounts, portals).await;
    let known = accounts.zip(portals).map(|(accounts, portals)| Known { accounts, portals });
    // Counted from here: an object that is down may take its time to say so.
    *instance.health.borrow_mut() = Some(Answered { at: ctx.now(), known: known.clone() });
    known
}
