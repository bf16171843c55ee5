//! The handlers of the routes.

mod admin_keys;
mod admin_sessions;
mod admin_users;
mod body;
mod debug;
mod edge;
mod facturify;
mod health;
pub mod hot;
mod login;
mod mock;
mod notifier;
mod opening;
mod own_sessions;
mod portal;
mod portal_fields;
mod post_login;
mod refresh;
mod sample;
mod sealing_keys;
pub mod serve;
mod service_auth;
mod tokens;
mod upstox;
