//! Names and ids, each a type of its own, so that one cannot stand where another belongs.
//!
//! They travel and are stored as the bare text or number. What a caller gives becomes one by `parse`, once, where it comes
//! in; what we have made, stored or sent ourselves by `issued`, unchecked.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// An id that is text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// One of ours: made here, stored, or sent by an object.
            pub fn issued(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

text_id! {
    /// A session's: the id that its object's namespace gave it.
    SessionId
}

text_id! {
    /// An account of an upstream, as the settings call it.
    AccountName
}

text_id! {
    /// A session at a portal.
    PortalId
}

text_id! {
    /// A service key's: twelve hexadecimal digits, the part of the key that is no secret. It finds the key.
    ServiceKeyId
}

impl SessionId {
    /// A Durable Object id as text: 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        Self::fits(text).then(|| Self(text.to_owned()))
    }

    pub fn fits(text: &str) -> bool {
        text.len() == 64 && is_hex(text)
    }
}

impl PortalId {
    pub const BYTES_MAX: usize = 128;

    pub fn parse(text: &str) -> Option<Self> {
        (1..=Self::BYTES_MAX).contains(&text.len()).then(|| Self(text.to_owned()))
    }
}

impl ServiceKeyId {
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 12 && is_hex(text)).then(|| Self(text.to_owned()))
    }
}

/// In lower case, as ids of ours are: another spelling would be another name in KV and in lists.
fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A user's id. The directory gives it out, and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(u64);

impl UserId {
    /// No user has this id: the directory begins at 1. Listings of users start behind it.
    pub const NOBODY: Self = Self(0);

    pub const fn issued(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UserId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Longest account name, in bytes. With its prefix it stays far under the 512 bytes of a KV key.
pub const ACCOUNT_BYTES_MAX: usize = 64;

impl AccountName {
    /// Letters, digits, `-`, `_` and `.`, and not a dot first: nothing that could leave a path or a key.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=ACCOUNT_BYTES_MAX).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_are_plain() {
        for name in ["a", "agnidata001", "A-b_c.d", &"x".repeat(64)] {
            assert_eq!(AccountName::parse(name), Some(AccountName::issued(name)), "{name}");
        }
        for name in ["", ".", "..", ".a", "a:b", "a/b", "*", "a b", "a\n", "\u{e9}", "%3A", &"x".repeat(65)] {
            assert_eq!(AccountName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn ids_that_a_caller_gives_have_one_spelling() {
        let id = "0123456789abcdef".repeat(4);
        assert_eq!(SessionId::parse(&id), Some(SessionId::issued(&*id)));
        for other in ["", &id[1..], &format!("{id}0"), &id.to_uppercase(), &id.replace('0', "g")] {
            assert_eq!(SessionId::parse(other), None, "{other}");
        }
        assert!(ServiceKeyId::parse("0123456789ab").is_some());
        for other in ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789ag"] {
            assert_eq!(ServiceKeyId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn they_travel_as_the_bare_text_or_number() {
        assert_eq!(serde_json::to_string(&SessionId::issued("a")).unwrap(), r#""a""#);
        assert_eq!(serde_json::from_str::<PortalId>(r#""a""#).unwrap(), PortalId::issued("a"));
        assert_eq!(serde_json::to_string(&UserId::issued(7)).unwrap(), "7");
        assert_eq!("7".parse(), Ok(UserId::issued(7)));
        assert!("-7".parse::<UserId>().is_err());
    }
}
