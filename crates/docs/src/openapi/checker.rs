//! Holds requests and answers to the document.

use super::document;
use http::route::{self, Found, Methods};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// What a client has sent and got.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub method: &'a str,
    /// With or without a query.
    pub path: &'a str,
    /// The request's body, where it has one that is JSON.
    pub given: Option<&'a [u8]>,
    pub status: u16,
    pub body: Option<&'a str>,
}

/// The document, and the schemas of it that were held to something, by their places.
struct Checker {
    document: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

fn checker() -> &'static Checker {
    static CHECKER: OnceLock<Checker> = OnceLock::new();
    CHECKER.get_or_init(|| Checker { document: document(""), compiled: Mutex::default() })
}

/// What of an exchange is not as the document says.
pub fn check(exchange: Exchange<'_>) -> Result<(), String> {
    checker().check(exchange)
}

/// Whether a value is as a schema of the document says.
pub fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    validator(schema, &checker().document).and_then(|validator| valid(&validator, value))
}

impl Checker {
    fn check(&self, exchange: Exchange<'_>) -> Result<(), String> {
        let Exchange { method, path, given, status, body } = exchange;
        let path = path.split('?').next().unwrap_or_default();
        let is_bare = method == "HEAD" || body.is_none_or(str::is_empty);
        let Ok(Found::Route(row, _)) = route::find(method, path) else {
            // `OPTIONS`, a path or a method that is not served, or settings that are wrong.
            return match (status, is_bare) {
                (204, true) | (404 | 405 | 500 | 503, _) => Ok(()),
                _ => Err(format!("{method} {path}: {status} of what is not served")),
            };
        };
        let method = if method == "HEAD" && row.methods != Methods::ALL { "GET" } else { method };
        let operation = format!("/paths/{}/{}", escaped(row.pattern), method.to_lowercase());
        let Some(known) = self.document.pointer(&operation) else {
            return Err(format!("{method} {}: not in the document", row.pattern));
        };
        let Some(response) = known.pointer(&format!("/responses/{status}")) else {
            return Err(format!(
                "{}: {status} {} is not in the document",
                row.name,
                body.unwrap_or_default()
            ));
        };
        let schema = response.pointer("/content/application~1json/schema");
        // While a setting is wrong every route says so, also one whose answers have no body.
        let any = json!({ "$ref": "#/components/schemas/Error" });
        let is_of_settings = || body.is_some_and(|body| body.contains(r#""code":"configuration_error""#));
        match schema.or_else(|| is_of_settings().then_some(&any)) {
            None if is_bare => {}
            None if response.pointer("/content/text~1plain").is_some() => {}
            None => return Err(format!("{}: {status} has a body", row.name)),
            Some(_) if is_bare && method == "GET" && exchange.method == "HEAD" => {}
            Some(schema) => {
                let value: Value = serde_json::from_str(body.unwrap_or_default())
                    .map_err(|error| format!("{}: {status}: {error}", row.name))?;
                let key = format!("{operation}/{status}");
                self.hold(key, schema, &value)
                    .map_err(|error| format!("{}: {status}: {error}: {value}", row.name))?;
            }
        }
        // What is taken has to be what the document says is taken.
        let taken = known.pointer("/requestBody/content/application~1json/schema");
        if let (Some(schema), Some(given), 200..=299) =
            (taken, given.filter(|given| !given.is_empty()), status)
        {
            let given = given.strip_prefix(b"\xef\xbb\xbf").unwrap_or(given);
            let value: Value =
                serde_json::from_slice(given).map_err(|error| format!("{}: a body: {error}", row.name))?;
            self.hold(operation, schema, &value).map_err(|error| format!("{}: a body: {error}", row.name))?;
        }
        Ok(())
    }

    fn hold(&self, key: String, schema: &Value, value: &Value) -> Result<(), String> {
        let mut compiled = self.compiled.lock().map_err(|error| error.to_string())?;
        let known = compiled.get(&key).cloned();
        let validator = if let Some(validator) = known {
            validator
        } else {
            let validator = Arc::new(validator(schema, &self.document)?);
            compiled.insert(key, Arc::clone(&validator));
            validator
        };
        drop(compiled);
        valid(&validator, value)
    }
}

/// A part of a JSON pointer (RFC 6901 §3).
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

fn validator(schema: &Value, document: &Value) -> Result<Validator, String> {
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document.get("components"),
        "allOf": [schema],
    });
    jsonschema::options().build(&root).map_err(|error| error.to_string())
}

fn valid(validator: &Validator, value: &Value) -> Result<(), String> {
    validator.validate(value).map_err(|error| format!("{error} at {}", error.instance_path()))
}
