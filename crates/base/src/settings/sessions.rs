//! Tokens, sessions, passwords, and the deployment itself.

use super::{Kind, Setting, number, word};

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
pub const REQUEST_LOG: Setting = Setting {
    name: "REQUEST_LOG",
    kind: Kind::Share,
    default: "on",
    about: "Whether each request writes a log line, or which share of those that go well. Audit lines are always written.",
};
