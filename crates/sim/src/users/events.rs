//! What must hold after every event, seen in what has just become durable.

use super::callers::{Callers, NAMES};
use super::quiet;
use crate::deployment::{Change, Object};
use crate::sequence::Invariant;
use crate::world::World;
use base::rpc::Class;
use config::Settings as _;
use directory::{ADMIN, Task};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The list of a user's sessions, as stored.
#[derive(Default)]
struct List {
    slots: Vec<String>,
    /// How many of them are more than reserved.
    kept: usize,
    /// Off the list, and about to be ended.
    ending: Vec<String>,
}

/// A session, as stored.
struct Known {
    user: usize,
    live: bool,
    generation: u64,
}

pub struct Events {
    objects: [Rc<Object>; NAMES.len()],
    lists: [List; NAMES.len()],
    sessions: BTreeMap<String, Known>,
    /// Sessions that have ever had a place of their own. Nobody gets the tokens of another one.
    listed: BTreeSet<String>,
    max: usize,
    /// Who is an active admin, and whether somebody has been.
    admins: [bool; NAMES.len()],
    had_admin: bool,
}

/// What is read of a user's row.
#[derive(Default, Deserialize)]
struct UserRow<'a> {
    #[serde(borrow, default)]
    profile: Option<Profile<'a>>,
    #[serde(borrow, default)]
    slots: Vec<Slot<'a>>,
    #[serde(borrow, default)]
    pending: Vec<Pending<'a>>,
}

#[derive(Deserialize)]
struct Profile<'a> {
    is_active: bool,
    #[serde(borrow)]
    account: Roles<'a>,
}

#[derive(Deserialize)]
struct Roles<'a> {
    #[serde(borrow)]
    roles: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Slot<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    reserved_until: Option<u64>,
}

#[derive(Deserialize)]
struct Pending<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    task: Task,
}

/// What is read of a session's row, live or ended.
#[derive(Deserialize)]
struct SessionRow<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow)]
    account: Option<Account<'a>>,
    grant: Option<Grant>,
    generation: Option<u64>,
}

#[derive(Deserialize)]
struct Account<'a> {
    #[serde(borrow)]
    username: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Grant {
    generation: u64,
}

type Broken = (Invariant, String);

impl Events {
    pub fn new(world: &World) -> Self {
        let objects = std::array::from_fn(|user| world.object(Class::User, &quiet::object(user)));
        let max = world.host().app().expect("the settings are good").config.limit.max;
        let lists = std::array::from_fn(|_| List::default());
        let admins = [false; NAMES.len()];
        let (sessions, listed) = (BTreeMap::new(), BTreeSet::new());
        Self { objects, lists, sessions, listed, max, admins, had_admin: false }
    }

    pub const fn listed(&self) -> &BTreeSet<String> {
        &self.listed
    }

    /// Every session that has ever been open.
    pub fn opened(&self) -> impl Iterator<Item = &str> {
        self.sessions.keys().map(String::as_str)
    }

    pub fn look(&mut self, world: &World, callers: &Callers) {
        let mut broken: Option<Broken> = None;
        world.changes(|object, change| {
            if change == Change::Stored && broken.is_none() {
                broken = self.stored(object).err();
            }
        });
        if let Some((invariant, detail)) = broken {
            callers.truth.borrow_mut().broken(invariant, detail);
        }
    }

    fn stored(&mut self, object: &Rc<Object>) -> Result<(), Broken> {
        match object.class {
            Class::User => self.user_stored(object),
            Class::Session => self.session_stored(object),
            _ => Ok(()),
        }
    }

    fn user_stored(&mut self, object: &Rc<Object>) -> Result<(), Broken> {
        let Some(user) = self.objects.iter().position(|known| Rc::ptr_eq(known, object)) else {
            return Ok(());
        };
        let storage = object.storage.borrow();
        let row =
            storage.get("user").map(|text| serde_json::from_str::<UserRow>(text).expect("a user's row"));
        let row = row.unwrap_or_default();
        let is_admin =
            |profile: &Profile| profile.is_active && profile.account.roles.iter().any(|r| r == ADMIN);
        self.admins[user] = row.profile.as_ref().is_some_and(is_admin);
        let is_one = self.admins.contains(&true);
        if self.had_admin && !is_one {
            return Err((Invariant::NoAdmin, format!("{} was the last", NAMES[user])));
        }
        self.had_admin |= is_one;
        let own = row.slots.iter().filter(|slot| slot.reserved_until.is_none());
        self.listed.extend(own.map(|slot| slot.session_id.as_ref().to_owned()));
        let ending = row.pending.into_iter().filter(|pending| pending.task != Task::Sync);
        self.lists[user] = List {
            kept: row.slots.iter().filter(|slot| slot.reserved_until.is_none()).count(),
            slots: row.slots.into_iter().map(|slot| slot.session_id.into_owned()).collect(),
            ending: ending.map(|pending| pending.session_id.into_owned()).collect(),
        };
        // One that is reserved becomes a place of its own when its session is open, and then others make room.
        let places = self.lists[user].kept;
        if places > self.max {
            return Err((Invariant::TooManySessions, format!("{} has {places} places", NAMES[user])));
        }
        let mut live = self.sessions.iter().filter(|(_, session)| session.user == user && session.live);
        live.try_for_each(|(id, _)| self.on_a_list(user, id))
    }

    fn session_stored(&mut self, object: &Object) -> Result<(), Broken> {
        let storage = object.storage.borrow();
        let Some(text) = storage.get("session") else { return Ok(()) };
        let row: SessionRow = serde_json::from_str(text).expect("a session's row");
        let live = row.state == "live";
        let generation = row.grant.map(|grant| grant.generation).or(row.generation).unwrap_or(0);
        let Some(account) = row.account else { return Ok(()) };
        let Some(user) = NAMES.iter().position(|name| *name == account.username) else { return Ok(()) };
        let id = object.id.as_str();
        if let Some(before) = self.sessions.get_mut(id) {
            let (lived, earlier) = (before.live, before.generation);
            (before.live, before.generation) = (live, generation);
            if !lived && live {
                return Err((Invariant::EndedSessionLives, format!("{id} of {} lives again", NAMES[user])));
            }
            // Each renewal makes one generation; a second one from the same would be another successor of its tokens.
            if generation < earlier || generation > earlier + 1 {
                let detail = format!("{id} of {}: from {earlier} to {generation}", NAMES[user]);
                return Err((Invariant::TwoSuccessors, detail));
            }
        } else {
            self.sessions.insert(id.to_owned(), Known { user, live, generation });
        }
        if live { self.on_a_list(user, id) } else { Ok(()) }
    }

    /// A live session whose tokens somebody may have has a place on its owner's list, or its owner is about to end it.
    fn on_a_list(&self, user: usize, id: &str) -> Result<(), Broken> {
        let list = &self.lists[user];
        if !self.listed.contains(id) {
            return Ok(());
        }
        if list.slots.iter().chain(&list.ending).any(|known| known == id) {
            return Ok(());
        }
        Err((Invariant::SessionOnNoList, format!("{id} of {}", NAMES[user])))
    }
}
