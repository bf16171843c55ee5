//! What a browser would do: cookies, forms, redirects. It goes to the portal's own hosts only, and never from https to http.

pub use super::jar::Jar;

use super::code::{Code, Failure, MESSAGE_CHARS_MAX};
use super::driver::Visit;
use super::html::{Document, Form, Method};
use super::net::{Answer, Fetch, Page, Progress};
use base::charset::Charset;
use base::secret::Secret;
use std::time::Duration;
use url::{Position, Url};

/// Most redirects, refreshes and forms that submit themselves, in a row.
const HOPS_MAX: usize = 10;
/// A page that leads on later than this is one to be read.
const REFRESH_MAX: Duration = Duration::from_secs(10);

/// Where a browser may go, and how.
#[derive(Clone, Debug)]
pub struct Site {
    base: Url,
    allowed: Vec<Url>,
    timeout: Duration,
    user_agent: String,
}

impl Site {
    /// `hosts` are allowed beside the base URL's: names, with a port or as whole origins if these are not the base URL's.
    /// `None` if an address is none.
    pub fn new(base_url: &str, hosts: &[String], timeout: Duration, user_agent: &str) -> Option<Self> {
        let base = Url::parse(base_url.trim_end_matches('/')).ok()?;
        if !matches!(base.scheme(), "http" | "https") {
            return None;
        }
        let mut allowed = vec![base.clone()];
        for host in hosts {
            allowed.push(origin(&base, host)?);
        }
        Some(Self { base, allowed, timeout, user_agent: user_agent.to_owned() })
    }

    /// An address behind the base URL.
    pub fn at(&self, path: &str) -> Option<Url> {
        Url::parse(&format!("{}{path}", self.base.as_str().trim_end_matches('/'))).ok()
    }

    /// The names of the hosts, without their ports.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().filter_map(Url::host_str)
    }

    /// Whether a document may come from there, whoever leads to it.
    pub(super) fn allows_document(&self, to: &Url) -> bool {
        to.as_str() == "about:blank" || self.allowed.iter().any(|url| url.origin() == to.origin())
    }

    /// Whether it may be called at all.
    pub fn has(&self, url: &Url) -> bool {
        self.allows(&self.base, url)
    }

    fn allows(&self, from: &Url, to: &Url) -> bool {
        let down = from.scheme() == "https" && to.scheme() != "https";
        let names_somebody = !to.username().is_empty() || to.password().is_some();
        !down && !names_somebody && self.allowed.iter().any(|url| url.origin() == to.origin())
    }
}

/// An origin that is configured: what it does not say is as in the base URL.
fn origin(base: &Url, host: &str) -> Option<Url> {
    let host = host.trim();
    if host.contains("://") {
        return Url::parse(host).ok();
    }
    let mut url = Url::parse(&format!("{}://{host}", base.scheme())).ok()?;
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !host.rsplit_once(':').is_some_and(|(_, port)| is_port(port)) {
        url.set_port(base.port()).ok()?;
    }
    Some(url)
}

/// A page that was come to, whichever its status below 500.
pub struct Shown {
    pub url: Url,
    pub status: u16,
    pub document: Document,
    /// Where it leads to by itself, and after how long.
    refresh: Option<(Duration, Url)>,
}

impl Shown {
    /// Where it leads to by itself, if that is soon.
    pub fn leads_to(&self) -> Option<&Url> {
        self.refresh.as_ref().filter(|(wait, _)| *wait <= REFRESH_MAX).map(|(_, to)| to)
    }
}

/// A call that is ready to be made.
pub struct Prepared {
    url: Url,
    method: &'static str,
    body: Option<Body>,
    referrer: Option<Url>,
}

/// What is sent, and its type.
#[derive(Clone)]
struct Body {
    text: Secret,
    kind: String,
    charset: Charset,
}

impl Prepared {
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// What it would bring there, in its query or as a form.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let body = self.body.as_ref().map(|body| body.text.expose()).unwrap_or_default();
        let pairs = self.url.query_pairs().chain(form_urlencoded::parse(body.as_bytes()));
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }
}

/// What one call led to.
pub enum Hop {
    Shown(Shown),
    Goes(Prepared),
}

pub struct Browser<'v, 'n> {
    pub visit: &'v mut Visit<'n>,
    site: &'v Site,
}

impl<'v, 'n> Browser<'v, 'n> {
    pub const fn new(visit: &'v mut Visit<'n>, site: &'v Site) -> Self {
        Self { visit, site }
    }

    /// Goes to an address behind the base URL.
    pub async fn open(&mut self, path: &str) -> Result<Shown, Failure> {
        let url = self.site.at(path).ok_or(Failure::new(Code::UnexpectedResponse))?;
        self.follow(Hop::Goes(Prepared { url, method: "GET", body: None, referrer: None })).await
    }

    /// Follows a link of a page.
    pub async fn click(&mut self, page: &Url, href: &str) -> Result<Shown, Failure> {
        let url = self.target(page, Some(href))?;
        let referrer = Some(page.clone());
        self.follow(Hop::Goes(Prepared { url, method: "GET", body: None, referrer })).await
    }

