//! The life of an account's token: every state and transition, for all providers. No I/O, no clock of its own.
//!
//! Here is what can happen and what is decided; each file below has the transitions of one kind.

mod ask;
mod fail;
mod finish;
mod notice;
mod plan;
mod short;
mod tell;

pub(super) use fail::recover;
pub(super) use finish::entry;
pub(super) use notice::same_identity;
pub(super) use plan::warn;
pub(super) use tell::alert;
pub use tell::{copy_until, status};

use super::backoff::forget_old;
use super::call::{Code, Failure, Outcome};
use super::history::Entry;
use super::misconfigured;
use super::protocol::{Actor, Adopt, Operation, Refusal, Task};
use super::providers::Provider;
use super::state::{Account, Published, Source, TaskInFlight, Tokens};
use ask::{asked, doubted, ordered, refusal_of};
use base::clock::Timestamp;
use base::jitter::Jitter;
use fail::{charge, charge_failure, fail, failed, has_room, interrupted, not_before, teach};
use finish::task_finished;
use notice::{notice_identity, notice_settings};
use plan::{check_again, looked, plan, plan_check, renewal_source, waits_for_approval, woke};
use short::{short, still_short};
use std::time::Duration;
use tell::alerted;

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

impl Task {
    /// How a token that comes of it was come by, where the task itself says so.
    pub const fn source(&self) -> Option<Source> {
        match self {
            Self::Adopt(Adopt { source, .. }) => Some(*source),
            _ => None,
        }
    }
}
