//! Device tokens: what a client keeps from a login, and may show at the next one. `{id}.{keyed hash}`, of the id and the name.
//! It lets nobody in; who shows one has guesses of its own, so that others who guess do not keep the user out.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::request::Incoming as _;
use base::secret::Secret;

/// Where it is given and shown.
pub const HEADER: &str = "x-device-token";
/// What the hash is made for.
const PURPOSE: &str = "device";

impl<B: Backend> RequestContext<B> {
    /// The device of this request, if it shows a token that we gave out for this name.
    pub fn known_device(&self, username: &str) -> Option<String> {
        let token = self.request.header(HEADER)?;
        let (id, hash) = token.split_once('.')?;
        let ours = self.app.vault.names(PURPOSE, &of(id, username));
        let is_id = id.len() == ID_CHARS && id.bytes().all(|b| b.is_ascii_hexdigit());
        (is_id && ours.into_iter().any(|ours| Secret::new(ours).matches(hash))).then(|| id.to_owned())
    }

    /// The token of a device that the user has just logged in from: the one that it has, or a new one. None, if there are no
    /// random bytes; the login stands.
    pub fn device_token(&self, username: &str, known: Option<String>) -> Option<String> {
        let id = known.or_else(|| self.backend.random_id().ok())?;
        let hash = self.app.vault.names(PURPOSE, &of(&id, username)).into_iter().next()?;
        Some([&id, ".", &hash].concat())
    }
}

/// 128 bits in hexadecimal.
const ID_CHARS: usize = 32;

/// No name has a line break in it.
fn of(id: &str, username: &str) -> String {
    [id, "\n", username].concat()
}
