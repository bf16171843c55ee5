//! What can be asked of a portal, declared and not coded: each operation is a row of a table, and there is one interpreter
//! for each kind of them.

use super::emodal::{Pages, operations};
use base::fields::{FieldError, FieldFault};
use serde_json::{Map, Value};

/// The operation of this name.
pub fn operation(name: &str) -> Option<&'static Operation> {
    operations::ALL.iter().find(|operation| operation.name == name)
}

/// Every operation there is.
pub fn operations() -> &'static [Operation] {
    &operations::ALL
}

pub struct Operation {
    pub name: &'static str,
    pub fields: &'static [Field],
    pub what: What,
}

/// Something that a caller gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    /// Nothing can be done without it. What a wizard needs it asks for when it comes to it.
    pub required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// In characters; none of them a control character.
    Text {
        chars_max: usize,
    },
    Bool,
    /// A whole number, both bounds included.
    Number {
        min: u64,
        max: u64,
    },
}

pub enum What {
    Listing(Listing),
    Wizard(Steps),
}

/// A table over one page or several.
pub struct Listing {
    /// Its address. `{field}` stands for a caller's field.
    pub path: fn(&Pages) -> &str,
    /// The table's id.
    pub table: &'static str,
    pub columns: Columns,
    /// The answer's member for the rows.
    pub rows: &'static str,
    /// … and for their number.
    pub count: &'static str,
    /// Fields that the answer repeats.
    pub repeats: &'static [&'static str],
    /// Members of a row that are put in lower case.
    pub lower: &'static [&'static str],
    pub passed: Option<Passed>,
    pub paging: Option<Paging>,
}

/// What the members of a row are called.
pub enum Columns {
    /// As the table's head says. It must have this one.
    AsTheHeadSays { needed: &'static str },
    /// The head's words, and the member for each.
    Named(&'static [(&'static str, &'static str)]),
}

/// A member that says whether there is a row of two values.
pub struct Passed {
    pub member: &'static str,
    pub all: &'static [(&'static str, &'static str)],
}

/// More pages follow by `rel=next`. The fields that say how many are wanted, each over the next.
pub struct Paging {
    pub target: &'static str,
    /// The column that the target is looked for in.
    pub target_column: &'static str,
    /// The member that says whether it was found.
    pub found: &'static str,
    pub target_count: &'static str,
    pub all: &'static str,
    /// So many rows are left out from the first on, and the member that says what to give there for those that did not fit.
    pub skip: &'static str,
    pub next: &'static str,
    /// The members that say how many more pages were loaded, and why no more were.
    pub cycles: &'static str,
    pub reason: &'static str,
}

/// Forms that are filled in one after the other.
pub struct Steps {
    /// Where the first one is.
    pub start: fn(&Pages) -> &str,
    /// The forms' id. Which of them it is stands in `data-phase`, from 1.
    pub form: &'static str,
    pub phases: &'static [&'static [Input]],
    /// The list of the last phase: its control, and the answer's members for it and for its length.
    pub list: (&'static str, &'static str, &'static str),
    pub end: End,
}

/// A control of a form, and the caller's field that it is filled in with.
pub struct Input {
    pub field: &'static str,
    pub control: &'static str,
    pub by: By,
    pub need: Need,
}

pub enum By {
    /// Selects the option with exactly this label.
    Label,
    Text,
    Tick,
}

pub enum Need {
    Always,
    Never,
    /// Where another field has one of these values.
    For {
        field: &'static str,
        values: &'static [&'static str],
    },
}

pub enum End {
    /// The list is the answer.
    List,
    /// The last form is sent. That cannot be undone.
    Commit {
        /// The id of what the portal shows once it is done.
        confirmation: &'static str,
        confirmed: &'static str,
        details: &'static str,
    },
}

impl Operation {
    /// Whether it can be left and gone on with.
    pub const fn is_wizard(&self) -> bool {
        matches!(self.what, What::Wizard(_))
    }

