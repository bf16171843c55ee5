//! What an object has of the platform: its own storage and alarm, and everything that handlers have.

use super::{Workers, storage::SyncKv};
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::fault::Fault;
use base::page::{self, Fetch};
use base::ports::{Background, Bucket, Clock, KeyPage, Kv, Log, Net, Random, Stored, Timer};
use base::rpc::{CallError, Class, Method, Name, Peers, Unreachable};
use base::socket::{Connect, Opened};
use config::{App, Faults, Settings};
use engine::host::Host;
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;
use worker::{Env, State};

/// The host of one instance of an object. Its storage is in `storage`.
#[derive(Clone)]
pub struct ObjectHost(Rc<Object>);

struct Object {
    state: State,
    kv: Result<SyncKv, Fault>,
    workers: Workers,
}

impl ObjectHost {
    pub fn new(state: State, env: Env) -> Self {
        let kv = SyncKv::of(&state);
        Self(Rc::new(Object { state, kv, workers: Workers::new(env) }))
    }

    pub(super) fn state(&self) -> &State {
        &self.0.state
    }

    pub(super) fn kv(&self) -> Result<&SyncKv, Fault> {
        self.0.kv.as_ref().map_err(Clone::clone)
    }
}

impl Host for ObjectHost {
    fn object_id(&self) -> String {
        self.0.state.id().to_string()
    }
}

impl Background for ObjectHost {
    fn wait_until(&self, work: impl Future<Output = ()> + 'static) {
        self.0.state.wait_until(super::boxed(work));
    }
}

impl Clock for ObjectHost {
    fn now(&self) -> Timestamp {
        self.0.workers.now()
    }
}

impl Random for ObjectHost {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.0.workers.fill(bytes)
    }
}

impl Log for ObjectHost {
    fn info(&self, line: &str) {
        self.0.workers.info(line);
    }

    fn error(&self, line: &str) {
        self.0.workers.error(line);
    }
}

impl Timer for ObjectHost {
    async fn sleep(&self, time: Duration) {
        self.0.workers.sleep(time).await;
    }
}

impl Net for ObjectHost {
    async fn call(&self, call: &Call) -> Answer {
        self.0.workers.call(call).await
    }

    async fn fetch(&self, fetch: &Fetch) -> page::Answer {
        self.0.workers.fetch(fetch).await
    }

    async fn connect(&self, to: &Connect) -> Opened {
        self.0.workers.connect(to).await
    }
}

impl Settings for ObjectHost {
    fn settings(&self) -> Result<Rc<App>, Rc<Faults>> {
        self.0.workers.settings()
    }
}

impl Kv for ObjectHost {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, Fault> {
        self.0.workers.kv_get(key).await
    }

    async fn kv_put(&self, key: &str, value: &str, ttl: Duration, more: Option<&Value>) -> Result<(), Fault> {
        self.0.workers.kv_put(key, value, ttl, more).await
    }

    async fn kv_delete(&self, key: &str) -> Result<(), Fault> {
        self.0.workers.kv_delete(key).await
    }

    async fn kv_list(&self, prefix: &str, limit: u64, cursor: Option<&str>) -> Result<KeyPage, Fault> {
        self.0.workers.kv_list(prefix, limit, cursor).await
    }
}

impl Bucket for ObjectHost {
    fn has_bucket(&self) -> bool {
        self.0.workers.has_bucket()
    }

    async fn bucket_put(&self, key: &str, object: &Stored) -> Result<(), Fault> {
        self.0.workers.bucket_put(key, object).await
    }

    async fn bucket_get(&self, key: &str) -> Result<Option<Stored>, Fault> {
        self.0.workers.bucket_get(key).await
    }

    async fn bucket_delete(&self, key: &str) -> Result<(), Fault> {
        self.0.workers.bucket_delete(key).await
    }
}

impl Peers for ObjectHost {
    async fn attempt(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        json: &str,
    ) -> Result<String, CallError> {
        self.0.workers.attempt(class, name, method, json).await
    }

    fn unique_id(&self, class: Class) -> Result<String, Unreachable> {
        self.0.workers.unique_id(class)
    }

    fn is_id(&self, class: Class, id: &str) -> bool {
        self.0.workers.is_id(class, id)
    }
}
