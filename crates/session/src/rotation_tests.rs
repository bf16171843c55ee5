//! Refreshes whose messages come once more, late.

use super::test_support::*;
use super::*;
use base::ids::UserId;
use std::time::Duration;

/// A message is late, and its request has been made once more meanwhile: nobody has used a refresh token twice.
#[test]
fn a_refresh_whose_message_comes_once_more_late_is_no_reuse() {
    let mut s = Harness::new();
    s.open();
    let rotate = |generation, name: &str| Rotate {
        generation,
        user_id: UserId::issued(7),
        change_id: Some(name.to_owned()),
    };
    assert!(matches!(s.run(rotate(0, "a")), RotateReply::Tokens(_)));
    assert!(matches!(s.run(rotate(0, "b")), RotateReply::Tokens(_)));
    s.touch(1);
    s.recover();
    s.advance(POLICY.grace + MS);
    assert_eq!(s.run(rotate(0, "a")), RotateReply::Unknown);
    assert!(matches!(s.run(rotate(1, "c")), RotateReply::Tokens(_)));
    assert_eq!(s.run(rotate(0, "b")), RotateReply::Unknown, "two generations back");
    assert!(matches!(s.touch(2), Presence::Live(_)));
    // By another name it is one that somebody has used twice.
    assert!(matches!(s.run(rotate(0, "d")), RotateReply::Reused(_)));
}

#[test]
fn a_renewal_whose_message_comes_once_more_late_is_no_reuse() {
    let mut s = Harness::external();
    s.open();
    let renew =
        |name: &str| Renew { generation: 0, subject: "VPB-SME-1".into(), change_id: Some(name.to_owned()) };
    assert_eq!(s.run(renew("a")), verify());
    let change_ids = vec!["a".to_owned(), "b".to_owned()];
    let verified = Verified { generation: 0, verdict: Verdict::Valid, change_ids };
    assert!(matches!(s.run(verified), RenewReply::Tokens(_)));
    s.touch(1);
    s.advance(POLICY.grace + MS);
    for name in ["a", "b"] {
        assert_eq!(s.run(renew(name)), RenewStart::Reply(RenewReply::Unknown));
    }
    assert!(matches!(s.run(renew("c")), RenewStart::Reply(RenewReply::Reused(_))));
}

/// The refreshes that are known by name.
fn names(s: &Harness) -> Vec<String> {
    match &s.state {
        Some(State::Live(session)) => session.refreshes.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_the_last_refreshes_are_known_by_name() {
    let hour = Duration::from_hours(1);
    let mut s = Harness::with(Policy { idle: hour, refresh_ttl: hour, absolute: hour, ..POLICY });
    s.open();
    for generation in 0..20 {
        let change_id = Some(generation.to_string());
        s.run(Rotate { generation, user_id: UserId::issued(7), change_id });
    }
    assert_eq!(names(&s), ["12", "13", "14", "15", "16", "17", "18", "19"]);
    s.advance(Duration::from_mins(10) + MS);
    s.run(Rotate { generation: 20, user_id: UserId::issued(7), change_id: Some("20".to_owned()) });
    assert_eq!(names(&s), ["20"]);
}

/// Whoever repeats a refresh again and again, or waits for it twice, takes no other's place.
#[test]
fn a_refresh_that_is_repeated_is_known_once() {
    let mut s = Harness::new();
    s.open();
    let refresh = |generation: u64, name: &str| Rotate {
        generation,
        user_id: UserId::issued(7),
        change_id: Some(name.to_owned()),
    };
    s.run(refresh(0, "a"));
    for _ in 0..20 {
        assert!(matches!(s.run(refresh(1, "b")), RotateReply::Tokens(_)));
    }
    assert_eq!(names(&s), ["a", "b"]);
    // It is known as the last one again.
    s.run(refresh(2, "a"));
    assert_eq!(names(&s), ["b", "a"]);
    // The message of the first one comes once more, late, and is no reuse.
    assert_eq!(s.run(refresh(1, "b")), RotateReply::Unknown);
    let mut s = Harness::external();
    s.open();
    let change_ids = ["c", "d", "c"].map(str::to_owned).to_vec();
    s.run(Verified { generation: 0, verdict: Verdict::Valid, change_ids });
    assert_eq!(names(&s), ["d", "c"]);
}
