//! Appointments: wizards that are left and gone on with.

use super::play::{MILLI, Play, secs};
use base::rpc::Class;
use portal::{CloseReply, Code, Done, Run, RunReply};
use serde_json::{Value, json};

fn all() -> Value {
    json!({
        "trucking_company": "Harbor Freight", "terminal": "TraPac", "move_type": "PICK FULL",
        "container_id": "MSCU1000001", "truck_plate": "ABC123",
    })
}

fn run(play: &Play, operation: &str, fields: &Value, wizard_id: Option<&str>) -> Done {
    let id = play.session_id().unwrap();
    let command =
        Run { wizard_id: wizard_id.map(str::to_owned), ..Play::run_command(&id, operation, fields) };
    match play.tell(&play.name, command) {
        RunReply::Done(done) => done,
        other => panic!("{other:?}"),
    }
}

fn check(play: &Play) -> String {
    let done = run(play, "check_appointments", &all(), None);
    assert_eq!(done.result.unwrap().answer["count"], 3);
    done.wizard_id.unwrap()
}

fn code(done: &Done) -> Option<Code> {
    done.result.as_ref().err().map(|refusal| refusal.code)
}

fn ready() -> Play {
    let play = Play::new(&[]);
    play.get(true);
    play
}

#[test]
fn what_is_missing_is_asked_for_and_what_was_given_is_kept() {
    let play = ready();
    let done = run(&play, "check_appointments", &json!({ "terminal": "TraPac" }), None);
    let id = done.wizard_id.clone().unwrap();
    assert!(id.starts_with("appointment_"));
    let waiting = done.result.unwrap().waiting.unwrap();
    assert_eq!(waiting.phase, 1);
    assert!(waiting.missing.contains(&"trucking_company".to_owned()), "{waiting:?}");
    let mut rest = all();
    rest.as_object_mut().unwrap().remove("terminal");
    let done = run(&play, "check_appointments", &rest, Some(&id));
    assert_eq!((done.wizard_id.as_deref(), done.result.unwrap().waiting), (Some(&*id), None));
}

#[test]
fn an_order_goes_on_from_the_check_once() {
    let play = ready();
    let id = check(&play);
    let calls = play.site.calls();
    let done = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 2" }), Some(&id));
    assert!(done.result.is_ok() && done.wizard_id.is_none(), "{done:?}");
    let calls: Vec<_> = play.site.state().calls[calls..].iter().map(|call| call.what.clone()).collect();
    // Whether the session lives is looked at first, because the order cannot be repeated.
    assert_eq!(calls, ["GET /portal/containers", "POST /portal/appointments/book"], "from the last form");
    let again = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 2" }), Some(&id));
    assert_eq!((code(&again), play.site.state().bookings), (Some(Code::WizardUnknown), 1));
}

#[test]
fn it_is_kept_for_ten_minutes_after_its_last_step_and_not_longer() {
    let play = ready();
    let id = check(&play);
    for _ in 0..3 {
        play.run_for(secs(590));
        assert!(run(&play, "check_appointments", &json!({}), Some(&id)).result.is_ok());
    }
    let left_at = play.now();
    assert!(play.row_names().contains(&"wizards".to_owned()));
    play.run_until(left_at.plus(secs(600)));
    assert!(play.row_names().contains(&"wizards".to_owned()), "to the millisecond");
    play.run_until(left_at.plus(secs(600) + MILLI));
    assert!(!play.row_names().iter().any(|row| row.starts_with("wizards")), "the alarm takes it away");
    let late = run(&play, "check_appointments", &json!({}), Some(&id));
    assert_eq!(code(&late), Some(Code::WizardUnknown));
    for none in ["appointment_1_00000000000000000000000000000000", "x", ""] {
        assert_eq!(code(&run(&play, "check_appointments", &all(), Some(none))), Some(Code::WizardUnknown));
    }
}

/// Whether or not the alarm has taken it away.
#[test]
fn after_that_it_is_not_gone_on_with_where_the_alarm_is_lost_either() {
    let play = ready();
    play.without_cron();
    let id = check(&play);
    play.watch.borrow_mut().alarm_lost = true;
    play.world.lose_alarm(Class::Portal, &play.name);
    play.run_for(secs(601));
    assert!(play.row_names().contains(&"wizards".to_owned()));
    let late = run(&play, "check_appointments", &json!({}), Some(&id));
    assert_eq!(code(&late), Some(Code::WizardUnknown));
    // And what is left of it goes with the next alarm, however late.
    play.look();
    play.run_for(secs(60));
    assert!(!play.row_names().iter().any(|row| row.starts_with("wizards")));
}

