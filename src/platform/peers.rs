//! Calls to objects: native RPC, a command in JSON in, a reply in JSON out.

use super::{Workers, fault_of};
use base::current;
use base::fault::FaultKind;
use base::ports::Log;
use base::rpc::{CallError, Class, Method, Name, Peers, Unreachable};
use worker::js_sys::{Promise, Reflect};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{ObjectNamespace, Stub};

#[wasm_bindgen]
extern "C" {
    /// A stub as the entry's classes answer to it.
    type Rpc;

    /// With the id of the request that it is for, which an object of the release before does not look at.
    #[wasm_bindgen(method, catch)]
    fn command(this: &Rpc, json: &str, request_id: Option<&str>) -> Result<Promise, JsValue>;

    /// What an object does not answer in one step.
    #[wasm_bindgen(method, catch)]
    fn ask(this: &Rpc, json: &str, request_id: Option<&str>) -> Result<Promise, JsValue>;
}

impl Workers {
    fn namespace(&self, class: Class) -> worker::Result<ObjectNamespace> {
        self.env.durable_object(class.binding())
    }

    fn stub(&self, class: Class, name: &Name) -> worker::Result<Stub> {
        let namespace = self.namespace(class)?;
        match name {
            Name::Id(id) => namespace.id_from_string(id)?.get_stub(),
            Name::Name(name) => namespace.id_from_name(name)?.get_stub(),
        }
    }

    async fn rpc(&self, class: Class, name: &Name, method: Method, json: &str) -> Result<JsValue, JsValue> {
        let rpc: Rpc = self.stub(class, name).map_err(JsValue::from)?.into_rpc();
        let id = current::request_id();
        let answer = match method {
            Method::Command => rpc.command(json, id.as_deref()),
            Method::Ask => rpc.ask(json, id.as_deref()),
        };
        JsFuture::from(answer?).await
    }
}

impl Peers for Workers {
    async fn attempt(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        json: &str,
    ) -> Result<String, CallError> {
        match self.rpc(class, name, method, json).await {
            Ok(answer) => Ok(answer.as_string().unwrap_or_default()),
            Err(error) => Err(CallError {
                retryable: flag(&error, "retryable"),
                overloaded: flag(&error, "overloaded"),
                text: fault_of(error).0,
            }),
        }
    }

    fn unique_id(&self, class: Class) -> Result<String, Unreachable> {
        let id = self.namespace(class).and_then(|namespace| Ok(namespace.unique_id()?.to_string()));
        id.map_err(|error| {
            self.fault(FaultKind::Binding, &error, None);
            Unreachable
        })
    }

    fn is_id(&self, class: Class, id: &str) -> bool {
        self.namespace(class).is_ok_and(|namespace| namespace.id_from_string(id).is_ok())
    }
}

/// A property of a runtime error that the `worker` crate does not show.
fn flag(error: &JsValue, name: &str) -> bool {
    error.is_object() && Reflect::get(error, &JsValue::from_str(name)).is_ok_and(|v| v.is_truthy())
}
