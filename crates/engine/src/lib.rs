//! The Durable Objects: load, decide, store, effects. Each is generic over its [`host`], so the same code runs on Workers
//! and in the simulation.

mod alerts;
pub mod audit_trail;
pub mod cron;
pub mod directory;
pub mod evict;
pub mod host;
pub mod log;
pub mod parsed;
pub mod portal;
pub mod portal_registry;
pub mod roster;
pub mod session;
pub mod upstream;
pub mod user;
mod webhook;
