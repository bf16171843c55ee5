//! Named rows of JSON in an object's storage. All calls are synchronous.
//!
//! They go through the synchronous key-value calls of an object backed by `SQLite` (`ctx.storage.kv`): one call of the
//! runtime's for a row, where an SQL cursor takes half a dozen. They are part of the same atomic batch as SQL statements.

use worker::js_sys::Reflect;
use worker::wasm_bindgen::{self, JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::{Error, Result, State};

#[wasm_bindgen]
extern "C" {
    type SyncKv;

    #[wasm_bindgen(method, catch)]
    fn get(this: &SyncKv, key: &str) -> std::result::Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &SyncKv, key: &str, value: &str) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &SyncKv, key: &str) -> std::result::Result<bool, JsValue>;

    /// An object's storage, as far as its alarm goes.
    pub(super) type Alarms;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub(super) fn set_alarm(this: &Alarms, at: f64) -> std::result::Result<JsValue, JsValue>;
}

/// The rows of one object. Asking for one that is not there leaves nothing behind.
pub struct Rows(SyncKv);

impl Rows {
    pub fn new(state: &State) -> Result<Self> {
        let kv =
            Reflect::get(state.storage().as_raw().as_ref(), &JsValue::from_str("kv")).map_err(Error::from)?;
        if kv.is_undefined() {
            return Err("the object is not backed by SQLite".into());
        }
        Ok(Self(kv.unchecked_into()))
    }

    pub fn get(&self, name: &str) -> Result<Option<String>> {
        Ok(self.0.get(name).map_err(Error::from)?.as_string())
    }

    pub fn put(&self, name: &str, json: &str) -> Result<()> {
        self.0.put(name, json).map_err(Error::from)
    }

    pub fn delete(&self, name: &str) -> Result<()> {
        self.0.delete(name).map(|_| ()).map_err(Error::from)
    }
}
