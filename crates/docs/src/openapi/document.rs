//! The document, row by row.

use super::errors::{Error, OAuthError, PortalError};
use super::operation::{Answer, Body, Operation};
use super::{bodies, constant, example, routes};
use directory::service_key::Scope;
use http::error::Reason;
use http::error_code::ErrorCode as E;
use http::route::{Access, ForCaller, Methods, Open, ROUTES, Route, Row};
use portal::operation::FieldKind;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Whatever is asked, it can be this.
const ALWAYS: &[E] = &[E::Internal, E::Unavailable, E::Misconfigured];
const OF_A_BODY: &[E] = &[E::MalformedJson, E::BodyTooLarge, E::NotJson];
const OF_A_KEY: &[E] = &[E::InvalidRequest, E::NotAuthenticated, E::ServiceKeyInvalid, E::Forbidden];

/// The schemas that are referred to: what is taken and what is given differ in which members are required.
struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings =
            || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        let given = settings().with(|s| s.contract = schemars::generate::Contract::Serialize);
        Self { taken: settings().into_generator(), given: given.into_generator() }
    }

    fn all(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        all.extend(self.given.take_definitions(true));
        all
    }
}

/// The whole of it.
pub fn document(version: &str) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for row in ROUTES {
        let operation = routes::of(row);
        let described = described(row, &operation, &mut schemas);
        let path = paths.entry(row.pattern).or_insert_with(|| path_item(row));
        if let Some(path) = path.as_object_mut() {
            for method in methods(row.methods) {
                path.insert(method.to_owned(), one_of_many(&described, row, method));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": constant::info(version),
        "servers": [
            { "url": "https://auth.example.com", "description": "A deployment." },
            { "url": "http://127.0.0.1:8787", "description": "A local one, by `npm start`." },
        ],
        "tags": constant::tags(),
        "paths": paths,
        "components": {
            "schemas": schemas.all(),
            "parameters": constant::common_parameters(),
            "headers": constant::headers(),
            "securitySchemes": constant::security_schemes(),
        },
    })
}

/// In small letters, without HEAD where it comes with GET.
fn methods(methods: Methods) -> Vec<&'static str> {
    let all = ["get", "head", "post", "put", "patch", "delete", "options"];
    let served = all.into_iter().filter(|name| methods.intersects(Methods::named(&name.to_uppercase())));
    served.filter(|name| *name != "head" || methods == Methods::ALL).collect()
}

/// The parameters of a path.
fn path_item(row: &Row) -> Value {
    let names = row.pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = names.map(|name| {
        let about = match name {
            "username" => "In any spelling of it.",
            "subject" => "Such as `VPB-SME-1234567890`.",
            "provider" => "`facturify`, `upstox` or `oauth2`.",
            "account_id" => "As the settings call it; of `facturify` it is `default`.",
            "secret" => "`UPSTOX_NOTIFIER_SECRET`.",
            "portal" if row.pattern.starts_with("/portals/") => "`emodal`, or a name in `PORTALS`.",
            "operation" => "As the portal's document names it.",
            "portal" | "login" => "As the log names the login: `emodal/…`.",
            _ => "As a list or an answer has it.",
        };
        json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } })
    });
    let parameters: Vec<Value> = parameters.collect();
    if parameters.is_empty() { json!({}) } else { json!({ "parameters": parameters }) }
}

/// The operation ids of a route that takes every method have to differ.
fn one_of_many(described: &Value, row: &Row, method: &str) -> Value {
    let mut described = described.clone();
    if row.methods == Methods::ALL
        && method != "get"
        && let Some(Value::String(id)) = described.get_mut("operationId")
    {
        id.push('-');
        id.push_str(method);
    }
    described
}

