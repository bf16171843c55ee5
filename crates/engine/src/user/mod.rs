//! The object of one user.

mod passwords;
mod work;

use crate::host::{Answer, DurableObject, Host};
use crate::parsed::Parsed;
use ::directory::{
    Decision, EndReply, Envelope, Get, GetDataReply, PutData, PutDataReply, RemoveUser, Step, UnderWay,
    User as Kept, UserPolicy, decide, is_another, next_alarm,
};
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::UserId;
use config::App;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const ROW: &str = "user";
/// The user's own document; a row of its own, so that a login does not write it.
const DATA: &str = "data";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One user: account, password hash, the list of live sessions, the limit, failed logins. Named by the canonical name.
///
/// A command is one synchronous step, password hashing included: nothing comes between looking at the failures, comparing
/// the password, counting and taking a place, so neither guesses nor logins in parallel get past the limits. What is
/// decided for sessions (end, new roles) is written in the same step and stays noted until somebody says that it is done;
/// the alarm does what nobody has. The place of a login under way is in memory, and is written when its session is open.
pub struct User<H: Host> {
    host: H,
    kept: Rc<Parsed<H::Text, Kept>>,
    /// When the alarm comes that this instance has set: one that is early enough is not set again, which would be a row.
    alarm: Rc<Cell<Option<Timestamp>>>,
    /// What is in memory only. Each step reads its row, so that an instance that was replaced does not decide by it.
    under_way: Rc<RefCell<UnderWay>>,
}

impl<H: Host> Clone for User<H> {
    fn clone(&self) -> Self {
        let Self { host, kept, alarm, under_way } = self;
        Self { host: host.clone(), kept: kept.clone(), alarm: alarm.clone(), under_way: under_way.clone() }
    }
}

impl<H: Host> DurableObject<H> for User<H> {
    fn new(host: H) -> Self {
        Self { host, kept: Rc::new(Parsed::of(ROW)), alarm: Rc::default(), under_way: Rc::default() }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let envelope = base::json::read(json)?;
        let now = self.host.now();
        match envelope {
            Envelope::Login(login) => answer(self.login(login, now)),
            Envelope::Reserve(reserve) => answer(self.step(reserve, now)),
            Envelope::Admit(admit) => answer(self.step(admit, now)),
            Envelope::Opened(opened) => answer(self.step(opened, now)),
            Envelope::Close(close) => answer(self.step(close, now)),
            Envelope::Ending(ending) => answer(self.step(ending, now)),
            Envelope::Synced(synced) => answer(self.step(synced, now)),
            Envelope::End(end) => answer(self.step(end, now)),
            Envelope::Create(create) => answer(self.create(create, now)),
            Envelope::Update(update) => answer(self.update(update, now)),
            Envelope::RemoveUser(remove) => answer(self.remove(remove, now)),
            Envelope::Remove => match self.load()?.profile {
                Some(profile) => answer(self.remove(RemoveUser { user_id: profile.account.user_id }, now)),
                None => Answer::new(&EndReply::NoUser, None),
            },
            Envelope::Get => answer(self.step(Get, now)),
            Envelope::ReadData(read) => Answer::new(&self.data(Some(read.user_id))?, None),
            Envelope::GetData => Answer::new(&self.data(None)?, None),
            Envelope::ChangePassword(change) => answer(self.change_password(change, now)),
            Envelope::CheckPassword(check) => answer(self.check_password(check, now)),
            Envelope::RequireNewPassword(require) => answer(self.step(require, now)),
            Envelope::Unlock(unlock) => answer(self.step(unlock, now)),
            Envelope::Attempt(attempt) => answer(self.step(attempt, now)),
            Envelope::AttemptDone(done) => answer(self.step(done, now)),
            Envelope::PutData(put_data) => Answer::new(&self.put_data(&put_data)?, None),
            Envelope::NotedAdmin(noted) => answer(self.step(noted, now)),
        }
    }

