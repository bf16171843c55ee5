//! Whoever is told of events: it checks signatures, keeps what arrives, and is as unreliable as it is told.

use super::accounts::header;
use crate::host::SimHost;
use crate::net::{Answering, Upstream, text};
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base::secret::Secret;
use base::webhook::{self, Key};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub const HOST: &str = "events.example.com";
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Beside it, who is told of ends by logout tokens.
pub const LOGOUT_HOST: &str = "logout.example.com";
pub const LOGOUT_SETTINGS: &[(&str, &str)] = &[("BACKCHANNEL_LOGOUT_URL", "https://logout.example.com/bc")];
pub const SETTINGS: &[(&str, &str)] = &[
    ("EVENT_WEBHOOK_URL", "https://events.example.com/in"),
    ("EVENT_WEBHOOK_SECRET", SECRET),
    ("EVENT_TYPES", "session"),
];

/// What went wrong, as a call meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// It takes nothing.
    Down,
    Busy,
    /// It takes the message, and says that it did not.
    WrongAnswer,
    /// It takes the message, and answers after the caller's patience.
    Slow,
    /// It takes the message, and the answer is lost.
    AnswerLost,
}

impl Mishap {
    pub const ALL: [Self; 5] = [Self::Down, Self::Busy, Self::WrongAnswer, Self::Slow, Self::AnswerLost];
}

/// A message that was taken.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub body: Value,
    pub first_at: Timestamp,
    /// How often it came.
    pub times: u32,
}

#[derive(Clone)]
pub struct Receiver(Rc<State>);

struct State {
    host: SimHost,
    mishap: Box<dyn Fn() -> Option<Mishap>>,
    down: Cell<bool>,
    calls: Cell<u32>,
    messages: RefCell<Vec<Message>>,
    wrong: RefCell<Option<String>>,
}

impl Receiver {
    pub fn new(host: SimHost, mishap: impl Fn() -> Option<Mishap> + 'static) -> Self {
        Self(Rc::new(State {
            host,
            mishap: Box::new(mishap),
            down: Cell::default(),
            calls: Cell::default(),
            messages: RefCell::default(),
            wrong: RefCell::default(),
        }))
    }

    pub fn is_down(&self, down: bool) {
        self.0.down.set(down);
    }

    /// How often it was called.
    pub fn calls(&self) -> u32 {
        self.0.calls.get()
    }

    /// What was taken, in the order of the first time, each once.
    pub fn messages(&self) -> Vec<Message> {
        self.0.messages.borrow().clone()
    }

    /// The types of the events of each session, or portal login, in that order.
    pub fn told(&self) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Message { body, .. } in self.0.messages.borrow().iter() {
            told.entry(about(body).to_owned())
                .or_default()
                .push(body["type"].as_str().unwrap_or_default().to_owned());
        }
        told
    }

    /// What should never have come, if something has.
    pub fn wrong(&self) -> Option<String> {
        self.0.wrong.borrow().clone()
    }

    fn take(&self, call: &Call) {
        if let Err(wrong) = self.taken(call) {
            self.0.wrong.borrow_mut().get_or_insert(wrong);
        }
    }

    fn taken(&self, call: &Call) -> Result<(), String> {
        let (id, body) = (header(call, "webhook-id"), call.body.as_ref().map_or("", Secret::expose));
        let now = self.0.host.now();
        let key = Key::parse(SECRET).ok_or("no key")?;
        // The clock may have been set meanwhile: what was signed is what the header says.
        let at = header(call, "webhook-timestamp").parse().map_err(|_| "no time")?;
        let ours =
            webhook::headers(id, body, &[key.bytes()], Timestamp::from_seconds(at)).unwrap_or_default();
        let ours =
            ours.iter().find(|(name, _)| *name == "webhook-signature").map(|(_, value)| value.expose());
        if ours != Some(header(call, "webhook-signature")) {
            return Err(format!("{id} is not signed: {body}"));
        }
        let body: Value = serde_json::from_str(body).map_err(|error| format!("{id}: {error}"))?;
        let mut messages = self.0.messages.borrow_mut();
        if let Some(known) = messages.iter_mut().find(|known| known.id == id) {
            known.times += 1;
            return if known.body == body {
                Ok(())
            } else {
                Err(format!("{id} was {}, is {body}", known.body))
            };
        }
        let sequence = body["data"]["sequence"].as_u64();
        let last = messages.iter().rev().find(|known| about(&known.body) == about(&body));
        let last = last.and_then(|known| known.body["data"]["sequence"].as_u64());
        if sequence <= last {
            return Err(format!("{id} comes after {last:?}"));
        }
        messages.push(Message { id: id.to_owned(), body, first_at: now, times: 1 });
        Ok(())
    }
}

/// What an event is about: events of one have an order.
fn about(body: &Value) -> &str {
    let data = &body["data"];
    data["portal_login"].as_str().or(data["session_id"].as_str()).unwrap_or_default()
}

impl Upstream for Receiver {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        self.0.calls.set(self.0.calls.get() + 1);
        let mishap = if self.0.down.get() { Some(Mishap::Down) } else { (self.0.mishap)() };
        if !matches!(mishap, Some(Mishap::Down | Mishap::Busy)) {
            self.take(call);
        }
        Box::pin(async move {
            match mishap {
                None => text(204, ""),
                Some(Mishap::Down) => text(503, ""),
                Some(Mishap::Busy) => Answer::Response {
                    status: 429,
                    retry_after: Some(Duration::from_secs(40)),
                    body: Secret::new(""),
                },
                Some(Mishap::WrongAnswer) => text(500, "<html>"),
                Some(Mishap::Slow) => {
                    self.0.host.sleep(Duration::from_secs(20)).await;
                    text(200, "ok")
                }
                Some(Mishap::AnswerLost) => Answer::Unreachable,
            }
        })
    }
}
