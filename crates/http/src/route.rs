//! What is served where: a plain match on the segments of the path and the method.

use super::portal_route::{self, PortalRoute};
use super::token_route::{self, TokenRoute};
use crate::error::Reason;
use session::external;

/// One route. Those under `/auth` are also served under `/api/v1/auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Health,
    Login,
    Refresh,
    Logout,
    LogoutAll,
    Profile,
    Verify,
    OwnSessions,
    CloseOwnSession(String),
    Protected,
    ReadData,
    WriteData,
    ActiveSessions,
    CloseSession(String),
    Cleanup,
    SessionInfo,
    ListUsers,
    CreateUser,
    ReadUser(String),
    UpdateUser(String),
    DeleteUser(String),
    CloseUserSessions(String),
    ListServiceKeys,
    CreateServiceKey,
    RevokeServiceKey(String),
    InitSession,
    RenewSession,
    PostLoginHealth,
    /// Served only where mocks are on.
    MockValidateSession,
    Token(TokenRoute),
    Portal(PortalRoute),
}

impl Route {
    /// The route as it stands in logs: never with what a caller put into it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Health => "GET /health",
            Self::Login => "POST /auth/login",
            Self::Refresh => "POST /auth/refresh",
            Self::Logout => "POST /auth/logout",
            Self::LogoutAll => "POST /auth/logout-all",
            Self::Profile => "GET /auth/profile",
            Self::Verify => "/auth/verify",
            Self::OwnSessions => "GET /auth/sessions",
            Self::CloseOwnSession(_) => "DELETE /auth/sessions/{id}",
            Self::Protected => "GET /api/v1/protected",
            Self::ReadData => "GET /api/v1/data",
            Self::WriteData => "POST /api/v1/data",
            Self::ActiveSessions => "GET /admin/sessions/active",
            Self::CloseSession(_) => "DELETE /admin/sessions/{id}",
            Self::Cleanup => "POST /admin/sessions/cleanup",
            Self::SessionInfo => "GET /debug/session-info",
            Self::ListUsers => "GET /admin/users",
            Self::CreateUser => "POST /admin/users",
            Self::ReadUser(_) => "GET /admin/users/{username}",
            Self::UpdateUser(_) => "PATCH /admin/users/{username}",
            Self::DeleteUser(_) => "DELETE /admin/users/{username}",
            Self::CloseUserSessions(_) => "DELETE /admin/users/{username}/sessions",
            Self::ListServiceKeys => "GET /admin/service-keys",
            Self::CreateServiceKey => "POST /admin/service-keys",
            Self::RevokeServiceKey(_) => "DELETE /admin/service-keys/{id}",
            Self::InitSession => "POST /api/v1/postlogin/init-session",
            Self::RenewSession => "POST /api/v1/postlogin/renew-token",
            Self::PostLoginHealth => "GET /api/v1/postlogin/health",
            Self::MockValidateSession => {
                "POST /api/v1/corporate/relationship-management/marketing/v1/customer/validate-session"
            }
            Self::Token(route) => route.name(),
            Self::Portal(route) => route.name(),
        }
    }
}

/// What a path and method lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Route(Route),
    /// `OPTIONS` on a path that is served: what is allowed there.
    Options(&'static str),
}

/// Methods of the requests that a proxy asks about.
const VERIFIED_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Envoy (`ext_authz` over HTTP) puts the path that it asks about behind `/auth/verify`, and asks with its method.
fn verifies_a_path(path: &[Option<&str>; 7]) -> bool {
    matches!(
        path,
        [Some("auth"), Some("verify"), Some(_), ..]
            | [Some("api"), Some("v1"), Some("auth"), Some("verify"), Some(_), ..]
    )
}

