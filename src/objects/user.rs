//! The object of one user.

use super::rpc;
use super::{fault, rows::Rows, set_alarm, settle, to_entry};
use crate::platform;
use ::directory::{
    self, Command, Decision, Found, Place, Reply, Step, Task, User as Kept, UserPolicy, Work, begin_due,
    decide, next_alarm, password, wait,
};
use ::session;
use base::clock::Timestamp;
use config::App;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

const ROW: &str = "user";
/// The user's own document; a row of its own, so that a login does not write it.
const DATA: &str = "data";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One user: account, password hash, the list of live sessions, the limit, failed logins. Named by the canonical name.
///
/// A command is one synchronous step, password hashing included: nothing comes between looking at the failures, comparing
/// the password, counting and taking a place, so neither guesses nor logins in parallel get past the limits. What is
/// decided for sessions (end, new roles) is written in the same step and stays noted until somebody says that it is done;
/// the alarm does what nobody has.
#[durable_object(alarm)]
pub struct User {
    state: State,
    env: Env,
    rows: AssertUnwindSafe<Result<Rows>>,
}

impl DurableObject for User {
    fn new(state: State, env: Env) -> Self {
        let rows = AssertUnwindSafe(Rows::new(&state));
        Self { state, env, rows }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        Response::error("not found", 404)
    }

    /// Finishes what others began. Never fails: the next alarm is set before anything is tried.
    async fn alarm(&self) -> Result<Response> {
        if let Err(error) = self.on_alarm().await {
            platform::log_fault("user alarm", &error.to_string(), None);
            set_alarm(&self.state, platform::now().plus(ALARM_AGAIN)).await?;
        }
        Response::empty()
    }
}

#[wasm_bindgen]
impl User {
    /// One step. In and out as the entry passes it on.
    pub fn command(&self, json: &str) -> std::result::Result<String, JsValue> {
        let command: Command = serde_json::from_str(json).map_err(fault)?;
        let (reply, alarm) = self.run(command, platform::now()).map_err(fault)?;
        to_entry(&reply, alarm)
    }
}

impl User {
    fn app(&self) -> Result<Rc<App>> {
        platform::app(&self.env).map_err(|_| worker::Error::from("the settings are wrong"))
    }

    fn rows(&self) -> Result<&Rows> {
        self.rows.as_ref().map_err(|error| worker::Error::from(error.to_string()))
    }

    fn run(&self, command: Command, now: Timestamp) -> Result<(Reply, Option<Timestamp>)> {
        match command {
            // A token may outlive its user where the session is not asked; the document of a name must not.
            Command::GetData | Command::PutData { .. } if self.load()?.profile.is_none() => {
                Ok((Reply::NoUser, None))
            }
            Command::GetData => Ok((Reply::Data { json: self.rows()?.get(DATA)? }, None)),
            Command::PutData { json } => {
                self.rows()?.put(DATA, &json)?;
                Ok((Reply::Done, None))
            }
            command => {
                let removed = command == Command::Remove;
                let app = self.app()?;
                let mut user = self.load()?;
                let step = match prepare(&app, &user, command, now)? {
                    Ok(step) => step,
                    Err(reply) => return Ok((reply, None)),
                };
                let answer = self.apply(&app, &mut user, step, now)?;
                if removed {
                    self.rows()?.delete(DATA)?;
                }
                Ok(answer)
            }
        }
    }

    fn load(&self) -> Result<Kept> {
        match self.rows()?.get(ROW)? {
            Some(text) => Ok(serde_json::from_str(&text)?),
            None => Ok(Kept::default()),
        }
    }

    /// With somebody whom another system has logged in, the document goes when their last session does.
    fn store(&self, user: &Kept, now: Timestamp) -> Result<()> {
        let rows = self.rows()?;
        if user.is_nobody(now) {
            rows.delete(DATA)?;
            rows.delete(ROW)
        } else {
            rows.put(ROW, &serde_json::to_string(user)?)
        }
    }

    fn apply(
        &self,
        app: &App,
        user: &mut Kept,
        step: Step,
        now: Timestamp,
    ) -> Result<(Reply, Option<Timestamp>)> {
        let config = &app.config;
        let policy = UserPolicy {
            limit: config.limit,
            throttle: config.throttle,
            session_lifetime: config.session.absolute,
        };
        let Decision { reply, save } = decide(user, step, &policy, now);
        if !save {
            return Ok((reply, None));
        }
        self.store(user, now)?;
        // Where nothing is kept any more, the alarm deletes what the platform keeps of the object itself.
        let alarm = next_alarm(user).or_else(|| user.is_nobody(now).then_some(now));
        Ok((reply, alarm))
    }

