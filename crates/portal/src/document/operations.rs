//! What a portal can be asked to do, as its document has it.

use super::members::Members;
use super::{api, browser, wizards};
use crate::operation::{
    Column, Columns, DEBUG, Field, FieldKind, Flag, Listing, Operation, Paging, Shown, Steps, Target, What,
};
use std::collections::BTreeMap;

/// Of a value that a caller gives, in characters.
const TEXT_MAX: u64 = 2_000;
/// Whole numbers that every JSON has.
const NUMBER_MAX: u64 = 1 << 53;
const NAME_CHARS_MAX: usize = 64;

/// Names that every body has for itself, and every answer.
const OF_BODIES: [&str; 9] = [
    "session_id",
    "username",
    "password",
    "captcha_api_key",
    "totp_secret",
    "keep_alive",
    "appointment_session_id",
    "language",
    DEBUG,
];
const OF_ANSWERS: [&str; 12] = [
    "success",
    "session_id",
    "is_new_session",
    "appointment_session_id",
    "current_phase",
    "message",
    "missing_fields",
    "choices",
    "error",
    "code",
    "detail",
    DEBUG,
];

/// A wizard, whole, and the last phase without what is filled in there.
type Wizards = BTreeMap<String, Steps>;

pub(super) fn read(all: &mut Members<'_>, driver: &str) -> Vec<Operation> {
    let (in_browser, is_api) = (driver == "browser", driver == "api");
    let mut wizards = Wizards::new();
    for mut one in all.objects(kind("wizard", driver), "wizards") {
        let name = name(&mut one, "name");
        let steps = wizards::steps(&mut one, driver);
        if !in_browser && !is_api && wizards.values().any(|other| other.form == steps.form) {
            // What is left of one would be gone on with as the other.
            one.fault("form", "is that of another wizard");
        }
        if wizards.insert(name, steps).is_some() {
            one.fault("name", "stands there twice");
        }
    }
    let mut operations: Vec<Operation> = Vec::new();
    for mut one in all.objects("operation", "operations") {
        let operation = operation(&mut one, &wizards, driver);
        if operations.iter().any(|other| other.name == operation.name) {
            one.fault("name", "stands there twice");
        }
        operations.push(operation);
    }
    operations
}

fn operation(one: &mut Members<'_>, wizards: &Wizards, driver: &str) -> Operation {
    let in_browser = driver == "browser";
    let name = name(one, "name");
    let kinds = ["listing", "wizard", "steps"];
    if kinds.iter().filter(|kind| one.has(kind) && (in_browser || **kind != "steps")).count() != 1 {
        let what = if in_browser { "or wizard or steps: one" } else { "or wizard: one" };
        one.fault("listing", &format!("{what} of them must be there"));
    }
    let mut fields = Vec::new();
    let what = if let Some(mut of) = one.optional_object("operation_wizard", "wizard") {
        let steps = part(&mut of, wizards);
        fields.extend(steps.phases.iter().flatten().map(|input| input.field.clone()));
        What::Wizard(steps)
    } else {
        for mut field in one.objects("field", "fields") {
            let read = declared(&mut field);
            known_once(&field, "name", &read.name, &fields);
            fields.push(read);
        }
        let at = format!("operations/{name}");
        if in_browser && one.has("steps") {
            let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
            let mut names = browser::Names { may_commit: true, ..browser::Names::of(&names) };
            What::Script(browser::steps(one, "steps", &at, &mut names))
        } else {
            let is_api = driver == "api";
            let of = one.optional_object(kind("listing", driver), "listing");
            let at = in_browser.then_some(at);
            What::Listing(
                of.map(|mut of| listing(&mut of, &fields, at.as_deref(), is_api)).unwrap_or_default(),
            )
        }
    };
    fields.push(Field { name: DEBUG.to_owned(), kind: FieldKind::Bool, required: false });
    Operation { name, fields, what }
}

