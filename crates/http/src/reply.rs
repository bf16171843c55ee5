//! Answers, before the platform has seen them.

use super::language::{Language, detail, field_message};
use crate::error::Reason;
use crate::request::RequestHead;
use portal;
use serde::Serialize;
use serde_json::{Map, Value, json};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
    /// A body that is no text. There is no other one then.
    pub bytes: Option<Vec<u8>>,
}

impl Reply {
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // It cannot fail: the keys of every answer are texts.
        Self { body: serde_json::to_string(body).ok(), ..Self::empty(status) }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, bytes: None }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The answer to a refusal, in the caller's language.
    pub fn refusal(reason: &Reason, head: &RequestHead) -> Self {
        Self::refusal_with(reason, head, Map::new())
    }

    /// The same on the routes of portals, where callers look for `success` and `error`; with more members.
    pub fn portal_refusal(reason: &Reason, head: &RequestHead, mut more: Map<String, Value>) -> Self {
        more.insert("success".to_owned(), false.into());
        more.insert("error".to_owned(), detail(reason, head.language).into());
        Self::refusal_with(reason, head, more)
    }

    /// The same on OAuth 2.0's own routes, with the `error` that its clients look for (RFC 6749 §5.2).
    pub fn oauth_refusal(reason: &Reason, head: &RequestHead) -> Self {
        let status = reason.status();
        let error = match status {
            401 => "invalid_client",
            403 => "unauthorized_client",
            503 => "temporarily_unavailable",
            400..=499 => "invalid_request",
            _ => "server_error",
        };
        let more = Map::from_iter([("error".to_owned(), error.into())]);
        Self::refusal_with(reason, head, more).challenged_as_client(head)
    }

    /// The same of `/oauth/token`, by its own rules (RFC 6749 §5.2): the status too, and a text for developers.
    pub fn token_refusal(reason: &Reason, head: &RequestHead) -> Self {
        let (status, error) = reason.as_token_error();
        let more = [("error", error.to_owned()), ("error_description", description(reason))];
        let more = more.map(|(name, text)| (name.to_owned(), text.into()));
        let mut reply = Self::refusal_with(reason, head, Map::from_iter(more));
        reply.status = status;
        if status != 401 {
            reply.headers.retain(|(name, _)| *name != "www-authenticate");
        }
        reply.challenged_as_client(head)
    }

    /// A client that has tried HTTP Basic is told so.
    fn challenged_as_client(self, head: &RequestHead) -> Self {
        let mut reply = self;
        let scheme = head.authorization.as_deref().and_then(|header| header.split(' ').next());
        if reply.status == 401 && scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")) {
            reply.headers.retain(|(name, _)| *name != "www-authenticate");
            reply = reply.with("www-authenticate", "Basic realm=\"sallyport\"");
        }
        reply
    }

    fn refusal_with(reason: &Reason, head: &RequestHead, more: Map<String, Value>) -> Self {
        let mut body = json!({ "detail": detail(reason, head.language), "code": reason.code() });
        if let Some(map) = body.as_object_mut() {
            map.extend(more);
            if let Some(end) = reason.end_reason() {
                map.insert("reason".to_owned(), end.as_str().into());
            }
            if let Reason::PortalSessionEnded(end) = reason {
                map.insert("reason".to_owned(), end.as_str().into());
            }
            if let Reason::Portal(portal::Refusal { message: Some(message), .. }) = reason {
                map.insert("message".to_owned(), message.as_str().into());
            }
            if let Reason::Portal(portal::Refusal { live_view_url: Some(url), .. }) = reason {
                map.insert("live_view_url".to_owned(), url.expose().into());
            }
            if let Reason::Portal(portal::Refusal { place: Some(place), .. }) = reason {
                map.insert("step".to_owned(), place.step.as_str().into());
                map.insert("looked_for".to_owned(), place.looked_for.as_str().into());
                map.insert("address".to_owned(), place.address.as_deref().into());
                map.insert("title".to_owned(), place.title.as_deref().into());
            }
            if let Reason::InvalidFields(faults) | Reason::MissingFields(faults) = reason {
                let errors = faults
                    .iter()
                    .map(|f| json!({ "field": &*f.field, "message": field_message(f.fault, head.language) }));
                map.insert("errors".to_owned(), errors.collect());
            }
        }
        let mut reply = Self::json(reason.status(), &body);
        if let Some(challenge) = reason.challenge() {
            reply = reply.with("www-authenticate", challenge);
        }
        if let Some(seconds) = reason.retry_after_seconds() {
            reply = reply.with("retry-after", seconds.to_string());
        }
        if let Reason::MethodNotAllowed(allow) = reason {
            reply = reply.with("allow", allow.allow());
        }
        reply
    }

    /// What every answer carries. Nothing that we say may be kept by a cache, unless it says so itself, or read as anything but
    /// what it is.
    #[must_use]
    pub fn finished(mut self, head: &RequestHead) -> Self {
        if self.body.is_some() && self.header("content-type").is_none() {
            self.headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
        }
        if self.header("cache-control").is_none() {
            self.headers.push(("cache-control", "no-store".to_owned()));
        }
        self.headers.push(("x-content-type-options", "nosniff".to_owned()));
        self.headers.push(("x-request-id", head.request_id.clone()));
        if head.method == "HEAD" {
            self.body = None;
            self.bytes = None;
        }
        self
    }

    /// The answer as the entry wants it: status, headers, an empty line, the body.
    pub fn to_lines(&self) -> String {
        let mut text = self.status.to_string();
        for (name, value) in &self.headers {
            text.push('\n');
            text.push_str(name);
            text.push(':');
            text.push_str(value);
        }
        text.push_str("\n\n");
        text.push_str(self.body.as_deref().unwrap_or_default());
        text
    }
}

