//! Workers KV.

use super::{Workers, fault_of};
use base::clock::seconds_up;
use base::fault::Fault;
use base::ports::{Key, KeyPage, Kv};
use serde_json::Value;
use std::time::Duration;
use worker::KvStore;

const BINDING: &str = "KV";

impl Workers {
    fn kv(&self) -> Result<KvStore, Fault> {
        self.env.kv(BINDING).map_err(fault_of)
    }
}

impl Kv for Workers {
    async fn kv_get(&self, key: &str) -> Result<Option<String>, Fault> {
        self.kv()?.get(key).text().await.map_err(fault_of)
    }

    async fn kv_put(
        &self,
        key: &str,
        value: &str,
        ttl: Duration,
        metadata: Option<&Value>,
    ) -> Result<(), Fault> {
        let mut put = self.kv()?.put(key, value).map_err(fault_of)?.expiration_ttl(seconds_up(ttl));
        if let Some(metadata) = metadata {
            put = put.metadata(metadata).map_err(fault_of)?;
        }
        put.execute().await.map_err(fault_of)
    }

    async fn kv_delete(&self, key: &str) -> Result<(), Fault> {
        self.kv()?.delete(key).await.map_err(fault_of)
    }

    async fn kv_list(&self, prefix: &str, limit: u64, cursor: Option<&str>) -> Result<KeyPage, Fault> {
        let mut list = self.kv()?.list().prefix(prefix.to_owned()).limit(limit);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor.to_owned());
        }
        let page = list.execute().await.map_err(fault_of)?;
        Ok(KeyPage {
            keys: page.keys.into_iter().map(|key| Key { name: key.name, metadata: key.metadata }).collect(),
            cursor: page.cursor.filter(|_| !page.list_complete),
        })
    }
}
