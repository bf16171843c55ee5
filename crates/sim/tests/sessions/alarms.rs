//! What a session's object does by itself: it ends in time, says so, and is forgotten.

use super::support::*;
use base::account::EndReason;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::ports::Clock as _;
use base::rpc::Class;
use serde_json::Value;
use session::{Expire, OpenReply, PROPAGATE_AFTER, Presence, Rotate, RotateReply, State, TOMBSTONE, Touch};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;
use store::{SessionRecord, Store};

fn alarm(world: &World, id: &SessionId) -> Option<Timestamp> {
    world.alarm(Class::Session, id.as_str())
}

fn now(world: &World) -> Timestamp {
    world.host().now()
}

fn ended(world: &World, id: &SessionId) -> session::Tombstone {
    match stored(world, id) {
        Some(State::Ended(tombstone)) => tombstone,
        other => panic!("it has not ended: {other:?}"),
    }
}

/// A user with a session that KV lists.
fn listed() -> (World, SessionId) {
    listed_with(&[])
}

fn listed_with(settings: &[(&str, &str)]) -> (World, SessionId) {
    let world = world(settings);
    create_asha(&world);
    let (id, reserved) = logged_in(&world);
    let (host, key, account) = (world.host(), id.clone(), reserved.account);
    world.run_until(async move {
        let now = host.now();
        let record = SessionRecord {
            user_id: account.user_id,
            username: account.username,
            created_at: now,
            absolute_expires_at: now.plus(POLICY.absolute),
            device_name: None,
            written_at: None,
        };
        Store(&host).put_session(&key, &record, now).await.unwrap();
    });
    (world, id)
}

fn audit(world: &World) -> Vec<Value> {
    let lines = world.take_logs();
    assert!(lines.iter().all(|line| !line.error), "{lines:?}");
    lines.iter().map(|line| serde_json::from_str(&line.text).unwrap()).collect()
}

#[test]
fn a_session_that_nobody_uses_is_ended_by_its_alarm_and_everybody_is_told() {
    let (world, id) = listed();
    assert!(world.kv().contains_key(&format!("session:{id}")));
    assert_eq!(profile(&world).slots.len(), 1);
    world.advance(POLICY.idle);
    assert!(matches!(stored(&world, &id), Some(State::Live(_))), "not at the timeout");
    world.advance(MS);
    let tombstone = ended(&world, &id);
    assert_eq!((tombstone.reason, tombstone.ended_at), (EndReason::Inactivity, now(&world)));
    assert!(profile(&world).slots.is_empty());
    assert_eq!(noted(&world, &id).as_deref(), Some("inactivity"));
    let lines = audit(&world);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["action"], "expire");
    assert_eq!((&lines[0]["reason"], &lines[0]["user_id"]), (&"inactivity".into(), &7.into()));
    assert_eq!(lines[0]["session_id"], Value::from(id.as_str()));
}

#[test]
fn the_end_is_noted_in_kv_while_tokens_are_out() {
    let world = world(&[("ACCESS_TOKEN_EXPIRE_SECONDS", "300")]);
    create_asha(&world);
    let (id, _) = logged_in(&world);
    world.advance(POLICY.idle + MS);
    let entry = world.kv().remove(&format!("session:{id}")).unwrap();
    let note: Value = serde_json::from_str(&entry.value).unwrap();
    let ended_at = serde_json::to_value(now(&world)).unwrap();
    let whole = serde_json::json!({ "ended": "inactivity", "ended_at": ended_at, "blacklisted": [format!("{id}.0")] });
    assert_eq!(note, whole);
    // Until the last token is void, and the leeway that a reader's clock may have.
    let left = Duration::from_mins(4) + Duration::from_secs(session::tokens::LEEWAY_SECONDS);
    assert!(entry.expires_at.since(now(&world)).abs_diff(left) <= Duration::from_secs(1), "{entry:?}");
}

/// Where no token can be good any more there is nothing to say.
#[test]
fn the_end_of_a_session_without_tokens_takes_its_record_away() {
    let (world, id) = listed_with(&[("SESSION_INACTIVITY_TIMEOUT_SECONDS", "300")]);
    // By the lifetime of its last token, 200 s.
    world.advance(Duration::from_secs(205));
    assert_eq!(ended(&world, &id).reason, EndReason::Lifetime);
    world.advance(Duration::from_mins(10));
    assert!(!world.kv().contains_key(&format!("session:{id}")));
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
}

#[test]
fn the_alarm_goes_on_with_the_activity() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.advance(POLICY.idle / 2);
    tell(&world, &id, Touch { generation: 0, passive: false });
    world.advance(POLICY.idle / 2 + MS);
    assert_eq!(alarm(&world, &id), Some(now(&world).plus(POLICY.idle / 2)));
    world.advance((POLICY.idle / 2).saturating_sub(MS));
    assert!(matches!(stored(&world, &id), Some(State::Live(_))));
    world.advance(MS);
    assert_eq!(ended(&world, &id).reason, EndReason::Inactivity);
}

