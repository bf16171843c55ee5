//! Logging in by the steps of a document.

use super::BrowserDriver;
use crate::captcha::Solver;
use crate::cdp::{Condition, Tab};
use crate::code::{Code, Failure};
use crate::driver::{Credentials, Visit};
use crate::net::Progress;
use crate::script::Run;
use crate::totp::Passwords;
use serde_json::Map;

/// What a page of a login says.
pub(super) enum Said {
    LoggedIn,
    No(Code),
    /// The solution was not taken; the credentials may be good.
    Captcha,
    Nothing,
}

impl BrowserDriver {
    /// Goes through the steps until there is a page of a logged-in user, which is all that is believed. A captcha whose solution
    /// was not taken is solved anew, as long as it may be paid for.
    pub(super) async fn sign_in<'n>(
        &self,
        visit: &mut Visit<'n>,
        tab: &mut Tab<'n>,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let login = &self.in_browser()?.login;
        let mut solver = Solver::new(&self.captcha, &credentials.captcha_api_key, visit.net.now());
        let mut passwords = credentials.totp_secret.as_ref().and_then(Passwords::new);
        loop {
            let values =
                [("username", credentials.username.as_str()), ("password", credentials.password.expose())];
            let values: Map<_, _> =
                values.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
            let mut run = Run::new(visit, tab, values);
            run.solver = Some(&mut solver);
            run.sends = true;
            run.passwords = passwords.as_mut();
            let done = run.steps(login).await;
            let has_solved = run.solved;
            let failed = match done {
                Ok(()) => None,
                // The page may say why.
                Err(failure) if failure.code == Code::StepFailed => Some(failure),
                Err(failure) => return Err(failure),
            };
            match self.said(visit, tab, failed.is_some()).await? {
                Said::LoggedIn => {
                    tab.save(visit).await?;
                    return visit.net.progress(Progress::SignedIn(visit.jar.save()));
                }
                Said::No(code) => return Err(Failure { status: tab.status(), ..Failure::new(code) }),
                Said::Captcha if has_solved => {}
                // It would be the same once more, with the password each time.
                Said::Captcha => return Err(Failure::new(Code::CaptchaUnsolved)),
                Said::Nothing => {
                    let unknown = Failure { status: tab.status(), ..Failure::new(Code::UnexpectedResponse) };
                    return Err(failed.unwrap_or(unknown));
                }
            }
        }
    }

    /// What the page says, once it says something that is known; at once, if a step has waited long enough already.
    pub(super) async fn said(
        &self,
        visit: &mut Visit<'_>,
        tab: &mut Tab<'_>,
        now: bool,
    ) -> Result<Said, Failure> {
        if !now {
            visit.looks_for("what only a logged-in user sees");
            let within = visit.left(self.timeout)?;
            tab.wait(&Condition::any(self.known_on_login_pages(None)?), within).await?;
        }
        if tab.shows(&self.in_browser()?.logged_in).await? {
            return Ok(Said::LoggedIn);
        }
        for (texts, said) in self.texts()? {
            if !texts.is_empty() && tab.shows(&Condition::says(texts)).await? {
                return Ok(said);
            }
        }
        Ok(Said::Nothing)
    }

    fn texts(&self) -> Result<[(&Vec<String>, Said); 5], Failure> {
        let (known, login) = (self.in_browser()?, &self.portal.login);
        Ok([
            (&login.account_locked, Said::No(Code::AccountLocked)),
            (&login.credentials_refused, Said::No(Code::CredentialsRefused)),
            (&login.captcha_refused, Said::Captcha),
            (&known.needs_human, Said::No(Code::NeedsHuman)),
            (&known.refused_automation, Said::No(Code::RefusedAutomation)),
        ])
    }

    /// Whatever a page of a login may show that says how it goes on, but for one of them.
    pub(super) fn known_on_login_pages(&self, without: Option<Code>) -> Result<Vec<Condition>, Failure> {
        let mut any = vec![self.in_browser()?.logged_in.clone()];
        for (texts, said) in self.texts()? {
            let is_left_out = matches!(said, Said::No(code) if Some(code) == without);
            if !texts.is_empty() && !is_left_out {
                any.push(Condition::says(texts));
            }
        }
        Ok(any)
    }
}
