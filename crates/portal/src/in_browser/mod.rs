//! The driver of portals whose pages need a browser, as their documents have them. Each piece of work opens a page with what the
//! login keeps, and closes it in the end: the login lives in its cookies and in what pages have stored, and not in a browser.

mod listing;
mod login;
mod person;
#[cfg(test)]
mod person_tests;
#[cfg(test)]
mod tests;
mod wizard;

pub use person::TURN;

use super::Browsers;
use super::browser::Site;
use super::captcha::Captcha;
use super::cdp::{Condition, Options, Tab};
use super::code::{Code, Failure};
use super::document::{Document, InBrowser};
use super::driver::{Credentials, Driver, Outcome, Request, Standing, Visit};
use super::html;
use super::net::Pending;
use super::operation::{DEBUG, Operation, What};
use super::pages::wizard::missing_at_first;
use super::pictures::picture;
use super::script::Run;
use super::seat::Seat;
use base::clock::{millis, seconds};
use base::secret::Secret;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct BrowserDriver {
    pub portal: Document,
    /// Of one navigation, and of what follows it.
    pub timeout: Duration,
    pub captcha: Captcha,
    pub browsers: Browsers,
}

impl Driver for BrowserDriver {
    fn log_in<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        credentials: &'a Credentials,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            visit.goes_to("login", "a browser");
            let (site, mut options) = self.site_and_options()?;
            options.stays = !self.in_browser()?.needs_human.is_empty();
            let mut tab = Tab::open(visit, &self.browsers, &site, &options).await?;
            let end = self.sign_in(visit, &mut tab, credentials).await;
            // Whoever has the key of one-time passwords logs in with it.
            let asks = end.as_ref().is_err_and(|f| f.code == Code::NeedsHuman && f.message.is_none());
            if asks && tab.stays() {
                visit.seat = self.hand_over(visit, &mut tab).await;
                if visit.seat.is_some() {
                    tab.leave(visit);
                    return end;
                }
            }
            self.leave(visit, tab, end).await
        })
    }

    fn go_on<'a>(&'a self, visit: &'a mut Visit<'_>, seat: &'a Seat) -> Pending<'a, Result<bool, Failure>> {
        Box::pin(self.turn(visit, seat))
    }

    fn let_go<'a>(&'a self, visit: &'a mut Visit<'_>, seat: &'a Seat) -> Pending<'a, bool> {
        Box::pin(async move {
            let Ok((site, _)) = self.site_and_options() else { return false };
            Tab::let_go(visit, &self.browsers, &site, seat).await
        })
    }

    /// What is lost with a browser is tried once more in another one: nothing is done here that must not be done twice.
    fn keep_alive<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            match self.load_home(visit).await {
                Err(failure) if failure.code == Code::BrowserLost => self.load_home(visit).await,
                end => end,
            }
        })
    }

    fn is_logged_in(&self, status: u16, html: &str) -> Standing {
        let document = html::Document::parse(html);
        if status == 401 || document.says(&self.portal.login.logged_out) {
            Standing::LoggedOut
        } else {
            // What a page looks like is known in a browser only.
            Standing::Unclear
        }
    }

    fn run<'a>(
        &'a self,
        visit: &'a mut Visit<'_>,
        request: &'a Request,
    ) -> Pending<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let operation =
                self.portal.operation(&request.operation).ok_or(Failure::new(Code::InputRefused))?;
            let debug = request.fields.get(DEBUG) == Some(&Value::Bool(true));
            if let What::Wizard(steps) = &operation.what
                && let Some(outcome) = missing_at_first(steps, request)
            {
                return Ok(outcome);
            }
            let mut committed = false;
            let mut end = self.operate(visit, operation, request, &mut committed).await;
            if end.as_ref().is_err_and(|failure| failure.code == Code::BrowserLost) && !committed {
                end = self.operate(visit, operation, request, &mut committed).await;
            }
            let mut outcome = end.map_err(|failure| {
                // Whatever it was: nobody knows whether it is done.
                if committed { Failure { code: Code::OutcomeUnknown, ..failure } } else { failure }
            })?;
            if debug {
                let seconds = seconds(millis(visit.browser_time));
                let mut debug = json!({ "calls": visit.trace, "browser_seconds": seconds });
                if let (Some(pictures), Some(debug)) = (&visit.pictures, debug.as_object_mut()) {
                    pictures.tell(debug);
                }
                outcome.answer.insert(DEBUG.to_owned(), debug);
            }
            Ok(outcome)
        })
    }

    fn log_out<'a>(&'a self, visit: &'a mut Visit<'_>) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            visit.goes_to("logout", "any page");
            let mut tab = self.open(visit).await?;
            let mut end = tab.go(visit, &self.portal.logout_path).await;
            if let (Ok(()), Some(done)) = (&end, &self.in_browser()?.logout_done) {
                // An application logs out only once it runs.
                visit.looks_for("what is seen after a logout");
                end = match tab.wait(done, self.timeout).await {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Failure::new(Code::StepFailed)),
                    Err(failure) => Err(failure),
                };
            }
            tab.close(visit, &self.browsers).await;
            end
        })
    }
}

impl BrowserDriver {
    pub const fn is_set_up(&self) -> bool {
        !self.portal.base_url.is_empty()
    }

