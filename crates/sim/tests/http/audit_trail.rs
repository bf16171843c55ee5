//! An object of the audit trail: batches that are late, lost, out of order or come twice; more than it keeps; a day later.

use base::clock::Timestamp;
use base::rpc::Class;
use base::trail::{self, Append, Appended, Page, Query, stamp};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const NAME: &str = "trail/0";

fn record(at: Timestamp, text: &str) -> String {
    format!(r#"{} {{"action":"login","outcome":"ok","request_id":"{text}"}}"#, stamp(at))
}

fn append(world: &World, id: &str, records: Vec<String>) {
    let append = Append { id: id.to_owned(), records, left_out: 0 };
    assert_eq!(world.send(&trail::address(0), &append), Ok(Appended::Done));
}

fn query(limit: usize) -> Query {
    Query { limit, ..Query::default() }
}

fn page(world: &World, query: &Query) -> Page {
    world.send(&trail::address(0), query).unwrap()
}

/// The ids of what it has, the newest first.
fn ids(world: &World, query: &Query) -> Vec<String> {
    page(world, query).records.iter().map(|record| id(record)).collect()
}

fn id(record: &str) -> String {
    record.split(' ').nth(1).unwrap().to_owned()
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
        before = Some(one.rsplitn(2, " {").last().unwrap().to_owned());
        found.push(id(&one));
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
    assert_eq!((records.len(), &*id(&records[0]), &*id(&records[30])), (31, "b39-000", "b9-000"));
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
    let before = Some(format!("{} today-000", stamp(now)));
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

/// What this release has stored: no release may read it differently.
#[test]
fn what_is_stored_is_read() {
    let world = World::complete(0, &[]);
    assert!(page(&world, &query(1)).records.is_empty());
    let columns = "seq, oldest, newest, bytes, total, left_out, records";
    let at = |seconds: u64| world.now().millis() + 1_000 * seconds;
    let line = |seconds: u64, rest: &str| format!("{:015} {rest}\n", at(seconds));
    let first = line(0, r#"61881facaf3fa8e4-000 {"action":"login"}"#);
    let records = [&*first, &line(5, r#"61881facaf3fa8e4-001 {"action":"logout"}"#)].concat();
    let values = format!("1, {}, {}, {}, {}, 3, '{records}'", at(0), at(5), records.len(), records.len());
    world.sql(Class::AuditTrail, NAME, &format!("INSERT INTO chunks ({columns}) VALUES ({values})"));
    for (row, seconds) in [("began", 0), ("dropped", 1)] {
        world.put_row(Class::AuditTrail, NAME, row, &format!("{:015}", at(seconds)));
    }
    let Page { records, began, dropped, left_out } = page(&world, &query(1));
    assert_eq!(records, [line(5, r#"61881facaf3fa8e4-001 {"action":"logout"}"#).trim_end()]);
    assert_eq!(began.map(Timestamp::millis), Some(at(0)));
    assert_eq!((dropped.map(Timestamp::millis), left_out), (Some(at(1)), 3));
}

/// What is sent: a Worker of one release asks an object of another.
#[test]
fn what_is_sent_is_as_it_was() {
    use base::rpc::Command as _;
    let append = Append { id: "61881facaf3fa8e4".to_owned(), records: vec!["1 {}".to_owned()], left_out: 2 };
    assert_eq!(
        append.to_json().unwrap(),
        r#"{"append":{"id":"61881facaf3fa8e4","records":["1 {}"],"left_out":2}}"#
    );
    let mut query = Query { limit: 5, ..Query::default() };
    assert_eq!(
        query.to_json().unwrap(),
        r#"{"query":{"since":null,"until":null,"before":null,"limit":5,"all":[],"any":[],"none":[]}}"#
    );
    query = Query { since: Some(Timestamp::from_millis(1)), before: Some("2 a".to_owned()), ..query };
    query.exclude("outcome", "ok");
    query.require("account", Some("\"".to_owned()));
    assert_eq!(
        query.to_json().unwrap(),
        r#"{"query":{"since":1,"until":null,"before":"2 a","limit":5,"all":["\"account\":\"\\\"\""],"any":[],"none":["\"outcome\":\"ok\""]}}"#
    );
    let old: trail::Envelope = base::json::read(r#"{"query":{"limit":1}}"#).unwrap();
    assert_eq!(old, trail::Envelope::Query(Query { limit: 1, ..Query::default() }));
    let page = r#"{"records":["1 a {}"],"began":null,"dropped":7,"left_out":0}"#;
    let read: Page = base::json::read(page).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), page);
}
