//! What the documents of portals behind an API say beside what all do: a login by `OpenID` Connect, and calls in JSON.

use super::members::Members;
use crate::operation::Steps;
use base::settings::is_base_url;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Between two calls of one piece of work, unless the document says something else.
const INTERVAL_MS: u64 = 250;
const INTERVAL_MS_MAX: u64 = 60_000;

/// How to log in by the authorization code flow (`OpenID` Connect Core 1.0 §3.1), and how to call. Addresses are whole.
#[derive(Clone, Debug, Default)]
pub struct Api {
    pub issuer: String,
    pub authorize_url: String,
    pub token_url: String,
    /// Says whose a token is.
    pub userinfo_url: String,
    /// Takes a refresh token back (RFC 7009).
    pub revocation_url: Option<String>,
    pub client_id: String,
    /// Where the login ends. It is never called.
    pub redirect_uri: String,
    pub scope: String,
    pub interval: Duration,
}

/// A call. In its JSON, `"{field}"` stands for what a caller gives, and `"{/0/data/Id}"` for what the first call of a wizard answered.
#[derive(Clone, Debug, Default)]
pub struct ApiCall {
    pub path: String,
    pub json: Value,
}

/// A list that comes page by page.
#[derive(Clone, Debug, Default)]
pub struct ApiList {
    pub call: ApiCall,
    /// Where the rows are, as a JSON Pointer.
    pub rows_at: String,
    /// The member of the call that is the number of the page, from 1. A page of fewer rows than `page_size` is the last.
    pub page: Option<(String, usize)>,
}

/// The calls of a wizard. Each phase but the last has one, which says whether what was filled in is taken.
#[derive(Clone, Debug, Default)]
pub struct ApiWizard {
    /// Before the first phase, if there is something to choose from there.
    pub open: Option<ApiCall>,
    pub phases: Vec<Option<ApiCall>>,
    /// Where an answer says what is wrong: JSON Pointers to texts or lists of them.
    pub errors_at: Vec<String>,
    /// The statuses of an answer that does, and of one that does not know the wizard any more.
    pub refused_statuses: Vec<u16>,
    pub expired_statuses: Vec<u16>,
}

/// The call that orders something.
#[derive(Clone, Debug, Default)]
pub struct ApiOrder {
    pub call: ApiCall,
    /// Where the answer says `true` once it is done, and what it says of that.
    pub done_at: String,
    pub details_at: String,
}

/// Of a control: where its options are in the answers so far, and the members of each that are its value and its label.
#[derive(Clone, Debug)]
pub struct Options {
    pub value: String,
    pub label: String,
}

/// The members of a login by `OpenID` Connect.
pub(super) fn login(one: &mut Members<'_>, base_url: &str) -> Api {
    let issuer = one.text("issuer");
    let issuer = issuer.trim_end_matches('/');
    if !issuer.is_empty() && !is_base_url(issuer) {
        one.fault("issuer", "must be https://… without a query or credentials (http:// for loopback only)");
    }
    let behind = |one: &mut Members<'_>, name| format!("{issuer}{}", one.path(name));
    let api = Api {
        authorize_url: behind(one, "authorize_path"),
        token_url: behind(one, "token_path"),
        userinfo_url: behind(one, "userinfo_path"),
        revocation_url: one.has("revocation_path").then(|| behind(one, "revocation_path")),
        client_id: one.text("client_id"),
        redirect_uri: format!("{base_url}{}", one.path("redirect_path")),
        scope: one.text("scope"),
        interval: Duration::ZERO,
        issuer: issuer.to_owned(),
    };
    let named = one.has("min_interval_ms");
    let interval = if named { one.number("min_interval_ms", 0, INTERVAL_MS_MAX) } else { INTERVAL_MS };
    Api { interval: Duration::from_millis(interval), ..api }
}

impl Api {
    /// The issuer's host, as [`crate::browser::Site::new`] takes hosts.
    pub(super) fn host(&self) -> Option<String> {
        Some(Url::parse(&self.issuer).ok()?.origin().ascii_serialization())
    }
}