    fn in_browser(&self) -> Result<&InBrowser, Failure> {
        self.portal.in_browser.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))
    }

    async fn open<'n>(&self, visit: &mut Visit<'n>) -> Result<Tab<'n>, Failure> {
        let (site, options) = self.site_and_options()?;
        Tab::open(visit, &self.browsers, &site, &options).await
    }

    fn site_and_options(&self) -> Result<(Site, Options), Failure> {
        let site =
            Site::new(&self.portal.base_url, &self.portal.hosts, self.timeout, &self.portal.user_agent);
        let site = site.ok_or(Failure::new(Code::UnexpectedResponse))?;
        let options = Options {
            user_agent: Some(self.portal.user_agent.clone()).filter(|agent| !agent.is_empty()),
            proxy: self.in_browser()?.proxy.clone(),
            timeout: self.timeout,
            stays: false,
        };
        Ok((site, options))
    }

    /// The end of some work: what the login goes on with is kept, a failure keeps the page that it was on, and the page is closed.
    async fn leave<T>(
        &self,
        visit: &mut Visit<'_>,
        mut tab: Tab<'_>,
        end: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if end.is_err() && !lost(&end) {
            see(visit, &mut tab).await;
        }
        if !lost(&end) {
            // What is done is done, whether or not the cookies that came with it can be had: those before may be good still.
            let _ = tab.save(visit).await;
        }
        tab.close(visit, &self.browsers).await;
        end
    }

    async fn load_home(&self, visit: &mut Visit<'_>) -> Result<(), Failure> {
        visit.goes_to("keep_alive", "a page of a logged-in user");
        let mut tab = self.open(visit).await?;
        let end = match tab.go(visit, &self.portal.home_path).await {
            Ok(()) => self.admitted(visit, &mut tab).await,
            Err(failure) => Err(failure),
        };
        self.leave(visit, tab, end).await
    }

    /// Nothing if the page is one of a logged-in user, once it says what it is.
    async fn admitted(&self, visit: &mut Visit<'_>, tab: &mut Tab<'_>) -> Result<(), Failure> {
        let known = self.in_browser()?;
        let login = &self.portal.login;
        let (logged_out, refused) =
            (Condition::says(&login.logged_out), Condition::says(&known.refused_automation));
        let within = visit.left(self.timeout)?;
        visit.looks_for("what only a logged-in user sees");
        let any = Condition::any(vec![known.logged_in.clone(), logged_out.clone(), refused.clone()]);
        let shown = tab.wait(&any, within).await?;
        if shown && tab.shows(&logged_out).await? {
            return Err(Failure::new(Code::LoggedOut));
        }
        if shown && tab.shows(&known.logged_in).await? {
            return Ok(());
        }
        if shown && tab.shows(&refused).await? {
            return Err(Failure::new(Code::RefusedAutomation));
        }
        // A login page in place of it says the same as words.
        let status = tab.status();
        if status == Some(401) || tab.shows(&Condition::selector("input[type=password]")).await? {
            return Err(Failure::new(Code::LoggedOut));
        }
        Err(Failure { status, ..Failure::new(Code::UnexpectedResponse) })
    }

    async fn operate(
        &self,
        visit: &mut Visit<'_>,
        operation: &Operation,
        request: &Request,
        committed: &mut bool,
    ) -> Result<Outcome, Failure> {
        visit.goes_to("list", "a browser");
        let mut tab = self.open(visit).await?;
        let end = match &operation.what {
            What::Listing(listing) => {
                let listed = self.list(visit, &mut tab, listing, &request.fields).await;
                listed.map(|answer| Outcome { answer, ..Outcome::default() })
            }
            What::Wizard(steps) => self.fill_in(visit, &mut tab, steps, request, committed).await,
            What::Script(steps) => {
                visit.goes_to("steps", "the first step");
                let mut run = Run::new(visit, &mut tab, request.fields.clone());
                let done = run.steps(steps).await;
                *committed = run.committed;
                let answer = run.answer;
                done.map(|()| Outcome { answer, ..Outcome::default() })
            }
        };
        let end = match end {
            // It may be that the session is over: then that is why.
            Err(failure) if matches!(failure.code, Code::StepFailed) && !*committed => {
                Err(self.why(&mut tab, failure).await)
            }
            end => end,
        };
        if end.is_err() && !lost(&end) {
            let step = format!("failed at {}", visit.stage.looked_for);
            picture(visit, &mut tab, &step).await;
        }
        self.leave(visit, tab, end).await
    }

    /// Why a step failed, if the page says that the session is over.
    async fn why(&self, tab: &mut Tab<'_>, failure: Failure) -> Failure {
        let login = &self.portal.login;
        let out = Condition::any(vec![
            Condition::says(&login.logged_out),
            Condition::selector("input[type=password]"),
        ]);
        match tab.shows(&out).await {
            Ok(true) => Failure::new(Code::LoggedOut),
            _ => failure,
        }
    }
}

/// A browser that answers no more is not asked for anything.
fn lost<T>(end: &Result<T, Failure>) -> bool {
    end.as_ref().is_err_and(|failure| failure.code == Code::BrowserLost)
}

/// Takes the page down that a failure was on, for admins.
async fn see(visit: &mut Visit<'_>, tab: &mut Tab<'_>) {
    let (Ok(html), Some(url)) = (tab.html().await, tab.url().cloned()) else { return };
    let title = tab.title().await.ok();
    visit.asks(&url);
    visit.sees(tab.status().unwrap_or(200), title.as_deref(), &Secret::new(html));
}
