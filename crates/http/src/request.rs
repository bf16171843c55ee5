//! What is known of a request before anything is decided about it, and what comes with it.

#![allow(async_fn_in_trait)] // Everything here runs on one thread; nothing has to be `Send`.

use crate::cookies::MARK;
use crate::language::Language;
use base::clock::Timestamp;
use base::fault::Fault;
use base::fields::is_presentable;

/// The headers that the entry hands over on the fast path, in this order, beside `Authorization`. Whatever else a route
/// wants to know of a request keeps it off the fast path. The last one is read only where `ALLOWED_ORIGINS` is set.
pub const HEADERS: [&str; 4] = ["x-request-id", "x-session-passive", "accept-language", "origin"];

/// Longest request id of a caller's that is taken over.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// What is kept of a `User-Agent`, in characters.
const USER_AGENT_CHARS: usize = 200;

#[derive(Clone, Debug)]
pub struct RequestHead {
    pub method: String,
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    /// `X-API-Key` and `Apikey`, joined by a comma as two headers of one name are. Not read on the fast path.
    pub api_key: Option<String>,
    /// Whether the URL names this machine. Who can choose the URL of a deployment cannot make it so.
    pub loopback: bool,
    /// A request that polls: it is let in as any other, and is no activity.
    pub passive: bool,
    pub language: Language,
    /// The origin of the page that a browser sends this for.
    pub origin: Option<String>,
    /// Whether that is the origin of this request's own URL.
    pub is_own_page: bool,
    /// The cookies, if one of ours is among them. Not read on the fast path.
    pub cookie: Option<String>,
    /// The client's address as the platform saw it. Never a header that a client can set.
    pub address: String,
    pub user_agent: Option<String>,
    pub request_id: String,
    pub started: Timestamp,
}

impl RequestHead {
    /// Reads a request. `fresh_id` is used where the caller gave no well-formed id.
    pub fn new(
        method: &str,
        url: &str,
        header: &dyn Fn(&str) -> Option<String>,
        fresh_id: &dyn Fn() -> String,
        started: Timestamp,
    ) -> Self {
        let (path, query) = path_and_query(url);
        let origin = header("origin");
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: header("authorization"),
            api_key: match (header("x-api-key"), header("apikey")) {
                (Some(one), Some(other)) => Some([one, other].join(",")),
                (one, other) => one.or(other),
            },
            loopback: is_loopback(url),
            passive: header("x-session-passive").is_some_and(|v| is_passive(&v)),
            language: header("accept-language").map_or_else(Language::default, |h| Language::from_header(&h)),
            is_own_page: origin.as_deref().is_some_and(|origin| origin_of(url) == Some(origin)),
            origin,
            cookie: header("cookie").filter(|cookie| cookie.contains(MARK)),
            address: header("cf-connecting-ip").unwrap_or_else(|| "unknown".to_owned()),
            user_agent: header("user-agent")
                .map(|v| v.chars().filter(|c| is_presentable(*c)).take(USER_AGENT_CHARS).collect()),
            request_id: header("x-request-id").filter(|id| well_formed(id)).unwrap_or_else(fresh_id),
            started,
        }
    }

    /// Reads a request from the lines that the entry hands over: method, URL, then [`HEADERS`] in order, empty where
    /// there is none. A header value cannot hold a line break. The token, the address and the device are not known then.
    pub fn from_lines(lines: &str, fresh_id: &dyn Fn() -> String, started: Timestamp) -> Self {
        let lines = Lines::new(lines);
        let header = |name: &str| lines.header(name).map(str::to_owned);
        Self::new(lines.method, lines.url, &header, fresh_id, started)
    }
}

/// The lines of the entry, with nothing copied out of them.
#[derive(Clone, Copy, Debug)]
pub struct Lines<'a> {
    pub method: &'a str,
    pub url: &'a str,
    headers: [&'a str; HEADERS.len()],
}

impl<'a> Lines<'a> {
    pub fn new(lines: &'a str) -> Self {
        let mut lines = lines.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        Self { method: next(), url: next(), headers: std::array::from_fn(|_| next()) }
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        let value = self.headers.get(HEADERS.iter().position(|h| *h == name)?)?;
        Some(*value).filter(|value| !value.is_empty())
    }
}

/// What comes with a request's head.
pub trait Incoming {
    /// A header that few routes read.
    fn header(&self, name: &str) -> Option<String>;

    /// The next piece of the body; none at its end, and none if there is no body.
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, Fault>>;
}

/// Whether a request says by `X-Session-Passive` that it polls.
pub fn is_passive(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}

/// Letters, digits and a few marks: nothing that could forge a header or a log line.
fn well_formed(id: &str) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:=+/".contains(&b))
}

