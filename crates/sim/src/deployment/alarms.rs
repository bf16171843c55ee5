//! Alarms: late, once more, tried again when they fail.

use super::{Deployment, Object};
use crate::executor::{Owner, channel};
use crate::host::SimHost;
use crate::weather::Kind;
use std::rc::Rc;
use std::time::Duration;

/// A failing alarm is tried this often again, then dropped.
const ALARM_RETRIES: u32 = 6;
/// An alarm that rings so often without time going by will not stop.
const RINGS_AT_ONCE: u32 = 20;

impl Deployment {
    /// Sets the platform's clock for an object to what is stored.
    pub(super) fn arm(&self, object: &Object) {
        let mut alarms = self.alarms.borrow_mut();
        if let Some(due) = object.alarm_due.take() {
            alarms.remove(&(due, object.class, object.id.clone()));
        }
        if let Some(at) = object.storage.borrow().alarm()
            && !object.alarm_runs.get()
        {
            let late = self.weather.strikes(Kind::AlarmLate, 60_000).unwrap_or(0);
            let due = at.millis().saturating_add(late);
            object.alarm_due.set(Some(due));
            alarms.insert((due, object.class, object.id.clone()));
        }
    }

    /// When the next alarm is due, in the executor's time.
    pub fn next_alarm(&self) -> Option<u64> {
        let alarms = self.alarms.borrow();
        let (due, ..) = alarms.first()?;
        Some(due.saturating_sub(self.clock.get()))
    }

    /// Rings the alarms that are due.
    pub fn ring(self: &Rc<Self>) {
        loop {
            let due = {
                let alarms = self.alarms.borrow();
                let Some(first) = alarms.first().filter(|(due, ..)| *due <= self.now().millis()) else {
                    return;
                };
                first.clone()
            };
            self.alarms.borrow_mut().remove(&due);
            let object = self.objects.borrow().get(&(due.1, due.2)).cloned();
            if let Some(object) = object {
                object.alarm_due.set(None);
                self.ring_one(&object);
            }
        }
    }

    fn ring_one(self: &Rc<Self>, object: &Rc<Object>) {
        let Some(instance) = self.instance(object) else { return };
        self.used(|u| u.object_requests += 1);
        object.storage.borrow_mut().take_alarm();
        object.alarm_runs.set(true);
        object.rings.set(object.rings.get() + 1);
        // Nobody else gets a turn any more, and on the platform it is billed.
        let (at, times) = object.rings_at_once.get();
        let times = if at == self.now() { times + 1 } else { 1 };
        assert!(times < RINGS_AT_ONCE, "the alarm of {:?} {} rings on and on", object.class, object.id);
        object.rings_at_once.set((self.now(), times));
        let (sender, receiver) = channel();
        let host = SimHost::of_object(self.clone(), object.clone(), instance.number);
        self.executor.spawn(Owner::Instance(instance.number), async move {
            let result = instance.engine.alarm().await;
            host.gate().await;
            sender.send(result);
        });
        let (world, object) = (self.clone(), object.clone());
        self.executor.spawn(Owner::World, async move {
            let result = receiver.await;
            object.alarm_runs.set(false);
            let tries = object.alarm_tries.get();
            if let Some(Ok(())) = result {
                object.alarm_tries.set(0);
                // At least once: it may come again although it was handled.
                if object.storage.borrow().alarm().is_none()
                    && let Some(time) = world.weather.strikes(Kind::AlarmAgain, 5_000)
                {
                    let again = world.now().plus(Duration::from_millis(time));
                    object.storage.borrow_mut().retry_alarm(again);
                }
            } else if object.storage.borrow().alarm().is_none() && tries < ALARM_RETRIES {
                object.alarm_tries.set(tries + 1);
                let again = world.now().plus(Duration::from_secs(2 << tries));
                object.storage.borrow_mut().retry_alarm(again);
            }
            world.arm(&object);
        });
    }
}
