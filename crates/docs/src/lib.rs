//! What `docs/` has from the code: tables between marks, written by a test with `WRITE_DOCS=1` and held to the code without.

pub mod error_texts;
pub mod llms;
pub mod marked;
pub mod openapi;
pub mod settings;
pub mod tables;
