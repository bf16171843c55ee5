//! The document as a whole, and how to log in.

use super::members::{Members, Told};
use super::{Document, Login, operations};
use crate::browser::Site;
use base::settings::is_base_url;
use serde_json::Value;
use std::time::Duration;

pub(super) fn document(told: &Told, value: Value) -> Option<Document> {
    let mut all = Members::of(told, "portal", String::new(), value)?;
    let base_url = all.optional_text("base_url").unwrap_or_default();
    let base_url = base_url.trim_end_matches('/').to_owned();
    let hosts = all.texts("hosts");
    let user_agent = all.visible("user_agent");
    let error_classes = all.texts("error_classes");
    let login = all.object("login", "login").map(login);
    let home_path = all.object("keep_alive", "keep_alive").map(|mut one| one.path("path"));
    let logout_path = all.object("logout", "logout").map(|mut one| one.path("path"));
    let operations = operations::read(&mut all);
    if !base_url.is_empty() && !is_base_url(&base_url) {
        let what = "must be https://… without a query or credentials (http:// for loopback only)";
        all.fault("base_url", what);
    } else if !base_url.is_empty() && Site::new(&base_url, &hosts, Duration::ZERO, "").is_none() {
        all.fault("hosts", "and base_url are not the addresses of hosts");
    }
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    if hosts.iter().any(|host| !host.bytes().all(is_host)) {
        all.fault("hosts", "must be host names, with a port where it is not the usual one");
    }
    Some(Document {
        base_url,
        hosts,
        user_agent,
        error_classes,
        login: login?,
        home_path: home_path?,
        logout_path: logout_path?,
        operations,
    })
}

fn login(mut one: Members<'_>) -> Login {
    Login {
        path: one.path("path"),
        username_input: one.text("username_input"),
        password_input: one.text("password_input"),
        captcha_input: one.optional_text("captcha_input"),
        logged_out: one.texts("logged_out"),
        credentials_refused: one.texts("credentials_refused"),
        account_locked: one.texts("account_locked"),
        captcha_refused: one.texts("captcha_refused"),
    }
}
