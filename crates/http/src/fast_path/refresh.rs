//! `POST /auth/refresh` on the fast path. Its body is read at once, by the entry, where it says how long it is; the session's
//! object is asked as for a check. An end that is to be told everywhere takes more than that: [`follow`] does it.

use crate::backend::Backend;
use crate::context::propagate_end;
use crate::error::Reason;
use crate::handlers::refresh::token_reply;
use crate::handlers::{body, refresh};
use crate::language::Language;
use crate::reply::Reply;
use crate::request::{HEADERS, RequestHead};
use crate::route::{Found, Open, Route, Row, find};
use crate::serve::finished;
use base::clock::Timestamp;
use base::current;
use base::fault::FaultKind;
use base::ids::SessionId;
use base::ports::Log;
use base::rpc::Command as _;
use config::App;
use session::{Ended, RotateReply};

/// What the entry hands over of such a request behind [`HEADERS`].
pub const BODY_HEADERS: [&str; 3] = ["content-length", "content-type", "cf-connecting-ip"];

/// Whether this is the request. What [`super::begin`] answers then is [`BODY`].
pub(super) fn is_refresh(row: &Row) -> bool {
    row.route == Route::Open(Open::Refresh)
}

/// The answer of [`super::begin`] that asks for the body.
pub const BODY: &str = "body";

/// Whether the body is one to read at once, by the lines of the request: it says how long it is, and that is no more than any
/// body may have. Every other one is read piece by piece, by the handler.
pub fn takes(lines: &str) -> bool {
    let length = header(lines, "content-length").and_then(|length| length.parse::<usize>().ok());
    length.is_some_and(|length| length <= body::BODY_BYTES_MAX)
}

/// As [`super::begin`], of a request whose body is read (nothing, if the client has broken off). Gives the session to ask, what
/// to ask it, and what the others want to hear again: the request's id, when it began, the language.
pub fn begin<B: Backend>(ports: &B, app: &App, lines: &str, bytes: Option<Vec<u8>>) -> Option<String> {
    let mut head = head(lines, &|| ports.request_id(), ports.now());
    let row = row(&head)?;
    let asked = bytes
        .ok_or(Reason::MalformedJson)
        .and_then(|bytes| body::checked(bytes, header(lines, "content-type")))
        .and_then(|bytes| body::fields(&bytes, &mut head.language))
        .and_then(refresh::token_of)
        .and_then(|token| refresh::asked(ports, app, &head, &token));
    let (id, rotate) = match asked {
        Ok(asked) => asked,
        Err(reason) => return Some(format!("\n{}", answered(ports, app, &head, row, Err(reason)))),
    };
    let command = rotate.to_json().ok()?;
    let (started, language) = (head.started.millis().to_string(), head.language.tag());
    Some([id.as_str(), "\n", &command, "\n", &head.request_id, "\n", &started, "\n", language].concat())
}

/// As [`super::end`]. Nothing, where an end is to be told first, or KV may know why there is no session.
pub fn end<B: Backend>(ports: &B, app: &App, asked: &str, fault: Option<&str>) -> Option<String> {
    let Asked { id, head, reply } = Asked::read(asked)?;
    let row = row(&head)?;
    if let Some(fault) = fault {
        ports.fault(FaultKind::Object, &fault, Some(&head.request_id));
    }
    let outcome = match base::json::read(reply) {
        Ok(
            RotateReply::Reused(Ended { now: true, .. })
            | RotateReply::Ended(Ended { now: true, .. })
            | RotateReply::Unknown,
        ) => return None,
        Ok(reply) => refresh::answer(ports, app, &head, &id, Some(reply)).0.map(|pair| token_reply(&pair)),
        Err(_) => Err(Reason::Unavailable),
    };
    Some(answered(ports, app, &head, row, outcome))
}

/// What [`end`] does not do.
pub async fn follow<B: Backend>(ports: B, app: &App, asked: &str) -> Option<String> {
    let Asked { id, head, reply } = Asked::read(asked)?;
    let row = row(&head)?;
    let reply = refresh::remembered(&ports, &id, base::json::read(reply).ok()).await;
    let (outcome, ended) = refresh::answer(&ports, app, &head, &id, reply);
    if let Some(ended) = ended {
        let request_id = Some(head.request_id.as_str().into());
        current::within(request_id, propagate_end(&ports, &id, &ended)).await;
    }
    Some(answered(&ports, app, &head, row, outcome.map(|pair| token_reply(&pair))))
}

/// What [`begin`] gave, the object's reply, and the lines of the request.
struct Asked<'a> {
    id: SessionId,
    head: RequestHead,
    reply: &'a str,
}

impl<'a> Asked<'a> {
    fn read(asked: &'a str) -> Option<Self> {
        let mut fields = asked.splitn(7, '\n');
        let mut next = || fields.next();
        let (id, _command, request_id, started, language) = (next()?, next()?, next()?, next()?, next()?);
        let (reply, lines) = (next()?, next()?);
        let started = Timestamp::from_millis(started.parse().ok()?);
        let head = head(lines, &|| request_id.to_owned(), started);
        let language = Language::from_tag(language).unwrap_or_default();
        let head = RequestHead { language, ..head };
        Some(Self { id: SessionId::issued(id), head, reply })
    }
}

fn row(head: &RequestHead) -> Option<&'static Row> {
    match find(&head.method, &head.path) {
        Ok(Found::Route(row, _)) if is_refresh(row) => Some(row),
        _ => None,
    }
}

fn head(lines: &str, fresh_id: &dyn Fn() -> String, started: Timestamp) -> RequestHead {
    let mut first = lines.split('\n');
    let (method, url) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    RequestHead::new(method, url, &|name| header(lines, name).map(str::to_owned), fresh_id, started)
}

fn header<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    let at = HEADERS.iter().chain(&BODY_HEADERS).position(|header| *header == name)?;
    lines.split('\n').nth(at + 2).filter(|value| !value.is_empty())
}

fn answered<P: Log>(
    ports: &P,
    app: &App,
    head: &RequestHead,
    row: &Row,
    outcome: Result<Reply, Reason>,
) -> String {
    finished(ports, Ok(&app.config), head, Some(row), outcome).to_lines()
}