    /// Whether it does something that cannot be undone.
    pub const fn commits(&self) -> bool {
        matches!(self.what, What::Wizard(Steps { end: End::Commit { .. }, .. }))
    }

    /// The operation's own fields of a body. What is left out, null or empty is not among them, nor is what it does not know.
    pub fn check(&self, body: &Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        let (mut fields, mut errors) = (Map::new(), Vec::new());
        for Field { name, kind, required } in self.fields {
            let value = body.get(*name).filter(|value| !value.is_null() && value.as_str() != Some(""));
            match value.map(|value| (value, kind.fault(value))) {
                None if *required => errors.push(FieldError { field: name, fault: FieldFault::Required }),
                None => {}
                Some((_, Some(fault))) => errors.push(FieldError { field: name, fault }),
                Some((value, None)) => {
                    fields.insert((*name).to_owned(), value.clone());
                }
            }
        }
        if errors.is_empty() { Ok(fields) } else { Err(errors) }
    }
}

impl FieldKind {
    fn fault(self, value: &Value) -> Option<FieldFault> {
        match (self, value) {
            (Self::Text { chars_max }, Value::String(text)) => {
                if text.chars().count() > chars_max {
                    Some(FieldFault::TooLong)
                } else {
                    text.chars().any(char::is_control).then_some(FieldFault::NotAllowed)
                }
            }
            (Self::Bool, Value::Bool(_)) => None,
            (Self::Number { min, max }, Value::Number(number)) => match number.as_u64() {
                Some(n) if (min..=max).contains(&n) => None,
                _ => Some(FieldFault::NotAllowed),
            },
            _ => Some(FieldFault::WrongType),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(name: &str, body: &Value) -> Result<Value, Vec<(&'static str, FieldFault)>> {
        let checked = operation(name).unwrap().check(body.as_object().unwrap());
        checked.map(Value::Object).map_err(|errors| errors.into_iter().map(|e| (e.field, e.fault)).collect())
    }

    #[test]
    fn names_are_known() {
        assert!(operation("get_session").is_none());
        let names: Vec<_> = operations().iter().map(|o| o.name).collect();
        assert_eq!(
            names,
            ["get_containers", "get_container_timeline", "check_appointments", "make_appointment"]
        );
    }

    #[test]
    fn bodies_are_checked() {
        let body =
            json!({ "session_id": "s", "target_count": 50, "infinite_scrolling": false, "debug": null });
        assert_eq!(
            check("get_containers", &body),
            Ok(json!({ "target_count": 50, "infinite_scrolling": false }))
        );
        for (name, body, expected) in [
            ("get_containers", json!({ "target_count": 0 }), ("target_count", FieldFault::NotAllowed)),
            ("get_containers", json!({ "target_count": 1.5 }), ("target_count", FieldFault::NotAllowed)),
            ("get_containers", json!({ "target_count": "5" }), ("target_count", FieldFault::WrongType)),
            (
                "get_containers",
                json!({ "infinite_scrolling": "yes" }),
                ("infinite_scrolling", FieldFault::WrongType),
            ),
            ("get_container_timeline", json!({}), ("container_id", FieldFault::Required)),
            ("get_container_timeline", json!({ "container_id": "" }), ("container_id", FieldFault::Required)),
            (
                "get_container_timeline",
                json!({ "container_id": "a\nb" }),
                ("container_id", FieldFault::NotAllowed),
            ),
            (
                "make_appointment",
                json!({ "truck_plate": "x".repeat(500) }),
                ("truck_plate", FieldFault::TooLong),
            ),
            ("check_appointments", json!({ "own_chassis": 1 }), ("own_chassis", FieldFault::WrongType)),
            ("check_appointments", json!({ "debug": 1 }), ("debug", FieldFault::WrongType)),
        ] {
            assert_eq!(check(name, &body), Err(vec![expected]), "{body}");
        }
        assert_eq!(
            check("check_appointments", &json!({ "pin_code": "", "appointment_time": "x" })),
            Ok(json!({}))
        );
    }
}
