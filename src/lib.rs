//! The Worker: the platform's side of Sallyport.

mod cron;
mod fast_path;
mod objects;
mod platform;

use platform::Workers;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};
use worker::{Context, Env, Request, Response};

/// Every request that the entry does not answer on its fast path.
#[worker::event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    platform::handler::serve(Workers::of_request(env, context), request).await
}

/// Does nothing itself: where the wasm instance is lost, the next call starts another one. Had that call arguments, or were it an
/// object's, it would reach into the new instance with addresses of the old one.
#[wasm_bindgen]
pub fn wake() {}