fn described(row: &Row, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut out = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": security(row, operation),
        "responses": responses(row, operation, schemas),
    });
    let Some(map) = out.as_object_mut() else { return out };
    if !operation.about.is_empty() {
        map.insert("description".to_owned(), operation.about.into());
    }
    let parameters = operation
        .parameters
        .iter()
        .map(|p| json!({ "name": p.name, "in": p.place, "description": p.about, "schema": p.schema }));
    let parameters: Vec<Value> = parameters.collect();
    if !parameters.is_empty() {
        map.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = &operation.body {
        map.insert("requestBody".to_owned(), request_body(body, schemas));
    }
    out
}

fn security(row: &Row, operation: &Operation) -> Value {
    match row.access {
        Access::Anybody | Access::Bearer if operation.bearer_is_optional => {
            let mut ways = vec![json!({}), json!({ "bearer": [] })];
            if row.route != Route::Open(Open::InitSession) {
                ways.push(json!({ "cookieAuth": [] }));
            }
            ways.into()
        }
        Access::Anybody if operation.cookies_are_optional => {
            json!([{}, { "cookieAuth": [], "refreshCookie": [] }])
        }
        Access::Anybody if row.is_token_endpoint() => {
            let keys = ["serviceKeyBasic", "serviceKeyBearer", "serviceKeyXApiKey", "serviceKeyApikey"];
            let ways = keys.map(|key| json!({ key: [Scope::Exchange.as_str()] }));
            [json!({})].into_iter().chain(ways).collect()
        }
        Access::Anybody | Access::SecretPath => json!([]),
        Access::Bearer | Access::Admin => json!([{ "bearer": [] }, { "cookieAuth": [] }]),
        Access::AdminOrBootstrapKey => json!([{ "bearer": [] }, { "cookieAuth": [] }, { "bootstrap": [] }]),
        Access::ResetKey => json!([{ "adminReset": [] }]),
        Access::Service(scope) | Access::ServiceOrAdmin(scope) => {
            let scope = [scope.as_str()];
            let mut ways = vec![
                json!({ "serviceKeyBearer": scope }),
                json!({ "serviceKeyXApiKey": scope }),
                json!({ "serviceKeyApikey": scope }),
            ];
            if matches!(row.access, Access::ServiceOrAdmin(_)) {
                ways.extend([json!({ "bearer": [] }), json!({ "cookieAuth": [] })]);
            }
            if row.is_oauth() {
                ways.push(json!({ "serviceKeyBasic": scope }));
            }
            ways.into()
        }
    }
}

fn request_body(body: &Body, schemas: &mut Schemas) -> Value {
    let (schema, optional) = match body {
        Body::Of { schema, optional } => (schema(&mut schemas.taken).to_value(), *optional),
        Body::Portal(operation) => (order(Some(operation), schemas), false),
        Body::AnyPortal => (order(None, schemas), false),
        Body::AnyJson => (json!({ "description": "Any JSON." }), false),
        Body::Form(schema) => {
            let content = content(&schema(&mut schemas.taken).to_value());
            return json!({ "required": true, "content": { "application/x-www-form-urlencoded": content } });
        }
    };
    json!({ "required": !optional, "content": { "application/json": content(&schema) } })
}

/// A schema with its example.
fn content(schema: &Value) -> Value {
    let name = name_of(schema).and_then(example);
    let example = name.or_else(|| example(schema.get("title")?.as_str()?));
    match example {
        Some(example) => json!({ "schema": schema, "example": example }),
        None => json!({ "schema": schema }),
    }
}

/// The name of the schema that is referred to.
fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// What the body of an operation of any portal is called.
pub const ANY_OPERATION: &str = "any_operation";

