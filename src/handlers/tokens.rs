//! Upstream tokens for services: what all their routes share. Those of Facturify and Upstox answer in the shapes of the
//! systems they stand in for.

use super::edge::Edge;
use super::{facturify, notifier, sealing_keys, upstox};
use crate::objects::rpc;
use crate::platform;
use crate::store::TokenCopy;
use ::directory::service_key::Scope;
use ::keeper::history::Entry;
use ::keeper::protocol::{Issued, Refusal, Status};
use ::keeper::{AccountKey, By, Command, Reply as Told, Task, providers};
use base::clock::{Timestamp, seconds_up};
use http::error::{FieldFault, Reason};
use http::log::Audit;
use http::reply::Reply;
use http::route::query_values;
use http::token_route::TokenRoute;
use serde_json::{Value, json};
use worker::Request;

/// Longest `min_ttl`, in seconds: a month.
const MIN_TTL_SECONDS_MAX: u64 = 31 * 86_400;

pub async fn serve(edge: &mut Edge, request: &mut Request, route: TokenRoute) -> Result<Reply, Reason> {
    match route {
        TokenRoute::FacturifyObtain => facturify::obtain(edge).await,
        TokenRoute::FacturifyRefresh => facturify::refresh(edge).await,
        TokenRoute::FacturifyRead => facturify::read(edge).await,
        TokenRoute::FacturifyStatus => facturify::status(edge).await,
        TokenRoute::FacturifyHistory => {
            edge.service(Scope::TokensRead).await?;
            history(edge, &facturify::key(edge)?).await
        }
        TokenRoute::Accounts => upstox::list(edge).await,
        TokenRoute::Read(id) => upstox::read(edge, &id).await,
        TokenRoute::Refresh(id) => upstox::refresh(edge, &id).await,
        TokenRoute::History(id) => {
            edge.service(Scope::TokensRead).await?;
            history(edge, &upstox::key(edge, Some(&id))?).await
        }
        TokenRoute::Exchange(id) => upstox::exchange(edge, request, &id).await,
        TokenRoute::Request(id) => upstox::request(edge, &id).await,
        TokenRoute::Status(id) => upstox::status(edge, id.as_deref()).await,
        TokenRoute::Validate(id) => upstox::validate(edge, id.as_deref()).await,
        TokenRoute::Update(id) => upstox::update(edge, request, id.as_deref()).await,
        TokenRoute::Notify(secret) => notifier::notify(edge, request, &secret).await,
        TokenRoute::AnyRead(provider, account) => any_read(edge, &provider, &account).await,
        TokenRoute::AnyStatus(provider, account) => {
            edge.service(Scope::TokensRead).await?;
            let status = ask_status(edge, &find(edge, &provider, &account)?).await?;
            Ok(Reply::json(200, &status_json(&status, Timestamp::rfc3339)))
        }
        TokenRoute::AnyRefresh(provider, account) => {
            let by = by(edge, Scope::TokensWrite).await?;
            let key = find(edge, &provider, &account)?;
            let issued = order_token(edge, &key, Task::Refresh, by).await?;
            Ok(Reply::json(200, &token_json(&issued)))
        }
        TokenRoute::AnyHistory(provider, account) => {
            edge.service(Scope::TokensRead).await?;
            history(edge, &find(edge, &provider, &account)?).await
        }
        TokenRoute::SealingKeys => sealing_keys::list(edge).await,
    }
}

/// A configured account.
pub fn find(edge: &Edge, provider: &str, account: &str) -> Result<AccountKey, Reason> {
    edge.app.config.providers.find(provider, account).ok_or(Reason::AccountNotFound)
}

/// Lets a service in, and says who asks.
pub async fn by(edge: &Edge, scope: Scope) -> Result<By, Reason> {
    let who = edge.service(scope).await?.who();
    Ok(By { who, request_id: edge.context.request_id.clone() })
}

pub async fn ask(edge: &Edge, key: &AccountKey, command: Command) -> Result<Told, Reason> {
    match rpc::upstream(&edge.env, key.provider, &key.account, command).await? {
        Told::NoAccount => Err(Reason::AccountNotFound),
        reply => Ok(reply),
    }
}

/// A refusal that is the upstream's or ours: 502, 503, 504.
pub const fn refused(refusal: Refusal) -> Reason {
    Reason::Upstream { refusal, passes_on: false }
}

