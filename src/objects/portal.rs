//! The object of one portal login.
//!
//! Over 400 lines: the step and the commands share the private state of one object. Its queue, its login, what is done at the
//! portal, what is stored and what follows are in rooms of their own.

use super::portal_queue::Queue;
use super::portal_rows::PortalRows;
use super::{fault, promise, rows::Rows};
use crate::platform;
use ::keeper::protocol::By;
use ::portal::{
    Asked, Code, Command, Credentials, Driver, End, Event, Login, Policy, Refusal, Reply, Session, Verdict,
    Work, identity,
};
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;
use config::App;
use http::log;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);
/// While something is under way in memory, the alarm does not come more often than this.
const ALARM_WHILE_BUSY: Duration = Duration::from_secs(15);
/// How soon, in seconds.
const BUSY_RETRY_SECONDS: u64 = 10;
/// A login that was wanted, got and lost again this often while somebody waited is given up.
const GET_ROUNDS: usize = 3;

/// One login at a portal: its credentials and cookies (sealed), its session, its troubles. Named `portal/hash`.
///
/// It is the lock, too. Work at the portal is a queue: each piece awaits the promise of the one before it, so there is one
/// at a time, in order, and the login that many wait for is one promise that they share. (All requests of an object share
/// one context of the runtime, so a promise may be awaited across them.) Each decision is one synchronous step (load,
/// decide, store, arm the alarm) without an `await` in it; calls to the portal lie between steps. What is about to be done
/// is stored before its first call, so an instance that finds work that it is not doing itself knows that it was
/// interrupted; and the output gate holds each call back until that is durable.
#[durable_object(alarm)]
pub struct Portal {
    inner: AssertUnwindSafe<Rc<Inner>>,
}

pub(super) struct Inner {
    state: State,
    pub(super) env: Env,
    rows: Result<Rows>,
    pub(super) queue: Queue,
    /// The login that is waited for, a [`Got`] in JSON, and the captcha key that it was begun with.
    login: RefCell<Option<(Promise, Secret)>>,
    armed: Cell<Option<Timestamp>>,
    pub(super) told_used: Cell<Option<Timestamp>>,
}

/// What came of a login that was waited for.
#[derive(Serialize, Deserialize)]
pub(super) enum Got {
    Here,
    /// There is no need for one: the object of this name has the session.
    Elsewhere(String),
    Refused(Refusal),
}

impl From<std::result::Result<(), Refusal>> for Got {
    fn from(end: std::result::Result<(), Refusal>) -> Self {
        end.map_or_else(Self::Refused, |()| Self::Here)
    }
}

/// A login as it was loaded, or as a step has left it.
pub(super) struct Loaded {
    pub app: Rc<App>,
    pub name: String,
    pub login: Login,
}

impl Loaded {
    pub fn policy(&self) -> &Policy {
        &self.app.config.portals.policy
    }

    /// What tells captcha keys apart without keeping them.
    pub fn key_print(&self, credentials: &Credentials) -> String {
        self.app.vault.fingerprint("captcha-key", credentials.captcha_api_key.expose())
    }

    /// What an object of these credentials is called, by each sealing key.
    pub fn names(&self, credentials: &Credentials) -> Vec<String> {
        identity::names(&self.app.vault, identity::portal(&self.name), credentials)
    }

    /// Nothing, if this deployment has no such portal.
    pub fn driver(&self) -> Option<&dyn Driver> {
        self.app.config.portals.driver(identity::portal(&self.name))
    }
}

impl DurableObject for Portal {
    fn new(state: State, env: Env) -> Self {
        let rows = Rows::new(&state);
        Self {
            inner: AssertUnwindSafe(Rc::new(Inner {
                state,
                env,
                rows,
                queue: Queue::default(),
                login: RefCell::default(),
                armed: Cell::default(),
                told_used: Cell::default(),
            })),
        }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }

    /// Does what is due. Never fails: the next alarm is set in any case.
    async fn alarm(&self) -> Result<Response> {
        let inner = self.inner.clone();
        inner.armed.set(None);
        if let Err(error) = inner.on_alarm().await {
            platform::log_fault("portal alarm", &error.to_string(), None);
            super::set_alarm(&inner.state, platform::now().plus(ALARM_AGAIN)).await?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Portal {
    /// A command for the login that it names. In and out as the entry passes it on.
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
    pub(super) fn rows(&self) -> Result<PortalRows<'_>> {
        let rows = self.rows.as_ref().map_err(|error| worker::Error::from(error.to_string()))?;
        let app = self.app()?;
        Ok(PortalRows { rows, app })
    }

    pub(super) fn app(&self) -> Result<Rc<App>> {
        platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))
    }

