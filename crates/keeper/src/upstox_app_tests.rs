//! Upstox without the internal service: the authorization code and the approval.

use super::play_support::*;
use super::test_support::*;
use super::*;
use base::clock::Timestamp;
use base::secret::Secret;

const REQUEST: &str = "POST https://api.upstox.com/v3/login/auth/token/request/app-1";
const EXCHANGE: &str = "POST https://api.upstox.com/v2/login/authorization/token";

#[test]
fn a_code_is_exchanged_once() {
    let k = Inputs::new(upstox_app());
    let task = |to: Option<&str>| {
        Task::Exchange(protocol::Exchange {
            code: Secret::new("hidden-code"),
            redirect_uri: to.map(Into::into),
        })
    };
    let good = r#"{"user_id":"U1","email":"x@y","access_token":"hidden-new","extended_token":null}"#;
    for (given, used) in [(None, "https%3A%2F%2Fme%2Fcb"), (Some("https://me/2"), "https%3A%2F%2Fme%2F2")] {
        let (calls, outcome) = play(&k, &task(given), vec![says(200, good)]);
        assert_eq!(lines(&calls), [EXCHANGE]);
        let form = "code=hidden-code&client_id=app-1&client_secret=app-hidden&redirect_uri=";
        assert_eq!(body(&calls[0]), format!("{form}{used}&grant_type=authorization_code"));
        assert_eq!(header(&calls[0], "content-type"), "application/x-www-form-urlencoded");
        let grant = granted(outcome);
        assert_eq!((grant.access.expose(), grant.user_id.as_deref()), ("hidden-new", Some("U1")));
    }
    for status in [400, 401] {
        let bad = says(status, r#"{"status":"error","errors":[{"errorCode":"UDAPI100057"}]}"#);
        assert_eq!(failure(play(&k, &task(None), vec![bad]).1), (Code::GrantRefused, Some(status)));
    }
    let unsaid = says(200, r#"{"access_token":"hidden-new"}"#);
    assert_eq!(
        granted(play(&k, &task(None), vec![unsaid]).1).access.expose(),
        "hidden-new",
        "nobody's in particular"
    );
    let other = says(200, &good.replace("U1", "U2"));
    assert_eq!(failure(play(&k, &task(None), vec![other]).1).0, Code::TokenRefused, "somebody else's");
    for (answer, code, status) in disturbances() {
        // One call each: `play` would complain of a second one.
        assert_eq!(failure(play(&k, &task(None), vec![answer]).1), (code, status));
    }
    assert_eq!(
        failure(play(&Inputs::new(upstox()), &task(None), vec![]).1).0,
        Code::NoTokenSource,
        "without an app"
    );
}

#[test]
fn an_approval_is_asked_for() {
    let k = Inputs::new(upstox_app());
    let until = |text: &str| match play(&k, &Task::Request, vec![says(200, text)]).1 {
        Outcome::Requested { until, .. } => until,
        other => panic!("{other:?}"),
    };
    let end = at("2025-11-20T03:30:00+05:30");
    let soon = k.now.plus(secs(600));
    let with = |expiry: &str| {
        format!(r#"{{"status":"success","data":{{"authorization_expiry":{expiry},"notifier_url":"u"}}}}"#)
    };
    for (expiry, expected) in [
        (format!("\"{}\"", soon.millis()), soon),
        (soon.millis().to_string(), soon),
        (format!("\"{}\"", k.now.minus(secs(1)).millis()), end),
        // The moment of the answer.
        (k.now.plus(secs(1)).millis().to_string(), end),
        (format!("\"{}\"", Timestamp::from_millis(u64::MAX).millis()), end),
        ("\"tomorrow\"".to_owned(), end),
        ("null".to_owned(), end),
    ] {
        assert_eq!(until(&with(&expiry)), expected, "{expiry}");
    }
    assert_eq!(until(r#"{"status":"success","data":{}}"#), end);
    for task in [Task::Renew, Task::Obtain, Task::Refresh, Task::Request] {
        let (calls, _) = play(&k, &task, vec![says(200, &with("null"))]);
        assert_eq!(
            (lines(&calls), body(&calls[0])),
            (vec![REQUEST.into()], r#"{"client_secret":"app-hidden"}"#)
        );
    }
    let own = r#"{"status":"error","errors":[{"errorCode":"UDAPI100016"}]}"#;
    for (status, text, code) in [
        (400, own, Code::CredentialsRefused),
        (401, own, Code::CredentialsRefused),
        (403, own, Code::UnexpectedResponse),
        (401, HTML, Code::UnexpectedResponse),
    ] {
        let (_, outcome) = play(&k, &Task::Request, vec![says(status, text)]);
        assert_eq!(failure(outcome), (code, Some(status)));
    }
    for (answer, code, status) in disturbances() {
        assert_eq!(failure(play(&k, &Task::Request, vec![answer]).1), (code, status));
    }
    for task in [Task::Renew, Task::Obtain, Task::Refresh, Task::Request] {
        let (_, outcome) = play(&Inputs::new(upstox_manual()), &task, vec![]);
        assert_eq!(failure(outcome), (Code::NoTokenSource, None));
    }
}
