//! What the platform asks for, and what it comes to.

use sim::Usage;

/// Where the prices stand, and when they were read. Paid plan; what the plan includes is not taken off.
pub const SOURCE: &str =
    "the pricing pages of Workers, Durable Objects and KV (developers.cloudflare.com), November 2026";

/// Thousandths of a dollar for a million.
const REQUEST: u64 = 300;
const CPU_MILLISECOND: u64 = 20;
/// A call of an object, and an alarm that comes.
const OBJECT_REQUEST: u64 = 150;
/// An alarm that is set is a row written.
const ROW_WRITTEN: u64 = 1_000;
const ROW_READ: u64 = 1;
const KV_READ: u64 = 500;
/// A write, a deletion or a list.
const KV_WRITE: u64 = 5_000;

/// What a million times this costs, in thousandths of a dollar; `times` is how often it was done.
pub fn millidollars(usage: &Usage, cpu_micros: u64, times: u64) -> u64 {
    let sum = usage.requests * REQUEST
        + usage.object_requests * OBJECT_REQUEST
        + (usage.rows_written + usage.alarms_set) * ROW_WRITTEN
        + usage.rows_read * ROW_READ
        + usage.kv_reads * KV_READ
        + (usage.kv_writes + usage.kv_deletes + usage.kv_lists) * KV_WRITE;
    (sum + times * cpu_micros * CPU_MILLISECOND / 1_000).div_ceil(times)
}

pub fn dollars(millidollars: u64) -> String {
    format!("${}.{:02}", millidollars / 1_000, millidollars % 1_000 / 10)
}
