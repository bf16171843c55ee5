//! Which sealing keys something still lies sealed under. Sessions are not counted: what is sealed of them runs out by itself.

use crate::access::Admin;
use crate::answers::users::{SealingKey, SealingKeys};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use futures_util::future::join;
use keeper::upstream_index::{self, GetKeyUsage};
use portal::registry::{self, KeyUsage, KeyUsageReply};
use std::collections::BTreeSet;

/// `GET /admin/sealing-keys`: which keys are configured, and which are still needed.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, _: &Admin) -> Result<Reply, Reason> {
    let (accounts, portals) = join(
        ctx.send(&upstream_index::index_address(), &GetKeyUsage),
        ctx.send(&registry::address(), &KeyUsage),
    )
    .await;
    let accounts = accounts?.kids;
    let KeyUsageReply::Kids(portals) = portals?;
    let vault = &ctx.app.vault;
    let configured: Vec<&str> = vault.kids().collect();
    let gone = accounts.keys().chain(portals.keys()).map(String::as_str);
    let gone: BTreeSet<&str> = gone.filter(|kid| !configured.contains(kid)).collect();
    let line = |kid| SealingKey {
        kid,
        configured: configured.contains(&kid),
        seals: vault.first_kid() == Some(kid),
        accounts: accounts.get(kid).copied().unwrap_or_default(),
        portal_sessions: portals.get(kid).copied().unwrap_or_default(),
    };
    let keys = configured.iter().copied().chain(gone).map(line).collect();
    Ok(Reply::json(200, &SealingKeys { keys }))
}
