//! The settings of the upstream accounts.

use crate::backoff::Backoff;
use crate::providers::{
    App, Common, Facturify, OAuth2, OAuth2Account, OAuth2Grant, Providers, RefreshMethod, Rules,
};
use base::ids::AccountName;
use base::settings::{self as s, Reader, is_base_url};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest life of a token that a setting may allow, in seconds: a year.
const LIFETIME_SECONDS_MAX: u64 = 31_536_000;
/// What a task takes besides its calls.
const SLACK: Duration = Duration::from_secs(5);

pub fn providers(r: &mut Reader<'_>) -> Providers {
    let backoff = Backoff {
        retries: r.number32(&s::UPSTREAM_MAX_RETRIES),
        base_thousandths: r.base_thousandths(&s::UPSTREAM_RETRY_BACKOFF),
    };
    let timeout = Duration::from_secs(r.number(&s::UPSTREAM_TIMEOUT_SECONDS));
    let patience = Duration::from_secs(r.number(&s::UPSTREAM_WAIT_SECONDS));
    let (upstox_accounts, upstox_default) = upstox_accounts(r);
    let upstox_apps: BTreeMap<AccountName, App> = r.json(&s::UPSTOX_APPS);
    if upstox_apps.keys().any(|id| !upstox_accounts.contains(id)) {
        r.faults.push("UPSTOX_APPS has an account that is not in UPSTOX_ACCOUNT_IDS".to_owned());
    }
    Providers {
        facturify: facturify(r, patience),
        upstox: Common {
            base_url: r.url(&s::UPSTOX_BASE_URL).unwrap_or_default(),
            service_url: r.url(&s::TOKEN_REFRESH_SERVICE_URL),
            timeout,
            backoff,
            patience,
            check_every: Duration::from_secs(r.number(&s::TOKEN_CHECK_MINUTES) * 60),
        },
        upstox_accounts,
        upstox_default,
        upstox_apps,
        oauth2: oauth2(r, timeout, backoff, patience),
    }
}

fn facturify(r: &mut Reader<'_>, patience: Duration) -> Option<Facturify> {
    let key = r.credential(&s::FACTURIFY_API_KEY);
    let secret = r.credential(&s::FACTURIFY_API_SECRET);
    if key.is_some() != secret.is_some() {
        r.faults.push("FACTURIFY_API_KEY and FACTURIFY_API_SECRET go together; one is missing".to_owned());
    }
    let base_url = r.url(&s::FACTURIFY_BASE_URL).unwrap_or_default();
    let timeout = Duration::from_secs(r.number(&s::FACTURIFY_TIMEOUT));
    let buffer = Duration::from_secs(r.number(&s::FACTURIFY_TOKEN_REFRESH_BUFFER));
    let lifetime_max = Duration::from_secs(r.number(&s::FACTURIFY_TOKEN_LIFETIME_MAX_SECONDS));
    let refresh_method =
        if r.word(&s::FACTURIFY_REFRESH_METHOD) == "POST" { RefreshMethod::Post } else { RefreshMethod::Get };
    let rules = Rules {
        backoff: Backoff {
            retries: r.number32(&s::FACTURIFY_MAX_RETRIES),
            base_thousandths: r.base_thousandths(&s::FACTURIFY_RETRY_BACKOFF),
        },
        patience,
        // Refresh, obtain, and for a demanded refresh that again.
        calls_max: 3,
        task_max: timeout * 3 + SLACK,
        extends: true,
        automatic: true,
        by_approval: false,
        daily: false,
        checks: false,
        check_every: Duration::ZERO,
    };
    let (api_key, api_secret) = (key?, secret?);
    Some(Facturify { base_url, api_key, api_secret, timeout, buffer, lifetime_max, refresh_method, rules })
}

/// All account ids, and the one that routes without an id use.
fn upstox_accounts(r: &mut Reader<'_>) -> (Vec<AccountName>, Option<AccountName>) {
    let mut accounts = r.accounts(&s::UPSTOX_ACCOUNT_IDS);
    for more in &s::UPSTOX_ACCOUNT_IDS_MORE {
        accounts.extend(r.accounts(more));
    }
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
    let mut seen = std::collections::BTreeSet::new();
    accounts.retain(|id| seen.insert(id.clone()));
    let default = default.into_iter().next().or_else(|| accounts.first().cloned());
    (accounts, default)
}

fn oauth2(
    r: &mut Reader<'_>,
    timeout: Duration,
    backoff: Backoff,
    patience: Duration,
) -> BTreeMap<AccountName, OAuth2> {
    let accounts: BTreeMap<AccountName, OAuth2Account> = r.json(&s::OAUTH2_ACCOUNTS);
    for (id, account) in &accounts {
        if !is_base_url(&account.token_url) {
            r.faults.push(format!("OAUTH2_ACCOUNTS: token_url of {id} must be https://…"));
        }
        if account.grant == OAuth2Grant::RefreshToken && account.refresh_token.is_none() {
            r.faults.push(format!("OAUTH2_ACCOUNTS: {id} needs a refresh_token for its grant"));
        }
        if account.lifetime_seconds.is_some_and(|life| !(60..=LIFETIME_SECONDS_MAX).contains(&life)) {
            r.faults.push(format!(
                "OAUTH2_ACCOUNTS: lifetime_seconds of {id} must be 60 to {LIFETIME_SECONDS_MAX}"
            ));
        }
    }
    let rules = Rules {
        backoff,
        patience,
        calls_max: 1,
        task_max: timeout + SLACK,
        extends: true,
        automatic: true,
        by_approval: false,
        daily: false,
        checks: false,
        check_every: Duration::ZERO,
    };
    accounts.into_iter().map(|(id, account)| (id, OAuth2 { account, timeout, rules })).collect()
}