    pub async fn submit(&mut self, page: &Url, form: &Form) -> Result<Shown, Failure> {
        let prepared = self.prepare(page, form)?;
        self.follow(Hop::Goes(prepared)).await
    }

    /// What a form of a page sends. What is typed into a password input goes into no address.
    pub fn prepare(&self, page: &Url, form: &Form) -> Result<Prepared, Failure> {
        let submission = form.submission();
        let mut url = self.target(page, submission.action)?;
        let referrer = Some(page.clone());
        let unexpected = Failure::new(Code::UnexpectedResponse);
        match submission.method {
            Method::Post => {
                let (text, kind) = submission.body();
                let body = Some(Body { text: Secret::new(text), kind, charset: submission.charset });
                Ok(Prepared { url, method: "POST", body, referrer })
            }
            // Addresses are logged, by the portal and by whoever is on the way there.
            Method::Get if !form.has_password() => {
                url.set_query(Some(&submission.url_encoded()));
                Ok(Prepared { url, method: "GET", body: None, referrer })
            }
            Method::Get | Method::Dialog => Err(unexpected),
        }
    }

    /// Goes on until there is a page to look at.
    pub async fn follow(&mut self, hop: Hop) -> Result<Shown, Failure> {
        shown(self.go_on(hop, false, None).await?)
    }

    /// Goes on until there is a page to look at, or until this address, whatever its query, is come to: it is not called.
    pub async fn follow_to(&mut self, hop: Hop, end: &Url) -> Result<Hop, Failure> {
        self.go_on(hop, false, Some(end)).await
    }

    /// An address that is configured, as a call.
    pub fn to(&self, url: &Url) -> Result<Prepared, Failure> {
        let url = self.target(&self.site.base, Some(url.as_str()))?;
        Ok(Prepared { url, method: "GET", body: None, referrer: None })
    }

    /// The same on the way from a login: its cookies are kept after each call, because the next one may be the last.
    pub async fn follow_signed_in(&mut self, hop: Hop) -> Result<Shown, Failure> {
        shown(self.go_on(hop, true, None).await?)
    }

    async fn go_on(&mut self, mut hop: Hop, keeps: bool, end: Option<&Url>) -> Result<Hop, Failure> {
        let mut calls = 0;
        loop {
            let prepared = match hop {
                Hop::Goes(prepared) => prepared,
                Hop::Shown(shown) => match shown.document.form_that_submits_itself() {
                    Some(form) => self.prepare(&shown.url, &form)?,
                    None => match self.refreshed(&shown, calls).await? {
                        Some(prepared) => prepared,
                        None => return Ok(Hop::Shown(shown)),
                    },
                },
            };
            let is_there =
                |end: &Url| end.origin() == prepared.url.origin() && end.path() == prepared.url.path();
            if end.is_some_and(is_there) {
                return Ok(Hop::Goes(prepared));
            }
            if calls > HOPS_MAX {
                return Err(Failure::new(Code::Redirected));
            }
            calls += 1;
            hop = self.go(prepared).await?;
            if keeps {
                self.visit.net.progress(Progress::SignedIn(self.visit.jar.save()))?;
            }
        }
    }

    /// Makes a call of which there must be only one: it is not made again, whatever the answer asks for. Pages that the answer
    /// leads to are looked at.
    pub async fn go_once(&mut self, prepared: Prepared) -> Result<Shown, Failure> {
        let mut hop = self.go(prepared).await?;
        for calls in 0..=HOPS_MAX {
            hop = match hop {
                Hop::Shown(shown) => match self.refreshed(&shown, calls).await? {
                    Some(next) => self.go(next).await?,
                    None => return Ok(shown),
                },
                Hop::Goes(next) if next.body.is_some() => break,
                Hop::Goes(next) => self.go(next).await?,
            };
        }
        Err(Failure::new(Code::Redirected))
    }

    /// What a page leads to by itself, once its time has come.
    async fn refreshed(&mut self, shown: &Shown, calls: usize) -> Result<Option<Prepared>, Failure> {
        let Some((wait, to)) = shown.refresh.as_ref().filter(|(wait, _)| *wait <= REFRESH_MAX) else {
            return Ok(None);
        };
        if calls > HOPS_MAX {
            return Err(Failure::new(Code::Redirected));
        }
        let url = self.target(&shown.url, Some(to.as_str()))?;
        if !wait.is_zero() {
            let wait = self.visit.left(*wait)?;
            self.visit.net.wait(wait).await;
        }
        Ok(Some(Prepared { url, method: "GET", body: None, referrer: Some(shown.url.clone()) }))
    }

