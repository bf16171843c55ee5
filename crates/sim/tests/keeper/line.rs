//! The line to an upstream: how it is down, and what must hold of every call on it.

use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base::secret::Secret;
use keeper::backoff::{CALLS_PER_HOUR, SLOW_PER_HOUR};
use sim::SimHost;
use sim::fakes::accounts::{Fake, body};
use sim::net::{Answering, Upstream, text};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const HTML: &str = "<html><body>Bad gateway</body></html>";

/// How an upstream is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    Unreachable,
    /// The call never arrives.
    Silent,
    /// The call arrives and its answer does not.
    Mute,
    /// It does its work, and breaks off in the middle of the answer.
    Half,
    Error,
    /// It refuses what it is given.
    Refused,
    Html,
    Limited(Option<u64>),
    Redirects,
}

/// When the account's instance is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The intent is stored, and the call does not arrive.
    BeforeCall,
    /// The upstream has answered, and nobody writes it down.
    BeforeWrite,
    /// It is written down, and nobody is told.
    AfterWrite,
}

#[derive(Clone, Debug)]
pub struct Outage {
    pub how: Down,
    /// In the addresses that are down; empty for all.
    pub of: &'static str,
    pub until: Timestamp,
    pub calls: Vec<Timestamp>,
}

/// Looks at a call.
pub type Look = Box<dyn Fn(&Call)>;

/// What the upstream and the line to it are like, and what was seen there.
pub struct Line {
    pub fake: RefCell<Box<dyn Fake>>,
    pub outage: RefCell<Option<Outage>>,
    pub crash: Cell<Option<Crash>>,
    /// The account's instance is to be killed before anything else happens.
    pub kill: Cell<bool>,
    pub calls: RefCell<Vec<Timestamp>>,
    /// Calls whose answer nobody has written down yet.
    pub unrecorded: Cell<u32>,
    /// Answers that were lost although the upstream had done its work.
    pub lost: Cell<u32>,
    /// The upstream itself was asked since its token was revoked.
    pub asked_since: Cell<bool>,
    /// Counts instances: only within one are two calls at once too many.
    pub instance: Cell<u32>,
    under_way: Cell<Option<u32>>,
    /// What is looked at with each call: what is stored of the account then.
    pub look: RefCell<Look>,
}

impl Line {
    pub fn new(fake: Box<dyn Fake>) -> Rc<Self> {
        Rc::new(Self {
            fake: RefCell::new(fake),
            outage: RefCell::default(),
            crash: Cell::default(),
            kill: Cell::default(),
            calls: RefCell::default(),
            unrecorded: Cell::default(),
            lost: Cell::default(),
            asked_since: Cell::default(),
            instance: Cell::default(),
            under_way: Cell::default(),
            look: RefCell::new(Box::new(|_| {})),
        })
    }

    pub fn crashes(&self, at: Crash) -> bool {
        let crashes = self.crash.get() == Some(at);
        if crashes {
            self.crash.set(None);
            self.kill.set(true);
        }
        crashes
    }

    fn serve(&self, call: &Call, now: Timestamp) -> (u16, String) {
        self.unrecorded.set(self.unrecorded.get() + 1);
        self.fake.borrow_mut().serve(call, now)
    }
}

/// One host of the upstream's, with a timer.
pub struct Host {
    pub line: Rc<Line>,
    pub timer: SimHost,
    /// How long answers take: drawn by lot from this.
    pub rng: RefCell<sim::rng::Rng>,
}

impl Upstream for Host {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async move {
            let line = &self.line;
            let instance = line.instance.get();
            assert_ne!(
                line.under_way.get(),
                Some(instance),
                "two calls for one account at once: {}",
                call.url
            );
            line.under_way.set(Some(instance));
            let (answer, after) = self.answer(call);
            // Before the time-out that the caller sees, if there is one.
            self.timer.sleep(after.min(call.timeout.saturating_sub(Duration::from_millis(1)))).await;
            if line.under_way.get() == Some(instance) {
                line.under_way.set(None);
            }
            if after >= call.timeout {
                self.timer.sleep(Duration::from_secs(1)).await;
            }
            if line.unrecorded.get() > 0 && line.instance.get() == instance {
                line.crashes(Crash::BeforeWrite);
            }
            answer
        })
    }
}

impl Host {
    /// What comes back, and after how long.
    fn answer(&self, call: &Call) -> (Answer, Duration) {
        let (line, now) = (&self.line, self.timer.now());
        line.calls.borrow_mut().push(now);
        (line.look.borrow())(call);
        let quick = Duration::from_millis(50 + self.rng.borrow_mut().below(3000));
        if line.crashes(Crash::BeforeCall) {
            return (Answer::Unreachable, quick);
        }
        let mut outage = line.outage.borrow_mut();
        outage.take_if(|o| o.until <= now);
        let Some(outage) = outage.as_mut().filter(|o| call.url.contains(o.of)) else {
            let (status, body) = line.serve(call, now);
            if !call.url.starts_with("https://service") {
                line.asked_since.set(true);
            }
            return (text(status, &body), quick);
        };
        outage.calls.push(now);
        let hour = outage.calls.iter().filter(|at| now.since(**at) < Duration::from_hours(1)).count();
        // A renewal of Upstox takes five at most.
        assert!(hour <= CALLS_PER_HOUR + 5 * SLOW_PER_HOUR, "{hour} calls in an hour of outage");
        match outage.how {
            Down::Unreachable => (Answer::Unreachable, quick),
            Down::Silent => (Answer::TimedOut, call.timeout),
            Down::Error => (text(503, HTML), quick),
            Down::Refused => (text(401, r#"{"message":"no","code":null}"#), quick),
            Down::Html => (text(200, HTML), quick),
            Down::Redirects => (text(302, ""), quick),
            Down::Limited(seconds) => {
                let retry_after = seconds.map(Duration::from_secs);
                (Answer::Response { status: 429, retry_after, body: Secret::new(HTML) }, quick)
            }
            how @ (Down::Mute | Down::Half) => {
                let (status, body) = line.serve(call, now);
                line.lost.set(line.lost.get() + u32::from(status == 200));
                if how == Down::Mute {
                    return (Answer::TimedOut, call.timeout);
                }
                (text(status, &body[..body.len() / 2]), quick)
            }
        }
    }
}

/// The refresh token that a call presents.
pub fn presented(call: &Call) -> Option<&str> {
    body(call).split("refresh_token=").nth(1)
}
