//! The life of a session as a pure function: state, step and time in; state, reply and alarm out.

use super::events::Before;
use super::protocol::Ended;
use super::state::{Grant, Session, State, Tombstone};
use super::{Account, BEGINNING, EndReason, PROPAGATE_AFTER, PROPAGATE_EVERY_MAX, Pair, Policy, TOMBSTONE};
use base::clock::Timestamp;

/// Makes the tokens of a session: of the same grant the same ones, to the byte. Without it nothing is decided, so a fault here
/// changes nothing.
pub trait Mint {
    fn mint(&self, grant: &Grant, account: &Account) -> Result<Pair, Fault>;
}

/// The tokens could not be made. The state is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// What is to be done, all in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<R> {
    /// The state from now on; `None` is a session that nobody knows.
    pub state: Option<State>,
    /// Whether storage must have it before the reply goes out.
    pub save: bool,
    pub reply: R,
    /// When the object's alarm is due, if that changes. Of a session that has ended, at the latest.
    pub alarm: Option<Timestamp>,
    /// Something has happened that others are to be told of.
    pub is_news: bool,
}

pub type Decided<R> = Result<Decision<R>, Fault>;

/// What a step is decided by, beside the state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub policy: &'a Policy,
    pub now: Timestamp,
    pub mint: &'a dyn Mint,
}

/// Something that happens to a session.
pub trait Step: Sized {
    /// Of whatever step, it may be found that the session has ended.
    type Reply: From<Ended>;

    /// To a session that nobody knows.
    fn unopened(self, context: Context<'_>) -> Decided<Self::Reply>;

    /// To one that has ended.
    fn ended(self, tombstone: Tombstone, _context: Context<'_>) -> Decided<Self::Reply> {
        Ok(still_ended(tombstone))
    }

    /// To one whose time is not over.
    fn live(self, session: Session, context: Context<'_>) -> Decided<Self::Reply>;
}

/// Decides what `step` does to a session at `now`.
pub fn decide<S: Step>(
    mut state: Option<State>,
    step: S,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Decided<S::Reply> {
    let context = Context { policy, now, mint };
    let before = Before::of(&mut state);
    let mut decision = match state {
        None => step.unopened(context),
        Some(State::Ended(tombstone)) => step.ended(tombstone, context),
        Some(State::Live(session)) => match session.over(policy, now) {
            Some(reason) => Ok(end(&session, reason, context, S::Reply::from)),
            None => step.live(*session, context),
        },
    }?;
    decision.is_news = before.tell(&mut decision.state, policy, now);
    Ok(decision)
}

/// The session lives on.
pub(super) fn keep<R>(session: Session, reply: R, save: bool) -> Decision<R> {
    Decision { state: Some(State::Live(Box::new(session))), save, reply, alarm: None, is_news: false }
}

pub(super) fn unopened<R>(reply: R) -> Decision<R> {
    Decision { state: None, save: false, reply, alarm: None, is_news: false }
}

pub(super) fn still_ended<R: From<Ended>>(tombstone: Tombstone) -> Decision<R> {
    let reply = report(&tombstone, false).into();
    Decision { state: Some(State::Ended(tombstone)), save: false, reply, alarm: None, is_news: false }
}

pub(super) fn end<R>(
    session: &Session,
    reason: EndReason,
    Context { policy, now, .. }: Context<'_>,
    reply: impl FnOnce(Ended) -> R,
) -> Decision<R> {
    let begun_until = session.created_at.plus(BEGINNING);
    let tombstone = Tombstone {
        again_at: (now < begun_until).then_some(begun_until),
        reason,
        ended_at: now,
        account: Some(session.account.clone()),
        generation: session.grant.generation,
        access_expires_at: session.grant.access_expires_at,
        end_propagated: false,
        tokens_expire_at: Some(session.grant.refresh_expires_at.max(session.grant.access_expires_at)),
        unnoted: false,
        events: None,
    };
    bury(tombstone, policy, reply)
}

pub(super) fn bury<R>(tombstone: Tombstone, policy: &Policy, reply: impl FnOnce(Ended) -> R) -> Decision<R> {
    let reply = reply(report(&tombstone, true));
    let alarm = Some(tombstone.alarm(policy, tombstone.ended_at));
    Decision { state: Some(State::Ended(tombstone)), save: true, reply, alarm, is_news: false }
}

/// When an end that could not be told is told again: a minute after it, then after twice as long each time, then every hour, until it is forgotten.
pub(super) fn propagate_again(ended_at: Timestamp, now: Timestamp) -> Timestamp {
    let elapsed = now.since(ended_at);
    let mut after = PROPAGATE_AFTER;
    while after <= elapsed && after < PROPAGATE_EVERY_MAX {
        after *= 2;
    }
    if after <= elapsed {
        let late = elapsed.saturating_sub(after).as_secs() / PROPAGATE_EVERY_MAX.as_secs();
        after += PROPAGATE_EVERY_MAX * (u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1));
    }
    ended_at.plus(after.min(TOMBSTONE))
}

pub(super) fn report(tombstone: &Tombstone, now: bool) -> Ended {
    Ended {
        reason: tombstone.reason,
        account: tombstone.account.clone(),
        generation: tombstone.generation,
        access_expires_at: tombstone.access_expires_at,
        now,
        end_propagated: tombstone.end_propagated,
        ended_at: Some(tombstone.ended_at),
        tokens_expire_at: tombstone.tokens_expire_at,
    }
}
