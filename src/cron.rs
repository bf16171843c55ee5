//! Cron Triggers.

use crate::platform::{Workers, promise};
use base::clock::Timestamp;
use worker::Env;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// A Cron Trigger. The error makes the platform count the run as failed.
#[wasm_bindgen]
pub fn cron(env: Env, expression: String, scheduled: f64) -> Promise {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Milliseconds since 1970.
    let scheduled = Timestamp::from_millis(scheduled as u64);
    promise(async move {
        engine::cron::triggered(&Workers::new(env), &expression, scheduled).await.map(|()| String::new())
    })
}
