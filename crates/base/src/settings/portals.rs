//! Portals and the captcha service.

use super::{Kind, Setting, number, word};

pub const EMODAL_BASE_URL: Setting = Setting {
    name: "EMODAL_BASE_URL",
    kind: Kind::Url,
    default: "",
    about: "The E-Modal portal; without it portal routes answer 503.",
};
pub const EMODAL_HOSTS: Setting = Setting {
    name: "EMODAL_HOSTS",
    kind: Kind::Hosts,
    default: "",
    about: "Hosts besides the portal's own that its login may lead to, such as its identity service.",
};
pub const EMODAL_PAGES: Setting = Setting {
    name: "EMODAL_PAGES",
    kind: Kind::Json,
    default: "",
    about: "Addresses and texts of its pages, where they are other than `docs/portal.md` says.",
};
pub const PORTAL_SESSIONS_MAX: Setting = number(
    "PORTAL_SESSIONS_MAX",
    1,
    1_000,
    "10",
    "Live portal sessions; the least recently used one over that is closed.",
);
pub const PORTAL_KEEP_ALIVE_SECONDS: Setting =
    number("PORTAL_KEEP_ALIVE_SECONDS", 1, 86_400, "300", "How often a keep-alive session loads a page.");
pub const PORTAL_KEEP_ALIVE_JITTER_PERCENT: Setting =
    number("PORTAL_KEEP_ALIVE_JITTER_PERCENT", 0, 50, "10", "How much earlier or later than that.");
pub const PORTAL_SESSION_IDLE_SECONDS: Setting = number(
    "PORTAL_SESSION_IDLE_SECONDS",
    1,
    86_400,
    "1800",
    "A portal session that is not kept alive ends when it was not used for this long.",
);
pub const APPOINTMENT_SESSION_IDLE_SECONDS: Setting = number(
    "APPOINTMENT_SESSION_IDLE_SECONDS",
    1,
    86_400,
    "600",
    "How long an appointment can be gone on with after its last step.",
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
    "A session that nobody has used for longer is logged in again only for whoever wants it.",
);
pub const PORTAL_REFUSED_COOLDOWN_SECONDS: Setting = number(
    "PORTAL_REFUSED_COOLDOWN_SECONDS",
    1,
    86_400,
    "900",
    "How long credentials that the portal refused are not tried again.",
);
pub const PORTAL_LOGINS_PER_HOUR: Setting = number(
    "PORTAL_LOGINS_PER_HOUR",
    1,
    60,
    "6",
    "Logins with the same credentials in any hour, but for those that found the portal down.",
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
pub const CAPTCHA_BASE_URL: Setting = Setting {
    name: "CAPTCHA_BASE_URL",
    kind: Kind::Url,
    default: "https://2captcha.com",
    about: "The captcha service, by 2captcha's protocol.",
};
pub const CAPTCHA_POLL_MILLISECONDS: Setting = number(
    "CAPTCHA_POLL_MILLISECONDS",
    1,
    60_000,
    "5000",
    "How often it is asked whether a captcha is solved.",
);
pub const CAPTCHA_TIMEOUT_SECONDS: Setting =
    number("CAPTCHA_TIMEOUT_SECONDS", 1, 300, "120", "Longest wait for the captcha of one login.");
pub const CAPTCHA_TASKS_MAX: Setting =
    number("CAPTCHA_TASKS_MAX", 1, 10, "2", "Most captchas that one login may cost.");