#[test]
fn an_instance_that_wakes_up_sets_a_lost_alarm_again() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.evict(Class::Session, id.as_str());
    world.lose_alarm(Class::Session, id.as_str());
    tell(&world, &id, Touch { generation: 0, passive: true });
    let late = alarm(&world, &id).unwrap().since(now(&world));
    assert!(late <= POLICY.idle + POLICY.activity_write() + MS, "{late:?}");
    // While memory is there, so is the alarm; it is not set at each request.
    world.lose_alarm(Class::Session, id.as_str());
    tell(&world, &id, Touch { generation: 0, passive: true });
    assert_eq!(alarm(&world, &id), None);
}

/// It was set anew whenever memory was lost: a row written for each request of a session that is seen once an hour.
#[test]
fn an_instance_that_wakes_up_leaves_an_alarm_that_is_set() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    let set = alarm(&world, &id);
    world.advance(Duration::from_secs(10));
    world.evict(Class::Session, id.as_str());
    let before = world.usage();
    tell(&world, &id, Touch { generation: 0, passive: true });
    let used = world.usage() - before;
    assert_eq!((used.alarms_set, used.rows_written, used.rows_read), (0, 0, 2));
    assert_eq!(alarm(&world, &id), set);
}

/// Its policy may be another one by now.
#[test]
fn an_instance_that_wakes_up_sets_an_alarm_that_comes_too_late_anew() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.deploy(&[("SESSION_INACTIVITY_TIMEOUT_SECONDS", "600")]);
    tell(&world, &id, Touch { generation: 0, passive: true });
    let late = alarm(&world, &id).unwrap().since(now(&world));
    assert!(late <= Duration::from_mins(11), "{late:?}");
}

#[test]
fn a_tombstone_says_why_until_it_is_forgotten_and_nothing_is_left() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    let set = alarm(&world, &id);
    revoke(&world, &id, EndReason::Admin);
    assert_eq!(alarm(&world, &id), set, "it is good for what is left to do");
    let end = now(&world);
    world.advance(POLICY.idle + MS);
    // Once more when nothing can come of its beginning any more.
    assert_eq!(alarm(&world, &id), Some(end.plus(session::BEGINNING)));
    world.advance(session::BEGINNING - POLICY.idle - MS * 2);
    let rotate = Rotate { generation: 0, user_id: UserId::issued(7), change_id: None };
    assert!(
        matches!(tell(&world, &id, rotate.clone()), RotateReply::Ended(e) if e.reason == EndReason::Admin)
    );
    world.advance(MS);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
    assert_eq!(alarm(&world, &id), None);
    assert_eq!(tell(&world, &id, rotate), RotateReply::Unknown);
    assert!(world.rows(Class::Session, id.as_str()).is_empty(), "asking leaves nothing behind");
}

#[test]
fn a_session_that_was_ended_before_it_opened_is_told_of_and_forgotten() {
    let world = world(&[]);
    let id = fresh_id(&world);
    assert!(revoke(&world, &id, EndReason::Evicted).account.is_none());
    world.advance(session::BEGINNING - MS);
    // The login that was overtaken opens nothing.
    assert!(matches!(tell(&world, &id, open_command(asha())), OpenReply::Ended(_)));
    assert!(ended(&world, &id).account.is_none());
    world.advance(MS);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
}

#[test]
fn an_end_that_cannot_be_told_is_told_again_until_it_is() {
    let (world, id) = listed_with(&[("REFRESH_TOKEN_EXPIRE_SECONDS", "300")]);
    world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    world.advance(POLICY.idle + MS);
    assert!(ended(&world, &id).unnoted);
    assert!(world.take_logs().iter().any(|line| line.error && line.text.contains("settling an end")));
    world.advance(Duration::from_mins(1));
    assert_eq!(noted(&world, &id), None, "KV is still down");
    assert!(profile(&world).slots.is_empty(), "the list of its user is not");
    world.weather().clear();
    world.advance(PROPAGATE_AFTER * 2);
    assert_eq!(noted(&world, &id).as_deref(), Some("inactivity"));
}

/// It was tried every 30 seconds, for ever: 2,880 times a day.
#[test]
fn f08_a_day_without_kv_is_not_a_day_of_tries() {
    let (world, id) = listed();
    revoke(&world, &id, EndReason::Logout);
    world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    let tries = || world.take_logs().iter().filter(|line| line.text.contains("settling an end")).count();
    world.advance(Duration::from_hours(1));
    // One is its owner's, who looks after a place that was reserved.
    assert_eq!(tries(), 7);
    world.advance(Duration::from_hours(23));
    assert_eq!(tries(), 23);
    // For a month, and then nobody asks any more.
    world.advance(TOMBSTONE);
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
    assert_eq!(alarm(&world, &id), None);
}

