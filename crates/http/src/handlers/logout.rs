//! `POST /auth/logout`: works with whatever token is left, and as often as it is asked for (in the spirit of RFC 7009).

use crate::answers::Message;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::cookies;
use crate::error::{FieldFault, Reason};
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use session::tokens::Verified;
use session::{Account, EndReason, Presented, Revoke, Revoked};

const TOKEN_BYTES_MAX: usize = 4096;

/// Ends the session of the access token, by bearer or by cookie, or else of `refresh_token`, and what else the body names of the same user. A token
/// may have expired, and its session be over: then it is as good as ended by this.
///
/// 1. Read the fields: 400, 413, 415, 422.
/// 2. The token that says who it is: 401 if no place has a genuine one; by cookie, 403 unless a page of ours has sent the request.
/// 3. The other tokens in the body: 422 if `access_token` is not genuine, or somebody else's. Such a `refresh_token` names no
///    session to end, and is left at that, as clients send along whichever they have (RFC 7009 §2.2).
/// 4. End the sessions in their objects, then everywhere else: 503 if one cannot be asked. Cookies are taken away.
pub async fn logout<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let mut given = |name| fields.optional_text(name, TOKEN_BYTES_MAX).filter(|token| !token.is_empty());
    let (access, refresh) = (given("access_token"), given("refresh_token"));
    let (keys, now) = (&ctx.app.keys, ctx.now());
    let access = access.map(|token| keys.read_access(&token, now));
    let refresh = refresh.map(|token| keys.read_refresh(&token, now));
    let shown = ctx.shown(false).and_then(|shown| keys.read_access(shown.text, now).map_err(Reason::from));
    let who = match (shown, &refresh) {
        (Ok(token), _) => token,
        (Err(reason @ (Reason::InvalidRequest | Reason::CrossSite)), _) => return Err(reason),
        (Err(_), Some(Ok(token))) => token.clone(),
        (Err(Reason::NotAuthenticated), Some(Err(error))) => return Err((*error).into()),
        (Err(reason), _) => return Err(ctx.no_user(reason).await),
    };
    let mut tokens = vec![who.clone()];
    for (field, token) in [("access_token", access), ("refresh_token", refresh)] {
        match token {
            None => {}
            Some(Ok(token)) if token.subject == who.subject => tokens.push(token),
            Some(_) if field == "refresh_token" => {}
            Some(_) => fields.fault(field, FieldFault::NotAllowed),
        }
    }
    fields.finish()?;
    tokens.dedup_by(|one, other| one.session_id == other.session_id);
    for token in &tokens {
        end(ctx, token).await?;
    }
    Ok(leave(ctx, Reply::json(200, &Message { message: "Logged out successfully" })))
}

/// The answer to a browser whose session is over.
pub fn leave<B: Backend>(ctx: &RequestContext<B>, reply: Reply) -> Reply {
    if ctx.head.cookie.is_some() { cookies::clear(&ctx.app, reply) } else { reply }
}

/// Ends the session of a genuine token, if it is not over.
async fn end<B: Backend>(ctx: &RequestContext<B>, token: &Verified) -> Result<(), Reason> {
    let id = &token.session_id;
    let Some(Revoked { ended, is_foreign }) = revoke(ctx, token).await? else { return Ok(()) };
    if is_foreign {
        return Err(Reason::SessionRevoked(None));
    }
    if ended.now {
        let user = ended.account.as_ref().and_then(Account::user);
        ctx.audit(&Audit {
            actor: user,
            user,
            session_id: Some(id.as_str()),
            ..Audit::of(Action::Logout, "ok")
        });
    }
    Ok(())
}

/// Ends the session of a genuine token, and tells everybody of it. Nothing, if nobody knows such a session; a foreign one stays
/// as it is.
pub async fn revoke<B: Backend>(
    ctx: &RequestContext<B>,
    token: &Verified,
) -> Result<Option<Revoked>, Reason> {
    let id = &token.session_id;
    let shown = Presented { subject: token.subject.clone(), generation: token.generation };
    let revoke = Revoke { reason: EndReason::Logout, token: Some(shown) };
    let Some(revoked) = ctx.session(id, &revoke).await? else { return Ok(None) };
    if !revoked.is_foreign {
        // Also if it was ended before: perhaps nobody has come to free its place yet.
        ctx.propagate_end(id, &revoked.ended).await;
    }
    Ok(Some(revoked))
}
