//! The queue of a portal login: one piece of work at a time, in the order in which they came.

use super::{Portal, Result};
use crate::host::Host;
use base::fault::FaultKind;
use portal::steps::Woke;
use serde::Serialize;
use std::cell::{Cell, RefCell};

/// Most that may wait for one session: what comes then is told to come back.
const WAITING_MAX: usize = 100;

/// What there is to do for one login.
pub(super) struct Queue<F> {
    /// The end of it.
    last: RefCell<Option<F>>,
    /// How many pieces of work there are, and whether one of them is being done.
    waiting: Cell<usize>,
    busy: Cell<bool>,
}

impl<F> Default for Queue<F> {
    fn default() -> Self {
        Self { last: RefCell::default(), waiting: Cell::default(), busy: Cell::default() }
    }
}

impl<F> Queue<F> {
    /// Whether this instance is doing something at the portal.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.get() == 0
    }

    pub fn is_full(&self) -> bool {
        self.waiting.get() >= WAITING_MAX
    }
}

/// Counts a piece of work, also if it panics.
struct Turn<H: Host>(Portal<H>);

impl<H: Host> Turn<H> {
    fn new(portal: Portal<H>) -> Self {
        let waiting = &portal.memory.queue.waiting;
        waiting.set(waiting.get() + 1);
        Self(portal)
    }
}

impl<H: Host> Drop for Turn<H> {
    fn drop(&mut self) {
        let queue = &self.0.memory.queue;
        queue.busy.set(false);
        queue.waiting.set(queue.waiting.get().saturating_sub(1));
    }
}

impl<H: Host> Portal<H> {
    /// Finds out what the work before has left undone, if it ended in a panic.
    fn recover(&self) {
        let left = self.load().map(|loaded| loaded.is_some_and(|loaded| loaded.login.task.is_some()));
        let recovered = match left {
            Ok(true) => self.step(Woke).map(|_| ()),
            other => other.map(|_| ()),
        };
        if let Err(error) = recovered {
            self.host.fault(FaultKind::PortalWork, &error, None);
        }
    }

    /// While there was work the alarm was not set as early as it may be due.
    fn arm_when_done(&self) {
        if !self.memory.queue.is_empty() {
            return;
        }
        let armed = self.load().and_then(|loaded| loaded.map_or(Ok(()), |l| self.arm(&l, self.host.now())));
        if let Err(error) = armed {
            self.host.fault(FaultKind::PortalAlarm, &error, None);
        }
    }

    /// Puts work at the end of the queue. What it says is for whoever waits.
    pub(super) fn enqueue<T, F>(&self, work: F) -> H::Flight
    where
        T: Serialize,
        F: Future<Output = Result<T>> + 'static,
    {
        let before = self.memory.queue.last.borrow_mut().take();
        let turn = Turn::new(self.clone());
        let flight = self.host.start(async move {
            let portal = turn.0.clone();
            if let Some(before) = before {
                let _ = portal.host.join(&before).await;
            }
            portal.recover();
            portal.memory.queue.busy.set(true);
            let end = work.await;
            drop(turn);
            portal.arm_when_done();
            let end = end.inspect_err(|error| portal.host.fault(FaultKind::PortalWork, error, None))?;
            Ok(serde_json::to_string(&end)?)
        });
        *self.memory.queue.last.borrow_mut() = Some(flight.clone());
        // It goes on when nobody waits for it, and a fault of it is somebody's who does.
        let (host, kept) = (self.host.clone(), flight.clone());
        self.host.wait_until(async move {
            let _ = host.join(&kept).await;
        });
        flight
    }
}
