//! What happens to calls on their way: outages of all kinds.

use super::backoff::CALLS_PER_HOUR;
use super::play_support::{HTML, body, says};
use super::test_support::secs;
use super::world::World;
use super::*;
use base::clock::Timestamp;
use base::secret::Secret;
use std::time::Duration;

/// splitmix64.
pub(super) struct Rng(pub u64);

impl Rng {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// How an upstream is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Down {
    Unreachable,
    /// The call never arrives.
    Silent,
    /// The call arrives and its answer does not.
    Mute,
    /// It does its work, and breaks off in the middle of the answer.
    Half,
    Error,
    Html,
    Limited(Option<u64>),
    Redirects,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crash {
    /// The intent is written, and no call is made.
    BeforeCall,
    /// The upstream has answered, and nobody writes it down.
    BeforeWrite,
    AfterWrite,
}

#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub how: Down,
    /// In the addresses that are down; empty for all.
    pub of: &'static str,
    pub until: Timestamp,
    pub calls: Vec<Timestamp>,
}

impl World {
    /// What comes back, and when.
    pub fn call(&mut self, call: &Call) -> (Answer, Duration) {
        let now = self.now();
        self.calls.push(now);
        if let Some(used) = body(call).split("refresh_token=").nth(1) {
            let newest = self.k.tokens.as_ref().and_then(|t| t.refresh.as_ref());
            assert!(newest.is_none_or(|r| r.expose() == used), "the seed, or an old one, is used again");
        }
        self.outage.take_if(|o| o.until <= now);
        let quick = Duration::from_millis(50 + self.rng.below(3000));
        let Some(outage) = self.outage.as_mut().filter(|o| call.url.contains(o.of)) else {
            let (status, text) = self.upstream.serve(call, now);
            self.asked_since |= !call.url.starts_with("https://service");
            return (says(status, &text), quick);
        };
        outage.calls.push(now);
        let hour = outage.calls.iter().filter(|at| now.since(**at) < secs(3600)).count();
        assert!(hour <= CALLS_PER_HOUR, "{hour} calls in an hour of outage");
        match outage.how {
            Down::Unreachable => (Answer::Unreachable, quick),
            Down::Silent => (Answer::TimedOut, call.timeout),
            Down::Error => (says(503, HTML), quick),
            Down::Html => (says(200, HTML), quick),
            Down::Redirects => (says(302, ""), quick),
            Down::Limited(seconds) => {
                let retry_after = seconds.map(Duration::from_secs);
                (Answer::Response { status: 429, retry_after, body: Secret::new(HTML) }, quick)
            }
            how @ (Down::Mute | Down::Half) => {
                let (status, text) = self.upstream.serve(call, now);
                self.lost += u32::from(status == 200);
                if how == Down::Mute {
                    return (Answer::TimedOut, call.timeout);
                }
                (says(status, &text[..text.len() / 2]), quick)
            }
        }
    }
}
