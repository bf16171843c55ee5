//! `docs/openapi.json`: `OpenAPI` 3.1, from the one table of routes and the types of bodies and answers.

mod bodies;
mod checker;
mod constant;
mod document;
mod errors;
mod examples;
mod operation;
mod portal_answers;
mod routes;

pub use checker::{Exchange, check, fits};
pub use document::{ANY_OPERATION, document};
pub use examples::example;
pub use operation::Operation;
pub use routes::of;
