//! Calls to objects: native RPC, a command in JSON in, a reply in JSON out.

use super::portal_registry;
use super::roster::{self, Sweep};
use crate::platform;
use ::directory;
use ::keeper::{self, protocol::Asked};
use ::portal;
use ::session::{self, Owner, Renewal};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use worker::js_sys::{Promise, Reflect};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, ObjectNamespace, Stub};

#[wasm_bindgen]
extern "C" {
    /// A stub as the entry's classes answer to it.
    type Rpc;

    #[wasm_bindgen(method, catch)]
    fn command(this: &Rpc, json: &str) -> Result<Promise, JsValue>;

    /// What an object does not answer in one step.
    #[wasm_bindgen(method, catch)]
    fn ask(this: &Rpc, json: &str) -> Result<Promise, JsValue>;
}

/// Which of the two an object is called by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Command,
    Ask,
    /// As `Ask`, and never tried again.
    AskOnce,
}

/// An object could not be asked. Whether it did anything is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object could not be asked")
    }
}

/// Which object: by the id that the namespace gave it, or by a name.
#[derive(Clone, Copy)]
enum Address<'a> {
    Id(&'a str),
    Name(&'a str),
}

/// A session's object. An id that is not of this namespace is a session that nobody knows.
pub async fn session(env: &Env, id: &str, command: &session::Command) -> Result<session::Reply, Unreachable> {
    let namespace = namespace(env, "SESSION")?;
    if namespace.id_from_string(id).is_err() {
        return Ok(session::Reply::Unknown);
    }
    call(&namespace, Address::Id(id), command).await
}

/// A fresh session id, made without asking anybody.
pub fn fresh_session_id(env: &Env) -> Result<String, Unreachable> {
    namespace(env, "SESSION")?.unique_id().map(|id| id.to_string()).map_err(|_| Unreachable)
}

/// The object of whoever has sessions: of a user, by the canonical name, or of somebody whom another system has logged in.
pub async fn owner(
    env: &Env,
    owner: Owner<'_>,
    command: &directory::Command,
) -> Result<directory::Reply, Unreachable> {
    call(&namespace(env, "USER")?, Address::Name(&owner.object()), command).await
}

/// Renews a post-login session. May be repeated: what was done the first time is found done.
pub async fn renew(env: &Env, id: &str, renewal: &Renewal) -> Result<session::Reply, Unreachable> {
    let namespace = namespace(env, "SESSION")?;
    if namespace.id_from_string(id).is_err() {
        return Ok(session::Reply::Unknown);
    }
    send(&namespace, Address::Id(id), renewal, Method::Ask).await
}

/// The one directory of users.
pub async fn directory(
    env: &Env,
    command: &super::directory::Command,
) -> Result<super::directory::Reply, Unreachable> {
    call(&namespace(env, "DIRECTORY")?, Address::Name("directory"), command).await
}

/// The object of an upstream account.
pub async fn upstream(
    env: &Env,
    provider: &str,
    account: &str,
    command: keeper::Command,
) -> Result<keeper::Reply, Unreachable> {
    let name = format!("{provider}/{account}");
    // An order that may have been carried out is not given again: an authorization code, for one, works once.
    let method = match command {
        keeper::Command::Order { .. } => Method::AskOnce,
        _ => Method::Ask,
    };
    let asked = Asked { provider: provider.to_owned(), account: account.to_owned(), command };
    send(&namespace(env, "UPSTREAM")?, Address::Name(&name), &asked, method).await
}

/// The roster of upstream accounts.
pub async fn roster(env: &Env, command: &roster::Command) -> Result<roster::Reply, Unreachable> {
    call(&namespace(env, "ROSTER")?, Address::Name("roster"), command).await
}

/// The n-th of the objects that look after accounts.
pub async fn sweep(env: &Env, n: usize, sweep: &Sweep) -> Result<roster::Reply, Unreachable> {
    send(&namespace(env, "ROSTER")?, Address::Name(&format!("sweep/{n}")), sweep, Method::Ask).await
}

/// The object of a portal login.
pub async fn portal(env: &Env, name: &str, command: portal::Command) -> Result<portal::Reply, Unreachable> {
    // Some operations cannot be undone, so none is given twice.
    let method = match command {
        portal::Command::Run { .. } => Method::AskOnce,
        _ => Method::Ask,
    };
    let asked = portal::Asked { name: name.to_owned(), command };
    send(&namespace(env, "PORTAL")?, Address::Name(name), &asked, method).await
}

/// The registry of portal sessions.
pub async fn portal_registry(
    env: &Env,
    command: &portal_registry::Command,
) -> Result<portal_registry::Reply, Unreachable> {
    call(&namespace(env, "PORTAL_REGISTRY")?, Address::Name("registry"), command).await
}

fn namespace(env: &Env, binding: &str) -> Result<ObjectNamespace, Unreachable> {
    env.durable_object(binding).map_err(|error| {
        platform::log_fault("binding", &error.to_string(), None);
        Unreachable
    })
}

fn stub(namespace: &ObjectNamespace, address: Address) -> worker::Result<Stub> {
    match address {
        Address::Id(id) => namespace.id_from_string(id)?.get_stub(),
        Address::Name(name) => namespace.id_from_name(name)?.get_stub(),
    }
}

/// Every command but an order may be repeated: what it did the first time it finds done (a failed login may count twice). So a call
/// that failed on the way is tried once more, on a fresh stub; never if the object is overloaded.
async fn call<C: Serialize, R: DeserializeOwned>(
    namespace: &ObjectNamespace,
    address: Address<'_>,
    command: &C,
) -> Result<R, Unreachable> {
    send(namespace, address, command, Method::Command).await
}

async fn send<C: Serialize, R: DeserializeOwned>(
    namespace: &ObjectNamespace,
    address: Address<'_>,
    command: &C,
    method: Method,
) -> Result<R, Unreachable> {
    let json = serde_json::to_string(command).map_err(|_| Unreachable)?;
    let mut answer = attempt(namespace, address, &json, method).await;
    if let Err(error) = &answer
        && method != Method::AskOnce
        && flag(error, "retryable")
        && !flag(error, "overloaded")
    {
        answer = attempt(namespace, address, &json, method).await;
    }
    let answer = answer.map_err(|error| {
        platform::log_fault("object", &worker::Error::from(error).to_string(), None);
        Unreachable
    })?;
    let reply = answer.as_string().unwrap_or_default();
    serde_json::from_str(&reply).map_err(|error| {
        platform::log_fault("object reply", &error.to_string(), None);
        Unreachable
    })
}

async fn attempt(
    namespace: &ObjectNamespace,
    address: Address<'_>,
    json: &str,
    method: Method,
) -> Result<JsValue, JsValue> {
    let rpc: Rpc = stub(namespace, address).map_err(JsValue::from)?.into_rpc();
    let answer = match method {
        Method::Command => rpc.command(json),
        Method::Ask | Method::AskOnce => rpc.ask(json),
    };
    JsFuture::from(answer?).await
}

/// A property of a runtime error that the `worker` crate does not show.
fn flag(error: &JsValue, name: &str) -> bool {
    error.is_object() && Reflect::get(error, &JsValue::from_str(name)).is_ok_and(|v| v.is_truthy())
}
