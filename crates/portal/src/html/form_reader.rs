//! Reads the forms of a page.

use super::form::{Choice, Control, Form, Kind};
use super::nodes::{Node, attribute};
use super::said;
use super::submission::{Enctype, Method, Overrides};
use base::charset::Charset;
use std::collections::BTreeMap;

/// The forms of a page that came in this encoding, in their order.
pub fn forms(nodes: &[Node], charset: Charset) -> Vec<Form> {
    let mut reader = Reader { charset, ..Reader::default() };
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Start(name, _) => reader.start(name, Tag(node), nodes, i),
            Node::End(name) => reader.end(name, nodes, i),
            Node::Text(_) | Node::Hidden(_) | Node::Break => {}
        }
    }
    reader.end_select(nodes, nodes.len());
    reader.finish()
}

/// A start tag.
#[derive(Clone, Copy)]
struct Tag<'a>(&'a Node);

impl Tag<'_> {
    fn value(self, name: &str) -> Option<String> {
        attribute(self.0, name).map(str::to_owned)
    }

    fn has(self, name: &str) -> bool {
        attribute(self.0, name).is_some()
    }

    fn kind(self) -> String {
        attribute(self.0, "type").unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Which form a control is of.
enum Owner {
    /// The one that it stands in, by its number.
    Around(usize),
    /// That of the id that it names.
    Named(String),
    /// Only scripts use it.
    Nobody,
}

type Owned = (Control, Owner);

struct Opened {
    from: usize,
    value: Option<String>,
    label: Option<String>,
    selected: bool,
    disabled: bool,
}

/// A fieldset that is open.
#[derive(Clone, Copy, Default)]
struct Fieldset {
    disabled: bool,
    /// What is in the first legend of a disabled fieldset is not disabled by it.
    had_legend: bool,
    in_legend: bool,
}

#[derive(Default)]
struct Reader {
    charset: Charset,
    forms: Vec<Form>,
    /// The number of the form that is open.
    open: Option<usize>,
    fieldsets: Vec<Fieldset>,
    /// How many of them disable what comes now.
    disabling: usize,
    /// What is in a list of suggestions is sent by nobody.
    datalists: usize,
    /// All controls, in the order of the page.
    controls: Vec<Owned>,
    select: Option<Owned>,
    choices: Vec<Choice>,
    option: Option<Opened>,
    group_disabled: bool,
    textarea: Option<(usize, Owned)>,
}

impl Reader {
    fn start(&mut self, name: &str, tag: Tag<'_>, nodes: &[Node], i: usize) {
        match name {
            // A form in a form is none.
            "form" if self.open.is_none() => {
                self.open = Some(self.forms.len());
                self.forms.push(form(tag, self.charset));
            }
            "fieldset" => {
                let disabled = tag.has("disabled");
                self.fieldsets.push(Fieldset { disabled, ..Fieldset::default() });
                self.disabling += usize::from(disabled);
            }
            "legend" => {
                if let Some(fieldset) = self.fieldsets.last_mut().filter(|f| !f.had_legend) {
                    (fieldset.had_legend, fieldset.in_legend) = (true, true);
                    self.disabling -= usize::from(fieldset.disabled);
                }
            }
            "datalist" => self.datalists += 1,
            "input" => {
                if let Some(kind) = input(tag) {
                    let owned = self.control(tag, kind);
                    self.add(owned);
                }
            }
            "button" if !matches!(tag.kind().as_str(), "button" | "reset") => {
                let owned = self.control(tag, Kind::Submit(tag.value("value").unwrap_or_default()));
                self.add(owned);
            }
            "textarea" => self.textarea = Some((i + 1, self.control(tag, Kind::Text(String::new())))),
            "select" => {
                self.end_select(nodes, i);
                let multiple = tag.has("multiple");
                let rows = tag.value("size").and_then(|size| size.trim().parse::<u32>().ok());
                let rows = rows.is_some_and(|rows| rows > 1);
                self.select = Some(self.control(tag, Kind::Select { multiple, choices: Vec::new(), rows }));
            }
            "optgroup" => {
                self.end_option(nodes, i);
                self.group_disabled = tag.has("disabled");
            }
            "option" => {
                self.end_option(nodes, i);
                self.option = Some(Opened {
                    from: i + 1,
                    value: tag.value("value"),
                    label: tag.value("label").filter(|label| !label.is_empty()),
                    selected: tag.has("selected"),
                    disabled: tag.has("disabled") || self.group_disabled,
                });
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str, nodes: &[Node], i: usize) {
        match name {
            // The end of the page is that of a form that has none of its own.
            "form" | "body" | "html" => {
                self.end_select(nodes, i);
                if let Some(form) = self.open.take().and_then(|at| self.forms.get_mut(at)) {
                    form.closed = true;
                }
            }
            "fieldset" => {
                let fieldset = self.fieldsets.pop().unwrap_or_default();
                self.disabling -= usize::from(fieldset.disabled && !fieldset.in_legend);
            }
            "legend" => {
                if let Some(fieldset) = self.fieldsets.last_mut().filter(|f| f.in_legend) {
                    fieldset.in_legend = false;
                    self.disabling += usize::from(fieldset.disabled);
                }
            }
            "datalist" => self.datalists = self.datalists.saturating_sub(1),
            "option" => self.end_option(nodes, i),
            "optgroup" => {
                self.end_option(nodes, i);
                self.group_disabled = false;
            }
            "select" => self.end_select(nodes, i),
            "textarea" => {
                if let Some((from, (mut control, owner))) = self.textarea.take() {
                    control.kind = Kind::Text(typed(nodes.get(from..i).unwrap_or_default()));
                    self.add((control, owner));
                }
            }
            _ => {}
        }
    }

    fn control(&self, tag: Tag<'_>, kind: Kind) -> Owned {
        let disabled = tag.has("disabled") || self.disabling > 0;
        let is_button = matches!(kind, Kind::Submit(_) | Kind::Image(..));
        let dirname = tag.value("dirname").filter(|name| matches!(kind, Kind::Text(_)) && !name.is_empty());
        let overrides = Overrides {
            action: tag.value("formaction").map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()),
            method: tag.value("formmethod").map(|method| Method::of(&method)),
            enctype: tag.value("formenctype").map(|enctype| Enctype::of(&enctype)),
        };
        let overrides = Some(overrides).filter(|o| is_button && *o != Overrides::default()).map(Box::new);
        let owner = match (tag.value("form"), self.open) {
            (Some(id), _) => Owner::Named(id),
            (None, Some(at)) => Owner::Around(at),
            (None, None) => Owner::Nobody,
        };
        let name = tag.value("name").unwrap_or_default();
        (Control { name, kind, disabled, overrides, dirname }, owner)
    }

    fn add(&mut self, owned: Owned) {
        if self.datalists == 0 {
            self.controls.push(owned);
        }
    }

    fn end_option(&mut self, nodes: &[Node], i: usize) {
        if let Some(option) = self.option.take() {
            let text = said(nodes.get(option.from..i).unwrap_or_default());
            self.choices.push(Choice {
                value: option.value.unwrap_or_else(|| text.clone()),
                label: option.label.unwrap_or(text),
                selected: option.selected,
                disabled: option.disabled,
            });
        }
    }

    fn end_select(&mut self, nodes: &[Node], i: usize) {
        self.end_option(nodes, i);
        self.group_disabled = false;
        let read = std::mem::take(&mut self.choices);
        if let Some((mut control, owner)) = self.select.take() {
            if let Kind::Select { choices, .. } = &mut control.kind {
                *choices = read;
            }
            self.add((control, owner));
        }
    }

    fn finish(mut self) -> Vec<Form> {
        let ids = self.forms.iter().enumerate().filter_map(|(at, form)| Some((form.id.clone()?, at)));
        // Of two with the same id it is the first.
        let ids: BTreeMap<String, usize> = ids.rev().collect();
        for (control, owner) in self.controls {
            let at = match owner {
                Owner::Around(at) => Some(at),
                Owner::Named(id) => ids.get(&id).copied(),
                Owner::Nobody => None,
            };
            if let Some(form) = at.and_then(|at| self.forms.get_mut(at)) {
                form.controls.push(control);
            }
        }
        self.forms
    }
}

fn form(tag: Tag<'_>, page: Charset) -> Form {
    // The first that is known, of those that it takes.
    let accepted = tag
        .value("accept-charset")
        .map(|labels| labels.split_ascii_whitespace().find_map(Charset::of_label).unwrap_or_default());
    Form {
        id: tag.value("id"),
        action: tag.value("action").map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()),
        method: tag.value("method").map(|method| Method::of(&method)).unwrap_or_default(),
        enctype: tag.value("enctype").map(|enctype| Enctype::of(&enctype)).unwrap_or_default(),
        charset: accepted.unwrap_or(page),
        phase: tag.value("data-phase"),
        ..Form::default()
    }
}

fn input(tag: Tag<'_>) -> Option<Kind> {
    let text = || tag.value("value").unwrap_or_default();
    let ticked = || tag.value("value").unwrap_or_else(|| "on".to_owned());
    let checked = tag.has("checked");
    Some(match tag.kind().as_str() {
        "hidden" => Kind::Hidden(text()),
        "password" => Kind::Password(text()),
        "checkbox" => Kind::Checkbox { value: ticked(), checked },
        "radio" => Kind::Radio { value: ticked(), checked },
        "submit" => Kind::Submit(tag.value("value").unwrap_or_else(|| "Submit".to_owned())),
        "image" => {
            let at = |axis: &str| match tag.value("name").filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}.{axis}"),
                None => axis.to_owned(),
            };
            Kind::Image(at("x"), at("y"))
        }
        "file" => Kind::File,
        "button" | "reset" => return None,
        _ => Kind::Text(text()),
    })
}

/// What is in a text area: one line break at its beginning is for the eye only.
fn typed(nodes: &[Node]) -> String {
    let text: String = nodes
        .iter()
        .filter_map(|n| match n {
            Node::Text(text) | Node::Hidden(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    let text = text.replace("\r\n", "\n");
    text.strip_prefix('\n').unwrap_or(&text).replace('\n', "\r\n")
}
