//! Bodies sent as they are, to every route that reads one.

use super::{Answer, Server, Tokens, User};

pub const JSON: (&str, &str) = ("content-type", "application/json");

/// Every route that reads a body; where no method stands, it is POST.
pub const ROUTES: [&str; 12] = [
    "/auth/login",
    "/auth/refresh",
    "/auth/password",
    "/auth/logout",
    "/auth/logout-all",
    "/api/v1/auth/login",
    "/admin/users",
    "PATCH /admin/users/root",
    "/admin/service-keys",
    "/api/v1/data",
    "/api/v1/postlogin/init-session",
    "/api/v1/postlogin/renew-token",
];

/// Sends bodies with a token that is right for the route.
pub struct Sender<'a> {
    pub server: &'a Server,
    pub user: User,
    tokens: Tokens,
}

impl<'a> Sender<'a> {
    pub fn new(server: &'a Server) -> Self {
        let (user, tokens) = server.someone();
        Self { server, user, tokens }
    }

    fn call(&self, route: &str) -> super::Call<'a> {
        let (method, path) = route.split_once(' ').unwrap_or(("POST", route));
        let call = self.server.request(method, path);
        // A login is sent without a token, as it would end that token's session.
        if path.contains("login") && !path.contains("logout") || path.contains("refresh") {
            call
        } else if path.starts_with("/admin") {
            call.token(&self.server.admin())
        } else {
            call.token(&self.tokens.access)
        }
    }

    pub fn send(&self, route: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send_with(route, body, &[JSON])
    }

    pub fn send_with(&self, route: &str, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        self.call(route).headers(headers).body(body).send()
    }

    pub fn send_pieces(&self, route: &str, pieces: impl Iterator<Item = Vec<u8>> + 'static) -> Answer {
        self.call(route).headers(&[JSON]).pieces(pieces).send()
    }

    /// After all that, whoever is honest gets in.
    pub fn is_unharmed(&self) {
        assert_eq!(self.server.get("/health").send().status, 200);
        self.server.log_in(&self.user.username);
    }
}
