//! Calls to upstreams: bounded in time and size, and never redirected.

use crate::clock::{Timestamp, millis};
use crate::keeper::call::{ANSWER_BYTES_MAX, Answer, Call};
use crate::secret::Secret;
use chrono::DateTime;
use futures_util::StreamExt as _;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::worker_sys::web_sys;
use worker::{AbortSignal, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response};

/// Makes one call. What goes wrong is an answer, too.
pub async fn call(call: &Call, now: Timestamp) -> Answer {
    let limit = u32::try_from(millis(call.timeout)).unwrap_or(u32::MAX);
    let signal: AbortSignal = web_sys::AbortSignal::timeout_with_u32(limit).into();
    match send(call, &signal, now).await {
        Ok(answer) => answer,
        Err(_) if signal.aborted() => Answer::TimedOut,
        Err(_) => Answer::Unreachable,
    }
}

async fn send(call: &Call, signal: &AbortSignal, now: Timestamp) -> worker::Result<Answer> {
    let headers = Headers::new();
    for (name, value) in &call.headers {
        headers.set(name, value.expose())?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(call.method.to_owned()))
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual);
    if let Some(body) = &call.body {
        init.with_body(Some(JsValue::from_str(body.expose())));
    }
    let request = Request::new_with_init(&call.url, &init)?;
    let mut response = Fetch::Request(request).send_with_signal(signal).await?;
    let status = response.status_code();
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let retry_after = header("retry-after").and_then(|v| retry_after(&v, now));
    Ok(match body(&mut response).await? {
        Some(body) => Answer::Response { status, retry_after, body },
        None => Answer::TooLong,
    })
}

/// The body; nothing if it is too long.
async fn body(response: &mut Response) -> worker::Result<Option<Secret>> {
    let mut bytes = Vec::new();
    // An answer without a body has no stream.
    if let Ok(mut stream) = response.stream() {
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Ok(None);
            }
        }
    }
    Ok(Some(Secret::new(String::from_utf8_lossy(&bytes))))
}

/// RFC 9110 §10.2.3: seconds, or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?.timestamp_millis();
    Some(Timestamp::from_millis(u64::try_from(at).ok()?).since(now))
}
