//! Any API behind OAuth 2.0: client credentials (RFC 6749 §4.4) or a refresh token (§6), which the server may rotate.

use super::call;
use super::call::{Answer, Call, Code, Failure, Outcome, Script, Settled, Step, form_body, json};
use super::facturify::is_token;
use super::life;
use super::protocol::{Operation, Task};
use super::providers::{Provider, Rules};
use super::schedule::before_expiry;
use super::state::{Due, Held, Source, Tokens};
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;
use base64ct::{Base64, Encoding};
use form_urlencoded::byte_serialize;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// RFC 6749 §5.1 only recommends `expires_in`. Without it a token is taken to live this long.
const LIFETIME_DEFAULT: Duration = Duration::from_hours(1);
/// The buffer before the expiry, or the last quarter of a shorter life.
const BUFFER: Duration = Duration::from_mins(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    ClientCredentials,
    RefreshToken,
}

/// How the client shows who it is (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    Basic,
    Body,
    /// A public client (§2.1), which has nothing to show.
    None,
}

/// One account, as it stands in the settings.
#[derive(Clone, Debug)]
pub struct Account {
    /// It may have a query (§3.2).
    pub token_url: String,
    pub grant: Grant,
    pub client_id: String,
    /// A public client has none.
    pub client_secret: Option<Secret>,
    pub client_auth: ClientAuth,
    pub scope: Option<String>,
    /// Longest that a token is believed to live, whatever the server says.
    pub lifetime_seconds: Option<u64>,
    /// The first refresh token. Once the server has rotated it, the newer one is used.
    pub refresh_token: Option<Secret>,
    /// What else is sent in the form: `audience` and `resource` (RFC 8707), each perhaps several times, and what this server wants
    /// besides.
    pub parameters: Vec<(String, Secret)>,
    /// Headers besides ours, which some servers go by.
    pub headers: Vec<(&'static str, Secret)>,
}

impl Account {
    /// What is sent besides, for a hash. Nothing if that is nothing, as a release that did not know of it has stored it.
    fn besides(&self) -> String {
        if self.parameters.is_empty() && self.headers.is_empty() {
            return String::new();
        }
        let parameters: Vec<_> =
            self.parameters.iter().map(|(name, v)| (name.as_str(), v.expose())).collect();
        let headers: Vec<_> = self.headers.iter().map(|(name, v)| (*name, v.expose())).collect();
        format!("\n{parameters:?}\n{headers:?}")
    }
}

#[derive(Clone, Debug)]
pub struct OAuth2 {
    pub account: Account,
    pub timeout: Duration,
    pub rules: Rules,
}

impl Provider for OAuth2 {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn script(&self, task: &Task, _held: Option<&Held>, tokens: Option<&Tokens>) -> Box<dyn Script> {
        let rotated = tokens.and_then(|t| t.refresh.clone());
        match task.operation() {
            Operation::Renew | Operation::Obtain | Operation::Refresh => {
                Box::new(Calls { provider: self.clone(), rotated, asked_at: Timestamp::default() })
            }
            _ => Box::new(Settled(None)),
        }
    }

    fn renewal(&self, held: &Held, _now: Timestamp, jitter: Jitter) -> Option<Due> {
        let at = before_expiry(held.obtained_at, held.expires_at, BUFFER, jitter);
        Some(Due { at, operation: Operation::Renew, source: Source::Refresh })
    }

    fn identity(&self) -> String {
        let lineage = self.lineage();
        let lineage = lineage.as_ref().map(Secret::expose);
        let a = &self.account;
        format!("{lineage:?}\n{:?}\n{:?}{}", a.grant, a.scope, a.besides())
    }

    fn settings(&self) -> String {
        let a = &self.account;
        let lineage = self.lineage();
        let secret = a.client_secret.as_ref().map(Secret::expose).unwrap_or_default();
        let lineage = lineage.as_ref().map(Secret::expose);
        format!("{lineage:?}\n{secret}\n{:?}\n{:?}\n{:?}{}", a.grant, a.client_auth, a.scope, a.besides())
    }

    /// The seed, the server and the client that it was given to (RFC 6749 §6); not the client's secret.
    fn lineage(&self) -> Option<Secret> {
        let a = &self.account;
        let seed = a.refresh_token.as_ref().map(Secret::expose).unwrap_or_default();
        Some(Secret::new(format!("{}\n{}\n{seed}", a.token_url, a.client_id)))
    }
}

struct Calls {
    provider: OAuth2,
    rotated: Option<Secret>,
    asked_at: Timestamp,
}

/// Whatever stands in its members: what is good is not lost because something beside it is odd.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenAnswer {
    access_token: Value,
    refresh_token: Value,
    expires_in: Value,
    /// RFC 6749 §5.2.
    error: Value,
}

