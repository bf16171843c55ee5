//! Times that others name, and alerts: who is left alone for how long.

use super::alert::{ATTEMPTS_MAX, Kind, OUTBOX_MAX};
use super::decide::{Event, Verdict};
use super::protocol::Operation::{self, Refresh, Renew};
use super::test_support::*;
use super::*;
use std::time::Duration;

#[test]
fn retry_after_is_kept_to() {
    let limited = |seconds| {
        Outcome::Failed(Failure {
            code: Code::RateLimited,
            status: Some(429),
            retry_after: Some(Duration::from_secs(seconds)),
        })
    };
    for (asked_for, waited) in [(0, 2), (1, 2), (3, 3), (900, 900), (10_000_000, 86_400)] {
        let mut k = Inputs::new(facturify());
        let verdict = k.finish(Renew, limited(asked_for), 1);
        assert_eq!(refused(verdict), (Code::RateLimited, Some(waited)));
        assert_eq!(refused(k.ask()), (Code::RateLimited, Some(waited)));
        let failed_at = k.now;
        k.wakes_for(Renew);
        assert_eq!(k.now, failed_at.plus(secs(waited)));
    }
}

#[test]
fn alerts_are_delivered_at_least_once_and_not_for_ever() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::CredentialsRefused);
    k.event(Event::Synced { change: 1 });
    for seconds in [5, 10, 20] {
        k.event(Event::Alerted { number: 1, delivered: false, retry_after: None });
        assert_eq!(k.alerts(), [Kind::NeedsAttention]);
        let again_at = k.now.plus(secs(seconds));
        assert_eq!(k.account.next_alarm(WARNING), Some(again_at), "the alarm brings it again");
    }
    k.event(Event::Alerted { number: 99, delivered: true, retry_after: None });
    assert_eq!(k.alerts(), [Kind::NeedsAttention]);
    k.event(Event::Alerted { number: 1, delivered: true, retry_after: None });
    assert_eq!(k.alerts(), []);
    k.fail(Refresh, Code::Timeout);
    k.fail(Refresh, Code::CredentialsRefused);
    for _ in 0..ATTEMPTS_MAX {
        assert_eq!(k.alerts(), [Kind::NeedsAttention]);
        k.event(Event::Alerted { number: 2, delivered: false, retry_after: None });
    }
    assert_eq!(k.alerts(), [], "it is given up");
    for _ in 0..2 * OUTBOX_MAX {
        k.fail(Refresh, Code::Timeout);
        k.fail(Refresh, Code::CredentialsRefused);
    }
    assert_eq!(k.account.outbox.len(), OUTBOX_MAX);
}

/// Whatever the status: a 503, a 403 of somebody in front. The account's own tries, the daily run, checks, and alerts keep to it.
#[test]
fn f28_a_time_that_the_upstream_names_is_kept_to() {
    for code in [Code::ServerError, Code::UnexpectedResponse, Code::RateLimited] {
        let mut k = Inputs::new(upstox());
        let failure = Failure::new(code);
        let named = Outcome::Failed(failure).with_retry_after(Some(secs(3600)));
        k.begin(Refresh);
        k.finish(Refresh, named, 1);
        let at = k.now.plus(secs(3600));
        assert_eq!(k.planned(), Some(at), "{code:?}");
        k.advance(secs(120));
        k.look_daily();
        assert_eq!(k.planned(), Some(at), "{code:?}: the daily run is no reason to come sooner");
        assert_eq!(refused(k.order(Refresh)), (code, Some(3480)));
        k.now = at;
        assert!(runs(&k.woke(), Refresh) || runs(&k.woke(), Renew));
    }
    // What names no time is tried again by the daily run.
    let mut k = Inputs::new(upstox());
    for _ in 0..4 {
        k.fail(Refresh, Code::ServerError);
    }
    k.advance(secs(120));
    k.look_daily();
    assert!(k.planned().unwrap() <= k.now.plus(secs(30)));
}

#[test]
fn f28_checks_keep_to_a_time_that_the_upstream_names() {
    let mut k = Inputs::new(upstox());
    k.begin(Renew);
    k.succeed(Renew, secs(36_000));
    let limited = || Outcome::Failed(Failure::new(Code::RateLimited)).with_retry_after(Some(secs(600)));
    k.begin_as(Operation::Check, true);
    k.finish(Operation::Check, limited(), 1);
    for operation in [Operation::Check, Operation::Request] {
        assert_eq!(refused(k.order(operation)), (Code::RateLimited, Some(600)));
    }
    let doubted = Event::Asked { min_ttl: secs(0), tried: false, refused: true };
    assert!(matches!(k.event(doubted), Verdict::Serve), "the held one is all there is");
    assert!(runs(&k.order(Operation::Adopt), Operation::Adopt), "what is brought by hand is always tried");
    k.advance(secs(600));
    assert!(runs(&k.order(Operation::Check), Operation::Check));
    // A token that could not be confirmed is checked when that was said.
    let mut k = Inputs::new(upstox());
    k.begin(Renew);
    let unsure = call::Grant { verified: false, ..grant("t", k.now, secs(36_000)) };
    k.finish(Renew, Outcome::Granted(unsure).with_retry_after(Some(secs(7200))), 2);
    assert_eq!(k.account.due.as_ref().map(|due| due.at), Some(k.now.plus(secs(7200))));
}

#[test]
fn f28_a_receiver_of_alerts_is_left_alone_as_long_as_it_says() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::CredentialsRefused);
    k.event(Event::Synced { change: 1 });
    for (named, wait) in [(600, 600), (3, 10), (1_000_000, 86_400)] {
        k.event(Event::Alerted { number: 1, delivered: false, retry_after: Some(secs(named)) });
        assert_eq!(k.account.next_alarm(WARNING), Some(k.now.plus(secs(wait))), "{named}");
    }
}
