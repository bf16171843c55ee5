//! How the object of a portal login logs in: anew, or by taking over what was broken off.

use super::portal::{Got, Inner, Loaded, audit};
use super::portal_rows::JAR;
use super::portal_work::{driver, fresh_id, visit};
use crate::platform;
use ::keeper::protocol::By;
use ::portal::browser::Jar;
use ::portal::{Code, Credentials, Event, Failure, Refusal, Verdict, Work};
use std::rc::Rc;
use worker::Result;

/// What a login came to: the session lives, or not, and why.
pub(super) type LoggedIn = std::result::Result<(), Refusal>;

impl Inner {
    /// A session for these credentials, unless there is one by now, here or in another object.
    pub(super) async fn log_in_if_needed(
        self: &Rc<Self>,
        credentials: Credentials,
        keep_alive: bool,
        by: &By,
    ) -> Result<Got> {
        let (verdict, loaded) = self.step(Event::Wanted { keep_alive })?;
        match verdict {
            Verdict::Serve => return Ok(Got::Here),
            Verdict::Refuse(refusal) => return Ok(Got::Refused(refusal)),
            _ if loaded.login.session.is_some() => {}
            _ => {
                // Nobody can say whether it is elsewhere: then there is no login, and nothing has been done.
                let elsewhere = self.elsewhere(&loaded, &credentials).await;
                match elsewhere {
                    Ok(None) => {}
                    Ok(Some(name)) => return Ok(Got::Elsewhere(name)),
                    Err(error) => {
                        platform::log_fault("portal registry", &error.to_string(), None);
                        return Ok(Got::Refused(Refusal::new(Code::Interrupted)));
                    }
                }
            }
        }
        self.log_in(Some(credentials), keep_alive, by).await.map(Got::from)
    }

    /// Logs in with the credentials that are given, else with those that are kept. A session that is there is not lost for a
    /// captcha key that is given: the kept ones come after it.
    pub(super) async fn log_in(
        self: &Rc<Self>,
        given: Option<Credentials>,
        keep_alive: bool,
        by: &By,
    ) -> Result<LoggedIn> {
        let loaded = self.load()?.ok_or("a portal login without a name")?;
        if loaded.login.signed_in
            && let Some(end) = self.take_over(&loaded, keep_alive, by).await?
        {
            return Ok(end);
        }
        // What was left undone could be taken over however many logins there were; a new one is one more.
        let anew = self.load()?.ok_or("a portal login without a name")?.login;
        if let Verdict::Refuse(refusal) = anew.may_log_in_anew(loaded.policy(), platform::now()) {
            return Ok(Err(refusal));
        }
        let mut tried: Vec<_> = given.into_iter().collect();
        if tried.is_empty() || anew.session.is_some() {
            for kept in self.rows()?.to_log_in_with(&loaded.name)? {
                if tried.iter().all(|c| c.captcha_api_key != kept.captcha_api_key) {
                    tried.push(kept);
                }
            }
        }
        if tried.is_empty() {
            self.step(Event::Unreadable)?;
            return Ok(Err(Refusal::new(Code::Unreadable)));
        }
        let known = |c: &Credentials| anew.key_refused(&loaded.key_print(c), platform::now());
        let refused = tried.first().and_then(known);
        tried.retain(|c| known(c).is_none());
        if !tried.is_empty() {
            return self.log_in_anew(&loaded, tried, keep_alive, by).await;
        }
        let refusal = refused.unwrap_or(Refusal::new(Code::CaptchaKeyRefused));
        if anew.session.is_some() {
            // It waits for its new login, and there is no key that could pay for that: it is over.
            let end = Err(Failure::new(refusal.code));
            return self.logged_in(&loaded, end, &Jar::default(), keep_alive, by);
        }
        Ok(Err(refusal))
    }

