use super::*;
use std::collections::BTreeSet;

/// The route, and the caller's segments.
fn route(method: &str, path: &str) -> Option<(Route, String, String)> {
    match find(method, path) {
        Ok(Found::Route(row, params)) => {
            Some((row.route, params.first().to_owned(), params.second().to_owned()))
        }
        _ => None,
    }
}

fn plain(method: &str, path: &str) -> Option<Route> {
    route(method, path).map(|(route, ..)| route)
}

/// The refusal, or what is allowed.
fn refused(method: &str, path: &str) -> Option<Reason> {
    find(method, path).err()
}

fn not_allowed(method: &str, path: &str) -> String {
    match find(method, path) {
        Err(Reason::MethodNotAllowed(methods)) => methods.allow(),
        other => panic!("{method} {path}: {other:?}"),
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
        "/api/v1/auth",
        "/api/v1/health",
        "/admin/users/a/b",
        "/admin/users/%ff",
        "/api/v1/auth/sessions/a/b",
    ] {
        assert_eq!(refused("GET", path), Some(Reason::NotFound), "{path}");
    }
}

#[test]
fn the_metadata_is_below_its_path_too_and_nothing_else_is() {
    let metadata = Some(Route::Open(Open::Metadata));
    for path in ["", "/", "/tenant", "/a/b/c"] {
        assert_eq!(plain("GET", &format!("{METADATA}{path}")), metadata, "{path}");
    }
    assert_eq!(not_allowed("POST", &format!("{METADATA}/tenant")), "GET, HEAD, OPTIONS");
    for path in [
        "/.well-known",
        "/.well-known/oauth-authorization-serverx",
        "/.well-known/jwks.json/",
        "/.well-known/openid-configuration/x",
    ] {
        assert_eq!(refused("GET", path), Some(Reason::NotFound), "{path}");
    }
}

