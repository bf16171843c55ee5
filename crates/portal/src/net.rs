//! What a driver needs of the world.

use super::code::Failure;
use base::clock::Timestamp;
pub use base::page::{Answer, Fetch, PAGE_BYTES_MAX, Page};
use base::secret::Secret;
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
    /// The portal has taken the credentials. The cookies as they are now: [`super::browser::Jar::save`].
    SignedIn(Secret),
    /// From the next call on something may have been done that cannot be undone.
    Committing,
}

pub trait Net {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Pending<'a, Answer>;
    fn wait(&self, time: Duration) -> Pending<'_, ()>;
    fn now(&self) -> Timestamp;
    /// Whether the password may be sent. Asked at the last moment before it is: what has been found out since the login began
    /// counts.
    fn may_send(&self) -> Pending<'_, Result<(), Failure>>;
    /// Keeps it. What cannot be kept ends the work.
    fn progress(&self, progress: Progress) -> Result<(), Failure>;
}
