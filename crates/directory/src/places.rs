//! How a login gets a place among the live sessions, within the limit.

use super::guess_protocol::{Refused, Throttled};
use super::limit::{self, Full};
use super::password::Verdict;
use super::protocol::{
    Admit, AdmitReply, AtLimit, Displaced, LoginReply, Opened, OpenedReply, Reserve, ReserveReply, Reserved,
};
use super::state::{LostPlace, Pending, Slot, Stored, Task, User};
use super::under_way::Opening;
use super::user::{Step, UserPolicy, free_dead, note_unrecorded, promise};
use base::account::{Account, EndReason};
use base::clock::{Timestamp, millis};
use base::ids::{SessionId, UserId};
use std::time::Duration;

/// A place reserved by a login that then failed is free again after this.
const RESERVED: Duration = Duration::from_secs(30);
/// A login whose password has been compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedPassword {
    pub verdict: Verdict,
    /// The password hashed anew, if its hash is outdated.
    pub rehashed: Option<String>,
    pub address: String,
    pub place: Place,
}

/// The place that a login asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub session_id: SessionId,
    /// The session that gives its place up for it.
    pub replaces: Option<SessionId>,
    /// Whoever asks for it says in any case that the session is open, before anybody gets its tokens. Until then it is reserved in
    /// memory. A Worker of the release before may not say so; for that one it is stored.
    pub confirms: bool,
}

/// How long this address has to wait before a password is looked at.
pub fn throttled(user: &User, address: &str, now: Timestamp) -> Option<Throttled> {
    let wait = user.throttle.wait(address, now)?;
    Some(Throttled { retry_after_ms: millis(wait), user_id: id(user), busy: false })
}

fn id(user: &User) -> Option<UserId> {
    user.profile.as_ref().map(|p| p.account.user_id)
}

impl Step for CheckedPassword {
    type Reply = LoginReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> LoginReply {
        let Some(profile) = user.profile.as_mut().filter(|_| self.verdict != Verdict::Mismatch) else {
            let delay = user.throttle.failed(&self.address, &policy.throttle, now);
            return LoginReply::Refused(Refused { delay_ms: millis(delay), user_id: id(user), dearer: None });
        };
        if !profile.is_active {
            return LoginReply::Inactive { user_id: profile.account.user_id };
        }
        if let Some(hash) = self.rehashed {
            profile.password = hash;
        }
        if user.must_change_password {
            let user_id = profile.account.user_id;
            user.throttle.succeeded(&self.address, now);
            return LoginReply::MustChangePassword { user_id };
        }
        let (known, version) = (Known::of(profile), profile.version);
        // From here on the password was right: a limit that is reached is not a failed login. Where only that is to be noted, it is
        // written with the place once the session is open; at the limit, if it is news.
        let Self { address, place, .. } = self;
        let full = at_limit(user, &place, policy, now);
        let unwritten = match &full {
            _ if !place.confirms => false,
            Some(_) => user.throttle.is_usual(&address, now),
            None => !user.throttle.has_failed(&address),
        };
        if !unwritten {
            user.throttle.succeeded(&address, now);
        }
        if let Some((sessions, known)) = full {
            return LoginReply::AtLimit(AtLimit { version, sessions, known });
        }
        let session_id = place.session_id.clone();
        let reserved = occupy(user, known, place, Vec::new(), policy, now);
        if let Some(opening) = user.under_way.opening(&session_id).filter(|_| unwritten) {
            opening.address = Some(address);
        }
        LoginReply::Reserved(reserved)
    }
}

impl Step for Reserve {
    type Reply = ReserveReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> ReserveReply {
        match &user.profile {
            Some(p) if p.version == self.version => {
                let (known, user_id) = (Known::of(p), p.account.user_id);
                let Self { session_id, replaces, confirms, .. } = self;
                let place = Place { session_id, replaces, confirms };
                match take(user, known, place, &self.activity, policy, now) {
                    Ok(reserved) => ReserveReply::Reserved(reserved),
                    Err(Full) => ReserveReply::LimitExceeded { user_id },
                }
            }
            Some(p) if !p.is_active => ReserveReply::Inactive { user_id: p.account.user_id },
            _ => ReserveReply::Refused(Refused { delay_ms: 0, user_id: id(user), dearer: None }),
        }
    }
}

