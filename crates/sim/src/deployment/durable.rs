//! What follows a turn: writes become durable, now or a little later, or the instance is killed with what is not.

use super::{Change, Deployment, Object};
use crate::executor::Owner;
use crate::weather::Kind;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

impl Deployment {
    /// What follows a turn: its writes become durable, now or a little later, or its instance is killed.
    pub fn after_turn(self: &Rc<Self>, owner: Owner) {
        let Owner::Instance(number) = owner else { return };
        let Some(object) = self.instances.borrow().get(&number).cloned() else { return };
        if object.storage.borrow().is_dirty() && !object.flushing.get() {
            match self.weather.strikes(Kind::Flush, 200) {
                None => self.commit(&object),
                Some(time) => self.commit_later(&object, number, time),
            }
        }
        if self.weather.strikes(Kind::Kill, 1).is_some() {
            self.kill(&object);
        }
    }

    fn commit_later(self: &Rc<Self>, object: &Rc<Object>, number: u64, time: u64) {
        object.flushing.set(true);
        let (world, object) = (self.clone(), object.clone());
        self.executor.spawn(Owner::World, async move {
            world.executor.sleep(Duration::from_millis(time)).await;
            if object.instance.borrow().as_ref().is_some_and(|i| i.number == number) {
                world.commit(&object);
            }
        });
    }

    fn changed(&self, object: &Rc<Object>, change: Change) {
        if self.watched.get() {
            self.changes.borrow_mut().push((object.clone(), change));
        }
    }

    pub fn commit(&self, object: &Rc<Object>) {
        object.flushing.set(false);
        self.changed(object, Change::Stored);
        let alarm = object.storage.borrow_mut().commit();
        if alarm {
            self.arm(object);
        }
        for waker in object.gate.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// Waits until everything that the object has written is durable.
    pub async fn gate(self: &Rc<Self>, object: &Rc<Object>) {
        if self.weather.is_clear() && !object.flushing.get() && object.storage.borrow().is_dirty() {
            self.commit(object);
        }
        std::future::poll_fn(|context| {
            if !object.storage.borrow().is_dirty() {
                return Poll::Ready(());
            }
            object.gate.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes an instance away with its memory, its tasks and what is not durable.
    pub fn kill(&self, object: &Rc<Object>) {
        let instance = object.instance.borrow_mut().take();
        let Some(instance) = instance else { return };
        self.changed(object, Change::Killed);
        self.instances.borrow_mut().remove(&instance.number);
        self.executor.stop(Owner::Instance(instance.number));
        object.flushing.set(false);
        object.storage.borrow_mut().roll_back();
        object.gate.borrow_mut().clear();
        drop(instance);
    }

    /// Kills every instance and every request: a restart of the whole deployment.
    pub fn kill_all(&self) {
        self.executor.stop(Owner::Worker);
        *self.worker.borrow_mut() = Rc::default();
        for object in self.objects() {
            self.kill(&object);
        }
    }
}
