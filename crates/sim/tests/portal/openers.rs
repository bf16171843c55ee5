//! Keys that may use only those portal logins that they opened themselves: at the login's object, which knows it, and at the registry,
//! which has a copy that may be late, old or lost.

use super::keys::Broken;
use super::play::{Play, credentials, get_of, secs};
use base::ids::{PortalId, ServiceKeyId};
use base::rpc::Class;
use portal::protocol::LoginCommand;
use portal::registry::{FindOwn, FindReply, ListOwn, Listed, Remove, Row, Upsert};
use portal::{Close, CloseReply, End, Get, GetReply, OfService, Run, RunReply, Session};
use serde_json::json;

const OLD: &str = "k1:sealing-key-of-the-simulation-0123456789abcdef";
const NEW: &str = "k2:another-key-of-the-simulation-0123456789abcdef";

fn key(n: u32) -> ServiceKeyId {
    ServiceKeyId::issued(format!("{n:012x}"))
}

fn by<C: LoginCommand>(n: u32, command: C) -> OfService<C> {
    OfService { opener: Some(key(n)), command }
}

fn get() -> Get {
    get_of(credentials("driver", "ck"), true)
}

fn run(id: &PortalId) -> Run {
    Play::run_command(id, "get_containers", &json!({}))
}

fn close(id: &PortalId) -> Close {
    Play::close_command(id, End::Closed)
}

fn got(reply: GetReply) -> Session {
    match reply {
        GetReply::Session(session) => session,
        other => panic!("{other:?}"),
    }
}

fn listed(play: &Play, n: u32) -> Vec<PortalId> {
    let Listed::Rows(rows) =
        play.world.send(&portal::registry_address(), &ListOwn { opener: key(n) }).unwrap();
    rows.into_iter().map(|row| row.session_id).collect()
}

fn find(play: &Play, id: &PortalId, n: u32) -> FindReply {
    let find = FindOwn { session_id: id.clone(), now: play.now(), opener: key(n) };
    play.world.send(&portal::registry_address(), &find).unwrap()
}

/// What the object says to a key: whether it may use the session.
fn may_use(play: &Play, id: &PortalId, n: u32) -> bool {
    match play.tell(&play.name, by(n, run(id))) {
        RunReply::Done(done) => {
            assert_eq!(&done.session_id, id);
            true
        }
        RunReply::Unknown => false,
        other => panic!("{other:?}"),
    }
}

fn play() -> Play {
    let play = Play::new(&[]);
    play.alone.set(false);
    play
}

#[test]
fn the_key_that_began_a_session_has_it_and_another_gets_it_by_its_credentials() {
    let play = play();
    let id = got(play.tell(&play.name, by(1, get()))).live.session_id;
    assert!(may_use(&play, &id, 1) && !may_use(&play, &id, 2));
    assert_eq!((listed(&play, 1), listed(&play, 2)), (vec![id.clone()], vec![]));
    assert_eq!(play.tell(&play.name, by(2, close(&id))), CloseReply::Unknown);
    // The right credentials are as good a proof as to have begun it.
    let again = got(play.tell(&play.name, by(2, get())));
    assert_eq!((&again.live.session_id, again.is_new), (&id, false));
    assert!(may_use(&play, &id, 2) && !may_use(&play, &id, 3));
    assert_eq!(listed(&play, 2), std::slice::from_ref(&id));
    // What was in memory is in the row, too.
    play.die();
    assert!(may_use(&play, &id, 1) && may_use(&play, &id, 2) && !may_use(&play, &id, 3));
    assert_eq!(play.tell(&play.name, by(2, close(&id))), CloseReply::Closed);
    // How it ended is told to them, by the object and by the registry.
    for (n, ended, found) in [
        (1, CloseReply::Ended(End::Closed), FindReply::Ended(End::Closed)),
        (3, CloseReply::Unknown, FindReply::Unknown),
    ] {
        assert_eq!(play.tell(&play.name, by(n, close(&id))), ended);
        assert_eq!(find(&play, &id, n), found);
    }
    // The next session, whoever begins it, is of the same login.
    let next = play.get(true).live.session_id;
    assert_ne!(next, id);
    assert!(may_use(&play, &next, 1) && !may_use(&play, &next, 3));
    assert_eq!((listed(&play, 1), listed(&play, 3)), (vec![next], vec![]));
}

#[test]
fn whoever_waits_for_a_login_has_opened_it_and_a_key_for_all_is_no_opener() {
    let play = play();
    let waiting: Vec<_> = [1, 2].map(|n| play.start(play.name.clone(), by(n, get()))).into();
    let ids: Vec<_> = waiting.iter().map(|w| got(play.wait(w).unwrap()).live.session_id).collect();
    assert!(ids[0] == ids[1] && play.site.logins() == 1);
    assert_eq!((listed(&play, 1), listed(&play, 2)), (ids.clone()[..1].to_vec(), ids[..1].to_vec()));
    play.get(true);
    assert_eq!(play.login().openers.len(), 2);
}

/// The login goes on without whoever wanted it.
#[test]
fn a_login_whose_caller_never_hears_of_it_is_still_theirs() {
    let play = play();
    let pending = play.start(play.name.clone(), by(1, get()));
    while play.login().session.is_none() {
        assert!(play.turn(play.now().plus(secs(600))));
    }
    assert!(!pending.is_there());
    play.die();
    assert_eq!(play.login().openers, [key(1)]);
}

