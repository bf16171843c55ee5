//! What each command does to a session, as it is found.

use super::decide::{Context, Decided, Decision, Step, bury, end, keep, still_ended, unopened};
use super::protocol::{
    Acknowledgement, EndPropagated, Ended, Expire, Live, Open, OpenReply, Peek, Presence, Revoke, Revoked,
    SetAccount, Tokens, Touch, Unnoted,
};
use super::rotation::{forget_rotation, grant};
use super::state::{Session, State, Tombstone};
use super::{BEGINNING, Pair, Policy, TOMBSTONE};
use base::clock::Timestamp;
use std::time::Duration;

impl Step for Open {
    type Reply = OpenReply;

    fn unopened(self, cx: Context<'_>) -> Decided<OpenReply> {
        if self.until.is_some_and(|until| until <= cx.now) {
            return Ok(unopened(OpenReply::Unknown));
        }
        let absolute_expires_at = cx.now.plus(cx.policy.absolute);
        let channel = self.external.map(|external| external.channel);
        let grant = grant(0, absolute_expires_at, channel.is_some(), cx.now, cx);
        let pair = Pair { counted_from: cx.now, ..cx.mint.mint(&grant, &self.account)? };
        let session = Session {
            account: self.account,
            account_version: self.account_version,
            device: self.device,
            created_at: cx.now,
            absolute_expires_at,
            last_activity: cx.now,
            grant,
            rotation: None,
            refreshes: Vec::new(),
            channel,
            events: None,
            stored_activity: cx.now,
            unknown_activity: Duration::ZERO,
        };
        let alarm = Some(session.over_at(cx.policy));
        let reply = OpenReply::Tokens(Tokens { pair, account: session.account.clone() });
        Ok(Decision { alarm, ..keep(session, reply, true) })
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<OpenReply> {
        // The call was repeated because its answer was lost: the same tokens again.
        if session.grant.generation == 0 && self.account == session.account {
            let pair = Pair { counted_from: cx.now, ..cx.mint.mint(&session.grant, &self.account)? };
            let reply = OpenReply::Tokens(Tokens { pair, account: self.account });
            return Ok(keep(session, reply, false));
        }
        // The id is fresh from the namespace, so nobody else can mean it.
        Ok(keep(session, OpenReply::Unknown, false))
    }
}

impl Step for Touch {
    type Reply = Presence;

    fn unopened(self, _: Context<'_>) -> Decided<Presence> {
        Ok(unopened(Presence::Unknown))
    }

    fn live(self, mut session: Session, cx: Context<'_>) -> Decided<Presence> {
        if self.generation > session.grant.generation {
            return Ok(keep(session, Presence::Unknown, false));
        }
        let save = seen(&mut session, self.generation, self.passive, cx);
        let live = Live { lifetime_ends_at: None, device: None, ..view(&session, cx.policy) };
        Ok(keep(session, Presence::Live(live), save))
    }
}

impl Step for Revoke {
    type Reply = Revoked;

    fn unopened(self, cx: Context<'_>) -> Decided<Revoked> {
        if self.token.is_some() {
            return Ok(unopened(Ended::long_ago(self.reason).into()));
        }
        let tombstone = Tombstone {
            reason: self.reason,
            ended_at: cx.now,
            account: None,
            generation: 0,
            access_expires_at: cx.now.plus(cx.policy.access_ttl),
            end_propagated: false,
            again_at: Some(cx.now.plus(BEGINNING)),
            tokens_expire_at: Some(cx.now),
            unnoted: false,
            events: None,
        };
        Ok(bury(tombstone, cx.policy, Revoked::from))
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<Revoked> {
        let (subject, current) = (session.account.subject(), session.grant.generation);
        if self.token.is_some_and(|token| token.subject != subject || token.generation > current) {
            let ended = Ended::long_ago(self.reason);
            return Ok(keep(session, Revoked { ended, is_foreign: true }, false));
        }
        Ok(end(&session, self.reason, cx, Revoked::from))
    }
}

impl Step for SetAccount {
    type Reply = Acknowledgement;

    fn unopened(self, _: Context<'_>) -> Decided<Acknowledgement> {
        Ok(unopened(Acknowledgement::Unknown))
    }

    fn live(self, mut session: Session, _: Context<'_>) -> Decided<Acknowledgement> {
        // Messages may come late, and in the other order. That it knows better is as good as being told.
        if self.account_version < session.account_version || self.account.user_id != session.account.user_id {
            return Ok(keep(session, Acknowledgement::Done, false));
        }
        session.account = self.account;
        session.account_version = self.account_version;
        session.stored_activity = session.last_activity;
        Ok(keep(session, Acknowledgement::Done, true))
    }
}

impl Step for Peek {
    type Reply = Presence;