/// Finds the route. HEAD is served as GET is, without the body. `path` is as the URL has it, without the query.
pub fn find(method: &str, path: &str) -> Result<Found, Reason> {
    let whole = path;
    let mut segments = path.strip_prefix('/').ok_or(Reason::NotFound)?.split('/');
    let mut next = || segments.next();
    let path = [next(), next(), next(), next(), next(), next(), next()];
    if verifies_a_path(&path) && VERIFIED_METHODS.contains(&method) {
        return Ok(Found::Route(Route::Verify));
    }
    let path = match path {
        // The second prefix of the user routes.
        [Some("api"), Some("v1"), Some("auth"), a, b, c, d] => [Some("auth"), a, b, c, d, None, None],
        other => other,
    };
    let read = if method == "HEAD" { "GET" } else { method };
    let served = |allow: &'static str, route: Option<Route>| match route {
        Some(route) => Ok(Found::Route(route)),
        None if method == "OPTIONS" => Ok(Found::Options(allow)),
        None => Err(Reason::MethodNotAllowed(allow)),
    };
    let one = |on: &str, allow: &'static str, route: Route| served(allow, (read == on).then_some(route));
    match path {
        [Some("health"), None, ..] => one("GET", "GET, HEAD, OPTIONS", Route::Health),
        [Some("auth"), Some(leaf), None, ..] => match leaf {
            "login" => one("POST", "POST, OPTIONS", Route::Login),
            "refresh" => one("POST", "POST, OPTIONS", Route::Refresh),
            "logout" => one("POST", "POST, OPTIONS", Route::Logout),
            "logout-all" => one("POST", "POST, OPTIONS", Route::LogoutAll),
            "profile" => one("GET", "GET, HEAD, OPTIONS", Route::Profile),
            "sessions" => one("GET", "GET, HEAD, OPTIONS", Route::OwnSessions),
            "verify" => {
                served("GET, HEAD, POST, OPTIONS", matches!(read, "GET" | "POST").then_some(Route::Verify))
            }
            _ => Err(Reason::NotFound),
        },
        [Some("auth"), Some("sessions"), Some(id), None, ..] if !id.is_empty() => {
            one("DELETE", "DELETE, OPTIONS", Route::CloseOwnSession(id.to_owned()))
        }
        [Some("api"), Some("v1"), Some("protected"), None, ..] => {
            one("GET", "GET, HEAD, OPTIONS", Route::Protected)
        }
        [Some("api"), Some("v1"), Some("data"), None, ..] => {
            let route = match read {
                "GET" => Some(Route::ReadData),
                "POST" => Some(Route::WriteData),
                _ => None,
            };
            served("GET, HEAD, POST, OPTIONS", route)
        }
        [Some("debug"), Some("session-info"), None, ..] => {
            one("GET", "GET, HEAD, OPTIONS", Route::SessionInfo)
        }
        [Some("admin"), Some("sessions"), Some("active"), None, ..] => {
            one("GET", "GET, HEAD, OPTIONS", Route::ActiveSessions)
        }
        [Some("admin"), Some("sessions"), Some("cleanup"), None, ..] => {
            one("POST", "POST, OPTIONS", Route::Cleanup)
        }
        [Some("admin"), Some("sessions"), Some(id), None, ..] if !id.is_empty() => {
            one("DELETE", "DELETE, OPTIONS", Route::CloseSession(id.to_owned()))
        }
        [Some("admin"), Some("users"), None, ..] => {
            let route = match read {
                "GET" => Some(Route::ListUsers),
                "POST" => Some(Route::CreateUser),
                _ => None,
            };
            served("GET, HEAD, POST, OPTIONS", route)
        }
        [Some("admin"), Some("users"), Some(name), Some("sessions"), None, ..] => {
            let name = percent_decode(name).ok_or(Reason::NotFound)?;
            one("DELETE", "DELETE, OPTIONS", Route::CloseUserSessions(name))
        }
        [Some("admin"), Some("users"), Some(name), None, ..] if !name.is_empty() => {
            let name = percent_decode(name).ok_or(Reason::NotFound)?;
            let route = match read {
                "GET" => Some(Route::ReadUser(name)),
                "PATCH" => Some(Route::UpdateUser(name)),
                "DELETE" => Some(Route::DeleteUser(name)),
                _ => None,
            };
            served("GET, HEAD, PATCH, DELETE, OPTIONS", route)
        }
        [Some("admin"), Some("service-keys"), None, ..] => {
            let route = match read {
                "GET" => Some(Route::ListServiceKeys),
                "POST" => Some(Route::CreateServiceKey),
                _ => None,
            };
            served("GET, HEAD, POST, OPTIONS", route)
        }
        [Some("admin"), Some("service-keys"), Some(id), None, ..] if !id.is_empty() => {
            one("DELETE", "DELETE, OPTIONS", Route::RevokeServiceKey(id.to_owned()))
        }
        path => match further(read, whole, &path) {
            Some((allow, route)) => served(allow, route),
            None => Err(Reason::NotFound),
        },
    }
}

/// The routes that have tables of their own: what is allowed on the path, and the route of this method there.
fn further(method: &str, whole: &str, path: &[Option<&str>]) -> Option<(&'static str, Option<Route>)> {
    post_login(method, whole)
        .or_else(|| token_route::find(method, path).map(|(allow, route)| (allow, route.map(Route::Token))))
        .or_else(|| portal_route::find(method, path).map(|(allow, route)| (allow, route.map(Route::Portal))))
}

/// The routes of post-login sessions, and the mock of their verifier.
fn post_login(method: &str, path: &str) -> Option<(&'static str, Option<Route>)> {
    let post = |route: Route| Some(("POST, OPTIONS", (method == "POST").then_some(route)));
    match path {
        "/api/v1/postlogin/init-session" => post(Route::InitSession),
        "/api/v1/postlogin/renew-token" => post(Route::RenewSession),
        "/api/v1/postlogin/health" => {
            Some(("GET, HEAD, OPTIONS", (method == "GET").then_some(Route::PostLoginHealth)))
        }
        path if is_mock(path) => post(Route::MockValidateSession),
        _ => None,
    }
}

/// Whether portal sessions are served at this path, whatever the method.
pub fn is_portal(path: &str) -> bool {
    let route = |method| matches!(find(method, path), Ok(Found::Route(Route::Portal(_))));
    ["POST", "GET", "DELETE"].into_iter().any(route)
}

