//! The life of a session as a pure function: state, command and time in; state, reply and alarm out.

use super::protocol::{Command, Ended, Live, Pair, Reply};
use super::state::{Device, Grant, Rotation, Session, State, Tombstone};
use super::{Account, EndReason, Policy, SETTLE_AFTER, TOMBSTONE, Verdict, Vouched};
use base::clock::Timestamp;
use std::time::Duration;

/// Makes, seals and opens the tokens of a session. Without it nothing is decided, so a fault here changes nothing.
pub trait Mint {
    fn mint(&self, grant: &Grant, account: &Account) -> Result<Pair, Fault>;
    fn seal(&self, pair: &Pair) -> Result<String, Fault>;
    fn open(&self, sealed: &str) -> Result<Pair, Fault>;
}

/// The tokens could not be made or read. The state is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// What is to be done, all in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The state from now on; `None` is a session that nobody knows.
    pub state: Option<State>,
    /// Whether storage must have it before the reply goes out.
    pub save: bool,
    pub reply: Reply,
    /// When the object's alarm is due, if that changes.
    pub alarm: Option<Timestamp>,
}

/// Decides what `command` does to a session at `now`.
pub fn decide(
    state: Option<State>,
    command: Command,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Result<Decision, Fault> {
    match state {
        None => unopened(command, policy, now, mint),
        Some(State::Ended(tombstone)) => ended(tombstone, command, policy, now, mint),
        Some(State::Live(session)) => live(*session, command, policy, now, mint),
    }
}

fn unopened(command: Command, policy: &Policy, now: Timestamp, mint: &dyn Mint) -> Result<Decision, Fault> {
    match command {
        Command::Open { account, device, external } => open(account, device, external, policy, now, mint),
        Command::Revoke { reason } => {
            let tombstone = Tombstone {
                reason,
                ended_at: now,
                account: None,
                generation: 0,
                access_expires_at: now.plus(policy.access_ttl),
                settled: false,
            };
            Ok(buried(tombstone, true, Reply::Ended))
        }
        _ => Ok(unchanged(None, Reply::Unknown)),
    }
}

fn open(
    account: Account,
    device: Device,
    external: Option<Vouched>,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Result<Decision, Fault> {
    let absolute_expires_at = now.plus(policy.absolute);
    let channel = external.map(|vouched| vouched.channel);
    let grant = grant(0, absolute_expires_at, channel.is_some(), policy, now);
    let pair = Pair { counted_from: now, ..mint.mint(&grant, &account)? };
    let session = Session {
        account,
        device,
        created_at: now,
        absolute_expires_at,
        last_activity: now,
        grant,
        rotation: None,
        channel,
        stored_activity: now,
        unknown_activity: Duration::ZERO,
    };
    let alarm = Some(session.over_at(policy));
    let reply = Reply::Tokens { pair, account: session.account.clone() };
    Ok(Decision { state: Some(State::Live(Box::new(session))), save: true, reply, alarm })
}

fn ended(
    mut tombstone: Tombstone,
    command: Command,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Result<Decision, Fault> {
    match command {
        // A login whose place was taken before its session opened: as if it had opened and then been evicted.
        // Its tokens are real and refused from the next request on, with the reason.
        Command::Open { account, external, .. } if tombstone.account.is_none() => {
            let grant = grant(0, now.plus(policy.absolute), external.is_some(), policy, now);
            let pair = Pair { counted_from: now, ..mint.mint(&grant, &account)? };
            tombstone.account = Some(account.clone());
            tombstone.access_expires_at = grant.access_expires_at;
            // The login goes on to tell KV of a session, so KV is to be told of its end once more.
            tombstone.settled = false;
            let (state, alarm) = (Some(State::Ended(tombstone)), Some(now.plus(SETTLE_AFTER)));
            Ok(Decision { state, save: true, reply: Reply::Tokens { pair, account }, alarm })
        }
        Command::Settled => {
            tombstone.settled = true;
            let alarm = Some(tombstone.ended_at.plus(TOMBSTONE));
            Ok(Decision { state: Some(State::Ended(tombstone)), save: true, reply: Reply::Done, alarm })
        }
        Command::Expire if tombstone.settled && now >= tombstone.ended_at.plus(TOMBSTONE) => {
            Ok(Decision { state: None, save: true, reply: Reply::Unknown, alarm: None })
        }
        Command::Expire => {
            let alarm =
                if tombstone.settled { tombstone.ended_at.plus(TOMBSTONE) } else { now.plus(SETTLE_AFTER) };
            let reply = Reply::Ended(report(&tombstone, false));
            Ok(Decision { state: Some(State::Ended(tombstone)), save: false, reply, alarm: Some(alarm) })
        }
        _ => {
            let reply = Reply::Ended(report(&tombstone, false));
            Ok(unchanged(Some(State::Ended(tombstone)), reply))
        }
    }
}

fn live(
    mut session: Session,
    command: Command,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Result<Decision, Fault> {
    if let Some(reason) = session.over(policy, now) {
        return Ok(end(&session, reason, now, Reply::Ended));
    }
    let keep = |session: Session, reply: Reply, save: bool| Decision {
        state: Some(State::Live(Box::new(session))),
        save,
        reply,
        alarm: None,
    };
    match command {
        Command::Touch { generation, .. }
        | Command::Rotate { generation, .. }
        | Command::Renew { generation, .. }
            if generation > session.grant.generation =>
        {
            Ok(keep(session, Reply::Unknown, false))
        }
        // No token that we made names another user's session, and neither kind is renewed as the other.
        Command::Rotate { user_id, .. } if session.account.user() != Some(user_id) => {
            Ok(keep(session, Reply::Unknown, false))
        }
        Command::Renew { ref subject, .. } if session.account.subject() != *subject => {
            Ok(keep(session, Reply::Unknown, false))
        }
        Command::Touch { generation, passive } => {
            let save = seen(&mut session, generation, passive, policy, now);
            let reply = Reply::Live(Live { lifetime_ends_at: None, device: None, ..view(&session, policy) });
            Ok(keep(session, reply, save))
        }
        Command::Rotate { generation, .. } => rotate(session, generation, policy, now, mint),
        Command::Renew { generation, subject } => match &session.channel {
            None => Ok(keep(session, Reply::Unknown, false)),
            // Nothing is made before the other system has been asked. That the token came is known all the same.
            Some(channel) if generation == session.grant.generation => {
                let reply = Reply::Verify { channel: channel.clone(), subject };
                let save = seen(&mut session, generation, false, policy, now);
                Ok(keep(session, reply, save))
            }
            Some(_) => rotate(session, generation, policy, now, mint),
        },
        Command::Verified { generation, verdict: Verdict::Valid }
            if generation == session.grant.generation =>
        {
            rotate(session, generation, policy, now, mint)
        }
        Command::Verified { verdict: Verdict::Expired, .. } => {
            Ok(end(&session, EndReason::External, now, |ended| Reply::Disowned { ended, expired: true }))
        }
        Command::Verified { verdict: Verdict::Refused, .. } => {
            Ok(end(&session, EndReason::External, now, |ended| Reply::Disowned { ended, expired: false }))
        }
        Command::Revoke { reason } => Ok(end(&session, reason, now, Reply::Ended)),
        Command::SetAccount { account } => {
            session.account = account;
            session.stored_activity = session.last_activity;
            Ok(keep(session, Reply::Done, true))
        }
        Command::Peek => {
            let reply = Reply::Live(view(&session, policy));
            Ok(keep(session, reply, false))
        }
        Command::Expire => {
            let alarm = Some(session.over_at(policy));
            let reply = Reply::Live(view(&session, policy));
            Ok(Decision { alarm, ..keep(session, reply, false) })
        }
        // The call was repeated because its answer was lost: the same tokens again.
        Command::Open { account, .. } if session.grant.generation == 0 && account == session.account => {
            let pair = Pair { counted_from: now, ..mint.mint(&session.grant, &account)? };
            Ok(keep(session, Reply::Tokens { pair, account }, false))
        }
        // The id is fresh from the namespace, so nobody else can mean it. A good verdict that comes when there is a newer
        // generation has nothing to give.
        Command::Open { .. } | Command::Settled | Command::Verified { verdict: Verdict::Valid, .. } => {
            Ok(keep(session, Reply::Unknown, false))
        }
    }
}

/// A refresh token came: the current one makes the next generation; the one before gets the same pair again while it
/// may; anything older is reuse and ends this session.
fn rotate(
    mut session: Session,
    generation: u64,
    policy: &Policy,
    now: Timestamp,
    mint: &dyn Mint,
) -> Result<Decision, Fault> {
    let current = session.grant.generation;
    if generation == current {
        let external = session.channel.is_some();
        let grant = grant(current + 1, session.absolute_expires_at, external, policy, now);
        let pair = Pair { counted_from: now, ..mint.mint(&grant, &session.account)? };
        session.rotation = Some(Rotation { at: now, confirmed: false, pair: mint.seal(&pair)? });
        session.grant = grant;
        return Ok(tokens(session, pair, now));
    }
    let again = session.rotation.as_ref().filter(|_| generation + 1 == current);
    match again {
        Some(rotation) if within_grace(rotation, policy, now) || !rotation.confirmed => {
            let counted_from = if within_grace(rotation, policy, now) { rotation.at } else { now };
            let pair = Pair { counted_from, ..mint.open(&rotation.pair)? };
            Ok(tokens(session, pair, now))
        }
        _ => Ok(end(&session, EndReason::Reuse, now, Reply::Reused)),
    }
}

fn tokens(mut session: Session, pair: Pair, now: Timestamp) -> Decision {
    active(&mut session, now);
    session.stored_activity = session.last_activity;
    let reply = Reply::Tokens { pair, account: session.account.clone() };
    Decision { state: Some(State::Live(Box::new(session))), save: true, reply, alarm: None }
}

fn within_grace(rotation: &Rotation, policy: &Policy, now: Timestamp) -> bool {
    now <= rotation.at.plus(policy.grace)
}

/// Notes that a token was presented. True if something of that must be written.
fn seen(session: &mut Session, generation: u64, passive: bool, policy: &Policy, now: Timestamp) -> bool {
    let mut save = confirm(session, generation);
    if !passive {
        active(session, now);
        save |= now.since(session.stored_activity) >= policy.activity_write();
    }
    if save {
        session.stored_activity = session.last_activity;
        forget_rotation(session, policy, now);
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

/// Drops the sealed pair once nobody may be given it again.
fn forget_rotation(session: &mut Session, policy: &Policy, now: Timestamp) {
    session.rotation.take_if(|rotation| rotation.confirmed && !within_grace(rotation, policy, now));
}

/// Moves the activity forward; a clock that jumped back moves nothing.
fn active(session: &mut Session, now: Timestamp) {
    if now >= session.last_activity {
        session.last_activity = now;
        session.unknown_activity = Duration::ZERO;
    }
}

fn grant(
    generation: u64,
    absolute_expires_at: Timestamp,
    external: bool,
    policy: &Policy,
    now: Timestamp,
) -> Grant {
    // A post-login session ends with its last tokens, and so its time to live is theirs.
    let (access_ttl, refresh_ttl) = if external {
        (policy.access_ttl.min(policy.external_ttl), policy.external_ttl)
    } else {
        (policy.access_ttl, policy.refresh_ttl)
    };
    Grant {
        generation,
        issued_at: now,
        access_expires_at: now.plus(access_ttl).min(absolute_expires_at),
        refresh_expires_at: now.plus(refresh_ttl).min(absolute_expires_at),
    }
}

fn view(session: &Session, policy: &Policy) -> Live {
    Live {
        account: session.account.clone(),
        generation: session.grant.generation,
        last_activity: session.last_activity,
        idle_expires_at: session.idle_expires_at(policy),
        absolute_expires_at: session.absolute_expires_at,
        created_at: session.created_at,
        lifetime_ends_at: Some(session.lifetime_ends_at()),
        device: Some(session.device.clone()),
    }
}

fn end(session: &Session, reason: EndReason, now: Timestamp, reply: fn(Ended) -> Reply) -> Decision {
    let tombstone = Tombstone {
        reason,
        ended_at: now,
        account: Some(session.account.clone()),
        generation: session.grant.generation,
        access_expires_at: session.grant.access_expires_at,
        settled: false,
    };
    buried(tombstone, true, reply)
}

fn buried(tombstone: Tombstone, now: bool, reply: fn(Ended) -> Reply) -> Decision {
    let reply = reply(report(&tombstone, now));
    let alarm = Some(tombstone.ended_at.plus(SETTLE_AFTER));
    Decision { state: Some(State::Ended(tombstone)), save: true, reply, alarm }
}

fn report(tombstone: &Tombstone, now: bool) -> Ended {
    Ended {
        reason: tombstone.reason,
        account: tombstone.account.clone(),
        generation: tombstone.generation,
        access_expires_at: tombstone.access_expires_at,
        now,
        settled: tombstone.settled,
    }
}

fn unchanged(state: Option<State>, reply: Reply) -> Decision {
    Decision { state, save: false, reply, alarm: None }
}
