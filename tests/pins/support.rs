//! Pins what is stored, and what the Worker and its objects say to each other: texts as an earlier release wrote them.
//!
//! A file of this folder has sections, `[name]`, with a text on each line, which is read and then has to print the same.
//! Two lines that begin with `old ` and `new ` are what an earlier release wrote and what it is printed as today.
//! Texts may be added for what is new. To change one breaks deployments in use: see `docs/storage.md`.
#![allow(dead_code)] // Included by the tests of each area, which use what they need of it.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Serialize, forward_to_deserialize_any};
use std::cell::Cell;

const FILES: [(&str, &str); 5] = [
    ("sealing", include_str!("sealing.txt")),
    ("session", include_str!("session.txt")),
    ("directory", include_str!("directory.txt")),
    ("keeper", include_str!("keeper.txt")),
    ("portal", include_str!("portal.txt")),
];

/// The lines of one section.
pub fn section(file: &str, name: &str) -> Vec<&'static str> {
    let (_, text) = FILES.iter().find(|(f, _)| *f == file).unwrap();
    let head = format!("[{name}]");
    let mut lines = text.lines().skip_while(|line| *line != head);
    assert!(lines.next().is_some(), "{file} has no section {name}");
    lines
        .take_while(|line| !line.starts_with('[') || line.starts_with("[{"))
        .filter(|l| !l.is_empty())
        .collect()
}

/// The only line of a section.
pub fn line(file: &str, name: &str) -> &'static str {
    let lines = section(file, name);
    assert_eq!(lines.len(), 1, "{file}, {name}");
    lines[0]
}

/// Every text of a section is read as a `T` and printed as it stands there; together they show all that a `T` has.
pub fn check<T: Serialize + DeserializeOwned>(file: &str, name: &str) {
    read_and_print::<T>(file, name, section(file, name));
}

/// The same of those texts of a section that are of some of its variants, which are all that a `T` has.
pub fn check_of<T: Serialize + DeserializeOwned>(file: &str, name: &str, variants: &[&str]) {
    let mut lines = section(file, name);
    lines.retain(|line| {
        let text = line.trim_start_matches("old ").trim_start_matches("new ").trim_start_matches('{');
        variants.iter().any(|variant| text.starts_with(&format!("\"{variant}\"")))
    });
    assert!(lines.len() >= variants.len(), "{file}, {name} does not show all of {variants:?}");
    read_and_print::<T>(file, name, lines);
}

fn read_and_print<T: Serialize + DeserializeOwned>(file: &str, name: &str, lines: Vec<&str>) {
    let mut lines = lines.into_iter();
    while let Some(line) = lines.next() {
        let (text, printed) = match line.strip_prefix("old ") {
            Some(old) => (old, lines.next().and_then(|l| l.strip_prefix("new ")).unwrap()),
            None => (line, line),
        };
        let value: T = serde_json::from_str(text).unwrap_or_else(|e| panic!("{file}, {name}: {e}: {text}"));
        assert_eq!(serde_json::to_string(&value).unwrap(), printed, "{file}, {name}");
    }
    look_for(members::<T>(), file, name);
}

/// Whether the texts of a section show every member of the struct, or every variant of the enum, that `T` is: so that
/// what is added is pinned, too.
pub fn shows<T: DeserializeOwned>(file: &str, name: &str) {
    let members = members::<T>();
    assert!(!members.is_empty(), "{file}, {name}: nothing to look for");
    look_for(members, file, name);
}

fn look_for(members: &[&str], file: &str, name: &str) {
    let texts = section(file, name).join("\n");
    for member in members {
        assert!(texts.contains(&format!("\"{member}\"")), "{file}, {name} does not show {member}");
    }
}

/// The members of a struct or the variants of an enum, as they are read. None of what is neither.
fn members<T: DeserializeOwned>() -> &'static [&'static str] {
    let members = Cell::new(&[] as &'static [&'static str]);
    let _ = T::deserialize(Members(&members));
    members.get()
}

/// Asks a type what it would read, and gives it nothing.
struct Members<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Members<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(variants);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}
