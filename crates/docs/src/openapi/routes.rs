//! What each route takes and answers. Exhaustive: a new route does not compile without. One table, so it is long.

use super::bodies as b;
use super::operation::{Body, Operation};
use super::portal_answers as p;
use base::call::Code as Upstream;
use http::answers::audit::AuditTrail;
use http::answers::{self as a, oauth, portals, service, sessions, upstreams, users, well_known};
use http::error_code::ErrorCode as E;
use http::route::{
    ForAdmin, ForCaller, ForClient, ForLive, ForRecentAdmin, ForService, Leave, Open, Route, Row,
};
use serde_json::json;

/// What Facturify's routes pass on as the caller's business.
const OF_FACTURIFY: &[Upstream] = Upstream::ALL;
/// What is the caller's business where the caller brings the token or the code.
const BROUGHT: &[Upstream] = &[Upstream::TokenRefused, Upstream::OtherUser, Upstream::GrantRefused];

pub fn of(row: &Row) -> Operation {
    match row.route {
        Route::Open(route) => open(route),
        Route::Caller(route) => for_caller(route),
        Route::Live(route) => for_live(route),
        Route::Leave(route) => leave(route),
        Route::Admin(route) => for_admin(route),
        Route::RecentAdmin(route) => for_recent_admin(route),
        Route::CreateUser => Operation::new("createUser", "admin", "Makes a user. With the bootstrap key, the first admin.")
            .takes::<b::NewUser>()
            .gives::<users::User>(201, "The user.")
            .refuses(&[E::UserExists]),
        Route::ResetAdmin => Operation::new("resetAdmin", "admin", "Makes a user an admin with a new password, once for each value of the secret.")
            .about("The user becomes active, and all of their sessions end.")
            .takes::<b::Reset>()
            .gives::<users::User>(200, "The user.")
            .refuses(&[E::UserNotFound]),
        Route::Service(_, route) => for_service(route, row),
        Route::Client(ForClient::Introspect) => Operation::new("introspect", "oauth", "Says whether a token would be accepted now (RFC 7662).")
            .about("`token` may be given up to 20 times; the answer has `tokens` then. To be asked about is no activity of a session. A refresh token is active while it is the newest of its session.")
            .takes_form::<b::TokenForm>()
            .gives::<oauth::Introspection>(200, "What is known of it."),
        Route::Client(ForClient::Revoke) => Operation::new("revoke", "oauth", "Ends the session of a token (RFC 7009). 200 also for what is no token.")
            .takes_form::<b::TokenForm>()
            .empty(200, "Whatever it was, it is good for nothing now."),
        Route::UpstoxNotify => Operation::new("notify", "upstox", "The webhook of Upstox that brings an approved token. Without the right secret there is no such route.")
            .takes::<b::Notification>()
            .gives::<a::Success>(200, "It is taken over.")
            .refuses(&[E::NotFound, E::AccountNotFound])
            .upstream(BROUGHT),
    }
}

