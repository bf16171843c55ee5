//! What single steps say, keep and plan, at the edges of time and of generations.

use super::test_support::*;
use super::*;
use base::clock::Timestamp;
use std::time::Duration;

#[test]
fn a_pair_counts_from_the_moment_at_which_it_is_given_out() {
    let mut s = Harness::new();
    assert_eq!(s.open().counted_from, s.now);
    s.advance(MS * 1500);
    assert_eq!(s.open().counted_from, s.now, "the same tokens again, a moment later");
    let rotated_at = s.now;
    assert_eq!(s.tokens(0).counted_from, rotated_at);
    s.advance(POLICY.grace);
    assert_eq!(s.tokens(0).counted_from, rotated_at, "a repeated answer counts as the first one did");
}

#[test]
fn a_request_is_not_told_what_only_its_owner_asks_for() {
    let mut s = Harness::new();
    s.open();
    let Presence::Live(told) = s.touch(0) else { panic!("not live") };
    assert_eq!((told.lifetime_ends_at, told.device), (None, None));
    let shown = s.peek();
    assert!(shown.lifetime_ends_at.is_some() && shown.device.is_some());
}

/// Whether the step would write anything.
fn saves(s: &Harness, generation: u64) -> bool {
    struct NoMint;
    impl Mint for NoMint {
        fn mint(&self, _: &Grant, _: &Account) -> Result<Pair, Fault> {
            Err(Fault)
        }
    }
    decide(s.state.clone(), touch(generation), &s.policy, s.now, &NoMint).unwrap().save
}

#[test]
fn only_the_current_generation_confirms_it_and_only_once() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    assert!(!saves(&s, 0), "the one before says nothing of the new one");
    s.touch(0);
    s.advance(POLICY.grace + MS);
    s.tokens(0);
    assert!(saves(&s, 1));
    s.touch(1);
    assert!(!saves(&s, 1) && !saves(&s, 0));
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
}

/// As if the release before had ended it.
fn by_the_release_before(s: &mut Harness) {
    let Some(State::Ended(tombstone)) = &mut s.state else { panic!("not ended") };
    tombstone.tokens_expire_at = None;
}

#[test]
fn an_end_is_needed_until_no_opening_comes_late_and_no_longer() {
    let mut s = Harness::new();
    s.open();
    let (began, set) = (s.now, s.alarm.unwrap());
    s.revoke(EndReason::Logout);
    let needed_until = |s: &Harness| match &s.state {
        Some(State::Ended(tombstone)) => tombstone.needed_until(),
        _ => panic!("not ended"),
    };
    assert_eq!(needed_until(&s), began.plus(BEGINNING));
    assert!(s.alarm.unwrap() >= set, "the alarm that it has is good for what is left to do");
    s.run(Unnoted);
    assert_eq!(s.alarm, Some(began.plus(PROPAGATE_AFTER)), "but not where KV was not told");
    // A session that is not new.
    let mut s =
        Harness::with(Policy { idle: TOMBSTONE, absolute: TOMBSTONE, refresh_ttl: TOMBSTONE, ..POLICY });
    s.open();
    s.advance(BEGINNING);
    s.revoke(EndReason::Logout);
    assert_eq!(needed_until(&s), s.now);
    let Some(State::Ended(tombstone)) = &s.state else { panic!("not ended") };
    assert_eq!(
        tombstone.tokens_expire_at,
        Some(s.now.minus(BEGINNING).plus(TOMBSTONE)),
        "of the refresh token"
    );
}

#[test]
fn a_token_ends_its_own_session_and_leaves_nothing_where_nobody_knows_it() {
    let shown = |subject: &str, generation| Revoke {
        reason: EndReason::Logout,
        token: Some(Presented { subject: subject.to_owned(), generation }),
    };
    let mut s = Harness::new();
    let revoked = s.run(shown("7", 0));
    assert!(!revoked.is_foreign && !revoked.ended.now && revoked.ended.end_propagated);
    assert_eq!(s.state, None);
    s.open();
    for foreign in [shown("8", 0), shown("7", 1)] {
        assert!(s.run(foreign).is_foreign);
        assert!(matches!(s.touch(0), Presence::Live(_)));
    }
    assert!(s.run(shown("7", 0)).ended.now);
}

