//! What is served where: one table, and how a path finds its row.

mod methods;
mod table;
#[cfg(test)]
mod tests;

use crate::error::Reason;
use directory::service_key::Scope;
pub use methods::Methods;
pub use table::{Access, ROUTES, Row};

/// What carries a route out, by who may call it: dispatch makes the proof of that first, and hands it to the handler, which
/// cannot be called without. One may serve several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Open(Open),
    Caller(ForCaller),
    Live(ForLive),
    Leave(Leave),
    Admin(ForAdmin),
    /// The same, of a login that is as recent as `RECENT_LOGIN_MINUTES` asks for.
    RecentAdmin(ForRecentAdmin),
    /// By an admin, or with the bootstrap key.
    CreateUser,
    /// With the secret for it, once.
    ResetAdmin,
    Service(Scope, ForService),
    /// As the services, or as RFC 6749 has clients authenticated.
    Client(ForClient),
    /// A part of its path is secret.
    UpstoxNotify,
}

impl Route {
    pub const fn access(self) -> Access {
        match self {
            Self::Open(_) => Access::Anybody,
            Self::Caller(_) | Self::Live(_) | Self::Leave(_) => Access::Bearer,
            Self::Admin(_) | Self::RecentAdmin(_) => Access::Admin,
            Self::CreateUser => Access::AdminOrBootstrapKey,
            Self::ResetAdmin => Access::ResetKey,
            Self::Service(scope, route) => match route.admins() {
                Admins::None => Access::Service(scope),
                Admins::All | Admins::Recent => Access::ServiceOrAdmin(scope),
            },
            Self::Client(_) => Access::Service(Scope::Introspect),
            Self::UpstoxNotify => Access::SecretPath,
        }
    }

    /// Whether an admin has to have logged in recently.
    pub const fn asks_for_recent_login(self) -> bool {
        match self {
            Self::RecentAdmin(_) | Self::CreateUser => true,
            Self::Service(_, route) => matches!(route.admins(), Admins::Recent),
            _ => false,
        }
    }

    /// Whether web pages of the origins in `ALLOWED_ORIGINS` may call it. Not what services call, whose keys are not for browsers; and not what proxies
    /// ask: a preflight there is a question like any other, and an answer to it would let it through to who stands behind the proxy.
    pub const fn is_for_pages(self) -> bool {
        !matches!(self.access(), Access::Service(_) | Access::ServiceOrAdmin(_))
            && !matches!(self, Self::Caller(ForCaller::Verify))
            && !self.is_public_document()
    }

    /// What says the same to everybody, and is meant to be kept by caches and read by any page.
    pub const fn is_public_document(self) -> bool {
        matches!(self, Self::Open(Open::Jwks | Open::Metadata | Open::OpenIdConfiguration))
    }
}

/// For anybody; what callers prove, they prove with what is in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    Health,
    Login,
    /// With the old password, in a session or without one.
    ChangePassword,
    Refresh,
    InitSession,
    RenewSession,
    PostLoginHealth,
    /// Of OAuth 2.0: by the grant, with or without client authentication.
    Token,
    /// Served only where mocks are on.
    MockValidateSession,
    Jwks,
    Metadata,
    OpenIdConfiguration,
}

/// For whoever has a session, checked as strictly as `SESSION_CHECK` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForCaller {
    Profile,
    Verify,
    Protected,
    ReadData,
    WriteData,
}

/// For whoever has a session that its object says is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForLive {
    CurrentSession,
    OwnSessions,
    CloseOwnSession,
    /// With the password once more.
    Reauthenticate,
    /// Served only where debug routes are on.
    SessionInfo,
}

/// For whoever has a session, or had one; the handler asks it itself: a body that is wrong is refused before the session is
/// asked, so that a client hears of it also with a token that has just ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// By any token of the session, which may also stand in the body.
    Logout,
    /// Dispatch proves no more than that there is a bearer header.
    LogoutAll,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForAdmin {
    ActiveSessions,
    ReadSession,
    CloseSession,
    Cleanup,
    ListUsers,
    ReadUser,
    CloseUserSessions,
    CloseSubjectSessions,
    EraseSubject,
    ListServiceKeys,
    SealingKeys,
    PortalPage,
}

/// What changes who may do what: users, and the keys of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForRecentAdmin {
    UpdateUser,
    DeleteUser,
    UnlockUser,
    CreateServiceKey,
    RevokeServiceKey,
    RotateServiceKey,
}

/// For a service whose key has the row's scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForService {
    FacturifyObtain,
    FacturifyRefresh,
    FacturifyRead,
    FacturifyStatus,
    FacturifyHistory,
    UpstoxAccounts,
    UpstoxRead,
    UpstoxRefresh,
    UpstoxHistory,
    UpstoxExchange,
    UpstoxRequest,
    UpstoxStatus,
    UpstoxValidate,
    UpstoxUpdate,
    TokenList,
    TokenRead,
    TokenStatus,
    TokenRefresh,
    TokenHistory,
    Metrics,
    Audit,
    PortalGet,
    PortalList,
    PortalClose,
    PortalState,
    PortalScreenshot,
    /// The operation has the path's name.
    PortalRun,
    /// At the portal that is named.
    PortalRunAt,
}

/// Which admins may call a route of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admins {
    None,
    All,
    /// Those whose login is as recent as `RECENT_LOGIN_MINUTES` asks for.
    Recent,
}

