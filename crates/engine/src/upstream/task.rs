//! The task in flight: the calls of one operation to the upstream, which others may share in.

use super::{Inner, UpstreamAccount};
use crate::host::Host;
use base::fault::Fault;
use keeper::decide::Verdict;
use keeper::protocol::{Actor, Operation, Refusal};
use keeper::{Decision, Event, Outcome, Script, Step, Task};
use std::cell::Cell;
use std::rc::Rc;

/// The task under way, and its end: a [`Refusal`] in JSON, or `null`.
#[derive(Clone)]
pub(super) struct Running<F> {
    operation: Operation,
    end: F,
    /// Whether KV and the index are told before those who wait for it go on, because one of them gave an order and may look
    /// there next; the others wait for a token and no longer than it takes.
    publish_first: Rc<Cell<bool>>,
}

impl<F> Running<F> {
    /// Whether somebody who wants `operation` done gets what this one brings.
    fn shares(&self, operation: Operation) -> bool {
        (self.operation.gets() && operation.gets())
            || (self.operation, operation) == (Operation::Check, Operation::Check)
    }
}

/// The task is no longer under way, however it ended: should it panic, the next step finds its intent and nobody at it.
struct Over<H: Host>(Rc<Inner<H>>);

impl<H: Host> Drop for Over<H> {
    fn drop(&mut self) {
        self.0.running.take();
    }
}

impl<H: Host> UpstreamAccount<H> {
    fn running(&self) -> Option<Running<H::Flight>> {
        self.0.running.borrow().clone()
    }

    /// Awaits a task under way in which `operation` has no share. Says whether there was one: then everything may be
    /// different, and is decided about anew.
    pub(super) async fn waited(&self, operation: Option<Operation>) -> bool {
        let mut waited = false;
        while let Some(running) = self.running().filter(|r| !operation.is_some_and(|o| r.shares(o))) {
            let _ = self.0.host.join(&running.end).await;
            waited = true;
        }
        waited
    }

    /// Begins a task, or shares in the one under way, and awaits its end. `ordered`: KV is to know of it then.
    pub(super) async fn run(&self, task: Task, by: Actor, ordered: bool) -> Result<Option<Refusal>, Fault> {
        let operation = task.operation();
        let (running, shared) = match self.running() {
            Some(running) => (running, true),
            None => (self.start(task, by.clone(), ordered)?, false),
        };
        if ordered {
            running.publish_first.set(true);
        }
        let end = self.0.host.join(&running.end).await?;
        let refusal: Option<Refusal> = base::json::read(&end)?;
        if shared && ordered {
            self.note(operation, by, refusal.map(|r| r.code))?;
        }
        Ok(refusal)
    }

    fn start(&self, task: Task, by: Actor, ordered: bool) -> Result<Running<H::Flight>, Fault> {
        let operation = task.operation();
        let Some((_, loaded)) = self.0.step(Event::TaskStarted { operation, by, ordered })? else {
            return Err("the account is gone".into());
        };
        let script = loaded.provider.script(&task, loaded.account.held.as_ref(), loaded.tokens.as_ref());
        let (inner, publish_first) = (self.0.clone(), Rc::new(Cell::new(false)));
        let ordered = publish_first.clone();
        let end = self.0.host.start(async move {
            let over = Over(inner.clone());
            let refusal = inner.run_task(script, &task).await;
            // KV does not keep a quick retry waiting: what follows a failure is published beside it.
            let retried = matches!(refusal, Ok(Some(_))) && inner.retries_soon();
            if ordered.get() && !retried {
                inner.sync_changes().await;
            }
            drop(over);
            // What follows is not waited for by those who wait for the token.
            let publishing = inner.clone();
            inner.host.wait_until(async move { publishing.publish().await });
            Ok(serde_json::to_string(&refusal?)?)
        });
        let running = Running { operation, end, publish_first };
        *self.0.running.borrow_mut() = Some(running.clone());
        Ok(running)
    }
}

impl<H: Host> Inner<H> {
    /// Whether the account tries again while those who wait for it still do.
    fn retries_soon(&self) -> bool {
        let Ok(Some(loaded)) = self.load() else { return false };
        let rules = loaded.provider.rules();
        let until = self.host.now().plus(rules.patience);
        loaded.account.retry_within(until, rules.backoff.retries).is_some()
    }

    async fn run_task(&self, mut script: Box<dyn Script>, task: &Task) -> Result<Option<Refusal>, Fault> {
        let (mut answer, mut calls, mut retry_after) = (None, 0, None);
        let outcome: Outcome = loop {
            match script.next(answer.take(), self.host.now()) {
                Step::Done(outcome) => break outcome,
                Step::Call(call) => {
                    calls += 1;
                    let came = self.host.call(&call).await;
                    retry_after = came.retry_after();
                    answer = Some(came);
                }
            }
        };
        let (operation, source) = (task.operation(), task.source());
        let outcome = outcome.with_retry_after(retry_after);
        let finished = Event::TaskFinished { operation, source, outcome, calls };
        Ok(match self.step(finished)? {
            Some((Decision { verdict: Verdict::Refuse(refusal), .. }, _)) => Some(refusal),
            _ => None,
        })
    }
}
