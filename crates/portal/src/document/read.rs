//! The document as a whole, and how to log in.

use super::api::{self, Api};
use super::browser::{self, InBrowser};
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
    let driver = if all.has("driver") { all.word("driver", &["pages", "browser", "api"]) } else { "pages" };
    let (in_browser, is_api) = (driver == "browser", driver == "api");
    // A browser has one of its own.
    let needs_agent = !in_browser || all.has("user_agent");
    let user_agent = if needs_agent { all.visible("user_agent") } else { String::new() };
    let error_classes = if in_browser || is_api { Vec::new() } else { all.texts("error_classes") };
    let proxy = if in_browser { all.optional_text("proxy") } else { None };
    let kind = match driver {
        "browser" => "login_in_browser",
        "api" => "login_by_openid_connect",
        _ => "login",
    };
    let login = all.object(kind, "login").map(|one| login(one, driver, &base_url));
    // An API has neither: a token is renewed and taken back.
    let (mut home_path, mut logout_path) = (Some(String::new()), Some(String::new()));
    let mut logout_done = None;
    if !is_api {
        home_path = all.object("keep_alive", "keep_alive").map(|mut one| one.path("path"));
        let kind = if in_browser { "logout_in_browser" } else { "logout" };
        let mut logout = all.object(kind, "logout");
        logout_path = logout.as_mut().map(|one| one.path("path"));
        let done = logout.as_mut().filter(|_| in_browser);
        logout_done = done.and_then(|one| browser::optional_condition(one, "done"));
    }
    let operations = operations::read(&mut all, driver);
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
    let (login, steps, api) = login?;
    let mut hosts = hosts;
    hosts.extend(api.as_ref().and_then(Api::host));
    Some(Document {
        base_url,
        hosts,
        user_agent,
        error_classes,
        login,
        in_browser: steps.map(|steps| InBrowser { logout_done, proxy, ..steps }),
        api,
        home_path: home_path?,
        logout_path: logout_path?,
        operations,
    })
}

fn login(mut one: Members<'_>, driver: &str, base_url: &str) -> (Login, Option<InBrowser>, Option<Api>) {
    let (mut login, mut steps, mut by_openid) = (Login::default(), None, None);
    if driver == "browser" {
        steps = Some(browser::login(&mut one));
    } else {
        if driver == "api" {
            by_openid = Some(api::login(&mut one, base_url));
        } else {
            login.path = one.path("path");
        }
        login.username_input = one.text("username_input");
        login.password_input = one.text("password_input");
        login.captcha_input = one.optional_text("captcha_input");
        login.totp_input = one.optional_text("totp_input");
        login.refused_automation = one.texts("refused_automation");
    }
    login.logged_out = one.texts("logged_out");
    login.credentials_refused = one.texts("credentials_refused");
    login.account_locked = one.texts("account_locked");
    login.captcha_refused = one.texts("captcha_refused");
    (login, steps, by_openid)
}