/// Whether a path is the mock's: longer than the others, and not there at all unless mocks are on.
pub fn is_mock(path: &str) -> bool {
    path.strip_prefix("/api/v1") == Some(external::MOCK_PATH)
}

/// Undoes percent-encoding, once. `None` if what comes out is not text.
fn percent_decode(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// The values of a parameter of a query, in order.
pub fn query_values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(query.as_bytes())
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Option<Route> {
        match find(method, path) {
            Ok(Found::Route(route)) => Some(route),
            _ => None,
        }
    }

    #[test]
    fn both_prefixes_lead_to_the_same() {
        for (method, leaf) in
            [("POST", "login"), ("POST", "refresh"), ("GET", "profile"), ("DELETE", "sessions/x")]
        {
            let short = route(method, &format!("/auth/{leaf}"));
            assert!(short.is_some(), "{leaf}");
            assert_eq!(short, route(method, &format!("/api/v1/auth/{leaf}")));
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        for path in [
            "",
            "/",
            "//admin/users",
            "/admin/users/",
            "/auth/../admin/users",
            "/auth/login/",
            "/AUTH/login",
            "/auth/%6cogin",
            "/api/v1/api/v1/auth/login",
            "/api/v1/health",
            "/admin/users/a/b",
            "/admin/users/%ff",
            "/api/v1/auth/sessions/a/b",
        ] {
            assert_eq!(find("GET", path), Err(Reason::NotFound), "{path}");
        }
    }

    #[test]
    fn the_wrong_method_is_told_the_right_ones() {
        assert_eq!(find("GET", "/auth/login"), Err(Reason::MethodNotAllowed("POST, OPTIONS")));
        assert_eq!(find("HEAD", "/auth/logout"), Err(Reason::MethodNotAllowed("POST, OPTIONS")));
        assert_eq!(find("get", "/health"), Err(Reason::MethodNotAllowed("GET, HEAD, OPTIONS")));
        assert_eq!(find("OPTIONS", "/health"), Ok(Found::Options("GET, HEAD, OPTIONS")));
        assert_eq!(route("HEAD", "/health"), Some(Route::Health));
        assert_eq!(find("TRACE", "/nowhere"), Err(Reason::NotFound));
    }

    #[test]
    fn what_is_a_path_of_portal_sessions() {
        for path in ["/get_session", "/make_appointment", "/sessions", "/sessions/x"] {
            assert!(is_portal(path), "{path}");
        }
        for path in ["/", "/health", "/sessions/", "/sessions/x/y", "/get_sessions", "/auth/sessions/x"] {
            assert!(!is_portal(path), "{path}");
        }
    }

    #[test]
    fn a_proxy_may_put_its_path_behind_verify() {
        for (method, path) in [
            ("GET", "/auth/verify"),
            ("PUT", "/auth/verify/a/b/c/d/e/f"),
            ("DELETE", "/auth/verify/"),
            ("OPTIONS", "/api/v1/auth/verify/x"),
        ] {
            assert_eq!(route(method, path), Some(Route::Verify), "{method} {path}");
        }
        assert_eq!(find("PUT", "/auth/verify"), Err(Reason::MethodNotAllowed("GET, HEAD, POST, OPTIONS")));
        assert_eq!(find("TRACE", "/auth/verify/x"), Err(Reason::NotFound));
        assert_eq!(find("GET", "/auth/verifyx"), Err(Reason::NotFound));
    }

    #[test]
    fn post_login_sessions_have_their_own() {
        let mock = "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session";
        for (method, path, expected) in [
            ("POST", "/api/v1/postlogin/init-session", Some(Route::InitSession)),
            ("POST", "/api/v1/postlogin/renew-token", Some(Route::RenewSession)),
            ("HEAD", "/api/v1/postlogin/health", Some(Route::PostLoginHealth)),
            ("POST", mock, Some(Route::MockValidateSession)),
            ("GET", mock, None),
            ("POST", "/api/v1/postlogin/init-session/", None),
            ("POST", "/postlogin/init-session", None),
        ] {
            assert_eq!(route(method, path), expected, "{method} {path}");
        }
        for path in ["/api/v1/postlogin", "/api/v1/corporate", &format!("{mock}/"), &format!("/api/v1{mock}")]
        {
            assert_eq!(find("POST", path), Err(Reason::NotFound), "{path}");
        }
    }

    #[test]
    fn names_in_paths_are_decoded_once() {
        assert_eq!(route("GET", "/admin/users/ren%C3%A9"), Some(Route::ReadUser("ren\u{e9}".into())));
        assert_eq!(route("GET", "/admin/users/a%252f"), Some(Route::ReadUser("a%2f".into())));
    }

    #[test]
    fn queries_are_read() {
        let values: Vec<_> = query_values("role=a&x=1&role=b%20c&role", "role").collect();
        assert_eq!(values, ["a", "b c", ""]);
    }
}
