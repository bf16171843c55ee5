//! The Durable Object classes: each hands the calls of its objects to its engine.

mod directory;
mod portal;
mod portal_registry;
mod roster;
mod session;
mod upstream;
mod user;

/// The class of an engine: `object! { /// … Name = Engine<ObjectHost>, (alarm): command ask }`. In parentheses what the platform
/// calls, behind the colon what the entry does.
macro_rules! object {
    ($(#[$doc:meta])* $class:ident = $engine:ty, ($platform:ident): $($method:ident)*) => {
        $(#[$doc])*
        #[worker::durable_object($platform)]
        pub struct $class {
            engine: std::panic::AssertUnwindSafe<$engine>,
        }

        impl worker::DurableObject for $class {
            fn new(state: worker::State, env: worker::Env) -> Self {
                let host = $crate::platform::ObjectHost::new(state, env);
                let engine = engine::host::DurableObject::new(host);
                Self { engine: std::panic::AssertUnwindSafe(engine) }
            }

            async fn fetch(&self, _request: worker::Request) -> worker::Result<worker::Response> {
                worker::Response::error("not found", 404)
            }

            async fn alarm(&self) -> worker::Result<worker::Response> {
                engine::host::DurableObject::alarm(&*self.engine).await.map_err(|fault| worker::Error::from(fault.0))?;
                worker::Response::empty()
            }
        }

        $($crate::objects::object! { @$method $class })*
    };
    (@command $class:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// One step. In and out as the entry passes it on: when the alarm is due (empty if that does not change), a
            /// line break, the reply.
            pub fn command(&self, json: &str) -> Result<String, worker::wasm_bindgen::JsValue> {
                let answer = engine::host::DurableObject::command(&*self.engine, json);
                answer.map(|answer| $crate::objects::to_entry(&answer)).map_err($crate::platform::thrown)
            }
        }
    };
    (@ask $class:ident) => {
        #[wasm_bindgen]
        impl $class {
            /// What takes calls to others, and so more than a step.
            pub fn ask(&self, json: String) -> worker::js_sys::Promise {
                let engine = (*self.engine).clone();
                $crate::platform::promise(async move {
                    engine::host::DurableObject::ask(&engine, &json).await
                })
            }
        }
    };
}

use object;

fn to_entry(answer: &engine::host::Answer) -> String {
    let alarm = answer.alarm.map(|at| at.millis().to_string()).unwrap_or_default();
    format!("{alarm}\n{}", answer.reply)
}
