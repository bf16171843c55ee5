//! The life cycle, transition by transition: who flies, who is served, what is due when. Failures are in `trouble_tests.rs`.

use super::decide::{Event, Verdict, status};
use super::protocol::Operation::{self, Check, Obtain, Refresh, Renew};
use super::state::{Health, SYNC_RETRY, SYNC_RETRY_FIRST};
use super::test_support::*;
use super::*;
use std::time::Duration;

const LONG: Duration = Duration::from_hours(12);

fn health(k: &Inputs) -> Health {
    status(&k.account, None, k.now).health
}

/// A long token, an hour ago.
fn holding(provider: Box<dyn Provider>) -> Inputs {
    let mut k = Inputs::new(provider);
    k.succeed(Renew, LONG);
    k.advance(secs(3600));
    k
}

#[test]
fn the_first_ask_runs_and_is_then_served() {
    let mut k = Inputs::new(facturify());
    assert_eq!(health(&k), Health::Missing);
    assert!(runs(&k.ask(), Renew));
    k.succeed(Renew, LONG);
    assert!(matches!(
        k.event(Event::Asked { min_ttl: secs(0), tried: true, refused: false }),
        Verdict::Serve
    ));
    assert_eq!(health(&k), Health::Valid);
    let held = k.account.held.as_ref().unwrap();
    assert_eq!((held.source, held.generation, held.expires_in), (Source::Startup, 1, Some(43_200)));
    assert_eq!(k.tokens.as_ref().unwrap().access.expose(), "token");
}

#[test]
fn the_first_look_plans_what_nobody_asks_for() {
    for provider in [facturify(), upstox(), oauth2_rotating("seed")] {
        let mut k = Inputs::new(provider);
        assert_eq!(k.planned(), None);
        k.look();
        assert_eq!(k.planned(), Some(k.now));
        assert!(runs(&k.woke(), Renew));
    }
    let mut k = Inputs::new(upstox_manual());
    k.look();
    assert_eq!(k.planned(), None, "nothing can be done for it");
    assert_eq!(refused(k.ask()).0, Code::NoTokenSource);
}

#[test]
fn a_live_token_is_served_at_once_whatever_goes_on() {
    let mut k = holding(facturify());
    k.begin(Renew);
    assert!(matches!(k.ask(), Verdict::Serve), "while its renewal is in task");
    k.finish(Renew, Outcome::Failed(Failure::new(Code::Timeout)), 1);
    assert!(matches!(k.ask(), Verdict::Serve), "while it fails");
    assert!(matches!(k.ask_for(1_000_000), Verdict::Serve), "whatever is wanted");
    k.finish(Renew, Outcome::Failed(Failure::with_status(Code::CredentialsRefused, 401)), 1);
    assert!(matches!(k.ask(), Verdict::Serve), "although it cannot be renewed");
    k.now = k.account.held.as_ref().unwrap().expires_at.minus(secs(1));
    assert!(matches!(k.ask(), Verdict::Serve), "to its last second");
    k.advance(secs(1));
    assert_eq!(refused(k.ask()), (Code::CredentialsRefused, None));
}

#[test]
fn whoever_needs_a_token_joins_the_task_that_gets_one() {
    for operation in [Renew, Obtain, Refresh] {
        let mut k = Inputs::new(facturify());
        k.look();
        k.wakes_for(Renew);
        k.begin(operation);
        assert!(runs(&k.ask(), Renew), "{operation:?}");
        for order in [Renew, Obtain, Refresh] {
            assert!(runs(&k.order(order), order));
        }
        assert!(matches!(k.woke(), Verdict::Nothing), "the alarm has nothing to add");
        k.look();
        assert_eq!(k.planned(), Some(k.now.plus(k.provider.rules().task_max)));
    }
}

/// A read with the life of the token as `min_ttl` renews it at most once in a tenth of that, and no read asks for more than all.
#[test]
fn f23_more_life_is_given_once_in_a_tenth_of_it() {
    // Of 43,200 seconds: how old it is, what is wanted, and whether that is a call.
    for (age, wanted, run) in [
        (0, 43_200, false),
        (3600, 43_200, false),
        (4319, 43_200, false),
        (4320, 38_880, false),
        (4320, 38_881, true),
        (4320, 43_200, true),
        (4320, 1_000_000, true),
    ] {
        for (provider, extends) in [(facturify as fn() -> _, true), (upstox, false)] {
            let mut k = Inputs::new(provider());
            k.succeed(Renew, LONG);
            k.advance(secs(age));
            assert_eq!(runs(&k.ask_for(wanted), Renew), run && extends, "{age} {wanted} {extends}");
            let tried = k.event(Event::Asked { min_ttl: secs(wanted), tried: true, refused: false });
            assert!(matches!(tried, Verdict::Serve), "what there is, after one try");
        }
    }
    // A client that asks once a second for an hour, of a token that lives an hour.
    let mut k = Inputs::new(oauth2_rotating("seed"));
    k.succeed(Renew, secs(3600));
    let mut renewed = 0;
    for _ in 0..3600 {
        k.advance(secs(1));
        if runs(&k.ask_for(3600), Renew) {
            k.succeed(Renew, secs(3600));
            renewed += 1;
        }
    }
    assert_eq!(renewed, 10);
    let mut k = Inputs::new(facturify());
    let mut short = grant("short", k.now, secs(240));
    short.provisional = true;
    k.finish(Renew, Outcome::Granted(short), 1);
    assert!(runs(&k.ask_for(300), Renew), "a short one will be a long one");
}

