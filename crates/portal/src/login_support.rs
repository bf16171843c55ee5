//! A portal login's state without its object: storage as text, a clock that is set by hand.

use super::steps::{Due, Gone, Lost, Resumption, Usable};
use super::*;
use base::clock::Timestamp;
use base::ids::PortalId;
use base::jitter::Jitter;
use std::time::Duration;

pub(super) const LEAST: Jitter = Jitter(0);
pub(super) const MOST: Jitter = Jitter(u32::MAX);
pub(super) const MILLI: Duration = Duration::from_millis(1);
pub(super) const ID: &str = "session_1";

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// As the settings have it if nobody sets them.
pub(super) fn policy() -> Policy {
    Policy {
        keep_alive: secs(300),
        jitter_percent: 10,
        idle: secs(1800),
        wizard_idle: secs(600),
        sessions_max: 10,
        relogin: true,
        relogin_unused: secs(86_400),
        cooldown: secs(900),
        logins_per_hour: 6,
        timeout: secs(300),
        events: base::event::EventTypes::NONE,
    }
}

/// It has to come back from storage as it went there.
pub(super) fn stored(login: &Login) -> Login {
    let read: Login = serde_json::from_str(&serde_json::to_string(login).unwrap()).unwrap();
    assert_eq!(*login, read);
    read
}

/// Any step, for tables of them.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Wanted { keep_alive: bool },
    Resumed { session_id: PortalId },
    TaskStarted(Work),
    Reaching(Reached),
    SignedIn,
    LoggedIn { session_id: PortalId, keep_alive: bool },
    LoginFailed(Failure),
    KeyRefused { print: String, code: Code },
    NotSignedIn,
    Confirmed { used: bool },
    Unasked,
    LoggedOut { again: bool },
    Failed(Failure),
    KeepAliveFailed(Failure),
    Closed { session_id: PortalId, reason: End },
    Unreadable,
    Woke,
    Interrupted,
    LogoutFinished { done: bool },
    SyncStarted,
    Synced { change: u64 },
}

/// Any outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Serve,
    LogIn,
    KeepAlive,
    LogOut,
    GoOn,
    LetGo,
    Refuse(Refusal),
    Ended(End),
    Unknown,
    Forget,
    Nothing,
}

fn happen(login: &mut Login, event: Event, c: &Context<'_>) -> Verdict {
    match event {
        Event::Wanted { keep_alive } => usable(login.step(steps::Wanted { keep_alive, saves: true }, c)),
        Event::Resumed { session_id } => {
            match login.step(steps::Resumed { session_id, saves: false, opener: None }, c) {
                Resumption::Usable(it) => usable(Ok(it)),
                Resumption::Refused(refusal) => Verdict::Refuse(refusal),
                Resumption::Gone(it) => gone(it),
            }
        }
        Event::TaskStarted(Work::LogIn) => {
            login.step(steps::LoginStarted { username: "u".to_owned() }, c);
            Verdict::Nothing
        }
        Event::TaskStarted(work) => {
            login.step(steps::TaskStarted(work), c);
            Verdict::Nothing
        }
        Event::Reaching(reached) => {
            login.step(steps::Reaching(reached), c);
            Verdict::Nothing
        }
        Event::SignedIn => {
            login.step(steps::SignedIn, c);
            Verdict::Nothing
        }
        Event::LoggedIn { session_id, keep_alive } => {
            let end = login.step(steps::LoggedIn { session_id, keep_alive, opener: None, due: None }, c);
            end.map_or_else(Verdict::Refuse, |()| Verdict::Serve)
        }
        Event::LoginFailed(failure) => Verdict::Refuse(login.step(steps::LoginFailed(failure), c)),
        Event::KeyRefused { print, code } => {
            login.step(steps::KeyRefused { print, code }, c);
            Verdict::Nothing
        }
        Event::NotSignedIn => {
            login.step(steps::NotSignedIn, c);
            Verdict::Nothing
        }
        Event::Confirmed { used } => {
            login.step(steps::Confirmed { used, due: None }, c);
            Verdict::Nothing
        }
        Event::Unasked => {
            login.step(steps::Unasked, c);
            Verdict::Nothing
        }
        Event::LoggedOut { again } => match login.step(steps::LoggedOut { again }, c) {
            Lost::LogIn => Verdict::LogIn,
            Lost::Ended(reason) => Verdict::Ended(reason),
            Lost::Unknown => Verdict::Unknown,
        },
        Event::Failed(failure) => Verdict::Refuse(login.step(steps::Failed(failure), c)),
        Event::KeepAliveFailed(failure) => Verdict::Refuse(login.step(steps::KeepAliveFailed(failure), c)),
        Event::Closed { session_id, reason } => login
            .step(steps::Closed { session_id, reason, opener: None }, c)
            .map_or_else(gone, |()| Verdict::Serve),
        Event::Unreadable => {
            login.step(steps::Unreadable, c);
            Verdict::Nothing
        }
        Event::Woke => match login.step(steps::Woke, c) {
            Due::LogIn => Verdict::LogIn,
            Due::KeepAlive => Verdict::KeepAlive,
            Due::LogOut => Verdict::LogOut,
            Due::GoOn => Verdict::GoOn,
            Due::LetGo => Verdict::LetGo,
            Due::Forget => Verdict::Forget,
            Due::Nothing => Verdict::Nothing,
        },
        Event::Interrupted => {
            login.step(steps::Interrupted, c);
            Verdict::Nothing
        }
        Event::LogoutFinished { done } => {
            login.step(steps::LogoutFinished { done }, c);
            Verdict::Nothing
        }
        Event::SyncStarted => {
            login.step(steps::SyncStarted, c);
            Verdict::Nothing
        }
        Event::Synced { change } => {
            login.step(steps::Synced { change }, c);
            Verdict::Nothing
        }
    }
}

