//! What is kept of an account. It is stored as JSON without secrets; the [`Tokens`] lie beside it, sealed.

use super::alert::Alert;
use super::call::Code;
use super::protocol::Operation;
use base::clock::Timestamp;
use base::ports::hex;
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The secrets of an account. Sealed where it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    #[serde(with = "secret::wire")]
    pub access: Secret,
    /// RFC 6749 §6, where the upstream has rotated it; else the configured one is used.
    #[serde(default, with = "secret::wire_option")]
    pub refresh: Option<Secret>,
    /// What the refresh token descends from, by [`Provider::lineage`](super::Provider::lineage).
    #[serde(default, with = "secret::wire_option")]
    pub lineage: Option<Secret>,
    /// A token that lives longer than the day, beside the one of the day.
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub extended: Option<Secret>,
}

/// What is known of a token that lives longer than the day: it reads, and does not trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extended {
    pub obtained_at: Timestamp,
    pub expires_at: Timestamp,
    pub source: Source,
}

base::words! {
    /// How a token came to be.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Source {
        /// The first one of a deployment.
        Startup = "startup",
        /// The daily Cron Trigger.
        Cron = "cron",
        /// A renewal, on time or on demand.
        Refresh = "refresh",
        /// Got from scratch on demand.
        Obtain = "obtain",
        /// Given by a caller.
        Manual = "manual",
        /// An authorization code.
        Exchange = "exchange",
        /// The provider's webhook.
        Notifier = "notifier",
    }
}

/// What is known of the held token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub obtained_at: Timestamp,
    pub expires_at: Timestamp,
    /// The lifetime as the upstream gave it, in seconds, if it did.
    #[serde(default)]
    pub expires_in: Option<u64>,
    pub source: Source,
    #[serde(default)]
    pub provisional: bool,
    #[serde(default)]
    pub verified: bool,
    /// Its life is a guess, because nobody has said how long it is.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guessed: bool,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub updated_by: Option<String>,
    /// Counts the tokens of the account, so that what was done for an older one is told apart.
    pub generation: u64,
}

impl Held {
    pub fn left(&self, now: Timestamp) -> Duration {
        self.expires_at.since(now)
    }

    pub fn lifetime(&self) -> Duration {
        self.expires_at.since(self.obtained_at)
    }
}

/// The intent of a task, written before its first call: whoever wakes up and finds one knows that calls were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInFlight {
    pub operation: Operation,
    pub started_at: Timestamp,
    /// By when it has ended, one way or the other.
    pub deadline: Timestamp,
    pub who: String,
    pub request_id: String,
    /// Somebody ordered it, and the calls that fail are theirs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ordered: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
pub(crate) const fn is_false(value: &bool) -> bool {
    !*value
}

/// Renewal does not work at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryState {
    pub code: Code,
    #[serde(default)]
    pub status: Option<u16>,
    pub since: Timestamp,
    /// The last failure.
    pub at: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// When to try again; never by itself if this is missing.
    pub retry_at: Option<Timestamp>,
    /// Whether it has been told of: from then on the account counts as failed.
    pub told: bool,
    /// A final refusal that was told of, and that is tried again because a day has gone by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Code>,
    /// What the quick tries do: what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The time that the upstream has named, before which it is not called again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// The last time the held token was held against its upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub at: Timestamp,
    /// `None`: accepted.
    pub code: Option<Code>,
}

