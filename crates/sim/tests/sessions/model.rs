//! What the contract promises of one session, without storage, sealing or alarms.

use super::support::POLICY;
use base::account::EndReason;
use base::clock::Timestamp;
use proptest::prelude::*;
use session::{Acknowledgement, Ended, Pair, Presence, RenewReply, Revoked, RotateReply, Tokens, Verdict};
use std::collections::HashMap;
use std::time::Duration;

/// Whose session it is: a user's, or that of somebody externally authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    User,
    External,
}

/// What was answered, whatever was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Tokens(Tokens),
    Live,
    Ended(Ended),
    Reused,
    Unknown,
    Done,
    Rejected,
    Unverified,
}

impl From<Presence> for Reply {
    fn from(reply: Presence) -> Self {
        match reply {
            Presence::Live(_) => Self::Live,
            Presence::Ended(ended) => Self::Ended(ended),
            Presence::Unknown => Self::Unknown,
        }
    }
}

impl From<Revoked> for Reply {
    fn from(reply: Revoked) -> Self {
        Self::Ended(reply.ended)
    }
}

impl From<Acknowledgement> for Reply {
    fn from(reply: Acknowledgement) -> Self {
        match reply {
            Acknowledgement::Done => Self::Done,
            Acknowledgement::Ended(ended) => Self::Ended(ended),
            Acknowledgement::Unknown => Self::Unknown,
        }
    }
}

impl From<RotateReply> for Reply {
    fn from(reply: RotateReply) -> Self {
        RenewReply::from(reply).into()
    }
}

impl From<RenewReply> for Reply {
    fn from(reply: RenewReply) -> Self {
        match reply {
            RenewReply::Tokens(tokens) => Self::Tokens(tokens),
            RenewReply::Ended(ended) => Self::Ended(ended),
            RenewReply::Reused(_) => Self::Reused,
            RenewReply::Unknown => Self::Unknown,
            RenewReply::ExternalTokenRejected { .. } => Self::Rejected,
            RenewReply::Unverified(_) => Self::Unverified,
            other => panic!("the channel is set up: {other:?}"),
        }
    }
}

/// What is done to a session, and for which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Touch { generation: u64, passive: bool },
    Rotate { generation: u64 },
    Renew { generation: u64 },
    Verified(Verdict),
    Revoke,
    Expire,
    Peek,
    EndPropagated,
    SetAccount,
}

/// What the contract promises, without storage, sealing or alarms.
pub struct Model {
    kind: Kind,
    pub ended: Option<EndReason>,
    born: Timestamp,
    /// The last activity that an answer, or a write that nobody heard of, has stood for.
    pub active: Timestamp,
    /// Since then, memory was lost.
    pub forgotten: bool,
    pub generation: u64,
    rotated: Timestamp,
    confirmed: bool,
    issued: Timestamp,
    /// Tokens that anybody was given, by generation.
    given: HashMap<u64, Pair>,
}

/// Whether the session must be over, must be live, or may be either (memory was lost and it is within the slack).
#[derive(Debug, PartialEq, Eq)]
pub enum Must {
    Live,
    Over(EndReason),
    Either,
}

impl Model {
    pub fn new(kind: Kind, now: Timestamp) -> Self {
        Self {
            kind,
            ended: None,
            born: now,
            active: now,
            forgotten: false,
            generation: 0,
            rotated: now,
            confirmed: true,
            issued: now,
            given: HashMap::new(),
        }
    }

    pub fn must(&self, now: Timestamp) -> Must {
        if let Some(reason) = self.ended {
            return Must::Over(reason);
        }
        let ttl = match self.kind {
            Kind::User => POLICY.refresh_ttl,
            Kind::External => POLICY.external_ttl,
        };
        let lifetime = self.born.plus(POLICY.absolute).min(self.issued.plus(ttl));
        let idle = self.active.plus(POLICY.idle);
        let slack = if self.forgotten { POLICY.activity_write() } else { Duration::ZERO };
        if now >= lifetime && lifetime <= idle {
            Must::Over(EndReason::Lifetime)
        } else if now > idle.plus(slack) && idle.plus(slack) < lifetime {
            Must::Over(EndReason::Inactivity)
        } else if now <= idle && now < lifetime {
            Must::Live
        } else {
            Must::Either
        }
    }

