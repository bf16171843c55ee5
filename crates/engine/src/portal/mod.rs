//! The object of one portal login: its credentials and cookies (sealed), its session, its troubles. Named `portal/hash`.
//!
//! It is the lock, too. Work at the portal is a queue (`queue`): one piece at a time, in order; the login that many wait
//! for is one flight that they share. Each decision is one synchronous step (load, decide, store, arm the alarm); calls to
//! the portal lie between steps. What is about to be done is stored before its first call, so an instance that finds work
//! that it is not doing itself knows that it was interrupted; and the output gate holds each call back until that is
//! durable. A keep-alive is not: done twice it does no harm, and until it is known to be done, the row says that it is due.
//!
//! - here: the step and the alarm
//! - `commands`: what callers want
//! - `queue`: one piece of work at a time
//! - `login`: a session, anew or taken over
//! - `operation`, `upkeep`: what is done with it at the portal, through a `visit`
//! - `person`: a login that waits for a person
//! - `page`: what a failed visit has seen last
//! - `state`: what of it is given out
//! - `store`, `wizards`: what is stored
//! - `registry`: what the registry is told
//! - `events`: what others are told

mod commands;
mod events;
mod login;
mod operation;
mod page;
mod person;
mod queue;
mod registry;
mod state;
mod store;
mod upkeep;
mod visit;
mod wizards;

use crate::host::{DurableObject, Host};
use crate::log;
use crate::parsed::Parsed;
use base::call::Actor;
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::PortalId;
use base::secret::Secret;
use config::App;
use login::LoggedIn;
use portal::steps::{Due, Interrupted, Woke};
use portal::{
    Code, Context, Credentials, Driver, Login, Place, Policy, Refusal, Step, Task, Work, identity, refusals,
};
use queue::Queue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use store::{LOGIN, PortalRows};

type Result<T, E = Fault> = std::result::Result<T, E>;

/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);
/// While something is under way in memory, the alarm does not come more often than this.
const ALARM_WHILE_BUSY: Duration = Duration::from_secs(15);

pub struct Portal<H: Host> {
    host: H,
    memory: Rc<Memory<H>>,
}

impl<H: Host> Clone for Portal<H> {
    fn clone(&self) -> Self {
        Self { host: self.host.clone(), memory: self.memory.clone() }
    }
}

/// What is gone with the instance.
struct Memory<H: Host> {
    queue: Queue<H::Flight>,
    state: Parsed<H::Text, Login>,
    /// The login that is waited for, a [`LoginOutcome`] in JSON, and the captcha key that it was begun with.
    login: RefCell<Option<(H::Flight, Secret)>>,
    /// What the alarm was last set to.
    armed: Cell<Option<Timestamp>>,
    /// When the keep-alive began that is under way.
    keeping: Cell<Option<Timestamp>>,
    /// The last use that the registry was told of.
    synced_use: Cell<Option<Timestamp>>,
    /// The session's last failure is another one than the registry was told of, as far as this instance knows.
    failure_is_news: Cell<bool>,
    /// Milliseconds for which browsers were held, and which the session's row does not have yet.
    browsers: Cell<u64>,
    /// Half a step may be stored: the one that failed here, or that of an instance before.
    untidy: Cell<bool>,
}

/// What came of a login that was waited for.
#[derive(Serialize, Deserialize)]
enum LoginOutcome {
    /// The calls of the login that was made for it, if one was made.
    Here(Vec<Value>),
    /// There is no need for one: the object of this name has the session.
    Elsewhere(String),
    Refused(Refusal),
}

impl From<LoggedIn> for LoginOutcome {
    fn from(end: LoggedIn) -> Self {
        end.map_or_else(Self::Refused, Self::Here)
    }
}

/// A login as it was loaded, or as a step has left it.
struct Loaded {
    app: Rc<App>,
    name: String,
    login: Login,
}

impl Loaded {
    fn policy(&self) -> &Policy {
        &self.app.config.portals.policy
    }

    /// What tells captcha keys apart without keeping them.
    fn key_print(&self, credentials: &Credentials) -> String {
        self.app.vault.fingerprint("captcha-key", credentials.captcha_api_key.expose())
    }

    /// What there is against a login with the captcha key of these credentials.
    fn key_refused(&self, credentials: &Credentials, now: Timestamp) -> Option<Refusal> {
        self.login.key_refused(&self.key_print(credentials), now)
    }

    /// What an object of these credentials is called, by each sealing key.
    fn names(&self, credentials: &Credentials) -> Vec<String> {
        identity::names(&self.app.vault, identity::portal(&self.name), credentials)
    }

    /// Keyed hashes of their username, by each sealing key.
    fn usernames(&self, credentials: &Credentials) -> Vec<String> {
        refusals::usernames(&self.app.vault, identity::portal(&self.name), credentials)
    }

    fn session_id(&self) -> Option<&PortalId> {
        self.login.session.as_ref().map(|live| &live.session_id)
    }

