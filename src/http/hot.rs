//! The short way for requests that need nothing but one call to one session's object: the entry asks what to send where,
//! makes the call, and hands back what came. No promise, no request or response object of the platform's passes through.

use super::access::{Caller, access_token, admitted, profile, protected, verify};
use super::context::Context;
use super::reply::Reply;
use super::route::{Found, Route, find};
use super::serve::{finish, log_request};
use crate::app::App;
use crate::config::Check;
use crate::error::Reason;
use crate::platform;
use crate::session::tokens::Verified;
use crate::session::{self, Command};
use std::rc::Rc;
use worker::Env;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// A request on its short way.
#[wasm_bindgen]
pub struct Hot {
    app: Rc<App>,
    context: Context,
    route: Route,
    token: Result<Verified, Reason>,
}

/// Takes a request on the short way, if it is one for it. `lines` are the method, the URL and the headers that
/// [`Context::from_lines`] reads.
#[wasm_bindgen]
pub fn begin(env: &Env, lines: &str) -> Option<Hot> {
    let app = platform::app(env).ok()?;
    if app.config.check != Check::Strict {
        return None;
    }
    let now = platform::now();
    let context = Context::from_lines(lines, &platform::fresh_id, now);
    let Ok(Found::Route(route)) = find(&context.method, &context.path) else { return None };
    if !matches!(route, Route::Profile | Route::Protected | Route::Verify) {
        return None;
    }
    let token = access_token(&app, &context, now);
    Some(Hot { app, context, route, token })
}

#[wasm_bindgen]
impl Hot {
    /// The session to ask; nothing if the answer is known without.
    #[wasm_bindgen(getter)]
    pub fn session_id(&self) -> Option<String> {
        self.token.as_ref().ok().map(|token| token.session_id.clone())
    }

    /// What to ask it.
    pub fn command(&self) -> Option<String> {
        let token = self.token.as_ref().ok()?;
        let touch = Command::Touch { generation: token.generation, passive: self.context.passive };
        serde_json::to_string(&touch).ok()
    }

    /// The answer, from the object's reply; or without one, and with the fault for which the object could not be asked.
    pub fn finish(self, reply: Option<String>, fault: Option<String>) -> String {
        let Self { app, context, route, token } = self;
        if let Some(fault) = fault {
            platform::log_fault("object", &fault, Some(&context.request_id));
        }
        let outcome = token.and_then(|token| caller(token, reply)).and_then(|caller| match route {
            Route::Profile => Ok(profile(&caller)),
            Route::Protected => Ok(protected(&caller)),
            Route::Verify => verify(&caller, &context),
            _ => Err(Reason::Internal),
        });
        let reply: Reply = finish(&context, &outcome, route == Route::Verify);
        log_request(Some(&app.config), &context, route.name(), &reply, outcome.as_ref().err());
        reply.to_lines()
    }
}

fn caller(token: Verified, reply: Option<String>) -> Result<Caller, Reason> {
    let reply = reply.ok_or(Reason::Unavailable)?;
    let reply: session::Reply = serde_json::from_str(&reply).map_err(|_| Reason::Unavailable)?;
    admitted(token, reply)
}
