//! `POST /auth/login`.

use super::refresh::token_reply;
use super::session_start;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::log::Audit;
use crate::reply::Reply;
use base::clock::{millis, seconds_up};
use base::ids::{SessionId, UserId};
use base::rpc::Class;
use base::secret::Secret;
use directory::password::PASSWORD_BYTES_MAX;
use directory::{AtLimit, Login, LoginReply, Refused, Reserve, ReserveReply, Reserved, Throttled, username};
use session::{Account, Device, Pair};
use std::time::Duration;

const USERNAME_BYTES_MAX: usize = 512;
const DEVICE_NAME_BYTES_MAX: usize = 200;
/// The object of a name that exists lives where its user first logged in, and that of an unknown one near whoever asks. What a
/// call across the world and a hash take together is less than this, so that the time of a refusal says nothing of the place.
const REFUSAL_MS: u64 = 500;

/// Logs a user in.
///
/// 1. Read the fields: 400, 413, 415, 422.
/// 2. Count the attempt for the client's address: 429.
/// 3. The user's object checks the password and reserves a place: 401, 403, 429.
/// 4. The session is opened, and then whoever has to make room is logged out: evicted at the limit, or replaced.
pub async fn login<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let mut fields = ctx.fields().await?;
    let name = fields.text("username", USERNAME_BYTES_MAX);
    let password = Secret::new(fields.text("password", PASSWORD_BYTES_MAX));
    let name_of_device = fields.optional_label("device_name", DEVICE_NAME_BYTES_MAX);
    let canonical = username::canonical(&name);
    if canonical.is_none() && !name.is_empty() {
        fields.fault("username", FieldFault::NotAllowed);
    }
    fields.finish()?;
    let username = canonical.unwrap_or_default();
    let device = Device { name: name_of_device, user_agent: ctx.head.user_agent.clone() };

    let outcome = attempt(ctx, &username, password, device).await;
    let record =
        |outcome: &str, actor: Option<UserId>, user: Option<UserId>, session_id: Option<&SessionId>| {
            let session_id = session_id.map(SessionId::as_str);
            ctx.audit(&Audit { action: "login", outcome, actor, user, session_id, ..Audit::default() });
        };
    match outcome {
        Ok((session_id, account, pair)) => {
            let user = Some(account.user_id);
            record("ok", user, user, Some(&session_id));
            Ok(token_reply(&pair))
        }
        Err(Failed { reason, user }) => {
            // Who tried is not known; only whose account it was.
            record(reason.code(), None, user, None);
            Err(reason)
        }
    }
}

/// Why a password was of no use, and for the record at whose account, if there is such an account.
pub(super) struct Failed {
    pub reason: Reason,
    pub user: Option<UserId>,
}

impl<R: Into<Reason>> From<R> for Failed {
    fn from(reason: R) -> Self {
        Self { reason: reason.into(), user: None }
    }
}

async fn attempt<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    password: Secret,
    device: Device,
) -> Result<(SessionId, Account, Pair), Failed> {
    let network = session_start::network(&ctx.head.address);
    session_start::limit_rate(ctx, &network).await?;
    let session_id = SessionId::issued(ctx.backend.unique_id(Class::Session)?);
    let address = ctx.app.vault.fingerprint("address", &network);
    let login =
        Login { password, address, session_id: session_id.clone(), replaces: session_start::previous(ctx) };
    let reserved = reserve(ctx, username, login).await?;
    let (account, pair) = session_start::open(ctx, &session_id, reserved, device, None).await?;
    Ok((session_id, account, pair))
}

/// Takes a place for the session. At the limit, first asks each session how active it is.
async fn reserve<B: Backend>(
    ctx: &RequestContext<B>,
    username: &str,
    login: Login,
) -> Result<Reserved, Failed> {
    let AtLimit { version, sessions } = match ctx.user(username, &login).await? {
        LoginReply::Reserved(reserved) => return Ok(reserved),
        LoginReply::AtLimit(at_limit) => at_limit,
        LoginReply::Refused(refused) => return Err(wrong(ctx, refused).await),
        LoginReply::Throttled(throttled) => return Err(held_off(ctx, throttled).await),
        LoginReply::MustChangePassword { user_id } => {
            return Err(refused(ctx, Reason::PasswordChangeRequired, Some(user_id), 0).await);
        }
        LoginReply::Inactive { user_id } => {
            return Err(refused(ctx, Reason::UserInactive, Some(user_id), 0).await);
        }
    };
    let activity = session_start::activities(ctx, sessions).await?;
    let Login { session_id, replaces, .. } = login;
    match ctx.user(username, &Reserve { session_id, version, activity, replaces }).await? {
        ReserveReply::Reserved(reserved) => Ok(reserved),
        ReserveReply::LimitExceeded { user_id } => {
            Err(refused(ctx, Reason::SessionLimitExceeded, Some(user_id), 0).await)
        }
        ReserveReply::Refused(refused) => Err(wrong(ctx, refused).await),
        ReserveReply::Inactive { user_id } => Err(refused(ctx, Reason::UserInactive, Some(user_id), 0).await),
    }
}

pub(super) async fn held_off<B: Backend>(
    ctx: &RequestContext<B>,
    Throttled { retry_after_ms, user_id }: Throttled,
) -> Failed {
    let retry_after_seconds = seconds_up(Duration::from_millis(retry_after_ms));
    refused(ctx, Reason::TooManyAttempts { retry_after_seconds }, user_id, 0).await
}

pub(super) async fn wrong<B: Backend>(
    ctx: &RequestContext<B>,
    Refused { delay_ms, user_id }: Refused,
) -> Failed {
    refused(ctx, Reason::InvalidCredentials, user_id, delay_ms).await
}

/// A refusal, once its answer may go out: at a multiple of [`REFUSAL_MS`] after the request came, and then as much later as the
/// failures before it ask for.
pub(super) async fn refused<B: Backend>(
    ctx: &RequestContext<B>,
    reason: Reason,
    user: Option<UserId>,
    delay_ms: u64,
) -> Failed {
    let took_ms = millis(ctx.now().since(ctx.head.started));
    let answered_ms = took_ms.div_ceil(REFUSAL_MS).max(1) * REFUSAL_MS;
    ctx.backend.sleep(Duration::from_millis(answered_ms - took_ms + delay_ms)).await;
    Failed { reason, user }
}
