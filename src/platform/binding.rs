//! Calls through a binding of the Worker, to a network of one's own.

use super::Workers;
use base::fault::FaultKind;
use base::ports::Log as _;
use worker::js_sys::{Function, Promise, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::web_sys;
use worker::{AbortSignal, Request, Response};

/// A binding, and its `fetch`.
pub(super) struct Binding {
    binding: JsValue,
    fetch: Function,
}

impl Workers {
    /// A binding that can be fetched through. Without it nothing is called by another way.
    pub(super) fn binding(&self, name: &str) -> Option<Binding> {
        let binding = Reflect::get(self.env.as_ref(), &JsValue::from_str(name)).ok()?;
        let fetch = Reflect::get(&binding, &JsValue::from_str("fetch")).ok();
        let fetch = fetch.and_then(|fetch| fetch.dyn_into::<Function>().ok());
        if fetch.is_none() {
            self.fault(
                FaultKind::Binding,
                &"TOKEN_REFRESH_SERVICE_BINDING names no binding that can be called",
                None,
            );
        }
        Some(Binding { binding, fetch: fetch? })
    }
}

impl Binding {
    pub(super) async fn send(&self, request: &Request, signal: &AbortSignal) -> worker::Result<Response> {
        let init = web_sys::RequestInit::new();
        init.set_signal(Some(signal));
        let sent = self.fetch.call2(&self.binding, request.inner(), &init)?;
        let answer = JsFuture::from(Promise::resolve(&sent)).await?;
        Ok(answer.dyn_into::<web_sys::Response>()?.into())
    }
}
