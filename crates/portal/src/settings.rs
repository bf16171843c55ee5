//! The settings of portal sessions.

use crate::browser::Site;
use crate::document;
use crate::document::Document;
use crate::{
    AnyDriver, ApiDriver, BrowserAt, BrowserDriver, Browsers, Captcha, EMODAL, PageDriver, Policy, Portals,
};
use base::event::EventTypes;
use base::settings::{self as s, Reader};
use std::collections::BTreeMap;
use std::time::Duration;

/// `events`: what others are told of.
pub fn portals(r: &mut Reader<'_>, events: EventTypes) -> Portals {
    let seconds = Duration::from_secs;
    let timeout = seconds(r.number(&s::PORTAL_TIMEOUT_SECONDS));
    let captcha = Captcha {
        base_url: r.url(&s::CAPTCHA_BASE_URL).unwrap_or_default(),
        poll: Duration::from_millis(r.number(&s::CAPTCHA_POLL_MILLISECONDS)),
        timeout: seconds(r.number(&s::CAPTCHA_TIMEOUT_SECONDS)),
        tasks_max: r.number32(&s::CAPTCHA_TASKS_MAX),
        call_timeout: timeout.min(seconds(30)),
    };
    let browsers = browsers(r);
    let base_url = r.url(&s::EMODAL_BASE_URL);
    let hosts = r.hosts(&s::EMODAL_HOSTS);
    let pages = r.members(&s::EMODAL_PAGES).unwrap_or_default();
    let issuer = r.url(&s::EMODAL_ISSUER).unwrap_or_default();
    let driven = r.word(&s::EMODAL_DRIVER);
    let emodal = document::emodal_with(&driven, base_url.as_deref(), &issuer, pages).map_err(|faults| {
        r.faults.extend(faults.into_iter().map(|fault| format!("EMODAL_PAGES{fault}")));
    });
    let mut portals = BTreeMap::new();
    if let Ok(mut portal) = emodal {
        let site = base_url.as_ref().map(|url| Site::new(url, &hosts, timeout, &portal.user_agent));
        if r.faults.is_empty() && site.is_some_and(|site| site.is_none()) {
            r.faults.push("EMODAL_BASE_URL and EMODAL_HOSTS are not the addresses of hosts".to_owned());
        }
        portal.hosts.extend(hosts);
        portals.insert(EMODAL.to_owned(), driver(portal, timeout, &captcha, &browsers));
    }
    for setting in &s::PORTALS {
        for (name, value) in r.members(setting).unwrap_or_default() {
            let mut fault = |what: &str| r.faults.push(format!("{}: {name}{what}", setting.name));
            if !is_name(&name) {
                fault(" must be a name of 1 to 32 lower-case letters, digits or -");
            } else if name == EMODAL {
                fault(" is there already: EMODAL_BASE_URL sets it up");
            } else if portals.contains_key(&name) {
                fault(" stands there twice");
            }
            match Document::read(value) {
                Ok(portal) => {
                    if portal.base_url.is_empty() {
                        fault("/base_url is missing");
                    }
                    portals.insert(name, driver(portal, timeout, &captcha, &browsers));
                }
                Err(faults) => faults.iter().for_each(|f| fault(&format!("{} {}", f.path, f.what))),
            }
        }
    }
    Portals {
        portals,
        browsers,
        screenshots: Duration::from_hours(r.number(&s::PORTAL_SCREENSHOT_HOURS)),
        policy: Policy {
            keep_alive: seconds(r.number(&s::PORTAL_KEEP_ALIVE_SECONDS)),
            jitter_percent: r.number32(&s::PORTAL_KEEP_ALIVE_JITTER_PERCENT),
            idle: seconds(r.number(&s::PORTAL_SESSION_IDLE_SECONDS)),
            wizard_idle: seconds(r.number(&s::APPOINTMENT_SESSION_IDLE_SECONDS)),
            sessions_max: usize::try_from(r.number(&s::PORTAL_SESSIONS_MAX)).unwrap_or(1),
            relogin: r.word(&s::PORTAL_RELOGIN) != "off",
            relogin_unused: seconds(r.number(&s::PORTAL_RELOGIN_UNUSED_SECONDS)),
            cooldown: seconds(r.number(&s::PORTAL_REFUSED_COOLDOWN_SECONDS)),
            logins_per_hour: usize::try_from(r.number(&s::PORTAL_LOGINS_PER_HOUR)).unwrap_or(1),
            timeout: seconds(r.number(&s::PORTAL_OPERATION_TIMEOUT_SECONDS)),
            events,
        },
    }
}

/// The driver that a document asks for.
fn driver(portal: Document, timeout: Duration, captcha: &Captcha, browsers: &Browsers) -> AnyDriver {
    let captcha = captcha.clone();
    if portal.in_browser.is_some() {
        return AnyDriver::InBrowser(BrowserDriver { portal, timeout, captcha, browsers: browsers.clone() });
    }
    if portal.api.is_some() {
        return AnyDriver::Api(ApiDriver { portal, timeout, captcha });
    }
    AnyDriver::Pages(PageDriver { portal, timeout, captcha })
}

fn browsers(r: &mut Reader<'_>) -> Browsers {
    let binding = Some(r.text(&s::PORTAL_BROWSER_BINDING)).filter(|name| !name.is_empty());
    let url = r.url(&s::PORTAL_BROWSER_URL);
    if binding.is_some() && url.is_some() {
        r.faults.push("PORTAL_BROWSER_URL and PORTAL_BROWSER_BINDING are two browsers: set one".to_owned());
    }
    let seconds = Duration::from_secs;
    Browsers {
        at: url.map(BrowserAt::Url).or(binding.map(BrowserAt::Binding)),
        max: usize::try_from(r.number(&s::PORTAL_BROWSERS_MAX)).unwrap_or(1),
        wait: seconds(r.number(&s::PORTAL_BROWSER_WAIT_SECONDS)),
        human: seconds(r.number(&s::PORTAL_HUMAN_SECONDS)),
    }
}

/// Of a portal: it stands in addresses and in the names of objects.
fn is_name(name: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(is_fine)
}
