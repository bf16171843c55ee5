//! Portal sessions, in the shapes of the system before this one: got, used, listed, closed. Every failure has `success`,
//! `error` and `code`.

use super::edge::Edge;
use super::portal_fields::{self, Given};
use crate::objects::portal_follow::USERNAME;
use crate::objects::portal_registry::{Command as Ask, Reply as Said, Row};
use crate::objects::rpc;
use crate::platform;
use ::directory::service_key::Scope;
use ::keeper::protocol::By;
use ::portal::{
    Code, Command, Credentials, Done, EMODAL, End, Operation, Refusal, Reply as Told, Session, identity,
    operation,
};
use base::clock::Timestamp;
use http::error::Reason;
use http::log::Audit;
use http::portal_route::PortalRoute;
use http::reply::Reply;
use serde_json::{Map, Value, json};
use worker::Request;

pub async fn serve(edge: &mut Edge, request: &mut Request, route: PortalRoute) -> Result<Reply, Reason> {
    let who = edge.service(Scope::Portal).await?.who();
    let by = By { who, request_id: edge.context.request_id.clone() };
    match route {
        PortalRoute::Get => get(edge, request, by).await,
        PortalRoute::Run(name) => match operation(name) {
            Some(operation) => run(edge, request, operation, by).await,
            None => Err(Reason::NotFound),
        },
        PortalRoute::List => list(edge).await,
        PortalRoute::Close(id) => close(edge, id, by).await,
    }
}

/// `POST /get_session`: the live session of these credentials, or a new one.
///
/// 1. The fields: 400 for those that are missing, 422 for wrong ones.
/// 2. The object of the credentials: 401 if the portal refuses them, 402, 422, 502 to 504 for the captcha, 429 after too
///    many logins, 502 and 504 if the portal fails.
async fn get(edge: &mut Edge, request: &mut Request, by: By) -> Result<Reply, Reason> {
    let (credentials, keep_alive) = portal_fields::credentials(edge, request).await?;
    set_up(edge)?;
    let who = by.who.clone();
    let order = || Command::Get { credentials: credentials.clone(), keep_alive, by: by.clone() };
    let told = where_it_is(edge, &credentials, async |name| Ok(rpc::portal(&edge.env, name, order()).await?));
    let outcome = match told.await {
        Ok(Told::Session(session)) => Ok(session),
        Ok(other) => Err(refusal(other)),
        Err(reason) => Err(reason),
    };
    let session_id = outcome.as_ref().ok().map(|session| session.live.session_id.as_str());
    edge.audit(&Audit {
        action: "get_portal_session",
        outcome: outcome.as_ref().err().map_or("ok", Reason::code),
        session_id,
        service: Some(&who),
        ..Audit::default()
    });
    outcome.map(|session| session_reply(&session))
}

fn session_reply(session: &Session) -> Reply {
    let message = match (session.is_new, session.previous) {
        (false, _) => "Using existing persistent session",
        (true, None) => "New persistent session created",
        (true, Some(End::Closed)) => "New persistent session created; the one before was closed",
        (true, Some(End::Evicted)) => "New persistent session created; the one before gave way to others",
        (true, Some(End::Idle)) => "New persistent session created; the one before was not used for too long",
        (true, Some(End::LoggedOut)) => "New persistent session created; the portal had ended the one before",
        (true, Some(End::CredentialsRefused)) => {
            "New persistent session created; the portal had refused the credentials of the one before"
        }
        (true, Some(End::Captcha)) => {
            "New persistent session created; the portal had ended the one before, and its captcha was not solved"
        }
        (true, Some(End::Unreadable)) => "New persistent session created; the one before could not be read",
    };
    let body = json!({
        "success": true,
        "session_id": session.live.session_id,
        "is_new": session.is_new,
        "username": session.username,
        "created_at": session.live.created_at.rfc3339(),
        "expires_at": session.expires_at.map(Timestamp::rfc3339),
        "keep_alive": session.live.keep_alive,
        "previous_ended": session.previous.map(End::as_str),
        "message": message,
    });
    Reply::json(200, &body)
}

/// An operation, on the session of its id, else on that of the credentials: with both, the id is tried first.
async fn run(
    edge: &mut Edge,
    request: &mut Request,
    operation: &'static Operation,
    by: By,
) -> Result<Reply, Reason> {
    let given = portal_fields::given(edge, request, operation).await?;
    set_up(edge)?;
    let Given { session_id, credentials, keep_alive, wizard_id, request } = given;
    let order = |session_id: Option<String>, credentials: Option<Credentials>| Command::Run {
        session_id,
        credentials,
        keep_alive,
        operation: request.clone(),
        wizard_id: wizard_id.clone(),
        by: by.clone(),
    };
    let mut gone = Reason::SessionNotFound;
    if let Some(id) = session_id {
        match find(edge, id).await? {
            Ok((name, id)) => match ask(edge, &name, order(Some(id), None), operation).await? {
                Told::Unknown => {}
                Told::Ended(reason) => gone = Reason::PortalSessionEnded(reason),
                told => return done_reply(edge, told),
            },
            Err(reason) => gone = reason,
        }
    }
    let Some(credentials) = credentials else { return Err(gone) };
    let order = || order(None, Some(credentials.clone()));
    let told = where_it_is(edge, &credentials, async |name| ask(edge, name, order(), operation).await);
    done_reply(edge, told.await?)
}

