//! `POST /admin/users/{username}/unlock`: whoever guesses at a user's password no longer keeps them out.

use crate::access::RecentAdmin;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use directory::{Get, GetReply, Unlock, username};

/// Forgets the failures of the user's logins. The password stays, and so do the sessions.
pub async fn unlock<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &RecentAdmin,
    text: &str,
) -> Result<Reply, Reason> {
    let username = username::canonical(text).ok_or(Reason::UserNotFound)?;
    let user_id = match ctx.user(&username, &Get).await? {
        GetReply::User(profile) => profile.account.user_id,
        GetReply::NoUser => return Err(Reason::UserNotFound),
    };
    ctx.user(&username, &Unlock { user_id }).await?;
    let (actor, user) = (Some(admin.user_id()), Some(user_id));
    ctx.audit(&Audit { actor, user, ..Audit::of(Action::UnlockUser, "ok") });
    Ok(Reply::empty(204))
}
