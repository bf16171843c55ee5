//! More sessions than there may be: the one that was not used for longest gives way.

use super::play::{Play, credentials, get_of, secs};
use base::ids::PortalId;
use portal::registry::{Excess, FindReply, Row, Surplus, Upsert};
use portal::{End, GetReply};

const MAX: usize = 10;

fn get(play: &Play, n: usize) -> PortalId {
    let credentials = credentials(&format!("driver{n}"), "ck");
    let name = play.name_of(&credentials);
    match play.tell(&name, get_of(credentials, true)) {
        GetReply::Session(session) => session.live.session_id,
        other => panic!("{other:?}"),
    }
}

/// As many as there may be, each used some seconds after the other.
fn full() -> (Play, Vec<PortalId>) {
    let play = Play::of_many(&[]);
    let ids = (0..MAX).map(|n| get(&play, n)).collect();
    (play, ids)
}

fn listed(play: &Play) -> Vec<PortalId> {
    play.listed().into_iter().map(|row| row.session_id).collect()
}

#[test]
fn the_eleventh_closes_the_one_that_was_not_used_for_longest() {
    let (play, ids) = full();
    // The first is used; the second is only kept alive.
    assert_eq!(get(&play, 0), ids[0]);
    play.run_for(secs(400));
    let newest = get(&play, MAX);
    play.run_for(secs(5));
    let mut left = ids.clone();
    left.remove(1);
    left.push(newest);
    assert_eq!(listed(&play), left);
    assert_eq!(play.site.live_sessions().len(), MAX, "and at the portal, too");
    assert_eq!(play.find(&ids[1]), FindReply::Ended(End::Evicted));
    let credentials = credentials("driver1", "ck");
    let name = play.name_of(&credentials);
    let reply = play.tell(&name, get_of(credentials, true));
    let GetReply::Session(session) = reply else { panic!("{reply:?}") };
    assert_eq!((session.is_new, session.previous), (true, Some(End::Evicted)));
}

/// Also where its report comes late, and others have been used since.
#[test]
fn the_one_that_is_reported_is_never_the_one_to_go() {
    let (play, ids) = full();
    let row = Row {
        name: "emodal/late".to_owned(),
        session_id: PortalId::issued("late"),
        ..play.listed().remove(0)
    };
    let upsert = Upsert { row, max: MAX, ended: None, usernames: vec![], openers: vec![] };
    let Surplus::TooMany(places) = play.world.send(&portal::registry_address(), &upsert).unwrap();
    assert_eq!(places.iter().map(|place| &place.session_id).collect::<Vec<_>>(), [&ids[0]]);
}

#[test]
fn who_asks_for_a_session_that_there_is_takes_nobodys() {
    let (play, ids) = full();
    for _ in 0..3 {
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(&get(&play, n), id);
        }
    }
    assert_eq!((listed(&play), play.site.logins()), (ids, MAX));
}

#[test]
fn thirty_logins_at_once_leave_ten() {
    let play = Play::of_many(&[]);
    let waiting: Vec<_> =
        (0..30).map(|n| play.start_get(credentials(&format!("driver{n}"), "ck"), true)).collect();
    for get in &waiting {
        assert!(matches!(play.wait(get).unwrap(), GetReply::Session(_)));
    }
    play.run_for(secs(60));
    assert_eq!((play.listed().len(), play.site.live_sessions().len(), play.site.logins()), (MAX, MAX, 30));
}

#[test]
fn logins_that_fail_close_nobody() {
    let (play, ids) = full();
    play.site.state().keys.insert("poor".to_owned(), "ERROR_ZERO_BALANCE");
    for (user, key) in [("nobody", "ck"), ("driver20", "poor")] {
        let reply = play.wait(&play.start_get(credentials(user, key), true)).unwrap();
        assert!(matches!(reply, GetReply::Refused(_)), "{reply:?}");
    }
    play.run_for(secs(60));
    assert_eq!((listed(&play), play.site.live_sessions().len()), (ids, MAX));
}

#[test]
fn a_lower_limit_names_those_that_are_over_it_and_they_are_closed() {
    let (play, ids) = full();
    (0..3).for_each(|n| drop(get(&play, n)));
    let excess = Excess { max: 7 };
    let Surplus::TooMany(places) = play.world.send(&portal::registry_address(), &excess).unwrap();
    let named: Vec<_> = places.iter().map(|place| place.session_id.clone()).collect();
    assert_eq!(named, ids[3..6]);
    let host = play.world.host();
    play.world.spawn(async move { engine::evict::evict(&host, places).await });
    play.run_for(secs(30));
    assert_eq!((play.listed().len(), play.site.live_sessions().len()), (7, 7));
}

#[test]
fn a_session_that_is_being_used_is_not_the_one_that_gives_way() {
    let (play, ids) = full();
    let name = play.name_of(&credentials("driver0", "ck"));
    play.site.state().slow = Some(("containers/MSCU1000000", secs(30)));
    let fields = serde_json::json!({ "container_id": "MSCU1000000" });
    let running = play.start(name, Play::run_command(&ids[0], "get_container_timeline", &fields));
    // The caller's own look-up says that it is used.
    assert!(matches!(play.find(&ids[0]), FindReply::Found(_)));
    get(&play, MAX);
    play.run_for(secs(5));
    assert!(!running.is_there() && listed(&play).contains(&ids[0]) && !listed(&play).contains(&ids[1]));
    assert!(matches!(play.wait(&running), Some(portal::RunReply::Done(done)) if done.result.is_ok()));
}
