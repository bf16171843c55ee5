//! How a portal login gets its session: anew, or by taking over what was broken off.

use super::store::JAR;
use super::visit::VisitHost;
use super::{Loaded, LoginOutcome, Portal, Result};
use crate::host::Host;
use base::call::Actor;
use base::fault::FaultKind;
use base::ids::{PortalId, ServiceKeyId};
use base::secret::Secret;
use portal::browser::Jar;
use portal::refusals::Held;
use portal::registry::{FindByAlias, FindByAliasReply};
use portal::steps::{
    self, Failed, HeldBack, KeyRefused, LoginFailed, LoginStarted, NotSent, NotSignedIn, PersonAsked,
    SignedIn, TaskStarted, Unreadable, Usable, Wanted,
};
use portal::{Code, Credentials, Failure, Place, Reached, Refusal, Seat, StateUse, Work};
use serde_json::Value;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// When the registry cannot be asked about a session that waits for its login, it is asked again after this.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// What a login came to: the session lives, with the calls that were made for it; or not, and why.
pub(super) type LoggedIn = Result<Vec<Value>, Refusal>;

/// What a login is made for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub keep_alive: bool,
    /// The key that gave the credentials, if it may use only those logins that it opened itself.
    pub opener: Option<ServiceKeyId>,
    /// What is tried before.
    pub given: Option<Given>,
}

/// A state that a caller has given. Until the portal has shown a page of a logged-in user with it, it is in memory only.
#[derive(Clone, Debug)]
pub(super) struct Given {
    jar: Jar,
    pub became: Rc<Cell<StateUse>>,
}

impl Given {
    /// Nothing, if it is not what [`Jar::save`] gave.
    pub fn new(saved: &Secret) -> Option<Self> {
        Some(Self { jar: Jar::load(saved)?, became: Rc::new(Cell::new(StateUse::NotUsed)) })
    }
}

/// What one attempt came to at the portal.
pub(super) struct Attempt {
    pub end: Result<(), Failure>,
    pub jar: Jar,
    /// Where it was in the end.
    pub place: Place,
    /// Why the password was not sent, if it was held back.
    pub held: Option<Held>,
    /// Where it waits for a person, if it does.
    pub seat: Option<Seat>,
}

impl Attempt {
    fn without_a_call(end: Result<(), Failure>) -> Self {
        Self { end, jar: Jar::default(), place: Place::default(), held: None, seat: None }
    }
}

impl<H: Host> Portal<H> {
    /// A session for these credentials, unless there is one by now, here or in another object.
    pub(super) async fn log_in_if_needed(
        &self,
        credentials: Credentials,
        wish: &Wish,
        by: &Actor,
    ) -> Result<LoginOutcome> {
        let (wanted, loaded) = self.step(Wanted { keep_alive: wish.keep_alive, saves: false })?;
        match wanted {
            Ok(Usable::Now) => return Ok(LoginOutcome::Here(Vec::new())),
            Err(refusal) => return Ok(LoginOutcome::Refused(refusal)),
            Ok(Usable::AfterLogin) if loaded.login.session.is_some() => {}
            Ok(Usable::AfterLogin) => {
                // Nobody can say whether it is elsewhere: then there is no login, and nothing has been done.
                match self.ask_registry(&loaded, &credentials).await {
                    Ok(FindByAliasReply::Unknown) => {}
                    Ok(FindByAliasReply::Found(place)) => return Ok(LoginOutcome::Elsewhere(place.name)),
                    Ok(FindByAliasReply::Held(held)) => {
                        return Ok(LoginOutcome::Refused(held.refusal(self.host.now())));
                    }
                    Err(error) => {
                        self.host.fault(FaultKind::PortalRegistry, &error, None);
                        return Ok(LoginOutcome::Refused(Refusal::new(Code::Interrupted)));
                    }
                }
            }
        }
        self.log_in(Some(credentials), wish, by).await.map(LoginOutcome::from)
    }

    /// Logs in with the credentials that are given, else with those that are stored. A session that is there is not lost for
    /// a captcha key that is given: the stored ones come after it.
    pub(super) async fn log_in(
        &self,
        given: Option<Credentials>,
        wish: &Wish,
        by: &Actor,
    ) -> Result<LoggedIn> {
        let loaded = self.need()?;
        if loaded.login.signed_in
            && let Some(end) = self.take_over(&loaded, wish, by).await?
        {
            return Ok(end);
        }
        if let (Some(credentials), Some(state)) = (&given, &wish.given)
            && let Some(end) = self.begin_with(&loaded, credentials, state, wish, by).await?
        {
            return Ok(end);
        }
        // What was left undone could be taken over however many logins there were; a new one is one more.
        let anew = self.need()?;
        let now = self.host.now();
        if let Err(refusal) = anew.login.may_log_in_anew(loaded.policy(), now) {
            return Ok(Err(refusal));
        }
        let mut tried: Vec<_> = given.into_iter().collect();
        if tried.is_empty() || anew.login.session.is_some() {
            for stored in self.rows()?.to_log_in_with(&loaded.name)? {
                if tried.iter().all(|c| c.captcha_api_key != stored.captcha_api_key) {
                    tried.push(stored);
                }
            }
        }
        if tried.is_empty() {
            self.step(Unreadable)?;
            return Ok(Err(Refusal::new(Code::Unreadable)));
        }
        let refused = tried.first().and_then(|c| anew.key_refused(c, now));
        tried.retain(|c| anew.key_refused(c, now).is_none());
        if let Some(first) = tried.first() {
            // It waits then.
            if anew.login.session.is_some()
                && let Some(held) = self.held(&loaded, first).await?
            {
                self.step(HeldBack(held))?;
                return Ok(Err(held.refusal(self.host.now())));
            }
            return self.log_in_anew(&loaded, tried, wish, by).await;
        }
        let refusal = refused.unwrap_or(Refusal::new(Code::CaptchaKeyRefused));
        if anew.login.session.is_some() {
            // It waits for its new login, and there is no key that could pay for that: it is over.
            let end = Err(Failure::new(refusal.code));
            let attempt = Attempt::without_a_call(end);
            return self.logged_in(&loaded, attempt, wish, by);
        }
        Ok(Err(refusal))
    }

