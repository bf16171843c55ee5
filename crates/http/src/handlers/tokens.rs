//! Upstream tokens for services: what all their routes share. Those of Facturify and Upstox answer in the shapes of the
//! systems they stand in for.

use super::service_auth::ServiceCaller;
use crate::answers::upstreams::{
    AccountStatus, AnyAccounts, History, LastCheck, LastError, PastOperation, UpstreamToken,
};
use crate::answers::{Print, Time};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::log::Audit;
use crate::reply::Reply;
use crate::route::query_values;
use base::audit::Action;
use base::call::{Actor, Code, Refusal};
use base::clock::{Timestamp, seconds_up};
use base::fault::FaultKind;
use base::together::together;
use keeper::protocol::{
    AccountCommand, GetHistory, GetStatus, GetToken, HistoryReply, Issued, NewToken, Order, Status,
    StatusReply, TokenReply,
};
use keeper::{AccountKey, providers};
use store::{IDENTITY_PURPOSE, TokenCopy};

/// Longest `min_ttl`, in seconds: a month.
const MIN_TTL_SECONDS_MAX: u64 = 31 * 86_400;
/// Shortest `not`, in hexadecimal digits.
const NOT_MIN: usize = 8;
/// Each account of a page is asked in its own object; under the 50 subrequests of a free plan.
const PAGE_MAX: usize = 45;

/// A configured account that the service may use.
pub fn find<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    provider: &str,
    account: &str,
) -> Result<AccountKey, Reason> {
    // Also of one that is not there: a key for others is not to find out.
    if !service.may_use(provider, account) {
        return Err(Reason::Forbidden);
    }
    let providers = &ctx.app.config.providers;
    providers.find(provider, account).ok_or_else(|| not_found(ctx, provider))
}

/// There is no such account, unless the setting that lists them cannot be read: then nobody can say.
pub fn not_found<B: Backend>(ctx: &RequestContext<B>, provider: &str) -> Reason {
    if ctx.app.config.providers.is_unread(provider) {
        return refused(Refusal { code: Code::Misconfigured, status: None, retry_after_seconds: None });
    }
    Reason::AccountNotFound
}

/// Tells or asks the object of an account something.
pub async fn ask<B: Backend, C: AccountCommand>(
    ctx: &RequestContext<B>,
    key: &AccountKey,
    command: C,
) -> Result<C::Reply, Reason> {
    Ok(keeper::send(&ctx.backend, key.provider, &key.account, command).await?)
}

/// A refusal that is the upstream's or ours: 502, 503, 504.
pub const fn refused(refusal: Refusal) -> Reason {
    Reason::Upstream { refusal, passes_on: false }
}

/// A token that is valid now: KV's copy while that may be given out, else the object's, renewed first if need be.
///
/// 1. The service key and its scope: 400, 401, 403.
/// 2. `min_ttl`, `not`: 422. With `not`, the start of the SHA-256 of a token that was refused, KV is not asked.
/// 3. The token: 502, 503, 504.
pub async fn read<B: Backend>(
    ctx: &RequestContext<B>,
    key: &AccountKey,
    by: Actor,
) -> Result<Issued, Reason> {
    let min_ttl_seconds = min_ttl(&ctx.head.query)?;
    let not = not(&ctx.head.query)?;
    let extended = is_extended(&ctx.head.query)?;
    let now = ctx.now();
    let mut rewrite = false;
    let copy = if not.is_some() || extended {
        Ok(TokenCopy::None)
    } else {
        ctx.store().token(&ctx.app.vault, key).await
    };
    match copy {
        // Of a release that did not say whose it is.
        Ok(TokenCopy::Good(issued)) if issued.identity.is_empty() => rewrite = true,
        Ok(TokenCopy::Good(issued))
            if issued.copy_until > now
                && seconds_up(issued.expires_at.since(now)) >= min_ttl_seconds
                && is_of(ctx, key, &issued) =>
        {
            record(ctx, key, &by.who, "ok");
            return Ok(issued);
        }
        Ok(TokenCopy::Broken) => rewrite = true,
        Ok(TokenCopy::Good(_) | TokenCopy::None) => {}
        // The truth is asked instead.
        Err(error) => drop(ctx.fault(FaultKind::KvToken, &error)),
    }
    let who = by.who.clone();
    match ask(ctx, key, GetToken { min_ttl_seconds, rewrite, not, extended, by }).await? {
        TokenReply::Token(issued) => {
            record(ctx, key, &who, "ok");
            Ok(issued)
        }
        TokenReply::Refused(refusal) => {
            record(ctx, key, &who, refusal.code.as_str());
            Err(refused(refusal))
        }
        TokenReply::NoAccount => Err(Reason::AccountNotFound),
    }
}

