//! The rules of a session one by one, at their edges.

use super::test_support::*;
use super::*;

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
    s.evict();
    let again = s.open();
    assert_eq!((again.access, again.refresh), (pair.access, pair.refresh));
    s.tokens(0);
    assert_eq!(s.run(open_command()), Reply::Unknown, "not once it was used");
}

#[test]
fn a_session_is_live_at_exactly_the_timeout_and_not_after() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle);
    assert!(matches!(s.touch(0), Reply::Live(_)));
    s.advance(POLICY.idle + MS);
    assert!(matches!(s.touch(0), Reply::Ended(e) if e.reason == EndReason::Inactivity && e.now));
    assert!(matches!(s.touch(0), Reply::Ended(e) if !e.now));
}

#[test]
fn a_passive_request_is_let_in_and_is_no_activity() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle);
    assert!(matches!(s.run(Command::Touch { generation: 0, passive: true }), Reply::Live(_)));
    s.advance(MS);
    assert!(matches!(s.touch(0), Reply::Ended(e) if e.reason == EndReason::Inactivity));
}

#[test]
fn the_absolute_lifetime_ends_a_busy_session() {
    let mut s = Harness::new();
    s.open();
    let end = s.now.plus(POLICY.absolute);
    let mut generation = 0;
    while s.now < end.minus(POLICY.idle / 2) {
        s.advance(POLICY.idle / 2);
        let Reply::Tokens { pair, .. } = s.rotate(generation) else { panic!("no tokens at {:?}", s.now) };
        assert!(pair.access_expires_at <= end);
        generation += 1;
    }
    assert_eq!(s.peek().absolute_expires_at, end);
    s.now = end;
    assert!(matches!(s.rotate(generation), Reply::Ended(e) if e.reason == EndReason::Lifetime));
}

#[test]
fn a_session_whose_last_tokens_expired_is_over() {
    let policy = Policy { idle: POLICY.absolute, ..POLICY };
    let mut s = Harness::with(policy);
    s.open();
    s.advance(policy.refresh_ttl);
    assert!(matches!(s.rotate(0), Reply::Ended(e) if e.reason == EndReason::Lifetime));
}

#[test]
fn every_rotation_has_one_successor_which_all_who_ask_in_time_get() {
    let mut s = Harness::new();
    s.open();
    let first = s.tokens(0);
    for _ in 0..1000 {
        assert_eq!(s.tokens(0), first);
    }
    s.evict();
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
    assert!(matches!(s.rotate(0), Reply::Reused(e) if e.reason == EndReason::Reuse));
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
    s.run(Command::Touch { generation: 1, passive: true });
    assert!(matches!(s.rotate(0), Reply::Reused(_)));
}

#[test]
fn that_the_new_token_was_seen_survives_an_eviction() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.touch(1);
    s.evict();
    s.advance(POLICY.grace + MS);
    assert!(matches!(s.rotate(0), Reply::Reused(_)));
}

#[test]
fn two_generations_back_is_reuse_also_within_the_grace() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.tokens(1);
    assert!(matches!(s.rotate(0), Reply::Reused(_)));
    assert!(matches!(s.rotate(2), Reply::Ended(e) if e.reason == EndReason::Reuse));
    assert!(matches!(s.touch(2), Reply::Ended(_)));
}

#[test]
fn a_token_of_another_user_is_unknown_and_harms_nothing() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.tokens(1);
    for generation in 0..3 {
        assert_eq!(s.run(Command::Rotate { generation, user_id: 8 }), Reply::Unknown);
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
    assert!(matches!(s.rotate(0), Reply::Reused(_)));
}

#[test]
fn a_generation_that_was_never_made_is_unknown_and_harms_nothing() {
    let mut s = Harness::new();
    assert_eq!(s.touch(0), Reply::Unknown);
    assert_eq!(s.rotate(0), Reply::Unknown);
    assert_eq!(s.state, None);
    s.open();
    assert_eq!(s.touch(1), Reply::Unknown);
    assert_eq!(s.rotate(7), Reply::Unknown);
    assert!(matches!(s.touch(0), Reply::Live(_)));
}

#[test]
fn a_refresh_never_brings_a_revoked_session_back() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    assert!(matches!(s.run(Command::Revoke { reason: EndReason::Logout }), Reply::Ended(e) if e.now));
    for generation in 0..3 {
        assert!(matches!(s.rotate(generation), Reply::Ended(e) if e.reason == EndReason::Logout));
    }
    assert!(matches!(s.run(open_command()), Reply::Ended(_)));
    assert!(
        matches!(s.run(Command::Revoke { reason: EndReason::Admin }), Reply::Ended(e) if e.reason == EndReason::Logout)
    );
}

