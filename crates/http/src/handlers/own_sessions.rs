//! A user's own sessions: list, close one, close all.

use super::logout::leave;
use super::user_change::{By, follow};
use crate::access::{Caller, LiveCaller, Shown, access_refused};
use crate::answers::Time;
use crate::answers::sessions::{ClosedSessions, CurrentSession, OwnSessions, Session};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::ids::SessionId;
use base::together::together;
use directory::{End, EndReply, Get, GetReply};
use session::tokens::access_jti;
use session::{EndReason, Live, Owner, Peek, Presence};

/// What is known of some sessions. One object that cannot be asked hides no other.
#[derive(Default)]
pub struct Listed {
    /// Those that are live, with their ids, as their objects know them.
    pub live: Vec<(SessionId, Live)>,
    pub unreachable: Vec<SessionId>,
}

impl<B: Backend> RequestContext<B> {
    /// The live sessions among these.
    pub async fn live_sessions(&self, ids: &[SessionId]) -> Listed {
        let peeks = together(ids.iter().map(|id| self.session(id, &Peek))).await;
        let mut listed = Listed::default();
        for (id, presence) in ids.iter().zip(peeks) {
            match presence {
                Ok(Some(Presence::Live(session))) => listed.live.push((id.clone(), session)),
                Ok(Some(Presence::Ended(_) | Presence::Unknown) | None) => {}
                // The call has logged its failure.
                Err(_) => listed.unreachable.push(id.clone()),
            }
        }
        listed
    }

    /// The sessions that somebody has places for, whether open or not yet. Nobody has none: what is meant for them and comes late
    /// ends nothing of whoever is there by then.
    pub async fn places_of(&self, owner: Owner<'_>) -> Result<Vec<SessionId>, Reason> {
        Ok(match self.owner(owner, &Get).await? {
            GetReply::User(profile) => profile.slots.into_iter().map(|s| s.session_id).collect(),
            GetReply::NoUser => Vec::new(),
        })
    }

    /// The live sessions of a user, or of somebody externally authenticated.
    pub async fn sessions_of(&self, owner: Owner<'_>) -> Result<Listed, Reason> {
        match self.owner(owner, &Get).await? {
            GetReply::User(profile) => {
                let ids: Vec<SessionId> = profile.slots.into_iter().map(|s| s.session_id).collect();
                Ok(self.live_sessions(&ids).await)
            }
            GetReply::NoUser if matches!(owner, Owner::PostLogin(_)) => Ok(Listed::default()),
            GetReply::NoUser => Err(Reason::UserNotFound),
        }
    }
}

/// A session as listings show it.
pub fn session<'a>(id: &'a SessionId, live: &'a Live) -> Session<'a> {
    let device = live.device.as_ref();
    Session {
        id,
        jti: access_jti(id, live.generation),
        device_name: device.and_then(|device| device.name.as_deref()),
        user_agent: device.and_then(|device| device.user_agent.as_deref()),
        created_at: Time::utc(live.created_at),
        last_activity: Time::utc(live.last_activity),
        idle_expires_at: Time::utc(live.idle_expires_at),
        absolute_expires_at: Time::utc(live.absolute_expires_at),
        expires_at: Time::utc(live.expires_at()),
        current: None,
        user_id: None,
        username: None,
        state: None,
    }
}

/// `GET /auth/session`. What a touch does not say, a look does.
pub async fn current<B: Backend>(
    ctx: &RequestContext<B>,
    LiveCaller { caller, .. }: &LiveCaller,
) -> Result<Reply, Reason> {
    let id = &caller.session_id;
    let live = match ctx.session(id, &Peek).await? {
        Some(Presence::Live(live)) => live,
        Some(Presence::Ended(ended)) => return Err(access_refused(ended.reason)),
        Some(Presence::Unknown) | None => return Err(Reason::SessionRevoked(None)),
    };
    let Session { device_name, user_agent, created_at, last_activity, expires_at, .. } = session(id, &live);
    let body = CurrentSession {
        session_id: id,
        user_id: live.account.user(),
        username: &live.account.username,
        roles: &live.account.roles,
        device_name,
        user_agent,
        created_at,
        last_activity,
        auth_time: caller.authenticated_at.map(Time::utc),
        idle_expires_at: Time::utc(live.idle_expires_at),
        absolute_expires_at: Time::utc(live.absolute_expires_at),
        expires_at,
        inactivity_timeout: ctx.app.config.session.idle.as_secs(),
        server_time: Time::utc(ctx.now()),
    };
    Ok(Reply::json(200, &body))
}

