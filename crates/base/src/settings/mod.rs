//! Every setting there is. The table of docs/settings.md is made from [`SETTINGS`].

mod events;
mod origins;
mod portals;
mod post_login;
mod reader;
mod sessions;
mod upstreams;

pub use events::*;
pub use origins::Origins;
pub use portals::*;
pub use post_login::*;
pub use sessions::*;
pub use upstreams::*;

pub use crate::json::TWICE;
pub use reader::{NamedKey, Reader, SECRET_BYTES_MIN, is_base_url, is_url_with_query};

/// Where this runs, by the word of whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Production,
    /// Somebody's own machine.
    Development,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number within bounds, both included.
    Number { min: u64, max: u64 },
    /// One of a few words.
    Word(&'static [&'static str]),
    /// Free text of 1 to 200 characters.
    Text,
    /// `kid:secret`, several separated by commas; each secret of 32 bytes or more.
    Keys,
    /// The same, and `EdDSA:…` and `ES256:…` with a private key.
    SigningKeys,
    /// A secret of 32 bytes or more.
    Secret,
    /// A secret that somebody else made: 1 to 1,024 bytes.
    Credential,
    /// `https://…` without a query; `http://` for this machine only.
    Url,
    /// A number from 1.0 to 10.0.
    Base,
    /// `on`, `off`, or a share from 0.0 to 1.0.
    Share,
    /// Account ids, separated by commas.
    Accounts,
    /// A JSON object, one member for each account. Secret.
    Json,
    /// Host names with or without a port, separated by commas.
    Hosts,
    /// Origins of web pages, separated by commas.
    Origins,
    /// `whsec_` and base64, several separated by commas or spaces. Secret.
    WebhookKeys,
    /// Types of events, or the beginnings of their names, separated by commas.
    EventTypes,
}

/// One setting: an environment variable of the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: &'static str,
    pub kind: Kind,
    /// What holds when it is not set; empty where there is no default.
    pub default: &'static str,
    pub about: &'static str,
}

const fn number(
    name: &'static str,
    min: u64,
    max: u64,
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, kind: Kind::Number { min, max }, default, about }
}

