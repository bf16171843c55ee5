//! Screenshots of a portal in a browser: who reads them, how long, and that none is ever in the way of an operation.

use super::support::{Answer, Server};
use base::call::{self, Call};
use base::socket::{Closed, Connect, Message, Opened, Socket};
use serde_json::{Value, json};
use sim::net::{Answering, Upstream};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// A browser in which every page is as it should be; `missing` is the selector that no page has.
#[derive(Clone, Default)]
struct Chromium {
    missing: Rc<Cell<Option<&'static str>>>,
}

impl Upstream for Chromium {
    fn call<'a>(&'a self, _: &'a Call) -> Answering<'a, call::Answer> {
        let version = json!({ "webSocketDebuggerUrl": "wss://chromium.example.com/devtools/browser/B1" });
        Box::pin(async move { sim::net::json(200, &version) })
    }

    fn connect<'a>(&'a self, _: &'a Connect) -> Answering<'a, Opened> {
        let wire = Wire { chromium: self.clone(), said: RefCell::default() };
        Box::pin(async { Opened::Socket(Box::new(wire)) })
    }
}

struct Wire {
    chromium: Chromium,
    said: RefCell<VecDeque<String>>,
}

impl Wire {
    fn event(&self, method: &str, params: &Value) {
        let event = json!({ "method": method, "params": params, "sessionId": "S1" });
        self.said.borrow_mut().push_back(event.to_string());
    }

    fn call(&self, command: &Value) -> Value {
        let declared = command["params"]["functionDeclaration"].as_str().unwrap();
        let first = &command["params"]["arguments"][0]["value"];
        let is_there = self.chromium.missing.get().is_none_or(|css| !first.to_string().contains(css));
        match declared.split("sallyport.").nth(1).unwrap().split('(').next().unwrap() {
            // What says that somebody is logged out is nowhere.
            "holds" | "wait" => json!(is_there && !first.to_string().contains("password")),
            "point" if is_there => json!({ "x": 1, "y": 1 }),
            "look" => json!({ "frames": 0, "covered": [] }),
            "stamp" => json!("cGljdHVyZQ=="),
            "text" | "title" | "html" => json!("A page"),
            _ => Value::Null,
        }
    }
}

impl Socket for Wire {
    fn send(&self, text: &str) -> Result<(), Closed> {
        let command: Value = serde_json::from_str(text).unwrap();
        let world = json!({ "context": { "id": 1, "name": "sallyport", "auxData": { "frameId": "F1" } } });
        let mut loads = None;
        let result = match command["method"].as_str().unwrap() {
            "Target.createBrowserContext" => json!({ "browserContextId": "C1" }),
            "Target.createTarget" => json!({ "targetId": "T1" }),
            "Target.attachToTarget" => json!({ "sessionId": "S1" }),
            "Page.getFrameTree" => json!({ "frameTree": { "frame": { "id": "F1", "url": "about:blank" } } }),
            "Page.navigate" => {
                loads = Some(json!({ "frame": { "id": "F1", "url": command["params"]["url"] } }));
                json!({ "frameId": "F1", "loaderId": "L1" })
            }
            "Storage.getCookies" => json!({ "cookies": [] }),
            "DOM.performSearch" => json!({ "searchId": "Q1", "resultCount": 0 }),
            "Page.captureScreenshot" => json!({ "data": "cmF3" }),
            "Runtime.callFunctionOn" => json!({ "result": { "value": self.call(&command) } }),
            _ => json!({}),
        };
        let answer = json!({ "id": command["id"], "result": result });
        self.said.borrow_mut().push_back(answer.to_string());
        if let Some(frame) = loads {
            self.event("Page.frameNavigated", &frame);
            self.event("Runtime.executionContextCreated", &world);
            self.event("Page.loadEventFired", &json!({}));
        }
        Ok(())
    }

    fn next(&self, _: Duration) -> Pin<Box<dyn Future<Output = Message> + '_>> {
        let next = self.said.borrow_mut().pop_front();
        Box::pin(async { next.map_or(Message::TimedOut, Message::Text) })
    }
}

fn yard() -> Value {
    json!({ "yard": {
        "driver": "browser",
        "base_url": "https://yard.example.com",
        "login": {
            "steps": [{ "go": "/login" }],
            "logged_in": { "selector": "header" },
            "logged_out": ["no password any more"],
            "credentials_refused": ["wrong password"],
        },
        "keep_alive": { "path": "/home" },
        "logout": { "path": "/logout" },
        "operations": [{
            "name": "look_up",
            "fields": [{ "name": "container", "type": "text", "max": 40, "required": true }],
            "steps": [{ "go": "/containers/{container}" }, { "click": "#more" }, { "answer": { "done": "yes" } }],
        }],
    } })
}

struct Play {
    server: Server,
    chromium: Chromium,
    key: String,
    session_id: String,
}

