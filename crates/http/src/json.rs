//! Bodies: strict JSON, and fields read from it so that all that are wrong are named together.

use crate::error::Reason;
use base::fields::{FieldError, FieldFault, is_presentable};
use serde_json::{Map, Value};

/// Any JSON value.
pub fn value(bytes: &[u8]) -> Result<Value, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::MalformedJson)?;
    base::json::value(text).map_err(|_| Reason::MalformedJson)
}

/// The fields of a body that must be an object. Unknown ones are ignored.
#[derive(Debug)]
pub struct Fields {
    map: Map<String, Value>,
    faults: Vec<FieldError>,
}

impl Fields {
    /// An empty body has no fields.
    pub fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let value = if bytes.is_empty() { Value::Object(Map::new()) } else { value(bytes)? };
        match value {
            Value::Object(map) => Ok(Self { map, faults: Vec::new() }),
            _ => Err(Reason::field("body", FieldFault::WrongType)),
        }
    }

    /// The fields of a form. An empty one counts as left out, and none is given twice (RFC 6749 §3.2).
    pub fn of_form(form: Vec<(String, String)>) -> Result<Self, Reason> {
        let mut map = Map::new();
        for (name, value) in form.into_iter().filter(|(_, value)| !value.is_empty()) {
            if map.insert(name, value.into()).is_some() {
                return Err(Reason::InvalidRequest);
            }
        }
        Ok(Self { map, faults: Vec::new() })
    }

    pub fn fault(&mut self, field: &'static str, fault: FieldFault) {
        self.faults.push(FieldError::new(field, fault));
    }

    /// A fault that somebody else has found.
    pub fn fault_at(&mut self, fault: FieldError) {
        self.faults.push(fault);
    }

    /// A field as it came, for whoever knows what it is; nothing if it is left out or null.
    pub fn optional_value(&mut self, field: &'static str) -> Option<Value> {
        self.map.remove(field).filter(|value| !value.is_null())
    }

    /// Whether the field is there and not null.
    pub fn has(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|v| !v.is_null())
    }

    /// Whether the field is there, not null and no empty text.
    pub fn is_filled(&self, field: &str) -> bool {
        self.map.get(field).is_some_and(|v| !v.is_null() && v.as_str() != Some(""))
    }

    /// The fields of an object in a field, named by their whole paths (`data.cif`); none if it is left out or null. What
    /// is wrong with them counts once they are given to [`Fields::absorb`].
    #[must_use]
    pub fn object(&mut self, field: &'static str) -> Self {
        let map = match self.map.remove(leaf(field)) {
            Some(Value::Object(map)) => map,
            other => {
                if other.is_some_and(|value| !value.is_null()) {
                    self.fault(field, FieldFault::WrongType);
                }
                Map::new()
            }
        };
        Self { map, faults: Vec::new() }
    }

    pub fn absorb(&mut self, inner: Self) {
        self.faults.extend(inner.faults);
    }

    /// Text that may be left out or null, of at most `bytes_max` bytes.
    pub fn optional_text(&mut self, field: &'static str, bytes_max: usize) -> Option<String> {
        match self.map.remove(leaf(field)) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.len() > bytes_max => {
                self.fault(field, FieldFault::TooLong);
                None
            }
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(field, FieldFault::WrongType);
                None
            }
        }
    }

    /// Text that may also come as a number, and then is that number's.
    pub fn optional_text_or_number(&mut self, field: &'static str, bytes_max: usize) -> Option<String> {
        let value = self.map.get_mut(leaf(field));
        if let Some((value, number)) =
            value.and_then(|v| v.as_number().map(ToString::to_string).map(|n| (v, n)))
        {
            *value = number.into();
        }
        self.optional_text(field, bytes_max)
    }

    /// Text to be shown to people. What would change how it, or what stands around it, is shown is left out.
    pub fn optional_label(&mut self, field: &'static str, bytes_max: usize) -> Option<String> {
        let text = self.optional_text(field, bytes_max)?;
        Some(text.chars().filter(|c| is_presentable(*c)).collect())
    }

    /// Text that must be there and not be empty.
    pub fn text(&mut self, field: &'static str, bytes_max: usize) -> String {
        let faults = self.faults.len();
        match self.optional_text(field, bytes_max) {
            Some(text) if !text.is_empty() => text,
            _ => {
                if self.faults.len() == faults {
                    self.fault(field, FieldFault::Required);
                }
                String::new()
            }
        }
    }

    pub fn optional_bool(&mut self, field: &'static str) -> Option<bool> {
        match self.map.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(b)) => Some(b),
            Some(_) => {
                self.fault(field, FieldFault::WrongType);
                None
            }
        }
    }

    /// A whole number within bounds, both included, that may be left out or null.
    pub fn optional_number(&mut self, field: &'static str, min: u64, max: u64) -> Option<u64> {
        let fault = match self.map.remove(field) {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => match number.as_u64() {
                Some(n) if (min..=max).contains(&n) => return Some(n),
                _ => FieldFault::NotAllowed,
            },
            Some(_) => FieldFault::WrongType,
        };
        self.fault(field, fault);
        None
    }

    pub fn optional_list(&mut self, field: &'static str) -> Option<Vec<String>> {
        let list = match self.map.remove(field) {
            None | Some(Value::Null) => return None,
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.fault(field, FieldFault::WrongType);
                return None;
            }
        };
        let texts: Option<Vec<String>> =
            list.into_iter().map(|v| if let Value::String(text) = v { Some(text) } else { None }).collect();
        if texts.is_none() {
            self.fault(field, FieldFault::WrongType);
        }
        texts
    }

    /// What somebody else reads of them by rules of their own.
    pub fn checked(
        &mut self,
        check: impl FnOnce(&Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>>,
    ) -> Map<String, Value> {
        check(&self.map).unwrap_or_else(|faults| {
            self.faults.extend(faults);
            Map::new()
        })
    }

    /// The refusal of a body without a field that all others are in.
    pub fn without(mut self, field: &'static str) -> Reason {
        self.fault(field, FieldFault::Required);
        Reason::InvalidFields(self.faults)
    }

    /// To be called when all have been read: names every wrong field.
    pub fn finish(self) -> Result<(), Reason> {
        if self.faults.is_empty() { Ok(()) } else { Err(Reason::InvalidFields(self.faults)) }
    }
}

