//! The state of a session as others have it: Playwright's `storageState`, cookies and what pages have stored, with `sessionStorage`
//! beside `localStorage`. Of the portal's own hosts only: what others have stored in a browser is nobody's business here.

use super::browser::{Jar, Site};
use super::document::Document;
use super::jar::{Item, Origin};
use base::clock::Timestamp;
use base::fields::{FieldError, FieldFault};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// The field that it comes in.
pub const FIELD: &str = "storage_state";
/// Most of each, beside what a body may have.
const COOKIES_MAX: usize = 100;
const ORIGINS_MAX: usize = 20;
const ITEMS_MAX: usize = 500;
/// Of a cookie, as browsers have it.
const COOKIE_BYTES_MAX: usize = 4096;

/// Its members are those of Playwright, `sameSite` by its words.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    path: String,
    #[serde(default)]
    expires: Option<f64>,
    #[serde(default)]
    same_site: Option<String>,
}

type Wrong = FieldError;

fn wrong(path: &str, fault: FieldFault) -> Wrong {
    FieldError::new(path.to_owned(), fault)
}

/// Where a portal may be: what it does not say of others is nothing that its state may have.
pub struct Hosts {
    site: Site,
}

impl Hosts {
    /// Nothing, if its addresses are none.
    pub fn of(portal: &Document) -> Option<Self> {
        let site = Site::new(&portal.base_url, &portal.hosts, Duration::ZERO, &portal.user_agent)?;
        Some(Self { site })
    }

    /// Whether a cookie of this domain is sent to one of them; with a dot before it, also one of a domain above a host.
    fn has_domain(&self, domain: &str) -> bool {
        let own = |host: &str| self.site.hosts().any(|name| name.eq_ignore_ascii_case(host));
        match domain.strip_prefix('.') {
            None => own(domain),
            Some(above) => {
                let above = above.to_ascii_lowercase();
                let suffix = [".", &above].concat();
                own(&above) || (above.contains('.') && self.site.hosts().any(|name| name.ends_with(&suffix)))
            }
        }
    }

    fn has_origin(&self, origin: &str) -> bool {
        let url = Url::parse(origin).ok();
        url.is_some_and(|url| url.origin().ascii_serialization() == origin && self.site.allows_document(&url))
    }
}

/// A jar with what a caller has given. All that a portal would not take is refused, by its place: nothing is left out.
pub fn read(value: &Value, hosts: &Hosts, now: Timestamp) -> Result<Jar, Wrong> {
    let state = value.as_object().ok_or_else(|| wrong(FIELD, FieldFault::WrongType))?;
    let mut jar = Jar::default();
    let cookies = list(state, "cookies", COOKIES_MAX)?;
    for (n, cookie) in cookies.iter().enumerate() {
        check_cookie(cookie, &format!("{FIELD}.cookies[{n}]"), hosts, now)?;
    }
    jar.take_from_browser(cookies, now);
    let mut items = 0;
    for (n, origin) in list(state, "origins", ORIGINS_MAX)?.iter().enumerate() {
        let path = format!("{FIELD}.origins[{n}]");
        let origin = self::origin(origin, &path, hosts)?;
        items += origin.local_storage.len() + origin.session_storage.len();
        if items > ITEMS_MAX {
            return Err(wrong(&path, FieldFault::TooLong));
        }
        if jar.origins.iter().any(|other| other.origin == origin.origin) {
            return Err(wrong(&format!("{path}.origin"), FieldFault::NotAllowed));
        }
        jar.origins.push(origin);
    }
    if jar.is_empty() {
        // Nothing that could be a session, or it is over.
        return Err(wrong(FIELD, FieldFault::TooShort));
    }
    Ok(jar)
}

/// None is left out.
fn list<'a>(state: &'a Map<String, Value>, name: &str, max: usize) -> Result<&'a [Value], Wrong> {
    let path = format!("{FIELD}.{name}");
    match state.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) if list.len() > max => Err(wrong(&path, FieldFault::TooLong)),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(wrong(&path, FieldFault::WrongType)),
    }
}

