//! Reading a body: JSON only, and never more than the limit into memory.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::json::Fields;
use crate::language::Language;
use crate::request::Incoming;

/// Largest body of any route, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The bytes of a JSON body; none if there is no body.
pub async fn bytes(request: &mut impl Incoming) -> Result<Vec<u8>, Reason> {
    let length = request.header("content-length").and_then(|v| v.parse::<usize>().ok());
    if length.is_some_and(|n| n > BODY_BYTES_MAX) {
        return Err(Reason::BodyTooLarge);
    }
    let is_json = request.header("content-type").is_some_and(|v| json_type(&v));
    let mut bytes = Vec::new();
    while let Some(chunk) = request.chunk().await {
        let chunk = chunk.map_err(|_| Reason::MalformedJson)?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Reason::BodyTooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    // RFC 8259 §8.1: it may be ignored.
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if !bytes.is_empty() && !is_json {
        return Err(Reason::NotJson);
    }
    Ok(bytes)
}

/// `application/json`, in UTF-8 if it names a character set (RFC 8259 §8.1).
fn json_type(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim_matches('"');
            // Its other name in the Encoding Standard is what many write.
            let is_utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
            is_utf8 || !name.eq_ignore_ascii_case("charset")
        })
}

impl<B: Backend> RequestContext<B> {
    /// The fields of a body. Its `language` is the one that answers are in from here on.
    pub async fn fields(&mut self) -> Result<Fields, Reason> {
        let mut fields = Fields::parse(&bytes(&mut self.request).await?)?;
        if let Some(tag) = fields.optional_text("language", 35)
            && let Some(language) = Language::from_tag(&tag)
        {
            self.head.language = language;
        }
        Ok(fields)
    }
}
