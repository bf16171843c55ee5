//! What the entry calls on the fast path: [`http::fast_path`] for this platform.

use crate::platform::Workers;
use config::Settings as _;
use http::fast_path;
use worker::Env;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// The headers that the entry hands over beside `Authorization`, in their order.
#[wasm_bindgen]
pub fn headers() -> String {
    http::HEADERS.join(" ")
}

/// Takes a request on the fast path, if it is one for it: [`fast_path::begin`]. Texts come in as bytes, which the platform
/// hands over at once; strings are handed over letter by letter.
#[wasm_bindgen]
pub fn begin(env: Env, request: &[u8]) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::begin(&workers, &app, std::str::from_utf8(request).ok()?)
}

/// The answer, from what came of asking the session: [`fast_path::end`].
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value)] // What JavaScript may leave out is handed over whole.
pub fn end(env: Env, asked: &[u8], fault: Option<String>) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::end(&workers, &app, std::str::from_utf8(asked).ok()?, fault.as_deref())
}
