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

fn again(generation: u64, at: base::clock::Timestamp, name: &str) -> Reauthenticate {
    Reauthenticate { generation, user_id: UserId::issued(7), at, change_id: name.to_owned() }
}

/// The grant of a live session.
fn grant(s: &Harness) -> Grant {
    match &s.state {
        Some(State::Live(session)) => session.grant,
        other => panic!("{other:?}"),
    }
}

fn given(reply: RotateReply) -> Pair {
    match reply {
        RotateReply::Tokens(tokens) => tokens.pair,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_given_again_makes_the_next_generation_and_a_rotation_keeps_the_time() {
    let mut s = Harness::new();
    s.open();
    let login = s.now;
    s.advance(Duration::from_secs(5));
    s.tokens(0);
    assert_eq!(grant(&s).authenticated_at, Some(login));
    s.advance(Duration::from_secs(5));
    let (now, pair) = (s.now, given(s.run(again(1, s.now, "a"))));
    assert_eq!((grant(&s).generation, grant(&s).authenticated_at), (2, Some(now)));
    // Its answer was lost: the same again, by the same message and by a refresh.
    assert_eq!(given(s.run(again(1, now, "a"))), pair);
    assert_eq!(s.tokens(1), pair);
    s.advance(Duration::from_secs(5));
    s.tokens(2);
    assert_eq!(grant(&s).authenticated_at, Some(now));
}

#[test]
fn the_time_is_that_of_the_password_and_never_moves_back() {
    let mut s = Harness::new();
    s.open();
    s.advance(Duration::from_secs(20));
    let early = s.now;
    s.advance(Duration::from_secs(20));
    given(s.run(again(0, s.now, "a")));
    let last = s.now;
    // Of another request, and late: it has less to say.
    s.advance(Duration::from_secs(5));
    given(s.run(again(1, early, "b")));
    assert_eq!(grant(&s).authenticated_at, Some(last));
    // A clock that goes ahead.
    given(s.run(again(2, s.now.plus(Duration::from_hours(1)), "c")));
    assert_eq!(grant(&s).authenticated_at, Some(s.now));
}

#[test]
fn a_password_that_comes_behind_a_rotation_logs_nobody_out() {
    let mut s = Harness::new();
    s.open();
    let rotated = s.tokens(0);
    s.advance(Duration::from_secs(1));
    let pair = given(s.run(again(0, s.now, "a")));
    assert_eq!((grant(&s).generation, grant(&s).authenticated_at), (1, Some(s.now)));
    assert_ne!(pair.access, rotated.access);
    // Nothing lives longer for it.
    assert!(pair.access_expires_at <= grant(&s).refresh_expires_at);
    // Whoever has rotated refreshes with what they have.
    s.advance(Duration::from_secs(1));
    assert!(matches!(s.rotate(1), RotateReply::Tokens(_)));
    // Much later, by a name that nobody knows: still no reuse. By a known one: its answer again, until nobody waits for it.
    s.touch(2);
    s.advance(POLICY.grace + MS);
    let generation = grant(&s).generation;
    given(s.run(again(0, s.now, "b")));
    assert_eq!(grant(&s).generation, generation);
    let sent = s.now;
    s.advance(POLICY.grace);
    given(s.run(again(0, sent, "b")));
    assert_eq!(grant(&s).generation, generation);
    s.advance(MS);
    assert_eq!(s.run(again(0, sent, "b")), RotateReply::Unknown);
    assert!(matches!(s.touch(2), Presence::Live(_)));
}

#[test]
fn nobody_else_s_password_and_no_generation_to_come_move_anything() {
    let mut s = Harness::new();
    assert_eq!(s.run(again(0, s.now, "a")), RotateReply::Unknown, "no such session");
    s.open();
    let before = s.state.clone();
    assert_eq!(s.run(again(1, s.now, "a")), RotateReply::Unknown);
    let other = Reauthenticate { user_id: UserId::issued(8), ..again(0, s.now, "a") };
    assert_eq!(s.run(other), RotateReply::Unknown);
    assert_eq!(s.state, before);
    // Of somebody externally authenticated there is none.
    let mut s = Harness::external();
    s.open();
    assert_eq!(s.run(again(0, s.now, "a")), RotateReply::Unknown);
    let login = s.now;
    s.advance(Duration::from_secs(5));
    s.renewed(0);
    assert_eq!(grant(&s).authenticated_at, Some(login), "a renewal is no login");
    // One that is over.
    let mut s = Harness::new();
    s.open();
    s.revoke(EndReason::Logout);
    assert!(matches!(s.run(again(0, s.now, "a")), RotateReply::Ended(_)));
}

/// What a release before has stored: its token has no such time, and neither has it when it is made again.
#[test]
fn a_grant_without_the_time_gets_one_with_the_next_rotation() {
    let mut s = Harness::new();
    s.open();
    let begun = s.now;
    if let Some(State::Live(session)) = &mut s.state {
        session.grant.authenticated_at = None;
    }
    s.recover();
    assert_eq!(grant(&s).authenticated_at, None);
    s.advance(Duration::from_secs(5));
    s.tokens(0);
    assert_eq!(grant(&s).authenticated_at, Some(begun));
}
