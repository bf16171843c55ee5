//! One account in a world of its own. What must always hold of it is asserted as it happens.
//!
//! Over 400 lines: what is done to the account and what must hold of it then are read beside each other.

use crate::line::{Crash, Host, Line, presented};
use base::call::{Actor, Answer, Call};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::ports::Clock as _;
use base::rpc::Class;
use base::vault::Vault;
use config::Settings as _;
use keeper::protocol::{
    self, AccountCommand, GetToken, Issued, Order, Orderable, Reconcile, Sent, Status, StatusReply,
    TokenReply,
};
use keeper::upstream_index::{Counts, GetCounts};
use keeper::{Account, Tokens};
use sim::fakes::accounts::Fake;
use sim::rng::Rng;
use sim::weather::Odds;
use sim::{SimHost, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use store::{Store, TokenCopy};

/// Ten in the morning in India, after the day's renewal.
const BEGINNING: &str = "2025-11-19T10:00:00+05:30";
/// KV is down, and a message is lost, this often in a thousand while it is rough.
const ROUGH: Odds = Odds {
    kv_down: 100,
    lost: 10,
    stray: 0,
    slow: 50,
    very_slow: 0,
    write: 0,
    flush: 0,
    kill: 0,
    alarm: 0,
    kv_slow: 0,
    kv_stale: 0,
    upstream: 0,
    answer_lost: 0,
};

pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// What is known besides the account itself. Shared with what runs in the world.
#[derive(Default)]
struct Known {
    /// The token was revoked, and nobody knows.
    revoked: Cell<bool>,
    alerts: RefCell<Vec<String>>,
    /// The expiries that were warned of.
    warned: RefCell<BTreeSet<String>>,
    /// Identities of the tasks that have made calls.
    tasks: RefCell<BTreeSet<String>>,
    /// Alerts that were delivered.
    delivered: RefCell<BTreeSet<String>>,
    served: Cell<u32>,
}

pub struct AccountWorld {
    pub world: Rc<World>,
    pub line: Rc<Line>,
    pub provider: &'static str,
    pub account: &'static str,
    pub rng: Rng,
    known: Rc<Known>,
    next_cron: Timestamp,
    /// Only one in fifteen Cron Triggers is a whole one, for speed.
    sparse: bool,
    pub no_cron_until: Timestamp,
    pub next_ask: Option<Timestamp>,
    /// Until when the credentials are refused.
    pub refused_until: Option<Timestamp>,
    /// Since when nothing was done to it: when it has to have a token again is counted from here.
    calm_since: Timestamp,
    /// How long it has to have one again after that.
    pub bound: Duration,
    pub deaths: u32,
}

fn name(provider: &str, account: &str) -> String {
    format!("{provider}/{account}")
}

impl AccountWorld {
    pub fn new(
        provider: &'static str,
        account: &'static str,
        settings: &[(&str, &str)],
        hosts: &[&str],
        fake: Box<dyn Fake>,
        seed: u64,
    ) -> Self {
        let alerts = [
            ("ALERT_WEBHOOK_URL", "https://alerts/in"),
            ("ALERT_WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef"),
            ("ALERT_COLLECT_SECONDS", "0"),
        ];
        let settings: Vec<_> = settings.iter().copied().chain(alerts).collect();
        let world = Rc::new(World::seeded(seed, &settings));
        world.register::<engine::upstream::UpstreamAccount<SimHost>>(Class::Upstream);
        world.register::<engine::roster::Roster<SimHost>>(Class::Roster);
        let (line, known) = (Line::new(fake), Rc::new(Known::default()));
        for (n, host) in (1..).zip(hosts) {
            let (line, rng) = (line.clone(), RefCell::new(Rng::new(seed ^ n)));
            world.upstream(host, Host { line, timer: world.host(), rng });
        }
        let (delivered, rng) = (known.clone(), RefCell::new(Rng::new(seed)));
        let weather = Rc::downgrade(&world);
        world.upstream(
            "alerts",
            sim::net::Answers(move |call: &Call| {
                let rough = weather.upgrade().is_some_and(|world| !world.weather().is_clear());
                if rough && rng.borrow_mut().chance(100) {
                    return Answer::TimedOut;
                }
                let id = sim::fakes::accounts::header(call, "webhook-id").to_owned();
                delivered.delivered.borrow_mut().insert(id);
                sim::net::text(204, "")
            }),
        );
        let now = at(BEGINNING);
        let mut made = Self {
            world,
            line,
            provider,
            account,
            rng: Rng::new(seed),
            known,
            next_cron: now,
            sparse: false,
            no_cron_until: now,
            next_ask: None,
            refused_until: None,
            calm_since: now,
            bound: Duration::from_secs(3800),
            deaths: 0,
        };
        made.start_at(now);
        made.watch_calls();
        made
    }

    /// KV and messages fail now and then.
    pub fn rough(mut self) -> Self {
        self.sparse = true;
        self.world.weather().rough(ROUGH);
        self
    }

    pub fn start_at(&mut self, now: Timestamp) {
        self.world.at(now);
        (self.next_cron, self.no_cron_until, self.calm_since) = (now, now, now);
    }

    /// What must hold of every call.
    fn watch_calls(&self) {
        let (world, known) = (Rc::downgrade(&self.world), self.known.clone());
        let (provider, account) = (self.provider, self.account);
        *self.line.look.borrow_mut() = Box::new(move |call| {
            let Some(world) = world.upgrade() else { return };
            let account = stored(&world, &name(provider, account));
            let task = account.task.as_ref().expect("the intent is stored before the first call");
            known.tasks.borrow_mut().insert(format!("{} {}", task.started_at.millis(), task.request_id));
            let is_final = account.trouble.as_ref().is_some_and(|t| t.retry_at.is_none());
            // The held token is held against its upstream all the same.
            let is_check = task.operation == keeper::protocol::Operation::Check;
            assert!(
                task.who == "order" || is_check || !is_final,
                "a call after a final refusal: {account:?}"
            );
            let tokens = tokens(&world, &name(provider, "o1"));
            if let Some((used, tokens)) = presented(call).zip(tokens) {
                assert!(
                    tokens.refresh.is_none_or(|r| r.expose() == used),
                    "the seed, or an old one, is used again"
                );
            }
        });
    }

    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn object(&self) -> String {
        name(self.provider, self.account)
    }

    pub fn stored(&self) -> Account {
        stored(&self.world, &self.object())
    }

    pub fn live(&self) -> bool {
        self.stored().live(self.now()).is_some()
    }

    pub fn is_final(&self) -> bool {
        self.stored().trouble.is_some_and(|t| t.retry_at.is_none())
    }

    pub fn alerts(&self) -> Vec<String> {
        self.known.alerts.borrow().clone()
    }

    pub fn tasks(&self) -> usize {
        self.known.tasks.borrow().len()
    }

    pub fn served(&self) -> u32 {
        self.known.served.get()
    }

    /// Something was done to it.
    pub fn disturbed(&mut self, until: Timestamp) {
        self.calm_since = self.calm_since.max(until);
    }

    pub fn run(&mut self, by: Duration) {
        self.run_until(self.now().plus(by));
    }

    pub fn run_until(&mut self, end: Timestamp) {
        loop {
            let next = [Some(self.next_cron), self.next_ask, Some(end)].into_iter().flatten().min().unwrap();
            self.step_until(next);
            let now = self.now();
            if self.next_cron <= now {
                self.on_cron();
            } else if self.next_ask.is_some_and(|at| at <= now) {
                self.ask(0);
                self.next_ask = Some(now.plus(secs(1 + self.rng.below(900))));
            } else if now >= end {
                return;
            }
        }
    }

    fn step_until(&mut self, end: Timestamp) {
        let (mut moment, mut turns) = (self.now(), 0);
        while self.world.step(end) {
            self.after_step();
            turns = if self.now() == moment { turns + 1 } else { 0 };
            moment = self.now();
            assert!(turns < 20_000, "without an effect, again and again: {:?}", self.stored());
        }
        self.world.advance(end.since(self.now()));
    }

    fn after_step(&mut self) {
        for line in self.world.take_logs() {
            self.read_log(&line.text);
        }
        if self.line.kill.take() {
            let now = self.now();
            self.disturbed(now);
            self.die();
        }
    }

    fn read_log(&mut self, text: &str) {
        assert!(!text.contains("hidden"), "a token in {text}");
        let line: serde_json::Value = serde_json::from_str(text).unwrap();
        if line["event"] == "alert" {
            self.note_alert(line["alert"].as_str().unwrap(), &line["expires_at"].to_string());
        }
        if line["event"] == "audit" && line["calls"] != 0 {
            let outcome = line["outcome"].as_str().unwrap();
            let refused = outcome == "upstream_token_refused";
            let failed = outcome != "ok" && outcome != "approval_pending";
            // Known to be dead only now.
            let unknown = !self.line.asked_since.get() || (failed && !refused);
            self.known.revoked.set(self.known.revoked.get() && unknown);
            if refused {
                let now = self.now();
                self.disturbed(now);
            }
            if outcome != "upstream_outcome_unknown" {
                self.line.unrecorded.set(0);
                self.line.crashes(Crash::AfterWrite);
            }
        }
    }

    fn note_alert(&self, alert: &str, expires_at: &str) {
        let mut alerts = self.known.alerts.borrow_mut();
        if alert == "expiring" {
            assert!(self.known.warned.borrow_mut().insert(expires_at.to_owned()), "warned of twice");
            return;
        }
        let bad = alerts.last().is_some_and(|last| last != "recovered");
        match alert {
            "failing" => assert!(!bad, "told twice: {alerts:?}"),
            "recovered" => assert!(bad, "recovered from nothing: {alerts:?}"),
            _ => {}
        }
        alerts.push(alert.to_owned());
    }

    fn on_cron(&mut self) {
        let now = self.now();
        self.next_cron = Timestamp::from_seconds(now.seconds() / 60 * 60 + 60);
        if now < self.no_cron_until {
            return;
        }
        let daily = now.seconds() % 86_400 == 2 * 3600 + 1800;
        if daily {
            (0..5).for_each(|_| self.trigger("30 2 * * *"));
        } else if self.sparse && !now.seconds().is_multiple_of(900) {
            // All of a trigger that reaches the account.
            self.send(Reconcile { daily: false, spread_millis: 20 }, |_| {});
        } else {
            self.trigger("* * * * *");
        }
        if self.refused_until.take_if(|until| *until <= now).is_some() {
            self.line.fake.borrow_mut().refuse(false);
        }
        self.check_calm();
    }

    /// The Cron Trigger.
    pub fn trigger(&self, expression: &'static str) {
        let worker = self.world.worker();
        self.world.spawn(async move {
            // It has been logged, and comes again.
            let _ = engine::cron::triggered(&worker, expression).await;
        });
    }

    /// After so long without a disturbance there is a token, or the account says that it needs somebody.
    fn check_calm(&mut self) {
        let (now, account) = (self.now(), self.stored());
        let bad = self.known.alerts.borrow().last().is_some_and(|last| last != "recovered");
        assert_eq!(bad, account.has_failed(), "{:?}", self.alerts());
        if self.line.fake.borrow().is_night(now) {
            return self.disturbed(now);
        }
        // The daily run tries it once more, which takes a moment.
        let tried = |at: Timestamp| at.plus(secs(120)) > now;
        let is_final = account.trouble.as_ref().is_some_and(|t| match t.retry_at {
            None => true,
            Some(at) => t.refused.is_some() && tried(at),
        });
        if account.live(now).is_some() || is_final {
            return;
        }
        let since = now.since(self.calm_since);
        assert!(since <= self.bound, "no token {since:?} after the last disturbance: {account:?}");
    }

    pub fn account(&self) -> AccountName {
        AccountName::issued(self.account)
    }

    fn send<C: AccountCommand + 'static>(&self, command: C, then: impl FnOnce(C::Reply) + 'static) {
        let (host, provider, account) = (self.world.host(), self.provider, self.account());
        self.world.spawn(async move {
            // Lost on the way, or with the instance: whoever asked has got 503.
            if let Ok(reply) = keeper::send(&host, provider, &account, command).await {
                then(reply);
            }
        });
    }

    fn actor(&mut self, who: &str) -> Actor {
        Actor { who: who.to_owned(), request_id: format!("{:x}", self.rng.u64()) }
    }

    /// Somebody wants a token.
    pub fn ask(&mut self, min_ttl_seconds: u64) {
        let by = self.actor("ask");
        let (host, line, known) = (self.world.host(), self.line.clone(), self.known.clone());
        let (world, object) = (Rc::downgrade(&self.world), self.object());
        self.send(
            GetToken { min_ttl_seconds, rewrite: false, not: None, extended: false, by },
            move |reply| {
                let Some(world) = world.upgrade() else { return };
                let (now, account) = (host.now(), stored(&world, &object));
                match reply {
                    TokenReply::Token(issued) => {
                        known.served.set(known.served.get() + 1);
                        served(&line, known.revoked.get(), &issued, &account, now);
                    }
                    TokenReply::Refused(_) => {
                        // Under way for a moment: it may have come meanwhile.
                        let fresh = account.held.as_ref().is_some_and(|h| now.since(h.obtained_at) < secs(1));
                        assert!(
                            account.live(now).is_none() || fresh,
                            "refused, though there is one: {account:?}"
                        );
                    }
                    TokenReply::NoAccount => panic!("it is configured"),
                }
            },
        );
    }

    /// Somebody gives an order.
    pub fn order<T>(&mut self, task: T)
    where
        T: Orderable + 'static,
    {
        let by = self.actor("order");
        self.send(Order { task, by }, |_| {});
    }

    pub fn status(&self) -> Status {
        let command = Sent::new(self.provider, &self.account(), protocol::GetStatus);
        let (host, address) = (self.world.host(), keeper::address(self.provider, &self.account()));
        let reply =
            self.world.run_until(async move { base::rpc::Peers::send(&host, &address, &command).await });
        match reply {
            Ok(StatusReply::Status(status)) => status,
            other => panic!("no status: {other:?}"),
        }
    }

    /// Memory is lost; storage and the alarm are not.
    pub fn die(&mut self) {
        self.deaths += 1;
        self.line.instance.set(self.line.instance.get() + 1);
        self.line.lost.set(self.line.lost.get() + self.line.unrecorded.take());
        self.world.kill(Class::Upstream, &self.object());
    }

    /// A deployment with other settings: all instances are gone.
    pub fn deploy(&mut self, settings: &[(&str, &str)]) {
        self.die();
        self.world.deploy(settings);
        let now = self.now();
        self.disturbed(now);
    }

    /// The upstream ended the token, and has not been asked about it since.
    pub fn note_revoked(&self) {
        self.known.revoked.set(true);
        self.line.asked_since.set(false);
    }

    pub fn lose_alarm(&mut self) {
        self.world.lose_alarm(Class::Upstream, &self.object());
        let until = self.now().max(self.no_cron_until);
        self.disturbed(until);
    }

    /// In peace everybody knows what the account knows.
    pub fn check_peace(&self) {
        let (account, status) = (self.stored(), self.status());
        assert!(account.pending_sync.is_none() && account.outbox.is_empty(), "{account:?}");
        let delivered = self.known.delivered.borrow().len() as u64;
        assert_eq!(delivered, account.alerts, "alerts that were delivered");
        let now = self.now();
        let (host, key) =
            (self.world.host(), keeper::AccountKey { provider: self.provider, account: self.account() });
        let (copy, counts) = self.world.run_until(async move {
            let app = host.app().unwrap();
            let copy = Store(&host).token(&app.vault, &key).await.unwrap();
            (copy, base::rpc::Peers::send(&host, &keeper::index_address(), &GetCounts { now }).await.unwrap())
        });
        let access = tokens(&self.world, &self.object()).unwrap().access;
        match copy {
            TokenCopy::Good(copy) => {
                assert_eq!((copy.token, Some(copy.expires_at)), (access, status.expires_at));
            }
            TokenCopy::None | TokenCopy::Broken => panic!("KV has no copy of the token"),
        }
        assert_eq!(counts.counts[self.provider], Counts { healthy: 1, failed: 0, available: 1 });
        for row in ["account", "tokens", "history"] {
            let text = self.world.row(Class::Upstream, &self.object(), row).unwrap_or_default();
            assert!(!text.contains("hidden"), "a token in {row}");
        }
    }
}