/// A call with these fields, and with the answers of so many calls before.
fn call(of: &mut Members<'_>, name: &'static str, fields: &[String], before: usize) -> Option<ApiCall> {
    let mut one = of.optional_object("call", name)?;
    let (path, json) = (one.path("path"), one.json("json"));
    let mut named = Vec::new();
    names(&json, &mut named);
    if path.contains(['{', '}']) || !named.iter().all(|name| is_known(name, fields, before)) {
        one.fault("json", "has {…} that is neither a field nor in an answer before, or path has one");
    }
    Some(ApiCall { path, json })
}

fn is_known(name: &str, fields: &[String], before: usize) -> bool {
    if fields.iter().any(|field| field == name) {
        return true;
    }
    let at = name.strip_prefix('/').and_then(|rest| rest.split('/').next());
    at.and_then(|at| at.parse::<usize>().ok()).is_some_and(|at| at < before)
}

fn needed(of: &mut Members<'_>, name: &'static str, fields: &[String], before: usize) -> ApiCall {
    if !of.has(name) {
        of.fault(name, "is missing");
    }
    call(of, name, fields, before).unwrap_or_default()
}

fn pointer(of: &mut Members<'_>, name: &'static str) -> String {
    let pointer = of.text(name);
    if !pointer.starts_with('/') {
        of.fault(name, "must be a JSON Pointer");
    }
    pointer
}

/// What a listing calls. `fields` are the names that may stand in it.
pub(super) fn list(of: &mut Members<'_>, fields: &[String]) -> ApiList {
    let call = needed(of, "call", fields, 0);
    let rows_at = pointer(of, "rows_at");
    let page = of.optional_text("page").map(|member| {
        let size = of.number("page_size", 1, 10_000);
        (member, usize::try_from(size).unwrap_or(usize::MAX))
    });
    ApiList { call, rows_at, page }
}

/// What a wizard says before its phases.
pub(super) fn wizard(one: &mut Members<'_>) -> ApiWizard {
    let statuses = |one: &mut Members<'_>, name| -> Vec<u16> {
        let statuses = one.numbers(name);
        if statuses.iter().any(|status| !(400..500).contains(status) || [401, 429].contains(status)) {
            one.fault(name, "must be of 400 to 499, and neither 401 nor 429");
        }
        statuses
    };
    let wizard = ApiWizard {
        open: call(one, "open", &[], 0),
        phases: Vec::new(),
        errors_at: one.texts("errors_at"),
        refused_statuses: statuses(one, "refused_statuses"),
        expired_statuses: statuses(one, "expired_statuses"),
    };
    if wizard.errors_at.is_empty() || wizard.errors_at.iter().any(|at| !at.starts_with('/')) {
        one.fault("errors_at", "must have JSON Pointers");
    }
    wizard
}

/// The call of a phase, which the last has not.
pub(super) fn phase(phase: &mut Members<'_>, fields: &[String], before: usize) -> Option<ApiCall> {
    call(phase, "call", fields, before)
}

/// What is wrong with a wizard as a whole.
pub(super) fn check(one: &Members<'_>, steps: &Steps) {
    let Some(api) = &steps.api else { return };
    let (last, before) = (api.phases.last(), api.phases.iter().rev().skip(1));
    if last.is_some_and(Option::is_some) || before.into_iter().any(Option::is_none) {
        one.fault("phases", "must each have a call, but for the last");
    }
    for (at, inputs) in steps.phases.iter().enumerate() {
        if inputs.iter().filter(|i| i.options.is_some()).any(|i| !is_known(&i.control, &[], at + 1)) {
            one.fault("phases", "have an input whose options are in no answer before");
        }
    }
}

/// How an input's options are read.
pub(super) fn options(item: &mut Members<'_>) -> Options {
    Options { value: item.text("value"), label: item.text("label") }
}

pub(super) fn order(order: &mut Members<'_>, fields: &[String], before: usize) -> ApiOrder {
    ApiOrder {
        call: needed(order, "call", fields, before),
        done_at: pointer(order, "done_at"),
        details_at: pointer(order, "details_at"),
    }
}

/// The fields that stand in a template.
fn names(template: &Value, found: &mut Vec<String>) {
    match template {
        Value::String(text) => found.extend(placeholder(text).map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Object(members) => members.values().for_each(|member| names(member, found)),
        _ => {}
    }
}

/// The field that a text stands for, if it is exactly `{field}`.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}
