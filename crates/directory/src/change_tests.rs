//! How accounts change: whose message came twice, who may stop being an admin, a secret that works once.

use super::user_tests::*;
use super::*;
use base::account::EndReason;
use base::clock::Timestamp;
use base::ids::SessionId;
use password::Verdict;
use std::time::Duration;

fn admin() -> User {
    let mut user = User::default();
    let create = NewUser { user_id: USER, username: "u".into(), roles: vec![ADMIN.into()], hash: "h".into() };
    run(&mut user, create);
    noted(&mut user);
    user
}

fn noted(user: &mut User) {
    let account_version = version(user);
    run(user, NotedAdmin { account_version });
}

fn version(user: &User) -> u64 {
    user.profile.as_ref().unwrap().account_version
}

fn change(user: &User, change_id: &str) -> UserChange {
    let expected_version = Some(version(user));
    let change_id = Some(change_id.to_owned());
    UserChange { user_id: Some(USER), expected_version, change_id, ..UserChange::default() }
}

fn demote(user: &User) -> UserChange {
    UserChange { roles: Some(vec![]), ..change(user, "demote") }
}

fn affected(reply: UpdateReply) -> (Vec<SessionId>, Option<Task>) {
    match reply {
        UpdateReply::Sessions(affected) => (affected.sessions, affected.task),
        other => panic!("{other:?}"),
    }
}

fn ids(names: &[&str]) -> Vec<SessionId> {
    names.iter().map(|name| SessionId::issued(*name)).collect()
}

#[test]
fn a_change_whose_message_comes_twice_ends_nothing_that_was_opened_since() {
    let mut user = with_session();
    let disable = UserChange { is_active: Some(false), ..change(&user, "1") };
    let task = Some(Task::End(EndReason::Disabled));
    assert_eq!(affected(run(&mut user, disable.clone())), (ids(&["s1"]), task));
    // At once, because the answer was lost: the same answer.
    assert_eq!(affected(run(&mut user, disable.clone())), (ids(&["s1"]), task));
    run(&mut user, Close { session_id: SessionId::issued("s1") });
    let enable = UserChange { is_active: Some(true), ..change(&user, "2") };
    run(&mut user, enable);
    login(&mut user, Verdict::Match, "s2");
    assert_eq!(affected(run(&mut user, disable)), (ids(&[]), task));
    assert!(user.profile.as_ref().unwrap().is_active && user.slots.len() == 1);
    // The first message, which comes for the first time, late, and nobody waits for its answer.
    let lost = UserChange { hash: Some("h2".into()), ..change(&user, "3") };
    run(&mut user, UserChange { change_id: Some("4".into()), hash: Some("h3".into()), ..lost.clone() });
    login(&mut user, Verdict::Match, "s3");
    assert_eq!(run(&mut user, lost), UpdateReply::Changed);
    assert!(user.slots.len() == 1 && user.profile.as_ref().unwrap().password == "h3");
}

/// What was real: a removal was answered 503, and its message ended the session of a login that came 11 s after that.
#[test]
fn a_change_whose_message_comes_late_for_the_first_time_ends_nothing_that_was_opened_since() {
    let open = |user: &mut User, session_id: &str| {
        login(user, Verdict::Match, session_id);
        let (session_id, account_version) = (SessionId::issued(session_id), version(user));
        let opened = run(user, Opened { session_id, account_version, unrecorded: false });
        assert!(matches!(opened, OpenedReply::Kept { .. }));
    };
    for ends in [
        UserChange { is_active: Some(false), removing: true, ..UserChange::default() },
        UserChange { is_active: Some(false), ..UserChange::default() },
        UserChange { hash: Some("h2".into()), ..UserChange::default() },
        UserChange { hash: Some("h2".into()), reset: Some("secret".into()), ..UserChange::default() },
    ] {
        let mut user = with_session();
        open(&mut user, "s1");
        let among = Some(ids(&["s1"]));
        let asked = UserChange { user_id: Some(USER), expected_version: Some(version(&user)), among, ..ends };
        let mut other = user.clone();
        open(&mut user, "s2");
        let before = user.clone();
        // Before its password is hashed, and after.
        assert_eq!(run(&mut user, CheckChange(&asked)), Some(UpdateReply::Changed));
        assert_eq!(run(&mut user, asked.clone()), UpdateReply::Changed);
        assert_eq!(user, before);
        // What is about to open goes with the others: nobody has its tokens.
        login(&mut other, Verdict::Match, "s3");
        assert_eq!(affected(run(&mut other, asked)).0, ids(&["s1", "s3"]));
    }
}

