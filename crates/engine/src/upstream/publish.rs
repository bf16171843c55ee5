//! What follows a change of an account: KV's copy, the index, alerts. All of it may be done twice; what fails is done by the
//! account's alarm.

use super::Inner;
use super::step::Loaded;
use crate::host::Host;
use base::fault::Fault;
use keeper::Event;
use keeper::alert::{self, Alert};
use keeper::call::{Answer, Call};
use keeper::upstream_index::{Row, Seen};
use std::cell::Cell;
use std::time::Duration;
use store::Store;

const ALERT_TIMEOUT: Duration = Duration::from_secs(10);
/// What changes while it is published is published again, but not for ever.
const ROUNDS_MAX: usize = 5;

/// Takes a mark back, however what it marks ends.
struct Marked<'a>(&'a Cell<bool>);

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<H: Host> Inner<H> {
    /// Publishes all that is outstanding. One at a time: whoever comes meanwhile leaves it to the first.
    pub async fn publish(&self) {
        if self.publishing.replace(true) {
            return;
        }
        let marked = Marked(&self.publishing);
        if let Err(fault) = self.outstanding().await {
            self.host.fault("upstream follow-up", &fault, None);
        }
        drop(marked);
    }

    /// Tells KV and the index what they do not know. What fails is left to the alarm.
    pub async fn sync_changes(&self) {
        if let Err(fault) = self.outstanding_changes().await {
            self.host.fault("upstream follow-up", &fault, None);
        }
    }

    async fn outstanding(&self) -> Result<(), Fault> {
        self.outstanding_changes().await?;
        let Some(loaded) = self.load()? else { return Ok(()) };
        let now = self.host.now();
        for alert in loaded.account.outbox.iter().filter(|a| a.attempts == 0 || a.try_at <= now) {
            let delivered = self.deliver(&loaded, alert).await;
            self.step(Event::Alerted { number: alert.number, delivered })?;
        }
        Ok(())
    }

    async fn outstanding_changes(&self) -> Result<(), Fault> {
        for _ in 0..ROUNDS_MAX {
            let Some((_, loaded)) = self.step(Event::SyncStarted)? else { return Ok(()) };
            let Some(pending) = &loaded.account.pending_sync else { break };
            let change = pending.change;
            if !self.sync(&loaded).await {
                break;
            }
            self.step(Event::Synced { change })?;
        }
        Ok(())
    }

    /// Writes KV's copy and reports to the index. Says whether both know.
    pub async fn sync(&self, loaded: &Loaded) -> bool {
        let now = self.host.now();
        let (status, issued) = (loaded.status(now), loaded.issued(now));
        let default = loaded.app.config.providers.upstox_default.as_ref() == Some(&loaded.key.account);
        let store = Store(&self.host);
        let copy = store.put_token(&loaded.app.vault, &loaded.key, default, issued.as_ref(), &status);
        let rows = vec![Row::new(loaded.key.to_string(), &status)];
        let (index, seen) = (keeper::index_address(), Seen { rows });
        let (copy, seen) = futures_util::future::join(copy, self.host.send(&index, &seen)).await;
        if let Err(fault) = &copy {
            self.host.fault("kv token", fault, None);
        }
        if let Err(unreachable) = &seen {
            self.host.fault("roster", unreachable, None);
        }
        copy.is_ok() && seen.is_ok()
    }

    /// Sends an alert. Without an address for them the log has to do.
    async fn deliver(&self, loaded: &Loaded, alert: &Alert) -> bool {
        let settings = &loaded.app.config.alerts;
        let (Some(url), Some(secret)) = (&settings.url, &settings.secret) else { return true };
        let Some((headers, body)) = alert::message(&loaded.key, alert, secret, self.host.now()) else {
            return true;
        };
        let call =
            Call { method: "POST", url: url.clone(), headers, body: Some(body), timeout: ALERT_TIMEOUT };
        let undelivered = match self.host.call(&call).await {
            Answer::Response { status: 200..=299, .. } => return true,
            Answer::Response { status, .. } => format!("the receiver answered {status}"),
            Answer::TimedOut => "the receiver did not answer in time".to_owned(),
            Answer::Unreachable | Answer::TooLong => "the receiver could not be reached".to_owned(),
        };
        self.host.fault("alert", &undelivered, None);
        false
    }
}
