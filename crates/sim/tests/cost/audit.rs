//! What the audit trail adds.

use crate::Row;
use crate::scenarios::{row, warm};
use crate::world::{Deployment, minutes};
use base::rpc::Class;
use sim::Usage;
use std::time::Duration;

/// With what all of its objects do once a day done already.
fn kept() -> Deployment {
    let d = warm(&[("AUDIT_TRAIL", "all")]);
    for _ in 0..20 {
        d.get("/auth/sessions", "nobody");
        assert_eq!(d.refresh("nobody").status, 401);
        d.world.advance(Duration::from_secs(2));
    }
    assert_eq!(d.world.ids(Class::AuditTrail).len(), 4);
    d
}

/// What `work` uses, without what the alarms of the trail use meanwhile.
fn during(d: &Deployment, work: impl FnOnce()) -> Usage {
    d.uses(|| {
        work();
        d.world.advance(minutes(9));
    })
}

pub fn all() -> Vec<Row> {
    vec![login(), together(), asked()]
}

/// As a login, which has a batch to itself.
fn login() -> Row {
    let d = kept();
    let usage = during(&d, || _ = d.log_in("asha"));
    row("login, with `AUDIT_TRAIL`, the only one in its second", usage, 30_500, None)
}

/// Refusals, which cost little else: what a batch of them adds.
fn together() -> Row {
    let d = kept();
    let usage = during(&d, || (0..20).for_each(|_| assert_eq!(d.refresh("nobody").status, 401)));
    let off = warm(&[]);
    let without = during(&off, || (0..20).for_each(|_| assert_eq!(off.refresh("nobody").status, 401)));
    Row {
        times: 20,
        ..row("a record of the audit trail, 20 in a second, in addition", usage - without, 50, None)
    }
}

fn asked() -> Row {
    let d = kept();
    let access = d.log_in("root").access;
    d.world.advance(minutes(2));
    let usage = d.uses(|| assert_eq!(d.get("/admin/audit?outcome=failed", &access).status, 200));
    row("a page of the audit trail that is asked for", usage, 5_000, None)
}
