//! `POST /auth/reauthenticate`: whoever has a session proves once more who they are.

use super::guessing::Failed;
use super::refresh::{cookie_reply, remembered, token_reply};
use crate::access::{LiveCaller, access_refused};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::ids::UserId;
use base::secret::Secret;
use directory::password::PASSWORD_BYTES_MAX;
use directory::{CheckPassword, CheckPasswordReply, Outcome};
use session::{Pair, Reauthenticate, RotateReply};

/// Compares the password, and gives the same session new tokens (ASVS 5.0, 7.2.4) that say when that was.
///
/// 1. Check the caller: 401; 403 for somebody who is externally authenticated.
/// 2. Read the field: 400, 413, 415, 422.
/// 3. Count the attempt for the client's address: 429. A token that was stolen is no way around what a login is held to.
/// 4. The user's object compares the password: 401, 403, 429. The session goes on in any case.
/// 5. The session's object makes the tokens: 401 if it has ended meanwhile.
pub async fn reauthenticate<B: Backend>(
    ctx: &mut RequestContext<B>,
    live: &LiveCaller,
) -> Result<Reply, Reason> {
    let caller = &live.caller;
    let user_id = caller.account.user().ok_or(Reason::NoPassword)?;
    let mut fields = ctx.fields().await?;
    let password = Secret::new(fields.text("password", PASSWORD_BYTES_MAX));
    fields.finish()?;
    let outcome = match check(ctx, &caller.account.username, user_id, password).await {
        Ok(()) => tokens(ctx, live, user_id).await,
        Err(Failed { reason, .. }) => Err(reason),
    };
    let code = outcome.as_ref().map_or_else(Reason::code, |_| "ok");
    let (user, session_id) = (Some(user_id), Some(caller.session_id.as_str()));
    ctx.audit(&Audit { actor: user, user, session_id, ..Audit::of(Action::Reauthenticate, code) });
    let pair = outcome?;
    // Whoever came by cookie gets nothing that a script could read.
    if ctx.shown(true)?.by_cookie {
        cookie_reply(ctx, &caller.session_id, &pair)
    } else {
        Ok(token_reply(&pair))
    }
}

async fn check<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    user_id: UserId,
    password: Secret,
) -> Result<(), Failed> {
    let guesser = ctx.guesser(username).await?;
    let check = CheckPassword {
        password,
        user_id,
        address: guesser.address.clone(),
        device: guesser.device.clone(),
        refusal: guesser.refusal,
    };
    let reply = ctx.user(username, &check).await;
    let outcome = match &reply {
        Ok(CheckPasswordReply::Refused(_)) => Outcome::Failed,
        Ok(CheckPasswordReply::Throttled(_) | CheckPasswordReply::NoUser) | Err(_) => Outcome::Open,
        Ok(_) => Outcome::Right,
    };
    ctx.guessed(&guesser, outcome);
    let reason = match reply? {
        CheckPasswordReply::Right => return Ok(()),
        CheckPasswordReply::Refused(refused) => return Err(ctx.wrong(refused).await),
        CheckPasswordReply::Throttled(throttled) => return Err(ctx.held_off(throttled).await),
        CheckPasswordReply::Inactive => Reason::UserInactive,
        CheckPasswordReply::MustChangePassword => Reason::PasswordChangeRequired,
        CheckPasswordReply::NoUser => Reason::SessionRevoked(None),
    };
    Err(ctx.refused(reason, Some(user_id), 0).await)
}

async fn tokens<B: Backend>(
    ctx: &RequestContext<B>,
    LiveCaller { caller, generation, .. }: &LiveCaller,
    user_id: UserId,
) -> Result<Pair, Reason> {
    let id = &caller.session_id;
    // When the request came: the password was given no later than that.
    let (at, change_id) = (ctx.head.started, ctx.change_id()?);
    let again = Reauthenticate { generation: *generation, user_id, at, change_id };
    let reply = remembered(&ctx.backend, id, ctx.session(id, &again).await?).await;
    match reply {
        Some(RotateReply::Tokens(tokens)) => Ok(tokens.pair),
        Some(RotateReply::Ended(ended) | RotateReply::Reused(ended)) => {
            if ended.now {
                ctx.propagate_end(id, &ended).await;
            }
            Err(access_refused(ended.reason))
        }
        Some(RotateReply::Unknown) | None => Err(Reason::SessionRevoked(None)),
    }
}
