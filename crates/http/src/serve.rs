//! From a request to its answer.

use crate::access::{profile, protected, verify};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::handlers::{
    admin_keys, admin_sessions, admin_users, debug, facturify, health, login, mock, notifier, own_sessions,
    portal, post_login, refresh, sample, sealing_keys, tokens, upstox,
};
use crate::log;
use crate::reply::Reply;
use crate::request::RequestHead;
use crate::route::{Found, Params, Route, Row, find, is_mock, is_portal};
use base::ports::Log;
use config::{App, Config};
use serde_json::Map;

/// What stands in a log line where no route was found.
const NO_ROUTE: &str = "none";

/// Answers a request that is not on the fast path.
pub async fn serve<B: Backend>(backend: B, head: RequestHead, request: B::Request) -> Reply {
    let Ok(app) = backend.settings() else {
        return finished(&backend, None, &head, None, Err(Reason::Misconfigured));
    };
    start(&backend, &app);
    let mut ctx = RequestContext { app, backend, head, request };
    let found = match find(&ctx.head.method, &ctx.head.path) {
        // Not even its methods are told.
        _ if is_mock(&ctx.head.path) && !ctx.app.config.post_login.mock_routes => Err(Reason::NotFound),
        found => found,
    };
    let (row, outcome) = match found {
        Ok(Found::Route(row, params)) => (Some(row), dispatch(&mut ctx, row, &params).await),
        Ok(Found::Options(allowed)) => (None, Ok(Reply::empty(204).with("allow", allowed.allow()))),
        Err(reason) => (None, Err(reason)),
    };
    finished(&ctx.backend, Some(&ctx.app.config), &ctx.head, row, outcome)
}

/// At the first request of an instance the upstream accounts and portal sessions are reconciled: it may be the first after a
/// deploy.
fn start<B: Backend>(backend: &B, app: &App) {
    let nothing = app.config.providers.is_empty() && app.config.portals.is_empty();
    if backend.instance().is_first_request() && !nothing {
        backend.first_request();
    }
}

async fn dispatch<B: Backend>(
    ctx: &mut RequestContext<B>,
    row: &Row,
    params: &Params,
) -> Result<Reply, Reason> {
    let (first, second) = (params.first(), params.second());
    match row.route {
        Route::Health => Ok(health::health(ctx).await),
        Route::Login => login::login(ctx).await,
        Route::Refresh => refresh::refresh(ctx).await,
        Route::Logout => login::logout(ctx).await,
        Route::LogoutAll => own_sessions::close_all(ctx).await,
        Route::Profile => Ok(profile(&ctx.caller().await?)),
        Route::Verify => verify(&ctx.caller().await?, &ctx.head),
        Route::OwnSessions => own_sessions::list(ctx).await,
        Route::CloseOwnSession => own_sessions::close_one(ctx, first).await,
        Route::Protected => Ok(protected(&ctx.caller().await?)),
        Route::ReadData => sample::read(ctx).await,
        Route::WriteData => sample::write(ctx).await,
        Route::SessionInfo => debug::session_info(ctx).await,
        Route::ActiveSessions => admin_sessions::active(ctx).await,
        Route::CloseSession => admin_sessions::close_one(ctx, first).await,
        Route::Cleanup => admin_sessions::cleanup(ctx).await,
        Route::ListUsers => admin_users::list(ctx).await,
        Route::CreateUser => admin_users::create(ctx).await,
        Route::ReadUser => admin_users::read(ctx, first).await,
        Route::UpdateUser => admin_users::update(ctx, first).await,
        Route::DeleteUser => admin_users::remove(ctx, first).await,
        Route::CloseUserSessions => admin_users::close_sessions(ctx, first).await,
        Route::ListServiceKeys => admin_keys::list(ctx).await,
        Route::CreateServiceKey => admin_keys::create(ctx).await,
        Route::RevokeServiceKey => admin_keys::revoke(ctx, first).await,
        Route::SealingKeys => sealing_keys::list(ctx).await,
        Route::InitSession => post_login::init(ctx).await,
        Route::RenewSession => post_login::renew(ctx).await,
        Route::PostLoginHealth => Ok(post_login::health()),
        Route::MockValidateSession => Ok(mock::validate_session(ctx)),
        Route::FacturifyObtain => facturify::obtain(ctx).await,
        Route::FacturifyRefresh => facturify::refresh(ctx).await,
        Route::FacturifyRead => facturify::read(ctx).await,
        Route::FacturifyStatus => facturify::status(ctx).await,
        Route::FacturifyHistory => facturify::history(ctx).await,
        Route::UpstoxAccounts => upstox::list(ctx).await,
        Route::UpstoxRead => upstox::read(ctx, first).await,
        Route::UpstoxRefresh => upstox::refresh(ctx, first).await,
        Route::UpstoxHistory => upstox::history(ctx, first).await,
        Route::UpstoxExchange => upstox::exchange(ctx, first).await,
        Route::UpstoxRequest => upstox::request(ctx, first).await,
        Route::UpstoxStatus => upstox::status(ctx, params.optional()).await,
        Route::UpstoxValidate => upstox::validate(ctx, params.optional()).await,
        Route::UpstoxUpdate => upstox::update(ctx, params.optional()).await,
        Route::UpstoxNotify => notifier::notify(ctx, first).await,
        Route::TokenRead => tokens::any_read(ctx, first, second).await,
        Route::TokenStatus => tokens::any_status(ctx, first, second).await,
        Route::TokenRefresh => tokens::any_refresh(ctx, first, second).await,
        Route::TokenHistory => tokens::any_history(ctx, first, second).await,
        Route::PortalGet => portal::get(ctx).await,
        Route::PortalList => portal::list(ctx).await,
        Route::PortalClose => portal::close(ctx, first).await,
        Route::PortalRun => portal::run(ctx, row.pattern).await,
    }
}

/// The answer to an outcome, logged. `/auth/verify` has no body whatever it says.
pub(crate) fn finished<L: Log>(
    log: &L,
    config: Option<&Config>,
    head: &RequestHead,
    row: Option<&Row>,
    outcome: Result<Reply, Reason>,
) -> Reply {
    let (mut reply, code) = match outcome {
        Ok(reply) => (reply, None),
        Err(reason) => {
            // Without a row: a method that is not served there, or no settings.
            let portals = row.map_or_else(|| is_portal(&head.path), Row::is_portal);
            let reply = if portals {
                Reply::portal_refusal(&reason, head, Map::new())
            } else {
                Reply::refusal(&reason, head)
            };
            (reply, Some(reason.code()))
        }
    };
    if row.is_some_and(|row| row.route == Route::Verify) {
        reply.body = None;
    }
    if config.is_none_or(|c| c.request_log) {
        let name = row.map_or(NO_ROUTE, |row| row.name);
        log.info(&log::request(head, name, reply.status, code, log.now()));
    }
    reply.finished(head)
}
