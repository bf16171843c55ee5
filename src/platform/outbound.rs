//! Calls to upstreams: bounded in time and size, and never redirected.

use super::binding::Binding;
use super::{Workers, now};
use base::call::{self, ANSWER_BYTES_MAX, Answer, Call};
use base::clock::millis;
use base::page::{self, Fetch, PAGE_BYTES_MAX, Page};
use base::ports::Net;
use base::secret::Secret;
use base::socket::{Connect, Opened};
use futures_util::StreamExt as _;
use std::time::Duration;
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::JsValue;
use worker::worker_sys::web_sys;
use worker::{AbortSignal, Fetch as Fetcher, Headers, Request, Response};

impl Net for Workers {
    async fn call(&self, call: &Call) -> Answer {
        let Call { method, url, headers, body, binding, timeout } = call;
        let through = match binding {
            None => None,
            Some(name) => {
                let Some(binding) = self.binding(name) else { return Answer::Unreachable };
                Some(binding)
            }
        };
        let body = body.as_ref().map(|body| JsValue::from_str(body.expose()));
        let request = Outgoing { method, url, headers, body, through, bytes_max: ANSWER_BYTES_MAX };
        match send(&request, *timeout).await {
            Sent::Whole(Whole { response, body }) => {
                let (status, retry_after) = (response.status_code(), retry_after(&response));
                let body = Secret::new(String::from_utf8_lossy(&body));
                Answer::Response { status, retry_after, body }
            }
            Sent::TooLong => Answer::TooLong,
            Sent::TimedOut => Answer::TimedOut,
            Sent::Broken => Answer::Unreachable,
        }
    }

    async fn fetch(&self, fetch: &Fetch) -> page::Answer {
        let Fetch { method, url, headers, timeout, .. } = fetch;
        let body = fetch.bytes().map(|bytes| Uint8Array::from(bytes.as_slice()).into());
        let request = Outgoing { method, url, headers, body, through: None, bytes_max: PAGE_BYTES_MAX };
        match send(&request, *timeout).await {
            Sent::Whole(Whole { response, body }) => {
                let cookies = response.headers().get_all("set-cookie").unwrap_or_default();
                page::Answer::Page(Page {
                    location: header(&response, "location"),
                    cookies: cookies.into_iter().map(Secret::new).collect(),
                    retry_after: retry_after(&response),
                    refresh: header(&response, "refresh"),
                    ..Page::new(response.status_code(), header(&response, "content-type"), &body)
                })
            }
            Sent::TooLong => page::Answer::TooLong,
            Sent::TimedOut => page::Answer::TimedOut,
            Sent::Broken => page::Answer::Unreachable,
        }
    }

    async fn connect(&self, to: &Connect) -> Opened {
        self.open(to).await
    }
}

struct Outgoing<'a> {
    method: &'a str,
    url: &'a str,
    headers: &'a [(&'static str, Secret)],
    body: Option<JsValue>,
    /// Instead of to the address itself.
    through: Option<Binding>,
    /// Of the answer's body.
    bytes_max: usize,
}

struct Whole {
    response: Response,
    body: Vec<u8>,
}

enum Sent {
    Whole(Whole),
    TooLong,
    TimedOut,
    Broken,
}

async fn send(request: &Outgoing<'_>, timeout: Duration) -> Sent {
    let limit = u32::try_from(millis(timeout)).unwrap_or(u32::MAX);
    let signal: AbortSignal = web_sys::AbortSignal::timeout_with_u32(limit).into();
    match exchange(request, &signal).await {
        Ok(Some(whole)) => Sent::Whole(whole),
        Ok(None) => Sent::TooLong,
        Err(_) if signal.aborted() => Sent::TimedOut,
        Err(_) => Sent::Broken,
    }
}

/// Nothing, if the answer is too long.
async fn exchange(outgoing: &Outgoing<'_>, signal: &AbortSignal) -> worker::Result<Option<Whole>> {
    let headers = Headers::new();
    for (name, value) in outgoing.headers {
        headers.set(name, value.expose())?;
    }
    // Not by `worker`'s own init, which brings the options of image resizing and their serializers.
    let init = web_sys::RequestInit::new();
    init.set_method(outgoing.method);
    init.set_headers(headers.0.as_ref());
    init.set_redirect(web_sys::RequestRedirect::Manual);
    if let Some(body) = &outgoing.body {
        init.set_body(body);
    }
    let request = Request::from(web_sys::Request::new_with_str_and_init(outgoing.url, &init)?);
    let mut response = match &outgoing.through {
        None => Fetcher::Request(request).send_with_signal(signal).await?,
        Some(through) => through.send(&request, signal).await?,
    };
    let mut bytes = Vec::new();
    // An answer without a body has no stream.
    if let Ok(mut stream) = response.stream() {
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > outgoing.bytes_max {
                return Ok(None);
            }
        }
    }
    Ok(Some(Whole { response, body: bytes }))
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

fn retry_after(response: &Response) -> Option<Duration> {
    call::retry_after(&header(response, "retry-after")?, now())
}
