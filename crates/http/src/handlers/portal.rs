//! Portal sessions, in the shapes of the legacy system: got, used, listed, closed. Every failure has `success`, `error` and
//! `code`.

use super::portal_fields::{self, GetInput, OperationInput};
use super::service_auth::ServiceCaller;
use crate::answers::portals::{Calls, GotSession, PortalFailure, PortalSession, PortalSessions};
use crate::answers::{Success, Time};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::log::Audit;
use crate::reply::Reply;
use base::audit::Action;
use base::clock::seconds;
use base::ids::{PortalId, ServiceKeyId};
use base::rpc::Unreachable;
use portal::operation::DEBUG;
use portal::pictures;
use portal::protocol::LoginCommand;
use portal::registry::{
    self, Find, FindOwn, FindReply, List, ListOwn, Listed, Place, Remove, Row, USERNAME_PURPOSE,
};
use portal::{
    Asked, Close, CloseReply, Code, Credentials, Done, End, Get, GetReply, OfService, Operation, Refusal,
    Run, RunReply, Session, identity,
};
use serde_json::{Map, Value};

/// `POST /get_session`: the live session of these credentials, or a new one.
///
/// 1. The fields: 400 for those that are missing, 422 for wrong ones.
/// 2. The object of the credentials: 401 if the portal refuses them, 402, 422, 502 to 504 for the captcha, 429 after too
///    many logins, 502 and 504 if the portal fails.
pub async fn get<B: Backend>(ctx: &mut RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let GetInput { portal, credentials, keep_alive, debug, storage_state } =
        portal_fields::credentials(ctx).await?;
    set_up(ctx, &portal)?;
    // A state proves nothing of the credentials, and those are what opens a login to such a key.
    if storage_state.is_some() && service.opener().is_some() {
        return Err(Reason::Forbidden);
    }
    let who = by.who.clone();
    let get = Get { credentials: credentials.clone(), keep_alive, by, debug, storage_state };
    let told = where_it_is(ctx, &portal, &credentials, async |name| {
        Ok(send(ctx, name, get.clone(), service.opener()).await?)
    });
    let outcome = match told.await {
        Ok(GetReply::Session(session)) => Ok(session),
        Ok(GetReply::Refused(refusal)) => Err(Reason::Portal(refusal)),
        Ok(GetReply::Unknown) => Err(Reason::SessionNotFound),
        // Twice: it moves about. Nothing was done.
        Ok(GetReply::Moved(_)) => Err(Reason::Unavailable),
        Err(reason) => Err(reason),
    };
    let session_id = outcome.as_ref().ok().map(|session| session.live.session_id.as_str());
    let code = outcome.as_ref().err().map_or("ok", Reason::code);
    ctx.audit(&Audit { session_id, service: Some(&who), ..Audit::of(Action::GetPortalSession, code) });
    match outcome {
        Ok(session) => Ok(session_reply(&session)),
        Err(Reason::Portal(refusal)) => Ok(refusal_reply(ctx, refusal, debug, Map::new())),
        Err(reason) => Err(reason),
    }
}

/// A refusal, with the calls that were made if those were asked for.
fn refusal_reply<B: Backend>(
    ctx: &RequestContext<B>,
    refusal: Refusal,
    debug: bool,
    mut body: Map<String, Value>,
) -> Reply {
    if let Some(place) = refusal.place.as_ref().filter(|_| debug) {
        let mut told = Map::from_iter([("calls".to_owned(), place.calls.clone().into())]);
        if place.browser_milliseconds > 0 {
            told.insert("browser_seconds".to_owned(), seconds(place.browser_milliseconds).into());
        }
        if !place.screenshots.is_empty() || !place.screenshots_missing.is_empty() {
            pictures::tell(&mut told, place.screenshots.clone(), place.screenshots_missing.clone());
        }
        body.insert(DEBUG.to_owned(), told.into());
    }
    Reply::portal_refusal(&Reason::Portal(refusal), &ctx.head, body)
}

fn session_reply(session: &Session) -> Reply {
    let message = match (session.is_new, session.previous) {
        (false, _) => "Using existing persistent session",
        (true, None) => "New persistent session created",
        (true, Some(End::Closed)) => "New persistent session created; the one before was closed",
        (true, Some(End::Evicted)) => "New persistent session created; the one before gave way to others",
        (true, Some(End::Idle)) => "New persistent session created; the one before was not used for too long",
        (true, Some(End::LoggedOut)) => "New persistent session created; the portal had ended the one before",
        (true, Some(End::Unused)) => {
            "New persistent session created; the portal had ended the one before, which nobody had used for long"
        }
        (true, Some(End::CredentialsRefused)) => {
            "New persistent session created; the portal had refused the credentials of the one before"
        }
        (true, Some(End::Captcha)) => {
            "New persistent session created; the portal had ended the one before, and its captcha was not solved"
        }
        (true, Some(End::Unreadable)) => "New persistent session created; the one before could not be read",
    };
    let body = GotSession {
        success: true,
        session_id: &session.live.session_id,
        is_new: session.is_new,
        username: &session.username,
        created_at: Time::utc(session.live.created_at),
        expires_at: session.expires_at.map(Time::utc),
        keep_alive: session.live.keep_alive,
        browser_seconds: seconds(session.live.browser_milliseconds),
        previous_ended: session.previous,
        message,
        storage_state: session.storage_state,
        debug: session.calls.as_deref().map(|calls| Calls { calls }),
    };
    Reply::json(200, &body)
}

