//! A portal as a document: its addresses, how to log in there, and what it can be asked to do. It is JSON, read once for each
//! instance, and checked with all of its faults at once.

mod api;
mod browser;
mod members;
mod operations;
mod overrides;
mod read;
mod wizards;

#[cfg(test)]
mod tests;

#[cfg(not(target_arch = "wasm32"))]
pub use overrides::emodal_pages;
pub use overrides::emodal_with;

pub(crate) use api::placeholder;
pub use api::{Api, ApiCall, ApiList, ApiOrder, ApiWizard, Options};
pub use browser::InBrowser;

use super::operation::Operation;
use base::json;
use serde_json::Value;

/// The document of E-Modal. Its address is a setting.
const EMODAL: &str = include_str!("../../portals/emodal.json");
const EMODAL_IN_BROWSER: &str = include_str!("../../portals/emodal-browser.json");
/// Its API, behind `OpenID` Connect.
pub(crate) const EMODAL_API: &str = include_str!("../../portals/emodal-api.json");

#[derive(Clone, Debug)]
pub struct Document {
    /// Nothing, if it is not set up.
    pub base_url: String,
    /// Hosts that pages may lead to beside the base URL's, as [`super::browser::Site::new`] takes them.
    pub hosts: Vec<String>,
    pub user_agent: String,
    /// Classes of the elements that say what is wrong.
    pub error_classes: Vec<String>,
    pub login: Login,
    /// If it is driven in a browser: then the login has no path and no inputs.
    pub in_browser: Option<InBrowser>,
    /// If it is behind an API: then the login has no path.
    pub api: Option<Api>,
    /// A page that only a logged-in user sees.
    pub home_path: String,
    /// Only a logged-in user is shown a link to it.
    pub logout_path: String,
    pub operations: Vec<Operation>,
}

/// How to log in. Paths are behind the base URL. Of texts one is enough, in whichever case.
#[derive(Clone, Debug, Default)]
pub struct Login {
    pub path: String,
    pub username_input: String,
    pub password_input: String,
    /// What the captcha's solution is sent as. Nothing, if there is no captcha.
    pub captcha_input: Option<String>,
    /// What a one-time password is typed into, on a page of its own after the password.
    pub totp_input: Option<String>,
    /// Says a page with status 200, too.
    pub logged_out: Vec<String>,
    pub credentials_refused: Vec<String>,
    pub account_locked: Vec<String>,
    pub captcha_refused: Vec<String>,
    /// Says a firewall in front of the portal, or its check for robots.
    pub refused_automation: Vec<String>,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The member, as a JSON Pointer (RFC 6901).
    pub path: String,
    pub what: String,
}

impl Document {
    /// Whether its login may have a captcha.
    pub fn has_captcha(&self) -> bool {
        let in_browser = |steps: &InBrowser| browser::has_captcha(&steps.login);
        self.login.captcha_input.is_some() || self.in_browser.as_ref().is_some_and(in_browser)
    }

    /// The operation of this name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// What it says, or all that is wrong with it.
    pub fn read(value: Value) -> Result<Self, Vec<Fault>> {
        let told = members::Told::default();
        let document = read::document(&told, value);
        let faults = told.faults.into_inner();
        document.filter(|_| faults.is_empty()).ok_or(faults)
    }
}

/// The document of E-Modal as a value. It is part of the program, and a test reads it.
fn emodal_value(driver: &str) -> Value {
    let text = match driver {
        "browser" => EMODAL_IN_BROWSER,
        "api" => EMODAL_API,
        _ => EMODAL,
    };
    json::value(text).unwrap_or_default()
}

/// E-Modal's as it is, for tests and documents.
#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::panic)] // Only where a test says first that it has no fault.
pub fn emodal() -> &'static Document {
    static DOCUMENT: std::sync::LazyLock<Document> = std::sync::LazyLock::new(|| {
        Document::read(emodal_value("pages")).unwrap_or_else(|faults| panic!("{faults:?}"))
    });
    &DOCUMENT
}

/// Another portal, for tests and documents.
#[cfg(not(target_arch = "wasm32"))]
pub const EXAMPLE: &str = include_str!("../../portals/example.json");

/// Each kind of object in a document, with a member that it may have.
#[cfg(not(target_arch = "wasm32"))]
pub fn members() -> std::collections::BTreeSet<(&'static str, &'static str)> {
    let told = members::Told::default();
    read::document(&told, emodal_value("pages"));
    read::document(&told, emodal_value("browser"));
    read::document(&told, json::value(EXAMPLE).unwrap_or_default());
    read::document(&told, emodal_value("api"));
    told.members.into_inner()
}
