//! Logging in: the portal's login page leads to the identity service's, and that back again.

use super::super::browser::{Browser, Hop, Shown};
use super::super::captcha::Solver;
use super::super::code::{Code, Failure};
use super::super::driver::{Credentials, Standing};
use super::super::html::{Form, says};
use super::super::net::Progress;
use super::super::totp::{code_refused, one_time_password};
use super::PageDriver;

/// Why a page of the login is not what was hoped for.
enum Refusal {
    Final(Code),
    /// The solution was not taken; the credentials may be good.
    Captcha,
}

impl PageDriver {
    /// 1. Opens the login page and looks for the form with the password.
    /// 2. Looks whether it would be sent as it has to be: by POST, to a host that is allowed. What will not do is paid for by
    ///    nobody.
    /// 3. Has its captcha solved, if there is one, and sends it, if it still may: a captcha takes its time.
    /// 4. Once that leads away from the login page, the credentials were taken, and the cookies are kept from then on.
    /// 5. Believes nothing but a page of a logged-in user.
    pub(super) async fn sign_in(
        &self,
        browser: &mut Browser<'_, '_>,
        credentials: &Credentials,
    ) -> Result<(), Failure> {
        let (login, logout_path) = (&self.portal.login, &self.portal.logout_path);
        let (username_input, password_input) = (&login.username_input, &login.password_input);
        let wanted =
            format!("a form with the inputs {username_input} and {password_input} that is sent by POST");
        browser.visit.goes_to("login_page", wanted.as_str());
        let mut shown = browser.open(&login.path).await?;
        let mut solver = Solver::new(&self.captcha, &credentials.captcha_api_key, browser.visit.net.now());
        loop {
            if shown.document.says(&login.refused_automation) {
                return Err(Failure::with_status(Code::RefusedAutomation, shown.status));
            }
            let mut form = self.login_form(&shown, credentials)?;
            browser.prepare(&shown.url, &form)?;
            let site_key = shown.document.site_key().map(str::to_owned);
            if let Some(site_key) = &site_key {
                // A portal without a captcha that has one is not what it was.
                let unknown = Failure::with_status(Code::UnexpectedResponse, shown.status);
                let captcha_input = login.captcha_input.as_ref().ok_or(unknown)?;
                browser.visit.goes_to("captcha", "a solution of the captcha");
                browser.visit.net.progress(Progress::Paying)?;
                let solution = solver.solve(browser.visit, site_key, &shown.url).await?;
                form.put(captcha_input, solution.expose());
            }
            browser.visit.goes_to("password", format!("a page with a way to {logout_path}"));
            let next = self.send(browser, &shown, &form).await?;
            if self.standing(next.status, &next.document) == Standing::LoggedIn {
                return Ok(());
            }
            if let Some(form) = self.code_form(&next) {
                let next = self.send_code(browser, &next, form, credentials).await?;
                if self.standing(next.status, &next.document) == Standing::LoggedIn {
                    return Ok(());
                }
                return Err(match (self.refusal(&next), self.code_form(&next)) {
                    (Some(Refusal::Final(code)), _) => Failure::with_status(code, next.status),
                    (_, Some(_)) => code_refused(next.status),
                    _ => Failure::with_status(Code::UnexpectedResponse, next.status),
                });
            }
            match self.refusal(&next) {
                Some(Refusal::Final(code)) => return Err(Failure::with_status(code, next.status)),
                Some(Refusal::Captcha) if site_key.is_some() => {
                    browser.visit.goes_to("login_page", wanted.as_str());
                    shown = next;
                }
                Some(Refusal::Captcha) => {
                    return Err(Failure::with_status(Code::CaptchaUnsolved, next.status));
                }
                // Who says that the credentials are wrong may lock somebody out: nobody does who does not know.
                None => return Err(Failure::with_status(Code::UnexpectedResponse, next.status)),
            }
        }
    }

    fn login_form(&self, shown: &Shown, credentials: &Credentials) -> Result<Form, Failure> {
        let unintelligible = Failure::with_status(Code::UnexpectedResponse, shown.status);
        if shown.document.is_cut_off() {
            return Err(unintelligible);
        }
        let form = shown.document.forms().into_iter().find(|form| form.closed && form.has_password());
        let mut form = form.ok_or_else(|| unintelligible.clone())?;
        let typed = form.type_in(&self.portal.login.username_input, &credentials.username)
            && form.type_in(&self.portal.login.password_input, credentials.password.expose());
        if typed { Ok(form) } else { Err(unintelligible) }
    }

    /// A form that asks for a one-time password.
    fn code_form(&self, shown: &Shown) -> Option<Form> {
        let input = self.portal.login.totp_input.as_deref()?;
        let asks = |form: &Form| {
            form.closed && !form.has_password() && form.controls.iter().any(|control| control.name == input)
        };
        shown.document.forms().into_iter().find(asks).filter(|_| !shown.document.is_cut_off())
    }

    /// Sends a one-time password, once.
    async fn send_code(
        &self,
        browser: &mut Browser<'_, '_>,
        shown: &Shown,
        mut form: Form,
        credentials: &Credentials,
    ) -> Result<Shown, Failure> {
        browser.visit.goes_to("one_time_password", "a page of a logged-in user");
        let input = self.portal.login.totp_input.as_deref().unwrap_or_default();
        let code = one_time_password(browser.visit, credentials).await?;
        form.type_in(input, code.expose());
        let hop = browser.go(browser.prepare(&shown.url, &form)?).await?;
        browser.follow_signed_in(hop).await
    }

    async fn send(
        &self,
        browser: &mut Browser<'_, '_>,
        login: &Shown,
        form: &Form,
    ) -> Result<Shown, Failure> {
        let prepared = browser.prepare(&login.url, form)?;
        browser.visit.net.may_send().await?;
        browser.visit.net.progress(Progress::Sending)?;
        let hop = browser.go(prepared).await?;
        let taken = match &hop {
            Hop::Goes(next) => next.url().path() != login.url.path(),
            Hop::Shown(shown) => {
                shown.document.form_that_submits_itself().is_some()
                    || shown.leads_to().is_some_and(|to| to.path() != login.url.path())
            }
        };
        if !taken {
            return browser.follow(hop).await;
        }
        browser.visit.net.progress(Progress::SignedIn(browser.visit.jar.save()))?;
        browser.follow_signed_in(hop).await
    }

    /// What is said to be wrong; where nothing is marked as that, whatever the page says.
    fn refusal(&self, shown: &Shown) -> Option<Refusal> {
        let errors = shown.document.errors(&self.portal.error_classes).join("\n").to_lowercase();
        let fits = |texts: &[String]| {
            if errors.is_empty() { shown.document.says(texts) } else { says(&errors, texts) }
        };
        let login = &self.portal.login;
        if shown.document.says(&login.refused_automation) {
            Some(Refusal::Final(Code::RefusedAutomation))
        } else if fits(&login.account_locked) {
            Some(Refusal::Final(Code::AccountLocked))
        } else if fits(&login.credentials_refused) {
            Some(Refusal::Final(Code::CredentialsRefused))
        } else if fits(&login.captcha_refused) {
            Some(Refusal::Captcha)
        } else {
            None
        }
    }
}
