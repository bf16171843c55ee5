//! Upstox: tokens of one trading day without a refresh token. They come from the internal token service, from an
//! authorization code, from the notifier webhook, or from a caller; Upstox itself is the authority on whether one is good.
//!
//! Over 400 lines: all ways to a token end in the same check, and each is read beside the others.

use super::backoff::Backoff;
use super::call::{
    Answer, Call, Code, Failure, Grant, Outcome, Script, Settled, Step, bearer, form_body, json, json_body,
};
use super::facturify::is_token;
use super::jwt;
use super::protocol::{Adopt, Exchange, Operation, Task};
use super::providers::{Provider, Rules};
use super::schedule::{upstox_end, upstox_renewal};
use super::service::Service;
use super::state::{Due, Held, Source, Tokens};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::jitter::Jitter;
use base::secret::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What an end of the day may be wrong by, as some say it.
const A_DAY: Duration = Duration::from_hours(24);
/// Timeouts of the internal token service: reading and refreshing.
const SERVICE_READ: Duration = Duration::from_secs(10);
const SERVICE_REFRESH: Duration = Duration::from_secs(15);

/// What all Upstox accounts share.
#[derive(Clone, Debug)]
pub struct Common {
    pub base_url: String,
    /// The internal token service.
    pub service: Option<Service>,
    pub timeout: Duration,
    pub backoff: Backoff,
    /// How long a caller waits for the quick tries.
    pub patience: Duration,
    /// How often a held token is held against the profile.
    pub check_every: Duration,
    /// Over how long the daily renewals of all accounts are spread.
    pub daily_spread: Duration,
    /// Most accounts that renew by themselves at the same time.
    pub at_once: u32,
}

impl Default for Common {
    fn default() -> Self {
        let backoff = Backoff { retries: 2, base_thousandths: 2000 };
        let (timeout, patience) = (Duration::from_secs(30), Duration::from_secs(15));
        let (check_every, daily_spread, at_once) = (Duration::from_mins(15), Duration::from_mins(1), 50);
        Self {
            base_url: String::new(),
            service: None,
            timeout,
            backoff,
            patience,
            check_every,
            daily_spread,
            at_once,
        }
    }
}

/// The account's app at Upstox, for the code exchange and for token requests.
#[derive(Clone, Debug)]
pub struct App {
    pub client_id: String,
    pub client_secret: Secret,
    pub redirect_uri: Option<String>,
    /// The Upstox user that tokens have to belong to.
    pub user_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Upstox {
    pub account: AccountName,
    pub common: Common,
    pub app: Option<App>,
    pub rules: Rules,
}

impl Upstox {
    pub fn new(account: AccountName, common: Common, app: Option<App>) -> Self {
        let rules = Rules {
            backoff: common.backoff,
            patience: common.patience,
            // Read, refresh, read again, and a profile after each read.
            calls_max: if common.service.is_some() { 5 } else { 1 },
            task_max: common.timeout * 2 + SERVICE_READ * 2 + SERVICE_REFRESH + Duration::from_secs(5),
            extends: false,
            automatic: common.service.is_some() || app.is_some(),
            by_approval: common.service.is_none() && app.is_some(),
            daily: true,
            checks: true,
            check_every: common.check_every,
        };
        Self { account, common, app, rules }
    }

    fn calls(&self, stage: Stage) -> Box<dyn Script> {
        Box::new(Calls { provider: self.clone(), stage, refreshed: false, candidate: None })
    }

    fn profile(&self, token: &Secret) -> Call {
        let headers = vec![
            bearer(token),
            ("accept", Secret::new("application/json")),
            ("api-version", Secret::new("2.0")),
        ];
        let url = format!("{}/v2/user/profile", self.common.base_url);
        Call { method: "GET", url, headers, body: None, binding: None, timeout: self.common.timeout }
    }

