//! What callers want: a token, or something done upstream.

use super::{Context, Verdict, teach, waits_for_approval};
use crate::backoff::allowed_at;
use crate::call::{Code, Failure};
use crate::protocol::{Operation, Refusal};
use crate::state::Account;
use base::clock::seconds_up;
use std::time::Duration;

/// A token that was checked because a caller was refused with it is not checked for that again sooner.
const DOUBT_AGAIN: Duration = Duration::from_mins(1);

/// Whether a renewal may be made for somebody: not between two steps of the back-off, and not after a final refusal.
pub(super) fn may_call(account: &Account, c: &Context<'_>) -> Result<(), Refusal> {
    let Some(trouble) = &account.trouble else { return Ok(()) };
    match trouble.retry_at {
        Some(at) if at <= c.now => Ok(()),
        at => {
            let retry_after_seconds = at.map(|at| seconds_up(at.since(c.now)).max(1));
            Err(Refusal { code: trouble.code, status: trouble.status, retry_after_seconds })
        }
    }
}

/// A caller was refused with the held token. Where the upstream can be asked, it is checked, once for all who say so; if it is
/// not accepted, it is replaced. Elsewhere their word is taken, and it is renewed, at most once in a tenth of its life.
pub(super) fn doubted(account: &mut Account, c: &Context<'_>) -> Option<Operation> {
    let rules = c.provider.rules();
    let held = account.live(c.now)?;
    let age = c.now.since(held.obtained_at);
    if rules.checks {
        let checking = account.task.as_ref().is_some_and(|t| t.operation == Operation::Check);
        let recent = account.doubted_at.is_some_and(|at| at.plus(DOUBT_AGAIN) > c.now)
            || account.hold_until.is_some_and(|at| at > c.now);
        if checking {
            return Some(Operation::Check);
        }
        if recent || allowed_at(&account.check_calls, 1, c.now) > c.now {
            return None;
        }
        account.doubted_at = Some(c.now);
        return Some(Operation::Check);
    }
    let renews = rules.automatic && age >= held.lifetime() / 10 && may_call(account, c).is_ok();
    if !renews {
        return None;
    }
    if held.guessed {
        teach(account, c);
    }
    account.doubted_at = Some(c.now);
    Some(Operation::Renew)
}

pub(super) fn asked(account: &Account, min_ttl: Duration, tried: bool, c: &Context<'_>) -> Verdict {
    let rules = c.provider.rules();
    let joins = account.task.as_ref().is_some_and(|f| f.operation.gets());
    let may = if joins { Ok(()) } else { may_call(account, c) };
    if let Some(held) = account.live(c.now) {
        // A short token will be a long one. Of another nobody gets more than its whole life, and that at most once in a tenth of
        // it: a reader who asks for all of it would have it renewed with each call.
        let wanted = if held.provisional { min_ttl } else { min_ttl.min(held.lifetime()) };
        let old_enough = held.provisional || c.now.since(held.obtained_at) >= held.lifetime() / 10;
        let wants = held.left(c.now) < wanted && old_enough && rules.extends && rules.automatic;
        return if wants && !tried && may.is_ok() { Verdict::Run(Operation::Renew) } else { Verdict::Serve };
    }
    let pending = waits_for_approval(account, c);
    match may {
        Err(refusal) => Verdict::Refuse(refusal),
        Ok(()) if pending => Verdict::Refuse(refusal_of(Failure::new(Code::ApprovalPending), account, c)),
        // A read does not wake the owner at night: approval is asked for when it is due, or by order.
        Ok(()) if rules.by_approval && account.due.as_ref().is_some_and(|d| d.at > c.now) => {
            let wait = account.due.as_ref().map(|d| d.at.since(c.now));
            Verdict::Refuse(refusal_of(
                Failure { retry_after: wait, ..Failure::new(Code::NoTokenSource) },
                account,
                c,
            ))
        }
        Ok(()) if !rules.automatic || tried => {
            let code = account.trouble.as_ref().map_or(Code::NoTokenSource, |t| t.code);
            let status = account.trouble.as_ref().and_then(|t| t.status);
            Verdict::Refuse(refusal_of(Failure { code, status, retry_after: None }, account, c))
        }
        Ok(()) => Verdict::Run(Operation::Renew),
    }
}

/// An order is a change in itself, so a final refusal does not hold it up. Between two steps of the back-off it is refused
/// without a call, and at one it shares in it. Else the hour's failed orders count; for checks, the failed checks. What is
/// brought by hand is the way out, and always tried.
pub(super) fn ordered(account: &Account, operation: Operation, c: &Context<'_>) -> Verdict {
    let rules = c.provider.rules();
    if account.task.as_ref().is_some_and(|f| f.operation.gets() && operation.gets()) {
        return Verdict::Run(operation);
    }
    let renews = operation.gets() || (operation == Operation::Request && rules.by_approval);
    if renews && account.trouble.as_ref().is_some_and(|t| t.retry_at.is_some()) {
        return match may_call(account, c) {
            Ok(()) => Verdict::Run(operation),
            Err(refusal) => Verdict::Refuse(refusal),
        };
    }
    if let Some(at) =
        account.hold_until.filter(|at| *at > c.now && operation != Operation::Adopt && !operation.gets())
    {
        let retry_after_seconds = Some(seconds_up(at.since(c.now)).max(1));
        return Verdict::Refuse(Refusal { code: Code::RateLimited, status: None, retry_after_seconds });
    }
    let free_at = match operation {
        Operation::Adopt => c.now,
        Operation::Check => allowed_at(&account.check_calls, 1, c.now),
        _ => allowed_at(&account.order_calls, if operation.gets() { rules.calls_max } else { 1 }, c.now),
    };
    if free_at > c.now {
        let retry_after_seconds = Some(seconds_up(free_at.since(c.now)).max(1));
        return Verdict::Refuse(Refusal {
            code: Code::CallBudgetExhausted,
            status: None,
            retry_after_seconds,
        });
    }
    if operation == Operation::Check && account.live(c.now).is_none() {
        return Verdict::Nothing;
    }
    Verdict::Run(operation)
}

pub(super) fn refusal_of(failure: Failure, account: &Account, c: &Context<'_>) -> Refusal {
    let retry_at = account.trouble.as_ref().and_then(|t| t.retry_at).or(account.approval_until);
    let wait = retry_at.filter(|at| *at > c.now).map(|at| at.since(c.now)).or(failure.retry_after);
    Refusal {
        code: failure.code,
        status: failure.status,
        retry_after_seconds: wait.filter(|_| !failure.code.is_final()).map(|w| seconds_up(w).max(1)),
    }
}
