//! What callers want of a portal login: its session, an operation, its end; and what the Cron Trigger wants.

use super::login::{Given, Wish};
use super::{LoginOutcome, Portal, Result};
use crate::host::Host;
use crate::log;
use base::call::Actor;
use base::fault::{Fault, FaultKind};
use base::ids::ServiceKeyId;
use portal::protocol::{ByOpener, Envelope};
use portal::steps::{Closed, Gone, Opened, Resumed, Resumption, Usable, Wanted, Woke};
use portal::{
    Asked, Close, CloseReply, Code, Credentials, Get, GetReply, LookReply, Refusal, Run, RunReply, Session,
    identity,
};
use serde::de::DeserializeOwned;

/// How soon a caller may come back for whom the queue is too long, in seconds.
const BUSY_RETRY_SECONDS: u64 = 10;
/// A login that was wanted, got and lost again this often while somebody waited is given up.
const GET_ROUNDS: usize = 3;

/// Whether this object is that of some credentials.
enum Admission {
    Here,
    Unknown,
    /// The object of this name is.
    Moved(String),
}

/// Why somebody who wants a session gets none.
enum NoSession {
    Moved(String),
    Refused(Refusal),
}

impl From<NoSession> for GetReply {
    fn from(why: NoSession) -> Self {
        match why {
            NoSession::Moved(name) => Self::Moved(name),
            NoSession::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl From<NoSession> for RunReply {
    fn from(why: NoSession) -> Self {
        match why {
            NoSession::Moved(name) => Self::Moved(name),
            NoSession::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl<H: Host> Portal<H> {
    pub(super) async fn answer(&self, json: &str) -> Result<String> {
        let Asked { name, command } = base::json::read(json)?;
        let (command, opener) = match command {
            Envelope::ByOpener(ByOpener { opener, command }) => (*command, Some(opener)),
            command => (command, None),
        };
        let reply = match command {
            Envelope::Get(get) => serde_json::to_string(&self.on_get(&name, get, opener).await?),
            Envelope::Run(run) => serde_json::to_string(&self.on_run(&name, run, opener).await?),
            Envelope::Close(close) => serde_json::to_string(&self.on_close(&name, close, opener).await?),
            Envelope::Look => serde_json::to_string(&self.on_look(&name).await?),
            Envelope::ReadState(read) => {
                serde_json::to_string(&self.on_read_state(&name, read, opener).await?)
            }
            Envelope::ReadPage => serde_json::to_string(&self.on_read_page(&name)?),
            Envelope::ByOpener(_) => return Err("a command within a command within a command".into()),
        };
        Ok(reply?)
    }

    /// Whether this is the object of that name, and is so already.
    pub(super) fn is_known(&self, name: &str) -> Result<bool> {
        Ok(self.rows()?.name()?.is_some_and(|known| known == name))
    }

    /// Whether this is the object of these credentials; if so, it is from now on.
    fn admit(&self, name: &str, credentials: &Credentials) -> Result<Admission> {
        let rows = self.rows()?;
        let known = rows.name()?;
        if known.as_ref().is_some_and(|known| known != name) {
            return Ok(Admission::Unknown);
        }
        let names = identity::names(&rows.app.vault, identity::portal(name), credentials);
        let is_of_these = names.iter().any(|n| n == name);
        // Sessions begin under the name by the first key, so that nobody begins a second one under another.
        if let Some(first) = names.first().filter(|first| is_of_these && *first != name)
            && !self.has_session()?
        {
            return Ok(Admission::Moved(first.clone()));
        }
        let is_here = is_of_these || (known.is_some() && self.has_session_of(name, credentials)?);
        if !is_here {
            return Ok(Admission::Unknown);
        }
        if known.is_none() {
            rows.put_name(name)?;
        }
        Ok(Admission::Here)
    }

    /// Whether there is a session, or is about to be one.
    fn has_session(&self) -> Result<bool> {
        let login = self.load()?.map(|loaded| loaded.login).unwrap_or_default();
        let live = login.session.is_some() || login.person.is_some();
        Ok(live || self.memory.login.borrow().is_some())
    }

    /// Whether the session here is that of these credentials. Its name does not tell once the key that it is by is gone.
    fn has_session_of(&self, name: &str, credentials: &Credentials) -> Result<bool> {
        let stored = self.rows()?.credentials(name)?.ok().flatten();
        Ok(stored.is_some_and(|stored| {
            stored.username == credentials.username && stored.password.matches(credentials.password.expose())
        }))
    }

    async fn on_get(&self, name: &str, get: Get, opener: Option<ServiceKeyId>) -> Result<GetReply> {
        Ok(match self.admit(name, &get.credentials)? {
            Admission::Here => match self.get(get, opener).await? {
                Ok(session) => GetReply::Session(session),
                Err(why) => why.into(),
            },
            Admission::Unknown => GetReply::Unknown,
            Admission::Moved(name) => GetReply::Moved(name),
        })
    }

    /// The live session, or a new one.
    async fn get(&self, get: Get, opener: Option<ServiceKeyId>) -> Result<Result<Session, NoSession>> {
        let Get { credentials, keep_alive, by, debug, storage_state } = get;
        // It proves nothing of the credentials, which a key that may use its own logins only has to show.
        let given = storage_state.as_ref().filter(|_| opener.is_none()).and_then(Given::new);
        let (mut is_new, mut calls) = (false, Vec::new());
        let mut given_up = Refusal::new(Code::Closed);
        let wish = || Wish { keep_alive, opener: opener.clone(), given: given.clone() };
        for round in 0..GET_ROUNDS {
            let (wanted, loaded) = self.step(Wanted { keep_alive, saves: round == 0 })?;
            match wanted {
                Ok(Usable::Now) => {
                    // A new login of it is paid for by whoever came last, unless that is known not to work.
                    if loaded.key_refused(&credentials, self.host.now()).is_none() {
                        self.rows()?.renew_captcha_key(&loaded.name, &credentials)?;
                    }
                    let loaded = match opener.clone().filter(|key| !loaded.login.openers.contains(key)) {
                        Some(opener) => self.step(Opened(opener))?.1,
                        None => loaded,
                    };
                    // Its id is of no use before the registry knows it.
                    self.sync_registry(loaded).await?;
                    let Some(loaded) = self.load()? else { break };
                    let expires_at = loaded.login.expires_at(loaded.policy());
                    let previous = loaded.login.previous(self.host.now()).filter(|_| is_new);
                    let Some(live) = loaded.login.session else { break };
                    let username = credentials.username;
                    let calls = debug.then_some(calls);
                    let storage_state = given.map(|given| given.became.get());
                    return Ok(Ok(Session {
                        live,
                        is_new,
                        username,
                        expires_at,
                        previous,
                        calls,
                        storage_state,
                    }));
                }
                Err(refusal) => {
                    self.sync_changes().await;
                    return Ok(Err(NoSession::Refused(self.with_live_view(refusal)?)));
                }
                Ok(Usable::AfterLogin) => {}
            }
            if let Some(refusal) = loaded.key_refused(&credentials, self.host.now()) {
                return Ok(Err(NoSession::Refused(refusal)));
            }
            let under_way = self.memory.login.borrow().clone();
            let first = under_way.is_none();
            let before = loaded.login.session.map(|live| live.session_id);
            let (login, own_key) = match under_way {
                Some((login, key)) => (login, key == credentials.captcha_api_key),
                None => (self.queue_login(credentials.clone(), wish(), by.clone()), true),
            };
            match self.outcome(&login).await? {
                LoginOutcome::Here(made) => calls.extend(made),
                LoginOutcome::Elsewhere(name) => {
                    // Unless somebody else has come for it meanwhile.
                    if self.memory.queue.is_empty() {
                        self.rows()?.forget_name()?;
                    }
                    return Ok(Err(NoSession::Moved(name)));
                }
                // The key of somebody else.
                LoginOutcome::Refused(refusal) if !own_key && refusal.code.refuses_captcha_key() => {
                    given_up = refusal;
                    continue;
                }
                LoginOutcome::Refused(refusal) => {
                    self.sync_changes().await;
                    return Ok(Err(NoSession::Refused(self.with_live_view(refusal)?)));
                }
            }
            // A session that was there may have been closed while it was logged in again.
            let now = self.load()?.and_then(|loaded| loaded.login.session).map(|live| live.session_id);
            is_new |= first && now.is_some() && now != before;
        }
        Ok(Err(NoSession::Refused(given_up)))
    }

    fn queue_login(&self, credentials: Credentials, wish: Wish, by: Actor) -> H::Flight {
        let portal = self.clone();
        let key = credentials.captcha_api_key.clone();
        let login = self.enqueue(async move {
            let end = portal.log_in_if_needed(credentials, &wish, &by).await;
            portal.memory.login.borrow_mut().take();
            end
        });
        *self.memory.login.borrow_mut() = Some((login.clone(), key));
        let (portal, kept) = (self.clone(), login.clone());
        // A panic has left it there; nobody else may wait for that.
        self.host.wait_until(async move {
            if portal.host.join(&kept).await.is_err() {
                portal.memory.login.borrow_mut().take_if(|(login, _)| portal.host.same(login, &kept));
            }
        });
        login
    }

    async fn on_run(&self, name: &str, run: Run, opener: Option<ServiceKeyId>) -> Result<RunReply> {
        let Run { session_id, credentials, keep_alive, operation, wizard_id, by } = run;
        // With both, the session of the id is meant; the credentials say no more than whose this object is.
        match &credentials {
            Some(credentials) => match self.admit(name, credentials)? {
                Admission::Here => {}
                Admission::Unknown => return Ok(RunReply::Unknown),
                Admission::Moved(name) => return Ok(RunReply::Moved(name)),
            },
            None if !self.is_known(name)? => return Ok(RunReply::Unknown),
            None => {}
        }
        // Of those with credentials it is counted there.
        let saves = session_id.is_some();
        let (session_id, is_new) = match (session_id, credentials) {
            (Some(id), _) => (id, false),
            (None, Some(credentials)) => {
                let (by, debug) = (by.clone(), false);
                let get = Get { credentials, keep_alive, by, debug, storage_state: None };
                match self.get(get, opener.clone()).await {
                    Ok(Ok(session)) => (session.live.session_id, session.is_new),
                    Ok(Err(why)) => return Ok(why.into()),
                    Err(error) => return Ok(self.not_begun(&error)),
                }
            }
            (None, None) => return Ok(RunReply::Unknown),
        };
        // A session that is not there, or a portal that cannot be asked, need no turn.
        let resumption =
            match self.step(Resumed { session_id: session_id.clone(), saves, opener: opener.clone() }) {
                Ok((resumption, _)) => resumption,
                Err(error) => return Ok(self.not_begun(&error)),
            };
        match resumption {
            Resumption::Gone(Gone::Unknown) => return Ok(RunReply::Unknown),
            Resumption::Gone(Gone::Ended(reason)) => {
                self.sync_changes().await;
                return Ok(RunReply::Ended(reason));
            }
            Resumption::Refused(refusal) => return Ok(RunReply::Refused(refusal)),
            Resumption::Usable(_) if self.memory.queue.is_full() => {
                return Ok(RunReply::Refused(Self::busy()));
            }
            // Whether it has to be logged in is seen again at its turn.
            Resumption::Usable(Usable::Now | Usable::AfterLogin) => {}
        }
        let portal = self.clone();
        let run = self.enqueue(async move {
            portal.run_at_turn(session_id, is_new, operation, wizard_id, opener, &by).await
        });
        let reply = self.outcome(&run).await?;
        self.sync_changes().await;
        Ok(reply)
    }

    /// The answer to an order that could not even be begun: whoever gave it may give it again.
    fn not_begun(&self, error: &Fault) -> RunReply {
        self.host.fault(FaultKind::PortalOrder, error, None);
        RunReply::Refused(Refusal::new(Code::Interrupted))
    }

    async fn on_close(&self, name: &str, close: Close, opener: Option<ServiceKeyId>) -> Result<CloseReply> {
        if !self.is_known(name)? {
            return Ok(CloseReply::Unknown);
        }
        let Close { session_id, reason, by, wait } = close;
        let (closed, loaded) = self.step(Closed { session_id, reason, opener })?;
        match closed {
            Ok(()) => {}
            Err(Gone::Ended(reason)) => return Ok(CloseReply::Ended(reason)),
            Err(Gone::Unknown) => return Ok(CloseReply::Unknown),
        }
        if let Some(ended) = &loaded.login.ended {
            log::keep(&self.host, &log::portal_closed(&loaded.name, ended, Some(&by), self.host.now()));
        }
        // Before the alarm can be at it: that is waited for as well.
        let idle = self.memory.queue.is_empty();
        self.sync_registry(loaded).await?;
        let portal = self.clone();
        let logout = self.enqueue(async move { portal.log_out_if_due().await });
        // Behind an operation it could take minutes: then the portal hears of it later.
        if wait && idle {
            let _ = self.host.join(&logout).await;
        }
        Ok(CloseReply::Closed)
    }

    async fn on_look(&self, name: &str) -> Result<LookReply> {
        if !self.is_known(name)? {
            return Ok(LookReply::Unknown);
        }
        // Finds out what was interrupted, or is over; the alarm does what follows from it.
        let (_, loaded) = self.step(Woke)?;
        // What the registry has of it is sealed, too.
        let sealed_anew = self.rows()?.seal_anew(&loaded.name)?;
        let stale = loaded.login.session.is_none() || sealed_anew;
        if loaded.login.pending_sync.is_some() || stale {
            self.sync_in_any_case(&loaded).await?;
        }
        self.arm_if_lost().await?;
        Ok(LookReply::Looked)
    }

    /// For a caller for whom the queue is too long.
    pub(super) fn busy() -> Refusal {
        let retry_after_seconds = Some(BUSY_RETRY_SECONDS);
        Refusal { retry_after_seconds, ..Refusal::new(Code::Busy) }
    }

    /// What came of a piece of work.
    pub(super) async fn outcome<T: DeserializeOwned>(&self, work: &H::Flight) -> Result<T> {
        Ok(base::json::read(&self.host.join(work).await?)?)
    }
}