/// A token that is valid now: KV's copy while that may be given out, else the object's, renewed first if need be.
///
/// 1. The service key and its scope: 400, 401, 403.
/// 2. `min_ttl`: 422.
/// 3. The token: 502, 503, 504.
pub async fn read(edge: &Edge, key: &AccountKey, by: By) -> Result<Issued, Reason> {
    let min_ttl_seconds = min_ttl(edge)?;
    let now = platform::now();
    let mut rewrite = false;
    let copy = edge.kv()?.token(&edge.app.vault, key).await;
    let who = by.who.clone();
    let issued = match copy {
        Ok(TokenCopy::Good(issued))
            if issued.copy_until > now && seconds_up(issued.expires_at.since(now)) >= min_ttl_seconds =>
        {
            issued
        }
        copy => {
            match copy {
                Ok(TokenCopy::Broken) => rewrite = true,
                Ok(_) => {}
                // The truth is asked instead.
                Err(error) => drop(edge.fault("kv token", &error)),
            }
            match ask(edge, key, Command::Token { min_ttl_seconds, rewrite, by }).await? {
                Told::Token(issued) => issued,
                Told::Refused(refusal) => {
                    record(edge, key, &who, refusal.code.as_str());
                    return Err(refused(refusal));
                }
                _ => return Err(Reason::Internal),
            }
        }
    };
    record(edge, key, &who, "ok");
    Ok(issued)
}

fn record(edge: &Edge, key: &AccountKey, who: &str, outcome: &str) {
    let account = key.to_string();
    let (service, account) = (Some(who), Some(account.as_str()));
    edge.audit(&Audit { action: "read_token", outcome, service, account, ..Audit::default() });
}

fn min_ttl(edge: &Edge) -> Result<u64, Reason> {
    match query_values(&edge.context.query, "min_ttl").next() {
        None => Ok(0),
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| *seconds <= MIN_TTL_SECONDS_MAX)
            .ok_or_else(|| Reason::field("min_ttl", FieldFault::NotAllowed)),
    }
}

/// Has something done upstream that ends in a token.
pub async fn order_token(edge: &Edge, key: &AccountKey, task: Task, by: By) -> Result<Issued, Reason> {
    match ask(edge, key, Command::Order { task, by }).await? {
        Told::Token(issued) => Ok(issued),
        Told::Refused(refusal) => Err(refused(refusal)),
        _ => Err(Reason::Internal),
    }
}

pub async fn ask_status(edge: &Edge, key: &AccountKey) -> Result<Status, Reason> {
    match ask(edge, key, Command::Status).await? {
        Told::Status(status) => Ok(status),
        _ => Err(Reason::Internal),
    }
}

/// Whole seconds left of a life: what may be relied on, so rounded down.
pub fn seconds_left(expires_at: Option<Timestamp>) -> u64 {
    expires_at.map_or(0, |at| at.since(platform::now()).as_secs())
}

/// What an account is like, in the general shape.
pub fn status_json(status: &Status, print: fn(Timestamp) -> String) -> Value {
    let ttl = seconds_left(status.expires_at);
    json!({
        "has_token": ttl > 0,
        "status": status.health,
        "expires_at": status.expires_at.map(print),
        "ttl": ttl,
        "source": status.source,
        "last_check": status.check.as_ref().map(|check| {
            let outcome = check.code.map_or("ok", |code| code.as_str());
            json!({ "at": print(check.at), "outcome": outcome })
        }),
        "last_error": status.error.as_ref().map(|error| {
            json!({
                "code": error.code.as_str(),
                "status": error.status,
                "at": print(error.at),
                "failures": error.failures,
            })
        }),
        "next_renewal_at": status.next_renewal_at.map(print),
        "approval_until": status.approval_until.map(print),
    })
}

/// `GET /api/v1/tokens/{provider}/{account_id}`.
async fn any_read(edge: &Edge, provider: &str, account: &str) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensRead).await?;
    let key = find(edge, provider, account)?;
    Ok(Reply::json(200, &token_json(&read(edge, &key, by).await?)))
}

/// A token in the words of RFC 6749 §5.1.
fn token_json(issued: &Issued) -> Value {
    json!({
        "access_token": issued.token.expose(),
        "token_type": "bearer",
        "expires_in": seconds_left(Some(issued.expires_at)),
        "expires_at": issued.expires_at.rfc3339(),
    })
}

/// The last operations on an account, newest first.
pub async fn history(edge: &Edge, key: &AccountKey) -> Result<Reply, Reason> {
    let Told::History(entries) = ask(edge, key, Command::History).await? else {
        return Err(Reason::Internal);
    };
    // The Upstox routes print IST, all others UTC.
    let print = if key.provider == providers::UPSTOX { Timestamp::rfc3339_ist } else { Timestamp::rfc3339 };
    let entries: Vec<Value> = entries.iter().rev().map(|entry| entry_json(entry, print)).collect();
    let body = json!({ "provider": key.provider, "account_id": key.account, "operations": entries });
    Ok(Reply::json(200, &body))
}

fn entry_json(entry: &Entry, print: fn(Timestamp) -> String) -> Value {
    json!({
        "at": print(entry.at),
        "operation": entry.operation,
        "outcome": entry.outcome,
        "who": entry.who,
        "request_id": entry.request_id,
        "calls": entry.calls,
        "status": entry.status,
        "expires_at": entry.expires_at.map(print),
    })
}
