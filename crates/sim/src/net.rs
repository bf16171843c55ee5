//! Whom the deployment calls: upstreams and portals, by their host names.

use base::call::{Answer, Call};
use base::page::{self, Fetch};
use base::secret::Secret;
use base::socket::{Connect, Opened};
use std::future::Future;
use std::pin::Pin;

pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Somebody who is called. An answer may take its time: `World::host()` gives a timer.
pub trait Upstream {
    fn call<'a>(&'a self, _call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async { Answer::Unreachable })
    }

    fn fetch<'a>(&'a self, _fetch: &'a Fetch) -> Answering<'a, page::Answer> {
        Box::pin(async { page::Answer::Unreachable })
    }

    fn connect<'a>(&'a self, _to: &'a Connect) -> Answering<'a, Opened> {
        Box::pin(async { Opened::Unreachable })
    }
}

/// An upstream that answers at once, from a function.
pub struct Answers<F>(pub F);

impl<F: Fn(&Call) -> Answer> Upstream for Answers<F> {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        let answer = (self.0)(call);
        Box::pin(async { answer })
    }
}

/// The host name in a URL, without the port.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or(host)
}

/// A JSON answer.
pub fn json(status: u16, body: &serde_json::Value) -> Answer {
    text(status, &body.to_string())
}

pub fn text(status: u16, body: &str) -> Answer {
    Answer::Response { status, retry_after: None, body: Secret::new(body) }
}
