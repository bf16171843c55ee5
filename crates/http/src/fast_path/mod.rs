//! The fast path of requests that need nothing but one call to one session's object: the entry asks what to send where,
//! makes the call, and hands back what came. No promise, no request or response object of the platform's passes through,
//! and nothing is kept in between, so that a request that is broken off leaves nothing behind.

pub mod refresh;

use crate::access::{Caller, admitted, profile, protected, verify};
use crate::cookies::{self, AccessToken, COOKIE_HEADERS, Page};
use crate::error::Reason;
use crate::reply::Reply;
use crate::request::{Lines, RequestHead, is_passive, origin_of, path_and_query};
use crate::route::{ForCaller, Found, Route, Row, find};
use crate::serve::finished;
use base::clock::Timestamp;
use base::fault::FaultKind;
use base::ids::SessionId;
use base::ports::{Log, Random};
use base::rpc::Command as _;
use config::{App, Check};
use session::Touch;
use session::tokens::Verified;

/// Takes a request on the fast path, if it is one for it. `request` is its `Authorization`; then an empty line, or [`COOKIE_HEADERS`]
/// if it has a cookie of ours; then the lines that [`RequestHead::from_lines`] reads. Gives six lines: the session to ask, what to ask
/// it, and what [`end`] wants to hear again (the token's subject, when it expires, when the user was authenticated if it says so, when
/// the request began). If the answer is known without asking, gives an empty line and the
/// answer. [`refresh::BODY`] alone says that the request's body is wanted, by [`refresh::begin`].
pub fn begin<P: Log + Random>(ports: &P, app: &App, request: &str) -> Option<String> {
    let (shown, lines) = Credentials::read(request)?;
    // Of a request that is for somebody else, no more than this is read here; of one that is not, the rest when it is
    // answered.
    let read = Lines::new(lines);
    let Ok(Found::Route(row, _)) = find(read.method, path_and_query(read.url).0) else { return None };
    if refresh::is_refresh(row) {
        // The answer to one by cookie has headers that only the handlers' way can carry.
        return shown.cookie.is_none().then(|| refresh::BODY.to_owned());
    }
    if app.config.check != Check::Strict {
        return None;
    }
    let answer = fast(row)?;
    let now = ports.now();
    let token = match shown.access_token(app, row, &read, now) {
        Ok(token) => token,
        Err(reason) => {
            let head = RequestHead::from_lines(lines, &|| ports.request_id(), now);
            return Some(format!("\n{}", answered(ports, app, &head, row, answer, Err(reason))));
        }
    };
    let passive = read.header("x-session-passive").is_some_and(is_passive);
    let touch = Touch { generation: token.generation, passive }.to_json().ok()?;
    let (expires_at, started) = (token.expires_at.millis().to_string(), now.millis().to_string());
    let authenticated_at = token.authenticated_at.map(|at| at.millis().to_string()).unwrap_or_default();
    let id = token.session_id.as_str();
    let asked = [id, &touch, &token.subject, &expires_at, &authenticated_at, &started];
    Some(asked.join("\n"))
}

/// What a request shows to be let in: as it came.
struct Credentials<'a> {
    authorization: Option<&'a str>,
    cookie: Option<&'a str>,
    /// Behind the cookie in [`COOKIE_HEADERS`].
    page: [&'a str; COOKIE_HEADERS.len() - 1],
}

impl<'a> Credentials<'a> {
    fn read(request: &'a str) -> Option<(Self, &'a str)> {
        let (authorization, rest) = request.split_once('\n')?;
        let (cookie, mut rest) = rest.split_once('\n')?;
        let mut page = [""; COOKIE_HEADERS.len() - 1];
        if !cookie.is_empty() {
            for line in &mut page {
                (*line, rest) = rest.split_once('\n')?;
            }
        }
        let given = |value: &'a str| Some(value).filter(|value| !value.is_empty());
        Some((Self { authorization: given(authorization), cookie: given(cookie), page }, rest))
    }

    /// As [`crate::context::RequestContext::caller`] has it.
    fn access_token(&self, app: &App, row: &Row, read: &Lines, now: Timestamp) -> Result<Verified, Reason> {
        let shown = AccessToken::read(&app.keys, self.authorization, self.cookie, now)?;
        if shown.by_cookie {
            let [origin, site, forwarded, original] =
                self.page.map(|value| Some(value).filter(|value| !value.is_empty()));
            let page = Page { origin, is_own: origin.is_some() && origin == origin_of(read.url), site };
            let is_safe = match row.route {
                Route::Caller(ForCaller::Verify) => cookies::is_safe_behind([forwarded, original]),
                _ => cookies::is_safe(read.method),
            };
            if !is_safe && !page.is_ours(&app.config.origins) {
                return Err(Reason::CrossSite);
            }
        }
        Ok(app.keys.verify_access(shown.text, now)?)
    }
}

/// The answer; nothing, if the whole way has to find it: where the session's object knows nothing, KV may know why. `asked` is
/// what [`begin`] gave, the object's reply (empty if there is none; then `fault` says why), and the
/// request's lines.
pub fn end<P: Log + Random>(ports: &P, app: &App, asked: &str, fault: Option<&str>) -> Option<String> {
    let mut fields = asked.splitn(8, '\n');
    let (session_id, _touch, subject) = (fields.next()?, fields.next()?, fields.next()?);
    let mut time = || Some(fields.next()?.parse().ok().map(Timestamp::from_millis));
    let (expires_at, authenticated_at, started) = (time()??, time()?, time()??);
    let (reply, lines) = (fields.next()?, fields.next()?);
    let head = RequestHead::from_lines(lines, &|| ports.request_id(), started);
    let Ok(Found::Route(row, _)) = find(&head.method, &head.path) else { return None };
    let answer = fast(row)?;
    if let Some(fault) = fault {
        ports.fault(FaultKind::Object, &fault, Some(&head.request_id));
    }
    if reply == UNKNOWN {
        return None;
    }
    let caller = serde_json::from_str(reply).map_err(|_| Reason::Unavailable).and_then(|presence| {
        admitted(SessionId::issued(session_id), subject, expires_at, authenticated_at, presence)
    });
    Some(answered(ports, app, &head, row, answer, caller))
}

/// [`session::Presence::Unknown`], as an object says it.
const UNKNOWN: &str = "\"unknown\"";

/// What a route of the fast path answers to a caller.
type Answer = fn(&Caller, &RequestHead) -> Result<Reply, Reason>;

fn fast(row: &Row) -> Option<Answer> {
    match row.route {
        Route::Caller(ForCaller::Verify) => Some(verify),
        Route::Caller(ForCaller::Profile) => Some(|caller, _| Ok(profile(caller))),
        Route::Caller(ForCaller::Protected) => Some(|caller, _| Ok(protected(caller))),
        _ => None,
    }
}

fn answered<P: Log>(
    ports: &P,
    app: &App,
    head: &RequestHead,
    row: &Row,
    answer: Answer,
    caller: Result<Caller, Reason>,
) -> String {
    let outcome = caller.and_then(|caller| answer(&caller, head));
    finished(ports, Ok(&app.config), head, Some(row), outcome).to_lines()
}
