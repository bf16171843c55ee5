//! A task is done, and what it has brought.

use super::{
    Context, Decision, Verdict, alert, charge, charge_failure, check_again, failed, plan_check, recover,
    refusal_of, renewal_source, short, still_short,
};
use crate::alert::Kind;
use crate::call::{Code, Failure, Grant, Outcome};
use crate::history::Entry;
use crate::protocol::Operation;
use crate::state::{Account, Check, Due, Extended, Held, Source, TaskInFlight, Tokens};
use base::clock::Timestamp;
use base::secret::Secret;
use std::time::Duration;

/// However short a life is said to be, the account's alarm does not renew more often than this, or than twice in a life if that is
/// sooner. The hour's calls bound it then.
const RENEWAL_LEAST: Duration = Duration::from_secs(10);

pub(super) fn task_finished(
    account: &mut Account,
    tokens: &mut Option<Tokens>,
    operation: Operation,
    source: Option<Source>,
    outcome: Outcome,
    calls: u32,
    c: &Context<'_>,
) -> Decision {
    let task = account.task.take();
    let ordered = task.as_ref().is_some_and(|t| t.ordered);
    let source = source.unwrap_or_else(|| match (operation, &account.due) {
        (Operation::Obtain, _) => Source::Obtain,
        (Operation::Exchange, _) => Source::Exchange,
        (_, Some(due)) if due.at <= c.now => due.source,
        _ => renewal_source(account),
    });
    let mut entry = entry(task, operation, calls, c.now);
    let outcome = of_owner(account, outcome, c);
    let verdict = match outcome {
        Outcome::Granted(grant) => {
            account.owner = grant.user_id.clone().or(account.owner.take());
            if grant.extended {
                keep_extended(account, tokens, (grant.access, grant.expires_at), source, c);
                return Decision { verdict: Verdict::Serve, entry: Some(entry) };
            }
            if let Some(extended) = grant.with_extended.clone() {
                keep_extended(account, tokens, extended, source, c);
            }
            entry.expires_at = Some(grant.expires_at);
            let (short, retry_after) = (short(account, operation, &grant, c), grant.retry_after);
            if !grant.verified {
                // One call failed: the one that asked about the token.
                charge(account, operation, ordered, 1, c.now);
            }
            granted(account, tokens, grant, source, c);
            match short {
                None => recover(account, c),
                Some(short) => {
                    charge(account, operation, ordered, calls, c.now);
                    still_short(account, short, retry_after, c);
                }
            }
            Verdict::Serve
        }
        Outcome::Valid { user_id } => {
            account.check = Some(Check { at: c.now, code: None });
            account.check_calls.clear();
            if let Some(held) = &mut account.held {
                held.verified = true;
                held.user_id = user_id.or(held.user_id.take());
            }
            if account.due.as_ref().is_some_and(|d| d.operation == Operation::Check) {
                account.due = account.live(c.now).and_then(|held| c.provider.renewal(held, c.now, c.jitter));
            }
            plan_check(account, c);
            account.changed(c.now);
            Verdict::Serve
        }
        Outcome::Requested { until } => {
            Code::ApprovalPending.as_str().clone_into(&mut entry.outcome);
            // Where that is the way to get a token, it works again.
            if operation.gets() || c.provider.rules().by_approval {
                account.succeeded();
                recover(account, c);
                let at = c.provider.ask_again(until, c.now, c.jitter);
                account.due = Some(Due { at, operation: Operation::Renew, source: Source::Refresh });
            }
            account.approval_asked_at = Some(c.now);
            account.approval_until = Some(until);
            account.changed(c.now);
            alert(account, Kind::NeedsAttention, Some(Code::ApprovalPending), c.now);
            Verdict::Refuse(refusal_of(Failure::new(Code::ApprovalPending), account, c))
        }
        Outcome::Rotated { refresh, failure } => {
            rotated(tokens, refresh, c);
            return failed_task(account, operation, ordered, failure, calls, entry, c);
        }
        Outcome::Failed(failure) => {
            return failed_task(account, operation, ordered, failure, calls, entry, c);
        }
    };
    Decision { verdict, entry: Some(entry) }
}

