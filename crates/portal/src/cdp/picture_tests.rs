//! Pictures: of which pages there are none, and that none of them changes anything else.

use super::scripted::*;
use super::tests::{SECONDS, open};
use crate::code::Code;
use crate::driver::{Request, Visit};
use crate::pictures::{Missing, PICTURES_MAX, Pictures, picture};
use base::secret::Secret;
use serde_json::{Value, json};

const LINES: fn() -> [String; 2] = || ["one".to_owned(), "two".to_owned()];

/// A page without a password, if nothing else is said of it.
fn showing(says: impl Fn(&Value) -> Option<Vec<Does>> + 'static) -> Chromium {
    Chromium::new(move |command| {
        says(command).or_else(|| {
            Some(match (command["method"].as_str().unwrap(), function(command)) {
                (_, "look") => value(command, json!({ "frames": 1, "covered": [[1, 2, 3, 4]] })),
                (_, "stamp") => value(command, json!("cGljdHVyZQ==")),
                ("DOM.performSearch", _) => found(command, 0),
                ("Page.captureScreenshot", _) => vec![answer(command, json!({ "data": "cmF3" }))],
                _ => return None,
            })
        })
    })
}

fn found(command: &Value, count: u64) -> Vec<Does> {
    vec![answer(command, json!({ "searchId": "Q1", "resultCount": count }))]
}

fn take(chromium: &Chromium) -> Result<Vec<u8>, Missing> {
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    let taken = now(tab.picture(&LINES(), &Secret::new("hunter2"), SECONDS(5)));
    // The page answers as before.
    chromium.state.now.set(chromium.state.now.get().plus(SECONDS(1)));
    if taken != Err(Missing::NotTaken) {
        assert_eq!(now(tab.text(None)).unwrap(), "Hello");
    }
    taken
}

#[test]
fn a_picture_is_taken_between_two_looks_at_the_page() {
    let chromium = showing(|_| None);
    assert_eq!(take(&chromium).unwrap(), b"picture");
    let shot = &chromium.commands("Page.captureScreenshot")[0]["params"];
    assert_eq!((&shot["format"], shot.get("captureBeyondViewport")), (&json!("jpeg"), None));
    let calls = chromium.commands("Runtime.callFunctionOn");
    let stamp = calls.iter().find(|call| function(call) == "stamp").unwrap();
    let arguments: Vec<_> =
        stamp["params"]["arguments"].as_array().unwrap().iter().map(|a| &a["value"]).collect();
    assert_eq!(json!(arguments), json!(["cmF3", ["one", "two"], "hunter2", [[1, 2, 3, 4]]]));
    assert_eq!(chromium.commands("DOM.disable").len(), 1);
}

/// Of a page that `says` these there is no picture, and none is even asked for.
fn has_a_password(says: impl Fn(&Value) -> Option<Vec<Does>> + 'static) {
    let chromium = showing(says);
    assert_eq!(take(&chromium), Err(Missing::Password));
    assert!(chromium.commands("Page.captureScreenshot").is_empty());
}

/// What a search finds, by its query, and what the nodes are.
fn finds(command: &Value, query: &str, nodes: &[(u64, &str)]) -> Option<Vec<Does>> {
    Some(match command["method"].as_str().unwrap() {
        "DOM.performSearch" if command["params"]["query"] == query => {
            found(command, u64::try_from(nodes.len()).unwrap())
        }
        "DOM.getSearchResults" => {
            let ids: Vec<_> = nodes.iter().map(|(id, _)| id).collect();
            vec![answer(command, json!({ "nodeIds": ids }))]
        }
        "DOM.describeNode" => {
            let name = nodes.iter().find(|(id, _)| command["params"]["nodeId"] == *id).unwrap().1;
            vec![answer(command, json!({ "node": { "nodeName": name } }))]
        }
        _ => return None,
    })
}

const PASSWORD: &str = "\"password\"";

#[test]
fn there_is_none_of_a_page_with_a_password_or_of_which_it_cannot_be_told() {
    has_a_password(|c| (function(c) == "look").then(|| value(c, Value::Null)));
    // In a shadow tree that scripts do not see into.
    has_a_password(|c| finds(c, PASSWORD, &[(1, "#text"), (2, "INPUT")]));
    has_a_password(|c| finds(c, PASSWORD, &[(1, "")]));
    has_a_password(|c| (c["method"] == "DOM.performSearch").then(|| found(c, 1_000)));
    // A frame there.
    has_a_password(|c| finds(c, "<iframe>", &[(1, "IFRAME"), (2, "IFRAME")]));
    let none = Secret::new("");
    let chromium = showing(|_| None);
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    assert_eq!(now(tab.picture(&LINES(), &none, SECONDS(5))), Err(Missing::Password));
}

#[test]
fn a_word_in_a_script_and_the_same_frame_found_twice_are_no_password() {
    let chromium = showing(|c| finds(c, PASSWORD, &[(1, "#text"), (2, "LABEL")]));
    assert!(take(&chromium).is_ok());
    let chromium = showing(|c| finds(c, "<iframe>", &[(1, "IFRAME"), (1, "IFRAME")]));
    assert!(take(&chromium).is_ok());
}

#[test]
fn there_is_none_of_a_page_that_has_changed_meanwhile() {
    let chromium = showing(|c| (function(c) == "stamp").then(|| value(c, Value::Null)));
    assert_eq!(take(&chromium), Err(Missing::NotTaken));
    // Another document: what was looked at is not what is on the picture.
    let chromium = showing(|c| {
        (c["method"] == "Page.captureScreenshot").then(|| {
            let mut does = document(7, "https://portal.example.com/app/other", 200);
            does.push(answer(c, json!({ "data": "cmF3" })));
            does
        })
    });
    assert_eq!(take(&chromium), Err(Missing::NotTaken));
    for bytes in ["", "no base64!", &"A".repeat(1024 * 1024)] {
        let bytes = bytes.to_owned();
        let chromium = showing(move |c| (function(c) == "stamp").then(|| value(c, json!(bytes))));
        assert_eq!(take(&chromium), Err(Missing::NotTaken));
    }
}

