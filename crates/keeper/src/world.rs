//! The object around the life cycle, as it is in `src/objects`, and the world around the object: time, alarms that get lost,
//! Cron Triggers that do not come, crashes, and upstreams that are down. What must always hold is asserted as it happens.

use super::alert::Kind;
use super::decide::{Event, Verdict};
use super::fake_upstreams::Upstream;
use super::protocol::Operation;
use super::test_support::*;
use super::weather::{Crash, Outage, Rng};
use super::*;
use base::clock::Timestamp;
use base::jitter::Jitter;
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Ask,
    Order,
    Alarm,
}

struct Running {
    operation: Operation,
    script: Box<dyn Script>,
    answer: Option<Answer>,
    answer_at: Timestamp,
    calls: u32,
}

pub(super) struct World {
    pub k: Keeper,
    pub upstream: Box<dyn Upstream>,
    pub rng: Rng,
    task: Option<Running>,
    /// Those who wait for the end of the task, with what they want.
    waiting: Vec<Duration>,
    alarm: Option<Timestamp>,
    armed: Option<Timestamp>,
    next_cron: Timestamp,
    pub no_cron_until: Timestamp,
    pub next_ask: Option<Timestamp>,
    pub outage: Option<Outage>,
    pub crash: Option<Crash>,
    /// Until when the credentials are refused.
    pub refused_until: Option<Timestamp>,
    pub tasks: u32,
    pub calls: Vec<Timestamp>,
    /// Since when nothing was done to it: when it has to have a token again is counted from here.
    pub calm_since: Timestamp,
    /// How long it has to have one again after that.
    pub bound: Duration,
    /// The longest that it took.
    pub slowest: Duration,
    /// Answers that were lost although the upstream had done its work.
    pub lost: u32,
    /// The token was revoked, and nobody knows.
    revoked: bool,
    pub asked_since: bool,
    pub deaths: u32,
    alerts: u64,
    pub told: Vec<Kind>,
    /// The tokens that were warned of.
    warned: BTreeSet<u64>,
}

impl World {
    pub fn new(provider: Box<dyn Provider>, upstream: Box<dyn Upstream>, seed: u64) -> Self {
        let k = Keeper::new(provider);
        let now = k.now;
        Self {
            k,
            upstream,
            rng: Rng(seed),
            task: None,
            waiting: Vec::new(),
            alarm: None,
            armed: None,
            next_cron: now,
            no_cron_until: now,
            next_ask: None,
            outage: None,
            crash: None,
            refused_until: None,
            tasks: 0,
            calls: Vec::new(),
            calm_since: now,
            bound: Duration::from_secs(3800),
            slowest: Duration::ZERO,
            lost: 0,
            revoked: false,
            asked_since: false,
            deaths: 0,
            alerts: 0,
            told: Vec::new(),
            warned: BTreeSet::new(),
        }
    }

    pub fn start_at(&mut self, now: Timestamp) {
        (self.k.now, self.next_cron, self.no_cron_until, self.calm_since) = (now, now, now, now);
    }

    pub fn now(&self) -> Timestamp {
        self.k.now
    }

    /// Something was done to it.
    pub fn disturbed(&mut self, until: Timestamp) {
        self.calm_since = self.calm_since.max(until);
    }

    pub fn live(&self) -> bool {
        self.k.account.live(self.now()).is_some()
    }

    pub fn is_final(&self) -> bool {
        self.k.account.trouble.as_ref().is_some_and(|t| t.retry_at.is_none())
    }

    pub fn run(&mut self, by: Duration) {
        self.run_until(self.now().plus(by));
    }

    pub fn run_until(&mut self, end: Timestamp) {
        let mut at_once = 0;
        loop {
            let answer = self.task.as_ref().map(|t| t.answer_at);
            let next = [answer, self.alarm, Some(self.next_cron), self.next_ask, Some(end)];
            let next = next.into_iter().flatten().min().unwrap().max(self.now());
            at_once = if next == self.now() { at_once + 1 } else { 0 };
            assert!(at_once < 50, "an alarm without an effect, again and again: {:?}", self.k.account);
            self.k.now = next;
            if answer.is_some_and(|at| at <= next) {
                self.go_on();
            } else if self.alarm.is_some_and(|at| at <= next) {
                self.on_alarm();
            } else if self.next_cron <= next {
                self.on_cron();
            } else if self.next_ask.is_some_and(|at| at <= next) {
                self.ask(0);
                self.next_ask = Some(next.plus(secs(1 + self.rng.below(900))));
            } else {
                return;
            }
        }
    }

