//! The Durable Objects: decode, load, decide, store, reply. One synchronous step for each command.

pub mod directory;
mod rows;
pub mod rpc;
mod service_keys;
mod session;
pub mod settle;
mod user;

use crate::clock::Timestamp;
use worker::js_sys;
use worker::wasm_bindgen::JsValue;

/// What goes back to the entry: when the alarm is due (empty if that does not change), a line break, the reply.
fn to_entry<R: serde::Serialize>(reply: &R, alarm: Option<Timestamp>) -> Result<String, JsValue> {
    let reply = serde_json::to_string(reply).map_err(fault)?;
    let alarm = alarm.map(|at| at.millis().to_string()).unwrap_or_default();
    Ok(format!("{alarm}\n{reply}"))
}

/// An error as the caller of an object sees it. Callers turn it into 503; the text goes to the log.
fn fault(error: impl std::fmt::Display) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}

async fn set_alarm(state: &worker::State, at: Timestamp) -> worker::Result<()> {
    #[allow(clippy::cast_precision_loss)] // Milliseconds since 1970 fit 53 bits for 285,000 years.
    let at = js_sys::Date::new(&JsValue::from_f64(at.millis() as f64));
    state.storage().set_alarm(worker::ScheduledTime::new(at)).await
}
