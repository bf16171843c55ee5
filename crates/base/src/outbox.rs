//! What is still to be told to somebody. It waits in the row of the object that it is about, in the order in which it happened.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// Events that wait for one receiver.
pub const EVENTS_MAX: usize = 20;

/// What can wait.
pub trait Event {
    /// Grows with each event of an object.
    fn sequence(&self) -> u64;

    /// Whether it goes first where there are too many.
    fn is_minor(&self) -> bool;
}

/// What waits for one receiver, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue<E> {
    pub events: Vec<E>,
    /// How often the first has failed.
    pub attempts: u32,
    /// When it is sent again.
    pub try_at: Timestamp,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { events: Vec::new(), attempts: 0, try_at: Timestamp::default() }
    }
}

/// What has become of the first of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It was taken, or nobody will ever take it.
    Done,
    FailedUntil(Timestamp),
}

impl<E> Queue<E> {
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl<E: Event> Queue<E> {
    /// A gap in the sequence shows what had no room.
    pub fn push(&mut self, event: E) {
        if self.events.len() >= EVENTS_MAX {
            let minor = self.events.iter().position(Event::is_minor);
            self.events.remove(minor.unwrap_or_default());
        }
        self.events.push(event);
    }

    /// Says what has become of an event. One that was dropped meanwhile is nothing any more.
    pub fn attempted(&mut self, sequence: u64, attempt: Attempt) {
        if self.events.first().is_none_or(|first| first.sequence() != sequence) {
            return;
        }
        (self.attempts, self.try_at) = match attempt {
            Attempt::Done => {
                self.events.remove(0);
                (0, Timestamp::default())
            }
            Attempt::FailedUntil(at) => (self.attempts.saturating_add(1), at),
        };
    }
}