/// Whether a copy is of the identity that the settings have now: a deploy may have made it another one.
fn is_of<B: Backend>(ctx: &RequestContext<B>, key: &AccountKey, issued: &Issued) -> bool {
    let provider = ctx.app.config.providers.get(key);
    let prints = provider.map(|p| ctx.app.vault.fingerprints(IDENTITY_PURPOSE, &p.identity()));
    prints.unwrap_or_default().contains(&issued.identity)
}

fn record<B: Backend>(ctx: &RequestContext<B>, key: &AccountKey, who: &str, outcome: &str) {
    let account = key.to_string();
    let (service, account) = (Some(who), Some(account.as_str()));
    ctx.audit(&Audit { service, account, ..Audit::of(Action::ReadToken, outcome) });
}

/// Which token: the one that trades, or one that lives longer than the day, which is not given to whoever wants the other.
fn is_extended(query: &str) -> Result<bool, Reason> {
    match query_values(query, "kind").next().as_deref() {
        None | Some("trading") => Ok(false),
        Some("extended") => Ok(true),
        Some(_) => Err(Reason::field("kind", FieldFault::NotAllowed)),
    }
}

/// Hexadecimal digits of a SHA-256: enough to tell tokens apart, and not the whole of one.
fn not(query: &str) -> Result<Option<String>, Reason> {
    let Some(text) = query_values(query, "not").next() else { return Ok(None) };
    let good = (NOT_MIN..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if good { Ok(Some(text.to_ascii_lowercase())) } else { Err(Reason::field("not", FieldFault::NotAllowed)) }
}

fn min_ttl(query: &str) -> Result<u64, Reason> {
    match query_values(query, "min_ttl").next() {
        None => Ok(0),
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| *seconds <= MIN_TTL_SECONDS_MAX)
            .ok_or_else(|| Reason::field("min_ttl", FieldFault::NotAllowed)),
    }
}

/// Has a new token fetched.
pub async fn order_token<B: Backend>(
    ctx: &RequestContext<B>,
    key: &AccountKey,
    task: NewToken,
    by: Actor,
) -> Result<Issued, Reason> {
    match ask(ctx, key, Order { task, by }).await? {
        TokenReply::Token(issued) => Ok(issued),
        TokenReply::Refused(refusal) => Err(refused(refusal)),
        TokenReply::NoAccount => Err(Reason::AccountNotFound),
    }
}

pub async fn ask_status<B: Backend>(ctx: &RequestContext<B>, key: &AccountKey) -> Result<Status, Reason> {
    match ask(ctx, key, GetStatus).await? {
        StatusReply::Status(status) => Ok(status),
        StatusReply::NoAccount => Err(Reason::AccountNotFound),
    }
}

/// Whole seconds left of a life: what may be relied on, so rounded down.
pub fn seconds_left(expires_at: Option<Timestamp>, now: Timestamp) -> u64 {
    expires_at.map_or(0, |at| at.since(now).as_secs())
}

/// What an account is like, in the general shape.
pub fn shown(status: &Status, print: Print, now: Timestamp) -> AccountStatus<'_> {
    let time = |at| Time(print(at));
    let ttl = seconds_left(status.expires_at, now);
    AccountStatus {
        has_token: ttl > 0,
        status: status.health,
        expires_at: status.expires_at.map(time),
        ttl,
        source: status.source,
        last_check: Some(status.check.as_ref().map(|check| LastCheck {
            at: time(check.at),
            outcome: check.code.map_or("ok", |code| code.as_str()),
        })),
        last_error: status.error.as_ref().map(|error| LastError {
            code: error.code.as_str(),
            status: error.status,
            at: time(error.at),
            failures: error.failures,
            since: error.since.map(time),
            message: error.message.as_deref(),
        }),
        next_renewal_at: status.next_renewal_at.map(time),
        approval_until: Some(status.approval_until.map(time)),
        extended_until: status.extended_until.map(time),
        provider: None,
        issued_at: None,
        account_id: None,
        user_id: None,
        expires_in: None,
    }
}

