//! The life of an account's token: every state and transition, for all providers. No I/O, no clock of its own.
//!
//! Over 400 lines: all transitions of one state machine, which can be judged beside each other only.

use super::alert::{self, Alert, Kind};
use super::backoff::{CALLS_PER_HOUR, RETRY_AFTER_MAX, allowed_at, forget_old};
use super::call::{Code, Failure, Grant, Outcome};
use super::history::Entry;
use super::misconfigured;
use super::protocol::{Actor, Adopt, Fault, Operation, Refusal, Status, Task};
use super::providers::Provider;
use super::state::{
    Account, Check, Due, Extended, Health, Held, Published, RetryState, Source, TaskInFlight, Tokens,
};
use base::clock::{Timestamp, seconds_up};
use base::jitter::Jitter;
use base::secret::Secret;
use std::time::Duration;

/// What a decision goes by besides the state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub provider: &'a dyn Provider,
    /// A keyed hash of the provider's settings for this account.
    pub settings: &'a str,
    /// The same of whose tokens they are.
    pub identity: &'a str,
    /// How long before an expiry without a renewal in sight to warn.
    pub warning: Duration,
    pub now: Timestamp,
    pub jitter: Jitter,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Somebody wants a token. `tried`: a task was just awaited for it. `refused`: the held one was refused to them.
    Asked {
        min_ttl: Duration,
        tried: bool,
        refused: bool,
    },
    /// Somebody wants the token that lives longer than the day.
    AskedExtended,
    /// Somebody wants something done upstream.
    Ordered(Operation),
    /// It is about to be done: the intent is to be written. `ordered`: by order of somebody.
    TaskStarted {
        operation: Operation,
        by: Actor,
        ordered: bool,
    },
    /// It is done, with so many calls.
    TaskFinished {
        operation: Operation,
        source: Option<Source>,
        outcome: Outcome,
        calls: u32,
    },
    /// An intent was found, and whoever had it is gone.
    Interrupted,
    /// The stored tokens cannot be opened; or can be again.
    Unreadable,
    Readable,
    /// The Cron Trigger.
    Looked {
        daily: bool,
        spread: Duration,
    },
    /// The alarm.
    Woke,
    /// What the alarm came for is to wait: too many accounts are at it.
    Postponed {
        until: Timestamp,
    },
    /// KV and the index are about to be told, again.
    SyncStarted,
    /// KV's copy is not the token that is held, or cannot be read; or it was looked at and is right.
    CopySeen {
        is_right: bool,
    },
    /// KV and the index know of the changes up to this one.
    Synced {
        change: u64,
    },
    /// An alert was delivered, or not.
    Alerted {
        number: u64,
        delivered: bool,
        /// How soon its receiver wants it again.
        retry_after: Option<Duration>,
    },
}

/// What is to be done about it.
#[derive(Debug)]
pub enum Verdict {
    Nothing,
    /// The held token may be given out.
    Serve,
    /// This is to be done upstream; if a task that [gets](Operation::gets) a token is under way, it is to be awaited.
    Run(Operation),
    Refuse(Refusal),
}

#[derive(Debug)]
pub struct Decision {
    pub verdict: Verdict,
    /// For the history and the log.
    pub entry: Option<Entry>,
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, entry: None }
    }
}

