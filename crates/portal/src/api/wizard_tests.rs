use super::tests::{Chain, Other, driver, json_page, signed_in};
use crate::document::{EMODAL_API, emodal_with};
use crate::test_support::{World, now, page};
use crate::{Answer, Code, Document, Driver as _, Failure, Outcome, Progress, Request, Visit, Wizard};
use serde_json::{Map, Value, json};
use std::cell::RefCell;

fn run(
    visit: &mut Visit<'_>,
    operation: &str,
    fields: &Value,
    wizard: Option<Wizard>,
) -> Result<Outcome, Failure> {
    let fields = fields.as_object().cloned().unwrap();
    now(driver().run(visit, &Request { operation: operation.to_owned(), fields, wizard }))
}

fn first() -> Value {
    json!({ "trucking_company": "Lines", "terminal": "West", "move_type": "PICK FULL", "container_id": "C1" })
}

/// All that a booking needs, but the time.
fn all() -> Value {
    let mut all = first();
    all["truck_plate"] = json!("ABC123");
    all
}

fn at(time: &str) -> Value {
    let mut all = all();
    all["appointment_time"] = json!(time);
    all
}

fn waits(outcome: &Outcome) -> (u8, &str) {
    let waiting = outcome.waiting.as_ref().unwrap();
    (waiting.phase, waiting.message.as_str())
}

#[test]
fn a_wizard_asks_for_what_is_missing_and_goes_on_where_it_was_left() {
    let chain = RefCell::new(Chain::default());
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = signed_in(&world);
    let none = run(&mut visit, "check_appointments", &json!({}), None).unwrap();
    assert_eq!(none.waiting.unwrap().missing, ["trucking_company", "terminal", "move_type"]);
    assert_eq!(world.calls().len(), 0);
    let mut wrong = first();
    wrong["terminal"] = json!("North");
    let outcome = run(&mut visit, "check_appointments", &wrong, None).unwrap();
    assert_eq!(waits(&outcome), (1, "terminal is none of what the portal offers"));
    assert_eq!(outcome.answer["choices"], json!({ "terminal": ["East", "West"] }));
    wrong = first();
    wrong["container_id"] = json!("C9");
    let outcome = run(&mut visit, "check_appointments", &wrong, outcome.wizard).unwrap();
    assert_eq!(waits(&outcome), (1, "Container not found"));

    let outcome = run(&mut visit, "check_appointments", &first(), outcome.wizard).unwrap();
    assert_eq!(outcome.waiting.as_ref().unwrap().missing, ["truck_plate"]);
    world.called.borrow_mut().clear();
    let outcome =
        run(&mut visit, "check_appointments", &json!({ "truck_plate": "?" }), outcome.wizard).unwrap();
    assert_eq!(waits(&outcome), (2, "No such plate"));
    let outcome =
        run(&mut visit, "check_appointments", &json!({ "truck_plate": "ABC123" }), outcome.wizard).unwrap();
    assert_eq!(world.calls(), ["POST /Appointment/GetTimeSlots"; 2]);
    assert_eq!(outcome.waiting, None);
    assert_eq!(outcome.answer["available_times"], json!(["Mon 8:00", "Mon 9:00"]));
    assert_eq!(outcome.answer["count"], 2);

    // A list is asked for anew, an order goes on from it.
    let listed = run(&mut visit, "check_appointments", &json!({}), outcome.wizard.clone()).unwrap();
    assert_eq!(listed.answer, outcome.answer);
    world.called.borrow_mut().clear();
    let time = json!({ "appointment_time": "Mon 8:00" });
    let booked = run(&mut visit, "make_appointment", &time, outcome.wizard).unwrap();
    assert_eq!(world.calls(), ["GET /identity/userinfo", "POST /Appointment/Create"]);
    assert_eq!(booked.answer["appointment_confirmed"], true);
    assert_eq!(booked.answer["appointment_details"], json!({ "Confirmation": "A1", "Gate": "4" }));
    assert_eq!(booked.wizard, None);
}

