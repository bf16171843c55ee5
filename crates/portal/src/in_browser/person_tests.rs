//! A person at a page out of a script.

use super::BrowserDriver;
use crate::captcha::Captcha;
use crate::cdp::scripted::*;
use crate::code::{Code, Failure};
use crate::document::emodal_with;
use crate::driver::{Credentials, Driver};
use crate::net::Progress;
use crate::seat::Seat;
use crate::{BrowserAt, Browsers};
use base::secret::Secret;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const ASKS: &str = "Confirm that you are a person";
const PAGE: &str = "https://portal.example.com/app/login";

fn driver(browsers: Browsers) -> BrowserDriver {
    let portal = emodal_with("browser", Some(BASE), "", Map::new()).unwrap();
    let timeout = Duration::from_secs(10);
    let captcha = Captcha {
        base_url: "https://captcha.example.com".to_owned(),
        poll: Duration::from_secs(1),
        timeout,
        tasks_max: 1,
        call_timeout: timeout,
    };
    BrowserDriver { portal, timeout, captcha, browsers }
}

/// What a page shows; each look of the driver that waits takes what comes next, as long as there is something.
type Shown = Rc<RefCell<Vec<&'static str>>>;

fn holds(condition: &Value, shown: &str) -> bool {
    let any = condition["any"].as_array().is_none_or(|any| any.iter().any(|one| holds(one, shown)));
    let text = |text: &Value| shown.to_lowercase().contains(&text.as_str().unwrap().to_lowercase());
    any && condition["text"].as_array().is_none_or(|texts| texts.iter().any(text))
        && condition["selector"].as_str().is_none_or(|css| css == "header[data-user]" && shown == "in")
}