impl Play {
    fn new(settings: &[(&str, &str)]) -> Self {
        let portals = yard().to_string();
        let with = [("PORTALS", portals.as_str()), ("PORTAL_BROWSER_URL", "https://chromium.example.com")];
        let server = Server::with(&[&with, settings].concat());
        let chromium = Chromium::default();
        server.world.upstream("chromium.example.com", chromium.clone());
        let mut play = Self { server, chromium, key: String::new(), session_id: String::new() };
        play.key = play.key_for("portal");
        play.session_id = play.session("driver");
        play
    }

    fn key_for(&self, scope: &str) -> String {
        let body = json!({ "name": "a service", "scopes": [scope] });
        let made =
            self.server.post("/admin/service-keys").token(&self.server.fresh_admin()).json(&body).send();
        made.json["key"].as_str().unwrap().to_owned()
    }

    fn session(&self, username: &str) -> String {
        let body = json!({ "portal": "yard", "username": username, "password": "driver-pass" });
        let got = self.server.post("/get_session").header("x-api-key", &self.key).json(&body).send();
        assert_eq!(got.status, 200, "{}", got.text);
        got.json["session_id"].as_str().unwrap().to_owned()
    }

    fn look_up(&self, debug: bool) -> Answer {
        let body = json!({ "session_id": self.session_id, "container": "MSCU1000000", "debug": debug });
        self.server.post("/portals/yard/look_up").header("x-api-key", &self.key).json(&body).unchecked()
    }

    fn read(&self, url: &str) -> Answer {
        self.server.get(url).header("x-api-key", &self.key).unchecked()
    }

    /// The addresses of the screenshots of an operation.
    fn urls(&self) -> Vec<String> {
        let done = self.look_up(true);
        assert_eq!(done.status, 200, "{}", done.text);
        let all = done.json["debug"]["screenshots"].as_array().unwrap().iter();
        all.map(|one| one["url"].as_str().unwrap().to_owned()).collect()
    }

    fn stored(&self) -> usize {
        self.server.world.bucket(|bucket| bucket.objects.len())
    }
}

