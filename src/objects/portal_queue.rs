//! The queue of the object of a portal login: one piece of work at a time, in the order in which they came.

use super::fault;
use super::portal::Inner;
use super::promise;
use crate::platform;
use ::portal::Event;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::Result;
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::JsFuture;

/// Most that may wait for one session: what comes then is told to come back.
const WAITING_MAX: usize = 100;

/// What there is to do for one login.
#[derive(Default)]
pub(super) struct Queue {
    /// The end of it.
    last: RefCell<Option<Promise>>,
    /// How many pieces of work there are, and whether one of them is being done.
    waiting: Cell<usize>,
    busy: Cell<bool>,
}

impl Queue {
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
struct Turn(Rc<Inner>);

impl Drop for Turn {
    fn drop(&mut self) {
        let queue = &self.0.queue;
        queue.busy.set(false);
        queue.waiting.set(queue.waiting.get().saturating_sub(1));
    }
}

impl Inner {
    /// Finds out what the work before has left undone, if it ended in a panic.
    fn recover(&self) {
        let left = self.load().map(|loaded| loaded.is_some_and(|loaded| loaded.login.flight.is_some()));
        let recovered = match left {
            Ok(true) => self.step(Event::Woke).map(|_| ()),
            other => other.map(|_| ()),
        };
        if let Err(error) = recovered {
            platform::log_fault("portal work", &error.to_string(), None);
        }
    }

    /// While there was work the alarm was not set as early as it may be due.
    fn arm_when_done(&self) {
        if !self.queue.is_empty() {
            return;
        }
        let armed = self.load().and_then(|loaded| loaded.map_or(Ok(()), |l| self.arm(&l, platform::now())));
        if let Err(error) = armed {
            platform::log_fault("portal alarm", &error.to_string(), None);
        }
    }

    /// Puts work at the end of the queue; the promise is that of its end. What it says is for whoever waits.
    pub(super) fn enqueue<T, F>(self: &Rc<Self>, work: F) -> Promise
    where
        T: Serialize,
        F: Future<Output = Result<T>> + 'static,
    {
        let before = self.queue.last.borrow_mut().take();
        self.queue.waiting.set(self.queue.waiting.get() + 1);
        let turn = Turn(self.clone());
        let end = promise(async move {
            if let Some(before) = before {
                let _ = JsFuture::from(before).await;
            }
            turn.0.recover();
            turn.0.queue.busy.set(true);
            let end = work.await;
            let inner = turn.0.clone();
            drop(turn);
            inner.arm_when_done();
            let end = end.map_err(|error| {
                platform::log_fault("portal work", &error.to_string(), None);
                fault(error)
            })?;
            serde_json::to_string(&end).map_err(fault)
        });
        *self.queue.last.borrow_mut() = Some(end.clone());
        // It goes on when nobody waits for it, and a fault of it is somebody's who does.
        let kept = end.clone();
        self.wait_until(async move {
            let _ = JsFuture::from(kept).await;
        });
        end
    }
}
