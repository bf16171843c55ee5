//! What one address may try, by a Worker that says what became of each attempt, and by one of the release before.

use super::*;
use base::clock::{Timestamp, millis};
use std::time::Duration;

const POLICY: UserPolicy = UserPolicy {
    limit: LimitPolicy { max: 5, evict: true },
    throttle: ThrottlePolicy { max_failures: 3, block_max: Duration::from_mins(15) },
    session_lifetime: Duration::from_hours(720),
};
/// One is forgiven in 15 seconds.
const LIMIT: u32 = 60;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

/// What an attempt is told, and whether it was written.
fn tried(user: &mut User, name: &str, seconds: u64) -> Decision<AttemptReply> {
    let attempt = Attempt { name: name.into(), limit: LIMIT, reserves: true, reports: true };
    decide(user, attempt, &POLICY, at(seconds))
}

fn attempt(user: &mut User, name: &str, seconds: u64) -> AttemptReply {
    tried(user, name, seconds).reply
}

/// Says what became of one, and whether that was written.
fn done(user: &mut User, name: &str, outcome: Outcome, seconds: u64) -> bool {
    let (failed, gives_back) = (false, false);
    let done = AttemptDone { name: name.into(), failed, limit: LIMIT, gives_back, outcome: Some(outcome) };
    decide(user, done, &POLICY, at(seconds)).save
}

fn allowed(wait_ms: Option<u64>, delay_ms: u64) -> AttemptReply {
    AttemptReply::Allowed(ForNobody { wait_ms, delay_ms, in_memory: true })
}

fn throttled(retry_after_ms: u64, busy: bool) -> AttemptReply {
    AttemptReply::Throttled(Throttled { retry_after_ms, user_id: None, busy })
}

/// What was real: sixty names from one address met no limit but that of all logins.
#[test]
fn f06_an_address_that_tries_many_names_is_held_off_and_then_let_on_slowly() {
    let mut user = User::default();
    for n in 0..60 {
        assert_eq!(attempt(&mut user, &n.to_string(), 0), allowed(None, 0), "{n}");
        assert!(done(&mut user, &n.to_string(), Outcome::Failed, 0), "a failure is written");
    }
    for (seconds, wait) in [(0, 15_000), (2, 13_000), (14, 1_000)] {
        assert_eq!(attempt(&mut user, "another", seconds), throttled(wait, false));
    }
    assert_eq!(attempt(&mut user, "another", 15), allowed(None, 0));
    done(&mut user, "another", Outcome::Failed, 15);
    assert_eq!(attempt(&mut user, "one more", 15), throttled(15_000, false));
    // After a quarter of an hour all is forgiven, and nothing is kept.
    assert_eq!(next_alarm(&user), Some(at(15 + 900)));
    assert!(!user.is_disposable(at(15 + 899)) && user.is_disposable(at(15 + 900)));
    for n in 0..60 {
        assert_eq!(attempt(&mut user, &n.to_string(), 15 + 900), allowed(None, 0), "{n}");
    }
}

#[test]
fn f06_who_gets_in_is_not_held_against_the_address_and_writes_nothing() {
    let mut user = User::default();
    for n in 0..1_000 {
        let name = n.to_string();
        let told = tried(&mut user, &name, 0);
        assert_eq!((told.reply, told.save), (allowed(None, 0), false), "{n}");
        assert!(!done(&mut user, &name, Outcome::Right, 0));
    }
    assert!(!done(&mut user, "said twice", Outcome::Right, 0));
    assert_eq!(user, User::default());
    // Nor where others have failed, long ago and just now; who has failed before is forgiven, and that is written.
    for (name, seconds) in [("x", 0), ("x", 1), ("y", 400)] {
        attempt(&mut user, name, seconds);
        done(&mut user, name, Outcome::Failed, seconds);
    }
    assert!(!tried(&mut user, "z", 401).save && !done(&mut user, "z", Outcome::Right, 401));
    assert_eq!(attempt(&mut user, "x", 402), allowed(None, 200));
    assert!(done(&mut user, "x", Outcome::Right, 402));
    assert_eq!(attempt(&mut user, "x", 402), allowed(None, 0));
}

/// What was real: of six hundred at once each was looked at, since none had failed yet.
#[test]
fn f06_of_many_at_once_no_more_are_looked_at_than_may_fail() {
    let mut user = User::default();
    let looked_at = |user: &mut User, seconds: u64| {
        (0..600)
            .filter(|n| matches!(attempt(user, &n.to_string(), seconds), AttemptReply::Allowed(_)))
            .count()
    };
    assert_eq!(looked_at(&mut user, 0), 60);
    for (seconds, wait, busy) in [(1, 14_000, true), (2, 13_000, false), (15, 1_000, false)] {
        assert_eq!(attempt(&mut user, "another", seconds), throttled(wait, busy), "{seconds}");
    }
    // Some were right, and one was not looked at: so many more may be.
    for (name, outcome) in [("1", Outcome::Right), ("2", Outcome::Right), ("3", Outcome::Open)] {
        done(&mut user, name, outcome, 16);
    }
    assert_eq!((user.under_way.tries.len(), looked_at(&mut user, 16)), (57, 3));
    // Of the others nobody has said what became of them: they have failed, and are forgiven one after the other.
    assert_eq!(looked_at(&mut user, 30), 2);
    assert_eq!(user.under_way.tries.len(), 5);
    assert_eq!(looked_at(&mut user, 45), 1);
    assert_eq!(looked_at(&mut user, 45 + 900), 60);
}

