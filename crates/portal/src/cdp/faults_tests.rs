//! A browser with every fault. None of them lasts longer than the limits, and each has a code of its own.

use super::scripted::*;
use super::tests::{SECONDS, open};
use super::{Choice, Condition, Rows, Scrolled};
use crate::code::Code;
use serde_json::{Value, json};
use std::cell::Cell;

const OPENING: [&str; 10] = [
    "Target.createBrowserContext",
    "Target.createTarget",
    "Target.attachToTarget",
    "Page.enable",
    "Page.getFrameTree",
    "Network.enable",
    "Runtime.enable",
    "Page.addScriptToEvaluateOnNewDocument",
    "Fetch.enable",
    "Network.setUserAgentOverride",
];

/// What a browser may do in place of an answer.
fn faults(command: &Value) -> [Vec<Does>; 8] {
    let text = |text: &str| vec![Does::Raw(Frame::Text(text.to_owned()))];
    [
        vec![],
        refuses(command),
        vec![answer(command, json!("neither what it should be"))],
        text(&format!("{{\"id\":{},\"resu", command["id"])),
        text("<html>"),
        vec![Does::Raw(Frame::Binary(vec![0xff, 0xfe]))],
        vec![Does::Closes],
        vec![Does::Waits(SECONDS(21)), answer(command, json!({ "browserContextId": "C1" }))],
    ]
}

#[test]
fn a_browser_that_fails_while_a_page_is_opened_is_lost_and_left_tidy() {
    for method in OPENING {
        for fault in 0..8 {
            let chromium = Chromium::new(move |c| (c["method"] == method).then(|| faults(c)[fault].clone()));
            let mut visit = chromium.visit(300);
            // Answers of these are not looked at.
            let is_read = method.starts_with("Target.") || method == "Page.getFrameTree";
            let ignored = fault == 2 && !is_read;
            let end = open(&mut visit, &by_url());
            assert_eq!(end.is_ok(), ignored, "{method} {fault}");
            if let Err(failure) = end {
                assert_eq!(failure.code, Code::BrowserLost, "{method} {fault}");
                assert!(!format!("{failure:?}").contains("secret-words"));
                assert_eq!(*chromium.places.borrow(), ["takes P1", "gives P1"]);
                // Whatever can be told to close it is told.
                let is_reachable = !matches!(fault, 3..=6) && method != "Target.createBrowserContext";
                let disposed = chromium.commands("Target.disposeBrowserContext");
                assert!(!is_reachable || disposed.len() == 1, "{method} {fault}");
                assert!(chromium.passed() <= SECONDS(40));
            }
        }
    }
}

#[test]
fn nothing_lasts_longer_than_the_visit() {
    let chromium = Chromium::new(|c| (c["method"] == "Page.enable").then(Vec::new));
    let end = open(&mut chromium.visit(5), &by_url());
    assert_eq!(end.err().unwrap().code, Code::OutOfTime);
    assert_eq!(chromium.passed(), SECONDS(5));
}

#[test]
fn answers_of_others_and_events_come_between() {
    let chromium = Chromium::new(|c| {
        (function(c) == "text").then(|| {
            let mut does = vec![
                Does::Says(json!({ "id": 1, "result": { "result": { "value": "late" } } })),
                Does::Says(json!({ "id": 9999, "result": {} })),
                Does::Says(json!({ "id": "no number" })),
                Does::Says(json!([1, null])),
                event("Network.somethingNew", json!(null)),
                // Of another page, which is none of this one's.
                Does::Says(json!({ "method": "Inspector.targetCrashed", "sessionId": "S9", "params": {} })),
                Does::Says(json!({ "method": "Target.detachedFromTarget", "params": { "sessionId": "S9" } })),
            ];
            does.extend(value(c, json!("right")));
            does
        })
    });
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    assert_eq!(now(tab.text(None)).unwrap(), "right");
}

#[test]
fn a_page_that_crashes_or_is_taken_away_is_lost_at_once() {
    let gone: [fn() -> Does; 4] = [
        || event("Inspector.targetCrashed", json!({})),
        || event("Inspector.detached", json!({ "reason": "Render process gone." })),
        || Does::Says(json!({ "method": "Target.detachedFromTarget", "params": { "sessionId": SESSION } })),
        || Does::Closes,
    ];
    for does in gone {
        for at in ["text", "wait", "Page.navigate"] {
            let chromium =
                Chromium::new(move |c| (function(c) == at || c["method"] == at).then(|| vec![does()]));
            let mut visit = chromium.visit(60);
            let mut tab = open(&mut visit, &by_url()).unwrap();
            let end = match at {
                "text" => now(tab.text(None)).map(drop),
                "wait" => now(tab.wait(&Condition::selector("#a"), SECONDS(30))).map(drop),
                _ => now(tab.go(&mut visit, "/list")),
            };
            assert_eq!(end.unwrap_err().code, Code::BrowserLost, "{at}");
            assert_eq!(chromium.passed(), SECONDS(0));
        }
    }
}

