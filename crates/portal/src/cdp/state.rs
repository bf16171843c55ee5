//! Cookies and storage of a browser, into the jar and back.

use super::super::code::Failure;
use super::super::jar::{Jar, Origin};
use super::{Tab, Unanswered, lost};
use serde_json::{Value, json};

/// Gives a new browser context what the jar keeps, before its first page.
pub(super) async fn restore(tab: &mut Tab<'_>, jar: &Jar) -> Result<(), Failure> {
    let cookies = jar.for_browser();
    if !cookies.is_empty() {
        let params = json!({ "cookies": cookies, "browserContextId": tab.context });
        match tab.devtools.ask_browser("Storage.setCookies", params).await {
            // One that the browser does not take keeps no other from it.
            Err(Unanswered::Refused) => {
                for cookie in cookies {
                    let params = json!({ "cookies": [cookie], "browserContextId": tab.context });
                    match tab.devtools.ask_browser("Storage.setCookies", params).await {
                        Ok(_) | Err(Unanswered::Refused) => {}
                        Err(why) => return Err(why.into_failure()),
                    }
                }
            }
            end => drop(end.map_err(Unanswered::into_failure)?),
        }
    }
    if !jar.origins.is_empty() {
        let origins = serde_json::to_string(&jar.origins).map_err(|_| lost())?;
        // JSON is JavaScript, but for two line separators in old engines.
        tab.restore_items(format!(
            "for (const kept of {origins}) if (kept.origin === location.origin) {{
               for (const {{ name, value }} of kept.localStorage ?? []) localStorage.setItem(name, value);
               for (const {{ name, value }} of kept.sessionStorage ?? []) sessionStorage.setItem(name, value);
             }}"
        ))
        .await?;
    }
    Ok(())
}

/// Keeps what the browser has now.
pub(super) async fn save(tab: &mut Tab<'_>, jar: &mut Jar) -> Result<(), Failure> {
    let params = json!({ "browserContextId": tab.context });
    let cookies = tab.devtools.ask_browser("Storage.getCookies", params).await;
    let cookies = cookies.map_err(Unanswered::into_failure)?;
    let cookies = cookies.get("cookies").and_then(Value::as_array).ok_or(lost())?;
    let now = tab.devtools.net.now();
    jar.take_from_browser(cookies, now);
    let storage = tab.call("storage", vec![]).await?;
    if let Ok(Some(origin)) = base::json::of::<Option<Origin>>(storage) {
        let origins = &mut jar.origins;
        origins.retain(|known| known.origin != origin.origin);
        if !origin.local_storage.is_empty() || !origin.session_storage.is_empty() {
            origins.push(origin);
        }
    }
    Ok(())
}
