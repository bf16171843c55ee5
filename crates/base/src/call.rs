//! Calls to upstreams and what came of them.

use crate::clock::{Timestamp, seconds_up};
use crate::secret::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One HTTP call to an upstream. Redirects are never followed: a credential goes to the host that it is for.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: &'static str,
    pub url: String,
    /// Names in lower case. Values may be secret, so they show as such.
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Option<Secret>,
    /// The binding of the Worker that it goes through, to a network of one's own. Never by another way, should that be closed.
    pub binding: Option<String>,
    /// From the beginning of the call to the last byte of its answer.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    Response {
        status: u16,
        /// `Retry-After` as a duration from now, whichever of its two forms it came in.
        retry_after: Option<Duration>,
        /// At most [`ANSWER_BYTES_MAX`]; a longer one counts as [`Answer::TooLong`].
        body: Secret,
    },
    TooLong,
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
}

/// Longest `Retry-After` that is believed: a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// `Retry-After` (RFC 9110 §10.2.3), in seconds or as a date: how long from now. Of what is neither, nothing.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds are a long time all the same.
        let seconds = Duration::from_secs(value.parse().unwrap_or(u64::MAX));
        return Some(seconds.min(RETRY_AFTER_MAX));
    }
    Some(Timestamp::parse_http_date(value)?.since(now).min(RETRY_AFTER_MAX))
}

/// Longest answer of an upstream that is read, in bytes. A token with its wrapping has about 2,000.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

crate::words! {
    /// Why there is no token. Stable names: they are stored, shown, and are codes of the HTTP interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Code {
        /// the upstream did not answer in time
        Timeout = "upstream_timeout",
        /// no connection to the upstream, or it broke
        Unreachable = "upstream_unreachable",
        /// the upstream answered 429
        RateLimited = "upstream_rate_limited",
        /// the upstream answered with a status of 500 or above
        ServerError = "upstream_error",
        /// the upstream's answer is not as expected: HTML, truncated JSON or JSON of another shape, a status without a meaning
        /// here, a token without a lifetime
        #[serde(rename = "unintelligible")]
        UnexpectedResponse = "upstream_unintelligible",
        /// the upstream answered with a redirect
        Redirected = "upstream_redirected",
        /// the upstream refuses the configured credentials; 401 on the Facturify routes
        CredentialsRefused = "upstream_credentials_refused",
        /// the upstream finds the request invalid; 422 on the Facturify routes
        InputRefused = "upstream_input_refused",
        /// the upstream refuses the refresh token; 422 if it was the caller's authorization code
        GrantRefused = "upstream_grant_refused",
        /// the upstream refuses its own token; 422 if the caller supplied it
        TokenRefused = "upstream_token_refused",
        /// the token belongs to another user than [the account's](keeper.md#token-owner); 422 if the caller supplied it
        OtherUser = "upstream_user_changed",
        /// an operation was interrupted, and its outcome is unknown
        Interrupted = "upstream_outcome_unknown",
        /// the stored token or external token [cannot be decrypted](keeper.md#unreadable-records)
        Unreadable = "credential_unreadable",
        /// [settings of this account](keeper.md#faulty-settings) are wrong; its status and the log say which
        Misconfigured = "account_misconfigured",
        /// there is no token, and no way to get one except that a caller supplies it; or the account has no app for the
        /// requested operation
        #[serde(rename = "no_means")]
        NoTokenSource = "token_unavailable",
        /// the account's owner has to approve a token first; 202 as the answer to a request for approval
        ApprovalPending = "approval_pending",
        /// too many [calls to the upstream](keeper.md#when-the-upstream-fails) have failed within an hour
        #[serde(rename = "budget_spent")]
        CallBudgetExhausted = "upstream_calls_spent",
    }
}

impl Code {
    /// Whether trying again with the same input cannot help, and may get an account locked.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::CredentialsRefused
                | Self::InputRefused
                | Self::GrantRefused
                | Self::Unreadable
                | Self::Misconfigured
        )
    }

    /// Whether the same may work a moment later: the upstream, or the way to it, was not well.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::Unreachable
                | Self::RateLimited
                | Self::ServerError
                | Self::UnexpectedResponse
                | Self::Redirected
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    /// What the upstream answered with, if it did.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub const fn new(code: Code) -> Self {
        Self { code, status: None, retry_after: None }
    }

    pub const fn with_status(code: Code, status: u16) -> Self {
        Self { code, status: Some(status), retry_after: None }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub who: String,
    pub request_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: Code,
    /// What the upstream answered with, if it did.
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let retry_after_seconds = failure.retry_after.map(|wait| seconds_up(wait).max(1));
        Self { code: failure.code, status: failure.status, retry_after_seconds }
    }
}

