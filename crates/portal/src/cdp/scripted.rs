//! A browser out of a script: a `DevTools` server, with a clock that only waiting moves.

#![allow(clippy::needless_pass_by_value)] // Values are written where they are given.

use crate::code::Failure;
use crate::driver::Visit;
use crate::jar::Jar;
use crate::net::{Answer, Fetch, Net, Pending, Progress};
use crate::pictures::Picture;
use crate::{BrowserAt, Browsers};
use base::call::{self, Call};
use base::clock::Timestamp;
use base::secret::Secret;
use base::socket::{Closed, Connect, Message, Opened, Socket};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

pub use crate::test_support::{START, now};

pub const BASE: &str = "https://portal.example.com/app";
pub const SESSION: &str = "S1";

/// What the browser does next.
#[derive(Clone, Debug)]
pub enum Does {
    Says(Value),
    /// As it is, valid or not.
    Raw(Frame),
    /// Nothing for so long.
    Waits(Duration),
    Closes,
}

/// A message as it is sent.
#[derive(Clone, Debug)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

/// Answers to one command: nothing for what the browser does by itself.
type Script = Box<dyn FnMut(&Value) -> Option<Vec<Does>>>;

pub struct State {
    pub now: Cell<Timestamp>,
    /// Commands, in the order in which they came.
    pub sent: RefCell<Vec<Value>>,
    queue: RefCell<VecDeque<Does>>,
    script: RefCell<Script>,
    closed: Cell<bool>,
}

/// The world of a driver, with such a browser in it.
#[derive(Clone)]
pub struct Chromium {
    pub state: Rc<State>,
    pub calls: Rc<RefCell<Vec<String>>>,
    pub progress: Rc<RefCell<Vec<Progress>>>,
    /// What `/json/version` and the binding say, in order; the last one again and again.
    pub endpoint: Rc<RefCell<VecDeque<call::Answer>>>,
    /// What opening a socket comes to, if to none.
    pub refused: Rc<Cell<Option<u16>>>,
    /// What came of places for browsers.
    pub places: Rc<RefCell<Vec<String>>>,
    pub may_send: Rc<Cell<Result<(), crate::Code>>>,
    /// Where pictures can be read that are kept, if they can be.
    pub kept: Rc<Cell<Option<&'static str>>>,
    pub pictures: Rc<RefCell<Vec<Picture>>>,
}

impl Chromium {
    pub fn new(script: impl FnMut(&Value) -> Option<Vec<Does>> + 'static) -> Self {
        let state = State {
            now: Cell::new(START),
            sent: RefCell::default(),
            queue: RefCell::default(),
            script: RefCell::new(Box::new(script)),
            closed: Cell::new(false),
        };
        let version =
            r#"{"webSocketDebuggerUrl":"ws://127.0.0.1:9222/devtools/browser/B1","sessionId":"B1"}"#;
        Self {
            state: Rc::new(state),
            calls: Rc::default(),
            progress: Rc::default(),
            endpoint: Rc::new(RefCell::new([response(200, version)].into())),
            refused: Rc::default(),
            places: Rc::default(),
            may_send: Rc::new(Cell::new(Ok(()))),
            kept: Rc::default(),
            pictures: Rc::default(),
        }
    }

    /// One without faults.
    pub fn sound() -> Self {
        Self::new(|_| None)
    }

    pub fn visit(&self, seconds: u64) -> Visit<'_> {
        Visit::new(self, Jar::default(), self.state.now.get().plus(Duration::from_secs(seconds)))
    }

    /// The commands of this name, with their parameters.
    pub fn commands(&self, method: &str) -> Vec<Value> {
        let sent = self.state.sent.borrow();
        sent.iter().filter(|command| command["method"] == method).cloned().collect()
    }

    pub fn methods(&self) -> Vec<String> {
        let sent = self.state.sent.borrow();
        sent.iter().map(|command| command["method"].as_str().unwrap().to_owned()).collect()
    }

    pub fn passed(&self) -> Duration {
        self.state.now.get().since(START)
    }
}