/// What time alone will bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub at: Timestamp,
    pub operation: Operation,
    pub source: Source,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    pub held: Option<Held>,
    #[serde(rename = "flight")]
    pub task: Option<TaskInFlight>,
    pub trouble: Option<RetryState>,
    pub due: Option<Due>,
    pub check: Option<Check>,
    /// The upstream's user that the account is: the first that a token was of, or the one that was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A token that lives longer than the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended: Option<Extended>,
    /// When the held token is held against its upstream again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_at: Option<Timestamp>,
    /// When a caller last said that the held token was refused, and something was done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// The time that the upstream has named in answer to something other than a renewal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Timestamp>,
    /// The calls of the account's own tries that failed in the last hour, until one succeeds.
    pub calls: Vec<Timestamp>,
    /// The same of those that were ordered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_calls: Vec<Timestamp>,
    /// The same of checks that were ordered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub check_calls: Vec<Timestamp>,
    /// Tokens so far.
    pub generation: u64,
    /// How long a token lives, in seconds, where nobody says so and one was refused at that age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taught_seconds: Option<u64>,
    /// A keyed hash of the provider's settings: when it changes, a final refusal is no longer final.
    pub settings: String,
    /// The same of the identity that the token is of; empty with an account of a release that did not keep it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// When KV was told of the last change, and how often its copy was looked at since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// What others still have to be told: since when, and when to try again.
    #[serde(rename = "untold")]
    pub pending_sync: Option<PendingSync>,
    pub outbox: Vec<Alert>,
    /// Alerts so far.
    pub alerts: u64,
    /// The expiry that was warned of.
    pub warned: Option<Timestamp>,
    /// When an approval was asked for last.
    pub approval_asked_at: Option<Timestamp>,
    /// Until when it is waited for.
    pub approval_until: Option<Timestamp>,
}

/// KV and the index have been told. A slow write of an instance that is gone may land after it, so the copy is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub at: Timestamp,
    pub looks: u32,
}

impl Published {
    /// When KV's copy is to be looked at: when every location has seen the write, and some time later once more.
    pub fn look_at(&self) -> Option<Timestamp> {
        let looks = usize::try_from(self.looks).ok()?;
        COPY_LOOKS.get(looks).map(|after| self.at.plus(*after))
    }
}

/// How long after a publication KV's copy is looked at.
const COPY_LOOKS: [Duration; 2] = [Duration::from_mins(2), Duration::from_mins(10)];

/// KV and the index do not know the newest yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSync {
    /// Counts changes, so that a change in the middle of telling is not lost.
    pub change: u64,
    pub try_at: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
}

impl PendingSync {
    /// Whether it is to be tried now: at once, and then when its time has come.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.attempts == 0 || self.try_at <= now
    }

    /// It is being tried; should that come to nothing, it is tried again later.
    pub fn tried(&mut self, now: Timestamp) {
        self.try_at = now.plus(if self.attempts == 0 { SYNC_RETRY_FIRST } else { SYNC_RETRY });
        self.attempts += 1;
    }
}

base::words! {
    /// How an account is, in one word, for status and counts.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Health {
        /// A token that is valid by all that is known.
        Valid = "valid",
        /// A token that is valid, and renewals that fail.
        Failing = "failing",
        /// No token has been got yet.
        Missing = "missing",
        /// The token has run out and a new one is due later.
        Expired = "expired",
        /// No token, and renewals fail; they go on.
        Failed = "failed",
        /// A refusal that only a change can mend.
        NeedsAttention = "needs_attention",
        /// No token, and approval was asked for.
        AwaitingApproval = "awaiting_approval",
    }
}

impl Tokens {
    /// Whether the SHA-256 of the access token begins with this, in small hexadecimal letters.
    pub fn is_access(&self, prefix: &str) -> bool {
        hex(&Sha256::digest(self.access.expose().as_bytes())).starts_with(prefix)
    }
}

impl Account {
    pub fn live(&self, now: Timestamp) -> Option<&Held> {
        self.held.as_ref().filter(|h| h.expires_at > now)
    }

    pub fn health(&self, now: Timestamp) -> Health {
        let live = self.live(now).is_some();
        match &self.trouble {
            Some(t) if t.retry_at.is_none() => Health::NeedsAttention,
            Some(t) if t.told => {
                if live {
                    Health::Failing
                } else {
                    Health::Failed
                }
            }
            _ if live => Health::Valid,
            _ if self.approval_until.is_some_and(|until| until > now) => Health::AwaitingApproval,
            _ if self.held.is_some() => Health::Expired,
            _ => Health::Missing,
        }
    }

