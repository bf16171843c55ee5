//! Upstox: tokens of one trading day without a refresh token. They come from the internal token service, from an
//! authorization code, from the notifier webhook, or from a caller; Upstox itself is the authority on whether one is good.
//!
//! Here: the accounts' settings, and each call. All ways to a token are in `script` and end in the same check.

mod answers;
mod candidate;
mod script;

use super::backoff::Backoff;
use super::call::{Call, Code, Failure, Outcome, Script, Settled, Step, bearer, form_body, json_body};
use super::protocol::{Adopt, Exchange, Operation, Task};
use super::providers::{Provider, Rules};
use super::schedule::upstox_renewal;
use super::service::Service;
use super::state::{Due, Held, Source, Tokens};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::jitter::Jitter;
use base::secret::Secret;
use candidate::Candidate;
use script::{Calls, Stage};
use serde_json::json;
use std::time::Duration;

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
