//! The rules of a session one by one, at their edges.
//!
//! Over 400 lines: a list.

use super::test_support::*;
use super::*;
use base::ids::UserId;

#[test]
fn opening_gives_generation_zero() {
    let mut s = Harness::new();
    let pair = s.open();
    assert_eq!(pair.access_expires_at, s.now.plus(POLICY.access_ttl));
    let live = s.peek();
    assert_eq!((live.generation, live.last_activity), (0, s.now));
    assert_eq!(live.idle_expires_at, s.now.plus(POLICY.idle));
    assert_eq!(live.absolute_expires_at, s.now.plus(POLICY.absolute));
    assert_eq!(s.alarm, Some(s.now.plus(POLICY.idle).plus(MS)));
}

#[test]
fn a_login_whose_answer_was_lost_on_the_way_gets_the_same_tokens() {
    let mut s = Harness::new();
    let pair = s.open();
    s.recover();
    let again = s.open();
    assert_eq!((again.access, again.refresh), (pair.access, pair.refresh));
    s.tokens(0);
    assert_eq!(s.run(open_command()), OpenReply::Unknown, "not once it was used");
}

#[test]
fn a_session_is_live_at_exactly_the_timeout_and_not_after() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle);
    assert!(matches!(s.touch(0), Presence::Live(_)));
    s.advance(POLICY.idle + MS);
    assert!(matches!(s.touch(0), Presence::Ended(e) if e.reason == EndReason::Inactivity && e.now));
    assert!(matches!(s.touch(0), Presence::Ended(e) if !e.now));
}

#[test]
fn a_passive_request_is_let_in_and_is_no_activity() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle);
    assert!(matches!(s.run(Touch { generation: 0, passive: true }), Presence::Live(_)));
    s.advance(MS);
    assert!(matches!(s.touch(0), Presence::Ended(e) if e.reason == EndReason::Inactivity));
}

#[test]
fn the_absolute_lifetime_ends_a_busy_session() {
    let mut s = Harness::new();
    s.open();
    let end = s.now.plus(POLICY.absolute);
    let mut generation = 0;
    while s.now < end.minus(POLICY.idle / 2) {
        s.advance(POLICY.idle / 2);
        let RotateReply::Tokens(Tokens { pair, .. }) = s.rotate(generation) else {
            panic!("no tokens at {:?}", s.now)
        };
        assert!(pair.access_expires_at <= end);
        generation += 1;
    }
    assert_eq!(s.peek().absolute_expires_at, end);
    s.now = end;
    assert!(matches!(s.rotate(generation), RotateReply::Ended(e) if e.reason == EndReason::Lifetime));
}

/// What was real: `SESSION_ABSOLUTE_LIFETIME_DAYS` from 30 to 1, and who had logged in the day before stayed for 29 days.
#[test]
fn f11_a_shorter_absolute_lifetime_holds_for_open_sessions_and_a_longer_one_does_not() {
    let mut s = Harness::new();
    s.open();
    let (began, shorter) = (s.now, POLICY.absolute / 2);
    s.policy.absolute = shorter;
    let end = began.plus(shorter);
    assert_eq!(s.peek().absolute_expires_at, end);
    assert_eq!(s.peek().lifetime_ends_at, Some(end.min(began.plus(POLICY.refresh_ttl))));
    let mut generation = 0;
    while s.now < end.minus(POLICY.idle / 2) {
        s.advance(POLICY.idle / 2);
        let RotateReply::Tokens(Tokens { pair, .. }) = s.rotate(generation) else { panic!("no tokens") };
        assert!(pair.access_expires_at <= end);
        generation += 1;
    }
    s.recover();
    assert!(s.state.as_ref().unwrap().alarm(&s.policy, s.now) <= end);
    s.now = end;
    assert!(matches!(s.touch(generation), Presence::Ended(e) if e.reason == EndReason::Lifetime));
    // One that is over already ends at the next look.
    let mut s = Harness::new();
    s.open();
    s.policy.absolute = Duration::from_secs(1);
    s.advance(Duration::from_secs(2));
    assert!(matches!(s.rotate(0), RotateReply::Ended(e) if e.reason == EndReason::Lifetime));
    let mut s = Harness::new();
    s.open();
    let end = s.now.plus(POLICY.absolute);
    s.policy.absolute = POLICY.absolute * 2;
    assert_eq!(s.peek().absolute_expires_at, end, "it was promised to end then");
}