/// There is no password; the account is here while there are sessions, and the first of them brings it.
impl Step for Admit {
    type Reply = AdmitReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> AdmitReply {
        if self.account.user().is_some() {
            return AdmitReply::Failed;
        }
        let Self { account, session_id, activity, replaces, confirms } = self;
        if !confirms {
            user.profile.get_or_insert_with(|| Stored::new(account.clone(), String::new(), 0));
        }
        let known = user.profile.as_ref().map_or_else(|| Known::first(account), Known::of);
        let (account, user_id) = (known.account.clone(), known.account.user_id);
        let place = Place { session_id: session_id.clone(), replaces, confirms };
        if activity.is_empty()
            && let Some((sessions, known)) = at_limit(user, &place, policy, now)
        {
            return AdmitReply::AtLimit(AtLimit { version: 0, sessions, known });
        }
        match take(user, known, place, &activity, policy, now) {
            Ok(reserved) => {
                if let Some(opening) = user.under_way.opening(&session_id) {
                    opening.account = Some(account);
                }
                AdmitReply::Reserved(reserved)
            }
            Err(Full) => AdmitReply::LimitExceeded { user_id },
        }
    }
}

/// Who is to be asked how active they are before a place can be taken, and what is known of that; nobody if one is free.
fn at_limit(
    user: &mut User,
    place: &Place,
    policy: &UserPolicy,
    now: Timestamp,
) -> Option<(Vec<SessionId>, Vec<Timestamp>)> {
    hold(user, place, now);
    free_dead(user, &[], now);
    let stays = |id: &&SessionId| place.replaces.as_ref() != Some(*id) && place.session_id != **id;
    let mut others: Vec<&Slot> = user.places().filter(|slot| stays(&&slot.session_id)).collect();
    others.sort_by_key(|slot| slot.known_activity());
    let sessions = others.iter().map(|slot| (slot.session_id.clone(), slot.known_activity()));
    (others.len() >= policy.limit.max).then(|| sessions.unzip())
}

/// Who comes once more for a place has it for as long as anybody who comes for the first time.
fn hold(user: &mut User, place: &Place, now: Timestamp) {
    let openings = user.under_way.openings.iter_mut().map(|opening| &mut opening.slot);
    for slot in user.slots.iter_mut().chain(openings).filter(|slot| slot.session_id == place.session_id) {
        if let Some(until) = &mut slot.reserved_until {
            *until = now.plus(RESERVED);
        }
    }
}

/// The account as it is when a place is taken.
struct Known {
    account: Account,
    version: u64,
}

impl Known {
    fn of(stored: &Stored) -> Self {
        Self { account: stored.account.clone(), version: stored.account_version }
    }

    /// Of somebody externally authenticated who has no session.
    const fn first(account: Account) -> Self {
        Self { account, version: 0 }
    }
}

/// Takes a place within the limit. If none is free and that is wanted, notes who will have to make room.
fn take(
    user: &mut User,
    known: Known,
    place: Place,
    activity: &[limit::Activity],
    policy: &UserPolicy,
    now: Timestamp,
) -> Result<Reserved, Full> {
    hold(user, &place, now);
    free_dead(user, activity, now);
    if !place.confirms {
        limit::note_activity(&mut user.slots, activity);
    }
    let stays = |slot: &&Slot| {
        place.replaces.as_ref() != Some(&slot.session_id) && slot.session_id != place.session_id
    };
    let others = user.places().filter(stays).cloned().collect();
    let evicts = limit::make_room(others, activity, &policy.limit)?;
    let session_id = place.session_id.clone();
    let reserved = occupy(user, known, place, evicts, policy, now);
    if let Some(opening) = user.under_way.opening(&session_id) {
        opening.activity = activity.to_vec();
    }
    Ok(reserved)
}

/// Reserves the place. Nobody loses theirs before the session is open: a login that fails on the way logs nobody out.
fn occupy(
    user: &mut User,
    Known { account, version }: Known,
    place: Place,
    evicts: Vec<SessionId>,
    policy: &UserPolicy,
    now: Timestamp,
) -> Reserved {
    let until = Some(now.plus(RESERVED));
    // Not if it is asked for again, because the answer was lost.
    if !user.has_place(&place.session_id) {
        // Only a session on this user's list can be replaced.
        let replaces = place.replaces.filter(|id| user.slots.iter().any(|s| s.session_id == *id));
        let slot = Slot {
            session_id: place.session_id,
            created_at: now,
            expires_at: now.plus(policy.session_lifetime),
            reserved_until: until,
            evicts,
            replaces,
            active_at: None,
        };
        if place.confirms {
            user.under_way.openings.push(Opening {
                slot,
                activity: Vec::new(),
                address: None,
                account: None,
            });
        } else {
            user.slots.push(slot);
        }
    }
    Reserved { account, evicted: Vec::new(), replaced: None, account_version: version, confirm: true, until }
}

