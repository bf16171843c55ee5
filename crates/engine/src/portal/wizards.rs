//! The wizards of a portal login that can be gone on with: one sealed row.

use super::Result;
use super::store::PortalRows;
use crate::host::Host;
use base::clock::Timestamp;
use portal::Wizard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sealed.
pub const WIZARDS: &str = "wizards";
/// When the oldest of them was left: so that the alarm can be set without opening them.
pub const WIZARDS_SINCE: &str = "wizards_since";
/// Most wizards of one session; the one that was left longest gives way.
const WIZARDS_MAX: usize = 20;
/// Most of them together, in bytes. They are one row, which may have 2 MB (`SQLite`-backed objects), and sealing makes a
/// third more of them.
const WIZARDS_BYTES_MAX: usize = 1024 * 1024;

/// A wizard, and when it was left.
#[derive(Serialize, Deserialize)]
struct SavedWizard {
    wizard: Wizard,
    at: Timestamp,
}

type Wizards = BTreeMap<String, SavedWizard>;

impl<H: Host> PortalRows<'_, H> {
    fn wizards(&self, name: &str) -> Result<Wizards> {
        // What cannot be opened is begun anew by its caller.
        Ok(self.open_json::<Wizards>(name, WIZARDS)?.ok().flatten().unwrap_or_default())
    }

    fn put_wizards(&self, name: &str, wizards: &Wizards) -> Result<()> {
        let Some(first) = wizards.values().map(|saved| saved.at).min() else {
            self.host.delete(WIZARDS_SINCE)?;
            return self.host.delete(WIZARDS);
        };
        self.host.put(WIZARDS_SINCE, &serde_json::to_string(&first)?)?;
        self.seal(name, WIZARDS, &serde_json::to_vec(wizards)?)
    }

    /// A wizard that was left not too long ago.
    pub fn wizard(&self, name: &str, id: &str, idle: Duration, now: Timestamp) -> Result<Option<Wizard>> {
        let saved = self.wizards(name)?.remove(id).filter(|saved| now <= saved.at.plus(idle));
        Ok(saved.map(|saved| saved.wizard))
    }

    /// Keeps a wizard as it is now, or forgets it.
    pub fn put_wizard(&self, name: &str, id: &str, wizard: Option<Wizard>, now: Timestamp) -> Result<()> {
        let mut wizards = self.wizards(name)?;
        match wizard {
            Some(wizard) => {
                wizards.insert(id.to_owned(), SavedWizard { wizard, at: now });
            }
            None if wizards.remove(id).is_none() => return Ok(()),
            None => {}
        }
        while wizards.len() > WIZARDS_MAX || bytes(&wizards)? > WIZARDS_BYTES_MAX {
            let others = wizards.iter().filter(|(other, _)| *other != id);
            let Some(oldest) = others.min_by_key(|(_, saved)| saved.at).map(|(id, _)| id.clone()) else {
                break;
            };
            wizards.remove(&oldest);
        }
        if bytes(&wizards)? > WIZARDS_BYTES_MAX
            && let Some(saved) = wizards.get_mut(id)
        {
            // It is begun anew with what was given.
            saved.wizard.form = None;
        }
        self.put_wizards(name, &wizards)
    }

    /// The forms of wizards belong to a session at the portal. After a new login they are begun anew with what was given.
    pub fn forget_forms(&self, name: &str) -> Result<()> {
        if self.host.get(WIZARDS)?.is_none() {
            return Ok(());
        }
        let mut wizards = self.wizards(name)?;
        for saved in wizards.values_mut() {
            saved.wizard.form = None;
        }
        self.put_wizards(name, &wizards)
    }

    /// When the next wizard is to be forgotten.
    pub fn wizards_end(&self, idle: Duration) -> Result<Option<Timestamp>> {
        let Some(first) = self.host.get(WIZARDS_SINCE)? else { return Ok(None) };
        let first: Timestamp = base::json::read(&first)?;
        Ok(Some(first.plus(idle).plus(Duration::from_millis(1))))
    }

    pub fn forget_wizards(&self, name: &str, idle: Duration, now: Timestamp) -> Result<()> {
        if self.wizards_end(idle)?.is_none_or(|at| at > now) {
            return Ok(());
        }
        let mut wizards = self.wizards(name)?;
        wizards.retain(|_, saved| now <= saved.at.plus(idle));
        self.put_wizards(name, &wizards)
    }
}

fn bytes(wizards: &Wizards) -> Result<usize> {
    Ok(serde_json::to_vec(wizards)?.len())
}