impl ForService {
    /// Whoever is on call sees how upstream accounts and portal sessions are, has them renewed or ended, and may bring a token; a token
    /// is given to services only.
    pub const fn admins(self) -> Admins {
        match self {
            Self::FacturifyStatus
            | Self::FacturifyHistory
            | Self::UpstoxAccounts
            | Self::UpstoxHistory
            | Self::UpstoxRequest
            | Self::UpstoxStatus
            | Self::UpstoxValidate
            | Self::TokenList
            | Self::TokenStatus
            | Self::TokenRefresh
            | Self::TokenHistory
            | Self::PortalList
            | Self::PortalClose
            | Self::Audit => Admins::All,
            Self::UpstoxExchange | Self::UpstoxUpdate => Admins::Recent,
            Self::FacturifyObtain
            | Self::FacturifyRefresh
            | Self::FacturifyRead
            | Self::UpstoxRead
            | Self::UpstoxRefresh
            | Self::TokenRead
            | Self::Metrics
            | Self::PortalGet
            | Self::PortalState
            | Self::PortalScreenshot
            | Self::PortalRun
            | Self::PortalRunAt => Admins::None,
        }
    }
}

/// For a client of OAuth 2.0, which is a service whose key has the scope `introspect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForClient {
    Introspect,
    Revoke,
}

/// The segments of a path that are a caller's, in order; unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params {
    first: Option<String>,
    second: Option<String>,
}

impl Params {
    /// The first; empty if the pattern has none.
    pub fn first(&self) -> &str {
        self.first.as_deref().unwrap_or_default()
    }

    /// The second; empty if the pattern has none.
    pub fn second(&self) -> &str {
        self.second.as_deref().unwrap_or_default()
    }

    /// The first, where only some of the route's patterns have one.
    pub fn optional(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

/// What a path and method lead to.
#[derive(Debug)]
pub enum Found {
    Route(&'static Row, Params),
    /// `OPTIONS` on a path that is served: what is allowed there.
    Options(Methods),
}

/// Finds the route. `path` is as the URL has it, without the query.
pub fn find(method: &str, path: &str) -> Result<Found, Reason> {
    let path = canonical(path);
    let asked = Methods::named(method);
    let (first, segments) = first_row(path).ok_or(Reason::NotFound)?;
    // A name that is not text can be nobody's.
    let params = params(first, segments)?;
    let mut allowed = Methods::OPTIONS;
    for row in ROUTES.iter().filter(|row| row.pattern == first.pattern) {
        if row.methods.intersects(asked) {
            return Ok(Found::Route(row, params));
        }
        allowed = allowed.and(row.methods);
    }
    if asked == Methods::OPTIONS {
        Ok(Found::Options(allowed))
    } else {
        Err(Reason::MethodNotAllowed(allowed))
    }
}

/// Whether portal sessions are served at this path, whatever the method.
pub fn is_portal(path: &str) -> bool {
    first_row(canonical(path)).is_some_and(|(row, _)| row.is_portal())
}

/// The first route at a path, whatever the method.
pub fn at(path: &str) -> Option<Route> {
    first_row(canonical(path)).map(|(row, _)| row.route)
}

/// Without the second prefix of what is under `/auth`.
fn canonical(path: &str) -> &str {
    path.strip_prefix("/api/v1").filter(|rest| rest.starts_with("/auth/")).unwrap_or(path)
}

/// A caller's segments of a path.
type Segments<'a> = [Option<&'a str>; 2];

/// The first row whose pattern fits a path.
fn first_row(path: &str) -> Option<(&'static Row, Segments<'_>)> {
    ROUTES.iter().find_map(|row| Some((row, segments(row, path)?))).or_else(|| of_an_issuer(path))
}

/// Where the metadata of an issuer is.
pub const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The metadata of an issuer whose URL has a path, which follows here (RFC 8414 §3.1).
fn of_an_issuer(path: &str) -> Option<(&'static Row, Segments<'_>)> {
    path.strip_prefix(METADATA).filter(|rest| rest.starts_with('/'))?;
    Some((ROUTES.iter().find(|row| row.pattern == METADATA)?, [None; 2]))
}

/// The caller's segments if a row's pattern fits a path. Allocates nothing.
fn segments<'a>(row: &Row, path: &'a str) -> Option<Segments<'a>> {
    if !row.has_params {
        return (path == row.pattern).then_some([None; 2]);
    }
    let mut found = [None; 2];
    let mut free = found.iter_mut();
    let mut given = path.split('/');
    for wanted in row.pattern.split('/') {
        let segment = given.next()?;
        if wanted.starts_with('{') {
            if segment.is_empty() && !row.takes_empty {
                return None;
            }
            *free.next()? = Some(segment);
        } else if segment != wanted {
            return None;
        }
    }
    given.next().is_none().then_some(found)
}

/// The caller's segments. Only names of users are percent-decoded, once: all else is of ASCII.
fn params(row: &Row, [first, second]: Segments) -> Result<Params, Reason> {
    let first = match first {
        Some(name) if row.pattern.contains("{username}") => {
            Some(percent_decode(name).ok_or(Reason::NotFound)?)
        }
        other => other.map(str::to_owned),
    };
    Ok(Params { first, second: second.map(str::to_owned) })
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