    /// Load, decide, store, arm the alarm.
    fn step(&mut self, event: Event) -> Verdict {
        self.k.jitter = Jitter(u32::try_from(self.rng.below(1 << 32)).unwrap());
        let lands = matches!(event, Event::Landed { .. });
        if self.k.account.flight.is_some() && self.task.is_none() && !lands {
            self.k.event(Event::Interrupted);
        }
        self.k.event(Event::Readable);
        let verdict = self.k.event(event);
        self.note_alerts();
        let next = self.next_alarm();
        if next.is_some() && next != self.armed {
            (self.alarm, self.armed) = (next, next);
        }
        verdict
    }

    fn next_alarm(&self) -> Option<Timestamp> {
        let least = if self.task.is_some() { self.now().plus(secs(1)) } else { self.now() };
        self.k.next_alarm().map(|at| at.max(least))
    }

    fn note_alerts(&mut self) {
        let new: Vec<_> = self.k.account.outbox.iter().filter(|a| a.number > self.alerts).cloned().collect();
        for alert in new {
            self.alerts = alert.number;
            if alert.kind == Kind::Expiring {
                assert!(self.warned.insert(self.k.account.generation), "warned of twice");
                continue;
            }
            let bad = self.told.last().is_some_and(|k| *k != Kind::Recovered);
            match alert.kind {
                Kind::Failing => assert!(!bad, "told twice: {:?}", self.told),
                Kind::Recovered => assert!(bad, "recovered from nothing: {:?}", self.told),
                _ => {}
            }
            self.told.push(alert.kind);
        }
        let bad = self.told.last().is_some_and(|k| *k != Kind::Recovered);
        assert_eq!(bad, self.k.account.has_failed(), "{:?}", self.told);
    }

    fn follow_up(&mut self) {
        let works = self.rng.below(10) > 0;
        self.step(Event::Telling);
        if let Some(change) = self.k.account.untold.as_ref().map(|u| u.change).filter(|_| works) {
            self.step(Event::Told { change });
        }
        let now = self.now();
        let due: Vec<_> =
            self.k.account.outbox.iter().filter(|a| a.attempts == 0 || a.try_at <= now).collect();
        for number in due.into_iter().map(|a| a.number).collect::<Vec<_>>() {
            self.step(Event::Alerted { number, delivered: works });
        }
    }

    fn on_alarm(&mut self) {
        (self.alarm, self.armed) = (None, None);
        let deaths = self.deaths;
        if let Verdict::Fly(operation) = self.step(Event::Woke) {
            assert!(self.task.is_none(), "the alarm begins a second task");
            self.fly(operation, By::Alarm);
        }
        if self.deaths != deaths {
            return;
        }
        self.follow_up();
        self.arm_if_lost();
    }

    fn arm_if_lost(&mut self) {
        if self.alarm.is_none() {
            (self.alarm, self.armed) = (self.next_alarm(), self.next_alarm());
        }
    }

    fn on_cron(&mut self) {
        let now = self.now();
        self.next_cron = Timestamp::from_seconds(now.seconds() / 60 * 60 + 60);
        if now < self.no_cron_until {
            return;
        }
        let daily = now.seconds() % 86_400 == 2 * 3600 + 1800;
        for _ in 0..if daily { 5 } else { 1 } {
            self.look(daily);
        }
        if self.refused_until.take_if(|until| *until <= now).is_some() {
            self.upstream.refuse(false);
        }
        self.check_calm();
    }

    pub fn look(&mut self, daily: bool) {
        self.step(Event::Looked { daily, spread: if daily { secs(30) } else { secs(0) } });
        self.arm_if_lost();
    }

    /// After so long without a disturbance there is a token, or the account says that it needs somebody.
    fn check_calm(&mut self) {
        let now = self.now();
        if self.upstream.is_night(now) {
            return self.disturbed(now);
        }
        if self.live() || self.is_final() {
            return;
        }
        let since = now.since(self.calm_since);
        self.slowest = self.slowest.max(since);
        assert!(since <= self.bound, "no token {since:?} after the last disturbance: {:?}", self.k.account);
    }

    pub fn ask(&mut self, min_ttl: u64) {
        let min_ttl = secs(min_ttl);
        match self.step(Event::Asked { min_ttl, tried: false }) {
            Verdict::Serve => self.served(),
            Verdict::Fly(operation) => {
                self.fly(operation, By::Ask);
                if self.task.is_some() {
                    self.waiting.push(min_ttl);
                }
            }
            Verdict::Refuse(_) => assert!(!self.live()),
            Verdict::Nothing => panic!("no answer"),
        }
    }

