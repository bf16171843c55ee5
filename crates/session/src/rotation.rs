//! New tokens for a refresh token: of a user's session at once, of a post-login session when the other system has said
//! that it still vouches for its user.

use super::decide::{Context, Decided, Decision, Fault, Step, end, keep, unopened};
use super::protocol::{Reauthenticate, RenewReply, Rotate, RotateReply, Tokens};
use super::state::{Grant, Rotation, Session};
use super::steps::{active, seen};
use super::{EndReason, Ended, Pair, Verdict};
use base::clock::Timestamp;
use std::time::Duration;

/// How many refreshes of one session are known by name: more than come in the time that a message can be late.
const REFRESHES_MAX: usize = 8;
/// Where the one before is longer ago than this, no message of it comes any more.
const REFRESHES_KEPT: Duration = Duration::from_mins(10);

/// A refresh token of a post-login session was presented: the object's own first step of a [`super::Renewal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renew {
    pub generation: u64,
    pub subject: String,
    pub change_id: Option<String>,
}

/// What the other system said, for the renewal of this generation: the object's own second step. It comes from nobody
/// outside, and so is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub generation: u64,
    pub verdict: Verdict,
    /// The names of those who wait for it.
    pub change_ids: Vec<String>,
}

/// What the first step of a renewal shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewStart {
    /// The external token is to be verified before anything else, for this channel.
    Verify {
        channel: String,
    },
    Reply(RenewReply),
}

impl From<Ended> for RenewStart {
    fn from(ended: Ended) -> Self {
        Self::Reply(RenewReply::Ended(ended))
    }
}

impl Step for Rotate {
    type Reply = RotateReply;

    fn unopened(self, _: Context<'_>) -> Decided<RotateReply> {
        Ok(unopened(RotateReply::Unknown))
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<RotateReply> {
        // No token that we made names another user's session, and neither kind is renewed as the other.
        if self.generation > session.grant.generation || session.account.user() != Some(self.user_id) {
            return Ok(keep(session, RotateReply::Unknown, false));
        }
        rotate(session, self.generation, self.change_id.into_iter().collect(), cx)
    }
}

impl Step for Reauthenticate {
    type Reply = RotateReply;

    fn unopened(self, _: Context<'_>) -> Decided<RotateReply> {
        Ok(unopened(RotateReply::Unknown))
    }

    fn live(self, mut session: Session, cx: Context<'_>) -> Decided<RotateReply> {
        let Self { generation, user_id, at, change_id } = self;
        let current = session.grant.generation;
        if generation > current || session.account.user() != Some(user_id) {
            return Ok(keep(session, RotateReply::Unknown, false));
        }
        // The same message once more: its answer again, where that may still be given. Where nobody waits for it any more, nothing.
        if session.refreshes.contains(&change_id) {
            let rotation = session.rotation.as_ref().filter(|_| generation + 1 == current);
            if rotation.is_some_and(|rotation| within_grace(rotation, cx) || !rotation.confirmed) {
                return rotate(session, generation, vec![change_id], cx);
            }
            if cx.now > at.plus(cx.policy.grace) {
                return Ok(keep(session, RotateReply::Unknown, false));
            }
        }
        let authenticated_at = at.min(cx.now).max(session.authenticated_at());
        session.grant.authenticated_at = Some(authenticated_at);
        if generation == current {
            return rotate(session, generation, vec![change_id], cx);
        }
        // Another tab has rotated in between, or the answer to the same password was lost. The tokens of that stay good, and what
        // was good before it does: this one gets new ones of the same generation.
        remember(&mut session, vec![change_id]);
        session.grant = renewed(&session, cx);
        let pair = Pair { counted_from: cx.now, ..cx.mint.mint(&session.grant, &session.account)? };
        Ok(tokens(session, pair, cx.now))
    }
}

impl Step for Renew {
    type Reply = RenewStart;

    fn unopened(self, _: Context<'_>) -> Decided<RenewStart> {
        Ok(unopened(RenewStart::Reply(RenewReply::Unknown)))
    }

    fn live(self, mut session: Session, cx: Context<'_>) -> Decided<RenewStart> {
        let current = session.grant.generation;
        let ours = self.generation <= current && session.account.subject() == self.subject;
        let Some(channel) = session.channel.clone().filter(|_| ours) else {
            return Ok(keep(session, RenewStart::Reply(RenewReply::Unknown), false));
        };
        // Nothing is made before the other system has been asked. That the token came is known all the same.
        if self.generation == current {
            let save = seen(&mut session, self.generation, false, cx);
            return Ok(keep(session, RenewStart::Verify { channel }, save));
        }
        let change_ids = self.change_id.into_iter().collect();
        Ok(replied(rotate(session, self.generation, change_ids, cx)?, |r| RenewStart::Reply(r.into())))
    }
}

impl Step for Verified {
    type Reply = RenewReply;

    fn unopened(self, _: Context<'_>) -> Decided<RenewReply> {
        Ok(unopened(RenewReply::Unknown))
    }

