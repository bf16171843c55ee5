//! Routes, what is read from requests, handlers, and answers.

pub mod access;
pub mod answers;
pub mod backend;
pub mod context;
pub mod cookies;
mod cors;
pub mod error;
pub mod error_code;
pub mod fast_path;
pub mod handlers;
pub mod json;
pub mod language;
pub mod log;
pub mod portal_texts;
pub mod reply;
pub mod request;
pub mod route;
pub mod serve;
mod trail;

pub use backend::{Backend, Instance};
pub use request::{HEADERS, Incoming, RequestHead};
pub use serve::serve;
