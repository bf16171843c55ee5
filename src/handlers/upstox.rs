//! Upstox tokens of many accounts. Times are printed in IST. `GET …/token` and `POST …/refresh` have the shape of the
//! internal token service, so that callers of that one can come here.

use super::edge::Edge;
use super::tokens::{ask, ask_status, by, find, order_token, read as read_token, refused, status_json};
use crate::platform;
use ::directory::service_key::Scope;
use ::keeper::protocol::{Issued, Refusal, Status};
use ::keeper::{AccountKey, Code, Command, Reply as Told, Source, Task, providers};
use base::clock::Timestamp;
use base::secret::Secret;
use futures_util::future::join_all;
use http::error::{FieldFault, Reason};
use http::reply::Reply;
use http::route::query_values;
use serde_json::{Value, json};
use worker::Request;

const TOKEN_BYTES_MAX: usize = 8192;
const CODE_BYTES_MAX: usize = 1024;
/// Each account of a page is asked in its own object; under the 50 subrequests of a free plan.
const PAGE_MAX: usize = 45;

/// The account of a path, else the default one.
pub fn key(edge: &Edge, account: Option<&str>) -> Result<AccountKey, Reason> {
    let default = edge.app.config.providers.upstox_default.as_deref();
    find(edge, providers::UPSTOX, account.or(default).ok_or(Reason::AccountNotFound)?)
}

/// `GET /accounts`: page by page, in the order of the settings.
pub async fn list(edge: &Edge) -> Result<Reply, Reason> {
    edge.service(Scope::TokensRead).await?;
    let all = &edge.app.config.providers.upstox_accounts;
    let query = |name| query_values(&edge.context.query, name).next();
    let limit = match query("limit") {
        None => PAGE_MAX,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=PAGE_MAX).contains(n))
            .ok_or_else(|| Reason::field("limit", FieldFault::NotAllowed))?,
    };
    let from = match query("cursor") {
        None => 0,
        Some(last) => {
            let at = all.iter().position(|id| *id == last);
            at.ok_or_else(|| Reason::field("cursor", FieldFault::NotAllowed))? + 1
        }
    };
    let page: Vec<&String> = all.iter().skip(from).take(limit).collect();
    let statuses = page.iter().map(|id| async move {
        let status = ask_status(edge, &key(edge, Some(id.as_str()))?).await?;
        Ok(account_json(id, &status))
    });
    let accounts: Result<Vec<Value>, Reason> = join_all(statuses).await.into_iter().collect();
    let more = from + page.len() < all.len();
    let cursor = page.last().filter(|_| more);
    Ok(Reply::json(200, &json!({ "accounts": accounts?, "total": all.len(), "next_cursor": cursor })))
}

fn account_json(account: &str, status: &Status) -> Value {
    let mut body = status_json(status, Timestamp::rfc3339_ist);
    if let Some(map) = body.as_object_mut() {
        map.insert("account_id".to_owned(), account.into());
        map.insert("user_id".to_owned(), status.user_id.clone().into());
    }
    body
}

/// `GET /accounts/{account_id}/token`.
pub async fn read(edge: &Edge, account: &str) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensRead).await?;
    let key = key(edge, Some(account))?;
    Ok(token_reply(&key, &read_token(edge, &key, by).await?))
}

/// `POST /accounts/{account_id}/refresh`. 202 where somebody has to approve it first.
pub async fn refresh(edge: &Edge, account: &str) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let key = key(edge, Some(account))?;
    match order_token(edge, &key, Task::Refresh, by).await {
        Ok(issued) => Ok(token_reply(&key, &issued)),
        Err(Reason::Upstream { refusal: Refusal { code: Code::ApprovalPending, .. }, .. }) => {
            pending(edge, &key).await
        }
        Err(reason) => Err(reason),
    }
}

fn token_reply(key: &AccountKey, issued: &Issued) -> Reply {
    let body = json!({
        "success": true,
        "account_id": key.account,
        "access_token": issued.token.expose(),
        "expires_at": issued.expires_at.rfc3339_ist(),
        "source": issued.source,
        "updated_by": issued.updated_by,
    });
    Reply::json(200, &body)
}

/// `GET /token/status`, `GET /accounts/{account_id}/token/status`: never the token.
pub async fn status(edge: &Edge, account: Option<&str>) -> Result<Reply, Reason> {
    edge.service(Scope::TokensRead).await?;
    let key = key(edge, account)?;
    Ok(Reply::json(200, &account_json(&key.account, &ask_status(edge, &key).await?)))
}

