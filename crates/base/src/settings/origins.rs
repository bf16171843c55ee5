//! The origins whose web pages may read our answers.

use super::{Environment, Reader, Setting};

/// As browsers say them (RFC 6454 §6.2): what is equal is so byte by byte. `:*` at the end stands for any port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of a request, if it is one of these.
    pub fn allowed<'a>(&self, origin: Option<&'a str>) -> Option<&'a str> {
        origin.filter(|origin| {
            self.0.iter().any(|allowed| match allowed.strip_suffix(ANY_PORT) {
                Some(host) => origin.strip_prefix(host).is_some_and(is_port_or_none),
                None => allowed == origin,
            })
        })
    }

    /// Whether an origin stands there itself, and not only the host of one whose port is open: what a browser adds by itself is for
    /// pages that somebody has named.
    pub fn names(&self, origin: &str) -> bool {
        self.0.iter().any(|named| named == origin)
    }
}

const ANY_PORT: &str = ":*";

fn is_port_or_none(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port)
}

/// As browsers say it: without a sign, without zeros before it.
fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text)
}

impl Reader<'_> {
    /// Origins, each exact. Only in development, and only of this machine, may one leave its port open.
    pub fn origins(&mut self, setting: &Setting, environment: Environment) -> Origins {
        let value = self.value(setting).unwrap_or_default();
        let origins: Vec<&str> =
            value.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        for (at, origin) in origins.iter().enumerate() {
            if let Some(wrong) = fault(origin, environment) {
                self.fault(setting, &format!("entry {}{} {wrong}", at + 1, shown(origin)));
            }
        }
        Origins(origins.into_iter().map(str::to_owned).collect())
    }
}

/// What of an entry may be shown: its host. What else stands there may have been meant for another setting, and be a secret.
fn shown(origin: &str) -> String {
    let (_, rest) = origin.split_once("://").unwrap_or_default();
    match rest.split(['/', '?', '#']).next() {
        Some(host) if !host.is_empty() && !host.contains('@') => format!(" ({host})"),
        _ => String::new(),
    }
}

