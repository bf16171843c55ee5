//! What a document says of a browser: steps, conditions, and how to log in with them.

use super::members::Members;
use crate::cdp::{Condition, Rows};
use crate::code::Code;
use crate::script::{PASSWORD, Reading, Step, TOTP, Test, Verb, names};
use serde_json::Value;
use std::time::Duration;

/// How deep steps may lie in each other.
const DEPTH_MAX: usize = 4;
const ROUNDS_MAX: u64 = 200;
const WITHIN: u64 = 20;

/// How to log in by steps.
#[derive(Clone, Debug, Default)]
pub struct InBrowser {
    pub login: Vec<Step>,
    /// What only a logged-in user sees.
    pub logged_in: Condition,
    /// Texts.
    pub needs_human: Vec<String>,
    pub refused_automation: Vec<String>,
    /// What is seen once a logout is done; nothing, if its page is all there is to it.
    pub logout_done: Option<Condition>,
    /// A proxy for all that is loaded.
    pub proxy: Option<String>,
}

/// What may stand for what.
pub struct Names<'a> {
    /// In braces.
    pub known: Vec<String>,
    /// Whether it is a login, with what one logs in with.
    pub is_login: bool,
    /// Whether what cannot be undone may be among them: whoever runs them has to know.
    pub may_commit: bool,
    pub fields: &'a [String],
}

impl<'a> Names<'a> {
    pub fn of(fields: &'a [String]) -> Self {
        Self { known: fields.to_vec(), is_login: false, may_commit: false, fields }
    }
}

impl Names<'static> {
    pub fn of_login() -> Self {
        Self {
            known: vec!["username".to_owned(), PASSWORD.to_owned(), TOTP.to_owned()],
            is_login: true,
            may_commit: false,
            fields: &[],
        }
    }
}

pub fn condition(one: &mut Members<'_>, name: &'static str) -> Condition {
    one.object("condition", name).map(|mut of| condition_of(&mut of, 0)).unwrap_or_default()
}

pub fn optional_condition(one: &mut Members<'_>, name: &'static str) -> Option<Condition> {
    one.optional_object("condition", name).map(|mut of| condition_of(&mut of, 0))
}

fn condition_of(of: &mut Members<'_>, depth: usize) -> Condition {
    let mut each = |name| -> Option<Vec<Condition>> {
        if depth == DEPTH_MAX || !of.has(name) {
            return None;
        }
        Some(of.objects("condition", name).iter_mut().map(|one| condition_of(one, depth + 1)).collect())
    };
    let (any, all) = (each("any"), each("all"));
    if [&any, &all].into_iter().flatten().any(Vec::is_empty) {
        of.fault("all", "and any must have a condition");
    }
    let condition = Condition {
        selector: of.optional_text("selector"),
        text: of.has("text").then(|| of.texts("text")),
        gone: of.optional_text("gone"),
        path: of.optional_text("path"),
        any,
        all,
    };
    if condition == Condition::default() {
        of.fault("selector", "or text, gone, path, any, all: one of them must be there");
    }
    condition
}

/// The steps of a member, which may be left out.
pub fn steps(one: &mut Members<'_>, name: &'static str, at: &str, known: &mut Names<'_>) -> Vec<Step> {
    steps_at(one, name, at, known, 0)
}

fn steps_at(
    one: &mut Members<'_>,
    name: &'static str,
    at: &str,
    known: &mut Names<'_>,
    depth: usize,
) -> Vec<Step> {
    if depth > DEPTH_MAX {
        one.fault(name, "lies too deep");
        return Vec::new();
    }
    let items = one.objects("step", name).into_iter().enumerate();
    items.filter_map(|(i, mut item)| step(&mut item, format!("{at}/{name}/{i}"), known, depth)).collect()
}

const VERBS: [&str; 13] = [
    "go", "fill", "choose", "tick", "click", "wait_for", "scroll", "read", "captcha", "when", "repeat",
    "answer", "fail",
];

