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
    let (_, outcome) = play(&k, &task(None), vec![other]);
    let verdict = Inputs::new(upstox_app()).finish(protocol::Operation::Exchange, outcome, 1);
    assert_eq!(super::test_support::refused(verdict).0, Code::OtherUser, "somebody else's");
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

/// The `extended_token` beside the token of the day: it is kept as what it is, whatever stands there costs no token, and it is
/// nobody's who wants to trade.
#[test]
fn f25_the_extended_token_of_an_exchange_is_kept_beside_the_other() {
    let task = Task::Exchange(protocol::Exchange { code: Secret::new("hidden-code"), redirect_uri: None });
    let exchanged = |extended: &str| {
        let mut k = Inputs::new(upstox_app());
        let text = format!(r#"{{"user_id":"U1","access_token":"hidden-day","extended_token":{extended}}}"#);
        let (_, outcome) = play(&k, &task, vec![says(200, &text)]);
        assert!(matches!(k.finish(protocol::Operation::Exchange, outcome, 1), Verdict::Serve));
        k
    };
    let year = start().plus(secs(365 * 86_400));
    let day = at("2025-11-20T03:30:00+05:30");
    let long = jwt("e", start(), year);
    for (token, end) in [(long.as_str(), year), ("hidden-opaque", day)] {
        let k = exchanged(&format!("\"{token}\""));
        let extended = k.account.extended.clone().unwrap();
        assert_eq!((extended.expires_at, extended.source), (end, Source::Exchange), "{token}");
        let tokens = k.tokens.unwrap();
        assert_eq!(tokens.extended.unwrap().expose(), token);
        assert_eq!((tokens.access.expose(), k.account.held.unwrap().expires_at), ("hidden-day", day));
    }
    let over = format!("\"{}\"", jwt("e", start(), start()));
    for none in ["null", "7", "1e400", "[]", "\"\"", "\"a b\"", over.as_str()] {
        let k = exchanged(none);
        assert!(k.account.extended.is_none() && k.account.held.is_some(), "{none}");
    }
    // Of another user than the account's, neither is taken.
    let mut k = Inputs::new(upstox_app());
    let text = format!(r#"{{"user_id":"U2","access_token":"hidden-day","extended_token":"{long}"}}"#);
    let (_, outcome) = play(&k, &task, vec![says(200, &text)]);
    k.finish(protocol::Operation::Exchange, outcome, 1);
    assert!(k.account.extended.is_none() && k.tokens.is_none());
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

/// The account is the first user's that a token was of, or the one's that the settings name; another's token is refused and told
/// of, however it comes. To change the owner is an act of its own.
#[test]
fn f25_the_owner_is_pinned() {
    use super::alert::Kind;
    use super::decide::Verdict;
    use super::protocol::Operation::{Adopt, Check, Exchange, Renew};
    let of = |k: &Inputs, user: &str, new_owner: bool| {
        let grant = grant(user, k.now, secs(3600));
        Outcome::Granted(Grant { user_id: Some(user.to_owned()), new_owner, ..grant })
    };
    let mut k = Inputs::new(upstox());
    let first = of(&k, "U1", false);
    assert!(matches!(k.finish(Adopt, first, 1), Verdict::Serve));
    assert_eq!(k.account.owner.as_deref(), Some("U1"));
    for operation in [Adopt, Exchange, Renew] {
        let stranger = of(&k, "U2", false);
        assert_eq!(super::test_support::refused(k.finish(operation, stranger, 1)).0, Code::OtherUser);
        let held = k.account.held.clone().unwrap();
        assert_eq!((held.user_id.as_deref(), held.generation), (Some("U1"), 1), "{operation:?}");
        assert_eq!(k.tokens.as_ref().unwrap().access.expose(), "U1");
    }
    assert_eq!(k.alerts(), [Kind::OtherUser], "told of, and not once for each");
    // A token whose user was not known when it was taken over, and turns out to be a stranger's.
    let mut k = Inputs::new(upstox());
    k.account.owner = Some("U1".to_owned());
    let unknown = Outcome::Granted(Grant { verified: false, ..grant("t", k.now, secs(3600)) });
    k.finish(Renew, unknown, 2);
    let verdict = k.finish(Check, Outcome::Valid { user_id: Some("U2".to_owned()) }, 1);
    assert_eq!(super::test_support::refused(verdict).0, Code::OtherUser);
    assert!(k.account.live(k.now).is_none() && k.alerts() == [Kind::OtherUser]);
    // The explicit act.
    let mut k = Inputs::new(upstox());
    for (user, new_owner) in [("U1", false), ("U2", true), ("U2", false)] {
        let outcome = of(&k, user, new_owner);
        assert!(matches!(k.finish(Adopt, outcome, 1), Verdict::Serve));
        assert_eq!(k.account.owner.as_deref(), Some(user));
    }
    // Not against the settings.
    let mut k = Inputs::new(upstox_app());
    for new_owner in [false, true] {
        let outcome = of(&k, "U2", new_owner);
        assert_eq!(super::test_support::refused(k.finish(Adopt, outcome, 1)).0, Code::OtherUser);
    }
    let outcome = of(&k, "U1", false);
    assert!(matches!(k.finish(Adopt, outcome, 1), Verdict::Serve));
    // Another identity has another owner.
    k.identity = "another".into();
    k.settings = "another".into();
    k.look();
    assert_eq!(k.account.owner, None);
    // An account of a release before has the owner of its token.
    let mut k = Inputs::new(upstox());
    let outcome = of(&k, "U1", false);
    k.finish(Adopt, outcome, 1);
    k.account.owner = None;
    let stranger = of(&k, "U2", false);
    assert_eq!(super::test_support::refused(k.finish(Adopt, stranger, 1)).0, Code::OtherUser);
}