    /// What the internal service is asked.
    fn service(&self, method: &'static str, leaf: &str, timeout: Duration) -> Step {
        let path = format!("/accounts/{}/{leaf}", self.account);
        match &self.common.service {
            Some(service) => Step::Call(service.call(method, &path, timeout)),
            None => Step::Done(Outcome::Failed(Failure::new(Code::NoTokenSource))),
        }
    }

    fn exchange(&self, app: &App, code: &Secret, redirect_uri: Option<&str>) -> Call {
        let redirect_uri = redirect_uri.or(app.redirect_uri.as_deref()).unwrap_or_default();
        let (mut headers, body) = form_body(&[
            ("code", code.expose()),
            ("client_id", &app.client_id),
            ("client_secret", app.client_secret.expose()),
            ("redirect_uri", redirect_uri),
            ("grant_type", "authorization_code"),
        ]);
        headers.push(("accept", Secret::new("application/json")));
        let url = format!("{}/v2/login/authorization/token", self.common.base_url);
        Call { method: "POST", url, headers, body, binding: None, timeout: self.common.timeout }
    }

    fn request(&self, app: &App) -> Call {
        let (mut headers, body) = json_body(&json!({ "client_secret": app.client_secret.expose() }));
        headers.push(("accept", Secret::new("application/json")));
        let url = format!("{}/v3/login/auth/token/request/{}", self.common.base_url, app.client_id);
        Call { method: "POST", url, headers, body, binding: None, timeout: self.common.timeout }
    }
}

impl Provider for Upstox {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn script(&self, task: &Task, _held: Option<&Held>, tokens: Option<&Tokens>) -> Box<dyn Script> {
        let nothing = || Box::new(Settled(None)) as Box<dyn Script>;
        let has_service = self.common.service.is_some();
        match task {
            Task::Renew if has_service => self.calls(Stage::Read),
            Task::Obtain | Task::Refresh if has_service => self.calls(Stage::Refresh),
            Task::Renew | Task::Obtain | Task::Refresh | Task::Request => {
                if self.app.is_some() {
                    self.calls(Stage::Request)
                } else {
                    nothing()
                }
            }
            Task::Check => match tokens {
                Some(tokens) => self.calls(Stage::Check { token: tokens.access.clone() }),
                None => nothing(),
            },
            Task::Adopt(Adopt { token, expires_at, user_id, new_owner, .. }) => {
                let candidate = Candidate {
                    token: token.clone(),
                    said: *expires_at,
                    updated_by: None,
                    user_id: user_id.clone(),
                    new_owner: *new_owner,
                };
                self.calls(Stage::Adopt { candidate })
            }
            Task::Exchange(Exchange { code, redirect_uri }) => {
                if self.app.is_some() {
                    self.calls(Stage::Exchange { code: code.clone(), redirect_uri: redirect_uri.clone() })
                } else {
                    nothing()
                }
            }
        }
    }

    fn renewal(&self, _held: &Held, now: Timestamp, jitter: Jitter) -> Option<Due> {
        let at = upstox_renewal(now, self.common.daily_spread, jitter);
        self.rules.automatic.then_some(Due { at, operation: Operation::Refresh, source: Source::Refresh })
    }

    /// Not in the middle of the night, when the day's approval ends.
    fn ask_again(&self, _until: Timestamp, now: Timestamp, jitter: Jitter) -> Timestamp {
        upstox_renewal(now, self.common.daily_spread, jitter)
    }

    fn owner(&self) -> Option<&str> {
        self.app.as_ref()?.user_id.as_deref()
    }

    fn identity(&self) -> String {
        let app = self.app.as_ref().map(|a| (&a.client_id, &a.user_id));
        let service = Service::identity(self.common.service.as_ref());
        format!("{}\n{service}\n{app:?}", self.common.base_url)
    }

