//! What `docs/` says of the code, held to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod openapi;
mod pages;
mod support;
mod words;
