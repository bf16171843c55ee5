//! The list of somebody externally authenticated: a place without a password, and nothing kept without a session.

use super::*;
use base::account::{Account, EndReason};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use std::time::Duration;

const POLICY: UserPolicy = UserPolicy {
    limit: LimitPolicy { max: 2, evict: true },
    throttle: ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) },
    session_lifetime: Duration::from_mins(50),
};
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn account() -> Account {
    Account::post_login("VPB-SME-1".into(), NOW)
}

fn admit(user: &mut User, policy: &UserPolicy, session_id: &str, activity: &[(&str, u64)]) -> AdmitReply {
    let activity = activity
        .iter()
        .map(|(id, at)| Activity {
            session_id: SessionId::issued(*id),
            found: Found::Live(Timestamp::from_seconds(*at)),
        })
        .collect();
    let admit = Admit {
        account: account(),
        session_id: SessionId::issued(session_id),
        activity,
        replaces: None,
        confirms: false,
    };
    decide(user, admit, policy, NOW).reply
}

fn close(user: &mut User, session_id: &str) {
    decide(user, Close { session_id: SessionId::issued(session_id) }, &POLICY, NOW);
}

#[test]
fn nobody_is_remembered_without_a_session() {
    let mut user = User::default();
    assert!(matches!(admit(&mut user, &POLICY, "a", &[]), AdmitReply::Reserved(r) if r.account == account()));
    assert!(!user.is_disposable(NOW));
    close(&mut user, "a");
    assert!(user.is_disposable(NOW));
}

#[test]
fn a_repeated_call_takes_one_place() {
    let mut user = User::default();
    for _ in 0..3 {
        assert!(matches!(admit(&mut user, &POLICY, "a", &[]), AdmitReply::Reserved(_)));
    }
    assert_eq!(user.slots.len(), 1);
}

#[test]
fn at_the_limit_the_idlest_gives_way_once_it_is_known_which_it_is() {
    let mut user = User::default();
    for id in ["a", "b"] {
        assert!(matches!(admit(&mut user, &POLICY, id, &[]), AdmitReply::Reserved(_)));
    }
    let asked = admit(&mut user, &POLICY, "c", &[]);
    assert!(matches!(asked, AdmitReply::AtLimit(ref at) if at.sessions == ["a", "b"]), "{asked:?}");
    let told = admit(&mut user, &POLICY, "c", &[("a", 9), ("b", 5)]);
    assert!(matches!(told, AdmitReply::Reserved(ref r) if r.confirm), "{told:?}");
    for id in ["a", "b", "c"] {
        let opened = Opened { session_id: SessionId::issued(id), account_version: 0, unrecorded: false };
        let reply = decide(&mut user, opened, &POLICY, NOW).reply;
        assert!(matches!(reply, OpenedReply::Kept { .. }), "{reply:?}");
    }
    assert!(
        matches!(user.pending.as_slice(), [p] if p.task == Task::End(EndReason::Evicted) && p.session_id == "b")
    );
}

#[test]
fn at_the_limit_it_is_refused_where_nobody_gives_way() {
    let policy = UserPolicy { limit: LimitPolicy { max: 1, evict: false }, ..POLICY };
    let mut user = User::default();
    admit(&mut user, &policy, "a", &[]);
    let reply = admit(&mut user, &policy, "b", &[("a", 9)]);
    assert!(matches!(reply, AdmitReply::LimitExceeded { .. }), "{reply:?}");
    close(&mut user, "a");
    assert!(matches!(admit(&mut user, &policy, "b", &[]), AdmitReply::Reserved(_)), "a freed place is free");
}

#[test]
fn a_user_is_not_admitted_this_way() {
    let account = Account { user_id: UserId::issued(7), ..account() };
    let admit = Admit {
        account,
        session_id: SessionId::issued("a"),
        activity: Vec::new(),
        replaces: None,
        confirms: false,
    };
    let mut user = User::default();
    assert_eq!(decide(&mut user, admit, &POLICY, NOW).reply, AdmitReply::Failed);
    assert_eq!(user, User::default());
}
