//! Every route there is: a row for each method on each path. Dispatch, `Allow`, what a path is and who may call follow from
//! it.

use super::methods::Methods;
use super::{ForAdmin, ForCaller, ForClient, ForLive, ForRecentAdmin, ForService, Leave, Open, Route};
use directory::service_key::Scope;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Anybody,
    /// Whoever has a session.
    Bearer,
    Admin,
    /// An admin; or whoever has the bootstrap key, while there is no admin.
    AdminOrBootstrapKey,
    /// Whoever has the secret that makes somebody an admin again.
    ResetKey,
    /// A service whose key has the scope.
    Service(Scope),
    /// The same, or an admin.
    ServiceOrAdmin(Scope),
    /// Whoever knows the path: a secret is part of it.
    SecretPath,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    pub methods: Methods,
    /// As the URL has it. `{name}` stands for a segment. What is under `/auth` is also served under `/api/v1/auth`.
    pub pattern: &'static str,
    /// The route as it stands in logs: never with what a caller put into it.
    pub name: &'static str,
    /// The route's.
    pub access: Access,
    pub route: Route,
    /// Whether one of the pattern's segments is a caller's.
    pub(super) has_params: bool,
    /// Whether a caller's segment may be empty.
    pub(super) takes_empty: bool,
}

impl Row {
    const fn new(methods: Methods, name: &'static str, pattern: &'static str, route: Route) -> Self {
        let (has_params, access) = (has_params(pattern.as_bytes()), route.access());
        Self { methods, pattern, name, access, route, has_params, takes_empty: false }
    }

    /// A caller's segment may be empty. The handler knows nothing of that name.
    const fn or_empty(mut self) -> Self {
        self.takes_empty = true;
        self
    }

    pub fn is_portal(&self) -> bool {
        let scope = match self.access {
            Access::Service(scope) | Access::ServiceOrAdmin(scope) => Some(scope),
            _ => None,
        };
        matches!(scope, Some(Scope::Portal | Scope::PortalState))
    }

    pub const fn is_oauth(&self) -> bool {
        matches!(self.route, Route::Client(_)) || self.is_token_endpoint()
    }

    pub const fn is_token_endpoint(&self) -> bool {
        matches!(self.route, Route::Open(Open::Token))
    }
}

const fn has_params(mut pattern: &[u8]) -> bool {
    while let [first, rest @ ..] = pattern {
        if *first == b'{' {
            return true;
        }
        pattern = rest;
    }
    false
}

/// A row: `row!(GET "/path", route)`.
macro_rules! row {
    ($method:ident $pattern:literal, $route:expr) => {
        Row::new(Methods::$method, concat!(stringify!($method), " ", $pattern), $pattern, $route)
    };
}

const READ: Scope = Scope::TokensRead;
const WRITE: Scope = Scope::TokensWrite;
const PORTAL: Scope = Scope::Portal;