#[test]
fn who_ends_it_and_dies_leaves_the_rest_to_the_alarm() {
    let (world, id) = listed();
    revoke(&world, &id, EndReason::Logout);
    assert_eq!(profile(&world).slots.len(), 1, "whoever has ended it is to tell of it");
    world.advance(POLICY.idle + MS);
    assert!(profile(&world).slots.is_empty());
    assert_eq!(noted(&world, &id).as_deref(), Some("logout"));
    assert!(audit(&world).is_empty(), "it did not expire");
}

#[test]
fn killed_in_the_middle_of_its_alarm_it_does_it_again() {
    let (world, id) = listed();
    world.advance(POLICY.idle);
    world.weather().rough(Odds { kill: 400, slow: 500, ..Odds::default() });
    world.advance(Duration::from_mins(3));
    world.weather().clear();
    // Whoever asks sets an alarm again that the platform has dropped.
    tell(&world, &id, Expire);
    world.advance(PROPAGATE_AFTER * 2);
    assert!(!matches!(stored(&world, &id), Some(State::Live(_))));
    assert!(profile(&world).slots.is_empty());
    assert!(noted(&world, &id).is_some() || !world.kv().contains_key(&format!("session:{id}")));
}

/// Whoever has ended it may be telling just then.
#[test]
fn an_alarm_that_comes_in_the_minute_after_the_end_comes_again() {
    let (world, id) = listed();
    world.advance(POLICY.idle - MS);
    revoke(&world, &id, EndReason::Logout);
    let end = now(&world);
    world.advance(MS * 2);
    assert_eq!(alarm(&world, &id), Some(end.plus(PROPAGATE_AFTER)));
    assert_eq!((profile(&world).slots.len(), noted(&world, &id)), (1, None));
    world.advance(PROPAGATE_AFTER);
    assert!(profile(&world).slots.is_empty());
    assert_eq!(noted(&world, &id).as_deref(), Some("logout"));
}

/// Its object tells the reason until it is empty, and KV from then on; with a token of it that is good.
#[test]
fn what_the_release_before_has_ended_is_kept_as_it_was() {
    let (world, id) = listed();
    revoke(&world, &id, EndReason::Logout);
    // As that stores it when all are told: KV's record is deleted.
    let row = world.rows(Class::Session, id.as_str()).remove("session").unwrap();
    let mut kept: Value = serde_json::from_str(&row).unwrap();
    kept.as_object_mut().unwrap().retain(|member, _| member != "tokens_expire_at" && member != "again_at");
    kept["settled"] = true.into();
    world.put_row(Class::Session, id.as_str(), "session", &kept.to_string());
    world.advance(Duration::from_hours(24 * 29));
    assert_eq!(ended(&world, &id).reason, EndReason::Logout);
    world.advance(Duration::from_hours(25));
    assert!(world.rows(Class::Session, id.as_str()).is_empty());
}

#[test]
fn the_sweep_ends_what_an_alarm_should_have() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.lose_alarm(Class::Session, id.as_str());
    world.advance(POLICY.idle + MS);
    assert!(matches!(stored(&world, &id), Some(State::Live(_))));
    assert!(matches!(tell(&world, &id, Expire), Presence::Ended(e) if e.now && !e.end_propagated));
    assert_eq!(alarm(&world, &id), Some(now(&world).plus(POLICY.told_within)));
}

#[test]
fn activity_is_written_at_most_once_a_minute() {
    let world = world(&[
        ("SESSION_INACTIVITY_TIMEOUT_SECONDS", "1800"),
        ("SESSION_ABSOLUTE_LIFETIME_SECONDS", "3600"),
        ("REFRESH_TOKEN_EXPIRE_SECONDS", "3600"),
    ]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    let row = || world.rows(Class::Session, id.as_str())["session"].clone();
    let (mut before, mut writes) = (row(), 0);
    for _ in 0..600 {
        world.advance(Duration::from_secs(1));
        tell(&world, &id, Touch { generation: 0, passive: false });
        if row() != before {
            (before, writes) = (row(), writes + 1);
        }
    }
    assert_eq!(writes, 10);
}

#[test]
fn an_instance_that_was_replaced_does_not_answer_from_the_past() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    peek(&world, &id);
    let before = world.rows(Class::Session, id.as_str())["session"].clone();
    revoke(&world, &id, EndReason::Admin);
    let after = world.rows(Class::Session, id.as_str())["session"].clone();
    // Storage is the truth for whoever comes next: back and forth.
    world.put_row(Class::Session, id.as_str(), "session", &before);
    assert!(matches!(tell(&world, &id, Touch { generation: 0, passive: true }), Presence::Live(_)));
    world.put_row(Class::Session, id.as_str(), "session", &after);
    assert!(matches!(tell(&world, &id, Touch { generation: 0, passive: true }), Presence::Ended(_)));
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_and_stays_as_it_is() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.put_row(Class::Session, id.as_str(), "session", "{}");
    assert!(world.send(&session::address(&id), &Touch { generation: 0, passive: true }).is_err());
    assert_eq!(world.rows(Class::Session, id.as_str())["session"], "{}");
}
