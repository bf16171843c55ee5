//! What `EMODAL_PAGES` sets: members of E-Modal's document, each by a name of its own.

use super::{Document, emodal_value};
use base::json;
use serde_json::{Map, Value};

/// Each name, and the member that it stands for, as a JSON Pointer.
const MEMBERS: [(&str, &str); 18] = [
    ("login_path", "/login/path"),
    ("home_path", "/keep_alive/path"),
    ("logout_path", "/logout/path"),
    ("containers_path", "/operations/0/listing/path"),
    ("timeline_path", "/operations/1/listing/path"),
    ("appointment_path", "/wizards/0/path"),
    ("user_agent", "/user_agent"),
    ("username_input", "/login/username_input"),
    ("password_input", "/login/password_input"),
    ("captcha_input", "/login/captcha_input"),
    ("error_classes", "/error_classes"),
    ("logged_out", "/login/logged_out"),
    ("credentials_refused", "/login/credentials_refused"),
    ("account_locked", "/login/account_locked"),
    ("captcha_refused", "/login/captcha_refused"),
    ("wizard_expired", "/wizards/0/order/expired_texts"),
    ("slot_gone", "/wizards/0/order/gone_texts"),
    ("appointment_confirmed", "/wizards/0/order/confirmed_texts"),
];

/// E-Modal's document at this address, with these pages. Its faults are told by the pages' names.
pub fn emodal_with(
    driver: &str,
    base_url: Option<&str>,
    issuer: &str,
    pages: Map<String, Value>,
) -> Result<Document, Vec<String>> {
    let (mut value, mut faults) = (emodal_value(driver), Vec::new());
    if driver != "pages" && !pages.is_empty() {
        faults.push(format!(" has members of the document of pages, and EMODAL_DRIVER is {driver}"));
        return Err(faults);
    }
    if let (Some(document), Some(base_url)) = (value.as_object_mut(), base_url) {
        document.insert("base_url".to_owned(), base_url.into());
    }
    if let Some(at) = value.pointer_mut("/login/issuer").filter(|_| !issuer.is_empty()) {
        *at = issuer.into();
    }
    for (name, page) in pages {
        let path = MEMBERS.iter().find(|(known, _)| *known == name).map(|(_, path)| *path);
        let Some(member) = path.and_then(|path| value.pointer_mut(path)) else {
            faults.push(format!(" is not of the right shape: {name}: unknown"));
            continue;
        };
        let shape = if member.is_array() {
            json::of::<Vec<String>>(page.clone()).map(drop)
        } else {
            json::of::<String>(page.clone()).map(drop)
        };
        match shape {
            Ok(()) => *member = page,
            Err(error) => faults.push(format!(" is not of the right shape: {name}: {error}")),
        }
    }
    let read = Document::read(value).map_err(|wrong| {
        for fault in wrong {
            let name = MEMBERS.iter().find(|(_, path)| *path == fault.path).map(|(name, _)| *name);
            faults.push(format!(": {} {}", name.unwrap_or(&fault.path), fault.what));
        }
    });
    read.ok().filter(|_| faults.is_empty()).ok_or(faults)
}

/// The pages as they are without the setting, for the documents.
#[cfg(not(target_arch = "wasm32"))]
pub fn emodal_pages() -> Map<String, Value> {
    let value = emodal_value("pages");
    let page = |path: &str| value.pointer(path).cloned().unwrap_or_default();
    MEMBERS.iter().map(|(name, path)| ((*name).to_owned(), page(path))).collect()
}
