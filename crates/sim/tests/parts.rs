//! Parts of the simulation by themselves. Not beside them: the whole simulation would be compiled a second time for it.

use base::clock::Timestamp;
use base::rpc::Class;
use sim::rng::Rng;
use sim::storage::Storage;

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
