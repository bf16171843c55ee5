//! The external token of a post-login session, as its object keeps it: sealed.

use super::Inner;
use crate::host::Host;
use base::fault::Fault;
use base::secret::Secret;
use config::App;
use session::ExternalToken;

/// A row of its own, so that a request does not read it.
pub(super) const ROW: &str = "external";
/// What it is sealed for; the record is the session id.
const PURPOSE: &str = "session-external";

impl<H: Host> Inner<H> {
    pub(super) fn seal(&self, app: &App, external: &ExternalToken) -> Result<String, Fault> {
        let nonce = self.host.nonce()?;
        let sealed = app.vault.seal(PURPOSE, self.id.as_str(), external.token.expose().as_bytes(), nonce);
        sealed.map_err(|_| "the external token could not be sealed".into())
    }

    /// The external token; nothing if it cannot be opened. One that is sealed under an older key is sealed anew.
    pub(super) fn external(&self, app: &App, channel: &str) -> Result<Option<ExternalToken>, Fault> {
        let Some(sealed) = self.host.get(ROW)? else { return Ok(None) };
        let opened = app.vault.open(PURPOSE, self.id.as_str(), &sealed).ok();
        let Some(token) = opened.and_then(|plain| String::from_utf8(plain).ok()) else { return Ok(None) };
        let external = ExternalToken { channel: channel.to_owned(), token: Secret::new(token) };
        if sealed.split_once('.').map(|(kid, _)| kid) != app.vault.first_kid() {
            self.host.put(ROW, &self.seal(app, &external)?)?;
        }
        Ok(Some(external))
    }
}