/// An operation, on the session of its id, else on that of the credentials: with both, the id is tried first.
pub async fn run<B: Backend>(
    ctx: &mut RequestContext<B>,
    service: &ServiceCaller,
    portal: &str,
    operation: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let app = ctx.app.clone();
    let document = app.config.portals.document(portal).ok_or(Reason::NotFound)?;
    let operation = document.operation(operation).ok_or(Reason::NotFound)?;
    let input = portal_fields::operation(ctx, document, operation).await?;
    set_up(ctx, portal)?;
    let OperationInput { session_id, credentials, keep_alive, wizard_id, request } = input;
    let debug = request.fields.get(DEBUG) == Some(&Value::Bool(true));
    let order = |session_id: Option<PortalId>, credentials: Option<Credentials>| Run {
        session_id,
        credentials,
        keep_alive,
        operation: request.clone(),
        wizard_id: wizard_id.clone(),
        by: by.clone(),
    };
    let mut gone = Reason::SessionNotFound;
    if let Some(id) = session_id {
        match find(ctx, id, service.opener()).await? {
            // A session at another portal is none at this one.
            Ok(Place { name, .. }) if identity::portal(&name) != portal => {}
            Ok(Place { name, session_id }) => {
                let order = order(Some(session_id), None);
                match order_run(ctx, &name, order, operation, service.opener()).await? {
                    RunReply::Unknown => {}
                    RunReply::Ended(reason) => gone = Reason::PortalSessionEnded(reason),
                    told => return done_reply(ctx, told, debug),
                }
            }
            Err(reason) => gone = reason,
        }
    }
    let Some(credentials) = credentials else { return Err(gone) };
    let order = order(None, Some(credentials.clone()));
    let told = where_it_is(ctx, portal, &credentials, async |name| {
        order_run(ctx, name, order.clone(), operation, service.opener()).await
    });
    done_reply(ctx, told.await?, debug)
}

/// Sends a command to the object of the login of this name; with whom it is for, if that may use its own logins only.
pub(super) async fn send<B: Backend, C: LoginCommand>(
    ctx: &RequestContext<B>,
    name: &str,
    command: C,
    opener: Option<&ServiceKeyId>,
) -> Result<C::Reply, Unreachable> {
    let command = OfService { opener: opener.cloned(), command };
    let asked = Asked { name: name.to_owned(), command };
    base::rpc::Peers::send(&ctx.backend, &portal::address(name), &asked).await
}

/// Gives an order once. If nobody can say what became of it, and it cannot be undone, that is what the caller hears.
async fn order_run<B: Backend>(
    ctx: &RequestContext<B>,
    name: &str,
    order: Run,
    operation: &Operation,
    opener: Option<&ServiceKeyId>,
) -> Result<RunReply, Reason> {
    match send(ctx, name, order, opener).await {
        Ok(told) => Ok(told),
        Err(_) if operation.commits() => Err(Reason::Portal(Refusal::new(Code::OutcomeUnknown))),
        Err(error) => Err(error.into()),
    }
}

fn done_reply<B: Backend>(ctx: &RequestContext<B>, told: RunReply, debug: bool) -> Result<Reply, Reason> {
    let Done { session_id, is_new, result, wizard_id } = match told {
        RunReply::Done(done) => done,
        RunReply::Refused(refusal) => return Ok(refusal_reply(ctx, refusal, debug, Map::new())),
        RunReply::Ended(reason) => return Err(Reason::PortalSessionEnded(reason)),
        RunReply::Unknown => return Err(Reason::SessionNotFound),
        // Twice: it moves about. Nothing was done.
        RunReply::Moved(_) => return Err(Reason::Unavailable),
    };
    let mut body = Map::new();
    body.insert("session_id".to_owned(), String::from(session_id).into());
    body.insert("is_new_session".to_owned(), is_new.into());
    if let Some(id) = wizard_id {
        body.insert("appointment_session_id".to_owned(), id.into());
    }
    let told = match result {
        Ok(told) => told,
        Err(refusal) => return Ok(refusal_reply(ctx, refusal, debug, body)),
    };
    if let Some(waiting) = told.waiting {
        body.extend(told.answer);
        body.insert("current_phase".to_owned(), waiting.phase.into());
        body.insert("message".to_owned(), waiting.message.into());
        body.insert("missing_fields".to_owned(), waiting.missing.into());
        return Ok(Reply::portal_refusal(&Reason::AppointmentIncomplete, &ctx.head, body));
    }
    body.insert("success".to_owned(), true.into());
    body.extend(told.answer);
    Ok(Reply::json(200, &Value::Object(body)))
}

