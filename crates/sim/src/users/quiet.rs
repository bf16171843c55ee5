//! What is to be seen in the storage when all is quiet.

use super::callers::{Callers, NAMES};
use super::plan::CUSTOMER;
use crate::host::SimHost;
use crate::sequence::Invariant;
use crate::world::World;
use base::ids::SessionId;
use base::rpc::Class;
use config::Settings as _;
use directory::{ADMIN, User};
use serde_json::Value;
use session::{Owner, State, Tombstone};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How late an alarm may be.
const LATE: Duration = Duration::from_mins(2);

/// Gives the sessions that are live and that nobody knows of, since their logins broke off: nobody has their tokens, and they end
/// by inactivity. `listed` are those that have ever had a place.
pub fn check(world: &World, callers: &Callers, listed: &BTreeSet<String>) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Err((invariant, detail)) = checked(world, callers, listed, &mut unknown) {
        callers.truth.borrow_mut().broken(invariant, detail);
    }
    unknown
}

/// Those that nobody knows of have ended.
pub fn check_ended(world: &World, callers: &Callers, unknown: &[String]) {
    let lives = |id: &&String| matches!(parsed(world, Class::Session, id, "session"), Some(State::Live(_)));
    if let Some(id) = unknown.iter().find(lives) {
        callers.truth.borrow_mut().broken(Invariant::SessionOnNoList, format!("{id} goes on"));
    }
}

/// Nothing is left of what has ended, in any object, once nobody needs it.
pub fn check_emptied(world: &World, callers: &Callers) {
    for id in world.ids(Class::Session) {
        let state = parsed::<State>(world, Class::Session, &id, "session");
        let Some(State::Ended(tombstone)) = state else { continue };
        if !is_excused(world, callers, &tombstone) && world.now() > tombstone.needed_until().plus(LATE) {
            callers.truth.borrow_mut().broken(Invariant::EndNotPropagated, format!("{id}: {tombstone:?}"));
        }
    }
}

/// Whether an end was told as far as whoever ended the session can see to: it is off its owner's list, and KV has the note, or the
/// session's alarm is to write it.
pub fn is_told(host: &SimHost, session_id: &SessionId, user: usize) -> bool {
    let id = session_id.as_str();
    let owner = host.stored(Class::User, &object(user), "user");
    let owner: User = owner.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let session = host.stored(Class::Session, id, "session");
    let unnoted = match session.and_then(|text| serde_json::from_str(&text).ok()) {
        // A record that its login has written may come late.
        Some(State::Ended(tombstone)) => tombstone.unnoted || tombstone.again_at.is_some(),
        Some(State::Live(_)) => return false,
        None => false,
    };
    let noted = host.newest_in_kv(&key(id)).is_none_or(|text| is_of_ended(&text));
    !is_listed_in(&owner, id) && (noted || unnoted)
}

fn key(session_id: &str) -> String {
    format!("session:{session_id}")
}

/// Whether a record of KV's says that its session has ended.
fn is_of_ended(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|record| record.get("ended").is_some())
}

/// Whether somebody has a place for a session, or is to end it.
fn is_listed_in(owner: &User, session_id: &str) -> bool {
    let is_promised =
        |p: &directory::Pending| p.session_id.as_str() == session_id && p.task != directory::Task::Sync;
    owner.slots.iter().any(|slot| slot.session_id.as_str() == session_id)
        || owner.pending.iter().any(is_promised)
}

/// The name of a user's object.
pub fn object(user: usize) -> String {
    if user == CUSTOMER { Owner::PostLogin(NAMES[user]) } else { Owner::User(NAMES[user]) }.object()
}

/// When a login has just been answered: its session is live, and its owner knows it or is about to end it.
pub fn is_listed(host: &SimHost, session_id: &SessionId, user: usize) -> bool {
    let session = host.stored(Class::Session, session_id.as_str(), "session");
    let session = session.and_then(|text| serde_json::from_str(&text).ok());
    let Some(State::Live(_)) = session else { return true };
    let user = host.stored(Class::User, &object(user), "user");
    let user: User = user.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let ending = |p: &directory::Pending| p.session_id == *session_id && p.task != directory::Task::Sync;
    user.slots.iter().any(|slot| slot.session_id == *session_id) || user.pending.iter().any(ending)
}

/// Whether a session is off its owner's list, and its end has begun for another reason.
pub fn is_being_ended(host: &SimHost, session_id: &SessionId, user: usize) -> bool {
    let user = host.stored(Class::User, &object(user), "user");
    let user: User = user.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    user.pending.iter().any(|p| p.session_id == *session_id && p.task != directory::Task::Sync)
}

type Broken = (Invariant, String);

fn parsed<T: serde::de::DeserializeOwned>(world: &World, class: Class, name: &str, row: &str) -> Option<T> {
    world.row(class, name, row).and_then(|text| serde_json::from_str(&text).ok())
}

