//! What a deployment has used of what its platform bills: counted where the ports are.

use std::ops::{Add, AddAssign, Sub};

/// Counts of what is billed. A row of the key-value interface is a row; an alarm that is set is a row written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests to the Worker.
    pub requests: u64,
    /// Calls of objects, and alarms that came.
    pub object_requests: u64,
    /// Rows that a query gave, and reads of single rows; also of one that is not there.
    pub rows_read: u64,
    pub rows_written: u64,
    pub alarms_set: u64,
    pub kv_reads: u64,
    pub kv_writes: u64,
    pub kv_deletes: u64,
    pub kv_lists: u64,
}

impl Usage {
    fn merged(self, other: Self, merge: fn(u64, u64) -> u64) -> Self {
        Self {
            requests: merge(self.requests, other.requests),
            object_requests: merge(self.object_requests, other.object_requests),
            rows_read: merge(self.rows_read, other.rows_read),
            rows_written: merge(self.rows_written, other.rows_written),
            alarms_set: merge(self.alarms_set, other.alarms_set),
            kv_reads: merge(self.kv_reads, other.kv_reads),
            kv_writes: merge(self.kv_writes, other.kv_writes),
            kv_deletes: merge(self.kv_deletes, other.kv_deletes),
            kv_lists: merge(self.kv_lists, other.kv_lists),
        }
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.merged(other, |a, b| a + b)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.merged(other, u64::saturating_sub)
    }
}
