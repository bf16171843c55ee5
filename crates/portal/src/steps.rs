//! Everything that happens to a portal login, each with an outcome of its own.

use super::code::{Code, Failure};
use super::decide::{Context, SYNC_AGAIN, Step};
use super::protocol::Refusal;
use super::refusals::Held;
use super::state::{End, Login, OpenBrowser, Reached, Task, Work};
use base::clock::Timestamp;
use base::ids::{PortalId, ServiceKeyId};
use base::outbox::Attempt;

/// A session that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usable {
    Now,
    /// There is none, or the portal has ended it; a login may be made.
    AfterLogin,
}

/// A session that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    Ended(End),
    /// No such session is known.
    Unknown,
}

/// Whether the session of an id can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumption {
    Usable(Usable),
    Refused(Refusal),
    Gone(Gone),
}

/// What becomes of a session that the portal has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    LogIn,
    Ended(End),
    /// There was none any more.
    Unknown,
}

/// What is due without anybody asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    LogIn,
    KeepAlive,
    LogOut,
    /// A login waits for a person: whether they are done is to be seen.
    GoOn,
    /// A browser that was left open is to be closed.
    LetGo,
    /// There is nothing here that anybody could still want to know.
    Forget,
    Nothing,
}

/// Says of steps what they do: `steps! { Step => Outcome: |step, login, c| …; … }`.
macro_rules! steps {
    ($($step:ident => $outcome:ty: |$this:pat_param, $login:ident, $c:pat_param| $body:expr;)*) => {
        $(impl Step for $step {
            type Outcome = $outcome;

            fn apply(self, $login: &mut Login, $c: &Context<'_>) -> Self::Outcome {
                let $this = self;
                $body
            }
        })*
    };
}

/// Somebody wants the session of these credentials.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub keep_alive: bool,
    /// Whether they would have to log in themselves if there were no session.
    pub saves: bool,
}

/// What has become of an event on its way to its receiver.
#[derive(Clone, Copy, Debug)]
pub struct EventAttempted {
    pub sequence: u64,
    pub attempt: Attempt,
}

/// Somebody wants the session of this id.
#[derive(Clone, Debug)]
pub struct Resumed {
    pub session_id: PortalId,
    /// As in [`Wanted`].
    pub saves: bool,
    /// A key that may use its own logins only.
    pub opener: Option<ServiceKeyId>,
}

/// Somebody wants the state of the session of this id.
#[derive(Clone, Debug)]
pub struct StateWanted {
    pub session_id: PortalId,
    /// A key that may use its own logins only.
    pub opener: Option<ServiceKeyId>,
}

/// A key that may use its own logins only has shown the credentials of the session that lives here.
#[derive(Clone, Debug)]
pub struct Opened(pub ServiceKeyId);

/// Work at the portal begins, other than a login.
#[derive(Clone, Debug)]
pub struct TaskStarted(pub Work);

/// A login at the portal begins; with a keyed hash of its username.
#[derive(Clone, Debug)]
pub struct LoginStarted {
    pub username: String,
}

/// The registry has something against the new login of the session that lives here, or cannot be asked.
#[derive(Clone, Copy, Debug)]
pub struct HeldBack(pub Held);

/// The login is about to go that far.
#[derive(Clone, Copy, Debug)]
pub struct Reaching(pub Reached);

/// The portal has taken the credentials; what it will do with them is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn;

/// What comes next cannot be undone.
#[derive(Clone, Copy, Debug)]
pub struct Committing;

/// With the id for the session, if it is a new one. Refused with [`Code::Closed`] if the session that it was for was closed
/// meanwhile: then it is logged out again, unless somebody wants it soon.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    pub session_id: PortalId,
    pub keep_alive: bool,
    /// The key that gave the credentials, if it may use its own logins only.
    pub opener: Option<ServiceKeyId>,
    /// When it has to be kept alive, if that is known.
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct LoginFailed(pub Failure);

/// The login has come to what only a person can do, and waits for them in an open browser.
#[derive(Clone, Debug)]
pub struct PersonAsked {
    pub failure: Failure,
    /// It waits no longer.
    pub until: Timestamp,
    /// As in [`LoggedIn`].
    pub keep_alive: bool,
    pub opener: Option<ServiceKeyId>,
}

