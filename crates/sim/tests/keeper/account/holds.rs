//! What must hold of an account: at each call, each log line, each token that is given out, after a calm, and in peace.

use super::{AccountWorld, name, secs, stored, tokens};
use crate::line::{Crash, Line, presented};
use base::clock::Timestamp;
use base::rpc::Class;
use config::Settings as _;
use keeper::Account;
use keeper::protocol::Issued;
use keeper::upstream_index::{Counts, GetCounts};
use std::rc::Rc;
use store::{Store, TokenCopy};

impl AccountWorld {
    /// What must hold of every call.
    pub(super) fn watch_calls(&self) {
        let (world, known) = (Rc::downgrade(&self.world), self.known.clone());
        let (provider, account) = (self.provider, self.account);
        *self.line.look.borrow_mut() = Box::new(move |call| {
            let Some(world) = world.upgrade() else { return };
            let account = stored(&world, &name(provider, account));
            let task = account.task.as_ref().expect("the intent is stored before the first call");
            known.tasks.borrow_mut().insert(format!("{} {}", task.started_at.millis(), task.request_id));
            let is_final = account.trouble.as_ref().is_some_and(|t| t.retry_at.is_none());
            // The held token is held against its upstream all the same.
            let is_check = task.operation == keeper::protocol::Operation::Check;
            assert!(
                task.who == "order" || is_check || !is_final,
                "a call after a final refusal: {account:?}"
            );
            let tokens = tokens(&world, &name(provider, "o1"));
            if let Some((used, tokens)) = presented(call).zip(tokens) {
                assert!(
                    tokens.refresh.is_none_or(|r| r.expose() == used),
                    "the seed, or an old one, is used again"
                );
            }
        });
    }

    pub(super) fn read_log(&mut self, text: &str) {
        assert!(!text.contains("hidden"), "a token in {text}");
        let line: serde_json::Value = serde_json::from_str(text).unwrap();
        if line["event"] == "alert" {
            self.note_alert(line["alert"].as_str().unwrap(), &line["expires_at"].to_string());
        }
        if line["event"] == "audit" && line["calls"] != 0 {
            let outcome = line["outcome"].as_str().unwrap();
            let refused = outcome == "upstream_token_refused";
            let failed = outcome != "ok" && outcome != "approval_pending";
            // Known to be dead only now.
            let unknown = !self.line.asked_since.get() || (failed && !refused);
            self.known.revoked.set(self.known.revoked.get() && unknown);
            if refused {
                let now = self.now();
                self.disturbed(now);
            }
            if outcome != "upstream_outcome_unknown" {
                self.line.unrecorded.set(0);
                self.line.crashes(Crash::AfterWrite);
            }
        }
    }

    fn note_alert(&self, alert: &str, expires_at: &str) {
        let mut alerts = self.known.alerts.borrow_mut();
        if alert == "expiring" {
            assert!(self.known.warned.borrow_mut().insert(expires_at.to_owned()), "warned of twice");
            return;
        }
        let bad = alerts.last().is_some_and(|last| last != "recovered");
        match alert {
            "failing" => assert!(!bad, "told twice: {alerts:?}"),
            "recovered" => assert!(bad, "recovered from nothing: {alerts:?}"),
            _ => {}
        }
        alerts.push(alert.to_owned());
    }

    /// After so long without a disturbance there is a token, or the account says that it needs somebody.
    pub(super) fn check_calm(&mut self) {
        let (now, account) = (self.now(), self.stored());
        let bad = self.known.alerts.borrow().last().is_some_and(|last| last != "recovered");
        assert_eq!(bad, account.has_failed(), "{:?}", self.alerts());
        if self.line.fake.borrow().is_night(now) {
            return self.disturbed(now);
        }
        // The daily run tries it once more, which takes a moment.
        let tried = |at: Timestamp| at.plus(secs(120)) > now;
        let is_final = account.trouble.as_ref().is_some_and(|t| match t.retry_at {
            None => true,
            Some(at) => t.refused.is_some() && tried(at),
        });
        if account.live(now).is_some() || is_final {
            return;
        }
        let since = now.since(self.calm_since);
        assert!(since <= self.bound, "no token {since:?} after the last disturbance: {account:?}");
    }

    /// In peace everybody knows what the account knows.
    pub fn check_peace(&self) {
        let (account, status) = (self.stored(), self.status());
        assert!(account.pending_sync.is_none() && account.outbox.is_empty(), "{account:?}");
        let delivered = self.known.delivered.borrow().len() as u64;
        assert_eq!(delivered, account.alerts, "alerts that were delivered");
        let now = self.now();
        let (host, key) =
            (self.world.host(), keeper::AccountKey { provider: self.provider, account: self.account() });
        let (copy, counts) = self.world.run_until(async move {
            let app = host.app().unwrap();
            let copy = Store(&host).token(&app.vault, &key).await.unwrap();
            (copy, base::rpc::Peers::send(&host, &keeper::index_address(), &GetCounts { now }).await.unwrap())
        });
        let access = tokens(&self.world, &self.object()).unwrap().access;
        match copy {
            TokenCopy::Good(copy) => {
                assert_eq!((copy.token, Some(copy.expires_at)), (access, status.expires_at));
            }
            TokenCopy::None | TokenCopy::Broken => panic!("KV has no copy of the token"),
        }
        assert_eq!(counts.counts[self.provider], Counts { healthy: 1, failed: 0, available: 1 });
        for row in ["account", "tokens", "history"] {
            let text = self.world.row(Class::Upstream, &self.object(), row).unwrap_or_default();
            assert!(!text.contains("hidden"), "a token in {row}");
        }
    }
}

/// A token that the upstream refuses is given out only where nobody could know.
pub(super) fn served(line: &Line, revoked: bool, issued: &Issued, account: &Account, now: Timestamp) {
    let (fake, access) = (line.fake.borrow(), issued.token.expose());
    assert!(fake.end_of(access) > now, "served after its end: {account:?}");
    let unknown = account.task.is_some()
        || account.trouble.is_some()
        || account.held.as_ref().is_some_and(|h| !h.verified)
        // Obtained, and changed at once by a demanded refresh whose answer was lost: tried again after five seconds.
        || (line.lost.get() > 0 && account.held.as_ref().is_some_and(|h| h.provisional))
        // Replaced while the reply was on its way.
        || account.held.as_ref().is_some_and(|h| h.obtained_at != issued.obtained_at && now.since(h.obtained_at) < secs(1))
        || revoked;
    assert!(unknown || fake.accepts(access, now), "served a dead token: {account:?}");
}
