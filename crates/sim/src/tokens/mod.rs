//! Services that want tokens of upstream accounts, and the accounts' own renewals: reads, orders, deploys with other
//! settings, and an upstream that is not always well.

mod quiet;
mod upstream;

use crate::requests::{Answered, Request, request};
use crate::rng::Rng;
use crate::sequence::{Case, Invariant, Outcome, Violation, odds};
use crate::world::World;
use base::clock::Timestamp;
use base::rpc::Class;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use upstream::{HOST, MOODS, Mood, Server};

/// The accounts: one with a refresh token that rotates, one with client credentials.
pub const ACCOUNTS: [&str; 2] = ["rotating", "plain"];
/// When the weather has cleared and the upstream is well, an account has a good token after this: the longest back-off is
/// half an hour.
const CALM: Duration = Duration::from_mins(36);
/// A read renews a token at most once in a tenth of its life.
const TENTH: Duration = Duration::from_mins(6);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Read {
        account: usize,
        min_ttl: u64,
    },
    Order {
        account: usize,
    },
    /// A client that asks for a new token once a second.
    Insist {
        account: usize,
        seconds: u64,
    },
    Mood(Mood),
    /// Other credentials for all accounts: from a sandbox to production.
    Deploy,
    Cron,
    Restart,
    Kill {
        account: usize,
    },
    Jump {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Step {
    after: u64,
    action: Action,
}

fn plan(rng: &mut Rng) -> Vec<Step> {
    let dangers = rng.chance(400);
    let moods = rng.below(80);
    let deploys = rng.chance(150);
    let account = rng.index(2);
    let steps = rng.between(3, 10);
    (0..steps)
        .map(|_| {
            let after = match rng.below(10) {
                0..=4 => 0,
                5..=6 => rng.below(2_000),
                7 => rng.below(30_000),
                8 => rng.below(300_000),
                _ => rng.below(2_400_000),
            };
            let account = if rng.chance(800) { account } else { 1 - account };
            let action = match rng.below(if dangers { 100 } else { 92 }) {
                0..=29 => Action::Read { account, min_ttl: if rng.chance(250) { 86_400 } else { 0 } },
                30..=57 => Action::Order { account },
                58..=59 => Action::Insist { account, seconds: rng.between(5, 20) },
                60..=84 if rng.below(100) < moods => Action::Mood(*rng.pick(MOODS)),
                60..=84 => Action::Mood(Mood::Well),
                85..=87 if deploys => Action::Deploy,
                85..=91 => Action::Cron,
                92..=94 => Action::Restart,
                95..=97 => Action::Kill { account },
                _ => Action::Jump { seconds: rng.between(1, 120) },
            };
            Step { after, action }
        })
        .collect()
}

/// What callers were told.
#[derive(Default)]
struct Truth {
    violation: Option<Violation>,
    trace: Option<Vec<String>>,
    /// Which credentials the accounts have: counts deploys.
    identity: u32,
    orders: usize,
    deploys: usize,
    /// Instances were killed by the plan.
    restarts: bool,
}

#[derive(Clone)]
struct Callers {
    world: Rc<World>,
    server: Server,
    truth: Rc<RefCell<Truth>>,
}

fn client(account: usize, identity: u32) -> String {
    format!("{}{identity}", ACCOUNTS[account])
}

fn settings(identity: u32) -> String {
    let url = format!("https://{HOST}/token");
    let (rotating, plain) = (client(0, identity), client(1, identity));
    serde_json::json!({
        "rotating": {
            "token_url": url, "grant": "refresh_token", "client_id": rotating, "client_secret": format!("s{identity}"),
            "refresh_token": format!("seed-{rotating}"),
        },
        "plain": {
            "token_url": url, "grant": "client_credentials", "client_id": plain,
            "client_secret": format!("s{identity}"),
        },
    })
    .to_string()
}

pub fn run(case: &Case, trace: bool) -> Outcome {
    let mut rng = Rng::new(case.seed);
    let steps = plan(&mut rng);
    let odds = odds(&mut rng);
    let (shuffle, strict) = (rng.chance(800), rng.chance(300));
    let world =
        Rc::new(World::complete(case.seed, &[("OAUTH2_ACCOUNTS", &settings(1)), ("REQUEST_LOG", "off")]));
    let server = Server::new(world.host(), strict);
    world.upstream(HOST, server.clone());
    let truth = Truth { trace: trace.then(Vec::new), identity: 1, ..Truth::default() };
    let callers = Callers { world: world.clone(), server, truth: Rc::new(RefCell::new(truth)) };
    world.weather().only(case.faults.clone());
    world.weather().rough(odds);
    world.shuffle(shuffle);
    for (at, step) in steps.iter().enumerate() {
        if callers.is_broken() {
            break;
        }
        world.advance(Duration::from_millis(step.after));
        if case.has(at) {
            callers.act(step.action);
        }
    }
    if !callers.is_broken() {
        world.advance(Duration::from_secs(rng.between(1, 100)));
        callers.server.state.borrow_mut().mood = Mood::Well;
        world.weather().clear();
        for _ in 0..2 {
            world.advance(CALM / 2);
            // The Cron Trigger comes each minute; two of them do for what it finds.
            callers.act(Action::Cron);
        }
        world.advance(Duration::from_secs(90));
        quiet::check(&callers);
    }
    let mut truth = callers.truth.borrow_mut();
    let mut trace = truth.trace.take().unwrap_or_default();
    if !trace.is_empty() {
        trace.extend(world.logs().into_iter().map(|line| line.text));
    }
    Outcome {
        violation: truth.violation.take(),
        steps: steps.len(),
        faults: world.weather().happened(),
        trace,
    }
}

impl Callers {
    fn is_broken(&self) -> bool {
        self.truth.borrow().violation.is_some()
    }

    fn broken(&self, invariant: Invariant, detail: impl Into<String>) {
        let mut truth = self.truth.borrow_mut();
        if truth.violation.is_none() {
            truth.violation = Some(Violation { invariant, detail: detail.into() });
        }
    }

    fn note(&self, text: impl FnOnce() -> String) {
        let now = self.world.now();
        if let Some(trace) = &mut self.truth.borrow_mut().trace {
            trace.push(format!("{} {}", now.rfc3339(), text()));
        }
    }

    fn act(&self, action: Action) {
        self.note(|| format!("{action:?}"));
        match action {
            Action::Mood(mood) => self.server.state.borrow_mut().mood = mood,
            Action::Deploy => {
                let identity = {
                    let mut truth = self.truth.borrow_mut();
                    truth.identity += 1;
                    truth.deploys += 1;
                    truth.restarts = true;
                    truth.identity
                };
                self.world.deploy(&[("OAUTH2_ACCOUNTS", &settings(identity))]);
            }
            Action::Cron => {
                let host = self.world.worker();
                self.world.spawn_worker(async move {
                    // A failure is logged where it happens.
                    let _ = engine::cron::triggered(&host, "* * * * *").await;
                });
            }
            Action::Restart => {
                self.truth.borrow_mut().restarts = true;
                self.world.restart();
            }
            Action::Kill { account } => {
                self.truth.borrow_mut().restarts = true;
                self.world.kill(Class::Upstream, &format!("oauth2/{}", ACCOUNTS[account]));
            }
            Action::Jump { seconds } => self.world.at(self.world.now().plus(Duration::from_secs(seconds))),
            Action::Read { account, min_ttl } => {
                let path = format!("/api/v1/tokens/oauth2/{}?min_ttl={min_ttl}", ACCOUNTS[account]);
                self.ask(account, Request::new("GET", path));
            }
            Action::Insist { account, seconds } => {
                for _ in 0..seconds {
                    self.act(Action::Order { account });
                    self.world.advance(Duration::from_secs(1));
                }
            }
            Action::Order { account } => {
                self.truth.borrow_mut().orders += 1;
                self.ask(
                    account,
                    Request::new("POST", format!("/api/v1/tokens/oauth2/{}/refresh", ACCOUNTS[account])),
                );
            }
        }
    }

    fn ask(&self, account: usize, sent: Request) {
        let (callers, host) = (WeakCallers::new(self), self.world.host());
        let identity = self.truth.borrow().identity;
        self.world.spawn(async move {
            let what = format!("{} {}", sent.method, sent.path);
            let answered = request(&host, sent).await;
            let (now, host) = (base::ports::Clock::now(&host), host);
            drop(host);
            callers.answered(account, identity, &what, answered.as_ref(), now);
        });
    }
}

/// What an answer is compared with, without holding the world that it came through.
struct WeakCallers {
    server: Server,
    truth: Rc<RefCell<Truth>>,
}

impl WeakCallers {
    fn new(callers: &Callers) -> Self {
        Self { server: callers.server.clone(), truth: callers.truth.clone() }
    }

    fn answered(
        &self,
        account: usize,
        identity: u32,
        what: &str,
        answered: Option<&Answered>,
        now: Timestamp,
    ) {
        let mut truth = self.truth.borrow_mut();
        if let Some(trace) = &mut truth.trace {
            let shown = answered.map(|a| format!("{} {}", a.status, a.body.as_deref().unwrap_or_default()));
            trace.push(format!("{} {what} -> {}", now.rfc3339(), shown.unwrap_or_default()));
        }
        let Some(answered) = answered else { return };
        let found = match answered.status {
            200 => {
                let token = answered.json()["access_token"].as_str().unwrap_or_default().to_owned();
                self.given(account, identity, &token, now)
            }
            401 | 403 | 404 | 500 => Some((Invariant::UnexpectedAnswer, format!("{answered:?}"))),
            _ => None,
        };
        if let Some((invariant, detail)) = found
            && truth.violation.is_none()
        {
            truth.violation = Some(Violation { invariant, detail });
        }
    }

    /// A token that a caller was given.
    fn given(
        &self,
        account: usize,
        identity: u32,
        token: &str,
        now: Timestamp,
    ) -> Option<(Invariant, String)> {
        let state = self.server.state.borrow();
        let Some(known) = state.tokens.get(token) else {
            return Some((Invariant::OldToken, format!("{token} was never issued")));
        };
        let clients = [client(account, identity), client(account, identity + 1)];
        if !clients.contains(&known.client) {
            return Some((Invariant::OldIdentity, format!("{token} for {}", clients[0])));
        }
        // A clock that has jumped may be a little ahead of the answer.
        if known.expires_at.plus(Duration::from_secs(150)) < now {
            return Some((Invariant::OldToken, format!("{token} has expired")));
        }
        None
    }
}
