//! Every setting there is. The README's table is made from this list.
//!
//! Over 400 lines: a list.

mod reader;

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
    /// A secret of 32 bytes or more.
    Secret,
    /// A secret that somebody else made: 1 to 1,024 bytes.
    Credential,
    /// `https://…` without a query; `http://` for this machine only.
    Url,
    /// A number from 1.0 to 10.0.
    Base,
    /// Account ids, separated by commas.
    Accounts,
    /// A JSON object, one member for each account. Secret.
    Json,
    /// Host names with or without a port, separated by commas.
    Hosts,
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

/// Longest life of an access token, in seconds: a day. Tokens that claim more are refused.
pub const ACCESS_SECONDS_MAX: u64 = 86_400;
/// Longest life of a refresh token, in seconds: the absolute lifetime's bound.
pub const REFRESH_SECONDS_MAX: u64 = 400 * 86_400;

pub const TOKEN_SIGNING_KEYS: Setting = Setting {
    name: "TOKEN_SIGNING_KEYS",
    kind: Kind::Keys,
    default: "",
    about: "Secret, required. Keys that sign tokens; the first signs, all verify.",
};
pub const SEALING_KEYS: Setting = Setting {
    name: "SEALING_KEYS",
    kind: Kind::Keys,
    default: "",
    about: "Secret, required. Keys that seal data at rest; the first seals, all open.",
};
pub const BOOTSTRAP_KEY: Setting = Setting {
    name: "BOOTSTRAP_KEY",
    kind: Kind::Secret,
    default: "",
    about: "Secret, optional. Lets the first admin be made; refused once one exists.",
};
pub const ADMIN_RESET_KEY: Setting = Setting {
    name: "ADMIN_RESET_KEY",
    kind: Kind::Secret,
    default: "",
    about: "Secret, optional. Makes one user an admin with a new password, once for each value.",
};
pub const TOKEN_ISSUER: Setting =
    Setting { name: "TOKEN_ISSUER", kind: Kind::Text, default: "sallyport", about: "`iss` of the tokens." };
pub const TOKEN_AUDIENCE: Setting =
    Setting { name: "TOKEN_AUDIENCE", kind: Kind::Text, default: "sallyport", about: "`aud` of the tokens." };

pub const ACCESS_TOKEN_EXPIRE_MINUTES: Setting =
    number("ACCESS_TOKEN_EXPIRE_MINUTES", 1, ACCESS_SECONDS_MAX / 60, "15", "Life of an access token.");
pub const ACCESS_TOKEN_EXPIRE_SECONDS: Setting =
    number("ACCESS_TOKEN_EXPIRE_SECONDS", 1, ACCESS_SECONDS_MAX, "", "The same, finer; wins if set.");
pub const REFRESH_TOKEN_EXPIRE_DAYS: Setting = number(
    "REFRESH_TOKEN_EXPIRE_DAYS",
    1,
    REFRESH_SECONDS_MAX / 86_400,
    "7",
    "Life of a refresh token, counted anew at each rotation.",
);
pub const REFRESH_TOKEN_EXPIRE_SECONDS: Setting =
    number("REFRESH_TOKEN_EXPIRE_SECONDS", 1, REFRESH_SECONDS_MAX, "", "The same, finer; wins if set.");
pub const SESSION_INACTIVITY_TIMEOUT_MINUTES: Setting = number(
    "SESSION_INACTIVITY_TIMEOUT_MINUTES",
    1,
    REFRESH_SECONDS_MAX / 60,
    "30",
    "A session without a request for longer than this ends.",
);
pub const SESSION_INACTIVITY_TIMEOUT_SECONDS: Setting =
    number("SESSION_INACTIVITY_TIMEOUT_SECONDS", 1, REFRESH_SECONDS_MAX, "", "The same, finer; wins if set.");
pub const SESSION_ABSOLUTE_LIFETIME_DAYS: Setting = number(
    "SESSION_ABSOLUTE_LIFETIME_DAYS",
    1,
    REFRESH_SECONDS_MAX / 86_400,
    "30",
    "A session ends this long after login, whatever happens in it.",
);
pub const SESSION_ABSOLUTE_LIFETIME_SECONDS: Setting =
    number("SESSION_ABSOLUTE_LIFETIME_SECONDS", 1, REFRESH_SECONDS_MAX, "", "The same, finer; wins if set.");
pub const MAX_CONCURRENT_SESSIONS_PER_USER: Setting =
    number("MAX_CONCURRENT_SESSIONS_PER_USER", 1, 100, "5", "Live sessions a user may have at once.");
