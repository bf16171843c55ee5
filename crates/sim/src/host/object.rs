//! What is kept of an object, its alarm, and work that several of its calls await.

use super::SimHost;
use crate::weather::Kind;
use base::clock::Timestamp;
use base::current;
use base::fault::Fault;
use engine::host::{Alarm, Flights, Host, Rows, Sql, SqlValue};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared};
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Rows for SimHost {
    type Text = String;

    fn read(&self, row: &str) -> Result<Option<String>, Fault> {
        self.world.used(|u| u.rows_read += 1);
        Ok(self.object()?.storage.borrow().get(row).cloned())
    }

    fn text(&self, text: &String) -> Result<String, Fault> {
        Ok(text.clone())
    }

    fn write(&self, row: &str, value: &str) -> Result<String, Fault> {
        let object = self.object()?;
        if self.world.weather.strikes(Kind::WriteBefore, 1).is_some() {
            return Err("the write failed".into());
        }
        self.world.used(|u| u.rows_written += 1);
        object.storage.borrow_mut().put(row, value);
        if self.world.weather.strikes(Kind::WriteAfter, 1).is_some() {
            return Err("the write failed, though it was done".into());
        }
        Ok(value.to_owned())
    }

    fn delete(&self, row: &str) -> Result<(), Fault> {
        let object = self.object()?;
        if self.world.weather.strikes(Kind::WriteBefore, 1).is_some() {
            return Err("the write failed".into());
        }
        let was_there = object.storage.borrow_mut().delete(row);
        self.world.used(|u| u.rows_written += u64::from(was_there));
        Ok(())
    }
}

impl SimHost {
    /// Whether an alarm is set that comes no later than this.
    pub(crate) fn alarm_comes_by(&self, at: Timestamp) -> Result<bool, Fault> {
        self.world.used(|u| u.rows_read += 1);
        Ok(self.object()?.storage.borrow().alarm().is_some_and(|set| set <= at))
    }
}

impl Sql for SimHost {
    fn sql<T: DeserializeOwned>(&self, statements: &str, values: Vec<SqlValue>) -> Result<Vec<T>, Fault> {
        let mut storage = self.object()?.storage.borrow_mut();
        let (rows, written) = storage.sql_in(&|kind| self.strikes(kind), statements, &values)?;
        drop(storage);
        self.world.used(|u| {
            u.rows_read += rows.len() as u64;
            u.rows_written += written;
        });
        rows.into_iter().map(|row| Ok(serde_json::from_value(Value::Object(row))?)).collect()
    }
}

impl Alarm for SimHost {
    fn set_alarm(&self, at: Timestamp) -> Result<(), Fault> {
        self.world.used(|u| u.alarms_set += 1);
        self.object()?.storage.borrow_mut().set_alarm(Some(at));
        Ok(())
    }

    async fn alarm_at(&self) -> Result<Option<Timestamp>, Fault> {
        self.world.used(|u| u.rows_read += 1);
        Ok(self.object()?.storage.borrow().alarm())
    }

    async fn delete_all(&self) -> Result<(), Fault> {
        self.object()?.storage.borrow_mut().delete_all()
    }
}

/// Work that several calls of one object await.
#[derive(Clone)]
pub struct Flight(Shared<LocalBoxFuture<'static, Result<String, Fault>>>);

impl Flights for SimHost {
    type Flight = Flight;

    fn start(&self, work: impl Future<Output = Result<String, Fault>> + 'static) -> Flight {
        let flight = current::within(current::request_id(), work).boxed_local().shared();
        let driven = flight.clone();
        self.world.executor.spawn(self.owner, async move {
            let _ = driven.await;
        });
        Flight(flight)
    }

    async fn join(&self, flight: &Flight) -> Result<String, Fault> {
        flight.0.clone().await
    }

    fn same(&self, one: &Flight, other: &Flight) -> bool {
        one.0.ptr_eq(&other.0)
    }
}

impl Host for SimHost {
    fn object_id(&self) -> String {
        self.object.as_ref().map(|object| object.id.clone()).unwrap_or_default()
    }
}