    /// Logs in from the beginning, with one captcha key after the other for as long as the captcha service refuses them: the
    /// portal sees nothing of that.
    async fn log_in_anew(
        self: &Rc<Self>,
        loaded: &Loaded,
        tried: Vec<Credentials>,
        keep_alive: bool,
        by: &By,
    ) -> Result<LoggedIn> {
        let mut tried = tried.into_iter().peekable();
        while let Some(credentials) = tried.next() {
            let (mut end, jar) = self.sign_in(loaded, &credentials).await?;
            let code = end.as_ref().err().map(|f| f.code).filter(|code| code.refuses_captcha_key());
            if let Some(code) = code {
                self.step(Event::KeyRefused { print: loaded.key_print(&credentials), code })?;
                let closed = self.load()?.and_then(|l| l.login.flight).is_some_and(|f| f.abandoned);
                if closed {
                    // Another attempt would be one for nobody.
                    end = Err(Failure::new(Code::Closed));
                } else if tried.peek().is_some() {
                    audit(&loaded.name, &Work::LogIn, code.as_str(), by);
                    continue;
                }
            }
            let end = self.logged_in(loaded, end, &jar, keep_alive, by)?;
            if end.is_ok() {
                let proven = Some(&credentials.captcha_api_key);
                self.rows()?.put_credentials(&loaded.name, &credentials, proven)?;
            }
            return Ok(end);
        }
        Ok(Err(Refusal::new(Code::CaptchaKeyRefused)))
    }

    /// One attempt at the portal. The intent and what it takes to follow it are stored together, before the first call.
    async fn sign_in(
        self: &Rc<Self>,
        loaded: &Loaded,
        credentials: &Credentials,
    ) -> Result<(std::result::Result<(), Failure>, Jar)> {
        self.step(Event::TookOff(Work::LogIn))?;
        let rows = self.rows()?;
        let proven = rows.proven_key(&loaded.name)?;
        rows.put_credentials(&loaded.name, credentials, proven.as_ref())?;
        let world = self.world(loaded);
        let mut visit = visit(&world, Jar::default(), loaded.policy().timeout);
        let end = driver(loaded)?.log_in(&mut visit, credentials).await;
        Ok((end, visit.jar))
    }

    /// A login that was broken off after the portal had taken the credentials may have come to its end there: then it is
    /// this one. Nothing, if it has to be made anew.
    async fn take_over(
        self: &Rc<Self>,
        loaded: &Loaded,
        keep_alive: bool,
        by: &By,
    ) -> Result<Option<LoggedIn>> {
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            self.step(Event::NotSignedIn)?;
            return Ok(None);
        };
        self.step(Event::TookOff(Work::KeepAlive))?;
        let world = self.world(loaded);
        let mut visit = visit(&world, jar, loaded.policy().timeout);
        let driver = driver(loaded)?;
        let end = driver.keep_alive(&mut visit).await;
        let jar = visit.jar;
        match end {
            Ok(()) => self.logged_in(loaded, Ok(()), &jar, keep_alive, by).map(Some),
            Err(failure)
                if failure.is_down() || matches!(failure.code, Code::ServerError | Code::OutOfTime) =>
            {
                match self.step(Event::Failed(failure))?.0 {
                    Verdict::Refuse(refusal) => Ok(Some(Err(refusal))),
                    _ => Ok(None),
                }
            }
            Err(_) => {
                self.step(Event::NotSignedIn)?;
                Ok(None)
            }
        }
    }

    fn logged_in(
        self: &Rc<Self>,
        loaded: &Loaded,
        end: std::result::Result<(), Failure>,
        jar: &Jar,
        keep_alive: bool,
        by: &By,
    ) -> Result<LoggedIn> {
        let (outcome, end) = match end {
            Ok(()) => {
                let session_id = fresh_id("session")?;
                let (verdict, _) = self.step(Event::LoggedIn { session_id, keep_alive })?;
                let rows = self.rows()?;
                rows.put_jar(&loaded.name, JAR, &jar.save())?;
                rows.forget_forms(&loaded.name)?;
                // Nobody wants it any more: its session was closed meanwhile.
                let end = if let Verdict::Refuse(refusal) = verdict { Err(refusal) } else { Ok(()) };
                ("ok", end)
            }
            Err(failure) => {
                let code = failure.code;
                let refusal = match self.step(Event::LoginFailed(failure))?.0 {
                    Verdict::Refuse(refusal) => refusal,
                    _ => Refusal::new(code),
                };
                (code.as_str(), Err(refusal))
            }
        };
        audit(&loaded.name, &Work::LogIn, outcome, by);
        Ok(end)
    }
}