pub const SESSION_LIMIT_POLICY: Setting = word(
    "SESSION_LIMIT_POLICY",
    &["evict_oldest", "reject"],
    "evict_oldest",
    "At the limit: end the session idle longest, or refuse the login.",
);
pub const REFRESH_GRACE_SECONDS: Setting = number(
    "REFRESH_GRACE_SECONDS",
    0,
    300,
    "10",
    "How long after a rotation the refresh token before it is accepted again, even if its successor was used.",
);
pub const SESSION_CHECK: Setting = word(
    "SESSION_CHECK",
    &["strict", "edge", "local"],
    "strict",
    "How strictly an access token is checked; see `docs/session-check.md`.",
);

pub const ARGON2_MEMORY_KIB: Setting =
    number("ARGON2_MEMORY_KIB", 7_168, 65_536, "19456", "Memory of a password hash, in KiB.");
pub const ARGON2_ITERATIONS: Setting = number(
    "ARGON2_ITERATIONS",
    1,
    10,
    "2",
    "Passes over that memory; with less than 19456 KiB, more of them.",
);
pub const LOGIN_MAX_FAILURES: Setting = number(
    "LOGIN_MAX_FAILURES",
    3,
    100,
    "10",
    "Failed logins of a user from one address before further ones are refused for a while (429).",
);
pub const LOGIN_MAX_FAILURES_PER_ADDRESS: Setting = number(
    "LOGIN_MAX_FAILURES_PER_ADDRESS",
    10,
    10_000,
    "30",
    "Failed logins from one address, at whomever, before further ones are refused (429). In 15 minutes as many are forgiven.",
);
pub const LOGIN_BLOCK_MAX_SECONDS: Setting =
    number("LOGIN_BLOCK_MAX_SECONDS", 1, 3_600, "900", "Longest time that such a refusal lasts.");

pub const SERVICE_AUTH: Setting = word(
    "SERVICE_AUTH",
    &["on", "off"],
    "on",
    "Whether service routes want a key. `off` only with `ENVIRONMENT=development`, and then only at a loopback address.",
);
pub const ENVIRONMENT: Setting = word(
    "ENVIRONMENT",
    &["production", "development"],
    "production",
    "`development` is for this machine only: it allows `SERVICE_AUTH=off`.",
);

pub const DEBUG_ROUTES: Setting =
    word("DEBUG_ROUTES", &["on", "off"], "on", "Whether `GET /debug/session-info` is served.");
pub const REQUEST_LOG: Setting = word(
    "REQUEST_LOG",
    &["on", "off"],
    "on",
    "Whether each request writes a log line; audit lines always do.",
);

pub const FACTURIFY_BASE_URL: Setting = Setting {
    name: "FACTURIFY_BASE_URL",
    kind: Kind::Url,
    default: "https://api-sandbox.facturify.com",
    about: "Facturify; by default its sandbox.",
};
pub const FACTURIFY_API_KEY: Setting = Setting {
    name: "FACTURIFY_API_KEY",
    kind: Kind::Credential,
    default: "",
    about: "Secret. With `FACTURIFY_API_SECRET` it turns the Facturify token on.",
};
pub const FACTURIFY_API_SECRET: Setting = Setting {
    name: "FACTURIFY_API_SECRET",
    kind: Kind::Credential,
    default: "",
    about: "Secret. Goes with `FACTURIFY_API_KEY`.",
};
pub const FACTURIFY_TIMEOUT: Setting =
    number("FACTURIFY_TIMEOUT", 1, 120, "30", "Longest call to Facturify, in seconds.");
pub const FACTURIFY_MAX_RETRIES: Setting = number(
    "FACTURIFY_MAX_RETRIES",
    0,
    10,
    "3",
    "Quick tries after a failed one; then they get slow. See `docs/keeper.md`.",
);
pub const FACTURIFY_RETRY_BACKOFF: Setting = Setting {
    name: "FACTURIFY_RETRY_BACKOFF",
    kind: Kind::Base,
    default: "2.0",
    about: "The n-th quick try comes after at most this to the power of n, in seconds.",
};
pub const FACTURIFY_TOKEN_REFRESH_BUFFER: Setting = number(
    "FACTURIFY_TOKEN_REFRESH_BUFFER",
    0,
    86_400,
    "60",
    "How long before its expiry a long token is refreshed, in seconds.",
);
pub const FACTURIFY_TOKEN_LIFETIME_MAX_SECONDS: Setting = number(
    "FACTURIFY_TOKEN_LIFETIME_MAX_SECONDS",
    300,
    31_536_000,
    "86400",
    "Longest that a Facturify token is believed to live, whatever it says.",
);
pub const FACTURIFY_REFRESH_METHOD: Setting =
    word("FACTURIFY_REFRESH_METHOD", &["GET", "POST"], "GET", "Method of the refresh call.");

