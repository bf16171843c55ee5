//! The texts of errors in each language, for whoever reviews them.

use crate::marked::{code, table};
use http::error::{FieldFault, Reason};
use http::language::{Language, detail, field_message};

const LANGUAGES: [Language; 3] = [Language::En, Language::Es, Language::Vi];

/// A row a text. An error that has several, one for each `reason`, has a row for each of these.
pub fn of_errors() -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let several = portal::End::ALL.iter().map(|end| Reason::PortalSessionEnded(*end));
    for reason in Reason::samples().into_iter().chain(several) {
        let reason = match reason {
            // What stands in the text is the caller's.
            Reason::ChannelNotFound(_) => Reason::ChannelNotFound("…".to_owned()),
            other => other,
        };
        let cause = match reason {
            Reason::PortalSessionEnded(end) => format!("{}, {}", code(reason.code()), code(end.as_str())),
            _ => code(reason.code()),
        };
        let texts = LANGUAGES.map(|language| detail(&reason, language).into_owned());
        let row: Vec<String> = std::iter::once(cause).chain(texts).collect();
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.sort();
    table(&["code", "English", "Spanish", "Vietnamese"], &rows)
}

/// What is said of a field that is wrong.
pub fn of_fields() -> String {
    let rows = FieldFault::ALL.iter();
    let rows =
        rows.map(|fault| LANGUAGES.map(|language| field_message(*fault, language).to_owned()).to_vec());
    table(&["English", "Spanish", "Vietnamese"], &rows.collect::<Vec<_>>())
}