#[test]
fn guesses_that_the_portal_refuses_open_nothing() {
    let play = play();
    play.site.state().passwords.insert("driver".to_owned(), "another".to_owned());
    assert!(matches!(play.tell(&play.name, by(1, get())), GetReply::Refused(_)));
    assert!(matches!(play.tell(&play.name, by(1, get())), GetReply::Refused(_)));
    // The password becomes what was guessed.
    play.site.state().passwords.insert("driver".to_owned(), "driver-pass".to_owned());
    play.run_for(secs(1000));
    let id = play.get(true).live.session_id;
    assert!(!may_use(&play, &id, 1) && listed(&play, 1).is_empty());
}

#[test]
fn a_session_under_an_older_sealing_key_stays_theirs() {
    let play = play();
    let id = got(play.tell(&play.name, by(1, get()))).live.session_id;
    play.world.deploy(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    play.tell(&play.name, portal::Look);
    play.world.deploy(&[("SEALING_KEYS", NEW)]);
    assert!(may_use(&play, &id, 1) && !may_use(&play, &id, 2));
    // Another one comes by the new name, and is sent on.
    let new = play.name_of(&credentials("driver", "ck"));
    assert_eq!(play.tell(&new, by(2, get())), GetReply::Moved(play.name.clone()));
    assert!(!may_use(&play, &id, 2), "to be sent on is no proof");
    got(play.tell(&play.name, by(2, get())));
    assert!(may_use(&play, &id, 2));
    assert_eq!(listed(&play, 2), [id]);
}

#[test]
fn the_registry_may_hear_of_it_late_twice_and_in_another_order() {
    let play = play();
    let id = got(play.tell(&play.name, by(1, get()))).live.session_id;
    let row = play.listed().remove(0);
    let tell = |row: &Row, openers: &[u32], ended: Option<portal::Ended>| {
        let openers = openers.iter().map(|n| key(*n)).collect();
        let upsert = Upsert { row: row.clone(), max: 10, ended, usernames: vec![], openers };
        play.world.send(&portal::registry_address(), &upsert).unwrap();
    };
    // Before anybody else showed the credentials; after that; and the first once more, which came late.
    for openers in [&[1][..], &[1, 2], &[1], &[]] {
        tell(&row, openers, None);
        assert_eq!(listed(&play, 1), std::slice::from_ref(&id));
    }
    assert_eq!(listed(&play, 2), std::slice::from_ref(&id));
    // The registry lists by its copy, and the object decides.
    assert!(matches!(find(&play, &id, 2), FindReply::Found(_)) && !may_use(&play, &id, 2));
    assert!(matches!(find(&play, &id, 3), FindReply::Found(_)) && !may_use(&play, &id, 3));
    // To look for somebody else's is no use of it.
    play.world.advance(secs(500));
    let used = play.listed()[0].last_used;
    find(&play, &id, 3);
    assert_eq!(play.listed()[0].last_used, used);
    find(&play, &id, 1);
    assert_eq!(play.listed()[0].last_used, play.now());
    // The next session is not that of those who had this one, and what comes late of this one changes nothing.
    let ended = portal::Ended { session_id: id.clone(), reason: End::Idle, at: play.now() };
    let next = Row { session_id: PortalId::issued("next"), created_at: play.now(), ..row.clone() };
    tell(&next, &[2], Some(ended));
    tell(&row, &[1, 2], None);
    assert_eq!((listed(&play, 1), listed(&play, 2)), (vec![], vec![PortalId::issued("next")]));
    assert_eq!((find(&play, &id, 1), find(&play, &id, 3)), (FindReply::Ended(End::Idle), FindReply::Unknown));
    // Nothing is kept for what nobody knows any more.
    play.world.advance(secs(25 * 3600));
    let gone = portal::Ended { session_id: next.session_id, reason: End::Closed, at: play.now() };
    let remove = Remove { name: play.name.clone(), ended: Some(gone), as_of: play.now(), refused: None };
    play.world.send(&portal::registry_address(), &remove).unwrap();
    let rows = play.world.sql(Class::PortalRegistry, "registry", "SELECT DISTINCT session_id FROM openers");
    assert_eq!(json!(rows), json!([{ "session_id": "next" }]));
}

#[test]
fn where_the_registry_cannot_be_told_a_key_hears_of_no_session_and_later_of_its_own() {
    let play = play();
    let id = play.get(true).live.session_id;
    play.run_for(secs(2));
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<Broken>(Class::PortalRegistry);
    let pending = play.start(play.name.clone(), by(1, get()));
    assert_eq!(play.wait(&pending), None, "it would not find it");
    assert!(play.login().pending_sync.is_some());
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<engine::portal_registry::PortalRegistry<sim::SimHost>>(Class::PortalRegistry);
    play.run_for(secs(40));
    assert_eq!(listed(&play, 1), [id]);
}

/// Its row says nothing of openers, and a roll-back writes such a row again.
#[test]
fn a_row_of_the_release_before_is_nobodys_until_the_credentials_are_shown() {
    let play = play();
    let id = got(play.tell(&play.name, by(1, get()))).live.session_id;
    let login = portal::Login { openers: vec![], ..play.login() };
    play.world.put_row(Class::Portal, &play.name, "login", &serde_json::to_string(&login).unwrap());
    play.die();
    assert!(!may_use(&play, &id, 1) && play.get(true).live.session_id == id);
    got(play.tell(&play.name, by(1, get())));
    assert!(may_use(&play, &id, 1));
}
