//! The object that knows who there is.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// Ids and names of all users, who is an admin, and the service keys. There is one.
    Directory = engine::directory::Directory<ObjectHost>: command
}
