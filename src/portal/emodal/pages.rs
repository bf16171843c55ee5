//! The portal's addresses, names and texts. All of them can be set: it has no interface, so they may change any day.

use serde::Deserialize;

/// Paths are behind the base URL. Of texts one is enough, in whichever case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    pub login_path: String,
    /// A page that only a logged-in user sees.
    pub home_path: String,
    /// Only a logged-in user is shown a link to it.
    pub logout_path: String,
    pub containers_path: String,
    /// `{container_id}` stands for the container's number.
    pub timeline_path: String,
    pub appointment_path: String,
    pub user_agent: String,
    pub username_input: String,
    pub password_input: String,
    /// What the captcha's solution is sent as.
    pub captcha_input: String,
    /// Classes of the elements that say what is wrong.
    pub error_classes: Vec<String>,
    /// Says a page with status 200, too.
    pub logged_out: Vec<String>,
    pub credentials_refused: Vec<String>,
    pub account_locked: Vec<String>,
    pub captcha_refused: Vec<String>,
    /// The portal does not know a wizard any more.
    pub wizard_expired: Vec<String>,
    pub slot_gone: Vec<String>,
    pub appointment_confirmed: Vec<String>,
}

impl Default for Pages {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            login_path: text("/login"),
            home_path: text("/containers"),
            logout_path: text("/logout"),
            containers_path: text("/containers"),
            timeline_path: text("/containers/{container_id}"),
            appointment_path: text("/appointments/new"),
            user_agent: text("Mozilla/5.0 (compatible; Sallyport)"),
            username_input: text("Username"),
            password_input: text("Password"),
            captcha_input: text("g-recaptcha-response"),
            error_classes: vec![text("validation-summary-errors"), text("field-validation-error")],
            logged_out: vec![text("You are either not logged in or your session has expired")],
            credentials_refused: vec![text("Invalid username or password")],
            account_locked: vec![text("account is locked"), text("account has been locked")],
            captcha_refused: vec![text("Captcha validation failed")],
            wizard_expired: vec![text("appointment session has expired")],
            slot_gone: vec![text("selected time is no longer available")],
            appointment_confirmed: vec![text("Appointment confirmed")],
        }
    }
}
