//! How the entries of a form are sent (HTML, "form submission algorithm").

use base::charset::Charset;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Write as _;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    #[default]
    Get,
    Post,
    /// Closes a dialog, and sends nothing.
    Dialog,
}

impl Method {
    pub fn of(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "post" => Self::Post,
            "dialog" => Self::Dialog,
            _ => Self::Get,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enctype {
    #[default]
    UrlEncoded,
    Multipart,
    Plain,
}

impl Enctype {
    pub fn of(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "multipart/form-data" => Self::Multipart,
            "text/plain" => Self::Plain,
            _ => Self::UrlEncoded,
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // For serde.
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::UrlEncoded)
    }
}

/// What a button says of the form that it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    pub action: Option<String>,
    pub method: Option<Method>,
    pub enctype: Option<Enctype>,
}

/// A form that is sent.
pub struct Submission<'f> {
    pub action: Option<&'f str>,
    pub method: Method,
    pub enctype: Enctype,
    pub charset: Charset,
    pub entries: Vec<(&'f str, &'f str)>,
}

impl Submission<'_> {
    /// As it stands in an address, or in the body of a form of the usual kind.
    pub fn url_encoded(&self) -> String {
        let encode = encoder(|text| Cow::Owned(self.charset.encode(text)));
        let mut data = form_urlencoded::Serializer::new(String::new());
        data.encoding_override(Some(&encode));
        for (name, value) in &self.entries {
            data.append_pair(&with_line_ends(name), &with_line_ends(value));
        }
        data.finish()
    }

    /// The body, before it is written in the form's encoding, and its type.
    pub fn body(&self) -> (String, String) {
        match self.enctype {
            Enctype::UrlEncoded => (self.url_encoded(), "application/x-www-form-urlencoded".to_owned()),
            Enctype::Multipart => self.multipart(),
            Enctype::Plain => {
                let mut body = String::new();
                for (name, value) in &self.entries {
                    // Writing to a String cannot fail.
                    let _ = write!(body, "{}={}\r\n", with_line_ends(name), with_line_ends(value));
                }
                (body, "text/plain".to_owned())
            }
        }
    }

    fn multipart(&self) -> (String, String) {
        let boundary = self.boundary();
        let mut body = String::new();
        for (name, value) in &self.entries {
            let name = with_line_ends(name).replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
            let value = with_line_ends(value);
            let _ = write!(
                body,
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        let _ = write!(body, "--{boundary}--\r\n");
        (body, format!("multipart/form-data; boundary={boundary}"))
    }

    /// One that stands in no value.
    fn boundary(&self) -> String {
        let mut boundary = "----form-boundary".to_owned();
        while self.entries.iter().any(|(name, value)| name.contains(&boundary) || value.contains(&boundary)) {
            boundary.push('-');
        }
        boundary
    }
}

/// Says that it is one for text of any life.
const fn encoder<F: Fn(&str) -> Cow<'_, [u8]>>(encode: F) -> F {
    encode
}

/// A line break is sent as CR LF, however it was typed.
fn with_line_ends(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(
        enctype: Enctype,
        charset: Charset,
        entries: Vec<(&'static str, &'static str)>,
    ) -> Submission<'static> {
        Submission { action: None, method: Method::Post, enctype, charset, entries }
    }

    #[test]
    fn each_kind_of_body_is_written_as_browsers_do() {
        let entries = vec![("a\"b", "x\ny"), ("c", "caf\u{e9} & z")];
        let body = |enctype, charset| submission(enctype, charset, entries.clone()).body();
        let form = "application/x-www-form-urlencoded".to_owned();
        assert_eq!(
            body(Enctype::UrlEncoded, Charset::Utf8),
            ("a%22b=x%0D%0Ay&c=caf%C3%A9+%26+z".to_owned(), form.clone())
        );
        assert_eq!(
            body(Enctype::UrlEncoded, Charset::Windows1252),
            ("a%22b=x%0D%0Ay&c=caf%E9+%26+z".to_owned(), form)
        );
        assert_eq!(
            body(Enctype::Plain, Charset::Utf8),
            ("a\"b=x\r\ny\r\nc=caf\u{e9} & z\r\n".to_owned(), "text/plain".to_owned())
        );
        let (text, kind) = body(Enctype::Multipart, Charset::Utf8);
        assert_eq!(kind, "multipart/form-data; boundary=----form-boundary");
        assert_eq!(
            text,
            "------form-boundary\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\nx\r\ny\r\n\
             ------form-boundary\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\ncaf\u{e9} & z\r\n\
             ------form-boundary--\r\n"
        );
        // The encoding is that of the bytes, and not of the text here.
        assert_eq!(body(Enctype::Multipart, Charset::Windows1252), body(Enctype::Multipart, Charset::Utf8));
        let own = submission(Enctype::Multipart, Charset::Windows1252, vec![("a", "----form-boundary")]);
        assert_eq!(own.body().1, "multipart/form-data; boundary=----form-boundary-");
    }
}
