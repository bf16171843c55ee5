//! What the object is told and asked that knows which portal sessions live, and which of them is too many.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use super::refusals::Held;
use super::state::{End, Ended, LastFailure, Refused, Saved};
use base::clock::Timestamp;
use base::ids::{PortalId, ServiceKeyId};
use base::rpc::{Address, Class, Object};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a username is sealed for in a [`Row`]; the record is the login's name.
pub const USERNAME_PURPOSE: &str = "portal-username";

/// The registry of portal sessions.
#[derive(Clone, Copy, Debug)]
pub struct RegistryObject;

impl Object for RegistryObject {
    const CLASS: Class = Class::PortalRegistry;
}

/// There is one.
pub fn address() -> Address<RegistryObject> {
    Address::name("registry")
}

/// A session lives, and was last used so; `ended` is the one before. Answers with those that are too many then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsert {
    pub row: Row,
    pub max: usize,
    #[serde(default)]
    pub ended: Option<Ended>,
    /// Keyed hashes of its username: the portal has taken its password, so refusals before that are over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usernames: Vec<String>,
    /// Of the login: see [`super::state::Login::openers`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openers: Vec<ServiceKeyId>,
}

/// The portal has refused a password of this username.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsernameRefused {
    /// A keyed hash.
    pub username: String,
    /// How often in a row, and until when the password is left alone.
    pub refused: Refused,
}

/// The login of this name has no session; `ended` is the last one that it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    pub name: String,
    pub ended: Option<Ended>,
    /// When that was so. A session that was begun later is not meant: reports may overtake each other.
    pub as_of: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<UsernameRefused>,
}

/// Whose session this is. It is used now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    pub session_id: PortalId,
    pub now: Timestamp,
}

/// Whose session this is, for a service key that may use only those logins that it opened itself. It is used now, if it is one of
/// these; if not, the login's object says so. An end is told to those only who may use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindOwn {
    pub session_id: PortalId,
    pub now: Timestamp,
    pub opener: ServiceKeyId,
}

/// The live sessions of the logins that a key opened itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOwn {
    pub opener: ServiceKeyId,
}

/// Whose session these names of a login's mean, if it is another's than that of `excluding`; else what there is against a
/// login with these usernames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindByAlias {
    pub names: Vec<String>,
    #[serde(rename = "but")]
    pub excluding: String,
    /// Keyed hashes of one username, by each sealing key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usernames: Vec<String>,
}

/// All live sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List;

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count;

/// How many sessions are sealed under which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage;

/// The names of all logins with a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names;

/// The sessions that are too many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    pub max: usize,
}

/// Somebody wants to open a browser. To be said again until there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeBrowser {
    /// A name for the place, by which it is given back.
    pub place: String,
    /// When it ends by itself: whoever has it may be gone by then.
    pub until: Timestamp,
}

/// A browser is closed, or not wanted any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveBrowser {
    pub place: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<BrowserUse>,
}

/// What a browser was held for, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserUse {
    /// The login's name.
    pub name: String,
    pub work: String,
    pub milliseconds: u64,
    /// The session that it was for, if it lives, and what it has used by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<(PortalId, u64)>,
}

base::commands! { RegistryObject:
    Upsert = "lives" => Surplus;
    Remove = "none" => Removed;
    Find = "find" => FindReply;
    FindOwn = "find_own" => FindReply;
    ListOwn = "list_own" => Listed;
    FindByAlias = "called" => FindByAliasReply;
    unit List = "list" => Listed;
    unit Count = "counts" => Counted;
    unit KeyUsage = "kids" => KeyUsageReply;
    unit Names = "names" => NamesReply;
    Excess = "excess" => Surplus;
    TakeBrowser = "take_browser" => BrowserReply;
    GiveBrowser = "give_browser" => Removed;
}

/// Any of them, as the object reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    #[serde(rename = "lives")]
    Upsert(Upsert),
    #[serde(rename = "none")]
    Remove(Remove),
    Find(Find),
    FindOwn(FindOwn),
    ListOwn(ListOwn),
    #[serde(rename = "called")]
    FindByAlias(FindByAlias),
    List,
    #[serde(rename = "counts")]
    Count,
    #[serde(rename = "kids")]
    KeyUsage,
    Names,
    Excess(Excess),
    TakeBrowser(TakeBrowser),
    GiveBrowser(GiveBrowser),
}

/// The least recently used sessions over the limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surplus {
    TooMany(Vec<Place>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removed {
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindReply {
    Found(Place),
    Ended(End),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindByAliasReply {
    Found(Place),
    Held(Held),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    Rows(Vec<Row>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    Counts(Counts),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUsageReply {
    Kids(BTreeMap<String, u64>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamesReply {
    Names(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserReply {
    Taken,
    /// None is free. To be asked again after so long, or its turn is over.
    Waits {
        milliseconds: u64,
    },
}

/// A session, and the login that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    pub session_id: PortalId,
}

/// A live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    /// What its object would be called if it were new: its name by the first sealing key. Nothing, if its credentials
    /// cannot be opened.
    #[serde(default)]
    pub alias: Option<String>,
    /// The sealing key that it lies sealed under.
    #[serde(default)]
    pub kid: Option<String>,
    pub session_id: PortalId,
    /// Sealed. Nothing, if its credentials cannot be opened.
    pub username: Option<String>,
    pub created_at: Timestamp,
    pub last_used: Timestamp,
    pub keep_alive: bool,
    #[serde(default, skip_serializing_if = "More::is_nothing")]
    pub more: More,
}

/// What people want to know of a session, as of its last report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct More {
    #[serde(default, skip_serializing_if = "Saved::is_nothing")]
    pub saved: Saved,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
    /// As [`super::state::Live::browser_milliseconds`].
    #[serde(default, skip_serializing_if = "base::clock::is_zero")]
    pub browser_milliseconds: u64,
}

impl More {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub active: u64,
    /// Those that are kept alive.
    pub persistent: u64,
    /// For how long browsers have been held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browsers: Vec<BrowserTime>,
}

/// For how long browsers of a portal have been held for some kind of work, since the registry counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserTime {
    pub portal: String,
    pub work: String,
    pub milliseconds: u64,
}