/// What is under way is forgotten with the instance; what has failed is not, said late or not.
#[test]
fn f06_an_instance_that_goes_forgets_what_is_under_way_and_no_failure() {
    let mut user = User::default();
    for n in 0..60 {
        attempt(&mut user, &n.to_string(), 0);
        if n < 20 {
            done(&mut user, &n.to_string(), Outcome::Failed, 0);
        }
    }
    assert_eq!(attempt(&mut user, "x", 1), throttled(14_000, true));
    user.under_way = UnderWay::default();
    for n in 20..30 {
        assert!(done(&mut user, &n.to_string(), Outcome::Failed, 1));
    }
    let looked_at = |user: &mut User| {
        (100..200).filter(|n| matches!(attempt(user, &n.to_string(), 1), AttemptReply::Allowed(_))).count()
    };
    assert_eq!(looked_at(&mut user), 30);
    // What is right and not known any more gives nothing back that was not taken.
    done(&mut user, "31", Outcome::Right, 1);
    done(&mut user, "32", Outcome::Open, 1);
    assert_eq!(looked_at(&mut user), 0);
}

/// As the throttle of a user does it, also of guesses that are under way at once.
#[test]
fn f06_a_name_that_nobody_has_is_slowed_down_and_refused_as_one_that_somebody_has() {
    for at_once in [false, true] {
        let mut user = User::default();
        let mut throttle = Throttle::default();
        let mut under_way = 0;
        for (seconds, blocks) in [(0, false), (0, false), (0, true), (1, true), (3, true), (7, true)] {
            let delay = millis(throttle.failed("a", &POLICY.throttle, at(seconds)));
            assert_eq!(attempt(&mut user, "x", seconds), allowed(None, delay), "{seconds}");
            if at_once {
                under_way += 1;
            } else {
                done(&mut user, "x", Outcome::Failed, seconds);
            }
            let wait = throttle.wait("a", at(seconds)).map(millis);
            assert_eq!(wait.is_some(), blocks, "{seconds}");
            // What is refused is no failure.
            for _ in 0..if blocks { 3 } else { 0 } {
                assert_eq!(attempt(&mut user, "x", seconds), allowed(wait, delay), "{seconds}");
                done(&mut user, "x", Outcome::Open, seconds);
            }
        }
        for _ in 0..under_way {
            done(&mut user, "x", Outcome::Failed, 7);
        }
        let (wait, delay) = (throttle.wait("a", at(8)).map(millis), 1_600);
        assert_eq!(attempt(&mut user, "x", 8), allowed(wait, delay));
        done(&mut user, "x", Outcome::Right, 8);
        assert_eq!(attempt(&mut user, "x", 8), allowed(None, 0));
    }
}

/// From Workers of releases before: one that counts at once and gives back, and one that reserves nothing and says what failed.
#[test]
fn what_the_release_before_sends_is_counted_as_it_was() {
    let decided = |user: &mut User, text: &str| match serde_json::from_str(text).unwrap() {
        Envelope::Attempt(attempt) => Some(decide(user, attempt, &POLICY, at(0)).reply),
        Envelope::AttemptDone(done) => {
            decide(user, done, &POLICY, at(0));
            None
        }
        other => panic!("{other:?}"),
    };
    let none = AttemptReply::Allowed(ForNobody { wait_ms: None, delay_ms: 0, in_memory: false });
    let mut user = User::default();
    for n in 0..70 {
        let reply = decided(&mut user, &format!(r#"{{"attempt":{{"name":"{n}","limit":60}}}}"#));
        assert_eq!(reply == Some(none.clone()), n < 65, "{n}");
        let failed = n >= 5;
        decided(&mut user, &format!(r#"{{"attempt_done":{{"name":"{n}","failed":{failed},"limit":60}}}}"#));
    }
    let mut user = User::default();
    for n in 0..70 {
        let reply =
            decided(&mut user, &format!(r#"{{"attempt":{{"name":"{n}","limit":60,"reserves":true}}}}"#));
        assert_eq!(reply == Some(none.clone()), n < 65, "{n}");
        if n < 5 {
            let done =
                format!(r#"{{"attempt_done":{{"name":"{n}","failed":false,"limit":60,"gives_back":true}}}}"#);
            decided(&mut user, &done);
        }
    }
    // Beside them, one of this release is held by the same failures, and waits while some may be given back.
    assert_eq!(attempt(&mut user, "x", 0), throttled(15_000, true));
    assert_eq!(attempt(&mut user, "x", 2), throttled(13_000, false));
}
