//! Which accounts there are by the settings, and how long their tasks may take.

use super::providers::{DEFAULT, FACTURIFY, OAUTH2, UPSTOX};
use super::test_support::*;
use super::*;
use base::ids::AccountName;

const FACTURIFY_KEYS: [(&str, &str); 2] =
    [("FACTURIFY_API_KEY", "fy-key-hidden"), ("FACTURIFY_API_SECRET", "fy-hidden")];
const ACCOUNT: &str = r#"{"token_url":"https://as/token","client_id":"cid","client_secret":"c-hidden","grant":"client_credentials"}"#;

fn key(provider: &'static str, account: &str) -> AccountKey {
    AccountKey { provider, account: AccountName::issued(account) }
}

fn names(providers: &Providers) -> Vec<String> {
    providers.all().iter().map(ToString::to_string).collect()
}

#[test]
fn accounts_are_those_that_are_configured() {
    let oauth2 = format!(r#"{{"o1":{ACCOUNT},"o2":{ACCOUNT},"o3":{ACCOUNT}}}"#);
    let mut settings = vec![("UPSTOX_ACCOUNT_IDS", "a1,a2"), ("OAUTH2_ACCOUNTS", oauth2.as_str())];
    settings.extend(FACTURIFY_KEYS);
    let (providers, faults) = configured(&settings);
    assert_eq!(faults, Vec::<String>::new());
    let all = ["facturify/default", "upstox/a1", "upstox/a2", "oauth2/o1", "oauth2/o2", "oauth2/o3"];
    assert_eq!(names(&providers), all);
    assert_eq!([FACTURIFY, UPSTOX, OAUTH2].map(|provider| providers.count(provider)), [1, 2, 3]);
    for name in all {
        let (provider, account) = name.split_once('/').unwrap();
        let key = providers.find(provider, account).unwrap();
        assert!(key.to_string() == name && providers.get(&key).is_some());
    }
    for (provider, account) in [(FACTURIFY, "a1"), (UPSTOX, DEFAULT), (UPSTOX, "o1"), (OAUTH2, "a1")] {
        assert!(providers.find(provider, account).is_none(), "{provider}/{account}");
        assert!(providers.get(&key(provider, account)).is_none(), "{provider}/{account}");
    }
    assert!(providers.find("nobody", "a1").is_none());
}

#[test]
fn a_deployment_without_accounts_is_known_as_one() {
    let (none, _) = configured(&[]);
    assert!(none.is_empty() && none.all().is_empty());
    assert!(none.find(FACTURIFY, DEFAULT).is_none() && none.get(&key(FACTURIFY, DEFAULT)).is_none());
    let oauth2 = format!(r#"{{"o1":{ACCOUNT}}}"#);
    for settings in [&FACTURIFY_KEYS[..], &[("UPSTOX_ACCOUNT_IDS", "a1")], &[("OAUTH2_ACCOUNTS", &oauth2)]] {
        assert!(!configured(settings).0.is_empty());
    }
}

#[test]
fn the_default_account_is_one_whether_or_not_it_is_listed() {
    for (ids, default, all) in [
        ("a1,a2", None, vec!["a1", "a2"]),
        ("a1,a2", Some("a2"), vec!["a1", "a2"]),
        ("a1,a2", Some("a3"), vec!["a3", "a1", "a2"]),
    ] {
        let mut settings = vec![("UPSTOX_ACCOUNT_IDS", ids)];
        settings.extend(default.map(|id| ("INTERNAL_API_ACCOUNT_ID", id)));
        let (providers, faults) = configured(&settings);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(providers.upstox_accounts, all);
        assert_eq!(providers.upstox_default, Some(AccountName::issued(default.unwrap_or("a1"))));
    }
    let (providers, _) = configured(&[("UPSTOX_ACCOUNT_IDS", "a1"), ("INTERNAL_API_ACCOUNT_ID", "a1,a2")]);
    assert_eq!(providers.faults, ["INTERNAL_API_ACCOUNT_ID must be one account id"]);
    assert!(providers.upstox_default.is_none() && providers.is_unread(UPSTOX));
}

#[test]
fn a_task_may_take_as_long_as_all_of_its_calls() {
    let facturify =
        provider(FACTURIFY, DEFAULT, &[FACTURIFY_KEYS[0], FACTURIFY_KEYS[1], ("FACTURIFY_TIMEOUT", "7")]);
    assert_eq!((facturify.rules().calls_max, facturify.rules().task_max), (3, secs(3 * 7 + 5)));
    let oauth2 = format!(r#"{{"o1":{ACCOUNT}}}"#);
    let settings = [("OAUTH2_ACCOUNTS", oauth2.as_str()), ("UPSTREAM_TIMEOUT_SECONDS", "11")];
    let oauth2 = provider(OAUTH2, "o1", &settings);
    assert_eq!((oauth2.rules().calls_max, oauth2.rules().task_max), (1, secs(11 + 5)));
}