#[test]
fn a_session_evicted_before_it_opened_opens_as_ended() {
    let mut s = Harness::new();
    assert!(matches!(s.run(Command::Revoke { reason: EndReason::Evicted }), Reply::Ended(_)));
    s.run(Command::Settled);
    assert!(matches!(s.run(open_command()), Reply::Tokens { .. }));
    assert_eq!(s.alarm, Some(s.now.plus(SETTLE_AFTER)), "its record in KV comes after the end was told");
    assert!(matches!(s.touch(0), Reply::Ended(e) if e.reason == EndReason::Evicted && e.account.is_some()));
}

#[test]
fn an_eviction_lengthens_by_at_most_what_was_not_written() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.activity_write().checked_sub(MS).unwrap());
    s.touch(0);
    let truth = s.now.plus(POLICY.idle);
    s.evict();
    let after = s.peek().idle_expires_at;
    assert!(after >= truth && after <= truth.plus(POLICY.activity_write()), "{after:?} for {truth:?}");
}

#[test]
fn activity_is_written_at_most_once_a_minute() {
    let hour = std::time::Duration::from_hours(1);
    let policy = Policy { idle: hour / 2, refresh_ttl: hour, absolute: hour, ..POLICY };
    let mut s = Harness::with(policy);
    s.open();
    let (writes, seconds) = (s.writes, 600);
    for _ in 0..seconds {
        s.advance(std::time::Duration::from_secs(1));
        s.touch(0);
    }
    assert_eq!(s.writes - writes, seconds / 60);
}

#[test]
fn the_alarm_goes_on_with_the_activity_and_ends_at_the_deadline() {
    let mut s = Harness::new();
    s.open();
    s.advance(POLICY.idle / 2);
    s.touch(0);
    s.now = s.alarm.unwrap();
    assert!(matches!(s.run(Command::Expire), Reply::Live(_)));
    s.now = s.alarm.unwrap();
    assert!(matches!(s.run(Command::Expire), Reply::Ended(e) if e.reason == EndReason::Inactivity && e.now));
    assert_eq!(s.alarm, Some(s.now.plus(SETTLE_AFTER)));
    s.run(Command::Settled);
    assert_eq!(s.alarm, Some(s.now.plus(TOMBSTONE)));
    s.now = s.alarm.unwrap().minus(MS);
    assert!(matches!(s.rotate(0), Reply::Ended(e) if e.reason == EndReason::Inactivity));
    s.advance(MS);
    assert_eq!(s.run(Command::Expire), Reply::Unknown);
    assert_eq!(s.state, None);
}

#[test]
fn a_clock_that_jumps_back_resurrects_nothing() {
    let mut s = Harness::new();
    s.open();
    let begin = s.now;
    s.advance(POLICY.idle + MS);
    assert!(matches!(s.touch(0), Reply::Ended(_)));
    s.now = begin;
    assert!(matches!(s.touch(0), Reply::Ended(e) if e.reason == EndReason::Inactivity));
}

#[test]
fn a_clock_that_jumps_back_moves_no_activity() {
    let mut s = Harness::new();
    s.open();
    let begin = s.now;
    s.advance(MS * 1000);
    s.touch(0);
    s.now = begin;
    assert!(matches!(s.touch(0), Reply::Live(l) if l.last_activity == begin.plus(MS * 1000)));
}

#[test]
fn the_sealed_pair_is_kept_only_as_long_as_it_may_be_asked_for() {
    let mut s = Harness::new();
    s.open();
    s.tokens(0);
    s.touch(1);
    assert!(s.stored().contains("sealed"));
    s.advance(POLICY.grace + POLICY.activity_write());
    s.touch(1);
    assert!(!s.stored().contains("sealed"));
    assert!(matches!(s.rotate(0), Reply::Reused(_)));
}

#[test]
fn new_roles_hold_from_the_next_touch() {
    let mut s = Harness::new();
    s.open();
    let account = Account { roles: vec!["admin".into()], ..account() };
    assert_eq!(s.run(Command::SetAccount { account: account.clone() }), Reply::Done);
    s.evict();
    assert!(matches!(s.touch(0), Reply::Live(l) if l.account == account));
}

#[test]
fn a_mint_that_fails_changes_nothing() {
    let mut s = Harness::new();
    s.open();
    let before = s.stored();
    s.mint_fails = true;
    assert_eq!(s.try_run(Command::Rotate { generation: 0, user_id: 7 }), Err(Fault));
    assert_eq!(s.stored(), before);
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
    assert_eq!(serde_json::from_str::<Command>(command).unwrap(), touch(1));
    assert_eq!(serde_json::to_string(&Reply::Unknown).unwrap(), r#""unknown""#, "the entry sends it too");
}
