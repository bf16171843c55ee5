//! Forms: what is filled in, and what a browser would send of it (HTML, "constructing the entry list").

use super::submission::{Enctype, Method, Overrides, Submission};
use base::charset::Charset;
use serde::{Deserialize, Serialize};

/// A form with what is filled in. Holds what somebody typed, so it is not printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub id: Option<String>,
    pub action: Option<String>,
    pub method: Method,
    /// `data-phase`: which of several pages it is.
    pub phase: Option<String>,
    pub controls: Vec<Control>,
    /// Whether its end is there, or that of the page: else controls may be missing.
    pub closed: bool,
    #[serde(default, skip_serializing_if = "Enctype::is_default")]
    pub enctype: Enctype,
    /// What it is sent in.
    #[serde(default, skip_serializing_if = "Charset::is_utf8")]
    pub charset: Charset,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub name: String,
    pub kind: Kind,
    pub disabled: bool,
    /// What a button changes of the form that it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Box<Overrides>>,
    /// What the direction of its text is sent as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirname: Option<String>,
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
        /// Several are shown, so that none is chosen unless one is said to be.
        #[serde(default)]
        rows: bool,
    },
    Submit(String),
    /// A button that tells where it was clicked, under these two names.
    Image(String, String),
    /// No file is ever chosen.
    File,
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
        self.controls.push(Control {
            name: name.to_owned(),
            kind,
            disabled: false,
            overrides: None,
            dirname: None,
        });
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

    /// The first button that can be pressed.
    fn submitter(&self) -> Option<&Control> {
        let is_button = |c: &&Control| matches!(c.kind, Kind::Submit(_) | Kind::Image(..)) && !c.disabled;
        self.controls.iter().find(is_button)
    }

    /// What a browser sends, and how, once the first button is pressed.
    pub fn submission(&self) -> Submission<'_> {
        let overrides = self.submitter().and_then(|button| button.overrides.as_deref());
        let action = overrides.and_then(|o| o.action.as_deref()).or(self.action.as_deref());
        Submission {
            action,
            method: overrides.and_then(|o| o.method).unwrap_or(self.method),
            enctype: overrides.and_then(|o| o.enctype).unwrap_or(self.enctype),
            charset: self.charset,
            entries: self.entries(),
        }
    }

    /// The entry list (HTML, "constructing the entry list").
    pub fn entries(&self) -> Vec<(&str, &str)> {
        let mut entries = Vec::new();
        let pressed = self.submitter();
        for control in &self.controls {
            let Control { name, kind, disabled, dirname, .. } = control;
            let is_pressed = pressed.is_some_and(|button| std::ptr::eq(button, control));
            if *disabled {
                continue;
            }
            match kind {
                Kind::Image(x, y) if is_pressed => entries.extend([(x.as_str(), "0"), (y.as_str(), "0")]),
                _ if name.is_empty() => {}
                Kind::Submit(value) if is_pressed => entries.push((name.as_str(), value.as_str())),
                Kind::Image(..) | Kind::Submit(_) => {}
                Kind::Hidden(_) if name.eq_ignore_ascii_case("_charset_") => {
                    entries.push((name, self.charset.name()));
                }
                Kind::Hidden(value) | Kind::Text(value) | Kind::Password(value) => {
                    entries.push((name, value));
                }
                Kind::Checkbox { value, checked } | Kind::Radio { value, checked } => {
                    if *checked {
                        entries.push((name, value));
                    }
                }
                Kind::Select { multiple, choices, rows } => {
                    entries.extend(selected(*multiple, *rows, choices).map(|value| (name.as_str(), value)));
                }
                Kind::File => entries.push((name, "")),
            }
            if let Some(dirname) = dirname.as_deref().filter(|_| !name.is_empty()) {
                entries.push((dirname, "ltr"));
            }
        }
        entries
    }
}

/// Of one that takes a single choice, the last that is selected, or the first that can be, unless several are shown.
fn selected(multiple: bool, rows: bool, choices: &[Choice]) -> impl Iterator<Item = &str> {
    let first = || choices.iter().find(|c| !c.disabled).filter(|_| !rows);
    let single = choices.iter().rfind(|c| c.selected).or_else(first);
    let many = choices.iter().filter(move |c| multiple && c.selected);
    let single = single.filter(|_| !multiple);
    many.chain(single).filter(|c| !c.disabled).map(|c| c.value.as_str())
}