#[test]
fn an_end_that_the_release_before_has_told_is_kept_for_its_time() {
    let mut s = Harness::new();
    s.open();
    let ended_at = s.now;
    s.revoke(EndReason::Logout);
    by_the_release_before(&mut s);
    s.now = ended_at.plus(PROPAGATE_AFTER);
    s.run(EndPropagated);
    assert!(matches!(s.run(Expire), Presence::Ended(e) if e.end_propagated), "told, and kept for its time");
    // It had just begun: what its login has written to KV may have come after that, so it is told once more.
    assert_eq!(s.alarm, Some(ended_at.plus(BEGINNING)));
    assert_eq!(s.state.as_ref().unwrap().alarm(&POLICY, s.now), ended_at.plus(BEGINNING));
    s.now = ended_at.plus(BEGINNING);
    assert!(matches!(s.run(Expire), Presence::Ended(e) if !e.end_propagated));
    s.run(EndPropagated);
    assert!(matches!(s.run(Expire), Presence::Ended(e) if e.end_propagated));
    assert_eq!(s.alarm, Some(ended_at.plus(TOMBSTONE)));
    assert_eq!(s.state.as_ref().unwrap().alarm(&POLICY, s.now), ended_at.plus(TOMBSTONE));
    s.now = ended_at.plus(TOMBSTONE);
    assert_eq!((s.run(Expire), s.state), (Presence::Unknown, None));
}

/// What was real: for thirty days it named whom it had been of.
#[test]
fn f09_once_nobody_is_to_be_told_of_an_end_it_names_nobody() {
    let mut s = Harness::new();
    s.open();
    s.revoke(EndReason::Logout);
    by_the_release_before(&mut s);
    s.run(EndPropagated);
    let Some(State::Ended(told)) = &s.state else { panic!("not ended") };
    assert_eq!(told.account, Some(account()), "it is told once more");
    s.advance(BEGINNING);
    assert!(matches!(s.run(Expire), Presence::Ended(e) if e.account == Some(account())));
    s.run(EndPropagated);
    let kept = Account { username: String::new(), roles: Vec::new(), ..account() };
    assert!(matches!(s.rotate(0), RotateReply::Ended(e) if e.account == Some(kept)));
    let text = serde_json::to_string(&s.state).unwrap();
    assert!(text.contains(r#""username":"","roles":[]"#), "{text}");
}

/// It was tried every 30 seconds, for ever.
#[test]
fn f08_an_end_that_cannot_be_told_is_tried_less_and_less_often_and_not_for_ever() {
    let mut s = Harness::new();
    s.open();
    let ended_at = s.now;
    s.revoke(EndReason::Logout);
    s.run(Unnoted);
    let mut tries = Vec::new();
    loop {
        let due = s.alarm.unwrap();
        // Whoever wakes up in between, or has lost its alarm, finds the same time.
        let before = due.minus(MS);
        assert_eq!(s.state.as_ref().unwrap().alarm(&POLICY, before), due);
        s.now = due;
        if s.run(Expire) == Presence::Unknown {
            break;
        }
        tries.push(due.since(ended_at));
    }
    assert_eq!(s.now, ended_at.plus(TOMBSTONE));
    let minutes: Vec<u64> = tries.iter().map(|at| at.as_secs() / 60).collect();
    assert_eq!(minutes[..9], [1, 2, 4, 8, 16, 32, 64, 124, 184]);
    assert!(tries.windows(2).all(|pair| pair[1] <= pair[0] + PROPAGATE_EVERY_MAX));
    assert!(tries.len() < 730, "{}", tries.len());
    // A clock that went back, or far ahead.
    s.open();
    s.revoke(EndReason::Logout);
    s.run(Unnoted);
    let ended_at = s.now;
    let state = s.state.clone().unwrap();
    assert_eq!(state.alarm(&POLICY, ended_at.minus(TOMBSTONE)), ended_at.plus(PROPAGATE_AFTER));
    assert!(state.alarm(&POLICY, Timestamp::from_millis(u64::MAX / 2)) > ended_at);
}

#[test]
fn a_recovered_session_wakes_when_it_may_be_over() {
    let mut s = Harness::new();
    s.open();
    s.recover();
    let unknown = POLICY.activity_write();
    let state = s.state.as_ref().unwrap();
    assert_eq!(state.alarm(&POLICY, s.now), s.now.plus(POLICY.idle + unknown + Duration::from_millis(1)));
}
