//! What the object of a portal login keeps. No secret is in it: credentials and cookies lie sealed beside it.

use super::code::{Code, Failure};
use super::events::Outbox;
use super::protocol::Refusal;
use super::refusals::Held;
use base::clock::{Timestamp, seconds_up};
use base::event::EventTypes;
use base::ids::{PortalId, ServiceKeyId};
use base::jitter::Jitter;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How portal sessions are kept, from the settings.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A keep-alive session loads a page this often.
    pub keep_alive: Duration,
    /// How much earlier or later than that, in percent.
    pub jitter_percent: u32,
    /// A session that is not kept alive ends when it was not used for this long.
    pub idle: Duration,
    /// A wizard that nobody goes on with is forgotten after this.
    pub wizard_idle: Duration,
    /// Live sessions of this deployment.
    pub sessions_max: usize,
    /// Whether a session that the portal has ended is logged in again, once.
    pub relogin: bool,
    /// One that nobody has used for longer is not logged in again by itself.
    pub relogin_unused: Duration,
    /// How long credentials that the portal refused are not tried again.
    pub cooldown: Duration,
    /// Logins for the same credentials in any hour, whatever comes of them.
    pub logins_per_hour: usize,
    /// The longest that one operation, or a login, takes.
    pub timeout: Duration,
    /// What others are told of.
    pub events: EventTypes,
}

/// The state of one login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub session: Option<Live>,
    /// The last session that ended, for its next caller.
    #[serde(default)]
    pub ended: Option<Ended>,
    #[serde(default)]
    pub refused: Option<Refused>,
    /// A keyed hash of the username, which refusals are counted for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What there is against the new login of the session that lives here, by refusals of other passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    #[serde(default)]
    pub trouble: Option<RetryState>,
    /// Captcha keys that the captcha service refused.
    #[serde(default)]
    pub refused_keys: Vec<RefusedKey>,
    /// When logins of the last hour were begun.
    #[serde(default)]
    pub logins: Vec<Timestamp>,
    /// What is being done at the portal: stored before its first call.
    #[serde(default, rename = "flight")]
    pub task: Option<Task>,
    /// The cookies are of a login that was broken off after the portal had taken the credentials.
    #[serde(default)]
    pub signed_in: bool,
    /// What a login waits for a person for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Box<Person>>,
    /// A browser of it is open, and does not end with its connection. How it is found lies sealed beside this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<OpenBrowser>,
    /// A portal session of ours that is still to be logged out there.
    #[serde(default, rename = "farewell")]
    pub logout: Option<PendingLogout>,
    /// What the registry does not know yet.
    #[serde(default, rename = "untold")]
    pub pending_sync: Option<PendingSync>,
    /// The service keys, by the first of their lines, that have shown the credentials while the portal took them: those that are
    /// only for logins of their own may use this one. The latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openers: Vec<ServiceKeyId>,
    /// What others are still to be told, if they want to be told anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Box<Outbox>>,
    /// The last work that failed at the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<LastFailure>,
}

/// Work that failed, for people: when, why and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    pub at: Timestamp,
    pub code: Code,
    /// What was being done; nothing, if nothing was begun.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
}

impl LastFailure {
    /// Whether it is another one than that of before, and not the same once more.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| (before.code, &before.step) != (self.code, &self.step))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub session_id: PortalId,
    pub created_at: Timestamp,
    /// By a caller. A keep-alive is no use.
    pub last_used: Timestamp,
    pub keep_alive: bool,
    /// When the portal last showed a page of a logged-in user.
    pub confirmed_at: Timestamp,
    /// When it is to be asked for one next, if it is kept alive.
    pub refresh_at: Timestamp,
    /// Since when it is known that the portal has ended it, and could not be asked for another login.
    #[serde(default)]
    pub lost_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Saved::is_nothing")]
    pub saved: Saved,
    /// It was begun with a state that somebody gave, and the portal has not taken the credentials since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// For how long browsers were held for it, its logins included.
    #[serde(default, skip_serializing_if = "base::clock::is_zero")]
    pub browser_milliseconds: u64,
}

/// What a session has spared its callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Calls that found it alive.
    pub logins: u64,
    /// Those among them whose login would have cost a captcha, as the last one did.
    pub captchas: u64,
    /// Whether the last login has paid for one.
    #[serde(default)]
    pub paid: bool,
}

