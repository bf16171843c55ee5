//! What did not work: what it costs, and when it is tried again.

use super::{Context, Decision, Verdict, alert, check_again, entry, plan};
use crate::alert::Kind;
use crate::backoff::{CALLS_PER_HOUR, RETRY_AFTER_MAX};
use crate::call::{Code, Failure};
use crate::protocol::Operation;
use crate::state::{Account, Check, RetryState};
use base::clock::Timestamp;
use std::time::Duration;

/// What a refused token can teach at least.
const TAUGHT_LEAST: Duration = Duration::from_mins(1);

/// Whether the hour has room for a quick try of the account's own. If not, it is a slow one.
pub(super) fn has_room(account: &Account, c: &Context<'_>) -> bool {
    account.calls.len() + c.provider.rules().calls_max <= CALLS_PER_HOUR
}

/// How long to wait for the next step of the back-off.
pub(super) fn step(
    account: &Account,
    failures: u32,
    retry_after: Option<Duration>,
    c: &Context<'_>,
) -> Duration {
    let backoff = c.provider.rules().backoff;
    if has_room(account, c) {
        backoff.wait(failures, retry_after, c.jitter)
    } else {
        backoff.slow(failures, retry_after, c.jitter)
    }
}

pub(crate) fn recover(account: &mut Account, c: &Context<'_>) {
    if account.trouble.take().is_some_and(|t| t.told) {
        alert(account, Kind::Recovered, None, c.now);
    }
    account.changed(c.now);
}

pub(super) fn failed(
    account: &mut Account,
    operation: Operation,
    ordered: bool,
    failure: Failure,
    calls: u32,
    c: &Context<'_>,
) {
    if matches!(operation, Operation::Check | Operation::Exchange | Operation::Request) {
        account.hold_until = not_before(failure.retry_after, c.now);
    }
    match operation {
        // Nothing was asked, because there is nobody to ask: that is how the account is set up, and no trouble.
        _ if failure.code == Code::NoTokenSource && calls == 0 => {}
        // The order was refused with its first call, so nothing was done: the token that is held is well, and so is its plan.
        _ if operation.gets()
            && ordered
            && calls <= 1
            && failure.code.is_final()
            && account.live(c.now).is_some() => {}
        Operation::Renew | Operation::Obtain | Operation::Refresh => fail(account, operation, failure, c),
        Operation::Check => {
            account.check = Some(Check { at: c.now, code: Some(failure.code) });
            if matches!(failure.code, Code::TokenRefused | Code::OtherUser) {
                refused_token(account, c);
                return;
            }
            let again = check_again(account, failure.retry_after, c);
            match &mut account.due {
                Some(due) if due.operation == Operation::Check => *due = again,
                _ if account.check_at.is_some() => account.check_at = Some(again.at),
                _ => {}
            }
        }
        // About what was given, not about the account.
        Operation::Adopt | Operation::Exchange | Operation::Request => {}
    }
}

/// The held token is refused before its end: it is to be replaced at once. Where its life was a guess, that teaches how long
/// its next ones live.
pub(super) fn refused_token(account: &mut Account, c: &Context<'_>) {
    teach(account, c);
    if let Some(held) = &mut account.held {
        held.expires_at = c.now;
    }
    (account.due, account.check_at) = (None, None);
    plan(account, c);
    account.changed(c.now);
}

/// How long a token lives where nobody says so: no longer than one that was refused at this age.
pub(super) fn teach(account: &mut Account, c: &Context<'_>) {
    if let Some(held) = account.held.as_ref().filter(|held| held.guessed) {
        let age = c.now.since(held.obtained_at).max(TAUGHT_LEAST).as_secs();
        account.taught_seconds = Some(account.taught_seconds.map_or(age, |taught| taught.min(age)));
    }
}

/// Counts the calls of what failed, against whoever wanted it.
pub(super) fn charge_failure(
    account: &mut Account,
    operation: Operation,
    ordered: bool,
    failure: Failure,
    calls: u32,
    now: Timestamp,
) {
    // An upstream that says no to what it was shown is there.
    let answered = match operation {
        Operation::Check => matches!(failure.code, Code::TokenRefused | Code::OtherUser),
        Operation::Exchange | Operation::Request => {
            matches!(failure.code, Code::TokenRefused | Code::OtherUser | Code::GrantRefused)
        }
        _ => false,
    };
    if !answered {
        charge(account, operation, ordered, calls, now);
    }
}

/// Counts failed calls, against whoever wanted them. What is brought by hand is not counted.
pub(super) fn charge(account: &mut Account, operation: Operation, ordered: bool, calls: u32, now: Timestamp) {
    let budget = match operation {
        Operation::Adopt => return,
        Operation::Check if ordered => &mut account.check_calls,
        _ if ordered => &mut account.order_calls,
        _ => &mut account.calls,
    };
    budget.extend((0..calls).map(|_| now));
}

/// When an upstream that names a time is to be asked again at the earliest.
pub(super) fn not_before(retry_after: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    retry_after.filter(|wait| !wait.is_zero()).map(|wait| now.plus(wait.min(RETRY_AFTER_MAX)))
}

/// A renewal did not work.
pub(super) fn fail(account: &mut Account, operation: Operation, failure: Failure, c: &Context<'_>) {
    let rules = c.provider.rules();
    let before = account.trouble.take();
    let failures = before.as_ref().map_or(0, |t| t.failures).saturating_add(1);
    let was_told = before.as_ref().is_some_and(|t| t.told);
    let was_final = before.as_ref().is_some_and(|t| t.retry_at.is_none());
    let is_final = failure.code.is_final();
    let refused = before.as_ref().and_then(|t| t.refused);
    let is_news = refused != Some(failure.code);
    let retry_at = (!is_final).then(|| {
        // Somebody died in the middle: the first time, nothing speaks against going on at once.
        let wait = if failure.code == Code::Interrupted && failures == 1 {
            Duration::ZERO
        } else {
            step(account, failures, failure.retry_after, c)
        };
        // A short token is not left to run out, as far as the hour's calls go.
        let short = account.live(c.now).filter(|h| h.provisional && has_room(account, c));
        let short = short.map(|h| h.expires_at);
        let at = c.now.plus(wait).min(short.unwrap_or(Timestamp::from_millis(u64::MAX)));
        let least = c.now.plus(failure.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
        at.max(least)
    });
    let told = was_told || is_final || failures > rules.backoff.retries;
    account.trouble = Some(RetryState {
        code: failure.code,
        status: failure.status,
        since: before.map_or(c.now, |t| t.since),
        at: c.now,
        failures,
        retry_at,
        told,
        refused: refused.filter(|_| !is_final),
        operation: Some(operation).filter(|o| !is_final && *o != Operation::Renew),
        not_before: not_before(failure.retry_after, c.now),
    });
    if is_final && !was_final && is_news {
        alert(account, Kind::NeedsAttention, Some(failure.code), c.now);
    } else if told && !was_told {
        alert(account, Kind::Failing, Some(failure.code), c.now);
    }
    account.changed(c.now);
}

pub(super) fn interrupted(account: &mut Account, c: &Context<'_>) -> Decision {
    let Some(task) = account.task.take() else { return Verdict::Nothing.into() };
    let (operation, ordered) = (task.operation, task.ordered);
    let mut entry = entry(Some(task), operation, 1, c.now);
    Code::Interrupted.as_str().clone_into(&mut entry.outcome);
    if operation.gets() {
        charge(account, operation, ordered, 1, c.now);
        fail(account, operation, Failure::new(Code::Interrupted), c);
    }
    Decision { verdict: Verdict::Nothing, entry: Some(entry) }
}
