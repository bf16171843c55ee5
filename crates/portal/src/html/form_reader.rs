//! Reads the forms of a page.

use super::form::{Choice, Control, Form, Kind, Method};
use super::nodes::{Node, attribute};
use super::visible;
use std::collections::BTreeMap;

/// The forms of a page, in their order.
pub fn forms(nodes: &[Node]) -> Vec<Form> {
    let mut reader = Reader::default();
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Start(name, _) => reader.start(name, Tag(node), nodes, i),
            Node::End(name) => reader.end(name, nodes, i),
            Node::Text(_) | Node::Break => {}
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

/// A control, and the id of the form that it says it is of.
type Owned = (Control, Option<String>);

struct Opened {
    from: usize,
    value: Option<String>,
    label: Option<String>,
    selected: bool,
    disabled: bool,
}

#[derive(Default)]
struct Reader {
    forms: Vec<Form>,
    /// Whether the last of them is open.
    open: bool,
    /// Whether each open fieldset disables what is in it.
    fieldsets: Vec<bool>,
    disabling: usize,
    strays: Vec<(String, Control)>,
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
            "form" if !self.open => {
                self.open = true;
                self.forms.push(form(tag));
            }
            "fieldset" => {
                self.fieldsets.push(tag.has("disabled"));
                self.disabling += usize::from(tag.has("disabled"));
            }
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
                let kind = Kind::Select { multiple: tag.has("multiple"), choices: Vec::new() };
                self.select = Some(self.control(tag, kind));
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
            "form" => {
                self.end_select(nodes, i);
                if std::mem::take(&mut self.open)
                    && let Some(form) = self.forms.last_mut()
                {
                    form.closed = true;
                }
            }
            "fieldset" => self.disabling -= usize::from(self.fieldsets.pop().unwrap_or_default()),
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
        (Control { name: tag.value("name").unwrap_or_default(), kind, disabled }, tag.value("form"))
    }

    fn add(&mut self, (control, owner): Owned) {
        match (owner, self.forms.last_mut().filter(|_| self.open)) {
            (Some(owner), _) => self.strays.push((owner, control)),
            (None, Some(form)) => form.controls.push(control),
            // Only for scripts.
            (None, None) => {}
        }
    }

    fn end_option(&mut self, nodes: &[Node], i: usize) {
        if let Some(option) = self.option.take() {
            let text = visible(nodes.get(option.from..i).unwrap_or_default());
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
        for (owner, control) in self.strays {
            if let Some(form) = ids.get(&owner).and_then(|at| self.forms.get_mut(*at)) {
                form.controls.push(control);
            }
        }
        self.forms
    }
}

fn form(tag: Tag<'_>) -> Form {
    let post = tag.value("method").is_some_and(|method| method.trim().eq_ignore_ascii_case("post"));
    Form {
        id: tag.value("id"),
        action: tag.value("action").map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()),
        method: if post { Method::Post } else { Method::Get },
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
        "button" | "reset" | "image" | "file" => return None,
        _ => Kind::Text(text()),
    })
}

/// What is in a text area: one line break at its beginning is for the eye only.
fn typed(nodes: &[Node]) -> String {
    let text: String = nodes
        .iter()
        .filter_map(|n| if let Node::Text(text) = n { Some(text.as_ref()) } else { None })
        .collect();
    let text = text.replace("\r\n", "\n");
    text.strip_prefix('\n').unwrap_or(&text).replace('\n', "\r\n")
}
