//! The world, for a driver that does something at a portal for a login: its calls, its waits, and what is worth storing at
//! once.

use super::store::JAR;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::call::{self, Call};
use base::clock::{Timestamp, millis};
use base::fault::{Fault, FaultKind};
use base::socket::{Connect, Opened};
use portal::browser::Jar;
use portal::pictures::{self, Picture};
use portal::refusals::Held;
use portal::registry::{BrowserReply, BrowserUse, GiveBrowser, TakeBrowser};
use portal::steps::{BrowserClosed, BrowserOpened, Committing, Reaching, SignedIn};
use portal::{Answer, Code, Credentials, Failure, Fetch, Net, Pending, Progress, Reached, Visit, Work};
use std::cell::Cell;
use std::time::Duration;

/// Whoever found no browser free is told to come again after this.
const BUSY_AGAIN: Duration = Duration::from_secs(10);
/// Some work ends a little after its time: its browser is to be closed.
const GRACE: Duration = Duration::from_secs(15);

pub(super) struct VisitHost<H: Host> {
    portal: Portal<H>,
    /// The login's.
    name: String,
    /// The wizard that it goes on with.
    wizard_id: Option<String>,
    /// What it logs in with.
    credentials: Option<Credentials>,
    /// Why it did not send the password.
    held: Cell<Option<Held>>,
    /// Since when it waits for a person, if it does.
    asked_at: Option<Timestamp>,
}

impl<H: Host> VisitHost<H> {
    pub fn new(portal: &Portal<H>, loaded: &Loaded) -> Self {
        let (portal, name) = (portal.clone(), loaded.name.clone());
        Self { portal, name, wizard_id: None, credentials: None, held: Cell::new(None), asked_at: None }
    }

    pub fn with_credentials(self, credentials: &Credentials) -> Self {
        Self { credentials: Some(credentials.clone()), ..self }
    }

    /// What held the login back when it was about to send the password, if it was that.
    pub const fn held(&self) -> Option<Held> {
        self.held.get()
    }

    /// Somebody else's refusal may have come since this login began.
    async fn ask_again(&self) -> Result<Option<Held>> {
        let (Some(credentials), loaded) = (&self.credentials, self.portal.need()?) else { return Ok(None) };
        self.portal.held(&loaded, credentials).await
    }

    pub fn with_wizard(self, wizard_id: Option<String>) -> Self {
        Self { wizard_id, ..self }
    }

    pub fn with_person(self, asked_at: Timestamp) -> Self {
        Self { asked_at: Some(asked_at), ..self }
    }

    pub fn visit(&self, jar: Jar, time: Duration) -> Visit<'_> {
        Visit::new(self, jar, self.portal.host.now().plus(time))
    }

    /// Waits for a place until it has one. Not for longer than the setting says, nor for work that is over by then.
    async fn wait_for_browser(&self, place: &str, until: Timestamp) -> Result<bool> {
        let host = &self.portal.host;
        let patience = host.now().plus(host.app()?.config.portals.browsers.wait).min(until);
        let take = TakeBrowser { place: place.to_owned(), until: until.plus(GRACE) };
        loop {
            let BrowserReply::Waits { milliseconds } = host.send(&portal::registry_address(), &take).await?
            else {
                return Ok(true);
            };
            let left = patience.since(host.now());
            if left.is_zero() {
                return Ok(false);
            }
            host.sleep(Duration::from_millis(milliseconds).min(left)).await;
        }
    }

    /// Nobody can say whether one is free: then there is none.
    fn no_browser(&self, error: &Fault) -> Failure {
        self.portal.host.fault(FaultKind::PortalRegistry, error, None);
        Failure::new(Code::NoBrowser)
    }

    /// Counts the time in a browser for the session, and says what it was for. A logout is not the session's: that is over.
    fn count_browser(&self, held: Duration) -> Result<Option<BrowserUse>> {
        if held.is_zero() {
            return Ok(None);
        }
        let (milliseconds, unsaved) = (millis(held), &self.portal.memory.browsers);
        let login = self.portal.need()?.login;
        // A keep-alive is not stored before it is done. What stays open is a login's that waits for a person.
        let untold = if login.browser.is_some() { Work::LogIn } else { Work::KeepAlive };
        let work = login.task.map_or(untold, |task| task.work);
        let mut session = None;
        if work != Work::LogOut {
            unsaved.set(unsaved.get() + milliseconds);
            session = login.session.map(|live| (live.session_id, live.browser_milliseconds + unsaved.get()));
        }
        let (name, work) = (self.name.clone(), work.kind().to_owned());
        Ok(Some(BrowserUse { name, work, milliseconds, session }))
    }

    /// Where the picture can be read. Nothing, if there is no session any more.
    async fn put_picture(&self, picture: &Picture) -> Result<Option<String>> {
        let host = &self.portal.host;
        let Some(loaded) = self.portal.load()? else { return Ok(None) };
        let Some(session_id) = loaded.session_id() else { return Ok(None) };
        let name = pictures::name(&host.random_id()?);
        let session = loaded.app.vault.fingerprint(pictures::KEY_PURPOSE, session_id.as_str());
        let stored = picture.stored(loaded.app.config.portals.screenshots);
        host.bucket_put(&pictures::key(&session, &name), &stored).await?;
        Ok(Some(pictures::path(session_id, &name)))
    }

    fn store(&self, progress: Progress) -> Result<()> {
        let portal = &self.portal;
        match progress {
            Progress::SignedIn(jar) => {
                portal.rows()?.put_jar(&self.name, JAR, &jar)?;
                portal.step(SignedIn)?;
            }
            Progress::Renewed(jar) => portal.rows()?.put_jar(&self.name, JAR, &jar)?,
            Progress::Paying => drop(portal.step(Reaching(Reached::Captcha))?),
            Progress::Sending => drop(portal.step(Reaching(Reached::Password))?),
            Progress::Committing => {
                // Nobody goes on with what may be done, also if nobody lives to see what came of it: it would be done again.
                if let Some(id) = &self.wizard_id {
                    portal.rows()?.put_wizard(&self.name, id, None, portal.host.now())?;
                }
                portal.step(Committing)?;
            }
            Progress::Opened(seat) => {
                portal.rows()?.put_seat(&self.name, &seat)?;
                portal.step(BrowserOpened)?;
            }
            Progress::Closed => drop(portal.step(BrowserClosed { done: true })?),
        }
        Ok(())
    }
}