#[test]
fn an_end_of_all_whose_message_comes_twice_ends_nothing_that_was_opened_since() {
    let mut user = with_session();
    let change_id = Some("1".to_owned());
    let end = End { only: None, keep: None, reason: EndReason::Admin, user_id: None, change_id, among: None };
    assert_eq!(ended(run(&mut user, end.clone())).0, ids(&["s1"]));
    login(&mut user, Verdict::Match, "s2");
    assert_eq!(ended(run(&mut user, end.clone())).0, ids(&["s1"]), "what is still to be ended");
    run(&mut user, Close { session_id: SessionId::issued("s1") });
    assert_eq!(ended(run(&mut user, end.clone())).0, ids(&[]));
    assert_eq!(user.slots.len(), 1);
    // It is remembered for longer than a message can be late, and not for ever.
    for number in 0..40 {
        let number = number.to_string();
        let other = UserChange { roles: Some(vec![number.clone()]), ..change(&user, &number) };
        run(&mut user, other);
    }
    assert_eq!(user.changes.len(), 16);
}

#[test]
fn an_end_of_all_whose_message_comes_late_for_the_first_time_ends_what_was_open_when_it_was_asked_for() {
    let mut user = with_session();
    let end = |among| End {
        only: None,
        keep: None,
        reason: EndReason::Admin,
        user_id: None,
        change_id: Some("1".to_owned()),
        among,
    };
    // One that is still to be ended is told of, whoever has ended it.
    login(&mut user, Verdict::Match, "s2");
    run(&mut user, End { only: Some(SessionId::issued("s2")), change_id: None, ..end(None) });
    let among = user.slots.iter().map(|s| s.session_id.clone()).collect();
    login(&mut user, Verdict::Match, "s3");
    let mut other = user.clone();
    assert_eq!(ended(run(&mut user, end(Some(among)))).0, ids(&["s2", "s1"]));
    assert_eq!(user.slots.len(), 1);
    // A Worker of the release before does not say which.
    assert_eq!(ended(run(&mut other, end(None))).0, ids(&["s2", "s1", "s3"]));
}

#[test]
fn what_a_customer_has_ended_is_remembered_while_its_message_may_come_again() {
    let mut user = User::default();
    let account = base::account::Account::post_login("VPB-SME-1".into(), NOW);
    let admit = |session_id: &str| Admit {
        account: account.clone(),
        session_id: SessionId::issued(session_id),
        activity: Vec::new(),
        replaces: None,
        confirms: false,
    };
    run(&mut user, admit("s1"));
    let change_id = Some("1".to_owned());
    let end =
        End { only: None, keep: None, reason: EndReason::Logout, user_id: None, change_id, among: None };
    run(&mut user, end.clone());
    run(&mut user, Close { session_id: SessionId::issued("s1") });
    assert!(user.is_deserted() && !user.is_disposable(NOW));
    let forgotten_at = next_alarm(&user).unwrap();
    run(&mut user, admit("s2"));
    assert_eq!(ended(run(&mut user, end)).0, ids(&[]));
    run(&mut user, Close { session_id: SessionId::issued("s2") });
    assert!(user.is_disposable(forgotten_at) && forgotten_at <= NOW.plus(Duration::from_mins(10)));
}

#[test]
fn nobody_stops_being_an_admin_unless_the_directory_agrees_to_this_very_version() {
    for leave in [
        |user: &User| demote(user),
        |user: &User| UserChange { is_active: Some(false), ..change(user, "disable") },
        |user: &User| UserChange { is_active: Some(false), roles: Some(vec![]), ..change(user, "both") },
    ] {
        let mut user = admin();
        let asking = leave(&user);
        assert_eq!(run(&mut user, asking.clone()), UpdateReply::AskDirectory);
        let agreed = UserChange { agreed: true, ..asking };
        let mut other = user.clone();
        // Made in time.
        affected(run(&mut user, agreed.clone()));
        assert!(!is_admin(user.profile.as_ref().unwrap()));
        let due = user.admin_sync.as_ref().unwrap();
        assert!(!due.asked && due.due > NOW, "the directory is to hear of it");
        // Somebody else was faster: the agreement was for the version before.
        let rename = UserChange { roles: Some(vec![ADMIN.into(), "x".into()]), ..change(&other, "other") };
        affected(run(&mut other, rename));
        assert_eq!(run(&mut other, agreed), UpdateReply::Changed);
        assert!(is_admin(other.profile.as_ref().unwrap()));
        assert!(other.admin_sync.is_some(), "the directory may not count an admin who is one");
    }
}

