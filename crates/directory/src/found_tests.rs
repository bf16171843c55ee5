//! What was found in real use: messages that are late, in the other order, half done, or meant for somebody else.

use super::password::Verdict;
use super::user_tests::{BORN, NOW, POLICY, USER, ended, login, run, somebody, update, with_session};
use super::*;
use base::account::EndReason;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

fn opened(user: &mut User, session_id: &str, account_version: u64) -> OpenedReply {
    run(user, Opened { session_id: SessionId::issued(session_id), account_version, unrecorded: false })
}

/// What was real: an admin takes a role away between a login's reservation and the opening of its session.
#[test]
fn f01_whoever_opens_a_session_learns_of_a_change_in_between() {
    let mut user = with_session();
    update(&mut user, Some(&["reader"]), None, None);
    let OpenedReply::Changed { account, account_version } = opened(&mut user, "s1", BORN) else {
        panic!("the change was missed")
    };
    assert_eq!((account.roles, account_version), (vec!["reader".to_owned()], BORN + 1));
    assert!(user.slots[0].reserved_until.is_some(), "not open before it knows");
    assert_eq!(opened(&mut user, "s1", BORN + 1), OpenedReply::Kept { displaced: vec![] });
    assert_eq!((user.slots[0].reserved_until, user.pending.len()), (None, 0));
}

#[test]
fn f02_a_reservation_that_is_freed_is_revoked() {
    let mut user = with_session();
    let later = user.slots[0].expires_at;
    decide(&mut user, Get, &POLICY, later);
    assert!(user.slots.is_empty());
    assert_eq!(user.pending[0].task, Task::End(EndReason::Evicted), "its opening may be on its way");
    assert_eq!(opened(&mut user, "s1", BORN), OpenedReply::Gone);
}

#[test]
fn f03_what_was_meant_for_another_user_of_the_name_does_nothing() {
    let mut user = with_session();
    let before = user.clone();
    let another = Some(UserId::issued(8));
    let end = End {
        only: None,
        keep: None,
        reason: EndReason::Admin,
        user_id: another,
        change_id: None,
        among: None,
    };
    assert_eq!(run(&mut user, end), EndReply::NoUser);
    assert_eq!(run(&mut user, RemoveUser { user_id: UserId::issued(8) }), EndReply::NoUser);
    let change =
        UserChange { user_id: another, roles: Some(vec![]), is_active: Some(false), ..UserChange::default() };
    assert_eq!(run(&mut user, change), UpdateReply::NoUser);
    assert_eq!(user, before);
}

/// The new one was registered while the old one was being removed, and comes late.
#[test]
fn f03_nobody_gets_the_id_of_the_one_who_was_removed() {
    let mut user = somebody();
    run(&mut user, RemoveUser { user_id: USER });
    let create =
        |id| NewUser { user_id: UserId::issued(id), username: "u".into(), roles: vec![], hash: "h".into() };
    assert_eq!(run(&mut user, create(7)), CreateReply::Exists);
    assert!(matches!(run(&mut user, create(8)), CreateReply::User(_)));
    assert_eq!(user.removed, None);
}

#[test]
fn f03_versions_do_not_begin_again_with_the_name() {
    let mut user = somebody();
    update(&mut user, Some(&["a"]), None, Some("h2"));
    let before = user.profile.clone().unwrap();
    run(&mut user, RemoveUser { user_id: USER });
    let create =
        NewUser { user_id: UserId::issued(8), username: "u".into(), roles: vec![], hash: "h".into() };
    decide(&mut user, create, &POLICY, NOW.plus(Duration::from_secs(1)));
    let after = user.profile.unwrap();
    assert!(after.version > before.version && after.account_version > before.account_version);
}

/// A user with as many open sessions as there may be, the last one the idlest.
fn at_the_limit() -> User {
    let mut user = somebody();
    for id in ["a", "b", "c", "d", "e"] {
        assert!(matches!(login(&mut user, Verdict::Match, id), LoginReply::Reserved(_)));
        assert!(matches!(opened(&mut user, id, BORN), OpenedReply::Kept { .. }));
    }
    user
}

fn reserve(user: &mut User, id: &str, replaces: Option<&str>, idle: &[&str]) {
    let activity = user.slots.iter().map(|s| {
        let idle =
            idle.iter().rev().position(|id| *id == s.session_id.as_str()).map_or(99, |at| 50 - at as u64);
        Activity { session_id: s.session_id.clone(), found: Found::Live(Timestamp::from_seconds(idle)) }
    });
    let (activity, replaces) = (activity.collect(), replaces.map(SessionId::issued));
    let reserve =
        Reserve { session_id: SessionId::issued(id), version: BORN, activity, replaces, confirms: false };
    let reply = run(user, reserve);
    assert!(matches!(&reply, ReserveReply::Reserved(r) if r.evicted.is_empty() && r.confirm), "{reply:?}");
}