fn step(one: &mut Members<'_>, place: String, known: &mut Names<'_>, depth: usize) -> Option<Step> {
    let mut named = VERBS.iter().filter(|verb| one.has(verb));
    let (verb, other) = (named.next(), named.next());
    if verb.is_none() || other.is_some() {
        one.fault("", &format!("must have one of: {}", VERBS.join(", ")));
    }
    let within = if one.has("within") { one.number("within", 1, 300) } else { WITHIN };
    let commits = one.flag("commit");
    if commits && !known.may_commit {
        one.fault("commit", "is for the own steps of an operation");
    }
    let template = |one: &mut Members<'_>, name: &'static str| {
        let text = one.text(name);
        check(one, name, &text, known);
        text
    };
    let verb = match *verb? {
        "go" => {
            let path = one.path("go");
            check(one, "go", &path, known);
            Verb::Go(path)
        }
        "fill" => Verb::Fill { css: one.text("fill"), with: template(one, "with") },
        "choose" => Verb::Choose { css: one.text("choose"), label: template(one, "label") },
        "tick" => {
            let (css, on) = (one.text("tick"), one.text("on"));
            if !known.fields.contains(&on) {
                one.fault("on", "names no field of the operation");
            }
            Verb::Tick { css, on }
        }
        "click" => Verb::Click(one.text("click")),
        "wait_for" => Verb::WaitFor(condition(one, "wait_for")),
        "scroll" => {
            let (scroll, rows) = (Some(one.text("scroll")), one.text("rows"));
            let rows = Rows { scroll, rows, busy: one.optional_text("busy") };
            Verb::Scroll { rows, until: optional_condition(one, "until") }
        }
        "read" => {
            let what = match one.word("read", &["table", "list", "text", "definitions"]) {
                "table" => Reading::Table,
                "list" => Reading::List,
                "definitions" => Reading::Definitions,
                _ => Reading::Text,
            };
            let (css, into) = (one.text("from"), one.text("into"));
            if known.fields.contains(&into) {
                one.fault("into", "is a field of the operation");
            }
            known.known.push(into.clone());
            Verb::Read { what, css, into }
        }
        "captcha" => {
            if !known.is_login {
                one.fault("captcha", "can be solved in a login only");
            }
            Verb::Captcha { css: one.text("captcha"), input: one.text("into") }
        }
        "when" => {
            let test = one.object("condition", "when").map(|mut of| match of.optional_text("given") {
                Some(name) => {
                    if !known.fields.contains(&name) {
                        of.fault("given", "names no field of the operation");
                    }
                    Test::Given(name)
                }
                None => Test::Shows(condition_of(&mut of, 0)),
            });
            let then = steps_at(one, "then", &place, known, depth + 1);
            let otherwise = steps_at(one, "else", &place, known, depth + 1);
            Verb::When { test: test?, then, otherwise }
        }
        "repeat" => {
            let until = condition(one, "until");
            let at_most = one.number("at_most", 1, ROUNDS_MAX);
            Verb::Repeat { steps: steps_at(one, "repeat", &place, known, depth + 1), until, at_most }
        }
        "answer" => {
            let members = one.members("answer");
            for (member, value) in &members {
                super::operations::check_answer(one, "answer", member);
                if let Value::String(text) = value {
                    check(one, "answer", text, known);
                }
            }
            Verb::Answer(members)
        }
        _ => Verb::Fail { code: failure(one), message: one.optional_text("message") },
    };
    Some(Step { place, within: Duration::from_secs(within), commits, verb })
}

fn failure(one: &mut Members<'_>) -> Code {
    match one.word("fail", &["portal_not_found", "portal_input_refused", "portal_unintelligible"]) {
        "portal_not_found" => Code::NotFound,
        "portal_input_refused" => Code::InputRefused,
        _ => Code::UnexpectedResponse,
    }
}

fn check(one: &Members<'_>, member: &str, text: &str, known: &Names<'_>) {
    if let Some(name) = names(text).find(|name| !known.known.iter().any(|other| other == name)) {
        one.fault(member, &format!("has {{{name}}}, which nothing stands for there"));
    }
    // Addresses are logged, and what is chosen or answered is seen.
    if known.is_login && member != "with" && names(text).any(|name| [PASSWORD, TOTP].contains(&name)) {
        one.fault(member, "has a secret, which is for fill alone");
    }
}

/// How to log in, beside the texts that every driver looks for.
pub fn login(one: &mut Members<'_>) -> InBrowser {
    let steps = steps(one, "steps", "login", &mut Names::of_login());
    if steps.is_empty() {
        one.fault("steps", "must be there");
    }
    InBrowser {
        login: steps,
        logged_in: condition(one, "logged_in"),
        needs_human: one.texts("needs_human"),
        refused_automation: one.texts("refused_automation"),
        logout_done: None,
        proxy: None,
    }
}

/// Whether a login of these steps may have a captcha.
pub fn has_captcha(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.verb {
        Verb::Captcha { .. } => true,
        Verb::When { then, otherwise, .. } => has_captcha(then) || has_captcha(otherwise),
        Verb::Repeat { steps, .. } => has_captcha(steps),
        _ => false,
    })
}
