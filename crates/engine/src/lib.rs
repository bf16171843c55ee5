//! The Durable Objects: load, decide, store, effects. Each is generic over its [`host`], so the same code runs on Workers
//! and in the simulation.

pub mod host;
