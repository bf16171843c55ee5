//! Who gets the next browser: as many places as the deployment may have browsers, given in the order in which they were asked
//! for. Whoever finds none free asks again, and is known by then.

use base::clock::Timestamp;
use std::time::Duration;

/// Whoever has not asked again for so long does not want one any more.
const GONE: Duration = Duration::from_secs(5);
/// The first in the queue asks again after this, and the others after twice to four times of it.
const AGAIN: Duration = Duration::from_millis(250);
const AGAIN_MOST: u32 = 4;

/// Those who wait. It is in memory: without it they ask again all the same, and the order begins anew.
#[derive(Debug, Default)]
pub struct Queue {
    /// Each with the time when it asked last.
    waiting: Vec<(String, Timestamp)>,
}

impl Queue {
    /// Nothing if one of the free places is for this one; else, after which time it asks again.
    pub fn ask(&mut self, place: &str, free: usize, now: Timestamp) -> Option<Duration> {
        self.waiting.retain(|(_, asked)| now < asked.plus(GONE));
        let at = self.waiting.iter().position(|(waiting, _)| waiting == place);
        let at = at.unwrap_or(self.waiting.len());
        if at < free {
            self.leave(place);
            return None;
        }
        match self.waiting.get_mut(at) {
            Some((_, asked)) => *asked = now,
            None => self.waiting.push((place.to_owned(), now)),
        }
        let before = u32::try_from(at - free).unwrap_or(u32::MAX);
        Some(AGAIN * before.saturating_add(1).min(AGAIN_MOST))
    }

    /// It does not want one any more.
    pub fn leave(&mut self, place: &str) {
        self.waiting.retain(|(waiting, _)| waiting != place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + milliseconds)
    }

    #[test]
    fn a_place_is_for_who_asked_first() {
        let mut queue = Queue::default();
        assert_eq!(queue.ask("a", 0, at(0)), Some(AGAIN));
        assert_eq!(queue.ask("b", 0, at(1)), Some(AGAIN * 2));
        for (n, name) in ["c", "d", "e"].iter().enumerate() {
            assert_eq!(queue.ask(name, 0, at(2)), Some(AGAIN * (u32::try_from(n).unwrap() + 3).min(4)));
        }
        // Who comes now, and who is second, wait for the first to take the one that is free.
        assert_eq!(queue.ask("f", 1, at(300)), Some(AGAIN * 4));
        assert_eq!(queue.ask("b", 1, at(300)), Some(AGAIN));
        assert_eq!(queue.ask("a", 1, at(310)), None);
        assert_eq!(queue.ask("b", 0, at(320)), Some(AGAIN));
        // Of two free ones the first two may have one, in whichever order they ask again.
        assert_eq!(queue.ask("d", 2, at(330)), Some(AGAIN));
        assert_eq!(queue.ask("c", 2, at(340)), None);
        assert_eq!(queue.ask("b", 1, at(350)), None);
        assert_eq!(queue.ask("d", 1, at(360)), None);
    }

    #[test]
    fn who_does_not_ask_again_or_leaves_is_waited_for_no_longer() {
        let mut queue = Queue::default();
        queue.ask("a", 0, at(0));
        queue.ask("b", 0, at(0));
        queue.ask("c", 0, at(4_000));
        assert_eq!(queue.ask("c", 1, at(4_999)), Some(AGAIN * 2));
        assert_eq!(queue.ask("c", 1, at(5_000)), None);
        queue.ask("a", 0, at(6_000));
        queue.ask("b", 0, at(6_000));
        queue.leave("a");
        queue.leave("a");
        assert_eq!(queue.ask("b", 1, at(6_100)), None);
        // Who has come too late to keep its place is the last.
        queue.ask("a", 0, at(7_000));
        queue.ask("b", 0, at(11_000));
        assert_eq!(queue.ask("a", 0, at(12_000)), Some(AGAIN * 2));
    }

    #[test]
    fn where_nobody_waits_a_free_place_is_for_whoever_asks() {
        let mut queue = Queue::default();
        assert_eq!(queue.ask("a", 1, at(0)), None);
        assert_eq!(queue.ask("a", 1, at(0)), None);
        assert_eq!(queue.ask("b", 2, at(0)), None);
    }
}
