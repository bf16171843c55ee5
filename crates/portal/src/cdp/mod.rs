//! A client of the Chrome `DevTools` Protocol, for what a driver does in a browser.
//!
//! - here: commands, their answers, and what happens in between
//! - `endpoint`: where a browser is had from, and how it is connected to
//! - `tab`: a page in it
//! - `elements`: what is read and done on a page
//! - `picture`: what a page looks like
//! - `state`: cookies and storage, into the jar and back

mod elements;
mod endpoint;
mod picture;
mod state;
mod tab;

#[cfg(test)]
mod faults_tests;
#[cfg(test)]
mod picture_tests;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;

pub use elements::{Choice, Rows, Scrolled, Table};
pub use tab::{Condition, Options, Tab};

use super::browser::Site;
use super::code::{Code, Failure};
use super::net::Net;
use base::clock::Timestamp;
use base::socket::{Message, Socket};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// What runs beside a page's scripts.
const SCRIPT: &str = include_str!("page.js");
const WORLD: &str = "sallyport";

/// The longest that a command takes which waits for nothing in a page.
const COMMAND_MAX: Duration = Duration::from_secs(20);
/// An answer may come so much later than what the page was told to wait for.
const GRACE: Duration = Duration::from_secs(5);

/// A connection to a browser, and to one target in it.
pub(super) struct Devtools<'n> {
    net: &'n dyn Net,
    socket: Box<dyn Socket>,
    deadline: Timestamp,
    last_id: u64,
    /// Of the target that is attached to; nothing before.
    session: Option<String>,
    site: Site,
    page: Page,
}

/// What the events say of the page.
#[derive(Default)]
struct Page {
    /// The main frame.
    frame: String,
    /// Where [`SCRIPT`] runs in the document that is shown now.
    context: Option<i64>,
    /// Counts documents: what was waited for in one has to be waited for again in the next.
    loaded: bool,
    url: Option<Url>,
    /// The status of the document that was loaded last.
    status: Option<u16>,
    /// A document was asked for at a host that is not allowed.
    strayed: bool,
    gone: bool,
}

/// Why there was no answer to a command.
enum Unanswered {
    /// The browser says no.
    Refused,
    /// It says nothing.
    Late,
    Failed(Failure),
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Unanswered {
    /// Where an answer is all that can be expected of a browser.
    fn into_failure(self) -> Failure {
        match self {
            Self::Refused | Self::Late => lost(),
            Self::Failed(failure) => failure,
        }
    }
}

const fn lost() -> Failure {
    Failure::new(Code::BrowserLost)
}

impl<'n> Devtools<'n> {
    fn new(net: &'n dyn Net, socket: Box<dyn Socket>, deadline: Timestamp, site: Site) -> Self {
        Self { net, socket, deadline, last_id: 0, session: None, site, page: Page::default() }
    }

    /// What becomes of the page is of no interest any more.
    fn forget_page(&mut self) {
        self.session = None;
        self.page = Page::default();
    }

    /// What is left of it all, of `most` at most.
    fn left(&self, most: Duration) -> Result<Duration, Failure> {
        let left = self.deadline.since(self.net.now()).min(most);
        if left.is_zero() { Err(Failure::new(Code::OutOfTime)) } else { Ok(left) }
    }

    /// Sends a command to the page.
    fn post(&mut self, method: &str, params: &Value) -> Result<u64, Failure> {
        let session = self.session.clone();
        self.post_to(session.as_deref(), method, params)
    }

    fn post_to(&mut self, session: Option<&str>, method: &str, params: &Value) -> Result<u64, Failure> {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if let (Some(session), Some(message)) = (session, message.as_object_mut()) {
            message.insert("sessionId".to_owned(), session.into());
        }
        self.socket.send(&message.to_string()).map_err(|_| lost())?;
        Ok(self.last_id)
    }

    /// A command whose refusal means that the browser is not what it was.
    async fn command(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        self.ask(method, params, COMMAND_MAX).await.map_err(Unanswered::into_failure)
    }

    async fn ask(&mut self, method: &str, params: Value, most: Duration) -> Result<Value, Unanswered> {
        let id = self.post(method, &params)?;
        self.answer(id, most).await
    }

    /// A command to the browser itself. What happens on the page meanwhile is heard as ever.
    async fn ask_browser(&mut self, method: &str, params: Value) -> Result<Value, Unanswered> {
        let id = self.post_to(None, method, &params)?;
        self.answer(id, COMMAND_MAX).await
    }

