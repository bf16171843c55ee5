//! The object of one upstream account.
//!
//! Over 400 lines: the step, the flight and the commands share the private state of one object.

use super::follow;
use super::{fault, promise, rows::Rows};
use crate::platform;
use ::keeper::decide::{copy_until, status};
use ::keeper::history::{self, Entry};
use ::keeper::protocol::{Asked, By, Command, Issued, Operation, Refusal, Reply, Status, Task};
use ::keeper::{
    Account, AccountKey, Code, Context, Decision, Event, Outcome, Provider, Script, Step, Tokens, Verdict,
    decide,
};
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::vault::VaultError;
use config::App;
use http::log;
use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

const NAME: &str = "name";
const ACCOUNT: &str = "account";
/// Sealed.
const TOKENS: &str = "tokens";
const HISTORY: &str = "history";
/// What the tokens are sealed for; the record is the account's name.
const PURPOSE: &str = "upstream";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);
/// While a task or a follow-up is under way in memory, the alarm does not come more often than this.
const ALARM_WHILE_BUSY: Duration = Duration::from_secs(1);

/// One account of an upstream: its token, its plan, its troubles. Named `provider/account`.
///
/// It is the lock, too: there is one task at a time, because `flight` holds the promise of the one under way and everybody
/// who wants the same awaits that. All requests of an object share one context of the runtime, so a promise may be awaited
/// across them. Each decision is one synchronous step (load, decide, store, arm the alarm) without an `await` in it, so
/// nothing comes in between; calls to the upstream lie between steps, and what they find is decided about in a new one.
/// The intent of a task is stored before its first call: an instance that finds one that it is not running itself knows
/// that it was interrupted.
#[durable_object(alarm)]
pub struct Upstream {
    inner: AssertUnwindSafe<Rc<Inner>>,
}

pub(super) struct Inner {
    state: State,
    pub(super) env: Env,
    rows: Result<Rows>,
    flight: RefCell<Option<Running>>,
    /// What the alarm was last set to, as far as this instance knows.
    armed: Cell<Option<Timestamp>>,
    pub(super) following: Cell<bool>,
}

/// The task under way, and the promise of its end: a [`Refusal`] in JSON, or `null`.
#[derive(Clone)]
struct Running {
    operation: Operation,
    end: Promise,
    /// Whether KV and the roster are told before those who wait for it go on, because one of them gave an order and may
    /// look there next; the others wait for a token and no longer than it takes.
    tell: Rc<Cell<bool>>,
}

impl Running {
    /// Whether somebody who wants `operation` done gets what this one brings.
    fn shares(&self, operation: Operation) -> bool {
        (self.operation.gets() && operation.gets())
            || (self.operation, operation) == (Operation::Check, Operation::Check)
    }
}

/// An account as it was loaded, or as a step has left it.
pub(super) struct Loaded {
    pub(super) app: Rc<App>,
    pub(super) key: AccountKey,
    provider: Box<dyn Provider>,
    pub(super) account: Account,
    pub(super) tokens: Option<Tokens>,
    kid: Option<String>,
}

