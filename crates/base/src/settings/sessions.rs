//! Tokens, sessions, passwords, and the deployment itself.

use super::{Kind, Setting, number, word};

/// Longest life of an access token, in seconds: a day. Tokens that claim more are refused.
pub const ACCESS_SECONDS_MAX: u64 = 86_400;
/// Longest life of a refresh token, in seconds: the absolute lifetime's bound.
pub const REFRESH_SECONDS_MAX: u64 = 400 * 86_400;

pub const TOKEN_SIGNING_KEYS: Setting = Setting {
    name: "TOKEN_SIGNING_KEYS",
    kind: Kind::SigningKeys,
    default: "",
    about: "Secret, required. Keys that sign tokens; the first of `JWT_ALG` signs, all verify; see [keys](tokens.md#keys).",
};
pub const JWT_ALG: Setting = word(
    "JWT_ALG",
    &["HS256", "EdDSA", "ES256"],
    "HS256",
    "Algorithm that tokens are signed with; see [signing keys](signing-keys.md).",
);
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

pub const ACCESS_TOKEN_EXPIRE_MINUTES: Setting = number(
    "ACCESS_TOKEN_EXPIRE_MINUTES",
    1,
    ACCESS_SECONDS_MAX / 60,
    "15",
    "Life of an access token, in minutes.",
);
pub const ACCESS_TOKEN_EXPIRE_SECONDS: Setting = number(
    "ACCESS_TOKEN_EXPIRE_SECONDS",
    1,
    ACCESS_SECONDS_MAX,
    "",
    "The same in seconds; takes precedence.",
);
pub const REFRESH_TOKEN_EXPIRE_DAYS: Setting = number(
    "REFRESH_TOKEN_EXPIRE_DAYS",
    1,
    REFRESH_SECONDS_MAX / 86_400,
    "7",
    "Life of a refresh token, from each rotation on.",
);
pub const REFRESH_TOKEN_EXPIRE_SECONDS: Setting = number(
    "REFRESH_TOKEN_EXPIRE_SECONDS",
    1,
    REFRESH_SECONDS_MAX,
    "",
    "The same in seconds; takes precedence.",
);
pub const SESSION_INACTIVITY_TIMEOUT_MINUTES: Setting = number(
    "SESSION_INACTIVITY_TIMEOUT_MINUTES",
    1,
    REFRESH_SECONDS_MAX / 60,
    "30",
    "A session ends when it has had no request for longer than this.",
);
pub const SESSION_INACTIVITY_TIMEOUT_SECONDS: Setting = number(
    "SESSION_INACTIVITY_TIMEOUT_SECONDS",
    1,
    REFRESH_SECONDS_MAX,
    "",
    "The same in seconds; takes precedence.",
);
pub const SESSION_ABSOLUTE_LIFETIME_DAYS: Setting = number(
    "SESSION_ABSOLUTE_LIFETIME_DAYS",
    1,
    REFRESH_SECONDS_MAX / 86_400,
    "30",
    "A session ends this long after login, whatever happens in it.",
);
pub const SESSION_ABSOLUTE_LIFETIME_SECONDS: Setting = number(
    "SESSION_ABSOLUTE_LIFETIME_SECONDS",
    1,
    REFRESH_SECONDS_MAX,
    "",
    "The same in seconds; takes precedence.",
);
pub const RECENT_LOGIN_MINUTES: Setting = number(
    "RECENT_LOGIN_MINUTES",
    0,
    REFRESH_SECONDS_MAX / 60,
    "15",
    "How long after a login, or the password given again, users and keys may be changed; see [fresh logins](sessions.md#fresh-logins). 0: always.",
);
pub const RECENT_LOGIN_SECONDS: Setting =
    number("RECENT_LOGIN_SECONDS", 0, REFRESH_SECONDS_MAX, "", "The same in seconds; takes precedence.");
pub const MAX_CONCURRENT_SESSIONS_PER_USER: Setting =
    number("MAX_CONCURRENT_SESSIONS_PER_USER", 1, 100, "5", "Most live sessions of a user.");
