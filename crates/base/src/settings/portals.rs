//! Portals and the captcha service.

use super::{Kind, Setting, number, word};

pub const EMODAL_BASE_URL: Setting = Setting {
    name: "EMODAL_BASE_URL",
    kind: Kind::Url,
    default: "",
    about: "Address of the E-Modal portal. Not set: its routes answer 503.",
};
pub const EMODAL_DRIVER: Setting = word(
    "EMODAL_DRIVER",
    &["pages", "browser", "api"],
    "pages",
    "How E-Modal is driven: as plain pages, in a browser, or by its API behind OpenID Connect.",
);
pub const EMODAL_ISSUER: Setting = Setting {
    name: "EMODAL_ISSUER",
    kind: Kind::Url,
    default: "",
    about: "Where its OpenID Connect provider is, for `EMODAL_DRIVER=api`. Not set: the one that its document names.",
};
pub const EMODAL_HOSTS: Setting = Setting {
    name: "EMODAL_HOSTS",
    kind: Kind::Hosts,
    default: "",
    about: "Other hosts that the portal's login may lead to, such as its identity service.",
};
pub const EMODAL_PAGES: Setting = Setting {
    name: "EMODAL_PAGES",
    kind: Kind::Json,
    default: "",
    about: "Addresses and texts of its pages, where they are other than [assumed](portal.md#pages).",
};
pub const PORTALS: [Setting; 4] = [
    others("PORTALS", "Other portals: a JSON object of their [documents](portal-documents.md) by name."),
    others("PORTALS_2", "More of them: a variable holds 5 kB."),
    others("PORTALS_3", "More of them: a variable holds 5 kB."),
    others("PORTALS_4", "More of them: a variable holds 5 kB."),
];
const fn others(name: &'static str, about: &'static str) -> Setting {
    Setting { name, kind: Kind::Json, default: "", about }
}
pub const PORTAL_SESSIONS_MAX: Setting = number(
    "PORTAL_SESSIONS_MAX",
    1,
    1_000,
    "10",
    "Most live portal sessions; a new one over that closes the least recently used.",
);
pub const PORTAL_KEEP_ALIVE_SECONDS: Setting = number(
    "PORTAL_KEEP_ALIVE_SECONDS",
    1,
    86_400,
    "300",
    "How often a session that is kept alive loads a page.",
);
pub const PORTAL_KEEP_ALIVE_JITTER_PERCENT: Setting =
    number("PORTAL_KEEP_ALIVE_JITTER_PERCENT", 0, 50, "10", "How much earlier or later than that.");
pub const PORTAL_SESSION_IDLE_SECONDS: Setting = number(
    "PORTAL_SESSION_IDLE_SECONDS",
    1,
    86_400,
    "1800",
    "A portal session that is not kept alive ends after this long without use.",
);
pub const APPOINTMENT_SESSION_IDLE_SECONDS: Setting = number(
    "APPOINTMENT_SESSION_IDLE_SECONDS",
    1,
    86_400,
    "600",
    "How long after its last step an appointment can be continued.",
);
pub const PORTAL_RELOGIN: Setting = word(
    "PORTAL_RELOGIN",
    &["on", "off"],
    "on",
    "Whether a session that the portal has ended is logged in again, once.",
);
pub const PORTAL_RELOGIN_UNUSED_SECONDS: Setting = number(
    "PORTAL_RELOGIN_UNUSED_SECONDS",
    0,
    31_536_000,
    "86400",
    "A session that nobody has used for longer than this is not logged in again by itself.",
);
pub const PORTAL_REFUSED_COOLDOWN_SECONDS: Setting = number(
    "PORTAL_REFUSED_COOLDOWN_SECONDS",
    1,
    86_400,
    "900",
    "How long credentials are not tried again after the portal has refused them.",
);
pub const PORTAL_LOGINS_PER_HOUR: Setting = number(
    "PORTAL_LOGINS_PER_HOUR",
    1,
    60,
    "6",
    "Most logins with the same credentials in any hour; those that found the portal down do not count.",
);
pub const PORTAL_TIMEOUT_SECONDS: Setting =
    number("PORTAL_TIMEOUT_SECONDS", 1, 120, "60", "Longest single call to a portal.");
pub const PORTAL_OPERATION_TIMEOUT_SECONDS: Setting = number(
    "PORTAL_OPERATION_TIMEOUT_SECONDS",
    1,
    600,
    "300",
    "Longest login or operation at a portal, with all its calls.",
);
pub const PORTAL_BROWSER_URL: Setting = Setting {
    name: "PORTAL_BROWSER_URL",
    kind: Kind::Url,
    default: "",
    about: "Address of the DevTools endpoint of a Chromium, for portals that need a browser.",
};
pub const PORTAL_BROWSER_BINDING: Setting = Setting {
    name: "PORTAL_BROWSER_BINDING",
    kind: Kind::Text,
    default: "",
    about: "Name of a Browser Run binding, instead of that address.",
};
pub const PORTAL_BROWSERS_MAX: Setting = number(
    "PORTAL_BROWSERS_MAX",
    1,
    1_000,
    "2",
    "Most browsers of the deployment at once. Who finds none free waits in a queue.",
);
pub const PORTAL_BROWSER_WAIT_SECONDS: Setting =
    number("PORTAL_BROWSER_WAIT_SECONDS", 1, 300, "30", "Longest wait for a free browser.");
pub const PORTAL_SCREENSHOT_HOURS: Setting =
    number("PORTAL_SCREENSHOT_HOURS", 1, 168, "24", "How long a screenshot can be read.");
pub const PORTAL_HUMAN_SECONDS: Setting = number(
    "PORTAL_HUMAN_SECONDS",
    30,
    3_600,
    "600",
    "How long a login waits, in an open browser, for what only a person can do.",
);
pub const CAPTCHA_BASE_URL: Setting = Setting {
    name: "CAPTCHA_BASE_URL",
    kind: Kind::Url,
    default: "https://2captcha.com",
    about: "Address of the captcha service; it speaks 2captcha's protocol.",
};
pub const CAPTCHA_POLL_MILLISECONDS: Setting = number(
    "CAPTCHA_POLL_MILLISECONDS",
    1,
    60_000,
    "5000",
    "How often the captcha service is asked whether a captcha is solved.",
);
pub const CAPTCHA_TIMEOUT_SECONDS: Setting =
    number("CAPTCHA_TIMEOUT_SECONDS", 1, 300, "120", "Longest wait for the captcha of one login.");
pub const CAPTCHA_TASKS_MAX: Setting =
    number("CAPTCHA_TASKS_MAX", 1, 10, "2", "Most captchas that one login may buy.");