impl DurableObject for Upstream {
    fn new(state: State, env: Env) -> Self {
        let rows = Rows::new(&state);
        let (flight, armed, following) = (RefCell::new(None), Cell::new(None), Cell::new(false));
        Self { inner: AssertUnwindSafe(Rc::new(Inner { state, env, rows, flight, armed, following })) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }

    /// Does what is due. Never fails: the next alarm is set in any case.
    async fn alarm(&self) -> Result<Response> {
        let inner = self.inner.clone();
        inner.armed.set(None);
        if let Err(error) = inner.on_alarm().await {
            platform::log_fault("upstream alarm", &error.to_string(), None);
            super::set_alarm(&inner.state, platform::now().plus(ALARM_AGAIN)).await?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Upstream {
    /// A command for the account that it names. In and out as the entry passes it on.
    pub fn ask(&self, json: String) -> Promise {
        let inner = self.inner.clone();
        promise(async move {
            let asked: Asked = serde_json::from_str(&json).map_err(fault)?;
            let reply = inner.ask(asked).await.map_err(fault)?;
            serde_json::to_string(&reply).map_err(fault)
        })
    }
}

impl Inner {
    fn rows(&self) -> Result<&Rows> {
        self.rows.as_ref().map_err(|error| worker::Error::from(error.to_string()))
    }

    /// The account by the name that it was first asked by. `None`: this deployment has no such account.
    pub(super) fn load(&self) -> Result<Option<Loaded>> {
        let app = platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))?;
        let rows = self.rows()?;
        let Some(name) = rows.get(NAME)? else { return Ok(None) };
        let (provider, account) = name.split_once('/').unwrap_or_default();
        let Some(key) = app.config.providers.find(provider, account) else { return Ok(None) };
        let Some(provider) = app.config.providers.get(&key) else { return Ok(None) };
        let account = match rows.get(ACCOUNT)? {
            Some(text) => serde_json::from_str(&text)?,
            None => Account::default(),
        };
        Ok(Some(Loaded { app, key, provider, account, tokens: None, kid: None }))
    }

    /// Opens the tokens; says whether they could be opened.
    fn open(&self, loaded: &mut Loaded) -> Result<bool> {
        let Some(sealed) = self.rows()?.get(TOKENS)? else { return Ok(true) };
        let opened = loaded.app.vault.open(PURPOSE, &loaded.key.to_string(), &sealed);
        loaded.kid = sealed.split_once('.').map(|(kid, _)| kid.to_owned());
        match opened {
            Ok(plain) => {
                loaded.tokens = Some(serde_json::from_slice(&plain)?);
                Ok(true)
            }
            Err(VaultError::UnknownKey | VaultError::Unreadable) => Ok(false),
        }
    }

    /// Load, decide, store, arm the alarm: one step.
    pub(super) fn step(&self, event: Event) -> Result<Option<(Decision, Loaded)>> {
        let now = platform::now();
        let Some(mut loaded) = self.load()? else { return Ok(None) };
        let readable = self.open(&mut loaded)?;
        let before = serde_json::to_string(&loaded.account)?;
        let (alerts, tokens) = (loaded.account.alerts, loaded.tokens.clone());
        let prints = loaded.app.vault.fingerprints("settings", &loaded.provider.settings());
        let settings = prints.first().map(String::as_str).unwrap_or_default();
        // A rotation of the sealing keys is no change of the settings.
        if prints.contains(&loaded.account.settings) {
            settings.clone_into(&mut loaded.account.settings);
        }
        let jitter = Jitter(u32::from_le_bytes(platform::random().ok_or("no random bytes")?));
        let context = Context {
            provider: loaded.provider.as_ref(),
            settings,
            warning: loaded.app.config.alerts.warning,
            now,
            jitter,
        };
        let (account, held) = (&mut loaded.account, &mut loaded.tokens);
        let mut entries = Vec::new();
        if account.flight.is_some() && self.flight.borrow().is_none() {
            entries.extend(decide(account, held, Event::Interrupted, &context).entry);
        }
        let first = if readable { Event::Readable } else { Event::Unreadable };
        decide(account, held, first, &context);
        let mut decision = decide(account, held, event, &context);
        entries.extend(decision.entry.take());
        self.store_tokens(&mut loaded, tokens.as_ref(), readable, now)?;
        let after = serde_json::to_string(&loaded.account)?;
        if after != before {
            self.rows()?.put(ACCOUNT, &after)?;
        }
        self.record(&loaded, &entries)?;
        for alert in loaded.account.outbox.iter().filter(|a| a.number > alerts) {
            platform::log(&log::alert(&loaded.key, alert));
        }
        self.arm(&loaded, now)?;
        Ok(Some((decision, loaded)))
    }

    /// Seals the tokens if they are new, or if they lie sealed under another key than the first. What cannot be opened is
    /// not touched, unless there is something new to put in its place.
    fn store_tokens(
        &self,
        loaded: &mut Loaded,
        before: Option<&Tokens>,
        readable: bool,
        now: Timestamp,
    ) -> Result<()> {
        let Some(tokens) = &loaded.tokens else { return Ok(()) };
        let moved = loaded.kid.as_deref() != loaded.app.vault.first_kid();
        if before == Some(tokens) && readable && !moved {
            return Ok(());
        }
        let plain = serde_json::to_vec(tokens)?;
        let nonce = platform::nonce().ok_or("no random bytes")?;
        let sealed = loaded.app.vault.seal(PURPOSE, &loaded.key.to_string(), &plain, nonce);
        let sealed = sealed.map_err(|_| "the tokens could not be sealed")?;
        self.rows()?.put(TOKENS, &sealed)?;
        loaded.kid = loaded.app.vault.first_kid().map(str::to_owned);
        if moved {
            loaded.account.changed(now);
        }
        Ok(())
    }

    fn record(&self, loaded: &Loaded, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut kept = self.history()?;
        for entry in entries {
            platform::log(&log::operation(&loaded.key, entry));
            history::push(&mut kept, entry.clone());
        }
        self.rows()?.put(HISTORY, &serde_json::to_string(&kept)?)
    }

    fn history(&self) -> Result<Vec<Entry>> {
        match self.rows()?.get(HISTORY)? {
            Some(text) => Ok(serde_json::from_str(&text)?),
            None => Ok(Vec::new()),
        }
    }

    fn next_alarm(&self, loaded: &Loaded, now: Timestamp) -> Option<Timestamp> {
        let busy = self.flight.borrow().is_some() || self.following.get();
        let least = if busy { now.plus(ALARM_WHILE_BUSY) } else { now };
        loaded.account.next_alarm(loaded.app.config.alerts.warning).map(|at| at.max(least))
    }

    /// Sets the alarm if it is to come earlier or later than it was last set to. Part of the same batch as the writes.
    fn arm(&self, loaded: &Loaded, now: Timestamp) -> Result<()> {
        let next = self.next_alarm(loaded, now);
        if let Some(at) = next.filter(|_| next != self.armed.get()) {
            super::arm(&self.state, at)?;
            self.armed.set(next);
        }
        Ok(())
    }

    /// Sets the alarm if the platform has lost it.
    async fn arm_if_lost(&self, loaded: &Loaded) -> Result<()> {
        let Some(at) = self.next_alarm(loaded, platform::now()) else { return Ok(()) };
        if self.state.storage().get_alarm().await?.is_none() {
            super::set_alarm(&self.state, at).await?;
            self.armed.set(Some(at));
        }
        Ok(())
    }

    fn running(&self) -> Option<Running> {
        self.flight.borrow().clone()
    }

    /// Awaits a task under way in which `operation` has no share. Says whether there was one: then everything may be
    /// different, and is decided about anew.
    async fn waited(&self, operation: Option<Operation>) -> bool {
        let mut waited = false;
        while let Some(running) = self.running().filter(|r| !operation.is_some_and(|o| r.shares(o))) {
            let _ = JsFuture::from(running.end).await;
            waited = true;
        }
        waited
    }

    /// Begins a task, or shares in the one under way, and awaits its end.
    async fn fly(self: &Rc<Self>, task: Task, by: By, tell: bool) -> Result<Option<Refusal>> {
        let operation = task.operation();
        let (running, shared) = match self.running() {
            Some(running) => (running, true),
            None => (self.take_off(task, by.clone())?, false),
        };
        if tell {
            running.tell.set(true);
        }
        let end = JsFuture::from(running.end).await.map_err(worker::Error::from)?;
        let refusal: Option<Refusal> = serde_json::from_str(&end.as_string().unwrap_or_default())?;
        if shared && tell {
            self.note(operation, by, refusal.map(|r| r.code))?;
        }
        Ok(refusal)
    }

    /// The log line of an order for which no task was begun: it shared in another's, or was refused before.
    fn note(&self, operation: Operation, by: By, code: Option<Code>) -> Result<()> {
        let Some(loaded) = self.load()? else { return Ok(()) };
        let entry = Entry {
            at: platform::now(),
            operation,
            outcome: code.map_or("ok", Code::as_str).to_owned(),
            who: by.who,
            request_id: by.request_id,
            calls: 0,
            status: None,
            expires_at: None,
        };
        platform::log(&log::operation(&loaded.key, &entry));
        Ok(())
    }

    fn take_off(self: &Rc<Self>, task: Task, by: By) -> Result<Running> {
        let operation = task.operation();
        let Some((_, loaded)) = self.step(Event::TookOff(operation, by))? else {
            return Err("the account is gone".into());
        };
        let script = loaded.provider.script(&task, loaded.account.held.as_ref(), loaded.tokens.as_ref());
        let (inner, tell) = (self.clone(), Rc::new(Cell::new(false)));
        let ordered = tell.clone();
        let end = promise(async move {
            let end = inner.run(script, &task).await;
            if ordered.get() {
                follow::told(&inner).await;
            }
            inner.flight.borrow_mut().take();
            // What follows is not waited for by those who wait for the token.
            inner.clone().follow_later();
            end.map_err(fault)
        });
        let running = Running { operation, end, tell };
        *self.flight.borrow_mut() = Some(running.clone());
        Ok(running)
    }

    async fn run(&self, mut script: Box<dyn Script>, task: &Task) -> Result<String> {
        let (mut answer, mut calls) = (None, 0);
        let outcome: Outcome = loop {
            let now = platform::now();
            match script.next(answer.take(), now) {
                Step::Done(outcome) => break outcome,
                Step::Call(call) => {
                    calls += 1;
                    answer = Some(platform::outbound::call(&call, now).await);
                }
            }
        };
        let landed = Event::Landed { operation: task.operation(), source: task.source(), outcome, calls };
        let refusal = match self.step(landed)? {
            Some((Decision { verdict: Verdict::Refuse(refusal), .. }, _)) => Some(refusal),
            _ => None,
        };
        Ok(serde_json::to_string(&refusal)?)
    }

    fn follow_later(self: Rc<Self>) {
        self.clone().state.wait_until(async move { follow::up(&self).await });
    }

    async fn ask(self: &Rc<Self>, asked: Asked) -> Result<Reply> {
        let name = format!("{}/{}", asked.provider, asked.account);
        match self.rows()?.get(NAME)? {
            Some(known) if known == name => {}
            Some(_) => return Ok(Reply::NoAccount),
            None => {
                let app =
                    platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))?;
                if app.config.providers.find(&asked.provider, &asked.account).is_none() {
                    return Ok(Reply::NoAccount);
                }
                self.rows()?.put(NAME, &name)?;
            }
        }
        match asked.command {
            Command::Token { min_ttl_seconds, rewrite, by } => self.token(min_ttl_seconds, rewrite, by).await,
            Command::Order { task, by } => self.order(task, by).await,
            Command::Status => Ok(self.load()?.map_or(Reply::NoAccount, |mut loaded| {
                let _ = self.open(&mut loaded);
                Reply::Status(status_of(&loaded))
            })),
            Command::History => Ok(Reply::History(self.history()?)),
            Command::Look { daily, spread_millis } => {
                let spread = Duration::from_millis(spread_millis);
                let Some((_, loaded)) = self.step(Event::Looked { daily, spread })? else {
                    return Ok(Reply::NoAccount);
                };
                self.arm_if_lost(&loaded).await?;
                Ok(Reply::Status(status_of(&loaded)))
            }
        }
    }

