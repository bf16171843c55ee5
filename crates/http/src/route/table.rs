//! Every route there is: a row for each method on each path. Dispatch, `Allow`, what a path is and who may call follow from
//! it.

use super::Route;
use super::methods::Methods;
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
    /// A service whose key has the scope.
    Service(Scope),
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
    pub access: Access,
    pub route: Route,
    /// Whether one of the pattern's segments is a caller's.
    pub(super) has_params: bool,
    /// Whether a caller's segment may be empty.
    pub(super) takes_empty: bool,
    /// Whether anything may follow the pattern.
    pub(super) takes_rest: bool,
}

impl Row {
    const fn new(
        methods: Methods,
        name: &'static str,
        pattern: &'static str,
        access: Access,
        route: Route,
    ) -> Self {
        let has_params = has_params(pattern.as_bytes());
        Self { methods, pattern, name, access, route, has_params, takes_empty: false, takes_rest: false }
    }

    /// A caller's segment may be empty. The handler knows nothing of that name.
    const fn or_empty(mut self) -> Self {
        self.takes_empty = true;
        self
    }

    /// Anything may follow the pattern.
    const fn with_rest(mut self) -> Self {
        self.takes_rest = true;
        self
    }

    pub fn is_portal(&self) -> bool {
        self.access == Access::Service(Scope::Portal)
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

/// A row: `row!(GET "/path", access, route)`.
macro_rules! row {
    ($method:ident $pattern:literal, $access:expr, $route:ident) => {
        Row::new(
            Methods::$method,
            concat!(stringify!($method), " ", $pattern),
            $pattern,
            $access,
            Route::$route,
        )
    };
}

use Access::{Admin, AdminOrBootstrapKey, Anybody, Bearer, SecretPath, Service};

const READ: Access = Service(Scope::TokensRead);
const WRITE: Access = Service(Scope::TokensWrite);
const PORTAL: Access = Service(Scope::Portal);

/// The first row whose pattern fits decides what the path is. Those of the fast path stand first.
pub static ROUTES: &[Row] = &[
    Row::new(Methods::GET.and(Methods::POST), "/auth/verify", "/auth/verify", Bearer, Route::Verify),
    row!(GET "/auth/profile", Bearer, Profile),
    row!(GET "/api/v1/protected", Bearer, Protected),
    // Envoy (`ext_authz` over HTTP) puts the path that it asks about behind this one, and asks with its method.
    Row::new(Methods::ALL, "/auth/verify", "/auth/verify/", Bearer, Route::Verify).with_rest(),
    row!(POST "/auth/login", Anybody, Login),
    row!(POST "/auth/refresh", Anybody, Refresh),
    row!(POST "/auth/logout", Bearer, Logout),
    row!(POST "/auth/logout-all", Bearer, LogoutAll),
    row!(GET "/auth/sessions", Bearer, OwnSessions),
    row!(DELETE "/auth/sessions/{id}", Bearer, CloseOwnSession),
    row!(GET "/health", Anybody, Health),
    row!(GET "/api/v1/data", Bearer, ReadData),
    row!(POST "/api/v1/data", Bearer, WriteData),
    row!(GET "/debug/session-info", Bearer, SessionInfo),
    // Administration.
    row!(GET "/admin/sessions/active", Admin, ActiveSessions),
    row!(POST "/admin/sessions/cleanup", Admin, Cleanup),
    row!(DELETE "/admin/sessions/{id}", Admin, CloseSession),
    row!(GET "/admin/users", Admin, ListUsers),
    row!(POST "/admin/users", AdminOrBootstrapKey, CreateUser),
    row!(GET "/admin/users/{username}", Admin, ReadUser),
    row!(PATCH "/admin/users/{username}", Admin, UpdateUser),
    row!(DELETE "/admin/users/{username}", Admin, DeleteUser),
    row!(DELETE "/admin/users/{username}/sessions", Admin, CloseUserSessions).or_empty(),
    row!(GET "/admin/service-keys", Admin, ListServiceKeys),
    row!(POST "/admin/service-keys", Admin, CreateServiceKey),
    row!(DELETE "/admin/service-keys/{id}", Admin, RevokeServiceKey),
    row!(GET "/admin/sealing-keys", Admin, SealingKeys),
    // Post-login sessions, and the mock of their verifier.
    row!(POST "/api/v1/postlogin/init-session", Anybody, InitSession),
    row!(POST "/api/v1/postlogin/renew-token", Anybody, RenewSession),
    row!(GET "/api/v1/postlogin/health", Anybody, PostLoginHealth),
    row!(POST "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session", Anybody, MockValidateSession),
    // Upstream tokens.
    row!(GET "/api/v1/facturify/auth/token", READ, FacturifyRead),
    row!(POST "/api/v1/facturify/auth/token", WRITE, FacturifyObtain),
    row!(POST "/api/v1/facturify/auth/token/refresh", WRITE, FacturifyRefresh),
    row!(GET "/api/v1/facturify/auth/token/status", READ, FacturifyStatus),
    row!(GET "/api/v1/facturify/auth/token/history", READ, FacturifyHistory),
    row!(GET "/accounts", READ, UpstoxAccounts),
    row!(GET "/accounts/{account_id}/token", READ, UpstoxRead).or_empty(),
    row!(POST "/accounts/{account_id}/refresh", WRITE, UpstoxRefresh).or_empty(),
    row!(GET "/accounts/{account_id}/history", READ, UpstoxHistory).or_empty(),
    row!(POST "/accounts/{account_id}/token/exchange", WRITE, UpstoxExchange).or_empty(),
    row!(POST "/accounts/{account_id}/token/request", WRITE, UpstoxRequest).or_empty(),
    // Without an account: the default one.
    row!(GET "/token/status", READ, UpstoxStatus),
    row!(GET "/accounts/{account_id}/token/status", READ, UpstoxStatus).or_empty(),
    row!(GET "/token/validate", READ, UpstoxValidate),
    row!(GET "/accounts/{account_id}/token/validate", READ, UpstoxValidate).or_empty(),
    row!(POST "/token/update", WRITE, UpstoxUpdate),
    row!(POST "/accounts/{account_id}/token/update", WRITE, UpstoxUpdate).or_empty(),
    row!(POST "/upstox/notifier/{secret}", SecretPath, UpstoxNotify).or_empty(),
    row!(GET "/api/v1/tokens/{provider}/{account_id}", READ, TokenRead).or_empty(),
    row!(GET "/api/v1/tokens/{provider}/{account_id}/status", READ, TokenStatus).or_empty(),
    row!(POST "/api/v1/tokens/{provider}/{account_id}/refresh", WRITE, TokenRefresh).or_empty(),
    row!(GET "/api/v1/tokens/{provider}/{account_id}/history", READ, TokenHistory).or_empty(),
    // Portal sessions. Each declared operation has a row.
    row!(POST "/get_session", PORTAL, PortalGet),
    row!(GET "/sessions", PORTAL, PortalList),
    row!(DELETE "/sessions/{session_id}", PORTAL, PortalClose),
    row!(POST "/get_containers", PORTAL, PortalRun),
    row!(POST "/get_container_timeline", PORTAL, PortalRun),
    row!(POST "/check_appointments", PORTAL, PortalRun),
    row!(POST "/make_appointment", PORTAL, PortalRun),
];
