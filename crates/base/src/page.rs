//! Pages of portals: one HTTP call and its answer, with what a browser would look at.

use crate::charset::{self, Charset};
use crate::secret::Secret;
use std::fmt;
use std::time::Duration;

/// One HTTP call. Redirects are not followed: where they lead is looked at first.
#[derive(Clone)]
pub struct Fetch {
    pub method: &'static str,
    pub url: String,
    /// Names in lower case. Values may be secret, so they show as such.
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Option<Secret>,
    /// What the body is sent in: what that does not have is a numeric reference.
    pub charset: Charset,
    /// From the beginning of the call to the last byte of its answer.
    pub timeout: Duration,
}

impl Fetch {
    /// The body as it is sent.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.body.as_ref().map(|body| self.charset.encode(body.expose()))
    }
}

/// Without the address: its query may hold a captcha key or an authorization code.
impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Longest page that is read, in bytes.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An answer as it came, whatever its status.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    /// Where it redirects to, as it stands there.
    pub location: Option<String>,
    /// The values of `Set-Cookie`, each by itself.
    pub cookies: Vec<Secret>,
    pub retry_after: Option<Duration>,
    /// The header `Refresh`, as it stands there.
    pub refresh: Option<String>,
    /// The header `Content-Type`, as it stands there.
    pub content_type: Option<String>,
    pub body: Secret,
    /// What `body` came in. An error is the label of an encoding that is not known here: then `body` is empty.
    pub charset: Result<Charset, String>,
}

impl Page {
    /// An answer of this status with a body of these bytes, and nothing else.
    pub fn new(status: u16, content_type: Option<String>, bytes: &[u8]) -> Self {
        let (body, charset) = match charset::read(bytes, content_type.as_deref()) {
            Ok((body, charset)) => (body, Ok(charset)),
            Err(label) => (String::new(), Err(label)),
        };
        Self {
            status,
            location: None,
            cookies: Vec::new(),
            retry_after: None,
            refresh: None,
            content_type,
            body: Secret::new(body),
            charset,
        }
    }

    /// Whether it is a page, by what it says of itself: nothing is taken for one.
    pub fn is_html(&self) -> bool {
        let essence =
            self.content_type.as_deref().and_then(|text| text.split(';').next()).unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        matches!(essence.as_str(), "" | "text/html" | "application/xhtml+xml")
    }
}

#[derive(Clone, Debug)]
pub enum Answer {
    Page(Page),
    /// Over [`PAGE_BYTES_MAX`].
    TooLong,
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
}
