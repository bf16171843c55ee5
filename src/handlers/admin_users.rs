//! Admin routes for users.

use super::admin_sessions::page_limit;
use super::edge::Edge;
use super::own_sessions::close;
use crate::objects::directory as index;
use ::directory::password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use ::directory::{self, ADMIN, Command, NewPassword, Profile, Reply as UserReply, Task, username};
use ::session::{self, EndReason, Owner};
use base::secret::Secret;
use futures_util::future::join_all;
use http::error::{FieldFault, Reason};
use http::json::Fields;
use http::log::Audit;
use http::reply::Reply;
use http::route::query_values;
use serde_json::{Value, json};
use worker::Request;

const ROLES_MAX: usize = 20;
const ROLE_BYTES_MAX: usize = 64;
/// The role of a user who is given none.
const USER: &str = "user";

/// Who makes a user.
enum Maker {
    Admin(u64),
    /// The holder of the bootstrap key, while there is no admin.
    Bootstrap,
}

fn user_json(profile: &Profile) -> Value {
    let account = &profile.account;
    json!({
        "id": account.user_id,
        "username": account.username,
        "roles": account.roles,
        "is_active": profile.is_active,
        "created_at": account.created_at.rfc3339(),
    })
}

/// A name from a path. One that can be nobody's is not found.
fn name(text: &str) -> Result<String, Reason> {
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

fn check_password(fields: &mut Fields, password: &str) {
    if !password.is_empty() && password.chars().count() < PASSWORD_CHARS_MIN {
        fields.fault("password", FieldFault::TooShort);
    }
}

/// `POST /admin/users`.
///
/// 1. Check the caller: an admin, or the bootstrap key with a user who is to be an admin: 401, 403.
/// 2. Read the fields: 400, 413, 415, 422.
/// 3. The directory gives the id; the user's object makes the account: 403, 409.
pub async fn create(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    let maker = maker(edge, request).await?;
    let mut fields = edge.fields(request).await?;
    let wanted = fields.text("username", 512);
    let password = fields.text("password", PASSWORD_BYTES_MAX);
    check_password(&mut fields, &password);
    let roles = roles(&mut fields).unwrap_or_else(|| vec![USER.to_owned()]);
    let canonical = username::canonical(&wanted);
    if canonical.is_none() && !wanted.is_empty() {
        fields.fault("username", FieldFault::NotAllowed);
    }
    fields.finish()?;
    let username = canonical.unwrap_or_default();
    let admin = roles.iter().any(|r| r == ADMIN);
    let bootstrap = matches!(maker, Maker::Bootstrap);
    if bootstrap && !admin {
        return Err(refused_bootstrap(edge));
    }
    // Noted as an admin only once the account is there; the bootstrap key's work is claimed first, so that it is done once.
    let register = index::Command::Register { username: username.clone(), admin: bootstrap, bootstrap };
    let user_id = match edge.directory(&register).await? {
        index::Reply::Id(id) => id,
        index::Reply::AdminExists => return Err(refused_bootstrap(edge)),
        _ => return Err(Reason::Internal),
    };
    let create =
        Command::Create { user_id, username: username.clone(), roles, password: Secret::new(password) };
    let reply = edge.user(&username, &create).await?;
    let actor = if let Maker::Admin(id) = maker { Some(id) } else { None };
    match reply {
        UserReply::User(profile) => {
            edge.directory(&index::Command::SetAdmin { username, admin }).await?;
            let action = if bootstrap { "bootstrap_admin" } else { "create_user" };
            edge.audit(&Audit { action, outcome: "ok", actor, user: Some(user_id), ..Audit::default() });
            Ok(Reply::json(201, &user_json(&profile)))
        }
        UserReply::Exists => Err(Reason::UserExists),
        _ => Err(Reason::Internal),
    }
}

async fn maker(edge: &Edge, request: &Request) -> Result<Maker, Reason> {
    let Some(given) = request.headers().get("x-bootstrap-key").ok().flatten() else {
        return Ok(Maker::Admin(edge.admin().await?.account.user_id));
    };
    match &edge.app.config.bootstrap_key {
        Some(key) if key.matches(&given) => Ok(Maker::Bootstrap),
        _ => Err(refused_bootstrap(edge)),
    }
}

fn refused_bootstrap(edge: &Edge) -> Reason {
    let outcome = Reason::Forbidden.code();
    edge.audit(&Audit { action: "bootstrap_admin", outcome, actor: None, user: None, ..Audit::default() });
    Reason::Forbidden
}

/// `GET /admin/users`, in the order of their ids (`limit`, `cursor`).
pub async fn list(edge: &Edge) -> Result<Reply, Reason> {
    edge.admin().await?;
    let limit = page_limit(&edge.context.query)?;
    let after = match query_values(&edge.context.query, "cursor").next() {
        None => 0,
        Some(text) => {
            text.parse::<u32>().map_err(|_| Reason::field("cursor", FieldFault::NotAllowed))?.into()
        }
    };
    let limit32 = u32::try_from(limit).unwrap_or(u32::MAX);
    let index::Reply::Users(entries) =
        edge.directory(&index::Command::List { after, limit: limit32 }).await?
    else {
        return Err(Reason::Internal);
    };
    let more = entries.len() as u64 == limit;
    let cursor = entries.last().filter(|_| more).map(|e| e.id.to_string());
    let replies = join_all(entries.iter().map(|e| edge.user(&e.username, &Command::Get))).await;
    let mut users = Vec::new();
    for reply in replies {
        // A name whose account was never finished is not a user.
        if let UserReply::User(profile) = reply? {
            users.push(user_json(&profile));
        }
    }
    Ok(Reply::json(200, &json!({ "users": users, "next_cursor": cursor })))
}

/// `GET /admin/users/{username}`.
pub async fn read(edge: &Edge, text: &str) -> Result<Reply, Reason> {
    edge.admin().await?;
    match edge.user(&name(text)?, &Command::Get).await? {
        UserReply::User(profile) => Ok(Reply::json(200, &user_json(&profile))),
        UserReply::NoUser => Err(Reason::UserNotFound),
        _ => Err(Reason::Internal),
    }
}

/// `PATCH /admin/users/{username}`: any of `roles`, `is_active`, `password`. Disabling, or a new password, ends the
/// user's sessions before the answer; new roles hold in them from the next request.
///
/// 1. Check the caller, read the fields: 401, 403, 404, 422.
/// 2. The directory refuses to lose the last active admin: 409.
/// 3. The user's object changes the account; its sessions are ended or told: 503 if one cannot be reached.
pub async fn update(edge: &mut Edge, request: &mut Request, text: &str) -> Result<Reply, Reason> {
    let admin = edge.admin().await?;
    let username = name(text)?;
    let mut fields = edge.fields(request).await?;
    let roles = roles(&mut fields);
    let is_active = fields.optional_bool("is_active");
    let password = fields.optional_text("password", PASSWORD_BYTES_MAX);
    if let Some(password) = &password {
        if password.is_empty() {
            fields.fault("password", FieldFault::TooShort);
        }
        check_password(&mut fields, password);
    }
    fields.finish()?;

    let before = match edge.user(&username, &Command::Get).await? {
        UserReply::User(profile) => profile,
        UserReply::NoUser => return Err(Reason::UserNotFound),
        _ => return Err(Reason::Internal),
    };
    let admin_after = roles.as_ref().unwrap_or(&before.account.roles).iter().any(|r| r == ADMIN)
        && is_active.unwrap_or(before.is_active);
    // The directory counts nobody as an admin who is not one, at any moment in between.
    if !admin_after {
        set_admin(edge, &username, false).await?;
    }

    let password = password.map(|p| NewPassword(Secret::new(p)));
    let reply = edge.user(&username, &Command::Update { roles, is_active, password }).await?;
    let UserReply::Sessions { profile, sessions, task } = reply else { return Err(Reason::Internal) };
    match task {
        Some(Task::End(reason)) => edge.end_sessions(&sessions, reason).await?,
        Some(Task::Sync) => sync(edge, &profile, &sessions).await?,
        None => {}
    }
    if admin_after {
        set_admin(edge, &username, true).await?;
    }
    edge.audit(&Audit {
        action: "update_user",
        outcome: "ok",
        actor: Some(admin.account.user_id),
        user: Some(profile.account.user_id),
        ..Audit::default()
    });
    Ok(Reply::json(200, &user_json(&profile)))
}

async fn set_admin(edge: &Edge, username: &str, admin: bool) -> Result<(), Reason> {
    let command = index::Command::SetAdmin { username: username.to_owned(), admin };
    match edge.directory(&command).await? {
        index::Reply::LastAdmin => Err(Reason::LastAdmin),
        _ => Ok(()),
    }
}

/// Tells the user's sessions of the new roles.
async fn sync(edge: &Edge, profile: &Profile, sessions: &[String]) -> Result<(), Reason> {
    let told = join_all(sessions.iter().map(|id| async move {
        edge.session(id, &session::Command::SetAccount { account: profile.account.clone() }).await?;
        let synced = Command::Synced { session_id: id.clone() };
        edge.user(&profile.account.username, &synced).await.map(|_| ())
    }))
    .await;
    told.into_iter().collect()
}

/// `DELETE /admin/users/{username}`: ends the sessions and forgets the account. The id is never given again.
pub async fn remove(edge: &Edge, text: &str) -> Result<Reply, Reason> {
    let admin = edge.admin().await?;
    let username = name(text)?;
    let user_id = match edge.user(&username, &Command::Get).await? {
        UserReply::User(profile) => profile.account.user_id,
        UserReply::NoUser => return Err(Reason::UserNotFound),
        _ => return Err(Reason::Internal),
    };
    set_admin(edge, &username, false).await?;
    close(edge, Owner::User(&username), &Command::Remove, EndReason::Disabled).await?;
    edge.directory(&index::Command::Remove { username }).await?;
    let actor = Some(admin.account.user_id);
    edge.audit(&Audit {
        action: "delete_user",
        outcome: "ok",
        actor,
        user: Some(user_id),
        ..Audit::default()
    });
    Ok(Reply::empty(204))
}

/// `DELETE /admin/users/{username}/sessions`.
pub async fn close_sessions(edge: &Edge, text: &str) -> Result<Reply, Reason> {
    let admin = edge.admin().await?;
    let end = directory::Command::End { only: None, keep: None, reason: EndReason::Admin };
    let (user, closed) = close(edge, Owner::User(&name(text)?), &end, EndReason::Admin).await?;
    let actor = Some(admin.account.user_id);
    edge.audit(&Audit { action: "admin_close_sessions", outcome: "ok", actor, user, ..Audit::default() });
    Ok(Reply::json(200, &json!({ "closed_sessions": closed.len() })))
}
