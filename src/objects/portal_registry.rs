//! The registry of portal sessions.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// One object, named `registry`, with a row for each live portal session.
    PortalRegistry = engine::portal_registry::PortalRegistry<ObjectHost>: command
}
