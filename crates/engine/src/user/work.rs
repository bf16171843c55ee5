//! What a user's object does when nobody else has: it asks after reserved places, ends sessions, tells them of new roles.

use super::User;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use base::ids::SessionId;
use base::rpc::Class;
use directory::{Checked, Close, Found, Step, Synced, Task, Work, begin_due, next_alarm};
use session::{Peek, Presence, Revoke, SetAccount};

impl<H: Host> User<H> {
    pub(super) async fn on_alarm(&self) -> Result<(), Fault> {
        let now = self.host.now();
        let mut user = self.load()?;
        let work = begin_due(&mut user, now);
        self.store(&user, now)?;
        if let Some(at) = next_alarm(&user) {
            self.host.set_alarm(at)?;
        }
        for work in work {
            if let Err(error) = self.work(work, now).await {
                self.host.fault("user alarm work", &error, None);
            }
        }
        let user = self.load()?;
        match next_alarm(&user) {
            Some(at) => self.host.set_alarm(at),
            None if user.is_disposable(now) => self.host.delete_all().await,
            None => Ok(()),
        }
    }

    async fn work(&self, work: Work, now: Timestamp) -> Result<(), Fault> {
        match work {
            Work::Check { session_id } => {
                let found = self.look_for(&session_id).await?;
                self.finish(Checked { session_id, found }, now)
            }
            Work::Do { session_id, task: Task::End(reason) } => {
                if self.is_session(&session_id) {
                    let to = session::address(&session_id);
                    let ended = self.host.send(&to, &Revoke { reason }).await?.ended;
                    store::forget_session(&self.host, &session_id, &ended, now).await?;
                }
                self.finish(Close { session_id }, now)
            }
            Work::Do { session_id, task: Task::Sync } => {
                let account = self.load()?.profile.map(|profile| profile.account);
                if let Some(account) = account.filter(|_| self.is_session(&session_id)) {
                    self.host.send(&session::address(&session_id), &SetAccount { account }).await?;
                }
                self.finish(Synced { session_id }, now)
            }
        }
    }

    async fn look_for(&self, session_id: &SessionId) -> Result<Found, Fault> {
        if !self.is_session(session_id) {
            return Ok(Found::Unknown);
        }
        Ok(match self.host.send(&session::address(session_id), &Peek).await? {
            Presence::Live(live) => Found::Live(live.last_activity),
            Presence::Ended(_) => Found::Ended,
            Presence::Unknown => Found::Unknown,
        })
    }

    fn is_session(&self, id: &SessionId) -> bool {
        self.host.is_id(Class::Session, id.as_str())
    }

    fn finish<S: Step>(&self, step: S, now: Timestamp) -> Result<(), Fault> {
        self.step(step, now).map(|_| ())
    }
}
