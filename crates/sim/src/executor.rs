//! A single-threaded executor with virtual time. It runs one task for one turn at a time, so that whoever drives it may
//! look at everything between two turns. Time moves only when nothing is left to do at the present moment.

use crate::rng::Rng;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Queue = Arc<Mutex<VecDeque<u64>>>;

/// Whose a task is: with an instance its tasks go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The test, or the network: nothing stops it.
    World,
    /// The stateless Worker: requests and crons under way.
    Worker,
    /// An instance of an object, by its number.
    Instance(u64),
}

struct Task {
    owner: Owner,
    /// Not there while it is polled.
    work: Option<Work>,
    waker: Arc<TaskWaker>,
}

struct TaskWaker {
    id: u64,
    queued: AtomicBool,
    ready: Queue,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.id);
        }
    }
}

struct Alarm {
    at: u64,
    order: u64,
    waker: Waker,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Alarm {}
impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

pub struct Executor {
    tasks: RefCell<BTreeMap<u64, Task>>,
    next: Cell<u64>,
    ready: Queue,
    timers: RefCell<BinaryHeap<Reverse<Alarm>>>,
    /// Milliseconds since the world began. It never goes back.
    now: Cell<u64>,
    /// Whether the order of tasks that are ready is drawn by lot.
    pub shuffle: Cell<bool>,
    order: RefCell<Rng>,
}

impl Executor {
    pub fn new(seed: u64) -> Self {
        Self {
            tasks: RefCell::default(),
            next: Cell::new(0),
            ready: Queue::default(),
            timers: RefCell::default(),
            now: Cell::new(0),
            shuffle: Cell::new(false),
            order: RefCell::new(Rng::new(seed ^ 0x6f72_6465_7200_0000)),
        }
    }

    pub fn now(&self) -> u64 {
        self.now.get()
    }

    fn number(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    pub fn spawn(&self, owner: Owner, work: impl Future<Output = ()> + 'static) -> u64 {
        let id = self.number();
        let waker = TaskWaker { id, queued: AtomicBool::new(false), ready: self.ready.clone() };
        let task = Task { owner, work: Some(Box::pin(work)), waker: Arc::new(waker) };
        task.waker.clone().wake();
        self.tasks.borrow_mut().insert(id, task);
        id
    }

    /// Drops the tasks of an owner, wherever they are.
    pub fn stop(&self, owner: Owner) {
        let ids: Vec<u64> =
            self.tasks.borrow().iter().filter(|(_, t)| t.owner == owner).map(|(id, _)| *id).collect();
        for id in ids {
            // Dropping a task may reach into the world: nothing is borrowed then.
            let task = self.tasks.borrow_mut().remove(&id);
            drop(task);
        }
    }

    /// Drops one task.
    pub fn cancel(&self, id: u64) {
        let task = self.tasks.borrow_mut().remove(&id);
        drop(task);
    }

    pub fn stop_all(&self) {
        loop {
            let Some((_, task)) = self.tasks.borrow_mut().pop_first() else { break };
            drop(task);
        }
        self.timers.borrow_mut().clear();
    }

    fn pop(&self) -> Option<u64> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let last = ready.len().checked_sub(1)?;
        if self.shuffle.get() && last > 0 {
            let chosen = self.order.borrow_mut().index(last + 1);
            ready.swap(0, chosen);
        }
        ready.pop_front()
    }

    /// Runs one task for one turn. `None`: nothing is ready.
    pub fn turn(&self) -> Option<Owner> {
        loop {
            let id = self.pop()?;
            let taken = self.tasks.borrow_mut().get_mut(&id).and_then(|task| {
                task.waker.queued.store(false, Ordering::Relaxed);
                Some((task.owner, task.work.take()?, task.waker.clone()))
            });
            let Some((owner, mut work, waker)) = taken else { continue };
            let waker = Waker::from(waker);
            let done = work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            let mut tasks = self.tasks.borrow_mut();
            if done {
                tasks.remove(&id);
            } else if let Some(task) = tasks.get_mut(&id) {
                task.work = Some(work);
                return Some(owner);
            }
            drop(tasks);
            drop(work);
            return Some(owner);
        }
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Option<u64> {
        self.timers.borrow().peek().map(|Reverse(alarm)| alarm.at)
    }

    /// Moves time, not over a timer that is due.
    pub fn advance_to(&self, at: u64) {
        self.now.set(self.now.get().max(at));
        loop {
            let mut timers = self.timers.borrow_mut();
            if timers.peek().is_none_or(|Reverse(alarm)| alarm.at > self.now.get()) {
                return;
            }
            let alarm = timers.pop();
            drop(timers);
            if let Some(Reverse(alarm)) = alarm {
                alarm.waker.wake();
            }
        }
    }

    pub fn sleep(self: &Rc<Self>, time: Duration) -> Sleep {
        let at = self.now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Sleep { executor: self.clone(), at, set: false }
    }
}

pub struct Sleep {
    executor: Rc<Executor>,
    at: u64,
    set: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.executor.now() >= self.at {
            return Poll::Ready(());
        }
        if !self.set {
            self.set = true;
            let alarm = Alarm { at: self.at, order: self.executor.number(), waker: context.waker().clone() };
            self.executor.timers.borrow_mut().push(Reverse(alarm));
        }
        Poll::Pending
    }
}

/// Gives way once: whatever else is ready may come first.
pub async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
    closed: bool,
}

/// The end of a channel for one value that gives it. Dropped without one, it says so to the other end.
pub struct Sender<T>(Rc<RefCell<Slot<T>>>);

pub struct Receiver<T>(Rc<RefCell<Slot<T>>>);

pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Rc::new(RefCell::new(Slot { value: None, waker: None, closed: false }));
    (Sender(slot.clone()), Receiver(slot))
}

impl<T> Sender<T> {
    pub fn send(self, value: T) {
        self.0.borrow_mut().value = Some(value);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut slot = self.0.borrow_mut();
        slot.closed = true;
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Receiver<T> {
    /// What was sent, if it was.
    pub fn take(&self) -> Option<T> {
        self.0.borrow_mut().value.take()
    }

    pub fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }
}

impl<T> Future for Receiver<T> {
    /// `None`: whoever was to send it is gone.
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.borrow_mut();
        if let Some(value) = slot.value.take() {
            return Poll::Ready(Some(value));
        }
        if slot.closed {
            return Poll::Ready(None);
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
