//! What follows a change of a portal session: the registry knows of it, and what is too many is closed. All of it may be
//! done twice; what fails is done by the alarm, or by the Cron Trigger.

use super::{Loaded, Portal, Result};
use crate::evict::evict;
use crate::host::Host;
use base::fault::{Fault, FaultKind};
use portal::Credentials;
use portal::registry::{
    FindByAlias, FindByAliasReply, More, Place, Remove, Removed, Row, Surplus, USERNAME_PURPOSE, Upsert,
    UsernameRefused,
};
use portal::steps::{SyncStarted, Synced};
use std::time::Duration;

/// Uses are reported at most this often.
const SYNC_USE: Duration = Duration::from_secs(1);
/// A report of what changes meanwhile follows at once, but not for ever.
const SYNC_ROUNDS: usize = 3;

/// What the registry is told.
enum Report {
    Lives(Upsert),
    None(Remove),
}

impl<H: Host> Portal<H> {
    /// Tells the registry what it does not know. An error says that it could not be told.
    pub(super) async fn sync_registry(&self, loaded: Loaded) -> Result<()> {
        let used = loaded.login.session.as_ref().map(|live| live.last_used);
        let told = self.memory.synced_use.get();
        let used_is_news = used.is_some_and(|at| told.is_none_or(|told| at.since(told) >= SYNC_USE));
        match (&loaded.login.pending_sync, used_is_news || self.memory.failure_is_news.get()) {
            (Some(_), _) => self.sync_in_any_case(&loaded).await,
            (None, true) => {
                // A use that is not reported makes it look older than it is; nothing else depends on it.
                if let Err(error) = self.sync_in_any_case(&loaded).await {
                    self.host.fault(FaultKind::PortalRegistry, &error, None);
                }
                Ok(())
            }
            (None, false) => Ok(()),
        }
    }

    /// Tells it of a session that has ended or begun, or fails in another way than before, where no alarm does: who is told so is not to find it in the list.
    /// What fails is left to the alarm.
    pub(super) async fn sync_changes(&self) {
        let synced = match self.load() {
            Ok(Some(loaded)) if loaded.login.pending_sync.is_some() || self.memory.failure_is_news.get() => {
                self.sync_in_any_case(&loaded).await
            }
            other => other.map(|_| ()),
        };
        if let Err(error) = synced {
            self.host.fault(FaultKind::PortalRegistry, &error, None);
        }
    }

    pub(super) async fn sync_in_any_case(&self, loaded: &Loaded) -> Result<()> {
        let mut pending = loaded.login.pending_sync.is_some();
        for _ in 0..SYNC_ROUNDS {
            let loaded = if pending { self.step(SyncStarted)?.1 } else { self.need()? };
            let change = loaded.login.pending_sync.map(|sync| sync.change);
            let used = loaded.login.session.as_ref().map(|live| live.last_used);
            let places = self.send_report(self.report(&loaded)?).await?;
            self.memory.synced_use.set(used);
            self.memory.failure_is_news.set(false);
            if !places.is_empty() {
                let host = self.host.clone();
                self.host.wait_until(async move { evict(&host, places).await });
            }
            let Some(change) = change else { return Ok(()) };
            pending = self.step(Synced { change })?.1.login.pending_sync.is_some();
            if !pending {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says which sessions are too many now.
    async fn send_report(&self, report: Report) -> Result<Vec<Place>> {
        let registry = portal::registry_address();
        Ok(match report {
            Report::Lives(upsert) => {
                let Surplus::TooMany(places) = self.host.send(&registry, &upsert).await?;
                places
            }
            Report::None(remove) => {
                let Removed::Done = self.host.send(&registry, &remove).await?;
                Vec::new()
            }
        })
    }

    fn report(&self, loaded: &Loaded) -> Result<Report> {
        let name = loaded.name.clone();
        // Said again while there is another: its end may not have been told before that began.
        let ended = loaded.login.ended.clone();
        let Some(live) = &loaded.login.session else {
            let refused = loaded.login.username.clone().zip(loaded.login.refused);
            let refused = refused.map(|(username, refused)| UsernameRefused { username, refused });
            return Ok(Report::None(Remove { name, ended, as_of: self.host.now(), refused }));
        };
        let rows = self.rows()?;
        let credentials = rows.credentials(&name)?.ok().flatten();
        let alias = credentials.as_ref().and_then(|c| loaded.names(c).into_iter().next());
        // Of what the portal has not taken nothing is forgotten.
        let taken = credentials.as_ref().filter(|_| !live.unproven);
        let usernames = taken.map(|c| loaded.usernames(c)).unwrap_or_default();
        let seal = |username: &str| {
            let nonce = self.host.nonce()?;
            let sealed = loaded.app.vault.seal(USERNAME_PURPOSE, &name, username.as_bytes(), nonce);
            sealed.map_err(|_| Fault::from("a username could not be sealed"))
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
            more: More {
                saved: live.saved,
                last_failure: loaded.login.last_failure.clone(),
                browser_milliseconds: live.browser_milliseconds,
            },
            name,
        };
        let (max, openers) = (loaded.policy().sessions_max, loaded.login.openers.clone());
        Ok(Report::Lives(Upsert { row, max, ended, usernames, openers }))
    }

    /// The object that has the live session of these credentials, if it is another one: it was begun under another sealing
    /// key; else what there is against a login with their username. An error says that nobody could be asked, and then there
    /// must be no login.
    pub(super) async fn ask_registry(
        &self,
        loaded: &Loaded,
        credentials: &Credentials,
    ) -> Result<FindByAliasReply> {
        let find = FindByAlias {
            names: loaded.names(credentials),
            excluding: loaded.name.clone(),
            usernames: loaded.usernames(credentials),
        };
        Ok(self.host.send(&portal::registry_address(), &find).await?)
    }
}