    fn settings(&self) -> String {
        let app = self.app.as_ref().map(|a| {
            let secret = a.client_secret.expose();
            format!("{}\n{secret}\n{:?}\n{:?}", a.client_id, a.redirect_uri, a.user_id)
        });
        let service = Service::settings(self.common.service.as_ref());
        format!("{}\n{service}\n{}", self.common.base_url, app.unwrap_or_default())
    }
}

/// A token that Upstox has not confirmed yet.
#[derive(Clone)]
struct Candidate {
    token: Secret,
    /// When it expires, by whoever gave it.
    said: Option<Timestamp>,
    updated_by: Option<String>,
    /// The user that it has to belong to.
    user_id: Option<String>,
    new_owner: bool,
}

impl Candidate {
    /// One of which nobody says more than it does itself.
    const fn of(token: Secret) -> Self {
        Self { token, said: None, updated_by: None, user_id: None, new_owner: false }
    }

    /// When the trading day of the token ends.
    fn day_ends(&self, now: Timestamp) -> Timestamp {
        // A clock that is ahead of ours must not lengthen the life.
        let issued_at = jwt::hints(&self.token).issued_at.map_or(now, |at| at.min(now));
        upstox_end(issued_at)
    }

    /// Extended and analytics tokens say themselves that they live longer than the day, by more than a slip of a day.
    fn is_extended(&self, now: Timestamp) -> bool {
        let longest = self.day_ends(now).plus(A_DAY);
        jwt::hints(&self.token).expires_at.is_some_and(|at| at > longest)
    }

    /// The least of what was said, what the JWT says, and the end of the trading day if it is a token of that.
    fn expires_at(&self, now: Timestamp) -> Timestamp {
        let hints = jwt::hints(&self.token);
        let day = if self.is_extended(now) { None } else { Some(self.day_ends(now)) };
        let end = day.or(hints.expires_at).unwrap_or(now);
        [self.said, hints.expires_at].into_iter().flatten().fold(end, Timestamp::min)
    }

    fn grant(&self, now: Timestamp, user_id: Option<String>, verified: bool) -> Grant {
        Grant {
            access: self.token.clone(),
            refresh: None,
            expires_at: self.expires_at(now),
            expires_in: None,
            provisional: false,
            extended: self.is_extended(now),
            with_extended: None,
            guessed: false,
            verified,
            user_id,
            new_owner: self.new_owner,
            updated_by: self.updated_by.clone(),
            retry_after: None,
        }
    }
}

enum Stage {
    /// What has the service got?
    Read,
    /// The service is to get a new one; then it is read.
    Refresh,
    /// A token that the service gave, held against Upstox.
    Confirm,
    Check {
        token: Secret,
    },
    Adopt {
        candidate: Candidate,
    },
    Exchange {
        code: Secret,
        redirect_uri: Option<String>,
    },
    Request,
}

struct Calls {
    provider: Upstox,
    stage: Stage,
    /// Whether the service has been asked for a new token in this task: it is asked once.
    refreshed: bool,
    candidate: Option<Candidate>,
}

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

impl Script for Calls {
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        match answer {
            None => self.begin(now),
            Some(answer) => self.go_on(answer, now).unwrap_or_else(|f| Step::Done(Outcome::Failed(f))),
        }
    }
}

impl Calls {
    fn begin(&mut self, now: Timestamp) -> Step {
        let p = &self.provider;
        let app = p.app.as_ref();
        match &self.stage {
            Stage::Read | Stage::Confirm => p.service("GET", "token", SERVICE_READ),
            Stage::Refresh => {
                self.refreshed = true;
                p.service("POST", "refresh", SERVICE_REFRESH)
            }
            Stage::Check { token } => Step::Call(p.profile(token)),
            Stage::Adopt { candidate } if candidate.expires_at(now) <= now => {
                Step::Done(Outcome::Failed(Failure::new(Code::TokenRefused)))
            }
            Stage::Adopt { candidate } => Step::Call(p.profile(&candidate.token)),
            Stage::Exchange { code, redirect_uri } => match app {
                Some(app) => Step::Call(p.exchange(app, code, redirect_uri.as_deref())),
                None => Step::Done(Outcome::Failed(Failure::new(Code::NoTokenSource))),
            },
            Stage::Request => match app {
                Some(app) => Step::Call(p.request(app)),
                None => Step::Done(Outcome::Failed(Failure::new(Code::NoTokenSource))),
            },
        }
    }

