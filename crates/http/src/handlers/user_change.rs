//! How a user's account is changed, whoever wants it: the change, whether the directory may lose an admin by it, and what
//! follows for the sessions.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::{Audit, Changed};
use base::audit::Action;
use base::ids::{SessionId, UserId};
use base::secret::Secret;
use base::together::together;
use directory::index::{AdminReply, SetAdmin};
use directory::{
    ADMIN, AffectedSessions, Get, GetReply, NewPassword, NotedAdmin, Profile, Synced, Task, Update,
    UpdateReply,
};
use session::{Acknowledgement, Owner, SetAccount};

/// How often a change is tried whose user is changed by somebody else meanwhile.
const CHANGE_TRIES: u32 = 5;

/// What is to change.
#[derive(Default)]
pub struct Wanted {
    pub roles: Option<Vec<String>>,
    pub is_active: Option<bool>,
    pub password: Option<Secret>,
    /// Whether the next login asks for a new password: said already, and here for the record.
    pub must_change: Option<bool>,
    /// The secret that this is done by, as a hash.
    pub reset: Option<String>,
    /// The user is to be removed.
    pub removing: bool,
}

/// Who did it, for the records.
#[derive(Clone, Copy)]
pub struct By {
    pub action: Action,
    pub actor: Option<UserId>,
}

/// The user of this name.
pub async fn profile<B: Backend>(ctx: &RequestContext<B>, username: &str) -> Result<Profile, Reason> {
    match ctx.user(username, &Get).await? {
        GetReply::User(profile) => Ok(profile),
        GetReply::NoUser => Err(Reason::UserNotFound),
    }
}

/// Changes a user, and records that.
///
/// 1. The user's object changes the account, if nobody else has since it was read, and if it ends no session that was opened since: 404;
///    else it is tried again: 503.
/// 2. Before it takes an active admin away, the directory has to agree: 409 `last_admin`.
/// 3. The directory is told who is an admin now. If it cannot be, the user's alarm tells it.
///
/// What is to be done for the sessions is left to [`follow`].
pub async fn change<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    user_id: Option<UserId>,
    wanted: &Wanted,
    by: By,
) -> Result<AffectedSessions, Reason> {
    // The directory notes what hashes are made with.
    if wanted.password.is_some() {
        ctx.refusal_cost().await;
    }
    for tries_left in (0..CHANGE_TRIES).rev() {
        let before = profile(ctx, username).await?;
        if user_id.is_some_and(|meant| meant != before.account.user_id) {
            return Err(Reason::UserNotFound);
        }
        match tried(ctx, &before, wanted, tries_left == 0).await? {
            UpdateReply::Sessions(affected) => {
                record(ctx, &before, &affected.profile, wanted, by);
                if is_admin(&before) != is_admin(&affected.profile) {
                    note_admin(ctx, &affected.profile).await;
                }
                return Ok(affected);
            }
            // Taken away since it was read.
            UpdateReply::NoUser => return Err(Reason::UserNotFound),
            UpdateReply::Failed => return Err(Reason::Internal),
            UpdateReply::ResetUsed => return Err(Reason::Forbidden),
            UpdateReply::Changed | UpdateReply::AskDirectory => {}
        }
    }
    Err(Reason::Unavailable)
}

/// One try. Only the last one ends sessions that were opened since the account was read, so that nobody keeps it from being made by
/// logging in all the while: the message of any other may come late, and then does nothing to them.
async fn tried<B: Backend>(
    ctx: &RequestContext<B>,
    before: &Profile,
    wanted: &Wanted,
    is_last: bool,
) -> Result<UpdateReply, Reason> {
    let username = before.account.username.as_str();
    let ends = wanted.password.is_some() || wanted.is_active == Some(false);
    let among = before.slots.iter().map(|slot| slot.session_id.clone());
    let mut update = Update {
        roles: wanted.roles.clone(),
        is_active: wanted.is_active,
        password: wanted.password.clone().map(NewPassword),
        user_id: Some(before.account.user_id),
        expected_version: Some(before.account_version),
        change_id: Some(ctx.change_id()?),
        agreed: false,
        reset: wanted.reset.clone(),
        removing: wanted.removing,
        among: (ends && !is_last).then(|| among.collect()),
    };
    let reply = ctx.user(username, &update).await?;
    if reply != UpdateReply::AskDirectory {
        return Ok(reply);
    }
    let asked = SetAdmin { asks: true, ..set_admin(before, false) };
    match ctx.directory(&asked).await? {
        AdminReply::Done => update.agreed = true,
        AdminReply::LastAdmin => return Err(Reason::LastAdmin),
        AdminReply::Changed => return Ok(UpdateReply::Changed),
    }
    ctx.user(username, &update).await
}

