//! What is to be seen when all is quiet and the upstream is well.

use super::plan::{ACCOUNTS, OAUTH2};
use super::{Callers, TENTH, client, copy_key};
use crate::requests::{Request, request};
use crate::sequence::Invariant;
use crate::weather::Kind;
use base::rpc::Class;
use keeper::protocol::Issued;
use keeper::{Account, Code};
use serde_json::Value;

pub fn check(callers: &Callers) {
    for account in callers.accounts {
        if let Err((invariant, detail)) = checked(callers, account) {
            return callers.broken(invariant, detail);
        }
    }
    let (orders, deploys) = (callers.truth.borrow().orders, callers.truth.borrow().deploys);
    let tokens = callers.server.state.borrow().tokens_within(TENTH);
    // A token that was issued and could not be written down is got once more.
    let lost =
        callers.world.weather().count(&[Kind::AnswerLost, Kind::WriteBefore, Kind::WriteAfter, Kind::Kill]);
    let late = callers.server.state.borrow().late;
    if callers.accounts == OAUTH2 && !late && tokens > orders + deploys + lost + 3 {
        callers.broken(Invariant::RenewedTooOften, format!("{tokens} tokens, {orders} orders"));
    }
}

/// Whether an instance may have lost what it knew, or an answer.
pub fn killed(callers: &Callers) -> bool {
    let faults = callers.world.weather().happened();
    faults.iter().any(|(_, kind, _)| {
        matches!(kind, Kind::Kill | Kind::AnswerLost | Kind::WriteBefore | Kind::WriteAfter | Kind::Upstream)
    }) || callers.server.state.borrow().late
        || callers.truth.borrow().restarts
}

fn stored(callers: &Callers, name: &str) -> Account {
    let row = callers.world.row(Class::Upstream, name, "account");
    row.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn checked(callers: &Callers, account: usize) -> Result<(), (Invariant, String)> {
    let world = &callers.world;
    let name = ACCOUNTS[account];
    let state = stored(callers, name);
    let held = callers.truth.borrow().stored[account].last().map(|stored| stored.token.clone());
    let host = world.host();
    let asked = Request::new("GET", format!("/api/v1/tokens/{name}"));
    let answered = world.run_until(async move { request(&host, asked).await });
    let Some(answered) = answered.filter(|a| a.status == 200) else {
        return Err((why_none(callers, account, &state), format!("{name}: {:?}", state.trouble)));
    };
    let token = answered.json()["access_token"].as_str().unwrap_or_default().to_owned();
    let server = callers.server.state.borrow();
    let wanted = client(account, callers.truth.borrow().identity);
    match server.owner_of(&token) {
        None => return Err((Invariant::OldToken, format!("{token} was never issued"))),
        Some((owner, _)) if owner != wanted => {
            return Err((Invariant::OldIdentity, format!("{token} for {wanted}")));
        }
        Some((_, known)) if known.fake.end_of(&token) < world.now() => {
            return Err((Invariant::OldToken, format!("{token} has expired")));
        }
        // Longer ago than it takes to be quiet.
        Some((_, known)) if !known.fake.accepts(&token, world.now()) => {
            return Err((Invariant::DeadTokenServed, format!("{token} was revoked")));
        }
        Some(_) => {}
    }
    // What the read has just changed is being told; what was before is not waited for.
    let (key, app) = (copy_key(account), callers.app());
    let copy = world.kv().get(&key).and_then(|entry| app.vault.open("kv", &key, &entry.value).ok());
    let copy: Option<Issued> = copy.and_then(|plain| serde_json::from_slice(&plain).ok());
    let held = held.unwrap_or_default();
    if let Some(copy) = copy
        && copy.token.expose() != held
        && copy.copy_until > world.now()
    {
        return Err((Invariant::KvTokenOld, format!("{name}: {} in KV, {held} held", copy.token.expose())));
    }
    index(callers, name)
}

/// Why an account has no token: what its upstream or a fault explains, or a fault of ours.
fn why_none(callers: &Callers, account: usize, state: &Account) -> Invariant {
    let server = callers.server.state.borrow();
    let gave_up = state.trouble.as_ref().is_some_and(|trouble| trouble.retry_at.is_none());
    // The first token of all was a stranger's, so the account is theirs.
    if state.trouble.as_ref().is_some_and(|trouble| trouble.code == Code::OtherUser) {
        return Invariant::Excused;
    }
    if !gave_up {
        return Invariant::NotRecovered;
    }
    if account == 0 && server.strict {
        // An answer that was lost on the way took the only refresh token with it: nobody can mend that.
        if killed(callers) {
            return Invariant::Excused;
        }
        if server.odd {
            return Invariant::TokenThrownAway;
        }
    }
    if server.proxied { Invariant::GaveUp } else { Invariant::NotRecovered }
}

fn index(callers: &Callers, name: &str) -> Result<(), (Invariant, String)> {
    let world = &callers.world;
    let rows = world.sql(Class::Roster, "roster", "SELECT name, failed FROM accounts");
    let row = rows.iter().find(|row| row.get("name").and_then(Value::as_str) == Some(name));
    let noted = row.and_then(|row| row.get("failed")?.as_i64()).unwrap_or(0) == 1;
    if row.is_none() || noted != stored(callers, name).has_failed() {
        return Err((Invariant::IndexWrong, format!("{name}: the index has {row:?}")));
    }
    Ok(())
}