impl Answer {
    /// How soon it says to come again, whatever else it says.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response { retry_after, .. } => *retry_after,
            Self::TooLong | Self::TimedOut | Self::Unreachable => None,
        }
    }

    /// The status and the body of an answer that may be read on; else what it means for everybody. `final_401` says whether
    /// a 401 is about the configured credentials.
    pub fn read(self) -> Result<(u16, Secret), Failure> {
        match self {
            Self::TimedOut => Err(Failure::new(Code::Timeout)),
            Self::Unreachable => Err(Failure::new(Code::Unreachable)),
            Self::TooLong => Err(Failure::new(Code::UnexpectedResponse)),
            Self::Response { status, retry_after, body } => {
                let code = match status {
                    429 => Code::RateLimited,
                    300..=399 => Code::Redirected,
                    500.. => Code::ServerError,
                    _ => return Ok((status, body)),
                };
                Err(Failure { code, status: Some(status), retry_after })
            }
        }
    }
}

/// Reads JSON; anything else is not understood. A number that no number type holds (`1e400`) is read as `null`: what stands
/// beside it may be a token that is given once.
pub fn json<T: DeserializeOwned>(status: u16, body: &Secret) -> Result<T, Failure> {
    let text = body.expose();
    let read = crate::json::read(text).ok();
    let read = read.or_else(|| crate::json::read(&without_infinities(text)?).ok());
    read.ok_or(Failure::with_status(Code::UnexpectedResponse, status))
}

/// JSON with `null` for each number that is too large. Nothing, if there is none.
fn without_infinities(text: &str) -> Option<String> {
    let (mut finite, mut rest, mut found) = (String::new(), text, false);
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let is_text = from.starts_with('"');
        let length = if is_text { text_length(from) } else { number_length(from) };
        let (token, after) = from.split_at(length);
        let infinite = !is_text && token.parse::<f64>().is_ok_and(f64::is_infinite);
        found |= infinite;
        finite.push_str(before);
        finite.push_str(if infinite { "null" } else { token });
        rest = after;
    }
    finite.push_str(rest);
    found.then_some(finite)
}

/// The length of the JSON text that something begins with, quotation marks included.
fn text_length(from: &str) -> usize {
    let mut escaped = false;
    let end = from.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(from.len(), |at| at + 2)
}

/// The same of a JSON number.
fn number_length(from: &str) -> usize {
    from.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(from.len())
}

/// A JSON body.
pub fn json_body(value: &serde_json::Value) -> (Vec<(&'static str, Secret)>, Option<Secret>) {
    (vec![("content-type", Secret::new("application/json"))], Some(Secret::new(value.to_string())))
}

/// A form (RFC 6749 asks for it).
pub fn form_body(fields: &[(&str, &str)]) -> (Vec<(&'static str, Secret)>, Option<Secret>) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, value);
    }
    let headers = vec![("content-type", Secret::new("application/x-www-form-urlencoded"))];
    (headers, Some(Secret::new(form.finish())))
}

/// `Authorization: Bearer`.
pub fn bearer(token: &Secret) -> (&'static str, Secret) {
    ("authorization", Secret::new(format!("Bearer {}", token.expose())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In seconds, and in the three forms that a date of HTTP has (RFC 9110 §5.6.7).
    #[test]
    fn f28_retry_after_is_read_in_both_forms() {
        let now = Timestamp::parse_rfc3339("1994-11-06T08:49:07Z").unwrap();
        let seconds = |value: &str| retry_after(value, now).map(|wait| wait.as_secs());
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("86401", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("Mon, 07 Nov 2094 08:48:37 GMT", None),
            ("Sun, 07 Nov 2094 08:48:37 GMT", Some(86_400)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("1e3", None),
            ("in five minutes or so", None),
        ] {
            assert_eq!(seconds(value), expected, "{value}");
        }
    }
    use serde_json::{Value, json as value};

    fn read(text: &str) -> Option<Value> {
        json(200, &Secret::new(text)).ok()
    }

    #[test]
    fn a_number_that_is_too_large_costs_nothing_beside_it() {
        for number in ["1e400", "-1e400", "1.5E+999", "9e99999999999999999999"] {
            let text = format!(r#"{{"a":"t \" 1e400 \\","n":{number},"list":[{number}, 7 ],"é":"ü"}}"#);
            let expected = value!({ "a": "t \" 1e400 \\", "n": null, "list": [null, 7], "é": "ü" });
            assert_eq!(read(&text), Some(expected), "{number}");
        }
        assert_eq!(read("1e400"), Some(Value::Null));
        assert_eq!(read(r#"{"n":1e-400,"m":18446744073709551617}"#).unwrap()["n"], 0.0);
    }

    #[test]
    fn what_is_no_json_is_not_understood() {
        for text in
            ["", "<html>", r#"{"n":1e400"#, r#"{"n":1e400,}"#, r#"{"n":1e400,"a":"x"#, "1e400-", "--1e400"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