fn open(route: Open) -> Operation {
    match route {
        Open::Health => Operation::new("health", "service", "Says that this instance has its settings and answers, how the upstream accounts are, and how many portal sessions there are.")
            .about("Asks two objects, and at most once a second; none for what is not configured.")
            .gives::<service::ServiceHealth>(200, "It answers."),
        Open::Login => Operation::new("login", "tokens", "Logs a user in.")
            .about("With a valid access token of an older session of the same user as bearer, that session is replaced. With `cookie` the tokens are in two `Set-Cookie`, a cookie replaces like a bearer, and the request has to be sent by a page of this origin or of one in `ALLOWED_ORIGINS`.")
            .with_or_without_bearer()
            .header("X-Device-Token", "Of an earlier login of the same user; the answer has it in the same header.")
            .header("X-Client-Address", "The client's address, from a backend with a service key of the scope `login:proxy`.")
            .takes::<b::Login>()
            .gives::<b::TokensOrCookies>(200, "A pair of tokens, or `Set-Cookie` with them.")
            .refuses(&[E::CrossSite, E::InvalidRequest, E::InvalidCredentials, E::ServiceKeyInvalid, E::Forbidden, E::SessionLimitExceeded, E::UserInactive, E::PasswordChangeRequired, E::TooManyAttempts]),
        Open::ChangePassword => Operation::new("changePassword", "own", "Changes the caller's password, and ends the caller's other sessions.")
            .about("Without a bearer, for the user that `username` names, and all sessions end.")
            .with_or_without_bearer()
            .takes::<b::ChangePassword>()
            .gives::<sessions::ClosedSessions>(200, "It is changed.")
            .refuses(SESSION)
            .refuses(&[E::CrossSite, E::InvalidCredentials, E::ServiceKeyInvalid, E::Forbidden, E::UserInactive, E::TooManyAttempts]),
        Open::Refresh => Operation::new("refresh", "tokens", "Changes a refresh token for a new pair.")
            .about("Without `refresh_token` in the body both cookies are read, which have to be of one session; the new tokens are then in two `Set-Cookie`.")
            .with_or_without_cookies()
            .may_take::<b::RefreshToken>()
            .gives::<b::TokensOrCookies>(200, "A pair of tokens, or `Set-Cookie` with them.")
            .refuses(SESSION)
            .refuses(&[E::CrossSite, E::RefreshTokenReused]),
        Open::InitSession => Operation::new("initSession", "post-login", "Begins a session for somebody whom another system has logged in.")
            .about("With a valid access token of an older session of the same subject as bearer, that session is replaced.")
            .with_or_without_bearer()
            .takes::<b::InitSession>()
            .gives::<sessions::PostLoginTokens>(200, "A pair of tokens.")
            .refuses(&[E::InvalidChannel, E::ChannelNotFound, E::ExternalTokenExpired, E::ExternalTokenInvalid, E::SessionLimitExceeded, E::TooManyAttempts])
            .upstream(&[]),
        Open::RenewSession => Operation::new("renewSession", "post-login", "Has the external token verified again, and changes the refresh token for a new pair.")
            .takes::<b::RenewSession>()
            .gives::<sessions::PostLoginTokens>(200, "A pair of tokens.")
            .refuses(SESSION)
            .refuses(&[E::RefreshTokenRequired, E::RefreshTokenReused, E::ChannelNotFound, E::ChannelWithoutVerifier, E::ExternalTokenExpired, E::ExternalTokenInvalid, E::SessionNotFound])
            .upstream(&[]),
        Open::PostLoginHealth => Operation::new("postLoginHealth", "post-login", "Says that these routes are served. Asks nobody.")
            .gives::<service::Served>(200, "They are."),
        Open::Token => Operation::new("token", "oauth", "Gives tokens for a refresh token (RFC 6749), or for another system's token (RFC 8693).")
            .about("A refresh token is exchanged as by `/auth/refresh` or `/api/v1/postlogin/renew-token`, without client authentication, or with any good service key. The token exchange begins a session as `/api/v1/postlogin/init-session` does, and is for services whose key has the scope `sessions:exchange`.")
            .takes_form::<b::TokenRequest>()
            .gives::<oauth::GrantedTokens>(200, "A pair of tokens.")
            .refuses(&[E::InvalidRequest, E::NotAuthenticated, E::ServiceKeyInvalid, E::Forbidden, E::UnsupportedGrantType, E::InvalidScope, E::InvalidTarget, E::InvalidFields])
            .refuses(&[E::TokenInvalid, E::TokenExpired, E::SessionInactivity, E::SessionRevoked, E::RefreshTokenReused])
            .refuses(&[E::InvalidChannel, E::ChannelNotFound, E::ChannelWithoutVerifier, E::ExternalTokenExpired, E::ExternalTokenInvalid, E::SessionLimitExceeded, E::SessionNotFound, E::TooManyAttempts])
            .upstream(&[]),
        Open::MockValidateSession => Operation::new("mockValidateSession", "post-login", "The mock of the service that verifies external tokens. 404 `not_found` unless `MOCK_ROUTES` is `on`.")
            .header("X-Session-Token", "Goes by how it begins: `invalid`, `expired`, or anything else.")
            .header("X-User-Id", "Comes back.")
            .gives::<service::MockAnswer>(200, "What it says of the token.")
            .gives::<service::MockRefusal>(401, "The token begins with `invalid`, or there is none.")
            .refuses(&[E::NotFound]),
        Open::Jwks => Operation::new("jwks", "oauth", "The public keys of tokens (RFC 7517). None with `JWT_ALG=HS256`.")
            .about("`Cache-Control` lets it be kept for five minutes, and any web page may read it.")
            .gives::<well_known::Jwks>(200, "The keys."),
        Open::Metadata => Operation::new("metadata", "oauth", "The metadata of the issuer (RFC 8414). 404 `issuer_not_url` unless `TOKEN_ISSUER` is an https URL.")
            .about("Where that URL has a path, it follows here. `Cache-Control` lets it be kept for five minutes, and any web page may read it.")
            .gives::<well_known::Metadata>(200, "What there is, and where.")
            .refuses(&[E::NotFound, E::IssuerNotUrl]),
        Open::OpenIdConfiguration => Operation::new("openidConfiguration", "oauth", "The same document, for software that looks only here. There are no ID tokens.")
            .gives::<well_known::Metadata>(200, "What there is, and where.")
            .refuses(&[E::IssuerNotUrl]),
    }
}