type Fault = Box<dyn Fn(&Value) -> Vec<Does>>;

#[test]
fn navigations_that_come_to_nothing() {
    let failed = |error: &'static str| {
        move |c: &Value| vec![answer(c, json!({ "frameId": "F1", "loaderId": "L", "errorText": error }))]
    };
    let status = |status: u16| -> Fault {
        Box::new(move |c| {
            let mut does = document(2, "https://portal.example.com/app/list", status);
            does.insert(1, answer(c, json!({ "loaderId": "L1" })));
            does
        })
    };
    let cases: [(Fault, Result<(), Code>, u64); 11] = [
        (Box::new(|_| vec![]), Err(Code::Timeout), 10),
        (Box::new(|c| vec![answer(c, json!({ "loaderId": "L1" }))]), Err(Code::Timeout), 10),
        (Box::new(refuses), Err(Code::UnexpectedResponse), 0),
        (Box::new(failed("net::ERR_CONNECTION_REFUSED")), Err(Code::Unreachable), 0),
        (Box::new(failed("net::ERR_TIMED_OUT")), Err(Code::Timeout), 0),
        (Box::new(failed("net::ERR_TOO_MANY_REDIRECTS")), Err(Code::Redirected), 0),
        // Another place of the same document: it is not loaded anew.
        (Box::new(|c| vec![answer(c, json!({ "frameId": "F1" }))]), Ok(()), 0),
        (status(404), Ok(()), 0),
        (status(429), Err(Code::RateLimited), 0),
        (status(503), Err(Code::ServerError), 0),
        (
            Box::new(|c| vec![Does::Waits(SECONDS(9)), answer(c, json!({ "loaderId": "L1" }))]),
            Err(Code::Timeout),
            10,
        ),
    ];
    for (i, (fault, code, seconds)) in cases.into_iter().enumerate() {
        let chromium = Chromium::new(move |c| (c["method"] == "Page.navigate").then(|| fault(c)));
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        let end = now(tab.go(&mut visit, "/list"));
        assert_eq!(end.map_err(|failure| failure.code), code, "{i}");
        assert_eq!(chromium.passed(), SECONDS(seconds), "{i}");
        assert_eq!(visit.trace.len(), 1);
    }
}

fn paused(url: &str, frame: &str) -> Does {
    event("Fetch.requestPaused", json!({ "requestId": "R1", "request": { "url": url }, "frameId": frame }))
}

#[test]
fn a_page_goes_to_allowed_hosts_only_whatever_leads_it_elsewhere() {
    for at in ["Page.navigate", "Input.dispatchMouseEvent", "wait"] {
        for url in ["https://evil.example.net/", "http://portal.example.com/", "not an address"] {
            let chromium = Chromium::new(move |c| {
                (c["method"] == at || function(c) == at).then(|| vec![paused(url, "F1")])
            });
            let mut visit = chromium.visit(60);
            let mut tab = open(&mut visit, &by_url()).unwrap();
            let end = match at {
                "Page.navigate" => now(tab.go(&mut visit, "/list")),
                "wait" => now(tab.wait(&Condition::selector("#a"), SECONDS(30))).map(drop),
                _ => now(tab.click("#a", SECONDS(30))),
            };
            assert_eq!(end.unwrap_err().code, Code::Redirected, "{at} {url}");
            // Known at once, and said once: the page that it was on can be looked at.
            assert_eq!(chromium.passed(), SECONDS(0));
            assert_eq!(chromium.commands("Fetch.failRequest").len(), 1);
            assert!(chromium.commands("Fetch.continueRequest").is_empty());
            assert_eq!(now(tab.html()).unwrap(), "Hello");
        }
    }
}

#[test]
fn allowed_documents_and_frames_of_others_are_let_through() {
    for (url, frame) in [("https://login.example.com/a", "F1"), ("https://captcha.example.net/", "F2")] {
        let chromium = Chromium::new(move |c| {
            (function(c) == "text").then(|| [vec![paused(url, frame)], value(c, json!("x"))].concat())
        });
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        now(tab.text(None)).unwrap();
        assert_eq!(chromium.commands("Fetch.continueRequest").len(), 1);
        assert!(chromium.commands("Fetch.failRequest").is_empty());
    }
}

#[test]
fn what_happens_on_the_page_while_the_browser_is_asked_is_heard() {
    let chromium = Chromium::new(|c| {
        (c["method"] == "Storage.getCookies").then(|| {
            let mut does = vec![paused("https://portal.example.com/next", "F1")];
            does.extend(document(7, "https://portal.example.com/next", 200));
            does.push(answer(c, json!({ "cookies": [] })));
            does
        })
    });
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    now(tab.save(&mut visit)).unwrap();
    assert_eq!(chromium.commands("Fetch.continueRequest")[0]["sessionId"], SESSION);
    assert_eq!(chromium.commands("Runtime.callFunctionOn")[0]["params"]["executionContextId"], 7);
    assert_eq!(tab.url().unwrap().path(), "/next");
}

