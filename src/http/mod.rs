//! The edge: routes, what is read from requests, answers. What needs the platform is in the modules marked for wasm.

pub mod access;
pub mod context;
pub mod json;
pub mod language;
pub mod log;
pub mod portal_route;
mod portal_texts;
pub mod reply;
pub mod route;
pub mod token_route;

#[cfg(target_arch = "wasm32")]
mod admin_keys;
#[cfg(target_arch = "wasm32")]
mod admin_sessions;
#[cfg(target_arch = "wasm32")]
mod admin_users;
#[cfg(target_arch = "wasm32")]
mod body;
#[cfg(target_arch = "wasm32")]
mod debug;
#[cfg(target_arch = "wasm32")]
mod edge;
#[cfg(target_arch = "wasm32")]
mod facturify;
#[cfg(target_arch = "wasm32")]
mod health;
#[cfg(target_arch = "wasm32")]
mod hot;
#[cfg(target_arch = "wasm32")]
mod login;
#[cfg(target_arch = "wasm32")]
mod mock;
#[cfg(target_arch = "wasm32")]
mod notifier;
#[cfg(target_arch = "wasm32")]
mod opening;
#[cfg(target_arch = "wasm32")]
mod own_sessions;
#[cfg(target_arch = "wasm32")]
mod portal;
#[cfg(target_arch = "wasm32")]
mod portal_fields;
#[cfg(target_arch = "wasm32")]
mod post_login;
#[cfg(target_arch = "wasm32")]
mod refresh;
#[cfg(target_arch = "wasm32")]
mod sample;
#[cfg(target_arch = "wasm32")]
mod sealing_keys;
#[cfg(target_arch = "wasm32")]
pub mod serve;
#[cfg(target_arch = "wasm32")]
mod service_auth;
#[cfg(target_arch = "wasm32")]
mod tokens;
#[cfg(target_arch = "wasm32")]
mod upstox;
