//! One login among many callers.

use super::play::{Play, actor, credentials, get_of, secs};
use portal::registry::FindReply;
use portal::{CloseReply, End, GetReply, RunReply};
use serde_json::{Value, json};

#[test]
fn a_session_is_got_once_then_used_listed_and_closed() {
    let play = Play::new(&[]);
    let first = play.get(false);
    assert!(first.is_new && first.previous.is_none() && first.username == "driver");
    assert_eq!(first.expires_at, Some(first.live.last_used.plus(secs(1800))));
    let id = first.live.session_id;
    let again = play.get(false);
    assert_eq!((again.is_new, &again.live.session_id), (false, &id));
    assert_eq!((play.site.logins(), play.site.count("POST /in.php")), (1, 1));
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap().answer["total_containers"], 2);
    let rows = play.listed();
    assert_eq!((rows.len(), &rows[0].name, &rows[0].session_id), (1, &play.name, &id));
    let username = play.app().vault.open("portal-username", &play.name, rows[0].username.as_ref().unwrap());
    assert_eq!(username.unwrap(), b"driver");
    assert_eq!(rows[0].alias.as_ref(), Some(&play.name));
    assert!(matches!(play.find(&id), FindReply::Found(place) if place.name == play.name));
    assert_eq!(play.close(&id), CloseReply::Closed);
    assert_eq!(play.site.state().sessions.len(), 0, "the answer waits until the portal knows");
    assert_eq!((play.listed(), play.find(&id)), (vec![], FindReply::Ended(End::Closed)));
    assert_eq!(play.close(&id), CloseReply::Ended(End::Closed));
    assert_eq!(play.run(&id), RunReply::Ended(End::Closed));
    let next = play.get(true);
    assert!(next.is_new && next.live.session_id != id && next.expires_at.is_none());
    assert_eq!(next.previous, Some(End::Closed));
}

#[test]
fn each_end_of_a_session_is_in_the_log_once_with_whoever_asked_for_it() {
    let play = Play::new(&[]);
    let closed = play.get(false).live.session_id;
    play.close(&closed);
    let left = play.get(false).live.session_id;
    play.run_for(secs(2000));
    assert_eq!(play.session_id(), None);
    let logs = play.world.logs();
    let logs: Vec<Value> = logs.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect();
    let ends = logs.iter().filter(|log| log["action"] == "portal_close");
    let ends: Vec<_> = ends.map(|log| json!([log["session_id"], log["reason"], log["service"]])).collect();
    assert_eq!(ends, [json!([closed, "closed", actor().who]), json!([left, "idle", null])]);
}

#[test]
fn a_thousand_callers_are_one_login_and_one_captcha() {
    let play = Play::new(&[]);
    let waiting: Vec<_> = (0..1000).map(|_| play.start_get(credentials("driver", "ck"), true)).collect();
    let replies: Vec<_> = waiting.iter().map(|w| play.wait(w).unwrap()).collect();
    let mut new = 0;
    for reply in replies {
        let GetReply::Session(session) = reply else { panic!("{reply:?}") };
        assert_eq!(Some(session.live.session_id), play.session_id());
        new += u32::from(session.is_new);
    }
    assert_eq!((play.site.logins(), play.site.count("POST /in.php"), new), (1, 1, 1));
    assert_eq!((play.site.live_sessions().len(), play.site.state().at_once.1), (1, 1));
    assert!(play.world.logs().iter().all(|line| !line.error));
}

#[test]
fn other_credentials_are_another_login() {
    let play = Play::of_many(&[]);
    play.get(false);
    let other = play.wait(&play.start_get(credentials("driver2", "ck"), false)).unwrap();
    assert!(matches!(other, GetReply::Session(session) if session.is_new));
    assert_eq!((play.site.logins(), play.listed().len()), (2, 2));
    // An object serves nobody but its own name.
    let stranger = get_of(credentials("driver2", "ck"), true);
    assert_eq!(play.tell(&play.name, stranger), GetReply::Unknown);
}

#[test]
fn an_object_of_nobody_knows_no_session_and_keeps_nothing_of_the_question() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let name = play.name_of(&credentials("driver1", "ck"));
    let run = Play::run_command(&id, "get_containers", &json!({}));
    assert_eq!(play.tell(&name, run), RunReply::Unknown);
    assert!(play.world.rows(base::rpc::Class::Portal, &name).is_empty());
}