/// `GET /token/validate`, `GET /accounts/{account_id}/token/validate`: asks Upstox. If it cannot say, neither do we: 502, 504.
pub async fn validate(edge: &Edge, account: Option<&str>) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensRead).await?;
    let key = key(edge, account)?;
    let (valid, reason) = match ask(edge, &key, Command::Order { task: Task::Check, by }).await? {
        Told::Done(status) if status.expires_at.is_some_and(|at| at > platform::now()) => (true, None),
        Told::Done(status) => (false, Some(if status.expires_at.is_some() { "expired" } else { "missing" })),
        Told::Refused(Refusal { code: Code::TokenRefused, .. }) => (false, Some("refused")),
        Told::Refused(refusal) => return Err(refused(refusal)),
        _ => return Err(Reason::Internal),
    };
    let status = ask_status(edge, &key).await?;
    let body = json!({
        "account_id": key.account,
        "valid": valid,
        "reason": reason,
        "checked_at": platform::now().rfc3339_ist(),
        "expires_at": status.expires_at.map(Timestamp::rfc3339_ist),
        "user_id": status.user_id,
    });
    Ok(Reply::json(200, &body))
}

/// `POST /token/update`, `POST /accounts/{account_id}/token/update`: takes over a token that Upstox accepts.
///
/// 1. The service key: 400, 401, 403.
/// 2. The fields: 400, 413, 415, 422. The account: 404.
/// 3. Upstox confirms the token: 422 if it refuses it, 502 or 504 if it cannot say. Then nothing is stored.
pub async fn update(edge: &mut Edge, request: &mut Request, account: Option<&str>) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let mut fields = edge.fields(request).await?;
    let token = fields.text("access_token", TOKEN_BYTES_MAX);
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        fields.fault("access_token", FieldFault::NotAllowed);
    }
    let named = fields.optional_text("account_id", 100);
    let expires_at = match fields.optional_text("expires_at", 64) {
        None => None,
        Some(text) => {
            let at = Timestamp::parse_rfc3339(&text).filter(|at| *at > platform::now());
            if at.is_none() {
                fields.fault("expires_at", FieldFault::NotAllowed);
            }
            at
        }
    };
    if account.is_some() && named.is_some() && account != named.as_deref() {
        fields.fault("account_id", FieldFault::NotAllowed);
    }
    fields.finish()?;
    let key = key(edge, account.or(named.as_deref()))?;
    let token = Secret::new(token);
    let task = Task::Adopt { token, expires_at, source: Source::Manual, user_id: None };
    let status = order(edge, &key, Command::Order { task, by }).await?;
    Ok(updated("Token updated successfully", &key, &status))
}

/// `POST /accounts/{account_id}/token/exchange`: changes an authorization code for a token. A code works once, so whatever
/// comes of it, it is not tried again.
pub async fn exchange(edge: &mut Edge, request: &mut Request, account: &str) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let mut fields = edge.fields(request).await?;
    let code = fields.text("code", CODE_BYTES_MAX);
    let redirect_uri = fields.optional_text("redirect_uri", CODE_BYTES_MAX);
    fields.finish()?;
    let key = key(edge, Some(account))?;
    let task = Task::Exchange { code: Secret::new(code), redirect_uri };
    let status = order(edge, &key, Command::Order { task, by }).await?;
    Ok(updated("Token obtained successfully", &key, &status))
}

/// `POST /accounts/{account_id}/token/request`: asks the account's owner to approve a token in the Upstox app. The token
/// comes by the notifier webhook.
pub async fn request(edge: &Edge, account: &str) -> Result<Reply, Reason> {
    let by = by(edge, Scope::TokensWrite).await?;
    let key = key(edge, Some(account))?;
    match ask(edge, &key, Command::Order { task: Task::Request, by }).await? {
        Told::Refused(Refusal { code: Code::ApprovalPending, .. }) => pending(edge, &key).await,
        Told::Refused(refusal) => Err(refused(refusal)),
        _ => Err(Reason::Internal),
    }
}

async fn pending(edge: &Edge, key: &AccountKey) -> Result<Reply, Reason> {
    let status = ask_status(edge, key).await?;
    let body = json!({
        "success": true,
        "message": "Approval requested",
        "account_id": key.account,
        "approval_until": status.approval_until.map(Timestamp::rfc3339_ist),
    });
    Ok(Reply::json(202, &body))
}

/// Has something done with what the caller gave, so a refusal of it is the caller's: 422.
pub async fn order(edge: &Edge, key: &AccountKey, command: Command) -> Result<Status, Reason> {
    match ask(edge, key, command).await? {
        Told::Done(status) => Ok(status),
        Told::Refused(refusal) => {
            let passes_on = matches!(refusal.code, Code::TokenRefused | Code::GrantRefused);
            Err(Reason::Upstream { refusal, passes_on })
        }
        _ => Err(Reason::Internal),
    }
}

fn updated(message: &str, key: &AccountKey, status: &Status) -> Reply {
    let body = json!({
        "success": true,
        "message": message,
        "account_id": key.account,
        "expires_at": status.expires_at.map(Timestamp::rfc3339_ist),
        "source": status.source,
        "user_id": status.user_id,
    });
    Reply::json(200, &body)
}