/// `GET /auth/sessions`.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, caller: &Caller) -> Result<Reply, Reason> {
    let Listed { live, unreachable } = ctx.sessions_of(caller.account.owner()).await?;
    let sessions = live
        .iter()
        .map(|(id, live)| Session { current: Some(*id == caller.session_id), ..session(id, live) })
        .collect();
    Ok(Reply::json(200, &OwnSessions { sessions, unreachable: &unreachable }))
}

/// Ending others and staying is for whoever has proved lately who they are (ASVS 5.0, 7.5.2): a stolen token must not shut its user
/// out. Somebody externally authenticated has nothing to prove it with here. Ending one's own asks for nothing.
fn may_end_others<B: Backend>(ctx: &RequestContext<B>, caller: &Caller) -> Result<(), Reason> {
    match caller.account.user() {
        Some(_) => caller.recently_authenticated(ctx.app.config.recent_login, ctx.now()),
        None => Ok(()),
    }
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
    if id != caller.session_id {
        may_end_others(ctx, caller)?;
    }
    ctx.end_session(&id, EndReason::Logout).await?;
    let user = caller.account.user();
    ctx.audit(&Audit {
        actor: user,
        user,
        session_id: Some(id.as_str()),
        ..Audit::of(Action::CloseSession, "ok")
    });
    Ok(Reply::empty(204))
}

/// `POST /auth/logout-all`, optionally `{"keep_current": true}`.
pub async fn close_all<B: Backend>(ctx: &mut RequestContext<B>, _: Shown) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let keep_current = fields.optional_bool("keep_current").unwrap_or_default();
    fields.finish()?;
    let caller = ctx.live_caller().await?.caller;
    if keep_current {
        may_end_others(ctx, &caller)?;
    }
    let keep = keep_current.then(|| caller.session_id.clone());
    let by = By { action: Action::LogoutAll, actor: caller.account.user() };
    let closed = close_all_of(ctx, caller.account.owner(), EndReason::Logout, keep, by).await?;
    let body = ClosedSessions { message: Some("Logged out successfully"), closed_sessions: closed };
    let reply = Reply::json(200, &body);
    Ok(if keep_current { reply } else { leave(ctx, reply) })
}

/// Ends all sessions of somebody, but the one that is kept. Recorded when the owner's object has taken them off its list, and
/// once more when they have ended: 503 if one cannot be reached, which that object's alarm then ends. Gives their number.
pub async fn close_all_of<B: Backend>(
    ctx: &RequestContext<B>,
    owner: Owner<'_>,
    reason: EndReason,
    keep: Option<SessionId>,
    By { action, actor }: By,
) -> Result<usize, Reason> {
    // A user's id would be one call more where only the name is known, and the name is what is meant.
    let user_id = actor.filter(|_| reason == EndReason::Logout);
    let (change_id, among) = (Some(ctx.change_id()?), Some(ctx.places_of(owner).await?));
    let end = End { only: None, keep, reason, user_id, change_id, among };
    let affected = match ctx.owner(owner, &end).await? {
        EndReply::Sessions(affected) => Some(affected),
        // Nobody remembers somebody externally authenticated who has no session.
        EndReply::NoUser if matches!(owner, Owner::PostLogin(_)) => None,
        EndReply::NoUser => return Err(Reason::UserNotFound),
    };
    let customer = match owner {
        Owner::PostLogin(subject) => Some(ctx.app.vault.fingerprint("customer", subject)),
        Owner::User(_) => None,
    };
    let closed = affected.as_ref().map_or(0, |affected| affected.sessions.len());
    let user = affected.as_ref().and_then(|affected| affected.profile.account.user());
    ctx.audit(&Audit {
        actor,
        user,
        customer: customer.as_deref(),
        sessions: Some(closed),
        ..Audit::of(action, "ok")
    });
    if let Some(affected) = &affected {
        follow(ctx, affected, actor).await?;
    }
    Ok(closed)
}
