//! `Refresh`, as a header or as `<meta http-equiv>` (HTML, "shared declarative refresh steps").

use std::time::Duration;
use url::Url;

/// How long to wait, and where to go then: nowhere else, if that is empty.
pub fn read(text: &str) -> Option<(Duration, String)> {
    let text = text.trim_start();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (time, rest) = text.split_at(digits);
    if time.is_empty() && !rest.starts_with('.') {
        return None;
    }
    let seconds = if time.is_empty() { 0 } else { time.parse().ok()? };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.chars().next().is_some_and(|c| !matches!(c, ';' | ',') && !c.is_ascii_whitespace()) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
    Some((Duration::from_secs(seconds), target(rest).to_owned()))
}

/// What stands behind `url=`, which may be left out, in quotation marks or not.
fn target(text: &str) -> &str {
    let named = text.get(..3).filter(|name| name.eq_ignore_ascii_case("url")).and_then(|_| text.get(3..));
    let value = named.and_then(|rest| rest.trim_start().strip_prefix('=')).map_or(text, str::trim_start);
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            value.get(1..).and_then(|rest| rest.split(quote).next()).unwrap_or_default()
        }
        _ => value.trim_end(),
    }
}

/// The same, to where it leads from this base.
pub fn rebased(text: &str, base: &Url) -> String {
    match read(text).and_then(|(wait, to)| Some((wait, base.join(&to).ok().filter(|_| !to.is_empty())?))) {
        Some((wait, to)) => format!("{};url={to}", wait.as_secs()),
        None => text.to_owned(),
    }
}

/// Where a script leads to, if it does nothing but say so: `location = "…"`, `location.href = "…"`, `location.replace("…")`.
pub fn by_script(text: &str) -> Option<String> {
    text.match_indices("location").find_map(|(at, name)| {
        let rest = text.get(at + name.len()..)?.trim_start();
        let rest = rest.strip_prefix(".href").unwrap_or(rest).trim_start();
        let assigned = rest.strip_prefix('=').or_else(|| {
            let call = rest.strip_prefix(".replace").or_else(|| rest.strip_prefix(".assign"))?;
            call.trim_start().strip_prefix('(')
        })?;
        literal(assigned.trim_start())
    })
}

/// A string that JavaScript and JSON write alike.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = text.get(1..)?;
    let mut escaped = false;
    let end = inner.find(|c: char| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    base::json::read(&format!("\"{}\"", inner.get(..end)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_take_for_one() {
        for (text, expected) in [
            ("0; url=/a", Some((0, "/a"))),
            ("5", Some((5, ""))),
            (" 3 ;URL = '/a b' x", Some((3, "/a b"))),
            ("1,url=\"/a\"", Some((1, "/a"))),
            ("2.5; /a ", Some((2, "/a"))),
            (".5;url=a", Some((0, "a"))),
            ("0 url=/a", Some((0, "/a"))),
            ("0;urls", Some((0, "urls"))),
            ("0;é", Some((0, "é"))),
            ("x; url=/a", None),
            ("0x; url=/a", None),
            ("", None),
            ("99999999999999999999; url=/a", None),
        ] {
            let read = read(text);
            let expected = expected.map(|(wait, to)| (Duration::from_secs(wait), to.to_owned()));
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn where_a_script_leads_to() {
        for (text, expected) in [
            ("window.location.href = \"/a?b=1\\u0026c=2\";", Some("/a?b=1&c=2")),
            ("location='\\/a'", Some("/a")),
            ("document.location.replace( \"https://x.example/\" )", Some("https://x.example/")),
            ("if (location.pathname) location.assign('/b')", Some("/b")),
            ("if (location == '/a') {}", None),
            ("location.href = next", None),
            ("location = '/a", None),
            ("location = '/\"'", None),
            ("", None),
        ] {
            assert_eq!(by_script(text).as_deref(), expected, "{text}");
        }
    }
}
