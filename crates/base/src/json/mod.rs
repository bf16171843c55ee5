//! JSON into our types.
//!
//! `serde_json` compiles, for each type, its parsing in line, a loop over an object's members, and the same once more for a
//! list: a quarter of the wasm. Here a text is parsed to a [`Value`] first, in one place, and a type's members are then taken
//! from it by their names, in their order. It takes a little more time; where that counts (a check of an access token),
//! `serde_json` reads the text itself.
//!
//! A member that is not there is its type's default if it has one, and nothing if it is an `Option`. Members that the type does
//! not know are ignored, but by [`exact()`]: `deny_unknown_fields` has no effect here, `alias` neither.

mod exact;
mod strict;

pub use exact::exact;
pub use strict::{TWICE, document, value};

use crate::fault::Fault;
use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer as _,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};
use std::{fmt, slice, vec};

/// Why a text is not what was expected. It names members, never what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Box<str>);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

impl de::Error for Invalid {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string().into())
    }

    #[cold]
    #[inline(never)]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit => "null",
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Seq => "a list",
            Unexpected::Map => "an object",
            _ => "a text",
        };
        Self(format!("{found}, not {expected}").into())
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("none of {}", expected.join(", ")).into())
    }
}

impl From<Invalid> for Fault {
    fn from(error: Invalid) -> Self {
        Self(error.0.into())
    }
}

/// A text as a type. No object may have a name twice.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    of(value(text)?)
}

/// A text of UTF-8 as a type.
pub fn read_bytes<T: DeserializeOwned>(text: &[u8]) -> Result<T, Invalid> {
    of(value(std::str::from_utf8(text).map_err(|_| invalid("no UTF-8"))?)?)
}

/// A value as a type.
pub fn of<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    T::deserialize(Node(Some(value)))
}

#[cold]
fn invalid(text: &str) -> Invalid {
    Invalid(text.into())
}

/// What a type is read from; nothing stands for a member that is not there.
struct Node(Option<Value>);

#[cold]
#[inline(never)]
fn wrong(found: Option<&Value>, expected: &dyn Expected) -> Invalid {
    de::Error::invalid_type(
        match found {
            None => return Invalid(Box::default()),
            Some(Value::Null) => Unexpected::Unit,
            Some(Value::Bool(v)) => Unexpected::Bool(*v),
            Some(Value::Number(_)) => Unexpected::Float(0.0),
            Some(Value::String(_)) => Unexpected::Str(""),
            Some(Value::Array(_)) => Unexpected::Seq,
            Some(Value::Object(_)) => Unexpected::Map,
        },
        expected,
    )
}

impl<'de> Deserializer<'de> for Node {
    type Error = Invalid;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0 {
            None => Err(wrong(None, &visitor)),
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(v)) => visitor.visit_bool(v),
            Some(Value::Number(v)) => number(&v, visitor),
            Some(Value::String(v)) => visitor.visit_string(v),
            Some(Value::Array(items)) => items_of(items, visitor),
            Some(Value::Object(map)) => visitor.visit_map(Members { rest: map.into_iter(), value: None }),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        match self.0 {
            Some(Value::Object(map)) => {
                let mut fields = Fields { map, names: names.iter(), at: None };
                visitor.visit_seq(&mut fields).map_err(|error| fields.blamed(error))
            }
            other => Err(wrong(other.as_ref(), &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0 {
            Some(Value::Object(map)) => visitor.visit_map(Members { rest: map.into_iter(), value: None }),
            other => Err(wrong(other.as_ref(), &visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0 {
            Some(Value::Array(items)) => items_of(items, visitor),
            other => Err(wrong(other.as_ref(), &visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Invalid> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        match variant(self.0) {
            Ok(variant) => visitor.visit_enum(variant),
            Err(other) => Err(wrong(other.as_ref(), &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.0 {
            Some(Value::String(text)) => visitor.visit_string(text),
            other => Err(wrong(other.as_ref(), &visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
    }
}

fn number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Invalid> {
    if let Some(v) = number.as_u64() {
        visitor.visit_u64(v)
    } else if let Some(v) = number.as_i64() {
        visitor.visit_i64(v)
    } else {
        visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// The members that a type has, in its order.
struct Fields {
    map: Map<String, Value>,
    names: slice::Iter<'static, &'static str>,
    /// Where reading is, and whether it is there.
    at: Option<(&'static str, bool)>,
}

impl Fields {
    #[inline(never)]
    fn next(&mut self) -> Option<Node> {
        let name = self.names.next()?;
        // Left in its place, empty: to take it out would put the map in order again each time.
        let value = self.map.get_mut(*name).map(Value::take);
        self.at = Some((name, value.is_some()));
        Some(Node(value))
    }

    /// The error, with the member at which it happened.
    #[cold]
    #[inline(never)]
    fn blamed(&self, error: Invalid) -> Invalid {
        match self.at {
            None => error,
            Some((name, false)) => Invalid(format!("{name}: missing").into()),
            Some((name, true)) => Invalid(format!("{name}: {error}").into()),
        }
    }

    fn is_missing(&self) -> bool {
        self.at.is_some_and(|(_, there)| !there)
    }
}

impl<'de> SeqAccess<'de> for &mut Fields {
    type Error = Invalid;

    /// For a member that is missing and has no meaning of its own: nothing, which is the default, if there is one.
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Invalid> {
        let Some(node) = self.next() else { return Ok(None) };
        match seed.deserialize(node) {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn items_of<'de, V: Visitor<'de>>(items: Vec<Value>, visitor: V) -> Result<V::Value, Invalid> {
    let mut items = Items(items.into_iter());
    let read = visitor.visit_seq(&mut items)?;
    if items.0.as_slice().is_empty() { Ok(read) } else { Err(invalid("too many items")) }
}

struct Items(vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for &mut Items {
    type Error = Invalid;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Invalid> {
        self.0.next().map(|item| seed.deserialize(Node(Some(item)))).transpose()
    }
}

/// The members of an object of any names.
struct Members {
    rest: serde_json::map::IntoIter,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Invalid;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Invalid> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        let name: StringDeserializer<Invalid> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Invalid> {
        seed.deserialize(Node(self.value.take()))
    }
}

/// A variant by its name alone, or as an object of one member.
struct Variant {
    name: String,
    value: Option<Value>,
}

#[inline(never)]
fn variant(value: Option<Value>) -> Result<Variant, Option<Value>> {
    match value {
        Some(Value::String(name)) => Ok(Variant { name, value: None }),
        Some(Value::Object(map)) if map.len() == 1 => match map.into_iter().next() {
            Some((name, value)) => Ok(Variant { name, value: Some(value) }),
            None => Err(None),
        },
        other => Err(other),
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Invalid;
    type Variant = Node;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Node), Invalid> {
        let name: StringDeserializer<Invalid> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Node(self.value)))
    }
}

impl<'de> VariantAccess<'de> for Node {
    type Error = Invalid;

    fn unit_variant(self) -> Result<(), Invalid> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(invalid("a variant that has no content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Invalid> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Invalid> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        self.deserialize_struct("", names, visitor)
    }
}

#[cfg(test)]
mod tests;
