//! The callers: each does one thing, notes what it was told, and compares it with what it was told before.

use super::plan::{Action, DRIVERS};
use crate::host::SimHost;
use crate::requests::{Answered, Request, request};
use crate::sequence::{Invariant, Violation};
use base::clock::Timestamp;
use base::ports::Clock as _;
use base::secret::Secret;
use config::Settings as _;
use portal::{Credentials, identity};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

const CAPTCHA_KEY: &str = "ck";

pub fn username(driver: usize) -> String {
    format!("driver{driver}")
}

pub fn password(driver: usize) -> String {
    format!("driver{driver}-pass")
}

/// What callers were told.
#[derive(Default)]
pub struct Truth {
    pub violation: Option<Violation>,
    pub trace: Option<Vec<String>>,
    /// The session that each driver was given last.
    pub sessions: [Option<String>; DRIVERS],
    /// Sessions of which somebody was told that they are closed.
    pub closed: BTreeSet<String>,
}

impl Truth {
    pub fn broken(&mut self, invariant: Invariant, detail: impl Into<String>) {
        if self.violation.is_none() {
            self.violation = Some(Violation { invariant, detail: detail.into() });
        }
    }
}

#[derive(Clone)]
pub struct Callers {
    pub host: SimHost,
    pub truth: Rc<RefCell<Truth>>,
}

impl Callers {
    pub fn new(host: SimHost, trace: bool) -> Self {
        let truth = Truth { trace: trace.then(Vec::new), ..Truth::default() };
        Self { host, truth: Rc::new(RefCell::new(truth)) }
    }

    /// What the object of a driver's login is called.
    pub fn name_of(&self, driver: usize) -> String {
        let app = self.host.app().expect("the settings are good");
        let credentials = Credentials {
            username: username(driver),
            password: Secret::new(password(driver)),
            captcha_api_key: Secret::new(CAPTCHA_KEY),
            totp_secret: None,
        };
        identity::names(&app.vault, portal::EMODAL, &credentials).remove(0)
    }

    /// Does it; says since when the driver was served, if it was.
    pub async fn act(&self, action: Action) -> Option<Timestamp> {
        match action {
            Action::Get { driver, keep_alive } => self.get(driver, keep_alive).await,
            Action::Run { driver, by_id } => self.run(driver, by_id).await,
            Action::Close { driver } => self.close(driver).await,
            Action::List => {
                self.send(Request::new("GET", "/sessions")).await;
                None
            }
            _ => None,
        }
    }

    pub async fn send(&self, sent: Request) -> Option<Answered> {
        let what = format!("{} {}", sent.method, sent.path);
        let answered = request(&self.host, sent).await;
        let now = self.host.now();
        let mut truth = self.truth.borrow_mut();
        if let Some(trace) = &mut truth.trace {
            let shown =
                answered.as_ref().map(|a| format!("{} {}", a.status, a.body.as_deref().unwrap_or("")));
            trace.push(format!("{}   {what} -> {}", now.rfc3339(), shown.unwrap_or_default()));
        }
        if let Some(answered) = answered.as_ref().filter(|a| a.status == 500) {
            truth.broken(Invariant::UnexpectedAnswer, format!("{what}: {answered:?}"));
        }
        drop(truth);
        answered
    }

    fn credentials(driver: usize) -> Value {
        json!({
            "username": username(driver), "password": password(driver), "captcha_api_key": CAPTCHA_KEY,
        })
    }

    /// A session that a caller is given: none that was closed before the caller came.
    fn given(&self, driver: usize, told: &Value, closed: &BTreeSet<String>) {
        let id = told["session_id"].as_str().unwrap_or_default().to_owned();
        let mut truth = self.truth.borrow_mut();
        if closed.contains(&id) {
            truth.broken(Invariant::EndedSessionLives, format!("{id} of {} was closed", username(driver)));
        }
        truth.sessions[driver] = Some(id);
    }

    pub async fn get(&self, driver: usize, keep_alive: bool) -> Option<Timestamp> {
        let mut body = Self::credentials(driver);
        body["keep_alive"] = keep_alive.into();
        let (closed, begun) = (self.truth.borrow().closed.clone(), self.host.now());
        let answered = self.send(Request::new("POST", "/get_session").json(&body)).await?;
        if answered.status != 200 {
            return None;
        }
        self.given(driver, &answered.json(), &closed);
        Some(begun)
    }

    async fn run(&self, driver: usize, by_id: bool) -> Option<Timestamp> {
        let begun = self.host.now();
        let (session, closed) = {
            let truth = self.truth.borrow();
            (truth.sessions[driver].clone(), truth.closed.clone())
        };
        let body = match session.filter(|_| by_id) {
            Some(id) => json!({ "session_id": id }),
            None => Self::credentials(driver),
        };
        let answered = self.send(Request::new("POST", "/get_containers").json(&body)).await?;
        if answered.status != 200 {
            return None;
        }
        self.given(driver, &answered.json(), &closed);
        Some(begun)
    }

    async fn close(&self, driver: usize) -> Option<Timestamp> {
        let id = self.truth.borrow().sessions[driver].clone()?;
        let answered = self.send(Request::new("DELETE", format!("/sessions/{id}"))).await?;
        if answered.status == 200 {
            self.truth.borrow_mut().closed.insert(id);
        }
        None
    }
}
