//! Failure: what is tried again and when, what is final, who is told.

use super::alert::Kind;
use super::backoff::{CALLS_PER_HOUR, SLOW_PER_HOUR};
use super::decide::{Event, Verdict, status};
use super::protocol::Operation::{self, Check, Obtain, Refresh, Renew};
use super::state::Health;
use super::test_support::*;
use super::*;
use base::clock::Timestamp;
use std::time::Duration;

const LONG: Duration = Duration::from_hours(12);
const DAY: Duration = Duration::from_hours(24);
const FINAL: [Code; 3] = [Code::CredentialsRefused, Code::InputRefused, Code::GrantRefused];

fn health(k: &Inputs) -> Health {
    status(&k.account, None, k.now).health
}

/// A token that is about to be renewed.
fn due(provider: Box<dyn Provider>) -> Inputs {
    let mut k = Inputs::new(provider);
    k.succeed(Renew, DAY);
    k.now = k.planned().unwrap();
    k
}

/// Fails at each alarm until the quick tries are over. Gives the waits in seconds.
fn fail_quickly(k: &mut Inputs) -> Vec<u64> {
    let mut waits = Vec::new();
    loop {
        let failed_at = k.now;
        k.fail(Renew, Code::ServerError);
        if k.account.has_failed() {
            return waits;
        }
        k.wakes_for(Renew);
        waits.push(k.now.since(failed_at).as_secs());
    }
}

#[test]
fn quick_tries_come_first_and_nobody_is_told_of_them() {
    for (provider, waits) in [(facturify(), vec![2, 4, 8]), (upstox(), vec![2, 4])] {
        let mut k = Inputs::new(provider);
        k.look();
        k.wakes_for(Renew);
        assert_eq!(fail_quickly(&mut k), waits);
        assert_eq!((k.alerts(), health(&k)), (vec![Kind::Failing], Health::Failed));
        k.wakes_for(Renew);
        k.fail(Renew, Code::Timeout);
        assert_eq!(k.alerts(), [Kind::Failing], "told once");
        k.wakes_for(Renew);
        k.succeed(Renew, LONG);
        assert_eq!((k.alerts(), health(&k)), (vec![Kind::Failing, Kind::Recovered], Health::Valid));
        assert_eq!((k.account.trouble.clone(), k.account.calls.len()), (None, 0));
    }
    let mut k = due(facturify());
    k.fail(Renew, Code::Timeout);
    k.wakes_for(Renew);
    k.succeed(Renew, LONG);
    assert_eq!(k.alerts(), [], "a blip is not worth a word");
}

#[test]
fn a_final_refusal_is_not_tried_again_by_anything_but_an_order_or_new_settings() {
    for code in FINAL {
        let mut k = due(facturify());
        k.fail(Renew, code);
        assert_eq!((k.alerts(), health(&k)), (vec![Kind::NeedsAttention], Health::NeedsAttention));
        for _ in 0..200 {
            k.advance(secs(600));
            k.look();
            assert!(matches!(k.woke(), Verdict::Nothing));
            match k.ask_for(100_000) {
                Verdict::Serve => assert!(k.account.live(k.now).is_some()),
                verdict => assert_eq!(refused(verdict), (code, None)),
            }
            assert!(k.planned().is_none_or(|at| at > k.now));
        }
        // An order that is refused the same way is no news.
        assert!(runs(&k.order(Refresh), Refresh));
        k.fail(Refresh, code);
        assert_eq!(k.alerts(), [Kind::NeedsAttention]);
        assert!(runs(&k.order(Obtain), Obtain));
        k.succeed(Obtain, LONG);
        assert_eq!(k.alerts(), [Kind::NeedsAttention, Kind::Recovered]);
        assert_eq!(health(&k), Health::Valid);
        // New settings are tried without an order.
        k.wakes_for(Renew);
        k.fail(Renew, code);
        k.settings = "other".into();
        k.look();
        assert_eq!(k.account.trouble.as_ref().unwrap().retry_at, Some(k.now));
        assert!(runs(&k.woke(), Renew));
    }
}

#[test]
fn an_ask_finds_new_settings_too() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::CredentialsRefused);
    assert_eq!(refused(k.ask()), (Code::CredentialsRefused, None));
    k.settings = "other".into();
    assert!(runs(&k.ask(), Renew));
    k.fail(Renew, Code::CredentialsRefused);
    assert_eq!(k.alerts(), [Kind::NeedsAttention, Kind::NeedsAttention], "they are wrong, too");
}

