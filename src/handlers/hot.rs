//! The short way for requests that need nothing but one call to one session's object: the entry asks what to send where,
//! makes the call, and hands back what came. No promise, no request or response object of the platform's passes through,
//! and nothing is kept in between, so that a request that is broken off leaves nothing behind.

use super::serve;
use crate::platform;
use ::config::Check;
use ::session::{self, Command};
use base::clock::Timestamp;
use config::App;
use http::access::{Caller, access_token, admitted, profile, protected, verify};
use http::context::{Context, HEADERS};
use http::error::Reason;
use http::route::{Found, Route, find};
use worker::Env;
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

/// The headers that the entry hands over, in their order.
#[wasm_bindgen]
pub fn headers() -> String {
    HEADERS.join(" ")
}

/// Takes a request on the short way, if it is one for it. `lines` are the method, the URL and the headers that
/// [`Context::from_lines`] reads. Gives four lines: the session to ask, what to ask it, and what [`end`] wants to hear
/// again (the token's subject, when the request began). If the answer is known without asking, gives an empty line and
/// the answer.
#[wasm_bindgen]
pub fn begin(env: &Env, lines: &str) -> Option<String> {
    let app = platform::app(env).ok()?;
    if app.config.check != Check::Strict {
        return None;
    }
    let now = platform::now();
    // The request id is wanted with the answer only.
    let context = Context::from_lines(lines, &String::new, now);
    let route = short(&context)?;
    let token = match access_token(&app, &context, now) {
        Ok(token) => token,
        Err(reason) => {
            let context = Context::from_lines(lines, &platform::fresh_id, now);
            return Some(format!("\n{}", answer(&app, &context, &route, Err(reason))));
        }
    };
    let touch = Command::Touch { generation: token.generation, passive: context.passive };
    let touch = serde_json::to_string(&touch).ok()?;
    Some(format!("{}\n{touch}\n{}\n{}", token.session_id, token.subject, now.millis()))
}

/// The answer, from the object's reply; or without one, and with the fault for which the object could not be asked.
#[wasm_bindgen]
pub fn end(
    env: &Env,
    lines: &str,
    begun: &str,
    reply: Option<String>,
    fault: Option<String>,
) -> Option<String> {
    let app = platform::app(env).ok()?;
    let mut begun = begun.split('\n');
    let (session_id, _touch, subject) = (begun.next()?, begun.next()?, begun.next()?);
    let started = Timestamp::from_millis(begun.next()?.parse().ok()?);
    let context = Context::from_lines(lines, &platform::fresh_id, started);
    let route = short(&context)?;
    if let Some(fault) = fault {
        platform::log_fault("object", &fault, Some(&context.request_id));
    }
    let caller = caller(session_id, subject, reply);
    Some(answer(&app, &context, &route, caller))
}

fn short(context: &Context) -> Option<Route> {
    match find(&context.method, &context.path) {
        Ok(Found::Route(route)) if matches!(route, Route::Profile | Route::Protected | Route::Verify) => {
            Some(route)
        }
        _ => None,
    }
}

fn caller(session_id: &str, subject: &str, reply: Option<String>) -> Result<Caller, Reason> {
    let reply = reply.ok_or(Reason::Unavailable)?;
    let reply: session::Reply = serde_json::from_str(&reply).map_err(|_| Reason::Unavailable)?;
    admitted(session_id, subject, reply)
}

fn answer(app: &App, context: &Context, route: &Route, caller: Result<Caller, Reason>) -> String {
    let outcome = caller.and_then(|caller| match route {
        Route::Profile => Ok(profile(&caller)),
        Route::Protected => Ok(protected(&caller)),
        Route::Verify => verify(&caller, context),
        _ => Err(Reason::Internal),
    });
    serve::answer(Some(&app.config), context, Some(route), outcome).to_lines()
}
