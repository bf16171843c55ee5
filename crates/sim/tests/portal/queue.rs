//! One piece of work at a time, in the order in which they came.

use super::play::{Pending, Play, credentials, secs};
use base::ids::PortalId;
use portal::{CloseReply, Code, End, GetReply, RunReply};
use serde_json::json;
use sim::weather::Odds;

fn containers(play: &Play) -> usize {
    play.site.count("GET /portal/containers")
}

/// Until a call has come whose path this is in, and is under way.
pub fn until_called(play: &Play, what: &str) {
    let before = play.site.count(what);
    let end = play.now().plus(secs(120));
    while play.site.count(what) == before {
        assert!(play.turn(end), "{what} does not come");
    }
}

fn code(run: &RunReply) -> Result<(), Code> {
    match run {
        RunReply::Done(done) => done.result.as_ref().map(|_| ()).map_err(|refusal| refusal.code),
        other => panic!("{other:?}"),
    }
}

#[test]
fn operations_on_one_session_are_done_one_at_a_time_in_order() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().calls.clear();
    let order = [
        ("get_containers", json!({})),
        ("get_container_timeline", json!({ "container_id": "MSCU1000000" })),
        ("check_appointments", json!({})),
        ("get_container_timeline", json!({ "container_id": "none" })),
        ("get_containers", json!({})),
    ];
    let running: Vec<_> = order
        .iter()
        .map(|(name, fields)| play.start(play.name.clone(), Play::run_command(&id, name, fields)))
        .collect();
    // Who wants no turn is answered meanwhile.
    play.turn(play.now());
    assert_eq!(play.get(true).live.session_id, id);
    let replies: Vec<_> = running.iter().map(|run| play.wait(run).unwrap()).collect();
    assert_eq!(
        replies.iter().map(code).collect::<Vec<_>>(),
        [Ok(()), Ok(()), Ok(()), Err(Code::NotFound), Ok(())]
    );
    let calls: Vec<_> = play.site.state().calls.iter().map(|call| call.what.clone()).collect();
    // The wizard wants more of its caller before it asks the portal anything but the first form.
    let expected = [
        "GET /portal/containers",
        "GET /portal/containers/MSCU1000000",
        "GET /portal/appointments/new",
        "GET /portal/containers/none",
        "GET /portal/containers",
    ];
    let asked: Vec<_> = calls.iter().filter(|call| !call.contains("appointments")).collect();
    let wanted: Vec<_> = expected.iter().filter(|call| !call.contains("appointments")).collect();
    assert_eq!((format!("{asked:?}"), play.site.state().at_once.1), (format!("{wanted:?}"), 1));
}

#[test]
fn several_sessions_are_used_side_by_side() {
    let play = Play::of_many(&[]);
    let users = ["driver", "driver1"];
    let ids: Vec<_> = users
        .iter()
        .map(|user| match play.wait(&play.start_get(credentials(user, "ck"), true)).unwrap() {
            GetReply::Session(session) => (play.name_of(&credentials(user, "ck")), session.live.session_id),
            other => panic!("{other:?}"),
        })
        .collect();
    let running: Vec<_> = ids
        .iter()
        .map(|(name, id)| play.start(name.clone(), Play::run_command(id, "get_containers", &json!({}))))
        .collect();
    assert!(running.iter().all(|run| code(&play.wait(run).unwrap()).is_ok()));
    assert_eq!(play.site.state().at_once.1, 2);
}

#[test]
fn over_a_hundred_that_wait_the_next_is_told_to_come_back() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let waiting: Vec<_> = (0..100).map(|_| play.start_run(&id)).collect();
    let RunReply::Refused(refusal) = play.run(&id) else { panic!("it waits") };
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::Busy, Some(10)));
    // Who wants the session gets it all the same.
    assert_eq!(play.get(true).live.session_id, id);
    assert!(waiting.iter().all(|run| code(&play.wait(run).unwrap()).is_ok()));
    assert_eq!(containers(&play), 1 + 100);
    assert!(code(&play.run(&id)).is_ok());
    assert_eq!((play.site.logins(), play.site.state().at_once.1), (1, 1));
}

#[test]
fn closed_while_an_operation_runs_it_is_gone_at_once_and_the_portal_hears_of_it_afterwards() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let running = play.start_run(&id);
    until_called(&play, "GET /portal/containers");
    let waiting = play.start_run(&id);
    assert_eq!(play.close(&id), CloseReply::Closed);
    assert!(!running.is_there(), "the answer does not wait for the operation");
    assert!(play.listed().is_empty());
    assert!(code(&play.wait(&running).unwrap()).is_ok(), "what has begun ends");
    assert_eq!(play.wait(&waiting).unwrap(), RunReply::Ended(End::Closed));
    play.run_for(secs(10));
    let logouts = play.site.state().logouts;
    assert_eq!((logouts, play.site.live_sessions().len(), play.is_quiet()), (1, 0, true));
}

