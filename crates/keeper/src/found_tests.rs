//! Faults that the other tests found, or that reading found, each as it showed.

use super::alert::Kind;
use super::backoff::CALLS_PER_HOUR;
use super::decide::{Event, Verdict, status};
use super::protocol::Operation::{self, Check, Obtain, Refresh, Renew};
use super::state::Health;
use super::test_support::*;
use super::*;
use base::secret::Secret;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn failed(code: Code) -> Outcome {
    Outcome::Failed(Failure::new(code))
}

fn unverified(k: &Inputs) -> Outcome {
    Outcome::Granted(Grant { verified: false, ..grant("unsure", k.now, DAY) })
}

#[test]
fn a_token_that_ran_out_unwarned_is_not_warned_of_for_ever() {
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, secs(3600));
    k.advance(DAY);
    k.fail(Renew, Code::CredentialsRefused);
    k.woke();
    assert_eq!(k.alerts(), [Kind::NeedsAttention], "it is too late for a warning");
    assert_eq!(k.planned(), None);
}

#[test]
fn a_late_alarm_finds_nothing_to_warn_of_and_rests() {
    let mut k = Inputs::new(upstox_manual());
    k.succeed(Operation::Adopt, secs(3600));
    k.advance(DAY);
    k.woke();
    assert_eq!((k.alerts(), k.planned()), (vec![], None));
}

#[test]
fn a_blip_just_before_the_end_is_no_alert() {
    let mut k = Inputs::new(facturify());
    k.succeed(Renew, DAY);
    k.wakes_for(Renew);
    k.fail(Renew, Code::Timeout);
    k.woke();
    assert_eq!(k.alerts(), [], "the quick tries are still to come");
    k.wakes_for(Renew);
    k.succeed(Renew, DAY);
    assert_eq!(k.alerts(), []);
}

#[test]
fn checks_that_find_nobody_count_as_calls() {
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, DAY);
    let mut calls = 0;
    while let Verdict::Run(Check) = k.order(Check) {
        k.fail_order(Check, Code::ServerError);
        calls += 1;
        assert!(calls <= CALLS_PER_HOUR, "{calls} calls");
    }
    assert_eq!(calls, CALLS_PER_HOUR);
    assert_eq!(refused(k.order(Check)), (Code::CallBudgetExhausted, Some(3600)));
    // One that is answered does not, whatever the answer is.
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, DAY);
    for _ in 0..2 * CALLS_PER_HOUR {
        assert!(runs(&k.order(Check), Check));
        k.begin_as(Check, true);
        k.finish(Check, Outcome::Valid { user_id: None }, 1);
        assert!(runs(&k.order(Operation::Adopt), Operation::Adopt));
        k.fail_order(Operation::Adopt, Code::TokenRefused);
    }
}

#[test]
fn an_unsure_token_is_checked_ever_more_slowly() {
    for jitter in [LEAST, MOST] {
        let mut k = Inputs::new(upstox());
        k.jitter = jitter;
        k.finish(Renew, unverified(&k), 2);
        let first = k.now;
        let mut calls = 1;
        while k.now < first.plus(secs(3600)) {
            k.wakes_for(Check);
            k.finish(Check, failed(Code::ServerError), 1);
            calls += 1;
        }
        assert!((4..=CALLS_PER_HOUR).contains(&calls), "{calls} calls");
        let waits = k.now;
        let limited = Failure { retry_after: Some(secs(7200)), ..Failure::new(Code::RateLimited) };
        k.finish(Check, Outcome::Failed(limited), 1);
        k.wakes_for(Check);
        assert!(k.now >= waits.plus(secs(7200)), "as it was asked to");
    }
}