    pub(super) fn load(&self) -> Result<Option<Loaded>> {
        let rows = self.rows()?;
        let Some(name) = rows.name()? else { return Ok(None) };
        Ok(Some(Loaded { login: rows.login()?, app: rows.app.clone(), name }))
    }

    /// Load, decide, store, arm the alarm: one step.
    pub(super) fn step(&self, event: Event) -> Result<(Verdict, Loaded)> {
        let now = platform::now();
        let mut loaded = self.load()?.ok_or("a portal login without a name")?;
        let before = loaded.login.clone();
        let jitter = Jitter(u32::from_le_bytes(platform::random().ok_or("no random bytes")?));
        let app = loaded.app.clone();
        let policy = &app.config.portals.policy;
        if let Some(flight) = loaded.login.flight.clone().filter(|_| !self.queue.is_busy()) {
            if flight.committing {
                // The one thing that nobody can find out afterwards.
                let by = By { who: "recovery".to_owned(), request_id: platform::fresh_id() };
                audit(&loaded.name, &flight.work, Code::OutcomeUnknown.as_str(), &by);
            }
            loaded.login.step(Event::Interrupted, policy, now, jitter);
        }
        let ordered = matches!(event, Event::Closed { .. });
        let verdict = loaded.login.step(event, policy, now, jitter);
        if loaded.login != before {
            let rows = self.rows()?;
            rows.put_login(&loaded.login)?;
            rows.tidy(&before, &loaded.login)?;
        }
        if let (Some(_), None, Some(ended)) = (&before.session, &loaded.login.session, &loaded.login.ended)
            && !ordered
        {
            platform::log(&log::portal_closed(&loaded.name, ended, None, now));
        }
        self.arm(&loaded, now)?;
        Ok((verdict, loaded))
    }

    fn next_alarm(&self, loaded: &Loaded, now: Timestamp) -> Result<Option<Timestamp>> {
        // Not configured any more: nothing is done for it, and nothing is lost.
        if loaded.driver().is_none() {
            return Ok(None);
        }
        let least = if self.queue.is_empty() { now } else { now.plus(ALARM_WHILE_BUSY) };
        let wizards = self.rows()?.wizards_end(loaded.policy().wizard_idle)?;
        let at = [loaded.login.next_alarm(loaded.policy(), now), wizards].into_iter().flatten().min();
        Ok(at.map(|at| at.max(least)))
    }

    /// Sets the alarm if it is to come earlier or later than it was last set to. Part of the same batch as the writes.
    pub(super) fn arm(&self, loaded: &Loaded, now: Timestamp) -> Result<()> {
        let next = self.next_alarm(loaded, now)?;
        if let Some(at) = next.filter(|_| next != self.armed.get()) {
            super::arm(&self.state, at)?;
            self.armed.set(next);
        }
        Ok(())
    }

