//! What follows a change of an account: KV's copy, the index, alerts. All of it may be done twice; what fails is done by the
//! account's alarm.

use super::Inner;
use super::step::Loaded;
use crate::alerts::{self, Delivered};
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::rpc::Unreachable;
use futures_util::future::{Either, join, select};
use keeper::Event;
use keeper::alert::{Alert, Batch};
use keeper::protocol::Issued;
use keeper::state::Published;
use keeper::upstream_index::{Raise, Row, Seen};
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use store::{Store, TokenCopy};

/// What changes while it is published is published again, but not for ever.
const ROUNDS_MAX: usize = 5;
/// So long the index is waited for. It is one object for all accounts, and KV's copy of the next token is not to wait for it, nor is
/// whoever has ordered one.
const INDEX_PATIENCE: Duration = Duration::from_secs(5);

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
            self.host.fault(FaultKind::UpstreamFollowUp, &fault, None);
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
            self.host.fault(FaultKind::UpstreamFollowUp, &fault, None);
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
                self.host.fault(FaultKind::KvToken, &fault, None);
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
        let Some(loaded) = self.load()? else { return Ok(()) };
        // What KV has just refused is not tried again in the same moment: it takes one write of a key a second.
        let pending = loaded.account.pending_sync.as_ref();
        let is_due = pending.is_some_and(|pending| pending.is_due(self.host.now()));
        if is_due || self.syncing.borrow().is_some() {
            self.sync_changes().await;
        }
        let Some(loaded) = self.load()? else { return Ok(()) };
        let now = self.host.now();
        for alert in loaded.account.outbox.iter().filter(|a| a.attempts == 0 || a.try_at <= now) {
            let (delivered, retry_after) = match self.deliver(&loaded, alert).await {
                Delivered::Yes => (true, None),
                Delivered::No { retry_after } => (false, retry_after),
            };
            self.step(Event::Alerted { number: alert.number, delivered, retry_after })?;
        }
        Ok(())
    }

    async fn outstanding_changes(&self) -> Result<(), Fault> {
        for _ in 0..ROUNDS_MAX {
            let Some((_, loaded)) = self.step(Event::SyncStarted)? else { return Ok(()) };
            let Some(pending) = &loaded.account.pending_sync else { break };
            let change = pending.change;
            let (is_copied, is_seen) = self.sync(&loaded).await;
            if is_copied && is_seen {
                self.step(Event::Synced { change })?;
            } else if !is_copied || !self.has_changed_since(change)? {
                break;
            }
        }
        Ok(())
    }

    fn has_changed_since(&self, change: u64) -> Result<bool, Fault> {
        let pending = self.load()?.and_then(|loaded| loaded.account.pending_sync);
        Ok(pending.is_some_and(|pending| pending.change > change))
    }

    /// Writes KV's copy and reports to the index. Says whether either knows.
    async fn sync(&self, loaded: &Loaded) -> (bool, bool) {
        let now = self.host.now();
        let (status, issued) = (loaded.status(now), loaded.issued(now));
        let default = Self::is_default(loaded);
        let store = Store(&self.host);
        let copy = store.put_token(&loaded.app.vault, &loaded.key, default, issued.as_ref(), &status);
        let rows = vec![Row::new(loaded.key.to_string(), &status)];
        let idle = loaded.account.task.is_none();
        let (index, seen) = (keeper::index_address(), Seen { rows, idle });
        let told = async {
            let (sent, patience) = (self.host.send(&index, &seen), self.host.sleep(INDEX_PATIENCE));
            match select(pin!(sent), pin!(patience)).await {
                Either::Left((told, _)) => told.map(drop),
                Either::Right(_) => Err(Unreachable),
            }
        };
        let (copy, seen) = join(copy, told).await;
        if let Err(fault) = &copy {
            self.host.fault(FaultKind::KvToken, fault, None);
        }
        if let Err(unreachable) = &seen {
            self.host.fault(FaultKind::Roster, unreachable, None);
        }
        (copy.is_ok(), seen.is_ok())
    }

    /// Sends an alert, or has it sent with others. Without an address for them the log has to do.
    async fn deliver(&self, loaded: &Loaded, alert: &Alert) -> Delivered {
        let settings = &loaded.app.config.alerts;
        if settings.url.is_none() || !settings.types.has(alert.kind.into()) {
            return Delivered::Yes;
        }
        let detail = loaded.provider.settings_fault().map(str::to_owned);
        let (key, now) = (&loaded.key, self.host.now());
        if settings.collect.is_zero() {
            return alerts::send(
                &self.host,
                &Batch::of_one(key.provider, key.account.clone(), alert, detail),
            )
            .await;
        }
        let (provider, account) = (key.provider.to_owned(), key.account.clone());
        let raise = Raise { provider, account, alert: alert.clone(), detail, now };
        // Whoever collects them sees to it that they arrive.
        match self.host.send(&keeper::index_address(), &raise).await {
            Ok(_) => Delivered::Yes,
            Err(_) => Delivered::No { retry_after: None },
        }
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
