//! From a request to its answer.

use crate::access::{Admin, Caller, LiveCaller, RecentAdmin, Shown, profile, protected, verify};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::cors;
use crate::error::Reason;
use crate::handlers::{
    admin_keys, admin_reset, admin_sessions, admin_unlock, admin_users, audit, debug, facturify, health,
    login, logout, metrics, mock, notifier, oauth, oauth_token, own_password, own_sessions, portal,
    portal_pages, portal_state, post_login, reauthenticate, refresh, sample, screenshots, sealing_keys,
    service_auth::ServiceCaller, tokens, upstox, well_known,
};
use crate::log;
use crate::reply::Reply;
use crate::request::RequestHead;
use crate::route::{
    ForAdmin, ForCaller, ForClient, ForLive, ForRecentAdmin, ForService, Found, Leave, Methods, Open, Params,
    Route, Row, at, find, is_portal,
};
use base::current;
use base::ports::{Answered, Log};
use config::{App, Config, Faults};
use serde_json::Map;

/// What stands in a log line where no route was found.
const NO_ROUTE: &str = "none";

/// Answers a request that is not on the fast path.
pub async fn serve<B: Backend>(backend: B, head: RequestHead, request: B::Request) -> Reply {
    let id = Some(head.request_id.as_str().into());
    current::within(id, answered(backend, head, request)).await
}

async fn answered<B: Backend>(backend: B, head: RequestHead, request: B::Request) -> Reply {
    let serving = backend.for_request(&head.request_id);
    let app = match serving.settings() {
        Ok(app) => app,
        Err(faults) => return misconfigured(&serving, &head, &faults),
    };
    start(&backend, &app);
    let mut ctx = RequestContext { app, backend: serving, head, request };
    let found = match find(&ctx.head.method, &ctx.head.path) {
        _ if is_hidden(&ctx.head, &ctx.app.config) => Err(Reason::NotFound),
        found => found,
    };
    let (row, outcome) = match found {
        Ok(Found::Route(row, params)) => (Some(row), dispatch(&mut ctx, row, &params).await),
        Ok(Found::Options(allowed)) => (None, Ok(options(allowed))),
        Err(reason) => (None, Err(reason)),
    };
    finished(&ctx.backend, Ok(&ctx.app.config), &ctx.head, row, outcome)
}

fn options(allowed: Methods) -> Reply {
    Reply::empty(204).with("allow", allowed.allow())
}

/// Where settings are wrong. A browser asks before it sends most requests, and is let go on, so that its page hears why.
fn misconfigured<L: Log>(log: &L, head: &RequestHead, faults: &Faults) -> Reply {
    let from_page = faults.origins.allowed(head.origin.as_deref()).is_some();
    let outcome = match find(&head.method, &head.path) {
        Ok(Found::Options(allowed)) if from_page => Ok(options(allowed)),
        _ => Err(Reason::Misconfigured),
    };
    finished(log, Err(faults), head, None, outcome)
}

/// Whether a path is not there at all, by whatever method: not even its methods are told.
fn is_hidden(head: &RequestHead, config: &Config) -> bool {
    match at(&head.path) {
        Some(Route::Open(Open::MockValidateSession)) => !config.post_login.mock_routes,
        Some(Route::Live(ForLive::SessionInfo)) => !config.debug_routes,
        // Whoever knows the secret knows the method.
        Some(Route::UpstoxNotify) => head.method != "POST",
        _ => false,
    }
}

/// At the first request of an instance the upstream accounts and portal sessions are reconciled: it may be the first after a
/// deploy.
fn start<B: Backend>(backend: &B, app: &App) {
    let nothing = app.config.providers.is_empty() && app.config.portals.is_empty();
    if backend.instance().is_first_request() && !nothing {
        backend.first_request();
    }
}

/// Proves who calls, then has the handler do it, which takes the proof.
async fn dispatch<B: Backend>(
    ctx: &mut RequestContext<B>,
    row: &Row,
    params: &Params,
) -> Result<Reply, Reason> {
    match row.route {
        Route::Open(route) => open(ctx, route).await,
        Route::Caller(route) => {
            let is_asked_about = route == ForCaller::Verify && ctx.head.cookie.is_some();
            let is_safe = if is_asked_about { ctx.is_safe_behind() } else { ctx.is_safe() };
            let caller = ctx.caller(is_safe).await?;
            for_caller(ctx, route, &caller).await
        }
        Route::Live(route) => {
            let live = ctx.live_caller().await?;
            for_live(ctx, route, &live, params).await
        }
        Route::Leave(Leave::Logout) => logout::logout(ctx).await,
        Route::Leave(Leave::LogoutAll) => {
            let shown = Shown::of(&ctx.head)?;
            own_sessions::close_all(ctx, shown).await
        }
        Route::Admin(route) => {
            let admin = ctx.admin().await?;
            for_admin(ctx, route, &admin, params).await
        }
        Route::RecentAdmin(route) => {
            let admin = ctx.recent_admin().await?;
            for_recent_admin(ctx, route, &admin, params).await
        }
        Route::CreateUser => {
            let maker = admin_users::maker(ctx).await?;
            admin_users::create(ctx, &maker).await
        }
        Route::ResetAdmin => {
            let key = admin_reset::shown(ctx)?;
            admin_reset::reset(ctx, &key, params.first()).await
        }
        Route::Service(scope, route) => {
            let service = ctx.service(scope, route.admins()).await?;
            for_service(ctx, route, &service, row, params).await
        }
        Route::Client(route) => {
            let form = oauth::client(ctx).await?;
            match route {
                ForClient::Introspect => oauth::introspect(ctx, &form).await,
                ForClient::Revoke => oauth::revoke(ctx, &form).await,
            }
        }
        Route::UpstoxNotify => {
            let path = notifier::secret_path(ctx, params.first())?;
            notifier::notify(ctx, path).await
        }
    }
}

