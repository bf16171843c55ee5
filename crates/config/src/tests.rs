//! The settings, right and wrong. Over 400 lines: tables of what each takes, and what is only wrong in company.

use super::*;
use session::external::Found;
use std::collections::HashMap;

const SIGNING: &str = "k1:Zm9yLXRlc3RzLW9ubHktc2lnbmluZy1rZXktMDE";
const SEALING: &str = "s1:Zm9yLXRlc3RzLW9ubHktc2VhbGluZy1rZXktMDE";

fn read(pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let mut map: HashMap<&str, &str> =
        [("TOKEN_SIGNING_KEYS", SIGNING), ("SEALING_KEYS", SEALING)].into_iter().collect();
    map.extend(pairs.iter().copied());
    Config::read(&|name| map.get(name).map(|v| (*v).to_owned()))
}

#[test]
fn defaults_are_those_of_the_contract() {
    let c = read(&[]).unwrap();
    assert_eq!(c.session.access_ttl, Duration::from_mins(15));
    assert_eq!(c.session.refresh_ttl, Duration::from_hours(168));
    assert_eq!(c.session.idle, Duration::from_mins(30));
    assert_eq!(c.session.absolute, Duration::from_hours(720));
    assert_eq!(c.session.grace, Duration::from_secs(10));
    assert_eq!((c.limit.max, c.limit.evict), (5, true));
    assert_eq!(c.check, Check::Strict);
}

#[test]
fn the_finer_unit_wins() {
    let c = read(&[("ACCESS_TOKEN_EXPIRE_MINUTES", "5"), ("ACCESS_TOKEN_EXPIRE_SECONDS", "7")]).unwrap();
    assert_eq!(c.session.access_ttl, Duration::from_secs(7));
}

