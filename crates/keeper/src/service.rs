//! The internal token service that Upstox tokens come from: where it is, how it is reached, and what it is shown. Another Sallyport
//! may be one.

use base::secret::Secret;
use base::settings::{self as s, Environment, Reader, Setting};
use std::time::Duration;

use super::call::{Call, bearer};

#[derive(Clone, Debug)]
pub struct Service {
    pub url: String,
    /// What it is shown with each call.
    pub headers: Vec<(&'static str, Secret)>,
    /// The binding of the Worker that the calls go through; without one they go to the address itself.
    pub binding: Option<String>,
}

impl Service {
    /// A call about an account.
    pub fn call(&self, method: &'static str, path: &str, timeout: Duration) -> Call {
        let mut headers = vec![("accept", Secret::new("application/json"))];
        headers.extend(self.headers.iter().cloned());
        let url = format!("{}{path}", self.url);
        Call { method, url, headers, body: None, binding: self.binding.clone(), timeout }
    }

    /// Whose tokens it gives. As it has been written since there was an address only, which a deploy is not to change.
    pub fn identity(service: Option<&Self>) -> String {
        let url = service.map(|service| &service.url);
        let binding = service.and_then(|service| service.binding.as_ref());
        let binding = binding.map(|binding| format!(" {binding:?}")).unwrap_or_default();
        format!("{url:?}{binding}")
    }

    /// Everything that is set of it, to notice a change by.
    pub fn settings(service: Option<&Self>) -> String {
        let Some(Self { url, headers, binding }) = service else { return String::new() };
        let headers: String =
            headers.iter().flat_map(|(name, value)| ["\n", name, ": ", value.expose()]).collect();
        let binding = binding.as_ref().map(|binding| format!("\n{binding}")).unwrap_or_default();
        format!("{url}{headers}{binding}")
    }
}

/// Reads where the service is, which says whose tokens it gives. Plain `http` is for networks that nobody else is in.
pub fn read(r: &mut Reader<'_>, environment: Environment) -> Option<Service> {
    let binding = Some(r.text(&s::TOKEN_REFRESH_SERVICE_BINDING)).filter(|name| !name.is_empty());
    let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !binding.as_ref().is_none_or(is_name) {
        fault(r, &s::TOKEN_REFRESH_SERVICE_BINDING, "must be the name of a binding: letters, digits and _");
    }
    let plain = binding.is_some() || environment == Environment::Development;
    let url = r.url_within(
        &s::TOKEN_REFRESH_SERVICE_URL,
        plain,
        "must be https://… without a query or credentials (http:// for loopback, in development, or through \
         TOKEN_REFRESH_SERVICE_BINDING)",
    );
    if url.is_none() && binding.is_some() {
        fault(r, &s::TOKEN_REFRESH_SERVICE_BINDING, "needs TOKEN_REFRESH_SERVICE_URL");
    }
    Some(Service { url: url?, headers: Vec::new(), binding })
}

/// Reads what the service is shown.
pub fn headers(r: &mut Reader<'_>) -> Vec<(&'static str, Secret)> {
    let mut headers = Vec::new();
    let header = r.word(&s::TOKEN_REFRESH_SERVICE_KEY_HEADER);
    if let Some(key) = shown(r, &s::TOKEN_REFRESH_SERVICE_KEY) {
        headers.push(match header.as_str() {
            "Apikey" => ("apikey", key),
            "X-API-Key" => ("x-api-key", key),
            _ => bearer(&key),
        });
    }
    let id = shown(r, &s::TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID);
    let secret = shown(r, &s::TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET);
    match (id, secret) {
        (Some(id), Some(secret)) => {
            headers.extend([("cf-access-client-id", id), ("cf-access-client-secret", secret)]);
        }
        (None, None) => {}
        _ => r.faults.push(
            "TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID and TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET go together; one is \
             missing"
                .to_owned(),
        ),
    }
    headers
}

/// A secret that stands in a header.
fn shown(r: &mut Reader<'_>, setting: &Setting) -> Option<Secret> {
    let secret = r.credential(setting)?;
    if !secret.expose().bytes().all(|b| b.is_ascii_graphic()) {
        fault(r, setting, "must be visible ASCII without spaces");
    }
    Some(secret)
}

fn fault(r: &mut Reader<'_>, setting: &Setting, what: &str) {
    r.faults.push(format!("{} {what}", setting.name));
}