impl Saved {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

base::words! {
    /// How a session ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum End {
        /// `DELETE /sessions/{session_id}`
        Closed = "closed",
        /// the limit: others were used more recently
        Evicted = "evicted",
        /// it was not used for too long, and was not kept alive
        Idle = "idle",
        /// the portal ended it, and logging in again failed or is switched off
        LoggedOut = "logged_out",
        /// the portal ended it, and it had not been used for too long to log in again
        Unused = "unused",
        /// the portal did not accept the credentials at the new login
        CredentialsRefused = "credentials_refused",
        /// the portal ended it, and the captcha of the new login was not solved
        Captcha = "captcha",
        /// its stored data [cannot be decrypted](portal.md#changing-the-sealing-key)
        Unreadable = "unreadable",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub session_id: PortalId,
    pub reason: End,
    pub at: Timestamp,
}

/// The portal has refused the credentials, or has not taken them for a reason that it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: Code,
    /// They are not tried again before.
    pub until: Timestamp,
    /// How often in a row.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

/// Longest that refused credentials are left alone, unless the setting is longer: each refusal doubles the wait, so that a
/// caller who asks again and again does not get an account locked that forgets failures in time.
const COOLDOWN_MAX: Duration = Duration::from_hours(4);
/// The same where the portal did not say that it refuses them: a page that has changed looks alike, and is mended by a deploy.
const UNSAID_MAX: Duration = Duration::from_hours(1);
/// How long after its wait a refusal still counts.
pub const REFUSED_KNOWN: Duration = Duration::from_hours(24);

impl Refused {
    pub fn after(before: Option<Self>, code: Code, cooldown: Duration, now: Timestamp) -> Self {
        let times = before.map_or(0, |r| r.times).saturating_add(1);
        let most = if code.refuses_credentials() { COOLDOWN_MAX } else { UNSAID_MAX };
        let wait = cooldown.saturating_mul(1 << (times - 1).min(16)).min(most.max(cooldown));
        Self { code, until: now.plus(wait), times }
    }

    pub fn forgotten_at(self) -> Timestamp {
        self.until.plus(REFUSED_KNOWN)
    }
}

/// The captcha service has refused a key: that is nothing to callers with another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedKey {
    /// A keyed hash.
    pub print: String,
    pub code: Code,
    /// It is not tried again before.
    pub until: Timestamp,
}

/// The portal cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryState {
    pub code: Code,
    pub status: Option<u16>,
    pub failures: u32,
    /// It is not asked again before.
    pub until: Timestamp,
    /// Whether it is down, by what it answers or does not. Else one page is not as it should be, and others may be.
    #[serde(default = "yes")]
    pub down: bool,
}

const fn yes() -> bool {
    true
}

/// The first wait after a failure; each later one is twice as long, up to the longest. Never less: so an hour of outage is
/// six calls in the first ten minutes, and then one in five.
const WAIT_FIRST: Duration = Duration::from_secs(15);
const WAIT_MAX: Duration = Duration::from_mins(5);
/// How long after its last wait a failure still counts.
pub const TROUBLE_KNOWN: Duration = Duration::from_hours(1);
/// Longest `Retry-After` that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

impl RetryState {
    pub fn after(before: Option<Self>, failure: &Failure, now: Timestamp, jitter: Jitter) -> Self {
        // Trouble of long ago is none of this one.
        let before = before.filter(|t| now < t.until.plus(TROUBLE_KNOWN));
        let failures = before.map_or(0, |t| t.failures).saturating_add(1);
        let wait = (WAIT_FIRST * (1 << (failures - 1).min(8))).min(WAIT_MAX);
        let wait = wait + jitter.up_to(wait / 4);
        let wait = wait.max(failure.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
        let down = failure.is_down();
        Self { code: failure.code, status: failure.status, failures, until: now.plus(wait), down }
    }

    pub fn refusal(self, now: Timestamp) -> Refusal {
        let retry_after_seconds = Some(seconds_up(self.until.since(now)).max(1));
        Refusal { status: self.status, retry_after_seconds, ..Refusal::new(self.code) }
    }
}

/// Work at the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub work: Work,
    pub began_at: Timestamp,
    /// Something may have been done that cannot be undone.
    #[serde(default)]
    pub committing: bool,
    /// It is a login whose session was closed meanwhile.
    #[serde(default)]
    pub abandoned: bool,
    /// How far it has come, if it is a login.
    #[serde(default)]
    pub reached: Reached,
    /// Whether it has come to where a captcha is paid for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
}

/// How far a login has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    #[default]
    Pages,
    /// It may have cost something.
    Captcha,
    /// The portal may have seen the password.
    Password,
}

impl Task {
    pub const fn new(work: Work, began_at: Timestamp) -> Self {
        Self { work, began_at, committing: false, abandoned: false, reached: Reached::Pages, paid: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    LogIn,
    KeepAlive,
    Run(String),
    LogOut,
}

impl Work {
    /// What kind of work it is, as metrics have it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LogIn => "login",
            Self::KeepAlive => "keep_alive",
            Self::Run(_) => "operation",
            Self::LogOut => "logout",
        }
    }
}

/// A login has come to what only a person can do, and goes on in the same browser once they have done it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub asked_at: Timestamp,
    /// It waits no longer.
    pub until: Timestamp,
    /// What the session is made for, if it is a new one.
    pub keep_alive: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opener: Option<ServiceKeyId>,
    /// Whether the login has paid for a captcha.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
}

/// It is closed by whoever opened it; or, if they are gone, by the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBrowser {
    /// How often that was tried in vain.
    #[serde(default)]
    pub attempts: u32,
    pub try_at: Timestamp,
}

/// A logout that is due at the portal. It is tried a few times; then the portal's own timeout does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogout {
    pub attempts: u32,
    pub try_at: Timestamp,
    /// Of a login that was broken off, and not of a session.
    #[serde(default)]
    pub broken_off: bool,
}

/// A change that the registry has to be told of. `change` counts up, so that what happens meanwhile is told as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingSync {
    pub change: u64,
    pub try_at: Timestamp,
}
