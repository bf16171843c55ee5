//! The upstreams of all accounts. Each keeps to the letter ([`crate::fakes::accounts`]); its answers do not always.

use super::{FACTURIFY, TRADER};
use crate::fakes::accounts::{Fake, FakeClient, FakeFacturify, FakeOAuth, FakeUpstox, Issued, Rotation};
use crate::host::SimHost;
use crate::net::{Answering, Upstream, host_of, json, text};
use crate::weather::Kind;
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base64ct::{Base64, Encoding as _};
use keeper::backoff::{CALLS_PER_HOUR, SLOW_PER_HOUR};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Of the accounts behind OAuth 2.0.
pub const IDP: &str = "idp.example.com";
/// Upstox tokens come from here.
pub const SERVICE: &str = "service.example.com";
pub const HOSTS: [&str; 4] = [IDP, SERVICE, "api.upstox.com", "api-sandbox.facturify.com"];

/// How they are at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Down,
    /// A proxy in front wants to know who asks, in HTML.
    Proxy401,
    Html403,
    Garbage,
    /// The answer comes after the caller's patience, and the work is done.
    Slow,
    /// RFC 6749 §5.2's error, with a status of 200.
    ErrorIn200,
    LifeAsText,
    LifeZero,
    LifeAbsurd,
    RateLimited,
}

pub const MOODS: &[Mood] = &[
    Mood::Well,
    Mood::Down,
    Mood::Proxy401,
    Mood::Html403,
    Mood::Garbage,
    Mood::Slow,
    Mood::ErrorIn200,
    Mood::LifeAsText,
    Mood::LifeZero,
    Mood::LifeAbsurd,
    Mood::RateLimited,
];

pub struct Client {
    pub fake: Box<dyn Fake>,
    /// Failed calls of the last hour, since one was good.
    failures: Vec<Timestamp>,
    /// When each token was issued.
    tokens: Vec<Timestamp>,
    pub last_call: Option<Timestamp>,
    /// When it was last called in vain.
    pub last_failure: Option<Timestamp>,
    /// When its newest token was ended before its time.
    pub revoked_at: Option<Timestamp>,
}

#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own.
pub struct State {
    pub mood: Mood,
    /// A refresh token that was replaced is void at once, not only when its successor is used.
    pub strict: bool,
    clients: BTreeMap<String, Client>,
    /// A token was given with an odd life.
    pub odd: bool,
    /// Somebody in front refused.
    pub proxied: bool,
    /// The work was done, and the answer may have been lost.
    pub late: bool,
    /// Who has made more calls in vain within an hour than it may.
    pub over_budget: Option<String>,
}

impl State {
    /// A client, from its first call on.
    pub fn client(&mut self, name: &str) -> &mut Client {
        let strict = self.strict;
        self.clients.entry(name.to_owned()).or_insert_with(|| {
            let issued = Issued::named(name);
            let fake: Box<dyn Fake> = match name {
                FACTURIFY => Box::new(FakeFacturify { issued, ..FakeFacturify::default() }),
                TRADER => Box::new(FakeUpstox { issued, ..FakeUpstox::default() }),
                _ if name.starts_with("rotating") => {
                    let rotation = if strict { Rotation::Plain } else { Rotation::Lenient };
                    let mut fake = FakeOAuth { rotation, says_life: true, issued, ..FakeOAuth::default() };
                    fake.reseed();
                    Box::new(fake)
                }
                _ => Box::new(FakeClient { issued, ..FakeClient::default() }),
            };
            let (failures, tokens) = (Vec::new(), Vec::new());
            Client { fake, failures, tokens, last_call: None, last_failure: None, revoked_at: None }
        })
    }

    /// Whose token it is.
    pub fn owner_of(&self, token: &str) -> Option<(&str, &Client)> {
        let owner = self.clients.iter().find(|(_, client)| client.fake.issued().has(token));
        owner.map(|(name, client)| (name.as_str(), client))
    }

    /// The most tokens of a client within a time.
    pub fn tokens_within(&self, time: Duration) -> usize {
        let most = |client: &Client| {
            let within = |from: &Timestamp| {
                client.tokens.iter().filter(|at| *at >= from && at.since(*from) < time).count()
            };
            client.tokens.iter().map(within).max().unwrap_or(0)
        };
        self.clients.values().map(most).max().unwrap_or(0)
    }

