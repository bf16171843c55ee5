//! The index of upstream accounts, and the sweepers: two uses of one class.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// The one named `roster` is the index; those named `sweep/{n}` are sweepers.
    Roster = engine::roster::Roster<ObjectHost>: command ask alarm
}
