//! Every way a request can be refused, and what it becomes outside.
//!
//! Over 400 lines: a line for each refusal in each of the tables, which are read beside each other.

use crate::error_code::ErrorCode;
use crate::route::Methods;
pub use base::fields::{FieldError, FieldFault};
use keeper::Code;
use keeper::protocol::Refusal;
use portal;
use session::EndReason;
use std::borrow::Cow;

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
    /// The login is older than this: the password has to be given again first (RFC 9470).
    InsufficientUserAuthentication {
        max_age_seconds: u64,
    },
    /// A service route, and no key that is good: which way it is not, nobody is told.
    ServiceKeyInvalid,
    SessionLimitExceeded,
    Forbidden,
    /// By cookie, and perhaps for a page of somebody else's.
    CrossSite,
    UserInactive,
    /// Of somebody externally authenticated.
    NoPassword,
    /// The login's password is right, and has to be another one first.
    PasswordChangeRequired,
    NotFound,
    /// There is no metadata of an issuer that is no URL.
    IssuerNotUrl,
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
    /// This deployment keeps no audit trail.
    AuditTrailOff,
    /// A wizard wants more of its caller, or something else.
    AppointmentIncomplete,
    /// `/oauth/token`: RFC 6749 §5.2, and RFC 8693 §2.2.2.
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
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
        Self::InvalidFields(vec![FieldError::new(field, fault)])
    }

    pub const fn status(&self) -> u16 {
        match self {
            Self::MalformedJson
            | Self::InvalidRequest
            | Self::InvalidChannel
            | Self::ChannelWithoutVerifier
            | Self::RefreshTokenRequired
            | Self::AppointmentIncomplete
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::MissingFields(_) => 400,
            Self::NotAuthenticated
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::SessionInactivity
            | Self::AccessTokenRevoked(_)
            | Self::SessionRevoked(_)
            | Self::RefreshTokenReused
            | Self::InvalidCredentials
            | Self::InsufficientUserAuthentication { .. }
            | Self::ServiceKeyInvalid
            | Self::ExternalTokenExpired(_)
            | Self::ExternalTokenInvalid(_) => 401,
            Self::SessionLimitExceeded
            | Self::Forbidden
            | Self::CrossSite
            | Self::UserInactive
            | Self::NoPassword
            | Self::PasswordChangeRequired => 403,
            Self::NotFound
            | Self::IssuerNotUrl
            | Self::UserNotFound
            | Self::SessionNotFound
            | Self::ServiceKeyNotFound
            | Self::AccountNotFound
            | Self::AuditTrailOff
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
            Self::MalformedJson => ErrorCode::MalformedJson.as_str(),
            Self::InvalidRequest => ErrorCode::InvalidRequest.as_str(),
            Self::NotAuthenticated => ErrorCode::NotAuthenticated.as_str(),
            Self::TokenInvalid => ErrorCode::TokenInvalid.as_str(),
            Self::TokenExpired => ErrorCode::TokenExpired.as_str(),
            Self::SessionInactivity => ErrorCode::SessionInactivity.as_str(),
            Self::AccessTokenRevoked(_) => ErrorCode::AccessTokenRevoked.as_str(),
            Self::SessionRevoked(_) => ErrorCode::SessionRevoked.as_str(),
            Self::RefreshTokenReused => ErrorCode::RefreshTokenReused.as_str(),
            Self::InvalidCredentials => ErrorCode::InvalidCredentials.as_str(),
            Self::InsufficientUserAuthentication { .. } => ErrorCode::InsufficientUserAuthentication.as_str(),
            Self::ServiceKeyInvalid => ErrorCode::ServiceKeyInvalid.as_str(),
            Self::SessionLimitExceeded => ErrorCode::SessionLimitExceeded.as_str(),
            Self::Forbidden => ErrorCode::Forbidden.as_str(),
            Self::CrossSite => ErrorCode::CrossSite.as_str(),
            Self::UserInactive => ErrorCode::UserInactive.as_str(),
            Self::NoPassword => ErrorCode::NoPassword.as_str(),
            Self::PasswordChangeRequired => ErrorCode::PasswordChangeRequired.as_str(),
            Self::NotFound => ErrorCode::NotFound.as_str(),
            Self::IssuerNotUrl => ErrorCode::IssuerNotUrl.as_str(),
            Self::UserNotFound => ErrorCode::UserNotFound.as_str(),
            Self::SessionNotFound => ErrorCode::SessionNotFound.as_str(),
            Self::ServiceKeyNotFound => ErrorCode::ServiceKeyNotFound.as_str(),
            Self::AccountNotFound => ErrorCode::AccountNotFound.as_str(),
            Self::Upstream { refusal, .. } => refusal.code.as_str(),
            Self::MethodNotAllowed(_) => ErrorCode::MethodNotAllowed.as_str(),
            Self::UserExists => ErrorCode::UserExists.as_str(),
            Self::LastAdmin => ErrorCode::LastAdmin.as_str(),
            Self::TooManyServiceKeys => ErrorCode::TooManyServiceKeys.as_str(),
            Self::BodyTooLarge => ErrorCode::BodyTooLarge.as_str(),
            Self::NotJson => ErrorCode::NotJson.as_str(),
            Self::InvalidFields(_) => ErrorCode::InvalidFields.as_str(),
            Self::InvalidChannel => ErrorCode::InvalidChannel.as_str(),
            Self::ChannelNotFound(_) => ErrorCode::ChannelNotFound.as_str(),
            Self::ChannelWithoutVerifier => ErrorCode::ChannelWithoutVerifier.as_str(),
            Self::RefreshTokenRequired => ErrorCode::RefreshTokenRequired.as_str(),
            Self::ExternalTokenExpired(_) => ErrorCode::ExternalTokenExpired.as_str(),
            Self::ExternalTokenInvalid(_) => ErrorCode::ExternalTokenInvalid.as_str(),
            Self::TooManyAttempts { .. } => ErrorCode::TooManyAttempts.as_str(),
            Self::Portal(refusal) => refusal.code.as_str(),
            Self::PortalSessionEnded(_) => ErrorCode::PortalSessionEnded.as_str(),
            Self::PortalNotConfigured => ErrorCode::PortalNotConfigured.as_str(),
            Self::AuditTrailOff => ErrorCode::AuditTrailOff.as_str(),
            Self::AppointmentIncomplete => ErrorCode::AppointmentIncomplete.as_str(),
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType.as_str(),
            Self::InvalidScope => ErrorCode::InvalidScope.as_str(),
            Self::InvalidTarget => ErrorCode::InvalidTarget.as_str(),
            Self::MissingFields(_) => ErrorCode::MissingFields.as_str(),
            Self::Internal => ErrorCode::Internal.as_str(),
            Self::Unavailable => ErrorCode::Unavailable.as_str(),
            Self::Misconfigured => ErrorCode::Misconfigured.as_str(),
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

    /// The `WWW-Authenticate` challenge (RFC 6750 §3.1), for answers that carry one.
    pub fn challenge(&self) -> Option<Cow<'static, str>> {
        if let Self::InsufficientUserAuthentication { max_age_seconds } = self {
            // RFC 9470 §3.
            return Some(Cow::Owned(format!(
                "Bearer realm=\"sallyport\", error=\"insufficient_user_authentication\", \
                 error_description=\"A more recent login is required\", max_age=\"{max_age_seconds}\""
            )));
        }
        self.fixed_challenge().map(Cow::Borrowed)
    }

    const fn fixed_challenge(&self) -> Option<&'static str> {
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

    /// What `/oauth/token` makes of it: the status, and the `error` of RFC 6749 §5.2 and RFC 8693 §2.2.2.
    pub const fn as_token_error(&self) -> (u16, &'static str) {
        match self {
            Self::UnsupportedGrantType => (400, "unsupported_grant_type"),
            Self::InvalidScope => (400, "invalid_scope"),
            Self::InvalidTarget => (400, "invalid_target"),
            Self::NotAuthenticated | Self::ServiceKeyInvalid => (401, "invalid_client"),
            Self::Forbidden => (400, "unauthorized_client"),
            // A subject token that is no good is a wrong request; a session that has ended by it was the grant.
            Self::ExternalTokenExpired(None) | Self::ExternalTokenInvalid(None) => (400, "invalid_request"),
            Self::TokenInvalid
            | Self::TokenExpired
            | Self::SessionInactivity
            | Self::SessionRevoked(_)
            | Self::RefreshTokenReused
            | Self::SessionNotFound
            | Self::ChannelWithoutVerifier
            | Self::ExternalTokenExpired(Some(_))
            | Self::ExternalTokenInvalid(Some(_)) => (400, "invalid_grant"),
            _ => match self.status() {
                413 => (413, "invalid_request"),
                400..=428 => (400, "invalid_request"),
                status @ (429 | 503) => (status, "temporarily_unavailable"),
                status => (status, "server_error"),
            },
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

/// What the docs are made from.
#[cfg(not(target_arch = "wasm32"))]
impl Reason {
    /// One of each way to be refused, with as little known of it as can be; those of upstreams once more as the caller's business.
    pub fn samples() -> Vec<Self> {
        let refusal = |code| Refusal { code, status: None, retry_after_seconds: None };
        let upstream = |passes_on| {
            let codes = Code::ALL.iter();
            codes.map(move |code| Self::Upstream { refusal: refusal(*code), passes_on })
        };
        let portal = portal::Code::ALL.iter().map(|code| Self::Portal(portal::Refusal::new(*code)));
        let own = ErrorCode::ALL.iter().map(|code| Self::sample(*code));
        own.chain(upstream(false)).chain(upstream(true)).chain(portal).collect()
    }

    /// The one that has this code.
    pub fn sample(code: ErrorCode) -> Self {
        match code {
            ErrorCode::MalformedJson => Self::MalformedJson,
            ErrorCode::InvalidRequest => Self::InvalidRequest,
            ErrorCode::InvalidChannel => Self::InvalidChannel,
            ErrorCode::RefreshTokenRequired => Self::RefreshTokenRequired,
            ErrorCode::ChannelWithoutVerifier => Self::ChannelWithoutVerifier,
            ErrorCode::UnsupportedGrantType => Self::UnsupportedGrantType,
            ErrorCode::InvalidScope => Self::InvalidScope,
            ErrorCode::InvalidTarget => Self::InvalidTarget,
            ErrorCode::MissingFields => Self::MissingFields(Vec::new()),
            ErrorCode::AppointmentIncomplete => Self::AppointmentIncomplete,
            ErrorCode::NotAuthenticated => Self::NotAuthenticated,
            ErrorCode::InvalidCredentials => Self::InvalidCredentials,
            ErrorCode::TokenInvalid => Self::TokenInvalid,
            ErrorCode::TokenExpired => Self::TokenExpired,
            ErrorCode::SessionInactivity => Self::SessionInactivity,
            ErrorCode::AccessTokenRevoked => Self::AccessTokenRevoked(EndReason::Logout),
            ErrorCode::SessionRevoked => Self::SessionRevoked(None),
            ErrorCode::RefreshTokenReused => Self::RefreshTokenReused,
            ErrorCode::ExternalTokenExpired => Self::ExternalTokenExpired(None),
            ErrorCode::ExternalTokenInvalid => Self::ExternalTokenInvalid(None),
            ErrorCode::InsufficientUserAuthentication => {
                Self::InsufficientUserAuthentication { max_age_seconds: 900 }
            }
            ErrorCode::ServiceKeyInvalid => Self::ServiceKeyInvalid,
            ErrorCode::SessionLimitExceeded => Self::SessionLimitExceeded,
            ErrorCode::Forbidden => Self::Forbidden,
            ErrorCode::CrossSite => Self::CrossSite,
            ErrorCode::PasswordChangeRequired => Self::PasswordChangeRequired,
            ErrorCode::UserInactive => Self::UserInactive,
            ErrorCode::NoPassword => Self::NoPassword,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::IssuerNotUrl => Self::IssuerNotUrl,
            ErrorCode::UserNotFound => Self::UserNotFound,
            ErrorCode::SessionNotFound => Self::SessionNotFound,
            ErrorCode::PortalSessionEnded => Self::PortalSessionEnded(portal::End::Closed),
            ErrorCode::ChannelNotFound => Self::ChannelNotFound(String::new()),
            ErrorCode::ServiceKeyNotFound => Self::ServiceKeyNotFound,
            ErrorCode::AccountNotFound => Self::AccountNotFound,
            ErrorCode::MethodNotAllowed => Self::MethodNotAllowed(Methods::GET),
            ErrorCode::UserExists => Self::UserExists,
            ErrorCode::LastAdmin => Self::LastAdmin,
            ErrorCode::TooManyServiceKeys => Self::TooManyServiceKeys,
            ErrorCode::BodyTooLarge => Self::BodyTooLarge,
            ErrorCode::NotJson => Self::NotJson,
            ErrorCode::InvalidFields => Self::InvalidFields(Vec::new()),
            ErrorCode::TooManyAttempts => Self::TooManyAttempts { retry_after_seconds: 1 },
            ErrorCode::Internal => Self::Internal,
            ErrorCode::Unavailable => Self::Unavailable,
            ErrorCode::PortalNotConfigured => Self::PortalNotConfigured,
            ErrorCode::AuditTrailOff => Self::AuditTrailOff,
            ErrorCode::Misconfigured => Self::Misconfigured,
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
        Code::Closed | Code::NeedsHuman => 409,
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
        | Code::RefusedAutomation
        | Code::StepFailed
        | Code::BrowserLost
        | Code::OutcomeUnknown => 502,
        Code::CaptchaBusy
        | Code::Interrupted
        | Code::Unreadable
        | Code::Busy
        | Code::NoBrowser
        | Code::BrowsersBusy => 503,
        Code::Timeout | Code::OutOfTime | Code::CaptchaTimeout => 504,
    }
}
