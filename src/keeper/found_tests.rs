//! Faults that the other tests found, or that reading found, each as it showed.

use super::decide::Event;
use super::protocol::Operation::{self, Renew};
use super::test_support::*;
use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_token_that_ran_out_unwarned_is_not_warned_of_for_ever() {
    let mut k = Keeper::new(upstox());
    k.succeed(Renew, secs(3600));
    k.alerts();
    k.advance(DAY);
    k.fail(Renew, Code::CredentialsRefused);
    k.alerts();
    k.event(Event::Woke);
    assert_eq!(k.alerts(), [], "it is too late for a warning");
    assert_eq!(k.next_alarm(), None);
}

#[test]
fn a_late_alarm_finds_nothing_to_warn_of_and_rests() {
    let mut k = Keeper::new(upstox_manual());
    k.succeed(Operation::Adopt, secs(3600));
    k.alerts();
    k.advance(DAY);
    k.event(Event::Woke);
    assert_eq!((k.alerts(), k.next_alarm()), (vec![], None));
}

#[test]
fn a_blip_just_before_the_end_is_no_alert() {
    let mut k = Keeper::new(facturify());
    k.succeed(Renew, DAY);
    k.wake();
    k.fail(Renew, Code::Timeout);
    k.event(Event::Woke);
    assert_eq!(k.alerts(), [], "the quick tries are still to come");
    k.wake();
    k.succeed(Renew, DAY);
    assert_eq!(k.alerts(), []);
}
