//! Decisions at the edges: the very moment, the other operation, the first of two.

use super::decide::{Event, Verdict, copy_until, status};
use super::protocol::Operation::{self, Adopt, Check, Obtain, Refresh, Renew};
use super::state::{Due, Health};
use super::test_support::*;
use super::*;
use base::secret::Secret;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_hours(12);

fn provisional(k: &Inputs) -> Outcome {
    Outcome::Granted(Grant { provisional: true, ..grant("short", k.now, secs(240)) })
}

fn retry_at(k: &Inputs) -> base::clock::Timestamp {
    k.account.trouble.as_ref().unwrap().retry_at.unwrap()
}

#[test]
fn only_tasks_that_get_a_token_are_shared() {
    for (under_way, order, shared) in
        [(Renew, Obtain, true), (Check, Renew, false), (Renew, Check, false), (Check, Check, false)]
    {
        let mut k = Inputs::new(facturify());
        k.begin(under_way);
        let spent = vec![k.now; backoff::CALLS_PER_HOUR];
        (k.account.order_calls, k.account.check_calls) = (spent.clone(), spent);
        match k.order(order) {
            Verdict::Run(operation) => assert!(shared && operation == order),
            verdict => assert_eq!((refused(verdict).0, shared), (Code::CallBudgetExhausted, false)),
        }
    }
}

#[test]
fn the_morning_puts_forward_what_was_tried_a_minute_ago() {
    let mut k = Inputs::new(upstox());
    while !k.account.has_failed() {
        k.fail(Renew, Code::ServerError);
    }
    let planned = retry_at(&k);
    k.advance(Duration::from_millis(59_999));
    k.look_daily();
    assert_eq!(retry_at(&k), planned, "it was just tried");
    k.advance(MS);
    k.look_daily();
    assert_eq!(retry_at(&k), k.now.plus(secs(30)));
}

#[test]
fn the_morning_is_set_unless_it_is_set_already() {
    let due = |k: &Inputs| k.account.due.as_ref().map(|due| (due.at, due.operation, due.source)).unwrap();
    for (seconds, source, stays) in [
        (10, Source::Cron, true),
        (30, Source::Cron, true),
        (31, Source::Cron, false),
        (10, Source::Refresh, false),
    ] {
        let mut k = Inputs::new(upstox());
        k.succeed(Renew, LONG);
        k.advance(secs(60));
        let planned = k.now.plus(secs(seconds));
        k.account.due = Some(Due { at: planned, operation: Refresh, source });
        k.look_daily();
        let at = if stays { planned } else { k.now.plus(secs(30)) };
        assert_eq!(due(&k), (at, Refresh, Source::Cron), "{seconds} {source:?}");
    }
}

#[test]
fn a_token_that_came_before_the_trigger_s_is_not_the_trigger_s() {
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, LONG);
    k.advance(secs(60));
    k.look_daily();
    k.succeed(Renew, LONG);
    assert_eq!(k.account.held.unwrap().source, Source::Refresh);
}

#[test]
fn what_cannot_be_opened_is_a_trouble_of_its_own() {
    let mut k = Inputs::new(facturify());
    k.succeed(Renew, LONG);
    k.fail(Renew, Code::Timeout);
    k.event(Event::Unreadable);
    let trouble = k.account.trouble.clone().unwrap();
    assert_eq!((trouble.code, trouble.failures, trouble.retry_at), (Code::Unreadable, 2, None));
    k.event(Event::Unreadable);
    assert_eq!(k.account.trouble, Some(trouble), "said once");
}

#[test]
fn whoever_tried_when_the_next_try_is_due_is_not_told_to_wait() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::Timeout);
    k.now = retry_at(&k);
    let verdict = k.event(Event::Asked { min_ttl: secs(0), tried: true, refused: false });
    assert_eq!(refused(verdict), (Code::Timeout, None));
}

#[test]
fn a_failure_that_nobody_was_told_of_is_not_seen() {
    let mut k = Inputs::new(facturify());
    let health = |k: &Inputs| status(&k.account, None, k.now).health;
    k.fail(Renew, Code::Timeout);
    assert_eq!(health(&k), Health::Missing);
    k.succeed(Renew, LONG);
    k.fail(Renew, Code::Timeout);
    assert_eq!(health(&k), Health::Valid);
}

