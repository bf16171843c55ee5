//! A live browser in which a login waits for a person.

use base::call::{Answer, Call};
use base::ports::{Clock as _, Timer as _};
use base::socket::{Closed, Connect, Message, Opened, Socket};
use serde_json::{Value, json};
use sim::SimHost;
use sim::net::{Answering, Upstream};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

pub const ASKS: &str = "Confirm that you are a person";
const EXPIRED: &str = "You are either not logged in or your session has expired";

/// A Chromium in which one page can be open, and what it shows.
pub struct Browser {
    host: SimHost,
    name: RefCell<String>,
    pub reachable: Cell<bool>,
    /// The context, while it is open.
    context: RefCell<Option<String>>,
    /// Ends with its connection.
    pub disposes: Cell<bool>,
    pub opened: Cell<u32>,
    pub shows: RefCell<String>,
    pub logged_in: Cell<bool>,
    pub solved: Cell<bool>,
    /// Pages say that the session is over.
    pub expired: Cell<bool>,
    /// What a login comes to once its captcha is solved.
    pub comes_to: RefCell<&'static str>,
}

impl Browser {
    pub fn new(host: SimHost) -> Rc<Self> {
        Rc::new(Self {
            host,
            name: RefCell::new("B1".to_owned()),
            reachable: Cell::new(true),
            context: RefCell::default(),
            disposes: Cell::default(),
            opened: Cell::default(),
            shows: RefCell::default(),
            logged_in: Cell::default(),
            solved: Cell::default(),
            expired: Cell::default(),
            comes_to: RefCell::new(ASKS),
        })
    }

    pub fn holds(&self, condition: &Value) -> bool {
        let all = |member: &str| condition[member].as_array().cloned();
        let shows = self.shows.borrow().to_lowercase();
        all("any").is_none_or(|any| any.iter().any(|one| self.holds(one)))
            && all("text")
                .is_none_or(|texts| texts.iter().any(|t| shows.contains(&t.as_str().unwrap().to_lowercase())))
            && condition["selector"]
                .as_str()
                .is_none_or(|css| css == "header[data-user]" && self.logged_in.get())
    }

    /// The person does what is asked for.
    pub fn done(&self) {
        self.shows.replace("Containers".to_owned());
        self.logged_in.set(true);
    }

    pub fn is_open(&self) -> bool {
        self.context.borrow().is_some()
    }

    pub fn is_crashed(&self) {
        self.context.take();
        self.name.replace("B2".to_owned());
    }
}

#[derive(Clone)]
pub struct Chromium(pub Rc<Browser>);

impl Upstream for Chromium {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        assert_eq!(call.url, "https://chromium.example.com/json/version");
        let url = format!("ws://127.0.0.1/devtools/browser/{}", self.0.name.borrow());
        let answer = sim::net::json(200, &json!({ "webSocketDebuggerUrl": url }));
        let answer = if self.0.reachable.get() { answer } else { Answer::Unreachable };
        Box::pin(async { answer })
    }

    fn connect<'a>(&'a self, to: &'a Connect) -> Answering<'a, Opened> {
        let browser = self.0.clone();
        let opened = if !browser.reachable.get() {
            Opened::Unreachable
        } else if to.url.ends_with(&format!("/devtools/browser/{}", browser.name.borrow())) {
            Opened::Socket(Box::new(Wire { browser, answers: RefCell::default(), waits: RefCell::default() }))
        } else {
            Opened::Refused(404)
        };
        Box::pin(async { opened })
    }
}

struct Wire {
    browser: Rc<Browser>,
    answers: RefCell<VecDeque<Value>>,
    /// What is waited for in the page: the command, the condition, until when.
    waits: RefCell<Option<(Value, Value, base::clock::Timestamp)>>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.browser.disposes.get() {
            self.browser.context.take();
        }
    }
}

impl Wire {
    fn answer(&self, id: &Value, result: &Value) {
        self.answers.borrow_mut().push_back(json!({ "id": id, "result": result }));
    }