    fn go_on(&mut self, answer: Answer, now: Timestamp) -> Result<Step, Failure> {
        match &self.stage {
            Stage::Read => {
                let (status, body) = answer.read()?;
                match service_token(status, &body) {
                    Ok(candidate) if candidate.expires_at(now) > now && !candidate.is_extended(now) => {
                        Ok(self.confirm(candidate))
                    }
                    // It has none, or an old one: a new one is asked for, once.
                    Ok(_) | Err(Failure { code: Code::NoTokenSource, .. }) if !self.refreshed => {
                        Ok(self.refresh(now))
                    }
                    // One that does not trade is none.
                    Ok(candidate) if candidate.is_extended(now) => Err(Failure::new(Code::NoTokenSource)),
                    Ok(_) => Err(Failure::new(Code::TokenRefused)),
                    Err(failure) => Err(failure),
                }
            }
            Stage::Refresh => {
                let (status, body) = answer.read()?;
                if !(200..=299).contains(&status) {
                    return Err(service_refused(status, &body));
                }
                // Its body is optional. One that has the token, as another Sallyport's does, is taken at its word: what would be
                // read next may be the one before for a while. Else what counts is the token that is read next.
                match service_token(status, &body) {
                    Ok(candidate) if candidate.expires_at(now) > now && !candidate.is_extended(now) => {
                        Ok(self.confirm(candidate))
                    }
                    _ => {
                        self.stage = Stage::Read;
                        Ok(self.begin(now))
                    }
                }
            }
            Stage::Confirm => self.confirmed(answer, now),
            Stage::Check { .. } => Ok(Step::Done(Outcome::Valid { user_id: profile(answer, None)? })),
            Stage::Adopt { candidate } => {
                let user_id = profile(answer, candidate.user_id.as_deref())?;
                Ok(Step::Done(Outcome::Granted(candidate.grant(now, user_id, true))))
            }
            Stage::Exchange { .. } => exchanged(answer, now),
            Stage::Request => requested(answer, now),
        }
    }

    fn refresh(&mut self, now: Timestamp) -> Step {
        self.stage = Stage::Refresh;
        self.begin(now)
    }

    fn confirm(&mut self, candidate: Candidate) -> Step {
        let call = self.provider.profile(&candidate.token);
        self.candidate = Some(candidate);
        self.stage = Stage::Confirm;
        Step::Call(call)
    }

    fn confirmed(&mut self, answer: Answer, now: Timestamp) -> Result<Step, Failure> {
        let candidate = self.candidate.take().ok_or(Failure::new(Code::UnexpectedResponse))?;
        match profile(answer, candidate.user_id.as_deref()) {
            Ok(user_id) => Ok(Step::Done(Outcome::Granted(candidate.grant(now, user_id, true)))),
            Err(Failure { code: Code::TokenRefused, .. }) if !self.refreshed => Ok(self.refresh(now)),
            Err(failure) if failure.code == Code::TokenRefused => Err(failure),
            // Upstox could not say. The service's newest token may be the only one that works, so it is kept, and checked
            // later: unknown is not invalid.
            Err(_) => Ok(Step::Done(Outcome::Granted(candidate.grant(now, None, false)))),
        }
    }
}

fn exchanged(answer: Answer, now: Timestamp) -> Result<Step, Failure> {
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
fn service_token(status: u16, body: &Secret) -> Result<Candidate, Failure> {
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
fn service_refused(status: u16, body: &Secret) -> Failure {
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
fn profile(answer: Answer, expected: Option<&str>) -> Result<Option<String>, Failure> {
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

fn requested(answer: Answer, now: Timestamp) -> Result<Step, Failure> {
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
