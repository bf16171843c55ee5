//! What of the document no row of the table decides.

use http::cookies::{ACCESS, REFRESH};
use serde_json::{Value, json};

pub fn info(version: &str) -> Value {
    json!({
        "title": "Sallyport",
        "version": version,
        "summary": "User sessions, upstream tokens and portal sessions at the edge.",
        "description": "`GET` routes also answer `HEAD`, without a body; every path answers `OPTIONS` with 204 and `Allow`, and other \
            methods with 405 `method_not_allowed`. A path that is not here is 404 `not_found`. While a setting is wrong that is not \
            one of upstream accounts, everything is 503 `configuration_error`. What is under `/auth` is also served under \
            `/api/v1/auth`.\n\nBodies have at most 16,384 bytes. Unknown fields are ignored. Lengths of text in bodies are counted \
            in bytes of UTF-8, unless said otherwise. The parameters `PassiveHeader`, `RequestIdHeader` and `LanguageHeader` of the \
            components hold for every route.\n\nMade from the code.",
        "license": { "name": "MIT", "identifier": "MIT" },
    })
}

pub fn tags() -> Value {
    let tags = [
        ("tokens", "Logging in and out."),
        ("own", "A user's own account and sessions."),
        ("proxy", "Forward authentication."),
        ("post-login", "Sessions of users whom another system has logged in."),
        ("sample", "Sample resources."),
        ("admin", "For users with the role `admin`."),
        (
            "oauth",
            "OAuth 2.0: tokens for a grant; introspection and revocation of users' tokens, for services; public keys and metadata, for anybody.",
        ),
        ("facturify", "The Facturify token, for services."),
        ("upstox", "Upstox tokens of many accounts, for services."),
        ("upstreams", "Tokens of any provider, for services."),
        ("portal", "Sessions at a web portal, for services."),
        ("service", "About the service itself."),
    ];
    tags.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect()
}

pub fn common_parameters() -> Value {
    let header = |name: &str, about: &str, schema: Value| json!({ "name": name, "in": "header", "description": about, "schema": schema });
    json!({
        "PassiveHeader": header(
            "X-Session-Passive",
            "`1` or `true`: the request is no activity of the session.",
            json!({ "type": "string" }),
        ),
        "RequestIdHeader": header(
            "X-Request-Id",
            "Taken over if it is well-formed; else there is a new one.",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_.:=+/-]{1,128}$" }),
        ),
        "LanguageHeader": header(
            "Accept-Language",
            "The language of `detail`: `en`, `es` or `vi`. `language` in a body comes first.",
            json!({ "type": "string", "default": "en" }),
        ),
    })
}

pub fn headers() -> Value {
    json!({
        "RequestId": { "description": "In every answer, and in every log line of the request.", "schema": { "type": "string" } },
        "Challenge": { "description": "RFC 6750; `realm`, and `error` where credentials were given; with `insufficient_user_authentication` also `max_age`, in seconds (RFC 9470).", "schema": { "type": "string" } },
        "RetryAfter": { "description": "In seconds.", "schema": { "type": "integer", "minimum": 1 } },
    })
}

pub fn security_schemes() -> Value {
    let cookie = |name: &str, about: &str| json!({ "type": "apiKey", "in": "cookie", "name": name, "description": about });
    let key = |name: &str, about: &str| json!({ "type": "apiKey", "in": "header", "name": name, "description": about });
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, from `/auth/login` or `/auth/refresh`.",
        },
        "cookieAuth": cookie(ACCESS, "The access token of a login with `cookie`. A request that may change something has to be sent by a page of this origin or of one in `ALLOWED_ORIGINS`: 403 `cross_site_request`."),
        "refreshCookie": cookie(REFRESH, "The refresh token of a login with `cookie`."),
        "adminReset": key("X-Admin-Reset-Key", "The secret `ADMIN_RESET_KEY`. Each value works once."),
        "bootstrap": key("X-Bootstrap-Key", "The secret `BOOTSTRAP_KEY`. Makes the first admin, and does nothing once there is one."),
        "serviceKeyBearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sp_{id}_{secret}",
            "description": "A service key with the scope of the route. So with the two below; the same key by more than one of them is fine.",
        },
        "serviceKeyBasic": {
            "type": "http",
            "scheme": "basic",
            "description": "A service key as a client of OAuth 2.0: its id, and the whole key as the secret. In a form they are `client_id` and `client_secret`.",
        },
        "serviceKeyXApiKey": key("X-API-Key", "A service key."),
        "serviceKeyApikey": key("Apikey", "A service key."),
    })
}
