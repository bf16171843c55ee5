//! A page in a browser, for one piece of work.

use super::super::browser::Site;
use super::super::code::{Code, Failure};
use super::super::driver::Visit;
use super::super::jar::Jar;
use super::super::net::Progress;
use super::super::seat::Seat;
use super::super::{BrowserAt, Browsers};
use super::{COMMAND_MAX, Devtools, SCRIPT, Unanswered, WORLD, endpoint, lost, state};
use base::clock::{Timestamp, millis};
use base::secret::Secret;
use base::socket::Socket;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// What a page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// An element that can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// One of these texts, in whichever case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Vec<String>>,
    /// An element that cannot be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// The path of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Self>>,
}

impl Condition {
    pub fn any(conditions: Vec<Self>) -> Self {
        Self { any: Some(conditions), ..Self::default() }
    }

    pub fn selector(css: &str) -> Self {
        Self { selector: Some(css.to_owned()), ..Self::default() }
    }

    pub fn says(texts: &[String]) -> Self {
        Self { text: Some(texts.to_vec()), ..Self::default() }
    }
}

/// How a page is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Instead of the browser's own.
    pub user_agent: Option<String>,
    /// A proxy for all that the page loads. Not every browser can have one.
    pub proxy: Option<String>,
    /// Of one navigation.
    pub timeout: Duration,
    /// Whether it may be left open without a connection. If not, it goes with its connection.
    pub stays: bool,
}

/// A page that is attached to.
pub struct Tab<'n> {
    pub(super) devtools: Devtools<'n>,
    /// The browser, as it is given back by.
    browser: String,
    /// Cookies and storage of its own. Nothing, before there is one.
    pub(super) context: String,
    target: String,
    stays: bool,
    /// Its place among the browsers of the deployment.
    place: String,
    timeout: Duration,
    began: Timestamp,
    /// Puts stored items into the first page.
    restores: Option<String>,
}

impl<'n> Tab<'n> {
    /// A new page, with what the jar keeps.
    pub async fn open(
        visit: &mut Visit<'n>,
        browsers: &Browsers,
        site: &Site,
        options: &Options,
    ) -> Result<Self, Failure> {
        let place = visit.net.take_browser(visit.deadline).await?;
        let (socket, browser) = match endpoint::connect(visit, browsers).await {
            Ok(connected) => connected,
            Err(failure) => {
                visit.net.give_browser(&place, Duration::ZERO).await;
                return Err(failure);
            }
        };
        let seat = Seat::new(browser, place, visit.net.now());
        let mut tab = Self::new(visit, socket, site, options, &seat);
        match tab.set_up(&visit.jar, options).await {
            Ok(()) => Ok(tab),
            Err(failure) => {
                tab.close(visit, browsers).await;
                Err(failure)
            }
        }
    }

    fn new(visit: &Visit<'n>, socket: Box<dyn Socket>, site: &Site, options: &Options, seat: &Seat) -> Self {
        let Seat { browser, context, target, place, since, .. } = seat.clone();
        Self {
            devtools: Devtools::new(visit.net, socket, visit.deadline, site.clone()),
            browser,
            context,
            target,
            stays: options.stays,
            place,
            timeout: options.timeout,
            began: since,
            restores: None,
        }
    }

    /// The page that was left open, as it is now. If it is not there any more, what is left of it is closed.
    pub async fn take_again(
        visit: &mut Visit<'n>,
        browsers: &Browsers,
        site: &Site,
        options: &Options,
        seat: &Seat,
    ) -> Result<Self, Failure> {
        let socket = endpoint::reconnect(visit, browsers, &seat.browser).await?;
        let mut tab = Self::new(visit, socket, site, options, seat);
        match tab.attach(options).await {
            Ok(()) => Ok(tab),
            Err(failure) => {
                tab.close(visit, browsers).await;
                Err(failure)
            }
        }
    }

