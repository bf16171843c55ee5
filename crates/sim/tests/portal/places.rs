//! Where a failure was: for the caller, in the log, and for an admin.

use super::play::{Play, actor, credentials, secs};
use base::ids::PortalId;
use portal::{Code, Get, GetReply, KeptPage, PageReply, ReadPage, Refusal, RunReply};
use serde_json::{Value, json};
use sim::fakes::portal::Down;

fn get(play: &Play, debug: bool) -> GetReply {
    let get = Get {
        credentials: credentials("driver", "ck"),
        keep_alive: true,
        by: actor(),
        debug,
        storage_state: None,
    };
    play.tell(&play.name, get)
}

fn refused(play: &Play) -> Refusal {
    match get(play, true) {
        GetReply::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn run(play: &Play, id: &PortalId, operation: &str, fields: &Value) -> Refusal {
    let RunReply::Done(done) = play.tell(&play.name, Play::run_command(id, operation, fields)) else {
        panic!()
    };
    done.result.unwrap_err()
}

fn page(play: &Play) -> Option<KeptPage> {
    match play.tell(&play.name, ReadPage) {
        PageReply::Kept(page) => Some(page),
        PageReply::Unknown => None,
    }
}

#[test]
fn f31_a_login_that_fails_says_where_and_what_it_looked_for() {
    let play = Play::new(&[]);
    play.site.state().mumbles = true;
    let refusal = refused(&play);
    let place = refusal.place.unwrap();
    assert_eq!((refusal.code, place.step.as_str()), (Code::UnexpectedResponse, "password"));
    assert_eq!(place.looked_for, "a page with a way to /logout");
    assert_eq!(place.address.as_deref(), Some("https://id.example.com/identity/login"));
    let calls: Vec<_> = place.calls.iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert_eq!(calls, ["/portal/login", "/identity/login", "/in.php", "/res.php", "/identity/login"]);
    // Whoever is refused without the portal is told of no place.
    assert_eq!(refused(&play).place, None);
    // The alarm and others read of it in the log.
    let logs = play.world.logs();
    let line = logs.iter().find(|line| line.text.contains("portal_login\",\"")).map(|line| &line.text);
    let line: Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(
        (&line["step"], &line["address"]),
        (&json!("password"), &json!("https://id.example.com/identity/login"))
    );
}

#[test]
fn f31_each_step_has_its_name() {
    let play = Play::new(&[]);
    play.site.state().down = Some(Down::Unreachable);
    let place = refused(&play).place.unwrap();
    assert_eq!((place.step.as_str(), place.title), ("login_page", None));
    assert_eq!(place.looked_for, "a form with the inputs Username and Password that is sent by POST");
    assert_eq!(place.address.as_deref(), Some("https://portal.example.com/portal/login"));
    let play = Play::new(&[]);
    play.site.state().captcha_fails = true;
    assert_eq!(refused(&play).place.unwrap().step, "captcha");
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let refusal = run(&play, &id, "get_container_timeline", &json!({ "container_id": "odd" }));
    let place = refusal.place.unwrap();
    assert_eq!((place.step.as_str(), refusal.code), ("list", Code::UnexpectedResponse));
    assert_eq!(place.looked_for, "the table #timeline with the columns Milestone, Date, Status");
    assert_eq!(place.address.as_deref(), Some("https://portal.example.com/portal/containers/odd"));
    play.site.state().down = Some(Down::Error(500));
    let fields = json!({
        "trucking_company": "Harbor Freight", "terminal": "TraPac", "move_type": "PICK FULL", "container_id": "C1",
    });
    let place = run(&play, &id, "check_appointments", &fields).place.unwrap();
    assert_eq!(
        (place.step.as_str(), &*place.looked_for),
        ("appointment_form", "the form #appointment with data-phase 1")
    );
    play.run_for(secs(400));
    assert!(play.world.logs().iter().any(|line| line.text.contains(r#""step":"keep_alive""#)));
}

#[test]
fn f31_debug_tells_the_calls_of_a_login() {
    let play = Play::new(&[]);
    let GetReply::Session(session) = get(&play, true) else { panic!() };
    assert_eq!(session.calls.unwrap().len(), 8);
    let GetReply::Session(session) = get(&play, true) else { panic!() };
    assert_eq!(session.calls, Some(Vec::new()), "it was there");
    let GetReply::Session(session) = get(&play, false) else { panic!() };
    assert_eq!(session.calls, None);
}

#[test]
fn f31_the_last_page_of_a_failed_step_is_kept_for_an_hour() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    assert_eq!(page(&play), None);
    run(&play, &id, "get_container_timeline", &json!({ "container_id": "odd" }));
    let at = play.now();
    let kept = page(&play).unwrap();
    assert_eq!((kept.code, kept.status, kept.at), (Code::UnexpectedResponse, Some(200), at));
    assert_eq!(
        (kept.step.as_str(), kept.address.as_str()),
        ("list", "https://portal.example.com/portal/containers/odd")
    );
    assert_eq!(
        kept.html,
        "<html><body><a href=\"/portal/logout\">Log out</a><p>Under construction</p></body></html>"
    );
    // Sealed.
    assert!(!play.world.rows(base::rpc::Class::Portal, &play.name)["page"].contains("construction"));
    play.run_until(at.plus(secs(3599)));
    assert!(page(&play).is_some());
    play.run_until(at.plus(secs(3601)));
    assert!(page(&play).is_none() && !play.row_names().iter().any(|row| row.starts_with("page")));
    // One that succeeds keeps none.
    play.run(&id);
    assert!(page(&play).is_none());
}

/// Whatever a portal does with it.
#[test]
fn f31_a_page_with_the_password_in_it_is_not_kept() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().echoes = Some("driver-pass");
    let refusal = run(&play, &id, "get_container_timeline", &json!({ "container_id": "odd" }));
    assert!(refusal.place.is_some());
    assert_eq!(page(&play), None);
    play.site.state().echoes = Some("another");
    run(&play, &id, "get_container_timeline", &json!({ "container_id": "odd" }));
    assert!(page(&play).is_some_and(|page| page.html.contains("another")));
}
