//! The Upstox accounts, and their apps.

use super::members::{Members, shown};
use super::{Shared, joined, own_faults, put_faulty};
use crate::providers::{App, Common, Providers, Service, UPSTOX, Upstox};
use crate::service;
use base::ids::AccountName;
use base::settings::{self as s, Reader};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub fn read(r: &mut Reader<'_>, all: &mut Providers, shared: &Shared) {
    let base_url = r.url(&s::UPSTOX_BASE_URL).unwrap_or_default();
    let service = service::read(r, shared.environment);
    // Whose an account is, its app says, too.
    let apps = r.document(&s::UPSTOX_APPS).unwrap_or_default();
    let identity = own_faults(r, all);
    let service = service.map(|service| Service { headers: service::headers(r), ..service });
    let check_every = Duration::from_secs(r.number(&s::TOKEN_CHECK_MINUTES) * 60);
    let daily_spread = Duration::from_secs(r.number(&s::UPSTREAM_DAILY_SPREAD_SECONDS));
    let at_once = r.number32(&s::UPSTREAM_RENEWALS_AT_ONCE);
    let fault = joined([shared.fault.clone(), identity.clone(), own_faults(r, all)]);
    let &Shared { timeout, backoff, patience, .. } = shared;
    all.upstox = Common { base_url, service, timeout, backoff, patience, check_every, daily_spread, at_once };
    (all.upstox_accounts, all.upstox_default) = accounts(r);
    let mut app_faults = BTreeMap::new();
    for (id, value) in apps {
        let Some(name) = AccountName::parse(&id) else {
            r.faults.push(format!("UPSTOX_APPS: {} is no account id", shown(&id)));
            continue;
        };
        let (app, mut faults) = app(value);
        if !all.upstox_accounts.contains(&name) {
            // Whoever wrote it means an account, which is not there.
            all.upstox_accounts.push(name.clone());
            faults.push("the account is not in UPSTOX_ACCOUNT_IDS".to_owned());
        }
        if let Some(fault) = joined(faults.into_iter().map(Some)) {
            all.faults.push(format!("UPSTOX_APPS, {name}: {fault}"));
            app_faults.insert(name.clone(), format!("UPSTOX_APPS: {fault}"));
        }
        all.upstox_apps.insert(name, app);
    }
    if own_faults(r, all).is_some() {
        all.unread.push(UPSTOX);
    }
    if fault.is_none() && app_faults.is_empty() {
        return;
    }
    for id in all.upstox_accounts.clone() {
        let app_fault = app_faults.remove(&id);
        let known = identity.is_none() && app_fault.is_none();
        if let Some(fault) = joined([fault.clone(), app_fault]) {
            let app = all.upstox_apps.get(&id).cloned();
            let provider = Upstox::new(id.clone(), all.upstox.clone(), app);
            put_faulty(all, (UPSTOX, id), &provider, fault, known);
        }
    }
}

/// All account ids, and the one that routes without an id use.
fn accounts(r: &mut Reader<'_>) -> (Vec<AccountName>, Option<AccountName>) {
    let mut accounts = r.accounts(&s::UPSTOX_ACCOUNT_IDS);
    for more in &s::UPSTOX_ACCOUNT_IDS_MORE {
        accounts.extend(r.accounts(more));
    }
    let listed = r.faults.len();
    let default = r.accounts(&s::INTERNAL_API_ACCOUNT_ID);
    if default.len() > 1 {
        r.faults.push("INTERNAL_API_ACCOUNT_ID must be one account id".to_owned());
    }
    // The default account is one, whether or not it is listed.
    if let Some(id) = default.first()
        && !accounts.contains(id)
    {
        accounts.insert(0, id.clone());
    }
    let mut seen = BTreeSet::new();
    accounts.retain(|id| seen.insert(id.clone()));
    // Which one is meant nobody is to guess.
    let default = if r.faults.len() > listed {
        None
    } else {
        default.into_iter().next().or_else(|| accounts.first().cloned())
    };
    (accounts, default)
}

fn app(value: Value) -> (App, Vec<String>) {
    let mut members = Members::new(value);
    let app = App {
        client_id: members.needed("client_id"),
        client_secret: members.needed_secret("client_secret"),
        redirect_uri: members.text("redirect_uri"),
        user_id: members.text("user_id"),
    };
    (app, members.finish())
}
