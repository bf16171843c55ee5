//! An operation on the session of a portal login, when it is its turn.

use super::login::Wish;
use super::store::{JAR, LOGOUT_JAR};
use super::visit::VisitHost;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::call::Actor;
use base::fault::FaultKind;
use base::ids::{PortalId, ServiceKeyId};
use portal::browser::Jar;
use portal::operation::DEBUG;
use portal::pictures::Pictures;
use portal::steps::{
    Confirmed, Failed, Gone, LoggedOut, Lost, Resumed, Resumption, TaskStarted, Unasked, Usable,
};
use portal::{
    Answered, Code, Done, End, Failure, Operation, Outcome, Place, Refusal, Request, RunReply, Wizard, Work,
    identity,
};

/// Whose session an operation is on.
struct On {
    session_id: PortalId,
    is_new: bool,
}

impl On {
    fn done(&self, result: Result<Answered, Refusal>, wizard_id: Option<String>) -> RunReply {
        let session_id = self.session_id.clone();
        RunReply::Done(Done { session_id, is_new: self.is_new, result, wizard_id })
    }

    fn refused(&self, refusal: Refusal) -> RunReply {
        self.done(Err(refusal), None)
    }
}

impl<H: Host> Portal<H> {
    /// If the portal has ended the session meanwhile, it is logged in again, once.
    pub(super) async fn run_at_turn(
        &self,
        session_id: PortalId,
        is_new: bool,
        mut operation: Request,
        wizard_id: Option<String>,
        opener: Option<ServiceKeyId>,
        by: &Actor,
    ) -> Result<RunReply> {
        let on = On { session_id, is_new };
        let (resumption, loaded) =
            self.step(Resumed { session_id: on.session_id.clone(), saves: false, opener })?;
        let mut again = false;
        match resumption {
            Resumption::Gone(Gone::Unknown) => return Ok(RunReply::Unknown),
            Resumption::Gone(Gone::Ended(reason)) => return Ok(RunReply::Ended(reason)),
            Resumption::Refused(refusal) => return Ok(on.refused(refusal)),
            Resumption::Usable(Usable::Now) => {}
            Resumption::Usable(Usable::AfterLogin) => {
                again = true;
                if let Err(refusal) = self.log_in(None, &Wish::default(), by).await? {
                    return self.lost(&on, refusal);
                }
            }
        }
        let wizard_id = match self.resume(&loaded, &mut operation, wizard_id)? {
            Ok(id) => id,
            Err(refusal) => return Ok(on.refused(refusal)),
        };
        if again {
            forget_form(&mut operation);
        }
        let work = Work::Run(operation.operation.clone());
        loop {
            let (end, jar, place) =
                self.visit_and_run(&loaded, &work, &operation, wizard_id.as_ref()).await?;
            self.store_jar(&loaded, Some(&on.session_id), &jar)?;
            let failure = match end {
                Ok(outcome) => {
                    // What is known without the portal confirms nothing.
                    if place.calls.is_empty() {
                        self.step(Unasked)?;
                    } else {
                        let due = loaded.need_driver()?.due(&jar);
                        self.step(Confirmed { used: true, due })?;
                    }
                    self.audit(&loaded.name, &work, "ok", None, by);
                    let (answered, wizard_id) = self.save_wizard(&loaded, &on, outcome, wizard_id);
                    return Ok(on.done(Ok(answered), wizard_id));
                }
                Err(failure) => failure,
            };
            if failure.code != Code::LoggedOut {
                self.audit(&loaded.name, &work, failure.code.as_str(), Some(&place), by);
                return Ok(on.refused(self.step(Failed(failure))?.0.at(place)));
            }
            if !self.is_current(&on.session_id)? {
                self.step(Failed(Failure::new(Code::Closed)))?;
                return Ok(on.refused(Refusal::new(Code::Closed)));
            }
            match self.step(LoggedOut { again })?.0 {
                Lost::LogIn => {
                    again = true;
                    if let Err(refusal) = self.log_in(None, &Wish::default(), by).await? {
                        let place = refusal.place.as_deref();
                        self.audit(&loaded.name, &work, refusal.code.as_str(), place, by);
                        return self.lost(&on, refusal);
                    }
                    forget_form(&mut operation);
                }
                Lost::Ended(reason) => {
                    self.audit(&loaded.name, &work, Code::LoggedOut.as_str(), Some(&place), by);
                    return Ok(RunReply::Ended(reason));
                }
                Lost::Unknown => return Ok(on.refused(Refusal::new(Code::LoggedOut))),
            }
        }
    }

    /// A session whose new login failed: gone, or still to be tried when the portal is back.
    fn lost(&self, on: &On, refusal: Refusal) -> Result<RunReply> {
        let ended = self.load()?.and_then(|loaded| loaded.login.ended);
        Ok(match ended.filter(|ended| ended.session_id == on.session_id) {
            // Why the login failed says more than that the session is over.
            Some(ended) if ended.reason == End::LoggedOut => RunReply::Ended(ended.reason),
            _ => on.refused(refusal),
        })
    }