fn usable(outcome: Result<Usable, Refusal>) -> Verdict {
    match outcome {
        Ok(Usable::Now) => Verdict::Serve,
        Ok(Usable::AfterLogin) => Verdict::LogIn,
        Err(refusal) => Verdict::Refuse(refusal),
    }
}

fn gone(gone: Gone) -> Verdict {
    match gone {
        Gone::Ended(reason) => Verdict::Ended(reason),
        Gone::Unknown => Verdict::Unknown,
    }
}

pub(super) struct Play {
    pub login: Login,
    pub policy: Policy,
    pub now: Timestamp,
    pub jitter: Jitter,
    pub ids: u32,
}

impl Play {
    pub fn new() -> Self {
        let now = Timestamp::from_seconds(1_763_700_000);
        Self { login: Login::default(), policy: policy(), now, jitter: LEAST, ids: 0 }
    }

    pub fn event(&mut self, event: Event) -> Verdict {
        let context = Context { policy: &self.policy, now: self.now, jitter: self.jitter };
        let verdict = happen(&mut self.login, event, &context);
        self.login = stored(&self.login);
        verdict
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub fn want(&mut self, keep_alive: bool) -> Verdict {
        self.event(Event::Wanted { keep_alive })
    }

    /// With the session's id, or that of the last one.
    pub fn resume(&mut self) -> Verdict {
        let session_id = self.id();
        self.event(Event::Resumed { session_id })
    }

    pub fn id(&self) -> PortalId {
        PortalId::issued(format!("session_{}", self.ids))
    }

    pub fn start_task(&mut self, work: Work) {
        self.event(Event::TaskStarted(work));
    }

    pub fn run(&mut self) {
        self.start_task(Work::Run("get_containers".to_owned()));
    }

    /// A login from its beginning to its good end.
    pub fn log_in(&mut self, keep_alive: bool) {
        self.start_task(Work::LogIn);
        self.event(Event::SignedIn);
        self.land(keep_alive);
    }

    pub fn land(&mut self, keep_alive: bool) -> Verdict {
        let known = self.login.session.is_some();
        self.ids += u32::from(!known);
        let session_id = self.id();
        self.event(Event::LoggedIn { session_id, keep_alive })
    }

    /// A login that fails so.
    pub fn fail(&mut self, code: Code) -> Verdict {
        self.start_task(Work::LogIn);
        self.event(Event::LoginFailed(Failure::new(code)))
    }

    /// A login that fails so after the portal was shown the password.
    pub fn fail_after_the_password(&mut self, code: Code) -> Verdict {
        self.start_task(Work::LogIn);
        self.event(Event::Reaching(Reached::Captcha));
        self.event(Event::Reaching(Reached::Password));
        self.event(Event::LoginFailed(Failure::new(code)))
    }

    /// A keep-alive that fails so.
    pub fn fail_keep_alive(&mut self, code: Code) -> Verdict {
        self.event(Event::KeepAliveFailed(Failure::new(code)))
    }

    pub fn close(&mut self, reason: End) -> Verdict {
        let session_id = self.id();
        self.event(Event::Closed { session_id, reason })
    }

    /// The registry knows everything.
    pub fn tell(&mut self) {
        self.event(Event::SyncStarted);
        if let Some(change) = self.login.pending_sync.map(|pending_sync| pending_sync.change) {
            self.event(Event::Synced { change });
        }
    }

    pub fn next_alarm(&self) -> Option<Timestamp> {
        self.login.next_alarm(&self.policy, self.now)
    }

    /// Goes to the next alarm. What it says is to be done.
    pub fn wake(&mut self) -> Verdict {
        self.now = self.now.max(self.next_alarm().unwrap());
        self.event(Event::Woke)
    }

    pub fn live(&self) -> &Live {
        self.login.session.as_ref().unwrap()
    }

    /// How the last session ended, if there is none.
    pub fn ended(&self) -> Option<End> {
        let ended = self.login.ended.as_ref().map(|ended| ended.reason);
        ended.filter(|_| self.login.session.is_none())
    }
}

/// With a session that was just made, and that the registry knows of.
pub(super) fn living(keep_alive: bool) -> Play {
    let mut p = Play::new();
    assert_eq!(p.want(keep_alive), Verdict::LogIn);
    p.log_in(keep_alive);
    p.tell();
    p
}

/// With one that the portal has ended, and that could not be logged in again because it is down.
pub(super) fn lost(keep_alive: bool) -> Play {
    let mut p = living(keep_alive);
    p.advance(secs(60));
    p.run();
    assert_eq!(p.event(Event::LoggedOut { again: false }), Verdict::LogIn);
    p.fail(Code::Unreachable);
    assert!(p.live().lost_since.is_some());
    p
}

pub(super) fn refused(verdict: &Verdict) -> (Code, Option<u64>) {
    match verdict {
        Verdict::Refuse(refusal) => (refusal.code, refusal.retry_after_seconds),
        other => panic!("not refused: {other:?}"),
    }
}