    /// One call.
    pub async fn go(&mut self, prepared: Prepared) -> Result<Hop, Failure> {
        let timeout = self.visit.left(self.site.timeout)?;
        let Prepared { url, method, body, .. } = &prepared;
        let headers = self.headers(&prepared);
        self.visit.asks(url);
        let charset = body.as_ref().map(|body| body.charset).unwrap_or_default();
        let text = body.as_ref().map(|body| body.text.clone());
        let fetch = Fetch { method, url: url.as_str().to_owned(), headers, body: text, charset, timeout };
        let page = match self.visit.call(url, &fetch).await {
            Answer::Page(page) => page,
            Answer::TooLong => return Err(Failure::new(Code::UnexpectedResponse)),
            // Cut short by what was left of all: the portal, which has answered until then, may be fine.
            Answer::TimedOut if timeout < self.site.timeout && self.visit.has_been_answered() => {
                return Err(Failure::new(Code::OutOfTime));
            }
            Answer::TimedOut => return Err(Failure::new(Code::Timeout)),
            Answer::Unreachable => return Err(Failure::new(Code::Unreachable)),
        };
        for cookie in &page.cookies {
            self.visit.jar.take(cookie, url);
        }
        self.read(prepared, page)
    }

    fn read(&mut self, asked: Prepared, page: Page) -> Result<Hop, Failure> {
        let is_html = page.is_html();
        let Page { status, location, retry_after, refresh, content_type, body, charset, .. } = page;
        let failure = |code| Failure { code, status: Some(status), retry_after, message: None, step: "" };
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            let known = charset.as_ref().copied().unwrap_or_default();
            let document = Document::parse_at(body.expose(), &asked.url, known);
            self.visit.sees(status, document.title(), &body);
            drop(body);
            return match (status, charset) {
                (429, _) => Err(failure(Code::RateLimited)),
                (500.., _) => Err(failure(Code::ServerError)),
                // These say what they say, whatever comes with them.
                _ if !is_html && !matches!(status, 401 | 404) => {
                    Err(unread(failure(Code::UnexpectedResponse), "is no HTML", content_type.as_deref()))
                }
                (_, Err(label)) => {
                    Err(unread(failure(Code::UnexpectedResponse), "is in an unknown encoding", Some(&label)))
                }
                (_, Ok(_)) => {
                    let refresh = document.refresh(&asked.url, refresh.as_deref());
                    Ok(Hop::Shown(Shown { url: asked.url, status, document, refresh }))
                }
            };
        }
        let failure = |code| Err(failure(code));
        self.visit.sees(status, None, &body);
        let Some(location) = location else { return failure(Code::UnexpectedResponse) };
        let Ok(to) = self.target(&asked.url, Some(&location)) else { return failure(Code::Redirected) };
        let keeps = matches!(status, 307 | 308);
        // What was typed in for one host is not for another.
        if keeps && asked.body.is_some() && to.origin() != asked.url.origin() {
            return failure(Code::Redirected);
        }
        let (method, body) = if keeps { (asked.method, asked.body) } else { ("GET", None) };
        Ok(Hop::Goes(Prepared { url: to, method, body, referrer: asked.referrer }))
    }

    /// Where something on a page leads to, if that is allowed.
    fn target(&self, page: &Url, href: Option<&str>) -> Result<Url, Failure> {
        let to = href.map_or_else(|| Ok(page.clone()), |href| page.join(href));
        let mut to = to.map_err(|_| Failure::new(Code::UnexpectedResponse))?;
        to.set_fragment(None);
        if self.site.allows(page, &to) { Ok(to) } else { Err(Failure::new(Code::Redirected)) }
    }

    fn headers(&self, prepared: &Prepared) -> Vec<(&'static str, Secret)> {
        let Prepared { url, body, referrer, .. } = prepared;
        let mut headers = vec![
            ("accept", Secret::new("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")),
            ("accept-language", Secret::new("en-US,en;q=0.9")),
            ("user-agent", Secret::new(self.site.user_agent.as_str())),
        ];
        if let Some(referrer) = referrer {
            // "strict-origin-when-cross-origin": another host does not learn a path or query.
            if referrer.origin() == url.origin() {
                headers.push(("referer", Secret::new(&referrer[..Position::AfterQuery])));
            } else {
                headers
                    .push(("referer", Secret::new(format!("{}/", referrer.origin().ascii_serialization()))));
            }
        }
        if let Some(body) = body {
            headers.push(("content-type", Secret::new(body.kind.as_str())));
            if let Some(referrer) = referrer {
                headers.push(("origin", Secret::new(referrer.origin().ascii_serialization())));
            }
        }
        headers.extend(self.visit.jar.header(url).map(|cookies| ("cookie", cookies)));
        headers
    }
}

fn shown(hop: Hop) -> Result<Shown, Failure> {
    match hop {
        Hop::Shown(shown) => Ok(shown),
        Hop::Goes(_) => Err(Failure::new(Code::Redirected)),
    }
}

/// What came is no page that can be read, and what it says that it is.
fn unread(mut failure: Failure, what: &str, of: Option<&str>) -> Failure {
    let message = format!("The answer {what}: {}", of.unwrap_or_default());
    failure.message = Some(message.chars().take(MESSAGE_CHARS_MAX).collect());
    failure
}
