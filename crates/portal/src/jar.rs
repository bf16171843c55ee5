//! The cookies of one session (RFC 6265).

use base::secret::Secret;
use cookie_store::{Cookie, CookieStore};
use std::cmp::Reverse;
use std::fmt;
use url::Url;

/// Browsers take no longer ones, in bytes (RFC 6265 §6.1), and no more of them. They are kept sealed, as a whole.
const COOKIE_BYTES_MAX: usize = 4096;
const COOKIES_MAX: usize = 100;

/// Cookies, those that end with the browser's session included. `SameSite` does not matter: only the portal's own pages
/// lead to its pages.
#[derive(Clone, Default)]
pub struct Jar(CookieStore);

impl Jar {
    /// `None` if it is not what [`Jar::save`] gave.
    pub fn load(saved: &Secret) -> Option<Self> {
        let cookies: Vec<Cookie<'static>> = base::json::read(saved.expose()).ok()?;
        CookieStore::from_cookies(cookies.into_iter().map(Ok::<_, ()>), false).ok().map(Self)
    }

    /// The same text for the same cookies, in whatever order they came.
    pub fn save(&self) -> Secret {
        let mut cookies: Vec<_> =
            self.0.iter_unexpired().filter_map(|cookie| serde_json::to_string(cookie).ok()).collect();
        cookies.sort_unstable();
        Secret::new(format!("[{}]", cookies.join(",")))
    }

    /// Takes a `Set-Cookie` that came from `url`. One that is not for there, or malformed, is ignored, as browsers do.
    pub(super) fn take(&mut self, cookie: &Secret, url: &Url) {
        let text = cookie.expose();
        if text.len() > COOKIE_BYTES_MAX {
            return;
        }
        if self.0.iter_any().count() >= COOKIES_MAX {
            let alive = self.0.iter_unexpired().cloned().map(Ok::<_, ()>);
            self.0 = CookieStore::from_cookies(alive, false).unwrap_or_default();
        }
        let known = self.0.iter_any().count();
        // What an error would say has the cookie in it.
        if let Ok(cookie) = Cookie::parse(text.to_owned(), url) {
            let (domain, path) = (String::from(&cookie.domain), String::from(&cookie.path));
            if known < COOKIES_MAX || self.0.contains_any(&domain, &path, cookie.name()) {
                let _ = self.0.insert(cookie.into_owned(), url);
            }
        }
    }

    /// The `Cookie` header for a call, if there is anything to send: longer paths first (RFC 6265 §5.4).
    pub(super) fn header(&self, url: &Url) -> Option<Secret> {
        let mut cookies = self.0.matches(url);
        cookies.sort_by_key(|c| (Reverse(c.path.len()), c.name().to_owned()));
        let pairs: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        (!pairs.is_empty()).then(|| Secret::new(pairs.join("; ")))
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.0.iter_unexpired().count())
    }
}
