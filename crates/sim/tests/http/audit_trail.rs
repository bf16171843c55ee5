//! An object of the audit trail: batches that are late, lost, out of order or come twice; more than it keeps; a day later.

use base::clock::Timestamp;
use base::rpc::Class;
use base::trail::{self, Append, Appended, Filter, Page, Place, Query, Record};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const NAME: &str = "trail/0";

fn record(at: Timestamp, text: &str) -> Record {
    Record { at, json: format!(r#"{{"action":"login","outcome":"ok","request_id":"{text}"}}"#) }
}

fn append(world: &World, id: &str, records: Vec<Record>) {
    let append = Append { id: id.to_owned(), records, left_out: 0 };
    assert_eq!(world.send(&trail::address(0), &append), Ok(Appended::Done));
}

fn query(limit: usize) -> Query {
    Query { since: None, until: None, before: None, limit, filter: Filter::default() }
}

fn page(world: &World, query: &Query) -> Page {
    world.send(&trail::address(0), query).unwrap()
}

/// The ids of what it has, the newest first.
fn ids(world: &World, query: &Query) -> Vec<String> {
    page(world, query).records.into_iter().map(|found| found.id).collect()
}

fn chunks(world: &World) -> Vec<(u64, u64)> {
    let rows = world.sql(Class::AuditTrail, NAME, "SELECT seq, bytes FROM chunks ORDER BY seq");
    rows.iter().map(|row| (row["seq"].as_u64().unwrap(), row["bytes"].as_u64().unwrap())).collect()
}

#[test]
fn batches_that_come_late_twice_or_out_of_order_are_in_the_order_of_their_times() {
    let world = World::complete(0, &[]);
    let at = |seconds| world.now().plus(Duration::from_secs(seconds));
    append(&world, "b", vec![record(at(20), "1"), record(at(30), "2")]);
    append(&world, "a", vec![record(at(10), "3"), record(at(25), "4")]);
    append(&world, "b", vec![record(at(20), "1"), record(at(30), "2")]);
    // In another chunk, and older than what is in the one before.
    world.advance(HOUR);
    append(&world, "c", vec![record(at(0).minus(HOUR).plus(Duration::from_secs(15)), "5")]);
    assert_eq!(chunks(&world).len(), 2);
    let all = ["b-001", "a-001", "b-000", "c-000", "a-000"];
    assert_eq!(ids(&world, &query(10)), all);
    for limit in 1..5 {
        assert_eq!(ids(&world, &query(limit)), all[..limit], "{limit}");
    }
    // Page by page, each from behind the last.
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let records = page(&world, &Query { before: before.clone(), ..query(1) }).records;
        let Some(one) = records.into_iter().next() else { break };
        before = Some(one.place());
        found.push(one.id);
    }
    assert_eq!(found, all);
    let (since, until) = (Some(at(20).minus(HOUR)), Some(at(30).minus(HOUR)));
    assert_eq!(ids(&world, &Query { since, until, ..query(10) }), ["a-001", "b-000"]);
}

#[test]
fn a_batch_is_one_row_until_its_chunk_is_full_or_old() {
    let world = World::complete(0, &[]);
    append(&world, "first", vec![record(world.now(), "0")]);
    let before = world.usage();
    for n in 0..10 {
        append(&world, &format!("b{n}"), vec![record(world.now(), "1"), record(world.now(), "2")]);
        world.advance(Duration::from_secs(50));
    }
    let used = world.usage() - before;
    assert_eq!((used.rows_written, used.alarms_set, used.object_requests), (10, 0, 10));
    assert_eq!(chunks(&world).len(), 1);
    world.advance(2 * Duration::from_mins(1));
    append(&world, "old", vec![record(world.now(), "3")]);
    assert_eq!(chunks(&world).len(), 2);
    let long = "x".repeat(20_000);
    append(&world, "long", vec![record(world.now(), &long)]);
    append(&world, "longer", vec![record(world.now(), &long)]);
    assert_eq!(chunks(&world).len(), 3, "the second does not fit to the first");
    // A batch without records is none.
    append(&world, "none", Vec::new());
    assert_eq!(page(&world, &query(100)).records.len(), 24);
}

#[test]
fn what_is_too_much_goes_the_oldest_first_and_the_answer_says_since_when_all_is_there() {
    let world = World::complete(0, &[]);
    let began = world.now();
    let long = "x".repeat(1024 * 1024);
    for n in 0..40 {
        append(&world, &format!("b{n}"), vec![record(world.now(), &long)]);
        world.advance(Duration::from_secs(1));
    }
    let kept: u64 = chunks(&world).iter().map(|(_, bytes)| bytes).sum();
    let max = 32 * 1024 * 1024;
    assert!(kept <= max && kept > max - 2 * 1024 * 1024, "{kept}");
    let Page { records, began: first, dropped, .. } = page(&world, &query(100));
    assert_eq!((records.len(), &*records[0].id, &*records[30].id), (31, "b39-000", "b9-000"));
    assert_eq!((first, dropped), (Some(began), Some(began.plus(Duration::from_secs(8)))));
}

#[test]
fn after_a_day_nothing_is_found_and_soon_nothing_is_there() {
    let world = World::complete(0, &[]);
    append(&world, "a", vec![record(world.now(), "1")]);
    assert_eq!(world.alarm(Class::AuditTrail, NAME), Some(world.now().plus(25 * HOUR)));
    world.advance(12 * HOUR);
    append(&world, "b", vec![record(world.now(), "2")]);
    world.advance(12 * HOUR);
    assert_eq!(ids(&world, &query(10)), ["b-000", "a-000"], "a day is not over before it is over");
    world.advance(Duration::from_millis(1));
    assert_eq!(ids(&world, &query(10)), ["b-000"]);
    world.advance(HOUR);
    assert_eq!(chunks(&world).len(), 1);
    world.advance(12 * HOUR);
    assert_eq!((chunks(&world).len(), world.alarm(Class::AuditTrail, NAME)), (0, None));
    let Page { records, began, .. } = page(&world, &query(10));
    assert!(records.is_empty() && began.is_some());
    // It goes on as it began.
    append(&world, "c", vec![record(world.now(), "3")]);
    assert_eq!(ids(&world, &query(10)), ["c-000"]);
    assert_eq!(world.alarm(Class::AuditTrail, NAME), Some(world.now().plus(25 * HOUR)));
}

#[test]
fn a_clock_that_jumps_loses_nothing_of_today() {
    let world = World::complete(0, &[]);
    let now = world.now();
    world.at(now.plus(48 * HOUR));
    append(&world, "ahead", vec![record(world.now(), "1")]);
    world.at(now);
    append(&world, "today", vec![record(now, "2")]);
    assert_eq!(ids(&world, &query(10)), ["ahead-000", "today-000"]);
    let before = Some(Place { at: now, id: "today-000".to_owned() });
    assert!(ids(&world, &Query { before, ..query(10) }).is_empty());
}

#[test]
fn what_the_trail_says_it_has_it_keeps_when_instances_and_messages_are_lost() {
    let world = World::seeded(7, &[]);
    world.register::<engine::audit_trail::AuditTrail<sim::SimHost>>(Class::AuditTrail);
    world.weather().rough(Odds {
        lost: 100,
        stray: 50,
        slow: 100,
        write: 50,
        flush: 100,
        kill: 20,
        ..Odds::default()
    });
    let (mut kept, mut unknown) = (Vec::new(), 0);
    for n in 0..200 {
        let id = format!("{n:03}");
        let append = Append { id: id.clone(), records: vec![record(world.now(), "r")], left_out: 0 };
        match world.send(&trail::address(0), &append) {
            Ok(Appended::Done) => kept.push(format!("{id}-000")),
            Err(_) => unknown += 1,
        }
        world.advance(Duration::from_secs(7));
        if n % 20 == 0 {
            world.kill(Class::AuditTrail, NAME);
        }
    }
    world.weather().clear();
    let found = ids(&world, &query(1_000));
    assert!(unknown > 5 && kept.len() > 100, "{unknown} {}", kept.len());
    assert!(kept.iter().all(|id| found.contains(id)));
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "each is there once");
    assert!(found.is_sorted_by(|a, b| a > b));
}
