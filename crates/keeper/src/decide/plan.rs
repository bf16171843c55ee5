//! What is done by itself, and when: what is due, what the Cron Trigger and the alarm find.

use super::{Context, Verdict, alert};
use crate::alert::Kind;
use crate::call::Code;
use crate::protocol::Operation;
use crate::state::{Account, Due, Source};
use std::time::Duration;

/// A success that is this fresh is not repeated for a Cron Trigger that comes twice.
const DAILY_ONCE: Duration = Duration::from_mins(1);

/// Whether a token can only come by an approval that has been asked for.
pub(super) fn waits_for_approval(account: &Account, c: &Context<'_>) -> bool {
    c.provider.rules().by_approval && account.approval_until.is_some_and(|until| until > c.now)
}

/// Gives an account without a plan one.
pub(super) fn plan(account: &mut Account, c: &Context<'_>) {
    let waits = waits_for_approval(account, c);
    if account.due.is_some() || account.trouble.is_some() || account.task.is_some() || waits {
        return;
    }
    if !c.provider.rules().automatic {
        return;
    }
    account.due = match account.live(c.now) {
        Some(held) if !held.verified => Some(check_again(account, None, c)),
        Some(held) => c.provider.renewal(held, c.now, c.jitter),
        None => Some(Due { at: c.now, operation: Operation::Renew, source: renewal_source(account) }),
    };
}

pub(super) fn renewal_source(account: &Account) -> Source {
    if account.generation == 0 { Source::Startup } else { Source::Refresh }
}

pub(super) fn looked(account: &mut Account, daily: bool, spread: Duration, c: &Context<'_>) {
    let had_plan = account.due.is_some();
    plan(account, c);
    if account.check_at.is_none() {
        plan_check(account, c);
    }
    // Where all accounts have nothing, as after the first deploy, they do not all come at once.
    if let Some(due) = account.due.as_mut().filter(|due| !had_plan && due.at <= c.now) {
        due.at = c.now.plus(c.jitter.up_to(spread));
    }
    let rules = c.provider.rules();
    if !daily || !rules.automatic || account.task.is_some() {
        return;
    }
    if let Some(trouble) = &mut account.trouble {
        // What did not work at night may work now. Not if it was tried just now, or if the upstream named a time.
        let named = trouble.code == Code::RateLimited || trouble.not_before.is_some_and(|at| at > c.now);
        let tried = named || trouble.at.plus(DAILY_ONCE) > c.now;
        let soon = c.now.plus(c.jitter.up_to(spread));
        match trouble.retry_at {
            Some(at) if tried || at <= c.now.plus(spread) => {}
            // Nothing is to be put in the place of what cannot be opened, but by order.
            None if tried || trouble.code == Code::Unreadable => {}
            None => {
                // What was refused for good may have been mended there. If not, it is no news.
                (trouble.retry_at, trouble.refused) = (Some(soon), Some(trouble.code));
                account.changed(c.now);
            }
            Some(_) => trouble.retry_at = Some(soon),
        }
        return;
    }
    if !rules.daily {
        return;
    }
    let done_at = account.held.as_ref().map(|h| h.obtained_at).max(account.approval_asked_at);
    let fresh = done_at.is_some_and(|at| at.plus(DAILY_ONCE) > c.now);
    let set = account.due.as_ref().is_some_and(|d| d.source == Source::Cron && d.at <= c.now.plus(spread));
    if !fresh && !set {
        let at = c.now.plus(c.jitter.up_to(spread));
        account.due = Some(Due { at, operation: Operation::Refresh, source: Source::Cron });
    }
}

/// Warns of a token that runs out, if it is time.
pub(crate) fn warn(account: &mut Account, c: &Context<'_>) {
    if account.warn_at(c.warning).is_some_and(|at| at <= c.now) {
        let live = account.live(c.now).is_some();
        account.warned = account.held.as_ref().map(|h| h.expires_at);
        // Of one that has run out already there is nothing to warn, and the alarm is not to come for it again.
        if live {
            alert(account, Kind::Expiring, account.trouble.as_ref().map(|t| t.code), c.now);
        }
    }
}

pub(super) fn woke(account: &mut Account, c: &Context<'_>) -> Verdict {
    warn(account, c);
    if account.task.is_some() {
        return Verdict::Nothing;
    }
    let (at, operation) = match (&account.trouble, &account.due) {
        (Some(trouble), _) => {
            // What was ordered, while whoever ordered it may wait; then a good token, however it comes.
            let quick = trouble.failures <= c.provider.rules().backoff.retries;
            let operation = trouble.operation.filter(|_| quick).unwrap_or(Operation::Renew);
            (trouble.retry_at, operation)
        }
        (None, Some(due)) => (Some(due.at), due.operation),
        (None, None) => (None, Operation::Renew),
    };
    if at.is_some_and(|at| at <= c.now) {
        return Verdict::Run(operation);
    }
    let opened = account.trouble.as_ref().is_none_or(|t| t.code != Code::Unreadable);
    // Renewals that fail keep no token from its check, least of all one that nobody has confirmed yet.
    let first_check = account.due.as_ref().filter(|due| due.operation == Operation::Check).map(|due| due.at);
    let check_due = [account.check_at, first_check].into_iter().flatten().any(|at| at <= c.now);
    if check_due && opened && account.live(c.now).is_some() {
        return Verdict::Run(Operation::Check);
    }
    account.check_at.take_if(|at| *at <= c.now);
    account.due.take_if(|due| due.operation == Operation::Check && due.at <= c.now);
    Verdict::Nothing
}

/// A token that could not be checked when it was got is checked later: as slowly as a renewal after the quick tries.
pub(super) fn check_again(account: &Account, retry_after: Option<Duration>, c: &Context<'_>) -> Due {
    let backoff = c.provider.rules().backoff;
    let failures = u32::try_from(account.calls.len()).unwrap_or(u32::MAX).saturating_add(backoff.retries);
    let at = c.now.plus(backoff.wait(failures, retry_after, c.jitter));
    Due { at, operation: Operation::Check, source: Source::Refresh }
}

/// When the held token is held against its upstream next.
pub(super) fn plan_check(account: &mut Account, c: &Context<'_>) {
    let (rules, every) = (c.provider.rules(), c.provider.rules().check_every);
    let checks = rules.checks && !every.is_zero() && account.live(c.now).is_some_and(|held| held.verified);
    account.check_at = checks.then(|| c.now.plus(every + c.jitter.up_to(every * 2 / 3)));
}