/// A wizard as far as an operation goes with it.
fn part(of: &mut Members<'_>, wizards: &Wizards) -> Steps {
    let named = of.text("name");
    let orders = of.word("until", &["list", "order"]) == "order";
    let Some(whole) = wizards.get(&named) else {
        of.fault("name", "is that of no wizard");
        return Steps::default();
    };
    if orders && whole.order.is_none() {
        of.fault("until", "is an order, and the wizard has none");
    }
    let mut steps = whole.clone();
    if !orders {
        steps.order = None;
        if let Some(last) = steps.phases.last_mut() {
            last.clear();
        }
    }
    steps
}

/// A name of a caller's: it stands in addresses and bodies.
pub(super) fn name(one: &mut Members<'_>, member: &'static str) -> String {
    let name = one.text(member);
    let is_fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.len() > NAME_CHARS_MAX || !name.bytes().all(is_fine) {
        one.fault(member, "must be 1 to 64 lower-case letters, digits or _");
    }
    name
}

pub(super) fn known_once(one: &Members<'_>, member: &str, name: &str, before: &[Field]) {
    if OF_BODIES.contains(&name) {
        one.fault(member, "is a name that every operation has");
    } else if before.iter().any(|other| other.name == name) {
        one.fault(member, "stands there twice");
    }
}

fn declared(one: &mut Members<'_>) -> Field {
    let name = name(one, "name");
    let kind = match one.word("type", &["text", "number", "flag"]) {
        "text" => text_kind(one),
        "number" => {
            let (min, max) = (one.number("min", 0, NUMBER_MAX), one.number("max", 0, NUMBER_MAX));
            if min > max {
                one.fault("max", "is less than min");
            }
            FieldKind::Number { min, max }
        }
        _ => FieldKind::Bool,
    };
    Field { name, kind, required: one.flag("required") }
}

pub(super) fn text_kind(one: &mut Members<'_>) -> FieldKind {
    FieldKind::Text { chars_max: usize::try_from(one.number("max", 1, TEXT_MAX)).unwrap_or_default() }
}

pub(super) fn is_text(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Text { .. })
}

/// A member that steps put into an answer.
pub(super) fn check_answer(one: &Members<'_>, member: &str, name: &str) {
    if OF_ANSWERS.contains(&name) {
        one.fault(member, "has a name that every answer has");
    }
}

/// The members of an answer, each once.
#[derive(Default)]
pub(super) struct Answers(Vec<String>);

impl Answers {
    pub(super) fn take(&mut self, one: &mut Members<'_>, member: &'static str) -> String {
        let name = one.text(member);
        self.add(one, member, &name);
        name
    }

    fn add(&mut self, one: &Members<'_>, member: &str, name: &str) {
        if OF_ANSWERS.contains(&name) {
            one.fault(member, "is a name that every answer has");
        } else if self.0.iter().any(|other| other == name) {
            one.fault(member, "is another member of the answer");
        }
        self.0.push(name.to_owned());
    }
}