#[test]
fn a_short_token_in_place_of_one_that_just_ran_out_is_no_trouble() {
    let mut k = Inputs::new(facturify());
    k.finish(Renew, provisional(&k), 1);
    k.advance(secs(240));
    k.finish(Renew, provisional(&k), 1);
    assert_eq!(k.account.trouble, None);
    k.advance(Duration::from_millis(239_999));
    k.finish(Renew, provisional(&k), 2);
    assert_eq!(k.account.trouble.map(|t| t.code), Some(Code::TokenRefused));
}

#[test]
fn a_short_token_by_order_mends_a_final_refusal() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::CredentialsRefused);
    k.finish(Obtain, provisional(&k), 1);
    assert_eq!(k.account.trouble, None);
}

#[test]
fn the_first_short_token_after_an_outage_is_changed_at_once() {
    // Nothing was held; or a short one that ran out when the last try failed.
    for held in [false, true] {
        let mut k = Inputs::new(facturify());
        if held {
            k.finish(Renew, provisional(&k), 1);
            k.advance(secs(240));
        }
        while !k.account.has_failed() {
            k.fail(Renew, Code::ServerError);
        }
        k.advance(secs(10));
        k.finish(Renew, provisional(&k), 1);
        assert_eq!(retry_at(&k), k.now.plus(secs(5)), "held {held}");
    }
    // While one is held that could not be changed, the tries go on at their pace.
    let mut k = Inputs::new(facturify());
    k.finish(Renew, provisional(&k), 1);
    k.advance(secs(10));
    while !k.account.has_failed() {
        k.fail(Renew, Code::ServerError);
    }
    k.advance(secs(10));
    k.finish(Obtain, provisional(&k), 1);
    assert_eq!(retry_at(&k), k.now.plus(secs(240)), "the end of this one comes before the next try");
}

#[test]
fn a_copy_may_be_given_out_until_shortly_before_the_next_renewal() {
    let mut k = Inputs::new(facturify());
    assert_eq!(copy_until(&k.account).millis(), 0, "there is nothing to copy");
    k.succeed(Renew, LONG);
    let due_at = k.account.due.as_ref().unwrap().at;
    assert_eq!(copy_until(&k.account), due_at.minus(secs(120)));
    k.begin(Refresh);
    assert_eq!(copy_until(&k.account).millis(), 0, "the renewal may end it");
    k.fail(Refresh, Code::Timeout);
    assert_eq!(copy_until(&k.account).millis(), 0, "the next try comes at any time");
    let mut k = Inputs::new(upstox_manual());
    k.succeed(Adopt, LONG);
    let end = k.account.held.as_ref().unwrap().expires_at;
    assert_eq!(copy_until(&k.account), end.minus(secs(30)), "nothing is due");
    // What is due after the end does not count.
    k.account.due = Some(Due { at: end.plus(secs(3600)), operation: Renew, source: Source::Refresh });
    assert_eq!(copy_until(&k.account), end.minus(secs(30)));
}

#[test]
fn what_is_given_says_how_it_was_come_by() {
    let adopt = protocol::Adopt {
        token: Secret::new("hidden"),
        expires_at: None,
        source: Source::Notifier,
        user_id: None,
        new_owner: false,
    };
    assert_eq!(Task::Adopt(adopt).source(), Some(Source::Notifier));
    assert_eq!(Task::Renew.source(), None);
}

#[test]
fn the_log_names_each_operation() {
    let actions = [Renew, Obtain, Refresh, Check, Adopt, Operation::Exchange, Operation::Request];
    let names = ["renew_token", "obtain_token", "refresh_token", "check_token", "update_token"];
    let names = names.into_iter().chain(["exchange_code", "request_token"]);
    assert!(actions.into_iter().map(|operation| operation.action().as_str()).eq(names));
}

#[test]
fn renewals_are_planned_from_the_life_of_the_token() {
    // A short token lives long enough to be changed, whatever its life.
    for (life, after) in [(240, 5), (20, 5), (8, 2)] {
        let mut k = Inputs::new(facturify());
        let short = Grant { provisional: true, ..grant("short", k.now, secs(life)) };
        k.finish(Renew, Outcome::Granted(short), 1);
        assert_eq!(k.planned(), Some(k.now.plus(secs(after))), "{life}");
    }
    let mut k = Inputs::new(oauth2_rotating("seed"));
    k.jitter = LEAST;
    k.succeed(Renew, secs(7200));
    assert_eq!(k.planned(), Some(k.now.plus(secs(7200 - 900))));
    assert_eq!(k.account.due.unwrap().operation, Renew);
}
