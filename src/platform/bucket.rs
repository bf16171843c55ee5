//! R2. Not by the `worker` crate, whose options of all methods are more than is needed here.

use super::{Workers, fault_of};
use base::fault::Fault;
use base::ports::{Bucket, Stored};
use futures_util::future::{Either, select};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use worker::js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{self, JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;

const BINDING: &str = "SCREENSHOTS";
/// Whoever waits for it has something else to do.
const WITHIN: Duration = Duration::from_secs(5);

#[wasm_bindgen]
extern "C" {
    type R2;
    type R2Object;

    #[wasm_bindgen(method, catch)]
    fn put(this: &R2, key: &str, value: &Uint8Array, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn get(this: &R2, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &R2, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    fn array_buffer(this: &R2Object) -> Result<Promise, JsValue>;
}

impl Workers {
    fn r2(&self) -> Option<R2> {
        let binding = Reflect::get(self.env.as_ref(), &BINDING.into()).ok()?;
        binding.is_object().then(|| binding.unchecked_into())
    }

    fn need_r2(&self) -> Result<R2, Fault> {
        self.r2().ok_or_else(|| "there is no bucket SCREENSHOTS".into())
    }
}

/// What a call comes to, in time.
async fn done(begun: Result<Promise, JsValue>) -> Result<JsValue, Fault> {
    let call = JsFuture::from(begun.map_err(fault_of)?);
    match select(call, pin!(worker::Delay::from(WITHIN))).await {
        Either::Left((end, _)) => end.map_err(fault_of),
        Either::Right(_) => Err("R2 does not answer".into()),
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Nobody has frozen it.
    let _ = Reflect::set(object, &name.into(), value);
}

fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

impl Bucket for Workers {
    fn has_bucket(&self) -> bool {
        self.r2().is_some()
    }

    async fn bucket_put(&self, key: &str, object: &Stored) -> Result<(), Fault> {
        let (options, http, custom) = (Object::new(), Object::new(), Object::new());
        set(&http, "contentType", &object.content_type.as_str().into());
        for (name, value) in &object.metadata {
            set(&custom, name, &value.as_str().into());
        }
        set(&options, "httpMetadata", &http);
        set(&options, "customMetadata", &custom);
        let bytes = Uint8Array::from(object.bytes.as_slice());
        done(self.need_r2()?.put(key, &bytes, &options)).await.map(drop)
    }

    async fn bucket_get(&self, key: &str) -> Result<Option<Stored>, Fault> {
        let found = done(self.need_r2()?.get(key)).await?;
        if !found.is_object() {
            return Ok(None);
        }
        let custom = Object::from(member(&found, "customMetadata"));
        let mut metadata = BTreeMap::new();
        for name in Object::keys(&custom).iter().filter_map(|name| name.as_string()) {
            let value = member(&custom, &name).as_string().unwrap_or_default();
            metadata.insert(name, value);
        }
        let content_type = member(&member(&found, "httpMetadata"), "contentType");
        let bytes = done(found.unchecked_ref::<R2Object>().array_buffer()).await?;
        Ok(Some(Stored {
            bytes: Uint8Array::new(bytes.unchecked_ref::<ArrayBuffer>()).to_vec(),
            content_type: content_type.as_string().unwrap_or_default(),
            metadata,
        }))
    }

    async fn bucket_delete(&self, key: &str) -> Result<(), Fault> {
        done(self.need_r2()?.delete(key)).await.map(drop)
    }
}
