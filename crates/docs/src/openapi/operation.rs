//! One operation: what a route takes, and everything that it can answer.

use base::call::Code;
use http::error::Reason;
use http::error_code::ErrorCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

/// Makes a schema, or a reference to it.
pub type Make = fn(&mut SchemaGenerator) -> Schema;

fn make<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

pub struct Parameter {
    pub name: &'static str,
    /// `query` or `header`.
    pub place: &'static str,
    pub about: &'static str,
    pub schema: Value,
}

pub enum Body {
    /// With whether it may be left out.
    Of {
        schema: Make,
        optional: bool,
    },
    /// Of an operation at a portal, whose fields are in its row.
    Portal(&'static portal::Operation),
    /// Of an operation of any portal.
    AnyPortal,
    AnyJson,
    /// A form, not JSON.
    Form(Make),
}

pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    /// None: it has no body.
    pub schema: Option<Make>,
    /// What its body is that is no JSON.
    pub media_type: Option<&'static str>,
}

pub struct Operation {
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub about: &'static str,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
    /// Why it can be refused, besides what its access and its body can be refused for.
    pub refusals: Vec<Reason>,
    /// A bearer may be given and need not be.
    pub bearer_is_optional: bool,
    /// Both cookies may come and need not.
    pub cookies_are_optional: bool,
    /// Refusals have no body.
    pub bare_refusals: bool,
}

impl Operation {
    pub(super) const fn new(id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            about: "",
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            bearer_is_optional: false,
            cookies_are_optional: false,
            bare_refusals: false,
        }
    }

    pub(super) const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    pub(super) fn query(self, name: &'static str, about: &'static str, schema: Value) -> Self {
        self.parameter("query", name, about, schema)
    }

    pub(super) fn header(self, name: &'static str, about: &'static str) -> Self {
        self.parameter("header", name, about, serde_json::json!({ "type": "string" }))
    }

    fn parameter(
        mut self,
        place: &'static str,
        name: &'static str,
        about: &'static str,
        schema: Value,
    ) -> Self {
        self.parameters.push(Parameter { name, place, about, schema });
        self
    }

    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body::Of { schema: make::<T>, optional: false });
        self
    }

    pub(super) fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body::Of { schema: make::<T>, optional: true });
        self
    }

    pub(super) fn takes_form<T: JsonSchema>(self) -> Self {
        self.body(Body::Form(make::<T>))
    }

    pub(super) fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn gives<T: JsonSchema>(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, schema: Some(make::<T>), media_type: None });
        self
    }

    pub(super) fn empty(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, schema: None, media_type: None });
        self
    }

    pub(super) fn text(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, schema: None, media_type: Some("text/plain") });
        self
    }

    pub(super) fn picture(mut self, status: u16, about: &'static str) -> Self {
        let media_type = Some(portal::pictures::CONTENT_TYPE);
        self.answers.push(Answer { status, about, schema: None, media_type });
        self
    }

    pub(super) fn refuses(mut self, codes: &[ErrorCode]) -> Self {
        self.refusals.extend(codes.iter().map(|code| Reason::sample(*code)));
        self
    }

    /// What an upstream can be the reason of: ours to answer for, and of `passed_on` the caller's.
    pub(super) fn upstream(mut self, passed_on: &[Code]) -> Self {
        let refusal = |code| base::call::Refusal { code, status: None, retry_after_seconds: None };
        self.refusals.extend(
            Code::ALL.iter().map(|code| Reason::Upstream { refusal: refusal(*code), passes_on: false }),
        );
        self.refusals.extend(
            passed_on.iter().map(|code| Reason::Upstream { refusal: refusal(*code), passes_on: true }),
        );
        self
    }

    /// What a portal can be the reason of.
    pub(super) fn portal(mut self) -> Self {
        self.refusals
            .extend(portal::Code::ALL.iter().map(|code| Reason::Portal(portal::Refusal::new(*code))));
        self
    }

    pub(super) const fn with_or_without_bearer(mut self) -> Self {
        self.bearer_is_optional = true;
        self
    }

    pub(super) const fn with_or_without_cookies(mut self) -> Self {
        self.cookies_are_optional = true;
        self
    }

    pub(super) const fn without_bodies(mut self) -> Self {
        self.bare_refusals = true;
        self
    }
}
