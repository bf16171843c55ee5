//! Which sealing keys something still lies sealed under. Sessions are not counted: what is sealed of them runs out by itself.

use super::edge::Edge;
use crate::objects::portal_registry::{Command as Portals, Reply as PortalsSaid};
use crate::objects::roster::{Command as Accounts, Reply as AccountsSaid};
use crate::objects::rpc;
use futures_util::future::join;
use http::error::Reason;
use http::reply::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `GET /admin/sealing-keys`: which keys are configured, and which are still needed.
pub async fn list(edge: &Edge) -> Result<Reply, Reason> {
    edge.admin().await?;
    let (accounts, portals) =
        join(rpc::roster(&edge.env, &Accounts::Kids), rpc::portal_registry(&edge.env, &Portals::Kids)).await;
    let (AccountsSaid::Kids(accounts), PortalsSaid::Kids(portals)) = (accounts?, portals?) else {
        return Err(Reason::Internal);
    };
    let vault = &edge.app.vault;
    let configured: Vec<&str> = vault.kids().collect();
    let gone = accounts.keys().chain(portals.keys()).map(String::as_str);
    let gone: BTreeSet<&str> = gone.filter(|kid| !configured.contains(kid)).collect();
    let line = |kid: &str| {
        json!({
            "kid": kid,
            "configured": configured.contains(&kid),
            "seals": vault.first_kid() == Some(kid),
            "accounts": accounts.get(kid).unwrap_or(&0),
            "portal_sessions": portals.get(kid).unwrap_or(&0),
        })
    };
    let keys: Vec<Value> = configured.iter().copied().chain(gone).map(line).collect();
    Ok(Reply::json(200, &json!({ "keys": keys })))
}
