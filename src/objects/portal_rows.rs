//! What the object of a portal login stores: its state in the clear, because no secret is in it, and everything else sealed
//! for the login's name.

use super::rows::Rows;
use crate::platform;
use ::portal::browser::Jar;
use ::portal::{Credentials, Login, Wizard, Work};
use base::clock::Timestamp;
use base::secret::{self, Secret};
use config::App;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use worker::Result;

const NAME: &str = "name";
const LOGIN: &str = "login";
/// Sealed: username, password and keys of the captcha service, for as long as there is a session.
const CREDENTIALS: &str = "credentials";
/// Sealed: the cookies of the session, or of a login that was broken off.
pub const JAR: &str = "jar";
/// Sealed: the cookies of a session that is still to be logged out.
pub const FAREWELL: &str = "farewell";
/// Sealed: wizards that can be gone on with.
const WIZARDS: &str = "wizards";
const SEALED: [&str; 4] = [CREDENTIALS, JAR, FAREWELL, WIZARDS];
/// When the oldest of them was left: so that the alarm can be set without opening them.
const WIZARDS_SINCE: &str = "wizards_since";
/// Most wizards of one session; the one that was left longest gives way.
const WIZARDS_MAX: usize = 20;
/// Most of them together, in bytes. They are one row, which may have 2 MB (`SQLite`-backed objects), and sealing makes a
/// third more of them.
const WIZARDS_BYTES_MAX: usize = 1024 * 1024;

pub struct PortalRows<'a> {
    pub rows: &'a Rows,
    pub app: Rc<App>,
}

/// It is there and cannot be opened.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable;

type Opened<T> = std::result::Result<Option<T>, Unreadable>;

/// What a session is logged in again with.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// With the captcha key that came last.
    #[serde(flatten)]
    credentials: Credentials,
    /// The captcha key that has paid for a login.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret::wire_option")]
    proven_captcha_api_key: Option<Secret>,
}

#[derive(Serialize, Deserialize)]
struct Left {
    wizard: Wizard,
    at: Timestamp,
}

type Wizards = BTreeMap<String, Left>;