    /// A step outside a command: the alarm's own.
    fn step(&self, step: Step, now: Timestamp) -> Result<()> {
        let app = self.app()?;
        let mut user = self.load()?;
        self.apply(&app, &mut user, step, now).map(|_| ())
    }

    async fn on_alarm(&self) -> Result<()> {
        let now = platform::now();
        let mut user = self.load()?;
        let work = begin_due(&mut user, now);
        self.store(&user, now)?;
        if let Some(at) = next_alarm(&user) {
            set_alarm(&self.state, at).await?;
        }
        for work in work {
            if let Err(error) = self.work(&work, now).await {
                platform::log_fault("user alarm work", &error.to_string(), None);
            }
        }
        let user = self.load()?;
        match next_alarm(&user) {
            Some(at) => set_alarm(&self.state, at).await,
            None if user.is_nobody(now) => self.state.storage().delete_all().await,
            None => Ok(()),
        }
    }

    async fn work(&self, work: &Work, now: Timestamp) -> Result<()> {
        let unreachable = |e: rpc::Unreachable| worker::Error::from(e.to_string());
        match work {
            Work::Check { session_id } => {
                let reply = rpc::session(&self.env, session_id, &session::Command::Peek).await;
                let found = match reply.map_err(unreachable)? {
                    session::Reply::Live(live) => Found::Live(live.last_activity),
                    session::Reply::Ended(_) => Found::Ended,
                    _ => Found::Unknown,
                };
                self.step(Step::Checked { session_id: session_id.clone(), found }, now)
            }
            Work::Do { session_id, task: Task::End(reason) } => {
                let revoke = session::Command::Revoke { reason: *reason };
                let reply = rpc::session(&self.env, session_id, &revoke).await.map_err(unreachable)?;
                if let session::Reply::Ended(ended) = reply {
                    settle::kv(&self.env, session_id, &ended, now).await?;
                }
                self.step(Step::Plain(Command::Close { session_id: session_id.clone() }), now)
            }
            Work::Do { session_id, task: Task::Sync } => {
                if let Some(profile) = self.load()?.profile {
                    let sync = session::Command::SetAccount { account: profile.account };
                    rpc::session(&self.env, session_id, &sync).await.map_err(unreachable)?;
                }
                self.step(Step::Plain(Command::Synced { session_id: session_id.clone() }), now)
            }
        }
    }
}

/// Compares and hashes passwords, so that what is left is a pure step; or says at once why there is none.
fn prepare(
    app: &App,
    user: &Kept,
    command: Command,
    now: Timestamp,
) -> Result<std::result::Result<Step, Reply>> {
    let params = app.config.hashing;
    let hash = |password: &str| -> Result<Option<String>> {
        let salt = platform::random().ok_or("no random bytes")?;
        Ok(password::hash(password, params, salt))
    };
    Ok(match command {
        Command::Login { password, address, session_id, replaces } => {
            if let Some(throttled) = wait(user, &address, now) {
                return Ok(Err(throttled));
            }
            let verdict = match &user.profile {
                Some(p) => password::verify(password.expose(), &p.password, params),
                None => password::verify_nobody(password.expose(), params),
            };
            let outdated = verdict == password::Verdict::MatchOutdated;
            let rehashed = if outdated { hash(password.expose())? } else { None };
            let place = Place { session_id, replaces };
            Ok(Step::Login { verdict, rehashed, address, place })
        }
        Command::Create { user_id, username, roles, password } => match hash(password.expose())? {
            Some(hash) => Ok(Step::Create { user_id, username, roles, hash }),
            None => Err(Reply::Failed),
        },
        Command::Update { roles, is_active, password } => {
            let wanted = password.is_some();
            let hash = match password {
                Some(directory::NewPassword(password)) => hash(password.expose())?,
                None => None,
            };
            if wanted && hash.is_none() {
                return Ok(Err(Reply::Failed));
            }
            Ok(Step::Update { roles, is_active, hash })
        }
        command => Ok(Step::Plain(command)),
    })
}