    fn may_repeat(&self, now: Timestamp) -> bool {
        now <= self.rotated.plus(POLICY.grace) || !self.confirmed
    }

    fn moved(&mut self, now: Timestamp) {
        self.active = now;
        self.forgotten = false;
    }

    /// What a step that was carried out does to the model, and whether its answer (if anybody heard it) is right.
    pub fn check(&mut self, step: Step, reply: Option<&Reply>, now: Timestamp) -> Result<(), TestCaseError> {
        let before = self.must(now);
        // A session that may be over or not is what its answer says; unheard, it is left open by asking again.
        if let Must::Over(reason) = before {
            self.ended = Some(reason);
            match reply {
                None => {}
                Some(Reply::Ended(ended)) => prop_assert_eq!(ended.reason, reason),
                Some(Reply::Done) => prop_assert_eq!(step, Step::EndPropagated),
                Some(other) => prop_assert!(false, "{:?} of a session that is over: {:?}", step, other),
            }
            return Ok(());
        }
        if let (Must::Either, Some(Reply::Ended(ended))) = (before, reply)
            && matches!(ended.reason, EndReason::Inactivity | EndReason::Lifetime)
        {
            self.ended = Some(ended.reason);
            return Ok(());
        }
        match step {
            Step::Touch { generation, .. } | Step::Rotate { generation } | Step::Renew { generation }
                if generation > self.generation =>
            {
                prop_assert!(matches!(reply, None | Some(Reply::Unknown)));
            }
            Step::Touch { generation, passive } => {
                prop_assert!(matches!(reply, None | Some(Reply::Live)), "{:?}", reply);
                self.confirmed |= generation == self.generation;
                if !passive {
                    self.moved(now);
                }
            }
            // The other system is asked, and there is no answer yet.
            Step::Renew { generation } if generation == self.generation => {
                prop_assert!(reply.is_none(), "{:?}", reply);
                self.confirmed = true;
                self.moved(now);
            }
            Step::Rotate { generation } if generation == self.generation => self.rotate(reply, now)?,
            Step::Verified(Verdict::Valid) => self.rotate(reply, now)?,
            Step::Verified(_) => {
                prop_assert!(matches!(reply, None | Some(Reply::Rejected)), "{:?}", reply);
                self.ended = Some(EndReason::External);
            }
            Step::Rotate { generation } | Step::Renew { generation }
                if generation + 1 == self.generation && self.may_repeat(now) =>
            {
                self.moved(now);
                self.tokens(reply, now)?;
            }
            Step::Rotate { .. } | Step::Renew { .. } => {
                prop_assert!(matches!(reply, None | Some(Reply::Reused)), "{:?}", reply);
                self.ended = Some(EndReason::Reuse);
            }
            Step::Revoke => {
                prop_assert!(matches!(reply, None | Some(Reply::Ended(_))));
                self.ended = Some(EndReason::Admin);
            }
            Step::Expire | Step::Peek => {
                prop_assert!(matches!(reply, None | Some(Reply::Live)), "{:?}", reply);
            }
            Step::EndPropagated => prop_assert!(matches!(reply, None | Some(Reply::Unknown))),
            Step::SetAccount => prop_assert!(matches!(reply, None | Some(Reply::Done))),
        }
        Ok(())
    }

    fn rotate(&mut self, reply: Option<&Reply>, now: Timestamp) -> Result<(), TestCaseError> {
        self.generation += 1;
        (self.rotated, self.issued, self.confirmed) = (now, now, false);
        self.moved(now);
        self.tokens(reply, now)
    }

    /// Everybody who is given a generation is given the same two tokens, but for an access token that has run out.
    fn tokens(&mut self, reply: Option<&Reply>, now: Timestamp) -> Result<(), TestCaseError> {
        match reply {
            None => {}
            Some(Reply::Tokens(Tokens { pair, .. })) => {
                let given = self.given.entry(self.generation).or_insert_with(|| pair.clone());
                prop_assert_eq!(given.refresh.expose(), pair.refresh.expose());
                let good = now.seconds() < given.access_expires_at.seconds();
                prop_assert!(!good || given.access.expose() == pair.access.expose());
                prop_assert!(pair.access_expires_at > now && pair.access_expires_at > pair.counted_from);
                *given = pair.clone();
            }
            Some(other) => prop_assert!(false, "no tokens: {:?}", other),
        }
        Ok(())
    }
}
