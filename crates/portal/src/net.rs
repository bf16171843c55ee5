//! What a driver needs of the world.

use super::code::Failure;
use super::pictures::Picture;
use super::seat::Seat;
use base::call::{self, Call};
use base::clock::Timestamp;
pub use base::page::{Answer, Fetch, PAGE_BYTES_MAX, Page};
use base::secret::Secret;
use base::socket::{Connect, Opened};
use std::pin::Pin;
use std::time::Duration;

/// Something that is awaited. Boxed, because it stands in traits.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What is worth keeping at once, because whoever is at it may be gone the next moment.
#[derive(Clone, Debug)]
pub enum Progress {
    /// What comes next may cost something: a captcha.
    Paying,
    /// What comes next is the password, for the portal.
    Sending,
    /// A login goes on with other tokens from here on: those before may be over.
    Renewed(Secret),
    /// The portal has taken the credentials. The cookies as they are now: [`super::browser::Jar::save`].
    SignedIn(Secret),
    /// From the next call on something may have been done that cannot be undone.
    Committing,
    /// A browser context is there that does not end with its connection: from now on somebody has to close it.
    Opened(Box<Seat>),
    /// It is closed.
    Closed,
}

pub trait Net {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Pending<'a, Answer>;
    /// Calls something that answers in JSON.
    fn call<'a>(&'a self, call: &'a Call) -> Pending<'a, call::Answer>;
    fn connect<'a>(&'a self, to: &'a Connect) -> Pending<'a, Opened>;
    /// A place among the browsers of the deployment, for one that is about to be opened, and the name to give it back by; it
    /// ends by itself then. Waits for it, in the order in which it was asked for; [`super::Code::BrowsersBusy`] if none is free in
    /// time.
    fn take_browser(&self, _until: Timestamp) -> Pending<'_, Result<String, Failure>> {
        Box::pin(async { Ok(String::new()) })
    }
    /// The browser of this place is closed; it was held for so long.
    fn give_browser<'a>(&'a self, _place: &'a str, _held: Duration) -> Pending<'a, ()> {
        Box::pin(async {})
    }
    /// 256 random bits of the runtime's own source. Where there are none, nothing may be made instead of them.
    fn random(&self) -> Result<[u8; 32], Failure> {
        Err(Failure::new(super::Code::Interrupted))
    }
    /// Keeps a picture, and gives the path at which it can be read for a while. Nothing, if it could not be kept.
    fn keep_picture<'a>(&'a self, _picture: &'a Picture) -> Pending<'a, Option<String>> {
        Box::pin(async { None })
    }
    /// The browser of this place stays open until then.
    fn keep_browser<'a>(&'a self, _place: &'a str, _until: Timestamp) -> Pending<'a, ()> {
        Box::pin(async {})
    }
    /// Whether the login still waits for a person.
    fn is_waited_for(&self) -> bool {
        true
    }
    fn wait(&self, time: Duration) -> Pending<'_, ()>;
    fn now(&self) -> Timestamp;
    /// Whether the password may be sent. Asked at the last moment before it is: what has been found out since the login began
    /// counts.
    fn may_send(&self) -> Pending<'_, Result<(), Failure>>;
    /// Keeps it. What cannot be kept ends the work.
    fn progress(&self, progress: Progress) -> Result<(), Failure>;
}