/// What is wrong with an entry: no browser would ever say it, or it lets in more than one origin.
fn fault(origin: &str, environment: Environment) -> Option<&'static str> {
    let form = "must be https:// and one host, in lower case and ASCII; several are separated by commas";
    let Some((scheme, rest)) = origin.split_once("://") else { return Some(form) };
    // The last colon of an address in brackets is none of a port.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let is_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    if rest.contains(|c: char| c.is_whitespace() || c == '@') {
        return Some(form);
    }
    if rest.contains(['/', '?', '#']) {
        return Some("must end with its host or port: without a path, without a slash");
    }
    if !["https", "http"].contains(&scheme) || host.is_empty() || !(loopback || host.bytes().all(is_host)) {
        return Some(form);
    }
    if scheme == "http" && !loopback {
        return Some("must be https://; http:// is for loopback only");
    }
    match port {
        None => None,
        Some("*") if loopback && environment == Environment::Development => None,
        Some("*") => Some("may leave its port open only at loopback, and only with ENVIRONMENT=development"),
        Some(port) => {
            let usual = if scheme == "https" { "443" } else { "80" };
            let fault = "must have a port from 1 to 65535, and none where it is the usual one";
            (!is_port(port) || port == usual).then_some(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ALLOWED_ORIGINS;

    fn read(value: &str, environment: Environment) -> Result<Origins, Vec<String>> {
        let lookup = |_: &str| Some(value.to_owned());
        let mut reader = Reader::new(&lookup);
        let origins = reader.origins(&ALLOWED_ORIGINS, environment);
        if reader.faults.is_empty() { Ok(origins) } else { Err(reader.faults) }
    }

    #[test]
    fn c07_only_what_stands_there_is_allowed_byte_by_byte() {
        let value =
            "https://app.example.com, https://admin.example.com:8443,http://localhost:5173 ,https://[::1]:1,";
        let origins = read(value, Environment::Production).unwrap();
        for good in [
            "https://app.example.com",
            "https://admin.example.com:8443",
            "http://localhost:5173",
            "https://[::1]:1",
        ] {
            assert_eq!(origins.allowed(Some(good)), Some(good));
        }
        for bad in [
            "",
            "*",
            "null",
            "http://app.example.com",
            "https://app.example.com:443",
            "https://app.example.com:8443",
            "https://app.example.com/",
            "https://app.example.com.",
            "https://APP.example.com",
            "https://app.example.com.evil.test",
            "https://evilapp.example.com",
            "https://evil.app.example.com",
            "https://example.com",
            "https://app.example.com@evil.test",
            "https://app.example.com https://evil.test",
            "https://app.example.com, https://admin.example.com:8443",
            "https://admin.example.com",
            "http://localhost",
            "http://localhost:51730",
            "http://localhost:5173.evil.test",
            "http://127.0.0.1:5173",
        ] {
            assert_eq!(origins.allowed(Some(bad)), None, "{bad}");
        }
        assert_eq!(origins.allowed(None), None);
    }

    #[test]
    fn in_development_this_machine_may_leave_its_port_open() {
        let value = "http://localhost:*,http://127.0.0.1:*,https://[::1]:*";
        let origins = read(value, Environment::Development).unwrap();
        for good in
            ["http://localhost", "http://localhost:5173", "http://127.0.0.1:65535", "https://[::1]:8443"]
        {
            assert!(origins.allowed(Some(good)).is_some(), "{good}");
        }
        for bad in [
            "https://localhost:5173",
            "http://localhost:",
            "http://localhost:65536",
            "http://localhost:+1",
            "http://localhost:080",
            "http://localhost:*",
            "http://localhost:5173/",
            "http://localhost:80@evil.test",
            "http://localhost.evil.test",
            "http://localhost:5173.evil.test",
            "http://127.0.0.10",
            "http://[::1]:8443",
        ] {
            assert_eq!(origins.allowed(Some(bad)), None, "{bad}");
        }
        let faults = read(value, Environment::Production).unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(
            faults[0],
            "ALLOWED_ORIGINS entry 1 (localhost:*) may leave its port open only at loopback, and only with \
             ENVIRONMENT=development"
        );
        let elsewhere = read("https://app.example.com:*", Environment::Development).unwrap_err();
        assert!(
            elsewhere[0].contains("entry 1 (app.example.com:*) may leave its port open only"),
            "{elsewhere:?}"
        );
    }

    #[test]
    fn what_no_browser_says_is_a_fault_that_names_the_entry_and_shows_no_secret() {
        let good = "https://a.example.com";
        for (bad, said) in [
            ("*", "entry 2 must be https://"),
            ("null", "entry 2 must be https://"),
            ("app.example.com", "entry 2 must be https://"),
            ("k1:hunter2", "entry 2 must be https://"),
            ("ftp://app.example.com", "entry 2 (app.example.com) must be https://"),
            ("HTTPS://app.example.com", "entry 2 (app.example.com) must be https://"),
            ("https://App.example.com", "entry 2 (App.example.com) must be https://"),
            ("https://*.example.com", "entry 2 (*.example.com) must be https://"),
            ("https://b\u{fc}cher.example.com", "entry 2 (b\u{fc}cher.example.com) must be https://"),
            ("https://u:hunter2@app.example.com", "entry 2 must be https://"),
            ("https://", "entry 2 must be https://"),
            ("https://:8443", "entry 2 (:8443) must be https://"),
            ("https://[::2]", "entry 2 ([::2]) must be https://"),
            (
                "https://b.example.com https://c.example.com",
                "entry 2 (b.example.com https:) must be https://",
            ),
            ("https://app.example.com/", "entry 2 (app.example.com) must end with its host or port"),
            ("https://app.example.com/hunter2", "entry 2 (app.example.com) must end with its host or port"),
            ("https://app.example.com?hunter2", "entry 2 (app.example.com) must end with its host or port"),
            ("http://app.example.com", "entry 2 (app.example.com) must be https://; http:// is for loopback"),
            ("https://app.example.com:443", "entry 2 (app.example.com:443) must have a port"),
            ("http://localhost:80", "entry 2 (localhost:80) must have a port"),
            ("https://app.example.com:0", "entry 2 (app.example.com:0) must have a port"),
            ("https://app.example.com:08443", "entry 2 (app.example.com:08443) must have a port"),
            ("https://app.example.com:65536", "entry 2 (app.example.com:65536) must have a port"),
            ("https://app.example.com:", "entry 2 (app.example.com:) must have a port"),
        ] {
            let faults = read(&format!("{good}, {bad}"), Environment::Development).unwrap_err();
            let [fault] = faults.as_slice() else { panic!("{bad}: {faults:?}") };
            assert!(fault.starts_with(&format!("ALLOWED_ORIGINS {said}")), "{bad}: {fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
        let none = read(" , ", Environment::Production).unwrap();
        assert!(none.is_empty());
    }
}
