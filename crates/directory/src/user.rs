//! What may happen to a user, as a pure function. Passwords are hashed and compared before a step is decided, in the
//! same synchronous run of the object, so nothing comes in between.
//!
//! Over 400 lines: a step for each thing that may happen, read beside each other.

use super::attempts::Attempts;
use super::change::{made, remember, tell_directory_once};
use super::limit::{self, Found};
use super::places::keep_place;
use super::protocol::{
    AffectedSessions, Close, Done, End, EndReply, Ending, EndingReply, Get, GetReply, Profile, RemoveUser,
    Synced,
};
use super::state::{Pending, Removed, Slot, Task, Unrecorded, User};
use super::under_way::Opening;
use super::{LimitPolicy, ThrottlePolicy};
use base::account::EndReason;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

/// What was decided for a session is done by the object's alarm after this, if nobody has said that it is done.
pub(super) const PENDING: Duration = Duration::from_secs(10);
/// How long it is known who had a name last: much longer than a message can be late.
const REMOVED: Duration = Duration::from_mins(10);
/// What a failed try is repeated after: a few times soon, then after twice as long each time.
const AGAIN: Duration = Duration::from_secs(30);
const AGAIN_SOON: u32 = 3;
const AGAIN_MAX: Duration = Duration::from_hours(1);
/// Then it is given up: once an hour for 400 days, the longest that a session can live.
const TRIES_MAX: u32 = 9_600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserPolicy {
    pub limit: LimitPolicy,
    pub throttle: ThrottlePolicy,
    /// The longest that a session can live.
    pub session_lifetime: Duration,
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
    Check { session_id: SessionId },
    Do {
        session_id: SessionId,
        task: Task,
        /// The session that it has lost its place to. If that is not live, it may be [`Spared`].
        lost_to: Option<SessionId>,
    },
    /// Write the record of a session to KV.
    Record { session_id: SessionId },
    /// Tell the directory whether the user is an active admin.
    NoteAdmin,
}

/// KV has the record of the session, or it has ended and KV has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub session_id: SessionId,
}

/// A session has lost its place to one that is not live: it gets the place back, if nobody else has needed it since. Answers
/// whether it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spared {
    pub session_id: SessionId,
}

/// Something that happens to a user, passwords already dealt with.
pub trait Step {
    type Reply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> Self::Reply;
}

/// Changes `user` by one step.
pub fn decide<S: Step>(user: &mut User, step: S, policy: &UserPolicy, now: Timestamp) -> Decision<S::Reply> {
    let mut before = user.clone();
    let reply = step.apply(user, policy, now);
    tell_directory_once(user, now);
    before.under_way.clone_from(&user.under_way);
    Decision { reply, save: *user != before }
}

impl Step for Close {
    type Reply = Done;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> Done {
        user.slots.retain(|s| s.session_id != self.session_id);
        user.under_way.take_opening(&self.session_id);
        user.pending.retain(|p| p.session_id != self.session_id);
        Done::Done
    }
}

impl Step for Ending {
    type Reply = EndingReply;

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) -> EndingReply {
        let has_place = user.slots.iter().any(|slot| slot.session_id == self.session_id);
        let is_promised = |p: &Pending| p.session_id == self.session_id && p.task != Task::Sync;
        if has_place || user.pending.iter().any(is_promised) {
            EndingReply::Untold
        } else {
            EndingReply::Told
        }
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
        let Self { only, keep, reason, user_id, change_id, among } = self;
        if is_another(user, user_id) {
            return EndReply::NoUser;
        }
        free_dead(user, &[], now);
        let chosen = |id: &SessionId| only.as_ref().is_none_or(|o| o == id) && keep.as_ref() != Some(id);
        let task = Some(Task::End(reason));
        // A message that comes once more ends nothing that has been opened since.
        let sessions = if made(user, change_id.as_deref()).is_some() {
            ending(user, chosen)
        } else {
            if user.profile.is_some() {
                remember(user, change_id, task, now);
            }
            let meant = |id: &SessionId| chosen(id) && among.as_ref().is_none_or(|ids| ids.contains(id));
            end(user, meant, reason, now);
            end_in_any_case(user, chosen);
            ending(user, chosen)
        };
        affected(user, sessions, task).map_or(EndReply::NoUser, EndReply::Sessions)
    }
}

impl Step for RemoveUser {
    type Reply = EndReply;

