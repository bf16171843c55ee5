//! What may happen to a user, as a pure function. Passwords are hashed and compared before a step is decided, in the
//! same synchronous run of the object, so nothing comes in between.

use super::attempts::Attempts;
use super::limit::{self, Found};
use super::places::keep_place;
use super::protocol::{
    AffectedSessions, Close, CreateReply, Done, End, EndReply, Get, GetReply, Profile, RemoveUser, Synced,
};
use super::state::{Pending, Removed, Slot, Stored, Task, User};
use super::{LimitPolicy, ThrottlePolicy};
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

/// What was decided for a session is done by the object's alarm after this, if nobody has said that it is done.
const PENDING: Duration = Duration::from_secs(10);
/// How long it is known who had a name last: much longer than a message can be late.
const REMOVED: Duration = Duration::from_mins(10);
/// What a failed try is repeated after.
const AGAIN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserPolicy {
    pub limit: LimitPolicy,
    pub throttle: ThrottlePolicy,
    /// The longest that a session can live.
    pub session_lifetime: Duration,
}

/// A user to be, with the password hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    pub user_id: UserId,
    pub username: String,
    pub roles: Vec<String>,
    pub hash: String,
}

/// What is to change, with the password hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChange {
    /// Whose, if that was said.
    pub user_id: Option<UserId>,
    pub roles: Option<Vec<String>>,
    pub is_active: Option<bool>,
    pub hash: Option<String>,
}

/// The alarm asked after a reserved place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub session_id: SessionId,
    pub found: Found,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<R> {
    pub reply: R,
    /// Whether the user is to be written.
    pub save: bool,
}

/// What the object's alarm has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Ask the session whether it was ever opened.
    Check {
        session_id: SessionId,
    },
    Do {
        session_id: SessionId,
        task: Task,
    },
}

/// Something that happens to a user, passwords already dealt with.
pub trait Step {
    type Reply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> Self::Reply;
}

/// Changes `user` by one step.
pub fn decide<S: Step>(user: &mut User, step: S, policy: &UserPolicy, now: Timestamp) -> Decision<S::Reply> {
    let before = user.clone();
    let reply = step.apply(user, policy, now);
    Decision { reply, save: *user != before }
}

impl Step for Close {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> Done {
        user.slots.retain(|s| s.session_id != self.session_id);
        user.pending.retain(|p| p.session_id != self.session_id);
        Done::Done
    }
}

impl Step for Synced {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> Done {
        let known = user.profile.as_ref().map(|p| p.account_version);
        if self.account_version.is_some() && self.account_version == known {
            user.pending.retain(|p| p.session_id != self.session_id || p.task != Task::Sync);
        }
        Done::Done
    }
}

impl Step for End {
    type Reply = EndReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> EndReply {
        let Self { only, keep, reason, user_id } = self;
        if is_another(user, user_id) {
            return EndReply::NoUser;
        }
        free_dead(user, &[], now);
        let chosen = |id: &SessionId| only.as_ref().is_none_or(|o| o == id) && keep.as_ref() != Some(id);
        let sessions = end(user, chosen, reason, now);
        affected(user, sessions, Some(Task::End(reason))).map_or(EndReply::NoUser, EndReply::Sessions)
    }
}

impl Step for RemoveUser {
    type Reply = EndReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> EndReply {
        if is_another(user, Some(self.user_id)) {
            return EndReply::NoUser;
        }
        let sessions = end(user, |_| true, EndReason::Disabled, now);
        let affected = affected(user, sessions, Some(Task::End(EndReason::Disabled)));
        user.profile = None;
        user.removed = Some(Removed { user_id: self.user_id, forgotten_at: now.plus(REMOVED) });
        affected.map_or(EndReply::NoUser, EndReply::Sessions)
    }
}

impl Step for Get {
    type Reply = GetReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> GetReply {
        free_dead(user, &[], now);
        profile(user).map_or(GetReply::NoUser, GetReply::User)
    }
}

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
        let version = now.millis();
        let (is_active, account_version) = (true, version);
        user.must_change_password = false;
        user.profile = Some(Stored { account, is_active, password: hash, version, account_version });
        user.throttle.clear_failures();
        profile(user).map_or(CreateReply::Failed, CreateReply::User)
    }
}

/// `None` if there is no such user.
impl Step for UserChange {
    type Reply = Option<AffectedSessions>;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> Option<AffectedSessions> {
        if is_another(user, self.user_id) {
            return None;
        }
        let stored = user.profile.as_mut()?;
        let mut task = None;
        if let Some(roles) = self.roles.filter(|r| *r != stored.account.roles) {
            stored.account.roles = roles;
            stored.account_version += 1;
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
        affected(user, sessions, task)
    }
}

impl Step for Checked {
    type Reply = ();

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) {
        match self.found {
            // Whoever opened it did not say so.
            Found::Live(_) => keep_place(user, &self.session_id, policy, now),
            Found::Ended => user.slots.retain(|s| s.session_id != self.session_id),
            // It can have opened since. If it has not, nobody can say any more that it did, and it is revoked.
            Found::Unknown => {
                let reserved = |s: &Slot| s.session_id == self.session_id && s.reserved_until.is_some();
                if user.slots.iter().any(reserved) {
                    user.slots.retain(|s| s.session_id != self.session_id);
                    promise(user, &self.session_id, Task::End(EndReason::Evicted), now);
                }
            }
        }
    }
}

