//! The object around the life cycle, as it is in `src/objects`. What must always hold is asserted as it happens.
//!
//! Over 400 lines: it plays one object as a whole, so that each step of it can be held against the invariants.

use super::fake_portal::Site;
use super::login_support::*;
use super::*;
use base::clock::Timestamp;
use base::jitter::Jitter;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Work at the portal, on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    SignIn,
    Land,
    TakeOver,
    KeepAlive,
    Run,
    LogOut,
}

/// Work that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Get { keep_alive: bool },
    Run { session_id: String },
    Alarm,
    LogOut,
}

#[derive(Clone, Debug)]
pub(super) struct Doing {
    turn: Turn,
    stage: Stage,
    until: Timestamp,
    again: bool,
}

pub(super) struct World {
    pub login: Login,
    pub policy: Policy,
    pub now: Timestamp,
    seed: u64,
    ids: u32,
    // In memory.
    pub doing: Option<Doing>,
    queue: VecDeque<Turn>,
    pub armed: Option<Timestamp>,
    /// The callers who wait for the login.
    waiting: Vec<bool>,
    // Stored besides the state.
    pub credentials: bool,
    pub jar: Option<u32>,
    pub farewell_jar: Option<u32>,
    pub alarm: Option<Timestamp>,
    next_cron: Timestamp,
    pub site: Site,
    /// The next answer is lost with whoever waits for it.
    pub crash: bool,
    // What is known of it.
    pub logins: Vec<Timestamp>,
    pub calm_since: Timestamp,
    pub last_contact: Timestamp,
    pub last_used: Timestamp,
    pub refused_at: Option<Timestamp>,
    pub answers: BTreeSet<&'static str>,
    /// Portal sessions that nobody can know of, or whose logout was tried often enough.
    pub excused: BTreeSet<u32>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let now = Timestamp::from_seconds(1_763_700_000);
        Self {
            login: Login::default(),
            policy: policy(),
            now,
            seed,
            ids: 0,
            doing: None,
            queue: VecDeque::new(),
            armed: None,
            waiting: Vec::new(),
            credentials: false,
            jar: None,
            farewell_jar: None,
            alarm: None,
            next_cron: now,
            site: Site::default(),
            crash: false,
            logins: Vec::new(),
            calm_since: now,
            last_contact: now,
            last_used: now,
            refused_at: None,
            answers: BTreeSet::new(),
            excused: BTreeSet::new(),
        }
    }

    fn jitter(&mut self) -> Jitter {
        // splitmix64.
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Jitter(u32::try_from(z >> 32).unwrap())
    }

    pub fn run_for(&mut self, by: Duration) {
        self.run_until(self.now.plus(by));
    }

    pub fn run_until(&mut self, end: Timestamp) {
        let mut at_once = 0;
        loop {
            let landing = self.doing.as_ref().map(|doing| doing.until);
            let next = [landing, self.alarm, Some(self.next_cron), Some(end)];
            let next = next.into_iter().flatten().min().unwrap().max(self.now);
            at_once = if next == self.now { at_once + 1 } else { 0 };
            assert!(at_once < 30, "again and again: {:?}", self.login);
            self.now = next;
            if landing.is_some_and(|at| at <= next) {
                self.go_on();
            } else if self.alarm.is_some_and(|at| at <= next) {
                self.on_alarm();
            } else if self.next_cron <= next {
                self.next_cron = next.plus(secs(60));
                self.tell();
                self.arm_if_lost();
                self.check_time();
            } else {
                return;
            }
        }
    }

    /// Load, decide, store, arm the alarm.
    fn step(&mut self, event: Event) -> Verdict {
        let (jitter, before) = (self.jitter(), self.login.clone());
        if self.login.flight.is_some() && self.doing.is_none() {
            self.login.step(Event::Interrupted, &self.policy, self.now, jitter);
        }
        let verdict = self.login.step(event, &self.policy, self.now, jitter);
        self.login = stored(&self.login);
        self.tidy(&before);
        let next = self.next_alarm();
        if next.is_some() && next != self.armed {
            (self.alarm, self.armed) = (next, next);
        }
        self.check(&before);
        verdict
    }

    pub fn next_alarm(&self) -> Option<Timestamp> {
        let busy = self.doing.is_some() || !self.queue.is_empty();
        let least = if busy { self.now.plus(secs(15)) } else { self.now };
        self.login.next_alarm(&self.policy, self.now).map(|at| at.max(least))
    }

    fn arm_if_lost(&mut self) {
        if self.alarm.is_none() {
            (self.alarm, self.armed) = (self.next_alarm(), self.next_alarm());
        }
    }

    fn on_alarm(&mut self) {
        (self.alarm, self.armed) = (None, None);
        if self.doing.is_none() {
            match self.step(Event::Woke) {
                Verdict::LogOut => self.enqueue(Turn::LogOut),
                Verdict::KeepAlive | Verdict::LogIn => self.enqueue(Turn::Alarm),
                Verdict::Forget => {
                    assert!(self.is_quiet(), "forgotten too early: {:?}", self.login);
                    self.login = Login::default();
                }
                _ => {}
            }
        }
        self.tell();
        self.arm_if_lost();
        self.check_time();
    }

    fn tell(&mut self) {
        if self.login.untold.is_some() && !self.jitter().0.is_multiple_of(10) {
            self.step(Event::Telling);
            if let Some(untold) = self.login.untold {
                self.step(Event::Told { change: untold.change });
            }
        }
    }

    /// Somebody wants a session. Whether there is one at once.
    pub fn get(&mut self, keep_alive: bool) -> bool {
        match self.step(Event::Wanted { keep_alive }) {
            Verdict::Serve => {
                self.last_used = self.now;
                self.tell();
                return true;
            }
            Verdict::LogIn => {
                self.last_used = self.now;
                self.waiting.push(keep_alive);
                let gets = |turn: &Turn| matches!(turn, Turn::Get { .. });
                if !self.queue.iter().chain(self.doing.iter().map(|d| &d.turn)).any(gets) {
                    self.enqueue(Turn::Get { keep_alive });
                }
            }
            Verdict::Refuse(refusal) => {
                self.answers.insert(refusal.code.as_str());
            }
            other => panic!("{other:?}"),
        }
        false
    }

    pub fn run(&mut self) {
        let session_id = format!("session_{}", self.ids);
        match self.step(Event::Resumed { session_id: session_id.clone() }) {
            Verdict::Serve | Verdict::LogIn if self.queue.len() < 100 => {
                self.last_used = self.now;
                self.enqueue(Turn::Run { session_id });
            }
            Verdict::Ended(end) => {
                self.answers.insert(end.as_str());
            }
            _ => {}
        }
    }

    pub fn close(&mut self, reason: End) {
        let Some(live) = &self.login.session else { return };
        let session_id = live.session_id.clone();
        assert_eq!(self.step(Event::Closed { session_id, reason }), Verdict::Serve);
        self.enqueue(Turn::LogOut);
    }

    fn enqueue(&mut self, turn: Turn) {
        self.queue.push_back(turn);
        self.next_turn();
    }

    fn next_turn(&mut self) {
        while self.doing.is_none()
            && let Some(turn) = self.queue.pop_front()
        {
            // The turn is somebody's already: nothing is interrupted.
            let event = match &turn {
                Turn::Get { keep_alive } => Event::Wanted { keep_alive: *keep_alive },
                Turn::Run { session_id } => Event::Resumed { session_id: session_id.clone() },
                Turn::Alarm => Event::Woke,
                Turn::LogOut => {
                    self.begin_log_out();
                    continue;
                }
            };
            let verdict = self.step(event);
            if matches!(turn, Turn::Get { .. } | Turn::Run { .. })
                && matches!(verdict, Verdict::Serve | Verdict::LogIn)
            {
                self.last_used = self.now;
            }
            match verdict {
                Verdict::Serve if matches!(turn, Turn::Run { .. }) => self.begin(turn, Stage::Run, false),
                Verdict::KeepAlive => self.begin(turn, Stage::KeepAlive, false),
                Verdict::LogIn => self.log_in(turn),
                _ => self.done(&turn),
            }
        }
    }

    fn begin_log_out(&mut self) {
        let Some(farewell) = self.login.farewell else { return };
        let jar = if farewell.broken_off { self.jar } else { self.farewell_jar };
        if jar.is_some() {
            self.begin(Turn::LogOut, Stage::LogOut, false);
        } else {
            self.step(Event::SaidFarewell { done: true });
        }
    }

    fn log_in(&mut self, turn: Turn) {
        if self.login.signed_in {
            if self.jar.is_some() {
                return self.begin(turn, Stage::TakeOver, false);
            }
            self.step(Event::NotSignedIn);
        }
        self.log_in_anew(turn);
    }

    fn log_in_anew(&mut self, turn: Turn) {
        match self.login.may_log_in_anew(&self.policy, self.now) {
            Verdict::LogIn => self.begin(turn, Stage::SignIn, false),
            _ => self.done(&turn),
        }
    }

    /// The intent is stored before the first call.
    fn begin(&mut self, turn: Turn, stage: Stage, again: bool) {
        let work = match stage {
            Stage::SignIn => Work::LogIn,
            Stage::Run => Work::Run("get_containers".to_owned()),
            Stage::LogOut => Work::LogOut,
            _ => Work::KeepAlive,
        };
        if stage == Stage::SignIn {
            self.check_login();
            self.logins.push(self.now);
            self.credentials = true;
        }
        self.doing = Some(Doing { turn, stage, until: self.now.plus(self.site.step_time), again });
        self.step(Event::TookOff(work));
    }

    /// A stage of the work under way comes to its end.
    fn go_on(&mut self) {
        let Doing { turn, stage, again, .. } = self.doing.clone().unwrap();
        if stage == Stage::SignIn {
            let end = self.site.sign_in(self.now);
            if std::mem::take(&mut self.crash) {
                self.excused.extend(end);
                return self.die();
            }
            match end {
                Ok(id) => {
                    self.jar = Some(id);
                    self.step(Event::Reaching(Reached::Captcha));
                    self.step(Event::Reaching(Reached::Password));
                    self.step(Event::SignedIn);
                    let until = self.now.plus(self.site.step_time);
                    self.doing = Some(Doing { turn, stage: Stage::Land, until, again });
                }
                Err(failure) => {
                    // A portal may be down before the captcha or after it; what it says comes after.
                    let down = [Code::Timeout, Code::Unreachable, Code::RateLimited, Code::ServerError];
                    let paid = !down.contains(&failure.code) || self.jitter().0.is_multiple_of(4);
                    if paid {
                        self.step(Event::Reaching(Reached::Captcha));
                    }
                    if matches!(failure.code, Code::CredentialsRefused | Code::Unintelligible) {
                        self.step(Event::Reaching(Reached::Password));
                    }
                    let counted = self.login.logins.len();
                    self.login_failed(&turn, failure);
                    if self.login.logins.len() < counted {
                        assert!(!paid, "a captcha that does not count: {:?}", self.login);
                        self.logins.pop();
                    }
                }
            }
            return;
        }
        let jar = if stage == Stage::LogOut && self.login.farewell.is_some_and(|f| !f.broken_off) {
            self.farewell_jar
        } else {
            self.jar
        };
        let end = self.site.page(jar, self.now, stage != Stage::LogOut);
        if std::mem::take(&mut self.crash) {
            return self.die();
        }
        if end.is_ok() && stage != Stage::LogOut {
            self.last_contact = self.now;
        }
        let logged_out = end.as_ref().is_err_and(|failure| failure.code == Code::LoggedOut);
        match (stage, end) {
            (Stage::LogOut, end) => {
                if let (Ok(()), Some(id)) = (&end, jar) {
                    self.site.sessions.remove(&id);
                }
                self.step(Event::SaidFarewell { done: end.is_ok() || logged_out });
                self.done(&turn);
            }
            (Stage::SignIn | Stage::Land | Stage::TakeOver, Ok(())) => self.logged_in(turn, jar),
            (Stage::Land, Err(failure)) => self.login_failed(&turn, failure),
            (Stage::TakeOver, Err(_)) if logged_out => {
                self.step(Event::NotSignedIn);
                self.log_in_anew(turn);
            }
            (Stage::KeepAlive | Stage::Run, Ok(())) => {
                let used = stage == Stage::Run;
                self.step(Event::Confirmed { used });
                self.last_used = if used { self.now } else { self.last_used };
                self.done(&turn);
            }
            (Stage::KeepAlive | Stage::Run, Err(_)) if logged_out => {
                if stage == Stage::Run {
                    self.last_used = self.now;
                }
                match self.step(Event::LoggedOut { again }) {
                    Verdict::LogIn => self.log_in(turn),
                    _ => self.done(&turn),
                }
            }
            (_, Err(failure)) => {
                self.step(Event::Failed(failure));
                self.last_used = if stage == Stage::Run { self.now } else { self.last_used };
                self.done(&turn);
            }
        }
    }

    fn login_failed(&mut self, turn: &Turn, failure: Failure) {
        let code = failure.code;
        let Verdict::Refuse(_) = self.step(Event::LoginFailed(failure)) else { panic!("not refused") };
        if code.refuses_credentials() || code == Code::Unintelligible {
            self.refused_at = Some(self.now);
            assert!(self.login.session.is_none());
        }
        if matches!(turn, Turn::Get { .. }) {
            self.answers.insert(code.as_str());
            self.waiting.clear();
        }
        self.done(turn);
    }

    fn logged_in(&mut self, turn: Turn, jar: Option<u32>) {
        self.refused_at = None;
        self.ids += u32::from(self.login.session.is_none());
        let session_id = format!("session_{}", self.ids);
        let keep_alive = !matches!(turn, Turn::Run { .. } | Turn::Get { keep_alive: false });
        let verdict = self.step(Event::LoggedIn { session_id, keep_alive });
        self.jar = jar;
        if turn != Turn::Alarm {
            self.last_used = self.now;
        }
        match (&turn, verdict) {
            (Turn::Run { .. }, Verdict::Serve) => self.begin(turn, Stage::Run, true),
            _ => self.done(&turn),
        }
    }

    fn done(&mut self, turn: &Turn) {
        self.doing = None;
        if matches!(turn, Turn::Get { .. }) {
            for keep_alive in std::mem::take(&mut self.waiting) {
                self.get(keep_alive);
            }
        }
        self.next_turn();
        self.arm_if_lost();
    }

    /// Memory is lost; storage and the alarm are not.
    pub fn die(&mut self) {
        (self.doing, self.armed) = (None, None);
        self.queue.clear();
        self.waiting.clear();
        self.calm_since = self.now.plus(secs(60));
    }

    pub fn busy(&self) -> bool {
        self.doing.is_some()
    }

    /// Nothing is left of what was, but the memory of it.
    pub fn is_quiet(&self) -> bool {
        let login = &self.login;
        let rows = self.credentials || self.jar.is_some() || self.farewell_jar.is_some();
        let work = login.flight.is_some() || login.farewell.is_some() || login.untold.is_some();
        !rows && !work && login.session.is_none() && !login.signed_in
    }
}
