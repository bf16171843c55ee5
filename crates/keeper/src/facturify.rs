//! Facturify: a key and a secret give a token of minutes, which at once is changed for one of hours.
//! The address, the fields and the lifetimes are in `docs/keeper.md`.

use super::call::{
    Answer, Call, Code, Failure, Grant, Outcome, Script, Settled, Step, bearer, json, json_body,
};
use super::life;
use super::protocol::{Operation, Task};
use super::providers::{Provider, Rules};
use super::schedule::before_expiry;
use super::state::{Due, Held, Source, Tokens};
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A token that lives shorter than this is one to be changed at once.
const PROVISIONAL_MAX: Duration = Duration::from_mins(5);
/// What its tokens are documented to live, should it not say so: an obtained one, and one that another was changed for.
const SHORT_LIFE: Duration = Duration::from_mins(4);
const LONG_LIFE: Duration = Duration::from_hours(12);
/// How long after a short token its change for a long one follows.
const CHANGE_AFTER: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshMethod {
    Get,
    Post,
}

#[derive(Clone, Debug)]
pub struct Facturify {
    pub base_url: String,
    pub api_key: Secret,
    pub api_secret: Secret,
    pub timeout: Duration,
    pub buffer: Duration,
    /// Longest that a token is believed to live.
    pub lifetime_max: Duration,
    pub refresh_method: RefreshMethod,
    pub rules: Rules,
}

impl Provider for Facturify {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn script(&self, task: &Task, held: Option<&Held>, tokens: Option<&Tokens>) -> Box<dyn Script> {
        // Only a token that is still alive can be changed for another.
        let token = tokens.map(|t| t.access.clone()).filter(|_| held.is_some());
        let expires_at = held.map(|h| h.expires_at).unwrap_or_default();
        let (first, then_refresh) = match task.operation() {
            Operation::Renew => (Stage::Refresh { alone: false }, false),
            Operation::Refresh => (Stage::Refresh { alone: false }, true),
            Operation::Obtain => (Stage::Obtain, false),
            _ => return Box::new(Settled(None)),
        };
        Box::new(Calls {
            provider: self.clone(),
            stage: first,
            token,
            expires_at,
            then_refresh,
            obtained: None,
            asked_at: Timestamp::default(),
        })
    }

    fn renewal(&self, held: &Held, now: Timestamp, jitter: Jitter) -> Option<Due> {
        let at = if held.provisional {
            held.obtained_at.plus(CHANGE_AFTER.min(held.lifetime() / 4)).max(now)
        } else {
            before_expiry(held.obtained_at, held.expires_at, self.buffer, jitter)
        };
        Some(Due { at, operation: Operation::Renew, source: Source::Refresh })
    }

    fn identity(&self) -> String {
        format!("{}\n{}", self.base_url, self.api_key.expose())
    }

    fn settings(&self) -> String {
        let (key, secret) = (self.api_key.expose(), self.api_secret.expose());
        format!("{}\n{key}\n{secret}\n{:?}", self.base_url, self.refresh_method)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// `alone`: a short token was just obtained, and is kept whatever comes of this.
    Refresh {
        alone: bool,
    },
    Obtain,
}

/// Refresh if there is something to refresh, obtain if that is refused; for a demanded refresh, refresh what was obtained.
struct Calls {
    provider: Facturify,
    stage: Stage,
    token: Option<Secret>,
    expires_at: Timestamp,
    then_refresh: bool,
    obtained: Option<Grant>,
    /// When the call under way was made. A lifetime counts from when the token was made, which was after it.
    asked_at: Timestamp,
}

#[derive(Deserialize)]
struct Body {
    jwt: Option<Token>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    #[serde(default)]
    expires_in: Value,
}

impl Script for Calls {
    fn next(&mut self, answer: Option<Answer>, now: Timestamp) -> Step {
        let asked_at = std::mem::replace(&mut self.asked_at, now);
        let Some(answer) = answer else { return self.begin(now) };
        match (self.stage, self.read(answer, asked_at, now)) {
            (Stage::Obtain, Ok(grant)) if self.then_refresh && grant.provisional => {
                self.token = Some(grant.access.clone());
                self.obtained = Some(grant);
                self.refresh(true)
            }
            (_, Ok(grant)) => Step::Done(Outcome::Granted(grant)),
            // The token is not known any more, not the credentials: they are asked about next.
            (Stage::Refresh { alone: false }, Err(Failure { status: Some(401 | 403), .. })) => self.obtain(),
            (_, Err(failure)) => Step::Done(match self.obtained.take() {
                Some(grant) => Outcome::Granted(grant),
                None => Outcome::Failed(failure),
            }),
        }
    }
}

impl Calls {
    fn begin(&mut self, now: Timestamp) -> Step {
        match self.stage {
            Stage::Refresh { .. } if self.token.is_some() && self.expires_at > now => self.refresh(false),
            _ => self.obtain(),
        }
    }

