//! Reading a body, JSON or a form, and never more than the limit into memory.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::json::Fields;
use crate::language::Language;
use crate::request::Incoming;

/// Largest body, in bytes, of any route but one that says otherwise.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The bytes of a JSON body; none if there is no body.
pub async fn bytes(request: &mut impl Incoming) -> Result<Vec<u8>, Reason> {
    bytes_within(request, BODY_BYTES_MAX).await
}

async fn bytes_within(request: &mut impl Incoming, max: usize) -> Result<Vec<u8>, Reason> {
    let content_type = request.header("content-type");
    checked(whole(request, max).await?, content_type.as_deref())
}

/// The fields of a form (`application/x-www-form-urlencoded`), in their order.
pub async fn form(request: &mut impl Incoming) -> Result<Vec<(String, String)>, Reason> {
    let content_type = request.header("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Reason::InvalidRequest);
    }
    let bytes = whole(request, BODY_BYTES_MAX).await?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

async fn whole(request: &mut impl Incoming, max: usize) -> Result<Vec<u8>, Reason> {
    let length = request.header("content-length").and_then(|v| v.parse::<usize>().ok());
    if length.is_some_and(|n| n > max) {
        return Err(Reason::BodyTooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = request.chunk().await {
        let chunk = chunk.map_err(|_| Reason::MalformedJson)?;
        if bytes.len() + chunk.len() > max {
            return Err(Reason::BodyTooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A whole body of at most [`BODY_BYTES_MAX`], if it says that it is JSON.
pub fn checked(mut bytes: Vec<u8>, content_type: Option<&str>) -> Result<Vec<u8>, Reason> {
    // RFC 8259 §8.1: it may be ignored.
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if !bytes.is_empty() && !content_type.is_some_and(json_type) {
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

/// The fields of a body. Its `language` is the one that answers are in from here on.
pub fn fields(bytes: &[u8], language: &mut Language) -> Result<Fields, Reason> {
    let mut fields = Fields::parse(bytes)?;
    if let Some(tag) = fields.optional_text("language", 35)
        && let Some(named) = Language::from_tag(&tag)
    {
        *language = named;
    }
    Ok(fields)
}

impl<B: Backend> RequestContext<B> {
    pub async fn fields(&mut self) -> Result<Fields, Reason> {
        self.fields_within(BODY_BYTES_MAX).await
    }

    /// Of a body that may be so large.
    pub async fn fields_within(&mut self, max: usize) -> Result<Fields, Reason> {
        fields(&bytes_within(&mut self.request, max).await?, &mut self.head.language)
    }
}