#[test]
fn one_that_does_not_come_costs_five_seconds_and_nothing_else() {
    for method in ["DOM.enable", "DOM.performSearch", "Page.captureScreenshot"] {
        let chromium = showing(move |c| (c["method"] == method).then(Vec::new));
        let mut visit = chromium.visit(60);
        let mut tab = open(&mut visit, &by_url()).unwrap();
        assert_eq!(now(tab.picture(&LINES(), &Secret::new("p"), SECONDS(5))), Err(Missing::NotTaken));
        assert_eq!(chromium.passed(), SECONDS(5));
        assert_eq!(now(tab.text(None)).unwrap(), "Hello", "{method}");
    }
}

#[test]
fn that_a_page_goes_elsewhere_is_still_found_out() {
    let chromium = showing(|c| {
        (c["method"] == "Page.captureScreenshot").then(|| {
            let request = json!({ "requestId": "R1", "frameId": "F1", "request": { "url": "https://elsewhere.example.net/" } });
            vec![event("Fetch.requestPaused", request), answer(c, json!({ "data": "cmF3" }))]
        })
    });
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    assert_eq!(now(tab.picture(&LINES(), &Secret::new("p"), SECONDS(5))), Err(Missing::NotTaken));
    assert_eq!(now(tab.text(None)).unwrap_err().code, Code::Redirected);
}

fn wanted(visit: &mut Visit<'_>) {
    let fields = json!({ "container_id": "MSCU1000000\n", "move_type": "PICK FULL" });
    let request =
        Request { operation: "o".to_owned(), fields: fields.as_object().unwrap().clone(), wizard: None };
    visit.pictures = Some(Pictures::new("demo", Secret::new("hunter2"), &request));
}

fn missing(visit: &Visit<'_>) -> Vec<Value> {
    visit.pictures.as_ref().unwrap().told().1
}

#[test]
fn pictures_say_when_where_who_and_which_container() {
    let chromium = showing(|_| None);
    chromium.kept.set(Some("/sessions/s/screenshots/p"));
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    now(tab.go(&mut visit, "/list?secret=1")).unwrap();
    now(picture(&mut visit, &mut tab, "not wanted"));
    assert!(visit.pictures.is_none() && chromium.commands("Page.captureScreenshot").is_empty());
    wanted(&mut visit);
    now(picture(&mut visit, &mut tab, "steps/1"));
    let at = START.rfc3339();
    let (kept, missing) = visit.pictures.as_ref().unwrap().told();
    let told = json!([{ "url": "/sessions/s/screenshots/p", "taken_at": at, "step": "steps/1", "path": "/app/list" }]);
    assert_eq!((json!(kept), missing), (told.clone(), vec![]));
    let calls = chromium.commands("Runtime.callFunctionOn");
    let stamp = calls.iter().find(|call| function(call) == "stamp").unwrap();
    let lines = &stamp["params"]["arguments"][1]["value"];
    assert_eq!(lines[0], format!("{at}   https://portal.example.com/app/list"));
    assert_eq!(lines[1], "user demo   container MSCU1000000    steps/1");
    let picture = &chromium.pictures.borrow()[0];
    let stored = picture.stored(SECONDS(60));
    assert_eq!((stored.bytes.as_slice(), stored.content_type.as_str()), (&b"picture"[..], "image/jpeg"));
    let facts = json!({
        "address": "https://portal.example.com/app/list", "container": "MSCU1000000 ", "username": "demo",
        "step": "steps/1", "taken_at": at, "expires_at": (START.seconds() + 60).to_string(),
    });
    assert_eq!(json!(stored.metadata), facts);
    // A failure has them, too.
    assert_eq!(json!(visit.place().screenshots), told);
}

#[test]
fn what_there_is_no_picture_of_is_told_and_there_are_not_more_than_twenty() {
    let chromium = showing(|_| None);
    let mut visit = chromium.visit(60);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    wanted(&mut visit);
    now(picture(&mut visit, &mut tab, "a"));
    assert_eq!(missing(&visit), [json!({ "step": "a", "reason": "not_stored" })]);
    chromium.kept.set(Some("/p"));
    for _ in 0..30 {
        now(picture(&mut visit, &mut tab, "b"));
    }
    assert_eq!(visit.pictures.as_ref().unwrap().told().0.len(), PICTURES_MAX - 1);
    assert_eq!(missing(&visit)[1..], [json!({ "step": "b", "reason": "limit" })]);
    assert_eq!(chromium.commands("Page.captureScreenshot").len(), PICTURES_MAX);
}

#[test]
fn pictures_take_no_more_than_half_a_minute_and_leave_time_for_the_operation() {
    let chromium = showing(|c| (c["method"] == "Page.captureScreenshot").then(Vec::new));
    let mut visit = chromium.visit(300);
    let mut tab = open(&mut visit, &by_url()).unwrap();
    wanted(&mut visit);
    for _ in 0..10 {
        now(picture(&mut visit, &mut tab, "a"));
    }
    assert_eq!((chromium.passed(), missing(&visit).len()), (SECONDS(30), 7));
    assert_eq!(missing(&visit)[6]["reason"], "limit");
    let mut visit = chromium.visit(14);
    wanted(&mut visit);
    now(picture(&mut visit, &mut tab, "a"));
    assert_eq!(missing(&visit), [json!({ "step": "a", "reason": "limit" })]);
}