    fn obtain(&mut self) -> Step {
        self.stage = Stage::Obtain;
        let p = &self.provider;
        let (headers, body) =
            json_body(&json!({ "api_key": p.api_key.expose(), "api_secret": p.api_secret.expose() }));
        self.call("POST", "/api/v1/auth", headers, body)
    }

    fn refresh(&mut self, alone: bool) -> Step {
        self.stage = Stage::Refresh { alone };
        let method = match self.provider.refresh_method {
            RefreshMethod::Get => "GET",
            RefreshMethod::Post => "POST",
        };
        let headers = self.token.iter().map(bearer).collect();
        self.call(method, "/api/v1/token/refresh", headers, None)
    }

    fn call(
        &self,
        method: &'static str,
        path: &str,
        mut headers: Vec<(&'static str, Secret)>,
        body: Option<Secret>,
    ) -> Step {
        headers.push(("accept", Secret::new("application/json")));
        let url = format!("{}{path}", self.provider.base_url);
        Step::Call(Call { method, url, headers, body, binding: None, timeout: self.provider.timeout })
    }

    fn read(&self, answer: Answer, asked_at: Timestamp, now: Timestamp) -> Result<Grant, Failure> {
        let (status, body) = answer.read()?;
        match status {
            200..=299 => {}
            401 if is_own_error(&body) => return Err(Failure::with_status(Code::CredentialsRefused, status)),
            422 if is_own_error(&body) => return Err(Failure::with_status(Code::InputRefused, status)),
            _ => return Err(Failure::with_status(Code::UnexpectedResponse, status)),
        }
        let unintelligible = Failure::with_status(Code::UnexpectedResponse, status);
        let token = json::<Body>(status, &body)?.jwt.ok_or(unintelligible)?;
        let access = Secret::new(token.token.filter(|t| is_token(t)).ok_or(unintelligible)?);
        let obtained = self.stage == Stage::Obtain;
        let (most, otherwise) = (self.provider.lifetime_max, if obtained { SHORT_LIFE } else { LONG_LIFE });
        let life = life::of(&token.expires_in, &access, Some(most), otherwise, (asked_at, now));
        let lifetime = life.said.unwrap_or(life.expires_at.since(asked_at));
        let provisional = obtained && lifetime < PROVISIONAL_MAX;
        Ok(Grant { provisional, ..Grant::given(access, life) })
    }
}

/// Facturify's own way to refuse. A proxy's 401, a gateway's, or a page is another one.
fn is_own_error(body: &Secret) -> bool {
    let error = base::json::read::<Map<String, Value>>(body.expose()).unwrap_or_default();
    error.get("message").is_some_and(Value::is_string) && error.contains_key("code")
}

/// What can stand in a header (RFC 6750 §2.1, and a little more).
pub fn is_token(text: &str) -> bool {
    (1..=8192).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
