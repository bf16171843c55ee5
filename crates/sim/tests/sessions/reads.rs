//! Which steps of a session read its row: not the first one of an event, where memory knows the state (decision 1).

use super::support::*;
use base::account::EndReason;
use base::ids::UserId;
use base::rpc::Class;
use session::{Peek, Presence, Renewal, Revoke, Rotate, Touch};
use sim::World;
use std::time::Duration;

/// How many rows are read by it.
fn reads(world: &World, what: impl FnOnce()) -> u64 {
    let before = world.usage();
    what();
    (world.usage() - before).rows_read
}

fn rotate(generation: u64) -> Rotate {
    Rotate { generation, user_id: UserId::issued(7), change_id: None }
}

fn touch(generation: u64) -> Touch {
    Touch { generation, passive: false }
}

#[test]
fn the_first_step_of_an_event_reads_no_row_where_memory_knows_the_state() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    let commands: [(&str, u64, &dyn Fn()); 4] = [
        ("touch", 0, &|| drop(tell(&world, &id, touch(0)))),
        ("peek", 0, &|| drop(tell(&world, &id, Peek))),
        ("rotate", 0, &|| drop(tell(&world, &id, rotate(0)))),
        // It looks whether its alarm is set, which tells of the end if nobody else does.
        ("revoke", 1, &|| drop(tell(&world, &id, Revoke { reason: EndReason::Logout, token: None }))),
    ];
    for (name, alarms, command) in commands {
        assert_eq!(reads(&world, command), alarms, "{name}");
    }
    // It is the state, and not what was said of it: whoever has lost it reads it, and looks whether the alarm is set.
    world.evict(Class::Session, id.as_str());
    assert_eq!(reads(&world, || assert!(matches!(tell(&world, &id, Peek), Presence::Ended(_)))), 2);
    assert_eq!(reads(&world, || drop(tell(&world, &id, Peek))), 0);
}

#[test]
fn a_later_step_of_an_event_reads_the_row() {
    let world = world(&[]);
    let (bank, id) = (Bank::of(&world), fresh_id(&world));
    open(&world, &id, customer());
    let renewal = Renewal { generation: 0, subject: SUBJECT.into(), request_id: "r".into(), change_id: None };
    // The step before the call, and what is to be verified.
    let mut heard = None;
    let before_the_call = reads(&world, || {
        heard = Some(begin(&world, &id, &renewal));
        world.settle();
    });
    assert_eq!((before_the_call, bank.calls()), (2, 1));
    let after_the_call = reads(&world, || {
        bank.says(&valid());
        world.settle();
    });
    assert_eq!(after_the_call, 1);
    assert!(heard.is_some_and(|heard| heard.borrow().as_ref().is_some_and(Result::is_ok)));
    assert_eq!(peek(&world, &id).generation, 1);
}

#[test]
fn the_step_of_an_alarm_reads_the_row() {
    let world = world(&[]);
    let id = fresh_id(&world);
    open(&world, &id, asha());
    world.advance(POLICY.idle / 2);
    tell(&world, &id, touch(0));
    let alarm = reads(&world, || world.advance(POLICY.idle / 2 + Duration::from_secs(1)));
    assert_eq!(alarm, 1, "it sets itself again");
    assert!(matches!(tell(&world, &id, Peek), Presence::Live(_)));
}
