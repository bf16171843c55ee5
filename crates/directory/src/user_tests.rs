//! What may happen to a user, case by case.

use super::password::Verdict;
use super::*;
use base::account::EndReason;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

pub(super) const POLICY: UserPolicy = UserPolicy {
    limit: LimitPolicy { max: 5, evict: true },
    throttle: ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) },
    session_lifetime: Duration::from_mins(50),
};
pub(super) const USER: UserId = UserId::issued(7);
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// The version that an account begins with.
pub(super) const BORN: u64 = NOW.millis();

pub(super) fn run<S: Step>(user: &mut User, step: S) -> S::Reply {
    decide(user, step, &POLICY, NOW).reply
}

pub(super) fn login(user: &mut User, verdict: Verdict, session_id: &str) -> LoginReply {
    let place = Place { session_id: SessionId::issued(session_id), replaces: None, confirms: false };
    run(user, CheckedPassword { verdict, rehashed: None, address: "a".into(), place })
}

pub(super) fn update(
    user: &mut User,
    roles: Option<&[&str]>,
    is_active: Option<bool>,
    hash: Option<&str>,
) -> (Vec<SessionId>, Option<Task>) {
    let roles = roles.map(|r| r.iter().map(|r| (*r).to_owned()).collect());
    let hash = hash.map(str::to_owned);
    let change = UserChange { user_id: Some(USER), roles, is_active, hash, ..UserChange::default() };
    match run(user, change) {
        UpdateReply::Sessions(affected) => (affected.sessions, affected.task),
        other => panic!("{other:?}"),
    }
}

pub(super) fn somebody() -> User {
    let mut user = User::default();
    let create =
        NewUser { user_id: USER, username: "u".into(), roles: vec!["user".into()], hash: "h".into() };
    assert!(matches!(run(&mut user, create.clone()), CreateReply::User(p) if p.account.user_id == USER));
    assert_eq!(run(&mut user, create), CreateReply::Exists);
    user
}

pub(super) fn with_session() -> User {
    let mut user = somebody();
    assert!(matches!(login(&mut user, Verdict::Match, "s1"), LoginReply::Reserved(_)));
    user
}

pub(super) fn ended(reply: EndReply) -> (Vec<SessionId>, Option<Task>) {
    match reply {
        EndReply::Sessions(affected) => (affected.sessions, affected.task),
        EndReply::NoUser => panic!("no user"),
    }
}

#[test]
fn a_wrong_password_and_no_user_answer_alike() {
    let (mut user, mut nobody) = (somebody(), User::default());
    for _ in 0..3 {
        let delay = |reply| match reply {
            LoginReply::Refused(refused) => refused.delay_ms,
            other => panic!("{other:?}"),
        };
        let (wrong, none) =
            (login(&mut user, Verdict::Mismatch, "s"), login(&mut nobody, Verdict::Mismatch, "s"));
        assert_eq!(delay(wrong), delay(none));
    }
    let retry = |user: &User| match throttled(user, "a", NOW) {
        Some(throttled) => throttled.retry_after_ms,
        None => panic!("not throttled"),
    };
    assert_eq!(retry(&user), retry(&nobody));
    let refused = Refused { delay_ms: 400, user_id: None, dearer: None };
    assert_eq!(login(&mut nobody, Verdict::Match, "s"), LoginReply::Refused(refused));
}

#[test]
fn a_name_that_was_only_tried_is_forgotten() {
    let mut nobody = User::default();
    login(&mut nobody, Verdict::Mismatch, "s");
    assert!(!nobody.is_disposable(NOW));
    let at = next_alarm(&nobody).unwrap();
    assert!(nobody.is_disposable(at));
}

#[test]
fn a_disabled_user_is_told_so_only_with_the_right_password() {
    let mut user = somebody();
    update(&mut user, None, Some(false), None);
    assert!(matches!(login(&mut user, Verdict::Mismatch, "s"), LoginReply::Refused(_)));
    assert_eq!(login(&mut user, Verdict::Match, "s"), LoginReply::Inactive { user_id: USER });
}

#[test]
fn disabling_and_a_new_password_end_the_sessions() {
    for (active, hash, reason) in
        [(Some(false), None, EndReason::Disabled), (None, Some("h2"), EndReason::Password)]
    {
        let mut user = with_session();
        let task = Task::End(reason);
        assert_eq!((update(&mut user, None, active, hash)), (vec![SessionId::issued("s1")], Some(task)));
        assert!(user.slots.is_empty());
        assert_eq!(user.pending.len(), 1, "until somebody says that it is done");
        run(&mut user, Close { session_id: SessionId::issued("s1") });
        assert!(user.pending.is_empty());
    }
}