/// A browser whose page shows these, one after the other.
fn browser(pages: &[&'static str], at: &'static str) -> Chromium {
    let shown: Shown = Rc::new(RefCell::new(pages.iter().rev().copied().collect()));
    Chromium::new(move |command| {
        if command["method"] == "Page.getFrameTree" {
            return Some(vec![answer(
                command,
                json!({ "frameTree": { "frame": { "id": "F1", "url": at } } }),
            )]);
        }
        let condition = &command["params"]["arguments"][0]["value"];
        let last = |shown: &Shown| shown.borrow().last().copied().unwrap_or_default();
        match function(command) {
            "wait" => {
                if shown.borrow().len() > 1 {
                    shown.borrow_mut().pop();
                }
                if holds(condition, last(&shown)) {
                    return Some(value(command, json!(true)));
                }
                let time =
                    Duration::from_millis(command["params"]["arguments"][1]["value"].as_u64().unwrap());
                Some([vec![Does::Waits(time)], value(command, Value::Null)].concat())
            }
            "holds" => Some(value(command, json!(holds(condition, last(&shown))))),
            _ => None,
        }
    })
}

fn seat() -> Seat {
    Seat {
        browser: "/devtools/browser/B1".to_owned(),
        context: "C0".to_owned(),
        target: "T0".to_owned(),
        place: "P0".to_owned(),
        since: START,
        live_view: Some(Secret::new("link-0")),
    }
}

fn turn(chromium: &Chromium) -> Result<bool, Failure> {
    let mut visit = chromium.visit(60);
    let end = now(driver(by_url()).go_on(&mut visit, &seat()));
    if end == Ok(true) {
        assert!(visit.jar.save().expose().contains("cookie-1"));
    }
    end
}

fn is_closed(chromium: &Chromium) -> bool {
    let disposed = chromium.commands("Target.disposeBrowserContext");
    let is_closed = disposed.iter().any(|command| command["params"]["browserContextId"] == "C0");
    let given = chromium.places.borrow().iter().any(|place| place == "gives P0");
    let said = chromium.progress.borrow().iter().any(|progress| matches!(progress, Progress::Closed));
    assert_eq!((given, said), (is_closed, is_closed));
    is_closed
}

#[test]
fn a_login_that_needs_a_person_leaves_its_page_open_with_a_link_to_it() {
    let credentials = Credentials {
        username: "human".to_owned(),
        password: Secret::new("pass-words"),
        captcha_api_key: Secret::new("ck"),
        totp_secret: None,
    };
    let version = r#"{"webSocketDebuggerUrl":"ws://127.0.0.1:9222/devtools/browser/B1","sessionId":"B1"}"#;
    let listed =
        r#"[{"id":"T0"},{"id":"T1","devtoolsFrontendUrl":"https://live.example.com/ui/view?mode=tab"}]"#;
    let binding = browsers(Some(BrowserAt::Binding("BROWSER".to_owned())));
    for (browsers, link) in [
        (by_url(), "http://127.0.0.1:9222/devtools/inspector.html?ws=127.0.0.1:9222/devtools/page/T1"),
        (binding, "https://live.example.com/ui/view?mode=tab"),
    ] {
        let is_bound = browsers.at.as_ref().is_some_and(|at| matches!(at, BrowserAt::Binding(_)));
        let mut driver = driver(browsers);
        // What is typed in is tested elsewhere.
        driver.portal.in_browser.as_mut().unwrap().login.truncate(1);
        let chromium = browser(&[ASKS], PAGE);
        let answers = [response(200, version), response(200, listed)];
        chromium.endpoint.replace(answers.into());
        let mut visit = chromium.visit(60);
        let end = now(driver.log_in(&mut visit, &credentials));
        assert_eq!(end.unwrap_err().code, Code::NeedsHuman);
        let kept = visit.seat.take().expect("it is left open");
        assert_eq!((kept.context.as_str(), kept.target.as_str(), kept.place.as_str()), ("C1", "T1", "P1"));
        assert_eq!(kept.live_view.as_ref().unwrap().expose(), link);
        assert!(!format!("{kept:?}").contains("T1"));
        assert_eq!(*chromium.places.borrow(), ["takes P1", "keeps P1 for 660"]);
        assert!(chromium.commands("Target.disposeBrowserContext").is_empty());
        assert_eq!(chromium.commands("Target.createBrowserContext")[0]["params"]["disposeOnDetach"], false);
        assert!(matches!(&chromium.progress.borrow()[..], [Progress::Opened(seat)] if seat.context == "C1"));
        assert_eq!(chromium.calls.borrow().iter().any(|call| call.ends_with("/json/list")), is_bound);
    }
    // Without a link nobody could do anything.
    let mut driver = driver(browsers(Some(BrowserAt::Binding("BROWSER".to_owned()))));
    driver.portal.in_browser.as_mut().unwrap().login.truncate(1);
    let chromium = browser(&[ASKS], PAGE);
    chromium.endpoint.replace([response(200, version), response(404, "")].into());
    let mut visit = chromium.visit(60);
    assert_eq!(now(driver.log_in(&mut visit, &credentials)).unwrap_err().code, Code::NeedsHuman);
    assert!(visit.seat.is_none());
    assert_eq!(chromium.commands("Target.disposeBrowserContext").len(), 1);
}

#[test]
fn a_turn_ends_with_the_person_or_leaves_the_page_open() {
    for (shows, at, expected, closed) in [
        (&[ASKS, ASKS, ASKS, "in"][..], PAGE, Ok(true), true),
        (&[ASKS][..], PAGE, Ok(false), false),
        // Elsewhere nothing is believed.
        (&["in"][..], "https://elsewhere.example.org/", Ok(false), false),
        (&["Invalid code. Confirm that you are a person", ASKS, "in"][..], PAGE, Ok(true), true),
        (&[ASKS, "The account is locked"][..], PAGE, Err(Code::AccountLocked), true),
        (&[ASKS, "Invalid code"][..], PAGE, Err(Code::CredentialsRefused), true),
        (&[ASKS, "Captcha validation failed"][..], PAGE, Err(Code::CaptchaUnsolved), true),
        (&[ASKS, "Access denied"][..], PAGE, Err(Code::RefusedAutomation), true),
    ] {
        let chromium = browser(shows, at);
        let end = turn(&chromium).map_err(|failure| failure.code);
        assert_eq!((end, is_closed(&chromium)), (expected, closed), "{shows:?}");
        assert!(chromium.commands("Target.createTarget").is_empty());
        assert_eq!(chromium.commands("Target.attachToTarget")[0]["params"]["targetId"], "T0");
        assert!(chromium.passed() <= super::TURN + Duration::from_secs(1));
    }
}

#[test]
fn a_page_or_browser_that_is_gone_is_lost() {
    let closed = Chromium::new(|c| (c["method"] == "Target.attachToTarget").then(|| refuses(c)));
    assert_eq!(turn(&closed).unwrap_err().code, Code::BrowserLost);
    assert!(is_closed(&closed));
    let detached = Chromium::new(|c| {
        let gone = json!({ "method": "Target.detachedFromTarget", "params": { "sessionId": SESSION } });
        (function(c) == "wait").then(|| vec![Does::Says(gone)])
    });
    assert_eq!(turn(&detached).unwrap_err().code, Code::BrowserLost);
    // Another browser is there since; nothing answers for a while.
    for (status, seconds) in [(404, 0), (502, 5)] {
        let chromium = Chromium::sound();
        chromium.refused.set(Some(status));
        assert_eq!(turn(&chromium).unwrap_err().code, Code::BrowserLost);
        assert_eq!(chromium.passed(), Duration::from_secs(seconds));
        let mut visit = chromium.visit(15);
        assert_eq!(now(driver(by_url()).let_go(&mut visit, &seat())), status == 404);
    }
    let chromium = Chromium::sound();
    assert!(now(driver(by_url()).let_go(&mut chromium.visit(15), &seat())));
    assert!(is_closed(&chromium));
}
