//! An hour of outage: alarms when they are due, a Cron Trigger each minute, and callers who ask every few seconds. However
//! it fails, no account makes more than its quick tries and one at each slow step in that hour, and callers are told so.

use super::{BATCH, CRM, FACTURIFY, FIRST, Fault, Keeper, MINUTELY, members};
use crate::account::secs;
use keeper::backoff::SLOW_PER_HOUR;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const CALLS_MAX: usize = 15;
const ACCOUNTS: [&str; 4] = [FACTURIFY, FIRST, CRM, BATCH];
/// What Upstox says of a token that it does not accept.
const DEAD: &str = r#"{"status":"error","errors":[{"errorCode":"UDAPI100050"}]}"#;
const OFTEN: u64 = 7;
const SELDOM: u64 = 40;

/// What was told, how often.
type Told = BTreeMap<(u16, String), u32>;

/// An hour; what callers were told, and those who order a new token.
fn hour(keeper: &Keeper, account: &str, every: u64, orders: bool) -> (Told, Told) {
    let end = keeper.now().plus(secs(3600));
    let (mut asked, mut ordered) = (Told::new(), Told::new());
    let mut minute = keeper.now();
    while keeper.now() < end {
        keeper.pass(secs(every));
        if minute.plus(secs(60)) <= keeper.now() {
            minute = keeper.now();
            keeper.world.cron(MINUTELY).unwrap();
        }
        let answer = keeper.read(account);
        if answer.status != 200 {
            assert!(
                answer.header("retry-after").is_some_and(|s| s.parse::<u64>().unwrap() > 0),
                "{answer:?}"
            );
        }
        *asked.entry((answer.status, answer.code())).or_default() += 1;
        if orders {
            let answer = keeper.order(account);
            *ordered.entry((answer.status, answer.code())).or_default() += 1;
        }
    }
    (asked, ordered)
}

fn keys(told: &Told) -> BTreeSet<(u16, &str)> {
    told.keys().map(|(status, code)| (*status, code.as_str())).collect()
}

/// It comes back by itself, within half an hour of slow tries.
fn comes_back(keeper: &Keeper, account: &str) {
    keeper.heal();
    keeper.pass(secs(1800 + 60));
    let told = members(&keeper.status(account), &["has_token", "status", "last_error"]);
    assert_eq!(told, json!({ "has_token": true, "status": "valid", "last_error": null }), "{account}");
}

#[test]
fn without_a_token() {
    for account in ACCOUNTS {
        for (fault, every, code) in [
            (Fault::Status(503, ""), OFTEN, "upstream_error"),
            (Fault::Later(429, 0), SELDOM, "upstream_rate_limited"),
            (Fault::Unreachable, SELDOM, "upstream_unreachable"),
        ] {
            let keeper = Keeper::new();
            keeper.down(account, fault);
            let (told, _) = hour(&keeper, account, every, false);
            let calls = keeper.count(account);
            assert_eq!(keys(&told), [(502, code)].into(), "{account} {fault:?}");
            assert!((4..=CALLS_MAX).contains(&calls), "{account} {fault:?}: {calls} calls");
            comes_back(&keeper, account);
        }
    }
}

#[test]
fn with_a_token_whose_renewal_is_ordered_at_its_beginning() {
    for account in ACCOUNTS {
        let keeper = Keeper::new();
        keeper.read(account);
        keeper.pass(secs(1));
        keeper.clear_calls();
        keeper.down(account, Fault::Status(500, ""));
        keeper.order(account);
        let (told, _) = hour(&keeper, account, SELDOM, false);
        let calls = keeper.count(account);
        assert!(calls > 0 && calls <= CALLS_MAX, "{account}: {calls} calls");
        assert!(told.keys().all(|(status, _)| [200, 502].contains(status)), "{told:?}");
        assert!(told.contains_key(&(200, String::new())), "{told:?}");
        comes_back(&keeper, account);
    }
}

#[test]
fn with_orders_every_few_seconds_on_top() {
    for account in ACCOUNTS {
        let keeper = Keeper::new();
        keeper.down(account, Fault::Status(502, ""));
        let (_, ordered) = hour(&keeper, account, SELDOM, true);
        let calls = keeper.count(account);
        assert!(calls <= CALLS_MAX, "{account}: {calls} calls");
        assert_eq!(keys(&ordered), [(502, "upstream_error")].into(), "{account}");
    }
}

/// The worst case of Upstox, where each try is five calls.
#[test]
fn with_tokens_that_are_dead_when_they_come() {
    let keeper = Keeper::new();
    keeper.fail_at(FIRST, "/profile", Fault::Status(401, DEAD), u32::MAX);
    hour(&keeper, FIRST, SELDOM, false);
    let calls = keeper.count(FIRST);
    assert!(calls > 5 && calls <= CALLS_MAX + 5 * SLOW_PER_HOUR, "{calls} calls");
}