#[test]
fn an_end_that_was_not_finished_is_named_again() {
    let mut user = with_session();
    update(&mut user, None, Some(false), None);
    let (sessions, _) = ended(run(
        &mut user,
        End {
            only: None,
            keep: None,
            reason: EndReason::Disabled,
            user_id: None,
            change_id: None,
            among: None,
        },
    ));
    assert_eq!(sessions, ["s1"]);
}

#[test]
fn new_roles_are_told_to_the_sessions() {
    let mut user = with_session();
    assert_eq!((update(&mut user, Some(&["user"]), None, None)), (vec![], None), "the same roles");
    let expected = (vec![SessionId::issued("s1")], Some(Task::Sync));
    assert_eq!((update(&mut user, Some(&["admin"]), None, None)), expected);
    assert_eq!(user.slots.len(), 1);
    let synced = |account_version| Synced { session_id: SessionId::issued("s1"), account_version };
    for other in [None, Some(BORN), Some(BORN + 2)] {
        run(&mut user, synced(other));
        assert_eq!(user.pending.len(), 1, "another version, {other:?}, is not what was to be told");
    }
    run(&mut user, synced(Some(BORN + 1)));
    assert!(user.pending.is_empty());
}

#[test]
fn a_login_that_began_before_a_change_does_not_outlive_it() {
    let mut user = somebody();
    let reserve = |version| Reserve {
        session_id: SessionId::issued("s"),
        version,
        activity: vec![],
        replaces: None,
        confirms: false,
    };
    update(&mut user, None, None, Some("h2"));
    assert_eq!(
        run(&mut user, reserve(BORN)),
        ReserveReply::Refused(Refused { delay_ms: 0, user_id: Some(USER), dearer: None })
    );
    update(&mut user, None, Some(false), None);
    assert_eq!(run(&mut user, reserve(BORN + 1)), ReserveReply::Inactive { user_id: USER });
    assert!(user.slots.is_empty());
}

#[test]
fn only_what_is_on_the_list_can_be_closed() {
    let mut user = with_session();
    login(&mut user, Verdict::Match, "s2");
    let end = |only: Option<&str>, keep: Option<&str>| End {
        only: only.map(SessionId::issued),
        keep: keep.map(SessionId::issued),
        reason: EndReason::Logout,
        user_id: None,
        change_id: None,
        among: None,
    };
    assert_eq!(ended(run(&mut user, end(Some("another's"), None))).0, Vec::<SessionId>::new());
    assert_eq!(ended(run(&mut user, end(None, Some("s2")))).0, ["s1"]);
    assert_eq!(user.slots.len(), 1);
}

#[test]
fn a_removed_user_is_disposable_once_the_sessions_are_ended() {
    let mut user = with_session();
    let task = Some(Task::End(EndReason::Disabled));
    assert_eq!(ended(run(&mut user, RemoveUser { user_id: USER })), (vec![SessionId::issued("s1")], task));
    assert!(!user.is_disposable(NOW));
    run(&mut user, Close { session_id: SessionId::issued("s1") });
    let forgotten_at = NOW.plus(Duration::from_mins(10));
    assert_eq!(next_alarm(&user), Some(forgotten_at));
    assert!(!user.is_disposable(NOW) && user.is_disposable(forgotten_at));
    assert_eq!(run(&mut user, Get), GetReply::NoUser);
}

/// The simulation found it: a session's object can't be reached, and the alarm rang on and on for what was only to be forgotten.
#[test]
fn what_is_only_to_be_forgotten_waits_for_what_is_to_be_done() {
    let mut user = with_session();
    login(&mut user, Verdict::Mismatch, "s2");
    run(&mut user, RemoveUser { user_id: USER });
    let later = NOW.plus(Duration::from_mins(20));
    assert_eq!(begin_due(&mut user, later).len(), 1, "its session is to be ended");
    assert_eq!(next_alarm(&user), Some(later.plus(Duration::from_secs(30))));
    run(&mut user, Close { session_id: SessionId::issued("s1") });
    assert!(next_alarm(&user).is_some_and(|at| user.is_disposable(at)), "and then all at once");
}

#[test]
fn an_outdated_hash_is_replaced_at_login() {
    let mut user = somebody();
    run(
        &mut user,
        CheckedPassword {
            verdict: Verdict::MatchOutdated,
            rehashed: Some("h2".into()),
            address: "a".into(),
            place: Place { session_id: SessionId::issued("s"), replaces: None, confirms: false },
        },
    );
    assert_eq!(user.profile.unwrap().password, "h2");
}

#[test]
fn a_new_password_clears_the_failures() {
    let mut user = somebody();
    for _ in 0..5 {
        login(&mut user, Verdict::Mismatch, "s");
    }
    assert!(throttled(&user, "a", NOW).is_some());
    update(&mut user, None, None, Some("h2"));
    assert_eq!(throttled(&user, "a", NOW), None);
}