    /// Closes what was left open, without a look at it. Says whether it is closed.
    pub async fn let_go(visit: &mut Visit<'n>, browsers: &Browsers, site: &Site, seat: &Seat) -> bool {
        let is_closed = match endpoint::reconnect(visit, browsers, &seat.browser).await {
            Ok(socket) => {
                let options = Options { stays: true, ..Options::default() };
                let tab = Self::new(visit, socket, site, &options, seat);
                return tab.close(visit, browsers).await;
            }
            Err(failure) => failure.code == Code::BrowserLost,
        };
        if is_closed {
            let held = visit.net.now().since(seat.since);
            visit.net.give_browser(&seat.place, held).await;
        }
        is_closed
    }

    /// A page with cookies of its own.
    async fn set_up(&mut self, jar: &Jar, options: &Options) -> Result<(), Failure> {
        // Where it need not stay it goes with the connection: nobody else would close what an evicted object has left.
        let mut params = json!({ "disposeOnDetach": !self.stays });
        if let (Some(proxy), Some(params)) = (&options.proxy, params.as_object_mut()) {
            params.insert("proxyServer".to_owned(), proxy.as_str().into());
        }
        let context = self.devtools.command("Target.createBrowserContext", params).await?;
        self.context = text(&context, "browserContextId")?;
        if self.stays {
            let seat = Box::new(self.seat());
            self.devtools.net.progress(Progress::Opened(seat))?;
        }
        let created = json!({
            "url": "about:blank", "browserContextId": self.context, "width": 1280, "height": 960,
        });
        self.target = text(&self.devtools.command("Target.createTarget", created).await?, "targetId")?;
        self.attach(options).await?;
        state::restore(self, jar).await
    }

    async fn attach(&mut self, options: &Options) -> Result<(), Failure> {
        let devtools = &mut self.devtools;
        let params = json!({ "targetId": self.target, "flatten": true });
        devtools.session =
            Some(text(&devtools.command("Target.attachToTarget", params).await?, "sessionId")?);
        devtools.command("Page.enable", json!({})).await?;
        let tree = devtools.command("Page.getFrameTree", json!({})).await?;
        let frame = tree.pointer("/frameTree/frame").unwrap_or(&Value::Null);
        devtools.page.frame = text(frame, "id")?;
        devtools.page.url = text(frame, "url").ok().and_then(|url| Url::parse(&url).ok());
        devtools.command("Inspector.enable", json!({})).await?;
        devtools.command("Network.enable", json!({})).await?;
        devtools.command("Runtime.enable", json!({})).await?;
        let script = json!({ "source": SCRIPT, "worldName": WORLD, "runImmediately": true });
        devtools.command("Page.addScriptToEvaluateOnNewDocument", script).await?;
        devtools.command("Fetch.enable", json!({ "patterns": [{ "resourceType": "Document" }] })).await?;
        if let Some(user_agent) = &options.user_agent {
            devtools.command("Network.setUserAgentOverride", json!({ "userAgent": user_agent })).await?;
        }
        Ok(())
    }

    /// How it is found again, if it may be left open.
    pub fn seat(&self) -> Seat {
        Seat {
            browser: self.browser.clone(),
            context: self.context.clone(),
            target: self.target.clone(),
            place: self.place.clone(),
            since: self.began,
            live_view: None,
        }
    }

    pub const fn stays(&self) -> bool {
        self.stays
    }

    /// Where a person can see and use it.
    pub async fn live_view(&self, visit: &mut Visit<'_>, browsers: &Browsers) -> Result<Secret, Failure> {
        endpoint::live_view(visit, browsers, &self.browser, &self.target).await
    }

    /// Leaves it open. The time in the browser is the visit's.
    pub fn leave(self, visit: &mut Visit<'_>) {
        visit.browser_time += visit.net.now().since(self.began);
    }

    /// Whether it shows a page of an allowed host.
    pub fn is_at_home(&self) -> bool {
        self.url().is_some_and(|url| self.devtools.site.allows_document(url))
    }

