//! What others are told: alerts, copies, what the account is like.

use crate::alert::{self, Alert, Kind};
use crate::backoff::RETRY_AFTER_MAX;
use crate::call::Code;
use crate::protocol::{Fault, Status};
use crate::state::{Account, Health};
use base::clock::Timestamp;
use std::time::Duration;

pub(crate) fn alert(account: &mut Account, kind: Kind, code: Option<Code>, now: Timestamp) {
    account.alerts += 1;
    let expires_at = account.held.as_ref().map(|h| h.expires_at);
    let number = account.alerts;
    // It is sent at once; the alarm sends it if that is lost.
    let try_at = now.plus(alert::again(1));
    account.outbox.push(Alert { number, kind, at: now, code, expires_at, attempts: 0, try_at });
    let surplus = account.outbox.len().saturating_sub(alert::OUTBOX_MAX);
    account.outbox.drain(..surplus);
}

pub(super) fn alerted(
    account: &mut Account,
    number: u64,
    delivered: bool,
    retry_after: Option<Duration>,
    now: Timestamp,
) {
    if let Some(alert) = account.outbox.iter_mut().find(|a| a.number == number) {
        alert.attempts += 1;
        let named = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        alert.try_at = now.plus(alert::again(alert.attempts).max(named));
    }
    account.outbox.retain(|a| a.attempts < alert::ATTEMPTS_MAX && (a.number != number || !delivered));
}

/// KV may give an old copy for a minute and more after a write.
const COPY_STALE: Duration = Duration::from_mins(2);

/// A caller wants to use a token, not only to have it.
const COPY_MARGIN: Duration = Duration::from_secs(30);

/// Until when a copy of the held token in KV may be given out: until so long before it is renewed, which may end it
/// upstream, that no location gives an old copy any more; and not while renewals fail, because they come at any time.
pub fn copy_until(account: &Account) -> Timestamp {
    match (&account.held, &account.trouble, &account.task) {
        (Some(held), None, None) => {
            let end = held.expires_at.minus(COPY_MARGIN);
            account.due.as_ref().map_or(end, |due| end.min(due.at.minus(COPY_STALE)))
        }
        _ => Timestamp::default(),
    }
}

/// What the account is like.
pub fn status(account: &Account, kid: Option<&str>, now: Timestamp) -> Status {
    let health = account.health(now);
    let renewal = match &account.trouble {
        Some(trouble) => trouble.retry_at,
        None => account.due.as_ref().map(|d| d.at),
    };
    Status {
        health,
        failed: matches!(health, Health::Failed | Health::Failing | Health::NeedsAttention),
        obtained_at: account.held.as_ref().map(|h| h.obtained_at),
        expires_at: account.held.as_ref().map(|h| h.expires_at),
        expires_in: account.held.as_ref().and_then(|h| h.expires_in),
        source: account.held.as_ref().map(|h| h.source),
        check: account.check.clone(),
        user_id: account.held.as_ref().and_then(|h| h.user_id.clone()),
        error: account.trouble.as_ref().map(|t| Fault {
            code: t.code,
            status: t.status,
            at: t.at,
            failures: t.failures,
            since: Some(t.since),
            message: None,
        }),
        next_renewal_at: renewal,
        approval_until: account.approval_until.filter(|until| *until > now),
        extended_until: account.extended.as_ref().map(|e| e.expires_at).filter(|at| *at > now),
        kid: kid.map(str::to_owned),
    }
}
