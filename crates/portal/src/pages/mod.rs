//! The driver of portals that have plain pages, as their documents have them. Such pages were never meant for programs, so
//! nothing is believed but what is recognised.

pub(super) mod listing;
mod login;
mod order;
pub(super) mod wizard;

#[cfg(test)]
mod appointment_tests;
#[cfg(test)]
mod listing_tests;
#[cfg(test)]
mod login_tests;
#[cfg(test)]
pub(crate) mod play;

pub(super) use listing::address;

use super::browser::{Browser, Shown, Site};
use super::captcha::Captcha;
use super::code::{Code, Failure};
use super::document::Document;
use super::driver::{Credentials, Driver, Outcome, Request, Standing, Visit};
use super::html;
use super::net::Pending;
use super::operation::{DEBUG, What};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct PageDriver {
    pub portal: Document,
    /// Of one call.
    pub timeout: Duration,
    pub captcha: Captcha,
}

impl Driver for PageDriver {
    fn log_in<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        credentials: &'a Credentials,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            let site = self.site()?;
            self.sign_in(&mut Browser::new(visit, &site), credentials).await
        })
    }

    fn keep_alive<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            let site = self.site()?;
            visit.goes_to("keep_alive", format!("a page with a way to {}", self.portal.logout_path));
            let shown = Browser::new(visit, &site).open(&self.portal.home_path).await?;
            self.admitted(&shown)
        })
    }

    fn is_logged_in(&self, status: u16, html: &str) -> Standing {
        self.standing(status, &html::Document::parse(html))
    }

    fn run<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        request: &'a Request,
    ) -> Pending<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let site = self.site()?;
            let operation =
                self.portal.operation(&request.operation).ok_or(Failure::new(Code::InputRefused))?;
            let mut browser = Browser::new(visit, &site);
            let mut outcome = match &operation.what {
                What::Listing(listing) => {
                    let answer = self.list(&mut browser, listing, &request.fields).await?;
                    Outcome { answer, ..Outcome::default() }
                }
                What::Wizard(steps) => self.fill_in(&mut browser, steps, request).await?,
                // A document of pages has none.
                What::Script(_) => return Err(Failure::new(Code::InputRefused)),
            };
            if request.fields.get(DEBUG) == Some(&Value::Bool(true)) {
                let calls = json!({ "calls": visit.trace });
                outcome.answer.insert(DEBUG.to_owned(), calls);
            }
            Ok(outcome)
        })
    }

    fn log_out<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            let site = self.site()?;
            visit.goes_to("logout", "any page");
            match Browser::new(visit, &site).open(&self.portal.logout_path).await {
                Ok(_) => Ok(()),
                // It need not be a page.
                Err(failure)
                    if failure.code == Code::UnexpectedResponse
                        && failure.status.is_some_and(|s| s < 400) =>
                {
                    Ok(())
                }
                Err(failure) => Err(failure),
            }
        })
    }
}

impl PageDriver {
    /// Whether its address is known.
    pub const fn is_set_up(&self) -> bool {
        !self.portal.base_url.is_empty()
    }

    /// `base_url` and `hosts` are settings: what is wrong with them was said before.
    fn site(&self) -> Result<Site, Failure> {
        Site::new(&self.portal.base_url, &self.portal.hosts, self.timeout, &self.portal.user_agent)
            .ok_or(Failure::new(Code::UnexpectedResponse))
    }

    /// What it says comes before what it links to; a form to log in with counts only where neither tells.
    fn standing(&self, status: u16, document: &html::Document) -> Standing {
        if status == 401 || document.says(&self.portal.login.logged_out) {
            Standing::LoggedOut
        } else if self.has_way_out(document) {
            Standing::LoggedIn
        } else if document.forms().iter().any(html::Form::has_password) {
            Standing::LoggedOut
        } else {
            Standing::Unclear
        }
    }

    fn has_way_out(&self, document: &html::Document) -> bool {
        let Some((base, out)) =
            self.site().ok().and_then(|s| Some((s.at("/")?, s.at(&self.portal.logout_path)?)))
        else {
            return false;
        };
        let leads_out = |href: &str| {
            base.join(href).is_ok_and(|url| url.origin() == out.origin() && url.path() == out.path())
        };
        document.links().any(|(href, _)| leads_out(href))
            || document.forms().iter().any(|f| f.action.as_deref().is_some_and(leads_out))
    }

    /// Nothing if the page is one of a logged-in user.
    fn admitted(&self, shown: &Shown) -> Result<(), Failure> {
        match self.standing(shown.status, &shown.document) {
            Standing::LoggedIn => Ok(()),
            Standing::LoggedOut => Err(Failure::with_status(Code::LoggedOut, shown.status)),
            Standing::Unclear => Err(Failure::with_status(Code::UnexpectedResponse, shown.status)),
        }
    }

    /// A page of a logged-in user, whole and with a good status. A portal that signed the user on again on the way shows its
    /// home page instead: then it is asked for once more.
    async fn page(&self, browser: &mut Browser<'_, '_>, path: &str) -> Result<Shown, Failure> {
        let mut shown = browser.open(path).await?;
        let asked = self.site()?.at(path);
        if shown.status < 300
            && asked.is_some_and(|asked| asked.path() != shown.url.path())
            && self.admitted(&shown).is_ok()
        {
            shown = browser.open(path).await?;
        }
        self.whole(&shown)?;
        Ok(shown)
    }

    /// Nothing if it is a page to be read on. 404 is the portal's answer to a name that it does not know.
    fn whole(&self, shown: &Shown) -> Result<(), Failure> {
        let standing = self.admitted(shown);
        if shown.status == 404 && standing.as_ref().err().is_none_or(|f| f.code != Code::LoggedOut) {
            let said = shown.document.errors(&self.portal.error_classes).join("; ");
            let message = Some(said).filter(|said| !said.is_empty());
            let failure = message.map(|m| Failure::with_message(Code::NotFound, &m));
            return Err(Failure { status: Some(404), ..failure.unwrap_or(Failure::new(Code::NotFound)) });
        }
        standing?;
        if shown.status >= 300 || shown.document.is_cut_off() {
            return Err(Failure::with_status(Code::UnexpectedResponse, shown.status));
        }
        Ok(())
    }
}

/// A page that has to be there and is not: the portal is not what it was.
fn not_that(failure: Failure) -> Failure {
    let code = if failure.code == Code::NotFound { Code::UnexpectedResponse } else { failure.code };
    Failure { code, ..failure }
}
