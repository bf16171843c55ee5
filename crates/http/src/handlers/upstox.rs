//! Upstox tokens of many accounts. Times are printed in IST. `GET …/token` and `POST …/refresh` have the shape of the
//! internal token service, so that callers of that one can come here.

use super::service_auth::ServiceCaller;
use super::tokens::{self, ask, ask_status, find, not_found, order_token, read as read_token, refused};
use crate::answers::Time;
use crate::answers::upstreams::{
    AccountStatus, Accounts, ApprovalRequested, TokenUpdated, UpstoxToken, Validation,
};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::reply::Reply;
use base::call::{Actor, Code, Refusal};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::secret::Secret;
use base::together::together;
use keeper::protocol::{
    Adopt, AnyCommand, ApprovalReply, CheckNow, Exchange, Issued, NewToken, Order, OrderReply, Orderable,
    RequestApproval, Status,
};
use keeper::{AccountKey, Source, providers};

const TOKEN_BYTES_MAX: usize = 8192;
const CODE_BYTES_MAX: usize = 1024;

/// The account of a path, else the default one.
fn key<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: Option<&str>,
) -> Result<AccountKey, Reason> {
    let default = ctx.app.config.providers.upstox_default.as_ref().map(AccountName::as_str);
    find(
        ctx,
        service,
        providers::UPSTOX,
        account.or(default).ok_or_else(|| not_found(ctx, providers::UPSTOX))?,
    )
}

/// `GET /accounts`: those that the service may use, page by page, in the order of the settings.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let all = ctx.app.config.providers.upstox_accounts.iter();
    let all: Vec<&AccountName> = all.filter(|id| service.may_use(providers::UPSTOX, id.as_str())).collect();
    let page = tokens::page(&ctx.head.query, &all, |id, cursor| id.as_str() == cursor)?;
    let statuses = page
        .items
        .iter()
        .map(|id| async move { ask_status(ctx, &key(ctx, service, Some(id.as_str()))?).await });
    let statuses: Result<Vec<Status>, Reason> = together(statuses).await.into_iter().collect();
    let (statuses, now) = (statuses?, ctx.now());
    let next_cursor = page.next.copied();
    let accounts =
        page.items.iter().zip(&statuses).map(|(id, status)| account_status(id, status, now)).collect();
    Ok(Reply::json(200, &Accounts { accounts, total: all.len(), next_cursor }))
}

fn account_status<'a>(account: &'a AccountName, status: &'a Status, now: Timestamp) -> AccountStatus<'a> {
    AccountStatus {
        account_id: Some(account),
        user_id: Some(status.user_id.as_deref()),
        ..tokens::shown(status, Timestamp::rfc3339_ist, now)
    }
}

/// `GET /accounts/{account_id}/token`.
pub async fn read<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let key = key(ctx, service, Some(account))?;
    Ok(token_reply(&key, &read_token(ctx, &key, by).await?))
}

/// `POST /accounts/{account_id}/refresh`. 202 where somebody has to approve it first.
pub async fn refresh<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let key = key(ctx, service, Some(account))?;
    match order_token(ctx, &key, NewToken::Refresh, by).await {
        Ok(issued) => Ok(token_reply(&key, &issued)),
        Err(Reason::Upstream { refusal: Refusal { code: Code::ApprovalPending, .. }, .. }) => {
            pending(ctx, &key).await
        }
        Err(reason) => Err(reason),
    }
}

fn token_reply(key: &AccountKey, issued: &Issued) -> Reply {
    let body = UpstoxToken {
        success: true,
        account_id: &key.account,
        access_token: issued.token.expose(),
        expires_at: Time::ist(issued.expires_at),
        source: issued.source,
        updated_by: issued.updated_by.as_deref(),
    };
    Reply::json(200, &body)
}

/// `GET /accounts/{account_id}/history`.
pub async fn history<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: &str,
) -> Result<Reply, Reason> {
    tokens::history(ctx, &key(ctx, service, Some(account))?).await
}

/// `GET /token/status`, `GET /accounts/{account_id}/token/status`: never the token.
pub async fn status<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: Option<&str>,
) -> Result<Reply, Reason> {
    let key = key(ctx, service, account)?;
    let status = ask_status(ctx, &key).await?;
    Ok(Reply::json(200, &account_status(&key.account, &status, ctx.now())))
}

