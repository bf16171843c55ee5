//! The state of a session: given in place of a login, and given out.

use super::play::{Play, actor, credentials, secs};
use base::ids::{PortalId, ServiceKeyId};
use base::rpc::Class;
use base::secret::Secret;
use portal::browser::Jar;
use portal::storage_state::{self, Hosts};
use portal::{Code, End, Get, GetReply, OfService, ReadState, Session, SessionState, StateReply, StateUse};
use serde_json::{Value, json};
use sim::fakes::portal::Down;

const SID: u32 = 7_777;

fn hosts(play: &Play) -> Hosts {
    Hosts::of(play.app().config.portals.document("emodal").unwrap()).unwrap()
}

/// What a browser has that is logged in with this session.
fn state(play: &Play, sid: u32) -> Secret {
    let state = json!({ "cookies": [{
        "name": "sid", "value": sid.to_string(), "domain": "portal.example.com", "path": "/portal",
        "expires": -1, "httpOnly": true, "secure": false, "sameSite": "Lax",
    }] });
    storage_state::read(&state, &hosts(play), play.now()).unwrap().save()
}

/// Somebody has logged in at the portal, and not by us.
fn logs_in_elsewhere(play: &Play) -> Secret {
    play.site.state().sessions.insert(SID, play.now());
    state(play, SID)
}

fn get(state: Option<Secret>) -> Get {
    let credentials = credentials("driver", "ck");
    Get { credentials, keep_alive: true, by: actor(), debug: true, storage_state: state }
}

