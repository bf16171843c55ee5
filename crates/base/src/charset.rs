//! The encodings of pages (WHATWG Encoding): UTF-8, and windows-1252, which stands for all of Latin-1. Others are known by
//! nobody here, and said to be so.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Charset {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

const UTF8: [&str; 6] =
    ["unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "utf-8", "utf8", "x-unicode20utf8"];
const WINDOWS_1252: [&str; 17] = [
    "ansi_x3.4-1968",
    "ascii",
    "cp1252",
    "cp819",
    "csisolatin1",
    "ibm819",
    "iso-8859-1",
    "iso-ir-100",
    "iso8859-1",
    "iso88591",
    "iso_8859-1",
    "iso_8859-1:1987",
    "l1",
    "latin1",
    "us-ascii",
    "windows-1252",
    "x-cp1252",
];
/// What bytes from 0x80 to 0x9F stand for in windows-1252. All others are the character of that number.
const HIGH: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];
/// So much of a page is looked at for a `<meta>` that says its encoding (HTML, "prescan a byte stream").
const PRESCAN_BYTES: usize = 1024;

impl Charset {
    pub fn of_label(label: &str) -> Option<Self> {
        let label = label.trim_matches(|c: char| c.is_ascii_whitespace()).to_ascii_lowercase();
        if UTF8.contains(&label.as_str()) {
            Some(Self::Utf8)
        } else {
            WINDOWS_1252.contains(&label.as_str()).then_some(Self::Windows1252)
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Windows1252 => "windows-1252",
        }
    }

    pub const fn is_utf8(&self) -> bool {
        matches!(self, Self::Utf8)
    }

    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Windows1252 => bytes.iter().map(|byte| of_byte(*byte)).collect(),
        }
    }

    /// As the value of a form is sent: what the encoding does not have is a numeric reference.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Windows1252 => {
                let mut bytes = Vec::with_capacity(text.len());
                for c in text.chars() {
                    match byte_of(c) {
                        Some(byte) => bytes.push(byte),
                        None => bytes.extend_from_slice(format!("&#{};", u32::from(c)).as_bytes()),
                    }
                }
                bytes
            }
        }
    }
}

fn of_byte(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

fn byte_of(c: char) -> Option<u8> {
    if let Some(at) = HIGH.iter().position(|high| *high == c) {
        return u8::try_from(at + 0x80).ok();
    }
    u8::try_from(u32::from(c)).ok().filter(|byte| of_byte(*byte) == c)
}

/// The text of a page and its encoding: by its byte order mark, its `Content-Type`, its `<meta>`, else windows-1252. An error
/// is the label of an encoding that is not known here.
pub fn read(bytes: &[u8], content_type: Option<&str>) -> Result<(String, Charset), String> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Ok((Charset::Utf8.decode(rest), Charset::Utf8));
    }
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") {
        return Err("utf-16".to_owned());
    }
    let charset = match content_type.and_then(charset_of) {
        Some(label) => Charset::of_label(&label).ok_or(label)?,
        None => match prescan(bytes.get(..PRESCAN_BYTES).unwrap_or(bytes)) {
            // It could not have been read if it were that.
            Some(label) if label.to_ascii_lowercase().starts_with("utf-16") => Charset::Utf8,
            Some(label) => Charset::of_label(&label).ok_or(label)?,
            None => Charset::Windows1252,
        },
    };
    Ok((charset.decode(bytes), charset))
}

/// What stands behind `charset=`, in quotation marks or not.
fn charset_of(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower.get(from..)?.find("charset")? + "charset".len();
        from = at;
        let rest = text.get(at..)?.trim_start();
        let Some(rest) = rest.strip_prefix('=') else { continue };
        let rest = rest.trim_start();
        let label = match rest.chars().next()? {
            quote @ ('"' | '\'') => rest.get(1..)?.split(quote).next()?,
            _ => rest.split(|c: char| c == ';' || c.is_ascii_whitespace()).next()?,
        };
        return Some(label.to_owned()).filter(|label| !label.is_empty());
    }
}

