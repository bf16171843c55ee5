//! How an account begins and changes: roles, `is_active`, the password. Whether somebody may stop being an admin is decided
//! here and in the directory, and nowhere else.
//!
//! The user's object has the truth and its version. The directory counts admins by what these objects have told it, and never
//! counts somebody who is none:
//!
//! 1. A change that takes an active admin away is not made at first. The directory is to be asked, as of this version.
//! 2. The directory agrees only while it counts another admin, and does not count this one from then on.
//! 3. The change is made if the version is still the same. If it is not made at all, the alarm raises the version, so that the
//!    agreement is void, and then tells the directory that this is an admin.
//!
//! So of two admins who take the role from each other one is refused, and whatever comes late or twice, one is left.

use super::ADMIN;
use super::protocol::{AffectedSessions, CreateReply, Done, NotedAdmin, UpdateReply};
use super::state::{AdminSync, Change, Stored, Task, User};
use super::user::{
    PENDING, Step, UserPolicy, affected, end, end_in_any_case, free_dead, has_opened_since, is_another,
    profile, promise,
};
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

/// How long it is known that a change was made: much longer than a message can be late.
const REMEMBERED: Duration = Duration::from_mins(10);
/// How many changes are remembered: more than are made by hand in that time.
const REMEMBERED_MAX: usize = 16;

/// A user to be, with the password hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub user_id: UserId,
    pub username: String,
    pub roles: Vec<String>,
    pub hash: String,
}

/// What is to change, with the password hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Whose, if that was said.
    pub user_id: Option<UserId>,
    pub roles: Option<Vec<String>>,
    pub is_active: Option<bool>,
    pub hash: Option<String>,
    /// See [`super::Update`].
    pub expected_version: Option<u64>,
    pub change_id: Option<String>,
    pub agreed: bool,
    pub reset: Option<String>,
    /// Of a reset: that its password is the one that is stored.
    pub same_password: bool,
    pub removing: bool,
    pub among: Option<Vec<SessionId>>,
}

/// Looks whether a change is to be made, before its password is hashed. If not: what is to be said.
pub struct CheckChange<'a>(pub &'a UserChange);

impl Step for NewUser {
    type Reply = CreateReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> CreateReply {
        // One who was registered before the last one was removed has that one's id, and ids are never given again.
        let late = user.removed.is_some_and(|removed| self.user_id <= removed.user_id);
        if user.profile.is_some() || late {
            return CreateReply::Exists;
        }
        user.removed = None;
        let Self { user_id, username, roles, hash } = self;
        let account = Account { user_id, username, roles, created_at: now };
        // A name may be given again. Numbers that begin with the time do not fall then, and nothing that is late and was
        // meant for the one before takes effect.
        let stored = Stored::new(account, hash, now.millis());
        user.must_change_password = false;
        user.admin_sync = is_admin(&stored).then(|| AdminSync::new(now.plus(PENDING)));
        // Who is registered is no admin, as far as the directory knows.
        user.profile = Some(Stored { noted: !is_admin(&stored), ..stored });
        user.throttle.clear_failures();
        profile(user).map_or(CreateReply::Failed, CreateReply::User)
    }
}

impl Step for CheckChange<'_> {
    type Reply = Option<UpdateReply>;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> Option<UpdateReply> {
        self.0.not_made(user, now)
    }
}

impl Step for UserChange {
    type Reply = UpdateReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> UpdateReply {
        if let Some(reply) = self.not_made(user, now) {
            return reply;
        }
        let Some(stored) = user.profile.as_mut() else { return UpdateReply::NoUser };
        let before = stored.clone();
        let mut task = None;
        if let Some(roles) = self.roles.filter(|r| *r != stored.account.roles) {
            stored.account.roles = roles;
            task = Some(Task::Sync);
        }
        let new_password = self.hash.is_some();
        if let Some(hash) = self.hash {
            stored.password = hash;
            stored.version += 1;
            task = Some(Task::End(EndReason::Password));
        }
        if let Some(active) = self.is_active.filter(|a| *a != stored.is_active) {
            stored.is_active = active;
            stored.version += 1;
            if !active {
                task = Some(Task::End(EndReason::Disabled));
            }
        }
        stored.removing |= self.removing;
        let reset = self.reset.as_deref().map(reset_id);
        if self.reset.is_some() {
            stored.reset = self.reset;
            user.must_change_password = false;
        }
        let changed = *stored != before;
        let counts = is_admin(stored) != is_admin(&before);
        if changed {
            stored.account_version += 1;
            end_in_any_case(user, |_| true);
            remember(user, self.change_id, task, now);
            remember(user, reset, task, now);
        }
        if counts {
            user.admin_sync = Some(AdminSync::new(now.plus(PENDING)));
        } else if changed && let Some(sync) = &mut user.admin_sync {
            // What the directory may have agreed to was for the version before.
            sync.asked = false;
        }
        if new_password {
            user.throttle.clear_failures();
        }
        free_dead(user, &[], now);
        let sessions = match task {
            Some(Task::End(reason)) => end(user, |_| true, reason, now),
            Some(Task::Sync) => {
                let sessions: Vec<SessionId> = user.slots.iter().map(|s| s.session_id.clone()).collect();
                for session_id in &sessions {
                    promise(user, session_id, Task::Sync, now);
                }
                sessions
            }
            None => Vec::new(),
        };
        reply(affected(user, sessions, task))
    }
}

