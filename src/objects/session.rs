//! The object of one session.

use super::settle::settle;
use super::{fault, promise, rows::Rows, set_alarm, to_entry};
use crate::platform;
use ::config::Check;
use ::session::external::Vouched;
use ::session::tokens::SessionMint;
use ::session::{self, Account, Command, Renewal, Reply, decide};
use base::clock::Timestamp;
use base::secret::Secret;
use config::App;
use http::log;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

const ROW: &str = "session";
/// The external token of a post-login session, sealed. A row of its own, so that a request does not read it.
const EXTERNAL: &str = "external";
/// What it is sealed for; the record is the session id.
const EXTERNAL_PURPOSE: &str = "session-external";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One session: its state, its rotation, its deadlines. Its id is the session id.
///
/// It owns everything that is true of the session; KV and the owner's list follow it. A command is one synchronous step:
/// storage is read, the pure `decide` is asked, storage is written, with no `await` in between, so no other command can
/// come in between (the input gate would let one in at an `await`), and all writes of a step are one atomic batch. The
/// output gate holds the reply back until they are durable. Every step reads from storage, also when memory knows the
/// answer: an instance that the platform has replaced fails there and cannot answer from the past.
///
/// Only activity lives in memory ahead of storage, by at most [`session::Policy::activity_write`].
///
/// The renewal of a post-login session is two steps with a call between them; [`super::renewal`] has it.
#[durable_object(alarm)]
pub struct Session {
    inner: AssertUnwindSafe<Rc<Inner>>,
}

pub(super) struct Inner {
    state: State,
    env: Env,
    id: String,
    rows: Result<Rows>,
    memory: RefCell<Option<Memory>>,
    /// The promise of the verification under way: a reply in JSON.
    pub(super) flight: RefCell<Option<Promise>>,
}

/// The state as of the last step, and the stored text that it goes with.
struct Memory {
    stored: String,
    state: session::State,
}