#[test]
fn what_the_portal_does_not_know_any_more_is_begun_anew_once() {
    let chain = RefCell::new(Chain::default());
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = signed_in(&world);
    let left = run(&mut visit, "check_appointments", &first(), None).unwrap();
    let mut wizard = left.wizard.clone().unwrap();
    wizard.form.as_mut().unwrap()[1]["data"]["WizardId"] = json!("w0");
    world.called.borrow_mut().clear();
    let plate = json!({ "truck_plate": "ABC123" });
    let outcome = run(&mut visit, "check_appointments", &plate, Some(wizard.clone())).unwrap();
    assert_eq!(outcome.answer["count"], 2);
    let calls = world.calls();
    assert_eq!(calls[0], "POST /Appointment/GetTimeSlots");
    assert_eq!(calls.len(), 4);
    // Never a second time.
    chain.borrow_mut().other =
        Some(|c| c.url.ends_with("/GetTimeSlots").then(|| json_page(410, &json!({ "message": "expired" }))));
    let end = run(&mut visit, "check_appointments", &plate, Some(wizard.clone())).unwrap_err();
    assert_eq!((end.code, end.status), (Code::UnexpectedResponse, Some(410)));
    chain.borrow_mut().other = None;
    // What is kept in another shape, or of another phase, is not gone on with.
    for form in [json!({}), json!([1]), json!(["a", "b", "c"]), Value::Null] {
        wizard.form = Some(form);
        let outcome = run(&mut visit, "check_appointments", &plate, Some(wizard.clone())).unwrap();
        assert_eq!(outcome.answer["count"], 2);
    }
}

fn creates(world: &World<'_>) -> usize {
    world.count("POST /Appointment/Create")
}

#[test]
fn an_order_is_made_once_whatever_comes_of_it() {
    let other: [Other; 9] = [
        |c| c.url.ends_with("/Create").then_some(Answer::TimedOut),
        |c| c.url.ends_with("/Create").then_some(Answer::Unreachable),
        |c| c.url.ends_with("/Create").then(|| page(502, "")),
        |c| c.url.ends_with("/Create").then(|| page(403, "<p>Access denied</p>")),
        // A token that is refused here may have been taken by then.
        |c| c.url.ends_with("/Create").then(|| json_page(401, &json!({}))),
        |c| c.url.ends_with("/Create").then(|| json_page(422, &json!({}))),
        |c| c.url.ends_with("/Create").then(|| json_page(409, &json!({ "message": "no" }))),
        |c| c.url.ends_with("/Create").then(|| json_page(200, &json!({ "success": true, "data": {} }))),
        |c| {
            let data = json!({ "success": false, "errors": ["?"], "data": { "a": "b" } });
            c.url.ends_with("/Create").then(|| json_page(200, &data))
        },
    ];
    for (i, other) in other.into_iter().enumerate() {
        let chain = RefCell::new(Chain::default());
        let world = World::new(|called| chain.borrow_mut().serve(called));
        let mut visit = signed_in(&world);
        chain.borrow_mut().other = Some(other);
        let end = run(&mut visit, "make_appointment", &at("Mon 8:00"), None).unwrap_err();
        assert_eq!((end.code, creates(&world)), (Code::OutcomeUnknown, 1), "{i}");
        let progress = world.progress.borrow();
        assert_eq!(progress.iter().filter(|p| matches!(p, Progress::Committing)).count(), 1, "{i}");
        assert_eq!(world.calls().last().unwrap(), "POST /Appointment/Create", "{i}");
    }
}