#[test]
fn a_session_whose_last_tokens_expired_is_over() {
    let policy = Policy { idle: POLICY.absolute, ..POLICY };
    let mut s = Harness::with(policy);
    s.open();
    s.advance(policy.refresh_ttl);
    assert!(matches!(s.rotate(0), RotateReply::Ended(e) if e.reason == EndReason::Lifetime));
}

#[test]
fn every_rotation_has_one_successor_which_all_who_ask_in_time_get() {
    let mut s = Harness::new();
    s.open();
    let first = s.tokens(0);
    for _ in 0..1000 {
        assert_eq!(s.tokens(0), first);
    }
    s.recover();
    assert_eq!(s.tokens(0), first);
    assert_eq!(s.peek().generation, 1);
}

#[test]
fn the_previous_token_is_good_while_the_grace_lasts_even_if_the_new_one_was_used() {
    let mut s = Harness::new();
    s.open();
    let pair = s.tokens(0);
    s.touch(1);
    s.advance(POLICY.grace);
    assert_eq!(s.tokens(0), pair);
    s.advance(MS);
    assert!(matches!(s.rotate(0), RotateReply::Reused(e) if e.reason == EndReason::Reuse));
}

#[test]
fn a_lost_answer_can_be_asked_for_again_until_the_new_token_was_seen() {
    let mut s = Harness::new();
    s.open();
    let pair = s.tokens(0);
    s.advance(POLICY.grace + MS);
    let again = s.tokens(0);
    assert_eq!((&again.access, &again.refresh), (&pair.access, &pair.refresh));
    assert_eq!(again.counted_from, s.now, "expires_in counts from the answer");
    s.run(Touch { generation: 1, passive: true });
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
}

/// What was real: `expires_in: 0`, which common clients read as "never".
#[test]
fn f14_a_repeated_refresh_whose_access_token_ran_out_gets_a_new_one_of_the_same_generation() {
    for grace in [POLICY.grace, POLICY.access_ttl * 2] {
        let mut s = Harness::with(Policy { grace, ..POLICY });
        s.open();
        let pair = s.tokens(0);
        let refresh_ends = s.now.plus(POLICY.refresh_ttl);
        s.advance(POLICY.access_ttl.checked_sub(MS).unwrap());
        assert_eq!(s.tokens(0).access, pair.access, "it is still good");
        s.advance(MS);
        let again = s.tokens(0);
        assert_ne!(again.access, pair.access);
        assert_eq!(again.refresh, pair.refresh);
        assert_eq!(again.access_expires_at.since(again.counted_from), POLICY.access_ttl);
        assert_eq!(s.peek().generation, 1);
        // Whoever else comes for it gets that one, also after an eviction.
        s.recover();
        assert_eq!((s.tokens(0).access, s.tokens(0).refresh), (again.access.clone(), again.refresh));
        // It is as good as the one before: the session ends with its refresh token, and seeing it in use confirms it.
        assert_eq!(s.peek().lifetime_ends_at, Some(refresh_ends));
        assert!(matches!(s.touch(1), Presence::Live(_)));
        s.advance(grace);
        assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
        let ended = s.revoke(EndReason::Logout);
        assert_eq!(ended.access_expires_at, again.access_expires_at);
    }
}

/// A post-login session ends with its last tokens: a repeated renewal makes nothing live longer.
#[test]
fn f14_a_repeated_renewal_gives_no_token_that_lives_longer_than_its_session() {
    let mut s = Harness::external();
    s.open();
    let pair = s.renewed(0);
    let ends = s.now.plus(POLICY.external_ttl);
    s.advance(POLICY.external_ttl.checked_sub(Duration::from_secs(5)).unwrap());
    let RenewStart::Reply(RenewReply::Tokens(Tokens { pair: again, .. })) = s.renew(0) else {
        panic!("no tokens")
    };
    assert_ne!(again.access, pair.access);
    assert_eq!((again.refresh, again.access_expires_at), (pair.refresh, ends));
}