#[test]
fn each_step_of_an_operation_with_debug_has_one_and_a_service_reads_it() {
    let play = Play::new(&[]);
    play.server.world.bucket(|_| ());
    assert_eq!((play.look_up(false).json.get("debug"), play.stored()), (None, 0));
    let done = play.look_up(true);
    let debug = &done.json["debug"];
    let steps: Vec<_> = debug["screenshots"].as_array().unwrap().iter().map(|one| &one["step"]).collect();
    assert_eq!(steps, ["operations/look_up/steps/0", "operations/look_up/steps/1"], "{}", done.text);
    assert_eq!(debug["screenshots"][0]["path"], "/containers/MSCU1000000");
    assert_eq!(debug.get("screenshots_missing"), None);

    let url = debug["screenshots"][1]["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("/sessions/{}/screenshots/", play.session_id)), "{url}");
    let picture = play.server.get(url).header("x-api-key", &play.key).send();
    assert_eq!((picture.status, picture.bytes.as_deref()), (200, Some(&b"picture"[..])), "{}", picture.text);
    assert_eq!(picture.header("content-type"), Some("image/jpeg"));
    let head = play.server.request("HEAD", url).header("x-api-key", &play.key).send();
    assert_eq!((head.status, head.bytes), (200, None));
    // Nobody learns a session from what things in the bucket are called.
    let (key, facts) = play.server.world.bucket(|bucket| {
        let (key, stored) = bucket.objects.iter().next().unwrap();
        (key.clone(), stored.metadata.clone())
    });
    assert!(key.starts_with("screenshots/") && !key.contains(&play.session_id), "{key}");
    assert_eq!((&*facts["username"], &*facts["container"]), ("driver", "MSCU1000000"));
    assert_eq!(facts["address"], "https://yard.example.com/containers/MSCU1000000");
}

#[test]
fn a_step_that_fails_is_seen_in_the_error() {
    let play = Play::new(&[]);
    play.server.world.bucket(|_| ());
    play.chromium.missing.set(Some("#more"));
    let failed = play.look_up(true);
    assert_eq!((failed.status, failed.code()), (502, "portal_step_failed"), "{}", failed.text);
    let all = failed.json["debug"]["screenshots"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{}", failed.text);
    let step = "failed at operations/look_up/steps/1: an element #more that can be clicked";
    assert_eq!(all[1]["step"], step);
    assert_eq!(play.read(all[1]["url"].as_str().unwrap()).status, 200);
    assert_eq!(play.look_up(false).json.get("debug"), None);
}

#[test]
fn nobody_else_reads_one() {
    let play = Play::new(&[]);
    play.server.world.bucket(|_| ());
    let url = play.urls().remove(0);
    play.server.get(&url).send().refused(401, "not_authenticated");
    let user = play.server.someone().1.access;
    play.server.get(&url).token(&user).send().refused(401, "service_key_invalid");
    play.server.get(&url).token(&play.server.fresh_admin()).send().refused(401, "service_key_invalid");
    let reads_tokens = play.key_for("tokens:read");
    play.server.get(&url).header("x-api-key", &reads_tokens).send().refused(403, "forbidden");
    let own = play.key_for("portal:own");
    play.server.get(&url).header("x-api-key", &own).send().refused(404, "session_not_found");
    // It is this session's.
    let other = play.session("other");
    let name = url.rsplit('/').next().unwrap();
    play.read(&format!("/sessions/{other}/screenshots/{name}")).refused(404, "not_found");
    for name in ["x", &name[1..], &name.to_uppercase(), &format!("{name}0"), "..", "%2e%2e"] {
        play.read(&format!("/sessions/{}/screenshots/{name}", play.session_id)).refused(404, "not_found");
    }
    play.read(&format!("/sessions/nobody/screenshots/{name}")).refused(404, "session_not_found");
    assert_eq!(play.server.post(&url).header("x-api-key", &play.key).send().status, 405);
    // Whoever has shown the credentials, too.
    let body = json!({ "portal": "yard", "username": "driver", "password": "driver-pass" });
    let opened = play.server.post("/get_session").header("x-api-key", &own).json(&body).send();
    assert_eq!(opened.json["session_id"], json!(play.session_id));
    assert_eq!(play.server.get(&url).header("x-api-key", &own).send().status, 200);
    // The same after its end.
    let path = format!("/sessions/{}", play.session_id);
    assert_eq!(play.server.request("DELETE", &path).header("x-api-key", &play.key).send().status, 200);
    assert_eq!(play.server.get(&url).header("x-api-key", &own).send().status, 200);
    let stranger = play.key_for("portal:own");
    play.server.get(&url).header("x-api-key", &stranger).send().refused(404, "session_not_found");
}

#[test]
fn one_expires_and_is_deleted_when_it_is_asked_for() {
    let play = Play::new(&[("PORTAL_SCREENSHOT_HOURS", "2"), ("PORTAL_SESSION_IDLE_SECONDS", "86400")]);
    play.server.world.bucket(|_| ());
    let (urls, at) = (play.urls(), play.server.world.now());
    play.server.world.at(at.plus(Duration::from_mins(119)));
    assert_eq!(play.read(&urls[0]).status, 200);
    play.server.world.at(at.plus(Duration::from_hours(2)));
    play.read(&urls[0]).refused(404, "not_found");
    play.server.world.settle();
    assert_eq!(play.stored(), 1);
    play.read(&urls[0]).refused(404, "not_found");
    // What does not say until when it is good is good no more.
    play.server.world.at(at);
    play.server.world.bucket(|bucket| bucket.objects.values_mut().for_each(|one| one.metadata.clear()));
    play.read(&urls[1]).refused(404, "not_found");
}

#[test]
fn one_can_be_read_after_its_session_has_ended_and_under_other_sealing_keys() {
    let play = Play::new(&[("PORTAL_SCREENSHOT_HOURS", "168")]);
    play.server.world.bucket(|_| ());
    let url = play.urls().remove(0);
    let of_the_simulation = sim::SETTINGS.iter().find(|(name, _)| *name == "SEALING_KEYS").unwrap().1;
    let keys = format!("k2:another-sealing-key-of-the-simulation-0123456789,{of_the_simulation}");
    play.server.deploy(&[("SEALING_KEYS", &keys)]);
    assert_eq!(play.read(&url).status, 200);
    let path = format!("/sessions/{}", play.session_id);
    let closed = play.server.request("DELETE", &path).header("x-api-key", &play.key).send();
    assert_eq!(closed.status, 200, "{}", closed.text);
    assert_eq!(play.read(&url).status, 200);
}

#[test]
fn without_a_bucket_there_are_none_and_one_that_fails_is_in_nobodys_way() {
    let play = Play::new(&[]);
    let without = play.look_up(true);
    assert_eq!((without.status, without.json["debug"].get("screenshots")), (200, None), "{}", without.text);
    let name = "0123456789abcdef0123456789abcdef.jpg";
    play.read(&format!("/sessions/{}/screenshots/{name}", play.session_id)).refused(404, "not_found");
    play.server.world.bucket(|_| ());
    let url = play.urls().remove(0);
    play.server.world.bucket(|bucket| bucket.is_down = true);
    let done = play.look_up(true);
    assert_eq!((done.status, &done.json["debug"]["screenshots"]), (200, &json!([])), "{}", done.text);
    let missing = |step: &str| json!({ "step": step, "reason": "not_stored" });
    let told = [missing("operations/look_up/steps/0"), missing("operations/look_up/steps/1")];
    assert_eq!(done.json["debug"]["screenshots_missing"], json!(told));
    play.read(&url).refused(503, "service_unavailable");
    let logs = play.server.world.take_logs();
    assert_eq!(logs.iter().filter(|line| line.text.contains(r#""what":"screenshot""#)).count(), 3);
}