/// However short a life is said to be, the account's alarm does not renew more often than this, or than twice in a life if that is
/// sooner. The hour's calls bound it then.
const RENEWAL_LEAST: Duration = Duration::from_secs(10);
/// A token that was checked because a caller was refused with it is not checked for that again sooner.
const DOUBT_AGAIN: Duration = Duration::from_mins(1);
/// What a refused token can teach at least.
const TAUGHT_LEAST: Duration = Duration::from_mins(1);
/// A success that is this fresh is not repeated for a Cron Trigger that comes twice.
const DAILY_ONCE: Duration = Duration::from_mins(1);
pub fn decide(account: &mut Account, tokens: &mut Option<Tokens>, event: Event, c: &Context<'_>) -> Decision {
    if let Some(decision) = misconfigured::decide(account, &event, c) {
        return decision;
    }
    if c.provider.settings_fault().is_none() {
        notice_identity(account, tokens, c);
        notice_settings(account, tokens, c);
    }
    if account.owner.is_none() {
        // Also of an account of a release that did not keep it.
        account.owner = account.held.as_ref().and_then(|held| held.user_id.clone());
    }
    for calls in [&mut account.calls, &mut account.order_calls, &mut account.check_calls] {
        forget_old(calls, c.now);
    }
    match event {
        Event::AskedExtended => Verdict::Nothing.into(),
        Event::Asked { refused: true, tried: false, min_ttl } => match doubted(account, c) {
            Some(operation) => Verdict::Run(operation).into(),
            None => asked(account, min_ttl, false, c).into(),
        },
        Event::Asked { min_ttl, tried, .. } => asked(account, min_ttl, tried, c).into(),
        Event::Ordered(operation) => ordered(account, operation, c).into(),
        Event::TaskStarted { operation, by, ordered } => {
            // What shares in a step of the back-off is that step.
            let own = operation.gets() && account.trouble.as_ref().is_some_and(|t| t.retry_at.is_some());
            account.task = Some(TaskInFlight {
                operation,
                started_at: c.now,
                deadline: c.now.plus(c.provider.rules().task_max),
                who: by.who,
                request_id: by.request_id,
                ordered: ordered && !own,
            });
            Verdict::Nothing.into()
        }
        Event::TaskFinished { operation, source, outcome, calls } => {
            task_finished(account, tokens, operation, source, outcome, calls, c)
        }
        Event::Interrupted => interrupted(account, c),
        Event::Unreadable => {
            if account.trouble.as_ref().is_none_or(|t| t.code != Code::Unreadable) {
                fail(account, Operation::Renew, Failure::new(Code::Unreadable), c);
            }
            Verdict::Nothing.into()
        }
        Event::Readable => {
            if account.trouble.as_ref().is_some_and(|t| t.code == Code::Unreadable) {
                recover(account, c);
            }
            Verdict::Nothing.into()
        }
        Event::Looked { daily, spread } => {
            looked(account, daily, spread, c);
            Verdict::Nothing.into()
        }
        Event::Woke => woke(account, c).into(),
        Event::Postponed { until } => {
            match (&mut account.trouble, &mut account.due) {
                (Some(trouble), _) => trouble.retry_at = trouble.retry_at.map(|at| at.max(until)),
                (None, Some(due)) => due.at = due.at.max(until),
                (None, None) => {}
            }
            Verdict::Nothing.into()
        }
        Event::SyncStarted => {
            if let Some(pending_sync) = &mut account.pending_sync {
                pending_sync.tried(c.now);
            }
            Verdict::Nothing.into()
        }
        Event::CopySeen { is_right } => {
            match &mut account.published {
                Some(published) if is_right => published.looks += 1,
                _ if !is_right => account.changed(c.now),
                _ => {}
            }
            Verdict::Nothing.into()
        }
        Event::Synced { change } => {
            if account.pending_sync.take_if(|u| u.change <= change).is_some() {
                account.published = Some(Published { at: c.now, looks: 0 });
            }
            Verdict::Nothing.into()
        }
        Event::Alerted { number, delivered, retry_after } => {
            alerted(account, number, delivered, retry_after, c.now);
            Verdict::Nothing.into()
        }
    }
}

/// A token of another identity is not given out, from the first look on: nothing of it is kept but a refresh token of the same
/// lineage. Only a new secret of the same client leaves the identity as it is.
fn notice_identity(account: &mut Account, tokens: &mut Option<Tokens>, c: &Context<'_>) {
    if !same_identity(account, c) {
        account.held = None;
        account.owner = None;
        (account.check_at, account.doubted_at, account.hold_until) = (None, None, None);
        account.check = None;
        account.warned = None;
        account.due = None;
        (account.approval_asked_at, account.approval_until) = (None, None);
        let lineage = c.provider.lineage();
        let kept = tokens.take().filter(|t| t.lineage == lineage).and_then(|t| t.refresh);
        account.extended = None;
        *tokens = kept.map(|refresh| Tokens {
            access: Secret::new(""),
            refresh: Some(refresh),
            lineage,
            extended: None,
        });
        account.changed(c.now);
    }
    if account.identity != c.identity {
        c.identity.clone_into(&mut account.identity);
    }
}

/// Whether what is held is of the identity that the settings have. An account of a release that kept none has that of its settings.
pub(super) fn same_identity(account: &Account, c: &Context<'_>) -> bool {
    if account.identity.is_empty() {
        account.settings.is_empty() || account.settings == c.settings
    } else {
        account.identity == c.identity
    }
}

