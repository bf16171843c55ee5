//! A page in a browser that works.

use super::scripted::*;
use super::{Condition, Options, Tab};
use crate::browser::Site;
use crate::code::{Code, Failure};
use crate::driver::Visit;
use crate::jar::{Item, Jar, Origin};
use crate::{BrowserAt, Browsers};
use base::secret::Secret;
use serde_json::json;
use std::time::Duration;

pub const SECONDS: fn(u64) -> Duration = Duration::from_secs;

pub fn site() -> Site {
    Site::new(BASE, &["login.example.com".to_owned()], SECONDS(10), "").unwrap()
}

pub fn open<'n>(visit: &mut Visit<'n>, browsers: &Browsers) -> Result<Tab<'n>, Failure> {
    let user_agent = Some("Agent/1".to_owned());
    let options = Options { user_agent, timeout: SECONDS(10), ..Options::default() };
    now(Tab::open(visit, browsers, &site(), &options))
}

fn kept() -> Jar {
    let mut jar = Jar::default();
    let url = url::Url::parse(BASE).unwrap();
    jar.take(&Secret::new("sid=cookie-0; Secure; HttpOnly"), &url);
    let token = Item { name: "token".to_owned(), value: "stored-0".to_owned() };
    jar.origins.push(Origin {
        origin: "https://portal.example.com".to_owned(),
        local_storage: vec![token],
        session_storage: vec![],
    });
    jar
}

#[test]
fn what_a_login_keeps_is_in_a_new_browser_before_its_first_page() {
    let chromium = Chromium::sound();
    let mut visit = chromium.visit(60);
    visit.jar = kept();
    let mut tab = open(&mut visit, &by_url()).unwrap();
    now(tab.go(&mut visit, "/list?page=2")).unwrap();

    let cookies = &chromium.commands("Storage.setCookies")[0];
    assert_eq!(cookies["params"]["browserContextId"], "C1");
    assert_eq!(cookies["params"]["cookies"][0]["value"], "cookie-0");
    assert_eq!(cookies["params"]["cookies"][0]["url"], "https://portal.example.com/");
    assert!(cookies.get("sessionId").is_none());
    let scripts = chromium.commands("Page.addScriptToEvaluateOnNewDocument");
    assert!(scripts[1]["params"]["source"].as_str().unwrap().contains("stored-0"));
    let methods = chromium.methods();
    let at = |method: &str| methods.iter().position(|m| m == method).unwrap();
    assert!(at("Storage.setCookies") < at("Page.navigate"));
    assert!(at("Fetch.enable") < at("Page.navigate"));
    // Else it would be put in again over what the pages have changed.
    assert!(at("Page.navigate") < at("Page.removeScriptToEvaluateOnNewDocument"));
    assert_eq!(chromium.commands("Network.setUserAgentOverride")[0]["params"]["userAgent"], "Agent/1");

    assert_eq!(chromium.commands("Target.createBrowserContext")[0]["params"]["disposeOnDetach"], true);
    assert_eq!(visit.trace, [json!({ "method": "GET", "path": "/app/list", "status": 200, "ms": 0 })]);

    now(tab.save(&mut visit)).unwrap();
    assert_eq!(visit.jar.origins[0].local_storage[0].value, "stored-1");
    assert!(visit.jar.save().expose().contains("cookie-1"));
    assert!(!visit.jar.save().expose().contains("cookie-0"));
    chromium.state.now.set(START.plus(SECONDS(3)));
    now(tab.close(&mut visit, &by_url()));
    assert_eq!(*chromium.places.borrow(), ["takes P1", "gives P1"]);
    assert_eq!(visit.browser_time, SECONDS(3));
    assert_eq!(chromium.methods().last().unwrap(), "Target.disposeBrowserContext");
}