impl<H: Host> Net for VisitHost<H> {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Pending<'a, Answer> {
        Box::pin(self.portal.host.fetch(fetch))
    }

    fn call<'a>(&'a self, call: &'a Call) -> Pending<'a, call::Answer> {
        Box::pin(self.portal.host.call(call))
    }

    fn connect<'a>(&'a self, to: &'a Connect) -> Pending<'a, Opened> {
        Box::pin(self.portal.host.connect(to))
    }

    fn take_browser(&self, until: Timestamp) -> Pending<'_, Result<String, Failure>> {
        Box::pin(async move {
            let place = self.portal.host.random_id();
            let place = place.map_err(|error| self.no_browser(&error))?;
            match self.wait_for_browser(&place, until).await {
                Ok(true) => Ok(place),
                taken => {
                    // Perhaps it has it by now.
                    self.give_browser(&place, Duration::ZERO).await;
                    Err(match taken {
                        Err(error) => self.no_browser(&error),
                        Ok(_) => {
                            Failure { retry_after: Some(BUSY_AGAIN), ..Failure::new(Code::BrowsersBusy) }
                        }
                    })
                }
            }
        })
    }

    fn keep_browser<'a>(&'a self, place: &'a str, until: Timestamp) -> Pending<'a, ()> {
        Box::pin(async move {
            // Whoever waits for a place is of no account: it is open.
            let take = TakeBrowser { place: place.to_owned(), until };
            if let Err(error) = self.portal.host.send(&portal::registry_address(), &take).await {
                self.portal.host.fault(FaultKind::PortalRegistry, &error, None);
            }
        })
    }

    fn is_waited_for(&self) -> bool {
        let Some(asked_at) = self.asked_at else { return true };
        match self.portal.waits_since(asked_at) {
            Ok(person) => person.is_some_and(|person| self.portal.host.now() < person.until),
            // What cannot be read may be so.
            Err(_) => true,
        }
    }

    fn give_browser<'a>(&'a self, place: &'a str, held: Duration) -> Pending<'a, ()> {
        Box::pin(async move {
            let used = self.count_browser(held).unwrap_or_else(|error| {
                self.portal.host.fault(FaultKind::PortalRegistry, &error, None);
                None
            });
            let give = GiveBrowser { place: place.to_owned(), used };
            if let Err(error) = self.portal.host.send(&portal::registry_address(), &give).await {
                self.portal.host.fault(FaultKind::PortalRegistry, &error, None);
            }
        })
    }

    fn random(&self) -> std::result::Result<[u8; 32], Failure> {
        self.portal.host.random().map_err(|error| {
            self.portal.host.fault(FaultKind::PortalProgress, &error, None);
            Failure::new(Code::Interrupted)
        })
    }

    fn keep_picture<'a>(&'a self, picture: &'a Picture) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            self.put_picture(picture).await.unwrap_or_else(|error| {
                self.portal.host.fault(FaultKind::Screenshot, &error, None);
                None
            })
        })
    }

    fn wait(&self, time: Duration) -> Pending<'_, ()> {
        Box::pin(self.portal.host.sleep(time))
    }

    fn now(&self) -> Timestamp {
        self.portal.host.now()
    }

    fn may_send(&self) -> Pending<'_, Result<(), Failure>> {
        Box::pin(async {
            let held = self.ask_again().await.map_err(|error| {
                self.portal.host.fault(FaultKind::PortalRegistry, &error, None);
                Failure::new(Code::Interrupted)
            })?;
            self.held.set(held);
            held.map_or(Ok(()), |held| Err(Failure::new(held.code)))
        })
    }

    fn progress(&self, progress: Progress) -> Result<(), Failure> {
        self.store(progress).map_err(|error| {
            self.portal.host.fault(FaultKind::PortalProgress, &error, None);
            Failure::new(Code::Interrupted)
        })
    }
}
