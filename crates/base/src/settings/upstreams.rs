//! Accounts of upstreams, and alerts about their tokens.

use super::{Kind, Setting, number, word};

pub const FACTURIFY_BASE_URL: Setting = Setting {
    name: "FACTURIFY_BASE_URL",
    kind: Kind::Url,
    default: "https://api-sandbox.facturify.com",
    about: "Address of Facturify. The default is its sandbox.",
};
pub const FACTURIFY_API_KEY: Setting = Setting {
    name: "FACTURIFY_API_KEY",
    kind: Kind::Credential,
    default: "",
    about: "Secret. With `FACTURIFY_API_SECRET`, turns the Facturify token on.",
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
    "Immediate retries after a failed call, with exponential back-off; after them, retries are [minutes apart](keeper.md#when-the-upstream-fails).",
);
pub const FACTURIFY_RETRY_BACKOFF: Setting = Setting {
    name: "FACTURIFY_RETRY_BACKOFF",
    kind: Kind::Base,
    default: "2.0",
    about: "The n-th immediate retry comes after at most this to the power of n, in seconds.",
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
    "Longest life that a Facturify token is believed to have, whatever it says.",
);
pub const FACTURIFY_REFRESH_METHOD: Setting =
    word("FACTURIFY_REFRESH_METHOD", &["GET", "POST"], "GET", "Method of the refresh call.");

pub const UPSTOX_BASE_URL: Setting = Setting {
    name: "UPSTOX_BASE_URL",
    kind: Kind::Url,
    default: "https://api.upstox.com",
    about: "Address of Upstox.",
};
pub const UPSTOX_ACCOUNT_IDS: Setting = Setting {
    name: "UPSTOX_ACCOUNT_IDS",
    kind: Kind::Accounts,
    default: "",
    about: "Ids of the Upstox accounts, separated by commas.",
};
/// A variable of a Worker holds 5 kB, some 400 ids.
pub const UPSTOX_ACCOUNT_IDS_MORE: [Setting; 3] =
    [continued("UPSTOX_ACCOUNT_IDS_2"), continued("UPSTOX_ACCOUNT_IDS_3"), continued("UPSTOX_ACCOUNT_IDS_4")];
const fn continued(name: &'static str) -> Setting {
    let about = "More ids: a variable holds 5 kB.";
    Setting { name, kind: Kind::Accounts, default: "", about }
}
pub const INTERNAL_API_ACCOUNT_ID: Setting = Setting {
    name: "INTERNAL_API_ACCOUNT_ID",
    kind: Kind::Accounts,
    default: "",
    about: "The Upstox account of routes without an id. Not set: the first one.",
};
pub const TOKEN_REFRESH_SERVICE_URL: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_URL",
    kind: Kind::Url,
    default: "",
    about: "Address of the [internal service](keeper.md#the-token-service) that Upstox tokens come from; `http://` only in development and through a binding.",
};
pub const TOKEN_REFRESH_SERVICE_BINDING: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_BINDING",
    kind: Kind::Text,
    default: "",
    about: "Binding through which that service is called: a VPC service, or another Worker.",
};
pub const TOKEN_REFRESH_SERVICE_KEY: Setting = Setting {
    name: "TOKEN_REFRESH_SERVICE_KEY",
    kind: Kind::Credential,
    default: "",
    about: "Secret. The credential that is sent to that service; for another Sallyport, a service key.",
};
pub const TOKEN_REFRESH_SERVICE_KEY_HEADER: Setting = word(
    "TOKEN_REFRESH_SERVICE_KEY_HEADER",
    &["Authorization", "Apikey", "X-API-Key"],
    "Authorization",
    "Header in which that credential is sent; in `Authorization`, as a bearer.",
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
    about: "Secret. The client secret of that service token.",
};
pub const UPSTOX_APPS: Setting = Setting {
    name: "UPSTOX_APPS",
    kind: Kind::Json,
    default: "",
    about: "Secret. Upstox apps, for the code exchange and token requests; see [apps](keeper.md#apps).",
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
    about: "Secret. Accounts of any API behind OAuth 2.0; see [OAuth 2.0](keeper.md#oauth-20).",
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
    "How long a caller waits for the immediate retries before it is told of the failure.",
);
pub const TOKEN_CHECK_MINUTES: Setting = number(
    "TOKEN_CHECK_MINUTES",
    0,
    1_440,
    "15",
    "How often a held Upstox token is checked at Upstox, plus up to two thirds, at random. 0: never.",
);
pub const UPSTREAM_DAILY_SPREAD_SECONDS: Setting = number(
    "UPSTREAM_DAILY_SPREAD_SECONDS",
    0,
    3_600,
    "60",
    "Time over which the daily renewals of the Upstox accounts are spread; at most a second for each account.",
);
pub const UPSTREAM_RENEWALS_AT_ONCE: Setting = number(
    "UPSTREAM_RENEWALS_AT_ONCE",
    1,
    10_000,
    "50",
    "Most Upstox accounts whose own renewals run at the same time.",
);
pub const ALERT_WEBHOOK_URL: Setting = Setting {
    name: "ALERT_WEBHOOK_URL",
    kind: Kind::Url,
    default: "",
    about: "Where [alerts](keeper.md#alerts) about tokens are sent. Not set: nowhere.",
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
    "How long alerts of one cause are collected and then sent as one, with a count. 0: each is sent at once.",
);
pub const ALERT_EXPIRY_WARNING_MINUTES: Setting = number(
    "ALERT_EXPIRY_WARNING_MINUTES",
    1,
    1_440,
    "60",
    "How long before a token expires with no renewal in sight an alert is sent.",
);
