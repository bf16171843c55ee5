//! The driver in a browser out of a script: what must not be done twice, and what is believed.

use super::*;
use crate::cdp::scripted::{Chromium, Does, by_url, function, now, value};
use crate::net::Progress;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// What a page shows: selectors and texts, by their words.
#[derive(Default)]
struct Page {
    shown: BTreeSet<&'static str>,
    /// What was pointed at last.
    at: String,
    clicked: Vec<String>,
    typed: Vec<String>,
    contexts: usize,
    dies: Option<Dies>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dies {
    AtTheClick,
    AfterIt,
    WhenLoaded,
}

impl Page {
    fn holds(&self, condition: &Value) -> bool {
        let each = |name: &str| condition[name].as_array().cloned().unwrap_or_default();
        let has = |text: &Value| text.as_str().is_none_or(|text| self.shown.contains(text));
        has(&condition["selector"])
            && (condition["text"].is_null() || each("text").iter().any(has))
            && (condition["any"].is_null() || each("any").iter().any(|one| self.holds(one)))
            && each("all").iter().all(|one| self.holds(one))
            && condition != &json!({})
    }
}

type Clicks = fn(&mut Page, &str);

/// A browser with such a page; `clicks` says what a click brings.
fn chromium(page: &Rc<RefCell<Page>>, clicks: Clicks) -> Chromium {
    let page = page.clone();
    Chromium::new(move |command| {
        let mut page = page.borrow_mut();
        let argument = &command["params"]["arguments"][0]["value"];
        match command["method"].as_str().unwrap() {
            "Target.createBrowserContext" => page.contexts += 1,
            "Page.navigate" if page.dies == Some(Dies::WhenLoaded) => {
                page.dies = None;
                return Some(vec![Does::Closes]);
            }
            "Input.insertText" => page.typed.push(command["params"]["text"].as_str().unwrap().to_owned()),
            "Input.dispatchMouseEvent" if command["params"]["type"] == "mouseReleased" => {
                let at = page.at.clone();
                page.clicked.push(at.clone());
                if page.dies == Some(Dies::AtTheClick) && at == "#book" {
                    return Some(vec![Does::Closes]);
                }
                clicks(&mut page, &at);
            }
            "Storage.getCookies" if page.dies == Some(Dies::AfterIt) => return Some(vec![Does::Closes]),
            "Runtime.callFunctionOn" => match function(command) {
                "wait" | "holds" => return Some(value(command, page.holds(argument).into())),
                "point" => page.at = argument.as_str().unwrap().to_owned(),
                "list" => return Some(value(command, json!(["It is full"]))),
                "definitions" => return Some(value(command, json!([["Number", "A1"]]))),
                "kind" => return Some(value(command, json!("select"))),
                "select" => return Some(value(command, json!({ "chosen": true, "offered": ["8:00"] }))),
                _ => {}
            },
            _ => {}
        }
        None
    })
}

fn driver() -> BrowserDriver {
    let document = json!({
        "driver": "browser",
        "base_url": "https://portal.example.com/app",
        "login": {
            "steps": [
                { "go": "/login" },
                { "fill": "#name", "with": "{username}" },
                { "fill": "#word", "with": "{password}" },
                { "click": "#in" },
            ],
            "logged_in": { "selector": "#out" },
            "logged_out": ["It is over"],
            "credentials_refused": ["Wrong"],
            "captcha_refused": ["Robot?"],
        },
        "keep_alive": { "path": "/home" },
        "logout": { "path": "/logout" },
        "wizards": [{
            "name": "slot",
            "open": [{ "go": "/slots" }],
            "errors": "#error",
            "phases": [{
                "shown": "#form",
                "inputs": [{ "field": "time", "max": 20, "by": "text", "input": "#time", "needed": true }],
                "send": [{ "click": "#book" }],
            }],
            "list": { "input": "#time", "rows": "times", "count": "count" },
            "order": {
                "element": "#done",
                "confirmed_texts": ["Confirmed"],
                "gone_texts": ["It is full"],
                "confirmed": "booked",
                "details": "details",
            },
        }],
        "operations": [{ "name": "book", "wizard": { "name": "slot", "until": "order" } }],
    });
    BrowserDriver {
        portal: Document::read(document).unwrap(),
        timeout: Duration::from_secs(10),
        captcha: crate::pages::play::emodal().captcha,
        browsers: by_url(),
    }
}

fn page(shown: &[&'static str], dies: Option<Dies>) -> Rc<RefCell<Page>> {
    let shown = shown.iter().copied().collect();
    Rc::new(RefCell::new(Page { shown, dies, ..Page::default() }))
}

fn book(visit: &mut Visit<'_>) -> Result<Outcome, Failure> {
    let fields = json!({ "time": "8:00" }).as_object().cloned().unwrap();
    let request = Request { operation: "book".to_owned(), fields, wizard: None };
    now(driver().run(visit, &request))
}

fn commits(chromium: &Chromium) -> usize {
    chromium.progress.borrow().iter().filter(|p| matches!(p, Progress::Committing)).count()
}

/// The order is clicked once, and this comes of it.
fn booked(page: &Rc<RefCell<Page>>, clicks: Clicks) -> Result<Outcome, Failure> {
    let chromium = chromium(page, clicks);
    let end = book(&mut chromium.visit(120));
    assert_eq!((page.borrow().clicked.as_slice(), commits(&chromium)), (["#book".to_owned()].as_slice(), 1));
    assert_eq!(page.borrow().contexts, 1);
    end
}

#[test]
fn a_booking_that_is_confirmed_stands_also_if_the_browser_dies_after_it() {
    for dies in [None, Some(Dies::AfterIt)] {
        let page = page(&["#form", "#out"], dies);
        let outcome = booked(&page, |page, _| page.shown.extend(["#done", "Confirmed"])).unwrap();
        assert_eq!(outcome.answer["booked"], true);
        assert_eq!(outcome.answer["details"], json!({ "Number": "A1" }));
    }
}

#[test]
fn a_booking_is_never_clicked_twice_and_what_is_not_known_is_said() {
    let nothing: Clicks = |_, _| {};
    let out: Clicks = |page, _| page.shown.extend(["It is over", "#login"]);
    for (dies, clicks) in [(Some(Dies::AtTheClick), nothing), (None, nothing), (None, out)] {
        let page = page(&["#form", "#out"], dies);
        assert_eq!(booked(&page, clicks).unwrap_err().code, Code::OutcomeUnknown);
    }
}

#[test]
fn what_stood_on_the_page_before_an_order_is_no_answer_to_it() {
    // The alert came with the order: it was refused.
    let at_first = page(&["#form", "#out"], None);
    let outcome = booked(&at_first, |page, _| page.shown.extend(["#error", "It is full"])).unwrap();
    assert_eq!(outcome.waiting.unwrap().message, "It is full");
    // The same where no element says that it is an error.
    let in_words = page(&["#form", "#out", "#time"], None);
    let outcome = booked(&in_words, |page, _| page.shown.extend(["It is full"])).unwrap();
    assert_eq!((outcome.answer["count"].clone(), outcome.waiting.unwrap().phase), (json!(1), 1));
    // It was there before.
    let before = page(&["#form", "#out", "#error", "It is full"], None);
    assert_eq!(booked(&before, |_, _| {}).unwrap_err().code, Code::OutcomeUnknown);
    // So was the confirmation of another one: nothing is ordered.
    let page = page(&["#form", "#out", "#done", "Confirmed"], None);
    let chromium = chromium(&page, |_, _| {});
    let end = book(&mut chromium.visit(120)).unwrap_err();
    assert_eq!((end.code, commits(&chromium), page.borrow().clicked.len()), (Code::UnexpectedResponse, 0, 0));
}

#[test]
fn what_is_lost_before_an_order_is_done_once_more_in_another_browser() {
    let page = page(&["#form", "#out"], Some(Dies::WhenLoaded));
    let chromium = chromium(&page, |page, _| page.shown.extend(["#done", "Confirmed"]));
    let outcome = book(&mut chromium.visit(120)).unwrap();
    assert_eq!(outcome.answer["booked"], true);
    assert_eq!((page.borrow().contexts, page.borrow().clicked.len(), commits(&chromium)), (2, 1, 1));
    page.borrow_mut().dies = Some(Dies::WhenLoaded);
    assert_eq!(now(driver().keep_alive(&mut chromium.visit(60))), Ok(()));
    assert_eq!(page.borrow().contexts, 4);
    assert_eq!(chromium.places.borrow().iter().filter(|p| p.starts_with("gives")).count(), 4);
}

#[test]
fn a_password_is_sent_once_whatever_the_page_says() {
    let credentials = crate::pages::play::credentials();
    let known: Clicks = |page, _| page.shown.extend(["#out"]);
    let cases: [(Clicks, Result<(), Code>); 5] = [
        (known, Ok(())),
        (|page, _| page.shown.extend(["Wrong"]), Err(Code::CredentialsRefused)),
        // Nobody has solved one: it would be the same once more.
        (|page, _| page.shown.extend(["Robot?"]), Err(Code::CaptchaUnsolved)),
        (|page, _| page.shown.extend(["Welcome"]), Err(Code::UnexpectedResponse)),
        (|_, _| {}, Err(Code::UnexpectedResponse)),
    ];
    for (i, (clicks, expected)) in cases.into_iter().enumerate() {
        let page = page(&[], None);
        let chromium = chromium(&page, clicks);
        let end = now(driver().log_in(&mut chromium.visit(120), &credentials));
        assert_eq!(end.map_err(|failure| failure.code), expected, "{i}");
        assert_eq!(
            page.borrow().typed,
            [credentials.username.as_str(), credentials.password.expose()],
            "{i}"
        );
        assert_eq!(page.borrow().clicked, ["#in"], "{i}");
        let sent = chromium.progress.borrow().iter().filter(|p| matches!(p, Progress::Sending)).count();
        assert_eq!(sent, 1, "{i}");
    }
    // Nor at all, if it may not be.
    let page = page(&[], None);
    let chromium = chromium(&page, known);
    chromium.may_send.set(Err(Code::AccountLocked));
    let end = now(driver().log_in(&mut chromium.visit(120), &credentials)).unwrap_err();
    assert_eq!((end.code, page.borrow().typed.len()), (Code::AccountLocked, 1));
}

#[test]
fn a_page_is_one_of_a_logged_in_user_only_if_it_says_so() {
    for (shown, expected) in [
        (&["#out"][..], Ok(())),
        (&["#out", "It is over"], Err(Code::LoggedOut)),
        (&["input[type=password]"], Err(Code::LoggedOut)),
        (&["Welcome"], Err(Code::UnexpectedResponse)),
    ] {
        let page = page(shown, None);
        let chromium = chromium(&page, |_, _| {});
        let end = now(driver().keep_alive(&mut chromium.visit(60)));
        assert_eq!(end.map_err(|failure| failure.code), expected, "{shown:?}");
    }
}