#[test]
fn an_agreement_that_is_not_used_is_void_before_the_directory_hears_so() {
    let mut user = admin();
    let asking = demote(&user);
    run(&mut user, asking.clone());
    let at = next_alarm(&user).unwrap();
    let before = version(&user);
    assert_eq!(begin_due(&mut user, at), [Work::NoteAdmin]);
    assert_eq!(version(&user), before + 1);
    assert_eq!(run(&mut user, UserChange { agreed: true, ..asking }), UpdateReply::Changed);
    // Told; and told too early, of a version that was asked about again meanwhile.
    let told = version(&user);
    let again = demote(&user);
    run(&mut user, again);
    run(&mut user, NotedAdmin { account_version: told });
    assert!(user.admin_sync.is_some());
    let at = next_alarm(&user).unwrap();
    begin_due(&mut user, at);
    noted(&mut user);
    assert_eq!((user.admin_sync.as_ref(), next_alarm(&user)), (None, None));
}

#[test]
fn what_the_release_before_has_told_the_directory_is_told_once_more() {
    let mut user = somebody();
    assert_eq!(user.admin_sync, None, "who is registered is no admin");
    user.profile.as_mut().unwrap().noted = false;
    user.profile.as_mut().unwrap().account_version = 0;
    run(&mut user, Get);
    let at = next_alarm(&user).unwrap();
    assert_eq!(begin_due(&mut user, at), [Work::NoteAdmin]);
    assert_eq!(version(&user), 1, "one that the directory has not heard of");
    noted(&mut user);
    run(&mut user, Get);
    assert_eq!(user.admin_sync, None);
}

#[test]
fn a_worker_of_the_release_before_has_asked_already() {
    let mut user = admin();
    affected(run(&mut user, UserChange { roles: Some(vec![]), ..UserChange::default() }));
    assert!(!is_admin(user.profile.as_ref().unwrap()) && user.admin_sync.is_some());
}

#[test]
fn a_secret_makes_somebody_an_admin_again_once() {
    let mut user = with_session();
    update(&mut user, None, Some(false), None);
    let reset = |user: &User, id: &str, secret: &str| UserChange {
        roles: Some(vec![ADMIN.into(), "user".into()]),
        is_active: Some(true),
        hash: Some(format!("hash of {id}")),
        reset: Some(secret.into()),
        ..change(user, id)
    };
    let first = reset(&user, "1", "secret");
    affected(run(&mut user, first.clone()));
    assert!(is_admin(user.profile.as_ref().unwrap()));
    affected(run(&mut user, first));
    let password = |user: &User| user.profile.as_ref().unwrap().password.clone();
    let second = reset(&user, "2", "secret");
    assert_eq!(run(&mut user, second), UpdateReply::ResetUsed);
    assert_eq!(password(&user), "hash of 1");
    let third = reset(&user, "3", "another");
    affected(run(&mut user, third));
    assert_eq!(password(&user), "hash of 3");
}

/// The alarm would come again at once, and again, until the last of them is forgotten.
#[test]
fn what_is_to_be_forgotten_wakes_nobody_before_the_last_of_it_is_over() {
    let mut user = somebody();
    let change_id = Some("1".to_owned());
    run(
        &mut user,
        End { only: None, keep: None, reason: EndReason::Admin, user_id: None, change_id, among: None },
    );
    let at = |minutes: u64| NOW.plus(Duration::from_mins(minutes));
    decide(&mut user, RemoveUser { user_id: USER }, &POLICY, at(2));
    let place = Place { session_id: SessionId::issued("s"), replaces: None, confirms: false };
    let guess = CheckedPassword { verdict: Verdict::Mismatch, rehashed: None, address: "a".into(), place };
    decide(&mut user, guess, &POLICY, at(5));
    assert_eq!(next_alarm(&user), Some(at(20)));
    assert!(!user.is_disposable(at(12)));
    assert!(user.is_disposable(at(20)));
}

#[test]
fn f08_what_cannot_be_done_for_a_session_is_tried_less_and_less_often() {
    let mut user = with_session();
    update(&mut user, None, Some(false), None);
    let mut tries: Vec<Timestamp> = Vec::new();
    while let Some(at) = next_alarm(&user).filter(|_| tries.len() < 20_000) {
        if !begin_due(&mut user, at).is_empty() {
            tries.push(at);
        }
    }
    let seconds: Vec<u64> = tries.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert_eq!(seconds[..11], [30, 30, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    assert!(seconds.iter().all(|s| *s <= 3_600));
    assert_eq!(tries.len(), 9_600, "and then it is given up");
}
