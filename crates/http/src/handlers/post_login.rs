//! Sessions of users who are externally authenticated. Beside how they begin and are renewed they are sessions as any.

use super::post_login_fields::{self, Init};
use super::session_start;
use crate::access::refresh_refused;
use crate::answers::service::Served;
use crate::answers::sessions::PostLoginTokens;
use crate::backend::Backend;
use crate::context::{RequestContext, ended_before};
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::call::Refusal;
use base::fault::FaultKind;
use base::ids::SessionId;
use base::rpc::Class;
use directory::{Admit, AdmitIfFree, AdmitIfFreeReply, AdmitKnowing, AdmitKnowingReply, AtLimit, Reserved};
use session::external::{Found, HeldOff, Question};
use session::tokens::Verified;
use session::{Account, Device, EndReason, Pair, RenewReply, Renewal, Subject, Tokens, Verdict};

/// How soon a caller may come again when the verifier could not be asked and has said nothing of that, in seconds.
const ASK_AGAIN_SECONDS: u64 = 5;

/// `GET /api/v1/postlogin/health`.
pub fn health() -> Reply {
    Reply::json(200, &Served { status: "healthy", service: "postlogin" })
}

/// `POST /api/v1/postlogin/init-session`.
///
/// 1. Read the fields: 400, 413, 415, 422. Find the channel: 400, 404.
/// 2. Count the attempt for the client's address: 429.
/// 3. Ask the channel's verifier whether the external token holds: 401, 502, 503, 504.
/// 4. The subject's object gives a place: 403.
/// 5. The session's object seals the external token, opens the session and makes the tokens.
pub async fn init<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let init = post_login_fields::init(ctx).await?;
    let pair = begun(ctx, &init, None).await?;
    let message = format!("{} session initialized successfully", init.subject.business_unit);
    Ok(token_reply(&pair, &message))
}

/// Begins a session and records that, with the service that asked for it, if one did.
pub async fn begun<B: Backend>(
    ctx: &RequestContext<B>,
    init: &Init,
    service: Option<&str>,
) -> Result<Pair, Reason> {
    let customer = ctx.app.vault.fingerprint("customer", &init.subject.to_string());
    let outcome = begin(ctx, init).await;
    let (code, session_id) = match &outcome {
        Ok((session_id, _)) => ("ok", Some(session_id.as_str())),
        Err(reason) => (reason.code(), None),
    };
    let customer = Some(customer.as_str());
    ctx.audit(&Audit { session_id, service, customer, ..Audit::of(Action::InitSession, code) });
    outcome.map(|(_, pair)| pair)
}

async fn begin<B: Backend>(ctx: &RequestContext<B>, init: &Init) -> Result<(SessionId, Pair), Reason> {
    // Not from the same account as logins: callers are few, and each begins sessions of many customers.
    session_start::limit_rate(ctx, &format!("init/{}", session_start::network(&ctx.head.address))).await?;
    if ctx.app.config.post_login.verify_at_init {
        verify(ctx, init).await?;
    }
    let session_id = SessionId::issued(ctx.backend.unique_id(Class::Session)?);
    let reserved = admit(ctx, &init.subject, &session_id).await?;
    let device = Device { name: None, user_agent: ctx.head.user_agent.clone(), is_new: None };
    let external = Some(init.external.clone());
    let (_, pair) = session_start::open(ctx, &session_id, reserved, device, external).await?;
    Ok((session_id, pair))
}

/// A channel without a verifier is taken at its word.
async fn verify<B: Backend>(ctx: &RequestContext<B>, init: &Init) -> Result<(), Reason> {
    let verifier = match ctx.app.config.post_login.verifier(&init.channel) {
        Found::Verifier(verifier) => verifier,
        Found::None => return Ok(()),
        Found::NotSetUp => return Err(not_set_up(ctx)),
    };
    let question =
        Question { cif: &init.subject.cif, token: &init.external.token, request_id: &ctx.head.request_id };
    let (call, instance) = (verifier.call(&question), ctx.backend.instance());
    let held_off = instance.held_off.borrow().get(&call.url).copied();
    if let Some(failure) = held_off.and_then(|held_off| held_off.failure(ctx.now())) {
        return Err(unverified(failure.into()));
    }
    let answer = ctx.backend.call(&call).await;
    match verifier.read(&question, answer) {
        Ok(verdict) => {
            instance.held_off.borrow_mut().remove(&call.url);
            match verdict {
                Verdict::Valid => Ok(()),
                Verdict::Expired => Err(Reason::ExternalTokenExpired(None)),
                Verdict::Refused => Err(Reason::ExternalTokenInvalid(None)),
            }
        }
        Err(failure) => {
            if let Some(held_off) = HeldOff::after(failure, ctx.now()) {
                instance.held_off.borrow_mut().insert(call.url, held_off);
            }
            Err(unverified(failure.into()))
        }
    }
}

/// Nothing has changed by it, so the same call is good later.
fn unverified(refusal: Refusal) -> Reason {
    let retry_after_seconds = refusal.retry_after_seconds.or(Some(ASK_AGAIN_SECONDS));
    Reason::Upstream { refusal: Refusal { retry_after_seconds, ..refusal }, passes_on: false }
}

fn not_set_up<B: Backend>(ctx: &RequestContext<B>) -> Reason {
    ctx.fault(FaultKind::Configuration, &"the verifier of a channel is not set up: SME_VERIFY_BASE_URL");
    Reason::Misconfigured
}

