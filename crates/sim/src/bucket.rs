//! R2: what lies in a bucket, and whether it answers.

use base::ports::Stored;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub struct BucketStore {
    pub objects: BTreeMap<String, Stored>,
    /// Every call fails.
    pub is_down: bool,
}
