//! From sandbox to production: other settings, another identity, another token.

use super::{BATCH, CRM, FACTURIFY, FIRST, Keeper, OAUTH2};
use crate::account::secs;
use base::ports::Clock as _;
use base::rpc::Class;
use config::Settings as _;
use store::{Store, TokenCopy};

fn token(keeper: &Keeper, account: &str) -> String {
    let answer = keeper.read(account);
    assert_eq!(answer.status, 200, "{account}: {answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// The token that KV has.
fn copied(keeper: &Keeper, account: &'static str) -> Option<String> {
    let host = keeper.world.host();
    keeper.world.run_until(async move {
        let app = host.app().unwrap();
        let (provider, account) = account.split_once('/').unwrap();
        let key = app.config.providers.find(provider, account).unwrap();
        match Store(&host).token(&app.vault, &key).await.unwrap() {
            TokenCopy::Good(copy) => {
                assert!(copy.expires_at > host.now());
                Some(copy.token.expose().to_owned())
            }
            TokenCopy::None => None,
            TokenCopy::Broken => panic!("a copy that cannot be opened"),
        }
    })
}

/// The held token of the old identity is not given out from the first request on, although it would live for up to 12 hours and
/// KV has a copy of it; the copy goes, and a new one is fetched.
#[test]
fn f18_new_settings_are_a_new_identity() {
    let other = |from: &str, to: &str| OAUTH2.replace(from, to);
    for (account, settings) in [
        (BATCH, ("OAUTH2_ACCOUNTS", other(r#""client_id":"batch""#, r#""client_id":"batch-2""#))),
        (BATCH, ("OAUTH2_ACCOUNTS", other(r#""client_id":"batch""#, r#""scope":"all","client_id":"batch""#))),
        (BATCH, ("OAUTH2_ACCOUNTS", other("https://batch/token", "https://batch/tenant-2/token"))),
        (FACTURIFY, ("FACTURIFY_API_KEY", "fy-key-2".to_owned())),
        (FACTURIFY, ("FACTURIFY_BASE_URL", "https://api-sandbox.facturify.com/v2".to_owned())),
        (FIRST, ("UPSTOX_BASE_URL", "https://api.upstox.com/other".to_owned())),
    ] {
        let keeper = Keeper::new();
        let before = token(&keeper, account);
        keeper.pass(secs(20));
        let before = if account == FACTURIFY { token(&keeper, account) } else { before };
        assert_eq!(copied(&keeper, account).as_ref(), Some(&before), "{account}");
        keeper.fake(account, |fake| fake.revoke());
        keeper.world.deploy(&[(settings.0, &settings.1)]);
        keeper.clear_calls();
        let after = token(&keeper, account);
        assert_ne!(after, before, "{account} {settings:?}");
        assert!(keeper.count(account) > 0);
        keeper.pass(secs(20));
        assert_ne!(copied(&keeper, account), Some(before), "{account}");
    }
}

/// While nobody has asked, a look after the deploy does the same; and where no new one can be got, the old one is gone all the same.
#[test]
fn f18_the_copy_goes_also_if_nothing_new_comes() {
    let keeper = Keeper::new();
    let before = token(&keeper, BATCH);
    keeper.pass(secs(20));
    assert_eq!(copied(&keeper, BATCH).as_ref(), Some(&before));
    keeper.down(BATCH, super::Fault::Unreachable);
    let settings = OAUTH2.replace(r#""client_id":"batch""#, r#""client_id":"batch-2""#);
    keeper.world.deploy(&[("OAUTH2_ACCOUNTS", &settings)]);
    super::refused(&keeper.read(BATCH), 502, "upstream_unreachable");
    keeper.world.cron(super::MINUTELY).unwrap();
    keeper.pass(secs(60));
    assert_eq!(copied(&keeper, BATCH), None);
    assert!(!keeper.world.rows(Class::Upstream, BATCH).contains_key("tokens"), "nor is it kept");
}

/// Only a new secret of the same client keeps it, and how the secret is shown.
#[test]
fn f18_a_new_secret_keeps_the_token() {
    for (account, settings) in [
        (BATCH, ("OAUTH2_ACCOUNTS", OAUTH2.replace("b-secret", "b-secret-2"))),
        (CRM, ("OAUTH2_ACCOUNTS", OAUTH2.replace("c-secret", "c-secret-2"))),
        (
            BATCH,
            (
                "OAUTH2_ACCOUNTS",
                OAUTH2.replace(r#""client_id":"batch""#, r#""client_auth":"body","client_id":"batch""#),
            ),
        ),
        (FACTURIFY, ("FACTURIFY_API_SECRET", "fy-secret-2".to_owned())),
    ] {
        let keeper = Keeper::new();
        token(&keeper, account);
        keeper.pass(secs(20));
        let before = token(&keeper, account);
        keeper.world.deploy(&[(settings.0, &settings.1)]);
        keeper.clear_calls();
        assert_eq!(token(&keeper, account), before, "{account}");
        assert_eq!(keeper.count(account), 0, "{account}");
    }
}