/// What a token of a session is refused for.
pub const SESSION: &[E] = &[
    E::InvalidRequest,
    E::NotAuthenticated,
    E::TokenInvalid,
    E::TokenExpired,
    E::SessionInactivity,
    E::AccessTokenRevoked,
    E::SessionRevoked,
];

fn for_caller(route: ForCaller) -> Operation {
    match route {
        ForCaller::Profile => Operation::new("profile", "own", "The caller.")
            .gives::<users::User>(200, "The user."),
        ForCaller::Verify => Operation::new("verify", "proxy", "Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too.")
            .query("role", "A role that the user must have. Given more than once, all of them. Other parameters are not looked at.", json!({ "type": "array", "items": { "type": "string" } }))
            .query("max_age", "How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts.", json!({ "type": "integer", "minimum": 0 }))
            .empty(200, "The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in.")
            .refuses(&[E::Forbidden, E::InsufficientUserAuthentication, E::InvalidFields])
            .without_bodies(),
        ForCaller::Protected => Operation::new("protected", "sample", "Greets the caller.")
            .gives::<service::Greeting>(200, "The greeting."),
        ForCaller::ReadData => Operation::new("readData", "sample", "The caller's document, as it was written; an empty object before anything was stored.")
            .gives::<b::Document>(200, "The document."),
        ForCaller::WriteData => Operation::new("writeData", "sample", "Puts a document in place of the caller's.")
            .body(Body::AnyJson)
            .gives::<b::Document>(200, "The document."),
    }
}

fn for_live(route: ForLive) -> Operation {
    match route {
        ForLive::CurrentSession => {
            Operation::new("currentSession", "own", "The caller's session: whose it is, and when it ends.")
                .about("With `X-Session-Passive: 1` it is asked about without being used.")
                .gives::<sessions::CurrentSession>(200, "The session.")
        }
        ForLive::OwnSessions => Operation::new("ownSessions", "own", "The caller's live sessions.")
            .gives::<sessions::OwnSessions>(200, "All of them.")
            .refuses(&[E::UserNotFound]),
        ForLive::CloseOwnSession => {
            Operation::new("closeOwnSession", "own", "Ends one of the caller's sessions.")
                .about("To end another one than that of the token, a user must have logged in recently.")
                .empty(204, "It has ended.")
                .refuses(&[E::SessionNotFound, E::InsufficientUserAuthentication])
        }
        ForLive::Reauthenticate => Operation::new(
            "reauthenticate",
            "tokens",
            "Takes the password once more, in a session that goes on, and gives it new tokens.",
        )
        .about("Their `auth_time` is the time of this request. Attempts count as those of logins do.")
        .header("X-Device-Token", "Of an earlier login of the same user.")
        .header(
            "X-Client-Address",
            "The client's address, from a backend with a service key of the scope `login:proxy`.",
        )
        .takes::<b::Password>()
        .gives::<b::TokensOrCookies>(
            200,
            "A pair of tokens, of the next generation or of the newest one; by cookie, `Set-Cookie` with them.",
        )
        .refuses(&[
            E::InvalidCredentials,
            E::NoPassword,
            E::UserInactive,
            E::PasswordChangeRequired,
            E::TooManyAttempts,
        ]),
        ForLive::SessionInfo => Operation::new(
            "sessionInfo",
            "own",
            "What the service knows of the caller's session. 404 `not_found` if `DEBUG_ROUTES` is `off`.",
        )
        .gives::<sessions::SessionInfo>(200, "The session.")
        .refuses(&[E::NotFound, E::UserNotFound]),
    }
}