fn displaced(user: &mut User, id: &str) -> Vec<(String, EndReason)> {
    match opened(user, id, BORN) {
        OpenedReply::Kept { displaced } => {
            displaced.into_iter().map(|d| (d.session_id.as_str().to_owned(), d.reason)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn f05_others_leave_when_the_new_session_is_open_and_not_before() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", None, &["c", "a"]);
    assert_eq!((user.slots.len(), user.pending.len()), (6, 0), "nobody has left");
    assert_eq!(displaced(&mut user, "f"), [("c".to_owned(), EndReason::Evicted)]);
    assert_eq!(displaced(&mut user, "f"), [("c".to_owned(), EndReason::Evicted)], "the answer was lost");
    run(&mut user, Close { session_id: SessionId::issued("c") });
    assert_eq!(displaced(&mut user, "f"), []);
    assert_eq!(user.slots.len(), 5);
}

#[test]
fn f05_a_login_that_fails_takes_nobodys_place() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", Some("b"), &["c"]);
    run(&mut user, Close { session_id: SessionId::issued("f") });
    assert_eq!((user.slots.len(), user.pending.len()), (5, 0));
    let checked = Checked { session_id: SessionId::issued("g"), found: Found::Ended };
    reserve(&mut user, "g", Some("b"), &["c"]);
    run(&mut user, checked);
    // Whoever has ended it may not have told of it.
    let promised: Vec<&str> = user.pending.iter().map(|p| p.session_id.as_str()).collect();
    assert_eq!((user.slots.len(), promised), (5, vec!["g"]));
}

#[test]
fn f05_logins_that_overlap_leave_as_many_as_there_may_be() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", None, &["c", "a", "b"]);
    reserve(&mut user, "g", None, &["c", "a", "b"]);
    // The second one opens first: one has to leave, not two.
    assert_eq!(displaced(&mut user, "g"), [("c".to_owned(), EndReason::Evicted)]);
    run(&mut user, Close { session_id: SessionId::issued("c") });
    // The one that the first was to displace is gone; the oldest leaves.
    assert_eq!(displaced(&mut user, "f"), [("a".to_owned(), EndReason::Evicted)]);
    let left: Vec<&str> = user.slots.iter().map(|s| s.session_id.as_str()).collect();
    assert_eq!(left, ["b", "d", "e", "f", "g"]);
}

#[test]
fn f05_the_one_that_is_replaced_leaves_and_nobody_else() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", Some("d"), &["c"]);
    assert_eq!(displaced(&mut user, "f"), [("d".to_owned(), EndReason::Logout)]);
}

/// The Worker died after the session had opened.
#[test]
fn f05_the_alarm_finds_the_session_open_and_makes_room() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", None, &["c"]);
    run(&mut user, Checked { session_id: SessionId::issued("f"), found: Found::Live(NOW) });
    assert_eq!(user.slots.len(), 5);
    assert_eq!(user.pending[0].task, Task::End(EndReason::Evicted));
    assert_eq!(user.pending[0].session_id, "c");
}

#[test]
fn ending_all_names_those_too_whose_end_has_begun_otherwise() {
    let mut user = at_the_limit();
    reserve(&mut user, "f", None, &["c"]);
    displaced(&mut user, "f");
    let (sessions, _) = ended(run(
        &mut user,
        End { only: None, keep: None, reason: EndReason::Admin, user_id: None, change_id: None, among: None },
    ));
    assert_eq!(sessions.len(), 6);
}

/// The answer was on its way while the session opened.
#[test]
fn f02_that_a_session_was_not_open_yet_does_not_take_its_place_away() {
    let mut user = with_session();
    assert!(matches!(opened(&mut user, "s1", BORN), OpenedReply::Kept { .. }));
    run(&mut user, Checked { session_id: SessionId::issued("s1"), found: Found::Unknown });
    let activity = vec![Activity { session_id: SessionId::issued("s1"), found: Found::Unknown }];
    let reserve = Reserve {
        session_id: SessionId::issued("s2"),
        version: BORN,
        activity,
        replaces: None,
        confirms: false,
    };
    assert!(matches!(run(&mut user, reserve), ReserveReply::Reserved(_)));
    assert_eq!((user.slots.len(), user.pending.len()), (2, 0));
}

