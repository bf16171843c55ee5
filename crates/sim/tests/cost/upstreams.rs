//! Upstream accounts: a token that is read, and what looks after it.

use crate::Row;
use crate::scenarios::row;
use crate::world::{Deployment, minutes};
use base::call::{Answer, Call};
use base::ids::AccountName;
use base::ports::Clock as _;
use base::rpc::Class;
use keeper::protocol::{Reconcile, StatusReply};
use sim::SimHost;
use sim::fakes::accounts::{Fake as _, FakeFacturify};
use sim::net::{Answering, Upstream, text};
use std::cell::RefCell;

pub fn all() -> [Row; 2] {
    [token(), look()]
}

struct Facturify(RefCell<FakeFacturify>, SimHost);

impl Upstream for Facturify {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        let (status, body) = self.0.borrow_mut().serve(call, self.1.now());
        Box::pin(async move { text(status, &body) })
    }
}

/// A deployment with an account that has a token, and what reads it.
fn facturify() -> Deployment {
    let d = Deployment::new(&[]);
    let facturify = Facturify(RefCell::default(), d.world.host());
    d.world.upstream("api-sandbox.facturify.com", facturify);
    d.world.deploy(&[("FACTURIFY_API_KEY", "fy-key"), ("FACTURIFY_API_SECRET", "fy-secret")]);
    read(&d);
    d.world.advance(minutes(5));
    d
}

fn read(d: &Deployment) {
    let answer = d.world.request("GET", "/api/v1/facturify/auth/token", &[], None);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// From KV.
fn token() -> Row {
    let d = facturify();
    row("an upstream token, read", d.uses(|| read(&d)), 300, Some(1_000))
}

/// What the Cron Trigger does with each account, whose object is out of memory by then.
fn look() -> Row {
    let d = facturify();
    let look = || {
        d.world.evict(Class::Upstream, "facturify/default");
        let host = d.world.host();
        let reply = d.world.run_until(async move {
            let reconcile = Reconcile { daily: false, spread_millis: 0 };
            keeper::send(&host, "facturify", &AccountName::issued("default"), reconcile).await
        });
        assert!(matches!(reply, Ok(StatusReply::Status(_))), "{reply:?}");
    };
    // KV's copy of a new token is looked at once.
    look();
    d.world.advance(minutes(1));
    row("reconciling an upstream account, each (43,200 a month)", d.uses(look), 0, None)
}
