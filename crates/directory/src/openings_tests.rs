//! Places that are reserved in memory while a login is under way.

use super::password::Verdict;
use super::user_tests::{BORN, NOW, POLICY, USER, ended, run, somebody, update};
use super::*;
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::SessionId;
use std::time::Duration;

const REJECT: UserPolicy = UserPolicy { limit: LimitPolicy { max: 2, evict: false }, ..POLICY };

fn id(name: &str) -> SessionId {
    SessionId::issued(name)
}

fn right(session_id: &str, replaces: Option<&str>) -> CheckedPassword {
    let place = Place { session_id: id(session_id), replaces: replaces.map(id), confirms: true };
    CheckedPassword { verdict: Verdict::Match, rehashed: None, address: "home".into(), place }
}

/// A login that gets its place, for which nothing is written.
fn reserve(user: &mut User, session_id: &str, replaces: Option<&str>) -> Reserved {
    let decision = decide(user, right(session_id, replaces), &POLICY, NOW);
    assert!(!decision.save, "{session_id}");
    match decision.reply {
        LoginReply::Reserved(reserved) => reserved,
        other => panic!("{other:?}"),
    }
}

fn opened(user: &mut User, session_id: &str, account_version: u64) -> OpenedReply {
    run(user, Opened { session_id: id(session_id), account_version, unrecorded: false })
}

fn log_in(user: &mut User, session_id: &str) {
    reserve(user, session_id, None);
    assert_eq!(opened(user, session_id, BORN), OpenedReply::Kept { displaced: vec![] });
}

fn listed(user: &User) -> Vec<&str> {
    user.slots.iter().map(|slot| slot.session_id.as_str()).collect()
}

fn end_all() -> End {
    End { only: None, keep: None, reason: EndReason::Admin, user_id: None, change_id: None, among: None }
}

/// As an instance finds it that has taken another one's place: what is stored, and nothing else.
fn replaced(user: &User) -> User {
    serde_json::from_str(&serde_json::to_string(user).unwrap()).unwrap()
}

#[test]
fn a_login_is_written_once_when_its_session_is_open() {
    let mut user = somebody();
    let reserved = reserve(&mut user, "a", None);
    assert_eq!((reserved.confirm, reserved.until), (true, Some(NOW.plus(Duration::from_secs(30)))));
    assert_eq!((next_alarm(&user), listed(&user)), (None, vec![]));
    let open = Opened { session_id: id("a"), account_version: BORN, unrecorded: false };
    assert!(decide(&mut user, open.clone(), &POLICY, NOW).save);
    assert_eq!((user.slots[0].reserved_until, next_alarm(&user)), (None, None));
    assert_eq!(user.under_way, UnderWay::default());
    // Its answer was lost.
    let again = decide(&mut user, open, &POLICY, NOW);
    assert_eq!((again.reply, again.save), (OpenedReply::Kept { displaced: vec![] }, false));
    // Its address is known from then on.
    for n in 0..100 {
        let address = format!("bot-{n}");
        let place = Place { session_id: id("x"), replaces: None, confirms: true };
        run(&mut user, CheckedPassword { verdict: Verdict::Mismatch, rehashed: None, address, place });
    }
    assert!(throttled(&user, "home", NOW).is_none() && throttled(&user, "elsewhere", NOW).is_some());
}

#[test]
fn failures_that_a_right_password_forgives_are_forgiven_at_once() {
    let mut user = somebody();
    for _ in 0..3 {
        run(&mut user, CheckedPassword { verdict: Verdict::Mismatch, ..right("x", None) });
    }
    let later = NOW.plus(Duration::from_secs(2));
    assert!(throttled(&user, "home", NOW).is_some() && throttled(&user, "home", later).is_none());
    let decision = decide(&mut user, right("a", None), &POLICY, later);
    assert!(decision.save && matches!(decision.reply, LoginReply::Reserved(_)));
    assert!(!user.throttle.has_failed("home"));
}

