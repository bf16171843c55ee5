use super::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Inner {
    name: String,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Wrapped(Inner),
    Shaped { id: u64, at: Option<i64> },
    Pair(u8, String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Whole {
    id: u64,
    #[serde(rename = "settled")]
    done: bool,
    maybe: Option<String>,
    #[serde(default = "seven")]
    count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner: Option<Box<Inner>>,
    kinds: Vec<Kind>,
    #[serde(default)]
    by_name: BTreeMap<String, f64>,
    #[serde(skip)]
    memory: u8,
}

fn seven() -> u32 {
    7
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
    more: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Tagged {
    Live(Box<Inner>),
    Over { at: i64 },
}

fn whole() -> Whole {
    let inner = Inner { name: "é\"".into(), roles: vec!["a".into(), "b".into()] };
    let kinds = vec![
        Kind::Plain,
        Kind::Wrapped(inner.clone()),
        Kind::Shaped { id: u64::MAX, at: Some(i64::MIN) },
        Kind::Shaped { id: 1, at: None },
        Kind::Pair(9, "x".into()),
    ];
    let by_name = BTreeMap::from([("a".into(), 1.5), ("b".into(), -2.0)]);
    Whole {
        id: 5,
        done: true,
        maybe: Some("m".into()),
        count: 3,
        inner: Some(Box::new(inner)),
        kinds,
        by_name,
        memory: 0,
    }
}

/// What is written is read as `serde_json` reads it.
#[test]
fn reads_what_is_written() {
    fn same<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T) {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&read::<T>(&text).unwrap(), value, "{text}");
        assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value, "{text}");
        assert_eq!(&read_bytes::<T>(text.as_bytes()).unwrap(), value);
    }
    same(&whole());
    same(&Whole { maybe: None, inner: None, kinds: Vec::new(), by_name: BTreeMap::new(), ..whole() });
    same(&Flat { inner: Inner { name: "n".into(), roles: vec!["r".into()] }, more: -1 });
    same(&Tagged::Live(Box::new(Inner { name: "n".into(), roles: Vec::new() })));
    same(&Tagged::Over { at: -5 });
    same(&vec![(1_u8, "a".to_owned()), (2, "b".to_owned())]);
    same(&Some(3));
    same(&None::<u8>);
}

#[test]
fn what_is_missing_is_the_default_or_nothing() {
    let read: Whole =
        read(r#"{"id": 1, "settled": false, "kinds": ["plain"], "unknown": [1, {"a": 2}]}"#).unwrap();
    let expected = Whole {
        id: 1,
        done: false,
        maybe: None,
        count: 7,
        inner: None,
        kinds: vec![Kind::Plain],
        by_name: BTreeMap::new(),
        memory: 0,
    };
    assert_eq!(read, expected);
}

/// The error names the member, and never what stands there.
#[test]
fn says_what_is_wrong() {
    for (text, error) in [
        (r#"{"settled": false, "kinds": []}"#, "id: missing"),
        (r#"{"id": null, "settled": false, "kinds": []}"#, "id: null, not u64"),
        (r#"{"id": "hunter2", "settled": false, "kinds": []}"#, "id: a text, not u64"),
        (r#"{"id": -1, "settled": false, "kinds": []}"#, "id: a number, not u64"),
        (r#"{"id": 1, "settled": false}"#, "kinds: missing"),
        (r#"{"id": 1, "settled": false, "kinds": {}}"#, "kinds: an object, not a sequence"),
        (r#"{"id": 1, "settled": false, "kinds": ["other"]}"#, "kinds: none of plain, wrapped, shaped, pair"),
        (r#"{"id": 1, "settled": false, "kinds": [{"wrapped": {}}]}"#, "kinds: name: missing"),
        (r#"{"id": 1, "settled": false, "kinds": [{"pair": [1, "a", 2]}]}"#, "kinds: too many items"),
        (r#"{"id": 1, "id": 1, "settled": false, "kinds": []}"#, "no JSON at line 1, column 17"),
        (r"[1, false, null, 7, null, []]", "a list, not struct Whole"),
        (r#"{"id": 1"#, "no JSON at line 1, column 8"),
        ("{} x", "no JSON at line 1, column 4"),
    ] {
        assert_eq!(read::<Whole>(text).unwrap_err().to_string(), error, "{text}");
    }
    assert!(read_bytes::<Whole>(b"\"\xff\"").is_err());
}

/// JSON knows one kind of number.
#[test]
fn whole_numbers_are_whole() {
    assert_eq!(read::<u64>("1.0").unwrap(), 1);
    assert_eq!(read::<f64>("1").unwrap().to_string(), "1");
    assert!(read::<u64>("1.5").is_err());
}