/// What was real: the answers were lost, the login was told 503, and 10 s later the session that it was to replace was ended.
#[test]
fn f05_who_has_made_room_for_a_login_that_failed_gets_the_place_back() {
    let work = |user: &mut User| {
        begin_due(user, NOW.plus(Duration::from_secs(11)))
            .into_iter()
            .filter_map(|work| match work {
                Work::Do { session_id, lost_to, .. } => Some((session_id, lost_to)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let d = SessionId::issued("d");
    let mut user = at_the_limit();
    let place = user.slots.iter().find(|slot| slot.session_id == d).cloned().unwrap();
    reserve(&mut user, "f", Some("d"), &[]);
    displaced(&mut user, "f");
    // Another login does not end it in passing.
    assert_eq!(displaced(&mut user, "a"), []);
    assert_eq!(work(&mut user), [(d.clone(), Some(SessionId::issued("f")))]);
    let mut full = user.clone();
    assert!(run(&mut user, Spared { session_id: d.clone() }));
    let slots: Vec<&str> = user.slots.iter().map(|slot| slot.session_id.as_str()).collect();
    assert_eq!(slots, ["a", "b", "c", "e", "d"]);
    let active_at = user.slots.last().and_then(|slot| slot.active_at);
    assert_eq!(user.slots.last(), Some(&Slot { active_at, ..place }));
    assert_eq!(user.pending.iter().map(|p| p.task).collect::<Vec<_>>(), [Task::Sync]);
    assert!(!run(&mut user, Spared { session_id: d.clone() }), "once");

    // Somebody has logged in since: the place is gone. So it is when whoever may has said that all are to end.
    run(&mut full, Close { session_id: SessionId::issued("f") });
    let mut ending = full.clone();
    login(&mut full, Verdict::Match, "g");
    assert!(!run(&mut full, Spared { session_id: d.clone() }));
    update(&mut ending, Some(&["reader"]), None, None);
    assert_eq!(ending.pending[0].lost, None);
    assert!(!run(&mut ending, Spared { session_id: d }));
}

/// What was real: the reservation of a login that was under way for 40 s was freed by its own second try, and its end promised.
#[test]
fn a_login_that_comes_again_for_its_place_is_not_ended_by_itself() {
    let late = NOW.plus(Duration::from_secs(40));
    let mut user = at_the_limit();
    let place = || Place { session_id: SessionId::issued("e"), replaces: None, confirms: false };
    user.slots[4].reserved_until = Some(NOW.plus(Duration::from_secs(30)));
    let checked =
        CheckedPassword { verdict: Verdict::Match, rehashed: None, address: "a".into(), place: place() };
    let LoginReply::Reserved(_) = decide(&mut user, checked, &POLICY, late).reply else {
        panic!("at the limit")
    };
    assert_eq!(user.slots[4].reserved_until, Some(late.plus(Duration::from_secs(30))));
    assert_eq!((displaced(&mut user, "e"), user.pending.len()), (vec![], 0));
}

/// Its end was promised before it came once more: it must not be told that it is open.
#[test]
fn a_session_whose_end_is_promised_is_not_open() {
    let mut user = with_session();
    let s1 = SessionId::issued("s1");
    run(&mut user, Checked { session_id: s1.clone(), found: Found::Unknown });
    assert!(matches!(login(&mut user, Verdict::Match, "s1"), LoginReply::Reserved(_)));
    assert_eq!(opened(&mut user, "s1", BORN), OpenedReply::Gone);
    run(&mut user, Close { session_id: s1 });
}

/// What was real: a user was removed between the registration of the name and the creation of the account.
#[test]
fn f03_an_account_that_was_removed_before_it_was_created_is_not_created() {
    let mut user = User::default();
    assert_eq!(run(&mut user, RemoveUser { user_id: UserId::issued(9) }), EndReply::NoUser);
    assert_eq!(
        run(&mut user, RemoveUser { user_id: UserId::issued(8) }),
        EndReply::NoUser,
        "an older one, late"
    );
    let create =
        |id| NewUser { user_id: UserId::issued(id), username: "u".into(), roles: vec![], hash: "h".into() };
    assert_eq!(run(&mut user, create(9)), CreateReply::Exists);
    assert!(!user.is_disposable(NOW) && user.is_disposable(NOW.plus(Duration::from_mins(11))));
    assert!(matches!(run(&mut user, create(10)), CreateReply::User(_)));
}

/// What was real: the removal stopped half way, with the name off the list; then another admin made the user active again, and
/// no list had the new admin.
#[test]
fn f03_whose_removal_has_begun_is_not_made_active_again() {
    let mut user = with_session();
    let change = |is_active, removing| UserChange {
        user_id: Some(USER),
        is_active: Some(is_active),
        removing,
        ..UserChange::default()
    };
    assert!(matches!(run(&mut user, change(false, true)), UpdateReply::Sessions(_)));
    assert_eq!(run(&mut user, change(true, false)), UpdateReply::NoUser);
    assert!(!user.profile.as_ref().unwrap().is_active);
    // Asked for again, it goes on.
    assert!(matches!(run(&mut user, change(false, true)), UpdateReply::Sessions(_)));
    assert!(matches!(run(&mut user, RemoveUser { user_id: USER }), EndReply::Sessions(_)));
}