#[test]
fn what_was_waited_for_in_a_document_is_waited_for_in_the_next() {
    let asked = Cell::new(0);
    let chromium = Chromium::new(move |c| {
        if function(c) != "wait" {
            return None;
        }
        asked.set(asked.get() + 1);
        (asked.get() == 1).then(|| {
            let mut does = vec![Does::Waits(SECONDS(4))];
            does.push(event("Runtime.executionContextDestroyed", json!({ "executionContextId": 1 })));
            does.extend(refuses(c));
            does.push(Does::Waits(SECONDS(1)));
            does.extend(document(3, "https://portal.example.com/next", 200));
            does
        })
    });
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    assert!(now(tab.wait(&Condition::selector("#a"), SECONDS(30))).unwrap());
    let waits = chromium.commands("Runtime.callFunctionOn");
    assert_eq!(waits.len(), 2);
    assert_eq!(waits[0]["params"]["executionContextId"], 1);
    assert_eq!(waits[1]["params"]["executionContextId"], 3);
    // What is left of it.
    assert_eq!(waits[1]["params"]["arguments"][1]["value"], 25_000);
}

#[test]
fn a_document_without_scripts_is_waited_for_no_longer_than_said() {
    let chromium = Chromium::new(|c| (function(c) == "wait").then(|| refuses(c)));
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    assert!(!now(tab.wait(&Condition::selector("#a"), SECONDS(30))).unwrap());
    assert_eq!(chromium.passed(), SECONDS(30));
    assert_eq!(now(tab.text(None)).unwrap_err().code, Code::BrowserLost);
    assert_eq!(chromium.passed(), SECONDS(50));
}

#[test]
fn a_page_that_hangs_is_lost_soon_after_the_wait() {
    let chromium = Chromium::new(|c| (function(c) == "wait").then(Vec::new));
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    let end = now(tab.wait(&Condition::selector("#a"), SECONDS(30)));
    assert_eq!(end.unwrap_err().code, Code::BrowserLost);
    assert_eq!(chromium.passed(), SECONDS(35));
}

#[test]
fn what_is_not_on_the_page_is_a_step_that_failed() {
    // Nothing came in time; and a selector that is none.
    for thrown in [false, true] {
        let chromium = Chromium::new(move |c| {
            if thrown && c["method"] == "Runtime.callFunctionOn" {
                return Some(vec![answer(c, json!({ "exceptionDetails": {}, "result": {} }))]);
            }
            matches!(function(c), "point" | "focus" | "wait" | "scroll" | "attribute")
                .then(|| value(c, Value::Null))
        });
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        let rows = Rows { scroll: None, rows: "tr".to_owned(), busy: None };
        let within = SECONDS(5);
        let ends = [
            now(tab.click("#a", within)),
            now(tab.fill("#a", "x", within)),
            now(tab.choose("#a", "x", within)).map(drop),
            now(tab.offered("#a", within)).map(drop),
            now(tab.tick("#a", true, within)),
            now(tab.scroll(&rows, within)).map(drop),
        ];
        for end in ends {
            assert_eq!(end.unwrap_err().code, Code::StepFailed);
        }
        assert!(chromium.commands("Input.insertText").is_empty());
        assert!(chromium.commands("Input.dispatchMouseEvent").is_empty());
    }
}

#[test]
fn what_is_not_offered_is_not_chosen() {
    for kind in ["select", "combobox"] {
        let chromium = Chromium::new(move |c| match function(c) {
            "kind" => Some(value(c, json!(kind))),
            "select" => Some(value(c, json!({ "chosen": false, "offered": ["A", "B"] }))),
            "offered" => Some(value(c, json!(["A", "B"]))),
            "optionPoint" => Some(value(c, Value::Null)),
            "scroll" => Some(value(c, json!("end"))),
            _ => None,
        });
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        let chosen = now(tab.choose("#a", "C", SECONDS(5))).unwrap();
        assert_eq!(chosen, Choice::NotOffered(vec!["A".to_owned(), "B".to_owned()]));
        assert_eq!(now(tab.offered("#a", SECONDS(5))).unwrap(), ["A", "B"]);
        let rows = Rows { scroll: None, rows: "tr".to_owned(), busy: None };
        assert_eq!(now(tab.scroll(&rows, SECONDS(5))).unwrap(), Scrolled::End);
        // A list that was opened is closed.
        let escapes = chromium.commands("Input.dispatchKeyEvent").len();
        assert_eq!(escapes, if kind == "select" { 0 } else { 4 });
    }
}

#[test]
fn dialogs_hold_nothing_up_and_a_page_may_always_be_left() {
    for (kind, accept) in [("alert", false), ("confirm", false), ("beforeunload", true)] {
        let chromium = Chromium::new(move |c| {
            let dialog = event("Page.javascriptDialogOpening", json!({ "type": kind, "message": "?" }));
            (function(c) == "text").then(|| [vec![dialog], value(c, json!("x"))].concat())
        });
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        now(tab.text(None)).unwrap();
        assert_eq!(chromium.commands("Page.handleJavaScriptDialog")[0]["params"]["accept"], accept);
    }
}
