//! Every way a request can be refused, and what it becomes outside.

use crate::route::Methods;
pub use base::fields::{FieldError, FieldFault};
use keeper::Code;
use keeper::protocol::Refusal;
use portal;
use session::EndReason;

/// Why a request is refused. Rich here; [`Reason::status`], [`Reason::code`] and the texts are all that goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    MalformedJson,
    /// RFC 6750 §3.1: a header that cannot be read, or credentials given twice.
    InvalidRequest,
    NotAuthenticated,
    TokenInvalid,
    TokenExpired,
    SessionInactivity,
    /// An access token of a session that was ended by somebody.
    AccessTokenRevoked(EndReason),
    /// A refresh token of an ended session, or any token of one that is not known.
    SessionRevoked(Option<EndReason>),
    RefreshTokenReused,
    InvalidCredentials,
    /// A service route, and no key that is good: which way it is not, nobody is told.
    ServiceKeyInvalid,
    SessionLimitExceeded,
    Forbidden,
    UserInactive,
    /// The login's password is right, and has to be another one first.
    PasswordChangeRequired,
    NotFound,
    UserNotFound,
    SessionNotFound,
    ServiceKeyNotFound,
    /// This deployment has no such upstream account.
    AccountNotFound,
    /// With what is allowed.
    MethodNotAllowed(Methods),
    UserExists,
    LastAdmin,
    TooManyServiceKeys,
    BodyTooLarge,
    NotJson,
    InvalidFields(Vec<FieldError>),
    /// A channel id that is none, or is not there.
    InvalidChannel,
    /// This deployment has no such channel.
    ChannelNotFound(String),
    /// Nobody can say whether its external tokens still hold.
    ChannelWithoutVerifier,
    RefreshTokenRequired,
    /// By the word of the system that gave it; with the end of the session that it was of, if there was one.
    ExternalTokenExpired(Option<EndReason>),
    ExternalTokenInvalid(Option<EndReason>),
    TooManyAttempts {
        retry_after_seconds: u64,
    },
    /// There is no token. `passes_on`: what the upstream refuses is the caller's business, so it is 401 or 422 and not 502.
    Upstream {
        refusal: Refusal,
        passes_on: bool,
    },
    /// A portal did not do what was wanted.
    Portal(portal::Refusal),
    /// With how it ended.
    PortalSessionEnded(portal::End),
    PortalNotConfigured,
    /// A wizard wants more of its caller, or something else.
    AppointmentIncomplete,
    /// Fields of a portal route that are not there: 400, as the legacy system had it.
    MissingFields(Vec<FieldError>),
    Internal,
    /// A store cannot be asked. Nobody gets in, and nobody is logged out.
    Unavailable,
    Misconfigured,
}

/// How soon a caller may come back when a store could not be asked, in seconds.
const UNAVAILABLE_RETRY_SECONDS: u64 = 5;