/// Whether the host of an absolute URL is this machine, whatever the port.
fn is_loopback(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"].iter().filter_map(|name| host.strip_prefix(name)).any(|rest| {
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// The origin of an absolute URL, as a browser says it of a page that comes from there.
pub fn origin_of(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url.get(host..)?.find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    url.get(..end)
}

/// The path and the query of an absolute URL, as they stand there.
pub fn path_and_query(url: &str) -> (&str, &str) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    let path = path.split_once('#').map_or(path, |(p, _)| p);
    path.split_once('?').unwrap_or((path, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> RequestHead {
        RequestHead::from_lines(lines, &|| "fresh".to_owned(), Timestamp::default())
    }

    #[test]
    fn reads_the_lines_of_the_entry() {
        let c = read("GET\nhttps://host/auth/verify?role=a#x\nid-1\n1\nes\nhttps://app.example.com");
        assert_eq!((c.method.as_str(), c.path.as_str(), c.query.as_str()), ("GET", "/auth/verify", "role=a"));
        assert_eq!((c.request_id.as_str(), c.passive, c.language), ("id-1", true, Language::Es));
        assert_eq!(c.origin.as_deref(), Some("https://app.example.com"));
    }

    #[test]
    fn reads_the_headers_of_a_request() {
        let header = |name: &str| match name {
            "authorization" => Some("Bearer t".to_owned()),
            "cf-connecting-ip" => Some("192.0.2.1".to_owned()),
            "user-agent" => Some("c".repeat(300)),
            _ => None,
        };
        let c = RequestHead::new("GET", "http://h/", &header, &String::new, Timestamp::default());
        assert_eq!((c.authorization.as_deref(), c.address.as_str()), (Some("Bearer t"), "192.0.2.1"));
        assert_eq!(c.user_agent, Some("c".repeat(USER_AGENT_CHARS)));
    }

    #[test]
    fn does_without_headers() {
        let c = read("GET\nhttps://host\n\n\n\n");
        assert_eq!((c.path.as_str(), c.authorization, c.passive, c.origin), ("/", None, false, None));
        assert_eq!((c.request_id.as_str(), c.language), ("fresh", Language::En));
    }

    #[test]
    fn keys_come_by_either_header() {
        for (one, other, key) in [
            (None, None, None),
            (Some("a"), None, Some("a")),
            (None, Some("b"), Some("b")),
            (Some("a"), Some("b"), Some("a,b")),
        ] {
            let header = |name: &str| match name {
                "x-api-key" => one.map(str::to_owned),
                "apikey" => other.map(str::to_owned),
                _ => None,
            };
            let c = RequestHead::new("GET", "http://h/", &header, &String::new, Timestamp::default());
            assert_eq!(c.api_key.as_deref(), key);
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1:8787/x",
            "http://localhost:8787",
            "http://[::1]:8787/",
            "http://localhost?x",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://auth.example.com/localhost",
            "http://localhost.example.com/",
            "http://localhost:8787@example.com/",
            "http://localhost@example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.10/",
            "http://0.0.0.0/",
            "http://[::2]/",
            "localhost",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn a_page_is_the_requests_own_if_its_origin_is() {
        for (url, origin, own) in [
            ("https://a.test/auth/login", "https://a.test", true),
            ("https://a.test", "https://a.test", true),
            ("http://localhost:8787/x?y", "http://localhost:8787", true),
            ("https://a.test?x", "https://a.test", true),
            ("https://a.test/", "https://a.test/", false),
            ("https://a.test/", "http://a.test", false),
            ("https://a.test:8443/", "https://a.test", false),
            ("https://a.test.evil.test/", "https://a.test", false),
            ("https://a.test/", "https:", false),
            ("https://a.test/", "https:/", false),
            ("https://a.test/", "https://", false),
            ("https://a.test/", "null", false),
            ("https://a.test/", "", false),
            ("", "", false),
        ] {
            let header = |name: &str| (name == "origin").then(|| origin.to_owned());
            let head = RequestHead::new("POST", url, &header, &String::new, Timestamp::default());
            assert_eq!(head.is_own_page, own, "{url} {origin}");
        }
    }

    #[test]
    fn cookies_of_others_are_nobodys_business() {
        for (cookie, kept) in
            [("a=b", false), ("a=b; __Host-sallyport-access=t", true), ("__Secure-sallyport-refresh=t", true)]
        {
            let header = |name: &str| (name == "cookie").then(|| cookie.to_owned());
            let head = RequestHead::new("GET", "http://h/", &header, &String::new, Timestamp::default());
            assert_eq!(head.cookie.is_some(), kept, "{cookie}");
        }
    }

    #[test]
    fn an_odd_request_id_is_replaced() {
        for id in ["a b", "a\"b", "\u{e9}", &"x".repeat(129)] {
            assert_eq!(read(&format!("GET\nhttp://h/\n{id}")).request_id, "fresh", "{id}");
        }
    }
}
