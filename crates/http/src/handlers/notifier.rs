//! The notifier webhook of Upstox: after the owner's approval it brings a token. It is not signed, so its path is secret,
//! and it is believed only once Upstox's profile, asked with the delivered token, names the same user.

use super::upstox::order;
use crate::answers::Success;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::reply::Reply;
use base::call::Actor;
use base::clock::Timestamp;
use base::secret::Secret;
use keeper::protocol::Adopt;
use keeper::{AccountKey, Source, providers};

/// A path with the right secret in it. Only [`secret_path`] makes one.
pub struct SecretPath(());

/// Whether the path is the secret one; if not, it is as if there were no such route.
pub fn secret_path<B: Backend>(ctx: &RequestContext<B>, secret: &str) -> Result<SecretPath, Reason> {
    let known = ctx.app.config.notifier_secret.as_ref().is_some_and(|s| s.matches(secret));
    if known { Ok(SecretPath(())) } else { Err(Reason::NotFound) }
}

/// `POST /upstox/notifier/{secret}`.
///
/// 1. The secret: 404, as if there were no such route.
/// 2. The fields: 400, 413, 415, 422.
/// 3. The account, by `client_id` and `user_id`: 404.
/// 4. Upstox confirms token and user: 422 if not, 502 or 504 if it cannot say.
pub async fn notify<B: Backend>(ctx: &mut RequestContext<B>, _: SecretPath) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let client_id = fields.text("client_id", 200);
    let user_id = fields.text("user_id", 200);
    let token = fields.text("access_token", 8192);
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        fields.fault("access_token", FieldFault::NotAllowed);
    }
    // Milliseconds, as text or as a number; only a hint, so one that cannot be read is none.
    let expires_at = fields.optional_text_or_number("expires_at", 64).and_then(|t| t.parse().ok());
    fields.finish()?;
    let key = account(ctx, &client_id, &user_id).ok_or(Reason::AccountNotFound)?;
    let task = Adopt {
        token: Secret::new(token),
        expires_at: expires_at.map(Timestamp::from_millis),
        source: Source::Notifier,
        user_id: Some(user_id),
        new_owner: false,
    };
    let by = Actor { who: "notifier".to_owned(), request_id: ctx.head.request_id.clone() };
    order(ctx, &key, task, by).await?;
    Ok(Reply::json(200, &Success { success: true, message: None }))
}

/// The account whose app and user these are. Where no user is configured, the app has to be of one account only.
fn account<B: Backend>(ctx: &RequestContext<B>, client_id: &str, user_id: &str) -> Option<AccountKey> {
    let apps = || ctx.app.config.providers.upstox_apps.iter().filter(|(_, app)| app.client_id == client_id);
    let exact = apps().find(|(_, app)| app.user_id.as_deref() == Some(user_id));
    let only = || {
        let mut open = apps().filter(|(_, app)| app.user_id.is_none());
        open.next().filter(|_| open.next().is_none())
    };
    let (id, _) = exact.or_else(only)?;
    ctx.app.config.providers.find(providers::UPSTOX, id.as_str())
}
