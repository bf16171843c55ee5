//! The Durable Objects: decode, load, decide, store, reply. One synchronous step for each command.

pub mod directory;
mod follow;
mod portal;
pub mod portal_follow;
mod portal_login;
mod portal_queue;
pub mod portal_registry;
mod portal_rows;
mod portal_work;
mod renewal;
pub mod roster;
mod rows;
pub mod rpc;
mod service_keys;
mod session;
pub mod settle;
mod upstream;
mod user;

use base::clock::Timestamp;
use std::panic::AssertUnwindSafe;
use worker::js_sys;
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::future_to_promise;

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

/// What takes more than a step, as the entry passes it on. A panic in it rejects the promise and harms nothing else: what
/// it may leave half done in memory is checked against storage by the next step.
pub fn promise<F>(work: F) -> js_sys::Promise
where
    F: Future<Output = Result<String, JsValue>> + 'static,
{
    future_to_promise(AssertUnwindSafe(async move { work.await.map(JsValue::from) }))
}

async fn set_alarm(state: &worker::State, at: Timestamp) -> worker::Result<()> {
    #[allow(clippy::cast_precision_loss)] // Milliseconds since 1970 fit 53 bits for 285,000 years.
    let at = js_sys::Date::new(&JsValue::from_f64(at.millis() as f64));
    state.storage().set_alarm(worker::ScheduledTime::new(at)).await
}

/// The same without waiting: what the storage is told in one turn is one batch.
fn arm(state: &worker::State, at: Timestamp) -> worker::Result<()> {
    let storage = state.storage();
    let raw: &JsValue = storage.as_raw().as_ref();
    let storage: &rows::Alarms = raw.unchecked_ref();
    #[allow(clippy::cast_precision_loss)] // As above.
    storage.set_alarm(at.millis() as f64).map(drop).map_err(worker::Error::from)
}
