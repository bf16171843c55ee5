//! A browser, as far as cookies go: it keeps what `Set-Cookie` says, and sends what belongs to a path of one host.

use super::{Answer, Call, PASSWORD, Server};
use http::cookies::{ACCESS, REFRESH};
use serde_json::json;
use std::collections::BTreeMap;

/// The deployment's own origin.
pub const OWN: &str = "http://localhost:8787";

/// What a browser says of a page of that origin.
pub const OWN_PAGE: [(&str, &str); 2] = [("origin", OWN), ("sec-fetch-site", "same-origin")];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browser {
    /// By name and path.
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    /// Takes what an answer sets.
    pub fn take(&mut self, answer: &Answer) {
        for cookie in &answer.cookies {
            let mut parts = cookie.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let rest: Vec<&str> = parts.collect();
            let path = rest.iter().find_map(|part| part.strip_prefix("Path=")).unwrap();
            assert!(rest.contains(&"Secure") && rest.contains(&"HttpOnly"), "{cookie}");
            assert!(!rest.iter().any(|part| part.starts_with("Domain")), "{cookie}");
            assert!(!name.starts_with("__Host-") || path == "/", "{cookie}");
            assert!(name.len() + value.len() <= 4096, "{cookie}");
            let key = (name.to_owned(), path.to_owned());
            if rest.contains(&"Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// What it sends to a path (RFC 6265 §5.1.4): the longer path first.
    pub fn header(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap();
        let fits = |of: &str| of == "/" || path == of || path.starts_with(&format!("{of}/"));
        let mut sent: Vec<_> = self.cookies.iter().filter(|((_, of), _)| fits(of)).collect();
        sent.sort_by_key(|((_, of), _)| std::cmp::Reverse(of.len()));
        sent.iter().map(|((name, _), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn value(&self, wanted: &str) -> String {
        self.cookies.iter().find(|((name, _), _)| name == wanted).map(|(_, value)| value.clone()).unwrap()
    }

    pub fn access(&self) -> String {
        self.value(ACCESS)
    }

    pub fn refresh(&self) -> String {
        self.value(REFRESH)
    }
}

impl Call<'_> {
    /// With the browser's cookies, for a page of the deployment's own origin.
    pub fn by(self, browser: &Browser) -> Self {
        let cookies = browser.header(&self.path());
        self.header("cookie", &cookies).headers(&OWN_PAGE)
    }
}

impl Server {
    /// Logs somebody in by cookie.
    pub fn browser(&self, username: &str) -> Browser {
        let mut browser = Browser::default();
        let body = json!({ "username": username, "password": PASSWORD, "cookie": true });
        let answer = self.post("/auth/login").json(&body).by(&browser).send();
        assert_eq!(answer.status, 200, "{}", answer.text);
        browser.take(&answer);
        browser
    }

    /// A new user's.
    pub fn some_browser(&self) -> Browser {
        self.browser(&self.make_user().username)
    }
}
