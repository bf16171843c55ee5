use super::super::test_support::{Called, START, World, now, page, to};
use super::super::{Answer, Code, Driver as _, Failure, Outcome, Progress, Wizard};
use super::listing_tests::logged_in;
use super::play::{CONFIRMATION, LOGGED_OUT, Other, Portal, emodal, inside, portal, request};
use serde_json::{Value, json};
use std::time::Duration;

const BOOK: &str = "POST /portal/appointments/book";

struct Ran {
    result: Result<Outcome, Failure>,
    calls: Vec<String>,
    called: Vec<Called>,
    committed: usize,
}

fn run(portal: &Portal, operation: &str, fields: &Value, wizard: Option<Wizard>) -> Ran {
    let world = World::new(|called| portal.serve(called));
    let mut visit = logged_in(&world);
    let result = now(emodal().run(&mut visit, &request(operation, fields, wizard)));
    let committed = world.progress.borrow().iter().filter(|p| matches!(p, Progress::Committing)).count();
    assert!(world.count(BOOK) <= 1 && committed <= 1);
    Ran { result, calls: world.calls(), called: world.called.borrow().clone(), committed }
}

fn fields(more: &Value) -> Value {
    let mut fields = json!({
        "trucking_company": "Harbor Freight Lines & Sons", "terminal": "TraPac", "move_type": "PICK FULL",
        "container_id": "MSCU1000001", "truck_plate": "ABC123", "own_chassis": true,
    });
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            fields.as_object_mut().unwrap().remove(name);
        } else {
            fields[name] = value.clone();
        }
    }
    fields
}

const TIME: &str = "Thu 10/29/2026 02:00 (2 left)";

fn book(portal: &Portal) -> Ran {
    run(portal, "make_appointment", &fields(&json!({ "appointment_time": TIME })), None)
}

#[test]
fn times_are_listed() {
    let ran = run(&portal(), "check_appointments", &fields(&json!({})), None);
    let outcome = ran.result.unwrap();
    assert_eq!(
        ran.calls,
        ["GET /portal/appointments/new", "POST /portal/appointments/1", "POST /portal/appointments/2"]
    );
    assert_eq!(
        ran.called[1].body,
        "WizardId=w1&TruckingCompanyId=17&TerminalId=2&MoveType=2&ContainerNumber=MSCU1000001&BookingNumber="
    );
    assert_eq!(ran.called[2].body, "WizardId=w1&TruckPlate=ABC123&PinCode=&OwnChassis=true&OwnChassis=false");
    assert_eq!((&outcome.answer["count"], outcome.waiting), (&json!(6), None));
    assert_eq!(outcome.answer["available_times"][1], TIME);
    assert_eq!((outcome.wizard.unwrap().phase, ran.committed), (3, 0));
    let none = portal();
    none.state.borrow_mut().slots = 0;
    let answer = run(&none, "check_appointments", &fields(&json!({})), None).result.unwrap().answer;
    assert_eq!(Value::Object(answer), json!({ "available_times": [], "count": 0 }));
}

#[test]
fn what_is_missing_or_wrong_is_asked_for() {
    // What is changed, the phase, what is missing, what is said, and how many calls it took.
    for (more, phase, missing, message, calls) in [
        (
            json!({ "terminal": null, "container_id": null }),
            1,
            &["terminal", "container_id"][..],
            "Missing",
            0,
        ),
        (json!({ "move_type": "DROP FULL" }), 1, &["booking_number"], "booking_number", 0),
        (json!({ "move_type": "DROP EMPTY", "container_id": null }), 1, &["container_id"], "container_id", 0),
        (json!({ "terminal": "trapac" }), 1, &[], "terminal is none", 1),
        (json!({ "move_type": "pick full" }), 1, &[], "move_type is none", 1),
        (json!({ "move_type": "ODD", "container_id": null }), 1, &[], "The move type is not possible", 2),
        (json!({ "container_id": "MSCU9" }), 1, &[], "Container not found", 2),
        (json!({ "truck_plate": null }), 2, &["truck_plate"], "truck_plate", 2),
        (json!({ "truck_plate": "X" }), 2, &[], "Truck plate is not registered", 3),
        (json!({ "appointment_time": null }), 3, &["appointment_time"], "appointment_time", 3),
        (json!({ "appointment_time": "Thu" }), 3, &[], "appointment_time is none", 3),
        (json!({ "appointment_time": "-- select --" }), 3, &[], "appointment_time is none", 3),
    ] {
        let ran = run(&portal(), "make_appointment", &fields(&more), None);
        let outcome = ran.result.unwrap();
        let waiting = outcome.waiting.unwrap();
        assert_eq!(
            (waiting.phase, &waiting.missing[..]),
            (phase, &missing.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>()[..]),
            "{more}"
        );
        assert!(waiting.message.contains(message), "{}", waiting.message);
        assert_eq!((ran.calls.len(), ran.committed), (calls, 0), "{more}");
        let wizard = outcome.wizard.unwrap();
        assert_eq!((wizard.phase, Value::Object(wizard.fields)), (phase, fields(&more)));
        assert_eq!(wizard.form.is_some(), calls > 0, "{more}");
        assert_eq!(outcome.answer.contains_key("available_times"), phase == 3);
        let choices = outcome.answer.get("choices").map(|choices| choices["terminal"].clone());
        let offers = message.contains("is none") && phase < 3;
        assert_eq!(choices.is_some(), offers, "{more}");
        if more["terminal"] == "trapac" {
            let terminals = choices.unwrap();
            assert!(terminals.as_array().unwrap().contains(&json!("TraPac")), "{terminals}");
        }
    }
}

