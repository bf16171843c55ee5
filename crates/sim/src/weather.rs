//! What goes wrong, by seed. Each decision has a number, so that a failing run can be repeated with fewer faults.

use crate::rng::Rng;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// How often in a thousand each kind of fault happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// A message between objects, or its reply, is lost. The caller learns of it.
    pub lost: u32,
    /// The caller learns that a message is lost, and it comes all the same, up to a minute later: after the one that is sent
    /// in its place.
    pub stray: u32,
    /// A message or its reply takes some milliseconds more, so that others overtake it.
    pub slow: u32,
    /// A message or its reply takes up to a minute.
    pub very_slow: u32,
    /// A write fails, before or after it is done.
    pub write: u32,
    /// A batch takes its time to become durable, and may be lost with its instance until then.
    pub flush: u32,
    /// After a turn its instance is killed.
    pub kill: u32,
    /// An alarm is late, or comes once more.
    pub alarm: u32,
    /// KV is down for this call.
    pub kv_down: u32,
    /// A write to KV is slow, so that a later one may overtake it.
    pub kv_slow: u32,
    /// A write to KV is seen by nobody for up to a minute.
    pub kv_stale: u32,
    /// An upstream does not do what it is asked.
    pub upstream: u32,
    /// An upstream does it, and the answer is lost.
    pub answer_lost: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    RequestLost,
    ReplyLost,
    Stray,
    Slow,
    VerySlow,
    WriteBefore,
    WriteAfter,
    Flush,
    Kill,
    AlarmLate,
    AlarmAgain,
    KvDown,
    KvSlow,
    KvStale,
    Upstream,
    AnswerLost,
}

impl Kind {
    pub const fn is_kv(self) -> bool {
        matches!(self, Self::KvDown | Self::KvSlow | Self::KvStale)
    }
}

pub struct Weather {
    pub odds: Cell<Odds>,
    rng: RefCell<Rng>,
    number: Cell<u32>,
    /// The faults that happened, by number.
    happened: RefCell<Vec<(u32, Kind, u64)>>,
    /// If set, only these happen.
    only: RefCell<Option<BTreeSet<u32>>>,
    clear: Cell<bool>,
    /// KV is down for everybody, until it is said to be up.
    kv_down: Cell<bool>,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        Self {
            odds: Cell::default(),
            rng: RefCell::new(Rng::new(seed ^ 0x7765_6174_6865_7200)),
            number: Cell::new(0),
            happened: RefCell::default(),
            only: RefCell::default(),
            clear: Cell::new(true),
            kv_down: Cell::new(false),
        }
    }

    pub fn is_clear(&self) -> bool {
        self.clear.get()
    }

    /// Nothing goes wrong from here on.
    pub fn clear(&self) {
        self.clear.set(true);
    }

    pub fn rough(&self, odds: Odds) {
        self.odds.set(odds);
        self.clear.set(odds == Odds::default());
    }

    pub fn kv_is_down(&self, down: bool) {
        self.kv_down.set(down);
    }

    pub fn is_kv_down(&self) -> bool {
        self.kv_down.get()
    }

    pub fn only(&self, faults: Option<BTreeSet<u32>>) {
        *self.only.borrow_mut() = faults;
    }

    pub fn happened(&self) -> Vec<(u32, Kind, u64)> {
        self.happened.borrow().clone()
    }

    pub fn has_happened(&self) -> bool {
        !self.happened.borrow().is_empty()
    }

    /// How many faults of some kinds have happened.
    pub fn count(&self, kinds: &[Kind]) -> usize {
        self.happened.borrow().iter().filter(|(_, kind, _)| kinds.contains(kind)).count()
    }

    /// Whether a fault happens, and how large it is: a number from 1 to `most`.
    pub fn strikes(&self, kind: Kind, most: u64) -> Option<u64> {
        if self.is_clear() {
            return None;
        }
        let odds = self.odds.get();
        let share = match kind {
            Kind::RequestLost | Kind::ReplyLost => odds.lost,
            Kind::Stray => odds.stray,
            Kind::Slow => odds.slow,
            Kind::VerySlow => odds.very_slow,
            Kind::WriteBefore | Kind::WriteAfter => odds.write,
            Kind::Flush => odds.flush,
            Kind::Kill => odds.kill,
            Kind::AlarmLate | Kind::AlarmAgain => odds.alarm,
            Kind::KvDown => odds.kv_down,
            Kind::KvSlow => odds.kv_slow,
            Kind::KvStale => odds.kv_stale,
            Kind::Upstream => odds.upstream,
            Kind::AnswerLost => odds.answer_lost,
        };
        if share == 0 {
            return None;
        }
        let number = self.number.replace(self.number.get() + 1);
        let mut rng = self.rng.borrow_mut();
        // Both are drawn in any case, so that leaving one fault out does not change the others at once.
        let (strikes, size) = (rng.chance(share), rng.between(1, most.max(1)));
        let allowed = self.only.borrow().as_ref().is_none_or(|only| only.contains(&number));
        if !strikes || !allowed {
            return None;
        }
        self.happened.borrow_mut().push((number, kind, size));
        Some(size)
    }
}
