//! What a provider asks of the network, and what comes of it. A [`Script`] is the calls of one task, one after the other:
//! it is given each answer and says what is next, so that it is plain logic and the network is somebody else's.

use crate::clock::Timestamp;
use crate::secret::Secret;
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

/// Longest answer of an upstream that is read, in bytes. A token with its wrapping has about 2,000.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why there is no token. Stable names: they are stored, shown, and are codes of the HTTP interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Timeout,
    Unreachable,
    RateLimited,
    /// A status from 500 on.
    ServerError,
    /// HTML, JSON that is cut off or of another shape, a status that means nothing here, a token without a life.
    Unintelligible,
    /// It wants to send us elsewhere.
    Redirected,
    /// The configured credentials: final.
    CredentialsRefused,
    /// The upstream finds the input invalid: final.
    InputRefused,
    /// RFC 6749 §5.2 `invalid_grant`, or a used authorization code: final.
    GrantRefused,
    /// The upstream does not accept this token.
    TokenRefused,
    /// Whoever was making the calls is gone, and nobody knows how far they came.
    Interrupted,
    /// What is stored cannot be opened: changed, or sealed under a key that is not configured.
    Unreadable,
    /// There is no token, and no way to get one but to be given one.
    NoMeans,
    /// Approval was asked for and has not come.
    ApprovalPending,
    /// The hour's calls are used up.
    BudgetSpent,
}

impl Code {
    /// Whether trying again with the same input cannot help, and may get an account locked.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::CredentialsRefused | Self::InputRefused | Self::GrantRefused | Self::Unreadable)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "upstream_timeout",
            Self::Unreachable => "upstream_unreachable",
            Self::RateLimited => "upstream_rate_limited",
            Self::ServerError => "upstream_error",
            Self::Unintelligible => "upstream_unintelligible",
            Self::Redirected => "upstream_redirected",
            Self::CredentialsRefused => "upstream_credentials_refused",
            Self::InputRefused => "upstream_input_refused",
            Self::GrantRefused => "upstream_grant_refused",
            Self::TokenRefused => "upstream_token_refused",
            Self::Interrupted => "upstream_outcome_unknown",
            Self::Unreadable => "credential_unreadable",
            Self::NoMeans => "token_unavailable",
            Self::ApprovalPending => "approval_pending",
            Self::BudgetSpent => "upstream_calls_spent",
        }
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

/// A token that was got.
#[derive(Clone, Debug)]
pub struct Grant {
    pub access: Secret,
    /// A refresh token that replaces the one before it.
    pub refresh: Option<Secret>,
    pub expires_at: Timestamp,
    /// The lifetime as the upstream gave it, in seconds, if it did.
    pub expires_in: Option<u64>,
    /// A short-lived token that is meant to be changed for a long one at once.
    pub provisional: bool,
    /// Whether the upstream has confirmed it. `false`: it could not be asked.
    pub verified: bool,
    pub user_id: Option<String>,
    /// Who the source says renewed it.
    pub updated_by: Option<String>,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Granted(Grant),
    /// The held token is accepted.
    Valid {
        user_id: Option<String>,
    },
    /// Approval was asked for; the token comes on another way, or not, until then.
    Requested {
        until: Timestamp,
    },
    Failed(Failure),
}

pub enum Step {
    Call(Call),
    Done(Outcome),
}

/// The calls of one task.
pub trait Script {
    /// First without an answer, then with the answer to each call, until it is done.
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step;
}

/// A script that has nothing to call.
pub struct Settled(pub Option<Outcome>);

impl Script for Settled {
    fn next(&mut self, _answer: Option<Answer>, _now: Timestamp) -> Step {
        Step::Done(self.0.take().unwrap_or(Outcome::Failed(Failure::new(Code::NoMeans))))
    }
}

impl Answer {
    /// The status and the body of an answer that may be read on; else what it means for everybody. `final_401` says whether
    /// a 401 is about the configured credentials.
    pub fn read(self) -> Result<(u16, Secret), Failure> {
        match self {
            Self::TimedOut => Err(Failure::new(Code::Timeout)),
            Self::Unreachable => Err(Failure::new(Code::Unreachable)),
            Self::TooLong => Err(Failure::new(Code::Unintelligible)),
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

/// Reads JSON; anything else is not understood.
pub fn json<'a, T: Deserialize<'a>>(status: u16, body: &'a Secret) -> Result<T, Failure> {
    serde_json::from_str(body.expose()).map_err(|_| Failure::with_status(Code::Unintelligible, status))
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