fn session(play: &Play, state: Option<Secret>) -> Session {
    match play.tell(&play.name, get(state)) {
        GetReply::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

fn read(play: &Play, session_id: &PortalId) -> StateReply {
    play.tell(&play.name, ReadState { session_id: session_id.clone(), by: actor() })
}

fn read_well(play: &Play, session_id: &PortalId) -> (SessionState, Value) {
    match read(play, session_id) {
        StateReply::State(state) => {
            let written = storage_state::write(&Jar::load(&state.jar).unwrap(), &hosts(play));
            (state, written)
        }
        other => panic!("{other:?}"),
    }
}

fn sid(state: &Value) -> &Value {
    let cookies = state["cookies"].as_array().unwrap();
    &cookies.iter().find(|cookie| cookie["name"] == "sid").unwrap()["value"]
}

#[test]
fn a_state_that_the_portal_knows_begins_a_session_without_a_login() {
    let play = Play::of_many(&[]);
    let given = logs_in_elsewhere(&play);
    let session_ = session(&play, Some(given));
    assert_eq!((session_.is_new, session_.storage_state), (true, Some(StateUse::Used)));
    assert_eq!(session_.calls.unwrap().len(), 1, "the page of a keep-alive");
    assert!(play.site.state().attempts.is_empty() && play.login().logins.is_empty());
    assert!(!session_.live.saved.paid, "nothing was paid for it");
    // It is a session as any other: used, kept alive, and logged in again with the credentials.
    let id = session_.live.session_id;
    play.run(&id);
    play.run_for(secs(1_000));
    assert!(play.site.state().attempts.is_empty());
    play.site.state().sessions.clear();
    play.run(&id);
    assert_eq!((play.site.state().attempts.len(), play.session_id()), (1, Some(id)));
}

#[test]
fn a_state_that_the_portal_does_not_know_is_followed_by_a_login() {
    let play = Play::of_many(&[]);
    let given = state(&play, SID);
    let session_ = session(&play, Some(given.clone()));
    assert_eq!((session_.is_new, session_.storage_state), (true, Some(StateUse::Refused)));
    assert_eq!((play.site.state().attempts.len(), play.login().logins.len()), (1, 1));
    // A session that lives is none to begin.
    let session_ = session(&play, Some(given));
    assert_eq!((session_.is_new, session_.storage_state), (false, Some(StateUse::NotUsed)));
    assert_eq!(session(&play, None).storage_state, None);
    assert_eq!(play.site.state().attempts.len(), 1);
}

#[test]
fn whoever_waits_for_the_same_login_has_it_with_their_own_state_unused() {
    let play = Play::of_many(&[]);
    let given = logs_in_elsewhere(&play);
    let both = [
        play.start(play.name.clone(), get(Some(given.clone()))),
        play.start(play.name.clone(), get(Some(given))),
    ];
    let uses = both.map(|pending| match play.wait(&pending).unwrap() {
        GetReply::Session(session) => session.storage_state.unwrap(),
        other => panic!("{other:?}"),
    });
    assert_eq!(uses, [StateUse::Used, StateUse::NotUsed]);
    assert!(play.site.state().attempts.is_empty());
}

#[test]
fn while_the_portal_is_down_a_state_is_not_kept_and_nobody_is_logged_out() {
    let play = Play::of_many(&[]);
    let given = logs_in_elsewhere(&play);
    play.site.state().down = Some(Down::Unreachable);
    let GetReply::Refused(refusal) = play.tell(&play.name, get(Some(given.clone()))) else { panic!() };
    assert_eq!(refusal.code, Code::Unreachable);
    assert!(refusal.retry_after_seconds.is_some() && play.is_quiet(), "{:?}", play.row_names());
    let calls = play.site.calls();
    let again = play.tell(&play.name, get(Some(given.clone())));
    assert!(matches!(again, GetReply::Refused(_)) && play.site.calls() == calls, "it is left alone");
    play.site.state().down = None;
    play.run_for(secs(300));
    assert_eq!(play.site.state().logouts, 0);
    assert_eq!(session(&play, Some(given)).storage_state, Some(StateUse::Used));
}

#[test]
fn an_instance_that_dies_meanwhile_leaves_nothing_of_a_state() {
    let play = Play::of_many(&[]);
    let given = logs_in_elsewhere(&play);
    play.site.state().crash = Some("/portal/containers");
    let pending = play.start_once(get(Some(given.clone())));
    play.run_for(secs(100));
    assert!(pending.is_there() && play.site.state().attempts.is_empty());
    play.run_for(secs(300));
    assert!(play.is_quiet(), "{:?}", play.row_names());
    assert_eq!(play.site.state().logouts, 0);
    let session_ = session(&play, Some(given));
    assert_eq!((session_.is_new, session_.storage_state), (true, Some(StateUse::Used)));
}

#[test]
fn a_state_comes_out_as_it_is_after_what_was_before_it_in_the_queue() {
    let play = Play::of_many(&[]);
    play.site.state().rotates = true;
    let id = play.get(true).live.session_id;
    let (first, written) = read_well(&play, &id);
    assert_eq!(first.as_of, play.login().session.unwrap().confirmed_at);
    let before = sid(&written).clone();
    let operation = play.start_run(&id);
    let reading = play.start(play.name.clone(), ReadState { session_id: id.clone(), by: actor() });
    let StateReply::State(second) = play.wait(&reading).unwrap() else { panic!() };
    assert!(operation.is_there() && second.as_of > first.as_of);
    let (_, written) = read_well(&play, &id);
    assert_ne!(sid(&written), &before);
    // What came out can be given again.
    let alive = play.site.live_sessions();
    assert_eq!(sid(&written), &json!(alive.last().unwrap().to_string()));
    let jar = storage_state::read(&written, &hosts(&play), play.now()).unwrap();
    assert_eq!(storage_state::write(&jar, &hosts(&play)), written);
}

#[test]
fn the_state_of_a_session_that_the_portal_has_ended_comes_after_a_new_login() {
    let play = Play::of_many(&[]);
    let id = play.get(false).live.session_id;
    play.site.state().sessions.clear();
    // An operation finds that out, and the portal is too slow for another login.
    play.site.state().slow = Some(("/portal/login", secs(100)));
    play.run(&id);
    assert!(play.login().session.unwrap().lost_since.is_some());
    let StateReply::Refused(refusal) = read(&play, &id) else { panic!() };
    assert_eq!(refusal.code, Code::Timeout);
    play.site.state().slow = None;
    play.run_for(secs(60));
    let before = play.site.logins();
    let (state, written) = read_well(&play, &id);
    assert_eq!(play.site.logins(), before + 1);
    assert_eq!((state.as_of, play.session_id()), (play.login().session.unwrap().confirmed_at, Some(id)));
    assert!(play.site.live_sessions().iter().any(|id| sid(&written) == &json!(id.to_string())));
}

#[test]
fn only_who_may_use_a_session_is_given_its_state() {
    let play = Play::of_many(&[]);
    let id = play.get(true).live.session_id;
    let by = |opener: &str, session_id: &PortalId| {
        let command = ReadState { session_id: session_id.clone(), by: actor() };
        play.tell(&play.name, OfService { opener: Some(ServiceKeyId::issued(opener.to_owned())), command })
    };
    assert_eq!(by("0123456789ab", &id), StateReply::Unknown);
    let opener = Some(ServiceKeyId::issued("0123456789ab".to_owned()));
    play.tell(&play.name, OfService { opener, command: get(None) });
    assert!(matches!(by("0123456789ab", &id), StateReply::State(_)));
    assert_eq!(by("ba9876543210", &id), StateReply::Unknown);
    let other = PortalId::issued("session_1_0".to_owned());
    assert_eq!(read(&play, &other), StateReply::Unknown);
    play.close(&id);
    assert_eq!(read(&play, &id), StateReply::Ended(End::Closed));
    assert_eq!(by("0123456789ab", &id), StateReply::Ended(End::Closed));
    assert_eq!(by("ba9876543210", &id), StateReply::Unknown);
}

#[test]
fn while_the_portal_is_down_the_state_is_there() {
    let play = Play::of_many(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().down = Some(Down::Unreachable);
    play.run(&id);
    let calls = play.site.calls();
    assert!(sid(&read_well(&play, &id).1).is_string());
    assert_eq!(play.site.calls(), calls);
}

#[test]
fn a_state_is_no_proof_of_the_credentials() {
    let play = Play::of_many(&[]);
    let refusals = || play.world.sql(Class::PortalRegistry, "registry", "SELECT username FROM refused").len();
    let mut wrong = get(None);
    wrong.credentials.password = Secret::new("wrong");
    let name = play.name_of(&wrong.credentials);
    assert!(matches!(play.tell(&name, wrong), GetReply::Refused(_)));
    play.run_for(secs(60));
    assert_eq!(refusals(), 1);
    let given = logs_in_elsewhere(&play);
    let id = session(&play, Some(given)).live.session_id;
    play.run(&id);
    play.run_for(secs(60));
    assert_eq!((refusals(), play.login().session.unwrap().unproven), (1, true));
    // A login is.
    play.site.state().sessions.clear();
    play.run(&id);
    play.run_for(secs(60));
    assert_eq!((refusals(), play.login().session.unwrap().unproven), (0, false));
    // Who has to show credentials is not let in by a state in place of them.
    play.close(&id);
    play.run_for(secs(60));
    let given = logs_in_elsewhere(&play);
    let opener = Some(ServiceKeyId::issued("0123456789ab".to_owned()));
    let logins = play.site.logins();
    let reply = play.tell(&play.name, OfService { opener, command: get(Some(given)) });
    let GetReply::Session(session) = reply else { panic!("{reply:?}") };
    assert_eq!((session.storage_state, play.site.logins()), (None, logins + 1));
}