/// A token that the upstream refuses is given out only where nobody could know.
fn served(line: &Line, revoked: bool, issued: &Issued, account: &Account, now: Timestamp) {
    let (fake, access) = (line.fake.borrow(), issued.token.expose());
    assert!(fake.end_of(access) > now, "served after its end: {account:?}");
    let unknown = account.task.is_some()
        || account.trouble.is_some()
        || account.held.as_ref().is_some_and(|h| !h.verified)
        // Obtained, and changed at once by a demanded refresh whose answer was lost: tried again after five seconds.
        || (line.lost.get() > 0 && account.held.as_ref().is_some_and(|h| h.provisional))
        || revoked;
    assert!(unknown || fake.accepts(access, now), "served a dead token: {account:?}");
}

fn stored(world: &World, object: &str) -> Account {
    let text = world.row(Class::Upstream, object, "account");
    text.map_or_else(Account::default, |text| serde_json::from_str(&text).unwrap())
}

fn tokens(world: &World, object: &str) -> Option<Tokens> {
    let sealed = world.row(Class::Upstream, object, "tokens")?;
    let app = world.host().app().unwrap();
    let plain = Vault::open(&app.vault, "upstream", object, &sealed).unwrap();
    Some(serde_json::from_slice(&plain).unwrap())
}
