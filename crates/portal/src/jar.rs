//! The cookies of one session (RFC 6265).

use base::clock::Timestamp;
use base::secret::{self, Secret};
use cookie_store::{Cookie, CookieDomain, CookieExpiration, CookieStore};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::fmt;
use url::Url;

/// Browsers take no longer ones, in bytes (RFC 6265 §6.1), and no more of them. They are kept sealed, as a whole.
const COOKIE_BYTES_MAX: usize = 4096;
const COOKIES_MAX: usize = 100;

/// Cookies, those that end with the browser's session included. `SameSite` does not matter: only the portal's own pages
/// lead to its pages.
#[derive(Clone, Default)]
pub struct Jar {
    cookies: CookieStore,
    /// What pages have stored in a browser.
    pub origins: Vec<Origin>,
    /// What its API is called with.
    pub tokens: Option<Tokens>,
}

/// The tokens of a login by `OpenID` Connect (RFC 6749 §5.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    #[serde(with = "secret::wire")]
    pub access_token: Secret,
    #[serde(default, with = "secret::wire_option", skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What the pages of an origin have stored, as Playwright's `storageState` has it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    #[allow(clippy::struct_field_names)] // Playwright calls it so.
    pub origin: String,
    #[serde(default)]
    pub local_storage: Vec<Item>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub session_storage: Vec<Item>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub name: String,
    pub value: String,
}

impl Jar {
    /// `None` if it is not what [`Jar::save`] gave. Cookies alone are a list, as they have always been.
    pub fn load(saved: &Secret) -> Option<Self> {
        let (mut origins, mut tokens) = (Vec::new(), None);
        let cookies = match base::json::read(saved.expose()).ok()? {
            Value::Object(mut whole) => {
                origins = base::json::of(whole.remove("origins")?).ok()?;
                tokens = whole.remove("tokens").map(base::json::of).transpose().ok()?;
                whole.remove("cookies")?
            }
            cookies => cookies,
        };
        let cookies: Vec<Cookie<'static>> = base::json::of(cookies).ok()?;
        let cookies = CookieStore::from_cookies(cookies.into_iter().map(Ok::<_, ()>), false).ok()?;
        Some(Self { cookies, origins, tokens })
    }

    /// The same text for the same cookies, in whatever order they came.
    pub fn save(&self) -> Secret {
        let mut cookies: Vec<_> =
            self.cookies.iter_unexpired().filter_map(|cookie| serde_json::to_string(cookie).ok()).collect();
        cookies.sort_unstable();
        let cookies = cookies.join(",");
        if self.origins.is_empty() && self.tokens.is_none() {
            return Secret::new(format!("[{cookies}]"));
        }
        let origins = serde_json::to_string(&self.origins).unwrap_or_default();
        let tokens = self.tokens.as_ref().and_then(|tokens| serde_json::to_string(tokens).ok());
        let tokens = tokens.map(|tokens| format!(",\"tokens\":{tokens}")).unwrap_or_default();
        Secret::new(format!("{{\"cookies\":[{cookies}],\"origins\":{origins}{tokens}}}"))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.cookies.iter_unexpired().next().is_none() && self.origins.is_empty()
    }

    /// Takes a `Set-Cookie` that came from `url`. One that is not for there, or malformed, is ignored, as browsers do.
    pub(super) fn take(&mut self, cookie: &Secret, url: &Url) {
        let text = cookie.expose();
        if text.len() > COOKIE_BYTES_MAX {
            return;
        }
        if self.cookies.iter_any().count() >= COOKIES_MAX {
            let alive = self.cookies.iter_unexpired().cloned().map(Ok::<_, ()>);
            self.cookies = CookieStore::from_cookies(alive, false).unwrap_or_default();
        }
        let known = self.cookies.iter_any().count();
        // What an error would say has the cookie in it.
        if let Ok(cookie) = Cookie::parse(text.to_owned(), url) {
            let (domain, path) = (String::from(&cookie.domain), String::from(&cookie.path));
            if known < COOKIES_MAX || self.cookies.contains_any(&domain, &path, cookie.name()) {
                let _ = self.cookies.insert(cookie.into_owned(), url);
            }
        }
    }

