//! Admin routes for sessions.

use super::edge::Edge;
use super::own_sessions::{close, session_json};
use crate::objects::directory as index;
use crate::platform;
use ::directory;
use ::session::{self, Command, EndReason, Live, Owner};
use http::error::{FieldFault, Reason};
use http::log::Audit;
use http::reply::Reply;
use http::route::query_values;
use serde_json::{Value, json};

/// Sessions on one page of the list of all. Each costs one call to an object; Cloudflare allows 1,000 such calls to a
/// request on its paid plan and 50 on its free one, which this leaves room in.
const PAGE: u64 = 40;
const PAGE_MAX: u64 = 500;
/// What one sweep looks at, at most, of KV's records and of users.
const SWEEP_SESSIONS: u64 = 400;
const SWEEP_USERS: u32 = 100;

/// `GET /admin/sessions/active`: those of the user that `user_id` names; else all, page by page (`limit`, `cursor`).
pub async fn active(edge: &Edge) -> Result<Reply, Reason> {
    edge.admin().await?;
    let query = edge.context.query.clone();
    if let Some(text) = query_values(&query, "user_id").next() {
        let user_id = text.parse().map_err(|_| Reason::field("user_id", FieldFault::WrongType))?;
        let username = username(edge, user_id).await?;
        let sessions = edge.sessions_of(Owner::User(&username)).await?;
        return Ok(Reply::json(200, &listing(Some(user_id), &sessions, None)));
    }
    let limit = page_limit(&query)?;
    let cursor = query_values(&query, "cursor").next().filter(|c| !c.is_empty());
    // A cursor that KV does not know is the caller's fault; that KV cannot be asked is ours.
    let given = cursor.is_some();
    let page = edge.kv()?.list_sessions(limit, cursor).await.map_err(|error| {
        let reason = edge.fault("kv list", &error);
        if given { Reason::field("cursor", FieldFault::NotAllowed) } else { reason }
    })?;
    let sessions = edge.live_sessions(&page.session_ids).await?;
    Ok(Reply::json(200, &listing(None, &sessions, page.cursor.as_deref())))
}

/// The `limit` of a query, within bounds.
pub fn page_limit(query: &str) -> Result<u64, Reason> {
    match query_values(query, "limit").next() {
        None => Ok(PAGE),
        Some(text) => match text.parse() {
            Ok(n) if (1..=PAGE_MAX).contains(&n) => Ok(n),
            _ => Err(Reason::field("limit", FieldFault::NotAllowed)),
        },
    }
}

async fn username(edge: &Edge, user_id: u64) -> Result<String, Reason> {
    match edge.directory(&index::Command::Name { user_id }).await? {
        index::Reply::Users(found) => {
            found.into_iter().next().map(|u| u.username).ok_or(Reason::UserNotFound)
        }
        _ => Err(Reason::Internal),
    }
}

fn listing(user_id: Option<u64>, sessions: &[(String, Live)], cursor: Option<&str>) -> Value {
    let list: Vec<Value> = sessions
        .iter()
        .map(|(id, live)| {
            let mut session = session_json(id, live);
            if let Some(map) = session.as_object_mut() {
                map.insert("user_id".to_owned(), live.account.user().into());
                map.insert("username".to_owned(), live.account.username.clone().into());
            }
            session
        })
        .collect();
    json!({ "user_id": user_id, "active_sessions": list.len(), "sessions": list, "next_cursor": cursor })
}

/// `DELETE /admin/sessions/{id}`.
pub async fn close_one(edge: &Edge, id: &str) -> Result<Reply, Reason> {
    let admin = edge.admin().await?;
    let session::Reply::Live(live) = edge.session(id, &Command::Peek).await? else {
        return Err(Reason::SessionNotFound);
    };
    let end = directory::Command::End { only: Some(id.to_owned()), keep: None, reason: EndReason::Admin };
    close(edge, live.account.owner(), &end, EndReason::Admin).await?;
    // Also if its user's list has lost it.
    edge.end_session(id, EndReason::Admin).await?;
    edge.audit(&Audit {
        action: "admin_close_session",
        outcome: "ok",
        actor: Some(admin.account.user_id),
        user: live.account.user(),
        session_id: Some(id),
        ..Audit::default()
    });
    Ok(Reply::empty(204))
}

/// `POST /admin/sessions/cleanup`: ends what a lost alarm left behind. Looks at KV's records and at the users' lists, a
/// bounded number of each; `next_cursor` says that there is more.
pub async fn cleanup(edge: &Edge) -> Result<Reply, Reason> {
    let admin = edge.admin().await?;
    let (kv_cursor, after) = sweep_cursor(&edge.context.query)?;
    let now = platform::now();
    let kv = edge.kv()?;
    let page = kv.list_sessions(SWEEP_SESSIONS, kv_cursor).await.map_err(|e| edge.fault("kv list", &e))?;
    let list = index::Command::List { after, limit: SWEEP_USERS };
    let index::Reply::Users(users) = edge.directory(&list).await? else { return Err(Reason::Internal) };
    let last_user = if users.len() == SWEEP_USERS as usize { users.last().map(|u| u.id) } else { None };

    let mut ids = page.session_ids.clone();
    for user in users {
        if let directory::Reply::User(profile) = edge.user(&user.username, &directory::Command::Get).await? {
            ids.extend(
                profile
                    .slots
                    .into_iter()
                    .filter(|s| s.reserved_until.is_none_or(|t| t <= now))
                    .map(|s| s.session_id),
            );
        }
    }
    ids.sort_unstable();
    ids.dedup();
    let mut cleaned = 0_u32;
    for id in ids {
        match edge.session(&id, &Command::Expire).await? {
            session::Reply::Live(_) => {}
            session::Reply::Ended(ended) if !ended.settled => {
                edge.settle(&id, &ended).await;
                cleaned += 1;
            }
            // Nobody knows it, or its end was told and something was left all the same.
            _ => {
                kv.delete_session(&id).await.map_err(|e| edge.fault("kv delete", &e))?;
                cleaned += 1;
            }
        }
    }
    let actor = Some(admin.account.user_id);
    edge.audit(&Audit { action: "cleanup", outcome: "ok", actor, user: None, ..Audit::default() });
    let next = (page.cursor.is_some() || last_user.is_some())
        .then(|| format!("{}.{}", last_user.unwrap_or(u64::from(u32::MAX)), page.cursor.unwrap_or_default()));
    Ok(Reply::json(200, &json!({ "cleaned_sessions": cleaned, "next_cursor": next })))
}

/// Where the last sweep stopped: the last user's id and KV's cursor.
fn sweep_cursor(query: &str) -> Result<(Option<String>, u64), Reason> {
    let Some(text) = query_values(query, "cursor").next() else { return Ok((None, 0)) };
    let wrong = || Reason::field("cursor", FieldFault::NotAllowed);
    let (after, kv) = text.split_once('.').ok_or_else(wrong)?;
    let kv = Some(kv.to_owned()).filter(|c| !c.is_empty());
    Ok((kv, after.parse().map_err(|_| wrong())?))
}