impl DurableObject for Session {
    fn new(state: State, env: Env) -> Self {
        let rows = Rows::new(&state);
        let id = state.id().to_string();
        let (memory, flight) = (RefCell::new(None), RefCell::new(None));
        Self { inner: AssertUnwindSafe(Rc::new(Inner { state, env, id, rows, memory, flight })) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }

    /// Ends the session if its time is over, and does the follow-ups of an end that nobody has finished. Never fails:
    /// what could not be done is done by the next alarm, which is set first.
    async fn alarm(&self) -> Result<Response> {
        let now = platform::now();
        let inner = self.inner.clone();
        if let Err(error) = inner.on_alarm(now).await {
            platform::log_fault("session alarm", &error.to_string(), None);
            set_alarm(&inner.state, now.plus(ALARM_AGAIN)).await?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Session {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        let (reply, alarm) = self.inner.step(command, platform::now()).map_err(fault)?;
        to_entry(&reply, alarm)
    }

    /// A renewal: its reply, in JSON.
    pub fn ask(&self, json: String) -> Promise {
        let inner = self.inner.clone();
        promise(async move {
            let renewal: Renewal = serde_json::from_str(&json).map_err(fault)?;
            inner.renew(renewal).await.map_err(fault)
        })
    }
}

impl Inner {
    pub(super) fn app(&self) -> Result<Rc<App>> {
        platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))
    }

    fn rows(&self) -> Result<&Rows> {
        self.rows.as_ref().map_err(|error| worker::Error::from(error.to_string()))
    }

    /// A step outside a command, with its alarm: what the storage is told in one turn is one batch.
    pub(super) fn armed_step(&self, command: Command) -> Result<Reply> {
        let (reply, alarm) = self.step(command, platform::now())?;
        if let Some(at) = alarm {
            super::arm(&self.state, at)?;
        }
        Ok(reply)
    }

    /// Load, decide, store. What goes wrong on the way leaves storage as it was and forgets the memory.
    fn step(&self, command: Command, now: Timestamp) -> Result<(Reply, Option<Timestamp>)> {
        let app = self.app()?;
        let policy = &app.config.session;
        let memory = self.memory.borrow_mut().take();
        let rows = self.rows()?;
        let stored = rows.get(ROW)?;
        let (state, recovered) = match (&stored, memory) {
            (Some(text), Some(memory)) if *text == memory.stored => (Some(memory.state), false),
            (Some(text), _) => (Some(serde_json::from_str::<session::State>(text)?.recovered(policy)), true),
            (None, _) => (None, false),
        };
        // An alarm may be lost with the process; whoever wakes up sets it again.
        let lost_alarm = state.as_ref().filter(|_| recovered).map(|s| s.alarm(policy));
        let mint = SessionMint {
            keys: &app.keys,
            vault: &app.vault,
            session_id: &self.id,
            carry_account: app.config.check != Check::Strict,
            nonce: &platform::nonce,
        };
        // Sealed before anything is decided, so that a fault changes nothing.
        let external = match &command {
            Command::Open { external: Some(vouched), .. } => Some(self.seal(&app, vouched)?),
            _ => None,
        };
        let decision = decide(state, command, policy, now, &mint)
            .map_err(|session::Fault| worker::Error::from("the tokens could not be made or read"))?;
        match (&decision.state, &external) {
            (Some(session::State::Live(_)), Some(sealed)) if decision.save => rows.put(EXTERNAL, sealed)?,
            (Some(session::State::Live(_)), _) => {}
            // With the session goes what vouched for it.
            (_, _) if decision.save => rows.delete(EXTERNAL)?,
            (_, _) => {}
        }
        let stored = match (&decision.state, decision.save) {
            (Some(state), true) => {
                let text = serde_json::to_string(state)?;
                rows.put(ROW, &text)?;
                Some(text)
            }
            (None, true) => {
                rows.delete(ROW)?;
                None
            }
            (_, false) => stored,
        };
        if let (Some(stored), Some(state)) = (stored, decision.state) {
            *self.memory.borrow_mut() = Some(Memory { stored, state });
        }
        Ok((decision.reply, decision.alarm.or(lost_alarm)))
    }

    async fn on_alarm(&self, now: Timestamp) -> Result<()> {
        let (reply, alarm) = self.step(Command::Expire, now)?;
        match alarm {
            Some(at) => set_alarm(&self.state, at).await?,
            None if reply == Reply::Unknown => self.state.storage().delete_all().await?,
            None => {}
        }
        let Reply::Ended(ended) = reply else { return Ok(()) };
        if ended.now {
            let user = ended.account.as_ref().and_then(Account::user);
            platform::log(&log::expired(&self.id, ended.reason, user, now));
        }
        if !ended.settled {
            settle(&self.env, &self.id, &ended, now).await?;
            if let (_, Some(at)) = self.step(Command::Settled, now)? {
                set_alarm(&self.state, at).await?;
            }
        }
        Ok(())
    }

    fn seal(&self, app: &App, vouched: &Vouched) -> Result<String> {
        let nonce = platform::nonce().ok_or("no random bytes")?;
        let token = vouched.token.expose().as_bytes();
        let sealed = app.vault.seal(EXTERNAL_PURPOSE, &self.id, token, nonce);
        sealed.map_err(|_| "the external token could not be sealed".into())
    }

    /// The external token; nothing if it cannot be opened. One that is sealed under an older key is sealed anew.
    pub(super) fn external(&self, app: &App, channel: &str) -> Result<Option<Vouched>> {
        let rows = self.rows()?;
        let Some(sealed) = rows.get(EXTERNAL)? else { return Ok(None) };
        let opened = app.vault.open(EXTERNAL_PURPOSE, &self.id, &sealed).ok();
        let Some(token) = opened.and_then(|plain| String::from_utf8(plain).ok()) else { return Ok(None) };
        let vouched = Vouched { channel: channel.to_owned(), token: Secret::new(token) };
        if sealed.split_once('.').map(|(kid, _)| kid) != app.vault.first_kid() {
            rows.put(EXTERNAL, &self.seal(app, &vouched)?)?;
        }
        Ok(Some(vouched))
    }
}