pub fn response(status: u16, body: &str) -> call::Answer {
    call::Answer::Response { status, retry_after: Some(Duration::from_secs(7)), body: Secret::new(body) }
}

pub fn by_url() -> Browsers {
    browsers(Some(BrowserAt::Url("http://127.0.0.1:9222".to_owned())))
}

pub fn browsers(at: Option<BrowserAt>) -> Browsers {
    let time = Duration::from_mins(1);
    Browsers { at, max: 2, wait: time, human: Duration::from_mins(10) }
}

/// An event of the page.
pub fn event(method: &str, params: Value) -> Does {
    Does::Says(json!({ "method": method, "params": params, "sessionId": SESSION }))
}

pub fn answer(command: &Value, result: Value) -> Does {
    Does::Says(json!({ "id": command["id"], "result": result }))
}

pub fn refuses(command: &Value) -> Vec<Does> {
    vec![Does::Says(json!({ "id": command["id"], "error": { "code": -32000, "message": "secret-words" } }))]
}

/// The value of a function that was called in the page.
pub fn value(command: &Value, value: Value) -> Vec<Does> {
    vec![answer(command, json!({ "result": { "value": value } }))]
}

/// Which function is called in the page.
pub fn function(command: &Value) -> &str {
    let declared = command["params"]["functionDeclaration"].as_str().unwrap_or_default();
    declared.split("sallyport.").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default()
}

/// A new document in the main frame, with a world for scripts.
pub fn document(context: u64, url: &str, status: u16) -> Vec<Does> {
    vec![
        event(
            "Network.responseReceived",
            json!({ "type": "Document", "frameId": "F1", "response": { "status": status } }),
        ),
        event("Runtime.executionContextsCleared", json!({})),
        event("Page.frameNavigated", json!({ "frame": { "id": "F1", "url": url } })),
        world(context),
        event("Page.domContentEventFired", json!({})),
    ]
}

pub fn world(context: u64) -> Does {
    event(
        "Runtime.executionContextCreated",
        json!({ "context": { "id": context, "name": "sallyport", "auxData": { "frameId": "F1" } } }),
    )
}

/// What a browser does that works.
fn works(command: &Value) -> Vec<Does> {
    let result = match command["method"].as_str().unwrap() {
        "Target.createBrowserContext" => json!({ "browserContextId": "C1" }),
        "Target.createTarget" => json!({ "targetId": "T1" }),
        "Target.attachToTarget" => json!({ "sessionId": SESSION }),
        "Page.getFrameTree" => json!({ "frameTree": { "frame": { "id": "F1", "url": "about:blank" } } }),
        "Page.addScriptToEvaluateOnNewDocument" => {
            let mut does = vec![answer(command, json!({ "identifier": "N1" }))];
            if command["params"]["worldName"].is_string() {
                does.insert(0, world(1));
            }
            return does;
        }
        "Page.navigate" => {
            let mut does = document(2, command["params"]["url"].as_str().unwrap(), 200);
            does.insert(1, answer(command, json!({ "frameId": "F1", "loaderId": "L1" })));
            return does;
        }
        "Target.disposeBrowserContext" => {
            let gone = json!({ "method": "Target.detachedFromTarget", "params": { "sessionId": SESSION } });
            return vec![Does::Says(gone), answer(command, json!({}))];
        }
        "Storage.getCookies" => json!({ "cookies": [{
            "name": "sid", "value": "cookie-1", "domain": "portal.example.com", "path": "/",
            "expires": -1, "httpOnly": true, "secure": true, "sameSite": "Lax",
        }] }),
        "Runtime.callFunctionOn" => {
            return value(
                command,
                match function(command) {
                    "wait" | "holds" | "focus" | "listClosed" => json!(true),
                    "point" => json!({ "x": 10.5, "y": 20.0 }),
                    "storage" => json!({
                        "origin": "https://portal.example.com",
                        "localStorage": [{ "name": "token", "value": "stored-1" }], "sessionStorage": [],
                    }),
                    "html" | "title" | "text" => json!("Hello"),
                    _ => Value::Null,
                },
            );
        }
        _ => json!({}),
    };
    vec![answer(command, result)]
}

