//! The world, for a driver that does something at a portal for a login: its calls, its waits, and what is worth storing at
//! once.

use super::store::JAR;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::call::{self, Call};
use base::clock::Timestamp;
use base::fault::FaultKind;
use base::socket::{Connect, Opened};
use portal::browser::Jar;
use portal::refusals::Held;
use portal::steps::{Committing, Reaching, SignedIn};
use portal::{Answer, Code, Credentials, Failure, Fetch, Net, Pending, Progress, Reached, Visit};
use std::cell::Cell;
use std::time::Duration;

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
}

impl<H: Host> VisitHost<H> {
    pub fn new(portal: &Portal<H>, loaded: &Loaded) -> Self {
        let (portal, name) = (portal.clone(), loaded.name.clone());
        Self { portal, name, wizard_id: None, credentials: None, held: Cell::new(None) }
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

    pub fn visit(&self, jar: Jar, time: Duration) -> Visit<'_> {
        Visit::new(self, jar, self.portal.host.now().plus(time))
    }

    fn store(&self, progress: Progress) -> Result<()> {
        let portal = &self.portal;
        match progress {
            Progress::SignedIn(jar) => {
                portal.rows()?.put_jar(&self.name, JAR, &jar)?;
                portal.step(SignedIn)?;
            }
            Progress::Paying => drop(portal.step(Reaching(Reached::Captcha))?),
            Progress::Sending => drop(portal.step(Reaching(Reached::Password))?),
            Progress::Committing => {
                // Nobody goes on with what may be done, also if nobody lives to see what came of it: it would be done again.
                if let Some(id) = &self.wizard_id {
                    portal.rows()?.put_wizard(&self.name, id, None, portal.host.now())?;
                }
                portal.step(Committing)?;
            }
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