/// Every 15 to 25 minutes while it lives, beside whatever else is planned; and sooner where Upstox could not say.
#[test]
fn f24_a_held_token_is_checked_by_and_by() {
    let mut k = Inputs::new(upstox());
    k.succeed(Renew, LONG);
    for jitter in [LEAST, MOST, LEAST] {
        k.jitter = jitter;
        let at = k.account.check_at.unwrap();
        assert_eq!(k.account.next_alarm(WARNING).unwrap().min(at), k.account.next_alarm(WARNING).unwrap());
        k.now = at;
        assert!(runs(&k.woke(), Check));
        k.begin(Check);
        k.finish(Check, Outcome::Valid { user_id: Some("U1".into()) }, 1);
        let every = if jitter.0 == 0 { 900 } else { 1500 };
        assert_eq!(k.account.check_at, Some(k.now.plus(secs(every))));
    }
    k.now = k.account.check_at.unwrap();
    k.fail(Check, Code::ServerError);
    assert!(k.account.check_at.unwrap() <= k.now.plus(secs(600)) && health(&k) == Health::Valid);
    k.now = k.account.check_at.unwrap();
    k.fail(Check, Code::TokenRefused);
    assert_eq!((health(&k), k.account.check_at), (Health::Expired, None));
    k.wakes_for(Renew);
    // One that cannot be asked about is not; nor where the setting says so.
    for provider in [
        facturify(),
        provider(providers::UPSTOX, "a1", &[("UPSTOX_ACCOUNT_IDS", "a1"), ("TOKEN_CHECK_MINUTES", "0")]),
    ] {
        let mut k = Inputs::new(provider);
        k.succeed(Operation::Adopt, LONG);
        k.look();
        assert_eq!(k.account.check_at, None);
    }
    // An account of a release before gets its plan with the next look.
    let mut k = holding(upstox());
    k.account.check_at = None;
    k.look();
    assert!(k.account.check_at.is_some());
}

#[test]
fn an_order_is_done_whatever_is_held() {
    let mut k = holding(facturify());
    for operation in [Obtain, Refresh, Operation::Adopt, Operation::Exchange, Operation::Request, Check] {
        assert!(runs(&k.order(operation), operation));
    }
    k.now = k.account.held.as_ref().unwrap().expires_at;
    assert!(matches!(k.order(Check), Verdict::Nothing), "there is nothing to check");
}

#[test]
fn tokens_say_how_they_came() {
    let mut k = Inputs::new(upstox());
    let source = |k: &Inputs| k.account.held.as_ref().unwrap().source;
    k.succeed(Renew, LONG);
    assert_eq!(source(&k), Source::Startup);
    k.succeed(Refresh, LONG);
    assert_eq!(source(&k), Source::Refresh);
    k.succeed(Obtain, LONG);
    assert_eq!(source(&k), Source::Obtain);
    k.succeed(Operation::Exchange, LONG);
    assert_eq!(source(&k), Source::Exchange);
    k.advance(secs(61));
    k.look_daily();
    k.wakes_for(Refresh);
    k.succeed(Refresh, LONG);
    assert_eq!(source(&k), Source::Cron);
    let outcome = Outcome::Granted(grant("given", k.now, LONG));
    let source_given = Some(Source::Notifier);
    k.event(Event::TaskFinished { operation: Operation::Adopt, source: source_given, outcome, calls: 1 });
    assert_eq!(source(&k), Source::Notifier);
    assert_eq!(k.account.held.as_ref().unwrap().generation, 6);
}

#[test]
fn the_daily_renewal_is_done_once() {
    let mut k = holding(upstox());
    (0..5).for_each(|_| k.look_daily());
    assert_eq!(k.account.due.as_ref().unwrap().source, Source::Cron);
    k.wakes_for(Refresh);
    // Five with other jitter: the first one's plan stands.
    let mut k = holding(upstox());
    k.look_daily();
    let planned = k.account.due.clone();
    k.jitter = LEAST;
    k.look_daily();
    assert_eq!(k.account.due, planned);
    k.look();
    assert_eq!(k.account.due, planned);
    // In the middle of the task, and just after it.
    k.wakes_for(Refresh);
    k.begin(Refresh);
    k.look_daily();
    k.finish(Refresh, Outcome::Granted(grant("new", k.now, LONG)), 3);
    let planned = k.account.due.clone();
    assert_eq!(planned.as_ref().unwrap().source, Source::Refresh);
    k.advance(secs(59));
    k.look_daily();
    assert_eq!(k.account.due, planned);
    k.advance(secs(1));
    k.look_daily();
    assert_eq!(k.account.due.as_ref().unwrap().source, Source::Cron, "a minute later it is another day's");
}

