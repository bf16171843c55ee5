//! Services that want tokens of upstream accounts, and the accounts' own renewals: reads, orders, tokens brought by hand,
//! deploys with other settings, and upstreams that are not always well.
//!
//! Over 400 lines: the plan, its actions, and what is held against each answer, read beside each other.

mod accounts;
mod answers;
mod plan;
mod quiet;
mod upstream;

use crate::deployment::Object;
use crate::fakes::accounts::STRANGER;
use crate::requests::{Request, request};
use crate::rng::Rng;
use crate::sequence::{Case, Invariant, Outcome, Violation, odds};
use crate::weather::Kind;
use crate::world::World;
use accounts::{FACTURIFY, TRADER, client, copy_in_kv, copy_key, settings};
use answers::{Failed, Given, TOLD};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base::rpc::Class;
use config::{App, Settings as _};
use plan::{ACCOUNTS, AT_UPSTOX, Action, Mistype, OAUTH2, mistype, plan};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use upstream::{HOSTS, IDP, Mood, Server};

/// When the weather has cleared and the upstream is well, an account has a good token after this: the longest back-off is
/// half an hour.
const CALM: Duration = Duration::from_mins(36);
/// A read renews a token at most once in a tenth of its life.
const TENTH: Duration = Duration::from_mins(6);
/// What callers were told, and what was seen to be stored.
#[derive(Default)]
struct Truth {
    violation: Option<Violation>,
    trace: Option<Vec<String>>,
    /// Which credentials the accounts have: counts deploys.
    identity: u32,
    /// The account whose settings are mistyped, and how.
    mistyped: Option<(usize, Mistype)>,
    /// When that was mended last, by a clock that nobody has set.
    mended: Option<Timestamp>,
    orders: usize,
    deploys: usize,
    /// How far the clock has been set ahead.
    jumped: Duration,
    /// Instances were killed by the plan.
    restarts: bool,
    /// Requests about each account, and everything else that may have it call its upstream.
    asked: [usize; 4],
    /// The tokens of each account, as they became durable.
    stored: [Vec<Stored>; 4],
    /// Callers whom an upstream's failure was passed on to.
    failed: Vec<Failed>,
    /// Tokens that were brought by hand, and those of them that are another user's.
    brought: BTreeSet<String>,
    strangers: BTreeSet<String>,
    /// An account was seen to be its own user's, and to hold a token at all: the row that says so may fail after the token's.
    owned: [bool; 4],
    held_at: [Option<Timestamp>; 4],
}

/// A token that became durable.
struct Stored {
    at: Timestamp,
    /// The same by a clock that nobody has set.
    lived: Timestamp,
    /// As it is sealed.
    sealed: String,
    token: String,
}

#[derive(Clone)]
struct Callers {
    world: Rc<World>,
    server: Server,
    truth: Rc<RefCell<Truth>>,
    accounts: [usize; 2],
    objects: [Rc<Object>; 2],
}

