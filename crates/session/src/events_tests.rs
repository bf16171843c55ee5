//! What a step tells of.

use super::events::{Attempt, EVENTS_MAX, Outbox};
use super::test_support::*;
use super::*;
use base::event::{EventType, EventTypes};
use std::time::Duration;

fn told() -> Harness {
    Harness::with(Policy {
        receivers: Receivers { webhook: EventTypes::named("session"), logout: false },
        ..POLICY
    })
}

fn outbox(s: &Harness) -> &Outbox {
    s.state.as_ref().unwrap().outbox().unwrap()
}

fn types(s: &Harness) -> Vec<EventType> {
    outbox(s).webhook.events.iter().map(|event| event.event_type).collect()
}

#[test]
fn what_happens_is_in_the_state_that_it_made() {
    let mut s = told();
    s.open();
    assert_eq!(types(&s), [EventType::Created]);
    s.touch(0);
    s.peek();
    assert_eq!(types(&s), [EventType::Created], "that nothing happened is no news");
    s.tokens(0);
    s.recover();
    s.tokens(0);
    assert_eq!(types(&s), [EventType::Created, EventType::Refreshed]);
    s.revoke(EndReason::Evicted);
    s.revoke(EndReason::Admin);
    s.run(Expire);
    s.run(Unnoted);
    s.run(EndPropagated);
    assert_eq!(types(&s), [EventType::Created, EventType::Refreshed, EventType::Evicted]);
    let sequence: Vec<u64> = outbox(&s).webhook.events.iter().map(|event| event.sequence).collect();
    assert_eq!((sequence, outbox(&s).next), (vec![1, 2, 3], 4));
}

/// Whatever step finds that its time is over.
#[test]
fn an_end_that_is_found_is_told_once() {
    for (idle, end) in [(POLICY.idle, EventType::Inactivity), (POLICY.absolute * 2, EventType::Lifetime)] {
        let mut s = told();
        s.policy.idle = idle;
        s.open();
        s.advance(POLICY.absolute.min(idle + MS));
        s.touch(0);
        s.run(Expire);
        assert_eq!(types(&s), [EventType::Created, end]);
    }
}

#[test]
fn a_step_that_fails_tells_nothing() {
    let mut s = told();
    s.open();
    s.mint_fails = true;
    assert!(
        s.try_run(Rotate { generation: 0, user_id: base::ids::UserId::issued(7), change_id: None }).is_err()
    );
    assert_eq!(types(&s), [EventType::Created]);
}

#[test]
fn a_session_of_before_the_setting_is_told_of_from_then_on() {
    let mut s = Harness::new();
    s.open();
    assert_eq!(s.state.as_ref().unwrap().outbox(), None);
    s.policy = told().policy;
    s.touch(0);
    assert_eq!(s.state.as_ref().unwrap().outbox(), None);
    s.revoke(EndReason::Logout);
    assert_eq!(types(&s), [EventType::Logout]);
}

#[test]
fn attempts_are_of_the_first_and_of_nothing_that_is_gone() {
    let mut s = told();
    s.open();
    s.tokens(0);
    let queue = &mut s.state.as_mut().unwrap().outbox_mut().unwrap().webhook;
    let later = s.now.plus(Duration::from_secs(5));
    queue.attempted(2, Attempt::Done);
    queue.attempted(2, Attempt::FailedUntil(later));
    assert_eq!((queue.events.len(), queue.attempts), (2, 0));
    queue.attempted(1, Attempt::FailedUntil(later));
    assert_eq!((queue.attempts, queue.try_at), (1, later));
    queue.attempted(1, Attempt::Done);
    queue.attempted(1, Attempt::Done);
    assert_eq!((queue.events.len(), queue.attempts, queue.try_at), (1, 0, base::clock::Timestamp::default()));
}

#[test]
fn only_refreshes_are_dropped() {
    let mut s = told();
    s.open();
    for generation in 0..40 {
        s.tokens(generation);
        s.touch(generation + 1);
    }
    s.revoke(EndReason::Reuse);
    let types = types(&s);
    assert_eq!(
        (types.len(), types[0], types[EVENTS_MAX - 1]),
        (EVENTS_MAX, EventType::Created, EventType::Reuse)
    );
}