    pub fn order(&mut self, operation: Operation) {
        if self.task.as_ref().is_some_and(|t| !t.operation.gets() || !operation.gets()) {
            return;
        }
        if let Verdict::Fly(operation) = self.step(Event::Ordered(operation)) {
            self.fly(operation, By::Order);
        }
    }

    /// A token that the upstream refuses is given out only where nobody could know.
    fn served(&mut self) {
        let (now, account) = (self.now(), &self.k.account);
        let access = self.k.tokens.as_ref().unwrap().access.expose();
        assert!(self.upstream.end_of(access) > now, "served after its end: {account:?}");
        let unknown = account.flight.is_some()
            || account.trouble.is_some()
            || account.held.as_ref().is_some_and(|h| !h.verified)
            // Obtained, and changed at once by a demanded refresh whose answer was lost: tried again after five seconds.
            || (self.lost > 0 && account.held.as_ref().is_some_and(|h| h.provisional))
            || self.revoked;
        assert!(unknown || self.upstream.accepts(access, now), "served a dead token: {account:?}");
    }

    fn fly(&mut self, operation: Operation, by: By) {
        if self.task.is_some() {
            return;
        }
        assert!(
            by == By::Order || !self.is_final(),
            "{operation:?} after a final refusal: {:?}",
            self.k.account
        );
        assert!(self.k.account.flight.is_none(), "two at once: {:?}", self.k.account);
        self.tasks += 1;
        let task = match operation {
            Operation::Check => Task::Check,
            Operation::Obtain => Task::Obtain,
            Operation::Refresh => Task::Refresh,
            _ => Task::Renew,
        };
        self.step(Event::TookOff(operation, super::By::default()));
        if self.crashes(Crash::BeforeCall) {
            return;
        }
        let script = self.k.provider.script(&task, self.k.account.held.as_ref(), self.k.tokens.as_ref());
        let (answer, answer_at, calls) = (None, self.now(), 0);
        self.task = Some(Running { operation, script, answer, answer_at, calls });
        self.go_on();
    }

    /// The next call of the task, or its end.
    fn go_on(&mut self) {
        if self.task.as_ref().is_some_and(|t| t.calls > 0) && self.crashes(Crash::BeforeWrite) {
            return;
        }
        let Some(mut task) = self.task.take() else { return };
        match task.script.next(task.answer.take(), self.now()) {
            Step::Call(call) => {
                task.calls += 1;
                let (answer, after) = self.call(&call);
                assert!(after <= call.timeout);
                (task.answer, task.answer_at) = (Some(answer), self.now().plus(after));
                self.task = Some(task);
            }
            Step::Done(outcome) => {
                let (operation, calls) = (task.operation, task.calls);
                // Known to be dead only now.
                let refused = matches!(&outcome, Outcome::Failed(f) if f.code == Code::TokenRefused);
                self.revoked &= !self.asked_since || (matches!(outcome, Outcome::Failed(_)) && !refused);
                if refused {
                    self.disturbed(self.now());
                }
                self.step(Event::Landed { operation, source: None, outcome, calls });
                if self.crashes(Crash::AfterWrite) {
                    return;
                }
                self.follow_up();
                for min_ttl in std::mem::take(&mut self.waiting) {
                    if !operation.gets() {
                        // Another kind of task was waited for, and this one's turn is now.
                        self.ask(min_ttl.as_secs());
                        continue;
                    }
                    match self.step(Event::Asked { min_ttl, tried: true }) {
                        Verdict::Serve => self.served(),
                        Verdict::Refuse(_) => assert!(!self.live()),
                        _ => panic!("somebody is to wait longer than the call"),
                    }
                }
            }
        }
    }

    fn crashes(&mut self, at: Crash) -> bool {
        let crashes = self.crash.take_if(|c| *c == at).is_some();
        if crashes {
            self.disturbed(self.now());
            self.die();
        }
        crashes
    }

    /// Memory is lost; storage and the alarm are not.
    pub fn die(&mut self) {
        self.deaths += 1;
        self.lost += self.task.as_ref().map_or(0, |t| t.calls);
        (self.task, self.armed) = (None, None);
        self.waiting.clear();
        self.k.evict();
    }

    /// The upstream ended the token, and has not been asked about it since.
    pub fn note_revoked(&mut self) {
        (self.revoked, self.asked_since) = (true, false);
    }

    pub fn lose_alarm(&mut self) {
        self.alarm = None;
        self.disturbed(self.now().max(self.no_cron_until));
    }
}