/// `GET /api/v1/tokens`: the accounts that the service may use, page by page. One that cannot be asked hides no other.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let all = ctx.app.config.providers.all().into_iter();
    let all: Vec<AccountKey> =
        all.filter(|key| service.may_use(key.provider, key.account.as_str())).collect();
    let page = page(&ctx.head.query, &all, |key, cursor| key.to_string() == cursor)?;
    let statuses = together(page.items.iter().map(|key| ask_status(ctx, key))).await;
    let now = ctx.now();
    let (mut accounts, mut unreachable) = (Vec::new(), Vec::new());
    for (key, status) in page.items.iter().zip(&statuses) {
        match status {
            Ok(status) => accounts.push(AccountStatus {
                provider: Some(key.provider),
                account_id: Some(&key.account),
                issued_at: Some(status.obtained_at.map(Time::utc)),
                user_id: Some(status.user_id.as_deref()),
                ..shown(status, Timestamp::rfc3339, now)
            }),
            // Its settings are of another deployment by now.
            Err(Reason::AccountNotFound) => {}
            Err(_) => unreachable.push(key.to_string()),
        }
    }
    let next_cursor = page.next.map(ToString::to_string);
    Ok(Reply::json(200, &AnyAccounts { accounts, total: all.len(), next_cursor, unreachable: &unreachable }))
}

/// A page of what is configured.
pub struct Page<'a, T> {
    pub items: &'a [T],
    /// The last of them, if there are more.
    pub next: Option<&'a T>,
}

/// The page that a query asks for: `limit`, and as `cursor` the last one of the page before.
pub fn page<'a, T>(
    query: &str,
    all: &'a [T],
    is_named: impl Fn(&T, &str) -> bool,
) -> Result<Page<'a, T>, Reason> {
    let limit = match query_values(query, "limit").next() {
        None => PAGE_MAX,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=PAGE_MAX).contains(n))
            .ok_or_else(|| Reason::field("limit", FieldFault::NotAllowed))?,
    };
    let from = match query_values(query, "cursor").next() {
        None => 0,
        Some(last) => {
            let at = all.iter().position(|item| is_named(item, &last));
            at.ok_or_else(|| Reason::field("cursor", FieldFault::NotAllowed))? + 1
        }
    };
    let rest = all.get(from..).unwrap_or_default();
    let items = rest.get(..limit).unwrap_or(rest);
    Ok(Page { items, next: items.last().filter(|_| items.len() < rest.len()) })
}

/// `GET /api/v1/tokens/{provider}/{account_id}`.
pub async fn any_read<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    provider: &str,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let issued = read(ctx, &find(ctx, service, provider, account)?, by).await?;
    Ok(Reply::json(200, &token(&issued, ctx.now())))
}

/// `GET /api/v1/tokens/{provider}/{account_id}/status`: never the token.
pub async fn any_status<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    provider: &str,
    account: &str,
) -> Result<Reply, Reason> {
    let status = ask_status(ctx, &find(ctx, service, provider, account)?).await?;
    Ok(Reply::json(200, &shown(&status, Timestamp::rfc3339, ctx.now())))
}

/// `POST /api/v1/tokens/{provider}/{account_id}/refresh`. An admin hears how the account is then, and is not given the token.
pub async fn any_refresh<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    provider: &str,
    account: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let key = find(ctx, service, provider, account)?;
    let issued = order_token(ctx, &key, NewToken::Refresh, by).await?;
    if service.is_admin() {
        let status = ask_status(ctx, &key).await?;
        return Ok(Reply::json(200, &shown(&status, Timestamp::rfc3339, ctx.now())));
    }
    Ok(Reply::json(200, &token(&issued, ctx.now())))
}

/// `GET /api/v1/tokens/{provider}/{account_id}/history`.
pub async fn any_history<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    provider: &str,
    account: &str,
) -> Result<Reply, Reason> {
    history(ctx, &find(ctx, service, provider, account)?).await
}

/// A token in the words of RFC 6749 §5.1.
fn token(issued: &Issued, now: Timestamp) -> UpstreamToken<'_> {
    UpstreamToken {
        access_token: issued.token.expose(),
        token_type: "bearer",
        expires_in: seconds_left(Some(issued.expires_at), now),
        expires_at: Time::utc(issued.expires_at),
    }
}

/// The last operations on an account, newest first.
pub async fn history<B: Backend>(ctx: &RequestContext<B>, key: &AccountKey) -> Result<Reply, Reason> {
    let entries = match ask(ctx, key, GetHistory).await? {
        HistoryReply::History(entries) => entries,
        HistoryReply::NoAccount => return Err(Reason::AccountNotFound),
    };
    // The Upstox routes print IST, all others UTC.
    let print = if key.provider == providers::UPSTOX { Timestamp::rfc3339_ist } else { Timestamp::rfc3339 };
    let operations = entries.iter().rev().map(|entry| PastOperation {
        at: Time(print(entry.at)),
        operation: entry.operation,
        outcome: &entry.outcome,
        who: &entry.who,
        request_id: &entry.request_id,
        calls: entry.calls,
        status: entry.status,
        expires_at: entry.expires_at.map(|at| Time(print(at))),
    });
    let operations = operations.collect();
    Ok(Reply::json(200, &History { provider: key.provider, account_id: &key.account, operations }))
}
