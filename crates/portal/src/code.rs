//! What can go wrong at a portal.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why a portal did not do what was wanted. Stable names: they are stored, shown, and are codes of the HTTP interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The portal does not know this session any more.
    LoggedOut,
    /// The portal refuses the username and password: final.
    CredentialsRefused,
    /// The portal has locked the account: final.
    AccountLocked,
    /// The captcha service refuses the key, or whoever has it: final.
    CaptchaKeyRefused,
    /// The captcha service wants to be paid first: final.
    CaptchaNoBalance,
    /// The captcha service has nobody free.
    CaptchaBusy,
    /// Nobody could solve the captcha, or the portal did not take the solutions.
    CaptchaUnsolved,
    CaptchaTimeout,
    /// The captcha service cannot be reached, or is not understood.
    CaptchaFailed,
    Timeout,
    /// The portal answers, and all of it together took too long.
    OutOfTime,
    Unreachable,
    RateLimited,
    /// A status from 500 on.
    ServerError,
    /// A page that is not what was expected there.
    #[serde(rename = "unintelligible")]
    UnexpectedResponse,
    /// The portal wants to send us to a host that is not its own.
    Redirected,
    /// The portal has no such thing.
    NotFound,
    /// The portal finds something of the caller's invalid.
    InputRefused,
    /// Something was ordered, and nobody knows whether it was done.
    OutcomeUnknown,
    /// Whoever was at it is gone.
    Interrupted,
    /// What is stored cannot be opened: changed, or sealed under a key that is not configured.
    Unreadable,
    /// The hour's logins are used up.
    #[serde(rename = "logins_spent")]
    LoginBudgetExhausted,
    /// Too many wait for this session already.
    Busy,
    /// The session was closed while somebody waited for it.
    Closed,
    /// There is no wizard of this id to be gone on with.
    WizardUnknown,
}

impl Code {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "portal_logged_out",
            Self::CredentialsRefused => "portal_credentials_refused",
            Self::AccountLocked => "portal_account_locked",
            Self::CaptchaKeyRefused => "captcha_key_refused",
            Self::CaptchaNoBalance => "captcha_no_balance",
            Self::CaptchaBusy => "captcha_busy",
            Self::CaptchaUnsolved => "captcha_unsolved",
            Self::CaptchaTimeout => "captcha_timeout",
            Self::CaptchaFailed => "captcha_failed",
            Self::Timeout | Self::OutOfTime => "portal_timeout",
            Self::Unreachable => "portal_unreachable",
            Self::RateLimited => "portal_rate_limited",
            Self::ServerError => "portal_error",
            Self::UnexpectedResponse => "portal_unintelligible",
            Self::Redirected => "portal_redirected",
            Self::NotFound => "portal_not_found",
            Self::InputRefused => "portal_input_refused",
            Self::OutcomeUnknown => "portal_outcome_unknown",
            Self::Interrupted => "portal_interrupted",
            Self::Unreadable => "credential_unreadable",
            Self::LoginBudgetExhausted => "portal_logins_spent",
            Self::Busy => "portal_busy",
            Self::Closed => "portal_session_closed",
            Self::WizardUnknown => "appointment_session_not_found",
        }
    }

    /// Whether the portal has said no to these credentials: trying again with them may get the account locked.
    pub const fn refuses_credentials(self) -> bool {
        matches!(self, Self::CredentialsRefused | Self::AccountLocked)
    }

    /// Whether the captcha service has said no to a key, which is no matter of who has another one.
    pub const fn refuses_captcha_key(self) -> bool {
        matches!(self, Self::CaptchaKeyRefused | Self::CaptchaNoBalance)
    }

    /// Whether it says something about the portal, and nothing about the session or the credentials.
    pub const fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::Timeout
                | Self::OutOfTime
                | Self::Unreachable
                | Self::RateLimited
                | Self::ServerError
                | Self::UnexpectedResponse
                | Self::Redirected
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    /// What the portal answered with, if it did.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// The portal's own words about what the caller gave, if there are any. Of at most [`MESSAGE_CHARS_MAX`] characters.
    pub message: Option<String>,
}

/// Longest text of a portal's that is passed on, in characters.
pub const MESSAGE_CHARS_MAX: usize = 300;

impl Failure {
    /// Whether the portal is down, by what it answers or does not.
    pub fn is_down(&self) -> bool {
        match self.code {
            Code::Timeout | Code::Unreachable | Code::RateLimited => true,
            // A 500 may be about one page; one that names a time is not.
            Code::ServerError => self.retry_after.is_some() || self.status.is_none_or(|status| status > 500),
            _ => false,
        }
    }

    pub const fn new(code: Code) -> Self {
        Self { code, status: None, retry_after: None, message: None }
    }

    pub const fn with_status(code: Code, status: u16) -> Self {
        Self { code, status: Some(status), retry_after: None, message: None }
    }

    pub fn with_message(code: Code, message: &str) -> Self {
        let message = Some(message.chars().take(MESSAGE_CHARS_MAX).collect());
        Self { code, status: None, retry_after: None, message }
    }
}