    pub(super) fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.state.wait_until(work);
    }

    async fn ask(self: &Rc<Self>, asked: Asked) -> Result<Reply> {
        let known = self.rows()?.name()?;
        if known.as_ref().is_some_and(|known| *known != asked.name) {
            return Ok(Reply::Unknown);
        }
        let named = match &asked.command {
            Command::Get { credentials, .. } | Command::Run { credentials: Some(credentials), .. } => {
                let app = self.app()?;
                let portal = identity::portal(&asked.name);
                let names = identity::names(&app.vault, portal, credentials);
                // Sessions begin under the name by the first key, so that nobody begins a second one under another.
                let first = names.first().filter(|first| **first != asked.name);
                if let Some(first) = first.filter(|_| names.contains(&asked.name))
                    && !self.has_session()?
                {
                    return Ok(Reply::Moved(first.clone()));
                }
                names.contains(&asked.name)
                    || (known.is_some() && self.has_session_of(&asked.name, credentials)?)
            }
            _ => known.is_some(),
        };
        if !named {
            return Ok(Reply::Unknown);
        }
        if known.is_none() {
            self.rows()?.put_name(&asked.name)?;
        }
        match asked.command {
            Command::Get { credentials, keep_alive, by } => self.get(credentials, keep_alive, by).await,
            Command::Run { session_id, credentials, keep_alive, operation, wizard_id, by } => {
                let session = match (session_id, credentials) {
                    (Some(id), _) => Ok((id, false)),
                    (None, Some(credentials)) => {
                        match self
                            .get(credentials, keep_alive, by.clone())
                            .await
                            .unwrap_or_else(|e| not_begun(&e))
                        {
                            Reply::Session(session) => Ok((session.live.session_id, session.is_new)),
                            other => Err(other),
                        }
                    }
                    (None, None) => Err(Reply::Unknown),
                };
                match session {
                    Ok((id, is_new)) => self.run(id, is_new, operation, wizard_id, by).await,
                    Err(reply) => Ok(reply),
                }
            }
            Command::Close { session_id, reason, by, wait } => {
                self.close(session_id, reason, &by, wait).await
            }
            Command::Look => {
                self.look().await?;
                Ok(Reply::Looked)
            }
        }
    }

    /// Whether there is a session, or is about to be one.
    fn has_session(&self) -> Result<bool> {
        let live = self.load()?.is_some_and(|loaded| loaded.login.session.is_some());
        Ok(live || self.login.borrow().is_some())
    }

    /// The live session, or a new one.
    async fn get(self: &Rc<Self>, credentials: Credentials, keep_alive: bool, by: By) -> Result<Reply> {
        let mut is_new = false;
        let mut given_up = Refusal::new(Code::Closed);
        for _ in 0..GET_ROUNDS {
            let (verdict, loaded) = self.step(Event::Wanted { keep_alive })?;
            match verdict {
                Verdict::Serve => {
                    // A new login of it is paid for by whoever came last, unless that is known not to work.
                    if loaded.login.key_refused(&loaded.key_print(&credentials), platform::now()).is_none() {
                        self.rows()?.renew_captcha_key(&loaded.name, &credentials)?;
                    }
                    // Its id is of no use before the registry knows it.
                    self.tell_registry(loaded).await?;
                    let Some(loaded) = self.load()? else { break };
                    let expires_at = loaded.login.expires_at(loaded.policy());
                    let previous = loaded.login.previous(platform::now()).filter(|_| is_new);
                    let Some(live) = loaded.login.session else { break };
                    let username = credentials.username;
                    return Ok(Reply::Session(Session { live, is_new, username, expires_at, previous }));
                }
                Verdict::Refuse(refusal) => {
                    self.tell_of_changes().await;
                    return Ok(Reply::Refused(refusal));
                }
                _ => {}
            }
            if let Some(refusal) = loaded.login.key_refused(&loaded.key_print(&credentials), platform::now())
            {
                return Ok(Reply::Refused(refusal));
            }
            let under_way = self.login.borrow().clone();
            let first = under_way.is_none();
            let before = loaded.login.session.map(|live| live.session_id);
            let (end, own_key) = match under_way {
                Some((login, key)) => (login, key == credentials.captcha_api_key),
                None => (self.queue_login(credentials.clone(), keep_alive, by.clone()), true),
            };
            let end = JsFuture::from(end).await;
            match parse(end)? {
                Got::Here => {}
                Got::Elsewhere(name) => {
                    // Unless somebody else has come for it meanwhile.
                    if self.queue.is_empty() {
                        self.rows()?.forget_name()?;
                    }
                    return Ok(Reply::Moved(name));
                }
                // The key of somebody else.
                Got::Refused(refusal) if !own_key && refusal.code.refuses_captcha_key() => {
                    given_up = refusal;
                    continue;
                }
                Got::Refused(refusal) => {
                    self.tell_of_changes().await;
                    return Ok(Reply::Refused(refusal));
                }
            }
            // A session that was there may have been closed while it was logged in again.
            let now = self.load()?.and_then(|loaded| loaded.login.session).map(|live| live.session_id);
            is_new |= first && now.is_some() && now != before;
        }
        Ok(Reply::Refused(given_up))
    }

    fn queue_login(self: &Rc<Self>, credentials: Credentials, keep_alive: bool, by: By) -> Promise {
        let inner = self.clone();
        let key = credentials.captcha_api_key.clone();
        let login = self.enqueue(async move {
            let end = inner.log_in_if_needed(credentials, keep_alive, &by).await;
            inner.login.borrow_mut().take();
            end
        });
        *self.login.borrow_mut() = Some((login.clone(), key));
        let (inner, kept) = (self.clone(), login.clone());
        // A panic has left it there; nobody else may wait for that.
        self.state.wait_until(async move {
            if JsFuture::from(kept).await.is_err() {
                inner.login.borrow_mut().take();
            }
        });
        login
    }

    async fn run(
        self: &Rc<Self>,
        session_id: String,
        is_new: bool,
        operation: ::portal::Request,
        wizard_id: Option<String>,
        by: By,
    ) -> Result<Reply> {
        // A session that is not there, or a portal that cannot be asked, need no turn.
        let verdict = match self.step(Event::Resumed { session_id: session_id.clone() }) {
            Ok((verdict, _)) => verdict,
            Err(error) => return Ok(not_begun(&error)),
        };
        match verdict {
            Verdict::Unknown => return Ok(Reply::Unknown),
            Verdict::Ended(reason) => {
                self.tell_of_changes().await;
                return Ok(Reply::Ended(reason));
            }
            Verdict::Refuse(refusal) => return Ok(Reply::Refused(refusal)),
            _ if self.queue.is_full() => {
                let retry_after_seconds = Some(BUSY_RETRY_SECONDS);
                return Ok(Reply::Refused(Refusal { retry_after_seconds, ..Refusal::new(Code::Busy) }));
            }
            _ => {}
        }
        let inner = self.clone();
        let end = self
            .enqueue(async move { inner.run_at_turn(session_id, is_new, operation, wizard_id, &by).await });
        let reply = parse(JsFuture::from(end).await)?;
        self.tell_of_changes().await;
        Ok(reply)
    }

    async fn close(self: &Rc<Self>, session_id: String, reason: End, by: &By, wait: bool) -> Result<Reply> {
        let (verdict, loaded) = self.step(Event::Closed { session_id, reason })?;
        let reply = match verdict {
            Verdict::Serve => Reply::Closed,
            Verdict::Ended(reason) => return Ok(Reply::Ended(reason)),
            _ => return Ok(Reply::Unknown),
        };
        if let Some(ended) = &loaded.login.ended {
            platform::log(&log::portal_closed(&loaded.name, ended, Some(by), platform::now()));
        }
        self.tell_registry(loaded).await?;
        let idle = self.queue.is_empty();
        let inner = self.clone();
        let farewell = self.enqueue(async move { inner.log_out_if_due().await });
        // Behind an operation it could take minutes: then the portal hears of it later.
        if wait && idle {
            let _ = JsFuture::from(farewell).await;
        }
        Ok(reply)
    }

    async fn look(self: &Rc<Self>) -> Result<()> {
        if self.load()?.is_none() {
            return Ok(());
        }
        // Finds out what was interrupted, or is over; the alarm does what follows from it.
        let (_, loaded) = self.step(Event::Woke)?;
        // What the registry has of it is sealed, too.
        let sealed_anew = self.rows()?.seal_anew(&loaded.name)?;
        let stale = loaded.login.session.is_none() || sealed_anew;
        if loaded.login.untold.is_some() || stale {
            self.tell_registry_in_any_case(&loaded).await?;
        }
        self.arm_if_lost(&loaded).await
    }

    /// Sets the alarm if the platform has lost it.
    async fn arm_if_lost(&self, loaded: &Loaded) -> Result<()> {
        let Some(at) = self.next_alarm(loaded, platform::now())? else { return Ok(()) };
        if self.state.storage().get_alarm().await?.is_none() {
            super::set_alarm(&self.state, at).await?;
            self.armed.set(Some(at));
        }
        Ok(())
    }

    async fn on_alarm(self: &Rc<Self>) -> Result<()> {
        let Some(loaded) = self.load()?.filter(|loaded| loaded.driver().is_some()) else { return Ok(()) };
        // Told again, in case a report was overtaken by another.
        self.told_used.set(None);
        self.rows()?.forget_wizards(&loaded.name, loaded.policy().wizard_idle, platform::now())?;
        if self.queue.is_empty() {
            let (verdict, _) = self.step(Event::Woke)?;
            if verdict == Verdict::Forget {
                return self.state.storage().delete_all().await;
            }
            let inner = self.clone();
            let work = match verdict {
                Verdict::LogOut => Some(self.enqueue(async move { inner.log_out_if_due().await })),
                Verdict::KeepAlive | Verdict::LogIn => {
                    Some(self.enqueue(async move { inner.keep_alive_if_due().await }))
                }
                _ => None,
            };
            if let Some(work) = work {
                let _ = JsFuture::from(work).await;
            }
        }
        if let Some(loaded) = self.load()?
            && let Err(error) = self.tell_registry(loaded).await
        {
            platform::log_fault("portal registry", &error.to_string(), None);
        }
        // Whatever happened: the alarm that brought us here is used up.
        if let Some(loaded) = self.load()? {
            self.arm_if_lost(&loaded).await?;
        }
        Ok(())
    }
}

/// The answer to an order that could not even be begun: whoever gave it may give it again.
fn not_begun(error: &worker::Error) -> Reply {
    platform::log_fault("portal order", &error.to_string(), None);
    Reply::Refused(Refusal::new(Code::Interrupted))
}

pub(super) fn audit(name: &str, work: &Work, outcome: &str, by: &By) {
    platform::log(&log::portal(name, work, outcome, by, platform::now()));
}

/// What came of a piece of work.
fn parse<T: DeserializeOwned>(
    end: std::result::Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue>,
) -> Result<T> {
    let end = end.map_err(worker::Error::from)?;
    Ok(serde_json::from_str(&end.as_string().unwrap_or_default())?)
}
