//! What can be asked of a portal, declared in its [document](super::document) and not coded: there is one interpreter for each
//! kind of them.

use super::document::{ApiList, ApiOrder, ApiWizard, Options};
use super::script::Step;
use base::fields::{FieldError, FieldFault};
use serde_json::{Map, Value};

/// The answer gets a list of the calls that were made. Every operation has it.
pub const DEBUG: &str = "debug";

/// Where a value is none of what a form offers, the answer has what it offers.
pub const CHOICES: &str = "choices";

/// Something that a portal can be asked to do.
#[derive(Clone, Debug)]
pub struct Operation {
    pub name: String,
    pub fields: Vec<Field>,
    pub what: What,
}

/// Something that a caller gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
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

#[derive(Clone, Debug)]
pub enum What {
    Listing(Listing),
    Wizard(Steps),
    /// Whatever its steps do, in a browser.
    Script(Vec<Step>),
}

/// A table over one page or several.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Its address. `{field}` stands for a caller's field.
    pub path: String,
    /// The table's id.
    pub table: String,
    /// What is called instead, if it comes from an API.
    pub api: Option<ApiList>,
    pub columns: Columns,
    /// The answer's member for the rows.
    pub rows: String,
    /// … and for their number.
    pub count: String,
    /// Fields that the answer repeats.
    pub repeats: Vec<String>,
    pub flags: Vec<Flag>,
    pub paging: Option<Paging>,
    /// How it is come to in a browser: then `table` is a selector.
    pub in_browser: Option<Shown>,
}

/// A list in a browser.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    pub open: Vec<Step>,
    /// What scrolls, where more rows come by scrolling, and what is seen while they load.
    pub scroll: Option<String>,
    pub busy: Option<String>,
    /// Says a page that has no such list.
    pub not_found: Vec<String>,
}

/// What the members of a row are called.
#[derive(Clone, Debug)]
pub enum Columns {
    /// As the table's head says. It must have this one.
    AsTheHeadSays {
        needed: String,
    },
    Named(Vec<Column>),
}

impl Default for Columns {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

#[derive(Clone, Debug)]
pub struct Column {
    /// The head's word.
    pub head: String,
    pub member: String,
    /// Whether its values are put in lower case.
    pub lower: bool,
}

/// A member that says whether there is a row of these values.
#[derive(Clone, Debug)]
pub struct Flag {
    pub member: String,
    /// Members and values.
    pub row: Vec<(String, String)>,
}

/// More pages follow by `rel=next`. The fields that say how many are wanted, each over the next.
#[derive(Clone, Debug)]
pub struct Paging {
    pub target: Option<Target>,
    pub target_count: Option<String>,
    pub all: Option<String>,
    /// So many rows are left out from the first on, and the member that says what to give there for those that did not fit.
    pub skip: String,
    pub next: String,
    /// The members that say how many more pages were loaded, and why no more were.
    pub cycles: String,
    pub reason: String,
}

/// A row that is looked for.
#[derive(Clone, Debug)]
pub struct Target {
    pub field: String,
    /// The column that it is looked for in.
    pub column: String,
    /// The member that says whether it was found.
    pub found: String,
}

/// Forms that are filled in one after the other.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// Where the first one is.
    pub path: String,
    /// The forms' id. Which of them it is stands in `data-phase`, from 1.
    pub form: String,
    pub phases: Vec<Vec<Input>>,
    pub list: List,
    /// How they are come to and gone through in a browser: then controls are selectors.
    pub in_browser: Option<Stepper>,
    /// What is called, if they are those of an API: then controls are where the options are.
    pub api: Option<ApiWizard>,
    /// Nothing is sent without: the list is the answer.
    pub order: Option<Order>,
}

/// Forms in a browser.
#[derive(Clone, Debug, Default)]
pub struct Stepper {
    pub open: Vec<Step>,
    /// What is seen in each phase, and the steps that send it.
    pub phases: Vec<(String, Vec<Step>)>,
    /// What says what is wrong.
    pub errors: String,
}

/// A control of a form, and the caller's field that it is filled in with.
#[derive(Clone, Debug)]
pub struct Input {
    pub field: Field,
    pub control: String,
    pub by: By,
    pub need: Need,
    /// How what can be chosen is read, if it comes from an API.
    pub options: Option<Options>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Selects the option with exactly this label.
    Label,
    Text,
    Tick,
}

#[derive(Clone, Debug)]
pub enum Need {
    Always,
    Never,
    /// Where another field has one of these values.
    For {
        field: String,
        values: Vec<String>,
    },
}

/// What can be chosen in the last phase: its control, and the answer's members for it and for its length.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub control: String,
    pub rows: String,
    pub count: String,
    /// How they are read, if they come from an API.
    pub options: Option<Options>,
}

/// The last form is sent. That cannot be undone.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The id of what the portal shows once it is done, and what it says.
    pub element: String,
    pub confirmed_texts: Vec<String>,
    /// What was chosen is not there any more.
    pub gone_texts: Vec<String>,
    /// The portal does not know the forms any more.
    pub expired_texts: Vec<String>,
    /// What is called instead, if it is an API's.
    pub api: Option<ApiOrder>,
    /// The answer's members.
    pub confirmed: String,
    pub details: String,
}

impl Operation {
    /// Whether it can be left and gone on with.
    pub const fn is_wizard(&self) -> bool {
        matches!(self.what, What::Wizard(_))
    }

    /// Whether it does something that cannot be undone.
    pub fn commits(&self) -> bool {
        match &self.what {
            What::Wizard(Steps { order, .. }) => order.is_some(),
            What::Script(steps) => super::script::commits(steps),
            What::Listing(_) => false,
        }
    }

    /// The operation's own fields of a body. What is left out, null or empty is not among them, nor is what it does not know.
    pub fn check(&self, body: &Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        let (mut fields, mut errors) = (Map::new(), Vec::new());
        for Field { name, kind, required } in &self.fields {
            let value = body.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
            match value.map(|value| (value, kind.fault(value))) {
                None if *required => errors.push(FieldError::new(name.clone(), FieldFault::Required)),
                None => {}
                Some((_, Some(fault))) => errors.push(FieldError::new(name.clone(), fault)),
                Some((value, None)) => {
                    fields.insert(name.clone(), value.clone());
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
    use crate::document::emodal;
    use serde_json::json;

    fn check(name: &str, body: &Value) -> Result<Value, Vec<(String, FieldFault)>> {
        let checked = emodal().operation(name).unwrap().check(body.as_object().unwrap());
        let named =
            |errors: Vec<FieldError>| errors.into_iter().map(|e| (e.field.into_owned(), e.fault)).collect();
        checked.map(Value::Object).map_err(named)
    }

    #[test]
    fn names_are_known() {
        assert!(emodal().operation("get_session").is_none());
        let names: Vec<_> = emodal().operations.iter().map(|o| o.name.as_str()).collect();
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
            let expected = (expected.0.to_owned(), expected.1);
            assert_eq!(check(name, &body), Err(vec![expected]), "{body}");
        }
        assert_eq!(
            check("check_appointments", &json!({ "pin_code": "", "appointment_time": "x" })),
            Ok(json!({}))
        );
    }
}
