//! How a login gets a place among the live sessions, within the limit.

use super::limit::{self, Full};
use super::password::Verdict;
use super::protocol::{
    Admit, AdmitReply, AtLimit, LoginReply, Refused, Reserve, ReserveReply, Reserved, Throttled,
};
use super::state::{Slot, Stored, Task, User};
use super::user::{Step, UserPolicy, promise};
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
}

/// How long this address has to wait before a password is looked at.
pub fn throttled(user: &User, address: &str, now: Timestamp) -> Option<Throttled> {
    let wait = user.throttle.wait(address, now)?;
    Some(Throttled { retry_after_ms: millis(wait), user_id: id(user) })
}

fn id(user: &User) -> Option<UserId> {
    user.profile.as_ref().map(|p| p.account.user_id)
}

impl Step for CheckedPassword {
    type Reply = LoginReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> LoginReply {
        let Some(profile) = user.profile.as_mut().filter(|_| self.verdict != Verdict::Mismatch) else {
            let delay = user.throttle.failed(&self.address, &policy.throttle, now);
            return LoginReply::Refused(Refused { delay_ms: millis(delay), user_id: id(user) });
        };
        if !profile.is_active {
            return LoginReply::Inactive { user_id: profile.account.user_id };
        }
        if let Some(hash) = self.rehashed {
            profile.password = hash;
        }
        let (account, version) = (profile.account.clone(), profile.version);
        // From here on the password was right: a limit that is reached is not a failed login.
        user.throttle.succeeded(&self.address, now);
        match at_limit(user, &self.place, policy, now) {
            Some(sessions) => LoginReply::AtLimit(AtLimit { version, sessions }),
            None => LoginReply::Reserved(take_free(user, account, self.place, policy, now)),
        }
    }
}

impl Step for Reserve {
    type Reply = ReserveReply;

    fn apply(self, user: &mut User, policy: &UserPolicy, now: Timestamp) -> ReserveReply {
        match &user.profile {
            Some(p) if p.version == self.version => {
                let (account, user_id) = (p.account.clone(), p.account.user_id);
                let place = Place { session_id: self.session_id, replaces: self.replaces };
                match take(user, account, place, &self.activity, policy, now) {
                    Ok(reserved) => ReserveReply::Reserved(reserved),
                    Err(Full) => ReserveReply::LimitExceeded { user_id },
                }
            }
            Some(p) if !p.is_active => ReserveReply::Inactive { user_id: p.account.user_id },
            _ => ReserveReply::Refused(Refused { delay_ms: 0, user_id: id(user) }),
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
        let stored = user.profile.get_or_insert_with(|| Stored {
            account: self.account,
            is_active: true,
            password: String::new(),
            version: 0,
        });
        let (account, user_id) = (stored.account.clone(), stored.account.user_id);
        let place = Place { session_id: self.session_id, replaces: self.replaces };
        if self.activity.is_empty()
            && let Some(sessions) = at_limit(user, &place, policy, now)
        {
            return AdmitReply::AtLimit(AtLimit { version: 0, sessions });
        }
        match take(user, account, place, &self.activity, policy, now) {
            Ok(reserved) => AdmitReply::Reserved(reserved),
            Err(Full) => AdmitReply::LimitExceeded { user_id },
        }
    }
}

/// Who is to be asked how active they are before a place can be taken; nobody if one is free.
fn at_limit(user: &mut User, place: &Place, policy: &UserPolicy, now: Timestamp) -> Option<Vec<SessionId>> {
    limit::drop_dead(&mut user.slots, &[], now);
    let others = user.slots.iter().map(|s| &s.session_id).filter(|id| place.replaces.as_ref() != Some(id));
    let sessions: Vec<SessionId> = others.cloned().collect();
    (sessions.len() >= policy.limit.max).then_some(sessions)
}

/// Takes a place within the limit, at the cost of those idle longest if none is free and that is wanted.
fn take(
    user: &mut User,
    account: Account,
    place: Place,
    activity: &[limit::Activity],
    policy: &UserPolicy,
    now: Timestamp,
) -> Result<Reserved, Full> {
    if has_place(user, &place) {
        return Ok(Reserved { account, evicted: Vec::new(), replaced: None });
    }
    let (mut slots, replaced) = without_replaced(user, &place);
    let evicted = limit::make_room(&mut slots, activity, &policy.limit, now)?;
    user.slots = slots;
    for slot in &evicted {
        promise(user, &slot.session_id, Task::End(EndReason::Evicted), now);
    }
    let evicted = evicted.into_iter().map(|s| s.session_id).collect();
    Ok(occupy(user, account, place.session_id, evicted, replaced, policy, now))
}

/// Takes a place that [`at_limit`] has found free.
fn take_free(
    user: &mut User,
    account: Account,
    place: Place,
    policy: &UserPolicy,
    now: Timestamp,
) -> Reserved {
    if has_place(user, &place) {
        return Reserved { account, evicted: Vec::new(), replaced: None };
    }
    let (slots, replaced) = without_replaced(user, &place);
    user.slots = slots;
    occupy(user, account, place.session_id, Vec::new(), replaced, policy, now)
}

fn has_place(user: &User, place: &Place) -> bool {
    user.slots.iter().any(|s| s.session_id == place.session_id)
}

/// Only a session on this user's list can be replaced; its place is free for the new one.
fn without_replaced(user: &User, place: &Place) -> (Vec<Slot>, Option<SessionId>) {
    let mut slots = user.slots.clone();
    let replaced = place.replaces.clone().filter(|id| slots.iter().any(|s| s.session_id == *id));
    slots.retain(|s| replaced.as_ref() != Some(&s.session_id));
    (slots, replaced)
}

fn occupy(
    user: &mut User,
    account: Account,
    session_id: SessionId,
    evicted: Vec<SessionId>,
    replaced: Option<SessionId>,
    policy: &UserPolicy,
    now: Timestamp,
) -> Reserved {
    user.slots.push(Slot {
        session_id,
        created_at: now,
        expires_at: now.plus(policy.session_lifetime),
        reserved_until: Some(now.plus(RESERVED)),
    });
    if let Some(session_id) = &replaced {
        promise(user, session_id, Task::End(EndReason::Logout), now);
    }
    Reserved { account, evicted, replaced }
}
