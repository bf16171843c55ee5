//! The driver of portals behind an API: a login by `OpenID` Connect on the provider's own pages, then calls in JSON with the access
//! token. Nothing of a page is needed after the login.

mod calls;
mod listing;
mod login;
mod template;
#[cfg(test)]
mod tests;
mod wizard;
#[cfg(test)]
mod wizard_tests;

use super::browser::Site;
use super::captcha::Captcha;
use super::code::{Code, Failure};
use super::document::{Api, Document};
use super::driver::{Credentials, Driver, Outcome, Request, Standing, Visit};
use super::html;
use super::jar::{Jar, Tokens};
use super::net::Pending;
use super::operation::{DEBUG, What};
use base::clock::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct ApiDriver {
    pub portal: Document,
    /// Of one call.
    pub timeout: Duration,
    pub captcha: Captcha,
}

impl Driver for ApiDriver {
    fn log_in<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        credentials: &'a Credentials,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.sign_in(visit, credentials))
    }

    /// Calls nobody before less than a third of the access token's life is left.
    fn keep_alive<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            visit.goes_to("keep_alive", "a new access token");
            let tokens = visit.jar.tokens.as_ref().ok_or(Failure::new(Code::LoggedOut))?;
            if due(tokens) > visit.net.now() { Ok(()) } else { self.refresh(visit).await }
        })
    }

    fn is_logged_in(&self, status: u16, html: &str) -> Standing {
        let out = status == 401 || html::Document::parse(html).says(&self.portal.login.logged_out);
        if out { Standing::LoggedOut } else { Standing::Unclear }
    }

    fn run<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        request: &'a Request,
    ) -> Pending<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let operation =
                self.portal.operation(&request.operation).ok_or(Failure::new(Code::InputRefused))?;
            let mut outcome = match &operation.what {
                What::Listing(listing) => {
                    let answer = self.list(visit, listing, &request.fields).await?;
                    Outcome { answer, ..Outcome::default() }
                }
                What::Wizard(steps) => self.fill_in(visit, steps, request).await?,
                What::Script(_) => return Err(Failure::new(Code::UnexpectedResponse)),
            };
            if request.fields.get(DEBUG) == Some(&Value::Bool(true)) {
                outcome.answer.insert(DEBUG.to_owned(), json!({ "calls": visit.trace }));
            }
            Ok(outcome)
        })
    }

    fn log_out<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            visit.goes_to("logout", "an answer");
            self.revoke(visit).await
        })
    }

    fn due(&self, jar: &Jar) -> Option<Timestamp> {
        jar.tokens.as_ref().map(due)
    }
}

/// When a third of its life is left, or none, if there is no new one to be had.
fn due(tokens: &Tokens) -> Timestamp {
    let life = tokens.expires_at.since(tokens.issued_at);
    if tokens.refresh_token.is_some() { tokens.issued_at.plus(life / 3 * 2) } else { tokens.expires_at }
}

impl ApiDriver {
    fn api(&self) -> Result<&Api, Failure> {
        self.portal.api.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))
    }

    fn site(&self) -> Result<Site, Failure> {
        Site::new(&self.portal.base_url, &self.portal.hosts, self.timeout, &self.portal.user_agent)
            .ok_or(Failure::new(Code::UnexpectedResponse))
    }
}