#[test]
fn that_the_new_token_was_seen_survives_an_eviction() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.touch(1);
    s.recover();
    s.advance(POLICY.grace + MS);
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
}

#[test]
fn two_generations_back_is_reuse_also_within_the_grace() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.tokens(1);
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
    assert!(matches!(s.rotate(2), RotateReply::Ended(e) if e.reason == EndReason::Reuse));
    assert!(matches!(s.touch(2), Presence::Ended(_)));
}

#[test]
fn a_token_of_another_user_is_unknown_and_harms_nothing() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.tokens(1);
    for generation in 0..3 {
        assert_eq!(
            s.run(Rotate { generation, user_id: UserId::issued(8), change_id: None }),
            RotateReply::Unknown
        );
    }
    s.tokens(2);
}

#[test]
fn without_grace_the_previous_token_is_good_until_the_new_one_is_used() {
    let mut s = Harness::with(Policy { grace: std::time::Duration::ZERO, ..POLICY });
    s.open();
    let pair = s.tokens(0);
    s.advance(MS);
    assert_eq!(s.tokens(0).refresh, pair.refresh);
    s.tokens(1);
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
}

#[test]
fn a_generation_that_was_never_made_is_unknown_and_harms_nothing() {
    let mut s = Harness::new();
    assert_eq!(s.touch(0), Presence::Unknown);
    assert_eq!(s.rotate(0), RotateReply::Unknown);
    assert_eq!(s.state, None);
    s.open();
    assert_eq!(s.touch(1), Presence::Unknown);
    assert_eq!(s.rotate(7), RotateReply::Unknown);
    assert!(matches!(s.touch(0), Presence::Live(_)));
}

#[test]
fn a_refresh_never_brings_a_revoked_session_back() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    assert!(s.revoke(EndReason::Logout).now);
    for generation in 0..3 {
        assert!(matches!(s.rotate(generation), RotateReply::Ended(e) if e.reason == EndReason::Logout));
    }
    assert!(matches!(s.run(open_command()), OpenReply::Ended(_)));
    assert_eq!(s.revoke(EndReason::Admin).reason, EndReason::Logout);
}

/// What was real: an opening that arrives 34 s late, after its place was freed.
#[test]
fn f02_a_session_that_was_revoked_before_it_opened_does_not_open() {
    let mut s = Harness::new();
    s.revoke(EndReason::Evicted);
    assert!(matches!(s.run(open_command()), OpenReply::Ended(e) if e.reason == EndReason::Evicted));
    assert!(matches!(s.touch(0), Presence::Ended(e) if e.account.is_none()));
}

#[test]
fn an_eviction_lengthens_by_at_most_what_was_not_written() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.activity_write().checked_sub(MS).unwrap());
    s.touch(0);
    let truth = s.now.plus(POLICY.idle);
    s.recover();
    let after = s.peek().idle_expires_at;
    assert!(after >= truth && after <= truth.plus(POLICY.activity_write()), "{after:?} for {truth:?}");
}

#[test]
fn the_alarm_goes_on_with_the_activity_and_ends_at_the_deadline() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle / 2);
    s.touch(0);
    s.now = s.alarm.unwrap();
    assert!(matches!(s.run(Expire), Presence::Live(_)));
    s.now = s.alarm.unwrap();
    let ended_at = s.now;
    assert!(matches!(s.run(Expire), Presence::Ended(e) if e.reason == EndReason::Inactivity && e.now));
    assert_eq!(s.alarm, Some(s.now.plus(POLICY.told_within)));
    s.now = ended_at.plus(TOMBSTONE).minus(MS);
    assert!(matches!(s.rotate(0), RotateReply::Ended(e) if e.reason == EndReason::Inactivity));
    s.advance(MS);
    assert_eq!(s.run(Expire), Presence::Unknown);
    assert_eq!(s.state, None);
}

#[test]
fn a_clock_that_jumps_back_resurrects_nothing() {
    let mut s = Harness::new();
    s.open();
    let begin = s.now;
    s.advance(POLICY.idle + MS);
    assert!(matches!(s.touch(0), Presence::Ended(_)));
    s.now = begin;
    assert!(matches!(s.touch(0), Presence::Ended(e) if e.reason == EndReason::Inactivity));
}

