//! The codes of refusals that are this service's own. Those of upstreams and portals are [`base::call::Code`] and
//! [`portal::Code`].

base::words! {
    /// A stable name that clients go by.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ErrorCode {
        /// the body is not JSON, has a name twice in one object, is nested more than 127 levels deep, or has a number that does
        /// not fit
        MalformedJson = "malformed_json",
        /// two bearer tokens, or one that contains a space; different service keys in one request; a bearer token and a
        /// [cookie](browsers.md#cookies) of different sessions, or two different cookies of one name; under `/oauth`, no form, or a
        /// parameter given twice
        InvalidRequest = "invalid_request",
        /// a [post-login session](post-login.md) was requested without a channel id
        InvalidChannel = "invalid_channel_id",
        /// the renewal of a post-login session was requested without a refresh token
        RefreshTokenRequired = "refresh_token_required",
        /// the renewal of a post-login session on a channel that has no verifier
        ChannelWithoutVerifier = "channel_without_verifier",
        /// `/oauth/token`: the `grant_type` is none of those that are supported
        UnsupportedGrantType = "unsupported_grant_type",
        /// `/oauth/token`: a `scope` was asked for; there are none
        InvalidScope = "invalid_scope",
        /// `/oauth/token`: an `audience` or `resource` other than `TOKEN_AUDIENCE`
        InvalidTarget = "invalid_target",
        /// required fields of a portal route are missing; `errors` names them
        MissingFields = "missing_fields",
        /// an [appointment](portal.md#continuing-an-appointment) needs more fields, or other values
        AppointmentIncomplete = "appointment_incomplete",
        /// no bearer token, or another scheme; on service routes, no service key
        NotAuthenticated = "not_authenticated",
        /// login: wrong password, or no such user; also if the password was changed during the login
        InvalidCredentials = "invalid_credentials",
        /// the user has to give the password again first: the login is [too long ago](sessions.md#fresh-logins) for this
        InsufficientUserAuthentication = "insufficient_user_authentication",
        /// the token does not have the form, type or key that is [accepted](tokens.md)
        TokenInvalid = "token_invalid",
        /// a genuine token that has expired
        TokenExpired = "token_expired",
        /// the session ended by inactivity
        SessionInactivity = "session_inactivity_timeout",
        /// an access token of a session that was ended before its time; `reason` says how
        AccessTokenRevoked = "access_token_blacklisted",
        /// a refresh token of such a session, or any token of a session that reached its lifetime or is unknown
        SessionRevoked = "session_revoked_or_invalid",
        /// an old refresh token was used again; the session has been ended for that reason
        RefreshTokenReused = "refresh_token_reused",
        /// the external system says that the external token has expired; at a renewal, the session has been ended
        ExternalTokenExpired = "external_token_expired",
        /// the external system refuses the external token, or it is another customer's; at a renewal, the session has been
        /// ended
        ExternalTokenInvalid = "external_token_invalid",
        /// what was sent to a service route is not a valid [service key](service-keys.md)
        ServiceKeyInvalid = "service_key_invalid",
        /// login at the session limit, with `SESSION_LIMIT_POLICY=reject`
        SessionLimitExceeded = "session_limit_exceeded",
        /// a role or a scope is missing; a service key where a user is required; a wrong bootstrap key or reset secret, or one
        /// that has been used
        Forbidden = "forbidden",
        /// the password of a [post-login session](post-login.md) was given: there is none
        NoPassword = "no_password",
        /// by [cookie](browsers.md#cookies): the request could change something, and was perhaps not sent by a page of this origin
        /// or of one in `ALLOWED_ORIGINS`
        CrossSite = "cross_site_request",
        /// login with the right password, which the user must [change](users.md#a-new-password) first
        PasswordChangeRequired = "password_change_required",
        /// login with the right password of a disabled user
        UserInactive = "user_inactive",
        /// no such route
        NotFound = "not_found",
        /// the [metadata](signing-keys.md#metadata) of OAuth 2.0, where `TOKEN_ISSUER` is no URL
        IssuerNotUrl = "issuer_not_url",
        /// no such user
        UserNotFound = "user_not_found",
        /// no such live session, or not one of the caller's; no such portal session
        SessionNotFound = "session_not_found",
        /// the portal session has ended; `reason` says [how](portal.md#ends)
        PortalSessionEnded = "portal_session_ended",
        /// this deployment has no such channel
        ChannelNotFound = "channel_not_found",
        /// no such service key
        ServiceKeyNotFound = "service_key_not_found",
        /// the settings have no such upstream account
        AccountNotFound = "account_not_found",
        /// the path exists, but not with this method
        MethodNotAllowed = "method_not_allowed",
        /// a user with the same canonical name exists
        UserExists = "user_exists",
        /// the change would remove the last active admin
        LastAdmin = "last_admin",
        /// there are 1,000 valid service keys already
        TooManyServiceKeys = "too_many_service_keys",
        /// a body of more than 16 KiB (16,384 bytes); of `POST /get_session`, 256 KiB
        BodyTooLarge = "body_too_large",
        /// a body that is not `application/json`, or has a charset other than UTF-8
        NotJson = "unsupported_media_type",
        /// fields of the body, or parameters of the query, are wrong; `errors` names all of them
        InvalidFields = "validation_error",
        /// login: too many [failed logins](users.md#password-guessing)
        TooManyAttempts = "too_many_attempts",
        /// a fault inside Sallyport: an impossible answer between its parts
        Internal = "internal_error",
        /// a store cannot be asked; nobody was logged out
        Unavailable = "service_unavailable",
        /// the [audit trail](logs.md#the-audit-trail) was asked for, and `AUDIT_TRAIL` is `off`
        AuditTrailOff = "audit_trail_off",
        /// this deployment has no portal
        PortalNotConfigured = "portal_not_configured",
        /// a setting is wrong or missing (other than of [upstream accounts](keeper.md#faulty-settings)); every route answers
        /// this, or, if the verifier of a channel is not configured, the routes that need it. The log says which setting
        Misconfigured = "configuration_error",
    }
}