#[test]
fn a_login_whose_password_is_still_the_one_gets_its_place() {
    let mut user = somebody();
    let reserve = Reserve {
        session_id: SessionId::issued("s"),
        version: BORN,
        activity: vec![],
        replaces: None,
        confirms: false,
    };
    assert!(matches!(run(&mut user, reserve), ReserveReply::Reserved(r) if r.account.user_id == USER));
    assert_eq!(user.slots.len(), 1);
}

#[test]
fn what_changes_nothing_is_not_written() {
    let mut user = somebody();
    assert!(!decide(&mut user, Get, &POLICY, NOW).save);
    assert!(decide(&mut user, RemoveUser { user_id: USER }, &POLICY, NOW).save);
}

#[test]
fn what_a_session_was_told_says_nothing_of_others_or_of_their_ends() {
    let mut user = with_session();
    login(&mut user, Verdict::Match, "s2");
    update(&mut user, Some(&["admin"]), None, None);
    assert_eq!(user.pending.len(), 2);
    run(&mut user, Synced { session_id: SessionId::issued("s1"), account_version: Some(BORN + 1) });
    assert!(matches!(user.pending.as_slice(), [p] if p.session_id == "s2" && p.task == Task::Sync));
    update(&mut user, None, Some(false), None);
    run(&mut user, Synced { session_id: SessionId::issued("s2"), account_version: Some(BORN + 1) });
    assert_eq!(user.pending.len(), 2, "to be told of the roles is not to be ended");
}

#[test]
fn the_alarm_asks_after_a_reserved_place_and_does_what_is_left() {
    let mut user = with_session();
    login(&mut user, Verdict::Match, "s2");
    let reserved_until = NOW.plus(Duration::from_secs(30));
    assert_eq!(next_alarm(&user), Some(reserved_until));
    assert_eq!(begin_due(&mut user, reserved_until.minus(Duration::from_millis(1))), []);
    let check = |id: &str| Work::Check { session_id: SessionId::issued(id) };
    assert_eq!(begin_due(&mut user, reserved_until), [check("s1"), check("s2")]);
    assert_eq!(
        next_alarm(&user),
        Some(reserved_until.plus(Duration::from_secs(30))),
        "once more, if need be"
    );
    run(&mut user, Checked { session_id: SessionId::issued("s1"), found: Found::Live(NOW) });
    run(&mut user, Checked { session_id: SessionId::issued("s2"), found: Found::Unknown });
    assert!(matches!(user.slots.as_slice(), [s] if s.session_id == "s1" && s.reserved_until.is_none()));
    assert_eq!(next_alarm(&user), Some(NOW.plus(Duration::from_secs(10))), "s2 is to be revoked");
    run(&mut user, Close { session_id: SessionId::issued("s2") });
    // Whoever opened s1 did not say so, and so perhaps has not written its record either.
    let record = Work::Record { session_id: SessionId::issued("s1") };
    assert_eq!(begin_due(&mut user, NOW.plus(Duration::from_secs(10))), [record]);
    run(&mut user, Recorded { session_id: SessionId::issued("s1") });
    assert_eq!(next_alarm(&user), None);
    // One that was found again while another is asked after.
    login(&mut user, Verdict::Match, "s3");
    run(&mut user, Checked { session_id: SessionId::issued("s1"), found: Found::Live(NOW) });
    assert!(user.slots.iter().any(|s| s.session_id == "s3" && s.reserved_until.is_some()));
    // The same with what was promised.
    let end = End {
        only: Some(SessionId::issued("s1")),
        keep: None,
        reason: EndReason::Logout,
        user_id: None,
        change_id: None,
        among: None,
    };
    run(&mut user, end);
    let due = NOW.plus(Duration::from_secs(10));
    assert_eq!(begin_due(&mut user, due.minus(Duration::from_millis(1))), []);
    let work =
        Work::Do { session_id: SessionId::issued("s1"), task: Task::End(EndReason::Logout), lost_to: None };
    assert_eq!(begin_due(&mut user, due), [work]);
    assert_eq!(begin_due(&mut user, due), [], "later again");
}

/// What older releases have stored must be read by every newer one.
#[test]
fn the_stored_form_of_this_release_is_pinned() {
    let text = r#"{"profile":{"account":{"user_id":7,"username":"u","roles":[],"created_at":1},"is_active":true,"password":"h","version":0},"slots":[{"session_id":"s","created_at":1,"expires_at":2,"reserved_until":null}],"pending":[{"session_id":"p","task":{"end":"evicted"},"due":3},{"session_id":"q","task":"sync","due":3}],"throttle":{"overall":{"count":1,"last":1,"blocked_until":0},"addresses":[["a",{"count":1,"last":1,"blocked_until":0}]],"known":[["b",1]]}}"#;
    let user: User = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&user).unwrap(), text);
    assert_eq!(serde_json::from_str::<User>("{}").unwrap(), User::default());
}