/// A late message, or one to an instance that has been replaced meanwhile.
#[test]
fn f02_what_was_reserved_by_an_instance_that_is_gone_is_no_place() {
    let mut user = somebody();
    reserve(&mut user, "a", None);
    let mut user = replaced(&user);
    let before = user.clone();
    assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Gone);
    assert_eq!(user, before);
}

#[test]
fn f02_a_place_whose_time_is_over_is_free_and_its_session_revoked() {
    let mut user = somebody();
    reserve(&mut user, "a", None);
    let until = NOW.plus(Duration::from_secs(30));
    assert!(!decide(&mut user, Get, &POLICY, until.minus(Duration::from_millis(1))).save);
    assert!(user.has_place(&id("a")));
    decide(&mut user, Get, &POLICY, until);
    assert!(!user.has_place(&id("a")));
    assert_eq!(user.pending[0].task, Task::End(EndReason::Evicted), "it may have opened");
    assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Gone);
}

/// A write that said it had failed was done.
#[test]
fn a_session_that_is_on_the_list_is_not_revoked_for_what_was_reserved() {
    let mut user = somebody();
    reserve(&mut user, "a", None);
    let under_way = user.under_way.clone();
    opened(&mut user, "a", BORN);
    for open in [true, false] {
        let mut user = User { under_way: under_way.clone(), ..user.clone() };
        if open {
            assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Kept { displaced: vec![] });
        }
        decide(&mut user, Get, &POLICY, NOW.plus(Duration::from_secs(40)));
        assert_eq!(
            (listed(&user), user.pending.len(), &user.under_way),
            (vec!["a"], 0, &UnderWay::default())
        );
    }
}

#[test]
fn f01_whoever_opens_a_session_learns_of_a_change_in_between() {
    let mut user = somebody();
    reserve(&mut user, "a", None);
    let (told, _) = update(&mut user, Some(&["reader"]), None, None);
    assert!(told.is_empty() && user.pending.is_empty(), "it is not open, and is told by its login");
    let OpenedReply::Changed { account, account_version } = opened(&mut user, "a", BORN) else {
        panic!("the change was missed")
    };
    assert_eq!((account.roles, account_version), (vec!["reader".to_owned()], BORN + 1));
    assert!(listed(&user).is_empty(), "not open before it knows");
    assert_eq!(opened(&mut user, "a", BORN + 1), OpenedReply::Kept { displaced: vec![] });
}

/// Whatever ends all sessions ends also what is about to open.
#[test]
fn what_ends_all_ends_what_is_under_way() {
    type Ends = fn(&mut User) -> Vec<SessionId>;
    let ways: [(Ends, EndReason); 6] = [
        (|user| ended(run(user, end_all())).0, EndReason::Admin),
        (|user| ended(run(user, End { only: Some(id("a")), ..end_all() })).0, EndReason::Admin),
        (|user| ended(run(user, End { among: Some(vec![id("a")]), ..end_all() })).0, EndReason::Admin),
        (|user| update(user, None, Some(false), None).0, EndReason::Disabled),
        (|user| update(user, None, None, Some("h2")).0, EndReason::Password),
        (|user| ended(run(user, RemoveUser { user_id: USER })).0, EndReason::Disabled),
    ];
    for (way, reason) in ways {
        let mut user = somebody();
        reserve(&mut user, "a", None);
        assert_eq!(way(&mut user), [id("a")]);
        assert_eq!(user.pending.iter().map(|p| p.task).collect::<Vec<_>>(), [Task::End(reason)]);
        assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Gone);
        // Nor is it open where the instance is replaced after that.
        assert_eq!(opened(&mut replaced(&user), "a", BORN), OpenedReply::Gone);
    }
    // One that is kept, and one that was not meant, go on.
    for end in [End { keep: Some(id("a")), ..end_all() }, End { among: Some(vec![]), ..end_all() }] {
        let mut user = somebody();
        reserve(&mut user, "a", None);
        run(&mut user, end);
        assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Kept { displaced: vec![] });
    }
}

