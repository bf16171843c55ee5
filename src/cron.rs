//! Cron Triggers.

use crate::platform::{Workers, promise};
use worker::Env;
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// A Cron Trigger. The error makes the platform count the run as failed.
#[wasm_bindgen]
pub fn cron(env: Env, expression: String) -> Promise {
    promise(
        async move { engine::cron::triggered(&Workers::new(env), &expression).await.map(|()| String::new()) },
    )
}
