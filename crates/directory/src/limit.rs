//! The limit of live sessions, decided in one step of the user's object.

use super::LimitPolicy;
use super::state::Slot;
use base::clock::Timestamp;
use base::ids::SessionId;
use serde::{Deserialize, Serialize};

/// What a session's object said of itself, when a place was needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub session_id: SessionId,
    pub found: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Live, and last active then.
    Live(Timestamp),
    Ended,
    /// Not opened; perhaps not yet.
    Unknown,
}

/// No place is free and none may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Frees the places of sessions that cannot be live any more. Gives back those for which there may be something to do: where the
/// session was never opened, an opening may still be on its way; where it has ended, nobody may have been told.
#[must_use]
pub fn drop_dead(slots: &mut Vec<Slot>, activity: &[Activity], now: Timestamp) -> Vec<SessionId> {
    let mut undone = Vec::new();
    slots.retain(|slot| {
        let found = found(activity, slot);
        let gone = match found {
            Some(Found::Ended) => true,
            // Of one that was open since, whoever asked has asked too early.
            Some(Found::Unknown) => slot.reserved_until.is_some_and(|until| until <= now),
            Some(Found::Live(_)) | None => false,
        };
        let stays = !gone && now < slot.expires_at;
        if !stays && (slot.reserved_until.is_some() || found == Some(Found::Ended)) {
            undone.push(slot.session_id.clone());
        }
        stays
    });
    undone
}

/// What a session said of itself, if it was asked.
pub fn found(activity: &[Activity], slot: &Slot) -> Option<Found> {
    activity.iter().find(|a| a.session_id == slot.session_id).map(|a| a.found)
}

/// Notes what sessions said of themselves.
pub fn note_activity(slots: &mut [Slot], activity: &[Activity]) {
    for slot in slots {
        if let Some(Found::Live(at)) = found(activity, slot) {
            slot.active_at = slot.active_at.max(Some(at));
        }
    }
}

/// Who has to go so that there is room for one more within the limit: those idle longest first, as far as `activity` tells.
/// A session that it does not mention was not asked, since others are known to be idle longer, or began after it was gathered:
/// it goes after those.
pub fn make_room(
    mut slots: Vec<Slot>,
    activity: &[Activity],
    policy: &LimitPolicy,
) -> Result<Vec<SessionId>, Full> {
    let mut evicted = Vec::new();
    while slots.len() >= policy.max.max(1) {
        if !policy.evict {
            return Err(Full);
        }
        let last_active = |s: &Slot| match found(activity, s) {
            Some(Found::Live(at)) => (false, at),
            found => (found.is_none(), s.known_activity()),
        };
        let Some(index) = (0..slots.len()).min_by_key(|i| slots.get(*i).map(last_active)) else {
            return Err(Full);
        };
        evicted.push(slots.remove(index).session_id);
    }
    Ok(evicted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    fn slot(session_id: &str, expires: u64, reserved: Option<u64>) -> Slot {
        Slot {
            session_id: SessionId::issued(session_id),
            created_at: at(0),
            expires_at: at(expires),
            reserved_until: reserved.map(at),
            evicts: Vec::new(),
            replaces: None,
            active_at: None,
        }
    }

    #[test]
    fn of_those_that_were_asked_the_one_idle_longest_goes() {
        let slots = ["a", "b", "c", "d"].map(|id| slot(id, 100, None)).to_vec();
        let live = |id: &str, seconds| Activity {
            session_id: SessionId::issued(id),
            found: Found::Live(at(seconds)),
        };
        let gone = |activity: &[Activity], max| {
            let gone = make_room(slots.clone(), activity, &LimitPolicy { max, evict: true }).unwrap();
            gone.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
        };
        // The others were not asked, and may have been active until now.
        assert_eq!(gone(&[live("c", 9), live("b", 8)], 4), ["b"]);
        assert_eq!(gone(&[live("c", 9), live("b", 8)], 2), ["b", "c", "a"]);
        assert_eq!(gone(&[], 4), ["a"]);
    }

    #[test]
    fn a_place_is_free_when_its_session_cannot_be_live_any_more() {
        let slots = [
            slot("live", 100, None),
            slot("silent", 100, None),
            slot("ended", 100, None),
            slot("asked too early", 100, None),
            slot("opening", 100, Some(11)),
            slot("late", 100, Some(10)),
            slot("later", 100, Some(9)),
            slot("over", 10, None),
            slot("nearly", 11, None),
        ];
        let found = |session_id: &str, found| Activity { session_id: SessionId::issued(session_id), found };
        let activity = [
            found("live", Found::Live(at(5))),
            found("ended", Found::Ended),
            found("asked too early", Found::Unknown),
            found("opening", Found::Unknown),
            found("late", Found::Unknown),
            found("later", Found::Unknown),
            found("over", Found::Live(at(9))),
        ];
        let mut left = slots.to_vec();
        let undone = drop_dead(&mut left, &activity, at(10));
        let left: Vec<_> = left.iter().map(|slot| slot.session_id.as_str()).collect();
        assert_eq!(left, ["live", "silent", "asked too early", "opening", "nearly"]);
        assert_eq!(undone, ["ended", "late", "later"], "an opening may be on its way, or an end untold");
    }
}
