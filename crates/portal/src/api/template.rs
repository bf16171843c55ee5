//! The JSON of a call, with what stands in it for something else.

use crate::document::placeholder;
use serde_json::{Map, Value};

/// What there is to fill in.
pub(super) struct Values<'a> {
    pub fields: &'a Map<String, Value>,
    /// Of the calls before.
    pub answers: &'a [Value],
}

impl Values<'_> {
    /// The call. What is exactly `{field}` has the value's type, or is left out; with it the item of a list that it is in, which
    /// would say nothing without.
    pub fn fill(&self, template: &Value) -> Option<Value> {
        match template {
            Value::String(text) => match placeholder(text) {
                Some(name) => self.get(name).cloned(),
                None => Some(template.clone()),
            },
            Value::Array(items) => {
                let whole = |item: &&Value| {
                    let members = item.as_object().into_iter().flat_map(Map::values);
                    let mut named = members.filter_map(|member| placeholder(member.as_str()?));
                    named.all(|name| self.get(name).is_some())
                };
                Some(items.iter().filter(whole).filter_map(|item| self.fill(item)).collect())
            }
            Value::Object(members) => {
                let filled =
                    members.iter().filter_map(|(name, value)| Some((name.clone(), self.fill(value)?)));
                Some(Value::Object(filled.collect()))
            }
            _ => Some(template.clone()),
        }
    }

    /// A field, or what stands in an answer: `/0/data/Id` is in that of the first call.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let Some(path) = name.strip_prefix('/') else { return self.fields.get(name) };
        let (at, rest) = path.split_once('/').unwrap_or((path, ""));
        let answer = self.answers.get(at.parse::<usize>().ok()?)?;
        let found = if rest.is_empty() { Some(answer) } else { answer.pointer(path.strip_prefix(at)?) };
        found.filter(|value| !value.is_null())
    }
}
