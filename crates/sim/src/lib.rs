//! Development only: a whole deployment in one process. All objects run their real engines (crates/engine) over ports that
//! the simulation implements: storage, alarms, KV, calls between objects, upstreams, time. Everything is decided by a seed.
//!
//! # A test in fair weather
//!
//! ```text
//! let world = sim::World::new(&[("UPSTOX_ACCOUNT_IDS", "a")]);      // beside sim::SETTINGS, which are enough to start
//! world.register::<engine::upstream::Upstream<sim::SimHost>>(Class::Upstream);
//! world.upstream("api.upstox.com", sim::net::Answers(|call: &Call| sim::net::json(200, &json!({…}))));
//! world.at(Timestamp::parse_rfc3339("2026-06-01T02:00:00Z").unwrap());   // the clock
//! let reply = world.send(&keeper::address(&key), &command)?;        // runs until the reply is there
//! world.advance(Duration::from_secs(60));                           // timers and alarms come in their order
//! world.evict(Class::Upstream, "upstox/a");                         // memory gone, storage kept
//! world.kill(Class::Upstream, "upstox/a");                          // also its tasks and what is not durable
//! assert!(world.kv().contains_key("upstox_access_token:a"));        // value, metadata, expires_at
//! assert!(world.rows(Class::Upstream, "upstox/a").contains_key("account"));
//! assert!(world.logs().iter().all(|line| !line.error));
//! ```
//!
//! - `world.run_until(future)` runs any future; time goes by only as far as it must. Two things at once: `world.spawn(…)` one
//!   of them, or join both in one future; `world.settle()` does all that can be done without time going by, and
//!   `world.step(until)` a single turn, after which everything may be looked at.
//! - `world.host()` has the ports as a caller has them (`host.send(…).await`, `host.sleep(…).await`), `world.worker()` as a
//!   request has them. An upstream that takes its time keeps a host and sleeps: `impl Upstream` instead of `Answers`.
//! - Objects are named as in an address: by name, or by id (64 hexadecimal digits). `world.ids(class)` lists them.
//! - `world.sql(class, name, query)`, `world.alarm(class, name)`, `world.put_row(…)`, `world.deploy(&[(setting, value)])`.
//! - `World::complete(seed, settings)` has every engine that there is, and `world.request("POST", "/auth/login", &[("x-api-key",
//!   key)], Some(&json))` goes through the fast path and the handlers as in production: `.status`, `.json()`, `.header(name)`.
//!   `world.cron("* * * * *")` runs a Cron Trigger.
//! - Passwords are hashed at next to no cost, whatever the settings say.
//!
//! # How it keeps the platform's promises
//!
//! One poll of a task is a turn. What a turn writes (rows, SQL, the alarm) is one batch; a reply, a call to an object, an
//! upstream or KV leaves only when it is durable; a write before an error stays. A kill takes an instance's memory, tasks and
//! unflushed batch. An alarm comes at least once; a failing one six times again, then no more. An alarm that is being
//! handled is not set. A message that has left arrives, whoever has been killed meanwhile, unless the weather loses it: then
//! the caller gets a retryable error, as from the platform.
//!
//! # In rough weather
//!
//! `world.weather().rough(odds)` makes each fault happen as often as [`weather::Odds`] says, by the world's seed;
//! `world.shuffle(true)` draws the order of what is ready by lot; `world.weather().clear()` ends it. An alarm may come late or
//! once more; a message may be lost, or come although its sender was told that it is lost; a write to rows or tables may fail
//! before or after it is done.
//!
//! # Random sequences
//!
//! [`sequence`] runs them: a scenario ([`sequence::Scenario`]) plans steps by the seed, its callers note what they are told,
//! and what becomes durable is looked at after each turn. Upstreams and portals are those of [`fakes`], which tests use too.
//! Worlds of sequences use the emptied databases of those before them, and what was made of the same settings.

// A tool for tests: a fault in it is to stop it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::missing_panics_doc)]

pub mod bucket;
mod deployment;
pub mod executor;
pub mod fakes;
mod host;
pub mod kv;
pub mod net;
pub mod portals;
pub mod requests;
pub mod rng;
pub mod sequence;
pub mod storage;
mod tokens;
mod usage;
mod users;
pub mod weather;
mod world;

pub use deployment::Line;
pub use executor::give_way;
pub use host::SimHost;
pub use requests::{Answered, Request, request};
pub use usage::Usage;
pub use world::{BEGINNING, World};

/// What a deployment needs to start.
pub const SETTINGS: &[(&str, &str)] = &[
    ("ENVIRONMENT", "development"),
    ("TOKEN_SIGNING_KEYS", "s1:signing-key-of-the-simulation-0123456789abcdef"),
    ("SEALING_KEYS", "k1:sealing-key-of-the-simulation-0123456789abcdef"),
    ("BOOTSTRAP_KEY", "bootstrap-key-of-the-simulation-0123456789"),
    ("SERVICE_AUTH", "off"),
];