fn check_cookie(cookie: &Value, path: &str, hosts: &Hosts, now: Timestamp) -> Result<(), Wrong> {
    let members = cookie.as_object().ok_or_else(|| wrong(path, FieldFault::WrongType))?;
    for name in ["name", "value", "domain", "path"] {
        let path = format!("{path}.{name}");
        match members.get(name) {
            None | Some(Value::Null) => return Err(wrong(&path, FieldFault::Required)),
            Some(Value::String(_)) => {}
            Some(_) => return Err(wrong(&path, FieldFault::WrongType)),
        }
    }
    for name in ["httpOnly", "secure"] {
        if members.get(name).is_some_and(|value| !value.is_boolean()) {
            return Err(wrong(&format!("{path}.{name}"), FieldFault::WrongType));
        }
    }
    if members.get("expires").is_some_and(|value| !value.is_number()) {
        return Err(wrong(&format!("{path}.expires"), FieldFault::WrongType));
    }
    let read = base::json::of::<Cookie>(cookie.clone()).map_err(|_| wrong(path, FieldFault::WrongType))?;
    let at = |name: &str| format!("{path}.{name}");
    if !hosts.has_domain(&read.domain) {
        return Err(wrong(&at("domain"), FieldFault::NotAllowed));
    }
    if read.same_site.is_some_and(|word| !matches!(word.as_str(), "Strict" | "Lax" | "None")) {
        return Err(wrong(&at("sameSite"), FieldFault::NotAllowed));
    }
    if read.name.len() + read.value.len() + read.path.len() > COOKIE_BYTES_MAX {
        return Err(wrong(path, FieldFault::TooLong));
    }
    // What ends a cookie, or a header.
    let ends = |c: char| c == ';' || c.is_control();
    if read.name.is_empty() || read.name.contains(|c| c == '=' || ends(c)) {
        return Err(wrong(&at("name"), FieldFault::NotAllowed));
    }
    if read.value.contains(ends) || read.value.trim() != read.value {
        return Err(wrong(&at("value"), FieldFault::NotAllowed));
    }
    if !read.path.starts_with('/') || read.path.contains(ends) {
        return Err(wrong(&at("path"), FieldFault::NotAllowed));
    }
    // One that is over is no fault: browsers have such, too.
    #[allow(clippy::cast_precision_loss)] // Seconds since 1970.
    let is_over = read.expires.is_some_and(|at| at > 0.0 && at <= now.seconds() as f64);
    let mut alone = Jar::default();
    alone.take_from_browser(std::slice::from_ref(cookie), now);
    if !is_over && alone.is_empty() { Err(wrong(path, FieldFault::NotAllowed)) } else { Ok(()) }
}

fn origin(value: &Value, path: &str, hosts: &Hosts) -> Result<Origin, Wrong> {
    let members = value.as_object().ok_or_else(|| wrong(path, FieldFault::WrongType))?;
    let at = format!("{path}.origin");
    let origin = match members.get("origin") {
        None | Some(Value::Null) => return Err(wrong(&at, FieldFault::Required)),
        Some(Value::String(origin)) if hosts.has_origin(origin) => origin.clone(),
        Some(Value::String(_)) => return Err(wrong(&at, FieldFault::NotAllowed)),
        Some(_) => return Err(wrong(&at, FieldFault::WrongType)),
    };
    let items = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(items) => base::json::of::<Vec<Item>>(items.clone())
            .map_err(|_| wrong(&format!("{path}.{name}"), FieldFault::WrongType)),
    };
    let (local_storage, session_storage) = (items("localStorage")?, items("sessionStorage")?);
    Ok(Origin { origin, local_storage, session_storage })
}