    async fn answer(&mut self, id: u64, most: Duration) -> Result<Value, Unanswered> {
        let until = self.net.now().plus(self.left(most)?);
        loop {
            let Some(mut message) = self.hear(until).await? else {
                // A page that hangs does not answer either.
                let out_of_time = self.deadline.since(self.net.now()).is_zero();
                return Err(if out_of_time {
                    Failure::new(Code::OutOfTime).into()
                } else {
                    Unanswered::Late
                });
            };
            // Said once: whoever asks next wants to know what is on the page.
            if std::mem::take(&mut self.page.strayed) {
                return Err(Failure::new(Code::Redirected).into());
            }
            if message.get("id").and_then(Value::as_u64) == Some(id) {
                if message.get("error").is_some() {
                    return Err(Unanswered::Refused);
                }
                return Ok(message.get_mut("result").map(Value::take).unwrap_or_default());
            }
        }
    }

    /// The next message, if one comes in time; what it says of the page is taken in already.
    async fn hear(&mut self, until: Timestamp) -> Result<Option<Value>, Failure> {
        let left = until.since(self.net.now());
        if left.is_zero() {
            return Ok(None);
        }
        let text = match self.socket.next(left).await {
            Message::Text(text) => Some(text),
            Message::Binary(bytes) => String::from_utf8(bytes).ok(),
            Message::TimedOut => return Ok(None),
            Message::Closed => None,
        };
        // Half a message is one that will not be whole: what it was about is not known.
        let Some(message) = text.and_then(|text| base::json::read::<Value>(&text).ok()) else {
            self.page.gone = true;
            return Err(lost());
        };
        if let Some(method) = message.get("method").and_then(Value::as_str) {
            let params = message.get("params").unwrap_or(&Value::Null);
            // Of another target, it is nothing to this page.
            let of = message.get("sessionId").and_then(Value::as_str);
            if of.is_none() || of == self.session.as_deref() {
                self.happened(method, params)?;
            }
        }
        if self.page.gone { Err(lost()) } else { Ok(Some(message)) }
    }

    fn happened(&mut self, method: &str, params: &Value) -> Result<(), Failure> {
        let text = |path: &str| params.pointer(path).and_then(Value::as_str);
        match method {
            "Inspector.targetCrashed" | "Inspector.detached" => self.page.gone = true,
            "Target.detachedFromTarget" => {
                self.page.gone |= text("/sessionId") == self.session.as_deref();
            }
            "Runtime.executionContextCreated"
                if text("/context/name") == Some(WORLD)
                    && text("/context/auxData/frameId") == Some(&self.page.frame) =>
            {
                self.page.context = params.pointer("/context/id").and_then(Value::as_i64);
            }
            "Runtime.executionContextDestroyed" => {
                let id = params.pointer("/executionContextId").and_then(Value::as_i64);
                if id == self.page.context {
                    self.page.context = None;
                }
            }
            "Runtime.executionContextsCleared" => self.page.context = None,
            "Page.frameNavigated" if params.pointer("/frame/parentId").is_none() => {
                self.page.loaded = false;
                self.page.url = text("/frame/url").and_then(|url| Url::parse(url).ok());
            }
            "Page.navigatedWithinDocument" if text("/frameId") == Some(&self.page.frame) => {
                self.page.url = text("/url").and_then(|url| Url::parse(url).ok());
            }
            "Page.domContentEventFired" | "Page.loadEventFired" => self.page.loaded = true,
            "Network.responseReceived"
                if text("/type") == Some("Document") && text("/frameId") == Some(&self.page.frame) =>
            {
                let status = params.pointer("/response/status").and_then(Value::as_u64);
                self.page.status = status.and_then(|status| u16::try_from(status).ok());
            }
            "Page.javascriptDialogOpening" => {
                // A page may ask whether it is to be left; it is.
                let accept = text("/type") == Some("beforeunload");
                self.post("Page.handleJavaScriptDialog", &json!({ "accept": accept }))?;
            }
            "Fetch.requestPaused" => self.let_through(params)?,
            _ => {}
        }
        Ok(())
    }

    /// A document goes to an allowed host, or nowhere.
    fn let_through(&mut self, params: &Value) -> Result<(), Failure> {
        let text = |path: &str| params.pointer(path).and_then(Value::as_str);
        let url = text("/request/url").and_then(|url| Url::parse(url).ok());
        let id = text("/requestId").unwrap_or_default();
        if url.is_some_and(|url| self.site.allows_document(&url)) {
            self.post("Fetch.continueRequest", &json!({ "requestId": id }))?;
            return Ok(());
        }
        // A frame of somebody else's, a captcha's for one, is none of the portal's pages.
        if text("/frameId") != Some(&self.page.frame) {
            self.post("Fetch.continueRequest", &json!({ "requestId": id }))?;
            return Ok(());
        }
        self.page.strayed = true;
        self.post("Fetch.failRequest", &json!({ "requestId": id, "errorReason": "BlockedByClient" }))?;
        Ok(())
    }
}