    /// The `Cookie` header for a call, if there is anything to send: longer paths first (RFC 6265 §5.4).
    pub(super) fn header(&self, url: &Url) -> Option<Secret> {
        let mut cookies = self.cookies.matches(url);
        cookies.sort_by_key(|c| (Reverse(c.path.len()), c.name().to_owned()));
        let pairs: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        (!pairs.is_empty()).then(|| Secret::new(pairs.join("; ")))
    }
}

/// A cookie as `DevTools` have it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BrowserCookie {
    name: String,
    value: String,
    domain: String,
    path: String,
    /// In seconds since 1970; less than that for one of the browser's session.
    #[serde(default)]
    expires: f64,
    #[serde(default)]
    http_only: bool,
    #[serde(default)]
    secure: bool,
    #[serde(default)]
    same_site: Option<String>,
}

impl Jar {
    /// The cookies as a browser takes them (`Network.CookieParam`).
    pub(super) fn for_browser(&self) -> Vec<Value> {
        let cookies = self.cookies.iter_unexpired().map(|cookie| {
            let (domain, host_only) = match &cookie.domain {
                CookieDomain::HostOnly(host) => (host.clone(), true),
                CookieDomain::Suffix(domain) => (format!(".{domain}"), false),
                CookieDomain::NotPresent | CookieDomain::Empty => (String::new(), true),
            };
            let secure = cookie.secure().unwrap_or_default();
            let (name, place) = if host_only {
                // By its address it is for this host alone.
                ("url", format!("{}://{domain}/", if secure { "https" } else { "http" }))
            } else {
                ("domain", domain)
            };
            let mut param = Map::from_iter([
                ("name".to_owned(), cookie.name().into()),
                ("value".to_owned(), cookie.value().into()),
                ("path".to_owned(), String::from(&cookie.path).into()),
                ("secure".to_owned(), secure.into()),
                ("httpOnly".to_owned(), cookie.http_only().unwrap_or_default().into()),
                (name.to_owned(), place.into()),
            ]);
            if let CookieExpiration::AtUtc(at) = &cookie.expires {
                param.insert("expires".to_owned(), at.unix_timestamp().into());
            }
            if let Some(same_site) = cookie.same_site() {
                param.insert("sameSite".to_owned(), same_site.to_string().into());
            }
            Value::Object(param)
        });
        cookies.collect()
    }

    /// All cookies that a browser has, in place of those before.
    pub(super) fn take_from_browser(&mut self, cookies: &[Value], now: Timestamp) {
        self.cookies = CookieStore::default();
        for cookie in cookies {
            let Ok(cookie) = base::json::of::<BrowserCookie>(cookie.clone()) else { continue };
            let host = cookie.domain.trim_start_matches('.');
            let scheme = if cookie.secure { "https" } else { "http" };
            let Ok(url) = Url::parse(&format!("{scheme}://{host}{}", cookie.path)) else { continue };
            let mut text = format!("{}={}; Path={}", cookie.name, cookie.value, cookie.path);
            if cookie.domain.starts_with('.') {
                text.push_str("; Domain=");
                text.push_str(host);
            }
            if cookie.expires > 0.0 {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // Whole seconds since 1970.
                let left = (cookie.expires as u64).saturating_sub(now.seconds());
                text.push_str("; Max-Age=");
                text.push_str(&left.to_string());
            }
            if let Some(same_site) = &cookie.same_site {
                text.push_str("; SameSite=");
                text.push_str(same_site);
            }
            text.push_str(if cookie.secure { "; Secure" } else { "" });
            text.push_str(if cookie.http_only { "; HttpOnly" } else { "" });
            self.take(&Secret::new(text), &url);
        }
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.cookies.iter_unexpired().count())
    }
}
