//! The Durable Object classes: each hands the calls of its objects to its engine.

mod audit_trail;
mod directory;
mod portal;
mod portal_registry;
mod roster;
mod session;
mod upstream;
mod user;

/// The class of an engine: `object! { /// … Name = Engine<ObjectHost>: command ask alarm }`. Behind the colon what the entry calls.
/// Not by `worker::durable_object`: the entry's own class is the one that the platform sees, and nothing comes by `fetch`.
macro_rules! object {
    ($(#[$doc:meta])* $class:ident = $engine:ty: $($method:ident)*) => {
        $(#[$doc])*
        #[wasm_bindgen]
        pub struct $class {
            engine: std::panic::AssertUnwindSafe<$engine>,
        }

        #[wasm_bindgen]
        impl $class {
            #[wasm_bindgen(constructor)]
            pub fn new(state: worker::worker_sys::DurableObjectState, env: worker::Env) -> Self {
                let host = $crate::platform::ObjectHost::new(state.into(), env);
                let engine = engine::host::DurableObject::new(host);
                Self { engine: std::panic::AssertUnwindSafe(engine) }
            }
        }

        $($crate::objects::object! { @$method $class })*
    };
    (@command $class:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// One step. In and out as the entry passes it on: when the alarm is due (empty if that does not change; after a
            /// question mark if it is to be set only where none is that comes as early), a line break, the reply.
            pub fn command(
                &self,
                json: &[u8],
                request_id: Option<String>,
            ) -> Result<String, worker::wasm_bindgen::JsValue> {
                let _entered = base::current::enter(request_id.map(Into::into));
                let answer = $crate::objects::text(json)
                    .and_then(|json| engine::host::DurableObject::command(&*self.engine, json));
                answer.map(|answer| $crate::objects::to_entry(&answer)).map_err($crate::platform::thrown)
            }
        }
    };
    (@ask $class:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// What takes calls to others, and so more than a step.
            pub fn ask(&self, json: String, request_id: Option<String>) -> worker::js_sys::Promise {
                let engine = (*self.engine).clone();
                let _entered = base::current::enter(request_id.map(Into::into));
                $crate::platform::promise(async move {
                    engine::host::DurableObject::ask(&engine, &json).await
                })
            }
        }
    };
    (@alarm $class:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// Where it fails, the platform rings it again.
            pub fn alarm(&self) -> worker::js_sys::Promise {
                let engine = (*self.engine).clone();
                $crate::platform::promise(async move {
                    engine::host::DurableObject::alarm(&engine).await.map(|()| String::new())
                })
            }
        }
    };
}

use object;

/// What the entry hands over: bytes, since wasm-bindgen hands a string over letter by letter.
fn text(json: &[u8]) -> Result<&str, base::fault::Fault> {
    std::str::from_utf8(json).map_err(|_| "a command that is no text".into())
}

fn to_entry(answer: &engine::host::Answer) -> String {
    let alarm = answer.alarm.map(|at| at.millis().to_string()).unwrap_or_default();
    let unless_set = if answer.unless_set { "?" } else { "" };
    format!("{unless_set}{alarm}\n{}", answer.reply)
}
