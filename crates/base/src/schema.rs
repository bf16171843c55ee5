//! JSON Schemas of ids and words, for the docs. Native only.

use crate::ids::{AccountName, PortalId, ServiceKeyId, SessionId, UserId};
use schemars::json_schema;
pub use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

/// One of these words.
pub fn words<'a>(words: impl Iterator<Item = &'a str>) -> Schema {
    // Two variants may share one.
    let mut unique: Vec<&str> = Vec::new();
    for word in words {
        if !unique.contains(&word) {
            unique.push(word);
        }
    }
    json_schema!({ "type": "string", "enum": unique })
}

macro_rules! id {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

id!(SessionId, { "type": "string", "pattern": "^[0-9a-f]{64}$" });
id!(ServiceKeyId, { "type": "string", "pattern": "^[0-9a-f]{12}$" });
id!(AccountName, { "type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$" });
id!(PortalId, { "type": "string", "maxLength": 128 });
id!(UserId, { "type": "integer", "minimum": 1 });