async fn open<B: Backend>(ctx: &mut RequestContext<B>, route: Open) -> Result<Reply, Reason> {
    match route {
        Open::Health => Ok(health::health(ctx).await),
        Open::Login => login::login(ctx).await,
        Open::ChangePassword => own_password::change(ctx).await,
        Open::Refresh => refresh::refresh(ctx).await,
        Open::InitSession => post_login::init(ctx).await,
        Open::RenewSession => post_login::renew(ctx).await,
        Open::PostLoginHealth => Ok(post_login::health()),
        Open::Token => oauth_token::token(ctx).await,
        Open::MockValidateSession => Ok(mock::validate_session(ctx)),
        Open::Jwks => Ok(well_known::jwks(&ctx.app)),
        Open::Metadata | Open::OpenIdConfiguration => well_known::metadata(&ctx.app, &ctx.head.path),
    }
}

async fn for_caller<B: Backend>(
    ctx: &mut RequestContext<B>,
    route: ForCaller,
    caller: &Caller,
) -> Result<Reply, Reason> {
    match route {
        ForCaller::Profile => Ok(profile(caller)),
        ForCaller::Verify => verify(caller, &ctx.head),
        ForCaller::Protected => Ok(protected(caller)),
        ForCaller::ReadData => sample::read(ctx, caller).await,
        ForCaller::WriteData => sample::write(ctx, caller).await,
    }
}

async fn for_live<B: Backend>(
    ctx: &mut RequestContext<B>,
    route: ForLive,
    live: &LiveCaller,
    params: &Params,
) -> Result<Reply, Reason> {
    match route {
        ForLive::CurrentSession => own_sessions::current(ctx, live).await,
        ForLive::OwnSessions => own_sessions::list(ctx, &live.caller).await,
        ForLive::CloseOwnSession => own_sessions::close_one(ctx, &live.caller, params.first()).await,
        ForLive::Reauthenticate => reauthenticate::reauthenticate(ctx, live).await,
        ForLive::SessionInfo => debug::session_info(ctx, live).await,
    }
}

async fn for_admin<B: Backend>(
    ctx: &mut RequestContext<B>,
    route: ForAdmin,
    admin: &Admin,
    params: &Params,
) -> Result<Reply, Reason> {
    let name = params.first();
    match route {
        ForAdmin::ActiveSessions => admin_sessions::active(ctx, admin).await,
        ForAdmin::ReadSession => admin_sessions::read_one(ctx, admin, name).await,
        ForAdmin::CloseSession => admin_sessions::close_one(ctx, admin, name).await,
        ForAdmin::Cleanup => admin_sessions::cleanup(ctx, admin).await,
        ForAdmin::ListUsers => admin_users::list(ctx, admin).await,
        ForAdmin::ReadUser => admin_users::read(ctx, admin, name).await,
        ForAdmin::CloseUserSessions => admin_users::close_sessions(ctx, admin, name).await,
        ForAdmin::CloseSubjectSessions => admin_sessions::close_of_subject(ctx, admin, name).await,
        ForAdmin::EraseSubject => admin_sessions::erase_subject(ctx, admin, name).await,
        ForAdmin::ListServiceKeys => admin_keys::list(ctx, admin).await,
        ForAdmin::SealingKeys => sealing_keys::list(ctx, admin).await,
        ForAdmin::PortalPage => portal_pages::read(ctx, admin, name, params.second()).await,
    }
}

async fn for_recent_admin<B: Backend>(
    ctx: &mut RequestContext<B>,
    route: ForRecentAdmin,
    admin: &RecentAdmin,
    params: &Params,
) -> Result<Reply, Reason> {
    let name = params.first();
    match route {
        ForRecentAdmin::UpdateUser => admin_users::update(ctx, admin, name).await,
        ForRecentAdmin::DeleteUser => admin_users::remove(ctx, admin, name).await,
        ForRecentAdmin::UnlockUser => admin_unlock::unlock(ctx, admin, name).await,
        ForRecentAdmin::CreateServiceKey => admin_keys::create(ctx, admin).await,
        ForRecentAdmin::RevokeServiceKey => admin_keys::revoke(ctx, admin, name).await,
        ForRecentAdmin::RotateServiceKey => admin_keys::rotate(ctx, admin, name).await,
    }
}