    /// What there is against another login by what the portal has said to others of the same username. Against that of a
    /// session that is here there is only that the account is locked: its password has been taken before. Where nobody can be
    /// asked, it is that.
    pub(super) async fn held(&self, loaded: &Loaded, credentials: &Credentials) -> Result<Option<Held>> {
        let (excluding, usernames) = (loaded.name.clone(), loaded.usernames(credentials));
        let find = FindByAlias { names: Vec::new(), excluding, usernames };
        let asked = self.host.send(&portal::registry_address(), &find).await;
        let is_here = self.need()?.login.session.is_some();
        Ok(match asked {
            Ok(FindByAliasReply::Held(held)) if held.code == Code::AccountLocked || !is_here => Some(held),
            Ok(_) => None,
            Err(error) => {
                self.host.fault(FaultKind::PortalRegistry, &error, None);
                Some(Held { code: Code::Interrupted, until: self.host.now().plus(ASK_AGAIN) })
            }
        })
    }

    /// Logs in from the beginning, with one captcha key after the other for as long as the captcha service refuses them: the
    /// portal sees nothing of that.
    async fn log_in_anew(
        &self,
        loaded: &Loaded,
        tried: Vec<Credentials>,
        wish: &Wish,
        by: &Actor,
    ) -> Result<LoggedIn> {
        let mut tried = tried.into_iter().peekable();
        while let Some(credentials) = tried.next() {
            let mut attempt = self.sign_in(loaded, &credentials).await?;
            if let Some(held) = attempt.held {
                let place = Some(&attempt.place);
                self.audit(&loaded.name, &Work::LogIn, held.code.as_str(), place, by);
                return Ok(Err(self.step(NotSent(held))?.0.at(attempt.place)));
            }
            if attempt.end.as_ref().is_err_and(|failure| failure.code == Code::Interrupted) {
                self.keep_what_was_sent(loaded, &attempt.jar)?;
            }
            let code = attempt.end.as_ref().err().map(|f| f.code).filter(|code| code.refuses_captcha_key());
            if let Some(code) = code {
                self.step(KeyRefused { print: loaded.key_print(&credentials), code })?;
                let closed = self.load()?.and_then(|l| l.login.task).is_some_and(|task| task.abandoned);
                if closed {
                    // Another attempt would be one for nobody.
                    attempt.end = Err(Failure::new(Code::Closed));
                } else if tried.peek().is_some() {
                    self.audit(&loaded.name, &Work::LogIn, code.as_str(), Some(&attempt.place), by);
                    continue;
                }
            }
            let end = self.logged_in(loaded, attempt, wish, by)?;
            if end.is_ok() {
                let proven = Some(&credentials.captcha_api_key);
                self.rows()?.put_credentials(&loaded.name, &credentials, proven)?;
            }
            return Ok(end);
        }
        Ok(Err(Refusal::new(Code::CaptchaKeyRefused)))
    }

    /// One attempt at the portal. The intent and what it takes to follow it are stored together, before the first call.
    async fn sign_in(&self, loaded: &Loaded, credentials: &Credentials) -> Result<Attempt> {
        let username = loaded.usernames(credentials).into_iter().next().unwrap_or_default();
        self.step(LoginStarted { username })?;
        let rows = self.rows()?;
        let proven = rows.proven_key(&loaded.name)?;
        rows.put_credentials(&loaded.name, credentials, proven.as_ref())?;
        // What an instance before has left open would be forgotten.
        if !self.let_go().await? {
            return Ok(Attempt::without_a_call(Err(Failure::new(Code::NoBrowser))));
        }
        let host = VisitHost::new(self, loaded).with_credentials(credentials);
        let mut visit = host.visit(Jar::default(), loaded.policy().timeout);
        let end = loaded.need_driver()?.log_in(&mut visit, credentials).await;
        let end = end.map_err(|failure| visit.failed(failure));
        let place = match &end {
            Ok(()) => visit.place(),
            Err(failure) => self.place(loaded, &visit, failure, Some(credentials)),
        };
        Ok(Attempt { end, jar: visit.jar, place, held: host.held(), seat: visit.seat })
    }

