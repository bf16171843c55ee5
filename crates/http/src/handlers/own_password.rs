//! `POST /auth/password`: a user's own new password.

use super::guessing::Failed;
use super::user_change::follow;
use crate::access::Caller;
use crate::answers::sessions::ClosedSessions;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::secret::Secret;
use directory::password::{PASSWORD_BYTES_MAX, Weakness, same, weakness};
use directory::{AffectedSessions, ChangePassword, ChangePasswordReply, NewPassword, Outcome, username};
use session::Owner;

/// Changes the password of the session's user and ends the other sessions; or, without a session, that of `username`, who may
/// get none before (403 `password_change_required` at login), and ends all.
///
/// 1. Check the caller, if a bearer says who it is, or a cookie where `username` does not: 401; 403 for somebody who is externally authenticated.
/// 2. Read the fields, and look whether the new password may be set: 400, 413, 415, 422.
/// 3. Count the attempt for the client's address: 429.
/// 4. The user's object compares the old password and stores the new one: 401, 403, 429.
/// 5. End the sessions: 503 if one cannot be reached. The password is changed then.
pub async fn change<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    // A browser sends the cookie of a session that may long be over, whoever `username` says that it is.
    let by_cookie = ctx.head.cookie.is_some() && !fields.has("username");
    let caller = if by_cookie || ctx.head.authorization.is_some() {
        Some(ctx.live_caller().await?.caller)
    } else {
        None
    };
    let username = match &caller {
        Some(caller) if caller.account.user().is_none() => return Err(Reason::Forbidden),
        Some(caller) => caller.account.username.clone(),
        None => {
            let named = fields.text("username", 512);
            let canonical = username::canonical(&named);
            if canonical.is_none() && !named.is_empty() {
                fields.fault("username", FieldFault::NotAllowed);
            }
            canonical.unwrap_or_default()
        }
    };
    let old = fields.text("old_password", PASSWORD_BYTES_MAX);
    let new = fields.text("new_password", PASSWORD_BYTES_MAX);
    if !new.is_empty() {
        check(&mut fields, "new_password", &new, &username);
        if same(&old, &new) {
            fields.fault("new_password", FieldFault::NotAllowed);
        }
    }
    fields.finish()?;
    let (old, new) = (Secret::new(old), NewPassword(Secret::new(new)));
    let outcome = changed(ctx, &username, caller.as_ref(), old, new).await;
    let (outcome, affected) = match outcome {
        Ok(affected) => (("ok", affected.profile.account.user()), Ok(affected)),
        Err(Failed { reason, user }) => ((reason.code(), user), Err(reason)),
    };
    // It is true from here on, whatever becomes of the sessions.
    let actor = caller.as_ref().and_then(|caller| caller.account.user());
    let (outcome, user) = outcome;
    ctx.audit(&Audit { actor, user, ..Audit::of(Action::ChangePassword, outcome) });
    let affected = affected?;
    follow(ctx, &affected, actor).await?;
    let closed = affected.sessions.len();
    Ok(Reply::json(200, &ClosedSessions { message: Some("Password changed"), closed_sessions: closed }))
}

async fn changed<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    caller: Option<&Caller>,
    old: Secret,
    new: NewPassword,
) -> Result<AffectedSessions, Failed> {
    // Whose session it is, is no guess.
    let guesser = match caller {
        None => Some(ctx.guesser(username).await?),
        Some(_) => None,
    };
    let address = match &guesser {
        Some(guesser) => guesser.address.clone(),
        None => ctx.counted_address().await?,
    };
    let mut change = ChangePassword {
        old,
        new,
        address,
        nobody: guesser.as_ref().and_then(|guesser| guesser.nobody),
        refusal: guesser.as_ref().and_then(|guesser| guesser.refusal),
        user_id: caller.map(|caller| caller.account.user_id),
        keep: caller.map(|caller| caller.session_id.clone()),
        among: None,
    };
    let mut reply = match ctx.places_of(Owner::User(username)).await {
        Ok(places) => {
            change.among = Some(places);
            ctx.user(username, &change).await
        }
        Err(reason) => Err(reason),
    };
    if matches!(reply, Ok(ChangePasswordReply::Overtaken)) {
        change.among = None;
        reply = ctx.user(username, &change).await;
    }
    if let Some(guesser) = &guesser {
        let outcome = match &reply {
            Ok(ChangePasswordReply::Refused(_)) => Outcome::Failed,
            Ok(ChangePasswordReply::Throttled(_) | ChangePasswordReply::Overtaken) | Err(_) => Outcome::Open,
            Ok(_) => Outcome::Right,
        };
        ctx.guessed(guesser, outcome);
    }
    Err(match reply? {
        ChangePasswordReply::Changed(affected) => return Ok(affected),
        ChangePasswordReply::Refused(refused) => ctx.wrong(refused).await,
        ChangePasswordReply::Throttled(throttled) => ctx.held_off(throttled).await,
        ChangePasswordReply::Inactive { user_id } => {
            ctx.refused(Reason::UserInactive, Some(user_id), 0).await
        }
        ChangePasswordReply::NoUser => Reason::SessionRevoked(None).into(),
        ChangePasswordReply::Failed => Reason::Internal.into(),
        ChangePasswordReply::Overtaken => Reason::Unavailable.into(),
    })
}

/// Names a new password that may not be set.
pub fn check(fields: &mut Fields, field: &'static str, password: &str, username: &str) {
    match weakness(password, username) {
        None => {}
        Some(Weakness::TooShort) => fields.fault(field, FieldFault::TooShort),
        Some(Weakness::Common) => fields.fault(field, FieldFault::TooCommon),
    }
}
