//! `POST /oauth/token`: a refresh (RFC 6749 §6), and the exchange of another system's token for a session (RFC 8693).

use super::oauth::take_credentials;
use super::refresh::{TOKEN_BYTES_MAX, rotated, token_reply};
use super::{body, post_login, post_login_fields};
use crate::answers::oauth::GrantedTokens;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use crate::reply::Reply;
use crate::route::Admins;
use base::clock::seconds_up;
use directory::service_key::Scope;
use session::Subject;

const NAME_BYTES_MAX: usize = 200;
/// The grants that there are, by their names.
pub const REFRESH: &str = "refresh_token";
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// RFC 8693 §3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Gives tokens for a grant.
///
/// 1. Read the form, and whom it comes from: 400, 401, 413.
/// 2. The grant says what else is read: 400.
pub async fn token<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let form = body::form(&mut ctx.request).await?;
    take_credentials(ctx, &form)?;
    // These may be given more than once (RFC 8693 §2.1).
    let is_target = |(name, _): &(String, String)| name == "audience" || name == "resource";
    let (targets, form): (Vec<_>, Vec<_>) = form.into_iter().partition(is_target);
    let mut fields = Fields::of_form(form)?;
    let Some(grant) = fields.optional_text("grant_type", NAME_BYTES_MAX) else {
        return Err(fields.without("grant_type"));
    };
    let asks_for_scope = fields.has("scope");
    match grant.as_str() {
        REFRESH | EXCHANGE if asks_for_scope => Err(Reason::InvalidScope),
        REFRESH => refresh(ctx, fields).await,
        EXCHANGE => {
            let ours = |(_, value): &(String, String)| value.is_empty() || *value == ctx.app.config.audience;
            let is_ours = targets.iter().all(ours);
            exchange(ctx, fields, is_ours).await
        }
        _ => Err(Reason::UnsupportedGrantType),
    }
}

/// Rotates as `/auth/refresh` does, or renews as `/api/v1/postlogin/renew-token`. Our clients are public ones: `client_id` alone says
/// nothing, but whoever authenticates does so rightly.
async fn refresh<B: Backend>(ctx: &RequestContext<B>, mut fields: Fields) -> Result<Reply, Reason> {
    ctx.client_if_any().await?;
    let token = fields.text("refresh_token", TOKEN_BYTES_MAX);
    fields.finish()?;
    let subject = ctx.app.keys.verify_refresh(&token, ctx.now()).map(|token| token.subject);
    let is_external = subject.is_ok_and(|subject| Subject::parse(&subject).is_some());
    let pair = if is_external {
        post_login::renew_with(ctx, &token).await?.0
    } else {
        rotated(ctx, &token).await?.1
    };
    Ok(token_reply(&pair))
}

/// Begins a session as `init-session` does, for a service that may.
async fn exchange<B: Backend>(
    ctx: &RequestContext<B>,
    mut fields: Fields,
    is_for_us: bool,
) -> Result<Reply, Reason> {
    let service = ctx.service(Scope::Exchange, Admins::None).await?;
    // Whatever is wrong with an empty one is noted already.
    if !["", ACCESS_TOKEN, JWT].contains(&fields.text("subject_token_type", NAME_BYTES_MAX).as_str()) {
        fields.fault("subject_token_type", FieldFault::NotAllowed);
    }
    if fields.optional_text("requested_token_type", NAME_BYTES_MAX).is_some_and(|kind| kind != ACCESS_TOKEN) {
        fields.fault("requested_token_type", FieldFault::NotAllowed);
    }
    // Nobody acts for anybody else.
    for field in ["actor_token", "actor_token_type"] {
        if fields.has(field) {
            fields.fault(field, FieldFault::NotAllowed);
        }
    }
    let init = post_login_fields::exchange(ctx, fields)?;
    if !is_for_us {
        return Err(Reason::InvalidTarget);
    }
    let by = service.actor(&ctx.head);
    let pair = post_login::begun(ctx, &init, Some(&by.who)).await?;
    let body = GrantedTokens {
        access_token: pair.access.expose(),
        issued_token_type: Some(ACCESS_TOKEN),
        token_type: "bearer",
        expires_in: seconds_up(pair.access_expires_at.since(pair.counted_from)),
        refresh_token: pair.refresh.expose(),
    };
    Ok(Reply::json(200, &body).with("pragma", "no-cache"))
}
