//! Requests to the deployment, by the way that they take there: the entry's fast path, or the handlers.

use crate::executor::{Owner, channel};
use crate::host::SimHost;
use base::fault::Fault;
use base::ports::{Background as _, Clock as _, Random as _};
use base::rpc::{Class, Method, Name, Peers as _};
use config::{App, Settings as _};
use docs::openapi::{self, Exchange};
use http::cookies::{self, COOKIE_HEADERS};
use http::fast_path::{self, refresh};
use http::reply::Reply;
use http::{Backend, HEADERS, Incoming, Instance, RequestHead};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// As in `wrangler.toml`: attempts of one client in one minute.
const ATTEMPTS_MAX: u32 = 600;

/// A request, as a client sends it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: Cow<'static, str>,
    pub path: String,
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: Option<Vec<u8>>,
    /// In place of a body: one that comes piece by piece, as it is read.
    pub pieces: Option<Pieces>,
}

/// The pieces of a body. They are read once.
#[derive(Clone)]
pub struct Pieces(Rc<RefCell<dyn Iterator<Item = Vec<u8>>>>);

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces")
    }
}

impl Request {
    pub fn new(method: impl Into<Cow<'static, str>>, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), ..Self::default() }
    }

    #[must_use]
    pub fn pieces(mut self, pieces: impl Iterator<Item = Vec<u8>> + 'static) -> Self {
        self.pieces = Some(Pieces(Rc::new(RefCell::new(pieces))));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        let length = body.len().to_string();
        self.body = Some(body);
        self.header("content-type", "application/json").header("content-length", length)
    }

    fn value(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// A reply, as a client reads it.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    /// A body that is no text.
    pub bytes: Option<Vec<u8>>,
}

impl Answered {
    /// The body; `null` if it is no JSON.
    pub fn json(&self) -> Value {
        self.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn from_lines(lines: &str) -> Self {
        let (head, body) = lines.split_once("\n\n").unwrap_or((lines, ""));
        let mut head = head.split('\n');
        let status = head.next().and_then(|s| s.parse().ok()).unwrap_or(500);
        let field = |line: &str| line.split_once(':').map(|(n, v)| (n.to_owned(), v.to_owned()));
        let body = Some(body.to_owned()).filter(|b| !b.is_empty());
        Self { status, headers: head.filter_map(field).collect(), body, bytes: None }
    }
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        let headers = reply.headers.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        Self { status: reply.status, headers, body: reply.body, bytes: reply.bytes }
    }
}

impl Incoming for Request {
    fn header(&self, name: &str) -> Option<String> {
        self.value(name)
    }

    async fn chunk(&mut self) -> Option<Result<Vec<u8>, Fault>> {
        if let Some(Pieces(pieces)) = &self.pieces {
            return pieces.borrow_mut().next().map(Ok);
        }
        self.body.take().map(Ok)
    }
}

impl Backend for SimHost {
    type Request = Request;

    fn for_request(&self, id: &str) -> Self {
        self.serving(id)
    }

    async fn allow_attempt(&self, key: &str) -> Result<bool, Fault> {
        Ok(self.count_attempt(key) <= ATTEMPTS_MAX)
    }

    fn first_request(&self) {
        let host = self.clone();
        self.wait_until(async move { engine::cron::start(&host).await });
    }