#[test]
fn closed_while_it_is_logged_in_again_who_waits_gets_a_new_one() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    let running = play.start_run(&id);
    until_called(&play, "GET /portal/login");
    let gets: Vec<_> = (0..2).map(|_| play.start_get(credentials("driver", "ck"), true)).collect();
    play.turn(play.now());
    play.turn(play.now());
    assert_eq!(play.close(&id), CloseReply::Closed);
    assert_eq!(code(&play.wait(&running).unwrap()), Err(Code::Closed));
    let mut news = Vec::new();
    for get in &gets {
        let Some(GetReply::Session(session)) = play.wait(get) else { panic!() };
        assert_ne!(session.live.session_id, id);
        assert_eq!(Some(&session.live.session_id), play.session_id().as_ref());
        news.push((session.is_new, session.previous));
    }
    news.sort_by_key(|(is_new, _)| *is_new);
    assert_eq!(news, [(false, None), (true, Some(End::Closed))]);
}

#[test]
fn closed_and_wanted_at_once_it_is_logged_out_first_then_logged_in_as_another() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().calls.clear();
    let closing = play.start(play.name.clone(), Play::close_command(&id, End::Closed));
    until_called(&play, "GET /portal/logout");
    let gets: Vec<Pending<_>> = (0..2).map(|_| play.start_get(credentials("driver", "ck"), true)).collect();
    assert_eq!(play.wait(&closing), Some(CloseReply::Closed));
    for get in &gets {
        let Some(GetReply::Session(session)) = play.wait(get) else { panic!() };
        assert_ne!(session.live.session_id, id);
    }
    let calls: Vec<_> = play.site.state().calls.iter().map(|call| call.what.clone()).collect();
    assert_eq!(calls[..3], ["GET /portal/logout", "GET /identity/logout", "GET /portal/login"]);
    assert_eq!((play.site.logins(), play.site.live_sessions().len()), (2, 1));
}

#[test]
fn an_operation_with_credentials_waits_for_the_login_of_another() {
    let play = Play::new(&[]);
    let first = play.start_get(credentials("driver", "ck"), true);
    until_called(&play, "POST /identity/login");
    assert!(play.listed().is_empty());
    let run = portal::Run {
        session_id: None,
        credentials: Some(credentials("driver", "ck")),
        ..Play::run_command(&PortalId::issued(""), "get_containers", &json!({}))
    };
    let RunReply::Done(done) = play.tell(&play.name, run.clone()) else { panic!() };
    let Some(GetReply::Session(session)) = play.wait(&first) else { panic!() };
    assert_eq!((done.session_id, done.is_new, session.is_new), (session.live.session_id, false, true));
    assert_eq!(play.site.logins(), 1);
    // By itself it begins one.
    play.close(&play.session_id().unwrap());
    let RunReply::Done(done) = play.tell(&play.name, run) else { panic!() };
    assert!(done.is_new && done.result.is_ok());
}

#[test]
fn closed_here_and_ended_at_the_portal_at_the_same_time_it_is_closed() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    let closing: Vec<_> =
        (0..2).map(|_| play.start(play.name.clone(), Play::close_command(&id, End::Closed))).collect();
    let replies: Vec<_> = closing.iter().map(|close| play.wait(close).unwrap()).collect();
    assert_eq!(replies, [CloseReply::Closed, CloseReply::Ended(End::Closed)]);
    play.run_for(secs(60));
    assert_eq!((play.site.logins(), play.is_quiet()), (1, true));
}

/// What has become of it, nobody knows; and that is recorded before the next piece of work takes its place.
#[test]
fn an_order_whose_end_could_not_be_stored_is_found_out_by_the_next_in_the_queue() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let fields = json!({
        "trucking_company": "Harbor Freight", "terminal": "TraPac", "move_type": "PICK FULL",
        "container_id": "MSCU1000001", "truck_plate": "ABC123", "appointment_time": "Slot 2",
    });
    let order = play.start(play.name.clone(), Play::run_command(&id, "make_appointment", &fields));
    let waiting = play.start_run(&id);
    until_called(&play, "POST /portal/appointments/book");
    play.world.weather().rough(Odds { write: 1000, ..Odds::default() });
    let said = |what: &str| play.world.logs().iter().filter(|line| line.text.contains(what)).count();
    while said("portal work") == 0 {
        play.turn(play.now().plus(secs(60)));
    }
    play.world.weather().clear();
    assert_eq!(play.wait(&order), None);
    assert!(code(&play.wait(&waiting).unwrap()).is_ok());
    assert_eq!((play.site.state().bookings, said("portal_outcome_unknown")), (1, 1));
}