#[test]
fn an_appointment_is_made() {
    let portal = portal();
    let ran = book(&portal);
    assert_eq!(
        Value::Object(ran.result.unwrap().answer),
        json!({
            "appointment_confirmed": true,
            "appointment_details": { "Confirmation Number": "APT-100001", "Terminal": "A & B" },
        })
    );
    assert_eq!((ran.calls.len(), ran.committed, portal.state.borrow().bookings), (4, 1, 1));
    assert_eq!(ran.called[3].body, "WizardId=w1&TimeSlot=2");
}

#[test]
fn a_wizard_is_gone_on_with_where_it_was_left() {
    let portal = portal();
    let wait = |ran: Ran| ran.result.unwrap().wizard;
    let left = wait(run(&portal, "check_appointments", &fields(&json!({ "truck_plate": null })), None));
    // Only the phase that was left is sent.
    let ran =
        run(&portal, "check_appointments", &json!({ "truck_plate": "ABC123", "debug": true }), left.clone());
    assert_eq!(ran.calls, ["POST /portal/appointments/2"]);
    let listed = ran.result.unwrap();
    assert_eq!(
        (&listed.answer["count"], listed.answer["debug"]["calls"].as_array().unwrap().len()),
        (&json!(6), 1)
    );
    let listed = listed.wizard;
    assert!(!listed.as_ref().unwrap().fields.contains_key("debug"));
    // Another operation with the same phases goes on with it.
    let ran = run(&portal, "make_appointment", &json!({ "appointment_time": TIME }), listed.clone());
    assert_eq!(ran.calls, ["GET /portal/containers", BOOK]);
    assert_eq!(ran.result.unwrap().answer["appointment_confirmed"], true);
    // Whoever asks for the list again is told what there is by then; another terminal begins anew as well.
    let ran = run(&portal, "check_appointments", &json!({ "terminal": "TraPac" }), listed.clone());
    assert_eq!((ran.calls[0].as_str(), ran.calls.len()), ("GET /portal/appointments/new", 3));
    let ran = run(&portal, "check_appointments", &json!({ "terminal": "ITS Long Beach" }), listed.clone());
    assert_eq!((ran.calls[0].as_str(), ran.calls.len()), ("GET /portal/appointments/new", 3));
    assert!(ran.called[1].body.contains("TerminalId=1&"));
    // And so does an order of something else than what was checked.
    let order = json!({ "terminal": "ITS Long Beach", "appointment_time": TIME });
    let ran = run(&portal, "make_appointment", &order, listed.clone());
    assert_eq!((ran.calls[0].as_str(), ran.calls.len()), ("GET /portal/appointments/new", 4));
    assert!(ran.called[1].body.contains("TerminalId=1&"));
    // So does a wizard without a form, or with something else instead of one.
    for form in [None, Some(json!({ "phase": 2 })), Some(json!(1))] {
        let wizard = left.clone().map(|w| Wizard { form, ..w });
        let ran = run(&portal, "check_appointments", &json!({ "truck_plate": "ABC123" }), wizard);
        assert_eq!((ran.calls[0].as_str(), ran.calls.len()), ("GET /portal/appointments/new", 3));
        assert!(ran.result.unwrap().waiting.is_none());
    }
}

