//! A message on its way to its receiver.

use crate::host::Host;
use base::call::{Answer, Call};
use base::secret::Secret;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

pub enum Posted {
    Taken,
    /// The receiver wants no more of it.
    Gone,
    /// Not yet, and when the receiver says to come again.
    Failed {
        why: String,
        retry_after: Option<Duration>,
    },
}

pub async fn post<H: Host>(
    host: &H,
    url: &str,
    headers: Vec<(&'static str, Secret)>,
    body: Secret,
) -> Posted {
    let (url, body) = (url.to_owned(), Some(body));
    let answer =
        host.call(&Call { method: "POST", url, headers, body, binding: None, timeout: TIMEOUT }).await;
    let retry_after = answer.retry_after();
    let why = match answer {
        Answer::Response { status: 200..=299, .. } => return Posted::Taken,
        Answer::Response { status: 410, .. } => return Posted::Gone,
        Answer::Response { status, .. } => format!("the receiver answered {status}"),
        Answer::TimedOut => "the receiver did not answer in time".to_owned(),
        Answer::Unreachable | Answer::TooLong => "the receiver could not be reached".to_owned(),
    };
    Posted::Failed { why, retry_after }
}
