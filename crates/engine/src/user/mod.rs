//! The object of one user.

mod passwords;
mod work;

use crate::host::{Answer, DurableObject, Host};
use ::directory::{
    Decision, Envelope, Get, GetDataReply, PutData, PutDataReply, Remove, Step, User as Kept, UserPolicy,
    decide, next_alarm,
};
use base::clock::Timestamp;
use base::fault::Fault;
use config::App;
use serde::Serialize;
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
/// the alarm does what nobody has.
#[derive(Clone)]
pub struct User<H: Host> {
    host: H,
}

/// A reply, and when the alarm is due if that changes.
type Stepped<R> = Result<(R, Option<Timestamp>), Fault>;

impl<H: Host> DurableObject<H> for User<H> {
    fn new(host: H) -> Self {
        Self { host }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let envelope = serde_json::from_str(json)?;
        let now = self.host.now();
        match envelope {
            Envelope::Login(login) => answer(self.login(login, now)),
            Envelope::Reserve(reserve) => answer(self.step(reserve, now)),
            Envelope::Admit(admit) => answer(self.step(admit, now)),
            Envelope::Close(close) => answer(self.step(close, now)),
            Envelope::Synced(synced) => answer(self.step(synced, now)),
            Envelope::End(end) => answer(self.step(end, now)),
            Envelope::Create(create) => answer(self.create(create, now)),
            Envelope::Update(update) => answer(self.update(update, now)),
            Envelope::Remove => {
                let removed = self.step(Remove, now)?;
                self.host.delete(DATA)?;
                answer(Ok(removed))
            }
            Envelope::Get => answer(self.step(Get, now)),
            Envelope::GetData => Answer::new(&self.data()?, None),
            Envelope::PutData(put_data) => Answer::new(&self.put_data(&put_data)?, None),
        }
    }

    /// Finishes what others began. Never fails: the next alarm is set before anything is tried.
    async fn alarm(&self) -> Result<(), Fault> {
        if let Err(error) = self.on_alarm().await {
            self.host.fault("user alarm", &error, None);
            self.host.set_alarm(self.host.now().plus(ALARM_AGAIN))?;
        }
        Ok(())
    }
}

fn answer(stepped: Stepped<impl Serialize>) -> Result<Answer, Fault> {
    let (reply, alarm) = stepped?;
    Answer::new(&reply, alarm)
}

impl<H: Host> User<H> {
    /// A token may outlive its user where the session is not asked; the document of a name must not.
    fn data(&self) -> Result<GetDataReply, Fault> {
        if self.load()?.profile.is_none() {
            return Ok(GetDataReply::NoUser);
        }
        Ok(GetDataReply::Data { json: self.host.get(DATA)? })
    }

    fn put_data(&self, put_data: &PutData) -> Result<PutDataReply, Fault> {
        if self.load()?.profile.is_none() {
            return Ok(PutDataReply::NoUser);
        }
        self.host.put(DATA, &put_data.json)?;
        Ok(PutDataReply::Done)
    }

    fn load(&self) -> Result<Kept, Fault> {
        match self.host.get(ROW)? {
            Some(text) => Ok(serde_json::from_str(&text)?),
            None => Ok(Kept::default()),
        }
    }

    /// With somebody externally authenticated, the document goes when their last session does.
    fn store(&self, user: &Kept, now: Timestamp) -> Result<(), Fault> {
        if user.is_disposable(now) {
            self.host.delete(DATA)?;
            self.host.delete(ROW)
        } else {
            self.host.put(ROW, &serde_json::to_string(user)?)
        }
    }

    /// Load, decide, store.
    fn step<S: Step>(&self, step: S, now: Timestamp) -> Stepped<S::Reply> {
        let app = self.host.app()?;
        self.apply(&app, &mut self.load()?, step, now)
    }

    fn apply<S: Step>(&self, app: &App, user: &mut Kept, step: S, now: Timestamp) -> Stepped<S::Reply> {
        let config = &app.config;
        let policy = UserPolicy {
            limit: config.limit,
            throttle: config.throttle,
            session_lifetime: config.session.absolute,
        };
        let Decision { reply, save } = decide(user, step, &policy, now);
        if !save {
            return Ok((reply, None));
        }
        self.store(user, now)?;
        // Where nothing is kept any more, the alarm deletes what the platform keeps of the object itself.
        let alarm = next_alarm(user).or_else(|| user.is_disposable(now).then_some(now));
        Ok((reply, alarm))
    }
}
