//! Settings as operators write them: what is wrong with one account takes nothing else down.

use super::{BATCH, CRM, FACTURIFY, FIRST, Keeper, MINUTELY, OAUTH2, SECOND, members, refused};
use crate::account::secs;
use base::ports::Clock as _;
use serde_json::{Value, json};

/// The setting with something else in it.
fn other(from: &str, to: &str) -> String {
    assert!(OAUTH2.contains(from));
    OAUTH2.replace(from, to)
}

fn sweep(keeper: &Keeper) {
    let host = keeper.world.worker();
    keeper
        .world
        .run_until(async move { engine::cron::triggered(&host, MINUTELY, host.now()).await })
        .unwrap();
}

fn log_in(keeper: &Keeper) -> u16 {
    let root = json!({ "username": "root", "password": "correct horse battery" });
    keeper.world.request("POST", "/auth/login", &[], Some(&root)).status
}

fn token(keeper: &Keeper, account: &str) -> String {
    let answer = keeper.read(account);
    assert_eq!(answer.status, 200, "{account}: {answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn health(keeper: &Keeper) -> Value {
    // Each instance asks at most once a second.
    keeper.pass(secs(2));
    keeper.send("GET", "/health").json()
}

#[test]
fn f27_one_typing_error_in_one_account_takes_nothing_else_down() {
    for (from, to, named) in [
        (
            r#""client_id":"batch""#,
            r#""client_id":"batch","client_auth":"post""#,
            "client_auth must be one of",
        ),
        ("https://batch/token", "http://batch/token?tenant=b-hidden", "token_url must be https"),
        (r#""client_id":"batch""#, r#""client_id":"batch","scopes":"b-hidden""#, "scopes is no member"),
        (
            r#""client_secret":"b-secret","#,
            "",
            "client_secret is missing; a public client has client_auth none",
        ),
    ] {
        let keeper = Keeper::new();
        keeper.world.deploy(&[("OAUTH2_ACCOUNTS", &other(from, to))]);
        assert_eq!(log_in(&keeper), 200, "{named}");
        for account in [FACTURIFY, FIRST, SECOND, CRM] {
            assert_eq!(keeper.read(account).status, 200, "{named}: {account}");
        }
        for answer in [keeper.read(BATCH), keeper.order(BATCH)] {
            refused(&answer, 503, "account_misconfigured");
        }
        let status = keeper.status(BATCH);
        assert_eq!(status["status"], "needs_attention", "{status}");
        assert_eq!(status["last_error"]["code"], "account_misconfigured");
        let message = status["last_error"]["message"].as_str().unwrap();
        assert!(message.starts_with("OAUTH2_ACCOUNTS: ") && message.contains(named), "{message}");
        assert!(!message.contains("hidden") && !message.contains("b-secret"), "{message}");
        let alerts =
            keeper.world.logs().into_iter().filter(|line| line.text.contains("account_misconfigured"));
        let alerts: Vec<String> =
            alerts.map(|l| l.text).filter(|l| l.contains(r#""event":"alert""#)).collect();
        assert!(alerts.len() == 1 && alerts[0].contains(named), "{alerts:?}");
        sweep(&keeper);
        keeper.pass(secs(60));
        sweep(&keeper);
        assert_eq!(keeper.count(BATCH), 0, "nothing is called for it");
        let health = health(&keeper);
        assert_eq!(
            (&health["status"], &health["upstreams"]["oauth2"]["failed"]),
            (&json!("degraded"), &json!(1))
        );
        assert!(!health.to_string().contains("client_"), "everybody may read it: {health}");
        // Mended, it goes on.
        keeper.world.deploy(&[("OAUTH2_ACCOUNTS", OAUTH2)]);
        assert_eq!(keeper.status(BATCH)["last_error"], Value::Null);
        token(&keeper, BATCH);
    }
}

/// Also KV's copy is not: it is of the settings before.
#[test]
fn f27_a_held_token_is_given_only_if_it_is_certainly_meant() {
    let auth = other(r#""client_id":"batch""#, r#""client_id":"batch","client_auth":"post""#);
    let keeper = Keeper::new();
    let held = token(&keeper, BATCH);
    keeper.world.deploy(&[("OAUTH2_ACCOUNTS", &auth)]);
    assert_eq!(token(&keeper, BATCH), held);
    assert_eq!(
        members(&keeper.status(BATCH), &["has_token", "status"]),
        json!({ "has_token": true, "status": "needs_attention" })
    );
    assert_eq!(token(&keeper, BATCH), held, "and still is");
    let elsewhere = auth.replace("https://batch/token", "https://batch/tenant-2/token");
    for setting in [elsewhere, other("https://batch/token", "batch/token"), "{".to_owned()] {
        keeper.world.deploy(&[("OAUTH2_ACCOUNTS", &setting)]);
        refused(&keeper.read(BATCH), 503, "account_misconfigured");
        if setting != "{" {
            assert_eq!(members(&keeper.status(BATCH), &["has_token"]), json!({ "has_token": false }));
        }
        sweep(&keeper);
    }
    keeper.world.deploy(&[("OAUTH2_ACCOUNTS", OAUTH2)]);
    assert_eq!(token(&keeper, BATCH), held, "a typing error has cost no token");
    assert_eq!(keeper.count(BATCH), 1);
}

/// A rotated refresh token is the only one that works: it outlives any typing error.
#[test]
fn f27_a_typing_error_costs_no_refresh_token() {
    let keeper = Keeper::new();
    token(&keeper, CRM);
    keeper.pass(secs(5));
    for setting in [
        other("https://crm/token", "crm/token"),
        "not JSON".to_owned(),
        other(r#""refresh_token":"r1.0""#, r#""refresh_token":7"#),
    ] {
        keeper.world.deploy(&[("OAUTH2_ACCOUNTS", &setting)]);
        keeper.read(CRM);
        sweep(&keeper);
        keeper.pass(secs(100));
    }
    keeper.world.deploy(&[("OAUTH2_ACCOUNTS", OAUTH2)]);
    let answer = keeper.order(CRM);
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn f27_a_setting_that_cannot_be_read_closes_its_accounts_only() {
    let keeper = Keeper::new();
    token(&keeper, CRM);
    sweep(&keeper);
    let kids = |keeper: &Keeper| {
        let host = keeper.world.host();
        keeper.world.run_until(async move {
            use base::rpc::Peers as _;
            host.send(&keeper::index_address(), &keeper::upstream_index::GetKeyUsage).await.unwrap().kids
        })
    };
    keeper.pass(secs(60));
    let before = kids(&keeper);
    keeper.world.deploy(&[("OAUTH2_ACCOUNTS", r#"{"crm": "#)]);
    sweep(&keeper);
    assert_eq!(log_in(&keeper), 200);
    assert_eq!(keeper.read(FACTURIFY).status, 200);
    assert_eq!(keeper.read(FIRST).status, 200);
    for account in [CRM, BATCH, "oauth2/unheard-of"] {
        refused(&keeper.read(account), 503, "account_misconfigured");
        refused(
            &keeper.send("GET", &format!("/api/v1/tokens/{account}/status")),
            503,
            "account_misconfigured",
        );
    }
    refused(&keeper.read("upstox/unheard-of"), 404, "account_not_found");
    assert_eq!(health(&keeper)["status"], "degraded");
    assert_eq!(kids(&keeper), before, "the sealing keys that hidden accounts need are not forgotten");
}

#[test]
fn f27_an_upstox_app_that_cannot_be_read_is_its_account_s_fault() {
    let keeper = Keeper::new();
    let apps = r#"{"agnidata002":{"client_id":"app","client_secret":"hidden","userid":"U2"}}"#;
    keeper.world.deploy(&[("UPSTOX_APPS", apps)]);
    assert_eq!(keeper.read(FIRST).status, 200);
    refused(&keeper.read(SECOND), 503, "account_misconfigured");
    let body = json!({ "access_token": "t" });
    let request = sim::Request::new("POST", "/accounts/agnidata002/token/update").json(&body);
    let answer = keeper.at_once(1, || request.clone()).remove(0);
    refused(&answer, 503, "account_misconfigured");
    let all = keeper.send("GET", "/accounts").json();
    assert_eq!(all["accounts"][1]["last_error"]["message"], "UPSTOX_APPS: userid is no member that is known");
}

/// `http://…`, as the old system has it, or half of a secret: every other route goes on, and so does what is held, where it is
/// certain whose it is.
#[test]
fn f26_a_fault_of_the_token_service_s_settings_is_that_of_its_accounts() {
    for (name, value, is_certain) in [
        ("TOKEN_REFRESH_SERVICE_URL", "http://tokens.internal", false),
        ("TOKEN_REFRESH_SERVICE_BINDING", "TOKEN SERVICE", false),
        ("TOKEN_REFRESH_SERVICE_KEY", "two words", true),
        ("TOKEN_REFRESH_SERVICE_KEY_HEADER", "Cookie", true),
        ("TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID", "id.access", true),
    ] {
        let keeper = Keeper::new();
        let held = token(&keeper, FIRST);
        keeper.world.deploy(&[("ENVIRONMENT", "production"), (name, value)]);
        assert_eq!(log_in(&keeper), 200, "{name}");
        for account in [FACTURIFY, CRM, BATCH] {
            token(&keeper, account);
        }
        if is_certain {
            assert_eq!(token(&keeper, FIRST), held, "{name}");
        } else {
            refused(&keeper.read(FIRST), 503, "account_misconfigured");
        }
        keeper.clear_calls();
        refused(&keeper.order(FIRST), 503, "account_misconfigured");
        assert_eq!(keeper.count(FIRST), 0, "{name}");
        let status = keeper.status(FIRST);
        let message = status["last_error"]["message"].as_str().unwrap();
        assert!(message.contains(name) && !message.contains("words"), "{message}");
        let mended = if name.ends_with("URL") { "https://service" } else { "" };
        keeper.world.deploy(&[(name, mended)]);
        assert_eq!(token(&keeper, FIRST), held, "{name}");
    }
}

#[test]
fn f28_health_says_whether_a_token_can_be_given() {
    let keeper = Keeper::new();
    let upstreams = |health: &Value, provider: &str| {
        let line = &health["upstreams"][provider];
        ["total", "healthy", "failed", "available", "misconfigured"].map(|name| line[name].as_u64().unwrap())
    };
    // No token at all, and nothing has failed: that is not healthy.
    let first = health(&keeper);
    assert_eq!(first["status"], "degraded");
    assert_eq!(upstreams(&first, "upstox"), [2, 0, 0, 0, 0]);
    for account in [FACTURIFY, FIRST, CRM, BATCH] {
        token(&keeper, account);
    }
    let some = health(&keeper);
    assert_eq!(some["status"], "healthy", "{some}");
    // The other one was looked after with the first request.
    assert_eq!(upstreams(&some, "upstox"), [2, 2, 0, 2, 0]);
    assert_eq!(upstreams(&some, "oauth2"), [2, 2, 0, 2, 0]);
    assert_eq!(some["accounts"], json!({ "total": 2, "healthy": 2, "failed": 0 }), "as the contract has it");
    // Renewals that fail do not take a good token away.
    keeper.down(BATCH, super::Fault::Status(503, ""));
    keeper.pass(secs(3400));
    let failing = health(&keeper);
    assert_eq!((&failing["status"], upstreams(&failing, "oauth2")), (&json!("degraded"), [2, 1, 1, 2, 0]));
    keeper.heal();
    // What is held and cannot be opened cannot be given.
    let keeper = Keeper::new();
    token(&keeper, FACTURIFY);
    keeper.pass(secs(30));
    keeper.world.deploy(&[("SEALING_KEYS", "k2:another-sealing-key-0123456789abcdefgh")]);
    sweep(&keeper);
    keeper.pass(secs(5));
    let unreadable = health(&keeper);
    assert_eq!(
        (&unreadable["status"], upstreams(&unreadable, "facturify")),
        (&json!("degraded"), [1, 0, 1, 0, 0])
    );
}