struct Wire(Rc<State>);

impl Socket for Wire {
    fn send(&self, text: &str) -> Result<(), Closed> {
        if self.0.closed.get() {
            return Err(Closed);
        }
        let command: Value = serde_json::from_str(text).unwrap();
        let scripted = (self.0.script.borrow_mut())(&command);
        let does = scripted.unwrap_or_else(|| works(&command));
        self.0.queue.borrow_mut().extend(does);
        self.0.sent.borrow_mut().push(command);
        Ok(())
    }

    fn next(&self, within: Duration) -> Pending<'_, Message> {
        assert!(!within.is_zero());
        let state = &self.0;
        let pass = |time| state.now.set(state.now.get().plus(time));
        let mut left = within;
        let message = loop {
            let next = state.queue.borrow_mut().pop_front();
            break match next {
                _ if state.closed.get() => Message::Closed,
                None => {
                    pass(left);
                    Message::TimedOut
                }
                Some(Does::Waits(time)) if time > left => {
                    state.queue.borrow_mut().push_front(Does::Waits(time.saturating_sub(left)));
                    pass(left);
                    Message::TimedOut
                }
                Some(Does::Waits(time)) => {
                    pass(time);
                    left -= time;
                    continue;
                }
                Some(Does::Closes) => {
                    state.closed.set(true);
                    Message::Closed
                }
                Some(Does::Says(value)) => Message::Text(value.to_string()),
                Some(Does::Raw(Frame::Text(text))) => Message::Text(text),
                Some(Does::Raw(Frame::Binary(bytes))) => Message::Binary(bytes),
            };
        };
        Box::pin(async { message })
    }
}

impl Net for Chromium {
    fn fetch<'a>(&'a self, _: &'a Fetch) -> Pending<'a, Answer> {
        panic!("pages are loaded by the browser")
    }

    fn call<'a>(&'a self, call: &'a Call) -> Pending<'a, call::Answer> {
        self.calls.borrow_mut().push(format!("{} {}", call.method, call.url));
        let mut answers = self.endpoint.borrow_mut();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async { answer.unwrap() })
    }

    fn connect<'a>(&'a self, to: &'a Connect) -> Pending<'a, Opened> {
        self.calls.borrow_mut().push(format!("CONNECT {}", to.url));
        self.state.closed.set(false);
        let opened = match self.refused.get() {
            Some(status) => Opened::Refused(status),
            None => Opened::Socket(Box::new(Wire(self.state.clone()))),
        };
        Box::pin(async { opened })
    }

    fn take_browser(&self, _: Timestamp) -> Pending<'_, Result<String, Failure>> {
        self.places.borrow_mut().push("takes P1".to_owned());
        Box::pin(async { Ok("P1".to_owned()) })
    }

    fn keep_browser<'a>(&'a self, place: &'a str, until: Timestamp) -> Pending<'a, ()> {
        self.places
            .borrow_mut()
            .push(format!("keeps {place} for {}", until.since(self.state.now.get()).as_secs()));
        Box::pin(async {})
    }

    fn give_browser<'a>(&'a self, place: &'a str, _: Duration) -> Pending<'a, ()> {
        self.places.borrow_mut().push(format!("gives {place}"));
        Box::pin(async {})
    }

    fn keep_picture<'a>(&'a self, picture: &'a Picture) -> Pending<'a, Option<String>> {
        self.pictures.borrow_mut().push(picture.clone());
        Box::pin(async { self.kept.get().map(str::to_owned) })
    }

    fn wait(&self, time: Duration) -> Pending<'_, ()> {
        self.state.now.set(self.state.now.get().plus(time));
        Box::pin(async {})
    }

    fn now(&self) -> Timestamp {
        self.state.now.get()
    }

    fn may_send(&self) -> Pending<'_, Result<(), Failure>> {
        Box::pin(async { self.may_send.get().map_err(Failure::new) })
    }

    fn progress(&self, progress: Progress) -> Result<(), Failure> {
        self.progress.borrow_mut().push(progress);
        Ok(())
    }
}
