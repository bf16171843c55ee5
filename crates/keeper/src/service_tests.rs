//! The internal token service: where it may be, how it is reached, what it is shown, and that another Sallyport may be it.

use super::play_support::*;
use super::service::{Service, headers, read};
use super::test_support::*;
use super::*;
use base::settings::{Environment, Reader};

const URL: &str = "TOKEN_REFRESH_SERVICE_URL";
const BINDING: &str = "TOKEN_REFRESH_SERVICE_BINDING";
const KEY: &str = "TOKEN_REFRESH_SERVICE_KEY";
const HEADER: &str = "TOKEN_REFRESH_SERVICE_KEY_HEADER";
const ID: &str = "TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID";
const SECRET: &str = "TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET";

fn configured_in(environment: Environment, settings: &[(&str, &str)]) -> (Option<Service>, Vec<String>) {
    let lookup = |name: &str| {
        let found = settings.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut reader = Reader::new(&lookup);
    let service = read(&mut reader, environment);
    let service = service.map(|service| Service { headers: headers(&mut reader), ..service });
    (service, reader.faults)
}

fn account(more: &[(&str, &str)]) -> Inputs {
    let mut settings = vec![("UPSTOX_ACCOUNT_IDS", "a1"), (URL, "https://service")];
    settings.extend(more);
    Inputs::new(provider(providers::UPSTOX, "a1", &settings))
}

fn given(token: &str) -> Answer {
    says(
        200,
        &format!(
            r#"{{"success":true,"account_id":"a1","access_token":"{token}","expires_at":"2025-11-20T03:30:00+05:30","source":"cron","updated_by":null}}"#
        ),
    )
}

fn confirmed() -> Answer {
    says(200, r#"{"status":"success","data":{"user_id":"U1"}}"#)
}

/// `http://…` as the old system has it.
#[test]
fn f26_plain_http_is_for_development_and_for_bindings() {
    let plain = (URL, "http://tokens.internal:8080/api/");
    let bound = (BINDING, "TOKEN_SERVICE");
    for (environment, settings, good) in [
        (Environment::Production, vec![plain], false),
        (Environment::Production, vec![plain, bound], true),
        (Environment::Development, vec![plain], true),
        (Environment::Production, vec![(URL, "http://127.0.0.1:9000")], true),
        (Environment::Development, vec![(URL, "http://tokens.internal?x=1")], false),
        (Environment::Development, vec![(URL, "http://me:pass@tokens.internal")], false),
        (Environment::Development, vec![(URL, "ftp://tokens.internal")], false),
        (Environment::Production, vec![plain, (BINDING, "TOKEN SERVICE")], false),
        (Environment::Production, vec![bound], false),
    ] {
        let (service, faults) = configured_in(environment, &settings);
        assert_eq!(faults.is_empty(), good, "{settings:?}: {faults:?}");
        assert!(faults.iter().all(|fault| fault.starts_with("TOKEN_REFRESH_SERVICE_")), "{faults:?}");
        if good {
            assert!(!service.unwrap().url.ends_with('/'));
        }
    }
    assert!(matches!(configured_in(Environment::Production, &[]), (None, faults) if faults.is_empty()));
}

#[test]
fn f26_the_service_is_shown_what_is_set_and_upstox_is_not() {
    let bearer = ("authorization", "Bearer sk_hidden");
    for (settings, expected) in [
        (vec![], vec![]),
        (vec![(KEY, "sk_hidden")], vec![bearer]),
        (vec![(KEY, "sk_hidden"), (HEADER, "Authorization")], vec![bearer]),
        (vec![(KEY, "sk_hidden"), (HEADER, "Apikey")], vec![("apikey", "sk_hidden")]),
        (vec![(KEY, "sk_hidden"), (HEADER, "X-API-Key")], vec![("x-api-key", "sk_hidden")]),
        (
            vec![(ID, "id.access"), (SECRET, "hidden"), (KEY, "sk_hidden")],
            vec![bearer, ("cf-access-client-id", "id.access"), ("cf-access-client-secret", "hidden")],
        ),
    ] {
        let (calls, outcome) = play(
            &account(&settings),
            &Task::Renew,
            vec![says(404, ""), says(200, ""), given("hidden-t"), confirmed()],
        );
        granted(outcome);
        let (profile, service) = calls.split_last().unwrap();
        for call in service {
            let shown: Vec<_> = call.headers.iter().map(|(name, value)| (*name, value.expose())).collect();
            let accept = std::iter::once(("accept", "application/json"));
            assert_eq!(shown, accept.chain(expected.iter().copied()).collect::<Vec<_>>(), "{settings:?}");
        }
        assert_eq!(header(profile, "authorization"), "Bearer hidden-t");
        assert!(profile.headers.iter().all(|(name, _)| !name.starts_with("cf-") && *name != "apikey"));
    }
    for wrong in [
        vec![(KEY, "two words")],
        vec![(KEY, "schlüssel")],
        vec![(KEY, "k"), (HEADER, "Cookie")],
        vec![(ID, "id.access")],
        vec![(SECRET, "hidden")],
    ] {
        let settings: Vec<_> = wrong.iter().copied().chain([(URL, "https://service")]).collect();
        let (_, faults) = configured_in(Environment::Production, &settings);
        assert_eq!(faults.len(), 1, "{wrong:?}: {faults:?}");
        assert!(!faults[0].contains("hidden") && !faults[0].contains("words"), "{faults:?}");
    }
}

/// Calls about the account go through the binding, and those to Upstox do not.
#[test]
fn f26_a_binding_is_for_the_service_only() {
    let k = account(&[(BINDING, "TOKEN_SERVICE")]);
    let (calls, _) = play(&k, &Task::Renew, vec![given("hidden-t"), confirmed()]);
    let through: Vec<_> = calls.iter().map(|call| call.binding.as_deref()).collect();
    assert_eq!(through, [Some("TOKEN_SERVICE"), None]);
    let (calls, _) = play(&account(&[]), &Task::Renew, vec![given("hidden-t"), confirmed()]);
    assert!(calls.iter().all(|call| call.binding.is_none()));
}

/// Another Sallyport answers an order with the token, which its read route may not have everywhere yet.
#[test]
fn f26_a_token_in_the_answer_to_an_order_is_taken() {
    let (refresh, read) =
        ("POST https://service/accounts/a1/refresh", "GET https://service/accounts/a1/token");
    let profile = "GET https://api.upstox.com/v2/user/profile";
    let over = given("hidden-old");
    let over = match over {
        Answer::Response { status, body, .. } => {
            says(status, &body.expose().replace("2025-11-20", "2025-11-19"))
        }
        other => other,
    };
    for (answers, expected) in [
        (vec![given("hidden-t"), confirmed()], vec![refresh, profile]),
        // Somebody has to approve it; or it is said without a token, or with one that is over.
        (
            vec![
                says(202, r#"{"success":true,"message":"Approval requested"}"#),
                given("hidden-t"),
                confirmed(),
            ],
            vec![refresh, read, profile],
        ),
        (vec![over, given("hidden-t"), confirmed()], vec![refresh, read, profile]),
    ] {
        let (calls, outcome) = play(&account(&[]), &Task::Refresh, answers);
        assert_eq!(lines(&calls), expected);
        assert_eq!(granted(outcome).access.expose(), "hidden-t");
    }
}

/// A deploy of the release that knows of keys and bindings is no change for those who have none.
#[test]
fn f26_what_is_kept_of_an_account_with_an_address_only_is_as_it_was() {
    let plain = account(&[]).provider;
    assert_eq!(plain.identity(), "https://api.upstox.com\nSome(\"https://service\")\nNone");
    assert_eq!(plain.settings(), "https://api.upstox.com\nhttps://service\n");
    assert_eq!(upstox_manual().identity(), "https://api.upstox.com\nNone\nNone");
    // A new key is tried where the one before was refused, and is nobody else's token.
    let keyed = account(&[(KEY, "sk_hidden")]).provider;
    assert_eq!(keyed.identity(), plain.identity());
    assert_ne!(keyed.settings(), plain.settings());
    let bound = account(&[(BINDING, "TOKEN_SERVICE")]).provider;
    assert_ne!(bound.identity(), plain.identity());
    assert_ne!(bound.settings(), plain.settings());
    assert!(!format!("{keyed:?}").contains("hidden"));
}
