//! Upstreams and portals, as they behave: for tests, which say what goes wrong, and for random sequences, where chance does.

pub mod accounts;
pub mod bank;
pub mod portal;
pub mod portal_pages;
pub mod receiver;