fn checked(
    world: &World,
    callers: &Callers,
    listed: &BTreeSet<String>,
    unknown: &mut Vec<String>,
) -> Result<(), Broken> {
    let app = callers.host.settings().expect("the settings are good");
    let (policy, max) = (app.config.session, app.config.limit.max);
    let kv: BTreeMap<String, String> =
        world.kv().into_iter().map(|(key, entry)| (key, entry.value)).collect();
    let mut untold = Vec::new();
    let users: BTreeMap<&str, (usize, User)> = NAMES
        .iter()
        .enumerate()
        .filter_map(|(user, name)| Some((*name, (user, parsed(world, Class::User, &object(user), "user")?))))
        .collect();
    let mut live: BTreeMap<String, Vec<SessionId>> = BTreeMap::new();
    let kv_failed = world.weather().happened().iter().any(|(_, kind, _)| kind.is_kv());
    for id in world.ids(Class::Session) {
        let Some(state) = parsed::<State>(world, Class::Session, &id, "session") else { continue };
        let record = kv.get(&key(&id)).map(|text| is_of_ended(text));
        match state {
            State::Live(session) if session.over(&policy, world.now()).is_none() => {
                let name = session.account.username.clone();
                let user = users.get(name.as_str()).map(|(_, user)| user);
                if !user.is_some_and(|u| u.slots.iter().any(|slot| slot.session_id == *id)) {
                    let given = callers.truth.borrow().sessions.iter().any(|given| given.id == *id);
                    if given || listed.contains(&id) {
                        return Err((Invariant::SessionOnNoList, format!("{id} of {name}")));
                    }
                    if world.alarm(Class::Session, &id).is_none() {
                        return Err((Invariant::AlarmNotSet, id));
                    }
                    unknown.push(id);
                    continue;
                }
                let account = user.and_then(|u| u.profile.as_ref()).map(|p| &p.account);
                let is_user = session.account.user().is_some();
                if is_user && account.is_none_or(|account| account.roles != session.account.roles) {
                    let detail = format!("{id} has {:?}, {name} is {account:?}", session.account.roles);
                    return Err((Invariant::RolesDiffer, detail));
                }
                if record != Some(false) {
                    let detail = format!("no record of {id} of {name}, KV failed: {kv_failed}");
                    return Err((Invariant::KvRecordMissing, detail));
                }
                live.entry(name).or_default().push(SessionId::issued(id));
            }
            State::Live(_) => {}
            State::Ended(tombstone) => {
                if world.alarm(Class::Session, &id).is_none() {
                    return Err((Invariant::AlarmNotSet, id));
                }
                if is_excused(world, callers, &tombstone) {
                    untold.push(SessionId::issued(id));
                    continue;
                }
                if tombstone.unnoted || users.values().any(|(_, user)| is_listed_in(user, &id)) {
                    return Err((Invariant::EndNotPropagated, id));
                }
                if record == Some(false) {
                    return Err((Invariant::KvRecordLeft, id));
                }
                let good_until = tombstone.tokens_expire_at.filter(|_| tombstone.account.is_some());
                if record.is_none() && good_until.is_some_and(|until| until > world.now()) {
                    return Err((Invariant::BlacklistMissing, id));
                }
            }
        }
    }
    // A session that had a place and whose object is empty has ended.
    let is_empty =
        |id: &str| listed.contains(id) && parsed::<State>(world, Class::Session, id, "session").is_none();
    let records = kv.iter().filter_map(|(key, text)| Some((key.strip_prefix("session:")?, text)));
    if let Some((id, _)) = records.filter(|(_, text)| !is_of_ended(text)).find(|(id, _)| is_empty(id)) {
        return Err((Invariant::KvRecordLeft, format!("{id}, whose object is empty")));
    }
    for (name, (number, user)) in &users {
        let theirs = live.get(*name).map(Vec::as_slice).unwrap_or_default();
        if theirs.len() > max {
            return Err((Invariant::TooManySessions, format!("{name} has {}", theirs.len())));
        }
        let left = directory::next_alarm(user).is_some_and(|at| at < world.now());
        if left && world.alarm(Class::User, &object(*number)).is_none_or(|at| at > world.now()) {
            return Err((Invariant::AlarmNotSet, format!("{name}: {user:?}")));
        }
        let is_nobodys = |id: &SessionId| !theirs.contains(id) && !untold.contains(id);
        if let Some(slot) = user.slots.iter().find(|slot| is_nobodys(&slot.session_id)) {
            return Err((Invariant::PlaceOfNobody, format!("{name} has a place for {}", slot.session_id)));
        }
        if user.admin_sync.is_some() {
            return Err((Invariant::WorkLeft, format!("{name}: {:?}", user.admin_sync)));
        }
        if !user.pending.is_empty() {
            return Err((Invariant::WorkLeft, format!("{name}: {:?}", user.pending)));
        }
    }
    directory(world, &users)
}

/// Whether the session's alarm is still to tell of its end: it does where whoever has ended it has died or was not heard, and takes
/// away what the beginning has written late. It comes when it would have come to the live session, or soon where KV lets people in.
fn is_excused(world: &World, callers: &Callers, tombstone: &Tombstone) -> bool {
    let policy = callers.host.settings().expect("the settings are good").config.session;
    let comes_until = tombstone.ended_at.plus(policy.told_within).max(tombstone.again_at.unwrap_or_default());
    let is_disturbed = callers.truth.borrow().disturbed > 0 || !world.weather().happened().is_empty();
    is_disturbed && world.now() <= comes_until.plus(LATE)
}

/// The directory knows who is an admin.
fn directory(world: &World, users: &BTreeMap<&str, (usize, User)>) -> Result<(), Broken> {
    let entries = world.sql(Class::Directory, "directory", "SELECT username, admin FROM users");
    for (name, (_, user)) in users {
        let Some(profile) = &user.profile else { continue };
        let is = profile.is_active && profile.account.roles.iter().any(|role| role == ADMIN);
        let entry = entries.iter().find(|entry| entry.get("username") == Some(&Value::from(*name)));
        let noted = entry.and_then(|entry| entry.get("admin")?.as_i64()) == Some(1);
        if is != noted {
            let detail = format!("{name}: admin is {is}, the directory has {entry:?}");
            return Err((Invariant::DirectoryWrong, detail));
        }
    }
    Ok(())
}
