//! A login that needs a person: it waits for them in an open browser, goes on by itself, and leaves nothing open, whatever happens meanwhile.

use super::play::{MILLI, Play, secs};
use base::call::{Answer, Call};
use base::ports::{Clock as _, Timer as _};
use base::rpc::Class;
use base::socket::{Closed, Connect, Message, Opened, Socket};
use portal::{Code, Refusal};
use serde_json::{Value, json};
use sim::SimHost;
use sim::fakes::receiver::{HOST, Receiver, SETTINGS as TOLD};
use sim::net::{Answering, Upstream};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

const ASKS: &str = "Confirm that you are a person";
const EXPIRED: &str = "You are either not logged in or your session has expired";
const SETTINGS: [(&str, &str); 4] = [
    ("EMODAL_DRIVER", "browser"),
    ("PORTAL_BROWSER_URL", "https://chromium.example.com"),
    ("PORTAL_BROWSERS_MAX", "1"),
    ("PORTAL_HUMAN_SECONDS", "120"),
];

/// A Chromium in which one page can be open, and what it shows.
struct Browser {
    host: SimHost,
    name: RefCell<String>,
    reachable: Cell<bool>,
    /// The context, while it is open.
    context: RefCell<Option<String>>,
    /// Ends with its connection.
    disposes: Cell<bool>,
    opened: Cell<u32>,
    shows: RefCell<String>,
    logged_in: Cell<bool>,
    solved: Cell<bool>,
    /// Pages say that the session is over.
    expired: Cell<bool>,
    /// What a login comes to once its captcha is solved.
    comes_to: RefCell<&'static str>,
}

impl Browser {
    fn holds(&self, condition: &Value) -> bool {
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
    fn done(&self) {
        self.shows.replace("Containers".to_owned());
        self.logged_in.set(true);
    }

    fn is_open(&self) -> bool {
        self.context.borrow().is_some()
    }

    fn is_crashed(&self) {
        self.context.take();
        self.name.replace("B2".to_owned());
    }
}

#[derive(Clone)]
struct Chromium(Rc<Browser>);

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

fn play(settings: &[(&str, &str)]) -> (Play, Rc<Browser>) {
    let play = Play::of_many(&[&SETTINGS, settings].concat());
    let browser = Rc::new(Browser {
        host: play.world.host(),
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
    });
    play.world.upstream("chromium.example.com", Chromium(browser.clone()));
    (play, browser)
}

/// Where somebody asks for the session, and is told that a person is needed.
fn asked(play: &Play) -> Refusal {
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::NeedsHuman, Some(5)), "{refusal:?}");
    let link = refusal.live_view_url.as_ref().unwrap().expose();
    assert_eq!(
        link,
        "https://chromium.example.com/devtools/inspector.html?wss=chromium.example.com/devtools/page/T1"
    );
    refusal
}

fn places(play: &Play) -> usize {
    play.world.sql(Class::PortalRegistry, "registry", "SELECT place FROM browsers").len()
}

/// Nothing is open, and nobody waits.
fn is_over(play: &Play, browser: &Browser) {
    let login = play.login();
    assert_eq!((login.person, login.browser, browser.is_open()), (None, None, false));
    assert!(!play.row_names().iter().any(|row| row == "seat"));
    assert_eq!(places(play), 0);
}

fn captchas(play: &Play) -> usize {
    play.site.count("POST /in.php")
}

#[test]
fn it_waits_goes_on_by_itself_and_keeps_what_came_of_it() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(70));
    // One flight: whoever asks meanwhile hears the same, and the portal sees nothing of it.
    asked(&play);
    assert_eq!((browser.opened.get(), captchas(&play), places(&play), browser.is_open()), (1, 1, 1, true));
    browser.done();
    play.run_for(secs(1));
    let id = play.session_id().expect("nobody had to ask");
    is_over(&play, &browser);
    let session = play.get(true);
    assert_eq!((session.live.session_id, session.live.keep_alive, session.is_new), (id, true, false));
    assert_eq!((browser.opened.get(), captchas(&play)), (1, 1));
    assert!(play.row_names().contains(&"jar".to_owned()));
}

#[test]
fn an_evicted_object_goes_on_at_the_same_page() {
    for (when, seed) in [(0, 1), (3, 2), (26, 3), (60, 4)] {
        let (play, browser) = play(&[]);
        asked(&play);
        play.run_for(secs(when) + MILLI * 7 * seed);
        play.world.kill(Class::Portal, &play.name);
        play.run_for(secs(5));
        asked(&play);
        play.world.kill(Class::Portal, &play.name);
        browser.done();
        play.run_for(secs(2));
        assert!(play.session_id().is_some(), "{when}");
        assert_eq!((browser.opened.get(), captchas(&play)), (1, 1));
        is_over(&play, &browser);
    }
}

