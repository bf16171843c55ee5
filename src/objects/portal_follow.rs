//! What follows a change of a portal session: the registry knows of it, and what is too many is closed. All of it may be
//! done twice; what fails is done by the alarm, or by the Cron Trigger.

use super::portal::{Inner, Loaded};
use super::portal_registry::{Command, Over, Place, Reply, Row};
use super::roster::SWEEP_MAX;
use super::rpc;
use crate::platform;
use ::keeper::protocol::By;
use ::portal::{Command as Ask, Credentials, End, Event};
use futures_util::future::join_all;
use std::rc::Rc;
use std::time::Duration;
use worker::{Env, Error, Result};

/// What a username is sealed for; the record is the login's name.
pub const USERNAME: &str = "portal-username";
/// Uses are reported at most this often.
const TELL_USED: Duration = Duration::from_secs(1);

impl Inner {
    /// Tells the registry what it does not know. An error says that it could not be told.
    pub(super) async fn tell_registry(self: &Rc<Self>, loaded: Loaded) -> Result<()> {
        let used = loaded.login.session.as_ref().map(|live| live.last_used);
        let used_is_news =
            used.is_some_and(|at| self.told_used.get().is_none_or(|told| at.since(told) >= TELL_USED));
        match (&loaded.login.untold, used_is_news) {
            (Some(_), _) => self.tell_registry_in_any_case(&loaded).await,
            (None, true) => {
                // A use that is not reported makes it look older than it is; nothing else depends on it.
                if let Err(error) = self.tell_registry_in_any_case(&loaded).await {
                    platform::log_fault("portal registry", &error.to_string(), None);
                }
                Ok(())
            }
            (None, false) => Ok(()),
        }
    }

    /// Tells it of a session that has ended or begun, where no alarm does: who is told so is not to find it in the list.
    /// What fails is left to the alarm.
    pub(super) async fn tell_of_changes(self: &Rc<Self>) {
        let told = match self.load() {
            Ok(Some(loaded)) if loaded.login.untold.is_some() => {
                self.tell_registry_in_any_case(&loaded).await
            }
            other => other.map(|_| ()),
        };
        if let Err(error) = told {
            platform::log_fault("portal registry", &error.to_string(), None);
        }
    }

    pub(super) async fn tell_registry_in_any_case(self: &Rc<Self>, loaded: &Loaded) -> Result<()> {
        // What changes while it is told is told again, but not for ever.
        for _ in 0..3 {
            let (_, loaded) = match &loaded.login.untold {
                Some(_) => self.step(Event::Telling)?,
                None => (::portal::Verdict::Nothing, self.load()?.ok_or("a portal login without a name")?),
            };
            let change = loaded.login.untold.map(|untold| untold.change);
            let used = loaded.login.session.as_ref().map(|live| live.last_used);
            let command = self.report(&loaded)?;
            let reply = rpc::portal_registry(&self.env, &command).await;
            let reply = reply.map_err(|error| Error::from(error.to_string()))?;
            self.told_used.set(used);
            if let Reply::TooMany(places) = reply
                && !places.is_empty()
            {
                let env = self.env.clone();
                self.wait_until(async move { evict(&env, places).await });
            }
            let Some(change) = change else { return Ok(()) };
            let (_, loaded) = self.step(Event::Told { change })?;
            if loaded.login.untold.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn report(&self, loaded: &Loaded) -> Result<Command> {
        let name = loaded.name.clone();
        // Said again while there is another: its end may not have been told before that began.
        let ended = loaded.login.ended.as_ref().map(|ended| Over {
            session_id: ended.session_id.clone(),
            reason: ended.reason,
            at: ended.at,
        });
        let Some(live) = &loaded.login.session else {
            return Ok(Command::None { name, ended, as_of: platform::now() });
        };
        let rows = self.rows()?;
        let credentials = rows.credentials(&name)?.ok().flatten();
        let alias = credentials.as_ref().and_then(|c| loaded.names(c).into_iter().next());
        let seal = |username: &str| {
            let nonce = platform::nonce().ok_or("no random bytes")?;
            let sealed = loaded.app.vault.seal(USERNAME, &name, username.as_bytes(), nonce);
            sealed.map_err(|_| Error::from("a username could not be sealed"))
        };
        let username = credentials.map(|c| seal(&c.username)).transpose()?;
        let row = Row {
            alias,
            kid: rows.needed_kid()?,
            session_id: live.session_id.clone(),
            username,
            created_at: live.created_at,
            last_used: live.last_used,
            keep_alive: live.keep_alive,
            name,
        };
        Ok(Command::Lives { row, max: loaded.policy().sessions_max, ended })
    }
}

impl Inner {
    /// The object that has the live session of these credentials, if it is another one: it was begun under another sealing
    /// key. An error says that nobody could be asked, and then there must be no login.
    pub(super) async fn elsewhere(
        &self,
        loaded: &Loaded,
        credentials: &Credentials,
    ) -> Result<Option<String>> {
        let called = Command::Called { names: loaded.names(credentials), but: loaded.name.clone() };
        match rpc::portal_registry(&self.env, &called).await {
            Ok(Reply::Found(place)) => Ok(Some(place.name)),
            Ok(_) => Ok(None),
            Err(error) => Err(Error::from(error.to_string())),
        }
    }

    /// Whether the session here is that of these credentials. Its name does not tell once the key that it is by is gone.
    pub(super) fn has_session_of(&self, name: &str, credentials: &Credentials) -> Result<bool> {
        let kept = self.rows()?.credentials(name)?.ok().flatten();
        Ok(kept.is_some_and(|kept| {
            kept.username == credentials.username && kept.password.matches(credentials.password.expose())
        }))
    }
}

/// Closes sessions that are too many: as many as one invocation may call. The others, and those that cannot be reached, are
/// closed by the Cron Trigger.
pub async fn evict(env: &Env, places: Vec<Place>) {
    let closing = places.into_iter().take(SWEEP_MAX).map(|Place { name, session_id }| async move {
        let by = By { who: "limit".to_owned(), request_id: platform::fresh_id() };
        let close = Ask::Close { session_id, reason: End::Evicted, by, wait: false };
        // The call logs its own failure.
        let _ = rpc::portal(env, &name, close).await;
    });
    join_all(closing).await;
}
