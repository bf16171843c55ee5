//! Forms: what is filled in, and what a browser would send of it (HTML, "constructing the entry list").

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// A form with what is filled in. Holds what somebody typed, so it is not printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub id: Option<String>,
    pub action: Option<String>,
    pub method: Method,
    /// `data-phase`: which of several pages it is.
    pub phase: Option<String>,
    pub controls: Vec<Control>,
    /// Whether its end is there: else controls may be missing.
    pub closed: bool,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub name: String,
    pub kind: Kind,
    pub disabled: bool,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Hidden(String),
    /// Of one line or more.
    Text(String),
    Password(String),
    Checkbox {
        value: String,
        checked: bool,
    },
    Radio {
        value: String,
        checked: bool,
    },
    Select {
        multiple: bool,
        choices: Vec<Choice>,
    },
    Submit(String),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub selected: bool,
    pub disabled: bool,
}

/// What came of looking for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choosing {
    Chosen,
    NotOffered,
    NoSuchControl,
}

impl Form {
    pub fn has_password(&self) -> bool {
        self.controls.iter().any(|c| matches!(c.kind, Kind::Password(_)))
    }

    /// Types into an input. `false` if there is none of this name.
    pub fn type_in(&mut self, name: &str, text: &str) -> bool {
        let input = self.controls.iter_mut().find_map(|c| match &mut c.kind {
            Kind::Text(value) | Kind::Password(value) if c.name == name => Some(value),
            _ => None,
        });
        input.map(|value| text.clone_into(value)).is_some()
    }

    /// Gives an input a value as a script would, and makes it if need be.
    pub fn put(&mut self, name: &str, value: &str) {
        self.controls.retain(|c| c.name != name);
        let kind = Kind::Hidden(value.to_owned());
        self.controls.push(Control { name: name.to_owned(), kind, disabled: false });
    }

    /// Ticks a checkbox, or takes the tick away. `false` if there is none of this name.
    pub fn tick(&mut self, name: &str, on: bool) -> bool {
        let found = self.controls.iter_mut().find_map(|c| match &mut c.kind {
            Kind::Checkbox { checked, .. } if c.name == name => Some(checked),
            _ => None,
        });
        found.map(|checked| *checked = on).is_some()
    }

    pub fn choices(&self, name: &str) -> Option<&[Choice]> {
        self.controls.iter().find_map(|c| match &c.kind {
            Kind::Select { choices, .. } if c.name == name => Some(choices.as_slice()),
            _ => None,
        })
    }

    /// Selects the option with exactly this label. One without a value ("-- select --") is none.
    pub fn choose(&mut self, name: &str, label: &str) -> Choosing {
        let found = self.controls.iter_mut().find_map(|c| match &mut c.kind {
            Kind::Select { choices, .. } if c.name == name => Some(choices),
            _ => None,
        });
        let Some(choices) = found else { return Choosing::NoSuchControl };
        let Some(at) = choices.iter().position(|c| c.label == label && !c.disabled && !c.value.is_empty())
        else {
            return Choosing::NotOffered;
        };
        for (i, choice) in choices.iter_mut().enumerate() {
            choice.selected = i == at;
        }
        Choosing::Chosen
    }

    /// What a browser sends once the first button is pressed.
    pub fn entries(&self) -> Vec<(&str, &str)> {
        let mut entries = Vec::new();
        let mut pressed = false;
        for Control { name, kind, disabled } in &self.controls {
            if matches!(kind, Kind::Submit(_)) && std::mem::replace(&mut pressed, true) {
                continue;
            }
            if name.is_empty() || *disabled {
                continue;
            }
            match kind {
                Kind::Hidden(value) | Kind::Text(value) | Kind::Password(value) | Kind::Submit(value) => {
                    entries.push((name.as_str(), value.as_str()));
                }
                Kind::Checkbox { value, checked } | Kind::Radio { value, checked } => {
                    if *checked {
                        entries.push((name, value));
                    }
                }
                Kind::Select { multiple, choices } => {
                    entries.extend(selected(*multiple, choices).map(|value| (name.as_str(), value)));
                }
            }
        }
        entries
    }
}

/// Of one that takes a single choice, the last that is selected, or the first that can be.
fn selected(multiple: bool, choices: &[Choice]) -> impl Iterator<Item = &str> {
    let single = choices.iter().rfind(|c| c.selected).or_else(|| choices.iter().find(|c| !c.disabled));
    let many = choices.iter().filter(move |c| multiple && c.selected);
    let single = single.filter(|_| !multiple);
    many.chain(single).filter(|c| !c.disabled).map(|c| c.value.as_str())
}