async fn for_service<B: Backend>(
    ctx: &mut RequestContext<B>,
    route: ForService,
    service: &ServiceCaller,
    row: &Row,
    params: &Params,
) -> Result<Reply, Reason> {
    let (first, second) = (params.first(), params.second());
    match route {
        ForService::FacturifyObtain => facturify::obtain(ctx, service).await,
        ForService::FacturifyRefresh => facturify::refresh(ctx, service).await,
        ForService::FacturifyRead => facturify::read(ctx, service).await,
        ForService::FacturifyStatus => facturify::status(ctx, service).await,
        ForService::FacturifyHistory => facturify::history(ctx, service).await,
        ForService::UpstoxAccounts => upstox::list(ctx, service).await,
        ForService::UpstoxRead => upstox::read(ctx, service, first).await,
        ForService::UpstoxRefresh => upstox::refresh(ctx, service, first).await,
        ForService::UpstoxHistory => upstox::history(ctx, service, first).await,
        ForService::UpstoxExchange => upstox::exchange(ctx, service, first).await,
        ForService::UpstoxRequest => upstox::request(ctx, service, first).await,
        ForService::UpstoxStatus => upstox::status(ctx, service, params.optional()).await,
        ForService::UpstoxValidate => upstox::validate(ctx, service, params.optional()).await,
        ForService::UpstoxUpdate => upstox::update(ctx, service, params.optional()).await,
        ForService::TokenList => tokens::list(ctx, service).await,
        ForService::TokenRead => tokens::any_read(ctx, service, first, second).await,
        ForService::TokenStatus => tokens::any_status(ctx, service, first, second).await,
        ForService::TokenRefresh => tokens::any_refresh(ctx, service, first, second).await,
        ForService::TokenHistory => tokens::any_history(ctx, service, first, second).await,
        ForService::Audit => audit::read(ctx, service).await,
        ForService::Metrics => metrics::metrics(ctx, service).await,
        ForService::PortalGet => portal::get(ctx, service).await,
        ForService::PortalList => portal::list(ctx, service).await,
        ForService::PortalClose => portal::close(ctx, service, first).await,
        ForService::PortalState => portal_state::read(ctx, service, first).await,
        ForService::PortalScreenshot => screenshots::read(ctx, service, first, second).await,
        ForService::PortalRun => {
            portal::run(ctx, service, ::portal::EMODAL, row.pattern.trim_start_matches('/')).await
        }
        ForService::PortalRunAt => portal::run(ctx, service, first, second).await,
    }
}

/// Whether a request has a line: what was refused or went wrong always, unless there are none; of the others a share in millionths.
/// It is drawn by the request's id, so that whoever else draws by it has the lines of the same requests.
fn is_logged(share: Option<u32>, request_id: &str, status: u16) -> bool {
    let Some(share) = share else { return false };
    // FNV-1a.
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    share >= 1_000_000 || status >= 400 || request_id.bytes().fold(0x811c_9dc5, hash) % 1_000_000 < share
}

/// The answer to an outcome, logged. `/auth/verify` has no body whatever it says.
pub(crate) fn finished<L: Log>(
    log: &L,
    settings: Result<&Config, &Faults>,
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
            } else if row.is_some_and(Row::is_token_endpoint) {
                Reply::token_refusal(&reason, head)
            } else if row.is_some_and(Row::is_oauth) {
                Reply::oauth_refusal(&reason, head)
            } else {
                Reply::refusal(&reason, head)
            };
            (reply, Some(reason.code()))
        }
    };
    if row.is_some_and(|row| row.route == Route::Caller(ForCaller::Verify)) {
        reply.body = None;
    }
    let name = row.map_or(NO_ROUTE, |row| row.name);
    log.answered(&Answered { route: name, status: reply.status, code, started: head.started });
    if settings.map_or(true, |config| is_logged(config.request_log, &head.request_id, reply.status)) {
        log.info(&log::request(head, name, reply.status, code, log.now()));
    }
    let origins = settings.map_or_else(|faults| &faults.origins, |config| &config.origins);
    let mut reply = reply.finished(head);
    cors::add(&mut reply, origins, head, row);
    reply
}

#[cfg(test)]
mod tests {
    use super::is_logged;

    #[test]
    fn of_requests_that_go_well_a_share_has_a_line_and_of_others_all() {
        let lines = |share, status| {
            (0..10_000_u32).filter(|n| is_logged(share, &format!("{n:032x}"), status)).count()
        };
        assert_eq!((lines(Some(1_000_000), 200), lines(None, 200)), (10_000, 0));
        assert_eq!((lines(Some(0), 204), lines(Some(0), 401), lines(Some(0), 503)), (0, 10_000, 10_000));
        assert_eq!(lines(None, 500), 0);
        let hundredth = lines(Some(10_000), 200);
        assert!((70..=130).contains(&hundredth), "{hundredth}");
        assert_eq!(is_logged(Some(10_000), "the same", 200), is_logged(Some(10_000), "the same", 302));
    }
}
