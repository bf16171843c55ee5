//! R2: consistent, and sometimes not there.

use super::SimHost;
use crate::bucket::BucketStore;
use base::fault::Fault;
use base::ports::{Bucket, Stored};

impl SimHost {
    async fn bucket<T>(&self, what: impl FnOnce(&mut BucketStore) -> T) -> Result<T, Fault> {
        self.gate().await;
        let mut bucket = self.world.bucket.borrow_mut();
        let bucket = bucket.as_mut().ok_or("there is no bucket")?;
        if bucket.is_down { Err("R2 does not answer".into()) } else { Ok(what(bucket)) }
    }
}

impl Bucket for SimHost {
    fn has_bucket(&self) -> bool {
        self.world.bucket.borrow().is_some()
    }

    async fn bucket_put(&self, key: &str, object: &Stored) -> Result<(), Fault> {
        let size: usize = object.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > 8_192 {
            return Err("the metadata is too long".into());
        }
        self.bucket(|bucket| drop(bucket.objects.insert(key.to_owned(), object.clone()))).await
    }

    async fn bucket_get(&self, key: &str) -> Result<Option<Stored>, Fault> {
        self.bucket(|bucket| bucket.objects.get(key).cloned()).await
    }

    async fn bucket_delete(&self, key: &str) -> Result<(), Fault> {
        self.bucket(|bucket| drop(bucket.objects.remove(key))).await
    }
}
