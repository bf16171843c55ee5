//! Sessions of users whom another system has logged in. Beside how they begin and are renewed they are sessions as any.

use super::edge::Edge;
use super::opening::{self, Lost};
use crate::objects::rpc;
use crate::platform::{self, outbound};
use ::directory;
use ::keeper::protocol::Refusal;
use ::session::external::{
    CHANNEL_BYTES_MAX, CIF_BYTES_MAX, Channel, Found, Question, TOKEN_BYTES_MAX, is_cif, is_token,
};
use ::session::{self, Account, Device, EndReason, Pair, Renewal, Subject, Verdict, Vouched};
use base::secret::Secret;
use http::access::refresh_refused;
use http::error::{FieldFault, Reason};
use http::log::Audit;
use http::reply::Reply;
use serde_json::json;
use worker::Request;

const REFRESH_TOKEN_BYTES_MAX: usize = 4096;
const CUSTOMER_TEXT_BYTES_MAX: usize = 500;
/// How soon a caller may come again when the verifier could not be asked and has said nothing of that, in seconds.
const ASK_AGAIN_SECONDS: u64 = 5;

/// `GET /api/v1/postlogin/health`.
pub fn health() -> Reply {
    Reply::json(200, &json!({ "status": "healthy", "service": "postlogin" }))
}

/// What a beginning needs, read and checked.
struct Init {
    subject: Subject,
    vouched: Vouched,
}

/// `POST /api/v1/postlogin/init-session`.
///
/// 1. Read the fields: 400, 413, 415, 422. Find the channel: 400, 404.
/// 2. Count the attempt for the client's address: 429.
/// 3. Ask the channel's verifier whether the external token holds: 401, 502, 503, 504.
/// 4. The subject's object gives a place: 403.
/// 5. The session's object seals the external token, opens the session and makes the tokens.
pub async fn init(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    let (init, channel) = read(edge, request).await?;
    let customer = edge.app.vault.fingerprint("customer", &init.subject.to_string());
    let outcome = begin(edge, &init, &channel).await;
    let (code, session_id) = match &outcome {
        Ok((session_id, _)) => ("ok", Some(session_id.as_str())),
        Err(reason) => (reason.code(), None),
    };
    edge.audit(&Audit {
        action: "init_session",
        outcome: code,
        session_id,
        customer: Some(&customer),
        ..Audit::default()
    });
    let (_, pair) = outcome?;
    let message = format!("{} session initialized successfully", init.subject.business_unit);
    Ok(token_reply(&pair, &message))
}

async fn read(edge: &mut Edge, request: &mut Request) -> Result<(Init, Channel), Reason> {
    let mut fields = edge.fields(request).await?;
    if !fields.has("data") {
        fields.fault("data", FieldFault::Required);
        fields.finish()?;
        return Err(Reason::Internal);
    }
    let mut data = fields.object("data");
    let cif = data.text("data.cif", CIF_BYTES_MAX);
    if !cif.is_empty() && !is_cif(&cif) {
        data.fault("data.cif", FieldFault::NotAllowed);
    }
    let token = data.text("data.tokenKey", TOKEN_BYTES_MAX);
    if !token.is_empty() && !is_token(&token) {
        data.fault("data.tokenKey", FieldFault::NotAllowed);
    }
    // Read for their types only: nothing of it is kept.
    let mut customer = data.object("data.basicCustomerInfo");
    for field in [
        "data.basicCustomerInfo.customer_id",
        "data.basicCustomerInfo.customer_name",
        "data.basicCustomerInfo.customer_type",
    ] {
        customer.optional_text(field, CUSTOMER_TEXT_BYTES_MAX);
    }
    let mut payload = data.object("data.payload");
    let id = payload.optional_text("data.payload.channelId", CHANNEL_BYTES_MAX);
    data.absorb(customer);
    data.absorb(payload);
    fields.absorb(data);
    fields.finish()?;
    let id = id.filter(|id| !id.trim().is_empty()).ok_or(Reason::InvalidChannel)?;
    let channel = edge.app.config.post_login.channels.get(&id).cloned();
    let channel = channel.ok_or_else(|| Reason::ChannelNotFound(id.clone()))?;
    let subject = Subject { business_unit: channel.business_unit.clone(), cif };
    let vouched = Vouched { channel: id, token: Secret::new(token) };
    Ok((Init { subject, vouched }, channel))
}

async fn begin(edge: &Edge, init: &Init, channel: &Channel) -> Result<(String, Pair), Reason> {
    // Not from the same account as logins: callers are few, and each begins sessions of many customers.
    opening::limit_rate(edge, format!("init/{}", opening::network(&edge.context.address))).await?;
    if edge.app.config.post_login.verify_at_init {
        verify(edge, init, channel).await?;
    }
    let session_id = rpc::fresh_session_id(&edge.env)?;
    let (account, lost) = admit(edge, &init.subject, &session_id).await?;
    let device = Device { name: None, user_agent: edge.context.user_agent.clone() };
    let vouched = Some(init.vouched.clone());
    let pair = opening::open(edge, &session_id, &account, device, vouched, &lost).await?;
    Ok((session_id, pair))
}

/// A channel without a verifier is taken at its word.
async fn verify(edge: &Edge, init: &Init, channel: &Channel) -> Result<(), Reason> {
    let verifier = match edge.app.config.post_login.verifier(channel) {
        Found::Verifier(verifier) => verifier,
        Found::None => return Ok(()),
        Found::NotSetUp => return Err(not_set_up(edge)),
    };
    let question =
        Question { cif: &init.subject.cif, token: &init.vouched.token, request_id: &edge.context.request_id };
    let answer = outbound::call(&verifier.call(&question), platform::now()).await;
    match verifier.read(&question, answer) {
        Ok(Verdict::Valid) => Ok(()),
        Ok(Verdict::Expired) => Err(Reason::ExternalTokenExpired(None)),
        Ok(Verdict::Refused) => Err(Reason::ExternalTokenInvalid(None)),
        Err(failure) => Err(unverified(failure.into())),
    }
}

