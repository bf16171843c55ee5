//! KV: down, slow, stale, one write of a key a second.

use super::SimHost;
use crate::executor::Owner;
use crate::kv::Entry;
use crate::weather::Kind;
use base::fault::Fault;
use base::ports::{Clock as _, KV_TTL_MIN, KeyPage, Kv};
use serde_json::Value;
use std::time::Duration;

impl SimHost {
    async fn kv_call(&self, what: &str) -> Result<(), Fault> {
        self.gate().await;
        if self.world.weather.is_kv_down() || self.world.weather.strikes(Kind::KvDown, 1).is_some() {
            return Err(Fault(format!("KV {what} failed: 503")));
        }
        Ok(())
    }

    async fn kv_write(&self, key: &str, what: &str, entry: Option<Entry>) -> Result<(), Fault> {
        if key.is_empty() || key == "." || key == ".." || key.len() > 512 {
            return Err(Fault(format!("KV {what} failed: 414 the key is not allowed")));
        }
        self.kv_call(what).await?;
        self.world.used(|u| if entry.is_some() { u.kv_writes += 1 } else { u.kv_deletes += 1 });
        // A write that is on its way arrives, whoever has been killed meanwhile.
        let (sender, receiver) = crate::executor::channel();
        let (host, key, what) = (self.clone(), key.to_owned(), what.to_owned());
        let world = self.world.clone();
        let write = async move {
            if let Some(time) = host.world.weather.strikes(Kind::KvSlow, 20_000) {
                host.pause(time).await;
            }
            let time = host.world.executor.now();
            let mut kv = host.world.kv.borrow_mut();
            if !host.world.weather.is_clear() && kv.too_soon(&key, time) {
                drop(kv);
                sender.send(Err(Fault(format!("KV {what} failed: 429 Too Many Requests"))));
                return;
            }
            let stale = host.world.weather.strikes(Kind::KvStale, 60_000).unwrap_or(0);
            kv.write(&key, entry, time, time + stale);
            drop(kv);
            sender.send(Ok(()));
        };
        world.executor.spawn(Owner::World, write);
        receiver.await.unwrap_or_else(|| Err("KV is gone".into()))
    }
}

impl Kv for SimHost {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, Fault> {
        self.kv_call("GET").await?;
        self.world.used(|u| u.kv_reads += 1);
        Ok(self.world.kv.borrow().get(key, self.now(), self.world.executor.now()))
    }

    async fn kv_put(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
        metadata: Option<&Value>,
    ) -> Result<(), Fault> {
        if ttl < KV_TTL_MIN {
            return Err("KV PUT failed: 400 Invalid expiration_ttl".into());
        }
        if metadata.is_some_and(|m| m.to_string().len() > 1024) {
            return Err("KV PUT failed: 413 the metadata is too long".into());
        }
        let expires_at = self.now().plus(ttl);
        let entry = Entry { value: value.to_owned(), expires_at, metadata: metadata.cloned() };
        self.kv_write(key, "PUT", Some(entry)).await
    }

    async fn kv_delete(&self, key: &str) -> Result<(), Fault> {
        self.kv_write(key, "DELETE", None).await
    }

    async fn kv_list(&self, prefix: &str, limit: u64, cursor: Option<&str>) -> Result<KeyPage, Fault> {
        self.kv_call("LIST").await?;
        self.world.used(|u| u.kv_lists += 1);
        Ok(self.world.kv.borrow().list(prefix, limit, cursor, self.now()))
    }
}