impl Reason {
    pub fn field(field: &'static str, fault: FieldFault) -> Self {
        Self::InvalidFields(vec![FieldError { field, fault }])
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::MalformedJson
            | Self::InvalidRequest
            | Self::InvalidChannel
            | Self::ChannelWithoutVerifier
            | Self::RefreshTokenRequired
            | Self::AppointmentIncomplete
            | Self::MissingFields(_) => 400,
            Self::NotAuthenticated
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::SessionInactivity
            | Self::AccessTokenRevoked(_)
            | Self::SessionRevoked(_)
            | Self::RefreshTokenReused
            | Self::InvalidCredentials
            | Self::ServiceKeyInvalid
            | Self::ExternalTokenExpired(_)
            | Self::ExternalTokenInvalid(_) => 401,
            Self::SessionLimitExceeded
            | Self::Forbidden
            | Self::UserInactive
            | Self::PasswordChangeRequired => 403,
            Self::NotFound
            | Self::UserNotFound
            | Self::SessionNotFound
            | Self::ServiceKeyNotFound
            | Self::AccountNotFound
            | Self::ChannelNotFound(_)
            | Self::PortalSessionEnded(_) => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::UserExists | Self::LastAdmin | Self::TooManyServiceKeys => 409,
            Self::BodyTooLarge => 413,
            Self::NotJson => 415,
            Self::InvalidFields(_) => 422,
            Self::TooManyAttempts { .. } => 429,
            Self::Upstream { refusal, passes_on } => upstream_status(refusal.code, *passes_on),
            Self::Portal(refusal) => portal_status(refusal.code),
            Self::Internal => 500,
            Self::Unavailable | Self::Misconfigured | Self::PortalNotConfigured => 503,
        }
    }

    /// The stable name that clients go by.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::InvalidRequest => "invalid_request",
            Self::NotAuthenticated => "not_authenticated",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::SessionInactivity => "session_inactivity_timeout",
            Self::AccessTokenRevoked(_) => "access_token_blacklisted",
            Self::SessionRevoked(_) => "session_revoked_or_invalid",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::InvalidCredentials => "invalid_credentials",
            Self::ServiceKeyInvalid => "service_key_invalid",
            Self::SessionLimitExceeded => "session_limit_exceeded",
            Self::Forbidden => "forbidden",
            Self::UserInactive => "user_inactive",
            Self::PasswordChangeRequired => "password_change_required",
            Self::NotFound => "not_found",
            Self::UserNotFound => "user_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::ServiceKeyNotFound => "service_key_not_found",
            Self::AccountNotFound => "account_not_found",
            Self::Upstream { refusal, .. } => refusal.code.as_str(),
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::UserExists => "user_exists",
            Self::LastAdmin => "last_admin",
            Self::TooManyServiceKeys => "too_many_service_keys",
            Self::BodyTooLarge => "body_too_large",
            Self::NotJson => "unsupported_media_type",
            Self::InvalidFields(_) => "validation_error",
            Self::InvalidChannel => "invalid_channel_id",
            Self::ChannelNotFound(_) => "channel_not_found",
            Self::ChannelWithoutVerifier => "channel_without_verifier",
            Self::RefreshTokenRequired => "refresh_token_required",
            Self::ExternalTokenExpired(_) => "external_token_expired",
            Self::ExternalTokenInvalid(_) => "external_token_invalid",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Portal(refusal) => refusal.code.as_str(),
            Self::PortalSessionEnded(_) => "portal_session_ended",
            Self::PortalNotConfigured => "portal_not_configured",
            Self::AppointmentIncomplete => "appointment_incomplete",
            Self::MissingFields(_) => "missing_fields",
            Self::Internal => "internal_error",
            Self::Unavailable => "service_unavailable",
            Self::Misconfigured => "configuration_error",
        }
    }

    /// How the session ended, where one did.
    pub const fn end_reason(&self) -> Option<EndReason> {
        match self {
            Self::SessionInactivity => Some(EndReason::Inactivity),
            Self::AccessTokenRevoked(reason) => Some(*reason),
            Self::SessionRevoked(reason)
            | Self::ExternalTokenExpired(reason)
            | Self::ExternalTokenInvalid(reason) => *reason,
            Self::RefreshTokenReused => Some(EndReason::Reuse),
            _ => None,
        }
    }

    /// The `error` of the `WWW-Authenticate` challenge (RFC 6750 §3.1), for answers that carry one.
    pub const fn challenge(&self) -> Option<&'static str> {
        match self {
            // No credentials were given for a token, so none were wrong.
            Self::NotAuthenticated | Self::InvalidCredentials => Some("Bearer realm=\"sallyport\""),
            // Not the caller's credentials, but a 401 all the same.
            Self::Upstream { .. } | Self::Portal(_) if self.status() == 401 => {
                Some("Bearer realm=\"sallyport\"")
            }
            Self::InvalidRequest => Some("Bearer realm=\"sallyport\", error=\"invalid_request\""),
            Self::TokenInvalid
            | Self::TokenExpired
            | Self::SessionInactivity
            | Self::AccessTokenRevoked(_)
            | Self::SessionRevoked(_)
            | Self::RefreshTokenReused
            | Self::ServiceKeyInvalid
            | Self::ExternalTokenExpired(_)
            | Self::ExternalTokenInvalid(_) => Some("Bearer realm=\"sallyport\", error=\"invalid_token\""),
            Self::Forbidden => Some("Bearer realm=\"sallyport\", error=\"insufficient_scope\""),
            _ => None,
        }
    }

    pub const fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { retry_after_seconds } => Some(*retry_after_seconds),
            Self::Upstream { refusal, .. } => match refusal.retry_after_seconds {
                None if self.status() == 503 => Some(UNAVAILABLE_RETRY_SECONDS),
                wait => wait,
            },
            Self::Portal(refusal) => match refusal.retry_after_seconds {
                None if self.status() == 503 => Some(UNAVAILABLE_RETRY_SECONDS),
                wait => wait,
            },
            Self::Unavailable | Self::Misconfigured | Self::PortalNotConfigured => {
                Some(UNAVAILABLE_RETRY_SECONDS)
            }
            _ => None,
        }
    }
}

/// What a refusal of an upstream is to our caller.
const fn upstream_status(code: Code, passes_on: bool) -> u16 {
    match code {
        Code::Timeout => 504,
        Code::CallBudgetExhausted => 429,
        Code::NoTokenSource | Code::ApprovalPending | Code::Unreadable | Code::Misconfigured => 503,
        Code::CredentialsRefused if passes_on => 401,
        Code::InputRefused | Code::TokenRefused | Code::OtherUser | Code::GrantRefused if passes_on => 422,
        Code::Unreachable
        | Code::RateLimited
        | Code::ServerError
        | Code::UnexpectedResponse
        | Code::Redirected
        | Code::CredentialsRefused
        | Code::InputRefused
        | Code::GrantRefused
        | Code::TokenRefused
        | Code::OtherUser
        | Code::Interrupted => 502,
    }
}

/// What a refusal of a portal is to our caller.
const fn portal_status(code: portal::Code) -> u16 {
    use portal::Code;
    match code {
        Code::CredentialsRefused => 401,
        Code::CaptchaNoBalance => 402,
        Code::AccountLocked => 403,
        Code::NotFound | Code::WizardUnknown => 404,
        Code::Closed => 409,
        Code::CaptchaKeyRefused | Code::InputRefused => 422,
        Code::LoginBudgetExhausted => 429,
        Code::LoggedOut
        | Code::CaptchaUnsolved
        | Code::CaptchaFailed
        | Code::Unreachable
        | Code::RateLimited
        | Code::ServerError
        | Code::UnexpectedResponse
        | Code::Redirected
        | Code::OutcomeUnknown => 502,
        Code::CaptchaBusy | Code::Interrupted | Code::Unreadable | Code::Busy => 503,
        Code::Timeout | Code::OutOfTime | Code::CaptchaTimeout => 504,
    }
}
