//! Cookie mode: the tokens of a browser's session in cookies that no script can read, and what keeps other sites from using them.
//! docs/decisions/0017-cookies.md says why they are as they are.

use crate::access::bearer;
use crate::error::Reason;
use crate::reply::Reply;
use base::clock::Timestamp;
use config::{App, Origins};
use session::tokens::KeyRing;

/// The access token, on every path of the host. Only the host itself can set it, and it stays as long as the refresh token: it says
/// which session the browser is in.
pub const ACCESS: &str = "__Host-sallyport-access";
/// The refresh token, where it is used and nowhere else. A path other than `/` rules out `__Host-`.
pub const REFRESH: &str = "__Secure-sallyport-refresh";
/// What both names have, and hardly a cookie of somebody else's.
pub const MARK: &str = "-sallyport-";

/// What the entry hands over on the fast path of a request with one of these cookies.
pub const COOKIE_HEADERS: [&str; 5] =
    ["cookie", "origin", "sec-fetch-site", "x-forwarded-method", "x-original-method"];

/// Where the refresh token is used: the route has two paths, and a browser sends a cookie to one.
const REFRESH_PATHS: [&str; 2] = ["/auth/refresh", "/api/v1/auth/refresh"];

/// What a logout has the browser forget of this origin. `"cookies"` would be those of every host of the domain.
const FORGOTTEN: &str = "\"cache\", \"storage\"";

/// The value of a cookie. Two of one name that differ cannot both be ours, and nobody can say which is.
pub fn value<'a>(header: Option<&'a str>, name: &str) -> Result<Option<&'a str>, Reason> {
    let mut found = None;
    for pair in header.unwrap_or_default().split(';') {
        let Some((known, value)) = pair.trim_matches([' ', '\t']).split_once('=') else { continue };
        if known != name {
            continue;
        }
        if found.is_some_and(|other| other != value) {
            return Err(Reason::InvalidRequest);
        }
        found = Some(value);
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// An access token that came with a request, nothing of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessToken<'a> {
    pub text: &'a str,
    /// A browser adds it by itself, whoever's page has it send the request.
    pub by_cookie: bool,
}

impl<'a> AccessToken<'a> {
    /// The bearer, or else the cookie. Both, if they are of one session; then a page of ours has set the bearer.
    pub fn read(
        keys: &KeyRing,
        authorization: Option<&'a str>,
        cookie: Option<&'a str>,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        match (bearer(authorization), value(cookie, ACCESS)?) {
            // Another scheme is somebody else's business.
            (Err(Reason::NotAuthenticated), Some(token)) => Ok(Self { text: token, by_cookie: true }),
            (Ok(token), Some(other)) if !of_one_session(keys, token, other, now) => {
                Err(Reason::InvalidRequest)
            }
            (token, _) => Ok(Self { text: token?, by_cookie: false }),
        }
    }
}

/// Whether two access tokens are the same, or of the same session. They may have expired.
fn of_one_session(keys: &KeyRing, one: &str, other: &str, now: Timestamp) -> bool {
    let session = |token| keys.read_access(token, now).map(|token| token.session_id);
    one == other || matches!((session(one), session(other)), (Ok(one), Ok(other)) if one == other)
}

/// What a browser says of the page that a request is sent for.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    pub origin: Option<&'a str>,
    /// Whether that is the origin of the request's own URL.
    pub is_own: bool,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
}

impl Page<'_> {
    /// Whether a request that changes something may have come by cookie: from a page of the request's own origin, or of one that
    /// `ALLOWED_ORIGINS` names. All that is said has to say so, and something has to be said.
    pub fn is_ours(&self, origins: &Origins) -> bool {
        match (self.origin, self.site) {
            (Some(origin), _) if origins.names(origin) => true,
            (Some(_), None | Some("same-origin")) => self.is_own,
            (None, Some("same-origin")) => true,
            _ => false,
        }
    }
}

/// Whether a method changes nothing (RFC 9110 §9.2.1).
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// The same of a request that a proxy asks about, by what it says of its method. Where it says nothing, nobody knows.
pub fn is_safe_behind(told: [Option<&str>; 2]) -> bool {
    let mut told = told.into_iter().flatten().peekable();
    told.peek().is_some() && told.all(is_safe)
}

/// The refresh token of a request. It has to be of the session of the access token, which is in a cookie that only this host can have
/// set, while any host of the domain can set one of the refresh token's name.
pub fn refresh_token<'a>(keys: &KeyRing, cookie: Option<&'a str>, now: Timestamp) -> Result<&'a str, Reason> {
    let (access, refresh) = (value(cookie, ACCESS)?, value(cookie, REFRESH)?);
    let (Some(access), Some(refresh)) = (access, refresh) else { return Err(Reason::NotAuthenticated) };
    let session = keys.read_access(access, now)?.session_id;
    match keys.read_refresh(refresh, now) {
        Ok(token) if token.session_id != session => Err(Reason::InvalidRequest),
        // What else is wrong with it is told, and noted, by whoever rotates.
        _ => Ok(refresh),
    }
}

/// Sets both cookies, for as long as the refresh token is good. `path` is that of the request.
pub fn set(app: &App, reply: Reply, path: &str, access: &str, refresh: &str, max_age: u64) -> Reply {
    let [here, _] = refresh_paths(path);
    let reply = reply.with("set-cookie", cookie(app, ACCESS, access, "/", max_age));
    reply.with("set-cookie", cookie(app, REFRESH, refresh, here, max_age))
}

/// Takes a refresh token of an earlier session away that was set under the other path.
pub fn replace(app: &App, reply: Reply, path: &str) -> Reply {
    let [_, other] = refresh_paths(path);
    reply.with("set-cookie", cookie(app, REFRESH, "", other, 0))
}

/// Takes all cookies away, at a logout.
pub fn clear(app: &App, reply: Reply) -> Reply {
    let reply = reply.with("set-cookie", cookie(app, ACCESS, "", "/", 0));
    let gone = REFRESH_PATHS.iter().map(|path| cookie(app, REFRESH, "", path, 0));
    gone.fold(reply, |reply, gone| reply.with("set-cookie", gone)).with("clear-site-data", FORGOTTEN)
}

/// That of the prefix under which a request came, and the other one.
fn refresh_paths(path: &str) -> [&'static str; 2] {
    let [plain, versioned] = REFRESH_PATHS;
    if path.starts_with("/api/v1/") { [versioned, plain] } else { [plain, versioned] }
}

fn cookie(app: &App, name: &str, value: &str, path: &str, max_age: u64) -> String {
    let same_site = app.config.cookie_same_site;
    format!("{name}={value}; Path={path}; Max-Age={max_age}; Secure; HttpOnly; SameSite={same_site}")
}