    fn command(&self, command: &Value) {
        let (browser, id, params) = (&*self.browser, &command["id"], &command["params"]);
        let event = |method: &str, params: Value| {
            let event = json!({ "method": method, "params": params, "sessionId": "S1" });
            self.answers.borrow_mut().push_back(event);
        };
        let result = match command["method"].as_str().unwrap() {
            "Target.createBrowserContext" => {
                browser.opened.set(browser.opened.get() + 1);
                let context = format!("C{}", browser.opened.get());
                browser.disposes.set(params["disposeOnDetach"] == true);
                browser.context.replace(Some(context.clone()));
                browser.logged_in.set(false);
                browser.solved.set(false);
                browser.shows.take();
                json!({ "browserContextId": context })
            }
            "Target.disposeBrowserContext" => {
                browser.context.borrow_mut().take_if(|context| params["browserContextId"] == **context);
                json!({})
            }
            "Target.createTarget" => json!({ "targetId": "T1" }),
            "Target.attachToTarget" if browser.is_open() => json!({ "sessionId": "S1" }),
            "Target.attachToTarget" => {
                let refused = json!({ "id": id, "error": { "code": -32000 } });
                return self.answers.borrow_mut().push_back(refused);
            }
            "Page.getFrameTree" => {
                json!({ "frameTree": { "frame": { "id": "F1", "url": "https://portal.example.com/portal/login" } } })
            }
            "Page.addScriptToEvaluateOnNewDocument" => {
                let world = json!({ "id": 1, "name": "sallyport", "auxData": { "frameId": "F1" } });
                event("Runtime.executionContextCreated", json!({ "context": world }));
                json!({ "identifier": "N1" })
            }
            "Page.navigate" => {
                self.answer(id, &json!({ "frameId": "F1", "loaderId": "L1" }));
                let is_out = browser.expired.get() && !params["url"].as_str().unwrap().ends_with("/login");
                browser.shows.replace(if is_out { EXPIRED.to_owned() } else { String::new() });
                let frame = json!({ "id": "F1", "url": params["url"] });
                event("Page.frameNavigated", json!({ "frame": frame }));
                return event("Page.domContentEventFired", json!({}));
            }
            "Storage.getCookies" => json!({ "cookies": [{
                "name": "sid", "value": "1", "domain": "portal.example.com", "path": "/", "expires": -1,
                "httpOnly": true, "secure": true,
            }] }),
            "Runtime.evaluate" => {
                browser.solved.set(true);
                json!({ "result": { "value": true } })
            }
            "Input.dispatchMouseEvent" => {
                if params["type"] == "mouseReleased" && browser.solved.get() {
                    browser.shows.replace((*browser.comes_to.borrow()).to_owned());
                }
                json!({})
            }
            "Runtime.callFunctionOn" => {
                let declared = params["functionDeclaration"].as_str().unwrap();
                let called = declared.split("sallyport.").nth(1).unwrap().split('(').next().unwrap();
                let argument = |n: usize| params["arguments"][n]["value"].clone();
                let value = match called {
                    "wait" => {
                        let until =
                            browser.host.now().plus(Duration::from_millis(argument(1).as_u64().unwrap()));
                        self.waits.replace(Some((id.clone(), argument(0), until)));
                        return;
                    }
                    "holds" => json!(browser.holds(&argument(0))),
                    "focus" => json!(true),
                    "point" => json!({ "x": 1.0, "y": 1.0 }),
                    "attribute" => json!("site-key"),
                    "storage" => Value::Null,
                    _ => json!(*browser.shows.borrow()),
                };
                json!({ "result": { "value": value } })
            }
            _ => json!({}),
        };
        self.answer(id, &result);
    }
}

impl Socket for Wire {
    fn send(&self, text: &str) -> Result<(), Closed> {
        if !self.browser.reachable.get() {
            return Err(Closed);
        }
        self.command(&serde_json::from_str(text).unwrap());
        Ok(())
    }

    fn next(&self, within: Duration) -> Pin<Box<dyn Future<Output = Message> + '_>> {
        Box::pin(async move {
            let host = &self.browser.host;
            let end = host.now().plus(within);
            loop {
                let next = self.answers.borrow_mut().pop_front();
                if let Some(message) = next {
                    return Message::Text(message.to_string());
                }
                if !self.browser.reachable.get() || (!self.browser.is_open() && self.browser.opened.get() > 0)
                {
                    return Message::Closed;
                }
                let waits = self.waits.borrow().clone();
                if let Some((id, condition, until)) = waits {
                    let holds = self.browser.holds(&condition);
                    if holds || host.now() >= until {
                        self.waits.take();
                        self.answer(&id, &json!({ "result": { "value": holds.then_some(true) } }));
                        continue;
                    }
                }
                if host.now() >= end {
                    return Message::TimedOut;
                }
                host.sleep(Duration::from_millis(20).min(end.since(host.now()))).await;
            }
        })
    }
}
