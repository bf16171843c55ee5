//! What is wrong with the settings of one account is that account's, by the name of the member; and what its members do.

use super::play_support::*;
use super::providers::{FACTURIFY, OAUTH2, UPSTOX};
use super::test_support::*;
use super::*;
use base::secret::Secret;
use protocol::Operation;

/// An account with these members besides.
fn account(fields: &str) -> String {
    format!(
        r#"{{"token_url":"https://as/token","client_id":"cid","client_secret":"c-hidden","grant":"client_credentials"{fields}}}"#
    )
}

/// What is wrong with the first of two accounts. The other is well.
fn fault_of(first: &str) -> String {
    let (providers, deployment) = configured(&[
        ("OAUTH2_ACCOUNTS", &format!(r#"{{"o1":{first},"o2":{}}}"#, account(""))),
        ("UPSTOX_ACCOUNT_IDS", "a1"),
    ]);
    assert_eq!(deployment, Vec::<String>::new(), "{first}");
    let of = |name, account| {
        let key = providers.find(name, account).unwrap();
        providers.get(&key).unwrap().settings_fault().map(str::to_owned)
    };
    assert_eq!((of(OAUTH2, "o2"), of(UPSTOX, "a1")), (None, None), "{first}");
    assert!(providers.all().iter().any(|key| key.to_string() == "oauth2/o1"), "{first}");
    assert_eq!((providers.count(OAUTH2), providers.is_unread(OAUTH2)), (2, false), "{first}");
    let fault = of(OAUTH2, "o1").unwrap_or_default();
    assert_eq!(providers.count_faulty(OAUTH2), usize::from(!fault.is_empty()), "{first}");
    let log = providers.faults.join("\n");
    for text in [&fault, &log] {
        assert!(!text.contains("hidden") && !text.contains("https://as"), "{text}");
    }
    assert_eq!(fault.is_empty(), log.is_empty(), "{log}");
    fault
}

#[test]
fn f27_a_faulty_member_is_named_and_harms_no_other_account() {
    for (fields, named) in [
        (r#","client_auth":"post""#, "client_auth must be one of: basic, body, none"),
        (r#","scopes":"read""#, "scopes is no member that is known"),
        (r#","audiance":"hidden""#, "audiance is no member that is known"),
        (r#","scope":7"#, "scope must be text"),
        (r#","scope":"a","scope":"hidden""#, "scope (twice) is no member that is known"),
        (r#","lifetime_seconds":59"#, "lifetime_seconds must be a whole number from 60 to 31536000"),
        (r#","lifetime_seconds":"3600""#, "lifetime_seconds must be"),
        (r#","audience":["a",7]"#, "audience must be text or a list"),
        (r#","resource":"""#, "resource is empty"),
        (r#","parameters":["hidden"]"#, "parameters must be a JSON object of texts"),
        (r#","parameters":{"tenant":1}"#, "parameters has tenant, which must be text"),
        (r#","parameters":{"grant_type":"hidden"}"#, "parameters may not have grant_type"),
        (r#","parameters":{"client_id":"hidden"}"#, "parameters may not have client_id"),
        (r#","parameters":{"refresh_token":"hidden"}"#, "parameters may not have refresh_token"),
        (r#","parameters":{"audience":"hidden"}"#, "parameters may not have audience"),
        (r#","parameters":{"a":"1","a":"2"}"#, "parameters has an empty name, or one twice"),
        (r#","headers":"hidden""#, "headers must be a JSON object of texts"),
        (r#","headers":{"a b":"hidden"}"#, "headers has a b, which is no name of a header"),
        (r#","headers":{"x-a":"h\nidden"}"#, "headers has x-a, which must be text"),
        (r#","headers":{"x-a":" hidden"}"#, "headers has x-a, whose value must be visible ASCII"),
        (r#","headers":{"X-A":"1","x-a":"2"}"#, "headers has x-a twice"),
        (r#","headers":{"Host":"hidden"}"#, "headers may not have host"),
        (r#","headers":{"Content-Type":"hidden"}"#, "headers may not have content-type"),
        (r#","headers":{"Authorization":"hidden"}"#, "headers may not have authorization"),
    ] {
        let fault = fault_of(&account(fields));
        assert!(fault.starts_with(&format!("OAUTH2_ACCOUNTS: {named}")), "{fields}: {fault}");
        assert!(!fault.contains(';'), "{fields}: {fault}");
    }
    let without = |member: &str| {
        let mut value: serde_json::Value = serde_json::from_str(&account("")).unwrap();
        value.as_object_mut().unwrap().remove(member).unwrap();
        fault_of(&value.to_string())
    };
    for member in ["token_url", "client_id", "grant", "client_secret"] {
        assert!(without(member).contains(&format!("{member} is missing")), "{}", without(member));
    }
    for url in
        ["http://as/hidden", "https://u:hidden@as", "https://as/#hidden", "as/hidden", "https://as/?a#hidden"]
    {
        let fault = fault_of(&account("").replace("https://as/token", url));
        assert!(fault.contains("token_url must be https"), "{url}: {fault}");
    }
    for (grant, named) in
        [("password", "grant must be one of"), ("refresh_token", "refresh_token is missing")]
    {
        assert!(fault_of(&account("").replace("client_credentials", grant)).contains(named), "{grant}");
    }
    for not_one in ["7", "null", "[]", r#""hidden""#] {
        assert!(fault_of(not_one).contains("must be a JSON object"), "{not_one}");
    }
    // All that is wrong is named at once.
    let fault = fault_of(&account(r#","client_auth":"post","scopes":"x","lifetime_seconds":0"#));
    assert_eq!(fault.split(';').count(), 3, "{fault}");
}

#[test]
fn what_rfc_6749_allows_is_no_fault() {
    let public = r#"{"token_url":"https://as/t","client_id":"c","grant":"refresh_token","client_auth":"none","refresh_token":"r"}"#;
    let query = account("").replace("https://as/token", "https://as/token?tenant=a@b&x=%20");
    for good in [
        public.to_owned(),
        query,
        account(r#","client_auth":"client_secret_basic""#),
        account(r#","client_auth":"client_secret_post","scope":null"#),
        account(r#","audience":"https://api","resource":["https://r1","https://r2"]"#),
        account(r#","client_auth":"body","headers":{"Authorization":"Apikey hidden","X-Tenant":"a b"}"#),
        account(r#","parameters":{"tenant":"hidden","client_assertion":""}"#),
    ] {
        assert_eq!(fault_of(&good), "", "{good}");
    }
    assert!(fault_of(&public.replace("none", "body")).contains("client_secret is missing"));
    let both = account(r#","client_auth":"none""#);
    assert!(fault_of(&both).contains("client_secret is there, and client_auth none shows none"));
}

const TOKEN: &str = r#"{"access_token":"hidden","expires_in":3600}"#;

#[test]
fn f27_further_members_are_sent() {
    let fields = r#""grant":"client_credentials","scope":"s","audience":"https://api","resource":["https://r1","r2"],
        "parameters":{"tenant":"a b"},"headers":{"X-Tenant":"t-hidden"}"#;
    let (calls, outcome) = play(&Inputs::new(oauth2(fields)), &Task::Renew, vec![says(200, TOKEN)]);
    assert!(matches!(outcome, Outcome::Granted(_)));
    let form = "grant_type=client_credentials&scope=s&audience=https%3A%2F%2Fapi&resource=https%3A%2F%2Fr1&resource=r2&tenant=a+b";
    assert_eq!(body(&calls[0]), form);
    assert_eq!(header(&calls[0], "x-tenant"), "t-hidden");
    assert!(header(&calls[0], "authorization").starts_with("Basic "));
    assert!(!format!("{:?}", oauth2(fields)).contains("t-hidden"), "they show as secrets");
    // A public client names itself in the form, and shows nothing.
    let public = r#"{"o1":{"token_url":"https://as/token?t=1","client_id":"cid","grant":"refresh_token","client_auth":"none","refresh_token":"r"}}"#;
    let k = Inputs::new(provider(OAUTH2, "o1", &[("OAUTH2_ACCOUNTS", public)]));
    let (calls, _) = play(&k, &Task::Renew, vec![says(200, TOKEN)]);
    assert_eq!(calls[0].url, "https://as/token?t=1");
    assert_eq!(body(&calls[0]), "grant_type=refresh_token&refresh_token=r&client_id=cid");
    assert!(calls[0].headers.iter().all(|(name, _)| *name != "authorization"));
}

/// Each of them may say whose token it is; a refresh token stays good.
#[test]
fn f27_further_members_are_part_of_the_identity() {
    let with = |fields: &str| oauth2(&format!(r#""grant":"refresh_token","refresh_token":"r"{fields}"#));
    let base = with("");
    let mut seen = vec![base.identity()];
    for fields in [
        r#","audience":"a""#,
        r#","audience":"b""#,
        r#","resource":"a""#,
        r#","audience":["a","b"]"#,
        r#","parameters":{"tenant":"a"}"#,
        r#","headers":{"x-tenant":"a"}"#,
        r#","headers":{"x-tenant":"b"}"#,
    ] {
        let other = with(fields);
        assert!(!seen.contains(&other.identity()), "{fields}");
        assert_ne!(other.settings(), base.settings(), "{fields}");
        assert_eq!(other.lineage(), base.lineage(), "{fields}");
        seen.push(other.identity());
    }
    assert_eq!(with(r#","lifetime_seconds":60"#).identity(), base.identity());
}

#[test]
fn f27_settings_that_accounts_share_are_their_fault_and_nobody_else_s() {
    let oauth2 = format!(r#"{{"o1":{}}}"#, account(""));
    let all = [
        ("FACTURIFY_API_KEY", "hidden"),
        ("FACTURIFY_API_SECRET", "hidden"),
        ("UPSTOX_ACCOUNT_IDS", "a1,a2"),
        ("UPSTOX_APPS", r#"{"a2":{"client_id":"app","client_secret":"hidden"}}"#),
        ("OAUTH2_ACCOUNTS", &oauth2),
    ];
    for (setting, value, faulty) in [
        ("FACTURIFY_TIMEOUT", "30s", "facturify/default"),
        ("FACTURIFY_BASE_URL", "facturify", "facturify/default"),
        ("FACTURIFY_API_SECRET", "", "facturify/default"),
        ("FACTURIFY_REFRESH_METHOD", "PUT", "facturify/default"),
        ("UPSTOX_BASE_URL", "http://upstox.example.com", "upstox/a1 upstox/a2"),
        ("TOKEN_CHECK_MINUTES", "often", "upstox/a1 upstox/a2"),
        ("UPSTREAM_TIMEOUT_SECONDS", "0", "oauth2/o1 upstox/a1 upstox/a2"),
        ("UPSTREAM_WAIT_SECONDS", "x", "facturify/default oauth2/o1 upstox/a1 upstox/a2"),
        ("UPSTOX_APPS", "{", "upstox/a1 upstox/a2"),
        ("UPSTOX_APPS", r#"{"a2":{"client_id":"app","client_secret":"x","user":"U1"}}"#, "upstox/a2"),
        ("UPSTOX_APPS", r#"{"a3":{"client_id":"app","client_secret":"x"}}"#, "upstox/a3"),
    ] {
        let mut settings = all.to_vec();
        settings.retain(|(name, _)| *name != setting);
        settings.push((setting, value));
        let (providers, deployment) = configured(&settings);
        assert_eq!(deployment, Vec::<String>::new(), "{setting}");
        let names: Vec<String> = providers.faulty.keys().map(ToString::to_string).collect();
        assert_eq!(names.join(" "), faulty, "{setting}={value}");
        let fault = providers
            .get(providers.faulty.keys().next().unwrap())
            .unwrap()
            .settings_fault()
            .unwrap()
            .to_owned();
        assert!(fault.contains(setting) && !fault.contains("hidden"), "{fault}");
        assert_eq!(providers.faults.len(), 1, "each once: {:?}", providers.faults);
        assert!(providers.all().len() >= 4 && providers.unread.is_empty(), "{setting}");
    }
}

#[test]
fn f27_accounts_of_a_setting_that_cannot_be_read_are_not_taken_for_none() {
    for (setting, value, provider) in [
        ("OAUTH2_ACCOUNTS", r#"{"o1":"#, OAUTH2),
        ("OAUTH2_ACCOUNTS", "[]", OAUTH2),
        ("OAUTH2_ACCOUNTS", r#"{"o 1":{}}"#, OAUTH2),
        ("UPSTOX_ACCOUNT_IDS", "a1,a 2", UPSTOX),
    ] {
        let (providers, deployment) = configured(&[(setting, value)]);
        assert_eq!(deployment, Vec::<String>::new());
        assert_eq!(providers.unread, [provider], "{setting}={value}");
        assert_eq!((providers.count_faulty(provider), providers.is_empty()), (1, false));
        assert!(providers.faults[0].contains(setting), "{:?}", providers.faults);
    }
    assert!(!configured(&[]).0.is_unread(FACTURIFY));
}

/// An account that holds a token, and then gets these settings.
fn becomes(fields: &str) -> Inputs {
    let mut k = Inputs::new(oauth2(r#""grant":"refresh_token","refresh_token":"seed""#));
    (k.settings, k.identity) = (k.provider.settings(), k.provider.identity());
    k.begin(Operation::Renew);
    let granted = call::Grant { refresh: Some(Secret::new("rotated")), ..grant("held", k.now, secs(3600)) };
    k.finish(Operation::Renew, Outcome::Granted(granted), 1);
    k.account.outbox.clear();
    set(&mut k, fields);
    k
}

fn set(k: &mut Inputs, fields: &str) {
    let seeded = format!(r#","refresh_token":"seed"{fields}"#);
    let accounts = format!(r#"{{"o1":{}}}"#, account(&seeded).replace("client_credentials", "refresh_token"));
    let (providers, _) = configured(&[("OAUTH2_ACCOUNTS", &accounts)]);
    k.provider = providers.get(&providers.find(OAUTH2, "o1").unwrap()).unwrap();
    (k.settings, k.identity) = (k.provider.settings(), k.provider.identity());
}

#[test]
fn f27_a_held_token_is_given_while_it_is_certainly_the_one_that_is_meant() {
    let mut k = becomes(r#","client_auth":"post""#);
    assert!(matches!(k.ask(), Verdict::Serve));
    assert_eq!(k.account.health(k.now), state::Health::NeedsAttention);
    assert_eq!(k.alerts(), [alert::Kind::NeedsAttention]);
    for operation in [Operation::Refresh, Operation::Adopt, Operation::Check] {
        assert_eq!(refused(k.order(operation)).0, Code::Misconfigured);
    }
    // Nothing is called by itself, neither by the alarm nor by the daily run, and it is told of once.
    k.look_daily();
    k.advance(secs(3590));
    assert!(matches!(k.woke(), Verdict::Nothing));
    assert!(k.planned().is_none_or(|at| at > k.now), "the alarm does not ring on and on");
    assert!(matches!(k.ask(), Verdict::Serve));
    k.advance(secs(20));
    assert_eq!(refused(k.ask()), (Code::Misconfigured, None));
    k.woke();
    assert!(k.planned().is_none_or(|at| at > k.now));
    assert_eq!(k.alerts().iter().filter(|kind| **kind == alert::Kind::NeedsAttention).count(), 1);
    // Of another audience it would be another token.
    for fields in [
        r#","client_auth":"post","audience":"a""#,
        r#","audience":7"#,
        r#","client_auth":"post","scope":"s""#,
    ] {
        let mut k = becomes(fields);
        assert_eq!(refused(k.ask()).0, Code::Misconfigured, "{fields}");
    }
}

/// A typing error loses nothing: neither the token nor the refresh token that the server has rotated.
#[test]
fn f27_mended_settings_go_on_where_the_account_was() {
    for fault in
        [r#","client_auth":"post""#, r#","audience":7"#, r#","scope":7,"token_url":7"#, r#","scopes":"s""#]
    {
        let mut k = becomes(fault);
        k.look();
        k.woke();
        set(&mut k, "");
        assert!(matches!(k.ask(), Verdict::Serve), "{fault}");
        assert_eq!(k.account.trouble, None);
        assert_eq!(k.alerts(), [alert::Kind::NeedsAttention, alert::Kind::Recovered]);
        k.wakes_for(Operation::Renew);
        let (calls, _) = play(&k, &Task::Renew, vec![says(200, TOKEN)]);
        assert!(body(&calls[0]).contains("refresh_token=rotated"), "{fault}");
    }
    // Mended to another identity it is another one.
    let mut k = becomes(r#","audiance":"a""#);
    k.look();
    set(&mut k, r#","audience":"a""#);
    assert!(runs(&k.ask(), Operation::Renew));
}

#[test]
fn a_task_that_a_deploy_of_faulty_settings_broke_off_is_over() {
    let mut k = becomes("");
    k.begin(Operation::Renew);
    set(&mut k, r#","client_auth":"post""#);
    let entry = k.decide(Event::Interrupted).entry.unwrap();
    assert_eq!((entry.outcome.as_str(), entry.calls), ("upstream_outcome_unknown", 1));
    assert_eq!(k.account.task, None);
    assert!(matches!(k.ask(), Verdict::Serve));
}
