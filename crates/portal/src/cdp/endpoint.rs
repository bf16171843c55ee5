//! Where a browser is had from: the `DevTools` endpoint of a Chromium, or Cloudflare's Browser Run by its binding.

use super::super::code::{Code, Failure};
use super::super::driver::Visit;
use super::super::{BrowserAt, Browsers};
use base::call::{Answer, Call};
use base::secret::Secret;
use base::socket::{Connect, Opened, Socket};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// To connect takes no longer, or there is no browser.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// Nobody waits for a browser to end for longer.
const RELEASE_MAX: Duration = Duration::from_secs(5);
/// What a binding is asked at: only the path matters.
const BINDING: &str = "https://browser.run";
/// A browser that gets no command lives so long there, in milliseconds: the longest that the platform allows, since a captcha takes its time.
const KEEP_ALIVE: u64 = 600_000;

const fn lost() -> Failure {
    Failure::new(Code::BrowserLost)
}

const fn none() -> Failure {
    Failure::new(Code::NoBrowser)
}

/// Connects to a browser. Gives the name by which it is given back.
pub(super) async fn connect(
    visit: &mut Visit<'_>,
    browsers: &Browsers,
) -> Result<(Box<dyn Socket>, String), Failure> {
    match browsers.at.as_ref().ok_or(none())? {
        BrowserAt::Url(url) => {
            let url = url.trim_end_matches('/');
            let version = get(visit, None, &format!("{url}/json/version")).await?;
            let socket = version.get("webSocketDebuggerUrl").and_then(Value::as_str).ok_or(none())?;
            // It names the host as the browser sees it.
            let path = Url::parse(socket).ok().map(|url| url.path().to_owned()).ok_or(none())?;
            Ok((open(visit, None, format!("{url}{path}")).await?, path))
        }
        BrowserAt::Binding(name) => {
            let url = format!("{BINDING}/v1/acquire?keep_alive={KEEP_ALIVE}");
            let acquired = get(visit, Some(name), &url).await?;
            let id = acquired.get("sessionId").and_then(Value::as_str).ok_or(none())?.to_owned();
            let socket = open(visit, Some(name), format!("{BINDING}/v1/devtools/browser/{id}")).await;
            if socket.is_err() {
                release(visit, browsers, &id).await;
            }
            Ok((socket?, id))
        }
    }
}

/// Connects to a browser that was left open. One that is not there any more is lost; one that cannot be reached may be there.
pub(super) async fn reconnect(
    visit: &mut Visit<'_>,
    browsers: &Browsers,
    browser: &str,
) -> Result<Box<dyn Socket>, Failure> {
    let (binding, url) = match browsers.at.as_ref().ok_or(none())? {
        BrowserAt::Url(url) => (None, format!("{}{browser}", url.trim_end_matches('/'))),
        BrowserAt::Binding(name) => (Some(name), format!("{BINDING}/v1/devtools/browser/{browser}")),
    };
    let timeout = visit.left(CONNECT_MAX)?;
    match visit.net.connect(&Connect { url, binding: binding.cloned(), timeout }).await {
        Opened::Socket(socket) => Ok(socket),
        // It is busy, or what stands before it has a fault.
        Opened::Refused(429 | 500..) | Opened::TimedOut | Opened::Unreachable => Err(none()),
        Opened::Refused(_) => Err(lost()),
    }
}

/// Where a person can see and use a page.
pub(super) async fn live_view(
    visit: &mut Visit<'_>,
    browsers: &Browsers,
    browser: &str,
    target: &str,
) -> Result<Secret, Failure> {
    match browsers.at.as_ref().ok_or(none())? {
        // Chromium's own list names its makers' site, and Chromium refuses a connection from there. It has the same pages itself.
        BrowserAt::Url(url) => {
            let url = url.trim_end_matches('/');
            let (scheme, at) = url.split_once("://").ok_or(none())?;
            let socket = if scheme == "https" { "wss" } else { "ws" };
            Ok(Secret::new(format!("{url}/devtools/inspector.html?{socket}={at}/devtools/page/{target}")))
        }
        BrowserAt::Binding(name) => {
            let url = format!("{BINDING}/v1/devtools/browser/{browser}/json/list");
            let listed = get(visit, Some(name), &url).await?;
            let pages = listed.as_array().ok_or(none())?;
            let page = pages.iter().find(|page| page.get("id").and_then(Value::as_str) == Some(target));
            let link = page.and_then(|page| page.get("devtoolsFrontendUrl")).and_then(Value::as_str);
            link.filter(|link| link.starts_with("https://")).map(Secret::new).ok_or(none())
        }
    }
}

async fn get(visit: &mut Visit<'_>, binding: Option<&str>, url: &str) -> Result<Value, Failure> {
    let call = Call {
        method: "GET",
        url: url.to_owned(),
        headers: vec![("accept", Secret::new("application/json"))],
        body: None,
        binding: binding.map(str::to_owned),
        timeout: visit.left(CONNECT_MAX)?,
    };
    match visit.net.call(&call).await {
        Answer::Response { status, body, .. } if status < 300 => {
            base::json::read(body.expose()).map_err(|_| none())
        }
        // All browsers of the account are in use, or too many were asked for at once.
        Answer::Response { status: 429, retry_after, .. } => {
            Err(Failure { retry_after, ..Failure::new(Code::BrowsersBusy) })
        }
        _ => Err(none()),
    }
}

async fn open(visit: &mut Visit<'_>, binding: Option<&str>, url: String) -> Result<Box<dyn Socket>, Failure> {
    let to = Connect { url, binding: binding.map(str::to_owned), timeout: visit.left(CONNECT_MAX)? };
    match visit.net.connect(&to).await {
        Opened::Socket(socket) => Ok(socket),
        Opened::Refused(_) | Opened::TimedOut | Opened::Unreachable => Err(none()),
    }
}

/// Gives a browser back that was acquired for one page. What cannot be given back ends by itself. Says whether it has ended.
pub(super) async fn release(visit: &mut Visit<'_>, browsers: &Browsers, browser: &str) -> bool {
    let Some(BrowserAt::Binding(name)) = &browsers.at else { return true };
    let call = Call {
        method: "DELETE",
        url: format!("{BINDING}/v1/devtools/browser/{browser}"),
        headers: Vec::new(),
        body: None,
        binding: Some(name.clone()),
        timeout: RELEASE_MAX,
    };
    matches!(visit.net.call(&call).await, Answer::Response { status: ..300 | 404 | 410, .. })
}