fn is_admin(profile: &Profile) -> bool {
    profile.is_active && profile.account.roles.iter().any(|role| role == ADMIN)
}

fn set_admin(profile: &Profile, admin: bool) -> SetAdmin {
    SetAdmin {
        username: profile.account.username.clone(),
        admin,
        user_id: Some(profile.account.user_id),
        account_version: Some(profile.account_version),
        asks: false,
    }
}

/// Tells the directory whether the user is an active admin. What fails here is done by the user's alarm.
pub async fn note_admin<B: Backend>(ctx: &RequestContext<B>, profile: &Profile) {
    let told = ctx.directory(&set_admin(profile, is_admin(profile))).await;
    if matches!(told, Ok(AdminReply::Done)) {
        let noted = NotedAdmin { account_version: profile.account_version };
        let _ = ctx.user(&profile.account.username, &noted).await;
    }
}

/// The record of what was changed: it is made when that is stored, whatever comes after.
fn record<B: Backend>(
    ctx: &RequestContext<B>,
    before: &Profile,
    after: &Profile,
    wanted: &Wanted,
    By { action, actor }: By,
) {
    let changed = Changed {
        roles: wanted.roles.as_ref().filter(|_| before.account.roles != after.account.roles).cloned(),
        is_active: wanted.is_active.filter(|_| before.is_active != after.is_active),
        password: wanted.password.is_some(),
        must_change_password: wanted.must_change,
    };
    let user = Some(after.account.user_id);
    ctx.audit(&Audit { actor, user, changed: Some(&changed), ..Audit::of(action, "ok") });
}

/// What follows a change for the user's sessions: they are ended, or told of the new roles. Recorded as what it comes to.
pub async fn follow<B: Backend>(
    ctx: &RequestContext<B>,
    AffectedSessions { profile, sessions, task }: &AffectedSessions,
    actor: Option<UserId>,
) -> Result<(), Reason> {
    let action = if *task == Some(Task::Sync) { Action::UpdateSessions } else { Action::EndSessions };
    let done = match task {
        None => return Ok(()),
        Some(_) if sessions.is_empty() => return Ok(()),
        Some(Task::End(reason)) => ctx.end_sessions(sessions, *reason).await,
        Some(Task::Sync) => sync(ctx, profile, sessions).await,
    };
    let outcome = done.as_ref().map_or_else(Reason::code, |()| "ok");
    let customer = match profile.account.owner() {
        Owner::PostLogin(subject) => Some(ctx.app.vault.fingerprint("customer", subject)),
        Owner::User(_) => None,
    };
    ctx.audit(&Audit {
        actor,
        user: profile.account.user(),
        customer: customer.as_deref(),
        sessions: Some(sessions.len()),
        ..Audit::of(action, outcome)
    });
    done
}

/// Tells the user's sessions of the new roles. One that is not open yet learns of them before anybody has its tokens.
async fn sync<B: Backend>(
    ctx: &RequestContext<B>,
    profile: &Profile,
    sessions: &[SessionId],
) -> Result<(), Reason> {
    let told = together(sessions.iter().map(|id| async move {
        let Profile { account, account_version, .. } = profile;
        let set = SetAccount { account: account.clone(), account_version: *account_version };
        if let None | Some(Acknowledgement::Unknown) = ctx.session(id, &set).await? {
            return Ok(());
        }
        let synced = Synced { session_id: id.clone(), account_version: Some(*account_version) };
        ctx.user(&profile.account.username, &synced).await.map(|_| ())
    }))
    .await;
    told.into_iter().collect()
}
