//! Short tokens that cannot be changed for long ones. Found by reading: it was an outage without a limit.

use super::alert::Kind;
use super::backoff::{CALLS_PER_HOUR, SLOW_PER_HOUR};
use super::decide::{Event, Verdict};
use super::protocol::Operation::{Obtain, Refresh, Renew};
use super::test_support::*;
use super::*;
use base::clock::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn provisional(k: &Inputs) -> Outcome {
    Outcome::Granted(Grant { provisional: true, ..grant("short", k.now, secs(240)) })
}

/// Facturify where tokens can be obtained and not changed for long ones. Gives the calls, and the seconds without a token.
fn hours_without_refreshes(refused: bool, asks: bool) -> (Vec<Timestamp>, u64, Vec<Kind>) {
    let mut k = Inputs::new(facturify());
    let (mut calls, mut without) = (Vec::new(), 0);
    k.look();
    for _ in 0..3 * 3600 {
        // Each second is one at which the alarm may come.
        for event in [
            Some(Event::Woke),
            asks.then_some(Event::Asked { min_ttl: secs(0), tried: false, refused: false }),
        ] {
            let Some(Verdict::Run(operation)) = event.map(|event| k.event(event)) else { continue };
            let live = k.account.live(k.now).is_some();
            let (outcome, made) = match (live, refused) {
                (false, _) => (provisional(&k), 1),
                (true, true) => (provisional(&k), 2),
                (true, false) => (Outcome::Failed(Failure::new(Code::ServerError)), 1),
            };
            calls.extend((0..made).map(|_| k.now));
            k.finish(operation, outcome, made);
        }
        without += u64::from(k.account.live(k.now).is_none());
        k.advance(secs(1));
    }
    k.now = k.now.plus(secs(3600));
    k.wakes_for(Renew);
    k.succeed(Renew, DAY);
    (calls, without, k.alerts())
}

#[test]
fn short_tokens_that_cannot_be_changed_for_long_ones_are_an_outage() {
    for (refused, asks) in [(false, false), (false, true), (true, false), (true, true)] {
        let (calls, without, alerts) = hours_without_refreshes(refused, asks);
        for (n, at) in calls.iter().enumerate() {
            let hour = calls[n..].iter().take_while(|t| t.since(*at) < secs(3600)).count();
            assert!(
                hour <= CALLS_PER_HOUR + 2 * SLOW_PER_HOUR,
                "refused {refused}, asks {asks}: {hour} calls in an hour"
            );
        }
        // There is a token for much of the time all the same.
        assert!(without < 3 * 3600 * 7 / 10, "refused {refused}, asks {asks}: {without} s without one");
        assert_eq!(alerts, [Kind::Failing, Kind::Recovered], "refused {refused}, asks {asks}");
    }
}

#[test]
fn a_short_token_that_another_client_ended_is_got_again_without_a_word() {
    let mut k = Inputs::new(facturify());
    k.finish(Renew, provisional(&k), 1);
    k.wakes_for(Renew);
    k.finish(Renew, provisional(&k), 2);
    let again_at = k.now;
    k.wakes_for(Renew);
    assert!(k.now <= again_at.plus(secs(10)), "soon");
    k.succeed(Renew, DAY);
    assert_eq!(k.alerts(), []);
}

#[test]
fn short_tokens_by_order_are_no_trouble() {
    let mut k = Inputs::new(facturify());
    for _ in 0..2 * CALLS_PER_HOUR {
        assert!(runs(&k.order(Obtain), Obtain));
        k.finish(Obtain, provisional(&k), 1);
    }
    assert_eq!(k.account.trouble, None);
    k.wakes_for(Renew);
}

/// What was real: after an outage a short token had come, the long one was five seconds away, and whoever ordered one was told of
/// the failure before.
#[test]
fn f21_who_wants_a_token_waits_for_the_change_of_a_short_one() {
    let mut k = Inputs::new(facturify());
    let quick = k.provider.rules().backoff.retries;
    let until = |k: &Inputs| k.now.plus(secs(15));
    for failures in 1..=quick + 1 {
        k.fail(Renew, Code::ServerError);
        assert_eq!(k.account.retry_within(until(&k), quick).is_some(), failures <= quick, "{failures}");
        k.now = k.planned().unwrap();
    }
    k.finish(Renew, provisional(&k), 1);
    assert!(k.account.trouble.is_some(), "a short token alone is no recovery");
    let change_at = k.account.retry_within(until(&k), quick).expect("it is waited for");
    assert!(change_at > k.now);
    k.now = change_at;
    assert!(runs(&k.order(Refresh), Refresh));
    // If that does not work either, there is nothing to wait for.
    k.fail(Refresh, Code::ServerError);
    assert_eq!(k.account.retry_within(k.now.plus(secs(3600)), quick), None);
}
