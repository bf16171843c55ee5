//! What happens to a session, for those who want to be told. It waits in the session's own row, so what is told of has
//! happened, and what has happened is told of, however the two are interrupted.

use super::state::{Session, State, Tombstone};
use super::{Account, Policy};
use base::clock::Timestamp;
use base::event::{EventType, EventTypes};
use base::ids::{SessionId, UserId};
use base::outbox;
pub use base::outbox::{Attempt, EVENTS_MAX};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Who is told of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    pub webhook: EventTypes,
    /// Of ends, by a logout token.
    pub logout: bool,
}

impl Receivers {
    pub const fn is_none(self) -> bool {
        self.webhook.is_none() && !self.logout
    }

    const fn want(self, event_type: EventType) -> bool {
        self.webhook.has(event_type) || (self.logout && event_type.is_end())
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// By OIDC Back-Channel Logout 1.0.
    Logout,
    Webhook,
}

impl Receiver {
    pub const ALL: [Self; 2] = [Self::Logout, Self::Webhook];
}

/// What has not been told yet, and what every event says of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Of the next event. The first has 1.
    pub next: u64,
    pub sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Queue::is_empty")]
    pub webhook: Queue,
    #[serde(default, skip_serializing_if = "Queue::is_empty")]
    pub logout: Queue,
    /// The session has ended, and nothing else is kept of it for another reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
}

/// What waits for one receiver.
pub type Queue = outbox::Queue<Event>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub sequence: u64,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_device: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

impl outbox::Event for Event {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Of a session there is one beginning and one end.
    fn is_minor(&self) -> bool {
        self.event_type == EventType::Refreshed
    }
}

impl Outbox {
    fn new(account: &Account) -> Self {
        let (sub, user_id) = (account.subject().into_owned(), account.user());
        let (webhook, logout) = (Queue::default(), Queue::default());
        Self { next: 1, sub, user_id, webhook, logout, alone: false }
    }

    pub const fn queue(&self, receiver: Receiver) -> &Queue {
        match receiver {
            Receiver::Webhook => &self.webhook,
            Receiver::Logout => &self.logout,
        }
    }

    pub const fn queue_mut(&mut self, receiver: Receiver) -> &mut Queue {
        match receiver {
            Receiver::Webhook => &mut self.webhook,
            Receiver::Logout => &mut self.logout,
        }
    }

    /// When somebody is to be told. Who is not asked for any more is not waited for.
    pub fn due(&self, receivers: Receivers) -> Option<Timestamp> {
        let wanted = [(&self.webhook, !receivers.webhook.is_none()), (&self.logout, receivers.logout)];
        wanted
            .into_iter()
            .filter(|(queue, asked)| *asked && !queue.is_empty())
            .map(|(queue, _)| queue.try_at)
            .min()
    }

    fn add(&mut self, mut event: Event, receivers: Receivers) {
        event.sequence = self.next;
        self.next += 1;
        if receivers.logout && event.event_type.is_end() {
            self.logout.push(event.clone());
        }
        if receivers.webhook.has(event.event_type) {
            self.webhook.push(event);
        }
    }
}

/// The same for an event at each attempt, and for no other.
pub fn message_id(session_id: &SessionId, event: &Event) -> String {
    format!("{session_id}-{}", event.sequence)
}

/// What a receiver reads: no names, no addresses, no tokens.
pub fn body(session_id: &SessionId, outbox: &Outbox, event: &Event) -> String {
    let kind = event.event_type;
    let mut data = json!({
        "session_id": session_id,
        "sequence": event.sequence,
        "sub": outbox.sub,
        "user_id": outbox.user_id,
    });
    if let Some(data) = data.as_object_mut() {
        match kind {
            EventType::Created => {
                data.insert("new_device".to_owned(), event.new_device.into());
                data.insert("device_name".to_owned(), event.device_name.as_deref().into());
            }
            EventType::Refreshed => {
                data.insert("generation".to_owned(), event.generation.into());
            }
            _ => {
                let reason = kind.as_str().rsplit('.').next();
                data.insert("reason".to_owned(), reason.into());
            }
        }
    }
    json!({ "type": kind.as_str(), "timestamp": event.at.rfc3339(), "data": data }).to_string()
}

/// What a step found, for what it tells of.
pub(super) struct Before {
    outbox: Option<Box<Outbox>>,
    /// Of a live session.
    generation: Option<u64>,
}

impl Before {
    /// Takes the outbox out of the state, so that no step has to know of it.
    pub fn of(state: &mut Option<State>) -> Self {
        match state {
            None => Self { outbox: None, generation: None },
            Some(State::Live(session)) => {
                Self { outbox: session.events.take(), generation: Some(session.grant.generation) }
            }
            Some(State::Ended(tombstone)) => Self { outbox: tombstone.events.take(), generation: None },
        }
    }

    /// Puts the outbox back, with what has happened. True if something has.
    pub fn tell(self, state: &mut Option<State>, policy: &Policy, now: Timestamp) -> bool {
        let Self { mut outbox, generation: before } = self;
        let event = |event_type| Event {
            sequence: 0,
            event_type,
            at: now,
            new_device: None,
            device_name: None,
            generation: None,
        };
        let (kept, account, event) = match state {
            None => return false,
            Some(State::Live(session)) => {
                let Session { account, device, grant, events, .. } = &mut **session;
                let event = match before {
                    None => Some(Event {
                        new_device: device.is_new,
                        device_name: device.name.clone(),
                        ..event(EventType::Created)
                    }),
                    Some(before) if before < grant.generation => {
                        Some(Event { generation: Some(grant.generation), ..event(EventType::Refreshed) })
                    }
                    Some(_) => None,
                };
                (events, Some(&*account), event)
            }
            Some(State::Ended(Tombstone { reason, account, events, .. })) => {
                // What was never open has not ended either.
                (events, account.as_ref(), before.map(|_| event((*reason).into())))
            }
        };
        let wanted = event.filter(|event| policy.receivers.want(event.event_type));
        let is_news = wanted.is_some();
        if let (Some(event), Some(account)) = (wanted, account) {
            outbox.get_or_insert_with(|| Box::new(Outbox::new(account))).add(event, policy.receivers);
        }
        *kept = outbox;
        is_news
    }
}

impl State {
    pub fn outbox(&self) -> Option<&Outbox> {
        match self {
            Self::Live(session) => session.events.as_deref(),
            Self::Ended(tombstone) => tombstone.events.as_deref(),
        }
    }

    /// To be changed and written.
    pub fn outbox_mut(&mut self) -> Option<&mut Outbox> {
        match self {
            Self::Live(session) => {
                session.stored_activity = session.last_activity;
                session.events.as_deref_mut()
            }
            Self::Ended(tombstone) => tombstone.events.as_deref_mut(),
        }
    }

    /// Nothing is kept of the session but what is still to be told: no name, either.
    pub fn leave_outbox_alone(&mut self) {
        if let Self::Ended(tombstone) = self {
            tombstone.forget_name();
            if let Some(outbox) = &mut tombstone.events {
                outbox.alone = true;
            }
        }
    }

    /// When somebody is to be told of what has happened.
    pub fn events_due(&self, policy: &Policy) -> Option<Timestamp> {
        self.outbox()?.due(policy.receivers)
    }
}