/// A misspelt address was unreachable, and its tries had become slow: the right one does not wait half an hour for the next.
#[test]
fn f26_new_settings_do_not_wait_for_a_slow_try() {
    for (code, at_once) in
        [(Code::Unreachable, true), (Code::UnexpectedResponse, true), (Code::RateLimited, false)]
    {
        let mut k = Inputs::new(upstox());
        k.look();
        k.wakes_for(Renew);
        fail_quickly(&mut k);
        k.wakes_for(Renew);
        k.fail(Renew, code);
        assert_eq!(refused(k.ask()).0, code);
        k.settings = "other".into();
        assert_eq!(runs(&k.ask(), Renew), at_once, "{code:?}");
        // It is tried once, and not with each look.
        k.fail(Renew, code);
        assert_eq!(refused(k.ask()).0, code);
    }
}

#[test]
fn whoever_asks_is_told_when_to_come_back() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::Timeout);
    assert_eq!(refused(k.ask()), (Code::Timeout, Some(2)));
    k.advance(Duration::from_millis(1_999));
    assert_eq!(refused(k.ask()), (Code::Timeout, Some(1)));
    k.advance(Duration::from_millis(1));
    assert!(runs(&k.ask(), Renew), "an ask need not wait for the alarm");
}

#[test]
fn whoever_asks_in_trouble_shares_the_next_try() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::Timeout);
    k.wakes_for(Renew);
    k.begin(Renew);
    k.account.trouble.as_mut().unwrap().retry_at = Some(k.now.plus(secs(600)));
    assert!(runs(&k.ask(), Renew), "it is under way");
    // Calls of others that failed meanwhile do not put it off.
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, secs(60));
    k.fail(Refresh, Code::Timeout);
    for _ in 1..CALLS_PER_HOUR {
        k.fail_order(Check, Code::Timeout);
    }
    k.advance(secs(60));
    assert!(runs(&k.ask(), Renew));
}

/// What is decided about each second, besides that it is woken.
#[derive(Clone, Copy, Debug)]
enum Wants {
    Nothing,
    Asks,
    Orders(Operation),
}

/// Three hours in which every task fails after so many calls. Each second is one at which the alarm may come.
fn calls_in_an_outage(
    provider: Box<dyn Provider>,
    wants: Wants,
    calls: u32,
    jitter: base::jitter::Jitter,
) -> Vec<Timestamp> {
    let mut k = Inputs::new(provider);
    k.jitter = jitter;
    k.look();
    let end = k.now.plus(secs(3 * 3600));
    let mut made = Vec::new();
    while k.now < end {
        let wanted = match wants {
            Wants::Nothing => Verdict::Nothing,
            Wants::Asks => k.ask(),
            Wants::Orders(operation) => k.order(operation),
        };
        if let Verdict::Run(operation) = wanted {
            k.begin_as(operation, matches!(wants, Wants::Orders(_)));
            made.extend((0..calls).map(|_| k.now));
            k.finish(operation, Outcome::Failed(Failure::new(Code::ServerError)), calls);
        }
        if let Verdict::Run(operation) = k.woke() {
            made.extend((0..calls).map(|_| k.now));
            k.finish(operation, Outcome::Failed(Failure::new(Code::ServerError)), calls);
        }
        k.advance(secs(1));
    }
    made
}

#[test]
fn an_hour_of_outage_has_so_many_calls_whoever_wants_them() {
    for (provider, most) in [(facturify as fn() -> _, 3), (upstox, 5), (|| oauth2_rotating("s"), 1)] {
        for wants in [Wants::Nothing, Wants::Asks, Wants::Orders(Refresh), Wants::Orders(Obtain)] {
            for (calls, jitter) in [(1, LEAST), (most, LEAST), (1, MOST), (most, MOST)] {
                let made = calls_in_an_outage(provider(), wants, calls, jitter);
                for (n, at) in made.iter().enumerate() {
                    let hour = made[n..].iter().take_while(|t| t.since(*at) < secs(3600)).count();
                    // An order that opened the circuit; the quick tries; a slow one at each step.
                    let most = CALLS_PER_HOUR + (1 + SLOW_PER_HOUR) * usize::try_from(most).unwrap();
                    assert!(hour <= most, "{wants:?} {calls} {jitter:?}: {hour}");
                    assert!(calls > 1 || hour <= 10, "{wants:?} {jitter:?}: {hour} tries");
                }
                assert!(made.len() >= 6, "it is not given up: {wants:?} {calls}");
            }
        }
    }
}

