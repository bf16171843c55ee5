//! Fifteen hundred accounts of one provider, looked after by one Cron Trigger.

use super::{DAILY, MINUTELY};
use crate::account::{at, secs};
use base::call::{Answer, Call};
use base::ports::Clock as _;
use base::rpc::Class;
use serde_json::json;
use sim::World;
use sim::fakes::accounts::{Fake as _, FakeUpstox, header};
use sim::net::{Answers, text};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

const COUNT: usize = 1500;
/// Each account adds 20 ms to the first tokens, and a second to the daily ones, of which a minute is the most.
const SPREADS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(1)];

#[derive(Default)]
struct Service {
    accounts: BTreeMap<String, FakeUpstox>,
    /// Whose token is which.
    tokens: BTreeMap<String, String>,
    calls: BTreeMap<(String, String), usize>,
}

impl Service {
    fn serve(&mut self, call: &Call, now: base::clock::Timestamp) -> Answer {
        let leaf = call.url.rsplit('/').next().unwrap().to_owned();
        let access = header(call, "authorization").trim_start_matches("Bearer ");
        let id = match call.url.split_once("/accounts/") {
            Some((_, rest)) => rest.split('/').next().unwrap().to_owned(),
            None => self.tokens[access].clone(),
        };
        *self.calls.entry((id.clone(), leaf)).or_default() += 1;
        let fake = self.accounts.entry(id.clone()).or_default();
        let (status, body) = fake.serve(call, now);
        if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&body)
            && let Some(access) = answer["access_token"].as_str()
        {
            self.tokens.insert(access.to_owned(), id);
        }
        text(status, &body)
    }

    fn count(&self, leaf: &str) -> usize {
        self.calls.iter().filter(|((_, l), _)| l == leaf).map(|(_, n)| n).sum()
    }
}

#[test]
fn fifteen_hundred_accounts_are_looked_after_by_one_trigger_spread_over_a_minute() {
    let ids: Vec<_> = (0..COUNT).map(|n| format!("acc{n}")).collect();
    let world = World::complete(
        0,
        &[
            ("UPSTOX_ACCOUNT_IDS", &ids.join(",")),
            ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
            ("REQUEST_LOG", "off"),
            ("TOKEN_CHECK_MINUTES", "0"),
        ],
    );
    world.at(at("2026-06-01T06:00:00Z"));
    let service = Rc::new(RefCell::new(Service::default()));
    for host in ["service", "api.upstox.com"] {
        let (service, clock) = (service.clone(), world.host());
        world.upstream(host, Answers(move |call: &Call| service.borrow_mut().serve(call, clock.now())));
    }
    for (n, expression) in [MINUTELY, DAILY].into_iter().enumerate() {
        if n > 0 {
            world.at(at("2026-06-02T02:30:00Z"));
        }
        let spread = SPREADS[n];
        service.borrow_mut().calls.clear();
        let now = world.now();
        world.cron(expression).unwrap();
        let due: BTreeSet<_> =
            ids.iter().map(|id| world.alarm(Class::Upstream, &format!("upstox/{id}")).unwrap()).collect();
        let last = due.last().unwrap().since(now);
        assert!(last > spread * 5 / 6 && last <= spread + secs(1), "{expression}: {last:?}");
        assert!(due.len() > COUNT / 2, "{expression}: {} moments", due.len());
        world.advance(spread + secs(5));
        let health = world.request("GET", "/health", &[], None).json();
        assert_eq!(health["accounts"], json!({ "total": COUNT, "healthy": COUNT, "failed": 0 }));
        let service = service.borrow();
        let counts = ["token", "refresh", "profile"].map(|leaf| service.count(leaf));
        assert!(service.calls.iter().all(|((_, leaf), n)| *n == 1 || leaf != "refresh"), "{expression}");
        assert_eq!((counts[1], counts[2]), (COUNT, COUNT), "{expression}: {counts:?}");
    }
}
