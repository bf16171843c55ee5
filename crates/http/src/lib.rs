//! Routes, what is read from requests, and answers.

pub mod access;
pub mod context;
pub mod error;
pub mod json;
pub mod language;
pub mod log;
pub mod portal_route;
pub mod portal_texts;
pub mod reply;
pub mod route;
pub mod token_route;
