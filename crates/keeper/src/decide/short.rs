//! Short tokens where long ones were to come.

use super::{Context, fail, has_room, not_before};
use crate::call::{Code, Failure, Grant};
use crate::protocol::Operation;
use crate::state::Account;
use std::time::Duration;

/// A short token where a long one was to come.
#[derive(Clone, Copy)]
pub(super) enum Short {
    /// The first after an outage: now it can be tried to change it.
    First,
    /// The change does not work; this keeps the account going meanwhile.
    Another,
    /// It was tried to change the one before, and instead of a long one came this.
    Instead,
}

/// Whether a grant leaves the account in the trouble that it has or brings it into one: a short token alone is no recovery,
/// or an upstream that refuses to change it would be called without end.
pub(super) fn short(
    account: &Account,
    operation: Operation,
    grant: &Grant,
    c: &Context<'_>,
) -> Option<Short> {
    let before = account.held.as_ref().filter(|h| h.provisional);
    let changing = before.is_some_and(|h| h.expires_at > c.now) && operation != Operation::Obtain;
    match &account.trouble {
        _ if !grant.provisional => None,
        _ if changing => Some(Short::Instead),
        Some(t) if t.retry_at.is_none() => None,
        Some(t) if before.is_some_and(|h| t.at < h.expires_at) => Some(Short::Another),
        Some(_) => Some(Short::First),
        None => None,
    }
}

pub(super) fn still_short(
    account: &mut Account,
    short: Short,
    retry_after: Option<Duration>,
    c: &Context<'_>,
) {
    if let Short::Instead = short {
        return fail(
            account,
            Operation::Renew,
            Failure { retry_after, ..Failure::new(Code::TokenRefused) },
            c,
        );
    }
    let has_room = has_room(account, c);
    let change_at = account.due.as_ref().map_or(c.now, |d| d.at);
    if let (Some(trouble), Some(held)) = (&mut account.trouble, &account.held) {
        let again_at = match short {
            // The tries go on at their pace, and at the end of the token another one is got, as far as the hour's calls go.
            // Then each step gets one and tries to change it.
            Short::Another if has_room => {
                let wait = c.provider.rules().backoff.wait(trouble.failures, None, c.jitter);
                change_at.max(trouble.at.plus(wait).min(held.expires_at))
            }
            Short::First | Short::Another | Short::Instead => change_at,
        };
        // What was ordered is done; now it is to be changed.
        trouble.operation = None;
        trouble.not_before = not_before(retry_after, c.now).or(trouble.not_before);
        trouble.retry_at = Some(trouble.not_before.map_or(again_at, |at| again_at.max(at)));
    }
    account.changed(c.now);
}