/// New settings are the change that a final refusal waits for. A refresh token of another lineage means nothing to them.
fn notice_settings(account: &mut Account, tokens: &mut Option<Tokens>, c: &Context<'_>) {
    if account.settings == c.settings {
        return;
    }
    if !account.settings.is_empty() {
        if let Some(tokens) = tokens
            && tokens.lineage != c.provider.lineage()
        {
            tokens.refresh = None;
        }
        // It stays in trouble until they have been tried, so that what was told of is taken back when they work.
        // Nor is a slow try waited for: they may be what was wrong. An upstream that named a time has it.
        if let Some(trouble) = &mut account.trouble
            && !matches!(trouble.code, Code::Unreadable | Code::RateLimited)
        {
            (trouble.retry_at, trouble.refused) = (Some(c.now), None);
            account.changed(c.now);
        }
        account.taught_seconds = None;
        account.due = None;
        plan(account, c);
    }
    c.settings.clone_into(&mut account.settings);
}

/// Whether a token can only come by an approval that has been asked for.
fn waits_for_approval(account: &Account, c: &Context<'_>) -> bool {
    c.provider.rules().by_approval && account.approval_until.is_some_and(|until| until > c.now)
}

/// Gives an account without a plan one.
fn plan(account: &mut Account, c: &Context<'_>) {
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

/// Whether the hour has room for a quick try of the account's own. If not, it is a slow one.
fn has_room(account: &Account, c: &Context<'_>) -> bool {
    account.calls.len() + c.provider.rules().calls_max <= CALLS_PER_HOUR
}

/// How long to wait for the next step of the back-off.
fn step(account: &Account, failures: u32, retry_after: Option<Duration>, c: &Context<'_>) -> Duration {
    let backoff = c.provider.rules().backoff;
    if has_room(account, c) {
        backoff.wait(failures, retry_after, c.jitter)
    } else {
        backoff.slow(failures, retry_after, c.jitter)
    }
}

/// Whether a renewal may be made for somebody: not between two steps of the back-off, and not after a final refusal.
fn may_call(account: &Account, c: &Context<'_>) -> Result<(), Refusal> {
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
fn doubted(account: &mut Account, c: &Context<'_>) -> Option<Operation> {
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

fn asked(account: &Account, min_ttl: Duration, tried: bool, c: &Context<'_>) -> Verdict {
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
fn ordered(account: &Account, operation: Operation, c: &Context<'_>) -> Verdict {
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

fn looked(account: &mut Account, daily: bool, spread: Duration, c: &Context<'_>) {
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
pub(super) fn warn(account: &mut Account, c: &Context<'_>) {
    if account.warn_at(c.warning).is_some_and(|at| at <= c.now) {
        let live = account.live(c.now).is_some();
        account.warned = account.held.as_ref().map(|h| h.expires_at);
        // Of one that has run out already there is nothing to warn, and the alarm is not to come for it again.
        if live {
            alert(account, Kind::Expiring, account.trouble.as_ref().map(|t| t.code), c.now);
        }
    }
}

fn woke(account: &mut Account, c: &Context<'_>) -> Verdict {
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
    let check_due = opened && account.check_at.is_some_and(|at| at <= c.now);
    if check_due && account.live(c.now).is_some() {
        return Verdict::Run(Operation::Check);
    }
    account.check_at.take_if(|at| *at <= c.now);
    Verdict::Nothing
}

fn task_finished(
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
fn of_owner(account: &mut Account, outcome: Outcome, c: &Context<'_>) -> Outcome {
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
fn keep_extended(
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
fn failed_task(
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
fn rotated(tokens: &mut Option<Tokens>, refresh: Secret, c: &Context<'_>) {
    let before = tokens.take();
    let extended = before.as_ref().and_then(|t| t.extended.clone());
    let access = before.map_or_else(|| Secret::new(""), |t| t.access);
    *tokens = Some(Tokens { access, refresh: Some(refresh), lineage: c.provider.lineage(), extended });
}

fn granted(
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

/// A short token where a long one was to come.
#[derive(Clone, Copy)]
enum Short {
    /// The first after an outage: now it can be tried to change it.
    First,
    /// The change does not work; this keeps the account going meanwhile.
    Another,
    /// It was tried to change the one before, and instead of a long one came this.
    Instead,
}

/// Whether a grant leaves the account in the trouble that it has or brings it into one: a short token alone is no recovery,
/// or an upstream that refuses to change it would be called without end.
fn short(account: &Account, operation: Operation, grant: &Grant, c: &Context<'_>) -> Option<Short> {
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

fn still_short(account: &mut Account, short: Short, retry_after: Option<Duration>, c: &Context<'_>) {
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

/// A token that could not be checked when it was got is checked later: as slowly as a renewal after the quick tries.
fn check_again(account: &Account, retry_after: Option<Duration>, c: &Context<'_>) -> Due {
    let backoff = c.provider.rules().backoff;
    let failures = u32::try_from(account.calls.len()).unwrap_or(u32::MAX).saturating_add(backoff.retries);
    let at = c.now.plus(backoff.wait(failures, retry_after, c.jitter));
    Due { at, operation: Operation::Check, source: Source::Refresh }
}

pub(super) fn recover(account: &mut Account, c: &Context<'_>) {
    if account.trouble.take().is_some_and(|t| t.told) {
        alert(account, Kind::Recovered, None, c.now);
    }
    account.changed(c.now);
}

fn failed(
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
fn refused_token(account: &mut Account, c: &Context<'_>) {
    teach(account, c);
    if let Some(held) = &mut account.held {
        held.expires_at = c.now;
    }
    (account.due, account.check_at) = (None, None);
    plan(account, c);
    account.changed(c.now);
}

/// How long a token lives where nobody says so: no longer than one that was refused at this age.
fn teach(account: &mut Account, c: &Context<'_>) {
    if let Some(held) = account.held.as_ref().filter(|held| held.guessed) {
        let age = c.now.since(held.obtained_at).max(TAUGHT_LEAST).as_secs();
        account.taught_seconds = Some(account.taught_seconds.map_or(age, |taught| taught.min(age)));
    }
}

/// When the held token is held against its upstream next.
fn plan_check(account: &mut Account, c: &Context<'_>) {
    let (rules, every) = (c.provider.rules(), c.provider.rules().check_every);
    let checks = rules.checks && !every.is_zero() && account.live(c.now).is_some_and(|held| held.verified);
    account.check_at = checks.then(|| c.now.plus(every + c.jitter.up_to(every * 2 / 3)));
}

/// Counts the calls of what failed, against whoever wanted it.
fn charge_failure(
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
fn charge(account: &mut Account, operation: Operation, ordered: bool, calls: u32, now: Timestamp) {
    let budget = match operation {
        Operation::Adopt => return,
        Operation::Check if ordered => &mut account.check_calls,
        _ if ordered => &mut account.order_calls,
        _ => &mut account.calls,
    };
    budget.extend((0..calls).map(|_| now));
}

/// When an upstream that names a time is to be asked again at the earliest.
fn not_before(retry_after: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    retry_after.filter(|wait| !wait.is_zero()).map(|wait| now.plus(wait.min(RETRY_AFTER_MAX)))
}

/// A renewal did not work.
fn fail(account: &mut Account, operation: Operation, failure: Failure, c: &Context<'_>) {
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

fn interrupted(account: &mut Account, c: &Context<'_>) -> Decision {
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

pub(super) fn entry(task: Option<TaskInFlight>, operation: Operation, calls: u32, at: Timestamp) -> Entry {
    let (who, request_id) = task.map(|f| (f.who, f.request_id)).unwrap_or_default();
    let outcome = "ok".to_owned();
    Entry { at, operation, outcome, who, request_id, calls, status: None, expires_at: None }
}

fn refusal_of(failure: Failure, account: &Account, c: &Context<'_>) -> Refusal {
    let retry_at = account.trouble.as_ref().and_then(|t| t.retry_at).or(account.approval_until);
    let wait = retry_at.filter(|at| *at > c.now).map(|at| at.since(c.now)).or(failure.retry_after);
    Refusal {
        code: failure.code,
        status: failure.status,
        retry_after_seconds: wait.filter(|_| !failure.code.is_final()).map(|w| seconds_up(w).max(1)),
    }
}

fn renewal_source(account: &Account) -> Source {
    if account.generation == 0 { Source::Startup } else { Source::Refresh }
}

pub(super) fn alert(account: &mut Account, kind: Kind, code: Option<Code>, now: Timestamp) {
    account.alerts += 1;
    let expires_at = account.held.as_ref().map(|h| h.expires_at);
    let number = account.alerts;
    // It is sent at once; the alarm sends it if that is lost.
    let try_at = now.plus(alert::again(1));
    account.outbox.push(Alert { number, kind, at: now, code, expires_at, attempts: 0, try_at });
    let surplus = account.outbox.len().saturating_sub(alert::OUTBOX_MAX);
    account.outbox.drain(..surplus);
}

fn alerted(
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
            message: None,
        }),
        next_renewal_at: renewal,
        approval_until: account.approval_until.filter(|until| *until > now),
        extended_until: account.extended.as_ref().map(|e| e.expires_at).filter(|at| *at > now),
        kid: kid.map(str::to_owned),
    }
}

impl Task {
    /// How a token that comes of it was come by, where the task itself says so.
    pub const fn source(&self) -> Option<Source> {
        match self {
            Self::Adopt(Adopt { source, .. }) => Some(*source),
            _ => None,
        }
    }
}
