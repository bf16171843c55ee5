//! The object of one session.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// One session: its state, its rotation, its deadlines. Its id is the session id.
    Session = engine::session::Session<ObjectHost>: command ask alarm
}