/// A browser is open that does not end with its connection.
#[derive(Clone, Copy, Debug)]
pub struct BrowserOpened;

/// It was to be closed.
#[derive(Clone, Copy, Debug)]
pub struct BrowserClosed {
    pub done: bool,
}

/// The login that has begun was held back before its password was sent.
#[derive(Clone, Copy, Debug)]
pub struct NotSent(pub Held);

/// The login that has just failed did so because of this captcha key.
#[derive(Clone, Debug)]
pub struct KeyRefused {
    pub print: String,
    pub code: Code,
}

/// The cookies of a login that was broken off are of no use.
#[derive(Clone, Copy, Debug)]
pub struct NotSignedIn;

/// The portal has shown a page of a logged-in user; `used`: to a caller.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed {
    pub used: bool,
    /// When it has to be kept alive, if that is known.
    pub due: Option<Timestamp>,
}

/// Work that a caller wanted ended well without the portal.
#[derive(Clone, Copy, Debug)]
pub struct Unasked;

/// The portal says that the session is over. `again`: right after a new login.
#[derive(Clone, Copy, Debug)]
pub struct LoggedOut {
    pub again: bool,
}

/// Work other than a login failed, and the session may be fine.
#[derive(Clone, Debug)]
pub struct Failed(pub Failure);

/// A keep-alive failed, and the session may be fine.
#[derive(Clone, Debug)]
pub struct KeepAliveFailed(pub Failure);

/// A session is ended from here.
#[derive(Clone, Debug)]
pub struct Closed {
    pub session_id: PortalId,
    pub reason: End,
    /// A key that may use its own logins only.
    pub opener: Option<ServiceKeyId>,
}

/// What is stored of the session cannot be opened.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable;

/// The alarm, or the Cron Trigger.
#[derive(Clone, Copy, Debug)]
pub struct Woke;

/// Work was under way, and nobody is at it.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted;

#[derive(Clone, Copy, Debug)]
pub struct LogoutFinished {
    pub done: bool,
}

/// The registry is about to be told.
#[derive(Clone, Copy, Debug)]
pub struct SyncStarted;

#[derive(Clone, Copy, Debug)]
pub struct Synced {
    pub change: u64,
}

