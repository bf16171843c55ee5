//! The portal's addresses, names and texts. All of them can be set: it has no interface, so they may change any day.

use serde::Deserialize;

/// Stands for the container's number in [`Pages::timeline_path`].
const CONTAINER_ID: &str = "{container_id}";

/// Paths are behind the base URL. Of texts one is enough, in whichever case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(serde::Serialize))]
#[serde(default)]
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

impl Pages {
    /// What is wrong with them, by their members' names.
    pub fn faults(&self) -> Vec<String> {
        let paths = [
            ("login_path", &self.login_path),
            ("home_path", &self.home_path),
            ("logout_path", &self.logout_path),
            ("containers_path", &self.containers_path),
            ("timeline_path", &self.timeline_path),
            ("appointment_path", &self.appointment_path),
        ];
        let texts = [
            ("error_classes", &self.error_classes),
            ("logged_out", &self.logged_out),
            ("credentials_refused", &self.credentials_refused),
            ("account_locked", &self.account_locked),
            ("captcha_refused", &self.captcha_refused),
            ("wizard_expired", &self.wizard_expired),
            ("slot_gone", &self.slot_gone),
            ("appointment_confirmed", &self.appointment_confirmed),
        ];
        let mut faults = Vec::new();
        for (name, path) in paths {
            // It is put behind the base URL as it is: without the slash it would go on with the name of the host.
            if !path.starts_with('/') || path.starts_with("//") {
                faults.push(format!("{name} must begin with one /"));
            }
        }
        if self.timeline_path.matches(CONTAINER_ID).count() != 1 {
            faults.push(format!("timeline_path must have {CONTAINER_ID} once"));
        }
        if self.user_agent.trim().is_empty()
            || !self.user_agent.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        {
            faults.push("user_agent must be visible ASCII".to_owned());
        }
        for (name, texts) in texts {
            if texts.iter().any(|text| text.trim().is_empty()) {
                faults.push(format!("{name} has an empty text"));
            }
        }
        faults
    }
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