impl Step for Opened {
    type Reply = OpenedReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> OpenedReply {
        let Self { session_id, account_version, unrecorded } = self;
        // Its end may be promised, because the place was free once.
        let is_ending = |p: &Pending| p.session_id == session_id && p.task != Task::Sync;
        let has_place = user.has_place(&session_id) && !user.pending.iter().any(is_ending);
        let account = user.under_way.opening(&session_id).and_then(|opening| opening.account.clone());
        let known = user.profile.as_ref().map(Known::of).or_else(|| account.map(Known::first));
        let Some(Known { account, version }) = known.filter(|_| has_place) else { return OpenedReply::Gone };
        if version != account_version {
            return OpenedReply::Changed { account, account_version: version };
        }
        user.pending.retain(|p| p.session_id != session_id || p.task != Task::Sync);
        keep_place(user, &session_id, policy, now);
        if unrecorded {
            note_unrecorded(user, &session_id, now);
        }
        // Also those of an earlier call whose answer was lost. Who gives way to another one waits for that one.
        let own = |p: &Pending| p.lost.as_ref().is_none_or(|lost| lost.to == session_id);
        let displaced = user.pending.iter().filter(|p| own(p)).filter_map(|p| match p.task {
            Task::End(reason @ (EndReason::Evicted | EndReason::Logout)) => {
                Some(Displaced { session_id: p.session_id.clone(), reason })
            }
            Task::End(_) | Task::Sync => None,
        });
        OpenedReply::Kept { displaced: displaced.collect() }
    }
}

/// What was reserved in memory is on the list from here on. It may be there already, if a write has failed and was done.
fn list_opening(user: &mut User, session_id: &SessionId, now: Timestamp) {
    let Some(opening) = user.under_way.take_opening(session_id) else { return };
    let Opening { slot, activity, address, account } = opening;
    if user.slots.iter().any(|listed| listed.session_id == *session_id) {
        return;
    }
    limit::note_activity(&mut user.slots, &activity);
    user.slots.push(slot);
    if let Some(account) = account {
        user.profile.get_or_insert_with(|| Stored::new(account, String::new(), 0));
    }
    if let Some(address) = address {
        user.throttle.succeeded(&address, now);
    }
}

/// The place of an open session is its own. Who has to make room for it loses theirs, and their end is promised: first the
/// one that it replaces; then, as far as there are more than the limit allows, those that were named when the place was
/// reserved, and after them the oldest, if others have opened in between. Places that are only reserved do not count: their
/// sessions make room for themselves when they open.
pub(super) fn keep_place(user: &mut User, session_id: &SessionId, policy: &UserPolicy, now: Timestamp) {
    list_opening(user, session_id, now);
    let Some(slot) = user.slots.iter_mut().find(|s| s.session_id == *session_id) else { return };
    if slot.reserved_until.take().is_none() {
        return;
    }
    let (evicts, replaces) = (std::mem::take(&mut slot.evicts), slot.replaces.take());
    let is_open = |s: &Slot| s.reserved_until.is_none() && s.session_id != *session_id;
    let displace = |user: &mut User, id: &SessionId, reason: EndReason| {
        let at = user.slots.iter().position(|s| s.session_id == *id);
        let slot = at.map(|at| user.slots.remove(at));
        promise(user, id, Task::End(reason), now);
        if let Some(pending) = user.pending.last_mut() {
            pending.lost = slot.map(|slot| Box::new(LostPlace { to: session_id.clone(), slot }));
        }
    };
    if let Some(id) = replaces.filter(|id| user.slots.iter().any(|s| s.session_id == *id)) {
        displace(user, &id, EndReason::Logout);
    }
    if !policy.limit.evict {
        return;
    }
    let mut oldest: Vec<(Timestamp, SessionId)> =
        user.slots.iter().filter(|s| is_open(s)).map(|s| (s.created_at, s.session_id.clone())).collect();
    oldest.sort_unstable();
    for id in evicts.into_iter().chain(oldest.into_iter().map(|(_, id)| id)) {
        if user.slots.iter().filter(|s| is_open(s)).count() < policy.limit.max.max(1) {
            return;
        }
        if user.slots.iter().any(|s| is_open(s) && s.session_id == id) {
            displace(user, &id, EndReason::Evicted);
        }
    }
}
