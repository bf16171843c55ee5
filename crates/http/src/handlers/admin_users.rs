//! Admin routes for users.

use super::admin_sessions::page_limit;
use super::own_password;
use super::own_sessions::close_all_of;
use super::user_change::{self, Wanted, profile};
use crate::access::{Admin, RecentAdmin};
use crate::answers::Time;
use crate::answers::sessions::ClosedSessions;
use crate::answers::users::{User, Users};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use crate::log::Audit;
use crate::reply::Reply;
use crate::request::Incoming as _;
use crate::route::query_values;
use base::audit::Action;
use base::ids::UserId;
use base::secret::Secret;
use base::together::together;
use directory::index::{self, AdminReply, Register, RegisterReply};
use directory::password::PASSWORD_BYTES_MAX;
use directory::{
    ADMIN, AffectedSessions, Create, CreateReply, End, EndReply, Get, GetReply, Profile, RemoveUser,
    RequireNewPassword, username,
};
use session::{EndReason, Owner};

const ROLES_MAX: usize = 20;
const ROLE_BYTES_MAX: usize = 64;
/// The role of a user who is given none.
const USER: &str = "user";

/// Who makes a user. Only [`maker`] says so.
pub struct Maker(By);

enum By {
    Admin(RecentAdmin),
    /// The holder of the bootstrap key, while there is no admin.
    Bootstrap,
}

pub fn user(profile: &Profile) -> User<'_> {
    let account = &profile.account;
    User {
        id: Some(account.user_id),
        username: &account.username,
        roles: &account.roles,
        is_active: profile.is_active,
        created_at: Time::utc(account.created_at),
        must_change_password: profile.must_change_password,
    }
}

/// A name from a path. One that can be nobody's is not found.
pub fn name(text: &str) -> Result<String, Reason> {
    username::canonical(text).ok_or(Reason::UserNotFound)
}

fn roles(fields: &mut Fields) -> Option<Vec<String>> {
    let mut roles = fields.optional_list("roles")?;
    roles.sort_unstable();
    roles.dedup();
    // They travel in a header, separated by commas.
    let fine = |role: &String| {
        (1..=ROLE_BYTES_MAX).contains(&role.len())
            && role.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    if roles.len() > ROLES_MAX || !roles.iter().all(fine) {
        fields.fault("roles", FieldFault::NotAllowed);
    }
    Some(roles)
}

/// `POST /admin/users`.
///
/// 1. Check the caller: an admin who has logged in recently, or the bootstrap key with a user who is to be an admin: 401, 403.
/// 2. Read the fields: 400, 413, 415, 422.
/// 3. The directory gives the id; the user's object makes the account: 403, 409.
pub async fn create<B: Backend>(ctx: &mut RequestContext<B>, maker: &Maker) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let wanted = fields.text("username", 512);
    let password = fields.text("password", PASSWORD_BYTES_MAX);
    let roles = roles(&mut fields).unwrap_or_else(|| vec![USER.to_owned()]);
    let canonical = username::canonical(&wanted);
    if canonical.is_none() && !wanted.is_empty() {
        fields.fault("username", FieldFault::NotAllowed);
    }
    let username = canonical.unwrap_or_default();
    if !password.is_empty() {
        own_password::check(&mut fields, "password", &password, &username);
    }
    fields.finish()?;
    let admin = roles.iter().any(|r| r == ADMIN);
    let bootstrap = matches!(maker, Maker(By::Bootstrap));
    if bootstrap && !admin {
        return Err(refused_bootstrap(ctx));
    }
    // Noted as an admin only once the account is there; the bootstrap key's work is claimed first, so that it is done once.
    let register = Register { username: username.clone(), admin: bootstrap, bootstrap };
    let user_id = match ctx.directory(&register).await? {
        RegisterReply::Id(id) => id,
        RegisterReply::AdminExists => return Err(refused_bootstrap(ctx)),
    };
    let create = Create { user_id, username: username.clone(), roles, password: Secret::new(password) };
    let profile = match ctx.user(&username, &create).await? {
        CreateReply::User(profile) => profile,
        CreateReply::Exists => return Err(Reason::UserExists),
        CreateReply::Failed => return Err(Reason::Internal),
    };
    let action = if bootstrap { Action::BootstrapAdmin } else { Action::CreateUser };
    let actor = if let Maker(By::Admin(admin)) = maker { Some(admin.user_id()) } else { None };
    ctx.audit(&Audit { actor, user: Some(user_id), ..Audit::of(action, "ok") });
    if admin {
        user_change::note_admin(ctx, &profile).await;
    }
    Ok(Reply::json(201, &user(&profile)))
}