#[test]
fn a_wizard_that_the_portal_has_forgotten_begins_anew_once() {
    let portal = portal();
    let ran = run(&portal, "check_appointments", &fields(&json!({ "truck_plate": null })), None);
    let left = ran.result.unwrap().wizard;
    portal.state.borrow_mut().wizards.clear();
    let ran = run(&portal, "check_appointments", &json!({ "truck_plate": "ABC123" }), left.clone());
    assert_eq!((ran.calls.len(), ran.result.unwrap().answer["count"].clone()), (4, json!(6)));
    portal.state.borrow_mut().other =
        Some(|c| (c.method == "POST").then(|| page(200, &inside("Your appointment session has expired"))));
    let ran = run(&portal, "check_appointments", &json!({ "truck_plate": "ABC123" }), left);
    assert_eq!((ran.calls.len(), ran.result.unwrap_err().code), (3, Code::UnexpectedResponse));
}

#[test]
fn a_time_that_is_gone_is_asked_for_again() {
    let portal = portal();
    let gone = "Thu 10/29/2026 01:00 (1 left)";
    let ran = run(&portal, "make_appointment", &fields(&json!({ "appointment_time": gone })), None);
    let outcome = ran.result.unwrap();
    let waiting = outcome.waiting.unwrap();
    assert_eq!((waiting.phase, waiting.message.as_str()), (3, "The selected time is no longer available"));
    assert_eq!((&outcome.answer["count"], ran.committed, portal.state.borrow().bookings), (&json!(6), 1, 0));
    let ran = run(&portal, "make_appointment", &json!({ "appointment_time": TIME }), outcome.wizard);
    assert_eq!(ran.calls, ["GET /portal/containers", BOOK]);
    assert_eq!(
        (ran.result.unwrap().answer["appointment_confirmed"].clone(), portal.state.borrow().bookings),
        (json!(true), 1)
    );
}

#[test]
fn an_order_that_the_portal_has_forgotten_is_not_made_again_by_itself() {
    let portal = portal();
    let listed = run(&portal, "check_appointments", &fields(&json!({})), None).result.unwrap().wizard;
    portal.state.borrow_mut().wizards.clear();
    let ran = run(&portal, "make_appointment", &json!({ "appointment_time": TIME }), listed);
    let outcome = ran.result.unwrap();
    let waiting = outcome.waiting.unwrap();
    assert_eq!((waiting.phase, waiting.message.as_str()), (3, "appointment session has expired"));
    assert_eq!(outcome.wizard.as_ref().unwrap().form, None);
    // Once it is ordered again it is done from the beginning.
    let ran = run(&portal, "make_appointment", &json!({}), outcome.wizard);
    assert_eq!(
        (ran.calls.len(), ran.result.unwrap().answer["appointment_confirmed"].clone()),
        (4, json!(true))
    );
}

macro_rules! booked {
    ($answer:expr) => {
        |called| called.url.ends_with("/book").then(|| $answer)
    };
}

#[test]
fn an_order_of_which_nothing_is_known_is_not_made_again() {
    let cases: [(Other, Option<u16>); 19] = [
        (booked!(Answer::TimedOut), None),
        (booked!(Answer::Unreachable), None),
        (booked!(Answer::TooLong), None),
        (booked!(page(500, "")), Some(500)),
        (booked!(page(503, &inside(CONFIRMATION))), Some(503)),
        (booked!(page(429, "")), Some(429)),
        (booked!(page(400, "<p>Bad request</p>")), Some(400)),
        (booked!(page(404, &inside("Your appointment session has expired"))), Some(404)),
        (booked!(page(200, LOGGED_OUT)), Some(200)),
        (booked!(to(302, "/portal/login")), Some(200)),
        (booked!(to(302, "https://evil.example/")), Some(302)),
        (booked!(to(307, "/portal/appointments/book2")), None),
        (booked!(page(200, "<p>Thank you</p>")), Some(200)),
        (booked!(page(200, &inside("<h2>Appointment confirmed</h2>"))), Some(200)),
        (booked!(page(200, &inside("<div id=confirmation><dl><dt>Number<dd>1</dl></div>"))), Some(200)),
        (booked!(page(200, inside(CONFIRMATION).trim_end_matches("dy></html>"))), Some(200)),
        (booked!(page(200, &inside(CONFIRMATION)[..300])), Some(200)),
        // The same form without a word, and a form that sends itself.
        (
            booked!(page(
                200,
                &inside("<form id=appointment data-phase=3><select name=TimeSlot></select></form>")
            )),
            Some(200),
        ),
        (
            booked!(page(
                200,
                "<form method=post action='/portal/appointments/book'><input type=hidden name=a></form><script>f.submit()</script>"
            )),
            Some(200),
        ),
    ];
    for (i, (other, status)) in cases.into_iter().enumerate() {
        let portal = portal();
        portal.state.borrow_mut().other = Some(other);
        let ran = book(&portal);
        let failure = ran.result.unwrap_err();
        let expected = Failure { status, ..Failure::new(Code::OutcomeUnknown) };
        assert_eq!((failure, ran.committed), (expected, 1), "{i}");
        let posts = ran.calls.iter().filter(|c| c.starts_with("POST") && c.contains("book")).count();
        assert_eq!(posts, 1, "{i}");
    }
}