    fn apply(self, user: &mut User, _: &UserPolicy, now: Timestamp) -> EndReply {
        let removed = Removed { user_id: self.user_id, forgotten_at: now.plus(REMOVED) };
        if user.profile.is_none() {
            // One that was registered and not created yet must not be created any more.
            user.removed = user.removed.filter(|other| other.user_id > self.user_id).or(Some(removed));
        }
        if is_another(user, Some(self.user_id)) {
            return EndReply::NoUser;
        }
        let sessions = end(user, |_| true, EndReason::Disabled, now);
        let affected = affected(user, sessions, Some(Task::End(EndReason::Disabled)));
        user.profile = None;
        user.admin_sync = None;
        user.removed = Some(removed);
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

impl Step for Recorded {
    type Reply = ();

    fn apply(self, user: &mut User, _: &UserPolicy, _: Timestamp) {
        user.unrecorded.retain(|record| record.session_id != self.session_id);
    }
}

impl Step for Checked {
    type Reply = ();

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) {
        let reserved = |s: &Slot| s.session_id == self.session_id && s.reserved_until.is_some();
        match self.found {
            // Whoever opened it did not say so, nor whether KV has its record.
            Found::Live(_) if user.slots.iter().any(reserved) => {
                keep_place(user, &self.session_id, policy, now);
                note_unrecorded(user, &self.session_id, now);
            }
            Found::Live(_) => {}
            // Whoever has ended it has not said so.
            Found::Ended => {
                if user.slots.iter().any(|s| s.session_id == self.session_id) {
                    user.slots.retain(|s| s.session_id != self.session_id);
                    promise(user, &self.session_id, Task::End(EndReason::Evicted), now);
                }
            }
            // It can have opened since. If it has not, nobody can say any more that it did, and it is revoked.
            Found::Unknown => {
                if user.slots.iter().any(reserved) {
                    user.slots.retain(|s| s.session_id != self.session_id);
                    promise(user, &self.session_id, Task::End(EndReason::Evicted), now);
                }
            }
        }
    }
}

impl Step for Spared {
    type Reply = bool;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> bool {
        let to = |p: &Pending| p.lost.as_ref().map(|lost| lost.to.clone());
        let to = user.pending.iter().find(|p| p.session_id == self.session_id).and_then(to);
        user.slots.retain(|slot| Some(&slot.session_id) != to.as_ref());
        to.and_then(|to| user.under_way.take_opening(&to));
        if user.places().count() >= policy.limit.max.max(1) {
            return false;
        }
        let lost =
            user.pending.iter_mut().find(|p| p.session_id == self.session_id).and_then(|p| p.lost.take());
        let Some(lost) = lost else { return false };
        user.slots.push(lost.slot);
        // A change may have been told to those that had places.
        promise(user, &self.session_id, Task::Sync, now);
        true
    }
}

/// Whether what was said for one user has come to another one of the same name, or to nobody.
pub fn is_another(user: &User, meant: Option<UserId>) -> bool {
    meant.is_some_and(|meant| user.profile.as_ref().is_none_or(|p| p.account.user_id != meant))
}

/// Whether a session is open that is not among these, which had places when something was asked for.
pub(super) fn has_opened_since(user: &User, among: Option<&[SessionId]>) -> bool {
    let is_new =
        |slot: &Slot, among: &[SessionId]| slot.reserved_until.is_none() && !among.contains(&slot.session_id);
    among.is_some_and(|among| user.slots.iter().any(|slot| is_new(slot, among)))
}

/// Frees the places of sessions that cannot be live any more. What was reserved and never opened is revoked: its opening may
/// still be on its way, and a session that is on no list could not be ended by anybody. What has ended may not be told of.
pub(super) fn free_dead(user: &mut User, activity: &[limit::Activity], now: Timestamp) {
    let mut unopened = limit::drop_dead(&mut user.slots, activity, now);
    let User { slots, under_way, .. } = user;
    under_way.openings.retain(|Opening { slot, .. }| {
        let id = &slot.session_id;
        let ended = activity.iter().any(|a| a.session_id == *id && a.found == Found::Ended);
        let stays = !ended && slot.reserved_until.is_some_and(|until| now < until);
        if !stays && !ended && !slots.iter().any(|listed| listed.session_id == *id) {
            unopened.push(id.clone());
        }
        stays
    });
    for session_id in unopened {
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
        user.places().map(|s| &s.session_id).filter(|id| chosen(id)).cloned().collect();
    user.slots.retain(|s| !sessions.contains(&s.session_id));
    user.under_way.openings.retain(|opening| !sessions.contains(&opening.slot.session_id));
    end_in_any_case(user, &chosen);
    for session_id in &sessions {
        promise(user, session_id, Task::End(reason), now);
    }
    ending(user, chosen)
}

/// Those that have lost their places to others are ended also if those others are not there.
pub(super) fn end_in_any_case(user: &mut User, chosen: impl Fn(&SessionId) -> bool) {
    for pending in user.pending.iter_mut().filter(|pending| chosen(&pending.session_id)) {
        pending.lost = None;
    }
}

/// Those of the chosen that are still to be ended.
fn ending(user: &User, chosen: impl Fn(&SessionId) -> bool) -> Vec<SessionId> {
    let ending = user.pending.iter().filter(|p| matches!(p.task, Task::End(_)) && chosen(&p.session_id));
    ending.map(|p| p.session_id.clone()).collect()
}

/// Notes that KV may not have the record of a session.
pub(super) fn note_unrecorded(user: &mut User, session_id: &SessionId, now: Timestamp) {
    if !user.unrecorded.iter().any(|record| record.session_id == *session_id) {
        let due = now.plus(PENDING);
        user.unrecorded.push(Unrecorded { session_id: session_id.clone(), due, tries: 0 });
    }
}

/// Notes what is to be done, in place of anything noted for that session before.
pub(super) fn promise(user: &mut User, session_id: &SessionId, task: Task, now: Timestamp) {
    user.pending.retain(|p| p.session_id != *session_id);
    let due = now.plus(PENDING);
    user.pending.push(Pending { session_id: session_id.clone(), task, due, tries: 0, lost: None });
}

pub(super) fn profile(user: &User) -> Option<Profile> {
    let stored = user.profile.as_ref()?;
    let (account, slots) = (stored.account.clone(), user.places().cloned().collect());
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

/// How long after this many tries the next one is due.
fn again(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(AGAIN_SOON);
    AGAIN.saturating_mul(2_u32.saturating_pow(doublings)).min(AGAIN_MAX)
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
    user.pending.retain(|pending| pending.tries < TRIES_MAX);
    for pending in &mut user.pending {
        if pending.due <= now {
            pending.tries += 1;
            pending.due = now.plus(again(pending.tries));
            let lost_to = pending.lost.as_ref().map(|lost| lost.to.clone());
            work.push(Work::Do { session_id: pending.session_id.clone(), task: pending.task, lost_to });
        }
    }
    user.unrecorded.retain(|record| record.tries < TRIES_MAX);
    for record in &mut user.unrecorded {
        if record.due <= now {
            record.tries += 1;
            record.due = now.plus(again(record.tries));
            work.push(Work::Record { session_id: record.session_id.clone() });
        }
    }
    if let Some(sync) = user.admin_sync.as_mut().filter(|sync| sync.due <= now) {
        sync.tries += 1;
        sync.due = now.plus(again(sync.tries));
        // What the directory may have agreed to as of this version does not hold from here on.
        if std::mem::take(&mut sync.asked)
            && let Some(stored) = &mut user.profile
        {
            stored.account_version += 1;
        }
        work.push(Work::NoteAdmin);
    }
    work
}

/// When the object's alarm is due, if anything is left to do or to forget. What is only to be forgotten, which is all at once, waits
/// for what is to be done.
pub fn next_alarm(user: &User) -> Option<Timestamp> {
    let reserved = user.slots.iter().filter_map(|s| s.reserved_until);
    let pending = user.pending.iter().map(|p| p.due);
    let forget = user.throttle.forgotten_at().filter(|_| user.profile.is_none());
    let removed = user.removed.map(|removed| removed.forgotten_at).filter(|_| user.profile.is_none());
    let attempts = user.attempts.as_ref().map(Attempts::forgotten_at);
    let admin = user.admin_sync.as_ref().map(|sync| sync.due);
    let records = user.unrecorded.iter().map(|record| record.due);
    let changes = user.changes.iter().map(|change| change.forgotten_at).filter(|_| user.is_deserted());
    let work = reserved.chain(pending).chain(admin).chain(records).min();
    work.or(forget.into_iter().chain(removed).chain(attempts).chain(changes).max())
}

impl User {
    /// Whether there is no user and no session: nobody whose document this could be.
    pub fn is_deserted(&self) -> bool {
        self.profile.as_ref().is_none_or(|p| p.account.user().is_none())
            && self.slots.is_empty()
            && self.pending.is_empty()
    }

    /// Whether nothing is worth keeping: no user, nothing to finish, no failure and no change remembered.
    pub fn is_disposable(&self, now: Timestamp) -> bool {
        self.is_deserted()
            && self.unrecorded.is_empty()
            && self.changes.iter().all(|change| change.forgotten_at <= now)
            && self.throttle.forgotten_at().is_none_or(|at| at <= now)
            && self.removed.is_none_or(|removed| removed.forgotten_at <= now)
            && self.attempts.as_ref().is_none_or(|attempts| attempts.forgotten_at() <= now)
    }
}
