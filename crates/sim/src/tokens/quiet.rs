//! What is to be seen when all is quiet and the upstream is well.

use super::{ACCOUNTS, Callers, TENTH, client};
use crate::requests::{Request, request};
use crate::sequence::Invariant;
use crate::weather::Kind;
use base::rpc::Class;
use config::Settings as _;
use keeper::Account;
use keeper::protocol::Issued;
use serde_json::Value;

/// Failed calls that an account may make in an hour.
const CALLS_PER_HOUR: usize = 15;

pub fn check(callers: &Callers) {
    for account in 0..ACCOUNTS.len() {
        if let Err((invariant, detail)) = checked(callers, account) {
            return callers.broken(invariant, detail);
        }
    }
    let failures = callers.server.failures_in_an_hour();
    // An instance that is killed in the middle of a call cannot note it.
    if failures > CALLS_PER_HOUR && !killed(callers) {
        return callers.broken(Invariant::OverBudget, format!("{failures} failures in an hour"));
    }
    let (orders, deploys) = (callers.truth.borrow().orders, callers.truth.borrow().deploys);
    let tokens = callers.server.tokens_within(TENTH);
    if tokens > orders + deploys + 3 {
        callers.broken(Invariant::RenewedTooOften, format!("{tokens} tokens, {orders} orders"));
    }
}

fn killed(callers: &Callers) -> bool {
    let faults = callers.world.weather().happened();
    faults.iter().any(|(_, kind, _)| {
        matches!(kind, Kind::Kill | Kind::AnswerLost | Kind::WriteBefore | Kind::WriteAfter | Kind::Upstream)
    }) || callers.server.state.borrow().late
        || callers.truth.borrow().restarts
}

fn checked(callers: &Callers, account: usize) -> Result<(), (Invariant, String)> {
    let world = &callers.world;
    let name = format!("oauth2/{}", ACCOUNTS[account]);
    let rows = world.rows(Class::Upstream, &name);
    let host = world.host();
    let asked = Request::new("GET", format!("/api/v1/tokens/{name}"));
    let answered = world.run_until(async move { request(&host, asked).await });
    let state: Account =
        rows.get("account").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let Some(answered) = answered.filter(|a| a.status == 200) else {
        return Err((why_none(callers, account, &state), format!("{name}: {:?}", state.trouble)));
    };
    let token = answered.json()["access_token"].as_str().unwrap_or_default().to_owned();
    let server = callers.server.state.borrow();
    let wanted = client(account, callers.truth.borrow().identity);
    match server.tokens.get(&token) {
        None => return Err((Invariant::OldToken, format!("{token} was never issued"))),
        Some(known) if known.client != wanted => {
            return Err((Invariant::OldIdentity, format!("{token} for {wanted}")));
        }
        Some(known) if known.expires_at < world.now() => {
            return Err((Invariant::OldToken, format!("{token} has expired")));
        }
        Some(_) => {}
    }
    let app = world.host().settings().expect("the settings are good");
    // What a read has just changed is being told; what was before is not waited for.
    let key = format!("oauth2_access_token:{}", ACCOUNTS[account]);
    let copy = world.kv().get(&key).and_then(|entry| app.vault.open("kv", &key, &entry.value).ok());
    let copy: Option<Issued> = copy.and_then(|plain| serde_json::from_slice(&plain).ok());
    let sealed = rows.get("tokens").and_then(|sealed| app.vault.open("upstream", &name, sealed).ok());
    let held: Value = sealed.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
    let held = held["access"].as_str().unwrap_or_default();
    if let Some(copy) = copy
        && copy.token.expose() != held
        && copy.copy_until > world.now()
    {
        return Err((Invariant::KvTokenOld, format!("{name}: {} in KV, {held} held", copy.token.expose())));
    }
    index(callers, &name)
}

/// Why an account has no token: what its upstream or a fault explains, or a fault of ours.
fn why_none(callers: &Callers, account: usize, state: &Account) -> Invariant {
    let server = callers.server.state.borrow();
    let gave_up = state.trouble.as_ref().is_some_and(|trouble| trouble.retry_at.is_none());
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
    let state = world.rows(Class::Upstream, name);
    let state: Account =
        state.get("account").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let noted = row.and_then(|row| row.get("failed")?.as_i64()).unwrap_or(0) == 1;
    if row.is_none() || noted != state.has_failed() {
        return Err((Invariant::IndexWrong, format!("{name}: the index has {row:?}")));
    }
    Ok(())
}
