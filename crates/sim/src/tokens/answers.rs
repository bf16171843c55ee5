//! What callers are told, compared with what the upstreams have issued and what has been stored.

use super::plan::{ACCOUNTS, Mistype, OAUTH2};
use super::upstream::{Client, Server};
use super::{Stored, Truth, client};
use crate::fakes::accounts::STRANGER;
use crate::requests::Answered;
use crate::sequence::Invariant;
use base::clock::Timestamp;
use std::cell::RefCell;
use std::time::Duration;

/// A caller waits for the quick retries, so long at the most.
const PATIENCE: Duration = Duration::from_secs(15);
/// KV's readers see a new value after this, however slow the write was.
const SPREAD: Duration = Duration::from_secs(90);
/// What tells KV of a new token is tried again within this.
pub const TOLD: Duration = Duration::from_mins(6);
/// And within this where the account's object could not begin to, because it was replaced or could not write: its alarm comes after half
/// a minute, a minute late, and once more if it meets the same.
const REPAIRED: Duration = Duration::from_mins(3);
/// A token is held against its upstream as often as this, for as long as it lives.
const CHECKED: Duration = Duration::from_mins(30);

/// A request that has an answer.
#[allow(clippy::struct_excessive_bools)] // Each is an excuse of its own.
pub struct Given {
    pub account: usize,
    pub identity: u32,
    /// A setting was mistyped that it goes by, when it was asked or when it answered.
    pub mistyped: bool,
    /// Which of the requests about the account it is.
    pub asked: usize,
    pub begun: Timestamp,
    /// The same by a clock that nobody has set.
    pub lived: Timestamp,
    pub now: Timestamp,
    /// KV has failed at some time.
    pub kv_failed: bool,
    /// An instance was killed, or a write to its rows has failed.
    pub broken_off: bool,
    /// A slow write to KV may have outlived its instance: only the sweep puts that right.
    pub left_behind: bool,
}

/// A caller who was in a task that failed.
pub struct Failed {
    account: usize,
    asked: usize,
    begun: Timestamp,
    at: Timestamp,
}

/// The token of an account that KV holds.
pub type InKv<'a> = dyn Fn() -> Option<String> + 'a;

pub fn answered(
    server: &Server,
    truth: &RefCell<Truth>,
    given: &Given,
    what: &str,
    answered: Option<&Answered>,
    kv: &InKv<'_>,
) {
    let mut truth = truth.borrow_mut();
    if let Some(trace) = &mut truth.trace {
        let shown = answered.map(|a| format!("{} {}", a.status, a.body.as_deref().unwrap_or_default()));
        trace.push(format!("{} {what} -> {}", given.now.rfc3339(), shown.unwrap_or_default()));
    }
    let Some(answered) = answered else { return };
    let by_hand = what.ends_with("/update");
    let found = match answered.status {
        200 if by_hand => taken_over(server, &truth, given, what, answered),
        200 if what.ends_with("/validate") => None,
        200 => {
            let token = answered.json()["access_token"].as_str().unwrap_or_default().to_owned();
            token_given(server, &truth, given, &token, kv)
        }
        // What is wrong with one account takes nothing else down.
        503 if answered.code() == "configuration_error" => {
            Some((Invariant::UnexpectedAnswer, format!("{what}: {answered:?}")))
        }
        503 if answered.code() == "account_misconfigured" && !given.mistyped => {
            Some((Invariant::UnexpectedAnswer, format!("{what}: {answered:?}")))
        }
        401 | 403 | 404 | 500 => Some((Invariant::UnexpectedAnswer, format!("{what}: {answered:?}"))),
        422 if !by_hand => Some((Invariant::UnexpectedAnswer, format!("{what}: {answered:?}"))),
        // What was brought or checked is another task than a renewal, and nobody tries it again but whoever asked.
        502..=504 if !by_hand && !what.ends_with("/validate") => {
            note_failure(server, &mut truth, given, answered);
            None
        }
        _ => None,
    };
    if let Some((invariant, detail)) = found {
        truth.broken(invariant, detail);
    }
}

/// A token that was brought by hand: the account stays the user's whom its first token was of. Of one that had ended before
/// its upstream said whose it was, nobody can know.
fn taken_over(
    server: &Server,
    truth: &Truth,
    given: &Given,
    what: &str,
    answered: &Answered,
) -> Option<(Invariant, String)> {
    let user = answered.json()["user_id"].as_str().unwrap_or_default().to_owned();
    let first = truth.stored[given.account].first().filter(|first| first.at < given.begun);
    let own = |stored: &&Stored| !truth.strangers.contains(&stored.token);
    let held = truth.stored[given.account].iter().rev().find(own)?;
    let state = server.state.borrow();
    let can_tell = |(_, client): (&str, &Client)| client.fake.accepts(&held.token, given.now);
    let is_held = truth.held_at[given.account].is_some_and(|at| at < given.begun);
    let can_ask = is_held && state.owner_of(&held.token).is_some_and(can_tell);
    let is_known = truth.owned[given.account] || can_ask;
    let changed = user == STRANGER && first.as_ref().is_some_and(own) && is_known;
    changed.then(|| (Invariant::OwnerChanged, format!("{what}: the account is now {user}'s")))
}