    /// A token that is valid now, renewed first if need be.
    async fn token(self: &Rc<Self>, min_ttl_seconds: u64, rewrite: bool, by: By) -> Result<Reply> {
        let min_ttl = Duration::from_secs(min_ttl_seconds);
        let mut tried = false;
        loop {
            let Some((decision, loaded)) = self.step(Event::Asked { min_ttl, tried })? else {
                return Ok(Reply::NoAccount);
            };
            match decision.verdict {
                Verdict::Serve => {
                    if rewrite {
                        follow::tell(self, &loaded).await;
                    }
                    return Ok(match issued(&loaded) {
                        Some(issued) => Reply::Token(issued),
                        None => Reply::Refused(unreadable()),
                    });
                }
                Verdict::Refuse(refusal) => return Ok(Reply::Refused(refusal)),
                Verdict::Nothing => return Ok(Reply::Refused(unreadable())),
                Verdict::Fly(operation) => {
                    if !self.waited(Some(operation)).await {
                        self.fly(task_of(operation), by.clone(), false).await?;
                        tried = true;
                    }
                }
            }
        }
    }

    /// Does something upstream now. KV knows of it before the caller does, who may read it there next.
    async fn order(self: &Rc<Self>, task: Task, by: By) -> Result<Reply> {
        let operation = task.operation();
        self.waited(Some(operation)).await;
        let Some((decision, loaded)) = self.step(Event::Ordered(operation))? else {
            return Ok(Reply::NoAccount);
        };
        let refusal = match decision.verdict {
            Verdict::Fly(_) => self.fly(task, by, true).await?,
            Verdict::Refuse(refusal) => {
                self.note(operation, by, Some(refusal.code))?;
                Some(refusal)
            }
            Verdict::Serve | Verdict::Nothing => return Ok(Reply::Done(status_of(&loaded))),
        };
        let Some(mut loaded) = self.load()? else { return Ok(Reply::NoAccount) };
        self.open(&mut loaded)?;
        Ok(match refusal {
            Some(refusal) => Reply::Refused(refusal),
            None if operation.gets() => issued(&loaded).map_or(Reply::Refused(unreadable()), Reply::Token),
            None => Reply::Done(status_of(&loaded)),
        })
    }

