//! The settings as JSON, for scripts.

use base::settings::{Kind, SETTINGS, Setting};
use serde_json::{Value, json};

/// All of them, in the order of the table in the docs.
pub fn json() -> Value {
    SETTINGS.iter().map(one).collect()
}

fn one(setting: &Setting) -> Value {
    let mut line = json!({ "name": setting.name, "default": setting.default, "about": setting.about });
    let (kind, more) = match setting.kind {
        Kind::Number { min, max } => ("number", vec![("min", json!(min)), ("max", json!(max))]),
        Kind::Word(words) => ("word", vec![("words", json!(words))]),
        Kind::Text => ("text", vec![]),
        Kind::Keys => ("keys", vec![]),
        Kind::SigningKeys => ("signing_keys", vec![]),
        Kind::Secret => ("secret", vec![]),
        Kind::Credential => ("credential", vec![]),
        Kind::Url => ("url", vec![]),
        Kind::Base => ("base", vec![]),
        Kind::Share => ("share", vec![]),
        Kind::Accounts => ("accounts", vec![]),
        Kind::Json => ("json", vec![]),
        Kind::Hosts => ("hosts", vec![]),
        Kind::Origins => ("origins", vec![]),
        Kind::WebhookKeys => ("webhook keys", vec![]),
        Kind::EventTypes => ("event types", vec![]),
    };
    if let Some(map) = line.as_object_mut() {
        map.insert("kind".to_owned(), kind.into());
        map.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    line
}
