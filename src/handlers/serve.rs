//! From a request to its answer, for everything that the short way in `hot` does not do.

use super::edge::Edge;
use super::{
    admin_keys, admin_sessions, admin_users, debug, health, login, mock, own_sessions, portal, post_login,
    refresh, sample, tokens,
};
use crate::cron;
use crate::platform;
use ::config::Config;
use http::access::{profile, protected, verify};
use http::context::Context;
use http::error::Reason;
use http::log;
use http::reply::Reply;
use http::route::{Found, Route, find, is_mock, is_portal};
use serde_json::Map;
use std::cell::Cell;
use worker::{Env, Request, Response, ResponseBuilder};

/// What stands in a log line where no route was found.
const NO_ROUTE: &str = "none";

pub async fn serve(mut request: Request, env: Env, worker: worker::Context) -> worker::Result<Response> {
    let method = request.inner().method();
    let url = request.inner().url();
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let context = Context::new(&method, &url, &header, &platform::fresh_id, platform::now());
    let Ok(app) = platform::app(&env) else {
        return respond(answer(None, &context, None, Err(Reason::Misconfigured)));
    };
    let mut edge = Edge { app, env, worker, context };
    start(&edge);
    let found = match find(&edge.context.method, &edge.context.path) {
        // Not even its methods are told.
        _ if is_mock(&edge.context.path) && !edge.app.config.post_login.mock_routes => Err(Reason::NotFound),
        found => found,
    };
    let (route, outcome) = match found {
        Ok(Found::Route(route)) => (Some(route.clone()), dispatch(&mut edge, &mut request, route).await),
        Ok(Found::Options(allow)) => (None, Ok(Reply::empty(204).with("allow", allow))),
        Err(reason) => (None, Err(reason)),
    };
    respond(answer(Some(&edge.app.config), &edge.context, route.as_ref(), outcome))
}

thread_local! {
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// At the first request of an instance the upstream accounts and portal sessions are looked after: it may be the first after a deploy.
fn start(edge: &Edge) {
    let nothing = edge.app.config.providers.is_empty() && edge.app.config.portals.is_empty();
    if !STARTED.replace(true) && !nothing {
        edge.worker.wait_until(cron::start(edge.env.clone()));
    }
}

async fn dispatch(edge: &mut Edge, request: &mut Request, route: Route) -> Result<Reply, Reason> {
    match route {
        Route::Health => Ok(health::health(edge).await),
        Route::Login => login::login(edge, request).await,
        Route::Refresh => refresh::refresh(edge, request).await,
        Route::Logout => login::logout(edge, request).await,
        Route::LogoutAll => own_sessions::close_all(edge, request).await,
        Route::Profile => Ok(profile(&edge.caller().await?)),
        Route::Verify => verify(&edge.caller().await?, &edge.context),
        Route::OwnSessions => own_sessions::list(edge).await,
        Route::CloseOwnSession(id) => own_sessions::close_one(edge, &id).await,
        Route::Protected => Ok(protected(&edge.caller().await?)),
        Route::ReadData => sample::read(edge).await,
        Route::WriteData => sample::write(edge, request).await,
        Route::ActiveSessions => admin_sessions::active(edge).await,
        Route::CloseSession(id) => admin_sessions::close_one(edge, &id).await,
        Route::Cleanup => admin_sessions::cleanup(edge).await,
        Route::SessionInfo => debug::session_info(edge).await,
        Route::ListUsers => admin_users::list(edge).await,
        Route::CreateUser => admin_users::create(edge, request).await,
        Route::ReadUser(name) => admin_users::read(edge, &name).await,
        Route::UpdateUser(name) => admin_users::update(edge, request, &name).await,
        Route::DeleteUser(name) => admin_users::remove(edge, &name).await,
        Route::CloseUserSessions(name) => admin_users::close_sessions(edge, &name).await,
        Route::ListServiceKeys => admin_keys::list(edge).await,
        Route::CreateServiceKey => admin_keys::create(edge, request).await,
        Route::RevokeServiceKey(id) => admin_keys::revoke(edge, &id).await,
        Route::InitSession => post_login::init(edge, request).await,
        Route::RenewSession => post_login::renew(edge, request).await,
        Route::PostLoginHealth => Ok(post_login::health()),
        Route::MockValidateSession => Ok(mock::validate_session(request)),
        Route::Portal(route) => portal::serve(edge, request, route).await,
        Route::Token(route) => tokens::serve(edge, request, route).await,
    }
}

/// The answer to an outcome, logged. `/auth/verify` has no body whatever it says.
pub(super) fn answer(
    config: Option<&Config>,
    context: &Context,
    route: Option<&Route>,
    outcome: Result<Reply, Reason>,
) -> Reply {
    let (mut reply, code) = match outcome {
        Ok(reply) => (reply, None),
        Err(reason) => {
            let reply = match route {
                Some(Route::Portal(_)) => Reply::portal_refusal(&reason, context, Map::new()),
                // A method that is not served there, or no settings.
                None if is_portal(&context.path) => Reply::portal_refusal(&reason, context, Map::new()),
                _ => Reply::refusal(&reason, context),
            };
            (reply, Some(reason.code()))
        }
    };
    if route == Some(&Route::Verify) {
        reply.body = None;
    }
    if config.is_none_or(|c| c.request_log) {
        let name = route.map_or(NO_ROUTE, Route::name);
        platform::log(&log::request(context, name, reply.status, code, platform::now()));
    }
    reply.finished(context)
}

fn respond(reply: Reply) -> worker::Result<Response> {
    let mut builder = ResponseBuilder::new().with_status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.with_header(name, value)?;
    }
    Ok(match reply.body {
        Some(body) => builder.fixed(body.into_bytes()),
        None => builder.empty(),
    })
}