/// The last part of a path: the field's own name.
fn leaf(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_json() {
        let deep = "[".repeat(100_000);
        for body in [
            "{",
            "{'a':1}",
            r#"{"a":1,"a":2}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"a":1e400}"#,
            r#"{"a":"\ud800"}"#,
            "{}x",
            "\u{feff}{}",
            "NaN",
            &deep,
        ] {
            assert_eq!(value(body.as_bytes()), Err(Reason::MalformedJson), "{}", &body[..body.len().min(30)]);
        }
        assert_eq!(value(b"\"\xff\""), Err(Reason::MalformedJson));
    }

    #[test]
    fn names_every_wrong_field_at_once() {
        let mut f =
            Fields::parse(br#"{"username":7,"password":"","language":"es","long":"xxxx","extra":[]}"#)
                .unwrap();
        f.text("username", 10);
        f.text("password", 10);
        f.text("missing", 10);
        f.optional_text("long", 3);
        assert_eq!(f.optional_text("language", 10).as_deref(), Some("es"));
        let Err(Reason::InvalidFields(faults)) = f.finish() else { panic!("no faults") };
        let named: Vec<_> = faults.iter().map(|f| (&*f.field, f.fault)).collect();
        assert_eq!(
            named,
            [
                ("username", FieldFault::WrongType),
                ("password", FieldFault::Required),
                ("missing", FieldFault::Required),
                ("long", FieldFault::TooLong),
            ]
        );
    }

    #[test]
    fn f16_a_number_is_whole_and_within_its_bounds() {
        for (number, read) in [
            ("1", Some(1)),
            ("30", Some(30)),
            ("null", None),
            ("1.0", Some(1)),
            ("30.000", Some(30)),
            ("3e1", Some(30)),
            ("0.2E+1", Some(2)),
        ] {
            let mut f = Fields::parse(format!(r#"{{"n":{number}}}"#).as_bytes()).unwrap();
            assert_eq!((f.optional_number("n", 1, 30), f.finish()), (read, Ok(())), "{number}");
        }
        for number in
            ["0", "-0", "-0.0", "-1", "31", "1.5", "9007199254740993", "18446744073709551616", "\"1\"", "[1]"]
        {
            let mut f = Fields::parse(format!(r#"{{"n":{number}}}"#).as_bytes()).unwrap();
            assert_eq!(f.optional_number("n", 1, 30), None);
            assert!(f.finish().is_err(), "{number}");
        }
    }

    #[test]
    fn f16_what_is_whole_is_a_whole_number_up_to_where_numbers_are_rounded() {
        for (text, number) in [
            ("-0.0", serde_json::json!(0)),
            ("-2.0", serde_json::json!(-2)),
            ("999999999999999.0", serde_json::json!(999_999_999_999_999_u64)),
            ("1000000000000000.0", serde_json::json!(1e15)),
            ("1e300", serde_json::json!(1e300)),
            ("0.5", serde_json::json!(0.5)),
        ] {
            assert_eq!(value(text.as_bytes()), Ok(number), "{text}");
        }
    }

    #[test]
    fn f16_a_text_may_come_as_a_number() {
        for (text, read) in [("\"sme\"", "sme"), ("7", "7"), ("7.0", "7"), ("1763589600000", "1763589600000")]
        {
            let mut f = Fields::parse(format!(r#"{{"n":{text}}}"#).as_bytes()).unwrap();
            assert_eq!(f.optional_text_or_number("a.n", 20).as_deref(), Some(read), "{text}");
            assert!(f.finish().is_ok());
        }
        for text in ["true", "[7]", "{}", "123456789012345678901"] {
            let mut f = Fields::parse(format!(r#"{{"n":{text}}}"#).as_bytes()).unwrap();
            assert_eq!(f.optional_text_or_number("n", 20), None, "{text}");
            assert!(f.finish().is_err(), "{text}");
        }
    }

    #[test]
    fn f15_a_label_has_nothing_that_changes_how_it_is_shown() {
        let body = r#"{"n":"Zo\u00eb\u2019s\t\u202e\u2066Pixel\u200f \ud83d\udcf1\r\n\u0000\u0085\u2028","o":"\u202e"}"#;
        let mut f = Fields::parse(body.as_bytes()).unwrap();
        assert_eq!(f.optional_label("n", 200).as_deref(), Some("Zo\u{eb}\u{2019}sPixel \u{1f4f1}"));
        assert_eq!(f.optional_label("o", 200).as_deref(), Some(""));
    }

    #[test]
    fn a_body_is_an_object_or_empty() {
        assert!(Fields::parse(b"").is_ok());
        for body in ["[]", "1", "\"x\"", "null"] {
            assert!(matches!(Fields::parse(body.as_bytes()), Err(Reason::InvalidFields(_))), "{body}");
        }
    }
}
