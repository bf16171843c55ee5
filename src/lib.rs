//! Sallyport: the session and token authority at the edge.
//!
//! The folders say what it does. `session`, `directory` and `vault` decide and do no I/O; `http` reads and answers;
//! `objects` are the Durable Objects that run the decisions in one step each; `store` and `platform` are the rim.

pub mod app;
pub mod clock;
pub mod config;
pub mod directory;
pub mod error;
pub mod http;
pub mod keeper;
pub mod portal;
pub mod secret;
pub mod session;
pub mod vault;

#[cfg(target_arch = "wasm32")]
mod cron;
#[cfg(target_arch = "wasm32")]
mod objects;
#[cfg(target_arch = "wasm32")]
mod platform;
#[cfg(target_arch = "wasm32")]
mod store;

/// Every request that the entry does not answer on its short way.
#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    context: worker::Context,
) -> worker::Result<worker::Response> {
    http::serve::serve(request, env, context).await
}