/// A token that a caller was given: issued, good, of the present identity, and the newest that was stored.
fn token_given(
    server: &Server,
    truth: &Truth,
    given: &Given,
    token: &str,
    kv: &InKv<'_>,
) -> Option<(Invariant, String)> {
    let Given { account, identity, begun, now, .. } = *given;
    let state = server.state.borrow();
    let Some((owner, known)) = state.owner_of(token) else {
        return Some((Invariant::OldToken, format!("{token} was never issued")));
    };
    if given.mistyped && truth.hides(account) && truth.asked[account] == given.asked {
        return Some((Invariant::OldIdentity, format!("{token}, and nobody knows whose is meant")));
    }
    let clients = [client(account, identity), client(account, identity + 1)];
    if !clients.iter().any(|client| client == owner) {
        return Some((Invariant::OldIdentity, format!("{token} for {}", clients[0])));
    }
    // A clock that has jumped may be a little ahead of the answer.
    let end = known.fake.end_of(token);
    if end.plus(Duration::from_secs(150)) < now {
        return Some((Invariant::OldToken, format!("{token} has expired")));
    }
    let dead = end > now && !known.fake.accepts(token, now);
    // An upstream that could not say so is asked again as soon as this.
    let revoked_at = known.revoked_at.map(|at| known.last_failure.map_or(at, |failed| failed.max(at)));
    if dead && revoked_at.is_some_and(|at| at.plus(CHECKED) < begun) {
        return Some((Invariant::DeadTokenServed, format!("{token} was revoked long ago")));
    }
    let stored = &truth.stored[account];
    let Some(at) = stored.iter().rposition(|stored| stored.token == token) else {
        return Some((Invariant::OldToken, format!("{token} was never stored")));
    };
    let next = stored.get(at + 1)?;
    // Where KV fails, it is told later; and after the mending of settings that have hidden the account.
    let mended = truth.mended.filter(|at| *at > next.lived);
    let told = match () {
        () if given.kv_failed || mended.is_some() => TOLD,
        () if given.broken_off => REPAIRED,
        () => Duration::ZERO,
    };
    if mended.unwrap_or(next.lived).plus(told).plus(SPREAD) >= given.lived {
        return None;
    }
    let detail = format!("{token} is given out, {} is newer", next.token);
    match kv().is_some_and(|copy| copy == token) {
        true if given.left_behind => None,
        true => Some((Invariant::KvTokenOld, detail)),
        false => Some((Invariant::OldToken, detail)),
    }
}

/// An upstream's failure was passed on to a caller who was in the task.
fn note_failure(server: &Server, truth: &mut Truth, given: &Given, answered: &Answered) {
    let Given { account, identity, asked, begun, now, .. } = *given;
    let mut state = server.state.borrow_mut();
    let called = state.client(&client(account, identity)).last_call.is_some_and(|at| at >= begun);
    if called && answered.code().starts_with("upstream_") && now < begun.plus(PATIENCE) {
        truth.failed.push(Failed { account, asked, begun, at: now });
    }
}

impl Truth {
    /// Whether it goes by a setting that is mistyped.
    pub fn is_mistyped(&self, account: usize) -> bool {
        let all = |how| how == Mistype::Json && OAUTH2.contains(&account);
        self.mistyped.is_some_and(|(of, how)| of == account || all(how))
    }

    /// Whether nobody can say whose token is meant.
    fn hides(&self, account: usize) -> bool {
        let shown = |how| matches!(how, Mistype::Auth | Mistype::Unknown);
        self.is_mistyped(account) && !self.mistyped.is_some_and(|(_, how)| shown(how))
    }

    /// An account has a new token. Nobody else has asked for one: so it came of a quick retry, which a caller who was told
    /// of the failure would have waited for.
    pub fn renewed(&mut self, account: usize, now: Timestamp) {
        let failed = std::mem::take(&mut self.failed);
        let retried = failed.iter().find(|failed| {
            failed.account == account
                && failed.asked == self.asked[account]
                && failed.at < now
                && now <= failed.begun.plus(PATIENCE)
        });
        if let Some(failed) = retried {
            let after = now.since(failed.at);
            let detail = format!("{}: a retry succeeds {after:?} after a caller was told", ACCOUNTS[account]);
            self.broken(Invariant::RetryNotAwaited, detail);
        }
        self.failed = failed.into_iter().filter(|failed| failed.begun.plus(PATIENCE) > now).collect();
    }
}
