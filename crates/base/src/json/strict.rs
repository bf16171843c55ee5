//! Any JSON, with what RFC 8259 leaves open decided.

use super::Invalid;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Behind the name of the second of two members of one name, where it is kept.
pub const TWICE: &str = " (twice)";

/// Any JSON value in which no object has a name twice (RFC 8259 §4 leaves what that means open; we refuse it).
/// `serde_json` stops at 128 levels of nesting and at numbers that do not fit.
pub fn value(text: &str) -> Result<Value, Invalid> {
    read(text, Strict { keeps_second: false }).map_err(|error| {
        Invalid(format!("no JSON at line {}, column {}", error.line(), error.column()).into())
    })
}

/// JSON as it was written: of a name that stands in an object twice, nobody can say which is meant, so the second is kept too.
pub fn document(text: &str) -> serde_json::Result<Value> {
    read(text, Strict { keeps_second: true })
}

fn read(text: &str, strict: Strict) -> serde_json::Result<Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = strict.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    /// A name that stands in an object twice is no fault: its second member is there, too.
    keeps_second: bool,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// `serde_json` may read a number with a fraction or an exponent two units in the last place beside it. Below 10¹⁵ these are
/// less than a half, so what comes out whole is the number that was written.
const WHOLE_MAX: f64 = 1e15;

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    /// JSON knows one kind of number: `1.0`, `1e0` and `1` are the same one (RFC 8259 §6).
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        #[allow(clippy::cast_possible_truncation)] // It is whole, and fits.
        Ok(if v.fract() == 0.0 && v.abs() < WHOLE_MAX { (v as i64).into() } else { v.into() })
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(mut name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if self.keeps_second && map.contains_key(&name) {
                name.push_str(TWICE);
            }
            if map.insert(name, value).is_some() && !self.keeps_second {
                return Err(de::Error::custom("a name twice"));
            }
        }
        Ok(Value::Object(map))
    }
}
