//! The codes of refusals that are this service's own. Those of upstreams and portals are [`base::call::Code`] and
//! [`portal::Code`].

base::words! {
    /// A stable name that clients go by.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ErrorCode {
        /// the body is not JSON, names a field twice, is nested more than 127 deep, or has a number that does not fit
        MalformedJson = "malformed_json",
        /// two bearer tokens, or one with a space in it; service keys that differ
        InvalidRequest = "invalid_request",
        /// a [post-login session](post-login.md) without a channel id
        InvalidChannel = "invalid_channel_id",
        /// a renewal of one without a refresh token
        RefreshTokenRequired = "refresh_token_required",
        /// a renewal of one on a channel whose external tokens nobody can verify
        ChannelWithoutVerifier = "channel_without_verifier",
        /// needed fields of a portal route are missing; `errors` names them
        MissingFields = "missing_fields",
        /// an [appointment](portal.md#going-on-with-one) needs more, or something else
        AppointmentIncomplete = "appointment_incomplete",
        /// no bearer token, or another scheme; no service key
        NotAuthenticated = "not_authenticated",
        /// login: wrong password, or no such user; also if the password changed during the login
        InvalidCredentials = "invalid_credentials",
        /// not a token of the form, type or keys that are [accepted](tokens.md)
        TokenInvalid = "token_invalid",
        /// a genuine token whose time is over
        TokenExpired = "token_expired",
        /// the session ended by inactivity
        SessionInactivity = "session_inactivity_timeout",
        /// an access token of a session that somebody ended
        AccessTokenRevoked = "access_token_blacklisted",
        /// a refresh token of such a session, or any token of one that reached its lifetime or is not known
        SessionRevoked = "session_revoked_or_invalid",
        /// an old refresh token came again; the session has been ended for it
        RefreshTokenReused = "refresh_token_reused",
        /// the other system says that the external token has expired; at a renewal the session has been ended
        ExternalTokenExpired = "external_token_expired",
        /// the other system refuses the external token, or it is another customer's; likewise
        ExternalTokenInvalid = "external_token_invalid",
        /// a service route, and what was shown is no good [service key](service-keys.md)
        ServiceKeyInvalid = "service_key_invalid",
        /// login at the limit, with `SESSION_LIMIT_POLICY=reject`
        SessionLimitExceeded = "session_limit_exceeded",
        /// a role or a scope is missing; a service key where a user is wanted; a wrong bootstrap key or reset secret, or one that
        /// has done its work
        Forbidden = "forbidden",
        /// login with the right password, which has to be [another one](users.md#a-new-password) first
        PasswordChangeRequired = "password_change_required",
        /// login with the right password of a disabled user
        UserInactive = "user_inactive",
        /// no such route
        NotFound = "not_found",
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
        /// no such upstream account in the settings
        AccountNotFound = "account_not_found",
        /// the path is served, with other methods
        MethodNotAllowed = "method_not_allowed",
        /// making a user whose canonical name is taken
        UserExists = "user_exists",
        /// the last active admin would be lost
        LastAdmin = "last_admin",
        /// 1,000 service keys are good already
        TooManyServiceKeys = "too_many_service_keys",
        /// a body of more than 16 KiB (16,384 bytes)
        BodyTooLarge = "body_too_large",
        /// a body that is not `application/json`, or in another character set than UTF-8
        NotJson = "unsupported_media_type",
        /// fields of the body, or parameters of the query, are wrong; `errors` names all of them
        InvalidFields = "validation_error",
        /// login: too many [guesses](users.md#guessing)
        TooManyAttempts = "too_many_attempts",
        /// an answer inside that cannot be
        Internal = "internal_error",
        /// a store cannot be asked; nobody was logged out
        Unavailable = "service_unavailable",
        /// this deployment has no portal
        PortalNotConfigured = "portal_not_configured",
        /// a setting is wrong or missing, and not one of [upstream accounts](keeper.md#faulty-settings); on every route, but for a
        /// channel's verifier that is not set up. The log says which
        Misconfigured = "configuration_error",
    }
}