/// What was real: while renewals failed, nobody looked at a token that was still to be confirmed; it was dead, and was served to its
/// end.
#[test]
fn f24_renewals_that_fail_keep_no_unsure_token_from_its_check() {
    let mut k = Inputs::new(upstox());
    k.finish(Renew, unverified(&k), 2);
    let due = k.planned().expect("a check");
    for _ in 0..3 {
        k.fail_order(Refresh, Code::OtherUser);
        k.fail(Refresh, Code::OtherUser);
    }
    assert!(k.account.trouble.is_some() && k.planned().is_some_and(|at| at <= due));
    k.now = due;
    let mut wanted = vec![];
    while wanted.last() != Some(&Check) {
        match k.woke() {
            Verdict::Run(Check) => wanted.push(Check),
            Verdict::Run(operation) => {
                k.fail(operation, Code::OtherUser);
                wanted.push(operation);
                assert!(wanted.len() < 5, "{wanted:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    k.finish(Check, failed(Code::TokenRefused), 1);
    assert!(k.account.live(k.now).is_none(), "it is given to nobody any more");
    // One that cannot be asked about is asked about more slowly; one that has run out needs no check, and no alarm for it.
    let mut k = Inputs::new(upstox());
    k.finish(Renew, unverified(&k), 2);
    k.fail(Refresh, Code::CredentialsRefused);
    assert_eq!(k.account.trouble.as_ref().and_then(|trouble| trouble.retry_at), None);
    k.wakes_for(Check);
    k.finish(Check, failed(Code::ServerError), 1);
    assert!(k.planned().is_some_and(|at| at >= k.now.plus(secs(60))));
    k.advance(DAY);
    assert!(matches!(k.woke(), Verdict::Nothing));
    assert_eq!(k.planned(), None);
}

#[test]
fn orders_for_tokens_that_cannot_be_checked_keep_to_the_hour() {
    let mut k = Inputs::new(upstox());
    let mut tasks = 0;
    while let Verdict::Run(Refresh) = k.order(Refresh) {
        k.begin_as(Refresh, true);
        k.finish(Refresh, unverified(&k), 3);
        tasks += 1;
        assert!(tasks <= CALLS_PER_HOUR, "each has a call that fails");
    }
}

#[test]
fn the_hour_of_orders_counts_without_trouble_too() {
    let mut k = Inputs::new(upstox());
    let mut calls = 0;
    while let Verdict::Run(_) = k.order(Operation::Exchange) {
        k.fail_order(Operation::Exchange, Code::Timeout);
        calls += 1;
        assert!(calls <= CALLS_PER_HOUR);
    }
    assert_eq!(refused(k.order(Operation::Exchange)), (Code::CallBudgetExhausted, Some(3600)));
    assert!(runs(&k.ask(), Renew), "the account's own tries are another thing");
    k.look();
    k.wakes_for(Renew);
}

#[test]
fn a_token_may_still_be_given_when_everything_is_used_up() {
    let mut k = Inputs::new(upstox());
    for _ in 0..=2 * CALLS_PER_HOUR {
        k.fail_order(Operation::Exchange, Code::Unreachable);
        assert!(runs(&k.order(Operation::Adopt), Operation::Adopt), "it is the way out");
        k.fail_order(Operation::Adopt, Code::Unreachable);
    }
    assert_eq!(refused(k.order(Refresh)).0, Code::CallBudgetExhausted);
    k.begin_as(Operation::Adopt, true);
    k.finish(Operation::Adopt, Outcome::Granted(grant("given", k.now, DAY)), 1);
    assert!(matches!(k.ask(), Verdict::Serve));
    assert!(runs(&k.order(Refresh), Refresh), "it is well");
}

#[test]
fn settings_that_mend_it_are_a_recovery() {
    let mut k = Inputs::new(facturify());
    k.fail(Renew, Code::CredentialsRefused);
    k.settings = "new".into();
    assert!(runs(&k.woke(), Renew));
    k.succeed(Renew, DAY);
    assert_eq!(k.alerts(), [Kind::NeedsAttention, Kind::Recovered]);
}

#[test]
fn new_settings_leave_an_unsure_token_to_be_checked() {
    let mut k = Inputs::new(upstox());
    k.finish(Renew, unverified(&k), 2);
    k.settings = "new".into();
    k.look();
    assert_eq!(k.account.due.as_ref().unwrap().operation, Check);
}

#[test]
fn an_account_without_means_is_not_in_trouble_for_being_asked() {
    let mut k = Inputs::new(upstox_manual());
    k.succeed(Operation::Adopt, DAY);
    for operation in [Renew, Obtain, Refresh] {
        k.finish(operation, failed(Code::NoTokenSource), 0);
        assert_eq!(
            (k.account.trouble.clone(), status(&k.account, None, k.now).health),
            (None, Health::Valid)
        );
    }
    assert_eq!(k.alerts(), []);
    // A service that says it has none is another thing.
    let mut k = Inputs::new(upstox());
    k.finish(Renew, failed(Code::NoTokenSource), 3);
    assert!(k.account.trouble.is_some());
}

#[test]
fn whoever_waited_for_a_failure_is_told_of_it() {
    let mut k = Inputs::new(facturify());
    k.jitter = LEAST;
    k.fail(Renew, Code::Timeout);
    // It took so long to say so that it may be tried again.
    k.now = k.account.trouble.as_ref().unwrap().retry_at.unwrap();
    let verdict = k.event(Event::Asked { min_ttl: secs(0), tried: true, refused: false });
    assert_eq!(refused(verdict).0, Code::Timeout);
}

fn request(k: &mut Inputs, operation: Operation) {
    let task = match operation {
        Refresh => Task::Refresh,
        _ => Task::Renew,
    };
    k.begin(operation);
    let mut script = k.provider.script(&task, None, None);
    assert!(matches!(script.next(None, k.now), Step::Call(_)));
    let body = Secret::new(r#"{"status":"success","data":{"authorization_expiry":null}}"#);
    let answer = Answer::Response { status: 200, retry_after: None, body };
    let Step::Done(outcome) = script.next(Some(answer), k.now) else { panic!("another call") };
    assert_eq!(refused(k.finish(operation, outcome, 1)).0, Code::ApprovalPending);
}

#[test]
fn five_triggers_ask_for_one_approval() {
    let mut k = Inputs::new(upstox_app());
    k.now = at("2025-11-20T08:00:00+05:30");
    k.jitter = LEAST;
    let mut requests = 0;
    for _ in 0..5 {
        k.look_daily();
        while let Verdict::Run(operation) = k.woke() {
            request(&mut k, operation);
            requests += 1;
        }
        k.advance(secs(5));
    }
    assert_eq!(requests, 1);
}

#[test]
fn an_approval_that_did_not_come_is_asked_for_again_in_the_morning() {
    let mut k = Inputs::new(upstox_app());
    request(&mut k, Renew);
    assert_eq!(status(&k.account, None, k.now).health, Health::AwaitingApproval);
    k.wakes_for(Renew);
    assert!(
        k.now >= at("2025-11-20T08:00:00+05:30"),
        "not at night, when one runs out: {}",
        k.now.rfc3339_ist()
    );
}

#[test]
fn an_upstream_that_can_be_asked_for_approval_has_recovered() {
    let mut k = Inputs::new(upstox_app());
    while !k.account.has_failed() {
        k.fail(Renew, Code::Unreachable);
    }
    request(&mut k, Renew);
    assert_eq!(k.alerts(), [Kind::Failing, Kind::Recovered, Kind::NeedsAttention]);
    assert!(k.account.calls.is_empty());
}

#[test]
fn a_new_client_secret_does_not_cost_the_refresh_token() {
    let fields = |seed: &str, more: &str| {
        oauth2(&format!(r#""grant":"refresh_token","refresh_token":"{seed}"{more}"#))
    };
    let mut k = Inputs::new(fields("seed", ""));
    let rotated = Grant { refresh: Some(Secret::new("rotated")), ..grant("t", k.now, DAY) };
    k.finish(Renew, Outcome::Granted(rotated), 1);
    // Any of these may be what mends a refusal.
    for more in [r#","client_auth":"body""#, r#","scope":"read""#] {
        k.fail(Refresh, Code::CredentialsRefused);
        (k.provider, k.settings) = (fields("seed", more), more.into());
        assert!(runs(&k.woke(), Renew), "{more}");
        assert_eq!(k.tokens.as_ref().unwrap().refresh, Some(Secret::new("rotated")), "{more}");
    }
    (k.provider, k.settings) = (fields("another", ""), "another".into());
    k.look();
    assert_eq!(k.tokens.as_ref().unwrap().refresh, None, "the new seed is the one to use");
}

#[test]
fn every_setting_of_an_account_counts_as_a_change() {
    let settings = |provider: Box<dyn Provider>| provider.settings();
    let app = |app: &str| {
        settings(provider(providers::UPSTOX, "a1", &[("UPSTOX_ACCOUNT_IDS", "a1"), ("UPSTOX_APPS", app)]))
    };
    for (from, to) in
        [("app-1", "app-2"), ("app-hidden", "x"), ("https://me/cb", "https://me/2"), ("U1", "U2")]
    {
        assert_ne!(app(APP), app(&APP.replace(from, to)), "{from}");
    }
    let account = r#""grant":"client_credentials","scope":"a","client_auth":"basic""#;
    for (from, to) in [("\"a\"", "\"b\""), ("basic", "body")] {
        assert_ne!(settings(oauth2(account)), settings(oauth2(&account.replace(from, to))));
    }
    let facturify = |method| {
        let key =
            [("FACTURIFY_API_KEY", "k"), ("FACTURIFY_API_SECRET", "s"), ("FACTURIFY_REFRESH_METHOD", method)];
        settings(provider(providers::FACTURIFY, "default", &key))
    };
    assert_ne!(facturify("GET"), facturify("POST"));
}

#[test]
fn whoever_asked_at_night_does_not_put_off_the_morning() {
    let eight = at("2025-11-20T08:00:00+05:30");
    let asked_at_night = |code: Code| {
        let mut k = Inputs::new(upstox());
        k.now = eight.minus(secs(180));
        while !k.account.has_failed() {
            k.fail(Renew, code);
        }
        k.now = eight;
        let retry_at = k.account.trouble.as_ref().unwrap().retry_at;
        k.jitter = MOST;
        (0..5).for_each(|_| k.look_daily());
        (k, retry_at.unwrap())
    };
    let (mut k, later) = asked_at_night(Code::NoTokenSource);
    assert!(later > eight.plus(secs(60)));
    k.wakes_for(Renew);
    assert_eq!(k.now, eight.plus(secs(30)));
    k.fail(Renew, Code::NoTokenSource);
    let retry_at = k.account.trouble.as_ref().unwrap().retry_at;
    k.look_daily();
    assert_eq!(k.account.trouble.as_ref().unwrap().retry_at, retry_at, "once");
    let (k, later) = asked_at_night(Code::RateLimited);
    assert_eq!(k.account.trouble.as_ref().unwrap().retry_at, Some(later), "Upstox may have named the time");
    let (mut k, _) = asked_at_night(Code::NoTokenSource);
    k.fail(Renew, Code::CredentialsRefused);
    k.advance(DAY);
    k.look_daily();
    assert_eq!(k.account.trouble.as_ref().unwrap().retry_at, Some(k.now.plus(secs(30))), "it may be mended");
    let told = k.alerts();
    k.wakes_for(Renew);
    k.fail(Renew, Code::CredentialsRefused);
    assert_eq!((k.account.trouble.as_ref().unwrap().retry_at, k.alerts()), (None, told), "no news");
}