/// The name of a kind of object, which has other members in a browser and of an API.
pub(super) fn kind(plain: &'static str, driver: &str) -> &'static str {
    match (plain, driver) {
        ("listing", "browser") => "listing_in_browser",
        ("wizard", "browser") => "wizard_in_browser",
        ("phase", "browser") => "phase_in_browser",
        ("listing", "api") => "listing_of_api",
        ("wizard", "api") => "wizard_of_api",
        ("phase", "api") => "phase_of_api",
        ("input", "api") => "input_of_api",
        ("order", "api") => "order_of_api",
        _ => plain,
    }
}

/// `at`: where it stands, if it is a list in a browser.
fn listing(of: &mut Members<'_>, fields: &[Field], at: Option<&str>, is_api: bool) -> Listing {
    let mut answers = Answers::default();
    let mut path = String::new();
    let in_browser = at.map(|at| {
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let open = browser::steps(of, "open", at, &mut browser::Names::of(&names));
        if open.is_empty() {
            of.fault("open", "must be there");
        }
        let (scroll, busy) = (of.optional_text("scroll"), of.optional_text("busy"));
        Shown { open, scroll, busy, not_found: of.texts("not_found") }
    });
    let api = is_api.then(|| {
        let known: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        api::list(of, &known)
    });
    if in_browser.is_none() && !is_api {
        path = of.path("path");
        check_placeholders(of, &path, fields);
    }
    let table = if is_api { String::new() } else { of.text("table") };
    let needed = of.optional_text("needed_column");
    let mut named: Vec<Column> = Vec::new();
    for mut one in of.objects("column", "columns") {
        let column = Column { head: one.text("head"), member: one.text("member"), lower: one.flag("lower") };
        if named.iter().any(|other| other.member == column.member) {
            one.fault("member", "stands there twice");
        }
        named.push(column);
    }
    if needed.is_some() != named.is_empty() {
        of.fault("columns", "or needed_column: one of them must be there");
    }
    let repeats = of.texts("repeats");
    for name in &repeats {
        if !fields.iter().any(|field| field.name == *name) {
            of.fault("repeats", "names no field of the operation");
        }
        answers.add(of, "repeats", name);
    }
    let rows = answers.take(of, "rows");
    let count = answers.take(of, "count");
    let flags = of.objects("flag", "flags").into_iter().map(|mut one| Flag {
        member: answers.take(&mut one, "member"),
        row: one.objects("value", "row").into_iter().map(|mut value| value_of(&mut value, &named)).collect(),
    });
    let flags = flags.collect();
    let paging = of.optional_object("paging", "paging");
    let paging = paging.map(|mut one| paging_of(&mut one, fields, &mut answers));
    let columns = needed.map_or(Columns::Named(named), |needed| Columns::AsTheHeadSays { needed });
    Listing { path, table, api, columns, rows, count, repeats, flags, paging, in_browser }
}

fn value_of(one: &mut Members<'_>, columns: &[Column]) -> (String, String) {
    let member = one.text("member");
    if !columns.is_empty() && !columns.iter().any(|column| column.member == member) {
        one.fault("member", "is that of no column");
    }
    (member, one.text("value"))
}

/// Without a field that has to be given, the address would be that of something else.
fn check_placeholders(of: &Members<'_>, path: &str, fields: &[Field]) {
    for field in fields.iter().filter(|field| field.required && is_text(field)) {
        let placeholder = format!("{{{}}}", field.name);
        if path.matches(&placeholder).count() != 1 {
            of.fault("path", &format!("must have {placeholder} once"));
            return;
        }
    }
    let named = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    for name in named {
        if !fields.iter().any(|field| field.name == name && is_text(field)) {
            of.fault("path", "has {…} that is no text field of the operation");
            return;
        }
    }
}

fn paging_of(one: &mut Members<'_>, fields: &[Field], answers: &mut Answers) -> Paging {
    let field =
        |one: &Members<'_>, member: &str, name: Option<&String>, kind: &str, is: fn(FieldKind) -> bool| {
            let is_there =
                |name: &String| fields.iter().any(|f| f.name == *name && !f.required && is(f.kind));
            if name.is_some_and(|name| !is_there(name)) {
                one.fault(member, &format!("must name {kind} field of the operation that is not required"));
            }
        };
    let number: fn(FieldKind) -> bool = |kind| matches!(kind, FieldKind::Number { .. });
    let target = one.optional_object("target", "target").map(|mut one| {
        let target = Target {
            field: one.text("field"),
            column: one.text("column"),
            found: answers.take(&mut one, "found"),
        };
        field(&one, "field", Some(&target.field), "a text", |kind| matches!(kind, FieldKind::Text { .. }));
        target
    });
    let target_count = one.optional_text("target_count");
    field(one, "target_count", target_count.as_ref(), "a number", number);
    let all = one.optional_text("all");
    field(one, "all", all.as_ref(), "a flag", |kind| kind == FieldKind::Bool);
    let skip = one.text("skip");
    field(one, "skip", Some(&skip), "a number", number);
    Paging {
        target,
        target_count,
        all,
        skip,
        next: answers.take(one, "next"),
        cycles: answers.take(one, "cycles"),
        reason: answers.take(one, "reason"),
    }
}
