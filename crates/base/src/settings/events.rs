//! What is told of sessions, and to whom.

use super::reader::DIFFERENT_BYTES_MIN;
use super::{Kind, Reader, Setting};
use crate::event::EventTypes;
use crate::webhook::Key;

pub const EVENT_WEBHOOK_URL: Setting = Setting {
    name: "EVENT_WEBHOOK_URL",
    kind: Kind::Url,
    default: "",
    about: "Where [events](events.md) of sessions, portal sessions and tokens are sent. Not set: nowhere.",
};
pub const EVENT_WEBHOOK_SECRET: Setting = Setting {
    name: "EVENT_WEBHOOK_SECRET",
    kind: Kind::WebhookKeys,
    default: "",
    about: "Secret. Signs the events; required with `EVENT_WEBHOOK_URL`. With several, each event has a signature by each.",
};
pub const EVENT_TYPES: Setting = Setting {
    name: "EVENT_TYPES",
    kind: Kind::EventTypes,
    default: "session.created,session.revoked,session.expired",
    about: "Which [events](events.md#types) are sent: types, or the beginnings of their names.",
};

pub const BACKCHANNEL_LOGOUT_URL: Setting = Setting {
    name: "BACKCHANNEL_LOGOUT_URL",
    kind: Kind::Url,
    default: "",
    about: "Where a [logout token](events.md#back-channel-logout) is posted at each end of a session. Not set: nowhere.",
};

/// The entries of a list.
fn entries(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty())
}

impl Reader<'_> {
    /// Keys of Standard Webhooks, the one that is to stay first or last.
    pub fn webhook_keys(&mut self, setting: &Setting) -> Vec<Key> {
        let value = self.value(setting).unwrap_or_default();
        let mut keys: Vec<Key> = Vec::new();
        for (at, entry) in entries(&value).enumerate() {
            let Some(key) = Key::parse(entry) else {
                self.fault(
                    setting,
                    &format!("entry {}: must be whsec_ and 24 to 64 bytes in base64", at + 1),
                );
                continue;
            };
            let mut different = key.bytes().to_vec();
            different.sort_unstable();
            different.dedup();
            if different.len() < DIFFERENT_BYTES_MIN {
                self.fault(setting, &format!("entry {}: is easily guessed; make a random one", at + 1));
            } else if keys.contains(&key) {
                self.fault(setting, &format!("entry {}: stands there twice", at + 1));
            }
            keys.push(key);
        }
        keys
    }

    pub fn event_types(&mut self, setting: &Setting) -> EventTypes {
        let value = self.value(setting).unwrap_or_default();
        let mut types = EventTypes::NONE;
        for (at, entry) in entries(&value).enumerate() {
            let named = EventTypes::named(entry);
            if named.is_none() {
                let what = format!("entry {}: no type of an event is named or begins like that", at + 1);
                self.fault(setting, &what);
            }
            types = types.and(named);
        }
        types
    }
}
