//! Workers KV: keys with values, times to live and metadata, and its weather. Readers see what was there some time ago, a
//! look-up that found nothing is remembered as well, and a key takes one write a second.

use base::clock::Timestamp;
use base::ports::{Key, KeyPage};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub value: String,
    pub expires_at: Timestamp,
    pub metadata: Option<Value>,
}

#[derive(Default)]
pub struct KvStore {
    entries: BTreeMap<String, Entry>,
    /// What readers still see, and until when (in the world's own time).
    stale: BTreeMap<String, (u64, Option<Entry>)>,
    written: BTreeMap<String, u64>,
}

impl KvStore {
    /// What was written last, whoever sees it.
    pub fn newest(&self, key: &str, now: Timestamp) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires_at > now)
    }

    pub fn entries(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Entry)> {
        self.entries.iter().filter(move |(_, entry)| entry.expires_at > now)
    }

    /// What a reader sees.
    pub fn get(&self, key: &str, now: Timestamp, time: u64) -> Option<String> {
        let seen = match self.stale.get(key) {
            Some((until, stale)) if *until > time => stale.as_ref(),
            _ => self.entries.get(key),
        };
        seen.filter(|entry| entry.expires_at > now).map(|entry| entry.value.clone())
    }

    /// Whether a write would be the second within a second.
    pub fn too_soon(&self, key: &str, time: u64) -> bool {
        self.written.get(key).is_some_and(|at| at + 1000 > time)
    }

    /// Writes, or deletes. Until `seen_at` readers see what was there.
    pub fn write(&mut self, key: &str, entry: Option<Entry>, time: u64, seen_at: u64) {
        let before = match self.stale.get(key) {
            Some((until, stale)) if *until > time => stale.clone(),
            _ => self.entries.get(key).cloned(),
        };
        if seen_at > time {
            self.stale.insert(key.to_owned(), (seen_at, before));
        } else {
            self.stale.remove(key);
        }
        self.written.insert(key.to_owned(), time);
        match entry {
            Some(entry) => self.entries.insert(key.to_owned(), entry),
            None => self.entries.remove(key),
        };
    }

    pub fn list(&self, prefix: &str, limit: u64, after: Option<&str>, now: Timestamp) -> KeyPage {
        let limit = usize::try_from(limit.min(1000)).unwrap_or(1000);
        let mut keys: Vec<Key> = self
            .entries(now)
            .filter(|(name, _)| name.starts_with(prefix) && after.is_none_or(|after| name.as_str() > after))
            .take(limit + 1)
            .map(|(name, entry)| Key { name: name.clone(), metadata: entry.metadata.clone() })
            .collect();
        let more = keys.len() > limit;
        keys.truncate(limit);
        let cursor = keys.last().map(|key| key.name.clone()).filter(|_| more);
        KeyPage { keys, cursor }
    }
}
