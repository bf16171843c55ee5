//! The platform boundary: the ports of `base` and `engine` as Workers have them. Only here is the clock read, are random
//! bytes drawn, bindings looked at and log lines written.

mod binding;
mod bucket;
pub mod handler;
mod kv;
mod metrics;
mod object;
mod outbound;
mod panics;
mod peers;
mod random;
mod socket;
mod storage;

pub use object::ObjectHost;

use base::clock::Timestamp;
use base::current;
use base::fault::{Fault, FaultKind};
use base::ports::{Answered, Background, Clock, Log, Timer};
use config::{App, Faults, Settings};
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use worker::js_sys::{self, Promise, Reflect};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::future_to_promise;
use worker::{Context, Env};

/// What handlers and objects alike have of the platform.
#[derive(Clone)]
pub struct Workers {
    env: Env,
    /// Of a request.
    context: Option<Rc<Context>>,
    request_id: Option<Rc<str>>,
}

impl Workers {
    /// Every call from the entry makes one, so it is here that panics are seen to.
    pub fn new(env: Env) -> Self {
        panics::see_to_them();
        Self { env, context: None, request_id: None }
    }

    pub fn of_request(env: Env, context: Context) -> Self {
        Self { context: Some(Rc::new(context)), ..Self::new(env) }
    }
}

impl Clock for Workers {
    fn now(&self) -> Timestamp {
        now()
    }
}

fn now() -> Timestamp {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Whole milliseconds since 1970.
    Timestamp::from_millis(js_sys::Date::now() as u64)
}

impl Log for Workers {
    fn info(&self, line: &str) {
        worker::console_log!("{line}");
    }

    fn error(&self, line: &str) {
        worker::console_error!("{line}");
    }

    fn answered(&self, answered: &Answered) {
        metrics::write(&self.env, answered);
    }

    fn request_in_hand(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Of the request in hand. Refused where there is none; the work goes on all the same for as long as the platform lets it.
    #[wasm_bindgen(catch, js_name = waitUntil)]
    fn wait_until(work: &Promise) -> Result<(), JsValue>;
}

impl Timer for Workers {
    async fn sleep(&self, time: Duration) {
        worker::Delay::from(time).await;
    }
}

impl Background for Workers {
    fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        let work = boxed(work);
        if let Some(context) = &self.context {
            context.wait_until(work);
        } else {
            wait_for(work);
        }
    }
}

/// On the fast path, where there is no context, the platform knows the request by itself. Not generic, and so compiled once.
fn wait_for(work: Pin<Box<dyn Future<Output = ()>>>) {
    let done = async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    };
    let _ = wait_until(&future_to_promise(AssertUnwindSafe(done)));
}

type Shared = Result<Rc<App>, Rc<Faults>>;

thread_local! {
    /// Made at the first request of an instance. Settings change only with a deploy, which starts a new one.
    static APP: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

impl Settings for Workers {
    fn settings(&self) -> Shared {
        APP.with(|cell| cell.borrow_mut().get_or_insert_with(|| self.read()).clone())
    }
}

impl Workers {
    fn read(&self) -> Shared {
        let env: &JsValue = self.env.as_ref();
        let lookup = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
        let read = App::new(&lookup);
        let faults = match &read {
            Ok(app) => &app.config.providers.faults,
            Err(faults) => &faults.list,
        };
        for fault in faults {
            self.fault(FaultKind::Configuration, fault, None);
        }
        read.map(Rc::new).map_err(Rc::new)
    }
}

/// What takes more than a step, as the entry passes it on. A panic in it rejects the promise and harms nothing else: what
/// it may leave half done in memory is checked against storage by the next step.
pub fn promise(work: impl Future<Output = Result<String, Fault>> + 'static) -> Promise {
    promise_of(boxed(work))
}

/// Not generic, and so compiled once.
fn promise_of(work: Pin<Box<dyn Future<Output = Result<String, Fault>>>>) -> Promise {
    // It is for the request that has begun it.
    let work = current::within(current::request_id(), work);
    future_to_promise(AssertUnwindSafe(async move { work.await.map(JsValue::from).map_err(thrown) }))
}

/// Of one type, whatever the work: what makes a promise of it is compiled once for each type.
fn boxed<T>(work: impl Future<Output = T> + 'static) -> Pin<Box<dyn Future<Output = T>>> {
    Box::pin(work)
}

/// A fault as the entry throws it. Who called turns it into 503; the text goes to the log.
#[allow(clippy::needless_pass_by_value)] // For `map_err`.
pub fn thrown(fault: Fault) -> JsValue {
    js_sys::Error::new(&fault.0).into()
}

/// An error of the platform's, in words.
fn fault_of(error: impl Into<worker::Error>) -> Fault {
    Fault(error.into().to_string())
}
