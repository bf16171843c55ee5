//! What a portal login stores: its state in the clear, because no secret is in it, and everything else sealed
//! for the login's name.

use super::Result;
use super::page::PAGE;
use super::person::SEAT;
use super::wizards::{WIZARDS, WIZARDS_SINCE};
use crate::host::Host;
use crate::parsed::Parsed;
use base::secret::{self, Secret};
use config::App;
use portal::browser::Jar;
use portal::{Credentials, Login, Work};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::rc::Rc;

const NAME: &str = "name";
pub const LOGIN: &str = "login";
/// Sealed: username, password and keys of the captcha service, for as long as there is a session.
const CREDENTIALS: &str = "credentials";
/// Sealed: the cookies of the session, or of a login that was broken off.
pub const JAR: &str = "jar";
/// Sealed: the cookies of a session that is still to be logged out.
pub const LOGOUT_JAR: &str = "farewell";
const SEALED: [&str; 6] = [CREDENTIALS, JAR, LOGOUT_JAR, WIZARDS, PAGE, SEAT];

pub struct PortalRows<'a, H: Host> {
    pub host: &'a H,
    pub state: &'a Parsed<H::Text, Login>,
    pub app: Rc<App>,
}

/// It is there and cannot be opened.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable;

pub type Opened<T> = Result<Option<T>, Unreadable>;

/// What a session is logged in again with.
#[derive(Serialize)]
struct StoredCredentials {
    /// With the captcha key that came last.
    #[serde(flatten)]
    credentials: Credentials,
    /// The captcha key that has paid for a login.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret::wire_option")]
    proven_captcha_api_key: Option<Secret>,
}

/// By hand: the derived one reads the credentials in a second way.
impl<'de> Deserialize<'de> for StoredCredentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let proven = value.get_mut("proven_captcha_api_key").map(Value::take);
        let proven = proven.map(base::json::of::<Option<String>>).transpose().map_err(D::Error::custom)?;
        Ok(Self {
            credentials: base::json::of(value).map_err(D::Error::custom)?,
            proven_captcha_api_key: proven.flatten().map(Secret::new),
        })
    }
}

impl<H: Host> PortalRows<'_, H> {
    pub fn name(&self) -> Result<Option<String>> {
        self.host.get(NAME)
    }

    pub fn put_name(&self, name: &str) -> Result<()> {
        self.host.put(NAME, name)
    }

    /// Leaves nothing behind of a login that was never anything.
    pub fn forget_name(&self) -> Result<()> {
        if self.login()? == Login::default() { self.host.delete(NAME) } else { Ok(()) }
    }

    pub fn login(&self) -> Result<Login> {
        self.state.read(self.host)
    }

    /// Stores what a step has made of a login, in an order in which each half of it can be gone on from: what it needs is
    /// there before the state says so, and what it does not need any more goes last.
    pub fn put_step(&self, before: &Login, after: &Login) -> Result<()> {
        // The cookies of a session that is over are kept apart for as long as the portal is to be told.
        if before.session.is_some()
            && after.session.is_none()
            && after.logout.is_some_and(|logout| !logout.broken_off)
            && let Some(jar) = self.host.get(JAR)?
        {
            self.host.put(LOGOUT_JAR, &jar)?;
        }
        self.state.write(self.host, after)?;
        for ((row, was_needed), (_, is_needed)) in needs(before).into_iter().zip(needs(after)) {
            if was_needed && !is_needed {
                self.host.delete(row)?;
            }
        }
        Ok(())
    }

    /// Takes away what is there for nothing: what half a step has left.
    pub fn tidy(&self, login: &Login) -> Result<()> {
        for (row, is_needed) in needs(login) {
            if !is_needed && self.host.get(row)?.is_some() {
                self.host.delete(row)?;
            }
        }
        Ok(())
    }

    fn open(&self, name: &str, row: &str) -> Result<Opened<Vec<u8>>> {
        let Some(sealed) = self.host.get(row)? else { return Ok(Ok(None)) };
        Ok(self.app.vault.open(&purpose(row), name, &sealed).map(Some).map_err(|_| Unreadable))
    }

    pub fn seal(&self, name: &str, row: &str, plain: &[u8]) -> Result<()> {
        let nonce = self.host.nonce()?;
        let sealed = self.app.vault.seal(&purpose(row), name, plain, nonce);
        self.host.put(row, &sealed.map_err(|_| "a portal session could not be sealed")?)
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
        let sealed = self.host.get(row)?;
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

    pub fn open_json<T: DeserializeOwned>(&self, name: &str, row: &str) -> Result<Opened<T>> {
        let opened = self.open(name, row)?;
        Ok(opened.and_then(|plain| match plain {
            Some(plain) => base::json::read_bytes(&plain).map(Some).map_err(|_| Unreadable),
            None => Ok(None),
        }))
    }

    pub fn credentials(&self, name: &str) -> Result<Opened<Credentials>> {
        Ok(self.stored(name)?.map(|stored| stored.map(|stored| stored.credentials)))
    }

    fn stored(&self, name: &str) -> Result<Opened<StoredCredentials>> {
        self.open_json(name, CREDENTIALS)
    }

    pub fn proven_key(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self.stored(name)?.ok().flatten().and_then(|stored| stored.proven_captcha_api_key))
    }

    /// The credentials that a session is logged in again with, in turn: with the captcha key that came last, then with the
    /// one that is known to be good. None, if they cannot be opened.
    pub fn to_log_in_with(&self, name: &str) -> Result<Vec<Credentials>> {
        let Ok(Some(StoredCredentials { credentials, proven_captcha_api_key })) = self.stored(name)? else {
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
        let stored =
            StoredCredentials { credentials: credentials.clone(), proven_captcha_api_key: proven.cloned() };
        self.seal(name, CREDENTIALS, &serde_json::to_vec(&stored)?)
    }

    /// Puts another captcha key beside username and password, which are the same.
    pub fn renew_captcha_key(&self, name: &str, credentials: &Credentials) -> Result<()> {
        match self.stored(name)? {
            Ok(Some(stored)) if stored.credentials.captcha_api_key != credentials.captcha_api_key => {
                self.put_credentials(name, credentials, stored.proven_captcha_api_key.as_ref())
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

    /// Cookies that lie there already are not written again: mostly a page changes none, and a row is what a keep-alive costs.
    pub fn put_jar(&self, name: &str, row: &str, jar: &Secret) -> Result<()> {
        let jar = jar.expose().as_bytes();
        let same = self.open(name, row)?.is_ok_and(|there| there.as_deref() == Some(jar));
        if same && self.kid(row)?.as_deref() == self.app.vault.first_kid() {
            return Ok(());
        }
        self.seal(name, row, jar)
    }
}

/// The rows beside the state, and whether it needs them.
fn needs(login: &Login) -> [(&'static str, bool); 6] {
    let logging_in = login.task.as_ref().is_some_and(|task| task.work == Work::LogIn);
    let lives = login.session.is_some();
    let secrets = lives || logging_in || login.signed_in || login.person.is_some();
    let logs_out = login.logout.is_some_and(|logout| !logout.broken_off);
    [
        (CREDENTIALS, secrets),
        (JAR, secrets),
        (LOGOUT_JAR, logs_out),
        (WIZARDS, lives),
        (WIZARDS_SINCE, lives),
        (SEAT, login.browser.is_some()),
    ]
}

/// What a row is sealed for; the record is the login's name. Cookies that are kept for the logout are moved as they lie.
fn purpose(row: &str) -> String {
    let row = if row == LOGOUT_JAR { JAR } else { row };
    format!("portal-{row}")
}
