//! What the platform keeps for an object: rows, SQL, one alarm; and the promises of what is under way in it.
//!
//! Rows go through the synchronous key-value calls of an object backed by `SQLite` (`ctx.storage.kv`): one call of the
//! runtime's for a row, where an SQL cursor takes half a dozen. They are part of the same atomic batch as SQL statements.

use super::object::ObjectHost;
use super::{fault_of, promise};
use base::clock::Timestamp;
use base::fault::Fault;
use engine::host::{Alarm, Flights, Rows, Sql, SqlValue};
use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::js_sys::{self, Object, Promise, Reflect};
use worker::wasm_bindgen::{self, JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{SqlStorageValue, State};

#[wasm_bindgen]
extern "C" {
    pub type SyncKv;

    #[wasm_bindgen(method, catch)]
    fn get(this: &SyncKv, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &SyncKv, key: &str, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn delete(this: &SyncKv, key: &str) -> Result<bool, JsValue>;

    /// An object's storage, as far as its alarm goes.
    type Alarms;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &Alarms, at: f64) -> Result<JsValue, JsValue>;
}

impl SyncKv {
    pub fn of(state: &State) -> Result<Self, Fault> {
        let kv =
            Reflect::get(state.storage().as_raw().as_ref(), &JsValue::from_str("kv")).map_err(fault_of)?;
        if kv.is_undefined() {
            return Err("the object is not backed by SQLite".into());
        }
        Ok(kv.unchecked_into())
    }
}

/// Asking for a row that is not there leaves nothing behind.
impl Rows for ObjectHost {
    /// A string of JavaScript's.
    type Text = JsValue;

    fn read(&self, row: &str) -> Result<Option<JsValue>, Fault> {
        let text = self.kv()?.get(row).map_err(fault_of)?;
        Ok(Some(text).filter(|text| !text.is_undefined()))
    }

    fn text(&self, text: &JsValue) -> Result<String, Fault> {
        text.as_string().ok_or_else(|| "a row that is no text".into())
    }

    fn write(&self, row: &str, value: &str) -> Result<JsValue, Fault> {
        let text = JsValue::from_str(value);
        self.kv()?.put(row, &text).map_err(fault_of)?;
        Ok(text)
    }

    fn delete(&self, row: &str) -> Result<(), Fault> {
        self.kv()?.delete(row).map(drop).map_err(fault_of)
    }
}

impl Sql for ObjectHost {
    fn sql<T: DeserializeOwned>(&self, statements: &str, values: Vec<SqlValue>) -> Result<Vec<T>, Fault> {
        let values: Vec<SqlStorageValue> = values.into_iter().map(bound).collect();
        let cursor = self.state().storage().sql().exec(statements, values).map_err(fault_of)?;
        let rows: Vec<Value> = cursor.to_array().map_err(fault_of)?;
        rows.into_iter().map(|row| base::json::of(row).map_err(Fault::from)).collect()
    }
}

fn bound(value: SqlValue) -> SqlStorageValue {
    match value {
        SqlValue::Null => SqlStorageValue::Null,
        SqlValue::Integer(number) => number.into(),
        SqlValue::Text(text) => text.into(),
    }
}

impl Alarm for ObjectHost {
    /// Without waiting: what the storage is told in one turn is one batch.
    fn set_alarm(&self, at: Timestamp) -> Result<(), Fault> {
        let storage = self.state().storage();
        let raw: &JsValue = storage.as_raw().as_ref();
        let alarms: &Alarms = raw.unchecked_ref();
        #[allow(clippy::cast_precision_loss)] // Milliseconds since 1970 fit 53 bits for 285,000 years.
        alarms.set_alarm(at.millis() as f64).map(drop).map_err(fault_of)
    }

    async fn alarm_at(&self) -> Result<Option<Timestamp>, Fault> {
        let at = self.state().storage().get_alarm().await.map_err(fault_of)?;
        Ok(at.and_then(|at| u64::try_from(at).ok()).map(Timestamp::from_millis))
    }

    async fn delete_all(&self) -> Result<(), Fault> {
        self.state().storage().delete_all().await.map_err(fault_of)
    }
}

/// All requests of an object share one context of the runtime, so one of them may await what another has begun.
impl Flights for ObjectHost {
    type Flight = Promise;

    fn start(&self, work: impl Future<Output = Result<String, Fault>> + 'static) -> Promise {
        promise(work)
    }

    async fn join(&self, flight: &Promise) -> Result<String, Fault> {
        match JsFuture::from(flight.clone()).await {
            Ok(end) => Ok(end.as_string().unwrap_or_default()),
            Err(error) => Err(match error.dyn_ref::<js_sys::Error>() {
                // What the work itself has said.
                Some(error) => Fault(error.message().into()),
                None => fault_of(error),
            }),
        }
    }

    fn same(&self, one: &Promise, other: &Promise) -> bool {
        Object::is(one, other)
    }
}