#[test]
fn the_wrong_method_is_told_the_right_ones() {
    assert_eq!(not_allowed("GET", "/auth/login"), "POST, OPTIONS");
    assert_eq!(not_allowed("HEAD", "/auth/logout"), "POST, OPTIONS");
    assert_eq!(not_allowed("get", "/health"), "GET, HEAD, OPTIONS");
    assert_eq!(not_allowed("PUT", "/admin/users/x"), "GET, HEAD, PATCH, DELETE, OPTIONS");
    assert_eq!(not_allowed("PUT", "/api/v1/facturify/auth/token"), "GET, HEAD, POST, OPTIONS");
    assert_eq!(not_allowed("DELETE", "/admin/sessions/active"), "GET, HEAD, OPTIONS");
    let Ok(Found::Options(allowed)) = find("OPTIONS", "/health") else { panic!("no options") };
    assert_eq!(allowed.allow(), "GET, HEAD, OPTIONS");
    assert_eq!(plain("HEAD", "/health"), Some(Route::Open(Open::Health)));
    assert_eq!(refused("TRACE", "/nowhere"), Some(Reason::NotFound));
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
fn f13_verify_is_asked_by_every_method_and_nothing_is_below_it() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for path in ["/auth/verify", "/api/v1/auth/verify"] {
            assert_eq!(plain(method, path), Some(Route::Caller(ForCaller::Verify)), "{method} {path}");
        }
        for below in ["/", "/x", "/../../health", "/%2e%2e/%2e%2e/health", "/..\\..\\health", "x", "%2f"] {
            let path = format!("/auth/verify{below}");
            assert_eq!(refused(method, &path), Some(Reason::NotFound), "{method} {path}");
        }
    }
    assert_eq!(not_allowed("TRACE", "/auth/verify"), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

#[test]
fn post_login_sessions_have_their_own() {
    let mock = ["/api/v1", session::external::MOCK_PATH].concat();
    assert_eq!(at(&mock), Some(Route::Open(Open::MockValidateSession)));
    for (method, path, expected) in [
        ("POST", "/api/v1/postlogin/init-session", Some(Route::Open(Open::InitSession))),
        ("POST", "/api/v1/postlogin/renew-token", Some(Route::Open(Open::RenewSession))),
        ("HEAD", "/api/v1/postlogin/health", Some(Route::Open(Open::PostLoginHealth))),
        ("POST", mock.as_str(), Some(Route::Open(Open::MockValidateSession))),
        ("GET", &mock, None),
        ("POST", "/api/v1/postlogin/init-session/", None),
        ("POST", "/postlogin/init-session", None),
    ] {
        assert_eq!(plain(method, path), expected, "{method} {path}");
    }
    for path in ["/api/v1/postlogin", "/api/v1/corporate", &format!("{mock}/"), &format!("/api/v1{mock}")] {
        assert_eq!(refused("POST", path), Some(Reason::NotFound), "{path}");
    }
}

#[test]
fn names_in_paths_are_decoded_once() {
    for (path, name) in [("ren%C3%A9", "ren\u{e9}"), ("a%252f", "a%2f")] {
        let found = route("GET", &format!("/admin/users/{path}"));
        assert_eq!(found, Some((Route::Admin(ForAdmin::ReadUser), name.to_owned(), String::new())));
    }
    // Other segments are not: what is encoded in them is no id of ours.
    assert_eq!(
        route("DELETE", "/sessions/a%2fb"),
        Some((Route::Service(Scope::Portal, ForService::PortalClose), "a%2fb".to_owned(), String::new()))
    );
}

#[test]
fn paths_of_upstream_tokens_lead_to_routes() {
    for (method, path, expected, first, second) in [
        ("GET", "/token/status", Route::Service(Scope::TokensRead, ForService::UpstoxStatus), None, ""),
        (
            "GET",
            "/accounts/a1/token/status",
            Route::Service(Scope::TokensRead, ForService::UpstoxStatus),
            Some("a1"),
            "",
        ),
        (
            "GET",
            "/accounts//token/status",
            Route::Service(Scope::TokensRead, ForService::UpstoxStatus),
            Some(""),
            "",
        ),
        ("POST", "/token/update", Route::Service(Scope::TokensWrite, ForService::UpstoxUpdate), None, ""),
        (
            "GET",
            "/accounts/a1/token",
            Route::Service(Scope::TokensRead, ForService::UpstoxRead),
            Some("a1"),
            "",
        ),
        (
            "POST",
            "/accounts/a1/refresh",
            Route::Service(Scope::TokensWrite, ForService::UpstoxRefresh),
            Some("a1"),
            "",
        ),
        (
            "GET",
            "/api/v1/facturify/auth/token",
            Route::Service(Scope::TokensRead, ForService::FacturifyRead),
            None,
            "",
        ),
        (
            "POST",
            "/api/v1/facturify/auth/token/refresh",
            Route::Service(Scope::TokensWrite, ForService::FacturifyRefresh),
            None,
            "",
        ),
        (
            "GET",
            "/api/v1/tokens/oauth2/crm",
            Route::Service(Scope::TokensRead, ForService::TokenRead),
            Some("oauth2"),
            "crm",
        ),
        ("POST", "/upstox/notifier/", Route::UpstoxNotify, Some(""), ""),
    ] {
        let Ok(Found::Route(row, params)) = find(method, path) else { panic!("{method} {path}") };
        assert_eq!((row.route, params.optional(), params.second()), (expected, first, second), "{path}");
    }
    for (method, path) in [
        ("POST", "/token/status"),
        ("GET", "/accounts/a1"),
        ("GET", "/accounts/a1/token/"),
        ("GET", "/accounts/a1/token/status/x"),
        ("GET", "/accounts//a1"),
        ("GET", "/token"),
        ("GET", "/api/v1/facturify/auth/token/refresh"),
        ("GET", "/api/v1/tokens/oauth2"),
    ] {
        assert_eq!(plain(method, path), None, "{method} {path}");
    }
}

#[test]
fn paths_of_portal_sessions_lead_to_routes() {
    for (method, path, expected) in [
        ("POST", "/get_session", Some(Route::Service(Scope::Portal, ForService::PortalGet))),
        ("POST", "/get_containers", Some(Route::Service(Scope::Portal, ForService::PortalRun))),
        ("POST", "/make_appointment", Some(Route::Service(Scope::Portal, ForService::PortalRun))),
        ("GET", "/sessions", Some(Route::Service(Scope::Portal, ForService::PortalList))),
        ("DELETE", "/sessions/session_1_a", Some(Route::Service(Scope::Portal, ForService::PortalClose))),
        ("GET", "/get_session", None),
        ("GET", "/sessions/session_1_a", None),
    ] {
        assert_eq!(plain(method, path), expected, "{method} {path}");
    }
    for path in ["/get_sessions", "/sessions/", "/sessions/a/b", "/get_containers/x", ""] {
        assert_eq!(refused("POST", path), Some(Reason::NotFound), "{path}");
    }
}

#[test]
fn every_operation_of_a_portal_has_a_row_and_its_name_in_the_logs() {
    let declared: BTreeSet<_> =
        portal::document::emodal().operations.iter().map(|o| format!("POST /{}", o.name)).collect();
    let rows = ROUTES.iter().filter(|row| row.route == Route::Service(Scope::Portal, ForService::PortalRun));
    assert_eq!(rows.map(|row| row.name.to_owned()).collect::<BTreeSet<_>>(), declared);
}

/// The table is searched from above, so a row that another one hides is never found.
#[test]
fn every_row_is_found() {
    for row in ROUTES {
        let path = row.pattern.replace(['{', '}'], "");
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            if row.methods.intersects(Methods::named(method)) {
                let Ok(Found::Route(found, _)) = find(method, &path) else { panic!("{method} {path}") };
                assert!(std::ptr::eq(found, row), "{method} {path} leads to {}", found.name);
            }
        }
    }
}

/// `OPTIONS`, and a method that is not served, are answered by the first row of a path.
#[test]
fn the_rows_of_a_path_are_all_for_pages_or_none_is() {
    for row in ROUTES {
        let first = at(&row.pattern.replace(['{', '}'], "")).unwrap();
        assert_eq!(row.route.is_for_pages(), first.is_for_pages(), "{}", row.name);
    }
    assert!(
        !Route::Caller(ForCaller::Verify).is_for_pages() && Route::Caller(ForCaller::Profile).is_for_pages()
    );
}

#[test]
fn queries_are_read() {
    let values: Vec<_> = query_values("role=a&x=1&role=b%20c&role", "role").collect();
    assert_eq!(values, ["a", "b c", ""]);
}
