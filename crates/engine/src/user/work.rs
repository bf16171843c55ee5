//! What a user's object does when nobody else has: it asks after reserved places, ends sessions, tells them of new roles, and
//! the directory who is an admin.

use super::User;
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::SessionId;
use base::rpc::Class;
use directory::index::{AdminReply, SetAdmin};
use directory::{
    Checked, Close, Found, NotedAdmin, Pending, Recorded, Spared, Step, Synced, Task, Work, begin_due,
    directory_address, is_admin, next_alarm,
};
use session::{Acknowledgement, EndReason, Peek, Presence, Revoke, SetAccount};
use store::{SessionRecord, Store};

impl<H: Host> User<H> {
    pub(super) async fn on_alarm(&self) -> Result<(), Fault> {
        let now = self.host.now();
        let mut user = self.load()?;
        self.alarm.set(None);
        let before = user.clone();
        let work = begin_due(&mut user, now);
        if let Some(at) = next_alarm(&user) {
            self.wake(at)?;
        }
        // Mostly a login has long been opened, and there is nothing to do.
        if user != before || user.is_disposable(now) {
            self.store(&user, now)?;
        }
        for work in work {
            if let Err(error) = self.work(work, now).await {
                self.host.fault(FaultKind::UserAlarmWork, &error, None);
            }
        }
        let user = self.load()?;
        match next_alarm(&user) {
            Some(at) => self.wake(at),
            None if user.is_disposable(now) => {
                self.alarm.set(None);
                self.host.delete_all().await
            }
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
            Work::Do { session_id, task: Task::End(reason), lost_to } => {
                if let Some(other) = lost_to
                    && !matches!(self.look_for(&other).await?, Found::Live(_))
                    && self.step(Spared { session_id: session_id.clone() }, now)?
                {
                    return Ok(());
                }
                if self.is_session(&session_id) {
                    self.end(&session_id, reason, now).await?;
                }
                self.finish(Close { session_id }, now)
            }
            Work::Do { session_id, task: Task::Sync, .. } => {
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
            Work::Record { session_id } => self.record(session_id, now).await,
            Work::NoteAdmin => self.note_admin(now).await,
        }
    }

    /// Writes a session's record to KV, if it is live. If it has ended by the time that this is done, the record says so.
    async fn record(&self, session_id: SessionId, now: Timestamp) -> Result<(), Fault> {
        let store = Store(&self.host);
        if let Presence::Live(live) = self.presence(&session_id).await? {
            let record = SessionRecord {
                user_id: live.account.user_id,
                username: live.account.username,
                created_at: live.created_at,
                absolute_expires_at: live.absolute_expires_at,
                device_name: live.device.and_then(|device| device.name),
                written_at: Some(now),
            };
            store.put_session(&session_id, &record, now).await?;
        }
        match self.presence(&session_id).await? {
            Presence::Live(_) => {}
            Presence::Ended(ended) => store.note_end(&session_id, &ended, now).await?,
            Presence::Unknown => store.forget_session(&session_id).await?,
        }
        self.finish(Recorded { session_id }, now)
    }

    async fn presence(&self, session_id: &SessionId) -> Result<Presence, Fault> {
        if !self.is_session(session_id) {
            return Ok(Presence::Unknown);
        }
        Ok(self.host.send(&session::address(session_id), &Peek).await?)
    }

    /// Tells the directory what is so by now. That is a fact: it is never refused.
    async fn note_admin(&self, now: Timestamp) -> Result<(), Fault> {
        let Some(stored) = self.load()?.profile else { return Ok(()) };
        let account_version = stored.account_version;
        let set = SetAdmin {
            admin: is_admin(&stored),
            user_id: stored.account.user(),
            username: stored.account.username,
            account_version: Some(account_version),
            asks: false,
        };
        match self.host.send(&directory_address(), &set).await? {
            AdminReply::Done => self.finish(NotedAdmin { account_version }, now),
            // The directory is of the release before, and decides by itself.
            AdminReply::LastAdmin | AdminReply::Changed => Ok(()),
        }
    }

    /// Ends a session in its object, and notes it in KV: of whoever is not on the list any more, KV has been told.
    async fn end(&self, session_id: &SessionId, reason: EndReason, now: Timestamp) -> Result<(), Fault> {
        let revoke = Revoke { reason, token: None };
        let ended = self.host.send(&session::address(session_id), &revoke).await?.ended;
        if ended.end_propagated {
            return Ok(());
        }
        store::note_end(&self.host, session_id, &ended, now).await
    }

    fn is_reserved(&self, session_id: &SessionId) -> Result<bool, Fault> {
        let slots = self.load()?.slots;
        Ok(slots.iter().any(|s| s.session_id == *session_id && s.reserved_until.is_some()))
    }

    async fn look_for(&self, session_id: &SessionId) -> Result<Found, Fault> {
        Ok(match self.presence(session_id).await? {
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