    /// The upstream has done what it was asked: what failed before counts no more.
    pub fn succeeded(&mut self) {
        for calls in [&mut self.calls, &mut self.order_calls, &mut self.check_calls] {
            calls.clear();
        }
    }

    /// The quick try, of so many, that somebody who waits until then is still given. Where a short token has come since the last
    /// failure, the upstream is there again, and the try that changes it is as good.
    pub fn retry_within(&self, until: Timestamp, quick: u32) -> Option<Timestamp> {
        let trouble = self.trouble.as_ref()?;
        let is_back =
            self.held.as_ref().is_some_and(|held| held.provisional && held.obtained_at > trouble.at);
        trouble.retry_at.filter(|at| *at <= until && (trouble.failures <= quick || is_back))
    }

    /// Whether the account is well, with a token that it has got since then.
    pub fn renewed_since(&self, begun: Timestamp) -> bool {
        self.trouble.is_none() && self.held.as_ref().is_some_and(|held| held.obtained_at >= begun)
    }

    /// Whether a token is held whose user nobody knows, and none was known before.
    pub fn owner_is_unsure(&self, now: Timestamp) -> bool {
        self.owner.is_none() && self.live(now).is_some_and(|held| !held.verified)
    }

    /// Whether it counts as failed.
    pub fn has_failed(&self) -> bool {
        self.trouble.as_ref().is_some_and(|t| t.told)
    }

    /// Notes that KV and the index are behind.
    pub fn changed(&mut self, now: Timestamp) {
        let change = self.pending_sync.as_ref().map_or(0, |u| u.change) + 1;
        self.pending_sync = Some(PendingSync { change, try_at: now.plus(SYNC_RETRY), attempts: 0 });
    }

    /// When something is to be done without being asked.
    pub fn next_alarm(&self, warning: Duration) -> Option<Timestamp> {
        let task = self.task.as_ref().map(|f| f.deadline);
        let work = match &self.trouble {
            Some(trouble) => trouble.retry_at,
            None => self.due.as_ref().map(|d| d.at),
        };
        // While a task is under way nothing else is begun.
        let first_check = self.due.as_ref().filter(|due| due.operation == Operation::Check).map(|due| due.at);
        let check = [self.check_at, first_check].into_iter().flatten().min();
        let check = check.filter(|at| self.held.as_ref().is_some_and(|held| held.expires_at > *at));
        let work = if task.is_some() { None } else { [work, check].into_iter().flatten().min() };
        let warn = self.warn_at(warning);
        let pending_sync = self.pending_sync.as_ref().map(|u| u.try_at);
        let outbox = self.outbox.iter().map(|a| a.try_at).min();
        [task, work, warn, pending_sync, outbox].into_iter().flatten().min()
    }

    /// When to warn that the token runs out and no renewal is in sight.
    pub fn warn_at(&self, warning: Duration) -> Option<Timestamp> {
        // Of a short token there is no warning: it is one from the beginning, and the trouble with it is told of.
        let held = self.held.as_ref().filter(|h| !h.provisional)?;
        // A renewal that is failing quietly is still being tried, quickly.
        let in_sight = match &self.trouble {
            None => self.due.is_some(),
            Some(trouble) => !trouble.told,
        };
        let warned = self.warned == Some(held.expires_at);
        (!in_sight && !warned).then(|| held.expires_at.minus(warning.min(held.lifetime() / 2)))
    }
}

/// When KV or the index could not be told, it is tried again after this.
pub const SYNC_RETRY: Duration = Duration::from_secs(30);
/// After the first try sooner: KV takes one write of a key a second, so the second of two quick changes is refused.
pub const SYNC_RETRY_FIRST: Duration = Duration::from_secs(2);
