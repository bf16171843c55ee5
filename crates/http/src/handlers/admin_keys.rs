//! Admin routes for service keys.

use super::service_auth::{MARK, key_who};
use crate::access::{Admin, RecentAdmin};
use crate::answers::Time;
use crate::answers::users::{Key, Replaced, RotatedKey, ServiceKeys};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::clock::Timestamp;
use base::ids::ServiceKeyId;
use base::secret::Secret;
use directory::account_pattern::{PATTERNS_MAX, is_pattern};
use directory::index::{self, AddKey, AddKeyReply, Keys, ReplaceKey, RevokeKey};
use directory::service_key::{self, NAME_CHARS_MAX, Scope, ServiceKey, is_name};
use keeper::providers;
use std::time::Duration;

/// Longest life that a key can be given, in days: ten years. Without one it does not expire.
const EXPIRES_DAYS_MAX: u64 = 3650;
const DAY_SECONDS: u64 = 86_400;
/// How long a key is good beside the one that takes its place, in hours: a day, and 30 days at the longest.
const OVERLAP_HOURS: u64 = 24;
const OVERLAP_HOURS_MAX: u64 = 720;

/// What is said of a key each time it is shown.
fn shown(key: &ServiceKey) -> Key<'_> {
    Key {
        id: &key.id,
        name: &key.name,
        scopes: key.scopes().collect(),
        accounts: Some(key.accounts().collect()).filter(|accounts: &Vec<_>| !accounts.is_empty()),
        created_at: Time::utc(key.created_at),
        expires_at: key.expires_at.map(Time::utc),
        key: None,
        revoked_at: None,
        status: None,
        last4: None,
        last_used_at: None,
    }
}

/// `POST /admin/service-keys`. The answer is the only time that the key is shown.
///
/// 1. Check the caller, and how long ago their login is: 401, 403.
/// 2. Read the fields: 400, 413, 415, 422.
/// 3. The directory keeps the key, without its secret: 409 if there are too many.
pub async fn create<B: Backend>(ctx: &mut RequestContext<B>, admin: &RecentAdmin) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let name = name(&mut fields);
    let scopes = scopes(&mut fields);
    let accounts = accounts(&mut fields, &scopes);
    let days = fields.optional_number("expires_in_days", 1, EXPIRES_DAYS_MAX);
    fields.finish()?;

    let now = ctx.now();
    let expires_at = days.map(|days| now.plus(Duration::from_secs(days * DAY_SECONDS)));
    let (key, text) = made(ctx, name, &scopes, &accounts, expires_at)?;
    kept(ctx.directory(&AddKey(key.clone())).await?)?;
    ctx.audit(&about(Action::CreateServiceKey, admin, &key, &key_who(&key.name)));
    Ok(Reply::json(201, &Key { key: Some(text.expose()), ..shown(&key) }))
}

/// A new key, marked as one of ours, and its text.
fn made<B: Backend>(
    ctx: &RequestContext<B>,
    name: String,
    scopes: &[Scope],
    accounts: &[String],
    expires_at: Option<Timestamp>,
) -> Result<(ServiceKey, Secret), Reason> {
    let id = ctx.backend.random().map(u64::from_be_bytes).map_err(|_| Reason::Unavailable)?;
    let mut secret = ctx.backend.random().map_err(|_| Reason::Unavailable)?;
    service_key::mark(id, &mut secret, |text| ctx.app.vault.fingerprint(MARK, text));
    let (mut key, text) = ServiceKey::new(id, &secret, name, scopes, expires_at, ctx.now());
    key.restrict(accounts);
    Ok((key, text))
}

const fn kept(reply: AddKeyReply) -> Result<(), Reason> {
    match reply {
        AddKeyReply::Done => Ok(()),
        AddKeyReply::TooManyKeys => Err(Reason::TooManyServiceKeys),
        AddKeyReply::NoSuchKey => Err(Reason::ServiceKeyNotFound),
    }
}

fn name(fields: &mut Fields) -> String {
    let name = fields.text("name", NAME_CHARS_MAX * 4);
    if name.chars().count() > NAME_CHARS_MAX {
        fields.fault("name", FieldFault::TooLong);
    } else if !name.is_empty() && !is_name(&name) {
        fields.fault("name", FieldFault::NotAllowed);
    }
    name
}

/// At least one, each once, in an order of their own.
fn scopes(fields: &mut Fields) -> Vec<Scope> {
    let given = fields.has("scopes");
    let names = fields.optional_list("scopes");
    if !given || names.as_ref().is_some_and(Vec::is_empty) {
        fields.fault("scopes", FieldFault::Required);
    }
    let names = names.unwrap_or_default();
    let scopes: Vec<_> =
        Scope::ALL.into_iter().filter(|scope| names.iter().any(|name| name == scope.as_str())).collect();
    // Whoever gives both means one of them.
    let both = [Scope::Portal, Scope::PortalOwn].iter().all(|scope| scopes.contains(scope));
    if both || names.iter().any(|name| Scope::from_name(name).is_none()) {
        fields.fault("scopes", FieldFault::NotAllowed);
    }
    scopes
}

