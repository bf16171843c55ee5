//! One account in a world of its own: what is done to it. What must always hold of it is asserted as it happens, in `holds`.

mod holds;

use crate::line::{Host, Line};
use base::call::{Actor, Answer, Call};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::ports::Clock as _;
use base::rpc::Class;
use base::vault::Vault;
use config::Settings as _;
use holds::served;
use keeper::protocol::{
    self, AccountCommand, GetToken, Order, Orderable, Reconcile, Sent, Status, StatusReply, TokenReply,
};
use keeper::{Account, Tokens};
use sim::fakes::accounts::Fake;
use sim::rng::Rng;
use sim::weather::Odds;
use sim::{SimHost, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

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
            let _ = engine::cron::triggered(&worker, expression, worker.now()).await;
        });
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