fn leave(route: Leave) -> Operation {
    match route {
        Leave::Logout => Operation::new("logout", "tokens", "Ends the caller's session. 200 also if it is over already.")
            .about("The bearer is an access token, which may have expired; so is the cookie. A browser's cookies are taken away, with `Clear-Site-Data`. Without either, `refresh_token` says whose session it is.")
            .with_or_without_bearer()
            .may_take::<b::Logout>()
            .gives::<a::Message>(200, "The session has ended.")
            .refuses(&[E::ServiceKeyInvalid, E::Forbidden]),
        Leave::LogoutAll => Operation::new("logoutAll", "own", "Ends all of the caller's sessions.")
            .about("With `keep_current`, a user must have logged in recently.")
            .may_take::<b::LogoutAll>()
            .gives::<sessions::ClosedSessions>(200, "They have ended.")
            .refuses(&[E::InsufficientUserAuthentication, E::ServiceKeyInvalid, E::Forbidden, E::UserNotFound]),
    }
}

fn page(operation: Operation) -> Operation {
    operation.query(
        "limit",
        "How many are looked at for one page.",
        json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 40 }),
    )
}

#[allow(clippy::too_many_lines)] // A table.
fn for_admin(route: ForAdmin) -> Operation {
    let text = || json!({ "type": "string" });
    match route {
        ForAdmin::ActiveSessions => {
            page(Operation::new("activeSessions", "admin", "Live sessions, of one user or of all."))
                .query(
                    "user_id",
                    "Of this user only. `limit` and `cursor` are then not read.",
                    json!({ "type": "integer", "minimum": 1 }),
                )
                .query("username", "Of this user only.", text())
                .query(
                    "subject",
                    "Of this externally authenticated subject only, such as `VPB-SME-1234567890`.",
                    text(),
                )
                .query("cursor", "`next_cursor` of the page before.", text())
                .gives::<sessions::ActiveSessions>(
                    200,
                    "A page of them. Made without KV, it may hold some more than were asked for.",
                )
                .refuses(&[E::UserNotFound])
        }
        ForAdmin::ReadSession => Operation::new(
            "readSession",
            "admin",
            "One session: how it is, or why it ended.",
        )
        .about("What ended is known for 30 days, and by KV for as long as its tokens could have been valid.")
        .gives::<b::AnySession>(200, "The session.")
        .refuses(&[E::SessionNotFound]),
        ForAdmin::CloseSession => Operation::new("closeSession", "admin", "Ends one session.")
            .empty(204, "It has ended.")
            .refuses(&[E::SessionNotFound]),
        ForAdmin::Cleanup => Operation::new(
            "cleanup",
            "admin",
            "Ends what a lost alarm left behind, a bounded number at a time.",
        )
        .query("cursor", "`next_cursor` of the call before.", text())
        .gives::<sessions::Cleanup>(200, "What was done."),
        ForAdmin::ListUsers => page(Operation::new("listUsers", "admin", "Users in the order of their ids."))
            .query(
                "cursor",
                "`next_cursor` of the page before: the id of the last user on it.",
                json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            )
            .gives::<users::Users>(200, "A page of them."),
        ForAdmin::ReadUser => Operation::new("readUser", "admin", "One user.")
            .gives::<users::User>(200, "The user.")
            .refuses(&[E::UserNotFound]),
        ForAdmin::CloseUserSessions => {
            Operation::new("closeUserSessions", "admin", "Ends all sessions of a user.")
                .gives::<sessions::ClosedSessions>(200, "They have ended.")
                .refuses(&[E::UserNotFound])
        }
        ForAdmin::CloseSubjectSessions => Operation::new(
            "closeSubjectSessions",
            "admin",
            "Ends all sessions of somebody externally authenticated.",
        )
        .gives::<sessions::ClosedSessions>(200, "They have ended.")
        .refuses(&[E::UserNotFound]),
        ForAdmin::EraseSubject => Operation::new(
            "eraseSubject",
            "admin",
            "Ends all sessions of somebody externally authenticated; with the last one the document goes.",
        )
        .empty(204, "They are gone.")
        .refuses(&[E::UserNotFound]),
        ForAdmin::ListServiceKeys => Operation::new(
            "listServiceKeys",
            "admin",
            "All service keys, the oldest first; those that have ended for 30 days more.",
        )
        .gives::<users::ServiceKeys>(200, "At most 1,000 that are good, and 1,000 that are not."),
        ForAdmin::SealingKeys => Operation::new(
            "sealingKeys",
            "admin",
            "The keys that seal what is stored, those configured and those still in use.",
        )
        .gives::<users::SealingKeys>(200, "The configured ones in their order, then the others."),
        ForAdmin::PortalPage => {
            Operation::new("portalPage", "admin", "The last page of a failed step at a portal, for an hour.")
                .gives::<portals::PortalPage>(
                    200,
                    "The page, without what was typed in, what scripts hold, and what addresses carry.",
                )
                .refuses(&[E::NotFound])
        }
    }
}

