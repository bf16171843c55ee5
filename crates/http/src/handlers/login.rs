//! `POST /auth/login`.

use super::device_token;
use super::guessing::{Failed, Guesser};
use super::refresh::{cookie_reply, token_reply};
use super::session_start;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::cookies;
use crate::error::{FieldFault, Reason};
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::event::EventType;
use base::ids::{SessionId, UserId};
use base::rpc::Class;
use base::secret::Secret;
use directory::password::PASSWORD_BYTES_MAX;
use directory::{AtLimit, Login, LoginReply, Outcome, Reserve, ReserveReply, Reserved, username};
use session::{Account, Device};

const USERNAME_BYTES_MAX: usize = 512;
const DEVICE_NAME_BYTES_MAX: usize = 200;

/// Logs a user in.
///
/// 1. Read the fields: 400, 413, 415, 422. With `cookie`, a page of ours has to have sent the request: 403.
/// 2. Count the attempt for the client's address: 429.
/// 3. The user's object checks the password and reserves a place: 401, 403, 429.
/// 4. The session is opened, and then whoever has to make room is logged out: evicted at the limit, or replaced.
pub async fn login<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let name = fields.text("username", USERNAME_BYTES_MAX);
    let password = Secret::new(fields.text("password", PASSWORD_BYTES_MAX));
    let by_cookie = fields.optional_bool("cookie").unwrap_or_default();
    let name_of_device = fields.optional_label("device_name", DEVICE_NAME_BYTES_MAX);
    let canonical = username::canonical(&name);
    if canonical.is_none() && !name.is_empty() {
        fields.fault("username", FieldFault::NotAllowed);
    }
    fields.finish()?;
    if by_cookie {
        // Otherwise any site could have a browser go on as somebody of its choice.
        ctx.check_page()?;
    }
    let username = canonical.unwrap_or_default();
    let device = Device { name: name_of_device, user_agent: ctx.head.user_agent.clone(), is_new: None };

    let outcome = attempt(ctx, &username, password, device, by_cookie).await;
    let record =
        |outcome: &str, actor: Option<UserId>, user: Option<UserId>, session_id: Option<&SessionId>| {
            let session_id = session_id.map(SessionId::as_str);
            ctx.audit(&Audit { actor, user, session_id, ..Audit::of(Action::Login, outcome) });
        };
    match outcome {
        Ok((session_id, account, reply)) => {
            let user = Some(account.user_id);
            record("ok", user, user, Some(&session_id));
            Ok(reply)
        }
        Err(Failed { reason, user }) => {
            // Who tried is not known; only whose account it was.
            record(reason.code(), None, user, None);
            Err(reason)
        }
    }
}

async fn attempt<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    password: Secret,
    mut device: Device,
    by_cookie: bool,
) -> Result<(SessionId, Account, Reply), Failed> {
    let guesser = ctx.guesser(username).await?;
    if ctx.app.config.session.receivers.webhook.has(EventType::Created) {
        device.is_new = Some(guesser.device.is_none());
    }
    let session_id = SessionId::issued(ctx.backend.unique_id(Class::Session)?);
    let login = Login {
        password,
        address: guesser.address.clone(),
        session_id: session_id.clone(),
        replaces: session_start::previous(ctx, by_cookie),
        device: guesser.device.clone(),
        nobody: guesser.nobody,
        refusal: guesser.refusal,
        confirms: true,
    };
    let reserved = reserve(ctx, username, login, &guesser).await?;
    let (account, pair) = session_start::open(ctx, &session_id, reserved, device, None).await?;
    let reply = if by_cookie {
        cookies::replace(&ctx.app, cookie_reply(ctx, &session_id, &pair)?, &ctx.head.path)
    } else {
        token_reply(&pair)
    };
    let reply = match ctx.device_token(username, guesser.device) {
        Some(token) => reply.with(device_token::HEADER, token),
        None => reply,
    };
    Ok((session_id, account, reply))
}

/// Takes a place for the session. At the limit, first asks how active the sessions are.
async fn reserve<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    login: Login,
    guesser: &Guesser,
) -> Result<Reserved, Failed> {
    let reply = ctx.user(username, &login).await;
    let outcome = match &reply {
        Ok(LoginReply::Refused(_)) => Outcome::Failed,
        Ok(LoginReply::Throttled(_)) | Err(_) => Outcome::Open,
        Ok(_) => Outcome::Right,
    };
    ctx.guessed(guesser, outcome);
    let AtLimit { version, sessions, known } = match reply? {
        LoginReply::Reserved(reserved) => return Ok(reserved),
        LoginReply::AtLimit(at_limit) => at_limit,
        LoginReply::Refused(refused) => return Err(ctx.wrong(refused).await),
        LoginReply::Throttled(throttled) => return Err(ctx.held_off(throttled).await),
        LoginReply::MustChangePassword { user_id } => {
            return Err(ctx.refused(Reason::PasswordChangeRequired, Some(user_id), 0).await);
        }
        LoginReply::Inactive { user_id } => {
            return Err(ctx.refused(Reason::UserInactive, Some(user_id), 0).await);
        }
    };
    let activity = session_start::activities(ctx, sessions, &known).await?;
    let Login { session_id, replaces, .. } = login;
    match ctx.user(username, &Reserve { session_id, version, activity, replaces, confirms: true }).await? {
        ReserveReply::Reserved(reserved) => Ok(reserved),
        ReserveReply::LimitExceeded { user_id } => {
            Err(ctx.refused(Reason::SessionLimitExceeded, Some(user_id), 0).await)
        }
        ReserveReply::Refused(refused) => Err(ctx.wrong(refused).await),
        ReserveReply::Inactive { user_id } => Err(ctx.refused(Reason::UserInactive, Some(user_id), 0).await),
    }
}
