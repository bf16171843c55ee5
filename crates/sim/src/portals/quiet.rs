//! What is to be seen when all is quiet and the portal is well.

use super::plan::DRIVERS;
use super::{Checked, Run, callers};
use crate::deployment::Object;
use crate::sequence::Invariant;
use base::ids::PortalId;
use base::rpc::Class;
use config::Settings as _;
use portal::Login;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

fn stored(object: &Object) -> Login {
    let storage = object.storage.borrow();
    storage.get("login").map(|text| serde_json::from_str(text).expect("a login's row")).unwrap_or_default()
}

/// Whether it has a session and nothing else is under way: the registry knows of it.
pub fn is_listed(object: &Object) -> bool {
    let login = stored(object);
    login.session.is_some() && login.task.is_none() && login.pending_sync.is_none()
}

/// How often it is waited for a report that has just begun.
const REPORTS: usize = 5;

pub fn check(run: &Run) -> Checked {
    // A session may end idle at this very moment: the registry is about to be told.
    for _ in 0..REPORTS {
        if !run.objects.iter().any(|object| stored(object).pending_sync.is_some()) {
            break;
        }
        run.pass(Duration::from_secs(1));
    }
    if let Some(watch) = &run.watch {
        watch.borrow_mut().over_time(&run.world, &run.site)?;
    }
    let mut live = BTreeSet::new();
    for object in &run.objects {
        let login = stored(object);
        // A keep-alive may have begun just now.
        let since = run.world.now().minus(Duration::from_mins(1));
        let task = login.task.as_ref().is_some_and(|task| task.began_at < since);
        if task || login.pending_sync.is_some_and(|sync| sync.try_at < since) {
            return Err((Invariant::WorkLeft, format!("{login:?}")));
        }
        if let Some(session) = login.session {
            live.insert(session.session_id);
        }
    }
    let app = run.world.host().app().expect("the settings are good");
    if live.len() > app.config.portals.policy.sessions_max {
        return Err((Invariant::TooManySessions, format!("{} portal sessions", live.len())));
    }
    registry(run, &live)?;
    for driver in 0..if run.watch.is_some() { 1 } else { DRIVERS } {
        served(run, driver)?;
    }
    Ok(())
}

/// The registry has the live sessions, and no others.
fn registry(run: &Run, live: &BTreeSet<PortalId>) -> Checked {
    let rows = run.world.sql(Class::PortalRegistry, "registry", "SELECT session_id FROM live");
    let listed: Vec<&str> =
        rows.iter().filter_map(|row| row.get("session_id").and_then(Value::as_str)).collect();
    let same =
        listed.len() == live.len() && listed.iter().all(|id| live.iter().any(|known| known.as_str() == *id));
    if same { Ok(()) } else { Err((Invariant::RegistryWrong, format!("{listed:?} listed, {live:?} live"))) }
}

/// Whoever comes now is served, unless the portal has refused them not long ago, or too much was asked of it.
fn served(run: &Run, driver: usize) -> Checked {
    // Twice: where there are fewer places, it may just have given way to another.
    for _ in 0..2 {
        let callers = run.callers.clone();
        if run.world.run_until(async move { callers.get(driver, false).await }).is_some() {
            return Ok(());
        }
    }
    let login = stored(&run.objects[driver]);
    let explained = login.refused.is_some() || !login.refused_keys.is_empty() || login.logins.len() >= 2;
    if explained {
        return Ok(());
    }
    Err((Invariant::PortalNotReconciled, format!("{} is not served: {login:?}", callers::username(driver))))
}