/// The encoding that a page's first `<meta>` of one says, without reading it as HTML: that would take an encoding.
fn prescan(bytes: &[u8]) -> Option<String> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let mut rest = text.as_str();
    loop {
        let at = rest.find('<')?;
        rest = rest.get(at..)?;
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.get(comment.find("-->")? + 3..)?;
            continue;
        }
        let end = rest.find('>').unwrap_or(rest.len());
        let tag = rest.get(1..end)?;
        let is_meta = tag.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("meta"))
            && tag.get(4..5).is_some_and(|c| c == "/" || c.trim().is_empty());
        if is_meta && let Some(label) = charset_of(tag.get(4..)?) {
            return Some(label.trim_end_matches(['/', '"', '\'']).to_owned());
        }
        rest = rest.get(1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_then_the_page_then_windows_1252() {
        let cafe = b"caf\xe9 \x80";
        for (bytes, content_type, expected) in [
            (cafe.to_vec(), Some("text/html; charset=ISO-8859-1"), Ok(("café €", Charset::Windows1252))),
            (cafe.to_vec(), Some("text/html"), Ok(("café €", Charset::Windows1252))),
            (cafe.to_vec(), None, Ok(("café €", Charset::Windows1252))),
            ("café".into(), Some(r#"text/html; Charset = "utf8""#), Ok(("café", Charset::Utf8))),
            ("<meta charset=utf-8>é".into(), None, Ok(("<meta charset=utf-8>é", Charset::Utf8))),
            ("<META CharSet='UTF-8' />é".into(), None, Ok(("<META CharSet='UTF-8' />é", Charset::Utf8))),
            (
                "<meta http-equiv=content-type content='text/html; charset=utf-8'>é".into(),
                None,
                Ok(("<meta http-equiv=content-type content='text/html; charset=utf-8'>é", Charset::Utf8)),
            ),
            (
                "<!-- <meta charset=latin1> --><meta charset=utf-16>é".into(),
                None,
                Ok(("<!-- <meta charset=latin1> --><meta charset=utf-16>é", Charset::Utf8)),
            ),
            // The header comes before the page, and a byte order mark before both.
            (
                "<meta charset=latin1>é".into(),
                Some("a/b;charset=utf-8"),
                Ok(("<meta charset=latin1>é", Charset::Utf8)),
            ),
            ("\u{feff}é".into(), Some("text/html; charset=latin1"), Ok(("é", Charset::Utf8))),
            (b"x".to_vec(), Some("text/html; charset=shift_jis"), Err("shift_jis")),
            (b"<meta charset=koi8-r>".to_vec(), None, Err("koi8-r")),
            (b"\xff\xfex\0".to_vec(), Some("text/html; charset=utf-8"), Err("utf-16")),
            (
                b"<metacharset=utf-8><meta name=charset>\xe9".to_vec(),
                None,
                Ok(("<metacharset=utf-8><meta name=charset>é", Charset::Windows1252)),
            ),
        ] {
            let read = read(&bytes, content_type);
            let expected = expected.map(|(text, charset)| (text.to_owned(), charset)).map_err(str::to_owned);
            assert_eq!(read, expected, "{content_type:?}");
        }
        let far = format!("{}<meta charset=utf-8>é", " ".repeat(PRESCAN_BYTES));
        assert_eq!(read(far.as_bytes(), None).unwrap().1, Charset::Windows1252);
    }

    #[test]
    fn each_byte_comes_back_and_what_there_is_none_for_is_a_reference() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(Charset::Windows1252.encode(&Charset::Windows1252.decode(&all)), all);
        assert_eq!(Charset::Windows1252.encode("usér €ł😀"), b"us\xe9r \x80&#322;&#128512;");
        assert_eq!(Charset::Utf8.encode("é"), "é".as_bytes());
        for name in [Charset::Utf8, Charset::Windows1252] {
            assert_eq!(Charset::of_label(name.name()), Some(name));
        }
    }
}
