//! One call within a visit: never longer than what is left of it, and noted in its trace.

use super::code::{Code, Failure};
use super::driver::Visit;
use super::net::{Answer, Fetch};
use base::clock::millis;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// More calls are not noted.
const TRACE_MAX: usize = 300;

impl Visit<'_> {
    /// What is left of it, of `most` at most.
    pub(super) fn left(&self, most: Duration) -> Result<Duration, Failure> {
        let left = self.deadline.since(self.net.now()).min(most);
        if left.is_zero() { Err(Failure::new(Code::OutOfTime)) } else { Ok(left) }
    }

    /// Whether the portal has answered anything so far.
    pub(super) fn has_been_answered(&self) -> bool {
        self.trace.iter().any(|call| call.get("status").is_some_and(Value::is_number))
    }

    /// Notes that a browser has gone to a page.
    pub(super) fn navigated(&mut self, url: &Url, status: Option<u16>, ms: u64, failed: Option<Code>) {
        let status = match (failed, status) {
            (Some(code), _) => json!(code.as_str()),
            (None, status) => json!(status),
        };
        self.note(json!({ "method": "GET", "path": url.path(), "status": status, "ms": ms }));
    }

    /// Notes how many rows of a list there are by now.
    pub(super) fn scrolled(&mut self, rows: usize) {
        self.note(json!({ "rows": rows }));
    }

    fn note(&mut self, call: Value) {
        if self.trace.len() < TRACE_MAX {
            self.trace.push(call);
        }
    }

    /// Makes a call. Its path is noted, and nothing else of its address: queries have keys and codes in them.
    pub(super) async fn call(&mut self, url: &Url, fetch: &Fetch) -> Answer {
        let began = self.net.now();
        let answer = self.net.fetch(fetch).await;
        let status = match &answer {
            Answer::Page(page) => json!(page.status),
            Answer::TooLong => json!("too_long"),
            Answer::TimedOut => json!("timed_out"),
            Answer::Unreachable => json!("unreachable"),
        };
        let ms = millis(self.net.now().since(began));
        self.note(json!({ "method": fetch.method, "path": url.path(), "status": status, "ms": ms }));
        answer
    }
}