#[test]
fn a_cookie_that_the_browser_does_not_take_keeps_no_other_from_it() {
    let chromium = Chromium::new(|command| {
        let cookies = command["params"]["cookies"].as_array();
        let bad = cookies.is_some_and(|all| all.iter().any(|cookie| cookie["name"] == "bad"));
        (command["method"] == "Storage.setCookies" && bad).then(|| refuses(command))
    });
    let mut visit = chromium.visit(60);
    visit.jar = kept();
    let url = url::Url::parse(BASE).unwrap();
    visit.jar.take(&Secret::new("bad=1"), &url);
    open(&mut visit, &by_url()).unwrap();
    assert_eq!(chromium.commands("Storage.setCookies").len(), 3);
}

#[test]
fn endpoints() {
    let cases = [
        (response(200, "{}"), Code::NoBrowser),
        (response(200, "<html>"), Code::NoBrowser),
        (response(500, "{}"), Code::NoBrowser),
        (response(429, "{}"), Code::BrowsersBusy),
        (base::call::Answer::TimedOut, Code::NoBrowser),
        (base::call::Answer::Unreachable, Code::NoBrowser),
        (base::call::Answer::TooLong, Code::NoBrowser),
    ];
    let binding = browsers(Some(BrowserAt::Binding("BROWSER".to_owned())));
    for (says, code) in cases {
        for browsers in [&by_url(), &binding] {
            let chromium = Chromium::sound();
            chromium.endpoint.replace([says.clone()].into());
            let failure = open(&mut chromium.visit(60), browsers).err().unwrap();
            assert_eq!(failure.code, code, "{says:?}");
            assert_eq!(failure.retry_after.is_some(), code == Code::BrowsersBusy);
        }
    }
    let chromium = Chromium::sound();
    chromium.refused.set(Some(403));
    assert_eq!(open(&mut chromium.visit(60), &by_url()).err().unwrap().code, Code::NoBrowser);
    assert_eq!(open(&mut chromium.visit(60), &browsers(None)).err().unwrap().code, Code::NoBrowser);
}

#[test]
fn a_browser_of_the_binding_is_acquired_and_given_back() {
    let binding = browsers(Some(BrowserAt::Binding("BROWSER".to_owned())));
    let chromium = Chromium::sound();
    let mut visit = chromium.visit(60);
    let tab = open(&mut visit, &binding).unwrap();
    now(tab.close(&mut visit, &binding));
    let acquired = "GET https://browser.run/v1/acquire?keep_alive=600000";
    let connected = "CONNECT https://browser.run/v1/devtools/browser/B1";
    let given_back = "DELETE https://browser.run/v1/devtools/browser/B1";
    assert_eq!(*chromium.calls.borrow(), [acquired, connected, given_back]);
}

#[test]
fn what_is_typed_goes_to_the_page_and_into_nothing_that_is_shown() {
    let chromium = Chromium::sound();
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    now(tab.fill("#p", "hunter2", SECONDS(5))).unwrap();
    assert_eq!(chromium.commands("Input.insertText")[0]["params"]["text"], "hunter2");
    now(tab.click("#go", SECONDS(5))).unwrap();
    let kinds: Vec<_> =
        chromium.commands("Input.dispatchMouseEvent").iter().map(|c| c["params"]["type"].clone()).collect();
    assert_eq!(kinds, ["mouseMoved", "mousePressed", "mouseReleased"]);
    now(tab.save(&mut visit)).unwrap();
    let shown = format!("{:?} {:?} {:?}", visit.jar, visit.trace, visit.place());
    assert!(!["hunter2", "cookie-1", "stored-1"].iter().any(|secret| shown.contains(secret)), "{shown}");
}

#[test]
fn conditions_are_asked_of_the_page_with_the_time_there_is() {
    let chromium = Chromium::sound();
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    let condition = Condition::any(vec![Condition::selector("#a"), Condition::says(&["Hello".to_owned()])]);
    assert!(now(tab.wait(&condition, SECONDS(100))).unwrap());
    let arguments = &chromium.commands("Runtime.callFunctionOn")[0]["params"]["arguments"];
    assert_eq!(arguments[0]["value"], json!({ "any": [{ "selector": "#a" }, { "text": ["Hello"] }] }));
    // The visit ends before.
    assert_eq!(arguments[1]["value"], 60_000);
}