    async fn visit_and_run(
        &self,
        loaded: &Loaded,
        work: &Work,
        operation: &Request,
        wizard_id: Option<&String>,
    ) -> Result<(Result<Outcome, Failure>, Jar, Place)> {
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            // Cookies that cannot be opened are as good as none: the credentials may be.
            return Ok((Err(Failure::new(Code::LoggedOut)), Jar::default(), Place::default()));
        };
        self.step(TaskStarted(work.clone()))?;
        let host = VisitHost::new(self, loaded).with_wizard(wizard_id.cloned());
        let mut visit = host.visit(jar, loaded.policy().timeout);
        visit.pictures = self.pictures(loaded, operation)?;
        let end = loaded.need_driver()?.run(&mut visit, operation).await;
        let end = end.map_err(|failure| visit.failed(failure));
        let place = match &end {
            Err(failure) if failure.code != Code::LoggedOut => self.place(loaded, &visit, failure, None),
            _ => visit.place(),
        };
        Ok((end, visit.jar, place))
    }

    /// Where they are wanted and can be kept. Whoever does not know the password cannot tell that it is on none of them.
    fn pictures(&self, loaded: &Loaded, operation: &Request) -> Result<Option<Pictures>> {
        if operation.fields.get(DEBUG) != Some(&true.into()) || !self.host.has_bucket() {
            return Ok(None);
        }
        let credentials = self.rows()?.credentials(&loaded.name)?.ok().flatten();
        Ok(credentials.map(|known| Pictures::new(&known.username, known.password, operation)))
    }

    pub(super) fn is_current(&self, session_id: &PortalId) -> Result<bool> {
        Ok(self.load()?.is_some_and(|loaded| loaded.session_id() == Some(session_id)))
    }

    /// The cookies after some work. A session that was closed meanwhile is logged out with them.
    pub(super) fn store_jar(&self, loaded: &Loaded, session_id: Option<&PortalId>, jar: &Jar) -> Result<()> {
        let current = match session_id {
            Some(id) => self.is_current(id)?,
            None => false,
        };
        let row = if current { JAR } else { LOGOUT_JAR };
        if row == LOGOUT_JAR && self.load()?.is_none_or(|loaded| loaded.login.logout.is_none()) {
            return Ok(());
        }
        self.rows()?.put_jar(&loaded.name, row, &jar.save())
    }

    /// Gives a wizard the state that it was left in. Says under which id it will be saved.
    fn resume(
        &self,
        loaded: &Loaded,
        request: &mut Request,
        wizard_id: Option<String>,
    ) -> Result<Result<Option<String>, Refusal>> {
        let portals = &loaded.app.config.portals;
        let document = portals.document(identity::portal(&loaded.name));
        let operation = document.and_then(|document| document.operation(&request.operation));
        if !operation.is_some_and(Operation::is_wizard) {
            return Ok(Ok(None));
        }
        let Some(id) = wizard_id else { return Ok(Ok(Some(self.fresh_id("appointment")?))) };
        let idle = loaded.policy().wizard_idle;
        Ok(match self.rows()?.wizard(&loaded.name, &id, idle, self.host.now())? {
            Some(wizard) => {
                request.wizard = Some(wizard);
                Ok(Some(id))
            }
            None => Err(Refusal::new(Code::WizardUnknown)),
        })
    }

    /// What is said of an outcome, and the id by which it can be gone on with. The outcome stands, whatever can be saved.
    fn save_wizard(
        &self,
        loaded: &Loaded,
        on: &On,
        outcome: Outcome,
        wizard_id: Option<String>,
    ) -> (Answered, Option<String>) {
        let Outcome { answer, wizard, waiting } = outcome;
        let goes_on = wizard.is_some();
        let saved = wizard_id.filter(|id| {
            self.put_wizard(loaded, on, id, wizard).unwrap_or_else(|error| {
                self.host.fault(FaultKind::PortalAppointment, &error, None);
                false
            })
        });
        (Answered { answer, waiting }, saved.filter(|_| goes_on))
    }

    /// Whether it is saved: not, if its session was closed meanwhile.
    fn put_wizard(&self, loaded: &Loaded, on: &On, id: &str, wizard: Option<Wizard>) -> Result<bool> {
        if !self.is_current(&on.session_id)? {
            return Ok(false);
        }
        let now = self.host.now();
        self.rows()?.put_wizard(&loaded.name, id, wizard, now)?;
        if let Some(loaded) = self.load()? {
            self.arm(&loaded, now)?;
        }
        Ok(true)
    }
}

/// A form that was saved belongs to the portal's session before: the wizard is begun anew with what was given.
fn forget_form(operation: &mut Request) {
    if let Some(wizard) = &mut operation.wizard {
        wizard.form = None;
    }
}