    async fn on_alarm(self: &Rc<Self>) -> Result<()> {
        self.waited(None).await;
        let Some((decision, loaded)) = self.step(Event::Woke)? else {
            // Not configured any more: nothing is done for it, and nothing is lost.
            return Ok(());
        };
        if let Verdict::Fly(operation) = decision.verdict {
            let daily = loaded.account.due.as_ref().is_some_and(|d| d.source == ::keeper::Source::Cron);
            let who = if daily { "cron" } else { "alarm" };
            let by = By { who: who.to_owned(), request_id: platform::fresh_id() };
            self.fly(task_of(operation), by, false).await?;
        }
        follow::up(self).await;
        // Whatever happened: the alarm that brought us here is used up.
        if let Some(loaded) = self.load()? {
            self.arm_if_lost(&loaded).await?;
        }
        Ok(())
    }
}

/// The task of an operation that needs no input.
fn task_of(operation: Operation) -> Task {
    match operation {
        Operation::Check => Task::Check,
        Operation::Obtain => Task::Obtain,
        Operation::Refresh => Task::Refresh,
        _ => Task::Renew,
    }
}

fn unreadable() -> Refusal {
    Refusal { code: Code::Unreadable, status: None, retry_after_seconds: None }
}

pub(super) fn status_of(loaded: &Loaded) -> Status {
    status(&loaded.account, loaded.kid.as_deref(), platform::now())
}

pub(super) fn issued(loaded: &Loaded) -> Option<Issued> {
    let held = loaded.account.live(platform::now())?;
    Some(Issued {
        token: loaded.tokens.as_ref()?.access.clone(),
        obtained_at: held.obtained_at,
        expires_at: held.expires_at,
        expires_in: held.expires_in,
        source: held.source,
        updated_by: held.updated_by.clone(),
        copy_until: copy_until(&loaded.account),
    })
}