/// The first row whose pattern fits decides what the path is. Those of the fast path stand first.
pub static ROUTES: &[Row] = &[
    // A proxy may ask with the method of the request that it asks about, so `OPTIONS` is a question, too. What stands in a
    // path below cannot be trusted: the platform resolves `..` before anybody here sees it.
    Row::new(Methods::ALL, "/auth/verify", "/auth/verify", Route::Caller(ForCaller::Verify)),
    row!(GET "/auth/profile", Route::Caller(ForCaller::Profile)),
    row!(GET "/api/v1/protected", Route::Caller(ForCaller::Protected)),
    row!(POST "/auth/login", Route::Open(Open::Login)),
    row!(POST "/auth/refresh", Route::Open(Open::Refresh)),
    row!(POST "/auth/reauthenticate", Route::Live(ForLive::Reauthenticate)),
    row!(POST "/auth/password", Route::Open(Open::ChangePassword)),
    row!(POST "/auth/logout", Route::Leave(Leave::Logout)),
    row!(POST "/auth/logout-all", Route::Leave(Leave::LogoutAll)),
    row!(GET "/auth/session", Route::Live(ForLive::CurrentSession)),
    row!(GET "/auth/sessions", Route::Live(ForLive::OwnSessions)),
    row!(DELETE "/auth/sessions/{id}", Route::Live(ForLive::CloseOwnSession)),
    row!(GET "/health", Route::Open(Open::Health)),
    row!(GET "/api/v1/data", Route::Caller(ForCaller::ReadData)),
    row!(POST "/api/v1/data", Route::Caller(ForCaller::WriteData)),
    row!(GET "/debug/session-info", Route::Live(ForLive::SessionInfo)),
    // Administration.
    row!(GET "/admin/sessions/active", Route::Admin(ForAdmin::ActiveSessions)),
    row!(POST "/admin/sessions/cleanup", Route::Admin(ForAdmin::Cleanup)),
    row!(GET "/admin/sessions/{id}", Route::Admin(ForAdmin::ReadSession)),
    row!(DELETE "/admin/sessions/{id}", Route::Admin(ForAdmin::CloseSession)),
    row!(GET "/admin/users", Route::Admin(ForAdmin::ListUsers)),
    row!(POST "/admin/users", Route::CreateUser),
    row!(GET "/admin/users/{username}", Route::Admin(ForAdmin::ReadUser)),
    row!(PATCH "/admin/users/{username}", Route::RecentAdmin(ForRecentAdmin::UpdateUser)),
    row!(DELETE "/admin/users/{username}", Route::RecentAdmin(ForRecentAdmin::DeleteUser)),
    row!(POST "/admin/users/{username}/unlock", Route::RecentAdmin(ForRecentAdmin::UnlockUser)).or_empty(),
    row!(DELETE "/admin/users/{username}/sessions", Route::Admin(ForAdmin::CloseUserSessions)).or_empty(),
    row!(POST "/admin/users/{username}/reset", Route::ResetAdmin).or_empty(),
    row!(DELETE "/admin/subjects/{subject}", Route::Admin(ForAdmin::EraseSubject)),
    row!(DELETE "/admin/subjects/{subject}/sessions", Route::Admin(ForAdmin::CloseSubjectSessions)).or_empty(),
    row!(GET "/admin/service-keys", Route::Admin(ForAdmin::ListServiceKeys)),
    row!(POST "/admin/service-keys", Route::RecentAdmin(ForRecentAdmin::CreateServiceKey)),
    row!(DELETE "/admin/service-keys/{id}", Route::RecentAdmin(ForRecentAdmin::RevokeServiceKey)),
    row!(POST "/admin/service-keys/{id}/rotate", Route::RecentAdmin(ForRecentAdmin::RotateServiceKey)),
    row!(GET "/admin/sealing-keys", Route::Admin(ForAdmin::SealingKeys)),
    row!(GET "/admin/portal-pages/{portal}/{login}", Route::Admin(ForAdmin::PortalPage)),
    row!(GET "/admin/audit", Route::Service(Scope::Audit, ForService::Audit)),
    // Post-login sessions, and the mock of their verifier.
    row!(POST "/api/v1/postlogin/init-session", Route::Open(Open::InitSession)),
    row!(POST "/api/v1/postlogin/renew-token", Route::Open(Open::RenewSession)),
    row!(GET "/api/v1/postlogin/health", Route::Open(Open::PostLoginHealth)),
    row!(POST "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session", Route::Open(Open::MockValidateSession)),
    // OAuth 2.0. The metadata is also served below its path, by that of the issuer.
    row!(GET "/.well-known/jwks.json", Route::Open(Open::Jwks)),
    row!(GET "/.well-known/oauth-authorization-server", Route::Open(Open::Metadata)),
    row!(GET "/.well-known/openid-configuration", Route::Open(Open::OpenIdConfiguration)),
    row!(POST "/oauth/token", Route::Open(Open::Token)),
    row!(POST "/oauth/introspect", Route::Client(ForClient::Introspect)),
    row!(POST "/oauth/revoke", Route::Client(ForClient::Revoke)),
    // Upstream tokens.
    row!(GET "/api/v1/facturify/auth/token", Route::Service(READ, ForService::FacturifyRead)),
    row!(POST "/api/v1/facturify/auth/token", Route::Service(WRITE, ForService::FacturifyObtain)),
    row!(POST "/api/v1/facturify/auth/token/refresh", Route::Service(WRITE, ForService::FacturifyRefresh)),
    row!(GET "/api/v1/facturify/auth/token/status", Route::Service(READ, ForService::FacturifyStatus)),
    row!(GET "/api/v1/facturify/auth/token/history", Route::Service(READ, ForService::FacturifyHistory)),
    row!(GET "/accounts", Route::Service(READ, ForService::UpstoxAccounts)),
    row!(GET "/accounts/{account_id}/token", Route::Service(READ, ForService::UpstoxRead)).or_empty(),
    row!(POST "/accounts/{account_id}/refresh", Route::Service(WRITE, ForService::UpstoxRefresh)).or_empty(),
    row!(GET "/accounts/{account_id}/history", Route::Service(READ, ForService::UpstoxHistory)).or_empty(),
    row!(POST "/accounts/{account_id}/token/exchange", Route::Service(WRITE, ForService::UpstoxExchange)).or_empty(),
    row!(POST "/accounts/{account_id}/token/request", Route::Service(WRITE, ForService::UpstoxRequest)).or_empty(),
    // Without an account: the default one.
    row!(GET "/token/status", Route::Service(READ, ForService::UpstoxStatus)),
    row!(GET "/accounts/{account_id}/token/status", Route::Service(READ, ForService::UpstoxStatus)).or_empty(),
    row!(GET "/token/validate", Route::Service(READ, ForService::UpstoxValidate)),
    row!(GET "/accounts/{account_id}/token/validate", Route::Service(READ, ForService::UpstoxValidate)).or_empty(),
    row!(POST "/token/update", Route::Service(WRITE, ForService::UpstoxUpdate)),
    row!(POST "/accounts/{account_id}/token/update", Route::Service(WRITE, ForService::UpstoxUpdate)).or_empty(),
    row!(POST "/upstox/notifier/{secret}", Route::UpstoxNotify).or_empty(),
    row!(GET "/api/v1/tokens", Route::Service(READ, ForService::TokenList)),
    row!(GET "/api/v1/tokens/{provider}/{account_id}", Route::Service(READ, ForService::TokenRead)).or_empty(),
    row!(GET "/api/v1/tokens/{provider}/{account_id}/status", Route::Service(READ, ForService::TokenStatus)).or_empty(),
    row!(POST "/api/v1/tokens/{provider}/{account_id}/refresh", Route::Service(WRITE, ForService::TokenRefresh)).or_empty(),
    row!(GET "/api/v1/tokens/{provider}/{account_id}/history", Route::Service(READ, ForService::TokenHistory)).or_empty(),
    // Portal sessions. Each operation of E-Modal has a row; those of other portals have one for all.
    row!(GET "/metrics", Route::Service(Scope::Metrics, ForService::Metrics)),
    row!(POST "/get_session", Route::Service(PORTAL, ForService::PortalGet)),
    row!(GET "/sessions", Route::Service(PORTAL, ForService::PortalList)),
    row!(DELETE "/sessions/{session_id}", Route::Service(PORTAL, ForService::PortalClose)),
    row!(GET "/sessions/{session_id}/state", Route::Service(Scope::PortalState, ForService::PortalState)),
    row!(GET "/sessions/{session_id}/screenshots/{name}", Route::Service(PORTAL, ForService::PortalScreenshot)),
    row!(POST "/get_containers", Route::Service(PORTAL, ForService::PortalRun)),
    row!(POST "/get_container_timeline", Route::Service(PORTAL, ForService::PortalRun)),
    row!(POST "/check_appointments", Route::Service(PORTAL, ForService::PortalRun)),
    row!(POST "/make_appointment", Route::Service(PORTAL, ForService::PortalRun)),
    row!(POST "/portals/{portal}/{operation}", Route::Service(PORTAL, ForService::PortalRunAt)),
];
