//! Reads an object of a document member by member, and keeps every fault.

use super::Fault;
use base::json;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::cell::RefCell;

/// Of a name or a text.
const CHARS_MAX: usize = 1_000;
/// Of a list of objects.
const ITEMS_MAX: usize = 100;

/// What was found on the way.
#[derive(Default)]
pub(super) struct Told {
    pub faults: RefCell<Vec<Fault>>,
    /// The members that were asked for, by the kind of their object.
    #[cfg(not(target_arch = "wasm32"))]
    pub members: RefCell<std::collections::BTreeSet<(&'static str, &'static str)>>,
}

/// An object. What nobody has taken of it when it goes is unknown.
pub(super) struct Members<'a> {
    told: &'a Told,
    /// For the list of members, which is made natively only.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    kind: &'static str,
    path: String,
    rest: Map<String, Value>,
}

impl<'a> Members<'a> {
    /// A value that must be an object.
    pub fn of(told: &'a Told, kind: &'static str, path: String, value: Value) -> Option<Self> {
        if let Value::Object(rest) = value {
            return Some(Self { told, kind, path, rest });
        }
        told.faults.borrow_mut().push(Fault { path, what: "must be an object".to_owned() });
        None
    }

    /// A fault of a member.
    pub fn fault(&self, name: &str, what: &str) {
        let path = format!("{}/{name}", self.path);
        self.told.faults.borrow_mut().push(Fault { path, what: what.to_owned() });
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        #[cfg(not(target_arch = "wasm32"))]
        self.told.members.borrow_mut().insert((self.kind, name));
        self.rest.remove(name)
    }

    fn read<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let read = json::of(self.take(name)?);
        read.map_err(|error| self.fault(name, &format!("is {error}"))).ok()
    }

    /// A member that may be left out. What it is otherwise must be told before.
    fn needed<T>(&mut self, name: &'static str, read: fn(&mut Self, &'static str) -> Option<T>) -> Option<T> {
        if !self.rest.contains_key(name) {
            self.fault(name, "is missing");
        }
        read(self, name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let text = self.read::<String>(name)?;
        let chars = text.chars().count();
        if text.trim().is_empty() || chars > CHARS_MAX || text.chars().any(char::is_control) {
            self.fault(name, "must be text of 1 to 1,000 characters");
        }
        Some(text)
    }

    pub fn text(&mut self, name: &'static str) -> String {
        self.needed(name, Self::optional_text).unwrap_or_default()
    }

    /// What may stand in a header.
    pub fn visible(&mut self, name: &'static str) -> String {
        let text = self.needed(name, Self::read::<String>);
        let is_visible = |b: u8| b == b' ' || b.is_ascii_graphic();
        if text.as_ref().is_some_and(|text| text.trim().is_empty() || !text.bytes().all(is_visible)) {
            self.fault(name, "must be visible ASCII");
        }
        text.unwrap_or_default()
    }

    /// Behind the base URL.
    pub fn path(&mut self, name: &'static str) -> String {
        let path = self.needed(name, Self::read::<String>);
        // It is put behind the base URL as it is: without the slash it would go on with the name of the host.
        if path.as_ref().is_some_and(|path| !path.starts_with('/') || path.starts_with("//")) {
            self.fault(name, "must begin with one /");
        }
        path.unwrap_or_default()
    }

    /// Any JSON.
    pub fn json(&mut self, name: &'static str) -> Value {
        let json = self.needed(name, Self::take);
        json.unwrap_or_default()
    }

    /// A list of texts, that may be left out.
    pub fn texts(&mut self, name: &'static str) -> Vec<String> {
        let texts: Vec<String> = self.read(name).unwrap_or_default();
        if texts.iter().any(|text| text.trim().is_empty()) {
            self.fault(name, "has an empty text");
        }
        texts
    }

    /// A list of whole numbers, that may be left out.
    pub fn numbers(&mut self, name: &'static str) -> Vec<u16> {
        self.read(name).unwrap_or_default()
    }

    /// `false` if it is left out.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.read(name).unwrap_or_default()
    }

    /// A whole number within bounds, both included.
    pub fn number(&mut self, name: &'static str, min: u64, max: u64) -> u64 {
        let number = self.needed(name, Self::read::<u64>);
        if number.is_some_and(|number| !(min..=max).contains(&number)) {
            self.fault(name, &format!("must be a whole number from {min} to {max}"));
        }
        number.unwrap_or_default()
    }

    /// One of several words; the first one, if it is none of them.
    pub fn word(&mut self, name: &'static str, words: &[&'static str]) -> &'static str {
        let given = self.needed(name, Self::read::<String>);
        let known = given.as_ref().and_then(|given| words.iter().find(|word| *word == given));
        if given.is_some() && known.is_none() {
            self.fault(name, &format!("must be one of: {}", words.join(", ")));
        }
        known.or(words.first()).copied().unwrap_or_default()
    }

    /// An object of whatever names.
    pub fn members(&mut self, name: &'static str) -> Map<String, Value> {
        self.needed(name, Self::read::<Map<String, Value>>).unwrap_or_default()
    }

    pub fn optional_object(&mut self, kind: &'static str, name: &'static str) -> Option<Self> {
        let value = self.take(name)?;
        Self::of(self.told, kind, format!("{}/{name}", self.path), value)
    }

    pub fn object(&mut self, kind: &'static str, name: &'static str) -> Option<Self> {
        if !self.has(name) {
            self.fault(name, "is missing");
        }
        self.optional_object(kind, name)
    }

    /// A list of objects, that may be left out.
    pub fn objects(&mut self, kind: &'static str, name: &'static str) -> Vec<Self> {
        let items: Vec<Value> = self.read(name).unwrap_or_default();
        if items.len() > ITEMS_MAX {
            self.fault(name, "has more than 100 items");
        }
        let path = |at: usize| format!("{}/{name}/{at}", self.path);
        let items = items.into_iter().enumerate().take(ITEMS_MAX);
        items.filter_map(|(at, item)| Self::of(self.told, kind, path(at), item)).collect()
    }
}

impl Drop for Members<'_> {
    fn drop(&mut self) {
        for name in std::mem::take(&mut self.rest).keys() {
            self.fault(name, "is unknown");
        }
    }
}
