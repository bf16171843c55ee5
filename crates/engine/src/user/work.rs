//! What a user's object does when nobody else has: it asks after reserved places, ends sessions, tells them of new roles.

use super::User;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use base::ids::SessionId;
use base::rpc::Class;
use directory::{Checked, Close, Found, Pending, Step, Synced, Task, Work, begin_due, next_alarm};
use session::{Acknowledgement, EndReason, Peek, Presence, Revoke, SetAccount};

impl<H: Host> User<H> {
    pub(super) async fn on_alarm(&self) -> Result<(), Fault> {
        let now = self.host.now();
        let mut user = self.load()?;
        let work = begin_due(&mut user, now);
        if let Some(at) = next_alarm(&user) {
            self.host.set_alarm(at)?;
        }
        self.store(&user, now)?;
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
                self.finish(Checked { session_id: session_id.clone(), found }, now)?;
                // An opening may still be on its way: it must not open a session that is on no list.
                let revoked = |p: &Pending| p.session_id == session_id && p.task != Task::Sync;
                if !self.load()?.pending.iter().any(revoked) {
                    return Ok(());
                }
                if self.is_session(&session_id) {
                    self.end(&session_id, EndReason::Evicted, now).await?;
                }
                self.finish(Close { session_id }, now)
            }
            Work::Do { session_id, task: Task::End(reason) } => {
                if self.is_session(&session_id) {
                    self.end(&session_id, reason, now).await?;
                }
                self.finish(Close { session_id }, now)
            }
            Work::Do { session_id, task: Task::Sync } => {
                let Some(profile) = self.load()?.profile else { return Ok(()) };
                let account_version = profile.account_version;
                if self.is_session(&session_id) {
                    let set = SetAccount { account: profile.account, account_version };
                    let told = self.host.send(&session::address(&session_id), &set).await?;
                    // Not open yet. Whoever opens it learns of the account as it is then; until that is known, this is tried
                    // again.
                    if told == Acknowledgement::Unknown && self.is_reserved(&session_id)? {
                        return Ok(());
                    }
                }
                self.finish(Synced { session_id, account_version: Some(account_version) }, now)
            }
        }
    }

    async fn end(&self, session_id: &SessionId, reason: EndReason, now: Timestamp) -> Result<(), Fault> {
        let ended = self.host.send(&session::address(session_id), &Revoke { reason }).await?.ended;
        store::forget_session(&self.host, session_id, &ended, now).await
    }

    fn is_reserved(&self, session_id: &SessionId) -> Result<bool, Fault> {
        let slots = self.load()?.slots;
        Ok(slots.iter().any(|s| s.session_id == *session_id && s.reserved_until.is_some()))
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
        self.step(step, now).map(drop)
    }
}
