//! How the answers of Upstox and of the internal service read.

use super::candidate::Candidate;
use crate::call::{Answer, Code, Failure, Grant, Outcome, Step, json};
use crate::facturify::is_token;
use crate::schedule::upstox_end;
use base::clock::Timestamp;
use base::secret::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct ServiceToken {
    #[serde(default)]
    success: bool,
    access_token: Option<String>,
    #[serde(default)]
    expires_at: serde_json::Value,
    #[serde(default)]
    updated_by: serde_json::Value,
}

#[derive(Deserialize)]
struct Profile {
    data: Option<ProfileData>,
}

#[derive(Deserialize)]
struct ProfileData {
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: Option<String>,
    /// One that reads, and outlives the day: not everybody gets one, and whatever stands here costs no token.
    #[serde(default)]
    extended_token: Value,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Requested {
    data: Option<RequestedData>,
}

#[derive(Deserialize)]
struct RequestedData {
    #[serde(default)]
    authorization_expiry: serde_json::Value,
}

pub(super) fn exchanged(answer: Answer, now: Timestamp) -> Result<Step, Failure> {
    let (status, body) = answer.read()?;
    if !(200..=299).contains(&status) {
        let own = matches!(status, 400 | 401) && is_own_error(&body);
        let code = if own { Code::GrantRefused } else { Code::UnexpectedResponse };
        return Err(Failure::with_status(code, status));
    }
    let unintelligible = Failure::with_status(Code::UnexpectedResponse, status);
    let given: Exchanged = json(status, &body)?;
    let token = Secret::new(given.access_token.filter(|t| is_token(t)).ok_or(unintelligible)?);
    let extended = given.extended_token.as_str().filter(|t| is_token(t)).map(Secret::new);
    let with_extended = extended.map(|token| {
        let candidate = Candidate::of(token);
        let expires_at = candidate.expires_at(now);
        (candidate.token, expires_at)
    });
    let with_extended = with_extended.filter(|(_, expires_at)| *expires_at > now);
    let grant = Candidate::of(token).grant(now, given.user_id, true);
    Ok(Step::Done(Outcome::Granted(Grant { with_extended, ..grant })))
}

/// The service's token, as yet unconfirmed. `success` false or missing means that it has none.
pub(super) fn service_token(status: u16, body: &Secret) -> Result<Candidate, Failure> {
    match status {
        200..=299 => {}
        404 => return Err(Failure::with_status(Code::NoTokenSource, status)),
        _ => return Err(service_refused(status, body)),
    }
    let given: ServiceToken = json(status, body)?;
    let token = given.access_token.filter(|t| given.success && is_token(t));
    let token = token.ok_or(Failure::with_status(Code::NoTokenSource, status))?;
    Ok(Candidate {
        token: Secret::new(token),
        said: given.expires_at.as_str().and_then(Timestamp::parse_rfc3339),
        updated_by: given.updated_by.as_str().map(|t| t.chars().take(100).collect()),
        user_id: None,
        new_owner: false,
    })
}

/// A refusal of the internal service is final if it is its own: 401 in its shape, or in ours, should it be another Sallyport.
pub(super) fn service_refused(status: u16, body: &Secret) -> Failure {
    let error = base::json::read::<Map<String, Value>>(body.expose()).unwrap_or_default();
    let is_text = |name: &str| error.get(name).is_some_and(Value::is_string);
    let own = error.get("success") == Some(&Value::Bool(false)) || (is_text("code") && is_text("detail"));
    let code = if status == 401 && own { Code::CredentialsRefused } else { Code::UnexpectedResponse };
    Failure::with_status(code, status)
}

/// Upstox's own way to refuse. A proxy's 401, or a page, is another one.
fn is_own_error(body: &Secret) -> bool {
    #[derive(Deserialize)]
    struct Error {
        status: String,
        errors: Vec<IgnoredAny>,
    }
    let error = base::json::read::<Error>(body.expose());
    error.is_ok_and(|error| error.status == "error" && !error.errors.is_empty())
}

/// What Upstox says of a token: whose it is. Its own 401 is the only way to say that it is not good.
pub(super) fn profile(answer: Answer, expected: Option<&str>) -> Result<Option<String>, Failure> {
    let (status, body) = answer.read()?;
    match status {
        200..=299 => {}
        401 if is_own_error(&body) => return Err(Failure::with_status(Code::TokenRefused, status)),
        _ => return Err(Failure::with_status(Code::UnexpectedResponse, status)),
    }
    let profile: Profile = json(status, &body)?;
    let data = profile.data.ok_or(Failure::with_status(Code::UnexpectedResponse, status))?;
    match expected {
        Some(expected) if data.user_id.as_deref() != Some(expected) => {
            Err(Failure::with_status(Code::TokenRefused, status))
        }
        _ => Ok(data.user_id),
    }
}

pub(super) fn requested(answer: Answer, now: Timestamp) -> Result<Step, Failure> {
    let (status, body) = answer.read()?;
    match status {
        200..=299 => {}
        400 | 401 if is_own_error(&body) => {
            return Err(Failure::with_status(Code::CredentialsRefused, status));
        }
        _ => return Err(Failure::with_status(Code::UnexpectedResponse, status)),
    }
    let given: Requested = json(status, &body)?;
    let data = given.data.ok_or(Failure::with_status(Code::UnexpectedResponse, status))?;
    let expiry = data.authorization_expiry;
    let millis = expiry.as_u64().or_else(|| expiry.as_str().and_then(|t| t.parse().ok()));
    // Without a believable end, the trading day's.
    let end = upstox_end(now);
    let until = millis.map(Timestamp::from_millis).filter(|at| *at > now && *at < end).unwrap_or(end);
    Ok(Step::Done(Outcome::Requested { until }))
}