#[test]
fn an_order_that_is_refused_is_not_made_and_says_what_there_is_now() {
    let chain = RefCell::new(Chain::default());
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = signed_in(&world);
    let outcome = run(&mut visit, "make_appointment", &at("Mon 9:00"), None).unwrap();
    assert_eq!(waits(&outcome), (3, "The selected time is no longer available"));
    assert_eq!((outcome.answer["count"].clone(), creates(&world)), (json!(2), 1));
    assert_eq!(world.calls().last().unwrap(), "POST /Appointment/GetTimeSlots");
    let outcome =
        run(&mut visit, "make_appointment", &json!({ "appointment_time": "never" }), outcome.wizard).unwrap();
    assert_eq!(waits(&outcome), (3, "appointment_time is none of what the portal offers"));
    assert_eq!((outcome.answer["count"].clone(), creates(&world)), (json!(2), 1));

    // It is not done, and can be done only from the beginning.
    chain.borrow_mut().other =
        Some(|c| c.url.ends_with("/Create").then(|| json_page(410, &json!({ "message": "It has expired" }))));
    let time = json!({ "appointment_time": "Mon 8:00" });
    let expired = run(&mut visit, "make_appointment", &time, outcome.wizard.clone()).unwrap();
    assert_eq!(waits(&expired), (3, "It has expired"));
    assert_eq!(expired.wizard.unwrap().form, None);

    // Nothing is ordered with a login that is over, or with no time left for an answer.
    chain.borrow_mut().other = Some(|c| {
        let is_over = c.url.contains("userinfo") || c.url.ends_with("/token");
        is_over.then(|| {
            json_page(if c.method == "GET" { 401 } else { 400 }, &json!({ "error": "invalid_grant" }))
        })
    });
    world.called.borrow_mut().clear();
    let end = run(&mut visit, "make_appointment", &time, outcome.wizard.clone()).unwrap_err();
    assert_eq!((end.code, creates(&world)), (Code::LoggedOut, 0));
    chain.borrow_mut().other = None;
    visit.deadline = world.now.get().plus(std::time::Duration::from_secs(4));
    let end = run(&mut visit, "make_appointment", &time, outcome.wizard).unwrap_err();
    assert_eq!((end.code, creates(&world)), (Code::OutOfTime, 0));
}

#[test]
fn what_a_document_says_is_checked() {
    let base = "https://truckerportal.emodal.com";
    assert!(emodal_with("api", Some(base), "", Map::new()).is_ok());
    let wizard = "/wizards/0";
    for (path, value, told) in [
        ("/login/issuer", json!("ftp://x"), "must be https"),
        ("/login/token_path", json!("token"), "must begin with one /"),
        ("/operations/0/listing/rows_at", json!("data"), "must be a JSON Pointer"),
        ("/operations/0/listing/call/json", json!({ "a": "{nothing}" }), "neither a field"),
        ("/operations/1/listing/call/json", json!({ "a": "{/0/data}" }), "neither a field"),
        ("/wizards/0/phases/0/call/json", json!({ "a": "{/1/data}" }), "neither a field"),
        ("/wizards/0/phases/0/inputs/0/input", json!("/1/data"), "in no answer before"),
        ("/wizards/0/phases/2/inputs/0/input", json!("/1/data"), "options of no input"),
        ("/wizards/0/refused_statuses", json!([200]), "must be of 400 to 499"),
        ("/wizards/0/expired_statuses", json!([401]), "must be of 400 to 499"),
        ("/wizards/0/errors_at", json!([]), "must have JSON Pointers"),
        ("/wizards/0/order/done_at", json!("success"), "must be a JSON Pointer"),
    ] {
        let mut document: Value = base::json::read(EMODAL_API).unwrap();
        *document.pointer_mut(path).unwrap() = value;
        let faults = Document::read(document).unwrap_err();
        assert!(faults.iter().any(|fault| fault.what.contains(told)), "{path}: {faults:?}");
    }
    let mut document: Value = base::json::read(EMODAL_API).unwrap();
    let last = document.pointer_mut(&format!("{wizard}/phases/1")).unwrap().as_object_mut().unwrap();
    last.remove("call");
    let faults = Document::read(document).unwrap_err();
    assert_eq!(faults[0].what, "must each have a call, but for the last");
}