/// `GET /token/validate`, `GET /accounts/{account_id}/token/validate`: asks Upstox. If it cannot say, neither do we: 502, 504.
pub async fn validate<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: Option<&str>,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let key = key(ctx, service, account)?;
    let (valid, reason) = match ask(ctx, &key, Order { task: CheckNow, by }).await? {
        OrderReply::Done(status) if status.expires_at.is_some_and(|at| at > ctx.now()) => (true, None),
        OrderReply::Done(status) => {
            (false, Some(if status.expires_at.is_some() { "expired" } else { "missing" }))
        }
        OrderReply::Refused(Refusal { code: Code::TokenRefused, .. }) => (false, Some("refused")),
        OrderReply::Refused(refusal) => return Err(refused(refusal)),
        OrderReply::NoAccount => return Err(Reason::AccountNotFound),
    };
    let status = ask_status(ctx, &key).await?;
    let body = Validation {
        account_id: &key.account,
        valid,
        reason,
        checked_at: Time::ist(ctx.now()),
        expires_at: status.expires_at.map(Time::ist),
        user_id: status.user_id.as_deref(),
    };
    Ok(Reply::json(200, &body))
}

/// `POST /token/update`, `POST /accounts/{account_id}/token/update`: takes over a token that Upstox accepts.
///
/// 1. The service key: 400, 401, 403.
/// 2. The fields: 400, 413, 415, 422. The account: 404.
/// 3. Upstox confirms the token: 422 if it refuses it, 502 or 504 if it cannot say. Then nothing is stored.
pub async fn update<B: Backend>(
    ctx: &mut RequestContext<B>,
    service: &ServiceCaller,
    account: Option<&str>,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let mut fields = ctx.fields().await?;
    let token = fields.text("access_token", TOKEN_BYTES_MAX);
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        fields.fault("access_token", FieldFault::NotAllowed);
    }
    let named = fields.optional_text("account_id", 100);
    // Whose the account is to be from now on: to change that is an act of its own.
    let user_id = fields.optional_text("user_id", 200);
    let expires_at = match fields.optional_text("expires_at", 64) {
        None => None,
        Some(text) => {
            let at = Timestamp::parse_rfc3339(&text).filter(|at| *at > ctx.now());
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
    let key = key(ctx, service, account.or(named.as_deref()))?;
    let new_owner = user_id.is_some();
    let task = Adopt { token: Secret::new(token), expires_at, source: Source::Manual, user_id, new_owner };
    let status = order(ctx, &key, task, by).await?;
    Ok(updated("Token updated successfully", &key, &status))
}

/// `POST /accounts/{account_id}/token/exchange`: changes an authorization code for a token. A code works once, so whatever
/// comes of it, it is not tried again.
pub async fn exchange<B: Backend>(
    ctx: &mut RequestContext<B>,
    service: &ServiceCaller,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let mut fields = ctx.fields().await?;
    let code = fields.text("code", CODE_BYTES_MAX);
    let redirect_uri = fields.optional_text("redirect_uri", CODE_BYTES_MAX);
    fields.finish()?;
    let key = key(ctx, service, Some(account))?;
    let status = order(ctx, &key, Exchange { code: Secret::new(code), redirect_uri }, by).await?;
    Ok(updated("Token obtained successfully", &key, &status))
}

/// `POST /accounts/{account_id}/token/request`: asks the account's owner to approve a token in the Upstox app. The token
/// comes by the notifier webhook.
pub async fn request<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let key = key(ctx, service, Some(account))?;
    match ask(ctx, &key, Order { task: RequestApproval, by }).await? {
        ApprovalReply::Refused(Refusal { code: Code::ApprovalPending, .. }) => pending(ctx, &key).await,
        ApprovalReply::Refused(refusal) => Err(refused(refusal)),
        ApprovalReply::NoAccount => Err(Reason::AccountNotFound),
    }
}

async fn pending<B: Backend>(ctx: &RequestContext<B>, key: &AccountKey) -> Result<Reply, Reason> {
    let status = ask_status(ctx, key).await?;
    let body = ApprovalRequested {
        success: true,
        message: "Approval requested",
        account_id: &key.account,
        approval_until: status.approval_until.map(Time::ist),
    };
    Ok(Reply::json(202, &body))
}

/// Has something done with what the caller gave, so a refusal of it is the caller's: 422.
pub async fn order<B: Backend, T: Orderable<Reply = OrderReply>>(
    ctx: &RequestContext<B>,
    key: &AccountKey,
    task: T,
    by: Actor,
) -> Result<Status, Reason>
where
    AnyCommand: From<Order<T>>,
{
    match ask(ctx, key, Order { task, by }).await? {
        OrderReply::Done(status) => Ok(status),
        OrderReply::Refused(refusal) => {
            let passes_on = matches!(refusal.code, Code::TokenRefused | Code::OtherUser | Code::GrantRefused);
            Err(Reason::Upstream { refusal, passes_on })
        }
        OrderReply::NoAccount => Err(Reason::AccountNotFound),
    }
}

fn updated(message: &'static str, key: &AccountKey, status: &Status) -> Reply {
    let body = TokenUpdated {
        success: true,
        message,
        account_id: &key.account,
        expires_at: status.expires_at.map(Time::ist),
        source: status.source,
        user_id: status.user_id.as_deref(),
        extended_until: status.extended_until.map(Time::ist),
    };
    Reply::json(200, &body)
}