/// Nothing has changed by it, so the same call is good later.
fn unverified(refusal: Refusal) -> Reason {
    let retry_after_seconds = refusal.retry_after_seconds.or(Some(ASK_AGAIN_SECONDS));
    Reason::Upstream { refusal: Refusal { retry_after_seconds, ..refusal }, passes_on: false }
}

fn not_set_up(edge: &Edge) -> Reason {
    let _ = edge.fault("configuration", &"the verifier of a channel is not set up: SME_VERIFY_BASE_URL");
    Reason::Misconfigured
}

/// Takes a place for the session. At the limit, first asks each session how active it is.
async fn admit(edge: &Edge, subject: &Subject, session_id: &str) -> Result<(Account, Lost), Reason> {
    let account = Account::post_login(subject.to_string(), platform::now());
    let replaces = opening::previous(edge);
    let admit = |activity| directory::Command::Admit {
        account: account.clone(),
        session_id: session_id.to_owned(),
        activity,
        replaces: replaces.clone(),
    };
    let mut reply = edge.owner(account.owner(), &admit(Vec::new())).await?;
    if let directory::Reply::AtLimit { sessions, .. } = reply {
        let activity = opening::activities(edge, sessions).await?;
        reply = edge.owner(account.owner(), &admit(activity)).await?;
    }
    match reply {
        directory::Reply::Reserved { account, evicted, replaced } => {
            Ok((account, opening::lost(evicted, replaced)))
        }
        directory::Reply::LimitExceeded { .. } => Err(Reason::SessionLimitExceeded),
        _ => Err(Reason::Internal),
    }
}

/// `POST /api/v1/postlogin/renew-token`.
///
/// 1. Read the field: 400, 413, 415, 422.
/// 2. Check the token's signature, type and times, and that it is one of these sessions': 401.
/// 3. The session's object has the external token verified, and rotates: 400, 401, 404, 502, 503, 504.
pub async fn renew(edge: &mut Edge, request: &mut Request) -> Result<Reply, Reason> {
    let mut fields = edge.fields(request).await?;
    let mut data = fields.object("data");
    let token = data.optional_text("data.refreshToken", REFRESH_TOKEN_BYTES_MAX);
    fields.absorb(data);
    fields.finish()?;
    let token = token.filter(|token| !token.is_empty()).ok_or(Reason::RefreshTokenRequired)?;
    let record = |action: &str, outcome: &str, session_id: Option<&str>, customer: Option<&str>| {
        edge.audit(&Audit { action, outcome, session_id, customer, ..Audit::default() });
    };
    let verified = edge.app.keys.verify_refresh(&token, platform::now()).map_err(Reason::from);
    let found = verified.and_then(|token| {
        // A user's session is refreshed elsewhere, and without a verification.
        let subject = Subject::parse(&token.subject).ok_or(Reason::TokenInvalid)?;
        Ok((token, subject))
    });
    let (token, subject) = found.inspect_err(|reason| record("renew_session", reason.code(), None, None))?;
    let id = &token.session_id;
    let renewal = Renewal {
        generation: token.generation,
        subject: token.subject.clone(),
        request_id: edge.context.request_id.clone(),
    };
    let reply = rpc::renew(&edge.env, id, &renewal).await?;
    if let session::Reply::Ended(ended)
    | session::Reply::Reused(ended)
    | session::Reply::Disowned { ended, .. } = &reply
    {
        edge.settle(id, ended).await;
    }
    let reused = matches!(reply, session::Reply::Reused(_));
    let outcome = renewed(edge, reply);
    let code = outcome.as_ref().map_or_else(Reason::code, |_| "ok");
    let customer = edge.app.vault.fingerprint("customer", &token.subject);
    let action = if reused { "reuse" } else { "renew_session" };
    record(action, code, Some(id), Some(&customer));
    let message = format!("{} token renewed successfully", subject.business_unit);
    Ok(token_reply(&outcome?, &message))
}

/// What the answer of the session's object means.
fn renewed(edge: &Edge, reply: session::Reply) -> Result<Pair, Reason> {
    let external = Some(EndReason::External);
    Err(match reply {
        session::Reply::Tokens { pair, .. } => return Ok(pair),
        session::Reply::Disowned { expired: true, .. } => Reason::ExternalTokenExpired(external),
        session::Reply::Disowned { expired: false, .. } => Reason::ExternalTokenInvalid(external),
        session::Reply::Unverified(refusal) => unverified(refusal),
        session::Reply::Ended(ended) => refresh_refused(ended.reason),
        session::Reply::Reused(_) => Reason::RefreshTokenReused,
        session::Reply::Unknown => Reason::SessionNotFound,
        session::Reply::NoChannel(id) => Reason::ChannelNotFound(id),
        session::Reply::NoVerifier => Reason::ChannelWithoutVerifier,
        session::Reply::NotSetUp => not_set_up(edge),
        session::Reply::Live(_) | session::Reply::Done | session::Reply::Verify { .. } => Reason::Internal,
    })
}

fn token_reply(pair: &Pair, message: &str) -> Reply {
    let body = json!({
        "token": pair.access.expose(),
        "refreshToken": pair.refresh.expose(),
        "message": message,
    });
    Reply::json(200, &body).with("pragma", "no-cache")
}
