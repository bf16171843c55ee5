//! What the directory said of service keys, kept for a moment, so that a service that asks often is answered at the edge.

use super::service_key::ServiceKey;
use base::clock::Timestamp;
use base::ids::ServiceKeyId;
use std::rc::Rc;
use std::time::Duration;

/// How long an answer is taken for true: how long a revoked key may still be let in elsewhere. Long enough that a busy
/// service costs one call to the directory in ten seconds and instance, short enough to wait for.
const KEPT: Duration = Duration::from_secs(10);
/// How many answers are kept: at 300 bytes each, well under a hundredth of an instance's memory. If there are more, the oldest
/// go, and their keys cost a call more.
const ENTRIES_MAX: usize = 1000;

#[derive(Debug, Default)]
pub struct KeyCache {
    entries: Vec<Entry>,
    /// The ids of all keys that were good, and as of when.
    good: Vec<ServiceKeyId>,
    good_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Entry {
    id: ServiceKeyId,
    asked_at: Timestamp,
    key: Option<Rc<ServiceKey>>,
}

impl KeyCache {
    pub const fn new() -> Self {
        Self { entries: Vec::new(), good: Vec::new(), good_at: None }
    }

    /// Whether there was a good key of this id not long ago; nothing if that is to be asked.
    pub fn is_good(&self, id: &ServiceKeyId, now: Timestamp) -> Option<bool> {
        self.good_at.filter(|at| fresh(*at, now)).map(|_| self.good.contains(id))
    }

    /// Notes the good ones. `asked_at` is from before the question.
    pub fn put_good(&mut self, ids: Vec<ServiceKeyId>, asked_at: Timestamp) {
        (self.good, self.good_at) = (ids, Some(asked_at));
    }

    /// What was said of an id not long ago: that there is such a key, or that there is none.
    pub fn get(&self, id: &ServiceKeyId, now: Timestamp) -> Option<Option<Rc<ServiceKey>>> {
        self.entries.iter().find(|e| e.id == *id && fresh(e.asked_at, now)).map(|e| e.key.clone())
    }

    /// Notes an answer. `asked_at` is from before the question: what happened after it may not be in the answer.
    pub fn put(&mut self, id: &ServiceKeyId, key: Option<Rc<ServiceKey>>, asked_at: Timestamp) {
        self.entries.retain(|e| e.id != *id && fresh(e.asked_at, asked_at));
        if self.entries.len() >= ENTRIES_MAX {
            self.entries.remove(0);
        }
        self.entries.push(Entry { id: id.clone(), asked_at, key });
    }

    /// Notes that a key is in use; says whether that is news.
    pub fn is_use_news(&mut self, id: &ServiceKeyId, now: Timestamp) -> bool {
        let known = self.entries.iter_mut().filter(|e| e.id == *id).find_map(|e| e.key.as_mut());
        match known {
            Some(key) if key.is_use_news(now) => {
                Rc::make_mut(key).last_used_at = Some(now);
                true
            }
            _ => false,
        }
    }

    pub fn forget(&mut self, id: &ServiceKeyId) {
        self.entries.retain(|e| e.id != *id);
    }
}

/// Nothing from the future: a clock that was put back would keep it for long.
fn fresh(asked_at: Timestamp, now: Timestamp) -> bool {
    asked_at <= now && now.since(asked_at) < KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn key() -> Rc<ServiceKey> {
        Rc::new(ServiceKey::new(1, &[1; 32], "a".to_owned(), &[], None, at(0)).0)
    }

    fn id(text: &str) -> ServiceKeyId {
        ServiceKeyId::issued(text)
    }

    #[test]
    fn an_answer_holds_for_ten_seconds() {
        let mut cache = KeyCache::new();
        cache.put(&id("a"), Some(key()), at(100));
        cache.put(&id("b"), None, at(100));
        assert_eq!(cache.get(&id("a"), at(109)), Some(Some(key())));
        assert_eq!(cache.get(&id("b"), at(109)), Some(None));
        assert_eq!(cache.get(&id("c"), at(109)), None);
        assert_eq!(cache.get(&id("a"), at(110)), None);
        assert_eq!(cache.get(&id("a"), at(99)), None);
        cache.forget(&id("a"));
        assert_eq!(cache.get(&id("a"), at(101)), None);
    }

    #[test]
    fn a_later_answer_takes_the_place_of_an_earlier_one() {
        let mut cache = KeyCache::new();
        cache.put(&id("a"), None, at(100));
        cache.put(&id("a"), Some(key()), at(101));
        assert_eq!(cache.get(&id("a"), at(101)), Some(Some(key())));
        assert_eq!(cache.entries.len(), 1);
    }

    #[test]
    fn a_use_is_told_once_until_it_is_news_again() {
        let mut cache = KeyCache::new();
        assert!(!cache.is_use_news(&id("a"), at(100)));
        cache.put(&id("a"), Some(key()), at(100));
        cache.put(&id("b"), None, at(100));
        assert!(cache.is_use_news(&id("a"), at(100)) && !cache.is_use_news(&id("a"), at(101)));
        assert!(!cache.is_use_news(&id("b"), at(100)));
        // What the directory says next knows of it, or is told again.
        cache.put(&id("a"), Some(key()), at(110));
        assert!(cache.is_use_news(&id("a"), at(110)));
    }

    #[test]
    fn what_keys_there_are_holds_for_ten_seconds() {
        let mut cache = KeyCache::new();
        assert_eq!(cache.is_good(&id("a"), at(100)), None);
        cache.put_good(vec![id("a")], at(100));
        for (now, a, b) in [
            (99, None, None),
            (100, Some(true), Some(false)),
            (109, Some(true), Some(false)),
            (110, None, None),
        ] {
            assert_eq!((cache.is_good(&id("a"), at(now)), cache.is_good(&id("b"), at(now))), (a, b), "{now}");
        }
        cache.put_good(vec![id("b")], at(110));
        assert_eq!(
            (cache.is_good(&id("a"), at(110)), cache.is_good(&id("b"), at(110))),
            (Some(false), Some(true))
        );
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut cache = KeyCache::new();
        for n in 0..=ENTRIES_MAX {
            cache.put(&id(&n.to_string()), None, at(100));
        }
        assert_eq!(cache.entries.len(), ENTRIES_MAX);
        assert_eq!((cache.get(&id("0"), at(100)), cache.get(&id("1"), at(100))), (None, Some(None)));
        cache.put(&id("x"), None, at(200));
        assert_eq!(cache.entries.len(), 1);
    }
}
