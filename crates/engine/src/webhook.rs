//! A message on its way to its receiver.

use crate::host::Host;
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::outbox::Attempt;
use base::secret::Secret;
use base::webhook;
use config::Events;
use std::time::Duration;

/// An alarm sends for so long. What is left has the next one, which comes at once; what else is due may be in between.
pub const SENDING: Duration = Duration::from_secs(10);

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

/// Where an event goes by webhook, with its headers. Nothing, if nobody is asked for any more.
pub fn signed<'a>(
    events: &'a Events,
    id: &str,
    body: &str,
    now: Timestamp,
) -> Option<(&'a str, Vec<(&'static str, Secret)>)> {
    let keys: Vec<&[u8]> = events.keys.iter().map(webhook::Key::bytes).collect();
    events.url.as_deref().zip(webhook::headers(id, body, &keys, now))
}

/// An event of an outbox.
pub struct Message<'a> {
    pub id: &'a str,
    /// When it happened.
    pub at: Timestamp,
    /// How often it has failed.
    pub attempts: u32,
}

impl Message<'_> {
    /// Sends it once. Says what has become of it, and what has gone wrong is in the log.
    pub async fn deliver<H: Host>(
        &self,
        host: &H,
        url: &str,
        headers: Vec<(&'static str, Secret)>,
        body: Secret,
    ) -> Result<Attempt, Fault> {
        let (id, attempts, now) = (self.id, self.attempts.saturating_add(1), host.now());
        let (why, retry_after) = match post(host, url, headers, body).await {
            Posted::Taken => return Ok(Attempt::Done),
            Posted::Gone => {
                let dropped = format!("{id}: the receiver answered 410, and the event is dropped");
                host.fault(FaultKind::Event, &dropped, None);
                return Ok(Attempt::Done);
            }
            Posted::Failed { why, retry_after } => (why, retry_after),
        };
        if webhook::is_given_up(now.since(self.at), attempts) {
            host.fault(FaultKind::Event, &format!("{id}: {why}; the event is given up"), None);
            return Ok(Attempt::Done);
        }
        host.fault(FaultKind::Event, &format!("{id}: {why}"), None);
        Ok(Attempt::FailedUntil(host.now().plus(webhook::again(attempts, retry_after, host.jitter()?))))
    }
}
