//! The rim: the only places that read the clock, draw random bytes, look at bindings or write a log line.

pub mod outbound;

use base::clock::Timestamp;
use base::log;
use base::vault::Nonce;
use config::App;
use std::cell::RefCell;
use std::rc::Rc;
use worker::wasm_bindgen::JsValue;
use worker::{Env, js_sys};

pub fn now() -> Timestamp {
    Timestamp::from_millis(worker::Date::now().as_millis())
}

/// Random bytes of the runtime's own source. `None` if it has none to give: then nothing may be made of them.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

pub fn nonce() -> Option<Nonce> {
    random().map(Nonce)
}

/// A request id: 128 random bits in hexadecimal.
pub fn fresh_id() -> String {
    base16ct::lower::encode_string(&random::<16>().unwrap_or_default())
}

pub fn log(line: &str) {
    worker::console_log!("{line}");
}

pub fn log_fault(what: &str, detail: &str, request_id: Option<&str>) {
    worker::console_error!("{}", log::fault(what, detail, request_id, now()));
}

type Shared = Result<Rc<App>, Rc<Vec<String>>>;

thread_local! {
    /// Made at the first request of an instance. Settings change only with a deploy, which starts a new one.
    static APP: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// The settings and what is made of them, or every fault in them.
pub fn app(env: &Env) -> Shared {
    APP.with(|cell| {
        let mut cell = cell.borrow_mut();
        cell.get_or_insert_with(|| make(env)).clone()
    })
}

fn make(env: &Env) -> Shared {
    let env: &JsValue = env.as_ref();
    let lookup = |name: &str| js_sys::Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
    App::new(&lookup).map(Rc::new).map_err(|faults| {
        for fault in &faults {
            log_fault("configuration", fault, None);
        }
        Rc::new(faults)
    })
}