    /// How far the login has come could not be stored. If the portal may have taken the password, its cookies are those of a
    /// login that was broken off: somebody takes it over, or it is logged out.
    fn keep_what_was_sent(&self, loaded: &Loaded, jar: &Jar) -> Result<()> {
        let task = self.need()?.login.task;
        if task.is_some_and(|task| task.reached == Reached::Password) {
            self.rows()?.put_jar(&loaded.name, JAR, &jar.save())?;
            self.step(SignedIn)?;
        }
        Ok(())
    }

    /// A login that was broken off after the portal had taken the credentials may have come to its end there: then it is
    /// this one. Nothing, if it has to be made anew.
    pub(super) async fn take_over(
        &self,
        loaded: &Loaded,
        wish: &Wish,
        by: &Actor,
    ) -> Result<Option<LoggedIn>> {
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            self.step(NotSignedIn)?;
            return Ok(None);
        };
        self.step(TaskStarted(Work::KeepAlive))?;
        self.prove(loaded, jar, wish, by).await
    }

    /// Begins the session with a state that was given. Nothing, if a login has to be made. It is no login of the hour: one follows where
    /// it comes to nothing, and counts.
    async fn begin_with(
        &self,
        loaded: &Loaded,
        credentials: &Credentials,
        state: &Given,
        wish: &Wish,
        by: &Actor,
    ) -> Result<Option<LoggedIn>> {
        // The intent and what the session is logged in again with, as at a login.
        self.step(TaskStarted(Work::LogIn))?;
        let rows = self.rows()?;
        rows.put_credentials(&loaded.name, credentials, rows.proven_key(&loaded.name)?.as_ref())?;
        let end = self.prove(loaded, state.jar.clone(), wish, by).await?;
        let became = if matches!(end, Some(Ok(_))) { StateUse::Used } else { StateUse::Refused };
        state.became.set(became);
        Ok(end)
    }

    /// Whether these cookies are of a logged-in user: then the session is theirs. Nothing, if they are of no use.
    async fn prove(&self, loaded: &Loaded, jar: Jar, wish: &Wish, by: &Actor) -> Result<Option<LoggedIn>> {
        let host = VisitHost::new(self, loaded);
        let mut visit = host.visit(jar, loaded.policy().timeout);
        let end = loaded.need_driver()?.keep_alive(&mut visit).await;
        let end = end.map_err(|failure| visit.failed(failure));
        match end {
            Ok(()) => {
                let attempt = Attempt { end, place: visit.place(), jar: visit.jar, held: None, seat: None };
                self.logged_in(loaded, attempt, wish, by).map(Some)
            }
            Err(failure)
                if failure.is_down()
                    || failure.code.is_of_browsers()
                    || matches!(failure.code, Code::ServerError | Code::OutOfTime) =>
            {
                let place = self.place(loaded, &visit, &failure, None);
                Ok(Some(Err(self.step(Failed(failure))?.0.at(place))))
            }
            Err(_) => {
                self.step(NotSignedIn)?;
                Ok(None)
            }
        }
    }

    pub(super) fn logged_in(
        &self,
        loaded: &Loaded,
        attempt: Attempt,
        wish: &Wish,
        by: &Actor,
    ) -> Result<LoggedIn> {
        let Attempt { end, jar, place, seat, .. } = attempt;
        let failed = end.is_err();
        let (outcome, end) = match end {
            Ok(()) => {
                let session_id = PortalId::issued(self.fresh_id("session")?);
                // Refused: nobody wants it any more, its session was closed meanwhile.
                let Wish { keep_alive, opener, .. } = wish.clone();
                let due = loaded.need_driver()?.due(&jar);
                let (end, _) = self.step(steps::LoggedIn { session_id, keep_alive, opener, due })?;
                let rows = self.rows()?;
                rows.put_jar(&loaded.name, JAR, &jar.save())?;
                rows.forget_forms(&loaded.name)?;
                ("ok", end.map(|()| place.calls.clone()))
            }
            Err(failure) => {
                let code = failure.code;
                let refusal = match seat {
                    Some(seat) => {
                        self.rows()?.put_seat(&loaded.name, &seat)?;
                        let Wish { keep_alive, opener, .. } = wish.clone();
                        let until = self.host.now().plus(loaded.app.config.portals.browsers.human);
                        self.step(PersonAsked { failure, until, keep_alive, opener })?.0
                    }
                    None => self.step(LoginFailed(failure))?.0,
                };
                (code.as_str(), Err(refusal.at(place.clone())))
            }
        };
        self.audit(&loaded.name, &Work::LogIn, outcome, Some(&place).filter(|_| failed), by);
        Ok(end)
    }

    /// An id in the old shape, with 128 random bits.
    pub(super) fn fresh_id(&self, what: &str) -> Result<String> {
        Ok(format!("{what}_{}_{}", self.host.now().seconds(), self.host.random_id()?))
    }
}
