//! The tables of words, from the enums that have them.

use crate::error_texts;
use crate::marked::{code, table};
use base::audit::Action;
use base::call::Code;
use base::event::EventType;
use base::fault::FaultKind;
use http::error::Reason;
use http::error_code::ErrorCode;
use keeper::alert::Kind;

/// What separates an action's text from how it can come out.
const OUTCOME: &str = " Outcome: ";

/// The page, the name of the marks, and the table.
pub fn all() -> Vec<(&'static str, &'static str, String)> {
    vec![
        ("docs/errors.md", "codes", errors()),
        ("docs/error-texts.md", "texts", error_texts::of_errors()),
        ("docs/error-texts.md", "fields", error_texts::of_fields()),
        ("docs/logs.md", "actions", actions()),
        ("docs/logs.md", "faults", faults()),
        ("docs/keeper.md", "alerts", alerts()),
        ("docs/events.md", "types", events()),
    ]
}

/// Every code, with what the docs say of it. Two parts may have the same one.
pub fn codes() -> Vec<(&'static str, String)> {
    let own = ErrorCode::ALL.iter().map(|code| (code.as_str(), code.about()));
    let upstream = Code::ALL.iter().map(|code| (code.as_str(), code.about()));
    let portal = portal::Code::ALL.iter().map(|code| (code.as_str(), code.about()));
    let mut codes: Vec<(&str, String)> = Vec::new();
    for (code, about) in own.chain(upstream).chain(portal) {
        match codes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, text)) => *text = format!("{text}; or {about}"),
            None => codes.push((code, about.to_owned())),
        }
    }
    codes
}

fn errors() -> String {
    let samples = Reason::samples();
    let rows = codes().into_iter().map(|(word, about)| {
        let of: Vec<&Reason> = samples.iter().filter(|reason| reason.code() == word).collect();
        let mut statuses: Vec<u16> = of.iter().map(|reason| reason.status()).collect();
        // The second of an upstream's is the one by exception.
        statuses.dedup();
        let shown = statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        (statuses.first().copied(), vec![code(word), shown, about, headers(&of)])
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(status, _)| *status);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    table(&["code", "status", "when", "headers"], &rows)
}

/// What an answer has besides the headers that all have.
fn headers(of: &[&Reason]) -> String {
    let mut headers = Vec::new();
    let challenge = of.iter().find_map(|reason| Some((reason.status(), reason.challenge()?)));
    if let Some((status, challenge)) = challenge {
        let on = if of.iter().all(|reason| reason.challenge().is_some()) {
            String::new()
        } else {
            format!("on {status} ")
        };
        let error = match challenge.split_once("error=") {
            Some((_, error)) => format!(", `error={error}`"),
            None => ", without `error`".to_owned(),
        };
        headers.push(format!("{on}`WWW-Authenticate`{error}"));
    }
    if let [Reason::MethodNotAllowed(_), ..] = of {
        headers.push("`Allow`".to_owned());
    }
    let waits = |reason: &&&Reason| reason.retry_after_seconds().is_some();
    if of.iter().any(|reason| waits(&reason)) {
        headers.push("`Retry-After`".to_owned());
    } else if let [Reason::Upstream { .. } | Reason::Portal(_), ..] = of {
        headers.push("`Retry-After` if the wait is known".to_owned());
    }
    if headers.is_empty() { "–".to_owned() } else { headers.join("; ") }
}

fn actions() -> String {
    let rows = Action::ALL.iter().map(|action| {
        let (when, outcome) = action.about().split_once(OUTCOME).unwrap_or((action.about(), ""));
        vec![code(action.as_str()), when.to_owned(), outcome.to_owned()]
    });
    table(&["action", "written when", "outcome"], &rows.collect::<Vec<_>>())
}

fn faults() -> String {
    let rows = FaultKind::ALL.iter().map(|kind| vec![code(kind.as_str()), kind.about().to_owned()]);
    table(&["what", "it means"], &rows.collect::<Vec<_>>())
}

fn alerts() -> String {
    let rows = Kind::ALL.iter().map(|kind| {
        let name = format!("token.{}", kind.as_str());
        vec![code(&name), kind.about().to_owned()]
    });
    table(&["`type`", "when"], &rows.collect::<Vec<_>>())
}

fn events() -> String {
    let rows = EventType::ALL.iter().map(|event| vec![code(event.as_str()), event.about().to_owned()]);
    table(&["`type`", "when"], &rows.collect::<Vec<_>>())
}
