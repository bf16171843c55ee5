//! `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009), for services whose key has the scope `introspect`.

use super::body;
use super::logout;
use super::service_auth::ServiceCaller;
use crate::answers::oauth::Introspection;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use crate::route::Admins;
use base::audit::Action;
use base::together::together;
use base64ct::{Base64, Encoding as _};
use directory::service_key::{PresentedKey, Scope};
use session::{Account, Peek, Presence};

const TOKEN_BYTES_MAX: usize = 4096;
/// Each costs a request to an object.
const TOKENS_MAX: usize = 20;

/// A client that was let in, and what it sent. Only [`client`] makes one.
pub struct Form {
    tokens: Vec<String>,
    service: ServiceCaller,
}

/// Lets a client in by its service key, and only then looks at the form.
pub async fn client<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Form, Reason> {
    let form = body::form(&mut ctx.request).await;
    take_credentials(ctx, form.as_deref().unwrap_or_default())?;
    let service = ctx.service(Scope::Introspect, Admins::None).await?;
    let tokens: Vec<String> =
        form?.into_iter().filter(|(key, _)| key == "token").map(|(_, value)| value).collect();
    let fits = |token: &String| (1..=TOKEN_BYTES_MAX).contains(&token.len());
    if !(1..=TOKENS_MAX).contains(&tokens.len()) || !tokens.iter().all(fits) {
        return Err(Reason::InvalidRequest);
    }
    Ok(Form { tokens, service })
}

/// A client shows its service key as on every service route, or as RFC 6749 §2.3.1 has it: the id of the client is the key's, its secret
/// the whole key, by HTTP Basic or in the form. Puts what is shown in the second way where the first looks for it.
pub fn take_credentials<B: Backend>(
    ctx: &mut RequestContext<B>,
    fields: &[(String, String)],
) -> Result<(), Reason> {
    let one = |name: &str| {
        let mut values = fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
        let first = values.next().filter(|value| !value.is_empty());
        // RFC 6749 §3.2: none is given twice.
        if values.next().is_some() { Err(Reason::InvalidRequest) } else { Ok(first) }
    };
    let (id, secret) = (one("client_id")?, one("client_secret")?);
    let credentials = match (basic(ctx.head.authorization.as_deref())?, secret) {
        (Some(_), Some(_)) => return Err(Reason::InvalidRequest),
        (None, Some(secret)) => Some((id, secret)),
        (basic, None) => basic.map(|(id, secret)| (Some(id), secret)),
    };
    let Some((id, secret)) = credentials else { return Ok(()) };
    let key = PresentedKey::parse(&secret).ok_or(Reason::ServiceKeyInvalid)?;
    if id.is_some_and(|id| id != key.id.as_str()) {
        return Err(Reason::ServiceKeyInvalid);
    }
    // A key in a header beside it has to be the same.
    let beside = ctx.head.api_key.take();
    ctx.head.api_key = Some(beside.map_or_else(|| secret.clone(), |other| [&other, ",", &secret].concat()));
    Ok(())
}

/// The id and the secret of a client that shows them by HTTP Basic. Each is encoded as in a form first (RFC 6749 §2.3.1); who
/// leaves that out is understood, too.
fn basic(authorization: Option<&str>) -> Result<Option<(String, String)>, Reason> {
    let Some((scheme, value)) = authorization.and_then(|header| header.trim().split_once(' ')) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let text = Base64::decode_vec(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.as_deref().and_then(|text| text.split_once(':'));
    let decoded = |part: &str| {
        form_urlencoded::parse(part.as_bytes()).next().map_or_else(String::new, |(text, _)| text.into_owned())
    };
    pair.map(|(id, secret)| Some((decoded(id), decoded(secret)))).ok_or(Reason::ServiceKeyInvalid)
}

/// Asks the sessions of the tokens, however strictly `SESSION_CHECK` has tokens checked elsewhere. To be asked about is no
/// activity of a session. 503 if one cannot be asked.
pub async fn introspect<B: Backend>(ctx: &RequestContext<B>, form: &Form) -> Result<Reply, Reason> {
    let found = together(form.tokens.iter().map(|token| look(ctx, token))).await;
    let mut found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
    let body = if found.len() == 1 {
        found.pop().unwrap_or_default()
    } else {
        let active = found.iter().all(|one| one.active);
        Introspection { active, tokens: Some(found), ..Introspection::default() }
    };
    Ok(Reply::json(200, &body))
}

async fn look<B: Backend>(ctx: &RequestContext<B>, token: &str) -> Result<Introspection, Reason> {
    let (keys, now) = (&ctx.app.keys, ctx.now());
    let access = keys.verify_access(token, now).map(|token| (token, true));
    let either = access.or_else(|_| keys.verify_refresh(token, now).map(|token| (token, false)));
    let Ok((token, is_access)) = either else { return Ok(Introspection::default()) };
    let Some(Presence::Live(live)) = ctx.session(&token.session_id, &Peek).await? else {
        return Ok(Introspection::default());
    };
    // Of refresh tokens only the newest: the one before it is for its own client, which may not have got its answer.
    let auth_time = is_access.then(|| token.authenticated_at.unwrap_or(live.created_at).seconds());
    let is_of_now =
        if is_access { token.generation <= live.generation } else { token.generation == live.generation };
    // No token that we made names another user's session.
    if !is_of_now || live.account.subject() != token.subject {
        return Ok(Introspection::default());
    }
    Ok(Introspection {
        active: true,
        token_type: is_access.then_some("bearer"),
        sub: Some(token.subject),
        username: Some(live.account.username),
        roles: Some(live.account.roles),
        sid: Some(token.session_id),
        jti: Some(token.jti),
        exp: Some(token.expires_at.seconds()),
        auth_time,
        tokens: None,
    })
}

/// Ends the session of a token, access or refresh. 200 also for what is no token of ours, and for one that is over (RFC 7009 §2.2).
pub async fn revoke<B: Backend>(ctx: &RequestContext<B>, form: &Form) -> Result<Reply, Reason> {
    let [token] = form.tokens.as_slice() else { return Err(Reason::InvalidRequest) };
    let (keys, now) = (&ctx.app.keys, ctx.now());
    if let Ok(token) = keys.read_access(token, now).or_else(|_| keys.read_refresh(token, now))
        && let Some(revoked) = logout::revoke(ctx, &token).await?
        && revoked.ended.now
    {
        let user = revoked.ended.account.as_ref().and_then(Account::user);
        let by = form.service.actor(&ctx.head);
        let (service, session_id) = (Some(by.who.as_str()), Some(token.session_id.as_str()));
        ctx.audit(&Audit { user, session_id, service, ..Audit::of(Action::RevokeSession, "ok") });
    }
    Ok(Reply::empty(200))
}
