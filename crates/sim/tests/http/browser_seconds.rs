//! For how long browsers were held: for a session, and by the deployment.

use super::portal_pages::{Play, SETTINGS};
use base::call::{Answer, Call};
use base::socket::{Closed, Connect, Message, Opened, Socket};
use serde_json::{Value, json};
use sim::SimHost;
use sim::net::{Answering, Upstream};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

const EVEN: [(&str, &str); 1] = [("PORTAL_KEEP_ALIVE_JITTER_PERCENT", "0")];

/// A browser that says nothing for two seconds, and is gone then.
struct Chromium(SimHost);

impl Upstream for Chromium {
    fn call<'a>(&'a self, _: &'a Call) -> Answering<'a, Answer> {
        let version = json!({ "webSocketDebuggerUrl": "ws://127.0.0.1/devtools/browser/1" });
        Box::pin(async move { sim::net::json(200, &version) })
    }

    fn connect<'a>(&'a self, _: &'a Connect) -> Answering<'a, Opened> {
        Box::pin(async { Opened::Socket(Box::new(Wire(self.0.clone()))) })
    }
}

struct Wire(SimHost);

impl Socket for Wire {
    fn send(&self, _: &str) -> Result<(), Closed> {
        Ok(())
    }

    fn next(&self, _: Duration) -> Pin<Box<dyn Future<Output = Message> + '_>> {
        Box::pin(async {
            base::ports::Timer::sleep(&self.0, Duration::from_secs(2)).await;
            Message::Closed
        })
    }
}

fn post(play: &Play, path: &str, body: &Value) -> super::support::Answer {
    play.server.post(path).header("x-api-key", &play.key).json(body).unchecked()
}

fn credentials() -> Value {
    json!({ "username": "driver", "password": "driver-pass", "captcha_api_key": "ck" })
}

#[test]
fn a_session_and_the_metrics_say_for_how_long_browsers_were_held_whatever_came_of_it() {
    let play = Play::new();
    let server = &play.server;
    server.deploy(&[SETTINGS, &EVEN].concat());
    let begun = post(&play, "/get_session", &credentials());
    assert_eq!((begun.status, &begun.json["browser_seconds"]), (200, &json!(0.0)), "{}", begun.text);
    let id = begun.json["session_id"].as_str().unwrap().to_owned();
    // From here on its portal needs a browser.
    server.world.upstream("chromium.example.com", Chromium(server.world.host()));
    let browser = [("EMODAL_DRIVER", "browser"), ("PORTAL_BROWSER_URL", "https://chromium.example.com")];
    server.deploy(&[SETTINGS, &EVEN, &browser].concat());
    let listed = || {
        let listed = server.get("/sessions").header("x-api-key", &play.key).send();
        listed.json["sessions"][0]["browser_seconds"].as_f64().unwrap()
    };
    assert!(listed().abs() < 1e-9);
    // What is lost with a browser is tried in another one.
    let body = json!({ "session_id": id, "debug": true });
    let failed = post(&play, "/get_containers", &body);
    assert_eq!((failed.status, failed.code()), (502, "browser_lost"), "{}", failed.text);
    assert_eq!(failed.json["debug"]["browser_seconds"], json!(4.0), "{}", failed.text);
    assert!((listed() - 4.0).abs() < 1e-9);
    // A keep-alive is told without a use.
    server.world.advance(Duration::from_secs(302));
    assert!((listed() - 8.0).abs() < 1e-9, "{}", listed());
    let got = post(&play, "/get_session", &credentials());
    assert_eq!((&got.json["is_new"], &got.json["browser_seconds"]), (&json!(false), &json!(8.0)));
    // The logout is the deployment's, and so is a login that comes to nothing.
    let closed = server.request("DELETE", &format!("/sessions/{id}")).header("x-api-key", &play.key).send();
    assert_eq!(closed.status, 200, "{}", closed.text);
    server.world.advance(Duration::from_secs(200));
    let refused = post(&play, "/get_session", &credentials());
    assert_eq!(refused.code(), "browser_lost", "{}", refused.text);
    let metrics = server.get("/metrics").token(&server.service_key("metrics")).send();
    let counted: Vec<_> =
        metrics.text.lines().filter(|line| line.contains("browser_seconds_total{")).collect();
    let of = |work: &str, seconds: u32| {
        format!("sallyport_portal_browser_seconds_total{{portal=\"emodal\",work=\"{work}\"}} {seconds}")
    };
    assert_eq!(counted, [of("keep_alive", 4), of("login", 2), of("logout", 6), of("operation", 4)]);
    assert!(metrics.text.contains("# TYPE sallyport_portal_browser_seconds_total counter\n"));
}
