//! A network out of a script, with a clock that only waiting moves.

use super::browser::Jar;
use super::*;
use base::clock::Timestamp;
use base::secret::Secret;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// What was called: method, address, body, the `cookie` header.
#[derive(Clone, Debug)]
pub struct Called {
    pub method: &'static str,
    pub url: String,
    pub body: String,
    /// The same, as it is sent.
    pub bytes: Vec<u8>,
    headers: Vec<(&'static str, Secret)>,
    pub timeout: Duration,
}

impl Called {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.expose())
    }

    pub fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.body.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    pub fn path(&self) -> String {
        url::Url::parse(&self.url).unwrap().path().to_owned()
    }
}

type Serve<'a> = Box<dyn FnMut(&Called) -> Answer + 'a>;

/// Answers whatever a function says, and remembers what it was asked.
pub struct World<'a> {
    pub called: RefCell<Vec<Called>>,
    pub progress: RefCell<Vec<Progress>>,
    pub now: Cell<Timestamp>,
    /// How long each call takes.
    pub takes: Cell<Duration>,
    /// What keeping progress comes to.
    pub keeps: Cell<Result<(), Code>>,
    /// Whether passwords may be sent.
    pub sends: Cell<Result<(), Code>>,
    /// Random numbers so far.
    drawn: Cell<usize>,
    serve: RefCell<Serve<'a>>,
}

impl<'a> World<'a> {
    pub fn new(serve: impl FnMut(&Called) -> Answer + 'a) -> Self {
        Self {
            called: RefCell::default(),
            progress: RefCell::default(),
            now: Cell::new(START),
            takes: Cell::new(Duration::from_millis(10)),
            keeps: Cell::new(Ok(())),
            sends: Cell::new(Ok(())),
            drawn: Cell::new(0),
            serve: RefCell::new(Box::new(serve)),
        }
    }

    pub fn visit(&self, seconds: u64) -> Visit<'_> {
        let deadline = self.now.get().plus(Duration::from_secs(seconds));
        Visit::new(self, Jar::default(), deadline)
    }

    pub fn calls(&self) -> Vec<String> {
        self.called.borrow().iter().map(|c| format!("{} {}", c.method, c.path())).collect()
    }

    pub fn count(&self, call: &str) -> usize {
        self.calls().iter().filter(|c| *c == call).count()
    }

    pub fn last(&self) -> Called {
        self.called.borrow().last().unwrap().clone()
    }
}

pub const START: Timestamp = Timestamp::from_seconds(1_790_000_000);

impl Net for World<'_> {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Pending<'a, Answer> {
        let called = Called {
            method: fetch.method,
            url: fetch.url.clone(),
            body: fetch.body.as_ref().map(|b| b.expose().to_owned()).unwrap_or_default(),
            bytes: fetch.bytes().unwrap_or_default(),
            headers: fetch.headers.clone(),
            timeout: fetch.timeout,
        };
        assert!(!fetch.timeout.is_zero());
        let answer = (self.serve.borrow_mut())(&called);
        self.called.borrow_mut().push(called);
        let takes = if matches!(answer, Answer::TimedOut) { fetch.timeout } else { self.takes.get() };
        self.now.set(self.now.get().plus(takes));
        Box::pin(async move { answer })
    }

    fn call<'a>(&'a self, _: &'a base::call::Call) -> Pending<'a, base::call::Answer> {
        Box::pin(async { base::call::Answer::Unreachable })
    }

    fn connect<'a>(&'a self, _: &'a base::socket::Connect) -> Pending<'a, base::socket::Opened> {
        Box::pin(async { base::socket::Opened::Unreachable })
    }

    fn random(&self) -> Result<[u8; 32], Failure> {
        // Another one each time, as far as a test can tell.
        let calls = u8::try_from(self.drawn.replace(self.drawn.get() + 1)).unwrap_or_default();
        Ok([calls; 32])
    }

    fn wait(&self, time: Duration) -> Pending<'_, ()> {
        self.now.set(self.now.get().plus(time));
        Box::pin(async {})
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn may_send(&self) -> Pending<'_, Result<(), Failure>> {
        Box::pin(async { self.sends.get().map_err(Failure::new) })
    }

    fn progress(&self, progress: Progress) -> Result<(), Failure> {
        self.progress.borrow_mut().push(progress);
        self.keeps.get().map_err(Failure::new)
    }
}

/// Everything is ready at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing is waited for here"),
    }
}

pub fn page(status: u16, body: &str) -> Answer {
    Answer::Page(Page::new(status, Some("text/html; charset=utf-8".to_owned()), body.as_bytes()))
}

pub fn to(status: u16, location: &str) -> Answer {
    let Answer::Page(page) = page(status, "") else { unreachable!() };
    Answer::Page(Page { location: Some(location.to_owned()), ..page })
}

pub fn with_cookies(answer: Answer, cookies: &[&str]) -> Answer {
    let Answer::Page(page) = answer else { return answer };
    Answer::Page(Page { cookies: cookies.iter().map(|c| Secret::new(*c)).collect(), ..page })
}

/// With keys of these ids.
pub fn vault(kids: &[&str]) -> base::vault::Vault {
    let key = |kid: &&str| base::settings::NamedKey {
        kid: (*kid).to_owned(),
        secret: base::secret::Secret::new(format!("{kid}-0123456789abcdefghijklmnopqrstuv")),
    };
    base::vault::Vault::new(&kids.iter().map(key).collect::<Vec<_>>())
}
