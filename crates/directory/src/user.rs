//! What may happen to a user, as a pure function. Passwords are hashed and compared before a step is decided, in the
//! same synchronous run of the object, so nothing comes in between.

use super::limit::{self, Found};
use super::password::Verdict;
use super::protocol::{Command, Profile, Reply};
use super::state::{Pending, Slot, Stored, Task, User};
use super::{LimitPolicy, ThrottlePolicy};
use base::account::{Account, EndReason};
use base::clock::{Timestamp, millis};
use std::time::Duration;

/// A place reserved by a login that then failed is free again after this.
const RESERVED: Duration = Duration::from_secs(30);
/// What was decided for a session is done by the object's alarm after this, if nobody has said that it is done.
const PENDING: Duration = Duration::from_secs(10);
/// What a failed try is repeated after.
const AGAIN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserPolicy {
    pub limit: LimitPolicy,
    pub throttle: ThrottlePolicy,
    /// The longest that a session can live.
    pub session_lifetime: Duration,
}

/// What happens to the user, passwords already dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Login {
        verdict: Verdict,
        rehashed: Option<String>,
        address: String,
        place: Place,
    },
    Create {
        user_id: u64,
        username: String,
        roles: Vec<String>,
        hash: String,
    },
    Update {
        roles: Option<Vec<String>>,
        is_active: Option<bool>,
        hash: Option<String>,
    },
    /// The alarm asked after a reserved place.
    Checked {
        session_id: String,
        found: Found,
    },
    /// A command without a password in it.
    Plain(Command),
}

/// The place that a login asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub session_id: String,
    /// The session that gives its place up for it.
    pub replaces: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub reply: Reply,
    /// Whether the user is to be written.
    pub save: bool,
}

/// What the object's alarm has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Ask the session whether it was ever opened.
    Check {
        session_id: String,
    },
    Do {
        session_id: String,
        task: Task,
    },
}

/// How long this address has to wait before a password is looked at.
pub fn wait(user: &User, address: &str, now: Timestamp) -> Option<Reply> {
    let wait = user.throttle.wait(address, now)?;
    Some(Reply::Throttled { retry_after_ms: millis(wait), user_id: id(user) })
}

fn id(user: &User) -> Option<u64> {
    user.profile.as_ref().map(|p| p.account.user_id)
}

/// Changes `user` by one step.
pub fn decide(user: &mut User, step: Step, policy: &UserPolicy, now: Timestamp) -> Decision {
    let before = user.clone();
    let reply = match step {
        Step::Login { verdict, rehashed, address, place } => {
            login(user, verdict, rehashed, &address, place, policy, now)
        }
        Step::Create { user_id, username, roles, hash } => create(user, user_id, username, roles, hash, now),
        Step::Update { roles, is_active, hash } => update(user, roles, is_active, hash, now),
        Step::Checked { session_id, found } => {
            checked(user, &session_id, found);
            Reply::Done
        }
        Step::Plain(command) => plain(user, command, policy, now),
    };
    Decision { reply, save: *user != before }
}

fn plain(user: &mut User, command: Command, policy: &UserPolicy, now: Timestamp) -> Reply {
    match command {
        Command::Reserve { session_id, version, activity, replaces } => match &user.profile {
            Some(p) if p.version == version => {
                let account = p.account.clone();
                reserve(user, account, Place { session_id, replaces }, &activity, policy, now)
            }
            Some(p) if !p.is_active => Reply::Inactive { user_id: p.account.user_id },
            _ => Reply::Refused { delay_ms: 0, user_id: id(user) },
        },
        Command::Admit { account, session_id, activity, replaces } => {
            admit(user, account, Place { session_id, replaces }, &activity, policy, now)
        }
        Command::Close { session_id } => {
            user.slots.retain(|s| s.session_id != session_id);
            user.pending.retain(|p| p.session_id != session_id);
            Reply::Done
        }
        Command::Synced { session_id } => {
            user.pending.retain(|p| p.session_id != session_id || p.task != Task::Sync);
            Reply::Done
        }
        Command::End { only, keep, reason } => {
            limit::drop_dead(&mut user.slots, &[], now);
            let chosen = |s: &Slot| {
                only.as_ref().is_none_or(|o| *o == s.session_id) && keep.as_ref() != Some(&s.session_id)
            };
            let sessions = end(user, chosen, reason, now);
            with_sessions(user, sessions, Some(Task::End(reason)))
        }
        Command::Remove => {
            let sessions = end(user, |_| true, EndReason::Disabled, now);
            let reply = with_sessions(user, sessions, Some(Task::End(EndReason::Disabled)));
            user.profile = None;
            reply
        }
        Command::Get => {
            limit::drop_dead(&mut user.slots, &[], now);
            profile(user).map_or(Reply::NoUser, Reply::User)
        }
        // These carry a password or another row, and are steps of their own.
        Command::Login { .. }
        | Command::Create { .. }
        | Command::Update { .. }
        | Command::GetData
        | Command::PutData { .. } => Reply::Failed,
    }
}

