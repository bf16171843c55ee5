//! What can go wrong at a portal.

use serde::{Deserialize, Serialize};
use std::time::Duration;

base::words! {
    /// Why a portal did not do what was wanted. Stable names: they are stored, shown, and are codes of the HTTP interface.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Code {
        /// the portal says that its session is over; only as an outcome in the log
        LoggedOut = "portal_logged_out",
        /// the portal refuses the username and password, or did so recently
        CredentialsRefused = "portal_credentials_refused",
        /// the portal has locked the account, or said so recently
        AccountLocked = "portal_account_locked",
        /// the captcha service refuses the key
        CaptchaKeyRefused = "captcha_key_refused",
        /// the account of the captcha key is empty
        CaptchaNoBalance = "captcha_no_balance",
        /// the captcha service has no free worker
        CaptchaBusy = "captcha_busy",
        /// the captcha was not solved, or the portal did not accept the solutions
        CaptchaUnsolved = "captcha_unsolved",
        /// the captcha was not solved in time
        CaptchaTimeout = "captcha_timeout",
        /// the captcha service cannot be reached, sends an unexpected answer, or has another error
        CaptchaFailed = "captcha_failed",
        /// the portal did not answer in time
        Timeout = "portal_timeout",
        /// the portal answers, but the whole operation took too long
        OutOfTime = "portal_timeout",
        /// no connection to the portal, or it broke
        Unreachable = "portal_unreachable",
        /// the portal answered 429
        RateLimited = "portal_rate_limited",
        /// the portal answered with a status of 500 or above
        ServerError = "portal_error",
        /// the portal's page is not the expected one
        #[serde(rename = "unintelligible")]
        UnexpectedResponse = "portal_unintelligible",
        /// the portal redirects to a host that is not [allowed](portal.md#hosts), or in a loop
        Redirected = "portal_redirected",
        /// the portal does not have the requested item
        NotFound = "portal_not_found",
        /// a field cannot be part of an address of the portal; `message` names it
        InputRefused = "portal_input_refused",
        /// an appointment may be booked, or not; [check at the portal first](portal.md#when-the-outcome-is-unknown)
        OutcomeUnknown = "portal_outcome_unknown",
        /// the progress of some work at the portal could not be stored
        Interrupted = "portal_interrupted",
        /// the stored data of a [portal session](portal.md#changing-the-sealing-key) cannot be decrypted
        Unreadable = "credential_unreadable",
        /// the logins of this hour with these credentials [are used up](portal.md#the-life-of-a-session)
        #[serde(rename = "logins_spent")]
        LoginBudgetExhausted = "portal_logins_spent",
        /// 100 operations are queued for this portal session
        Busy = "portal_busy",
        /// the portal session was closed while it logged in again for this call
        Closed = "portal_session_closed",
        /// this session has no such [appointment](portal.md#continuing-an-appointment), or it was idle for too long, or it is
        /// or may be booked
        WizardUnknown = "appointment_session_not_found",
        /// the portal asks for [what only a person can do](portal.md#a-person-once); where it waits for them, `live_view_url` leads to the browser
        NeedsHuman = "needs_human",
        /// the portal's firewall, or its check for robots, refuses automation
        RefusedAutomation = "portal_refused_automation",
        /// a step of the [portal's document](portal-documents.md) could not be done; `step` names it
        StepFailed = "portal_step_failed",
        /// no browser could be had: none is set up, or the service that has them does not answer
        NoBrowser = "browser_unavailable",
        /// all browsers are in use (`PORTAL_BROWSERS_MAX`), and none was free in time
        BrowsersBusy = "browsers_busy",
        /// the browser crashed, hung or was taken away
        BrowserLost = "browser_lost",
    }
}

impl Code {
    /// Whether the portal has said no to these credentials: trying again with them may get the account locked.
    pub const fn refuses_credentials(self) -> bool {
        matches!(self, Self::CredentialsRefused | Self::AccountLocked)
    }

    /// Whether the captcha service has said no to a key, which is no matter of who has another one.
    pub const fn refuses_captcha_key(self) -> bool {
        matches!(self, Self::CaptchaKeyRefused | Self::CaptchaNoBalance)
    }

    /// Whether it is about browsers alone: the portal, the session and the credentials are what they were.
    pub const fn is_of_browsers(self) -> bool {
        matches!(self, Self::NoBrowser | Self::BrowsersBusy | Self::BrowserLost)
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
                | Self::RefusedAutomation
                | Self::StepFailed
                | Self::NoBrowser
                | Self::BrowsersBusy
                | Self::BrowserLost
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
    /// What was being done, if that is known.
    pub step: &'static str,
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
        Self { code, status: None, retry_after: None, message: None, step: "" }
    }

    pub const fn with_status(code: Code, status: u16) -> Self {
        Self { code, status: Some(status), retry_after: None, message: None, step: "" }
    }

    pub fn with_message(code: Code, message: &str) -> Self {
        let message = Some(message.chars().take(MESSAGE_CHARS_MAX).collect());
        Self { code, status: None, retry_after: None, message, step: "" }
    }
}