#[test]
fn what_is_under_way_is_named_with_what_is_open() {
    let mut user = somebody();
    log_in(&mut user, "a");
    reserve(&mut user, "b", None);
    let GetReply::User(profile) = run(&mut user, Get) else { panic!("no user") };
    let places: Vec<_> = profile.slots.iter().map(|s| (s.session_id.as_str(), s.reserved_until)).collect();
    assert_eq!(places, [("a", None), ("b", Some(NOW.plus(Duration::from_secs(30))))]);
}

#[test]
fn f05_a_login_that_fails_takes_nobodys_place_and_writes_nothing() {
    let mut user = somebody();
    log_in(&mut user, "a");
    reserve(&mut user, "b", Some("a"));
    assert!(!decide(&mut user, Close { session_id: id("b") }, &POLICY, NOW).save);
    assert_eq!((listed(&user), &user.under_way), (vec!["a"], &UnderWay::default()));
}

#[test]
fn f05_the_one_that_is_replaced_leaves_when_the_new_one_is_open() {
    let mut user = somebody();
    log_in(&mut user, "a");
    reserve(&mut user, "b", Some("a"));
    assert_eq!(listed(&user), ["a"]);
    let displaced = vec![Displaced { session_id: id("a"), reason: EndReason::Logout }];
    assert_eq!(opened(&mut user, "b", BORN), OpenedReply::Kept { displaced });
    assert_eq!(listed(&user), ["b"]);
    let lost = user.pending[0].lost.as_ref().unwrap();
    assert_eq!((&lost.to, lost.slot.session_id.as_str()), (&id("b"), "a"));
    assert!(
        run(&mut user, Spared { session_id: id("a") }),
        "and has its place back if that one is not there"
    );
}

/// Of logins at once no more get a place than there are, in whatever order they open.
#[test]
fn the_limit_counts_what_is_under_way() {
    let mut user = somebody();
    for name in ["a", "b"] {
        assert!(matches!(decide(&mut user, right(name, None), &REJECT, NOW).reply, LoginReply::Reserved(_)));
    }
    let LoginReply::AtLimit(at) = decide(&mut user, right("c", None), &REJECT, NOW).reply else {
        panic!("a place too many")
    };
    assert_eq!(at.sessions, [id("a"), id("b")]);
    let reserve = |activity: &[(&str, Found)]| Reserve {
        session_id: id("c"),
        version: BORN,
        activity: activity
            .iter()
            .map(|(name, found)| Activity { session_id: id(name), found: *found })
            .collect(),
        replaces: None,
        confirms: true,
    };
    let unknown = [("a", Found::Unknown), ("b", Found::Live(NOW))];
    let full = ReserveReply::LimitExceeded { user_id: USER };
    assert_eq!(decide(&mut user, reserve(&unknown), &REJECT, NOW).reply, full);
    // One that has failed has ended: its place is free, and nothing is left to do for it.
    let decision = decide(&mut user, reserve(&[("a", Found::Ended)]), &REJECT, NOW);
    assert!(matches!(decision.reply, ReserveReply::Reserved(_)) && !decision.save);
    assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Gone);
    for name in ["c", "b"] {
        assert!(matches!(opened(&mut user, name, BORN), OpenedReply::Kept { .. }));
    }
    assert_eq!(listed(&user), ["c", "b"]);
}

