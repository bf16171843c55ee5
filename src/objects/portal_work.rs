//! What the object of a login does at the portal, one piece at a time, each in its turn of the queue.

use super::portal::{Inner, Loaded, audit};
use super::portal_rows::{FAREWELL, JAR};
use crate::platform::{self, outbound};
use ::keeper::protocol::By;
use ::portal::browser::Jar;
use ::portal::{
    Answer, Code, Done, Driver, End, Event, Failure, Fetch, Net, Operation, Outcome, Pending, Progress,
    Reached, Refusal, Reply, Request, Told, Verdict, Visit, Wizard, Work, operation,
};
use base::clock::Timestamp;
use std::rc::Rc;
use std::time::Duration;
use worker::Result;

/// A logout is not worth waiting for longer than this.
const LOG_OUT_MAX: Duration = Duration::from_secs(15);

/// The world, for a driver that works for this object.
pub(super) struct World {
    inner: Rc<Inner>,
    name: String,
    /// The wizard that it goes on with.
    wizard_id: Option<String>,
}

impl Net for World {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Pending<'a, Answer> {
        Box::pin(outbound::fetch(fetch, platform::now()))
    }

    fn wait(&self, time: Duration) -> Pending<'_, ()> {
        Box::pin(worker::Delay::from(time))
    }

    fn now(&self) -> Timestamp {
        platform::now()
    }

    fn progress(&self, progress: Progress) -> std::result::Result<(), Failure> {
        let kept = match progress {
            Progress::SignedIn(jar) => (self.inner.rows())
                .and_then(|rows| rows.put_jar(&self.name, JAR, &jar))
                .and_then(|()| self.inner.step(Event::SignedIn)),
            Progress::Paying => self.inner.step(Event::Reaching(Reached::Captcha)),
            Progress::Sending => self.inner.step(Event::Reaching(Reached::Password)),
            // Nobody goes on with what may be done, also if nobody lives to see what came of it: it would be done again.
            Progress::Committing => (self.inner.rows())
                .and_then(|rows| match &self.wizard_id {
                    Some(id) => rows.put_wizard(&self.name, id, None, platform::now()),
                    None => Ok(()),
                })
                .and_then(|()| self.inner.step(Event::Committing)),
        };
        kept.map(|_| ()).map_err(|error| {
            platform::log_fault("portal progress", &error.to_string(), None);
            Failure::new(Code::Interrupted)
        })
    }
}
impl Inner {
    /// An operation, when it is its turn. If the portal has ended the session meanwhile, it is logged in again, once.
    pub(super) async fn run_at_turn(
        self: &Rc<Self>,
        session_id: String,
        is_new: bool,
        mut operation: Request,
        wizard_id: Option<String>,
        by: &By,
    ) -> Result<Reply> {
        let (verdict, loaded) = self.step(Event::Resumed { session_id: session_id.clone() })?;
        let refused = |refusal| done(&session_id, is_new, Err(refusal), None);
        let mut again = false;
        match verdict {
            Verdict::Unknown => return Ok(Reply::Unknown),
            Verdict::Ended(reason) => return Ok(Reply::Ended(reason)),
            Verdict::Refuse(refusal) => return Ok(refused(refusal)),
            Verdict::Serve => {}
            _ => {
                again = true;
                if let Err(refusal) = self.log_in(None, false, by).await? {
                    return self.lost(&session_id, refusal, &refused);
                }
            }
        }
        let wizard_id = match self.resume(&loaded, &mut operation, wizard_id)? {
            Ok(id) => id,
            Err(refusal) => return Ok(refused(refusal)),
        };
        if again {
            forget_form(&mut operation);
        }
        let work = Work::Run(operation.operation.clone());
        loop {
            let (end, jar, calls) =
                self.visit_and_run(&loaded, &work, &operation, wizard_id.as_ref()).await?;
            self.keep_jar(&loaded, &session_id, &jar)?;
            let failure = match end {
                Ok(outcome) => {
                    // What is known without the portal confirms nothing.
                    let asked = if calls > 0 { Event::Confirmed { used: true } } else { Event::Unasked };
                    self.step(asked)?;
                    audit(&loaded.name, &work, "ok", by);
                    let (told, wizard_id) = self.keep_wizard(&loaded, &session_id, outcome, wizard_id);
                    return Ok(done(&session_id, is_new, Ok(told), wizard_id));
                }
                Err(failure) => failure,
            };
            if failure.code != Code::LoggedOut {
                audit(&loaded.name, &work, failure.code.as_str(), by);
                let code = failure.code;
                return Ok(refused(match self.step(Event::Failed(failure))?.0 {
                    Verdict::Refuse(refusal) => refusal,
                    _ => Refusal::new(code),
                }));
            }
            if !self.is_current(&session_id)? {
                self.step(Event::Failed(Failure::new(Code::Closed)))?;
                return Ok(refused(Refusal::new(Code::Closed)));
            }
            match self.step(Event::LoggedOut { again })?.0 {
                Verdict::LogIn => {
                    again = true;
                    if let Err(refusal) = self.log_in(None, false, by).await? {
                        audit(&loaded.name, &work, refusal.code.as_str(), by);
                        return self.lost(&session_id, refusal, &refused);
                    }
                    forget_form(&mut operation);
                }
                Verdict::Ended(reason) => {
                    audit(&loaded.name, &work, Code::LoggedOut.as_str(), by);
                    return Ok(Reply::Ended(reason));
                }
                _ => return Ok(refused(Refusal::new(Code::LoggedOut))),
            }
        }
    }