pub async fn maker<B: Backend>(ctx: &RequestContext<B>) -> Result<Maker, Reason> {
    let Some(given) = ctx.request.header("x-bootstrap-key") else {
        return Ok(Maker(By::Admin(ctx.recent_admin().await?)));
    };
    match &ctx.app.config.bootstrap_key {
        Some(key) if key.matches(&given) => Ok(Maker(By::Bootstrap)),
        _ => Err(refused_bootstrap(ctx)),
    }
}

fn refused_bootstrap<B: Backend>(ctx: &RequestContext<B>) -> Reason {
    let outcome = Reason::Forbidden.code();
    ctx.audit(&Audit::of(Action::BootstrapAdmin, outcome));
    Reason::Forbidden
}

/// `GET /admin/users`, in the order of their ids (`limit`, `cursor`).
pub async fn list<B: Backend>(ctx: &RequestContext<B>, _: &Admin) -> Result<Reply, Reason> {
    let limit = page_limit(&ctx.head.query)?;
    let after = match query_values(&ctx.head.query, "cursor").next() {
        None => UserId::NOBODY,
        Some(text) => UserId::issued(
            text.parse::<u32>().map_err(|_| Reason::field("cursor", FieldFault::NotAllowed))?.into(),
        ),
    };
    let limit32 = u32::try_from(limit).unwrap_or(u32::MAX);
    let entries = ctx.directory(&index::List { after, limit: limit32 }).await?.users;
    let more = entries.len() as u64 == limit;
    let cursor = entries.last().filter(|_| more).map(|e| e.id.to_string());
    let replies = together(entries.iter().map(|e| ctx.user(&e.username, &Get))).await;
    let (mut profiles, mut unreachable) = (Vec::new(), Vec::new());
    for (entry, reply) in entries.iter().zip(replies) {
        match reply {
            Ok(GetReply::User(profile)) => profiles.push(profile),
            // A name whose account was never finished is not a user.
            Ok(GetReply::NoUser) => {}
            Err(_) => unreachable.push(entry.username.as_str()),
        }
    }
    let users = profiles.iter().map(user).collect();
    Ok(Reply::json(200, &Users { users, next_cursor: cursor, unreachable }))
}

/// `GET /admin/users/{username}`.
pub async fn read<B: Backend>(ctx: &RequestContext<B>, _: &Admin, text: &str) -> Result<Reply, Reason> {
    Ok(Reply::json(200, &user(&profile(ctx, &name(text)?).await?)))
}

/// `PATCH /admin/users/{username}`: any of `roles`, `is_active`, `password`, `must_change_password`. Disabling, or a new password, ends the
/// user's sessions before the answer; new roles hold in them from the next request.
///
/// 1. Check the caller, read the fields: 401, 403, 404, 422.
/// 2. The user's object changes the account; the directory refuses to lose the last active admin: 409.
/// 3. The sessions are ended or told: 503 if one cannot be reached. The change is made then.
pub async fn update<B: Backend>(
    ctx: &mut RequestContext<B>,
    admin: &RecentAdmin,
    text: &str,
) -> Result<Reply, Reason> {
    let username = name(text)?;
    let mut fields = ctx.fields().await?;
    let roles = roles(&mut fields);
    let is_active = fields.optional_bool("is_active");
    let password = fields.optional_text("password", PASSWORD_BYTES_MAX);
    if let Some(password) = &password {
        own_password::check(&mut fields, "password", password, &username);
    }
    let must_change = fields.optional_bool("must_change_password");
    fields.finish()?;
    let before = profile(ctx, &username).await?;
    let user_id = before.account.user_id;
    // Before the password: nobody gets in with it in between.
    if let Some(required) = must_change {
        let expected_version = Some(before.account_version);
        let require = RequireNewPassword { user_id, required, expected_version };
        match ctx.user(&username, &require).await? {
            GetReply::User(after) if after.must_change_password == required => {}
            // Somebody else has changed the account in between.
            GetReply::User(_) => return Err(Reason::Unavailable),
            GetReply::NoUser => return Err(Reason::UserNotFound),
        }
    }
    let password = password.map(Secret::new);
    let wanted = Wanted { roles, is_active, password, must_change, reset: None, removing: false };
    let actor = Some(admin.user_id());
    let by = user_change::By { action: Action::UpdateUser, actor };
    let affected = user_change::change(ctx, &username, Some(user_id), &wanted, by).await?;
    user_change::follow(ctx, &affected, actor).await?;
    Ok(Reply::json(200, &user(&affected.profile)))
}