fn for_recent_admin(route: ForRecentAdmin) -> Operation {
    match route {
        ForRecentAdmin::UpdateUser => Operation::new("updateUser", "admin", "Changes a user.")
            .about("Disabling, or a new password, ends the user's sessions before the answer.")
            .may_take::<b::UserChange>()
            .gives::<users::User>(200, "The user.")
            .refuses(&[E::UserNotFound, E::LastAdmin]),
        ForRecentAdmin::DeleteUser => {
            Operation::new("deleteUser", "admin", "Removes a user, with the sessions and the document.")
                .empty(204, "The user is gone.")
                .refuses(&[E::UserNotFound, E::LastAdmin])
        }
        ForRecentAdmin::UnlockUser => Operation::new(
            "unlockUser",
            "admin",
            "Forgets the failures of a user's logins. The password and the sessions stay.",
        )
        .empty(204, "They are forgotten.")
        .refuses(&[E::UserNotFound]),
        ForRecentAdmin::CreateServiceKey => {
            Operation::new("createServiceKey", "admin", "Makes a service key, and shows it this once.")
                .takes::<b::NewKey>()
                .gives::<users::Key>(201, "The key.")
                .refuses(&[E::TooManyServiceKeys])
        }
        ForRecentAdmin::RevokeServiceKey => Operation::new(
            "revokeServiceKey",
            "admin",
            "Revokes a service key. It may be let in for less than 10 seconds more.",
        )
        .empty(204, "It is revoked; maybe it was before.")
        .refuses(&[E::ServiceKeyNotFound]),
        ForRecentAdmin::RotateServiceKey => Operation::new(
            "rotateServiceKey",
            "admin",
            "Makes a service key that takes a good one's place, and shows it this once.",
        )
        .about("It has the name, the scopes and the length of life of the other, which stays good for `overlap_hours`.")
        .may_take::<b::Rotation>()
        .gives::<users::RotatedKey>(201, "The new key.")
        .refuses(&[E::ServiceKeyNotFound, E::TooManyServiceKeys]),
    }
}