/// Those idle longest make room, also for many at once.
#[test]
fn f05_logins_that_overlap_leave_as_many_as_there_may_be() {
    let mut user = somebody();
    for name in ["a", "b", "c", "d", "e"] {
        log_in(&mut user, name);
    }
    let activity = |idlest: &str| {
        let of = |name: &str| Found::Live(if name == idlest { Timestamp::default() } else { NOW });
        ["a", "b", "c", "d", "e"].map(|name| Activity { session_id: id(name), found: of(name) }).to_vec()
    };
    for (name, idlest) in [("f", "c"), ("g", "c")] {
        assert!(matches!(run(&mut user, right(name, None)), LoginReply::AtLimit(_)));
        let (session_id, activity) = (id(name), activity(idlest));
        let reserve = Reserve { session_id, version: BORN, activity, replaces: None, confirms: true };
        let decision = decide(&mut user, reserve, &POLICY, NOW);
        assert!(matches!(decision.reply, ReserveReply::Reserved(_)) && !decision.save);
    }
    for name in ["g", "f"] {
        assert!(matches!(opened(&mut user, name, BORN), OpenedReply::Kept { .. }));
        assert_eq!(user.slots.len(), 5);
    }
    assert_eq!(listed(&user), ["b", "d", "e", "g", "f"]);
}

/// The address of a login at the limit is noted if that is news.
#[test]
fn where_a_login_at_the_limit_came_from_is_noted_once_a_day() {
    let mut user = somebody();
    let limit = LimitPolicy { max: 1, evict: true };
    let full = UserPolicy { limit, session_lifetime: Duration::from_hours(720), ..POLICY };
    assert!(matches!(decide(&mut user, right("a", None), &full, NOW).reply, LoginReply::Reserved(_)));
    opened(&mut user, "a", BORN);
    let day = Duration::from_hours(24);
    for (later, save) in [(Duration::ZERO, false), (day, true), (day, false)] {
        let decision = decide(&mut user, right("b", None), &full, NOW.plus(later));
        assert!(matches!(decision.reply, LoginReply::AtLimit(_)));
        assert_eq!(decision.save, save, "{later:?}");
    }
}

/// A Worker of the release before may give the tokens out without a word. What is stored for it runs out by the alarm.
#[test]
fn for_a_worker_that_may_not_say_that_a_session_is_open_its_place_is_stored() {
    let mut user = somebody();
    let place = Place { session_id: id("a"), replaces: None, confirms: false };
    let decision = decide(&mut user, CheckedPassword { place, ..right("a", None) }, &POLICY, NOW);
    assert!(decision.save);
    let mut user = replaced(&user);
    assert_eq!(next_alarm(&user), Some(NOW.plus(Duration::from_secs(30))));
    assert_eq!(opened(&mut user, "a", BORN), OpenedReply::Kept { displaced: vec![] });
}

#[test]
fn nothing_is_kept_of_somebody_externally_authenticated_before_a_session_is_open() {
    let account = || Account::post_login("VPB-SME-1".into(), NOW);
    let admit = |name: &str, activity: Vec<Activity>| Admit {
        account: account(),
        session_id: id(name),
        activity,
        replaces: None,
        confirms: true,
    };
    let mut user = User::default();
    for name in ["a", "b"] {
        let decision = decide(&mut user, admit(name, vec![]), &REJECT, NOW);
        assert!(matches!(decision.reply, AdmitReply::Reserved(r) if r.account == account()));
        assert!(!decision.save);
    }
    let reply = decide(&mut user, admit("c", vec![]), &REJECT, NOW).reply;
    let AdmitReply::AtLimit(AtLimit { sessions, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(sessions, [id("a"), id("b")]);
    let activity = vec![Activity { session_id: id("a"), found: Found::Unknown }];
    let reply = decide(&mut user, admit("c", activity), &REJECT, NOW).reply;
    assert!(matches!(reply, AdmitReply::LimitExceeded { .. }), "{reply:?}");
    assert_eq!(user.profile, None);
    assert_eq!(opened(&mut user, "a", 0), OpenedReply::Kept { displaced: vec![] });
    assert_eq!(user.profile.as_ref().map(|stored| stored.account.clone()), Some(account()));
    run(&mut user, Close { session_id: id("b") });
    assert!(!user.is_disposable(NOW));
    run(&mut user, Close { session_id: id("a") });
    assert!(user.is_disposable(NOW));
}