/// `DELETE /admin/users/{username}`: ends the sessions and forgets the account. The id is never given again.
///
/// 1. The user is disabled, for good: from here on nothing else changes the account. The directory refuses to lose the last
///    active admin: 409.
/// 2. The sessions are ended: 503 if one cannot be reached. The user is still there then.
/// 3. The name is taken off the list, so that whoever is given it next has another id; then the account goes.
///
/// What fails on the way can be asked for again: each step finds done what was done.
pub async fn remove<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &RecentAdmin,
    text: &str,
) -> Result<Reply, Reason> {
    let username = name(text)?;
    let actor = Some(admin.user_id());
    let listed = ctx.directory(&index::Find { username: username.clone() }).await?.users.pop();
    let account = match ctx.user(&username, &Get).await? {
        GetReply::User(profile) => Some(profile),
        GetReply::NoUser => None,
    };
    let account_id = account.as_ref().map(|profile| profile.account.user_id);
    let user_id = account_id.or(listed.map(|entry| entry.id)).ok_or(Reason::UserNotFound)?;
    if let Some(profile) = account {
        let disabled = Wanted { is_active: Some(false), removing: true, ..Wanted::default() };
        let by = user_change::By { action: Action::UpdateUser, actor };
        user_change::change(ctx, &username, account_id, &disabled, by).await.map(drop).or_else(gone)?;
        // Also of those whose end had begun before.
        let reason = EndReason::Disabled;
        let change_id = Some(ctx.change_id()?);
        let among = Some(profile.slots.into_iter().map(|slot| slot.session_id).collect());
        let end = End { only: None, keep: None, reason, user_id: account_id, change_id, among };
        end_left(ctx, &username, &end, actor).await?;
    }
    match ctx.directory(&index::Remove { username: username.clone(), user_id: Some(user_id) }).await? {
        AdminReply::Done => {}
        // Made an admin again since, and by now the only one.
        AdminReply::LastAdmin | AdminReply::Changed => return Err(Reason::LastAdmin),
    }
    // Also where there is no account: one that is on its way must not come after this.
    let left = removed_from(ctx.user(&username, &RemoveUser { user_id }).await?);
    ctx.audit(&Audit { actor, user: Some(user_id), ..Audit::of(Action::DeleteUser, "ok") });
    if let Some(affected) = left {
        user_change::follow(ctx, &affected, actor).await?;
    }
    Ok(Reply::empty(204))
}

/// That the user is gone already is as good.
fn gone(reason: Reason) -> Result<(), Reason> {
    if reason == Reason::UserNotFound { Ok(()) } else { Err(reason) }
}

fn removed_from(reply: EndReply) -> Option<AffectedSessions> {
    match reply {
        EndReply::Sessions(affected) => Some(affected),
        EndReply::NoUser => None,
    }
}

/// Ends what is left of a user's sessions.
async fn end_left<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    end: &End,
    actor: Option<UserId>,
) -> Result<(), Reason> {
    match removed_from(ctx.user(username, end).await?) {
        Some(affected) => user_change::follow(ctx, &affected, actor).await,
        None => Ok(()),
    }
}

/// `DELETE /admin/users/{username}/sessions`.
pub async fn close_sessions<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &Admin,
    text: &str,
) -> Result<Reply, Reason> {
    let (username, actor) = (name(text)?, Some(admin.user_id()));
    let by = user_change::By { action: Action::AdminCloseSessions, actor };
    let closed = close_all_of(ctx, Owner::User(&username), EndReason::Admin, None, by).await?;
    Ok(Reply::json(200, &ClosedSessions { message: None, closed_sessions: closed }))
}