/// `GET /sessions`: never a credential but the username.
pub async fn list<B: Backend>(ctx: &RequestContext<B>, service: &ServiceCaller) -> Result<Reply, Reason> {
    let registry = registry::address();
    let Listed::Rows(rows) = match service.opener().cloned() {
        Some(opener) => ctx.send(&registry, &ListOwn { opener }).await?,
        None => ctx.send(&registry, &List).await?,
    };
    let sessions = rows.iter().map(|row| listed(ctx, row)).collect();
    Ok(Reply::json(200, &PortalSessions { success: true, sessions }))
}

fn listed<'a, B: Backend>(ctx: &RequestContext<B>, row: &'a Row) -> PortalSession<'a> {
    let opened = row.username.as_ref().and_then(|u| ctx.app.vault.open(USERNAME_PURPOSE, &row.name, u).ok());
    PortalSession {
        session_id: &row.session_id,
        // Sealed under a key that is gone: the session is still there.
        username: opened.and_then(|plain| String::from_utf8(plain).ok()),
        created_at: Time::utc(row.created_at),
        last_used: Time::utc(row.last_used),
        keep_alive: row.keep_alive,
        portal_login: &row.name,
        logins_saved: row.more.saved.logins,
        captchas_saved: row.more.saved.captchas,
        browser_seconds: seconds(row.more.browser_milliseconds),
        last_failure: row.more.last_failure.as_ref().map(|failure| PortalFailure {
            at: Time::utc(failure.at),
            code: failure.code.as_str(),
            step: Some(failure.step.as_str()).filter(|step| !step.is_empty()),
        }),
    }
}

/// `DELETE /sessions/{session_id}`: here at once, at the portal as soon as it can be told.
pub async fn close<B: Backend>(
    ctx: &RequestContext<B>,
    service: &ServiceCaller,
    id: &str,
) -> Result<Reply, Reason> {
    let by = service.actor(&ctx.head);
    let id = PortalId::parse(id).ok_or(Reason::SessionNotFound)?;
    let Place { name, session_id } = find(ctx, id, service.opener()).await??;
    let close = Close { session_id, reason: End::Closed, by, wait: true };
    match send(ctx, &name, close, service.opener()).await? {
        CloseReply::Closed => {
            let message = Some("Session closed successfully");
            Ok(Reply::json(200, &Success { success: true, message }))
        }
        CloseReply::Ended(reason) => Err(Reason::PortalSessionEnded(reason)),
        CloseReply::Unknown => Err(Reason::SessionNotFound),
    }
}

/// Whose session it is; else what is known of it.
pub(super) async fn find<B: Backend>(
    ctx: &RequestContext<B>,
    session_id: PortalId,
    opener: Option<&ServiceKeyId>,
) -> Result<Result<Place, Reason>, Reason> {
    let (registry, now) = (registry::address(), ctx.now());
    let found = match opener.cloned() {
        Some(opener) => ctx.send(&registry, &FindOwn { session_id, now, opener }).await?,
        None => ctx.send(&registry, &Find { session_id, now }).await?,
    };
    Ok(match found {
        FindReply::Found(place) => Ok(place),
        FindReply::Ended(reason) => Err(Reason::PortalSessionEnded(reason)),
        FindReply::Unknown => Err(Reason::SessionNotFound),
    })
}

fn set_up<B: Backend>(ctx: &RequestContext<B>, portal: &str) -> Result<(), Reason> {
    ctx.app.config.portals.driver(portal).map(drop).ok_or(Reason::PortalNotConfigured)
}

/// What an object says that has no such session: that nobody has, or who has it. It has done nothing then.
trait Elsewhere {
    fn is_unknown(&self) -> bool;
    fn moved_to(&self) -> Option<&str>;
}

impl Elsewhere for GetReply {
    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    fn moved_to(&self) -> Option<&str> {
        if let Self::Moved(name) = self { Some(name) } else { None }
    }
}

impl Elsewhere for RunReply {
    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    fn moved_to(&self) -> Option<&str> {
        if let Self::Moved(name) = self { Some(name) } else { None }
    }
}

/// Asks the object of these credentials; and where that says that another one has their session, that one.
async fn where_it_is<B: Backend, R: Elsewhere>(
    ctx: &RequestContext<B>,
    portal: &str,
    credentials: &Credentials,
    ask: impl AsyncFn(&str) -> Result<R, Reason>,
) -> Result<R, Reason> {
    let names = identity::names(&ctx.app.vault, portal, credentials);
    let name = names.first().ok_or(Reason::Internal)?;
    let told = ask(name).await?;
    let Some(other) = told.moved_to() else { return Ok(told) };
    let other = other.to_owned();
    let told = ask(&other).await?;
    if !told.is_unknown() && told.moved_to().is_none() {
        return Ok(told);
    }
    // Its session is over, and the registry has not heard of that.
    ctx.send(&registry::address(), &Remove { name: other, ended: None, as_of: ctx.now(), refused: None })
        .await?;
    ask(name).await
}