    fn instance(&self) -> Rc<Instance> {
        self.worker_memory()
    }
}

/// Sends a request. `None`: the deployment was restarted before it answered.
pub async fn request(host: &SimHost, request: Request) -> Option<Answered> {
    let (sender, receiver) = channel();
    let worker = host.as_worker();
    host.spawn(Owner::Worker, async move { sender.send(described(worker, request).await) });
    receiver.await
}

/// The answer; it has to be one that docs/openapi.json has, and what was taken a body that it has. Not in `npm run simulate`, which is to
/// be fast: the same sequences run as tests.
async fn described(host: SimHost, request: Request) -> Answered {
    if !cfg!(debug_assertions) {
        return answer(host, request).await;
    }
    let (method, path, given) = (request.method.clone(), request.path.clone(), request.body.clone());
    let answered = answer(host, request).await;
    let (given, body) = (given.as_deref(), answered.body.as_deref());
    let exchange = Exchange { method: &method, path: &path, given, status: answered.status, body };
    let checked = openapi::check(exchange);
    assert!(checked.is_ok(), "docs/openapi.json does not have this: {}", checked.err().unwrap_or_default());
    answered
}

async fn answer(host: SimHost, request: Request) -> Answered {
    host.count_request();
    let url = format!("http://localhost:8787{}", request.path);
    if let Ok(app) = host.settings() {
        let values = HEADERS.map(|name| request.value(name).unwrap_or_default());
        let lines = format!("{}\n{url}\n{}", request.method, values.join("\n"));
        let authorization = request.value("authorization").unwrap_or_default();
        let is_ours = request.value("cookie").is_some_and(|cookie| cookie.contains(cookies::MARK));
        let page = COOKIE_HEADERS.map(|name| request.value(name).unwrap_or_default()).join("\n");
        let cookie = if is_ours { page.as_str() } else { "" };
        let begun = fast_path::begin(&host, &app, &format!("{authorization}\n{cookie}\n{lines}"));
        if begun.as_deref() == Some(refresh::BODY) {
            let values = refresh::BODY_HEADERS.map(|name| request.value(name).unwrap_or_default());
            let lines = format!("{lines}\n{}", values.join("\n"));
            if refresh::takes(&lines) {
                return with_body(host, &app, request, &lines).await;
            }
        } else if let Some(begun) = begun {
            if let Some(known) = begun.strip_prefix('\n') {
                return Answered::from_lines(known);
            }
            let mut parts = begun.split('\n');
            let (id, command) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let reply = if host.is_id(Class::Session, id) {
                host.attempt(Class::Session, &Name::Id(id.to_owned()), Method::Command, command).await
            } else {
                Ok("\"unknown\"".to_owned())
            };
            let fault = reply.as_ref().err().map(|error| error.text.clone());
            let asked = format!("{begun}\n{}\n{lines}", reply.unwrap_or_default());
            if let Some(known) = fast_path::end(&host, &app, &asked, fault.as_deref()) {
                return Answered::from_lines(&known);
            }
        }
    }
    handled(host, request, &url).await
}

/// A request whose body is wanted first.
async fn with_body(host: SimHost, app: &App, mut request: Request, lines: &str) -> Answered {
    let mut body = Some(Vec::new());
    while let Some(chunk) = request.chunk().await {
        match (chunk, &mut body) {
            (Ok(chunk), Some(body)) => body.extend(chunk),
            _ => body = None,
        }
    }
    let begun = refresh::begin(&host, app, lines, body).unwrap_or_default();
    if let Some(known) = begun.strip_prefix('\n') {
        return Answered::from_lines(known);
    }
    let mut parts = begun.split('\n');
    let mut next = || parts.next().unwrap_or_default();
    let (id, command, request_id) = (next(), next(), next());
    let host = host.serving(request_id);
    let reply = if host.is_id(Class::Session, id) {
        let name = Name::Id(id.to_owned());
        let mut reply = host.attempt(Class::Session, &name, Method::Command, command).await;
        if matches!(&reply, Err(error) if error.retryable && !error.overloaded) {
            reply = host.attempt(Class::Session, &name, Method::Command, command).await;
        }
        reply
    } else {
        Ok("\"unknown\"".to_owned())
    };
    let fault = reply.as_ref().err().map(|error| error.text.clone());
    let asked = format!("{begun}\n{}\n{lines}", reply.unwrap_or_default());
    let known = match refresh::end(&host, app, &asked, fault.as_deref()) {
        Some(known) => Some(known),
        None => refresh::follow(host, app, &asked).await,
    };
    Answered::from_lines(&known.unwrap_or_default())
}

async fn handled(host: SimHost, request: Request, url: &str) -> Answered {
    let header = |name: &str| request.value(name);
    let head = RequestHead::new(&request.method, url, &header, &|| host.request_id(), host.now());
    http::serve(host, head, request).await.into()
}