pub const UPSTOX_BASE_URL: Setting =
    Setting { name: "UPSTOX_BASE_URL", kind: Kind::Url, default: "https://api.upstox.com", about: "Upstox." };
pub const UPSTOX_ACCOUNT_IDS: Setting =
    Setting { name: "UPSTOX_ACCOUNT_IDS", kind: Kind::Accounts, default: "", about: "The Upstox accounts." };
/// A variable of a Worker holds 5 kB, some 400 ids.
pub const UPSTOX_ACCOUNT_IDS_MORE: [Setting; 3] =
    [continued("UPSTOX_ACCOUNT_IDS_2"), continued("UPSTOX_ACCOUNT_IDS_3"), continued("UPSTOX_ACCOUNT_IDS_4")];
const fn continued(name: &'static str) -> Setting {
    let about = "More of them: a variable holds 5 kB.";
    Setting { name, kind: Kind::Accounts, default: "", about }
}
pub const INTERNAL_API_ACCOUNT_ID: Setting = Setting {
    name: "INTERNAL_API_ACCOUNT_ID",
    kind: Kind::Accounts,
    default: "",
    about: "The account that routes without an id use; the first one if it is not set.",
};
pub const TOKEN_REFRESH_SERVICE_URL: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_URL",
    kind: Kind::Url,
    default: "",
    about: "The internal service that Upstox tokens come from; `http://` also in development and through a binding.",
};
pub const TOKEN_REFRESH_SERVICE_BINDING: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_BINDING",
    kind: Kind::Text,
    default: "",
    about: "The Worker's binding that the service is called through: a VPC service, or another Worker.",
};
pub const TOKEN_REFRESH_SERVICE_KEY: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_KEY",
    kind: Kind::Credential,
    default: "",
    about: "Secret. What the service is shown; of another Sallyport a service key.",
};
pub const TOKEN_REFRESH_SERVICE_KEY_HEADER: Setting = word(
    "TOKEN_REFRESH_SERVICE_KEY_HEADER",
    &["Authorization", "Apikey", "X-API-Key"],
    "Authorization",
    "Where; in `Authorization` as a bearer.",
);
pub const TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID",
    kind: Kind::Credential,
    default: "",
    about: "Secret. Client id of a service token, if Cloudflare Access is in front of the service.",
};
pub const TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET",
    kind: Kind::Credential,
    default: "",
    about: "Secret. Its client secret.",
};
pub const UPSTOX_APPS: Setting = Setting {
    name: "UPSTOX_APPS",
    kind: Kind::Json,
    default: "",
    about: "Secret. Upstox apps, for the code exchange and token requests; see `docs/keeper.md`.",
};
pub const UPSTOX_NOTIFIER_SECRET: Setting = Setting {
    name: "UPSTOX_NOTIFIER_SECRET",
    kind: Kind::Secret,
    default: "",
    about: "Secret. The last part of the path of the notifier webhook, which is on if this is set.",
};
pub const OAUTH2_ACCOUNTS: Setting = Setting {
    name: "OAUTH2_ACCOUNTS",
    kind: Kind::Json,
    default: "",
    about: "Secret. Accounts of any API behind OAuth 2.0; see `docs/keeper.md`.",
};
pub const UPSTREAM_TIMEOUT_SECONDS: Setting =
    number("UPSTREAM_TIMEOUT_SECONDS", 1, 120, "30", "Longest call to Upstox or an OAuth 2.0 server.");
pub const UPSTREAM_MAX_RETRIES: Setting =
    number("UPSTREAM_MAX_RETRIES", 0, 10, "2", "As `FACTURIFY_MAX_RETRIES`, for all others.");
