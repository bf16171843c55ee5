//! Requests that no decent client sends, and what every answer promises, against the real handlers and objects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::unchecked_time_subtraction)] // Of constants.

mod admin;
mod admins;
mod audit;
mod audit_trail;
mod bearer_errors;
mod browser_seconds;
mod conventions;
mod cookies;
mod cookies_disagreeing;
mod cookies_of_others;
mod cors;
mod forms;
mod fresh_logins;
mod guessing;
mod guessing_at_once;
mod guessing_many;
mod hostile_bodies;
mod hostile_claims;
mod hostile_encoding;
mod hostile_json;
mod hostile_refresh;
mod hostile_strings;
mod hostile_tokens;
mod key_rights;
mod late;
mod listed;
mod memory;
mod metrics;
mod oauth;
mod oauth_token;
mod on_call;
mod other_portals;
mod owner;
mod passwords;
mod portal_pages;
mod portal_rights;
mod portal_states;
mod proxy;
mod reauthenticate;
mod refresh_ways;
mod routes;
mod screenshots;
mod service_keys;
mod signing_keys;
mod spellings;
mod support;
mod well_known;
