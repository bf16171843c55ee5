//! Cursors of KV's lists, as they are given out: with a keyed hash in front, so that one that we did not give out is the
//! caller's fault, and not taken for a list that cannot be read.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};

/// What the hash is made for.
const PURPOSE: &str = "kv-cursor";

impl<B: Backend> RequestContext<B> {
    /// A cursor as it is given out.
    pub fn give_cursor(&self, cursor: &str) -> String {
        [&self.app.vault.fingerprint(PURPOSE, cursor), cursor].concat()
    }

    /// KV's own cursor of one that was given out; 422 of any other.
    pub fn take_cursor(&self, given: &str) -> Result<String, Reason> {
        // A change of the first key breaks none.
        let length = self.app.vault.fingerprint(PURPOSE, "").len();
        let (hash, cursor) = given.split_at_checked(length).unwrap_or_default();
        let known = self.app.vault.fingerprints(PURPOSE, cursor).iter().any(|ours| ours == hash);
        let cursor = Some(cursor.to_owned()).filter(|cursor| known && !cursor.is_empty());
        cursor.ok_or_else(|| Reason::field("cursor", FieldFault::NotAllowed))
    }
}
