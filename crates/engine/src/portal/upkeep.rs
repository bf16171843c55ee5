//! What a portal login does at the portal without anybody asking: keep-alives and log-outs, each in its turn of the queue.

use super::login::Wish;
use super::store::{JAR, LOGOUT_JAR};
use super::visit::VisitHost;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::clock::Timestamp;
use portal::steps::{Confirmed, Due, KeepAliveFailed, LoggedOut, LogoutFinished, Lost, TaskStarted, Woke};
use portal::{Code, Failure, Place, Step, Work};
use std::time::Duration;

/// A log-out is not worth waiting for longer than this.
const LOG_OUT_MAX: Duration = Duration::from_secs(15);

impl<H: Host> Portal<H> {
    /// Loads a page, so that the portal does not forget the session; logs a lost one in again.
    pub(super) async fn keep_alive_if_due(&self) -> Result<()> {
        let by = self.itself("alarm");
        let kept = Wish { keep_alive: true, ..Wish::default() };
        let (due, loaded) = self.step(Woke)?;
        match due {
            Due::KeepAlive => {}
            Due::LogIn => {
                self.arm(&loaded, self.host.now())?;
                // What comes of it is stored and logged.
                let _ = self.log_in(None, &kept, &by).await?;
                return Ok(());
            }
            Due::LogOut | Due::GoOn | Due::LetGo | Due::Forget | Due::Nothing => return Ok(()),
        }
        let (end, place) = self.load_page(&loaded).await?;
        match end {
            Ok(due) => {
                self.kept(Confirmed { used: false, due })?;
            }
            Err(failure) if failure.code == Code::LoggedOut => {
                self.audit(&loaded.name, &Work::KeepAlive, failure.code.as_str(), Some(&place), &by);
                if self.kept(LoggedOut { again: false })? == Lost::LogIn {
                    let _ = self.log_in(None, &kept, &by).await?;
                }
            }
            Err(failure) => {
                self.audit(&loaded.name, &Work::KeepAlive, failure.code.as_str(), Some(&place), &by);
                self.kept(KeepAliveFailed(failure))?;
            }
        }
        Ok(())
    }

    /// The end of a keep-alive. What cannot be stored leaves it under way, so that it is not begun anew at once.
    fn kept<S: Step>(&self, step: S) -> Result<S::Outcome> {
        let began_at = self.memory.keeping.take();
        let stepped = self.step(step);
        if stepped.is_err() {
            self.memory.keeping.set(began_at);
        }
        Ok(stepped?.0)
    }

    /// Nothing is stored, and no alarm is set, before it is known what came of it: it is two rows each time, and nothing would
    /// be gained. The alarm that wanted it runs, and comes again if the instance dies; the row says that it is due.
    async fn load_page(&self, loaded: &Loaded) -> Result<(Result<Option<Timestamp>, Failure>, Place)> {
        self.memory.keeping.set(Some(self.host.now()));
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            return Ok((Err(Failure::new(Code::LoggedOut)), Place::default()));
        };
        let host = VisitHost::new(self, loaded);
        let mut visit = host.visit(jar, loaded.policy().timeout);
        let end = loaded.need_driver()?.keep_alive(&mut visit).await;
        let end = end.map_err(|failure| visit.failed(failure));
        let place = match &end {
            Err(failure) if failure.code != Code::LoggedOut => self.place(loaded, &visit, failure, None),
            _ => visit.place(),
        };
        self.store_jar(loaded, loaded.session_id(), &visit.jar)?;
        let due = loaded.need_driver()?.due(&visit.jar);
        Ok((end.map(|()| due), place))
    }

    /// Logs out at the portal what was closed here.
    pub(super) async fn log_out_if_due(&self) -> Result<()> {
        let loaded = self.need()?;
        let Some(logout) = loaded.login.logout else { return Ok(()) };
        let row = if logout.broken_off { JAR } else { LOGOUT_JAR };
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, row)? else {
            self.step(LogoutFinished { done: true })?;
            return Ok(());
        };
        self.step(TaskStarted(Work::LogOut))?;
        let host = VisitHost::new(self, &loaded);
        let mut visit = host.visit(jar, LOG_OUT_MAX);
        let end = loaded.need_driver()?.log_out(&mut visit).await;
        let outcome = end.as_ref().map_or_else(|failure| failure.code.as_str(), |()| "ok");
        let failed = end.as_ref().err().map(|failure| self.place(&loaded, &visit, failure, None));
        self.audit(&loaded.name, &Work::LogOut, outcome, failed.as_ref(), &self.itself("object"));
        // Logged out already is logged out.
        let done = end.is_ok() || end.is_err_and(|failure| failure.code == Code::LoggedOut);
        self.step(LogoutFinished { done })?;
        Ok(())
    }
}