impl UserChange {
    /// Why the change is not made now, if it is not.
    fn not_made(&self, user: &mut User, now: Timestamp) -> Option<UpdateReply> {
        if is_another(user, self.user_id) {
            return Some(UpdateReply::NoUser);
        }
        let Some(stored) = user.profile.as_ref().filter(|stored| self.removing || !stored.removing) else {
            return Some(UpdateReply::NoUser);
        };
        if let Some(made) = made(user, self.change_id.as_deref()) {
            let task = made.task;
            return Some(reply(affected(user, still_to_do(user, task), task)));
        }
        if let Some(secret) = self.reset.as_deref().filter(|_| stored.reset == self.reset) {
            // Whoever has had no answer asks once more, with the same password, and soon: it is the same reset.
            let known = made(user, Some(&reset_id(secret))).filter(|made| made.forgotten_at > now);
            return Some(match known.filter(|_| self.same_password).map(|made| made.task) {
                Some(task) => reply(affected(user, still_to_do(user, task), task)),
                None => UpdateReply::ResetUsed,
            });
        }
        // The account is only changed as it was known, and no session ended that nobody had in mind.
        let is_other = self.expected_version.is_some_and(|version| version != stored.account_version);
        if is_other || has_opened_since(user, self.among.as_deref()) {
            return Some(UpdateReply::Changed);
        }
        // A Worker of the release before expects no version, and has asked the directory already.
        let asks = self.expected_version.is_some() && !self.agreed;
        if asks && is_admin(stored) && !self.leaves_admin(stored) {
            user.admin_sync = Some(AdminSync { asked: true, ..AdminSync::new(now.plus(PENDING)) });
            return Some(UpdateReply::AskDirectory);
        }
        None
    }

    /// Whether the user is an active admin after it.
    fn leaves_admin(&self, stored: &Stored) -> bool {
        let roles = self.roles.as_ref().unwrap_or(&stored.account.roles);
        self.is_active.unwrap_or(stored.is_active) && roles.iter().any(|role| role == ADMIN)
    }
}

impl Step for NotedAdmin {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> Done {
        let asked = user.admin_sync.as_ref().is_some_and(|sync| sync.asked);
        if let Some(stored) = user.profile.as_mut().filter(|s| s.account_version == self.account_version)
            && !asked
        {
            stored.noted = true;
            user.admin_sync = None;
        }
        Done::Done
    }
}

/// The name by which a reset is remembered. No name of another change has a slash.
fn reset_id(secret: &str) -> String {
    ["reset/", secret].concat()
}

fn reply(affected: Option<AffectedSessions>) -> UpdateReply {
    affected.map_or(UpdateReply::NoUser, UpdateReply::Sessions)
}

pub fn is_admin(stored: &Stored) -> bool {
    stored.is_active && stored.account.roles.iter().any(|role| role == ADMIN)
}

/// The change of this name, if it was made a short while ago: its message has come before.
pub(super) fn made<'a>(user: &'a User, change_id: Option<&str>) -> Option<&'a Change> {
    user.changes.iter().find(|change| Some(change.change_id.as_str()) == change_id)
}

/// Notes that a change was made, so that its message does nothing when it comes once more.
pub(super) fn remember(user: &mut User, change_id: Option<String>, task: Option<Task>, now: Timestamp) {
    let Some(change_id) = change_id else { return };
    user.changes.retain(|change| change.forgotten_at > now);
    let spare = (user.changes.len() + 1).saturating_sub(REMEMBERED_MAX);
    user.changes.drain(..spare);
    user.changes.push(Change { change_id, task, forgotten_at: now.plus(REMEMBERED) });
}

/// What is left to be done for sessions of such a task.
fn still_to_do(user: &User, task: Option<Task>) -> Vec<SessionId> {
    let same = |other: Task| match task {
        Some(Task::End(_)) => other != Task::Sync,
        Some(Task::Sync) => other == Task::Sync,
        None => false,
    };
    user.pending.iter().filter(|p| same(p.task)).map(|p| p.session_id.clone()).collect()
}

/// As of the first step after an update the directory is told what the release before may have told it wrong.
pub(super) fn tell_directory_once(user: &mut User, now: Timestamp) {
    let unknown = user.profile.as_ref().is_some_and(|s| s.account.user().is_some() && !s.noted);
    if unknown && user.admin_sync.is_none() {
        // Its version may be one that the directory has: a higher one is heard in any case.
        user.admin_sync = Some(AdminSync { asked: true, ..AdminSync::new(now.plus(PENDING)) });
    }
}