/// The body of an operation at a portal: a session's id, or all three credentials, or both; and its own fields.
fn order(operation: Option<&portal::Operation>, schemas: &mut Schemas) -> Value {
    let mut properties = Map::new();
    let text = |max: usize| json!({ "type": ["string", "null"], "maxLength": max });
    for (name, max) in [("session_id", 128), ("username", 320), ("password", 1024), ("captcha_api_key", 256)]
    {
        properties.insert(name.to_owned(), text(max));
    }
    properties.insert("keep_alive".to_owned(), json!({ "type": ["boolean", "null"] }));
    properties.insert("language".to_owned(), nullable::<bodies::Language>(&mut schemas.taken));
    if operation.is_none() {
        properties.insert(portal::operation::DEBUG.to_owned(), json!({ "type": ["boolean", "null"] }));
    }
    if operation.is_none_or(portal::Operation::is_wizard) {
        properties.insert("appointment_session_id".to_owned(), text(128));
    }
    let mut required = Vec::new();
    for field in operation.iter().flat_map(|operation| &operation.fields) {
        let schema = match field.kind {
            FieldKind::Text { chars_max } => text(chars_max),
            FieldKind::Bool => json!({ "type": ["boolean", "null"] }),
            FieldKind::Number { min, max } => {
                json!({ "type": ["integer", "null"], "minimum": min, "maximum": max })
            }
        };
        properties.insert(field.name.clone(), schema);
        if field.required {
            required.push(&field.name);
        }
    }
    // Not every portal has a captcha.
    let mut credentials = vec!["username", "password", "captcha_api_key"];
    credentials.truncate(if operation.is_some() { 3 } else { 2 });
    json!({
        "title": operation.map_or(ANY_OPERATION, |operation| &operation.name),
        "type": "object",
        "description": "A session's id, or all three credentials, or both: then the id is tried first. Lengths of an operation's own \
            fields are counted in characters. Null or empty counts as left out.",
        "properties": properties,
        "required": required,
        "anyOf": [
            { "required": ["session_id"] },
            { "required": credentials },
        ],
    })
}

fn nullable<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let schema: Schema = generator.subschema_for::<Option<T>>();
    schema.to_value()
}

/// Everything that a route can be answered with.
fn responses(row: &Row, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for Answer { status, about, schema, media_type } in &operation.answers {
        let mut response = json!({ "description": about, "headers": always() });
        if let (Some(map), Some(schema)) = (response.as_object_mut(), schema) {
            let schema = schema(&mut schemas.given).to_value();
            map.insert("content".to_owned(), json!({ "application/json": content(&schema) }));
        }
        if let (Some(map), Some(media_type)) = (response.as_object_mut(), media_type) {
            map.insert("content".to_owned(), json!({ *media_type: { "schema": { "type": "string" } } }));
        }
        responses.insert(status.to_string(), response);
    }
    let mut by_status: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
    for reason in refusals(row, operation) {
        let status = if row.is_token_endpoint() { reason.as_token_error().0 } else { reason.status() };
        let of = by_status.entry(status).or_default();
        if !of.iter().any(|known| known.code() == reason.code()) {
            of.push(reason);
        }
    }
    let error = if row.is_portal() {
        schemas.given.subschema_for::<PortalError>()
    } else if row.is_oauth() {
        schemas.given.subschema_for::<OAuthError>()
    } else {
        schemas.given.subschema_for::<Error>()
    };
    let error = error.to_value();
    for (status, reasons) in by_status {
        let refusal = refusal(&error, row, operation, &reasons);
        let other = responses.insert(status.to_string(), refusal);
        if let Some(other) = other {
            merge(&mut responses, status, &other);
        }
    }
    responses.into()
}

/// A status that is an answer of its own as well.
fn merge(responses: &mut Map<String, Value>, status: u16, other: &Value) {
    let Some(refusal) = responses.get_mut(&status.to_string()) else { return };
    let description = format!("{} {}", text(other, "/description"), text(refusal, "/description"));
    let schema = |of: &Value| of.pointer("/content/application~1json/schema").cloned().unwrap_or_default();
    let either = json!({ "anyOf": [schema(other), schema(refusal)] });
    if let Some(map) = refusal.as_object_mut() {
        map.insert("description".to_owned(), description.into());
        map.insert("content".to_owned(), json!({ "application/json": { "schema": either } }));
    }
}

fn text<'a>(of: &'a Value, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn always() -> Value {
    json!({ "X-Request-Id": { "$ref": "#/components/headers/RequestId" } })
}