    /// Nothing, if this deployment has no such portal.
    fn driver(&self) -> Option<&dyn Driver> {
        self.app.config.portals.driver(identity::portal(&self.name))
    }

    fn need_driver(&self) -> Result<&dyn Driver> {
        self.driver().ok_or_else(|| "the portal is not set up".into())
    }
}

impl<H: Host> DurableObject<H> for Portal<H> {
    fn new(host: H) -> Self {
        let memory = Memory {
            queue: Queue::default(),
            state: Parsed::of(LOGIN),
            login: RefCell::default(),
            armed: Cell::default(),
            keeping: Cell::default(),
            synced_use: Cell::default(),
            failure_is_news: Cell::default(),
            browsers: Cell::default(),
            untidy: Cell::new(true),
        };
        Self { host, memory: Rc::new(memory) }
    }

    /// A command for the login that it names.
    async fn ask(&self, json: &str) -> Result<String> {
        self.answer(json).await
    }

    async fn alarm(&self) -> Result<()> {
        self.memory.armed.set(None);
        if let Err(error) = self.on_alarm().await {
            self.host.fault(FaultKind::PortalAlarm, &error, None);
            self.host.set_alarm(self.host.now().plus(ALARM_AGAIN))?;
        }
        Ok(())
    }
}

impl<H: Host> Portal<H> {
    fn rows(&self) -> Result<PortalRows<'_, H>> {
        Ok(PortalRows { host: &self.host, state: &self.memory.state, app: self.host.app()? })
    }

    fn load(&self) -> Result<Option<Loaded>> {
        let rows = self.rows()?;
        let Some(name) = rows.name()? else { return Ok(None) };
        Ok(Some(Loaded { login: rows.login()?, app: rows.app, name }))
    }

    fn need(&self) -> Result<Loaded> {
        self.load()?.ok_or_else(|| "a portal login without a name".into())
    }

    /// Load, decide, store, arm the alarm: one step.
    fn step<S: Step>(&self, step: S) -> Result<(S::Outcome, Loaded)> {
        let (mut step, mut outcome) = (Some(step), None);
        let loaded = self.stepped(S::ORDERED, S::ARMS, &mut |login, context| {
            outcome = step.take().map(|step| login.step(step, context));
        })?;
        Ok((outcome.ok_or("a step that decided nothing")?, loaded))
    }

    /// What is the same for every step, so that it is compiled once. `decide` is called once.
    fn stepped(
        &self,
        ordered: bool,
        arms: bool,
        decide: &mut dyn FnMut(&mut Login, &Context<'_>),
    ) -> Result<Loaded> {
        let now = self.host.now();
        let mut loaded = self.need()?;
        self.tidy(&loaded.login, now)?;
        let before = loaded.login.clone();
        let jitter = self.host.jitter()?;
        let app = loaded.app.clone();
        let context = Context { policy: &app.config.portals.policy, now, jitter };
        if let Some(task) = loaded.login.task.clone().filter(|_| !self.memory.queue.is_busy()) {
            if task.committing {
                // The one thing that nobody can find out afterwards.
                let code = Code::OutcomeUnknown.as_str();
                self.audit(&loaded.name, &task.work, code, None, &self.itself("recovery"));
            }
            loaded.login.step(Interrupted, &context);
        }
        decide(&mut loaded.login, &context);
        let changed = loaded.login != before;
        if changed {
            // With a row that is written anyway.
            if let Some(live) = &mut loaded.login.session {
                live.browser_milliseconds += self.memory.browsers.get();
            }
            let stored = self.rows()?.put_step(&before, &loaded.login);
            self.whole(stored, now)?;
            // Until a login has come to its end there is no session that it could be counted for.
            let login = &loaded.login;
            if login.session.is_some() || (login.task.is_none() && login.person.is_none()) {
                self.memory.browsers.set(0);
            }
        }
        if let (Some(_), Some(failure)) = (&loaded.login.session, &loaded.login.last_failure)
            && failure.is_news(before.last_failure.as_ref())
        {
            self.memory.failure_is_news.set(true);
        }
        if let (Some(_), None, Some(ended)) = (&before.session, &loaded.login.session, &loaded.login.ended)
            && !ordered
        {
            log::keep(&self.host, &log::portal_closed(&loaded.name, ended, None, now));
        }
        if arms || changed {
            self.arm(&loaded, now)?;
        }
        Ok(loaded)
    }

    /// Puts right what half a step has left, before anything is decided on top of it.
    fn tidy(&self, login: &Login, now: Timestamp) -> Result<()> {
        if !self.memory.untidy.get() {
            return Ok(());
        }
        let tidied = self.rows()?.tidy(login);
        self.whole(tidied, now)?;
        self.memory.untidy.set(false);
        Ok(())
    }

    /// A write that says that it failed may be done, and those before it are: the next step looks, and the alarm sees to it
    /// that there is one.
    fn whole(&self, stored: Result<()>, now: Timestamp) -> Result<()> {
        if stored.is_err() {
            self.memory.untidy.set(true);
            let at = now.plus(ALARM_AGAIN);
            if self.memory.armed.get().is_none_or(|armed| armed > at) {
                self.host.set_alarm(at)?;
                self.memory.armed.set(Some(at));
            }
        }
        stored
    }

    fn next_alarm(&self, loaded: &Loaded, now: Timestamp) -> Result<Option<Timestamp>> {
        // Not configured any more: nothing is done for it, and nothing is lost.
        if loaded.driver().is_none() {
            return Ok(None);
        }
        let busy = if loaded.login.person.is_some() { person::TURN_LOST } else { ALARM_WHILE_BUSY };
        let least = if self.memory.queue.is_empty() { now } else { now.plus(busy) };
        let rows = self.rows()?;
        let wizards = rows.wizards_end(loaded.policy().wizard_idle)?;
        let untidy = self.memory.untidy.get().then(|| now.plus(ALARM_AGAIN));
        let mut login = loaded.login.clone();
        if let Some(began_at) = self.memory.keeping.get() {
            login.task.get_or_insert(Task::new(Work::KeepAlive, began_at));
        }
        let at = [login.next_alarm(loaded.policy(), now), wizards, rows.page_end()?, untidy];
        let at = at.into_iter().flatten().min();
        Ok(at.map(|at| at.max(least)))
    }

    /// Sets the alarm if it is to come earlier or later than it was last set to. Part of the same batch as the writes.
    fn arm(&self, loaded: &Loaded, now: Timestamp) -> Result<()> {
        let next = self.next_alarm(loaded, now)?;
        if let Some(at) = next.filter(|_| next != self.memory.armed.get()) {
            self.host.set_alarm(at)?;
            self.memory.armed.set(next);
        }
        Ok(())
    }

    /// Sets the alarm if the platform has lost it, or has one that comes too late. To look is a thousandth of what it costs to
    /// set it.
    async fn arm_if_lost(&self) -> Result<()> {
        let set = self.host.alarm_at().await?;
        // While the platform was asked, another call may have changed the login.
        let Some(loaded) = self.load()? else { return Ok(()) };
        let next = self.next_alarm(&loaded, self.host.now())?;
        if let Some(at) = next.filter(|at| set.is_none_or(|set| set > *at)) {
            self.host.set_alarm(at)?;
            self.memory.armed.set(Some(at));
        }
        Ok(())
    }

    async fn on_alarm(&self) -> Result<()> {
        let Some(loaded) = self.load()?.filter(|loaded| loaded.driver().is_some()) else { return Ok(()) };
        // A use is told again, in case its report was lost or overtaken by another: once, when the session is next kept alive.
        if loaded.login.events_due(loaded.policy().events).is_none() {
            let known = loaded.login.session.as_ref().filter(|live| live.last_used < live.confirmed_at);
            self.memory.synced_use.set(known.map(|live| live.last_used));
        }
        self.rows()?.forget_page(self.host.now())?;
        self.rows()?.forget_wizards(&loaded.name, loaded.policy().wizard_idle, self.host.now())?;
        if self.memory.queue.is_empty() {
            self.memory.keeping.set(None);
            let (due, _) = self.step(Woke)?;
            let portal = self.clone();
            let work = match due {
                Due::Forget => return self.host.delete_all().await,
                Due::LogOut => Some(self.enqueue(async move { portal.log_out_if_due().await })),
                Due::KeepAlive | Due::LogIn => {
                    Some(self.enqueue(async move { portal.keep_alive_if_due().await }))
                }
                Due::GoOn => {
                    let turn = self.enqueue(async move { portal.go_on_if_due().await });
                    if let Some(loaded) = self.load()? {
                        self.arm(&loaded, self.host.now())?;
                    }
                    // A turn takes its time, and whoever is to be told that a person is needed is told at once.
                    self.tell_events().await?;
                    Some(turn)
                }
                Due::LetGo => Some(self.enqueue(async move { portal.let_go_if_due().await })),
                Due::Nothing => None,
            };
            if let Some(work) = work {
                // What goes wrong in it is logged there.
                let _ = self.host.join(&work).await;
            }
        }
        if let Some(loaded) = self.load()?
            && let Err(error) = self.sync_registry(loaded).await
        {
            self.host.fault(FaultKind::PortalRegistry, &error, None);
        }
        self.tell_events().await?;
        // Whatever happened: the alarm that brought us here is used up.
        if self.memory.armed.get().is_none() {
            self.arm_if_lost().await?;
        }
        Ok(())
    }

    fn audit(&self, name: &str, work: &Work, outcome: &str, place: Option<&Place>, by: &Actor) {
        log::keep(&self.host, &log::portal(name, work, outcome, place, by, self.host.now()));
    }

    /// Nobody asked for what is done.
    fn itself(&self, who: &str) -> Actor {
        Actor { who: who.to_owned(), request_id: self.host.request_id() }
    }
}