#[test]
fn somebody_who_died_in_the_middle_is_followed_at_once_and_not_for_ever() {
    let mut k = Inputs::new(oauth2_rotating("seed"));
    k.begin(Renew);
    let entry = k.decide(Event::Interrupted).entry.unwrap();
    assert_eq!((k.planned(), k.account.task.clone()), (Some(k.now), None));
    assert_eq!((entry.outcome.as_str(), entry.who.as_str()), ("upstream_outcome_unknown", "key:k"));
    let mut waits = Vec::new();
    for _ in 0..4 {
        let died_at = k.now;
        k.wakes_for(Renew);
        waits.push(k.now.since(died_at).as_secs());
        k.begin(Renew);
        k.event(Event::Interrupted);
    }
    assert_eq!(waits, [0, 4, 300, 600]);
    k.wakes_for(Renew);
    k.succeed(Renew, LONG);
    assert_eq!(k.alerts(), [Kind::Failing, Kind::Recovered]);
    // A check, a code, a given token: nothing is known to be wrong.
    for operation in [Check, Operation::Adopt, Operation::Exchange, Operation::Request] {
        k.begin(operation);
        k.event(Event::Interrupted);
        assert_eq!((k.account.trouble.clone(), k.account.task.clone()), (None, None));
    }
    assert!(matches!(k.event(Event::Interrupted), Verdict::Nothing), "there was none");
}

#[test]
fn what_cannot_be_opened_waits_until_it_can() {
    let mut k = due(upstox());
    let tokens = k.tokens.take();
    k.event(Event::Unreadable);
    k.event(Event::Unreadable);
    assert_eq!((k.alerts(), health(&k)), (vec![Kind::NeedsAttention], Health::NeedsAttention));
    k.settings = "other".into();
    k.look();
    assert!(matches!(k.woke(), Verdict::Nothing), "other settings do not open it");
    k.tokens = tokens;
    k.event(Event::Readable);
    k.event(Event::Readable);
    let told = [Kind::NeedsAttention, Kind::Recovered];
    assert_eq!((k.alerts(), health(&k)), (told.to_vec(), Health::Valid));
    k.account.due = None;
    k.look();
    assert!(k.account.due.is_some());
    // Or until an order puts a new one in its place.
    k.event(Event::Unreadable);
    assert!(runs(&k.order(Refresh), Refresh));
    k.succeed(Refresh, LONG);
    assert_eq!(k.alerts(), [told, told].concat());
}

#[test]
fn what_was_given_and_refused_does_not_speak_against_the_account() {
    for operation in [Operation::Adopt, Operation::Exchange, Operation::Request] {
        let mut k = due(upstox());
        let before = k.account.clone();
        k.fail(operation, Code::TokenRefused);
        assert_eq!((&k.account.trouble, &k.account.due), (&None, &before.due));
        assert_eq!((health(&k), k.alerts()), (Health::Valid, vec![]));
    }
}

#[test]
fn a_token_that_nobody_will_renew_is_warned_of_once() {
    let mut k = Inputs::new(upstox_manual());
    k.succeed(Operation::Adopt, LONG);
    let expires_at = k.account.held.as_ref().unwrap().expires_at;
    assert_eq!(k.planned(), Some(expires_at.minus(WARNING)));
    k.now = expires_at.minus(WARNING);
    k.woke();
    assert_eq!((k.alerts(), k.planned()), (vec![Kind::Expiring], None));
    k.succeed(Operation::Adopt, secs(600));
    assert_eq!(k.planned(), Some(k.now.plus(secs(300))), "of a short life the half");
    // One whose renewal fails is warned of, too; one that is in sight of its renewal is not.
    let mut k = due(upstox());
    fail_quickly(&mut k);
    assert_eq!(k.alerts(), [Kind::Failing]);
    k.now = k.account.held.as_ref().unwrap().expires_at.minus(WARNING);
    k.account.trouble.as_mut().unwrap().retry_at = Some(k.now.plus(secs(1000)));
    k.woke();
    k.woke();
    assert_eq!(k.alerts(), [Kind::Failing, Kind::Expiring]);
}

#[test]
fn a_renewal_that_is_put_off_is_not_forgotten() {
    let mut k = Inputs::new(upstox());
    k.look();
    let until = k.now.plus(secs(5));
    k.event(Event::Postponed { until });
    assert_eq!(k.planned(), Some(until));
    k.fail(Renew, Code::ServerError);
    k.event(Event::Postponed { until: k.now.plus(secs(50)) });
    assert_eq!(k.planned(), Some(k.now.plus(secs(50))));
    k.fail(Renew, Code::CredentialsRefused);
    k.event(Event::Postponed { until: k.now.plus(secs(99)) });
    assert_eq!(k.planned(), None, "what is final stays so");
}
