//! The way back in where nobody who knows a password is an admin any more.

use super::admin_users::{name, user};
use super::own_password;
use super::user_change::{self, By, Wanted, profile};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use crate::request::Incoming as _;
use base::audit::Action;
use base::ids::UserId;
use base::secret::Secret;
use directory::ADMIN;
use directory::index::{ClaimReply, ClaimReset};
use directory::password::PASSWORD_BYTES_MAX;

/// The secret of a request that was the right one. Only [`shown`] says so.
pub struct ResetKey(Secret);

/// The secret, if there is one and this is it: 403.
pub fn shown<B: Backend>(ctx: &RequestContext<B>) -> Result<ResetKey, Reason> {
    let given = ctx.request.header("x-admin-reset-key").unwrap_or_default();
    match &ctx.app.config.admin_reset_key {
        Some(key) if key.matches(&given) => Ok(ResetKey(key.clone())),
        _ => Err(refused(ctx, Reason::Forbidden, None)),
    }
}

fn refused<B: Backend>(ctx: &RequestContext<B>, reason: Reason, user: Option<UserId>) -> Reason {
    ctx.audit(&Audit { user, ..Audit::of(Action::ResetAdmin, reason.code()) });
    reason
}

/// `POST /admin/users/{username}/reset`: the user is an active admin with a new password, and all of their sessions end.
/// Once for each value of the secret.
///
/// 1. Check the secret: 403.
/// 2. Read the field: 400, 413, 415, 422. Find the user: 404.
/// 3. The directory keeps the secret for this user, 403 if it is another one's. The user's object uses it, once: 403.
/// 4. The sessions are ended: 503 if one cannot be reached. The change is made then.
pub async fn reset<B: Backend>(
    ctx: &mut RequestContext<B>,
    ResetKey(key): &ResetKey,
    text: &str,
) -> Result<Reply, Reason> {
    let username = name(text)?;
    let mut fields = ctx.fields().await?;
    let password = fields.text("password", PASSWORD_BYTES_MAX);
    if !password.is_empty() {
        own_password::check(&mut fields, "password", &password, &username);
    }
    fields.finish()?;
    let before = profile(ctx, &username).await?;
    let user_id = before.account.user_id;
    let secret = ClaimReset::hash(key);
    if ctx.directory(&ClaimReset { secret: secret.clone(), user_id }).await? == ClaimReply::Used {
        return Err(refused(ctx, Reason::Forbidden, Some(user_id)));
    }
    let mut roles = before.account.roles;
    roles.push(ADMIN.to_owned());
    roles.sort_unstable();
    roles.dedup();
    let wanted = Wanted {
        roles: Some(roles),
        is_active: Some(true),
        password: Some(Secret::new(password)),
        must_change: None,
        removing: false,
        reset: Some(secret),
    };
    let by = By { action: Action::ResetAdmin, actor: None };
    let affected = user_change::change(ctx, &username, Some(user_id), &wanted, by)
        .await
        .map_err(|reason| refused(ctx, reason, Some(user_id)))?;
    user_change::follow(ctx, &affected, None).await?;
    Ok(Reply::json(200, &user(&affected.profile)))
}