pub const SESSION_LIMIT_POLICY: Setting = word(
    "SESSION_LIMIT_POLICY",
    &["evict_oldest", "reject"],
    "evict_oldest",
    "What a login at that limit does: it ends the session that has been idle longest, or is refused.",
);
pub const REFRESH_GRACE_SECONDS: Setting = number(
    "REFRESH_GRACE_SECONDS",
    0,
    300,
    "10",
    "How long after a rotation the previous refresh token is still accepted, even if the new one has been used.",
);
pub const SESSION_CHECK: Setting = word(
    "SESSION_CHECK",
    &["strict", "edge", "local"],
    "strict",
    "How strictly an access token is checked; see [session check](session-check.md).",
);

pub const ARGON2_MEMORY_KIB: Setting =
    number("ARGON2_MEMORY_KIB", 7_168, 65_536, "19456", "Memory of a password hash, in KiB.");
pub const ARGON2_ITERATIONS: Setting = number(
    "ARGON2_ITERATIONS",
    1,
    10,
    "2",
    "Passes over that memory. Less memory needs more passes: the product is at least 35840.",
);
pub const LOGIN_MAX_FAILURES: Setting = number(
    "LOGIN_MAX_FAILURES",
    3,
    100,
    "10",
    "Failed logins of one user from one address, after which further ones are refused for a while (429).",
);
pub const LOGIN_MAX_FAILURES_PER_ADDRESS: Setting = number(
    "LOGIN_MAX_FAILURES_PER_ADDRESS",
    10,
    10_000,
    "30",
    "Failed logins from one address, whoever they are for, after which further ones are refused (429). As many are forgiven in 15 minutes.",
);
pub const LOGIN_BLOCK_MAX_SECONDS: Setting = number(
    "LOGIN_BLOCK_MAX_SECONDS",
    1,
    3_600,
    "900",
    "Longest time for which logins are refused after failed ones.",
);

pub const SERVICE_AUTH: Setting = word(
    "SERVICE_AUTH",
    &["on", "off"],
    "on",
    "Whether service routes require a key. `off` is allowed only with `ENVIRONMENT=development`, and holds only at a loopback address.",
);
pub const ENVIRONMENT: Setting = word(
    "ENVIRONMENT",
    &["production", "development"],
    "production",
    "`development` is for your own machine only: it allows `SERVICE_AUTH=off`, `MOCK_ROUTES=on`, and open ports in `ALLOWED_ORIGINS`.",
);

pub const JURISDICTION: Setting = word(
    "JURISDICTION",
    &["none", "eu", "us", "fedramp", "fedramp-high"],
    "none",
    "Where every object is kept and run; see [data residency](deploying.md#data-residency). Not to be changed once there is data.",
);
const HINTS: &[&str] =
    &["none", "wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"];
pub const LOCATION_HINT: Setting = word(
    "LOCATION_HINT",
    HINTS,
    "none",
    "Where new objects are made if the platform can. `none`: near whoever asks first.",
);
pub const UPSTREAM_LOCATION_HINT: Setting = word(
    "UPSTREAM_LOCATION_HINT",
    HINTS,
    "none",
    "The same for upstream accounts and portal logins, which call other systems; takes precedence for them.",
);

pub const ALLOWED_ORIGINS: Setting = Setting {
    name: "ALLOWED_ORIGINS",
    kind: Kind::Origins,
    default: "",
    about: "Origins whose web pages may call and read the answers; see [web pages](browsers.md). Not set: none.",
};
pub const COOKIE_SAME_SITE: Setting = word(
    "COOKIE_SAME_SITE",
    &["strict", "lax"],
    "strict",
    "`SameSite` of the [cookies](browsers.md#cookies). `lax`: whoever follows a link from another site is logged in there.",
);
pub const DEBUG_ROUTES: Setting =
    word("DEBUG_ROUTES", &["on", "off"], "on", "Whether `GET /debug/session-info` is served.");
pub const REQUEST_LOG: Setting = Setting {
    name: "REQUEST_LOG",
    kind: Kind::Share,
    default: "on",
    about: "Whether each request writes a log line, or which share of those that go well. Audit lines are always written.",
};
pub const AUDIT_TRAIL: Setting = word(
    "AUDIT_TRAIL",
    &["off", "on", "all"],
    "off",
    "Whether [`GET /admin/audit`](logs.md#the-audit-trail) has the audit records of the last 24 hours. `all`: also each \
     refresh, renewal of a post-login session and read of an upstream token.",
);