pub const UPSTREAM_RETRY_BACKOFF: Setting = Setting {
    name: "UPSTREAM_RETRY_BACKOFF",
    kind: Kind::Base,
    default: "2.0",
    about: "As `FACTURIFY_RETRY_BACKOFF`, for all others.",
};
pub const UPSTREAM_WAIT_SECONDS: Setting = number(
    "UPSTREAM_WAIT_SECONDS",
    0,
    60,
    "15",
    "How long a caller waits for the quick tries after a failed one before it is told of the failure.",
);
pub const TOKEN_CHECK_MINUTES: Setting = number(
    "TOKEN_CHECK_MINUTES",
    0,
    1_440,
    "15",
    "How often a held Upstox token is held against Upstox; up to two thirds as much later, at random. 0: never.",
);
pub const UPSTREAM_DAILY_SPREAD_SECONDS: Setting = number(
    "UPSTREAM_DAILY_SPREAD_SECONDS",
    0,
    3_600,
    "60",
    "Over how long the daily renewals of the Upstox accounts are spread; over a second for each if that is less.",
);
pub const UPSTREAM_RENEWALS_AT_ONCE: Setting = number(
    "UPSTREAM_RENEWALS_AT_ONCE",
    1,
    10_000,
    "50",
    "Most Upstox accounts that renew by themselves at the same time.",
);
pub const ALERT_WEBHOOK_URL: Setting = Setting {
    name: "ALERT_WEBHOOK_URL",
    kind: Kind::Url,
    default: "",
    about: "Where alerts about tokens are sent; none are if it is not set.",
};
pub const ALERT_WEBHOOK_SECRET: Setting = Setting {
    name: "ALERT_WEBHOOK_SECRET",
    kind: Kind::Secret,
    default: "",
    about: "Secret. Signs the alerts; required with `ALERT_WEBHOOK_URL`.",
};
pub const ALERT_COLLECT_SECONDS: Setting = number(
    "ALERT_COLLECT_SECONDS",
    0,
    3_600,
    "30",
    "How long alerts of one cause are collected, to be sent as one with a count. 0: each is sent at once, by itself.",
);
pub const ALERT_EXPIRY_WARNING_MINUTES: Setting = number(
    "ALERT_EXPIRY_WARNING_MINUTES",
    1,
    1_440,
    "60",
    "How long before a token runs out, with no renewal in sight, an alert says so.",
);

pub const CHANNELS: Setting = Setting {
    name: "CHANNELS",
    kind: Kind::Json,
    default: "{\"1\":{\"business_unit\":\"SME\",\"verifier\":\"sme\"},\"2\":{\"business_unit\":\"RETAIL\"},\
              \"retail\":{\"business_unit\":\"RETAIL\"},\"sme\":{\"business_unit\":\"SME\",\"verifier\":\"sme\"}}",
    about: "Channels of post-login sessions; see `docs/post-login.md`. Of the default, a deployment has only those with a verifier.",
};
pub const SME_SESSION_TTL: Setting = number(
    "SME_SESSION_TTL",
    1,
    30 * 86_400,
    "3600",
    "Life of a post-login session, in seconds, counted anew at each renewal.",
);
pub const SME_VERIFY_BASE_URL: Setting = Setting {
    name: "SME_VERIFY_BASE_URL",
    kind: Kind::Url,
    default: "",
    about: "The service that verifies external tokens for the verifier `sme`; a channel may name another.",
};
pub const SME_VERIFY_TOKEN_KEY: Setting = Setting {
    name: "SME_VERIFY_TOKEN_KEY",
    kind: Kind::Credential,
    default: "",
    about: "Secret. The `Apikey` of that service; goes with its address.",
};
pub const SME_VERIFY_TIMEOUT_SECONDS: Setting =
    number("SME_VERIFY_TIMEOUT_SECONDS", 1, 60, "10", "Longest call to that service.");
pub const SME_VERIFY_AT_INIT: Setting = word(
    "SME_VERIFY_AT_INIT",
    &["on", "off"],
    "on",
    "Whether the external token is verified before a session begins, and not only at renewals.",
);
pub const MOCK_ROUTES: Setting = word(
    "MOCK_ROUTES",
    &["on", "off"],
    "off",
    "Whether the mock of that service is served; only with `ENVIRONMENT=development`.",
);

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

/// All of them, in the order of the README's table.
pub const SETTINGS: &[Setting] = &[
    TOKEN_SIGNING_KEYS,
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
    DEBUG_ROUTES,
    REQUEST_LOG,
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
    EMODAL_HOSTS,
    EMODAL_PAGES,
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
    CAPTCHA_BASE_URL,
    CAPTCHA_POLL_MILLISECONDS,
    CAPTCHA_TIMEOUT_SECONDS,
    CAPTCHA_TASKS_MAX,
];
