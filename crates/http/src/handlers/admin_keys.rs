//! Admin routes for service keys.

use super::service_auth::{MARK, key_who};
use crate::access::Admin;
use crate::answers::Time;
use crate::answers::users::{Key, ServiceKeys};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::ids::ServiceKeyId;
use directory::index::{AddKey, AddKeyReply, Keys, RevokeKey};
use directory::service_key::{self, NAME_CHARS_MAX, Scope, ServiceKey, is_name};
use std::time::Duration;

/// Longest life that a key can be given, in days: ten years. Without one it does not expire.
const EXPIRES_DAYS_MAX: u64 = 3650;
const DAY_SECONDS: u64 = 86_400;

/// What is said of a key each time it is shown.
fn shown(key: &ServiceKey) -> Key<'_> {
    Key {
        id: &key.id,
        name: &key.name,
        scopes: key.scopes().collect(),
        created_at: Time::utc(key.created_at),
        expires_at: key.expires_at.map(Time::utc),
        key: None,
        revoked_at: None,
        status: None,
        last4: None,
    }
}

/// `POST /admin/service-keys`. The answer is the only time that the key is shown.
///
/// 1. Check the caller: 401, 403.
/// 2. Read the fields: 400, 413, 415, 422.
/// 3. The directory keeps the key, without its secret: 409 if there are too many.
pub async fn create<B: Backend>(ctx: &mut RequestContext<B>, admin: &Admin) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let name = name(&mut fields);
    let scopes = scopes(&mut fields);
    let days = fields.optional_number("expires_in_days", 1, EXPIRES_DAYS_MAX);
    fields.finish()?;

    let now = ctx.now();
    let expires_at = days.map(|days| now.plus(Duration::from_secs(days * DAY_SECONDS)));
    let id = ctx.backend.random().map(u64::from_be_bytes).map_err(|_| Reason::Unavailable)?;
    let mut secret = ctx.backend.random().map_err(|_| Reason::Unavailable)?;
    service_key::mark(id, &mut secret, |text| ctx.app.vault.fingerprint(MARK, text));
    let (key, text) = ServiceKey::new(id, &secret, name, &scopes, expires_at, now);
    match ctx.directory(&AddKey(key.clone())).await? {
        AddKeyReply::Done => {}
        AddKeyReply::TooManyKeys => return Err(Reason::TooManyServiceKeys),
    }
    ctx.audit(&about(Action::CreateServiceKey, admin, &key, &key_who(&key.name)));
    Ok(Reply::json(201, &Key { key: Some(text.expose()), ..shown(&key) }))
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
    if names.iter().any(|name| Scope::from_name(name).is_none()) {
        fields.fault("scopes", FieldFault::NotAllowed);
    }
    Scope::ALL.into_iter().filter(|scope| names.iter().any(|name| name == scope.as_str())).collect()
}

/// `GET /admin/service-keys`: all, the oldest first; bounded by the directory.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, _: &Admin) -> Result<Reply, Reason> {
    let keys = ctx.directory(&Keys).await?.keys;
    let now = ctx.now();
    let listed = keys.iter().map(|key| Key {
        revoked_at: Some(key.revoked_at.map(Time::utc)),
        status: Some(key.status(now)),
        last4: Some(&key.last4),
        ..shown(key)
    });
    Ok(Reply::json(200, &ServiceKeys { service_keys: listed.collect() }))
}

/// `DELETE /admin/service-keys/{id}`. Doing it again changes nothing.
pub async fn revoke<B: Backend>(ctx: &RequestContext<B>, admin: &Admin, id: &str) -> Result<Reply, Reason> {
    let id = ServiceKeyId::parse(id).ok_or(Reason::ServiceKeyNotFound)?;
    let keys = ctx.directory(&RevokeKey(id.clone())).await?.keys;
    let key = keys.first().ok_or(Reason::ServiceKeyNotFound)?;
    ctx.forget_key(&id);
    ctx.audit(&about(Action::RevokeServiceKey, admin, key, &key_who(&key.name)));
    Ok(Reply::empty(204))
}

/// What the records of both actions have in common.
fn about<'a>(action: Action, admin: &Admin, key: &'a ServiceKey, who: &'a str) -> Audit<'a> {
    let actor = Some(admin.user_id());
    Audit { actor, service: Some(who), key_id: Some(&key.id), ..Audit::of(action, "ok") }
}
