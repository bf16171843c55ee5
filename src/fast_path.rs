//! What the entry calls on the fast path: [`http::fast_path`] for this platform.

use crate::platform::Workers;
use config::Settings as _;
use http::fast_path::{self, refresh};
use worker::js_sys::Promise;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Context, Env};

/// The headers that the entry hands over beside `Authorization`, in their order; the last only where `ALLOWED_ORIGINS` is set.
#[wasm_bindgen]
pub fn headers() -> String {
    http::HEADERS.join(" ")
}

/// What the name of each cookie of ours has in it.
#[wasm_bindgen]
pub fn cookie_mark() -> String {
    http::cookies::MARK.to_owned()
}

/// The headers of a request with one of them.
#[wasm_bindgen]
pub fn cookie_headers() -> String {
    http::cookies::COOKIE_HEADERS.join(" ")
}

/// And those of a request whose body is wanted, behind them.
#[wasm_bindgen]
pub fn body_headers() -> String {
    refresh::BODY_HEADERS.join(" ")
}

/// Takes a request on the fast path, if it is one for it: [`fast_path::begin`]. Texts come in as bytes, which the platform
/// hands over at once; strings are handed over letter by letter.
#[wasm_bindgen]
pub fn begin(env: Env, request: &[u8]) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::begin(&workers, &app, std::str::from_utf8(request).ok()?)
}

/// The answer, from what came of asking the session, or nothing where the whole way has to find it: [`fast_path::end`].
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value)] // What JavaScript may leave out is handed over whole.
pub fn end(env: Env, asked: &[u8], fault: Option<String>) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    fast_path::end(&workers, &app, std::str::from_utf8(asked).ok()?, fault.as_deref())
}

/// Whether the body of a request is to be read at once: [`refresh::takes`].
#[wasm_bindgen]
pub fn takes_body(lines: &[u8]) -> bool {
    std::str::from_utf8(lines).is_ok_and(refresh::takes)
}

/// Takes a request with its body: [`refresh::begin`].
#[wasm_bindgen]
pub fn begin_with(env: Env, lines: &[u8], body: Option<Vec<u8>>) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    refresh::begin(&workers, &app, std::str::from_utf8(lines).ok()?, body)
}

/// Its answer, or nothing where [`follow`] is to be called: [`refresh::end`].
#[wasm_bindgen]
#[allow(clippy::needless_pass_by_value)] // What JavaScript may leave out is handed over whole.
pub fn end_with(env: Env, asked: &[u8], fault: Option<String>) -> Option<String> {
    let workers = Workers::new(env);
    let app = workers.settings().ok()?;
    refresh::end(&workers, &app, std::str::from_utf8(asked).ok()?, fault.as_deref())
}

/// The answer after what takes more than a step: [`refresh::follow`].
#[wasm_bindgen]
pub fn follow(env: Env, context: worker::worker_sys::Context, asked: String) -> Promise {
    let workers = Workers::of_request(env, Context::new(context));
    crate::platform::promise(async move {
        let app = workers.settings().map_err(|_| "the settings")?;
        refresh::follow(workers, &app, &asked).await.ok_or_else(|| "an answer that cannot be read".into())
    })
}