/// Its form is of the session at the portal that has ended.
#[test]
fn after_a_new_login_each_of_them_is_begun_anew_with_what_was_given() {
    let play = ready();
    let [one, other] = [check(&play), check(&play)];
    play.site.kick();
    let order = json!({ "appointment_time": "Slot 2" });
    assert!(run(&play, "make_appointment", &order, Some(&one)).result.is_ok());
    let news = play.site.count("GET /portal/appointments/new");
    assert!(run(&play, "make_appointment", &order, Some(&other)).result.is_ok());
    assert_eq!(play.site.count("GET /portal/appointments/new"), news + 1);
    assert_eq!((play.site.logins(), play.site.state().bookings), (2, 2));
}

#[test]
fn a_wizard_ends_with_its_session() {
    let play = ready();
    let wizard = check(&play);
    assert_eq!(play.close(&play.session_id().unwrap()), CloseReply::Closed);
    assert!(play.is_quiet());
    play.get(true);
    let gone = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 1" }), Some(&wizard));
    assert_eq!((code(&gone), play.site.state().bookings), (Some(Code::WizardUnknown), 0));
}

#[test]
fn twenty_are_kept_and_the_one_that_was_left_longest_gives_way() {
    let play = ready();
    let ids: Vec<_> = (0..21).map(|_| check(&play)).collect();
    let first = run(&play, "check_appointments", &json!({}), Some(&ids[0]));
    assert_eq!(code(&first), Some(Code::WizardUnknown));
    for id in &ids[1..] {
        assert!(run(&play, "check_appointments", &json!({}), Some(id)).result.is_ok());
    }
}

#[test]
fn all_together_take_a_megabyte_at_most() {
    let play = ready();
    // Each form has some 300 kB.
    play.site.state().slots = 4_000;
    let ids: Vec<_> =
        (0..8).map(|_| run(&play, "check_appointments", &all(), None).wizard_id.unwrap()).collect();
    let row = play.world.rows(Class::Portal, &play.name)["wizards"].len();
    assert!(row < 1024 * 1024 * 4 / 3 + 200, "{row}");
    let known = |id: &String| code(&run(&play, "check_appointments", &json!({}), Some(id))).is_none();
    assert!(!known(&ids[0]) && known(&ids[7]));
    // One that is larger by itself is kept without its form: it is begun anew with what was given.
    play.site.state().slots = 40_000;
    let id = run(&play, "check_appointments", &all(), None).wizard_id.unwrap();
    assert!(play.world.rows(Class::Portal, &play.name)["wizards"].len() < 20_000);
    let news = play.site.count("GET /portal/appointments/new");
    let done = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 40000" }), Some(&id));
    assert!(done.result.is_ok(), "{done:?}");
    assert_eq!(play.site.count("GET /portal/appointments/new"), news + 1);
}

#[test]
fn the_portal_has_ended_the_session_after_the_check_one_login_and_one_booking() {
    let play = ready();
    let id = check(&play);
    play.site.kick();
    let done = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 2" }), Some(&id));
    assert!(done.result.is_ok(), "{done:?}");
    assert_eq!((play.site.logins(), play.site.state().bookings), (2, 1));
}

#[test]
fn an_order_whose_answer_does_not_come_is_an_unknown_outcome_that_nobody_goes_on_with() {
    let play = ready();
    let id = check(&play);
    play.site.state().slow = Some(("book", secs(300)));
    let done = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 2" }), Some(&id));
    assert_eq!(code(&done), Some(Code::OutcomeUnknown));
    play.site.state().slow = None;
    let again = run(&play, "make_appointment", &json!({ "appointment_time": "Slot 2" }), Some(&id));
    assert_eq!(code(&again), Some(Code::WizardUnknown));
}

#[test]
fn from_the_moment_of_the_order_the_wizard_is_gone_whoever_lives_to_see_its_end() {
    let play = ready();
    let wizard = check(&play);
    play.site.state().crash = Some("book");
    let id = play.session_id().unwrap();
    let fields = json!({ "appointment_time": "Slot 2" });
    let command =
        Run { wizard_id: Some(wizard.clone()), ..Play::run_command(&id, "make_appointment", &fields) };
    assert_eq!(play.wait(&play.start(play.name.clone(), command)), None);
    let again = run(&play, "make_appointment", &fields, Some(&wizard));
    assert_eq!((code(&again), play.site.state().bookings), (Some(Code::WizardUnknown), 1));
}
