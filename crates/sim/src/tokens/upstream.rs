//! An OAuth 2.0 server that keeps to the letter, and whose answers do not always.

use crate::host::SimHost;
use crate::net::{Answering, Upstream, json, text};
use crate::weather::Kind;
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base64ct::{Base64, Encoding as _};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub const HOST: &str = "idp.example.com";
pub const LIFE: Duration = Duration::from_hours(1);

/// How it is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Down,
    /// A proxy in front of it wants to know who asks, in HTML.
    Proxy401,
    Html403,
    Garbage,
    /// It answers after the caller's patience, and has done its work.
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

#[derive(Clone, Debug)]
pub struct Token {
    pub client: String,
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Default)]
struct Client {
    /// The refresh token that it takes, and the one before.
    refresh: Option<(String, Option<String>)>,
    /// Calls, and whether each gave a token as it should.
    calls: Vec<(Timestamp, bool)>,
}

#[allow(clippy::struct_excessive_bools)] // Each is a fact of its own.
pub struct State {
    pub mood: Mood,
    /// A refresh token that was replaced is void at once, not only when its successor is used.
    pub strict: bool,
    /// Tokens by their text.
    pub tokens: BTreeMap<String, Token>,
    clients: BTreeMap<String, Client>,
    /// A token was given with an odd life.
    pub odd: bool,
    /// Somebody in front of it refused.
    pub proxied: bool,
    /// It did its work, and its answer may have been lost.
    pub late: bool,
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
            tokens: BTreeMap::new(),
            clients: BTreeMap::new(),
            odd: false,
            proxied: false,
            late: false,
        };
        Self { host, state: Rc::new(RefCell::new(state)) }
    }

    /// The most calls in a row that gave no token, within an hour.
    pub fn failures_in_an_hour(&self) -> usize {
        let state = self.state.borrow();
        let of = |client: &Client| {
            let mut most = 0;
            let mut run: Vec<Timestamp> = Vec::new();
            for (at, good) in &client.calls {
                if *good {
                    run.clear();
                    continue;
                }
                run.push(*at);
                run.retain(|earlier| at.since(*earlier) < Duration::from_hours(1));
                most = most.max(run.len());
            }
            most
        };
        state.clients.values().map(of).max().unwrap_or(0)
    }

    /// The most tokens of a client within a time.
    pub fn tokens_within(&self, time: Duration) -> usize {
        let state = self.state.borrow();
        let times: Vec<(&str, Timestamp)> =
            state.tokens.values().map(|t| (t.client.as_str(), t.at)).collect();
        let since = |from: &(&str, Timestamp)| {
            times.iter().filter(|t| t.0 == from.0 && t.1 >= from.1 && t.1.since(from.1) < time).count()
        };
        times.iter().map(since).max().unwrap_or(0)
    }

    fn refusal(&self) -> Option<Answer> {
        let mut state = self.state.borrow_mut();
        Some(match state.mood {
            Mood::Down => text(503, "<html>Service Unavailable</html>"),
            Mood::Proxy401 => {
                state.proxied = true;
                text(401, "<html>Proxy Authentication</html>")
            }
            Mood::Html403 => {
                state.proxied = true;
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

    fn token(&self, call: &Call) -> Answer {
        let client = client(call);
        let now = self.host.now();
        let state = &mut *self.state.borrow_mut();
        let body = call.body.as_ref().map(|b| b.expose().to_owned()).unwrap_or_default();
        let mut fields = form_urlencoded::parse(body.as_bytes());
        let shown = fields.find(|(name, _)| name == "refresh_token").map(|(_, value)| value.into_owned());
        let number = state.tokens.len();
        let known = state.clients.entry(client.clone()).or_default();
        let mut refresh = None;
        if let Some(shown) = shown {
            let seed = format!("seed-{client}");
            let (current, before) = known.refresh.clone().unwrap_or((seed, None));
            if shown != current && (state.strict || before.as_deref() != Some(&shown)) {
                known.calls.push((now, false));
                return json(400, &json!({ "error": "invalid_grant" }));
            }
            let next = format!("refresh-{client}-{number}");
            known.refresh = Some((next.clone(), Some(shown)));
            refresh = Some(next);
        }
        let life = match state.mood {
            Mood::LifeAsText => json!("3600"),
            Mood::LifeZero => json!(0),
            Mood::LifeAbsurd => json!(1e18),
            _ => json!(3600),
        };
        let good = state.mood == Mood::Well || state.mood == Mood::Slow;
        state.odd |= !good;
        known.calls.push((now, good));
        let access = format!("access-{client}-{number}");
        let token = Token { client, at: now, expires_at: now.plus(LIFE) };
        state.tokens.insert(access.clone(), token);
        json(200, &json!({ "access_token": access, "refresh_token": refresh, "expires_in": life }))
    }

    fn note_failure(&self, call: &Call) {
        let (client, now) = (client(call), self.host.now());
        self.state.borrow_mut().clients.entry(client).or_default().calls.push((now, false));
    }
}

impl Upstream for Server {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async move {
            if self.host.strikes(Kind::Upstream) {
                self.note_failure(call);
                return text(502, "<html>Bad Gateway</html>");
            }
            if let Some(refusal) = self.refusal() {
                self.note_failure(call);
                return refusal;
            }
            let answer = self.token(call);
            if self.state.borrow().mood == Mood::Slow {
                self.state.borrow_mut().late = true;
                self.host.sleep(Duration::from_mins(1)).await;
            }
            answer
        })
    }
}

/// Who asks, by RFC 6749 §2.3.1.
fn client(call: &Call) -> String {
    let header = call.headers.iter().find(|(name, _)| *name == "authorization");
    let basic = header.map(|(_, value)| value.expose().trim_start_matches("Basic ").to_owned());
    let pair = basic.and_then(|basic| Base64::decode_vec(&basic).ok()).unwrap_or_default();
    String::from_utf8_lossy(&pair).split(':').next().unwrap_or_default().to_owned()
}
