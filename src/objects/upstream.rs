//! The object of an upstream account.

use super::object;
use crate::platform::ObjectHost;
use engine::upstream::UpstreamAccount;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// One account of an upstream: its token, its plan, its failures. Named `provider/account`.
    Upstream = UpstreamAccount<ObjectHost>: ask alarm
}
