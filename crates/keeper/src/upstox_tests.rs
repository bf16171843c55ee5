//! Upstox and the internal token service: which calls a task makes, what is made of each answer, when a token ends.

use super::play_support::*;
use super::protocol::Operation::Renew;
use super::test_support::*;
use super::*;
use base::secret::Secret;

const READ: &str = "GET https://service/accounts/a1/token";
const REFRESH: &str = "POST https://service/accounts/a1/refresh";
const PROFILE: &str = "GET https://api.upstox.com/v2/user/profile";

fn has(token: &str) -> Answer {
    has_until(token, "2099-01-01T00:00:00Z")
}

fn has_until(token: &str, expires_at: &str) -> Answer {
    let more = r#""account_id":"a1","source":"x","updated_by":"ops""#;
    says(200, &format!(r#"{{"success":true,"access_token":"{token}","expires_at":"{expires_at}",{more}}}"#))
}

fn is_of(user: &str) -> Answer {
    says(200, &format!(r#"{{"status":"success","data":{{"user_id":"{user}","is_active":true}}}}"#))
}

/// Both spellings of Upstox's error keys, and neither.
fn invalid() -> [Answer; 3] {
    ["errorCode", "error_code", "x"].map(|key| {
        says(
            401,
            &format!(
                r#"{{"status":"error","errors":[{{"{key}":"UDAPI100050","message":"Invalid token"}}]}}"#
            ),
        )
    })
}

fn refused() -> Answer {
    invalid()[0].clone()
}

fn done() -> Answer {
    says(200, "")
}

fn service() -> Inputs {
    Inputs::new(upstox())
}

/// An app beside the service, so that the user is known.
fn service_with_app() -> Inputs {
    let settings = [
        ("UPSTOX_ACCOUNT_IDS", "a1"),
        ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
        ("UPSTOX_APPS", APP),
    ];
    Inputs::new(provider(providers::UPSTOX, "a1", &settings))
}

#[test]
fn tokens_are_read_from_the_service_and_confirmed_by_upstox() {
    let old = || has_until("hidden-old", "2025-11-19T03:30:00+05:30");
    let empty = || says(200, r#"{"success":true}"#);
    let new = || has("hidden-new");
    let table: Vec<(&str, Task, Vec<Answer>, Vec<&str>)> = vec![
        ("it has one", Task::Renew, vec![new(), is_of("U1")], vec![READ, PROFILE]),
        (
            "an expired one",
            Task::Renew,
            vec![old(), done(), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        (
            "one that ends with the answer",
            Task::Renew,
            vec![has_until("hidden-old", "2025-11-19T10:00:01+05:30"), done(), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        (
            "one that Upstox refuses",
            Task::Renew,
            vec![has("hidden-bad"), refused(), done(), new(), is_of("U1")],
            vec![READ, PROFILE, REFRESH, READ, PROFILE],
        ),
        (
            "none",
            Task::Renew,
            vec![empty(), says(200, "{}"), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        (
            "success is false",
            Task::Renew,
            vec![says(200, r#"{"success":false,"access_token":"hidden-no"}"#), done(), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        (
            "success is missing",
            Task::Renew,
            vec![says(200, r#"{"access_token":"hidden-no"}"#), done(), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        (
            "it knows no such account yet",
            Task::Renew,
            vec![says(404, "{}"), done(), new(), is_of("U1")],
            vec![READ, REFRESH, READ, PROFILE],
        ),
        ("by order", Task::Refresh, vec![done(), new(), is_of("U1")], vec![REFRESH, READ, PROFILE]),
        (
            "by order, with a body that is none",
            Task::Obtain,
            vec![says(202, HTML), new(), is_of("U1")],
            vec![REFRESH, READ, PROFILE],
        ),
    ];
    for (name, task, answers, expected) in table {
        for k in [service(), service_with_app()] {
            let (calls, outcome) = play(&k, &task, answers.clone());
            assert_eq!(lines(&calls), expected, "{name}");
            let grant = granted(outcome);
            assert_eq!((grant.access.expose(), grant.verified), ("hidden-new", true), "{name}");
            assert_eq!((grant.user_id.as_deref(), grant.updated_by.as_deref()), (Some("U1"), Some("ops")));
            assert_eq!(grant.expires_at, at("2025-11-20T03:30:00+05:30"), "{name}");
            let profile = calls.last().unwrap();
            assert_eq!(header(profile, "authorization"), "Bearer hidden-new");
            assert_eq!(
                (header(profile, "accept"), header(profile, "api-version")),
                ("application/json", "2.0")
            );
            for call in &calls {
                let of_service = call.url.starts_with("https://service");
                assert_eq!(
                    header(call, "authorization").is_empty(),
                    of_service,
                    "a token goes only to Upstox"
                );
                let timeout = if !of_service {
                    30
                } else if call.method == "GET" {
                    10
                } else {
                    15
                };
                assert_eq!((call.timeout, body(call)), (secs(timeout), ""));
            }
        }
    }
}

#[test]
fn a_token_that_upstox_cannot_speak_of_is_kept_for_later() {
    for (answer, ..) in disturbances() {
        let (_, outcome) = play(&service_with_app(), &Task::Renew, vec![has("hidden-new"), answer.clone()]);
        let grant = granted(outcome);
        assert_eq!((grant.verified, grant.user_id), (false, None), "{answer:?}");
    }
    let error = says(200, r#"{"status":"error","errors":[{"errorCode":"UDAPI100500"}]}"#);
    assert!(!granted(play(&service(), &Task::Renew, vec![has("hidden-new"), error]).1).verified);
}

#[test]
fn the_service_fails_in_many_ways() {
    for (answer, code, status) in disturbances() {
        // Reading, and refreshing. A body of the latter is not looked at, and without an account there may be one after it.
        if status != Some(404) {
            let (calls, outcome) = play(&service(), &Task::Renew, vec![answer.clone()]);
            assert_eq!((calls.len(), failure(outcome)), (1, (code, status)), "{answer:?}");
        }
        if status != Some(200) {
            let (calls, outcome) = play(&service(), &Task::Refresh, vec![answer.clone()]);
            assert_eq!((calls.len(), failure(outcome)), (1, (code, status)), "{answer:?}");
        }
        let (_, outcome) = play(&service(), &Task::Refresh, vec![done(), answer]);
        let expected = if status == Some(404) { Code::NoTokenSource } else { code };
        assert_eq!(failure(outcome), (expected, status));
    }
    for task in [Task::Renew, Task::Refresh] {
        for text in [r#"{"success":false}"#, r#"{"detail":"no","code":"service_key_invalid"}"#] {
            let (_, outcome) = play(&service(), &task, vec![says(401, text)]);
            assert_eq!(failure(outcome), (Code::CredentialsRefused, Some(401)));
            let (_, outcome) = play(&service(), &task, vec![says(403, text)]);
            assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(403)));
        }
        for text in ["", "{}", HTML] {
            let (_, outcome) = play(&service(), &task, vec![says(401, text)]);
            assert_eq!(failure(outcome), (Code::UnexpectedResponse, Some(401)), "somebody in front");
        }
    }
    // It is asked for a new one once; then it has to be a good one.
    for (last, code) in [
        (vec![has_until("hidden-old", "2025-11-19T03:30:00+05:30")], Code::TokenRefused),
        (vec![has("hidden-bad"), refused()], Code::TokenRefused),
        (vec![says(200, "{}")], Code::NoTokenSource),
        (vec![says(200, r#"{"success":true,"access_token":"a b"}"#)], Code::NoTokenSource),
    ] {
        let answers = [vec![has("hidden-bad"), refused(), done()], last].concat();
        let (_, outcome) = play(&service_with_app(), &Task::Renew, answers);
        assert_eq!(failure(outcome).0, code);
    }
}

#[test]
fn a_check_believes_only_a_401() {
    let mut k = service();
    k.finish(Renew, Outcome::Granted(grant("hidden-held", k.now, secs(3600))), 2);
    let (calls, outcome) = play(&k, &Task::Check, vec![is_of("U1")]);
    assert_eq!(
        (lines(&calls), header(&calls[0], "authorization")),
        (vec![PROFILE.to_owned()], "Bearer hidden-held")
    );
    assert!(matches!(outcome, Outcome::Valid { user_id: Some(id) } if id == "U1"));
    for answer in invalid() {
        assert_eq!(failure(play(&k, &Task::Check, vec![answer]).1), (Code::TokenRefused, Some(401)));
    }
    for (answer, code, status) in disturbances()
        .into_iter()
        .chain([403, 401].map(|s| (says(s, "{}"), Code::UnexpectedResponse, Some(s))))
    {
        assert_eq!(failure(play(&k, &Task::Check, vec![answer]).1), (code, status));
    }
    assert_eq!(failure(play(&service(), &Task::Check, vec![]).1), (Code::NoTokenSource, None));
}

fn adopt(token: &str, expires_at: Option<&str>, user_id: Option<&str>) -> Task {
    Task::Adopt(protocol::Adopt {
        token: Secret::new(token),
        expires_at: expires_at.map(at),
        source: Source::Manual,
        user_id: user_id.map(Into::into),
        new_owner: false,
    })
}

#[test]
fn a_given_token_is_believed_when_upstox_confirms_it() {
    let (calls, outcome) = play(&service(), &adopt("hidden-given", None, None), vec![is_of("U9")]);
    assert_eq!(
        (lines(&calls), header(&calls[0], "authorization")),
        (vec![PROFILE.into()], "Bearer hidden-given")
    );
    let grant = granted(outcome);
    assert_eq!((grant.user_id.as_deref(), grant.expires_at), (Some("U9"), at("2025-11-20T03:30:00+05:30")));
    // Whose it has to be by the caller. Whose the account is, is decided about what comes.
    for (caller, answers, good) in
        [(None, "U1", true), (None, "U2", true), (Some("U2"), "U2", true), (Some("U2"), "U1", false)]
    {
        let k = Inputs::new(upstox_app());
        let (_, outcome) = play(&k, &adopt("hidden", None, caller), vec![is_of(answers)]);
        assert_eq!(matches!(outcome, Outcome::Granted(_)), good, "{caller:?} {answers}");
    }
    let (_, outcome) =
        play(&service(), &adopt("hidden", None, Some("U1")), vec![says(200, r#"{"data":{}}"#)]);
    assert_eq!(failure(outcome).0, Code::TokenRefused, "a profile without a user is nobody's");
    for (answer, code, status) in disturbances() {
        let (_, outcome) = play(&service(), &adopt("hidden", None, None), vec![answer]);
        assert_eq!(failure(outcome), (code, status), "unknown is neither good nor bad");
    }
    let (_, outcome) = play(&service(), &adopt("hidden", None, None), vec![refused()]);
    assert_eq!(failure(outcome), (Code::TokenRefused, Some(401)));
    // One that is over by anybody's word is not even asked about.
    let now = start();
    let old = jwt("old", now.minus(secs(90_000)), now.minus(secs(1)));
    for task in [adopt("hidden", Some("2025-11-19T09:59:59+05:30"), None), adopt(&old, None, None)] {
        assert_eq!(failure(play(&service(), &task, vec![]).1).0, Code::TokenRefused);
    }
}

#[test]
fn the_least_of_three_words_ends_a_token() {
    let end = |now: &str, token: &str, said: Option<&str>| {
        let mut k = service();
        k.now = at(now);
        granted(play(&k, &adopt(token, said, None), vec![is_of("U1")]).1).expires_at.rfc3339_ist()
    };
    let token = |from: &str, to: &str| jwt("t", at(from), at(to));
    let noon = "2025-11-19T12:00:00+05:30";
    let night = "2025-11-20T03:30:00+05:30";
    assert_eq!(end(noon, "opaque", None), night);
    assert_eq!(end(noon, "opaque", Some("2025-11-19T15:00:00Z")), "2025-11-19T20:30:00+05:30");
    assert_eq!(end(noon, "opaque", Some("2025-11-26T23:59:59Z")), night, "a day too many");
    assert_eq!(end(noon, &token(noon, "2025-11-19T18:00:00+05:30"), None), "2025-11-19T18:00:00+05:30");
    assert_eq!(end(noon, &token(noon, "2025-11-20T18:00:00+05:30"), None), night);
    // Issued yesterday evening, given this morning at three.
    let yesterday = token("2025-11-18T20:00:00+05:30", "2025-11-19T12:00:00Z");
    assert_eq!(end("2025-11-19T03:00:00+05:30", &yesterday, None), "2025-11-19T03:30:00+05:30");
    // A clock that is ahead does not lengthen it.
    let ahead = token("2025-11-19T03:31:00+05:30", "2025-11-19T21:00:00Z");
    assert_eq!(end("2025-11-19T03:29:00+05:30", &ahead, None), "2025-11-19T03:30:00+05:30");
    for (now, expected) in [
        ("2025-11-19T02:30:00+05:30", "2025-11-19T03:30:00+05:30"),
        ("2025-11-19T03:29:00+05:30", "2025-11-19T03:30:00+05:30"),
        ("2025-11-19T03:31:00+05:30", "2025-11-20T03:30:00+05:30"),
        ("2025-11-19T20:00:00+05:30", "2025-11-20T03:30:00+05:30"),
    ] {
        assert_eq!(end(now, "opaque", None), expected, "{now}");
    }
}
