//! Types that are set by hand: a member that nobody knows is a fault.

use super::{Invalid, of};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::Value;

/// A value as a type that has every member of it: what is set by hand has no others than those that are known.
pub fn exact<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    if let Value::Object(members) = &value {
        let mut known: &[&str] = &[];
        // It always fails, having heard the names.
        let _ = T::deserialize(Names(&mut known));
        if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Invalid(format!("{name}: unknown").into()));
        }
    }
    of(value)
}

/// Hears which members a type has.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Invalid;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Invalid> {
        Err(Invalid(Box::default()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Invalid> {
        *self.0 = names;
        Err(Invalid(Box::default()))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct option
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