/// One status, and the codes that it can come with.
fn refusal(error: &Value, row: &Row, operation: &Operation, reasons: &[Reason]) -> Value {
    let codes: Vec<&str> = reasons.iter().map(Reason::code).collect();
    let named = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let mut headers = always();
    if let Some(headers) = headers.as_object_mut() {
        let is_challenge = |reason: &Reason| {
            reason.challenge().is_some() && (!row.is_token_endpoint() || reason.as_token_error().0 == 401)
        };
        if reasons.iter().any(is_challenge) {
            headers
                .insert("WWW-Authenticate".to_owned(), json!({ "$ref": "#/components/headers/Challenge" }));
        }
        let waits = |reason: &Reason| {
            reason.retry_after_seconds().is_some()
                || matches!(reason, Reason::Upstream { .. } | Reason::Portal(_))
        };
        if reasons.iter().any(waits) {
            headers.insert("Retry-After".to_owned(), json!({ "$ref": "#/components/headers/RetryAfter" }));
        }
    }
    if operation.bare_refusals {
        return json!({ "description": named, "headers": headers });
    }
    let schema = json!({ "allOf": [error, { "properties": { "code": { "enum": codes } } }] });
    let first = reasons.first().map(|reason| example_of(reason, row));
    json!({
        "description": named,
        "headers": headers,
        "content": { "application/json": { "schema": schema, "example": first } },
    })
}

/// What a refusal looks like: in English, as a real one.
fn example_of(reason: &Reason, row: &Row) -> Value {
    let head = http::RequestHead::from_lines(
        "GET\nhttp://127.0.0.1/",
        &String::new,
        base::clock::Timestamp::default(),
    );
    let reply = if row.is_portal() {
        http::reply::Reply::portal_refusal(reason, &head, Map::new())
    } else if row.is_token_endpoint() {
        http::reply::Reply::token_refusal(reason, &head)
    } else if row.is_oauth() {
        http::reply::Reply::oauth_refusal(reason, &head)
    } else {
        http::reply::Reply::refusal(reason, &head)
    };
    reply.body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default()
}

/// Why a route can be refused: by who may call, by what it takes, and by what it does.
fn refusals(row: &Row, operation: &Operation) -> Vec<Reason> {
    let mut codes: Vec<E> = Vec::new();
    match row.access {
        Access::Anybody | Access::SecretPath => {}
        // A service key where a user is wanted is 403.
        Access::Bearer | Access::Admin | Access::AdminOrBootstrapKey | Access::ServiceOrAdmin(_) => {
            codes.extend(routes::SESSION);
            codes.extend([E::ServiceKeyInvalid, E::Forbidden]);
            // By cookie. A proxy asks about any method with any.
            let asks = row.route == Route::Caller(ForCaller::Verify);
            if asks || methods(row.methods).iter().any(|name| !["get", "head", "options"].contains(name)) {
                codes.push(E::CrossSite);
            }
        }
        Access::ResetKey => codes.push(E::Forbidden),
        Access::Service(_) => codes.extend(OF_A_KEY),
    }
    if row.route.asks_for_recent_login() {
        codes.push(E::InsufficientUserAuthentication);
    }
    // What is no text can be nobody's name.
    if row.pattern.contains("{username}") {
        codes.push(E::NotFound);
    }
    if let Some(body) = &operation.body {
        codes.extend(if matches!(body, Body::Form(_)) { &[E::BodyTooLarge] } else { OF_A_BODY });
        if !matches!(body, Body::AnyJson | Body::Form(_)) {
            codes.push(E::InvalidFields);
        }
    }
    if operation.parameters.iter().any(|parameter| parameter.place == "query") && !operation.bare_refusals {
        codes.push(E::InvalidFields);
    }
    codes.extend(ALWAYS);
    let own = codes.into_iter().map(Reason::sample);
    own.chain(operation.refusals.iter().cloned()).collect()
}