fn login(
    user: &mut User,
    verdict: Verdict,
    rehashed: Option<String>,
    address: &str,
    place: Place,
    policy: &UserPolicy,
    now: Timestamp,
) -> Reply {
    let Some(profile) = user.profile.as_mut().filter(|_| verdict != Verdict::Mismatch) else {
        let delay = user.throttle.failed(address, &policy.throttle, now);
        return Reply::Refused { delay_ms: millis(delay), user_id: id(user) };
    };
    if !profile.is_active {
        return Reply::Inactive { user_id: profile.account.user_id };
    }
    if let Some(hash) = rehashed {
        profile.password = hash;
    }
    let (account, version) = (profile.account.clone(), profile.version);
    // From here on the password was right: a limit that is reached is not a failed login.
    user.throttle.succeeded(address, now);
    match at_limit(user, &place, policy, now) {
        Some(sessions) => Reply::AtLimit { version, sessions },
        None => reserve(user, account, place, &[], policy, now),
    }
}

/// Who is to be asked how active they are before a place can be taken; nobody if one is free.
fn at_limit(user: &mut User, place: &Place, policy: &UserPolicy, now: Timestamp) -> Option<Vec<String>> {
    limit::drop_dead(&mut user.slots, &[], now);
    let others = user.slots.iter().map(|s| &s.session_id).filter(|id| place.replaces.as_ref() != Some(id));
    let sessions: Vec<String> = others.cloned().collect();
    (sessions.len() >= policy.limit.max).then_some(sessions)
}

/// A place for somebody whom another system has logged in. There is no password; the account is here while there are
/// sessions, and the first of them brings it.
fn admit(
    user: &mut User,
    account: Account,
    place: Place,
    activity: &[limit::Activity],
    policy: &UserPolicy,
    now: Timestamp,
) -> Reply {
    if account.user().is_some() {
        return Reply::Failed;
    }
    let stored = user.profile.get_or_insert_with(|| Stored {
        account,
        is_active: true,
        password: String::new(),
        version: 0,
    });
    let account = stored.account.clone();
    if activity.is_empty()
        && let Some(sessions) = at_limit(user, &place, policy, now)
    {
        return Reply::AtLimit { version: 0, sessions };
    }
    reserve(user, account, place, activity, policy, now)
}

fn reserve(
    user: &mut User,
    account: Account,
    place: Place,
    activity: &[limit::Activity],
    policy: &UserPolicy,
    now: Timestamp,
) -> Reply {
    let Place { session_id, replaces } = place;
    if user.slots.iter().any(|s| s.session_id == session_id) {
        return Reply::Reserved { account, evicted: Vec::new(), replaced: None };
    }
    // Only a session on this user's list can be replaced; its place is free for the new one.
    let mut slots = user.slots.clone();
    let replaced = replaces.filter(|id| slots.iter().any(|s| s.session_id == *id));
    slots.retain(|s| replaced.as_ref() != Some(&s.session_id));
    let slot = Slot {
        session_id,
        created_at: now,
        expires_at: now.plus(policy.session_lifetime),
        reserved_until: Some(now.plus(RESERVED)),
    };
    let Ok(evicted) = limit::take(&mut slots, slot, activity, &policy.limit, now) else {
        return Reply::LimitExceeded { user_id: account.user_id };
    };
    user.slots = slots;
    let evicted: Vec<String> = evicted.into_iter().map(|s| s.session_id).collect();
    for session_id in &evicted {
        promise(user, session_id, Task::End(EndReason::Evicted), now);
    }
    if let Some(session_id) = &replaced {
        promise(user, session_id, Task::End(EndReason::Logout), now);
    }
    Reply::Reserved { account, evicted, replaced }
}