const fn word(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Setting {
    Setting { name, kind: Kind::Word(words), default, about }
}

/// All of them, in the order of the table.
pub const SETTINGS: &[Setting] = &[
    TOKEN_SIGNING_KEYS,
    JWT_ALG,
    SEALING_KEYS,
    BOOTSTRAP_KEY,
    ADMIN_RESET_KEY,
    TOKEN_ISSUER,
    TOKEN_AUDIENCE,
    ACCESS_TOKEN_EXPIRE_MINUTES,
    ACCESS_TOKEN_EXPIRE_SECONDS,
    REFRESH_TOKEN_EXPIRE_DAYS,
    REFRESH_TOKEN_EXPIRE_SECONDS,
    SESSION_INACTIVITY_TIMEOUT_MINUTES,
    SESSION_INACTIVITY_TIMEOUT_SECONDS,
    SESSION_ABSOLUTE_LIFETIME_DAYS,
    SESSION_ABSOLUTE_LIFETIME_SECONDS,
    RECENT_LOGIN_MINUTES,
    RECENT_LOGIN_SECONDS,
    MAX_CONCURRENT_SESSIONS_PER_USER,
    SESSION_LIMIT_POLICY,
    REFRESH_GRACE_SECONDS,
    SESSION_CHECK,
    ARGON2_MEMORY_KIB,
    ARGON2_ITERATIONS,
    LOGIN_MAX_FAILURES,
    LOGIN_MAX_FAILURES_PER_ADDRESS,
    LOGIN_BLOCK_MAX_SECONDS,
    SERVICE_AUTH,
    ENVIRONMENT,
    JURISDICTION,
    LOCATION_HINT,
    UPSTREAM_LOCATION_HINT,
    ALLOWED_ORIGINS,
    COOKIE_SAME_SITE,
    EVENT_WEBHOOK_URL,
    EVENT_WEBHOOK_SECRET,
    EVENT_TYPES,
    BACKCHANNEL_LOGOUT_URL,
    DEBUG_ROUTES,
    REQUEST_LOG,
    AUDIT_TRAIL,
    FACTURIFY_BASE_URL,
    FACTURIFY_API_KEY,
    FACTURIFY_API_SECRET,
    FACTURIFY_TIMEOUT,
    FACTURIFY_MAX_RETRIES,
    FACTURIFY_RETRY_BACKOFF,
    FACTURIFY_TOKEN_REFRESH_BUFFER,
    FACTURIFY_TOKEN_LIFETIME_MAX_SECONDS,
    FACTURIFY_REFRESH_METHOD,
    UPSTOX_BASE_URL,
    UPSTOX_ACCOUNT_IDS,
    UPSTOX_ACCOUNT_IDS_MORE[0],
    UPSTOX_ACCOUNT_IDS_MORE[1],
    UPSTOX_ACCOUNT_IDS_MORE[2],
    INTERNAL_API_ACCOUNT_ID,
    TOKEN_REFRESH_SERVICE_URL,
    TOKEN_REFRESH_SERVICE_BINDING,
    TOKEN_REFRESH_SERVICE_KEY,
    TOKEN_REFRESH_SERVICE_KEY_HEADER,
    TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID,
    TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET,
    UPSTOX_APPS,
    UPSTOX_NOTIFIER_SECRET,
    OAUTH2_ACCOUNTS,
    UPSTREAM_TIMEOUT_SECONDS,
    UPSTREAM_MAX_RETRIES,
    UPSTREAM_RETRY_BACKOFF,
    UPSTREAM_WAIT_SECONDS,
    TOKEN_CHECK_MINUTES,
    UPSTREAM_DAILY_SPREAD_SECONDS,
    UPSTREAM_RENEWALS_AT_ONCE,
    ALERT_WEBHOOK_URL,
    ALERT_WEBHOOK_SECRET,
    ALERT_COLLECT_SECONDS,
    ALERT_EXPIRY_WARNING_MINUTES,
    CHANNELS,
    SME_SESSION_TTL,
    SME_VERIFY_BASE_URL,
    SME_VERIFY_TOKEN_KEY,
    SME_VERIFY_TIMEOUT_SECONDS,
    SME_VERIFY_AT_INIT,
    MOCK_ROUTES,
    EMODAL_BASE_URL,
    EMODAL_DRIVER,
    EMODAL_ISSUER,
    EMODAL_HOSTS,
    EMODAL_PAGES,
    PORTALS[0],
    PORTALS[1],
    PORTALS[2],
    PORTALS[3],
    PORTAL_SESSIONS_MAX,
    PORTAL_KEEP_ALIVE_SECONDS,
    PORTAL_KEEP_ALIVE_JITTER_PERCENT,
    PORTAL_SESSION_IDLE_SECONDS,
    APPOINTMENT_SESSION_IDLE_SECONDS,
    PORTAL_RELOGIN,
    PORTAL_RELOGIN_UNUSED_SECONDS,
    PORTAL_REFUSED_COOLDOWN_SECONDS,
    PORTAL_LOGINS_PER_HOUR,
    PORTAL_TIMEOUT_SECONDS,
    PORTAL_OPERATION_TIMEOUT_SECONDS,
    PORTAL_BROWSER_URL,
    PORTAL_BROWSER_BINDING,
    PORTAL_BROWSERS_MAX,
    PORTAL_BROWSER_WAIT_SECONDS,
    PORTAL_SCREENSHOT_HOURS,
    PORTAL_HUMAN_SECONDS,
    CAPTCHA_BASE_URL,
    CAPTCHA_POLL_MILLISECONDS,
    CAPTCHA_TIMEOUT_SECONDS,
    CAPTCHA_TASKS_MAX,
];