#[test]
fn the_daily_renewal_is_spread_and_only_for_those_that_want_it() {
    let mut k = holding(upstox());
    k.look_daily();
    assert_eq!(k.account.due.as_ref().unwrap().at, k.now.plus(secs(30)));
    for provider in [facturify(), oauth2_rotating("seed"), upstox_manual()] {
        let mut k = holding(provider);
        let planned = k.account.due.clone();
        k.look_daily();
        assert_eq!(k.account.due, planned);
    }
}

#[test]
fn the_first_tokens_of_many_accounts_are_spread() {
    for provider in [facturify(), upstox(), oauth2_rotating("seed")] {
        let mut k = Inputs::new(provider);
        let spread = secs(30);
        k.event(Event::Looked { daily: false, spread });
        let planned = k.account.due.clone();
        assert_eq!(planned.as_ref().unwrap().at, k.now.plus(spread));
        // A second trigger, or a third, does not put it off.
        k.advance(secs(10));
        k.event(Event::Looked { daily: false, spread });
        assert_eq!(k.account.due, planned);
    }
}

#[test]
fn a_lost_plan_is_made_again_by_a_look() {
    let mut k = holding(facturify());
    let planned = k.account.due.take();
    assert_eq!(k.planned(), k.account.warn_at(WARNING), "only the warning is left");
    k.look();
    assert_eq!(k.account.due, planned);
    k.account.due = None;
    k.now = k.account.held.as_ref().unwrap().expires_at;
    k.look();
    assert_eq!(k.planned(), Some(k.now));
    // Not while a task is under way: it will leave a plan.
    k.account.due = None;
    k.begin(Renew);
    k.look();
    assert_eq!(k.account.due, None);
}

#[test]
fn a_refused_token_is_renewed_at_once() {
    let mut k = holding(upstox());
    k.finish(Check, Outcome::Failed(Failure::with_status(Code::TokenRefused, 401)), 1);
    assert_eq!(health(&k), Health::Expired);
    assert_eq!(k.account.check.as_ref().unwrap().code, Some(Code::TokenRefused));
    assert_eq!(k.planned(), Some(k.now));
    k.wakes_for(Renew);
    // Without a way to get one, whoever gives them is told by the status.
    let mut k = holding(upstox_manual());
    k.finish(Check, Outcome::Failed(Failure::with_status(Code::TokenRefused, 401)), 1);
    assert_eq!((health(&k), k.account.due.clone()), (Health::Expired, None));
}

#[test]
fn unknown_is_not_invalid() {
    for code in
        [Code::Timeout, Code::Unreachable, Code::RateLimited, Code::ServerError, Code::UnexpectedResponse]
    {
        let mut k = holding(upstox());
        let due = k.account.due.clone();
        k.finish(Check, Outcome::Failed(Failure::new(code)), 1);
        assert_eq!((health(&k), &k.account.due), (Health::Valid, &due), "{code:?}");
        assert!(matches!(k.ask(), Verdict::Serve));
        assert_eq!(k.account.check.as_ref().unwrap().code, Some(code));
    }
}

#[test]
fn a_token_that_could_not_be_checked_is_checked_later() {
    let mut k = Inputs::new(upstox());
    let mut unverified = grant("t", k.now, LONG);
    unverified.verified = false;
    k.finish(Renew, Outcome::Granted(unverified), 2);
    assert_eq!((health(&k), k.account.check.clone()), (Health::Valid, None));
    let first = k.now;
    k.wakes_for(Check);
    assert!(k.now > first && k.now <= first.plus(secs(600)));
    k.finish(Check, Outcome::Failed(Failure::new(Code::ServerError)), 1);
    let second = k.now;
    k.wakes_for(Check); // And again.
    assert!(k.now > second);
    k.finish(Check, Outcome::Valid { user_id: Some("U1".into()) }, 1);
    let held = k.account.held.clone().unwrap();
    assert!(held.verified && held.user_id.as_deref() == Some("U1"));
    assert_eq!(k.account.due.as_ref().unwrap().operation, Refresh, "the morning is next");
    assert!(k.alerts().is_empty());
}

#[test]
fn others_are_told_of_changes_until_they_know() {
    let mut k = Inputs::new(facturify());
    k.succeed(Renew, LONG);
    let change = k.account.pending_sync.clone().unwrap();
    assert_eq!((change.change, change.try_at), (1, k.now.plus(SYNC_RETRY)));
    k.succeed(Renew, LONG);
    k.event(Event::Synced { change: 1 });
    assert_eq!(k.account.pending_sync.as_ref().unwrap().change, 2, "the second one was not told of");
    k.advance(secs(10));
    k.event(Event::SyncStarted);
    assert_eq!(k.account.pending_sync.as_ref().unwrap().try_at, k.now.plus(SYNC_RETRY_FIRST));
    k.event(Event::SyncStarted);
    assert_eq!(k.account.pending_sync.as_ref().unwrap().try_at, k.now.plus(SYNC_RETRY));
    k.event(Event::Synced { change: 2 });
    assert_eq!(k.account.pending_sync, None);
}