fn create(
    user: &mut User,
    user_id: u64,
    username: String,
    roles: Vec<String>,
    hash: String,
    now: Timestamp,
) -> Reply {
    if user.profile.is_some() {
        return Reply::Exists;
    }
    let account = Account { user_id, username, roles, created_at: now };
    user.profile = Some(Stored { account, is_active: true, password: hash, version: 0 });
    user.throttle.clear_failures();
    profile(user).map_or(Reply::NoUser, Reply::User)
}

fn update(
    user: &mut User,
    roles: Option<Vec<String>>,
    is_active: Option<bool>,
    hash: Option<String>,
    now: Timestamp,
) -> Reply {
    let Some(stored) = &mut user.profile else { return Reply::NoUser };
    let mut task = None;
    if let Some(roles) = roles.filter(|r| *r != stored.account.roles) {
        stored.account.roles = roles;
        task = Some(Task::Sync);
    }
    let new_password = hash.is_some();
    if let Some(hash) = hash {
        stored.password = hash;
        stored.version += 1;
        task = Some(Task::End(EndReason::Password));
    }
    if let Some(active) = is_active.filter(|a| *a != stored.is_active) {
        stored.is_active = active;
        stored.version += 1;
        if !active {
            task = Some(Task::End(EndReason::Disabled));
        }
    }
    if new_password {
        user.throttle.clear_failures();
    }
    limit::drop_dead(&mut user.slots, &[], now);
    let sessions = match task {
        Some(Task::End(reason)) => end(user, |_| true, reason, now),
        Some(Task::Sync) => {
            let sessions: Vec<String> = user.slots.iter().map(|s| s.session_id.clone()).collect();
            for session_id in &sessions {
                promise(user, session_id, Task::Sync, now);
            }
            sessions
        }
        None => Vec::new(),
    };
    with_sessions(user, sessions, task)
}

/// Takes the chosen sessions off the list and promises their end. Gives back all that are still to be ended for this,
/// also those of an earlier call that did not finish.
fn end(user: &mut User, chosen: impl Fn(&Slot) -> bool, reason: EndReason, now: Timestamp) -> Vec<String> {
    let sessions: Vec<String> =
        user.slots.iter().filter(|s| chosen(s)).map(|s| s.session_id.clone()).collect();
    user.slots.retain(|s| !sessions.contains(&s.session_id));
    for session_id in &sessions {
        promise(user, session_id, Task::End(reason), now);
    }
    let task = Task::End(reason);
    user.pending.iter().filter(|p| p.task == task).map(|p| p.session_id.clone()).collect()
}

/// Notes what is to be done, in place of anything noted for that session before.
fn promise(user: &mut User, session_id: &str, task: Task, now: Timestamp) {
    user.pending.retain(|p| p.session_id != session_id);
    user.pending.push(Pending { session_id: session_id.to_owned(), task, due: now.plus(PENDING) });
}

fn checked(user: &mut User, session_id: &str, found: Found) {
    match found {
        Found::Live(_) => {
            for slot in user.slots.iter_mut().filter(|s| s.session_id == session_id) {
                slot.reserved_until = None;
            }
        }
        Found::Ended | Found::Unknown => user.slots.retain(|s| s.session_id != session_id),
    }
}

fn profile(user: &User) -> Option<Profile> {
    let stored = user.profile.as_ref()?;
    let (account, slots) = (stored.account.clone(), user.slots.clone());
    Some(Profile { account, is_active: stored.is_active, slots })
}

fn with_sessions(user: &User, sessions: Vec<String>, task: Option<Task>) -> Reply {
    match profile(user) {
        Some(profile) => Reply::Sessions { profile, sessions, task },
        None => Reply::NoUser,
    }
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

/// When the object's alarm is due, if anything is left to do or to forget.
pub fn next_alarm(user: &User) -> Option<Timestamp> {
    let reserved = user.slots.iter().filter_map(|s| s.reserved_until);
    let pending = user.pending.iter().map(|p| p.due);
    let forget = user.throttle.forgotten_at().filter(|_| user.profile.is_none());
    reserved.chain(pending).chain(forget).min()
}

impl User {
    /// Whether nothing is worth keeping: no user, nothing to finish, no failure remembered.
    pub fn is_nobody(&self, now: Timestamp) -> bool {
        self.profile.as_ref().is_none_or(|p| p.account.user().is_none())
            && self.slots.is_empty()
            && self.pending.is_empty()
            && self.throttle.forgotten_at().is_none_or(|at| at <= now)
    }
}
