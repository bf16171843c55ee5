//! What the entry calls on the fast path: [`http::fast_path`] for this platform.

use crate::platform::Workers;
use config::Settings as _;
use http::fast_path;
use worker::Env;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// The headers that the entry hands over, in their order.
#[wasm_bindgen]
pub fn headers() -> String {
    http::HEADERS.join(" ")
}

/// Takes a request on the fast path, if it is one for it: [`fast_path::begin`].
#[wasm_bindgen]
pub fn begin(env: Env, lines: &str) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::begin(&workers, &app, lines)
}

/// The answer, from what came of asking the session: [`fast_path::end`].
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value)] // What JavaScript may leave out is handed over whole.
pub fn end(
    env: Env,
    lines: &str,
    begun: &str,
    reply: Option<String>,
    fault: Option<String>,
) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::end(&workers, &app, lines, begun, reply.as_deref(), fault.as_deref())
}