#[test]
fn a_confirmation_may_be_on_a_page_of_its_own() {
    let portal = portal();
    portal.state.borrow_mut().other = Some(|called| match called.path().as_str() {
        "/portal/appointments/book" => Some(to(303, "/portal/appointments/done")),
        "/portal/appointments/done" => Some(page(200, &inside(CONFIRMATION))),
        _ => None,
    });
    assert_eq!(book(&portal).result.unwrap().answer["appointment_confirmed"], true);
    portal.state.borrow_mut().other = Some(|called| match called.path().as_str() {
        "/portal/appointments/book" => Some(to(303, "/portal/appointments/done")),
        "/portal/appointments/done" => Some(Answer::TimedOut),
        _ => None,
    });
    assert_eq!(book(&portal).result.unwrap_err().code, Code::OutcomeUnknown);
}

#[test]
fn trouble_before_the_order_is_no_order() {
    for (other, expected) in [
        ((|c| c.url.ends_with("/1").then_some(Answer::TimedOut)) as Other, Code::Timeout),
        (|c| c.url.ends_with("/2").then(|| page(502, "")), Code::ServerError),
        (|c| c.url.ends_with("/2").then(|| page(200, LOGGED_OUT)), Code::LoggedOut),
        (|c| c.url.ends_with("/2").then(|| to(302, "/portal/login")), Code::LoggedOut),
        (|c| c.url.ends_with("/2").then(|| page(200, &inside("Maintenance"))), Code::UnexpectedResponse),
        (|c| c.url.ends_with("/2").then(|| page(400, "<p>Bad request</p>")), Code::UnexpectedResponse),
        (|c| c.url.ends_with("/new").then(|| page(200, LOGGED_OUT)), Code::LoggedOut),
        (|c| c.url.ends_with("/new").then(|| page(404, &inside(""))), Code::UnexpectedResponse),
        (
            |c| c.url.ends_with("/new").then(|| page(200, &inside("<form id=appointment data-phase=1>"))),
            Code::UnexpectedResponse,
        ),
        (
            |c| {
                let form = "<form id=appointment data-phase=3 method=post action='https://evil.example/book'><select \
                    name=TimeSlot><option value=1>Thu 10/29/2026 02:00 (2 left)</select></form>";
                c.url.ends_with("/2").then(|| page(200, &inside(form)))
            },
            Code::Redirected,
        ),
    ] {
        let portal = portal();
        portal.state.borrow_mut().other = Some(other);
        let ran = book(&portal);
        assert_eq!((ran.result.unwrap_err().code, ran.committed), (expected, 0));
        assert!(!ran.calls.contains(&BOOK.to_owned()));
    }
}

#[test]
fn nothing_is_ordered_without_time_or_a_note() {
    let portal = portal();
    let world = World::new(|called| portal.serve(called));
    let mut visit = logged_in(&world);
    visit.deadline = START.plus(Duration::from_secs(16));
    world.takes.set(Duration::from_secs(4));
    let request = request("make_appointment", &fields(&json!({ "appointment_time": TIME })), None);
    assert_eq!(now(emodal().run(&mut visit, &request)).unwrap_err().code, Code::OutOfTime);
    assert_eq!((world.calls().len(), world.progress.borrow().len()), (3, 0));
    visit.deadline = visit.deadline.plus(Duration::from_mins(5));
    world.keeps.set(Err(Code::Closed));
    assert_eq!(now(emodal().run(&mut visit, &request)).unwrap_err().code, Code::Closed);
    assert_eq!(world.count(BOOK), 0);
    // A session that ended since is known before anything is ordered.
    let kept = run(&portal, "check_appointments", &fields(&json!({})), None).result.unwrap().wizard;
    portal.state.borrow_mut().other = Some(|_| Some(page(200, LOGGED_OUT)));
    let ran = run(&portal, "make_appointment", &json!({ "appointment_time": TIME }), kept);
    assert_eq!((ran.result.unwrap_err().code, ran.committed), (Code::LoggedOut, 0));
}