/// Gives an order once. If nobody can say what became of it, and it cannot be undone, that is what the caller hears.
async fn ask(edge: &Edge, name: &str, order: Command, operation: &Operation) -> Result<Told, Reason> {
    match rpc::portal(&edge.env, name, order).await {
        Ok(told) => Ok(told),
        Err(_) if operation.commits() => Err(Reason::Portal(Refusal::new(Code::OutcomeUnknown))),
        Err(error) => Err(error.into()),
    }
}

fn done_reply(edge: &Edge, told: Told) -> Result<Reply, Reason> {
    let Told::Done(Done { session_id, is_new, result, wizard_id }) = told else { return Err(refusal(told)) };
    let mut body = Map::new();
    body.insert("session_id".to_owned(), session_id.into());
    body.insert("is_new_session".to_owned(), is_new.into());
    if let Some(id) = wizard_id {
        body.insert("appointment_session_id".to_owned(), id.into());
    }
    let told = match result {
        Ok(told) => told,
        Err(refusal) => return Ok(Reply::portal_refusal(&Reason::Portal(refusal), &edge.context, body)),
    };
    if let Some(waiting) = told.waiting {
        body.extend(told.answer);
        body.insert("current_phase".to_owned(), waiting.phase.into());
        body.insert("message".to_owned(), waiting.message.into());
        body.insert("missing_fields".to_owned(), waiting.missing.into());
        return Ok(Reply::portal_refusal(&Reason::AppointmentIncomplete, &edge.context, body));
    }
    body.insert("success".to_owned(), true.into());
    body.extend(told.answer);
    Ok(Reply::json(200, &Value::Object(body)))
}

/// `GET /sessions`: never a credential but the username.
async fn list(edge: &Edge) -> Result<Reply, Reason> {
    let Said::Rows(rows) = rpc::portal_registry(&edge.env, &Ask::List).await? else {
        return Err(Reason::Internal);
    };
    let sessions: Vec<Value> = rows.iter().map(|row| session_json(edge, row)).collect();
    Ok(Reply::json(200, &json!({ "success": true, "sessions": sessions })))
}

fn session_json(edge: &Edge, row: &Row) -> Value {
    let opened = row.username.as_ref().and_then(|u| edge.app.vault.open(USERNAME, &row.name, u).ok());
    // Sealed under a key that is gone: the session is still there.
    let username = opened.and_then(|plain| String::from_utf8(plain).ok());
    json!({
        "session_id": row.session_id,
        "username": username,
        "created_at": row.created_at.rfc3339(),
        "last_used": row.last_used.rfc3339(),
        "keep_alive": row.keep_alive,
    })
}

/// `DELETE /sessions/{session_id}`: here at once, at the portal as soon as it can be told.
async fn close(edge: &Edge, id: String, by: By) -> Result<Reply, Reason> {
    let (name, session_id) = find(edge, id).await??;
    let close = Command::Close { session_id, reason: End::Closed, by, wait: true };
    match rpc::portal(&edge.env, &name, close).await? {
        Told::Closed => {
            Ok(Reply::json(200, &json!({ "success": true, "message": "Session closed successfully" })))
        }
        other => Err(refusal(other)),
    }
}

/// Whose session it is; else what is known of it.
async fn find(edge: &Edge, session_id: String) -> Result<Result<(String, String), Reason>, Reason> {
    let find = Ask::Find { session_id, now: platform::now() };
    Ok(match rpc::portal_registry(&edge.env, &find).await? {
        Said::Found(place) => Ok((place.name, place.session_id)),
        Said::Ended(reason) => Err(Reason::PortalSessionEnded(reason)),
        _ => Err(Reason::SessionNotFound),
    })
}

fn set_up(edge: &Edge) -> Result<(), Reason> {
    if edge.app.config.portals.is_empty() { Err(Reason::PortalNotConfigured) } else { Ok(()) }
}

/// Asks the object of these credentials; and where that says that another one has their session, that one. An object that
/// says so, or that it has no such session, has done nothing.
async fn where_it_is(
    edge: &Edge,
    credentials: &Credentials,
    ask: impl AsyncFn(&str) -> Result<Told, Reason>,
) -> Result<Told, Reason> {
    let names = identity::names(&edge.app.vault, EMODAL, credentials);
    let name = names.first().ok_or(Reason::Internal)?;
    let told = ask(name).await?;
    let Told::Moved(other) = told else { return Ok(told) };
    let told = ask(&other).await?;
    if !matches!(told, Told::Unknown | Told::Moved(_)) {
        return Ok(told);
    }
    // Its session is over, and the registry has not heard of that.
    rpc::portal_registry(&edge.env, &Ask::None { name: other, ended: None, as_of: platform::now() }).await?;
    ask(name).await
}

fn refusal(told: Told) -> Reason {
    match told {
        Told::Refused(refusal) => Reason::Portal(refusal),
        Told::Ended(reason) => Reason::PortalSessionEnded(reason),
        Told::Unknown => Reason::SessionNotFound,
        // Twice: it moves about. Nothing was done.
        Told::Moved(_) => Reason::Unavailable,
        _ => Reason::Internal,
    }
}
