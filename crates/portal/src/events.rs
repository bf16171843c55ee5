//! What happens to a portal login, for those who want to be told. It waits in the login's own row, so what is told of has happened, and
//! what has happened is told of, however the two are interrupted.

use super::code::Code;
use super::decide::Context;
use super::state::{End, Login};
use base::clock::Timestamp;
use base::event::{EventType, EventTypes};
use base::ids::PortalId;
use base::outbox::{self, Queue};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What has not been told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The sequence of the next event. It begins with the time, so that it goes on growing where a login was forgotten in between.
    pub next: u64,
    #[serde(default, skip_serializing_if = "Queue::is_empty")]
    pub webhook: Queue<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub sequence: u64,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub at: Timestamp,
    /// Of a login that failed, that which it was for, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<PortalId>,
    /// Of a login that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

impl outbox::Event for Event {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn is_minor(&self) -> bool {
        self.event_type == EventType::PortalLoginFailed
    }
}

impl From<End> for EventType {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::PortalClosed,
            End::Evicted => Self::PortalEvicted,
            End::Idle => Self::PortalIdle,
            End::LoggedOut => Self::PortalLoggedOut,
            End::Unused => Self::PortalUnused,
            End::CredentialsRefused => Self::PortalCredentialsRefused,
            End::Captcha => Self::PortalCaptcha,
            End::Unreadable => Self::PortalUnreadable,
        }
    }
}

/// Whether somebody has to do something about a login that failed so. What passes by itself is nothing to wake anybody for.
const fn needs_somebody(code: Code) -> bool {
    code.refuses_credentials()
        || code.refuses_captcha_key()
        || matches!(
            code,
            Code::CaptchaUnsolved
                | Code::CaptchaFailed
                | Code::UnexpectedResponse
                | Code::Redirected
                | Code::NeedsHuman
        )
}

/// The session that a step finds, if anybody wants to be told what becomes of it.
pub(super) struct Before(Option<PortalId>);

impl Before {
    pub fn of(login: &Login, c: &Context<'_>) -> Self {
        let live = login.session.as_ref().filter(|_| !c.policy.events.is_none());
        Self(live.map(|live| live.session_id.clone()))
    }

    /// Tells what has become of it.
    pub fn tell(self, login: &mut Login, c: &Context<'_>) {
        if c.policy.events.is_none() {
            return;
        }
        let Self(before) = self;
        let after = login.session.as_ref().map(|live| live.session_id.clone());
        if before == after {
            return;
        }
        if let Some(id) = before
            && let Some(reason) =
                login.ended.as_ref().filter(|ended| ended.session_id == id).map(|e| e.reason)
        {
            login.tell(Event { session_id: Some(id), ..event(reason.into(), c) }, c);
        }
        if after.is_some() {
            login.tell(Event { session_id: after, ..event(EventType::PortalOpened, c) }, c);
        }
    }
}

fn event(event_type: EventType, c: &Context<'_>) -> Event {
    Event { sequence: 0, event_type, at: c.now, session_id: None, code: None, step: None }
}

impl Login {
    fn tell(&mut self, mut event: Event, c: &Context<'_>) {
        if !c.policy.events.has(event.event_type) {
            return;
        }
        let outbox = self
            .events
            .get_or_insert_with(|| Box::new(Outbox { next: c.now.millis(), webhook: Queue::default() }));
        event.sequence = outbox.next;
        outbox.next += 1;
        outbox.webhook.push(event);
    }

    /// A login has failed, for the session that is still there, if one is.
    pub(super) fn tell_failure(&mut self, code: Code, step: &str, c: &Context<'_>) {
        if needs_somebody(code) {
            let session_id = self.session.as_ref().map(|live| live.session_id.clone());
            let step = Some(step.to_owned()).filter(|step| !step.is_empty());
            let failed =
                Event { session_id, code: Some(code), step, ..event(EventType::PortalLoginFailed, c) };
            self.tell(failed, c);
        }
    }

    /// A login waits for a person, for the session that is still there, if one is.
    pub(super) fn tell_needs_human(&mut self, c: &Context<'_>) {
        let session_id = self.session.as_ref().map(|live| live.session_id.clone());
        self.tell(Event { session_id, ..event(EventType::PortalNeedsHuman, c) }, c);
    }

    /// When somebody is to be told. Who is not asked for any more is not waited for.
    pub fn events_due(&self, told: EventTypes) -> Option<Timestamp> {
        let queue = self.events.as_ref().map(|outbox| &outbox.webhook);
        queue.filter(|queue| !told.is_none() && !queue.is_empty()).map(|queue| queue.try_at)
    }
}

/// The same for an event at each attempt, and for no other.
pub fn message_id(name: &str, event: &Event) -> String {
    [&name.replace('/', "-"), "-", &event.sequence.to_string()].concat()
}

/// What a receiver reads: the login by its keyed name, never a username.
pub fn body(name: &str, event: &Event) -> String {
    let kind = event.event_type;
    let mut data = json!({
        "portal_login": name,
        "session_id": event.session_id,
        "sequence": event.sequence,
    });
    if let Some(data) = data.as_object_mut() {
        match kind {
            EventType::PortalOpened | EventType::PortalNeedsHuman => {}
            EventType::PortalLoginFailed => {
                data.insert("code".to_owned(), event.code.map(Code::as_str).into());
                data.insert("step".to_owned(), event.step.as_deref().into());
            }
            _ => {
                let reason = kind.as_str().rsplit('.').next();
                data.insert("reason".to_owned(), reason.into());
            }
        }
    }
    json!({ "type": kind.as_str(), "timestamp": event.at.rfc3339(), "data": data }).to_string()
}
