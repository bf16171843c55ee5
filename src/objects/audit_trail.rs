//! The audit trail.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// Some objects, named `trail/{n}`, each with the records that were sent to it in the last day.
    AuditTrail = engine::audit_trail::AuditTrail<ObjectHost>: command alarm
}
