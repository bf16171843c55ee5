//! What follows a change of an account: KV's copy, the index, alerts. All of it may be done twice; what fails is done by the
//! account's alarm.

use super::Inner;
use super::step::Loaded;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use keeper::Event;
use keeper::alert::{self, Alert};
use keeper::call::{Answer, Call};
use keeper::protocol::Issued;
use keeper::state::Published;
use keeper::upstream_index::{Row, Seen};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use store::{Store, TokenCopy};

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

/// No publication is under way any more, however it ended.
struct Over<H: Host>(Rc<Inner<H>>);

impl<H: Host> Drop for Over<H> {
    fn drop(&mut self) {
        self.0.syncing.take();
    }
}

impl<H: Host> Inner<H> {
    /// Publishes all that is outstanding, and sends alerts. Whoever comes meanwhile leaves it to the first.
    pub async fn publish(self: &Rc<Self>) {
        if self.publishing.replace(true) {
            return;
        }
        let marked = Marked(&self.publishing);
        if let Err(fault) = self.outstanding().await {
            self.host.fault("upstream follow-up", &fault, None);
        }
        drop(marked);
    }

    /// Tells KV and the index what they do not know, one publication after the other: of two at once the older could land
    /// last. One that is under way takes what has changed meanwhile along. What fails is left to the alarm.
    pub async fn sync_changes(self: &Rc<Self>) {
        let running = self.syncing.borrow().clone();
        let flight = running.unwrap_or_else(|| {
            let inner = self.clone();
            let flight = self.host.start(async move {
                let over = Over(inner.clone());
                let done = inner.outstanding_changes().await;
                drop(over);
                done.map(|()| String::new())
            });
            *self.syncing.borrow_mut() = Some(flight.clone());
            flight
        });
        if let Err(fault) = self.host.join(&flight).await {
            self.host.fault("upstream follow-up", &fault, None);
        }
    }

    /// Looks at KV's copy some time after it was written, and has it written again if it is not the token that is held: a slow
    /// write of an instance that is gone may have landed since.
    pub async fn look_at_copy(self: &Rc<Self>) -> Result<(), Fault> {
        let Some(mut loaded) = self.load()? else { return Ok(()) };
        let account = &loaded.account;
        let due =
            account.published.as_ref().and_then(Published::look_at).is_some_and(|at| at <= self.host.now());
        let busy = account.task.is_some() || account.pending_sync.is_some();
        if !due || busy || !self.open(&mut loaded)? {
            return Ok(());
        }
        let change = loaded.account.published.clone();
        let seen = Store(&self.host).copies(&loaded.app.vault, &loaded.key, Self::is_default(&loaded)).await;
        let copies = match seen {
            Ok(copies) => copies,
            Err(fault) => {
                self.host.fault("kv token", &fault, None);
                return Ok(());
            }
        };
        // While KV was asked, another call may have changed the account.
        let Some(mut now) = self.load()? else { return Ok(()) };
        if now.account.published != change || now.account.pending_sync.is_some() || !self.open(&mut now)? {
            return Ok(());
        }
        let held = now.issued(self.host.now());
        let is_right = copies.iter().all(|copy| is_of(copy, held.as_ref(), self.host.now()));
        self.step(Event::CopySeen { is_right })?;
        if !is_right {
            self.sync_changes().await;
        }
        Ok(())
    }

    fn is_default(loaded: &Loaded) -> bool {
        loaded.app.config.providers.upstox_default.as_ref() == Some(&loaded.key.account)
    }

    async fn outstanding(self: &Rc<Self>) -> Result<(), Fault> {
        self.sync_changes().await;
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
    async fn sync(&self, loaded: &Loaded) -> bool {
        let now = self.host.now();
        let (status, issued) = (loaded.status(now), loaded.issued(now));
        let default = Self::is_default(loaded);
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
        let (url, body) = (url.clone(), Some(body));
        let call = Call { method: "POST", url, headers, body, binding: None, timeout: ALERT_TIMEOUT };
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

/// Whether a copy is that of the held token. One that has run out is as good as none.
fn is_of(copy: &TokenCopy, held: Option<&Issued>, now: Timestamp) -> bool {
    match (copy, held) {
        (TokenCopy::Broken, _) => false,
        (TokenCopy::None, held) => held.is_none(),
        (TokenCopy::Good(copy), None) => copy.expires_at <= now,
        (TokenCopy::Good(copy), Some(held)) => {
            (&copy.token, copy.expires_at, &copy.identity) == (&held.token, held.expires_at, &held.identity)
        }
    }
}