/// In English, of the characters that RFC 6749 §5.2 has; with the names of wrong fields.
fn description(reason: &Reason) -> String {
    let mut text = detail(reason, Language::En).into_owned();
    if let Reason::InvalidFields(faults) = reason {
        let names: Vec<&str> = faults.iter().map(|fault| &*fault.field).collect();
        text = [&text, ": ", &names.join(", ")].concat();
    }
    text.retain(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldFault;
    use base::clock::Timestamp;
    use session::EndReason;

    fn head(lines: &str) -> RequestHead {
        RequestHead::from_lines(lines, &|| "id".to_owned(), Timestamp::default())
    }

    #[test]
    fn a_refusal_says_what_and_why() {
        let reply = Reply::refusal(&Reason::AccessTokenRevoked(EndReason::Evicted), &head("GET\nhttp://h/"));
        assert_eq!(reply.status, 401);
        assert_eq!(
            reply.body.unwrap(),
            r#"{"code":"access_token_blacklisted","detail":"Access token has been revoked","reason":"evicted"}"#
        );
        assert_eq!(
            reply.headers,
            [("www-authenticate", r#"Bearer realm="sallyport", error="invalid_token""#.to_owned())]
        );
    }

    #[test]
    fn wrong_fields_are_named_in_the_language() {
        let head = head("GET\nhttp://h/\n\n\nes");
        let reply = Reply::refusal(&Reason::field("username", FieldFault::Required), &head);
        assert_eq!(
            reply.body.unwrap(),
            r#"{"code":"validation_error","detail":"Algunos campos no son válidos","errors":[{"field":"username","message":"Obligatorio"}]}"#
        );
    }

    #[test]
    fn lines_hold_everything() {
        let reply = Reply::json(200, &json!({"a": 1})).with("x-a", "b");
        assert_eq!(reply.to_lines(), "200\nx-a:b\n\n{\"a\":1}");
        assert_eq!(Reply::empty(401).to_lines(), "401\n\n");
        let head = Reply::json(200, &json!({})).finished(&head("HEAD\nhttp://h/"));
        assert_eq!(head.body, None);
        assert!(head.headers.iter().any(|(name, _)| *name == "content-type"));
    }
}
