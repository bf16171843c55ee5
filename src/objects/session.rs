//! The object of one session.

use super::settle::settle;
use super::{fault, rows::Rows, set_alarm, to_entry};
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Check;
use crate::http::log;
use crate::platform;
use crate::session::tokens::SessionMint;
use crate::session::{self, Command, Reply, decide};
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

const ROW: &str = "session";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One session: its state, its rotation, its deadlines. Its id is the session id.
///
/// It owns everything that is true of the session; KV and the user's list follow it. A command is one synchronous step:
/// storage is read, the pure `decide` is asked, storage is written, with no `await` in between, so no other command can
/// come in between (the input gate would let one in at an `await`), and all writes of a step are one atomic batch. The
/// output gate holds the reply back until they are durable. Every step reads from storage, also when memory knows the
/// answer: an instance that the platform has replaced fails there and cannot answer from the past.
///
/// Only activity lives in memory ahead of storage, by at most [`session::Policy::activity_write`].
#[durable_object(alarm)]
pub struct Session {
    state: State,
    env: Env,
    id: String,
    rows: AssertUnwindSafe<Result<Rows>>,
    memory: AssertUnwindSafe<RefCell<Option<Memory>>>,
}

/// The state as of the last step, and the stored text that it goes with.
struct Memory {
    stored: String,
    state: session::State,
}

impl DurableObject for Session {
    fn new(state: State, env: Env) -> Self {
        let rows = AssertUnwindSafe(Rows::new(&state));
        let id = state.id().to_string();
        Self { state, env, id, rows, memory: AssertUnwindSafe(RefCell::new(None)) }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }

    /// Ends the session if its time is over, and does the follow-ups of an end that nobody has finished. Never fails:
    /// what could not be done is done by the next alarm, which is set first.
    async fn alarm(&self) -> Result<Response> {
        let now = platform::now();
        if let Err(error) = self.on_alarm(now).await {
            platform::log_fault("session alarm", &error.to_string(), None);
            set_alarm(&self.state, now.plus(ALARM_AGAIN)).await?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl Session {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        let (reply, alarm) = self.step(command, platform::now()).map_err(fault)?;
        to_entry(&reply, alarm)
    }
}

impl Session {
    fn app(&self) -> Result<Rc<App>> {
        platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))
    }

    fn rows(&self) -> Result<&Rows> {
        self.rows.as_ref().map_err(|error| worker::Error::from(error.to_string()))
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
        let decision = decide(state, command, policy, now, &mint)
            .map_err(|session::Fault| worker::Error::from("the tokens could not be made or read"))?;
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
            let user = ended.account.as_ref().map(|a| a.user_id);
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
}
