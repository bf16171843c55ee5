//! Sessions of those whom another system has authenticated.

use super::{Kind, Setting, number, word};

pub const CHANNELS: Setting = Setting {
    name: "CHANNELS",
    kind: Kind::Json,
    default: "{\"1\":{\"business_unit\":\"SME\",\"verifier\":\"sme\"},\"2\":{\"business_unit\":\"RETAIL\"},\
              \"retail\":{\"business_unit\":\"RETAIL\"},\"sme\":{\"business_unit\":\"SME\",\"verifier\":\"sme\"}}",
    about: "Channels of post-login sessions; see [channels](post-login.md#channels). A deployment has only those of the default that have a verifier.",
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
