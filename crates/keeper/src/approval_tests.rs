//! Accounts whose tokens come by their owner's approval: what is said while it is waited for, and when it is asked for again.

use super::decide::{Event, Verdict, status};
use super::protocol::Operation::{self, Renew};
use super::state::{Due, Health};
use super::test_support::*;
use super::*;
use base::clock::Timestamp;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// The end of the trading day, which an approval has until.
fn until() -> Timestamp {
    at("2025-11-20T03:30:00+05:30")
}

/// The morning after, by the alarm.
fn morning() -> Timestamp {
    at("2025-11-20T08:03:00+05:30")
}

fn requested(provider: Box<dyn Provider>, operation: Operation) -> Inputs {
    let mut k = Inputs::new(provider);
    let earlier = k.now.minus(secs(60));
    k.account.calls = vec![earlier];
    let verdict = k.finish(operation, Outcome::Requested { until: until() }, 1);
    assert_eq!(refused(verdict).0, Code::ApprovalPending);
    k
}

#[test]
fn whoever_asks_meanwhile_is_told_what_is_waited_for() {
    for operation in [Renew, Operation::Request] {
        let mut k = requested(upstox_app(), operation);
        assert_eq!(k.account.due.as_ref().map(|due| due.at), Some(morning()));
        assert!(k.account.calls.is_empty(), "the upstream works");
        let seen = |k: &Inputs| {
            let status = status(&k.account, None, k.now);
            (status.health, status.approval_until)
        };
        assert_eq!(refused(k.ask()), (Code::ApprovalPending, Some(63_000)));
        k.now = until().minus(MS);
        assert_eq!(refused(k.ask()), (Code::ApprovalPending, Some(1)));
        assert_eq!(seen(&k), (Health::AwaitingApproval, Some(until())));
        // Nobody is woken at night.
        k.now = until();
        assert_eq!(refused(k.ask()), (Code::NoTokenSource, Some(16_380)));
        assert_eq!(seen(&k), (Health::Missing, None));
        k.now = morning().minus(MS);
        assert_eq!(refused(k.ask()), (Code::NoTokenSource, Some(1)));
        k.now = morning();
        assert!(runs(&k.ask(), Renew));
    }
}

#[test]
fn a_plan_that_was_lost_is_made_again_when_it_is_not_waited_for_any_more() {
    let mut k = requested(upstox_app(), Renew);
    k.account.due = None;
    for now in [start(), until().minus(MS)] {
        k.now = now;
        k.look();
        assert_eq!(k.account.due, None);
    }
    k.now = until();
    k.look();
    assert_eq!(k.planned(), Some(until()));
}

#[test]
fn an_account_with_a_service_does_not_wait_for_an_approval() {
    let mut k = requested(upstox(), Operation::Request);
    assert_eq!((k.account.due.clone(), k.account.calls.len()), (None, 1));
    assert!(runs(&k.ask(), Renew));
    k.look();
    assert_eq!(k.planned(), Some(k.now));
    // Nor does one that is not approved at all wait for what is due.
    let mut k = Inputs::new(facturify());
    k.account.due = Some(Due { at: k.now.plus(secs(60)), operation: Renew, source: Source::Refresh });
    assert!(runs(&k.ask(), Renew));
    assert_eq!(facturify().ask_again(until(), k.now, MOST), until(), "if it were");
    let tried = k.event(Event::Asked { min_ttl: secs(0), tried: true, refused: false });
    assert!(matches!(tried, Verdict::Refuse(_)));
}
