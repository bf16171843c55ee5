//! The settings of the upstream accounts. What is wrong with one account is its own fault: it needs attention and says why, and
//! everything else runs.

mod members;
mod oauth2;
mod upstox;

use crate::AccountKey;
use crate::backoff::Backoff;
use crate::misconfigured::Faulty;
use crate::providers::{DEFAULT, FACTURIFY, Facturify, Provider, Providers, RefreshMethod, Rules};
use base::ids::AccountName;
use base::secret::Secret;
use base::settings::{self as s, Environment, Reader};
use std::time::Duration;

/// What a task takes besides its calls.
const SLACK: Duration = Duration::from_secs(5);

/// What is set for all but Facturify.
struct Shared {
    backoff: Backoff,
    timeout: Duration,
    patience: Duration,
    environment: Environment,
    /// What is wrong with it.
    fault: Option<String>,
}

pub fn providers(r: &mut Reader<'_>, environment: Environment) -> Providers {
    // What is wrong from here on is not the deployment's.
    let before = std::mem::take(&mut r.faults);
    let mut all = Providers::default();
    let patience = Duration::from_secs(r.number(&s::UPSTREAM_WAIT_SECONDS));
    let waiting = own_faults(r, &mut all);
    let backoff = Backoff {
        retries: r.number32(&s::UPSTREAM_MAX_RETRIES),
        base_thousandths: r.base_thousandths(&s::UPSTREAM_RETRY_BACKOFF),
    };
    let timeout = Duration::from_secs(r.number(&s::UPSTREAM_TIMEOUT_SECONDS));
    let fault = joined([waiting.clone(), own_faults(r, &mut all)]);
    facturify(r, &mut all, patience, waiting);
    let shared = Shared { backoff, timeout, patience, environment, fault };
    upstox::read(r, &mut all, &shared);
    oauth2::read(r, &mut all, &shared);
    r.faults = before;
    all
}

/// Takes what was found wrong since the last time.
fn own_faults(r: &mut Reader<'_>, all: &mut Providers) -> Option<String> {
    let own = std::mem::take(&mut r.faults);
    all.faults.extend(own.iter().cloned());
    joined(own.into_iter().map(Some))
}

fn joined(faults: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    faults.into_iter().flatten().reduce(|all, more| format!("{all}; {more}"))
}

/// An account that is there by name, and whose settings are faulty. `provider` is as much of it as could be read, `known`: that
/// is all that makes its identity.
fn put_faulty(
    all: &mut Providers,
    name: (&'static str, AccountName),
    provider: &dyn Provider,
    fault: String,
    known: bool,
) {
    let (provider_name, account) = name;
    all.faulty.insert(AccountKey { provider: provider_name, account }, Faulty::new(provider, fault, known));
}

fn facturify(r: &mut Reader<'_>, all: &mut Providers, patience: Duration, waiting: Option<String>) {
    let key = r.credential(&s::FACTURIFY_API_KEY);
    let base_url = r.url(&s::FACTURIFY_BASE_URL).unwrap_or_default();
    let identity = own_faults(r, all);
    let secret = r.credential(&s::FACTURIFY_API_SECRET);
    if key.is_some() != secret.is_some() {
        r.faults.push("FACTURIFY_API_KEY and FACTURIFY_API_SECRET go together; one is missing".to_owned());
    }
    let timeout = Duration::from_secs(r.number(&s::FACTURIFY_TIMEOUT));
    let buffer = Duration::from_secs(r.number(&s::FACTURIFY_TOKEN_REFRESH_BUFFER));
    let lifetime_max = Duration::from_secs(r.number(&s::FACTURIFY_TOKEN_LIFETIME_MAX_SECONDS));
    let refresh_method =
        if r.word(&s::FACTURIFY_REFRESH_METHOD) == "POST" { RefreshMethod::Post } else { RefreshMethod::Get };
    let backoff = Backoff {
        retries: r.number32(&s::FACTURIFY_MAX_RETRIES),
        base_thousandths: r.base_thousandths(&s::FACTURIFY_RETRY_BACKOFF),
    };
    // Refresh, obtain, and for a demanded refresh that again.
    let rules = Rules::automatic(backoff, patience, 3, timeout * 3 + SLACK);
    let (on, known) = (key.is_some() || secret.is_some(), key.is_some() && identity.is_none());
    let fault = joined([waiting.filter(|_| on), identity, own_faults(r, all)]);
    let (api_key, api_secret) = (key.unwrap_or(Secret::new("")), secret.unwrap_or(Secret::new("")));
    let facturify =
        Facturify { base_url, api_key, api_secret, timeout, buffer, lifetime_max, refresh_method, rules };
    match fault {
        Some(fault) => {
            put_faulty(all, (FACTURIFY, AccountName::issued(DEFAULT)), &facturify, fault, known);
        }
        None => all.facturify = Some(facturify).filter(|_| on),
    }
}