    fn live(self, session: Session, cx: Context<'_>) -> Decided<RenewReply> {
        let rejected = |expired| move |ended: Ended| RenewReply::ExternalTokenRejected { ended, expired };
        match self.verdict {
            Verdict::Valid if self.generation == session.grant.generation => {
                Ok(replied(rotate(session, self.generation, self.change_ids, cx)?, RenewReply::from))
            }
            // A good verdict that comes when there is a newer generation has nothing to give.
            Verdict::Valid => Ok(keep(session, RenewReply::Unknown, false)),
            Verdict::Expired => Ok(end(&session, EndReason::External, cx, rejected(true))),
            Verdict::Refused => Ok(end(&session, EndReason::External, cx, rejected(false))),
        }
    }
}

fn replied<A, B>(decision: Decision<A>, reply: impl FnOnce(A) -> B) -> Decision<B> {
    let Decision { state, save, reply: inner, alarm, is_news } = decision;
    Decision { state, save, reply: reply(inner), alarm, is_news }
}

/// A refresh token came: the current one makes the next generation; the one before gets the same pair again while it
/// may; anything older is reuse and ends this session, unless it is a message that has come before.
fn rotate(
    mut session: Session,
    generation: u64,
    change_ids: Vec<String>,
    cx: Context<'_>,
) -> Decided<RotateReply> {
    let current = session.grant.generation;
    if generation == current {
        let external = session.channel.is_some();
        if cx.now > session.grant.issued_at.plus(REFRESHES_KEPT) {
            session.refreshes.clear();
        }
        remember(&mut session, change_ids);
        let (until, since) = (session.absolute_ends_at(cx.policy), session.authenticated_at());
        let grant = grant(current + 1, until, external, since, cx);
        let pair = Pair { counted_from: cx.now, ..cx.mint.mint(&grant, &session.account)? };
        session.rotation = Some(Rotation { at: cx.now, confirmed: false, pair: String::new() });
        session.grant = grant;
        return Ok(tokens(session, pair, cx.now));
    }
    match session.rotation.clone().filter(|_| generation + 1 == current) {
        Some(rotation) if within_grace(&rotation, cx) || !rotation.confirmed => {
            let pair = repeated(&mut session, &rotation, cx)?;
            remember(&mut session, change_ids);
            Ok(tokens(session, pair, cx.now))
        }
        // Who sent it has long had an answer.
        _ if change_ids.iter().any(|id| session.refreshes.contains(id)) => {
            Ok(keep(session, RotateReply::Unknown, false))
        }
        _ => Ok(end(&session, EndReason::Reuse, cx, RotateReply::Reused)),
    }
}

/// Each once, as the last of them: a refresh that is repeated takes no other's place.
fn remember(session: &mut Session, change_ids: Vec<String>) {
    let known = &mut session.refreshes;
    for name in change_ids {
        known.retain(|other| *other != name);
        known.push(name);
    }
    known.drain(..known.len().saturating_sub(REFRESHES_MAX));
}

/// The pair of the last rotation once more. If its access token has run out meanwhile, with a new one of the same generation in
/// its place: who comes for a lost answer must not get what is good for nothing.
fn repeated(session: &mut Session, rotation: &Rotation, cx: Context<'_>) -> Result<Pair, Fault> {
    // A token says its times in whole seconds.
    let is_good = cx.now.seconds() < session.grant.access_expires_at.seconds();
    if !is_good {
        session.grant = renewed(session, cx);
    }
    let grant = session.grant;
    let pair = cx.mint.mint(&grant, &session.account)?;
    // The refresh token stays the one that it was.
    let refresh = if grant.issued_at == rotation.at {
        pair.refresh
    } else {
        cx.mint.mint(&Grant { issued_at: rotation.at, ..grant }, &session.account)?.refresh
    };
    let counted_from = if is_good && within_grace(rotation, cx) { grant.issued_at } else { cx.now };
    Ok(Pair { refresh, counted_from, ..pair })
}

/// A new grant of the same generation. Nothing lives longer for it than its refresh token does.
fn renewed(session: &Session, cx: Context<'_>) -> Grant {
    let Grant { generation, refresh_expires_at, .. } = session.grant;
    let (until, external) = (session.absolute_ends_at(cx.policy), session.channel.is_some());
    let fresh = grant(generation, until, external, session.authenticated_at(), cx);
    Grant { access_expires_at: fresh.access_expires_at.min(refresh_expires_at), refresh_expires_at, ..fresh }
}

fn tokens(mut session: Session, pair: Pair, now: Timestamp) -> Decision<RotateReply> {
    active(&mut session, now);
    session.stored_activity = session.last_activity;
    let reply = RotateReply::Tokens(Tokens { pair, account: session.account.clone() });
    keep(session, reply, true)
}

fn within_grace(rotation: &Rotation, cx: Context<'_>) -> bool {
    cx.now <= rotation.at.plus(cx.policy.grace)
}

/// Forgets the rotation once nobody may be given its pair again.
pub(super) fn forget_rotation(session: &mut Session, cx: Context<'_>) {
    session.rotation.take_if(|rotation| rotation.confirmed && !within_grace(rotation, cx));
}

pub(super) fn grant(
    generation: u64,
    absolute_expires_at: Timestamp,
    external: bool,
    authenticated_at: Timestamp,
    cx: Context<'_>,
) -> Grant {
    let policy = cx.policy;
    // A post-login session ends with its last tokens, and so its time to live is theirs.
    let (access_ttl, refresh_ttl) = if external {
        (policy.access_ttl.min(policy.external_ttl), policy.external_ttl)
    } else {
        (policy.access_ttl, policy.refresh_ttl)
    };
    Grant {
        generation,
        issued_at: cx.now,
        access_expires_at: cx.now.plus(access_ttl).min(absolute_expires_at),
        refresh_expires_at: cx.now.plus(refresh_ttl).min(absolute_expires_at),
        authenticated_at: Some(authenticated_at),
    }
}