pub fn run(case: &Case, trace: bool) -> Outcome {
    let mut rng = Rng::new(case.seed);
    let (accounts, mut steps) = plan(&mut rng);
    mistype(case.seed, accounts, &mut steps);
    let odds = odds(&mut rng);
    let (shuffle, strict) = (rng.chance(800), rng.chance(300));
    let settings = settings(accounts, 1);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let world = Rc::new(World::complete(case.seed, &settings));
    world.reuse_databases();
    world.watch();
    let server = Server::new(world.host(), strict);
    for host in HOSTS {
        world.upstream(host, server.clone());
    }
    let objects = accounts.map(|account| world.object(Class::Upstream, ACCOUNTS[account]));
    let truth = Truth { trace: trace.then(Vec::new), identity: 1, ..Truth::default() };
    let callers =
        Callers { world: world.clone(), server, truth: Rc::new(RefCell::new(truth)), accounts, objects };
    world.weather().only(case.faults.clone());
    world.weather().rough(odds);
    world.shuffle(shuffle);
    for (at, step) in steps.iter().enumerate() {
        callers.pass(Duration::from_millis(step.after));
        if callers.is_broken() {
            break;
        }
        if case.has(at) {
            callers.act(step.action);
        }
    }
    callers.pass(Duration::from_secs(rng.between(1, 100)));
    callers.server.state.borrow_mut().mood = Mood::Well;
    if callers.truth.borrow().mistyped.is_some() {
        // Its mending is not among the steps that are left in.
        callers.act(Action::Mend);
    }
    world.weather().clear();
    for _ in 0..2 {
        callers.pass(CALM / 2);
        // The Cron Trigger comes each minute; two of them do for what it finds.
        callers.act(Action::Cron);
    }
    callers.pass(Duration::from_secs(90));
    if !callers.is_broken() {
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
        self.truth.borrow_mut().broken(invariant, detail);
    }

    fn note(&self, text: impl FnOnce() -> String) {
        let now = self.world.now();
        if let Some(trace) = &mut self.truth.borrow_mut().trace {
            trace.push(format!("{} {}", now.rfc3339(), text()));
        }
    }

    fn app(&self) -> Rc<App> {
        self.world.host().app().expect("the settings are good")
    }

    /// Lets time go by, and looks at everything that changes.
    fn pass(&self, time: Duration) {
        if self.is_broken() {
            return;
        }
        self.world.pass(time, || {
            self.look();
            !self.is_broken()
        });
    }

    /// After every event.
    fn look(&self) {
        self.world.changes(|object, _| {
            if let Some(at) = self.objects.iter().position(|known| Rc::ptr_eq(known, object)) {
                self.stored(self.accounts[at], object);
            }
        });
        let over = self.server.state.borrow_mut().over_budget.take();
        // An instance that is killed in the middle of a call cannot note it.
        if let Some(detail) = over.filter(|_| !quiet::killed(self)) {
            self.broken(Invariant::OverBudget, detail);
        }
    }

    /// What an account holds has become durable.
    fn stored(&self, account: usize, object: &Object) {
        let storage = object.storage.borrow();
        let mut truth = self.truth.borrow_mut();
        if account == AT_UPSTOX && !truth.owned[account] {
            let row: Option<keeper::Account> =
                storage.get("account").and_then(|row| serde_json::from_str(row).ok());
            if let Some(row) = row {
                let held_at = row.held.map(|_| self.world.now());
                truth.held_at[account] = truth.held_at[account].or(held_at);
                truth.owned[account] = row.owner.is_some_and(|owner| owner != STRANGER);
            }
        }
        let Some(sealed) = storage.get("tokens") else { return };
        if truth.stored[account].last().is_some_and(|last| last.sealed == *sealed) {
            return;
        }
        let Ok(plain) = self.app().vault.open("upstream", ACCOUNTS[account], sealed) else { return };
        let tokens: keeper::Tokens = serde_json::from_slice(&plain).expect("tokens as they are stored");
        let token = tokens.access.expose().to_owned();
        let at = self.world.now();
        if truth.stored[account].last().is_none_or(|last| last.token != token) {
            // An order that comes late is no retry of another one.
            if self.world.weather().count(&[Kind::Stray]) > 0 {
                truth.failed.clear();
            }
            // Nobody who waits for a renewal waits for that.
            if !truth.brought.contains(&token) {
                truth.renewed(account, at);
            }
            let lived = at.minus(truth.jumped);
            truth.stored[account].push(Stored { at, lived, sealed: sealed.clone(), token });
        } else if let Some(last) = truth.stored[account].last_mut() {
            last.sealed.clone_from(sealed);
        }
    }

    fn act(&self, action: Action) {
        if self.is_broken() {
            return;
        }
        self.note(|| format!("{action:?}"));
        match action {
            Action::Mood(mood) => self.server.state.borrow_mut().mood = mood,
            Action::Deploy => {
                self.truth.borrow_mut().identity += 1;
                self.deploy(OAUTH2, None);
            }
            Action::Mistype { account, how } => self.deploy(self.accounts, Some((account, how))),
            Action::Mend => {
                self.deploy(self.accounts, None);
                self.sweep_for(TOLD);
            }
            Action::Cron => {
                self.truth.borrow_mut().disturbed();
                let host = self.world.worker();
                self.world.spawn_worker(async move {
                    // A failure is logged where it happens.
                    let _ = engine::cron::triggered(&host, "* * * * *", host.now()).await;
                });
            }
            Action::Restart => {
                self.truth.borrow_mut().restarted();
                self.world.restart();
            }
            Action::Kill { account } => {
                self.truth.borrow_mut().restarted();
                self.world.kill(Class::Upstream, ACCOUNTS[account]);
            }
            Action::Jump { seconds } => {
                self.truth.borrow_mut().jumped += Duration::from_secs(seconds);
                self.world.at(self.world.now().plus(Duration::from_secs(seconds)));
            }
            Action::Revoke => {
                let mut state = self.server.state.borrow_mut();
                let trader = state.client(TRADER);
                trader.fake.revoke();
                trader.revoked_at = Some(self.world.now());
            }
            Action::Read { account, min_ttl } => {
                let path = format!("/api/v1/tokens/{}?min_ttl={min_ttl}", ACCOUNTS[account]);
                self.ask(account, Request::new("GET", path));
            }
            Action::Insist { account, seconds } => {
                for _ in 0..seconds {
                    self.act(Action::Order { account });
                    self.pass(Duration::from_secs(1));
                }
            }
            Action::Order { account } => {
                self.truth.borrow_mut().orders += 1;
                self.ask(
                    account,
                    Request::new("POST", format!("/api/v1/tokens/{}/refresh", ACCOUNTS[account])),
                );
            }
            Action::Check => self.ask(AT_UPSTOX, Request::new("GET", "/token/validate")),
            Action::Bring { stranger } => self.bring(stranger),
        }
    }

    /// An account that the settings have hidden may have lost its alarm: only the Cron Trigger finds that, which comes each minute.
    fn sweep_for(&self, time: Duration) {
        let (host, truth) = (self.world.worker(), self.truth.clone());
        let end = self.world.now().plus(time);
        let lived = self.world.now().minus(truth.borrow().jumped);
        truth.borrow_mut().mended = Some(lived);
        self.world.spawn(async move {
            while host.now() < end {
                truth.borrow_mut().disturbed();
                // A failure is logged where it happens.
                let _ = engine::cron::triggered(&host, "* * * * *", host.now()).await;
                host.sleep(Duration::from_mins(1)).await;
            }
        });
    }

    /// A deploy with the present identity, or with something wrong in it.
    fn deploy(&self, accounts: [usize; 2], mistyped: Option<(usize, Mistype)>) {
        let identity = {
            let mut truth = self.truth.borrow_mut();
            truth.deploys += 1;
            truth.mistyped = mistyped;
            truth.restarted();
            truth.identity
        };
        let mut settings = settings(accounts, identity);
        if let (Some((account, how)), Some((_, oauth2))) = (mistyped, settings.last_mut()) {
            let mut all: serde_json::Value = serde_json::from_str(oauth2).unwrap_or_default();
            let one = &mut all[ACCOUNTS[account].trim_start_matches("oauth2/")];
            match how {
                Mistype::Auth => one["client_auth"] = "post".into(),
                Mistype::Address => one["token_url"] = IDP.into(),
                Mistype::Unknown => one["scopes"] = "all".into(),
                Mistype::Json => {}
            }
            *oauth2 = all.to_string();
            if how == Mistype::Json {
                oauth2.truncate(oauth2.len() / 2);
            }
        }
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.world.deploy(&settings);
    }

    /// Somebody brings a token of the account's user, or of another one.
    fn bring(&self, stranger: bool) {
        let now = self.world.now();
        let token = {
            let mut state = self.server.state.borrow_mut();
            let fake = &mut state.client(TRADER).fake;
            if stranger { fake.of_a_stranger(now) } else { fake.newest() }
        };
        let Some(token) = token else { return };
        let mut truth = self.truth.borrow_mut();
        truth.brought.insert(token.clone());
        if stranger {
            truth.strangers.insert(token.clone());
        }
        drop(truth);
        self.ask(AT_UPSTOX, Request::new("POST", "/token/update").json(&json!({ "access_token": token })));
    }

    fn ask(&self, account: usize, sent: Request) {
        let (server, truth) = (self.server.clone(), self.truth.clone());
        let host = self.world.host();
        let (identity, asked, was_mistyped) = {
            let mut truth = truth.borrow_mut();
            truth.asked[account] += 1;
            (truth.identity, truth.asked[account], truth.is_mistyped(account))
        };
        let begun = host.now();
        let lived = begun.minus(truth.borrow().jumped);
        self.world.spawn(async move {
            let what = format!("{} {}", sent.method, sent.path);
            let answered = request(&host, sent).await;
            let kv_failed = host.has_happened(&[Kind::KvDown, Kind::KvSlow, Kind::KvStale]);
            let mistyped = was_mistyped || truth.borrow().is_mistyped(account);
            let killed = truth.borrow().restarts || host.has_happened(&[Kind::Kill]);
            let left_behind = killed && host.has_happened(&[Kind::KvSlow]);
            let broken_off = killed || host.has_happened(&[Kind::WriteBefore, Kind::WriteAfter]);
            let now = host.now();
            let given = Given {
                account,
                identity,
                mistyped,
                asked,
                begun,
                lived,
                now,
                kv_failed,
                broken_off,
                left_behind,
            };
            let kv = || copy_in_kv(&host, account);
            answers::answered(&server, &truth, &given, &what, answered.as_ref(), &kv);
        });
    }
}

impl Truth {
    fn broken(&mut self, invariant: Invariant, detail: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some(Violation { invariant, detail: detail.into() });
        }
    }

    /// Whatever an account does from here on may have another reason than the requests before.
    fn disturbed(&mut self) {
        self.asked.iter_mut().for_each(|asked| *asked += 1);
    }

    fn restarted(&mut self) {
        self.restarts = true;
        self.disturbed();
    }
}
