//! A login that a person has to go on with, in the browser that it has come to. The page is left open, and looked at in turns: one that
//! an evicted object was at is lost to nobody, the next turn attaches to the same page.

use super::login::Said;
use super::{BrowserDriver, see};
use crate::BrowserAt;
use crate::cdp::{Condition, Tab};
use crate::code::{Code, Failure};
use crate::driver::Visit;
use crate::net::Progress;
use crate::seat::Seat;
use std::time::Duration;

/// How long one turn awaits that the person is done.
pub const TURN: Duration = Duration::from_secs(25);
/// Whether anybody still wants the login is asked this often.
const WANTED: Duration = Duration::from_secs(2);
/// A browser that cannot be reached is given up after this.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
const REACHED_AGAIN: Duration = Duration::from_secs(1);
/// Where there is nothing on the page that could be waited for, it is looked at this often.
const LOOKED_AGAIN: Duration = Duration::from_secs(1);
/// Its place among the browsers outlasts the wait by so much: for the last turn, and to close it.
const PLACE_LONGER: Duration = Duration::from_mins(1);

impl BrowserDriver {
    /// Leaves the page open for a person. Nothing, if there is no link to it: nobody could do anything then.
    pub(super) async fn hand_over(&self, visit: &mut Visit<'_>, tab: &mut Tab<'_>) -> Option<Seat> {
        let live_view = tab.live_view(visit, &self.browsers).await.ok()?;
        let seat = Seat { live_view: Some(live_view), ..tab.seat() };
        let until = visit.net.now().plus(self.browsers.human).plus(PLACE_LONGER);
        visit.net.keep_browser(&seat.place, until).await;
        see(visit, tab).await;
        Some(seat)
    }

    /// One turn at the page that was left open.
    pub(super) async fn turn(&self, visit: &mut Visit<'_>, seat: &Seat) -> Result<bool, Failure> {
        visit.goes_to("login", "what only a logged-in user sees, once a person has done what is asked for");
        let mut tab = self.take_again(visit, seat).await?;
        if let Some(BrowserAt::Binding(_)) = self.browsers.at
            && let Ok(live_view) = tab.live_view(visit, &self.browsers).await
        {
            // A link of the platform's can be opened for a few minutes only.
            visit.seat = Some(Seat { live_view: Some(live_view), ..seat.clone() });
        }
        match self.is_done(visit, &mut tab).await {
            Ok(false) => Ok(false),
            end => self.leave(visit, tab, end).await,
        }
    }

    async fn take_again<'n>(&self, visit: &mut Visit<'n>, seat: &Seat) -> Result<Tab<'n>, Failure> {
        let (site, mut options) = self.site_and_options()?;
        options.stays = true;
        let until = visit.net.now().plus(REACHED_WITHIN);
        loop {
            match Tab::take_again(visit, &self.browsers, &site, &options, seat).await {
                Err(failure) if failure.code == Code::NoBrowser => {
                    if visit.net.now() >= until {
                        return Err(Failure::new(Code::BrowserLost));
                    }
                    visit.net.wait(REACHED_AGAIN).await;
                }
                end => return end,
            }
        }
    }

    async fn is_done(&self, visit: &mut Visit<'_>, tab: &mut Tab<'_>) -> Result<bool, Failure> {
        let known = self.in_browser()?;
        let asked = Condition::says(&known.needs_human);
        let any = Condition::any(self.known_on_login_pages(Some(Code::NeedsHuman))?);
        let until = visit.net.now().plus(TURN);
        loop {
            let left = until.since(visit.net.now());
            if left.is_zero() || !visit.net.is_waited_for() {
                return Ok(false);
            }
            let end = match tab.wait(&any, left.min(WANTED)).await {
                Ok(false) => continue,
                // Somewhere else nothing on a page is believed.
                Ok(true) if !tab.is_at_home() => Said::Nothing,
                // The page may say of what was typed in that it is wrong, and ask again.
                Ok(true) if !tab.shows(&known.logged_in).await? && tab.shows(&asked).await? => Said::Nothing,
                Ok(true) => self.said(visit, tab, true).await?,
                // The person was led to a host that is not allowed, and stays where they were.
                Err(failure) if failure.code == Code::Redirected => Said::Nothing,
                Err(failure) => return Err(failure),
            };
            match end {
                Said::LoggedIn => {
                    tab.save(visit).await?;
                    visit.net.progress(Progress::SignedIn(visit.jar.save()))?;
                    return Ok(true);
                }
                Said::No(Code::NeedsHuman) | Said::Nothing => {
                    visit.net.wait(LOOKED_AGAIN.min(until.since(visit.net.now()))).await;
                }
                Said::No(code) => return Err(Failure { status: tab.status(), ..Failure::new(code) }),
                Said::Captcha => return Err(Failure::new(Code::CaptchaUnsolved)),
            }
        }
    }
}