#[test]
fn a_clock_that_jumps_back_moves_no_activity() {
    let mut s = Harness::new();
    s.open();
    let begin = s.now;
    s.advance(MS * 1000);
    s.touch(0);
    s.now = begin;
    assert!(matches!(s.touch(0), Presence::Live(l) if l.last_activity == begin.plus(MS * 1000)));
}

fn knows_rotation(s: &Harness) -> bool {
    serde_json::to_string(&s.state).unwrap().contains("confirmed")
}

#[test]
fn a_rotation_is_known_only_as_long_as_it_may_be_asked_for() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.touch(1);
    assert!(knows_rotation(&s));
    s.advance(POLICY.grace + POLICY.activity_write());
    s.touch(1);
    assert!(!knows_rotation(&s));
    assert!(matches!(s.rotate(0), RotateReply::Reused(_)));
}

#[test]
fn new_roles_hold_from_the_next_touch() {
    let mut s = Harness::new();
    s.open();
    let account = Account { roles: vec!["admin".into()], ..account() };
    assert_eq!(s.run(SetAccount { account: account.clone(), account_version: 0 }), Acknowledgement::Done);
    s.recover();
    assert!(matches!(s.touch(0), Presence::Live(l) if l.account == account));
}

#[test]
fn f01_of_two_changes_the_later_one_holds_in_whatever_order_they_come() {
    let mut s = Harness::new();
    s.open();
    let with = |roles: &[&str], account_version| SetAccount {
        account: Account { roles: roles.iter().map(|r| (*r).to_owned()).collect(), ..account() },
        account_version,
    };
    assert_eq!(s.run(with(&["reader"], 3)), Acknowledgement::Done);
    assert_eq!(s.run(with(&["admin"], 2)), Acknowledgement::Done, "it knows better, which is as good");
    assert_eq!(s.run(with(&["admin"], 0)), Acknowledgement::Done);
    s.recover();
    assert!(matches!(s.touch(0), Presence::Live(l) if l.account.roles == ["reader"]));
    assert_eq!(s.run(with(&["reader", "user"], 4)), Acknowledgement::Done);
    assert!(matches!(s.touch(0), Presence::Live(l) if l.account.roles == ["reader", "user"]));
    let another = Account { user_id: UserId::issued(8), ..account() };
    assert_eq!(s.run(SetAccount { account: another, account_version: 9 }), Acknowledgement::Done);
    assert!(matches!(s.touch(0), Presence::Live(l) if l.account.user_id == UserId::issued(7)));
}

#[test]
fn a_mint_that_fails_changes_nothing() {
    let mut s = Harness::new();
    s.open();
    let before = s.state.clone();
    s.mint_fails = true;
    assert_eq!(s.try_run(Rotate { generation: 0, user_id: UserId::issued(7), change_id: None }), Err(Fault));
    assert_eq!(s.state, before);
    s.mint_fails = false;
    s.tokens(0);
}

/// What older releases have stored must be read by every newer one.
#[test]
fn stored_forms_of_this_release_are_pinned() {
    let live = r#"{"state":"live","account":{"user_id":7,"username":"u","roles":["user"],"created_at":1},"device":{"name":null,"user_agent":null},"created_at":1,"absolute_expires_at":9,"last_activity":2,"grant":{"generation":3,"issued_at":2,"access_expires_at":5,"refresh_expires_at":8},"rotation":{"at":2,"confirmed":false,"pair":"s1.x"}}"#;
    let ended = r#"{"state":"ended","reason":"evicted","ended_at":1,"account":null,"generation":0,"access_expires_at":2,"settled":false}"#;
    for text in [live, ended] {
        let state: State = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
    }
    let command = r#"{"touch":{"generation":1,"passive":false}}"#;
    assert_eq!(serde_json::from_str::<Envelope>(command).unwrap(), Envelope::Touch(touch(1)));
    assert_eq!(serde_json::to_string(&Presence::Unknown).unwrap(), r#""unknown""#, "the entry sends it too");
}
