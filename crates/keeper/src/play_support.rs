//! Plays a provider's script against answers.

use super::test_support::{Inputs, secs};
use super::*;
use base::clock::Timestamp;
use base::secret::Secret;

/// An answer with this body.
pub(super) fn says(status: u16, body: &str) -> Answer {
    Answer::Response { status, retry_after: None, body: Secret::new(body) }
}

pub(super) const HTML: &str = "<html><body>Bad gateway</body></html>";

/// What every upstream may do instead of answering, and what is made of it.
pub(super) fn disturbances() -> Vec<(Answer, Code, Option<u16>)> {
    let limited = Answer::Response {
        status: 429,
        retry_after: Some(secs(77)),
        body: Secret::new("<html>slow down</html>"),
    };
    vec![
        (Answer::TimedOut, Code::Timeout, None),
        (Answer::Unreachable, Code::Unreachable, None),
        (Answer::TooLong, Code::UnexpectedResponse, None),
        (limited, Code::RateLimited, Some(429)),
        (says(500, HTML), Code::ServerError, Some(500)),
        (says(503, ""), Code::ServerError, Some(503)),
        (says(301, ""), Code::Redirected, Some(301)),
        (says(307, ""), Code::Redirected, Some(307)),
        (says(200, HTML), Code::UnexpectedResponse, Some(200)),
        (says(200, "{\"jwt\":{\"tok"), Code::UnexpectedResponse, Some(200)),
        (says(200, ""), Code::UnexpectedResponse, Some(200)),
        (says(200, "[]"), Code::UnexpectedResponse, Some(200)),
        (says(404, HTML), Code::UnexpectedResponse, Some(404)),
        (says(405, ""), Code::UnexpectedResponse, Some(405)),
    ]
}

/// A JWT that nobody has signed.
pub(super) fn jwt(name: &str, issued_at: Timestamp, expires_at: Timestamp) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let claims =
        format!(r#"{{"jti":"{name}","iat":{},"exp":{}}}"#, issued_at.seconds(), expires_at.seconds());
    format!("h.{}.hidden", Base64UrlUnpadded::encode_string(claims.as_bytes()))
}

/// A script from its beginning to its end, each answer a second after its call.
pub(super) fn play(k: &Inputs, task: &Task, answers: Vec<Answer>) -> (Vec<Call>, Outcome) {
    let mut script = k.provider.script(task, k.account.held.as_ref(), k.tokens.as_ref());
    let (mut calls, mut answers, mut answer) = (Vec::new(), answers.into_iter(), None);
    let mut now = k.now;
    loop {
        match script.next(answer.take(), now) {
            Step::Call(call) => {
                let shown = format!("{call:?}");
                assert!(!shown.contains("hidden"), "{shown}");
                answer = Some(answers.next().unwrap_or_else(|| panic!("one call too many: {shown}")));
                calls.push(call);
                now = now.plus(secs(1));
            }
            Step::Done(outcome) => {
                assert_eq!(answers.count(), 0, "answers that nobody asked for");
                let shown = format!("{outcome:?}{task:?}{:?}{:?}", k.provider, k.tokens);
                assert!(!shown.contains("hidden"), "{shown}");
                assert!(calls.len() <= k.provider.rules().calls_max, "{calls:?}");
                return (calls, outcome);
            }
        }
    }
}

/// Method and address of each call.
pub(super) fn lines(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|c| format!("{} {}", c.method, c.url)).collect()
}

pub(super) fn header<'a>(call: &'a Call, name: &str) -> &'a str {
    call.headers.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value.expose())
}

pub(super) fn body(call: &Call) -> &str {
    call.body.as_ref().map_or("", Secret::expose)
}

pub(super) fn granted(outcome: Outcome) -> Grant {
    match outcome {
        Outcome::Granted(grant) => grant,
        other => panic!("no token: {other:?}"),
    }
}

pub(super) fn failure(outcome: Outcome) -> (Code, Option<u16>) {
    match outcome {
        Outcome::Failed(failure) => (failure.code, failure.status),
        other => panic!("no failure: {other:?}"),
    }
}
