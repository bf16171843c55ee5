//! A user's own sessions: list, close one, close all.

use crate::access::{Caller, Shown};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::ids::{SessionId, UserId};
use base::rpc::Command;
use directory::{End, EndReply, Get, GetReply, UserObject};
use futures_util::future::join_all;
use serde_json::{Value, json};
use session::tokens::access_jti;
use session::{EndReason, Live, Owner, Peek, Presence};

impl<B: Backend> RequestContext<B> {
    /// The live sessions among these, with their ids, as their objects know them.
    pub async fn live_sessions(&self, ids: &[SessionId]) -> Result<Vec<(SessionId, Live)>, Reason> {
        let peeks = join_all(ids.iter().map(|id| self.session(id, &Peek))).await;
        let mut live = Vec::new();
        for (id, presence) in ids.iter().zip(peeks) {
            if let Some(Presence::Live(session)) = presence? {
                live.push((id.clone(), session));
            }
        }
        Ok(live)
    }

    /// The live sessions of a user, or of somebody externally authenticated.
    pub async fn sessions_of(&self, owner: Owner<'_>) -> Result<Vec<(SessionId, Live)>, Reason> {
        match self.owner(owner, &Get).await? {
            GetReply::User(profile) => {
                let ids: Vec<SessionId> = profile.slots.into_iter().map(|s| s.session_id).collect();
                self.live_sessions(&ids).await
            }
            GetReply::NoUser if matches!(owner, Owner::PostLogin(_)) => Ok(Vec::new()),
            GetReply::NoUser => Err(Reason::UserNotFound),
        }
    }
}

/// A session as listings show it: who and when, never a token.
pub fn session_json(id: &SessionId, live: &Live) -> Value {
    let device = live.device.clone().unwrap_or_default();
    json!({
        "id": id,
        "jti": access_jti(id, live.generation),
        "device_name": device.name,
        "user_agent": device.user_agent,
        "created_at": live.created_at.rfc3339(),
        "last_activity": live.last_activity.rfc3339(),
        "idle_expires_at": live.idle_expires_at.rfc3339(),
        "absolute_expires_at": live.absolute_expires_at.rfc3339(),
        "expires_at": live.expires_at().rfc3339(),
    })
}

/// `GET /auth/sessions`.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let sessions: Vec<Value> = ctx
        .sessions_of(caller.account.owner())
        .await?
        .iter()
        .map(|(id, live)| {
            let mut session = session_json(id, live);
            if let Some(map) = session.as_object_mut() {
                map.insert("current".to_owned(), (*id == caller.session_id).into());
            }
            session
        })
        .collect();
    Ok(Reply::json(200, &json!({ "sessions": sessions })))
}

/// `DELETE /auth/sessions/{id}`. Another user's session is as unknown as one that is not there.
pub async fn close_one<B: Backend>(
    ctx: &RequestContext<B>,
    caller: &Caller,
    id: &str,
) -> Result<Reply, Reason> {
    let id = SessionId::parse(id).ok_or(Reason::SessionNotFound)?;
    let theirs = match ctx.session(&id, &Peek).await? {
        Some(Presence::Live(live)) => live.account.subject() == caller.account.subject(),
        Some(Presence::Ended(_) | Presence::Unknown) | None => false,
    };
    if !theirs {
        return Err(Reason::SessionNotFound);
    }
    ctx.end_session(&id, EndReason::Logout).await?;
    let user = caller.account.user();
    ctx.audit(&Audit {
        action: "close_session",
        outcome: "ok",
        actor: user,
        user,
        session_id: Some(id.as_str()),
        ..Audit::default()
    });
    Ok(Reply::empty(204))
}

/// `POST /auth/logout-all`, optionally `{"keep_current": true}`.
pub async fn close_all<B: Backend>(ctx: &mut RequestContext<B>, _: Shown) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let keep_current = fields.optional_bool("keep_current").unwrap_or_default();
    fields.finish()?;
    let caller = ctx.live_caller().await?.caller;
    let keep = keep_current.then(|| caller.session_id.clone());
    let end = End { only: None, keep, reason: EndReason::Logout, user_id: caller.account.user() };
    let (_, closed) = close(ctx, caller.account.owner(), &end, EndReason::Logout).await?;
    let user = caller.account.user();
    ctx.audit(&Audit { action: "logout_all", outcome: "ok", actor: user, user, ..Audit::default() });
    Ok(Reply::json(200, &json!({ "message": "Logged out successfully", "closed_sessions": closed.len() })))
}

/// Ends what the user's object takes off its list for `end`. Says whose sessions they were, and which.
pub async fn close<B: Backend>(
    ctx: &RequestContext<B>,
    owner: Owner<'_>,
    end: &impl Command<Object = UserObject, Reply = EndReply>,
    reason: EndReason,
) -> Result<(Option<UserId>, Vec<SessionId>), Reason> {
    match ctx.owner(owner, end).await? {
        EndReply::Sessions(affected) => {
            ctx.end_sessions(&affected.sessions, reason).await?;
            Ok((affected.profile.account.user(), affected.sessions))
        }
        // Nobody remembers somebody externally authenticated who has no session.
        EndReply::NoUser if matches!(owner, Owner::PostLogin(_)) => Ok((None, Vec::new())),
        EndReply::NoUser => Err(Reason::UserNotFound),
    }
}
