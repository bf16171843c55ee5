//! The object of a portal login.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// One login at a portal: its credentials and cookies (sealed), its session, its troubles. Named `portal/hash`.
    Portal = engine::portal::Portal<ObjectHost>: ask alarm
}