    /// Puts this into every page until the first one has come.
    pub(super) async fn restore_items(&mut self, script: String) -> Result<(), Failure> {
        let added = self
            .devtools
            .command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }))
            .await?;
        self.restores = Some(text(&added, "identifier")?);
        Ok(())
    }

    /// Loads a page behind the base URL. Its status says what it says to every driver.
    pub async fn go(&mut self, visit: &mut Visit<'_>, path: &str) -> Result<(), Failure> {
        let url = self.devtools.site.at(path).ok_or(Failure::new(Code::UnexpectedResponse))?;
        let began = visit.net.now();
        visit.asks(&url);
        let devtools = &mut self.devtools;
        devtools.page.loaded = false;
        devtools.page.strayed = false;
        devtools.page.status = None;
        let until = began.plus(devtools.left(self.timeout)?);
        let navigated = devtools.ask("Page.navigate", json!({ "url": url.as_str() }), self.timeout).await;
        let navigated = navigated.map_err(|why| match why {
            Unanswered::Refused => Failure::new(Code::UnexpectedResponse),
            // It answers as soon as the portal does.
            Unanswered::Late => Failure::new(Code::Timeout),
            Unanswered::Failed(failure) => failure,
        });
        let came = match navigated {
            Ok(answer) => match answer.get("errorText").and_then(Value::as_str) {
                Some(error) => Err(Failure::new(unreached(error))),
                // Another place of the document that is shown already.
                None if answer.get("loaderId").is_none() => Ok(()),
                None => self.loaded(until).await,
            },
            Err(failure) => Err(failure),
        };
        let status = self.devtools.page.status;
        visit.navigated(
            &url,
            status,
            millis(visit.net.now().since(began)),
            came.as_ref().err().map(|f| f.code),
        );
        came?;
        if let Some(script) = self.restores.take() {
            let identifier = json!({ "identifier": script });
            self.devtools.command("Page.removeScriptToEvaluateOnNewDocument", identifier).await?;
        }
        match status {
            Some(429) => Err(Failure::with_status(Code::RateLimited, 429)),
            Some(status @ 500..) => Err(Failure::with_status(Code::ServerError, status)),
            _ => Ok(()),
        }
    }

    async fn loaded(&mut self, until: Timestamp) -> Result<(), Failure> {
        while !self.devtools.page.loaded {
            if std::mem::take(&mut self.devtools.page.strayed) {
                return Err(Failure::new(Code::Redirected));
            }
            if self.devtools.hear(until).await?.is_none() {
                self.devtools.left(COMMAND_MAX)?;
                return Err(Failure::new(Code::Timeout));
            }
        }
        Ok(())
    }

    pub fn url(&self) -> Option<&Url> {
        self.devtools.page.url.as_ref()
    }

    pub fn status(&self) -> Option<u16> {
        self.devtools.page.status
    }

    /// Closes it, and its cookies with it. The time in the browser is the visit's. Says whether it is known to be closed.
    pub async fn close(mut self, visit: &mut Visit<'_>, browsers: &Browsers) -> bool {
        let mut is_closed = true;
        if !self.context.is_empty() {
            // Its page goes with it, and says so before there is an answer.
            self.devtools.forget_page();
            let context = json!({ "browserContextId": self.context });
            let disposed = self.devtools.ask_browser("Target.disposeBrowserContext", context).await;
            // Gone already is closed.
            is_closed = matches!(disposed, Ok(_) | Err(Unanswered::Refused));
        }
        let has_ended = endpoint::release(visit, browsers, &self.browser).await;
        is_closed = has_ended && (is_closed || matches!(browsers.at, Some(BrowserAt::Binding(_))));
        let held = visit.net.now().since(self.began);
        visit.browser_time += held;
        visit.net.give_browser(&self.place, held).await;
        if self.stays && is_closed {
            // What cannot be stored is looked after once more, and found to be closed.
            let _ = visit.net.progress(Progress::Closed);
        }
        is_closed
    }

    /// What is kept of it in the jar: cookies and what its pages have stored.
    pub async fn save(&mut self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        state::save(self, &mut visit.jar).await
    }
}

fn unreached(error: &str) -> Code {
    match error {
        "net::ERR_TIMED_OUT" | "net::ERR_CONNECTION_TIMED_OUT" => Code::Timeout,
        "net::ERR_TOO_MANY_REDIRECTS" => Code::Redirected,
        "net::ERR_ABORTED" | "net::ERR_INVALID_RESPONSE" => Code::UnexpectedResponse,
        _ => Code::Unreachable,
    }
}

pub(super) fn text(value: &Value, member: &str) -> Result<String, Failure> {
    value.get(member).and_then(Value::as_str).map(str::to_owned).ok_or(lost())
}
