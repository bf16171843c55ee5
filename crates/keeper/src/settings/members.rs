//! The members of one account in a setting: each is taken by its name, and what nobody has taken is a fault.

use base::secret::Secret;
use serde_json::{Map, Value};

/// Longest text of a member, in bytes: a variable of a Worker holds 5 kB.
const TEXT_BYTES_MAX: usize = 5_000;

pub struct Members {
    map: Map<String, Value>,
    /// They name members, and never say what stands there.
    pub faults: Vec<String>,
}

impl Members {
    pub fn new(value: Value) -> Self {
        let (map, fault) = match value {
            Value::Object(map) => (map, None),
            _ => (Map::new(), Some("must be a JSON object".to_owned())),
        };
        Self { map, faults: fault.into_iter().collect() }
    }

    pub fn wrong(&mut self, name: &str, what: &str) {
        self.faults.push(format!("{name} {what}"));
    }

    /// What stands there. `null` is as good as nothing.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        let text = text_of(&value);
        if text.is_none() {
            self.wrong(name, "must be text without control characters");
        }
        text
    }

    pub fn needed(&mut self, name: &str) -> String {
        let faults = self.faults.len();
        let text = self.text(name).unwrap_or_default();
        if text.is_empty() && self.faults.len() == faults {
            self.wrong(name, "is missing");
        }
        text
    }

    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub fn needed_secret(&mut self, name: &str) -> Secret {
        Secret::new(self.needed(name))
    }

    /// One of a few words.
    pub fn word(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let value = self.take(name)?;
        let word = words.iter().copied().find(|word| value.as_str() == Some(word));
        if word.is_none() {
            self.wrong(name, &format!("must be one of: {}", words.join(", ")));
        }
        word
    }

    /// One text, or several in a list.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let list = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(value) => vec![value],
        };
        let texts: Vec<String> = list.iter().filter_map(text_of).collect();
        if texts.len() != list.len() {
            self.wrong(name, "must be text or a list of texts, without control characters");
        }
        texts
    }

    /// An object of texts.
    pub fn pairs(&mut self, name: &str) -> Vec<(String, String)> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let Value::Object(map) = value else {
            self.wrong(name, "must be a JSON object of texts");
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (key, value) in map {
            match text_of(&value) {
                Some(text) => pairs.push((key, text)),
                None => self.wrong(name, &format!("has {}, which must be text", shown(&key))),
            }
        }
        pairs
    }

    /// All faults. What is left over is one: a misspelt member would have no effect, and nobody would know.
    pub fn finish(mut self) -> Vec<String> {
        self.faults.extend(self.map.keys().map(|name| format!("{} is no member that is known", shown(name))));
        self.faults
    }
}

fn text_of(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

/// A name as somebody has written it, for a fault: it may be anything.
pub fn shown(name: &str) -> String {
    let visible = |c: char| if c.is_control() { '?' } else { c };
    name.chars().take(40).map(visible).collect()
}
