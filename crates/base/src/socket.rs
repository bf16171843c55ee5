//! `WebSockets` to others: to a browser's `DevTools`, for one.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// Where a socket is opened to.
#[derive(Clone)]
pub struct Connect {
    /// `http://…` or `https://…`, with `Upgrade: websocket`. It may hold a key, so it is not shown.
    pub url: String,
    /// A binding of the Worker that is asked instead of the address itself.
    pub binding: Option<String>,
    /// Until it is open.
    pub timeout: Duration,
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("binding", &self.binding).finish_non_exhaustive()
    }
}

/// What came of it.
pub enum Opened {
    Socket(Box<dyn Socket>),
    /// Another status than 101.
    Refused(u16),
    TimedOut,
    Unreachable,
}

/// What comes next on a socket.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    Text(String),
    Binary(Vec<u8>),
    /// Nothing came in time. The socket is as it was.
    TimedOut,
    /// It is closed, by either side, or broken: nothing comes any more.
    Closed,
}

/// It cannot be sent on any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// An open socket. It is closed when it goes.
pub trait Socket {
    fn send(&self, text: &str) -> Result<(), Closed>;

    /// The next message, waited for so long. What came while nobody waited is kept, in order.
    fn next(&self, within: Duration) -> Pin<Box<dyn Future<Output = Message> + '_>>;
}

/// Longest message that is read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