/// Whether what was said for one user has come to another one of the same name, or to nobody.
pub fn is_another(user: &User, meant: Option<UserId>) -> bool {
    meant.is_some_and(|meant| user.profile.as_ref().is_none_or(|p| p.account.user_id != meant))
}

/// Frees the places of sessions that cannot be live any more. What was reserved and never opened is revoked: its opening may
/// still be on its way, and a session that is on no list could not be ended by anybody.
pub(super) fn free_dead(user: &mut User, activity: &[limit::Activity], now: Timestamp) {
    for session_id in limit::drop_dead(&mut user.slots, activity, now) {
        promise(user, &session_id, Task::End(EndReason::Evicted), now);
    }
}

/// Takes the chosen sessions off the list and promises their end. Gives back all the chosen that are still to be ended,
/// whatever for: also those of an earlier call that did not finish.
pub(super) fn end(
    user: &mut User,
    chosen: impl Fn(&SessionId) -> bool,
    reason: EndReason,
    now: Timestamp,
) -> Vec<SessionId> {
    let sessions: Vec<SessionId> =
        user.slots.iter().map(|s| &s.session_id).filter(|id| chosen(id)).cloned().collect();
    user.slots.retain(|s| !sessions.contains(&s.session_id));
    for session_id in &sessions {
        promise(user, session_id, Task::End(reason), now);
    }
    let ending = user.pending.iter().filter(|p| matches!(p.task, Task::End(_)) && chosen(&p.session_id));
    ending.map(|p| p.session_id.clone()).collect()
}

/// Notes what is to be done, in place of anything noted for that session before.
pub(super) fn promise(user: &mut User, session_id: &SessionId, task: Task, now: Timestamp) {
    user.pending.retain(|p| p.session_id != *session_id);
    user.pending.push(Pending { session_id: session_id.clone(), task, due: now.plus(PENDING) });
}

fn profile(user: &User) -> Option<Profile> {
    let stored = user.profile.as_ref()?;
    let (account, slots) = (stored.account.clone(), user.slots.clone());
    let (is_active, must_change_password) = (stored.is_active, user.must_change_password);
    Some(Profile { account, account_version: stored.account_version, is_active, must_change_password, slots })
}

pub(super) fn affected(
    user: &User,
    sessions: Vec<SessionId>,
    task: Option<Task>,
) -> Option<AffectedSessions> {
    profile(user).map(|profile| AffectedSessions { profile, sessions, task })
}

/// Begins what is due: gives the work, and sets each piece to be done again later, unless it is said to be done first.
pub fn begin_due(user: &mut User, now: Timestamp) -> Vec<Work> {
    let mut work = Vec::new();
    for slot in &mut user.slots {
        if slot.reserved_until.is_some_and(|until| until <= now) {
            slot.reserved_until = Some(now.plus(AGAIN));
            work.push(Work::Check { session_id: slot.session_id.clone() });
        }
    }
    for pending in &mut user.pending {
        if pending.due <= now {
            pending.due = now.plus(AGAIN);
            work.push(Work::Do { session_id: pending.session_id.clone(), task: pending.task });
        }
    }
    work
}

/// When the object's alarm is due, if anything is left to do or to forget. What is only to be forgotten, which is all at once, waits
/// for what is to be done: an alarm for it would find it still there, and ring on and on.
pub fn next_alarm(user: &User) -> Option<Timestamp> {
    let reserved = user.slots.iter().filter_map(|s| s.reserved_until);
    let pending = user.pending.iter().map(|p| p.due);
    let forget = user.throttle.forgotten_at().filter(|_| user.profile.is_none());
    let removed = user.removed.map(|removed| removed.forgotten_at).filter(|_| user.profile.is_none());
    let attempts = user.attempts.as_ref().map(Attempts::forgotten_at);
    reserved.chain(pending).min().or(forget.into_iter().chain(removed).chain(attempts).max())
}

impl User {
    /// Whether nothing is worth keeping: no user, nothing to finish, no failure remembered.
    pub fn is_disposable(&self, now: Timestamp) -> bool {
        self.profile.as_ref().is_none_or(|p| p.account.user().is_none())
            && self.slots.is_empty()
            && self.pending.is_empty()
            && self.throttle.forgotten_at().is_none_or(|at| at <= now)
            && self.removed.is_none_or(|removed| removed.forgotten_at <= now)
            && self.attempts.as_ref().is_none_or(|attempts| attempts.forgotten_at() <= now)
    }
}