#[test]
fn what_a_login_has_open_when_its_object_dies_is_closed_and_its_next_login_begins_anew() {
    // At whatever moment of it.
    for after in 0..40 {
        let (play, browser) = play(&[]);
        let login = play.start_get(super::play::credentials("driver", "ck"), true);
        play.run_for(MILLI * 50 * after);
        play.world.kill(Class::Portal, &play.name);
        play.run_for(secs(20));
        let waits = play.login().person.is_some();
        assert_eq!(browser.is_open(), waits, "{after}");
        drop(login);
        if !waits {
            asked(&play);
        }
        browser.done();
        play.run_for(secs(2));
        assert!(play.session_id().is_some(), "{after}");
        is_over(&play, &browser);
    }
}

#[test]
fn where_nobody_comes_in_time_it_fails_and_nobody_is_called_again_at_once() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(123));
    is_over(&play, &browser);
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.live_view_url), (Code::NeedsHuman, None));
    assert!(refusal.retry_after_seconds.is_some_and(|wait| wait > 800), "a cool-down");
    assert!(play.login().refused.is_none(), "nobody has refused anything");
    // Too late is late.
    browser.done();
    play.run_for(secs(60));
    assert!(play.session_id().is_none());
    play.run_for(secs(1_200));
    asked(&play);
    assert_eq!(captchas(&play), 2);
}

#[test]
fn a_page_that_says_no_after_all_ends_it_as_ever() {
    let (play, browser) = play(&[]);
    asked(&play);
    // What was typed in was wrong, and the page asks again: that is for the person.
    browser.shows.replace(format!("Invalid username or password. {ASKS}"));
    play.run_for(secs(10));
    asked(&play);
    browser.shows.replace("Your account has been locked".to_owned());
    play.run_for(secs(2));
    assert_eq!(play.get_refused(true).code, Code::AccountLocked);
    is_over(&play, &browser);
}

#[test]
fn a_browser_that_is_gone_is_lost_and_one_that_is_not_reached_for_a_moment_is_not() {
    let (play, browser) = play(&[]);
    asked(&play);
    play.run_for(secs(24));
    browser.reachable.set(false);
    play.run_for(secs(3));
    browser.reachable.set(true);
    play.run_for(secs(1));
    let lost_at_once = play.login().person.is_none();
    if !lost_at_once {
        browser.is_crashed();
        play.run_for(secs(10));
    }
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, refusal.live_view_url), (Code::BrowserLost, None));
    assert!(refusal.retry_after_seconds.is_some());
    play.run_for(secs(61));
    is_over(&play, &browser);
}

#[test]
fn closing_the_session_that_it_is_for_closes_the_browser() {
    for pause in [0, 9, 25] {
        let (play, browser) = play(&[]);
        browser.comes_to.replace("");
        let login = play.start_get(super::play::credentials("driver", "ck"), true);
        while !browser.solved.get() {
            play.run_for(MILLI * 20);
        }
        browser.done();
        play.wait(&login);
        let id = play.session_id().unwrap();
        // The portal ends it, and asks for a person at the new login.
        browser.comes_to.replace(ASKS);
        browser.expired.set(true);
        let reply = play.run(&id);
        assert!(format!("{reply:?}").contains("NeedsHuman"), "{reply:?}");
        assert!(
            format!("{reply:?}").contains("live_view_url: None"),
            "an id is not the credentials: {reply:?}"
        );
        asked(&play);
        play.run_for(secs(pause));
        play.close(&id);
        play.run_for(secs(4));
        is_over(&play, &browser);
        // Whoever is done then is too late.
        browser.done();
        play.run_for(secs(60));
        assert!(play.session_id().is_none());
    }
}

#[test]
fn others_are_told_once_and_without_the_link() {
    let (play, browser) = play(&[TOLD, &[("EVENT_TYPES", "portal")]].concat());
    let receiver = Receiver::new(play.world.host(), || None);
    play.world.upstream(HOST, receiver.clone());
    asked(&play);
    play.run_for(secs(1));
    let messages = receiver.messages();
    assert_eq!((messages.len(), &messages[0].body["type"]), (1, &json!("portal.needs_human")));
    let data = &messages[0].body["data"];
    assert_eq!((&data["portal_login"], &data["session_id"]), (&json!(play.name), &Value::Null));
    assert!(!messages[0].body.to_string().contains("devtools"));
    play.run_for(secs(60));
    asked(&play);
    browser.done();
    play.run_for(secs(1));
    let types = receiver.told().remove(&play.name).unwrap();
    assert_eq!(types, ["portal.needs_human", "portal.opened"]);
    assert!(!play.world.logs().iter().any(|line| format!("{line:?}").contains("devtools/page")));
}