/// Takes a place for the session. At the limit, first asks how active the sessions are.
async fn admit<B: Backend>(
    ctx: &RequestContext<B>,
    subject: &Subject,
    session_id: &SessionId,
) -> Result<Reserved, Reason> {
    let account = Account::post_login(subject.to_string(), ctx.now());
    let replaces = session_start::previous(ctx, false);
    let session_id = session_id.clone();
    let first =
        AdmitIfFree { account: account.clone(), session_id: session_id.clone(), replaces: replaces.clone() };
    let AtLimit { sessions, known, .. } = match ctx.owner(account.owner(), &first).await? {
        AdmitIfFreeReply::Reserved(reserved) => return Ok(reserved),
        AdmitIfFreeReply::AtLimit(at_limit) => at_limit,
    };
    let activity = session_start::activities(ctx, sessions, &known).await?;
    let again =
        AdmitKnowing(Admit { account: account.clone(), session_id, activity, replaces, confirms: true });
    match ctx.owner(account.owner(), &again).await? {
        AdmitKnowingReply::Reserved(reserved) => Ok(reserved),
        AdmitKnowingReply::LimitExceeded { .. } => Err(Reason::SessionLimitExceeded),
    }
}

/// `POST /api/v1/postlogin/renew-token`.
///
/// 1. Read the field: 400, 413, 415, 422.
/// 2. Check the token's signature, type and times, and that it is one of these sessions': 401.
/// 3. The session's object has the external token verified, and rotates: 400, 401, 404, 502, 503, 504.
pub async fn renew<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Reply, Reason> {
    let token = post_login_fields::refresh_token(ctx).await?;
    let (pair, subject) = renew_with(ctx, &token).await?;
    let message = format!("{} token renewed successfully", subject.business_unit);
    Ok(token_reply(&pair, &message))
}

/// The same of a refresh token that has come in another way.
pub async fn renew_with<B: Backend>(ctx: &RequestContext<B>, token: &str) -> Result<(Pair, Subject), Reason> {
    let record = |action: Action, outcome: &str, session_id: Option<&str>, customer: Option<&str>| {
        ctx.audit(&Audit { session_id, customer, ..Audit::of(action, outcome) });
    };
    let (token, subject) =
        read(ctx, token).inspect_err(|reason| record(Action::RenewSession, reason.code(), None, None))?;
    let id = &token.session_id;
    let renewal = Renewal {
        generation: token.generation,
        subject: token.subject.clone(),
        request_id: ctx.head.request_id.clone(),
        change_id: Some(ctx.change_id()?),
    };
    let reply = ctx.session(id, &renewal).await?.unwrap_or(RenewReply::Unknown);
    if let RenewReply::Ended(ended)
    | RenewReply::Reused(ended)
    | RenewReply::ExternalTokenRejected { ended, .. } = &reply
        && ended.now
    {
        ctx.propagate_end(id, ended).await;
    }
    let reply = match reply {
        RenewReply::Unknown => {
            ended_before(&ctx.backend, id).await.map_or(RenewReply::Unknown, RenewReply::Ended)
        }
        reply => reply,
    };
    let reused = matches!(reply, RenewReply::Reused(_));
    let outcome = renewed(ctx, reply);
    let code = outcome.as_ref().map_or_else(Reason::code, |_| "ok");
    let customer = ctx.app.vault.fingerprint("customer", &token.subject);
    let action = if reused { Action::Reuse } else { Action::RenewSession };
    record(action, code, Some(id.as_str()), Some(&customer));
    outcome.map(|pair| (pair, subject))
}

/// A refresh token that is good, and whose it is.
fn read<B: Backend>(ctx: &RequestContext<B>, token: &str) -> Result<(Verified, Subject), Reason> {
    let token = ctx.app.keys.verify_refresh(token, ctx.now())?;
    // A user's session is refreshed elsewhere, and without a verification.
    let subject = Subject::parse(&token.subject).ok_or(Reason::TokenInvalid)?;
    Ok((token, subject))
}

/// What the answer of the session's object means.
fn renewed<B: Backend>(ctx: &RequestContext<B>, reply: RenewReply) -> Result<Pair, Reason> {
    let external = Some(EndReason::External);
    Err(match reply {
        RenewReply::Tokens(Tokens { pair, .. }) => return Ok(pair),
        RenewReply::ExternalTokenRejected { expired: true, .. } => Reason::ExternalTokenExpired(external),
        RenewReply::ExternalTokenRejected { expired: false, .. } => Reason::ExternalTokenInvalid(external),
        RenewReply::Unverified(refusal) => unverified(refusal),
        RenewReply::Ended(ended) => refresh_refused(ended.reason),
        RenewReply::Reused(_) => Reason::RefreshTokenReused,
        RenewReply::Unknown => Reason::SessionNotFound,
        RenewReply::NoChannel(id) => Reason::ChannelNotFound(id),
        RenewReply::NoVerifier => Reason::ChannelWithoutVerifier,
        RenewReply::NotSetUp => not_set_up(ctx),
    })
}

fn token_reply(pair: &Pair, message: &str) -> Reply {
    let body = PostLoginTokens { token: pair.access.expose(), refresh_token: pair.refresh.expose(), message };
    Reply::json(200, &body).with("pragma", "no-cache")
}