    /// Finishes what others began. Never fails: the next alarm is set before anything is tried.
    async fn alarm(&self) -> Result<(), Fault> {
        if let Err(error) = self.on_alarm().await {
            self.host.fault(FaultKind::UserAlarm, &error, None);
            self.alarm.set(None);
            self.host.set_alarm(self.host.now().plus(ALARM_AGAIN))?;
        }
        Ok(())
    }
}

/// The step has set the alarm.
fn answer(reply: Result<impl Serialize, Fault>) -> Result<Answer, Fault> {
    Answer::new(&reply?, None)
}

impl<H: Host> User<H> {
    fn remove(&self, remove: RemoveUser, now: Timestamp) -> Result<EndReply, Fault> {
        let removed = self.step(remove, now)?;
        if let EndReply::Sessions(_) = &removed {
            self.host.delete(DATA)?;
        }
        Ok(removed)
    }

    /// A token may outlive its user where the session is not asked; the document of a name must not.
    fn data(&self, user_id: Option<UserId>) -> Result<GetDataReply, Fault> {
        let user = self.load()?;
        if user.profile.is_none() || is_another(&user, user_id) {
            return Ok(GetDataReply::NoUser);
        }
        Ok(GetDataReply::Data { json: self.host.get(DATA)? })
    }

    fn put_data(&self, put_data: &PutData) -> Result<PutDataReply, Fault> {
        let user = self.load()?;
        if user.profile.is_none() || is_another(&user, put_data.user_id) {
            return Ok(PutDataReply::NoUser);
        }
        self.host.put(DATA, &put_data.json)?;
        Ok(PutDataReply::Done)
    }

    fn load(&self) -> Result<Kept, Fault> {
        let mut user = self.kept.read(&self.host)?;
        user.under_way.clone_from(&self.under_way.borrow());
        Ok(user)
    }

    /// With somebody externally authenticated, the document goes when their last session does.
    fn store(&self, user: &Kept, now: Timestamp) -> Result<(), Fault> {
        if user.is_deserted() {
            self.host.delete(DATA)?;
        }
        if user.is_disposable(now) {
            return self.host.delete(ROW);
        }
        self.kept.write(&self.host, &Kept { under_way: UnderWay::default(), ..user.clone() })
    }

    /// Sets the alarm, unless one is set that comes as early: that one sets the next.
    fn wake(&self, at: Timestamp) -> Result<(), Fault> {
        if self.alarm.get().is_none_or(|set| set > at) {
            self.host.set_alarm(at)?;
            self.alarm.set(Some(at));
        }
        Ok(())
    }

    /// Load, decide, store.
    fn step<S: Step>(&self, step: S, now: Timestamp) -> Result<S::Reply, Fault> {
        let app = self.host.app()?;
        self.apply(&app, &mut self.load()?, step, now)
    }

    fn apply<S: Step>(&self, app: &App, user: &mut Kept, step: S, now: Timestamp) -> Result<S::Reply, Fault> {
        let config = &app.config;
        let policy = UserPolicy {
            limit: config.limit,
            throttle: config.throttle,
            session_lifetime: config.session.absolute,
        };
        let Decision { reply, save } = decide(user, step, &policy, now);
        // What a step that fails has taken out of memory stays there: it may not be written.
        let remember = || self.under_way.borrow_mut().clone_from(&user.under_way);
        if !save {
            remember();
            return Ok(reply);
        }
        if let Err(error) = self.store(user, now) {
            // Perhaps it was done all the same. The alarm looks what there is to do.
            self.alarm.set(None);
            self.host.set_alarm(now.plus(ALARM_AGAIN))?;
            return Err(error);
        }
        remember();
        // Where nothing is kept any more, the alarm deletes what the platform keeps of the object itself.
        if let Some(at) = next_alarm(user).or_else(|| user.is_disposable(now).then_some(now)) {
            self.wake(at)?;
        }
        Ok(reply)
    }
}
