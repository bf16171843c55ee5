//! A login that waits for a person. The alarm awaits in turns that they are done, so nobody has to ask for it, and an evicted object goes
//! on with its next turn.

use super::login::{Attempt, Wish};
use super::store::PortalRows;
use super::visit::VisitHost;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::clock::Timestamp;
use portal::browser::Jar;
use portal::in_browser::TURN;
use portal::state::Person;
use portal::steps::{BrowserClosed, Due, LoginFailed, Woke};
use portal::{Code, Failure, Refusal, Seat, Work};
use std::time::Duration;

/// Sealed: where a browser is open.
pub const SEAT: &str = "seat";
/// What a turn may take longer, to connect and to keep what came of it.
const TURN_LONGER: Duration = Duration::from_secs(30);
const TURN_AGAIN: Duration = Duration::from_secs(5);
/// The alarm is set for so long after the begin of a turn. It comes when that is over; where the instance is gone, it begins the next.
pub const TURN_LOST: Duration = Duration::from_secs(1);
/// To close a browser takes no longer.
const LET_GO_MAX: Duration = Duration::from_secs(15);

impl<H: Host> PortalRows<'_, H> {
    pub fn put_seat(&self, name: &str, seat: &Seat) -> Result<()> {
        self.seal(name, SEAT, &serde_json::to_vec(seat)?)
    }

    fn seat(&self, name: &str) -> Result<Option<Seat>> {
        Ok(self.open_json(name, SEAT)?.ok().flatten())
    }
}

impl<H: Host> Portal<H> {
    /// The refusal, with the link to the browser if a person is waited for there: for somebody who has shown the credentials.
    pub(super) fn with_live_view(&self, refusal: Refusal) -> Result<Refusal> {
        let waits = self.load()?.filter(|loaded| loaded.login.person.is_some());
        let Some(loaded) = waits.filter(|_| refusal.code == Code::NeedsHuman) else { return Ok(refusal) };
        let seat = self.rows()?.seat(&loaded.name)?;
        Ok(Refusal { live_view_url: seat.and_then(|seat| seat.live_view), ..refusal })
    }

    /// The person, if it is still the one who was asked then.
    pub(super) fn waits_since(&self, asked_at: Timestamp) -> Result<Option<Box<Person>>> {
        let person = self.load()?.and_then(|loaded| loaded.login.person);
        Ok(person.filter(|person| person.asked_at == asked_at))
    }

    /// One turn at the browser. The next follows at once, unless something is amiss here.
    pub(super) async fn go_on_if_due(&self) -> Result<()> {
        let end = self.go_on().await;
        if end.is_err() {
            self.host.sleep(TURN_AGAIN).await;
        }
        end
    }

    async fn go_on(&self) -> Result<()> {
        let (due, loaded) = self.step(Woke)?;
        let Some(person) = loaded.login.person.clone().filter(|_| due == Due::GoOn) else { return Ok(()) };
        let by = self.itself("alarm");
        let wish = Wish { keep_alive: person.keep_alive, opener: person.opener.clone(), ..Wish::default() };
        let seat = self.rows()?.seat(&loaded.name)?.filter(|_| loaded.login.browser.is_some());
        let Some(seat) = seat else {
            // It was closed at the end of a login that nobody lived to hear of.
            if loaded.login.signed_in && self.take_over(&loaded, &wish, &by).await?.is_some() {
                return Ok(());
            }
            return self.give_up(&loaded, Code::BrowserLost);
        };
        if self.host.now() >= person.until {
            self.give_up(&loaded, Code::NeedsHuman)?;
            return self.let_go().await.map(drop);
        }
        let host = VisitHost::new(self, &loaded).with_person(person.asked_at);
        let mut visit = host.visit(Jar::default(), TURN + TURN_LONGER);
        let end = loaded.need_driver()?.go_on(&mut visit, &seat).await;
        if self.waits_since(person.asked_at)?.is_none() {
            // Its session was closed meanwhile, and with it what it waited for.
            self.audit(&loaded.name, &Work::LogIn, Code::Closed.as_str(), None, &by);
            return self.let_go().await.map(drop);
        }
        let end = match end {
            Ok(false) => {
                if let Some(seat) = visit.seat.filter(|new| *new != seat) {
                    self.rows()?.put_seat(&loaded.name, &seat)?;
                }
                return Ok(());
            }
            Ok(true) => Ok(()),
            Err(failure) => Err(visit.failed(failure)),
        };
        let place = match &end {
            Ok(()) => visit.place(),
            Err(failure) => self.place(&loaded, &visit, failure, None),
        };
        let attempt = Attempt { end, jar: visit.jar, place, held: None, seat: None };
        if self.logged_in(&loaded, attempt, &wish, &by)?.is_ok()
            && let Ok(Some(credentials)) = self.rows()?.credentials(&loaded.name)?
        {
            let proven = Some(&credentials.captcha_api_key);
            self.rows()?.put_credentials(&loaded.name, &credentials, proven)?;
        }
        Ok(())
    }

    fn give_up(&self, loaded: &Loaded, code: Code) -> Result<()> {
        self.audit(&loaded.name, &Work::LogIn, code.as_str(), None, &self.itself("alarm"));
        self.step(LoginFailed(Failure { step: "login", ..Failure::new(code) }))?;
        Ok(())
    }

    /// Closes a browser that somebody has left open. Says whether none is open any more.
    pub(super) async fn let_go(&self) -> Result<bool> {
        let Some(loaded) = self.load()?.filter(|loaded| loaded.login.browser.is_some()) else {
            return Ok(true);
        };
        let done = match self.rows()?.seat(&loaded.name)? {
            Some(seat) => {
                let host = VisitHost::new(self, &loaded);
                let mut visit = host.visit(Jar::default(), LET_GO_MAX);
                loaded.need_driver()?.let_go(&mut visit, &seat).await
            }
            None => true,
        };
        // A tab that was closed has said so itself.
        if self.need()?.login.browser.is_some() {
            self.step(BrowserClosed { done })?;
        }
        Ok(done)
    }

    /// Closes what is due to be closed.
    pub(super) async fn let_go_if_due(&self) -> Result<()> {
        if self.step(Woke)?.0 == Due::LetGo {
            self.let_go().await?;
        }
        Ok(())
    }
}
