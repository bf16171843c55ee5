//! What is final and what is weather, and what a failed order leaves alone.

use super::{BATCH, CRM, DAILY, FACTURIFY, FIRST, Fault, Keeper, refused};
use crate::account::secs;
use serde_json::json;

const HTML: &str = "<html><body>Sign in to the proxy</body></html>";
const INVALID: &str = r#"{"error":"invalid_client"}"#;

/// A 403, a page, a proxy's or a gateway's 401: nothing of that is the vendor's word, and the account goes on by itself.
#[test]
fn f20_weather_is_not_final() {
    for account in [CRM, BATCH, FACTURIFY, FIRST] {
        for fault in [
            Fault::Status(401, HTML),
            Fault::Status(403, HTML),
            Fault::Status(403, r#"{"message":"Forbidden","code":null}"#),
            Fault::Status(401, r#"{"message":"Unauthorized"}"#),
            Fault::Status(422, HTML),
        ] {
            let keeper = Keeper::new();
            keeper.down(account, fault);
            refused(&keeper.read(account), 502, "upstream_unintelligible");
            keeper.pass(secs(600));
            let told = keeper.status(account);
            assert_eq!(told["status"], "failed", "{account} {fault:?}: it goes on");
            keeper.heal();
            keeper.pass(secs(1800));
            assert_eq!(keeper.read(account).status, 200, "{account} {fault:?}");
        }
    }
}

/// What was refused for good is tried by the daily run, too, and told of once.
#[test]
fn f20_the_daily_run_tries_every_account() {
    let keeper = Keeper::new();
    keeper.down(CRM, Fault::Status(401, INVALID));
    keeper.down(FACTURIFY, Fault::Status(401, r#"{"message":"no","code":null}"#));
    keeper.down(FIRST, Fault::Status(401, r#"{"success":false}"#));
    for account in [CRM, FACTURIFY, FIRST] {
        refused(&keeper.read(account), 502, "upstream_credentials_refused");
        assert_eq!(keeper.count(account), 1);
    }
    let alerts = || keeper.world.logs().iter().filter(|l| l.text.contains("\"needs_attention\"")).count();
    let told = alerts();
    for day in 1..=2 {
        keeper.pass(secs(86_400));
        keeper.world.cron(DAILY).unwrap();
        keeper.pass(secs(60));
        for account in [CRM, FACTURIFY, FIRST] {
            assert_eq!(keeper.count(account), 1 + day, "{account}");
            assert_eq!(keeper.status(account)["status"], "needs_attention");
        }
    }
    assert_eq!(alerts(), told, "the same refusal is no news");
    keeper.heal();
    keeper.pass(secs(86_400));
    keeper.world.cron(DAILY).unwrap();
    keeper.pass(secs(60));
    for account in [CRM, FACTURIFY, FIRST] {
        assert_eq!(keeper.status(account)["status"], "valid", "{account}");
    }
}

/// An order is refused for good while the held token is well: that one is renewed when it is due.
#[test]
fn f20_a_failed_order_stops_no_refresh() {
    let keeper = Keeper::new();
    keeper.read(BATCH);
    keeper.pass(secs(60));
    let planned = keeper.status(BATCH);
    keeper.fail(BATCH, Fault::Status(401, INVALID), 1);
    refused(&keeper.order(BATCH), 502, "upstream_credentials_refused");
    let told = keeper.status(BATCH);
    assert_eq!((&told["status"], &told["last_error"]), (&json!("valid"), &json!(null)));
    assert_eq!(told["next_renewal_at"], planned["next_renewal_at"]);
    keeper.clear_calls();
    keeper.pass(secs(3600));
    assert_eq!(keeper.count(BATCH), 1, "it was renewed when it was due");
    assert_eq!(keeper.read(BATCH).status, 200);
}