    fn unopened(self, _: Context<'_>) -> Decided<Presence> {
        Ok(unopened(Presence::Unknown))
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<Presence> {
        let reply = Presence::Live(view(&session, cx.policy));
        Ok(keep(session, reply, false))
    }
}

impl Step for Expire {
    type Reply = Presence;

    fn unopened(self, _: Context<'_>) -> Decided<Presence> {
        Ok(unopened(Presence::Unknown))
    }

    fn ended(self, mut tombstone: Tombstone, cx: Context<'_>) -> Decided<Presence> {
        // What the release before has told of is told once more.
        let is_of_before = tombstone.tokens_expire_at.is_none();
        let once_more = is_of_before && tombstone.again_at.take_if(|at| *at <= cx.now).is_some();
        tombstone.end_propagated &= !once_more;
        let forgotten_at = tombstone.ended_at.plus(TOMBSTONE);
        // Also one that could not be told. Its tokens have expired long since; what may be left in KV is listed by nobody
        // who asks the object, and the cleanup takes it away.
        if cx.now >= forgotten_at {
            return Ok(Decision { save: true, ..unopened(Presence::Unknown) });
        }
        let alarm = tombstone.alarm(cx.policy, cx.now);
        Ok(Decision { alarm: Some(alarm), save: once_more, ..still_ended(tombstone) })
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<Presence> {
        let alarm = Some(session.over_at(cx.policy));
        let reply = Presence::Live(view(&session, cx.policy));
        Ok(Decision { alarm, ..keep(session, reply, false) })
    }
}

impl Step for EndPropagated {
    type Reply = Acknowledgement;

    fn unopened(self, _: Context<'_>) -> Decided<Acknowledgement> {
        Ok(unopened(Acknowledgement::Unknown))
    }

    fn ended(self, mut tombstone: Tombstone, cx: Context<'_>) -> Decided<Acknowledgement> {
        tombstone.end_propagated = true;
        if tombstone.again_at.is_none() {
            tombstone.forget_name();
        }
        let alarm = Some(tombstone.alarm(cx.policy, cx.now));
        let (state, reply) = (Some(State::Ended(tombstone)), Acknowledgement::Done);
        Ok(Decision { state, save: true, reply, alarm, is_news: false })
    }

    fn live(self, session: Session, _: Context<'_>) -> Decided<Acknowledgement> {
        Ok(keep(session, Acknowledgement::Unknown, false))
    }
}

impl Step for Unnoted {
    type Reply = Acknowledgement;

    fn unopened(self, _: Context<'_>) -> Decided<Acknowledgement> {
        Ok(unopened(Acknowledgement::Unknown))
    }

    fn ended(self, tombstone: Tombstone, cx: Context<'_>) -> Decided<Acknowledgement> {
        let tombstone = Tombstone { unnoted: true, ..tombstone };
        let alarm = Some(tombstone.alarm(cx.policy, cx.now));
        let (state, reply) = (Some(State::Ended(tombstone)), Acknowledgement::Done);
        Ok(Decision { state, save: true, reply, alarm, is_news: false })
    }

    fn live(self, session: Session, _: Context<'_>) -> Decided<Acknowledgement> {
        Ok(keep(session, Acknowledgement::Unknown, false))
    }
}

/// Notes that a token was presented. True if something of that must be written.
pub(super) fn seen(session: &mut Session, generation: u64, passive: bool, cx: Context<'_>) -> bool {
    let mut save = confirm(session, generation);
    if !passive {
        active(session, cx.now);
        save |= cx.now.since(session.stored_activity) >= cx.policy.activity_write();
    }
    if save {
        session.stored_activity = session.last_activity;
        forget_rotation(session, cx);
    }
    save
}

/// Notes that the current generation is in use. True if that is news, and so must be written.
fn confirm(session: &mut Session, generation: u64) -> bool {
    match &mut session.rotation {
        Some(rotation) if generation == session.grant.generation && !rotation.confirmed => {
            rotation.confirmed = true;
            true
        }
        _ => false,
    }
}

/// Moves the activity forward; a clock that jumped back moves nothing.
pub(super) fn active(session: &mut Session, now: Timestamp) {
    if now >= session.last_activity {
        session.last_activity = now;
        session.unknown_activity = Duration::ZERO;
    }
}

fn view(session: &Session, policy: &Policy) -> Live {
    Live {
        account: session.account.clone(),
        generation: session.grant.generation,
        last_activity: session.last_activity,
        idle_expires_at: session.idle_expires_at(policy),
        absolute_expires_at: session.absolute_ends_at(policy),
        created_at: session.created_at,
        lifetime_ends_at: Some(session.lifetime_ends_at(policy)),
        device: Some(session.device.clone()),
    }
}