impl PortalRows<'_> {
    pub fn name(&self) -> Result<Option<String>> {
        self.rows.get(NAME)
    }

    pub fn put_name(&self, name: &str) -> Result<()> {
        self.rows.put(NAME, name)
    }

    /// Leaves nothing behind of a login that was never anything.
    pub fn forget_name(&self) -> Result<()> {
        if self.login()? == Login::default() { self.rows.delete(NAME) } else { Ok(()) }
    }

    pub fn login(&self) -> Result<Login> {
        Ok(match self.rows.get(LOGIN)? {
            Some(text) => serde_json::from_str(&text)?,
            None => Login::default(),
        })
    }

    pub fn put_login(&self, login: &Login) -> Result<()> {
        self.rows.put(LOGIN, &serde_json::to_string(login)?)
    }

    /// What goes with a session that is over. Its cookies are kept apart for as long as the portal is to be told.
    pub fn tidy(&self, before: &Login, after: &Login) -> Result<()> {
        if before.session.is_some() && after.session.is_none() {
            if let Some(jar) = self.rows.get(JAR)?
                && after.farewell.is_some_and(|f| !f.broken_off)
            {
                self.rows.put(FAREWELL, &jar)?;
            }
            // The cookies of a login that was broken off may be better ones.
            if !after.signed_in {
                self.rows.delete(JAR)?;
            }
            self.rows.delete(WIZARDS)?;
            self.rows.delete(WIZARDS_SINCE)?;
        }
        if before.farewell.is_some() && after.farewell.is_none() {
            self.rows.delete(FAREWELL)?;
        }
        let logging_in = after.flight.as_ref().is_some_and(|flight| flight.work == Work::LogIn);
        if after.session.is_none() && !logging_in && !after.signed_in {
            self.rows.delete(CREDENTIALS)?;
            self.rows.delete(JAR)?;
        }
        Ok(())
    }

    fn open(&self, name: &str, row: &str) -> Result<Opened<Vec<u8>>> {
        let Some(sealed) = self.rows.get(row)? else { return Ok(Ok(None)) };
        Ok(self.app.vault.open(&purpose(row), name, &sealed).map(Some).map_err(|_| Unreadable))
    }

    fn seal(&self, name: &str, row: &str, plain: &[u8]) -> Result<()> {
        let nonce = platform::nonce().ok_or("no random bytes")?;
        let sealed = self.app.vault.seal(&purpose(row), name, plain, nonce);
        self.rows.put(row, &sealed.map_err(|_| "a portal session could not be sealed")?)
    }

    /// Seals under the first key what lies sealed under another, and says whether there was any. What cannot be opened is
    /// left as it is.
    pub fn seal_anew(&self, name: &str) -> Result<bool> {
        let mut any = false;
        for row in SEALED {
            match self.kid(row)? {
                Some(kid) if Some(kid.as_str()) != self.app.vault.first_kid() => {}
                _ => continue,
            }
            if let Ok(Some(plain)) = self.open(name, row)? {
                self.seal(name, row, &plain)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// The sealing key that a row lies sealed under.
    fn kid(&self, row: &str) -> Result<Option<String>> {
        let sealed = self.rows.get(row)?;
        Ok(sealed.and_then(|sealed| sealed.split_once('.').map(|(kid, _)| kid.to_owned())))
    }

    /// A sealing key that cannot be done without: one that is not the first, if there is any.
    pub fn needed_kid(&self) -> Result<Option<String>> {
        let first = self.app.vault.first_kid();
        let mut kids = Vec::new();
        for row in SEALED {
            kids.extend(self.kid(row)?);
        }
        let older = kids.iter().find(|kid| Some(kid.as_str()) != first);
        Ok(older.or(kids.first()).cloned())
    }

    fn open_json<T: DeserializeOwned>(&self, name: &str, row: &str) -> Result<Opened<T>> {
        let opened = self.open(name, row)?;
        Ok(opened.and_then(|plain| match plain {
            Some(plain) => serde_json::from_slice(&plain).map(Some).map_err(|_| Unreadable),
            None => Ok(None),
        }))
    }

    pub fn credentials(&self, name: &str) -> Result<Opened<Credentials>> {
        Ok(self.kept(name)?.map(|kept| kept.map(|kept| kept.credentials)))
    }

    fn kept(&self, name: &str) -> Result<Opened<Kept>> {
        self.open_json(name, CREDENTIALS)
    }

    pub fn proven_key(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.kept(name)?.ok().flatten().and_then(|kept| kept.proven_captcha_api_key))
    }

    /// The credentials that a session is logged in again with, in turn: with the captcha key that came last, then with the
    /// one that is known to be good. None, if they cannot be opened.
    pub fn to_log_in_with(&self, name: &str) -> Result<Vec<Credentials>> {
        let Ok(Some(Kept { credentials, proven_captcha_api_key })) = self.kept(name)? else {
            return Ok(Vec::new());
        };
        let proven = proven_captcha_api_key.filter(|key| *key != credentials.captcha_api_key);
        let proven = proven.map(|captcha_api_key| Credentials { captcha_api_key, ..credentials.clone() });
        Ok([Some(credentials), proven].into_iter().flatten().collect())
    }

    pub fn put_credentials(
        &self,
        name: &str,
        credentials: &Credentials,
        proven: Option<&Secret>,
    ) -> Result<()> {
        let kept = Kept { credentials: credentials.clone(), proven_captcha_api_key: proven.cloned() };
        self.seal(name, CREDENTIALS, &serde_json::to_vec(&kept)?)
    }

    /// Puts another captcha key beside username and password, which are the same.
    pub fn renew_captcha_key(&self, name: &str, credentials: &Credentials) -> Result<()> {
        match self.kept(name)? {
            Ok(Some(kept)) if kept.credentials.captcha_api_key != credentials.captcha_api_key => {
                self.put_credentials(name, credentials, kept.proven_captcha_api_key.as_ref())
            }
            _ => Ok(()),
        }
    }

    pub fn jar(&self, name: &str, row: &str) -> Result<Opened<Jar>> {
        let opened = self.open(name, row)?;
        Ok(opened.and_then(|plain| {
            let Some(plain) = plain else { return Ok(None) };
            let text = String::from_utf8(plain).map_err(|_| Unreadable)?;
            Jar::load(&Secret::new(text)).map(Some).ok_or(Unreadable)
        }))
    }

    pub fn put_jar(&self, name: &str, row: &str, jar: &Secret) -> Result<()> {
        self.seal(name, row, jar.expose().as_bytes())
    }

    fn wizards(&self, name: &str) -> Result<Wizards> {
        // What cannot be opened is begun anew by its caller.
        Ok(self.open_json::<Wizards>(name, WIZARDS)?.ok().flatten().unwrap_or_default())
    }

    fn put_wizards(&self, name: &str, wizards: &Wizards) -> Result<()> {
        let Some(first) = wizards.values().map(|left| left.at).min() else {
            self.rows.delete(WIZARDS_SINCE)?;
            return self.rows.delete(WIZARDS);
        };
        self.rows.put(WIZARDS_SINCE, &serde_json::to_string(&first)?)?;
        self.seal(name, WIZARDS, &serde_json::to_vec(wizards)?)
    }

    /// A wizard that was left not too long ago.
    pub fn wizard(&self, name: &str, id: &str, idle: Duration, now: Timestamp) -> Result<Option<Wizard>> {
        let left = self.wizards(name)?.remove(id).filter(|left| now <= left.at.plus(idle));
        Ok(left.map(|left| left.wizard))
    }

    /// Keeps a wizard as it is now, or forgets it.
    pub fn put_wizard(&self, name: &str, id: &str, wizard: Option<Wizard>, now: Timestamp) -> Result<()> {
        let mut wizards = self.wizards(name)?;
        match wizard {
            Some(wizard) => {
                wizards.insert(id.to_owned(), Left { wizard, at: now });
            }
            None if wizards.remove(id).is_none() => return Ok(()),
            None => {}
        }
        while wizards.len() > WIZARDS_MAX || bytes(&wizards)? > WIZARDS_BYTES_MAX {
            let others = wizards.iter().filter(|(other, _)| *other != id);
            let Some(oldest) = others.min_by_key(|(_, left)| left.at).map(|(id, _)| id.clone()) else {
                break;
            };
            wizards.remove(&oldest);
        }
        if bytes(&wizards)? > WIZARDS_BYTES_MAX
            && let Some(left) = wizards.get_mut(id)
        {
            // It is begun anew with what was given.
            left.wizard.form = None;
        }
        self.put_wizards(name, &wizards)
    }

    /// The forms of wizards belong to a session at the portal. After a new login they are begun anew with what was given.
    pub fn forget_forms(&self, name: &str) -> Result<()> {
        if self.rows.get(WIZARDS)?.is_none() {
            return Ok(());
        }
        let mut wizards = self.wizards(name)?;
        for left in wizards.values_mut() {
            left.wizard.form = None;
        }
        self.put_wizards(name, &wizards)
    }

    /// When the next wizard is to be forgotten.
    pub fn wizards_end(&self, idle: Duration) -> Result<Option<Timestamp>> {
        let Some(first) = self.rows.get(WIZARDS_SINCE)? else { return Ok(None) };
        let first: Timestamp = serde_json::from_str(&first)?;
        Ok(Some(first.plus(idle).plus(Duration::from_millis(1))))
    }

    pub fn forget_wizards(&self, name: &str, idle: Duration, now: Timestamp) -> Result<()> {
        if self.wizards_end(idle)?.is_none_or(|at| at > now) {
            return Ok(());
        }
        let mut wizards = self.wizards(name)?;
        wizards.retain(|_, left| now <= left.at.plus(idle));
        self.put_wizards(name, &wizards)
    }
}

fn bytes(wizards: &Wizards) -> Result<usize> {
    Ok(serde_json::to_vec(wizards)?.len())
}

/// What a row is sealed for; the record is the login's name. Cookies that are kept for the logout are moved as they lie.
fn purpose(row: &str) -> String {
    let row = if row == FAREWELL { JAR } else { row };
    format!("portal-{row}")
}