/// A token of another user than the account's is none for it: that is told of, and nothing is taken over.
pub(super) fn of_owner(account: &mut Account, outcome: Outcome, c: &Context<'_>) -> Outcome {
    let set = c.provider.owner();
    let (user, may_change) = match &outcome {
        Outcome::Granted(grant) => (grant.user_id.as_deref(), grant.new_owner && set.is_none()),
        Outcome::Valid { user_id } => (user_id.as_deref(), false),
        _ => return outcome,
    };
    let owner = set.or(account.owner.as_deref());
    if may_change || user.is_none() || owner.is_none() || user == owner {
        return outcome;
    }
    // Told of once while it lasts.
    let told = account.outbox.iter().any(|alert| alert.kind == Kind::OtherUser)
        || account.trouble.as_ref().is_some_and(|t| t.code == Code::OtherUser);
    if !told {
        alert(account, Kind::OtherUser, Some(Code::OtherUser), c.now);
    }
    Outcome::Failed(Failure::new(Code::OtherUser))
}

/// Beside the token of the day, whose plan it leaves alone.
pub(super) fn keep_extended(
    account: &mut Account,
    tokens: &mut Option<Tokens>,
    (token, expires_at): (Secret, Timestamp),
    source: Source,
    c: &Context<'_>,
) {
    account.extended = Some(Extended { obtained_at: c.now, expires_at, source });
    let extended = Some(token);
    *tokens = Some(match tokens.take() {
        Some(tokens) => Tokens { extended, ..tokens },
        None => Tokens { access: Secret::new(""), refresh: None, lineage: c.provider.lineage(), extended },
    });
}

/// It did not work: counted, written down, and planned for.
pub(super) fn failed_task(
    account: &mut Account,
    operation: Operation,
    ordered: bool,
    failure: Failure,
    calls: u32,
    mut entry: Entry,
    c: &Context<'_>,
) -> Decision {
    failure.code.as_str().clone_into(&mut entry.outcome);
    entry.status = failure.status;
    charge_failure(account, operation, ordered, failure, calls, c.now);
    failed(account, operation, ordered, failure, calls, c);
    let verdict = Verdict::Refuse(refusal_of(failure, account, c));
    Decision { verdict, entry: Some(entry) }
}

/// A refresh token that came without a token: the one before it may be void.
pub(super) fn rotated(tokens: &mut Option<Tokens>, refresh: Secret, c: &Context<'_>) {
    let before = tokens.take();
    let extended = before.as_ref().and_then(|t| t.extended.clone());
    let access = before.map_or_else(|| Secret::new(""), |t| t.access);
    *tokens = Some(Tokens { access, refresh: Some(refresh), lineage: c.provider.lineage(), extended });
}

pub(super) fn granted(
    account: &mut Account,
    tokens: &mut Option<Tokens>,
    grant: Grant,
    source: Source,
    c: &Context<'_>,
) {
    let (before, extended) = tokens.take().map(|t| (t.refresh, t.extended)).unwrap_or_default();
    let (refresh, lineage) = (grant.refresh.or(before), c.provider.lineage());
    *tokens = Some(Tokens { access: grant.access, refresh, lineage, extended });
    account.generation += 1;
    let taught = account.taught_seconds.filter(|_| grant.guessed);
    account.taught_seconds = taught;
    let expires_at = taught.map(|life| c.now.plus(Duration::from_secs(life)));
    let held = Held {
        obtained_at: c.now,
        expires_at: expires_at.map_or(grant.expires_at, |at| at.min(grant.expires_at)),
        expires_in: grant.expires_in,
        source,
        provisional: grant.provisional,
        verified: grant.verified,
        guessed: grant.guessed,
        user_id: grant.user_id,
        updated_by: grant.updated_by,
        generation: account.generation,
    };
    if c.provider.rules().checks {
        // Could not be asked: the check is still to come, and says so by not being there.
        account.check = grant.verified.then_some(Check { at: c.now, code: None });
    }
    if grant.verified {
        if !grant.provisional {
            account.succeeded();
        }
        account.due = c.provider.renewal(&held, c.now, c.jitter);
        if let Some(due) = account.due.as_mut().filter(|_| !grant.provisional) {
            due.at = due.at.max(c.now.plus(RENEWAL_LEAST.min(held.lifetime() / 2)));
        }
    } else {
        account.due = Some(check_again(account, grant.retry_after, c));
    }
    account.held = Some(held);
    plan_check(account, c);
    account.approval_until = None;
    account.warned = None;
}

pub(crate) fn entry(task: Option<TaskInFlight>, operation: Operation, calls: u32, at: Timestamp) -> Entry {
    let (who, request_id) = task.map(|f| (f.who, f.request_id)).unwrap_or_default();
    let outcome = "ok".to_owned();
    Entry { at, operation, outcome, who, request_id, calls, status: None, expires_at: None }
}