/// What a jar has of the portal's own hosts. It can be given to [`read`] again, and to Playwright.
pub fn write(jar: &Jar, hosts: &Hosts) -> Value {
    let cookies = jar.for_browser().into_iter().filter_map(|cookie| {
        let cookie = cookie.as_object()?;
        let text = |name: &str| cookie.get(name).and_then(Value::as_str);
        let domain = match text("domain") {
            Some(domain) => domain.to_owned(),
            None => Url::parse(text("url")?).ok()?.host_str()?.to_owned(),
        };
        hosts.has_domain(&domain).then(|| {
            json!({
                "name": cookie.get("name"),
                "value": cookie.get("value"),
                "domain": domain,
                "path": cookie.get("path"),
                // -1: with the browser's session.
                "expires": cookie.get("expires").unwrap_or(&json!(-1)),
                "httpOnly": cookie.get("httpOnly"),
                "secure": cookie.get("secure"),
                // What browsers take a cookie for that does not say it.
                "sameSite": text("sameSite").unwrap_or("Lax"),
            })
        })
    });
    // The same text for the same cookies, in whatever order they came.
    let mut cookies: Vec<Value> = cookies.collect();
    cookies.sort_by_cached_key(Value::to_string);
    let origins = jar.origins.iter().filter(|origin| hosts.has_origin(&origin.origin)).map(|origin| {
        let mut state = json!({ "origin": origin.origin, "localStorage": origin.local_storage });
        if let Some(state) = state.as_object_mut().filter(|_| !origin.session_storage.is_empty()) {
            state.insert("sessionStorage".to_owned(), json!(origin.session_storage));
        }
        state
    });
    let origins: Vec<_> = origins.collect();
    json!({ "cookies": cookies, "origins": origins })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::secret::Secret;

    const NOW: Timestamp = Timestamp::from_millis(1_795_577_131_000);

    fn hosts() -> Hosts {
        let mut portal = crate::document::emodal_with("pages", None, "", Map::new()).unwrap();
        portal.base_url = "https://portal.example.com/app".to_owned();
        portal.hosts = vec!["id.example.com".to_owned()];
        Hosts::of(&portal).unwrap()
    }

    fn cookie(members: &Value) -> Value {
        let mut cookie = json!({
            "name": "sid", "value": "one", "domain": "portal.example.com", "path": "/", "expires": -1,
            "httpOnly": true, "secure": true, "sameSite": "Strict",
        });
        for (name, value) in members.as_object().unwrap() {
            cookie[name] = value.clone();
        }
        cookie
    }

    /// The store of cookies has a clock of its own.
    fn today() -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_millis(base::clock::millis(since))
    }

    /// Cookies by their names, with ends that are given in seconds and kept as what is left, by the hour.
    fn even(state: &Value) -> Value {
        let mut state = state.clone();
        let cookies = state["cookies"].as_array_mut().unwrap();
        cookies.sort_by_key(|cookie| cookie["name"].as_str().unwrap().to_owned());
        for cookie in cookies {
            let end = cookie["expires"].as_i64().unwrap();
            cookie["expires"] = json!(if end < 0 { end } else { (end + 1_800) / 3_600 });
        }
        state
    }

    fn fault(state: &Value) -> (String, FieldFault) {
        let wrong = read(state, &hosts(), NOW).unwrap_err();
        (wrong.field.into_owned(), wrong.fault)
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let now = today();
        let state = json!({
            "cookies": [
                cookie(&json!({})),
                cookie(&json!({ "name": "wide", "domain": ".example.com", "path": "/app", "sameSite": "Lax" })),
                cookie(&json!({ "name": "long", "domain": "id.example.com", "expires": now.seconds() + 86_400,
                    "httpOnly": false, "sameSite": "None", "value": "a=b c\"d" })),
            ],
            "origins": [
                { "origin": "https://portal.example.com", "localStorage": [{ "name": "a", "value": "1" }],
                    "sessionStorage": [{ "name": "b", "value": "\u{2028}" }] },
                { "origin": "https://id.example.com", "localStorage": [{ "name": "", "value": "" }] },
            ],
        });
        let jar = read(&state, &hosts(), now).unwrap();
        // As it is stored.
        let jar = Jar::load(&jar.save()).unwrap();
        let out = write(&jar, &hosts());
        assert_eq!(even(&out), even(&state));
        assert_eq!(even(&write(&read(&out, &hosts(), now).unwrap(), &hosts())), even(&out));
        assert_eq!(out["cookies"].as_array().unwrap().iter().filter(|c| c["expires"] == -1).count(), 2);
    }

    #[test]
    fn cookies_of_a_call_come_out_as_playwright_has_them() {
        let mut jar = Jar::default();
        let url = Url::parse("https://portal.example.com/app/x").unwrap();
        jar.take(&Secret::new("sid=one"), &url);
        jar.take(
            &Secret::new("ad=no; Domain=.tracker.example"),
            &Url::parse("https://tracker.example").unwrap(),
        );
        let out = write(&jar, &hosts());
        assert_eq!(
            out,
            json!({ "cookies": [{
            "name": "sid", "value": "one", "domain": "portal.example.com", "path": "/app", "expires": -1,
            "httpOnly": false, "secure": false, "sameSite": "Lax",
        }], "origins": [] })
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        use FieldFault::{NotAllowed, Required, TooLong, TooShort, WrongType};
        let one = |members: &Value| json!({ "cookies": [cookie(&json!({})), cookie(members)] });
        for (members, member, wanted) in [
            (json!({ "domain": "google.com" }), ".domain", NotAllowed),
            (json!({ "domain": "evil-portal.example.com" }), ".domain", NotAllowed),
            (json!({ "domain": "a.portal.example.com" }), ".domain", NotAllowed),
            (json!({ "domain": ".com" }), ".domain", NotAllowed),
            (json!({ "domain": "example.com" }), ".domain", NotAllowed),
            (json!({ "domain": "" }), ".domain", NotAllowed),
            (json!({ "domain": null }), ".domain", Required),
            (json!({ "value": 7 }), ".value", WrongType),
            (json!({ "value": "a;b" }), ".value", NotAllowed),
            (json!({ "value": "a\r\nb" }), ".value", NotAllowed),
            (json!({ "value": "x".repeat(4097) }), "", TooLong),
            (json!({ "name": "" }), ".name", NotAllowed),
            (json!({ "name": "a=b" }), ".name", NotAllowed),
            (json!({ "path": "app" }), ".path", NotAllowed),
            (json!({ "path": "/; Domain=x" }), ".path", NotAllowed),
            (json!({ "expires": "soon" }), ".expires", WrongType),
            (json!({ "secure": "yes" }), ".secure", WrongType),
            (json!({ "sameSite": "lax" }), ".sameSite", NotAllowed),
        ] {
            let place = format!("storage_state.cookies[1]{member}");
            assert_eq!(fault(&one(&members)), (place, wanted), "{members}");
        }
        let origin = |members: &Value| json!({ "cookies": [cookie(&json!({}))], "origins": [members] });
        for (members, member, wanted) in [
            (json!({ "origin": "https://www.google.com" }), ".origin", NotAllowed),
            (json!({ "origin": "http://portal.example.com" }), ".origin", NotAllowed),
            (json!({ "origin": "https://portal.example.com/" }), ".origin", NotAllowed),
            (json!({ "origin": "about:blank" }), ".origin", NotAllowed),
            (json!({}), ".origin", Required),
            (
                json!({ "origin": "https://portal.example.com", "localStorage": [{ "name": "a" }] }),
                ".localStorage",
                WrongType,
            ),
            (
                json!({ "origin": "https://portal.example.com", "sessionStorage": {} }),
                ".sessionStorage",
                WrongType,
            ),
            (json!([]), "", WrongType),
        ] {
            let place = format!("storage_state.origins[0]{member}");
            assert_eq!(fault(&origin(&members)), (place, wanted), "{members}");
        }
        let twice = json!({ "origin": "https://portal.example.com" });
        assert_eq!(fault(&json!({ "origins": [twice, twice] })).0, "storage_state.origins[1].origin");
        let many = json!({ "origin": "https://portal.example.com",
            "localStorage": vec![json!({ "name": "a", "value": "" }); 501] });
        assert_eq!(fault(&json!({ "origins": [many] })), ("storage_state.origins[0]".to_owned(), TooLong));
        let cookies = vec![cookie(&json!({})); 101];
        assert_eq!(fault(&json!({ "cookies": cookies })), ("storage_state.cookies".to_owned(), TooLong));
        assert_eq!(fault(&json!({ "cookies": {} })), ("storage_state.cookies".to_owned(), WrongType));
        for nothing in [
            json!({}),
            json!({ "cookies": [] }),
            json!({ "cookies": [cookie(&json!({ "expires": 1_000 }))] }),
        ] {
            assert_eq!(fault(&nothing), ("storage_state".to_owned(), TooShort));
        }
        assert_eq!(fault(&json!([])), ("storage_state".to_owned(), WrongType));
    }
}