fn read(operation: Operation) -> Operation {
    operation
        .query("min_ttl", "How many seconds the token is to have left. If a renewal cannot bring that about, the held one is given.", json!({ "type": "integer", "minimum": 0, "maximum": 31 * 86_400, "default": 0 }))
        .query("not", "The beginning of the SHA-256, in hexadecimal, of a token that was refused to the caller. If it is the held one, it is checked, or renewed where it cannot be, and replaced if it is dead.", json!({ "type": "string", "pattern": "^[0-9a-fA-F]{8,64}$" }))
        .query("kind", "Which token. `extended` is one that lives longer than the day and does not trade, where there is one.", json!({ "type": "string", "enum": ["trading", "extended"], "default": "trading" }))
}

#[allow(clippy::too_many_lines)] // A table.
fn for_service(route: ForService, row: &Row) -> Operation {
    // The routes without an account's id are those of the default one.
    let of_default = !row.pattern.contains("{account_id}");
    let id = |id: &'static str, default: &'static str| if of_default { default } else { id };
    match route {
        ForService::FacturifyObtain => Operation::new("obtainFacturifyToken", "facturify", "A token from scratch. It is a short one, and is changed for a long one some seconds later.")
            .about("If a renewal is under way, what that brings.")
            .gives::<upstreams::FacturifyJwt>(200, "The token.")
            .refuses(&[E::AccountNotFound])
            .upstream(OF_FACTURIFY),
        ForService::FacturifyRefresh => Operation::new("refreshFacturifyToken", "facturify", "A long token for the held one; where that is refused, from scratch.")
            .gives::<upstreams::FacturifyJwt>(200, "The token.")
            .refuses(&[E::AccountNotFound])
            .upstream(OF_FACTURIFY),
        ForService::FacturifyRead => read(Operation::new("readFacturifyToken", "facturify", "A token that is valid now, renewed first if need be."))
            .gives::<upstreams::FacturifyToken>(200, "The token.")
            .refuses(&[E::AccountNotFound])
            .upstream(OF_FACTURIFY),
        ForService::FacturifyStatus => Operation::new("facturifyTokenStatus", "facturify", "What the token is like; never the token.")
            .gives::<upstreams::AccountStatus>(200, "What it is like.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::Metrics => Operation::new("metrics", "service", "How the deployment is, in the text format of Prometheus.")
            .about("Asks what `/health` asks, at most once a second. What could not be asked is left out, and `sallyport_known` is 0.")
            .text(200, "The gauges."),
        ForService::Audit => Operation::new("auditTrail", "service", "The audit records of the last 24 hours, the newest first.")
            .about("A copy of what the log has, and of alerts about upstream tokens; a record is there a second after it was written. 404 where `AUDIT_TRAIL` is `off`. `complete_since` and `left_out` say what may be missing.")
            .query("since", "Not older than this.", json!({ "type": "string", "format": "date-time" }))
            .query("until", "Older than this.", json!({ "type": "string", "format": "date-time" }))
            .query("action", "What was done, such as `login`; of alerts the type of their event, such as `token.failing`.", json!({ "type": "string" }))
            .query("outcome", "`ok`, a code, or `failed` for all but `ok`.", json!({ "type": "string", "pattern": "^[a-z0-9_]{1,64}$" }))
            .query("user_id", "The user who did it, or to whom it was done.", json!({ "type": "integer", "minimum": 1 }))
            .query("session_id", "The session, or the portal session.", json!({ "type": "string", "maxLength": 200 }))
            .query("account", "The upstream account, such as `upstox/agnidata001`.", json!({ "type": "string", "maxLength": 200 }))
            .query("service", "Who wanted it: `key:` and the name of a service key, `alarm`, `cron`.", json!({ "type": "string", "maxLength": 200 }))
            .query("limit", "How many are on a page.", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }))
            .query("cursor", "`next_cursor` of the page before. Records that have come since are not on the pages that follow.", json!({ "type": "string" }))
            .gives::<AuditTrail>(200, "A page of them. With `unreachable`, some are missing.")
            .refuses(&[E::AuditTrailOff]),
        ForService::FacturifyHistory => Operation::new("facturifyTokenHistory", "facturify", "The last operations, the newest first.")
            .gives::<upstreams::History>(200, "At most 100.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxAccounts => Operation::new("listAccounts", "upstox", "The Upstox accounts and what their tokens are like, in the order of the settings.")
            .query("limit", "How many are on a page.", json!({ "type": "integer", "minimum": 1, "maximum": 45, "default": 45 }))
            .query("cursor", "`next_cursor` of the page before: the last account on it.", json!({ "type": "string", "minLength": 1 }))
            .gives::<upstreams::Accounts>(200, "A page of them.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxRead => read(Operation::new("readToken", "upstox", "A token that is valid now, renewed first if need be."))
            .gives::<upstreams::UpstoxToken>(200, "The token.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxRefresh => Operation::new("refreshToken", "upstox", "A new token, although the held one may be good.")
            .gives::<upstreams::UpstoxToken>(200, "The token.")
            .gives::<upstreams::ApprovalRequested>(202, "The owner has been asked to approve a token. The webhook brings it.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxHistory => Operation::new("tokenHistory", "upstox", "The last operations, the newest first.")
            .gives::<upstreams::History>(200, "At most 100.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxExchange => Operation::new("exchangeCode", "upstox", "Changes an authorization code for a token. 503 `token_unavailable` where the account has no app.")
            .takes::<b::AuthorizationCode>()
            .gives::<upstreams::TokenUpdated>(200, "There is a token.")
            .refuses(&[E::AccountNotFound])
            .upstream(BROUGHT),
        ForService::UpstoxRequest => Operation::new("requestToken", "upstox", "Asks the account's owner to approve a token, which the webhook brings. 503 `token_unavailable` where the account has no app.")
            .gives::<upstreams::ApprovalRequested>(202, "The owner has been asked to approve a token. The webhook brings it.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxStatus => Operation::new(id("tokenStatus", "tokenStatusOfDefault"), "upstox", "What the token is like; never the token.")
            .gives::<upstreams::AccountStatus>(200, "What it is like.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxValidate => Operation::new(id("validateToken", "validateTokenOfDefault"), "upstox", "Asks Upstox whether the held token is accepted. If it cannot say, the answer is an error.")
            .gives::<upstreams::Validation>(200, "What Upstox says.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::UpstoxUpdate => Operation::new(id("updateToken", "updateTokenOfDefault"), "upstox", "Takes over a token, if Upstox accepts it. Else nothing is stored.")
            .takes::<b::TokenUpdate>()
            .gives::<upstreams::TokenUpdated>(200, "It is taken over.")
            .refuses(&[E::AccountNotFound])
            .upstream(BROUGHT),
        ForService::TokenList => Operation::new("listTokens", "upstreams", "The accounts of all providers and what their tokens are like; never the tokens.")
            .query("limit", "How many are on a page.", json!({ "type": "integer", "minimum": 1, "maximum": 45, "default": 45 }))
            .query("cursor", "`next_cursor` of the page before: the last account on it.", json!({ "type": "string", "minLength": 1 }))
            .gives::<upstreams::AnyAccounts>(200, "A page of them."),
        ForService::TokenRead => read(Operation::new("readAnyToken", "upstreams", "A token that is valid now, renewed first if need be."))
            .gives::<upstreams::UpstreamToken>(200, "The token.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::TokenStatus => Operation::new("anyTokenStatus", "upstreams", "What the token is like; never the token.")
            .gives::<upstreams::AccountStatus>(200, "What it is like.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::TokenRefresh => Operation::new("refreshAnyToken", "upstreams", "A new token, although the held one may be good. 503 `approval_pending` if somebody has to approve it first.")
            .gives::<b::Renewed>(200, "The token. An admin is given what it is like instead.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::TokenHistory => Operation::new("anyTokenHistory", "upstreams", "The last operations, the newest first.")
            .gives::<upstreams::History>(200, "At most 100.")
            .refuses(&[E::AccountNotFound])
            .upstream(&[]),
        ForService::PortalGet => Operation::new("getPortalSession", "portal", "The live session of these credentials, or a new one.")
            .about("However many ask with the same credentials, the portal sees one login. A login takes as long as its captcha.")
            .takes::<b::PortalCredentials>()
            .gives::<portals::GotSession>(200, "The session.")
            .refuses(&[E::MissingFields, E::SessionNotFound, E::PortalNotConfigured])
            .portal(),
        ForService::PortalList => Operation::new("listPortalSessions", "portal", "All live portal sessions, the oldest first.")
            .about("To a key of the scope `portal:own`, those of the logins that it opened itself; each other one is 404 to it on all routes.")
            .gives::<portals::PortalSessions>(200, "All of them."),
        ForService::PortalClose => Operation::new("closePortalSession", "portal", "Closes a portal session, here and at the portal.")
            .gives::<a::Success>(200, "It is closed.")
            .refuses(&[E::SessionNotFound, E::PortalSessionEnded]),
        ForService::PortalState => Operation::new("portalSessionState", "portal", "The cookies of a portal session, and what its pages have stored.")
            .about("In the shape of Playwright's `storageState`. With the scope `portal:state`, beside the one that says whose sessions the key may use.")
            .gives::<portals::GotState>(200, "The state, when what was being done at the portal is done.")
            .refuses(&[E::SessionNotFound, E::PortalSessionEnded, E::PortalNotConfigured])
            .portal(),
        ForService::PortalScreenshot => Operation::new("portalScreenshot", "portal", "A screenshot that an operation with `debug` has kept.")
            .about("Until it expires, also if its session has ended within 24 hours.")
            .picture(200, "What the page looked like, with time, address, user and container above it.")
            .refuses(&[E::SessionNotFound, E::NotFound]),
        ForService::PortalRun => run(row),
        ForService::PortalRunAt => run_at(),
    }
}

/// An operation of any portal: its fields are in the portal's document.
fn run_at() -> Operation {
    Operation::new("runPortalOperation", "portal", "An operation of a portal, as its document declares it.")
        .about("Its own fields and the other members of its answer are those of the portal's document.")
        .gives::<p::Answered>(200, "What came of it.")
        .refuses(&[
            E::MissingFields,
            E::AppointmentIncomplete,
            E::SessionNotFound,
            E::PortalSessionEnded,
            E::PortalNotConfigured,
        ])
        .refuses(&[E::NotFound])
        .portal()
        .body(Body::AnyPortal)
}

/// An operation at a portal: its fields are in its row.
fn run(row: &Row) -> Operation {
    let name = row.pattern.trim_start_matches('/');
    let operation = match name {
        "get_containers" => Operation::new("getContainers", "portal", "The containers that the portal lists.")
            .about("Reads page after page, until there is what was wanted.")
            .gives::<p::Containers>(200, "What came of it."),
        "get_container_timeline" => Operation::new("getContainerTimeline", "portal", "What has happened to a container.")
            .gives::<p::Timeline>(200, "What came of it."),
        "check_appointments" => Operation::new("checkAppointments", "portal", "The times at which an appointment could be made.")
            .about("Fills in the portal's first two forms, and books nothing. What is missing is 400 `appointment_incomplete`.")
            .gives::<p::AppointmentTimes>(200, "What came of it."),
        "make_appointment" => Operation::new("makeAppointment", "portal", "Books an appointment.")
            .about("Sends the last form once, and never again by itself. 502 `portal_outcome_unknown` means that it may be booked or not.")
            .gives::<p::Appointment>(200, "What came of it."),
        // The tests want an id, a summary and an answer of every row.
        _ => Operation::new("", "portal", ""),
    };
    let operation = operation
        .refuses(&[
            E::MissingFields,
            E::AppointmentIncomplete,
            E::SessionNotFound,
            E::PortalSessionEnded,
            E::PortalNotConfigured,
        ])
        .portal();
    match portal::document::emodal().operation(name) {
        Some(declared) => operation.body(Body::Portal(declared)),
        None => operation,
    }
}
