//! What the platform does for handlers and objects alike. Workers implement it once, the simulation a second time, with
//! faults. Objects need more than this: `engine::host` has the rest.

#![allow(async_fn_in_trait)] // Everything here runs on one thread; nothing has to be `Send`.

use crate::call::{Answer, Call};
use crate::clock::Timestamp;
use crate::current;
use crate::fault::{Fault, FaultKind};
use crate::log;
use crate::page::{self, Fetch};
use crate::socket::{Connect, Opened};
use crate::vault::Nonce;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

pub trait Clock {
    fn now(&self) -> Timestamp;
}

/// Random bytes of the runtime's own source. An error: it has none to give, and nothing may be made instead of them.
pub trait Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault>;

    fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn nonce(&self) -> Result<Nonce, Fault> {
        self.random().map(Nonce)
    }

    /// A random number that spreads what would otherwise happen at once.
    fn jitter(&self) -> Result<crate::jitter::Jitter, Fault> {
        Ok(crate::jitter::Jitter(u32::from_le_bytes(self.random()?)))
    }

    /// 128 random bits in hexadecimal: for request ids, and for ids that nobody may guess if the error is passed on.
    fn random_id(&self) -> Result<String, Fault> {
        Ok(hex(&self.random::<16>()?))
    }

    /// A request id. Nothing depends on it, so it is all zeros where there are no random bytes.
    fn request_id(&self) -> String {
        self.random_id().unwrap_or_else(|_| "0".repeat(32))
    }
}

/// Bytes in hexadecimal, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Where log lines go: one JSON object each.
/// How a request was answered: a row of the table of routes or `none`, a status, a code of ours. So nothing that a caller sends makes a
/// series of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered<'a> {
    pub route: &'a str,
    pub status: u16,
    pub code: Option<&'a str>,
    /// Whoever counts looks at the clock; nobody else has to.
    pub started: Timestamp,
}

pub trait Log: Clock {
    fn info(&self, line: &str);
    fn error(&self, line: &str);

    /// The id of the request that this is for, where it is for one.
    fn request_in_hand(&self) -> Option<&str> {
        None
    }

    /// Counts an answer, where somebody counts.
    fn answered(&self, _: &Answered) {}

    /// Something that went wrong inside. It carries the id of the request in hand if no other is given, or of the one that is
    /// worked on.
    fn fault(&self, kind: FaultKind, detail: &dyn Display, request_id: Option<&str>) {
        let current = current::request_id();
        let request_id = request_id.or_else(|| self.request_in_hand()).or(current.as_deref());
        self.error(&log::fault(kind, &detail.to_string(), request_id, self.now()));
    }
}

/// A key, and what was written of it for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: String,
    pub metadata: Option<serde_json::Value>,
}

/// A page of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    pub keys: Vec<Key>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// Workers KV: eventually consistent, one write a second for a key, and sometimes not there. What it holds is a copy; the
/// truth is in an object.
pub trait Kv {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, Fault>;
    /// `ttl` is at least a minute: [`crate::ports::KV_TTL_MIN`]. `metadata` is JSON of at most 1,024 bytes.
    async fn kv_put(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
        metadata: Option<&serde_json::Value>,
    ) -> Result<(), Fault>;
    async fn kv_delete(&self, key: &str) -> Result<(), Fault>;
    /// At most `limit` keys, and never more than a thousand.
    async fn kv_list(&self, prefix: &str, limit: u64, cursor: Option<&str>) -> Result<KeyPage, Fault>;
}

/// Workers KV refuses a shorter `expirationTtl`.
pub const KV_TTL_MIN: Duration = Duration::from_mins(1);

/// Calls to others, bounded in time and size, and never redirected. What goes wrong is an answer, too.
pub trait Net {
    /// Calls an upstream.
    async fn call(&self, call: &Call) -> Answer;
    /// Loads a page.
    async fn fetch(&self, fetch: &Fetch) -> page::Answer;
    /// Opens a WebSocket.
    async fn connect(&self, to: &Connect) -> Opened;
}

pub trait Timer {
    async fn sleep(&self, time: Duration);
}

/// Work that goes on when nobody waits for it (`waitUntil`). It may be cut off with its instance.
pub trait Background {
    fn wait_until(&self, work: impl Future<Output = ()> + 'static);
}

/// What lies in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub bytes: Vec<u8>,
    pub content_type: String,
    /// Of at most 8,192 bytes in all.
    pub metadata: BTreeMap<String, String>,
}

/// R2: what is too long for a row, and that nobody waits for. Not every deployment has a bucket.
pub trait Bucket {
    fn has_bucket(&self) -> bool;
    async fn bucket_put(&self, key: &str, object: &Stored) -> Result<(), Fault>;
    async fn bucket_get(&self, key: &str) -> Result<Option<Stored>, Fault>;
    /// Of a key that is not there, too.
    async fn bucket_delete(&self, key: &str) -> Result<(), Fault>;
}