impl Script for Calls {
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match answer {
            None => {
                self.asked_at = now;
                self.request()
            }
            Some(answer) => Step::Done(self.read(answer, now).unwrap_or_else(Outcome::Failed)),
        }
    }
}

impl Calls {
    fn request(&self) -> Step {
        let a = &self.provider.account;
        let mut fields: Vec<(&str, &str)> = Vec::new();
        match a.grant {
            Grant::ClientCredentials => fields.push(("grant_type", "client_credentials")),
            Grant::RefreshToken => {
                let token = self.rotated.as_ref().or(a.refresh_token.as_ref());
                fields.push(("grant_type", "refresh_token"));
                fields.push(("refresh_token", token.map(Secret::expose).unwrap_or_default()));
            }
        }
        if let Some(scope) = &a.scope {
            fields.push(("scope", scope));
        }
        let secret = a.client_secret.as_ref().map(Secret::expose).unwrap_or_default();
        match a.client_auth {
            ClientAuth::Basic => {}
            ClientAuth::Body => {
                fields.extend([("client_id", a.client_id.as_str()), ("client_secret", secret)]);
            }
            ClientAuth::None => fields.push(("client_id", &a.client_id)),
        }
        fields.extend(a.parameters.iter().map(|(name, value)| (name.as_str(), value.expose())));
        let (mut headers, body) = form_body(&fields);
        headers.push(("accept", Secret::new("application/json")));
        if a.client_auth == ClientAuth::Basic {
            // RFC 6749 §2.3.1 wants both form-encoded. That leaves `-`, `_` and `.` as they are, which also suits the many
            // servers that forget to decode: ids are often made of these.
            let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(&a.client_id), encode(secret));
            let basic = format!("Basic {}", Base64::encode_string(pair.as_bytes()));
            headers.push(("authorization", Secret::new(basic)));
        }
        headers.extend(a.headers.iter().cloned());
        Step::Call(Call {
            method: "POST",
            url: a.token_url.clone(),
            headers,
            body,
            binding: None,
            timeout: self.provider.timeout,
        })
    }
}

impl Calls {
    fn read(&self, answer: Answer, now: Timestamp) -> Result<Outcome, Failure> {
        let (status, body) = answer.read()?;
        let given: TokenAnswer = json(status, &body)?;
        if !(200..=299).contains(&status) {
            return Err(refused(status, given.error.as_str()));
        }
        let refresh = given.refresh_token.as_str().filter(|t| (1..=8192).contains(&t.len())).map(Secret::new);
        match self.granted(&given, status, now) {
            Ok(grant) => Ok(Outcome::Granted(call::Grant { refresh, ..grant })),
            // The one before it may be void: it is kept whatever else is wrong.
            Err(failure) => match refresh {
                Some(refresh) => Ok(Outcome::Rotated { refresh, failure }),
                None => Err(failure),
            },
        }
    }

    fn granted(&self, given: &TokenAnswer, status: u16, now: Timestamp) -> Result<call::Grant, Failure> {
        // Some say with 200 what RFC 6749 §5.2 has 400 for.
        if let Some(error) = given.error.as_str().filter(|error| !error.is_empty()) {
            return Err(refused(status, Some(error)));
        }
        let access = given.access_token.as_str().filter(|t| is_token(t));
        let access = Secret::new(access.ok_or(Failure::with_status(Code::UnexpectedResponse, status))?);
        let most = self.provider.account.lifetime_seconds.map(Duration::from_secs);
        let life = life::of(&given.expires_in, &access, most, LIFETIME_DEFAULT, (self.asked_at, now));
        Ok(call::Grant::given(access, life))
    }
}

/// RFC 6749 §5.2. Final is what the server itself says is final: an error of its list, with a status that is its own. A 403,
/// a page, and what a proxy in front answers are weather.
fn refused(status: u16, error: Option<&str>) -> Failure {
    let own = matches!(status, 200..=299 | 400 | 401 | 422);
    let code = match error.filter(|_| own) {
        Some("invalid_grant") => Code::GrantRefused,
        Some("invalid_client" | "unauthorized_client") => Code::CredentialsRefused,
        Some("invalid_request" | "invalid_scope" | "unsupported_grant_type") => Code::InputRefused,
        _ => Code::UnexpectedResponse,
    };
    Failure::with_status(code, status)
}