    /// A session whose new login failed: gone, or still to be tried when the portal is back.
    fn lost(&self, session_id: &str, refusal: Refusal, refused: &dyn Fn(Refusal) -> Reply) -> Result<Reply> {
        let ended = self.load()?.and_then(|loaded| loaded.login.ended);
        Ok(match ended.filter(|ended| ended.session_id == session_id) {
            // Why the login failed says more than that the session is over.
            Some(ended) if ended.reason == End::LoggedOut => Reply::Ended(ended.reason),
            _ => refused(refusal),
        })
    }

    async fn visit_and_run(
        self: &Rc<Self>,
        loaded: &Loaded,
        work: &Work,
        operation: &Request,
        wizard_id: Option<&String>,
    ) -> Result<(std::result::Result<Outcome, Failure>, Jar, usize)> {
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            // Cookies that cannot be opened are as good as none: the credentials may be.
            return Ok((Err(Failure::new(Code::LoggedOut)), Jar::default(), 0));
        };
        self.step(Event::TookOff(work.clone()))?;
        let world = World { wizard_id: wizard_id.cloned(), ..self.world(loaded) };
        let mut visit = visit(&world, jar, loaded.policy().timeout);
        let driver = driver(loaded)?;
        let end = driver.run(&mut visit, operation).await;
        Ok((end, visit.jar, visit.trace.len()))
    }

    fn is_current(&self, session_id: &str) -> Result<bool> {
        let session = self.load()?.and_then(|loaded| loaded.login.session);
        Ok(session.is_some_and(|live| live.session_id == session_id))
    }

    /// The cookies after some work. A session that was closed meanwhile is logged out with them.
    fn keep_jar(&self, loaded: &Loaded, session_id: &str, jar: &Jar) -> Result<()> {
        let row = if self.is_current(session_id)? { JAR } else { FAREWELL };
        if row == FAREWELL && self.load()?.is_none_or(|loaded| loaded.login.farewell.is_none()) {
            return Ok(());
        }
        self.rows()?.put_jar(&loaded.name, row, &jar.save())
    }

    /// Gives a wizard the state that it was left in. Says under which id it will be kept.
    fn resume(
        &self,
        loaded: &Loaded,
        request: &mut Request,
        wizard_id: Option<String>,
    ) -> Result<std::result::Result<Option<String>, Refusal>> {
        if !operation(&request.operation).is_some_and(Operation::is_wizard) {
            return Ok(Ok(None));
        }
        let Some(id) = wizard_id else { return Ok(Ok(Some(fresh_id("appointment")?))) };
        let idle = loaded.policy().wizard_idle;
        Ok(match self.rows()?.wizard(&loaded.name, &id, idle, platform::now())? {
            Some(wizard) => {
                request.wizard = Some(wizard);
                Ok(Some(id))
            }
            None => Err(Refusal::new(Code::WizardUnknown)),
        })
    }

    /// What is said of an outcome, and the id by which it can be gone on with. The outcome stands, whatever can be kept.
    fn keep_wizard(
        &self,
        loaded: &Loaded,
        session_id: &str,
        outcome: Outcome,
        wizard_id: Option<String>,
    ) -> (Told, Option<String>) {
        let Outcome { answer, wizard, waiting } = outcome;
        let goes_on = wizard.is_some();
        let kept = wizard_id.filter(|id| {
            self.put_wizard(loaded, session_id, id, wizard).unwrap_or_else(|error| {
                platform::log_fault("portal appointment", &error.to_string(), None);
                false
            })
        });
        (Told { answer, waiting }, kept.filter(|_| goes_on))
    }

    /// Whether it is kept: not, if its session was closed meanwhile.
    fn put_wizard(
        &self,
        loaded: &Loaded,
        session_id: &str,
        id: &str,
        wizard: Option<Wizard>,
    ) -> Result<bool> {
        if !self.is_current(session_id)? {
            return Ok(false);
        }
        self.rows()?.put_wizard(&loaded.name, id, wizard, platform::now())?;
        if let Some(loaded) = self.load()? {
            self.arm(&loaded, platform::now())?;
        }
        Ok(true)
    }

    /// Loads a page, so that the portal does not forget the session; logs a lost one in again.
    pub(super) async fn keep_alive_if_due(self: &Rc<Self>) -> Result<()> {
        let by = By { who: "alarm".to_owned(), request_id: platform::fresh_id() };
        let (verdict, loaded) = self.step(Event::Woke)?;
        match verdict {
            Verdict::KeepAlive => {}
            Verdict::LogIn => {
                // What comes of it is stored and logged.
                let _ = self.log_in(None, true, &by).await?;
                return Ok(());
            }
            _ => return Ok(()),
        }
        let session_id =
            loaded.login.session.as_ref().map(|live| live.session_id.clone()).unwrap_or_default();
        let end = match self.rows()?.jar(&loaded.name, JAR)? {
            Ok(Some(jar)) => {
                self.step(Event::TookOff(Work::KeepAlive))?;
                let world = self.world(&loaded);
                let mut visit = visit(&world, jar, loaded.policy().timeout);
                let driver = driver(&loaded)?;
                let end = driver.keep_alive(&mut visit).await;
                let jar = visit.jar;
                self.keep_jar(&loaded, &session_id, &jar)?;
                end
            }
            _ => Err(Failure::new(Code::LoggedOut)),
        };
        match end {
            Ok(()) => {
                self.step(Event::Confirmed { used: false })?;
            }
            Err(failure) if failure.code == Code::LoggedOut => {
                audit(&loaded.name, &Work::KeepAlive, failure.code.as_str(), &by);
                if self.step(Event::LoggedOut { again: false })?.0 == Verdict::LogIn {
                    let _ = self.log_in(None, true, &by).await?;
                }
            }
            Err(failure) => {
                audit(&loaded.name, &Work::KeepAlive, failure.code.as_str(), &by);
                self.step(Event::Failed(failure))?;
            }
        }
        Ok(())
    }

    /// Logs out at the portal what was closed here.
    pub(super) async fn log_out_if_due(self: &Rc<Self>) -> Result<()> {
        let loaded = self.load()?.ok_or("a portal login without a name")?;
        let Some(farewell) = loaded.login.farewell else { return Ok(()) };
        let row = if farewell.broken_off { JAR } else { FAREWELL };
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, row)? else {
            self.step(Event::SaidFarewell { done: true })?;
            return Ok(());
        };
        self.step(Event::TookOff(Work::LogOut))?;
        let world = self.world(&loaded);
        let mut visit = visit(&world, jar, LOG_OUT_MAX);
        let driver = driver(&loaded)?;
        let end = driver.log_out(&mut visit).await;
        let by = By { who: "object".to_owned(), request_id: platform::fresh_id() };
        let outcome = end.as_ref().map_or_else(|failure| failure.code.as_str(), |()| "ok");
        audit(&loaded.name, &Work::LogOut, outcome, &by);
        // Logged out already is logged out.
        let done = end.is_ok() || end.is_err_and(|failure| failure.code == Code::LoggedOut);
        self.step(Event::SaidFarewell { done })?;
        Ok(())
    }

    pub(super) fn world(self: &Rc<Self>, loaded: &Loaded) -> World {
        World { inner: self.clone(), name: loaded.name.clone(), wizard_id: None }
    }
}

pub(super) fn driver(loaded: &Loaded) -> Result<&dyn Driver> {
    loaded.driver().ok_or_else(|| "the portal is not set up".into())
}

/// A form that was kept belongs to the portal's session before: the wizard is begun anew with what was given.
fn forget_form(operation: &mut Request) {
    if let Some(wizard) = &mut operation.wizard {
        wizard.form = None;
    }
}

pub(super) fn visit(world: &World, jar: Jar, time: Duration) -> Visit<'_> {
    Visit { net: world, jar, deadline: platform::now().plus(time), trace: Vec::new() }
}

fn done(
    session_id: &str,
    is_new: bool,
    result: std::result::Result<Told, Refusal>,
    wizard_id: Option<String>,
) -> Reply {
    Reply::Done(Done { session_id: session_id.to_owned(), is_new, result, wizard_id })
}

/// An id in the old shape, with 128 random bits.
pub(super) fn fresh_id(what: &str) -> Result<String> {
    let random = platform::random::<16>().ok_or("no random bytes")?;
    let random = base16ct::lower::encode_string(&random);
    Ok(format!("{what}_{}_{random}", platform::now().seconds()))
}
