//! Parts of the simulation by themselves. Not beside them: the whole simulation would be compiled a second time for it.

use base::clock::Timestamp;
use base::fault::Fault;
use base::rpc::Class;
use engine::host::Rows;
use engine::parsed::Parsed;
use sim::rng::Rng;
use sim::storage::Storage;
use std::cell::{Cell, RefCell};

#[test]
fn a_seed_says_everything() {
    let draw = |seed| {
        let mut rng = Rng::new(seed);
        (0..100).map(|_| rng.below(1000)).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let mean = draw(3).iter().sum::<u64>() / 100;
    assert!((400..600).contains(&mean), "{mean}");
}

#[test]
fn a_batch_is_taken_back_as_a_whole() {
    let mut storage = Storage::default();
    storage.put("a", "1");
    storage.set_alarm(Some(Timestamp::from_millis(5)));
    storage.sql("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT)", &[]).unwrap();
    storage.sql("INSERT INTO t (x) VALUES (?)", &["one".into()]).unwrap();
    assert!(storage.commit());
    assert_eq!(storage.alarm(), Some(Timestamp::from_millis(5)));
    storage.put("a", "2");
    storage.put("a", "3");
    storage.put("b", "4");
    storage.delete_all().unwrap();
    assert!(storage.sql("SELECT * FROM t", &[]).is_err());
    assert!(storage.is_dirty());
    storage.roll_back();
    assert!(!storage.is_dirty());
    assert_eq!((storage.get("a").map(String::as_str), storage.get("b")), (Some("1"), None));
    assert_eq!(storage.alarm(), Some(Timestamp::from_millis(5)));
    let rows = storage.sql("SELECT id, x FROM t WHERE x = ?", &["one".into()]).unwrap();
    assert_eq!(serde_json::to_value(rows).unwrap(), serde_json::json!([{"id": 1, "x": "one"}]));
}

#[test]
fn a_database_that_is_used_again_is_as_new() {
    let table = "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT)";
    for _ in 0..3 {
        let mut storage = Storage::reusing(Class::Directory);
        storage.sql(table, &[]).unwrap();
        storage.sql("INSERT INTO t (x) VALUES (?)", &["one".into()]).unwrap();
        storage.commit();
        storage.sql("INSERT INTO t (x) VALUES (?)", &["not durable".into()]).unwrap();
        let rows = storage.sql("SELECT id, x FROM t ORDER BY id LIMIT 1", &[]).unwrap();
        assert_eq!(serde_json::to_value(rows).unwrap(), serde_json::json!([{"id": 1, "x": "one"}]));
        let rows = storage.sql("SELECT count(*) AS n FROM t", &[]).unwrap();
        assert_eq!(serde_json::to_value(rows).unwrap(), serde_json::json!([{"n": 2}]));
    }
    assert_eq!(Storage::spare(Class::Directory), 1);
}

/// One row, which may be lost with its instance, and how often its text was looked at.
#[derive(Default)]
struct OneRow {
    text: RefCell<Option<String>>,
    looks: Cell<u32>,
    is_gone: Cell<bool>,
    fails: Cell<bool>,
}

impl Rows for OneRow {
    type Text = String;

    fn read(&self, _: &str) -> Result<Option<String>, Fault> {
        if self.is_gone.get() { Err("replaced".into()) } else { Ok(self.text.borrow().clone()) }
    }

    fn text(&self, text: &String) -> Result<String, Fault> {
        self.looks.set(self.looks.get() + 1);
        Ok(text.clone())
    }

    /// One that fails is done all the same.
    fn write(&self, _: &str, value: &str) -> Result<String, Fault> {
        *self.text.borrow_mut() = Some(value.to_owned());
        if self.fails.get() { Err("failed".into()) } else { Ok(value.to_owned()) }
    }

    fn delete(&self, _: &str) -> Result<(), Fault> {
        *self.text.borrow_mut() = None;
        Ok(())
    }
}

#[test]
fn a_row_is_parsed_once_and_never_answered_from_memory_alone() {
    let (rows, parsed) = (OneRow::default(), Parsed::<String, Vec<u32>>::of("row"));
    assert!(parsed.read(&rows).unwrap().is_empty(), "there is none");
    parsed.write(&rows, &vec![1]).unwrap();
    assert_eq!((parsed.read(&rows).unwrap(), rows.looks.get()), (vec![1], 0));
    // Another instance, or a transaction that was taken back: what is stored counts.
    *rows.text.borrow_mut() = Some("[2]".to_owned());
    for _ in 0..3 {
        assert_eq!((parsed.read(&rows).unwrap(), rows.looks.get()), (vec![2], 1));
    }
    // A write that says that it failed, and is done.
    rows.fails.set(true);
    parsed.write(&rows, &vec![3]).unwrap_err();
    assert_eq!((parsed.read(&rows).unwrap(), rows.looks.get()), (vec![3], 2));
    rows.delete("row").unwrap();
    assert!(parsed.read(&rows).unwrap().is_empty());
    *rows.text.borrow_mut() = Some("no row of ours".to_owned());
    parsed.read(&rows).unwrap_err();
    rows.is_gone.set(true);
    parsed.read(&rows).unwrap_err();
}