#[test]
fn all_faults_come_together_and_show_no_value() {
    let faults = Config::read(&|name| match name {
        "TOKEN_SIGNING_KEYS" => Some("k1:too-short-hunter2".to_owned()),
        "ACCESS_TOKEN_EXPIRE_MINUTES" => Some("soon".to_owned()),
        "SESSION_CHECK" => Some("lax".to_owned()),
        _ => None,
    })
    .unwrap_err();
    let text = faults.join("\n");
    for name in ["TOKEN_SIGNING_KEYS", "SEALING_KEYS", "ACCESS_TOKEN_EXPIRE_MINUTES", "SESSION_CHECK"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    for value in ["hunter2", "soon", "lax"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[test]
fn bad_secrets_are_refused() {
    for bad in [
        "",
        "no-colon-here-but-quite-long-enough-0123456789",
        "k1:0123456789abcdef",
        "k1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "k1:change-me-0123456789abcdefghijklmnopqrstuv",
        "bad kid:Zm9yLXRlc3RzLW9ubHktc2lnbmluZy1rZXktMDE",
        "k1:Zm9yLXRlc3RzLW9ubHktc2lnbmluZy1rZXktMDE,k1:Zm9yLXRlc3RzLW9ubHktc2lnbmluZy1rZXktMDI",
    ] {
        let faults = read(&[("TOKEN_SIGNING_KEYS", bad)]).unwrap_err();
        assert!(faults.iter().all(|f| f.starts_with("TOKEN_SIGNING_KEYS")), "{bad}: {faults:?}");
    }
}

/// RFC 8037, appendix A.1, and RFC 7515, appendix A.3.
const EDDSA: &str = "EdDSA:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ES256: &str = "ES256:jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

#[test]
fn private_keys_stand_beside_secrets_and_jwt_alg_says_which_sign() {
    let all = [EDDSA, SIGNING, ES256, "EdDSA:4YDjUqe_4XLsA2V-nWGxne_9WmC6hEr0kuwsxERJxWk"].join(",");
    for algorithm in ["HS256", "EdDSA", "ES256"] {
        let c = read(&[("TOKEN_SIGNING_KEYS", &all), ("JWT_ALG", algorithm)]).unwrap();
        assert_eq!((c.signing_keys.len(), c.algorithm.as_str()), (4, algorithm));
    }
    assert_eq!(read(&[]).unwrap().algorithm.as_str(), "HS256");
}

#[test]
fn what_is_no_private_key_is_a_fault_that_shows_nothing_of_it() {
    let short = "TOKEN_SIGNING_KEYS entry 2: no private key of";
    let alone = "TOKEN_SIGNING_KEYS has no key that JWT_ALG=";
    let twice = format!("{EDDSA},{EDDSA}");
    for (keys, algorithm, fault) in [
        (format!("{SIGNING},EdDSA:hunter2"), "HS256", format!("{short} EdDSA: a private key is 32 bytes")),
        (format!("{SIGNING},ES256:{}", "_".repeat(42) + "8"), "ES256", format!("{short} ES256")),
        (format!("{SIGNING},{EDDSA}="), "HS256", format!("{short} EdDSA")),
        (SIGNING.to_owned(), "EdDSA", format!("{alone}EdDSA signs with; `npm run key -- signing` makes one")),
        (format!("{SIGNING},{ES256}"), "EdDSA", format!("{alone}EdDSA")),
        (EDDSA.to_owned(), "HS256", format!("{alone}HS256")),
        (twice, "EdDSA", "TOKEN_SIGNING_KEYS, SEALING_KEYS".to_owned()),
        (
            "EdDSA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            "EdDSA",
            "TOKEN_SIGNING_KEYS entry 1: the secret is a sample".to_owned(),
        ),
    ] {
        let faults = read(&[("TOKEN_SIGNING_KEYS", &keys), ("JWT_ALG", algorithm)]).unwrap_err();
        let [told] = faults.as_slice() else { panic!("{faults:?}") };
        assert!(told.starts_with(&fault) && !told.contains("hunter2"), "{told}");
    }
    for algorithm in ["RS256", "eddsa", "Ed25519", "none"] {
        let faults = read(&[("JWT_ALG", algorithm)]).unwrap_err();
        assert_eq!(faults, ["JWT_ALG must be one of: HS256, EdDSA, ES256"]);
    }
    // A name of a sealing key is a name.
    assert!(read(&[("SEALING_KEYS", "EdDSA:Zm9yLXRlc3RzLW9ubHktc2VhbGluZy1rZXktMDE")]).is_ok());
}

#[test]
fn one_secret_is_not_used_twice() {
    let faults = read(&[("SEALING_KEYS", &SIGNING.replace("k1", "s1"))]).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn service_keys_are_asked_for_unless_in_development() {
    assert!(read(&[]).unwrap().service_auth);
    assert!(read(&[("ENVIRONMENT", "development")]).unwrap().service_auth);
    assert!(!read(&[("SERVICE_AUTH", "off"), ("ENVIRONMENT", "development")]).unwrap().service_auth);
    for environment in ["production", "", "Development", "staging"] {
        let faults = read(&[("SERVICE_AUTH", "off"), ("ENVIRONMENT", environment)]).unwrap_err();
        assert!(faults.iter().any(|f| f.starts_with("SERVICE_AUTH")), "{environment}: {faults:?}");
    }
    for word in ["OFF", "false", "0", "no"] {
        assert!(read(&[("SERVICE_AUTH", word), ("ENVIRONMENT", "development")]).is_err(), "{word}");
    }
}

#[test]
fn channels_are_those_of_the_earlier_system() {
    let c = read(&[("ENVIRONMENT", "development")]).unwrap();
    assert_eq!(c.session.external_ttl, Duration::from_hours(1));
    let unit =
        |id: &str| c.post_login.channels.get(id).map(|c| (c.business_unit.as_str(), c.verifier.is_some()));
    assert_eq!([unit("sme"), unit("1")], [Some(("SME", true)); 2]);
    assert_eq!([unit("retail"), unit("2")], [Some(("RETAIL", false)); 2]);
    assert!(c.post_login.verify_at_init && !c.post_login.mock_routes && c.post_login.sme.base_url.is_none());
}

#[test]
fn a_deployment_believes_callers_only_where_it_was_told_to() {
    let ids = |pairs: &[(&str, &str)]| -> Vec<String> {
        read(pairs).unwrap().post_login.channels.into_keys().collect()
    };
    for environment in ["", "production"] {
        assert_eq!(ids(&[("ENVIRONMENT", environment)]), ["1", "sme"]);
        assert_eq!(ids(&[("ENVIRONMENT", environment), ("CHANNELS", " ")]), ["1", "sme"]);
        let own = ("CHANNELS", settings::CHANNELS.default);
        assert_eq!(ids(&[("ENVIRONMENT", environment), own]), ["1", "2", "retail", "sme"]);
        let one = ("CHANNELS", r#"{"walk-in":{"business_unit":"RETAIL"}}"#);
        assert_eq!(ids(&[("ENVIRONMENT", environment), one]), ["walk-in"]);
    }
    assert_eq!(ids(&[("ENVIRONMENT", "development")]), ["1", "2", "retail", "sme"]);
}

#[test]
fn faults_of_post_login_settings_are_found() {
    for (name, value) in [
        ("CHANNELS", "x"),
        ("CHANNELS", r#"{"a":{}}"#),
        ("CHANNELS", r#"{"a":{"business_unit":"A-B"}}"#),
        ("CHANNELS", r#"{"a":{"business_unit":"A","verifier":"nobody"}}"#),
        ("CHANNELS", r#"{"a":{"business_unit":"A","verify":"sme"}}"#),
        ("CHANNELS", r#"{"a/b":{"business_unit":"A"}}"#),
        ("CHANNELS", r#"{"a":{"business_unit":"A","verifier":"sme","verify_base_url":7}}"#),
        ("SME_VERIFY_BASE_URL", "https://sme.example.com"),
        ("SME_VERIFY_TOKEN_KEY", "key"),
        ("SME_SESSION_TTL", "0"),
        ("MOCK_ROUTES", "on"),
    ] {
        let faults = read(&[(name, value)]).unwrap_err();
        assert!(faults.iter().any(|f| f.contains(name)), "{name}={value}: {faults:?}");
    }
    assert!(read(&[("MOCK_ROUTES", "on"), ("ENVIRONMENT", "development")]).unwrap().post_login.mock_routes);
    let both = [("SME_VERIFY_BASE_URL", "https://sme.example.com/"), ("SME_VERIFY_TOKEN_KEY", "key")];
    assert_eq!(read(&both).unwrap().post_login.sme.base_url.unwrap(), "https://sme.example.com");
}

#[test]
fn a_channel_may_name_its_own_verifier() {
    let channels = r#"{
        "own":{"business_unit":"A","verifier":"sme","verify_base_url":"https://other.example.com/x/"},
        "usual":{"business_unit":"B","verifier":"sme"}
    }"#;
    let own = [("CHANNELS", channels), ("SME_VERIFY_TOKEN_KEY", "key")];
    let all = [&own[..], &[("SME_VERIFY_BASE_URL", "https://sme.example.com")]].concat();
    let address = |pairs: &[(&str, &str)], id: &str| {
        let post_login = read(pairs).unwrap().post_login;
        let channel = &post_login.channels[id];
        let set_up = matches!(post_login.verifier(channel), Found::Verifier(_));
        let address = post_login.sme.of(channel).map(|sme| sme.base_url);
        assert_eq!(address.is_some(), set_up, "{id}");
        address
    };
    for pairs in [&own[..], &all] {
        assert_eq!(address(pairs, "own").unwrap(), "https://other.example.com/x");
    }
    assert_eq!(address(&all, "usual").unwrap(), "https://sme.example.com");
    assert_eq!(address(&own, "usual"), None);
    // The key would be missing.
    let faults = read(&own[..1]).unwrap_err();
    assert!(matches!(faults.as_slice(), [f] if f.contains("SME_VERIFY_TOKEN_KEY")), "{faults:?}");
}

#[test]
fn the_address_of_a_channels_verifier_is_one_that_a_token_may_be_sent_to() {
    let key = ("SME_VERIFY_TOKEN_KEY", "key");
    let channel = |verifier: &str, url: &str| {
        format!(r#"{{"a":{{"business_unit":"A",{verifier}"verify_base_url":"{url}"}}}}"#)
    };
    let verifier = r#""verifier":"sme","#;
    for good in ["https://b.example.com", "http://127.0.0.1:8788/sme", "http://localhost"] {
        assert!(read(&[("CHANNELS", &channel(verifier, good)), key]).is_ok(), "{good}");
    }
    for bad in ["http://b.example.com", "", "b.example.com", "https://b?x", "https://u:hunter2@b", "ftp://b"]
    {
        let faults = read(&[("CHANNELS", &channel(verifier, bad)), key]).unwrap_err().join("\n");
        assert!(faults.contains("CHANNELS: verify_base_url of a must be"), "{bad}: {faults}");
        assert!(!faults.contains("hunter2"), "{faults}");
    }
    let faults = read(&[("CHANNELS", &channel("", "https://b.example.com")), key]).unwrap_err();
    assert_eq!(faults, ["CHANNELS: verify_base_url of a needs a verifier"]);
}

/// Who comes by the one is believed, as whichever customer of the other they name.
#[test]
fn f11_a_channel_without_a_verifier_shares_its_business_unit_with_no_verified_one() {
    let faults = |channels: &str| {
        let key = ("SME_VERIFY_TOKEN_KEY", "key");
        let base = ("SME_VERIFY_BASE_URL", "https://sme.example.com");
        read(&[("CHANNELS", channels), key, base]).err().unwrap_or_default()
    };
    let shared = r#"{"sme":{"business_unit":"SME","verifier":"sme"},"branch":{"business_unit":"SME"},"x":{"business_unit":"X"}}"#;
    assert_eq!(
        faults(shared),
        ["CHANNELS: SME has channels with a verifier and without; give them units of their own"]
    );
    for good in [
        r#"{"sme":{"business_unit":"SME","verifier":"sme"},"branch":{"business_unit":"BRANCH"}}"#,
        r#"{"sme":{"business_unit":"SME","verifier":"sme"},"1":{"business_unit":"SME","verifier":"sme"}}"#,
        r#"{"a":{"business_unit":"SME"},"b":{"business_unit":"SME"}}"#,
        settings::CHANNELS.default,
    ] {
        assert_eq!(faults(good), [""; 0], "{good}");
    }
}

#[test]
fn events_have_a_secret_and_types_that_there_are() {
    use base::event::{EventType, EventTypes};
    let url = ("EVENT_WEBHOOK_URL", "https://events.example.com/in");
    let (one, other) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let both = format!("{one}, {other}");
    let secret = ("EVENT_WEBHOOK_SECRET", both.as_str());
    let c = read(&[url, secret]).unwrap();
    assert_eq!((c.events.keys.len(), c.events.logout_url.is_none()), (2, true));
    let told =
        |c: &Config| EventType::ALL.iter().copied().filter(|t| c.session.receivers.webhook.has(*t)).collect();
    let types: Vec<EventType> = told(&c);
    let but_refreshes: Vec<EventType> = EventType::ALL
        .iter()
        .copied()
        .filter(|event| event.is_end() || *event == EventType::Created)
        .collect();
    assert_eq!(types, but_refreshes);
    let types: Vec<EventType> =
        told(&read(&[url, secret, ("EVENT_TYPES", "session.expired session.revoked.reuse")]).unwrap());
    assert_eq!(types, [EventType::Reuse, EventType::Inactivity, EventType::Lifetime]);
    // Without an address nobody is told.
    let c = read(&[secret]).unwrap();
    assert_eq!((c.session.receivers.webhook, c.session.receivers.is_none()), (EventTypes::NONE, true));
    let c = read(&[("BACKCHANNEL_LOGOUT_URL", "http://localhost:9/out")]).unwrap();
    assert!(c.session.receivers.logout && c.session.receivers.webhook.is_none());
    for (settings, fault) in [
        (vec![url], "EVENT_WEBHOOK_SECRET is required with EVENT_WEBHOOK_URL"),
        (
            vec![("EVENT_WEBHOOK_SECRET", "hunter2")],
            "EVENT_WEBHOOK_SECRET entry 1: must be whsec_ and 24 to 64 bytes in base64",
        ),
        (
            vec![("EVENT_WEBHOOK_SECRET", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            "EVENT_WEBHOOK_SECRET entry 1: is easily guessed; make a random one",
        ),
        (
            vec![("EVENT_TYPES", "session.created,session.ended")],
            "EVENT_TYPES entry 2: no type of an event is named or begins like that",
        ),
        (
            vec![("EVENT_WEBHOOK_URL", "http://events.example.com"), secret],
            "EVENT_WEBHOOK_URL must be https://… without a query or credentials (http:// for loopback only)",
        ),
        (
            vec![("BACKCHANNEL_LOGOUT_URL", "https://u:hunter2@b")],
            "BACKCHANNEL_LOGOUT_URL must be https://… without a query or credentials (http:// for loopback only)",
        ),
    ] {
        assert_eq!(read(&settings).unwrap_err(), [fault]);
    }
    // Alerts are events where they have no receiver of their own.
    let tokens = ("EVENT_TYPES", "token.failing, session.created");
    let c = read(&[url, secret, tokens]).unwrap();
    assert_eq!((c.alerts.url.as_deref(), c.alerts.keys.len()), (Some(url.1), 2));
    assert_eq!(c.alerts.types, EventTypes::named("token.failing"));
    assert_eq!(c.session.receivers.webhook, EventTypes::named("session.created"));
    let own = [("ALERT_WEBHOOK_URL", "https://a.example.com"), ("ALERT_WEBHOOK_SECRET", SEALING)];
    let c = read(&[&[url, secret, tokens], own.as_slice()].concat()).unwrap();
    assert_eq!((c.alerts.url.as_deref(), c.alerts.keys.len()), (Some(own[0].1), 1));
    assert_eq!(c.alerts.types, EventTypes::named("token"));
    assert_eq!(read(&[url, secret]).unwrap().alerts.url, None, "not by default");
    let faults = read(&[url, secret, own[0]]).unwrap_err();
    assert_eq!(faults, ["ALERT_WEBHOOK_SECRET is required with ALERT_WEBHOOK_URL"]);
    let twice = format!("{one} {one}");
    let faults = read(&[("EVENT_WEBHOOK_SECRET", &twice)]).unwrap_err();
    assert_eq!(faults, ["EVENT_WEBHOOK_SECRET entry 2: stands there twice"]);
}

#[test]
fn every_default_is_within_its_bounds() {
    for setting in settings::SETTINGS {
        match setting.kind {
            settings::Kind::Number { min, max } if !setting.default.is_empty() => {
                assert!((min..=max).contains(&setting.default.parse().unwrap()), "{}", setting.name);
            }
            settings::Kind::Word(words) => assert!(words.contains(&setting.default), "{}", setting.name),
            _ => {}
        }
    }
}

/// `npm run settings` writes the table; without `WRITE_DOCS` this checks it.
#[test]
fn settings_table_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- settings -->\n", "<!-- /settings -->");
    let from = page.find(begin).expect("docs/settings.md marks where the table starts") + begin.len();
    let to = page.find(end).expect("docs/settings.md marks where the table ends");
    let current = format!("{}\n{}\n{}", &page[..from], settings_table(), &page[to..]);
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(path, current).unwrap();
    } else {
        assert!(page == current, "the settings in docs/settings.md are not current: run `npm run settings`");
    }
}

#[test]
fn portals_are_kept_as_the_contract_says() {
    let c = read(&[]).unwrap();
    assert!(c.portals.is_empty());
    let policy = &c.portals.policy;
    assert_eq!((policy.keep_alive, policy.jitter_percent), (Duration::from_mins(5), 10));
    assert_eq!((policy.idle, policy.wizard_idle), (Duration::from_mins(30), Duration::from_mins(10)));
    assert_eq!((policy.sessions_max, policy.relogin, policy.logins_per_hour), (10, true, 6));
}

#[test]
fn json_of_the_wrong_shape_is_told_by_the_member_and_never_by_what_stands_there() {
    for (name, value, fault) in [
        ("CHANNELS", "{", "is no JSON at line 1, column 1"),
        ("CHANNELS", "[]", "must be a JSON object"),
        ("CHANNELS", r#"{"a":{"business_unit":"A","business_unit":"B"}}"#, "is no JSON at line 1, column 46"),
        ("CHANNELS", r#"{"a":{}}"#, "is not of the right shape: a: business_unit: missing"),
        ("CHANNELS", r#"{"a":["A"]}"#, "is not of the right shape: a: a list, not struct Channel"),
        (
            "CHANNELS",
            r#"{"a":{"business_unit":"A","verify":"sme"}}"#,
            "is not of the right shape: a: verify: unknown",
        ),
        ("EMODAL_PAGES", r#"{"login":"/"}"#, "is not of the right shape: login: unknown"),
        (
            "EMODAL_PAGES",
            r#"{"login_path":7}"#,
            "is not of the right shape: login_path: a number, not a string",
        ),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), [format!("{name} {fault}")], "{value}");
    }
}

#[test]
fn the_pages_of_a_portal_are_checked_and_all_faults_named() {
    let faults = |pages: &str| read(&[("EMODAL_PAGES", pages), ("PORTAL_RELOGIN", "yes")]).unwrap_err();
    for (pages, fault) in [
        (r#"{"login_path":"login"}"#, "login_path must begin with one /"),
        (r#"{"home_path":""}"#, "home_path must begin with one /"),
        (r#"{"logout_path":"//logout.example.com"}"#, "logout_path must begin with one /"),
        (r#"{"containers_path":"https://x.example.com/"}"#, "containers_path must begin with one /"),
        (r#"{"appointment_path":".example.com/new"}"#, "appointment_path must begin with one /"),
        (r#"{"timeline_path":"{container_id}"}"#, "timeline_path must begin with one /"),
        (r#"{"timeline_path":"/containers"}"#, "timeline_path must have {container_id} once"),
        (r#"{"timeline_path":"/c/{id}"}"#, "timeline_path must have {container_id} once"),
        (
            r#"{"timeline_path":"/{container_id}/{container_id}"}"#,
            "timeline_path must have {container_id} once",
        ),
        (r#"{"user_agent":""}"#, "user_agent must be visible ASCII"),
        (r#"{"user_agent":"a\r\nx-b: c"}"#, "user_agent must be visible ASCII"),
        (r#"{"user_agent":"Mozilla é"}"#, "user_agent must be visible ASCII"),
        (r#"{"logged_out":["gone",""]}"#, "logged_out has an empty text"),
        (r#"{"error_classes":[" "]}"#, "error_classes has an empty text"),
    ] {
        let expected =
            [format!("EMODAL_PAGES: {fault}"), "PORTAL_RELOGIN must be one of: on, off".to_owned()];
        let mut faults = faults(pages);
        faults.sort();
        assert_eq!(faults, expected, "{pages}");
    }
    let all = r#"{"login_path":"x","home_path":"x","logout_path":"x","containers_path":"x","timeline_path":"x",
        "appointment_path":"x","user_agent":"\t","error_classes":[""],"logged_out":[""],"credentials_refused":[""],
        "account_locked":[""],"captcha_refused":[""],"wizard_expired":[""],"slot_gone":[""],"appointment_confirmed":[""]}"#;
    assert_eq!(faults(all).len(), 1 + 6 + 1 + 1 + 8);
    let good = r#"{"user_agent":"Mozilla/5.0 (X11)","timeline_path":"/c?id={container_id}","slot_gone":[]}"#;
    assert!(read(&[("EMODAL_PAGES", good)]).is_ok());
}

#[test]
fn a_portal_has_an_address_hosts_and_pages() {
    let url = ("EMODAL_BASE_URL", "https://portal.example.com/x/");
    let hosts = ("EMODAL_HOSTS", "Identity.example.com, sso.example.com:8443");
    let c = read(&[url, hosts, ("EMODAL_PAGES", r#"{"home_path":"/home"}"#)]).unwrap();
    let emodal = c.portals.document("emodal").unwrap();
    assert_eq!(emodal.base_url, "https://portal.example.com/x");
    assert_eq!(emodal.hosts, ["identity.example.com", "sso.example.com:8443"]);
    assert_eq!((emodal.home_path.as_str(), emodal.login.path.as_str()), ("/home", "/login"));
    for (name, value) in [
        ("EMODAL_HOSTS", "https://identity.example.com"),
        ("EMODAL_HOSTS", "a b"),
        ("EMODAL_HOSTS", "a.example.com/x"),
        ("EMODAL_HOSTS", "a.example.com:99999"),
        ("EMODAL_PAGES", r#"{"home":"/home"}"#),
        ("EMODAL_PAGES", "[]"),
        ("PORTAL_SESSIONS_MAX", "0"),
        ("PORTAL_RELOGIN", "yes"),
        ("CAPTCHA_BASE_URL", "http://captcha.example.com"),
    ] {
        let faults = read(&[url, (name, value)]).unwrap_err();
        assert!(faults.iter().any(|f| f.contains(name)), "{name}={value}: {faults:?}");
    }
}

#[test]
fn other_portals_are_documents_that_are_checked_with_all_their_faults() {
    let dock = include_str!("../../sim/tests/http/dock.json");
    let c = read(&[("PORTALS_3", &format!("{{\"dock\":{dock}}}"))]).unwrap();
    assert!(c.portals.driver("dock").is_some() && !c.portals.is_empty());
    assert!(c.portals.driver("emodal").is_none() && c.portals.document("emodal").is_some());
    // It fits into a variable.
    assert!(dock.lines().map(|line| line.trim().len()).sum::<usize>() < 5_000);
    let wrong = r#"{"a":{"user_agent":"x","login":{"path":"/in","username_input":"u","password_input":"p"},
        "keep_alive":{"path":"home"},"logout":{"path":"/out"},"opertions":[]},"emodal":[],"B":{}}"#;
    let mut faults = read(&[
        ("PORTALS", &format!("{{\"dock\":{dock}}}")),
        ("PORTALS_2", &format!("{{\"dock\":{dock}}}")),
        ("PORTALS_4", wrong),
    ])
    .unwrap_err();
    faults.sort();
    assert_eq!(
        faults,
        [
            "PORTALS_2: dock stands there twice",
            "PORTALS_4: B must be a name of 1 to 32 lower-case letters, digits or -",
            "PORTALS_4: B/keep_alive is missing",
            "PORTALS_4: B/login is missing",
            "PORTALS_4: B/logout is missing",
            "PORTALS_4: B/user_agent is missing",
            "PORTALS_4: a/keep_alive/path must begin with one /",
            "PORTALS_4: a/opertions is unknown",
            "PORTALS_4: emodal is there already: EMODAL_BASE_URL sets it up",
            "PORTALS_4: emodal must be an object",
        ]
    );
    let bare = r#"{"a":{"user_agent":"x","login":{"path":"/in","username_input":"u","password_input":"p"},
        "keep_alive":{"path":"/home"},"logout":{"path":"/out"}}}"#;
    assert_eq!(read(&[("PORTALS", bare)]).unwrap_err(), ["PORTALS: a/base_url is missing"]);
    assert_eq!(read(&[("PORTALS", "[]")]).unwrap_err(), ["PORTALS must be a JSON object"]);
}
