//! The routes of upstream tokens.

/// One of them. An account is as the path has it, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRoute {
    FacturifyObtain,
    FacturifyRefresh,
    FacturifyRead,
    FacturifyStatus,
    FacturifyHistory,
    Accounts,
    Read(String),
    Refresh(String),
    History(String),
    Exchange(String),
    Request(String),
    /// Without an id: of the default account.
    Status(Option<String>),
    Validate(Option<String>),
    Update(Option<String>),
    Notify(String),
    AnyRead(String, String),
    AnyStatus(String, String),
    AnyRefresh(String, String),
    AnyHistory(String, String),
    SealingKeys,
}

impl TokenRoute {
    /// The route as it stands in logs: never with what a caller put into it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FacturifyObtain => "POST /api/v1/facturify/auth/token",
            Self::FacturifyRefresh => "POST /api/v1/facturify/auth/token/refresh",
            Self::FacturifyRead => "GET /api/v1/facturify/auth/token",
            Self::FacturifyStatus => "GET /api/v1/facturify/auth/token/status",
            Self::FacturifyHistory => "GET /api/v1/facturify/auth/token/history",
            Self::Accounts => "GET /accounts",
            Self::Read(_) => "GET /accounts/{account_id}/token",
            Self::Refresh(_) => "POST /accounts/{account_id}/refresh",
            Self::History(_) => "GET /accounts/{account_id}/history",
            Self::Exchange(_) => "POST /accounts/{account_id}/token/exchange",
            Self::Request(_) => "POST /accounts/{account_id}/token/request",
            Self::Status(None) => "GET /token/status",
            Self::Status(Some(_)) => "GET /accounts/{account_id}/token/status",
            Self::Validate(None) => "GET /token/validate",
            Self::Validate(Some(_)) => "GET /accounts/{account_id}/token/validate",
            Self::Update(None) => "POST /token/update",
            Self::Update(Some(_)) => "POST /accounts/{account_id}/token/update",
            Self::Notify(_) => "POST /upstox/notifier/{secret}",
            Self::AnyRead(..) => "GET /api/v1/tokens/{provider}/{account_id}",
            Self::AnyStatus(..) => "GET /api/v1/tokens/{provider}/{account_id}/status",
            Self::AnyRefresh(..) => "POST /api/v1/tokens/{provider}/{account_id}/refresh",
            Self::AnyHistory(..) => "GET /api/v1/tokens/{provider}/{account_id}/history",
            Self::SealingKeys => "GET /admin/sealing-keys",
        }
    }
}

const READS: &str = "GET, HEAD, OPTIONS";
const WRITES: &str = "POST, OPTIONS";
const BOTH: &str = "GET, HEAD, POST, OPTIONS";

/// What is allowed on a path, and the route of this method there; nothing if the path is not one of ours. `method` is `GET`
/// for `HEAD`.
pub fn find(method: &str, path: &[Option<&str>]) -> Option<(&'static str, Option<TokenRoute>)> {
    let path: Vec<&str> = path.iter().map_while(|segment| *segment).collect();
    let get = |route: TokenRoute| Some((READS, (method == "GET").then_some(route)));
    let post = |route: TokenRoute| Some((WRITES, (method == "POST").then_some(route)));
    let owned = |text: &str| text.to_owned();
    match path.as_slice() {
        ["api", "v1", "facturify", "auth", "token", rest @ ..] => match rest {
            [] => {
                let route = match method {
                    "GET" => Some(TokenRoute::FacturifyRead),
                    "POST" => Some(TokenRoute::FacturifyObtain),
                    _ => None,
                };
                Some((BOTH, route))
            }
            ["refresh"] => post(TokenRoute::FacturifyRefresh),
            ["status"] => get(TokenRoute::FacturifyStatus),
            ["history"] => get(TokenRoute::FacturifyHistory),
            _ => None,
        },
        ["api", "v1", "tokens", provider, account, rest @ ..] => {
            let (provider, account) = (owned(provider), owned(account));
            match rest {
                [] => get(TokenRoute::AnyRead(provider, account)),
                ["status"] => get(TokenRoute::AnyStatus(provider, account)),
                ["refresh"] => post(TokenRoute::AnyRefresh(provider, account)),
                ["history"] => get(TokenRoute::AnyHistory(provider, account)),
                _ => None,
            }
        }
        ["token", "status"] => get(TokenRoute::Status(None)),
        ["token", "validate"] => get(TokenRoute::Validate(None)),
        ["token", "update"] => post(TokenRoute::Update(None)),
        ["accounts"] => get(TokenRoute::Accounts),
        ["accounts", id, rest @ ..] => match rest {
            ["token"] => get(TokenRoute::Read(owned(id))),
            ["token", "status"] => get(TokenRoute::Status(Some(owned(id)))),
            ["token", "validate"] => get(TokenRoute::Validate(Some(owned(id)))),
            ["token", "update"] => post(TokenRoute::Update(Some(owned(id)))),
            ["token", "exchange"] => post(TokenRoute::Exchange(owned(id))),
            ["token", "request"] => post(TokenRoute::Request(owned(id))),
            ["refresh"] => post(TokenRoute::Refresh(owned(id))),
            ["history"] => get(TokenRoute::History(owned(id))),
            _ => None,
        },
        ["upstox", "notifier", secret] => post(TokenRoute::Notify(owned(secret))),
        ["admin", "sealing-keys"] => get(TokenRoute::SealingKeys),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Option<TokenRoute> {
        let segments: Vec<_> = path.split('/').skip(1).map(Some).collect();
        find(method, &segments)?.1
    }

    #[test]
    fn paths_lead_to_routes() {
        let id = || Some("a1".to_owned());
        for (method, path, expected) in [
            ("GET", "/token/status", TokenRoute::Status(None)),
            ("GET", "/accounts/a1/token/status", TokenRoute::Status(id())),
            ("POST", "/token/update", TokenRoute::Update(None)),
            ("GET", "/accounts/a1/token", TokenRoute::Read("a1".to_owned())),
            ("POST", "/accounts/a1/refresh", TokenRoute::Refresh("a1".to_owned())),
            ("GET", "/api/v1/facturify/auth/token", TokenRoute::FacturifyRead),
            ("POST", "/api/v1/facturify/auth/token/refresh", TokenRoute::FacturifyRefresh),
            ("GET", "/api/v1/tokens/oauth2/crm", TokenRoute::AnyRead("oauth2".to_owned(), "crm".to_owned())),
        ] {
            assert_eq!(route(method, path), Some(expected), "{method} {path}");
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
            assert_eq!(route(method, path), None, "{method} {path}");
        }
    }
}
