//! The table of routes against what each route does: who may call, what another method is told, what HEAD and OPTIONS say.

use super::support::{Answer, Server};
use directory::service_key::Scope;
use http::route::{Access, ForCaller, Methods, Open, ROUTES, Route, Row};

const METHODS: [&str; 4] = ["GET", "POST", "PATCH", "DELETE"];

fn deployment() -> Server {
    Server::with(&[("DEBUG_ROUTES", "on"), ("MOCK_ROUTES", "on"), ("ENVIRONMENT", "development")])
}

/// A path of the row, with something in the place of what is a caller's.
fn path(row: &Row) -> String {
    row.pattern.replace(['{', '}'], "")
}

fn methods(row: &Row) -> impl Iterator<Item = &'static str> {
    METHODS.into_iter().filter(|method| row.methods.intersects(Methods::named(method)))
}

#[test]
fn whoever_shows_nothing_gets_no_further_than_the_table_says() {
    let server = deployment();
    for row in ROUTES {
        for method in methods(row) {
            let answer = server.request(method, &path(row)).send();
            let got = (answer.status, answer.code());
            match row.access {
                Access::Anybody if row.route == Route::Open(Open::MockValidateSession) => {
                    assert_eq!(got, (401, "invalid_session"));
                }
                Access::Anybody => assert_ne!(answer.status, 401, "{}", row.name),
                Access::SecretPath => assert_eq!(got, (404, "not_found"), "{}", row.name),
                Access::ResetKey => assert_eq!(got, (403, "forbidden"), "{}", row.name),
                // It has no body whatever it says.
                Access::Bearer if row.route == Route::Caller(ForCaller::Verify) => {
                    assert_eq!(answer.status, 401);
                }
                Access::Bearer
                | Access::Admin
                | Access::AdminOrBootstrapKey
                | Access::Service(_)
                | Access::ServiceOrAdmin(_) => {
                    assert_eq!(got, (401, "not_authenticated"), "{method} {}", row.name);
                }
            }
        }
    }
}

#[test]
fn a_user_is_no_admin_and_no_service() {
    let server = deployment();
    let user = server.make_user();
    for row in ROUTES {
        for method in methods(row) {
            // Some of them end the session.
            let token = server.log_in(&user.username).access;
            let answer = server.request(method, &path(row)).token(&token).send();
            let got = (answer.status, answer.code());
            match row.access {
                Access::Admin
                | Access::AdminOrBootstrapKey
                | Access::ResetKey
                | Access::ServiceOrAdmin(_) => {
                    assert_eq!(got, (403, "forbidden"), "{}", row.name);
                }
                Access::Service(_) => assert_eq!(got, (401, "service_key_invalid"), "{}", row.name),
                Access::Anybody | Access::Bearer | Access::SecretPath => {}
            }
        }
    }
}

#[test]
fn a_service_needs_the_scope_of_the_table_and_no_other() {
    let server = deployment();
    let admin = server.admin();
    let keys: Vec<_> = Scope::ALL
        .into_iter()
        .map(|scope| {
            let body =
                serde_json::json!({ "name": scope.as_str().replace(':', "-"), "scopes": [scope.as_str()] });
            let made = server.post("/admin/service-keys").token(&admin).json(&body).send();
            (scope, made.json["key"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned())
        })
        .collect();
    for row in ROUTES {
        let (Access::Service(wanted) | Access::ServiceOrAdmin(wanted)) = row.access else { continue };
        for method in methods(row) {
            for (scope, key) in &keys {
                let answer = server.request(method, &path(row)).header("x-api-key", key).send();
                let refused = (answer.status, answer.code()) == (403, "forbidden");
                // What it may see there is in `portal_rights`.
                let lets_in = *scope == wanted || (*scope, wanted) == (Scope::PortalOwn, Scope::Portal);
                assert_eq!(refused, !lets_in, "{} with {scope:?}: {}", row.name, answer.text);
            }
        }
    }
}

#[test]
fn another_method_is_told_what_is_allowed_and_options_says_it() {
    let server = deployment();
    // One is asked by every method, and one is not there by another.
    let is_told = |row: &&Row| row.methods != Methods::ALL && row.access != Access::SecretPath;
    for row in ROUTES.iter().filter(is_told) {
        let path = path(row);
        let told = |answer: &Answer| answer.header("allow").map(str::to_owned);
        let other = server.request("PUT", &path).send();
        assert_eq!((other.status, other.code()), (405, "method_not_allowed"), "{}", row.name);
        let options = server.request("OPTIONS", &path).send();
        assert_eq!((options.status, options.text.as_str()), (204, ""), "{}", row.name);
        let allowed = told(&options).unwrap();
        assert_eq!(told(&other).as_deref(), Some(allowed.as_str()));
        for method in methods(row).chain(["OPTIONS"]) {
            assert!(allowed.split(", ").any(|name| name == method), "{}: {allowed}", row.name);
        }
    }
}

#[test]
fn head_is_answered_as_get_is_without_the_body() {
    let server = deployment();
    let admin = server.admin();
    for row in ROUTES.iter().filter(|row| row.methods.intersects(Methods::named("HEAD"))) {
        let path = path(row);
        let [get, head] = ["GET", "HEAD"].map(|method| {
            let answer = server.request(method, &path).header("x-request-id", "r").token(&admin).send();
            (answer.status, answer.headers, answer.text)
        });
        assert_eq!((get.0, get.1), (head.0, head.1), "{}", row.name);
        assert_eq!(head.2, "", "{}", row.name);
    }
}
