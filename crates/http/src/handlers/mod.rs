//! The handlers of the routes: what is given is read and checked, becomes typed commands for objects, and their replies
//! become the answer.

pub mod admin_keys;
pub mod admin_reset;
pub mod admin_sessions;
pub mod admin_unlock;
pub mod admin_users;
pub(crate) mod body;
pub mod debug;
mod device_token;
pub mod facturify;
pub mod guessing;
pub mod health;
mod kv_cursor;
pub mod login;
pub mod logout;
pub mod metrics;
pub mod mock;
pub mod notifier;
pub mod oauth;
pub mod oauth_token;
pub mod own_password;
pub mod own_sessions;
pub mod portal;
mod portal_fields;
pub mod portal_pages;
pub mod post_login;
mod post_login_fields;
pub mod reauthenticate;
pub mod refresh;
pub mod sample;
pub mod sealing_keys;
pub mod service_auth;
mod session_start;
pub mod tokens;
pub mod upstox;
mod user_change;
pub mod well_known;
