//! The world, for a driver that does something at a portal for a login: its calls, its waits, and what is worth storing at
//! once.

use super::store::JAR;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::clock::Timestamp;
use portal::browser::Jar;
use portal::steps::{Committing, Reaching, SignedIn};
use portal::{Answer, Code, Failure, Fetch, Net, Pending, Progress, Reached, Visit};
use std::time::Duration;

pub(super) struct VisitHost<H: Host> {
    portal: Portal<H>,
    /// The login's.
    name: String,
    /// The wizard that it goes on with.
    wizard_id: Option<String>,
}

impl<H: Host> VisitHost<H> {
    pub fn new(portal: &Portal<H>, loaded: &Loaded) -> Self {
        Self { portal: portal.clone(), name: loaded.name.clone(), wizard_id: None }
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

    fn wait(&self, time: Duration) -> Pending<'_, ()> {
        Box::pin(self.portal.host.sleep(time))
    }

    fn now(&self) -> Timestamp {
        self.portal.host.now()
    }

    fn progress(&self, progress: Progress) -> Result<(), Failure> {
        self.store(progress).map_err(|error| {
            self.portal.host.fault("portal progress", &error, None);
            Failure::new(Code::Interrupted)
        })
    }
}