/// The upstream accounts that it is for: of all, if they are left out. Only what lets somebody have tokens can be restricted to some.
fn accounts(fields: &mut Fields, scopes: &[Scope]) -> Vec<String> {
    let Some(patterns) = fields.optional_list("accounts") else { return Vec::new() };
    let of_tokens = scopes.iter().any(|scope| matches!(scope, Scope::TokensRead | Scope::TokensWrite));
    if patterns.is_empty() {
        fields.fault("accounts", FieldFault::Required);
    } else if patterns.len() > PATTERNS_MAX {
        fields.fault("accounts", FieldFault::TooLong);
    } else if !of_tokens || !patterns.iter().all(|pattern| is_pattern(pattern, providers::is_known)) {
        fields.fault("accounts", FieldFault::NotAllowed);
    }
    patterns
}

/// `GET /admin/service-keys`: all, the oldest first; bounded by the directory.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, _: &Admin) -> Result<Reply, Reason> {
    let keys = ctx.directory(&Keys).await?.keys;
    let now = ctx.now();
    let listed = keys.iter().map(|key| Key {
        revoked_at: Some(key.revoked_at.map(Time::utc)),
        status: Some(key.status(now)),
        last4: Some(&key.last4),
        last_used_at: Some(key.last_used_at.map(Time::utc)),
        ..shown(key)
    });
    Ok(Reply::json(200, &ServiceKeys { service_keys: listed.collect() }))
}

/// `DELETE /admin/service-keys/{id}`. Doing it again changes nothing.
pub async fn revoke<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &RecentAdmin,
    id: &str,
) -> Result<Reply, Reason> {
    let id = ServiceKeyId::parse(id).ok_or(Reason::ServiceKeyNotFound)?;
    let keys = ctx.directory(&RevokeKey(id.clone())).await?.keys;
    let key = keys.first().ok_or(Reason::ServiceKeyNotFound)?;
    ctx.forget_key(&id);
    ctx.audit(&about(Action::RevokeServiceKey, admin, key, &key_who(&key.name)));
    Ok(Reply::empty(204))
}

/// `POST /admin/service-keys/{id}/rotate`: a new key with the name, the rights and the length of life of a good one, which stays
/// good for a while. The answer is the only time that the new key is shown.
///
/// 1. Read the field: 400, 413, 415, 422.
/// 2. The key has to be there, and good: 404.
/// 3. The directory keeps the new key and bounds the old one in one step: 409 if there are too many.
pub async fn rotate<B: Backend>(
    ctx: &mut RequestContext<B>,
    admin: &RecentAdmin,
    id: &str,
) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let overlap = fields.optional_number("overlap_hours", 0, OVERLAP_HOURS_MAX).unwrap_or(OVERLAP_HOURS);
    fields.finish()?;
    let id = ServiceKeyId::parse(id).ok_or(Reason::ServiceKeyNotFound)?;
    let found = ctx.directory(&index::Key(id.clone())).await?.keys;
    let old = found.first().ok_or(Reason::ServiceKeyNotFound)?;

    let now = ctx.now();
    let scopes: Vec<Scope> = old.scopes().filter_map(Scope::from_name).collect();
    let accounts: Vec<String> = old.accounts().map(str::to_owned).collect();
    let expires_at = old.expires_at.map(|at| now.plus(at.since(old.created_at)));
    let (key, text) = made(ctx, old.name.clone(), &scopes, &accounts, expires_at)?;
    let until = now.plus(Duration::from_secs(overlap * 3600));
    kept(ctx.directory(&ReplaceKey { id: id.clone(), until, by: key.clone() }).await?)?;
    ctx.forget_key(&id);
    let who = key_who(&key.name);
    ctx.audit(&about(Action::RotateServiceKey, admin, old, &who));
    ctx.audit(&about(Action::CreateServiceKey, admin, &key, &who));
    let replaces =
        Replaced { id: &id, expires_at: Time::utc(old.expires_at.map_or(until, |at| at.min(until))) };
    Ok(Reply::json(201, &RotatedKey { key: Key { key: Some(text.expose()), ..shown(&key) }, replaces }))
}

/// What the records of all actions have in common.
fn about<'a>(action: Action, admin: &RecentAdmin, key: &'a ServiceKey, who: &'a str) -> Audit<'a> {
    let actor = Some(admin.user_id());
    Audit { actor, service: Some(who), key_id: Some(&key.id), ..Audit::of(action, "ok") }
}