    fn called(&mut self, name: &str, good: bool, now: Timestamp) {
        let client = self.client(name);
        client.last_call = Some(now);
        if good {
            client.failures.clear();
            return;
        }
        client.last_failure = Some(now);
        client.failures.retain(|at| now.since(*at) < Duration::from_hours(1));
        client.failures.push(now);
        let failures = client.failures.len();
        if failures > most_in_an_hour(name) {
            self.over_budget = Some(format!("{name}: {failures} failures in an hour"));
        }
    }

    fn refusal(&mut self) -> Option<Answer> {
        Some(match self.mood {
            Mood::Down => text(503, "<html>Service Unavailable</html>"),
            Mood::Proxy401 => {
                self.proxied = true;
                text(401, "<html>Proxy Authentication</html>")
            }
            Mood::Html403 => {
                self.proxied = true;
                text(403, "<html>Forbidden</html>")
            }
            Mood::Garbage => text(200, "{\"access_token\": \"x"),
            Mood::ErrorIn200 => json(200, &json!({ "error": "temporarily_unavailable" })),
            Mood::RateLimited => Answer::Response {
                status: 429,
                retry_after: Some(Duration::from_secs(20)),
                body: base::secret::Secret::new("{}"),
            },
            _ => return None,
        })
    }

    fn serve(&mut self, name: &str, call: &Call, now: Timestamp) -> Answer {
        let mood = self.mood;
        let client = self.client(name);
        let before = client.fake.issued().count();
        let (status, body) = client.fake.serve(call, now);
        let issued = client.fake.issued().count() > before;
        if issued {
            client.tokens.push(now);
        }
        let life = match mood {
            Mood::LifeAsText => Some("\"3600\""),
            Mood::LifeZero => Some("0"),
            Mood::LifeAbsurd => Some("1e400"),
            _ => None,
        };
        let answer = life.map_or(body.clone(), |life| with_life(&body, life));
        self.odd |= answer != body;
        // A token with an odd life is a token.
        self.called(name, status < 300, now);
        text(status, &answer)
    }
}

/// Most calls in vain for an account: its own quick tries, orders and checks, each as many; and a slow try at each step.
fn most_in_an_hour(name: &str) -> usize {
    let (kinds, task) = match name {
        TRADER => (3, 5),
        FACTURIFY => (2, 3),
        _ => (2, 1),
    };
    kinds * CALLS_PER_HOUR + SLOW_PER_HOUR * task
}

/// The answer, with another life of the token in it if it says one.
fn with_life(body: &str, life: &str) -> String {
    let Some((before, after)) = body.split_once("\"expires_in\":") else { return body.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}\"expires_in\":{life}{rest}")
}

#[derive(Clone)]
pub struct Server {
    host: SimHost,
    pub state: Rc<RefCell<State>>,
}

impl Server {
    pub fn new(host: SimHost, strict: bool) -> Self {
        let state = State {
            mood: Mood::Well,
            strict,
            clients: BTreeMap::new(),
            odd: false,
            proxied: false,
            late: false,
            over_budget: None,
        };
        Self { host, state: Rc::new(RefCell::new(state)) }
    }
}

impl Upstream for Server {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async move {
            let (name, now) = (client(call), self.host.now());
            let strikes = self.host.strikes(Kind::Upstream);
            let answer = {
                let mut state = self.state.borrow_mut();
                let refusal =
                    if strikes { Some(text(502, "<html>Bad Gateway</html>")) } else { state.refusal() };
                if let Some(refusal) = refusal {
                    state.called(&name, false, now);
                    return refusal;
                }
                state.serve(&name, call, now)
            };
            if self.state.borrow().mood == Mood::Slow {
                self.state.borrow_mut().late = true;
                self.host.sleep(Duration::from_mins(1)).await;
            }
            answer
        })
    }
}

/// Who asks: at an OAuth 2.0 server by RFC 6749 §2.3.1, elsewhere there is one account.
fn client(call: &Call) -> String {
    match host_of(&call.url) {
        IDP => {}
        "api-sandbox.facturify.com" => return FACTURIFY.to_owned(),
        _ => return TRADER.to_owned(),
    }
    let header = call.headers.iter().find(|(name, _)| *name == "authorization");
    let basic = header.map(|(_, value)| value.expose().trim_start_matches("Basic ").to_owned());
    let pair = basic.and_then(|basic| Base64::decode_vec(&basic).ok()).unwrap_or_default();
    String::from_utf8_lossy(&pair).split(':').next().unwrap_or_default().to_owned()
}
