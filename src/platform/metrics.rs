//! Requests, counted by Workers Analytics Engine where a dataset is bound as `METRICS`. It samples by itself when there are many.

use base::clock::millis;
use base::ports::Answered;
use std::cell::OnceCell;
use worker::Env;
use worker::js_sys::{Array, Object, Reflect};
use worker::wasm_bindgen::{self, JsCast, JsValue, prelude::wasm_bindgen};

const BINDING: &str = "METRICS";

#[wasm_bindgen]
extern "C" {
    type Dataset;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write(this: &Dataset, point: &JsValue) -> Result<(), JsValue>;
}

thread_local! {
    /// Looked for at the first answer of an instance: bindings change only with a deploy, which starts a new one.
    static DATASET: OnceCell<Option<Dataset>> = const { OnceCell::new() };
}

/// Writes a data point: by the route, which is the index; then the status and the code; and the time it took, in milliseconds. What
/// cannot be written is not counted: no answer depends on it.
pub fn write(env: &Env, answered: &Answered) {
    DATASET.with(|cell| {
        if let Some(dataset) = cell.get_or_init(|| bound(env)) {
            let _ = point(answered).and_then(|point| dataset.write(&point));
        }
    });
}

fn bound(env: &Env) -> Option<Dataset> {
    let found = Reflect::get(env.as_ref(), &JsValue::from_str(BINDING)).ok()?;
    found.is_object().then(|| found.unchecked_into())
}

fn point(answered: &Answered) -> Result<JsValue, JsValue> {
    let status = answered.status.to_string();
    let texts = [answered.route, &status, answered.code.unwrap_or_default()];
    let list = |items: &[JsValue]| items.iter().collect::<Array>();
    let [route, ..] = texts;
    #[allow(clippy::cast_precision_loss)] // Far below 2^53.
    let duration = millis(super::now().since(answered.started)) as f64;
    let point = Object::new();
    for (name, values) in [
        ("indexes", list(&[route.into()])),
        ("blobs", list(&texts.map(JsValue::from_str))),
        ("doubles", list(&[duration.into()])),
    ] {
        Reflect::set(&point, &name.into(), &values)?;
    }
    Ok(point.into())
}
