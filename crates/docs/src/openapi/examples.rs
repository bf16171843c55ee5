//! An example of each body and answer, by the name of its schema. A test holds them to the schemas.

use serde_json::{Map, Value};

/// The example of a schema; none of one that has none.
pub fn example(schema: &str) -> Option<Value> {
    let all: Map<String, Value> = serde_json::from_str(include_str!("examples.json")).ok()?;
    all.get(schema).cloned()
}