steps! {
    Wanted => Result<Usable, Refusal>: |Wanted { keep_alive, saves }, login, c| {
        login.wanted(keep_alive, saves, c)
    };
    Resumed => Resumption: |Resumed { session_id, saves, opener }, login, c| match &login.session {
        Some(live) if live.session_id == session_id && !login.is_anothers(opener.as_ref()) => {
            login.serve(saves, c.policy, c.now).map_or_else(Resumption::Refused, Resumption::Usable)
        }
        _ => Resumption::Gone(login.gone(&session_id, opener.as_ref())),
    };
    // It is there also while the portal cannot be asked.
    StateWanted => Resumption: |StateWanted { session_id, opener }, login, c| match &login.session {
        Some(live) if live.session_id == session_id && !login.is_anothers(opener.as_ref()) => login
            .used(false, c.policy, c.now)
            .map_or_else(Resumption::Refused, Resumption::Usable),
        _ => Resumption::Gone(login.gone(&session_id, opener.as_ref())),
    };
    EventAttempted => (): |EventAttempted { sequence, attempt }, login, _| {
        if let Some(outbox) = &mut login.events {
            outbox.webhook.attempted(sequence, attempt);
        }
    };
    Opened => (): |Opened(opener), login, c| login.opened(opener, c.now);
    TaskStarted => (): |TaskStarted(work), login, c| {
        if let (Work::LogOut, Some(logout)) = (&work, &mut login.logout) {
            logout.try_at = logout.try_at.min(c.now);
        }
        login.task = Some(Task::new(work, c.now));
    };
    LoginStarted => (): |LoginStarted { username }, login, c| {
        login.logins.push(c.now);
        login.username = Some(username);
        login.task = Some(Task::new(Work::LogIn, c.now));
    };
    HeldBack => (): |HeldBack(held), login, _| login.held = login.session.as_ref().map(|_| held);
    Reaching => (): |Reaching(reached), login, _| {
        if let Some(task) = &mut login.task {
            task.reached = task.reached.max(reached);
            task.paid |= reached == Reached::Captcha;
        }
    };
    SignedIn => (): |Self, login, _| login.signed_in = true;
    Committing => (): |Self, login, _| {
        if let Some(task) = &mut login.task {
            task.committing = true;
        }
    };
    LoggedIn => Result<(), Refusal>: |LoggedIn { session_id, keep_alive, opener, due }, login, c| {
        let end = login.logged_in(session_id, keep_alive, opener, c);
        login.due_at(due, c.now);
        end
    };
    LoginFailed => Refusal: |LoginFailed(failure), login, c| {
        login.login_failed(failure, c)
    };
    PersonAsked => Refusal: |PersonAsked { failure, until, keep_alive, opener }, login, c| {
        login.person_asked(&failure, until, keep_alive, opener, c)
    };
    BrowserOpened => (): |Self, login, c| {
        login.browser = Some(OpenBrowser { attempts: 0, try_at: c.now });
    };
    BrowserClosed => (): |BrowserClosed { done }, login, c| login.browser_closed(done, c.now);
    NotSent => Refusal: |NotSent(held), login, c| login.not_sent(held, c.now);
    KeyRefused => (): |KeyRefused { print, code }, login, c| login.refuse_key(print, code, c.now);
    NotSignedIn => (): |Self, login, _| {
        login.signed_in = false;
        login.task = None;
        login.logout.take_if(|logout| logout.broken_off);
    };
    Confirmed => (): |Confirmed { used, due }, login, c| {
        login.task = None;
        login.confirmed(used, c.policy, c.now, c.jitter);
        login.due_at(due, c.now);
    };
    Unasked => (): |Self, login, c| {
        login.task = None;
        if let Some(live) = &mut login.session {
            live.last_used = live.last_used.max(c.now);
        }
    };
    LoggedOut => Lost: |LoggedOut { again }, login, c| login.logged_out(again, c.policy, c.now);
    Failed => Refusal: |Failed(failure), login, c| login.failed(failure, false, c.policy, c.now, c.jitter);
    KeepAliveFailed => Refusal: |KeepAliveFailed(failure), login, c| {
        login.failed(failure, true, c.policy, c.now, c.jitter)
    };
    Unreadable => (): |Self, login, c| {
        login.task = None;
        login.signed_in = false;
        login.logout = None;
        login.end(End::Unreadable, c.now);
    };
    Interrupted => (): |Self, login, c| login.interrupted(c.now);
    LogoutFinished => (): |LogoutFinished { done }, login, c| login.logout_finished(done, c.now);
    SyncStarted => (): |Self, login, c| {
        if let Some(pending_sync) = &mut login.pending_sync {
            pending_sync.try_at = c.now.plus(SYNC_AGAIN);
        }
    };
    Synced => (): |Synced { change }, login, _| {
        login.pending_sync.take_if(|pending_sync| pending_sync.change == change);
    };
}

impl Step for Closed {
    /// An error: there is no such session any more.
    type Outcome = Result<(), Gone>;
    const ORDERED: bool = true;

    fn apply(self, login: &mut Login, c: &Context<'_>) -> Self::Outcome {
        let Self { session_id, reason, opener } = self;
        match &login.session {
            Some(live) if live.session_id == session_id && !login.is_anothers(opener.as_ref()) => {
                login.end(reason, c.now);
                Ok(())
            }
            _ => Err(login.gone(&session_id, opener.as_ref())),
        }
    }
}

impl Step for Woke {
    type Outcome = Due;
    /// Whoever wakes it does what is due, which sets the alarm, or sees to the alarm.
    const ARMS: bool = false;

    fn apply(self, login: &mut Login, c: &Context<'_>) -> Due {
        login.woke(c.policy, c.now)
    }

    fn instead(&self, login: &Login, c: &Context<'_>) -> Option<Due> {
        login.forget_at(c.policy).is_some_and(|at| at <= c.now).then_some(Due::Forget)
    }
}
