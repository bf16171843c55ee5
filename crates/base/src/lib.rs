//! What every other crate stands on: time, ids, secrets, sealing, settings, outbound calls, log records. Imports nothing
//! of ours, and nothing of the platform.

pub mod account;
pub mod audit;
pub mod call;
pub mod charset;
pub mod clock;
pub mod current;
pub mod event;
pub mod fault;
pub mod fields;
pub mod ids;
pub mod jitter;
pub mod json;
pub mod log;
pub mod outbox;
pub mod page;
pub mod ports;
pub mod rpc;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod secret;
pub mod settings;
pub mod socket;
pub mod together;
pub mod trail;
pub mod vault;
pub mod webhook;
mod words;
