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
/// A browser that nobody is connected to lives so long there, in milliseconds: the longest that the platform allows.
const KEEP_ALIVE: u64 = 600_000;

const fn none() -> Failure {
    Failure::new(Code::NoBrowser)
}

/// Connects to a browser that is known, or to a new one. Gives the name by which it is found again.
pub(super) async fn connect(
    visit: &mut Visit<'_>,
    browsers: &Browsers,
    known: Option<&str>,
) -> Result<(Box<dyn Socket>, String), Failure> {
    match browsers.at.as_ref().ok_or(none())? {
        BrowserAt::Url(url) => {
            let version = get(visit, None, &format!("{}/json/version", url.trim_end_matches('/'))).await?;
            let socket = version.get("webSocketDebuggerUrl").and_then(Value::as_str).ok_or(none())?;
            // It names the host as the browser sees it. The path names the browser: another one after a restart.
            let path = Url::parse(socket).ok().map(|url| url.path().to_owned()).ok_or(none())?;
            if known.is_some_and(|known| known != path) {
                return Err(Failure::new(Code::BrowserLost));
            }
            let socket = open(visit, None, format!("{}{path}", url.trim_end_matches('/'))).await?;
            Ok((socket, path))
        }
        BrowserAt::Binding(name) => {
            let id = if let Some(known) = known {
                known.to_owned()
            } else {
                let url = format!("{BINDING}/v1/acquire?keep_alive={KEEP_ALIVE}");
                let acquired = get(visit, Some(name), &url).await?;
                acquired.get("sessionId").and_then(Value::as_str).ok_or(none())?.to_owned()
            };
            let url = format!("{BINDING}/v1/devtools/browser/{id}");
            let socket = open(visit, Some(name), url).await;
            let is_known = known.is_some();
            let socket = socket.map_err(|f| if is_known { Failure::new(Code::BrowserLost) } else { f })?;
            Ok((socket, id))
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

/// Gives a browser back that was acquired for one page. What cannot be given back ends by itself.
pub(super) async fn release(visit: &mut Visit<'_>, browsers: &Browsers, browser: &str) {
    let Some(BrowserAt::Binding(name)) = &browsers.at else { return };
    let call = Call {
        method: "DELETE",
        url: format!("{BINDING}/v1/devtools/browser/{browser}"),
        headers: Vec::new(),
        body: None,
        binding: Some(name.clone()),
        timeout: RELEASE_MAX,
    };
    let _ = visit.net.call(&call).await;
}
