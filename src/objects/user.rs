//! The object of one user.

use super::object;
use crate::platform::ObjectHost;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

object! {
    /// One user: account, password hash, the list of live sessions, the limit, failed logins. Named by the canonical name.
    User = engine::user::User<ObjectHost>: command alarm
}
